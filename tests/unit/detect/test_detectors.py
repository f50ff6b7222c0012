"""What every registered detector must do: a new one is held to all of this for a line in `PLANTED`."""

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest
from synthetic import DAY, DAYS, FAULTS, MODEL, START, Fault, f1, make_log, make_reference

from andon.adapters.duckdb.log import DuckDBLog, open_log
from andon.base.interval import Grid
from andon.bootstrap.packs import load_taxonomy
from andon.detect.budget import Budget
from andon.detect.detector import Detector
from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.hit import search
from andon.detect.mark import MarkSeries, Side
from andon.detect.planning import Watched, evaluation_length, make_plan, watch
from andon.detect.registry import DETECTORS
from andon.incident.scan import DetectedIncident, Scan
from andon.inventory.model import Columns, Model
from andon.services.watch import Request, Watch
from andon.telemetry.summary import Summary

PLANTED: Mapping[str, str] = {
    "null_share": "income_null_for_ten_days",
    "category_share": "new_product",
    "feature_distribution": "income_rises",
    "slice_distribution": "income_halves_in_the_south",
    "slice_prediction_rate": "women_declined",
}
"""For every detector the fault in `synthetic.FAULTS` that it must find."""

LENGTH = timedelta(hours=6)
SEVERITIES = {slug: kind.default_severity for slug, kind in load_taxonomy().types.items()}
NOTHING = Watched(Model("bare", Columns("id", "ts")), {}, (), ())

every_detector = pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.name)


def planted(detector: Detector) -> Fault:
    assert detector.name in PLANTED, f"plant a fault that {detector.name} must find: a line in PLANTED"
    return FAULTS[PLANTED[detector.name]]


@dataclass(frozen=True)
class Made:
    """A synthetic log in a file, scanned."""

    log: str
    scan: Scan

    def incident(self, detector: Detector) -> DetectedIncident:
        """The one incident that has a finding of a detector."""
        [found] = [each for each in self.scan.incidents if any(f.detector == detector.name for f in each.findings)]
        return found


class Bench:
    """Logs and scans of them, each made once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.reference = make_reference(folder)
        self.scanned = cache(self._scanned)

    def log(self, fault: Fault | None, seed: int, strange_from: float = DAYS) -> str:
        folder = self._folder / f"{len(list(self._folder.iterdir()))}"
        folder.mkdir()
        return make_log(folder, fault, seed=seed, strange_from=strange_from)

    def _scanned(self, fault: Fault | None, seed: int, detectors: tuple[Detector, ...] = DETECTORS) -> Made:
        log = self.log(fault, seed)
        with open_log([log], MODEL) as decisions, open_log([self.reference], MODEL) as known_good:
            return Made(log, Watch(detectors, SEVERITIES).scan(Request(decisions, known_good, MODEL)))

    def with_fault(self, detector: Detector) -> Made:
        return self.scanned(planted(detector), seed_of(detector))

    def without_fault(self, detector: Detector) -> Made:
        return self.scanned(None, seed_of(detector))


def seed_of(detector: Detector) -> int:
    """Each detector has a log of its own."""
    return DETECTORS.index(detector)


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("synthetic"))


@pytest.fixture(scope="session")
def known_good(bench: Bench) -> Iterator[DuckDBLog]:
    with open_log([bench.reference], MODEL) as log:
        yield log


@pytest.fixture(scope="session")
def watched(known_good: DuckDBLog) -> Watched:
    return watch(MODEL, known_good)


# --- what it says about itself


def test_detectors_have_names_of_their_own() -> None:
    names = [detector.name for detector in DETECTORS]
    assert len(names) == len(set(names)) > 0


@every_detector
def test_it_is_described(detector: Detector) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", detector.name)
    assert re.fullmatch(r"[a-z][a-z0-9_]*", detector.statistic)
    assert isinstance(detector.layer, Layer)
    for text in (detector.description, detector.blind_to, detector.threshold_source):
        assert len(text.split()) >= 3
        assert text == text.strip()


@every_detector
def test_it_has_a_share_of_the_alarm_budget(detector: Detector) -> None:
    assert 0 < detector.weight < float("inf")


@every_detector
def test_a_fault_is_planted_that_it_must_find(detector: Detector) -> None:
    assert planted(detector).type in SEVERITIES


# --- what it may see


@every_detector
def test_it_asks_for_counts_that_the_plan_can_make(detector: Detector, watched: Watched) -> None:
    cubes = detector.cubes(watched)
    plan = make_plan(watched, cubes, Grid(LENGTH))
    assert cubes
    assert set(cubes) <= set(plan.cubes)
    assert all(np.prod(plan.shape(cube)) > 0 for cube in cubes)
    assert detector.cubes(watched) == cubes, "the same question every time"


@every_detector
def test_it_takes_summaries_and_nothing_else(detector: Detector) -> None:
    for method in (detector.cubes, detector.series):
        assert list(inspect.signature(method).parameters) == ["watched", "history"][: 1 + (method == detector.series)]
    assert get_type_hints(detector.series)["history"] is History
    assert get_type_hints(detector.series)["watched"] is Watched


def test_what_a_detector_is_given_holds_no_rows_no_table_and_no_connection(bench: Bench, watched: Watched) -> None:
    with History_(bench, DETECTORS, FAULTS["income_null"], 0) as history:
        parts = set(reached(watched)) | set(reached(history))
    allowed = ("andon.base", "andon.detect", "andon.inventory", "andon.telemetry", "builtins", "datetime", "numpy")
    assert {each for each in parts if not each.__module__.startswith(allowed)} == set()
    assert not any("andon.telemetry.source" in each.__module__ for each in parts)
    assert np.ndarray in parts, "the walk went down to the counts"


def reached(value: object) -> Iterator[type]:
    """The types of a value and of all that it holds."""
    yield type(value)
    if is_dataclass(value):
        for field in fields(value):
            yield from reached(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from reached(key)
            yield from reached(each)
    elif isinstance(value, tuple | list | set):
        for each in value:
            yield from reached(each)


@every_detector
def test_it_works_where_no_engine_can_be_imported(
    detector: Detector, bench: Bench, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    with History_(bench, (detector,), planted(detector), seed_of(detector)) as history:
        for engine in ("duckdb", "pyarrow", "pandas"):
            monkeypatch.setitem(sys.modules, engine, None)
        assert sum(len(family.marks) for family in detector.series(watched, history)) > 0


class History_:  # noqa: N801
    pass
