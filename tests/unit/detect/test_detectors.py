"""What every registered detector must do: a new one is held to all of this for a line in `PLANTED`."""

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple, get_type_hints

import duckdb
import numpy as np
import pytest

from andon.adapters.duckdb.log import open_log
from andon.base.interval import Grid
from andon.bootstrap.packs import load_taxonomy
from andon.detect.budget import Budget
from andon.detect.builtin.cohort_error import CohortError
from andon.detect.detector import Detector
from andon.detect.finding import Layer, Slice
from andon.detect.history import History
from andon.detect.hit import Hit, limits, search
from andon.detect.jump import jumps
from andon.detect.mark import Mark
from andon.detect.planning import Watched, make_plan, watch, with_ripeness
from andon.detect.registry import DETECTORS
from andon.incident.scan import DetectedIncident, Scan
from andon.inventory.model import Columns, Model
from andon.services.watch import Request, Watch
from andon.telemetry.summary import Summary
from andon.telemetry.value import unseen_cell
from synthetic import (
    BENIGN_RELEASES,
    DAY,
    DAYS,
    FAULTS,
    IN_A_SEASON,
    MEETING,
    MODEL,
    START,
    UNDECLARED,
    UNEASY,
    Fault,
    Mask,
    Rows,
    f1,
    make_log,
    make_reference,
)

PLANTED: Mapping[str, str] = {
    "null_share": "income_null_for_ten_days",
    "category_share": "new_product",
    "feature_distribution": "income_rises",
    "slice_distribution": "income_halves_in_the_south",
    "prediction_rate": "everyone_declined",
    "slice_prediction_rate": "women_declined",
    "score_distribution": "score_is_less_sure",
    "error_rate": "labels_contradict",
    "cohort_error": "western_women_misjudged",
    "changed_decisions": "elders_overruled",
    "shifted_score": "elders_declined_by_a_new_version",
    "calibration": "outcomes_get_worse",
    "estimated_performance": "score_is_less_sure",
    "regression_error": "costs_rise",
    "label_feed": "labels_stop",
    "repeat_share": "income_no_longer_refreshed",
}
"""For every detector the fault in `synthetic.FAULTS` that it must find."""

LENGTH = timedelta(hours=6)
END = START + DAYS * DAY
STRANGE_FROM = 45.0
MARKS_ASKED = 120
"""Of so many marks of a detector the engine counts the rows again: a query for all of them takes long to plan."""
SEVERITIES = {slug: kind.default_severity for slug, kind in load_taxonomy().types.items()}
BUDGET = Budget()
NOTHING = Watched(Model("bare", Columns("id", "ts")), {}, (), ())
SLUG = re.compile(r"[a-z][a-z0-9_]*")

every_detector = pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.name)


def planted(detector: Detector) -> Fault:
    assert detector.name in PLANTED, f"plant a fault that {detector.name} must find: a line in PLANTED"
    return FAULTS[PLANTED[detector.name]]


def seed_of(detector: Detector) -> int:
    """Each detector has a log of its own."""
    return DETECTORS.index(detector)


@dataclass(frozen=True)
class Made:
    """A synthetic log in a file, scanned."""

    log: str
    scan: Scan

    def found_by(self, detector: Detector) -> DetectedIncident:
        """The one incident with a finding of a detector."""
        [found] = [each for each in self.scan.incidents if any(f.detector == detector.name for f in each.findings)]
        return found


class Bench:
    """Synthetic logs, each written, counted and scanned once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.reference = make_reference(folder)
        self.log, self.scanned, self.counted = cache(self._log), cache(self._scanned), cache(self._counted)
        self.watched = cache(self._watched)

    def _log(self, fault: Fault | None, seed: int, strange_from: float = DAYS) -> str:
        folder = self._folder / f"log{len(list(self._folder.iterdir()))}"
        folder.mkdir()
        return make_log(folder, fault, seed=seed, strange_from=strange_from)

    def _scanned(
        self,
        fault: Fault | None,
        seed: int,
        detectors: tuple[Detector, ...] = DETECTORS,
        now: datetime | None = None,
        model: Model | None = None,
    ) -> Made:
        """A log scanned for the model that has the fault, or for the one given.

        What is watched, with the surrogate that is fitted to the reference, is the same in each scan of a model.
        """
        log, model = self.log(fault, seed), model or (fault or UNEASY).model
        with (
            open_log([log], model) as decisions,
            open_log([self.reference], model) as known_good,
            pytest.MonkeyPatch.context() as patch,
        ):
            patch.setattr("andon.services.watch.watch", lambda model, _: self.watched(model))
            return Made(log, Watch(detectors, SEVERITIES).scan(Request(decisions, known_good, model, now=now)))

    def _watched(self, model: Model = MODEL) -> Watched:
        with open_log([self.reference], model) as known_good:
            return with_ripeness(watch(model, known_good), known_good, Grid(LENGTH))

    def _counted(self, detectors: tuple[Detector, ...], log: str, now: datetime = END, model: Model = MODEL) -> History:
        """What detectors see of a log at a time."""
        watched = self.watched(model)
        cubes = [cube for detector in detectors for cube in detector.cubes(watched)]
        plan = make_plan(watched, cubes, Grid(LENGTH))
        with open_log([log], model) as decisions, open_log([self.reference], model) as known_good:
            reference = known_good.summarize(plan, known_good.period().end)
            return History.of(plan, decisions.summarize(plan, now), reference, now)

    def watched_by(self, detector: Detector) -> Watched:
        """What is watched of the model of a detector's fault."""
        return self.watched(planted(detector).model)

    def seen_by(self, detector: Detector, log: str, now: datetime = END) -> History:
        """What one detector sees of a log at a time, watching the model of its fault."""
        return self.counted((detector,), log, now, planted(detector).model)


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("synthetic"))


# --- what it says about itself


def test_detectors_have_names_of_their_own() -> None:
    names = [detector.name for detector in DETECTORS]
    assert len(names) == len(set(names)) > 0


@every_detector
def test_it_is_described(detector: Detector) -> None:
    assert SLUG.fullmatch(detector.name)
    assert SLUG.fullmatch(detector.statistic)
    assert isinstance(detector.layer, Layer)
    for text in (detector.description, detector.blind_to, detector.threshold_source):
        assert len(text.split()) >= 2
        assert text == text.strip()


@every_detector
def test_it_has_a_share_of_the_alarm_budget(detector: Detector) -> None:
    assert 0 < detector.weight < float("inf")


@every_detector
def test_a_fault_is_planted_that_it_must_find(detector: Detector) -> None:
    assert planted(detector).type in SEVERITIES


# --- what it may see


@every_detector
def test_it_asks_for_counts_that_the_plan_can_make(detector: Detector, bench: Bench) -> None:
    cubes = detector.cubes(bench.watched_by(detector))
    plan = make_plan(bench.watched_by(detector), cubes, Grid(LENGTH))
    assert cubes
    assert set(cubes) <= set(plan.cubes)
    assert all(np.prod(plan.shape(cube)) > 0 for cube in cubes)
    assert detector.cubes(bench.watched_by(detector)) == cubes, "the same question every time"


@every_detector
def test_it_takes_what_is_watched_and_the_counts_and_nothing_else(detector: Detector) -> None:
    hints = get_type_hints(detector.series)
    assert list(inspect.signature(detector.cubes).parameters) == ["watched"]
    assert list(inspect.signature(detector.series).parameters) == ["watched", "history"]
    assert (hints["watched"], hints["history"]) == (Watched, History)


def test_what_a_detector_is_given_holds_no_rows_no_table_and_no_connection(bench: Bench) -> None:
    history = bench.counted(DETECTORS, bench.log(FAULTS["income_null"], 0))
    parts = {*reached(bench.watched()), *reached(history)}
    rooms = (
        "andon.base",
        "andon.detect",
        "andon.inventory",
        "andon.telemetry",
        "builtins",
        "datetime",
        "numpy",
        "sklearn",
    )
    assert {part for part in parts if not part.__module__.startswith(rooms)} == set()
    assert np.ndarray in parts, "the walk went down to the counts"


def reached(value: object) -> Iterator[type]:
    """The types of a value and of all that it holds."""
    yield type(value)
    parts: Sequence[object] = ()
    if is_dataclass(value):
        parts = [getattr(value, field.name) for field in fields(value)]
    elif isinstance(value, Mapping):
        parts = [*value, *value.values()]
    elif isinstance(value, tuple | list | set):
        parts = [*value]
    for part in parts:
        yield from reached(part)


def test_detectors_load_without_an_engine() -> None:
    program = "import sys, andon.detect.registry; print({'duckdb', 'pyarrow', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "set()"


# --- what it yields


@every_detector
def test_an_empty_history_is_no_reason_to_fall_over(detector: Detector, bench: Bench) -> None:
    plan = make_plan(bench.watched_by(detector), detector.cubes(bench.watched_by(detector)), Grid(LENGTH))
    known = bench.seen_by(detector, bench.log(None, seed_of(detector))).reference
    for reference in (known, Summary.empty(plan)):
        history = History.of(plan, Summary.empty(plan), reference, END)
        assert all(family.log.count.size == 0 for family in detector.series(bench.watched_by(detector), history))
        assert search(bench.watched_by(detector), history, [detector], Budget()) == []


@every_detector
def test_a_model_of_which_nothing_is_declared_gives_it_nothing_to_do(detector: Detector) -> None:
    plan = make_plan(NOTHING, detector.cubes(NOTHING), Grid(LENGTH))
    history = History.of(plan, Summary.empty(plan), Summary.empty(plan), END)
    assert [family for family in detector.series(NOTHING, history) if family.marks] == []


@every_detector
def test_its_families_fit_together(detector: Detector, bench: Bench) -> None:
    history = bench.seen_by(detector, bench.log(planted(detector), seed_of(detector)))
    families = list(detector.series(bench.watched_by(detector), history))
    assert sum(len(family.marks) for family in families) > 0
    for family in families:
        sides = [(family.log, len(history.buckets)), (family.reference, len(history.reference_buckets))]
        sides += [(side, len(family.log.count[0])) for side in (family.rest,) if side is not None]
        for side, buckets in sides:
            assert side.count.shape == side.total.shape == (len(family.marks), buckets)
            assert ((side.count >= 0) & (side.count <= side.total)).all()
        assert (family.rest is None) == (family.reference_rest is None)
        assert family.rest is not None or {mark.slice for mark in family.marks} == {None}, "a slice has a rest"
        assert len({(mark.what, mark.slice) for mark in family.marks}) == len(family.marks), "no mark twice"


@every_detector
def test_a_mark_counts_the_rows_that_its_predicate_names(detector: Detector, bench: Bench) -> None:
    log = bench.log(planted(detector), seed_of(detector))
    history = bench.seen_by(detector, log)
    watched, over = bench.watched_by(detector), history.evaluation(-1).replace(tzinfo=None)
    known = _known(detector, watched, over)
    counted = {
        _named(mark, known if family.late else "true"): int(family.log.count[row].sum())
        for family in detector.series(watched, history)
        for row, mark in enumerate(family.marks)
        if mark.predicate is not None
    }
    counted = dict(list(counted.items())[:: 1 + len(counted) // MARKS_ASKED])
    if not counted:
        pytest.skip("no column shows its marks")
    columns = ", ".join(f"count(*) filter (where {each})" for each in counted)
    [asked] = duckdb.execute(f"select {columns} from '{log}' where ts < '{over}'").fetchall()
    assert dict(zip(counted, asked, strict=True)) == counted


def _known(detector: Detector, watched: Watched, over: datetime) -> str:
    """Which labels count: those that came, or those that came until the age at which decisions are judged."""
    if not isinstance(detector, CohortError) or watched.ripeness is None:
        return f"label_ts < '{over}'"
    bucket = f"time_bucket(interval '{LENGTH}', {{}})"
    judged = f"{bucket.format('ts')} + {watched.ripeness.age} * interval '{LENGTH}'"
    return f"{bucket.format('label_ts')} <= {judged} and {judged} < '{over}'"


def _named(mark: Mark, known: str) -> str:
    return f"({mark.predicate}) and ({'true' if mark.slice is None else mark.slice.predicate}) and {known}"


# --- it never looks ahead


@pytest.mark.parametrize("early", [True, False], ids=["soon", "much later"])
@every_detector
def test_what_it_finds_by_a_time_does_not_depend_on_what_comes_later(
    detector: Detector,
    early: bool,  # noqa: FBT001
    bench: Bench,
) -> None:
    log = bench.log(planted(detector), seed_of(detector), STRANGE_FROM)
    now = planted(detector).started_at + planted(detector).days * DAY if early else START + STRANGE_FROM * DAY
    then, later = (search_in(detector, log, bench, at) for at in (now, END))
    known = {key: hit for key, hit in later.items() if key.at <= now}
    assert then, "the fault has begun"
    assert then.keys() == known.keys()
    for key, hit in then.items():
        assert (hit.z, hit.effect, hit.error) == pytest.approx((known[key].z, known[key].effect, known[key].error))


@every_detector
def test_what_it_makes_of_a_mark_does_not_depend_on_what_comes_later(detector: Detector, bench: Bench) -> None:
    """The same law for every number of every mark, also of those that found nothing, in a log that was never calm."""
    log = bench.log(UNEASY, 0, STRANGE_FROM)
    then, later = (numbers_in(detector, log, bench, now) for now in (START + STRANGE_FROM * DAY, END))
    assert then
    assert then.keys() <= later.keys()
    for key, z in then.items():
        np.testing.assert_allclose(later[key][: len(z)], z, rtol=1e-9, err_msg=str(key))


def numbers_in(detector: Detector, log: str, bench: Bench, now: datetime) -> dict[tuple[object, ...], np.ndarray]:
    """|z| of every mark by window length, at every evaluation."""
    history = bench.seen_by(detector, log, now)
    return {
        (mark.what, mark.slice, tested.window): tested.z[row]
        for family in detector.series(bench.watched_by(detector), history)
        for tested in jumps(family, windows=(1, 8, 64))
        for row, mark in enumerate(family.marks)
    }


def test_a_new_value_keeps_its_name_when_a_later_one_falls_into_its_cell(bench: Bench) -> None:
    same_cell = next(text for n in range(10_000) if unseen_cell(text := f"a{n}", 64) == unseen_cell("leasing", 64))

    def one_more_at_the_end(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
        rows["product"][mask] = "leasing"
        rows["product"][-1] = same_cell

    fault = replace(FAULTS["new_product"], inputs=one_more_at_the_end)
    made = bench.scanned(fault, 3)
    [found] = made.scan.incidents
    assert f1(made.log, found.affected.predicate, fault.affected) >= 0.9


class Place(NamedTuple):
    """When and where a hit was: what makes it the same hit."""

    at: datetime
    what: str
    slice: Slice | None
    window: int
    threshold: float


def search_in(detector: Detector, log: str, bench: Bench, now: datetime) -> dict[Place, Hit]:
    history = bench.seen_by(detector, log, now)
    found = search(bench.watched_by(detector), history, [detector], Budget())
    return {
        Place(history.evaluation(hit.t), hit.stream.mark.what, hit.stream.mark.slice, hit.window, hit.threshold): hit
        for hit in found
    }


# --- it finds its fault, and is silent without it


@every_detector
def test_its_fault_is_one_incident_of_the_right_type(detector: Detector, bench: Bench) -> None:
    made = bench.scanned(planted(detector), seed_of(detector))
    assert [each.incident_type for each in made.scan.incidents] == [planted(detector).type]
    assert made.found_by(detector) is made.scan.incidents[0]


@every_detector
def test_its_fault_is_dated_within_two_evaluations(detector: Detector, bench: Bench) -> None:
    made, fault = bench.scanned(planted(detector), seed_of(detector)), planted(detector)
    found = made.found_by(detector)
    assert abs(found.started_at - fault.started_at) <= 2 * made.scan.evaluation
    within = made.scan.evaluation
    assert found.started_at_low - within <= fault.started_at <= found.started_at_high + within
    assert (found.ended_at is None) == (fault.end is None)
    assert found.detected_at - fault.started_at <= fault.days * DAY


@every_detector
def test_its_fault_is_put_where_it_was_planted(detector: Detector, bench: Bench) -> None:
    made, fault = bench.scanned(planted(detector), seed_of(detector)), planted(detector)
    found = made.found_by(detector)
    assert (found.slice is None) == (fault.slice is None)
    if found.slice is not None and fault.slice is not None:
        assert f1(made.log, found.slice.predicate, fault.slice) >= (0.95 if ">=" in fault.slice else 1)


@every_detector
def test_the_rows_that_its_fault_affected_are_named(detector: Detector, bench: Bench) -> None:
    made, fault = bench.scanned(planted(detector), seed_of(detector)), planted(detector)
    affected = made.found_by(detector).affected
    assert f1(made.log, affected.predicate, fault.affected) >= 0.9
    assert affected.low <= affected.count <= affected.high


@every_detector
def test_it_finds_its_fault_without_the_others(detector: Detector, bench: Bench) -> None:
    alone = bench.scanned(planted(detector), seed_of(detector), (detector,))
    found = alone.found_by(detector)
    assert timedelta(0) < found.detected_at - planted(detector).started_at <= planted(detector).days * DAY


@every_detector
def test_the_same_log_without_the_fault_is_silent(detector: Detector, bench: Bench) -> None:
    assert bench.scanned(None, seed_of(detector), model=planted(detector).model).scan.incidents == ()


def test_thresholds_follow_from_the_alarm_budget_of_the_model(bench: Bench) -> None:
    """A stricter budget asks for more standard errors of the same finding."""
    limits = []
    for accepted in (1000.0, 1e-9):
        model = replace(MODEL, false_incidents_per_quarter=accepted)
        [found] = bench.scanned(FAULTS["income_halves_in_the_south"], 7, model=model).scan.incidents
        limits.append(max(finding.threshold for finding in found.findings))
    assert limits[0] < limits[1]


@pytest.mark.parametrize("name", ["changed_decisions", "shifted_score"])
def test_slices_that_nobody_declared_spend_a_smaller_share_of_the_budget(name: str, bench: Bench) -> None:
    detector = next(each for each in DETECTORS if each.name == name)
    watched, history = bench.watched_by(detector), bench.seen_by(detector, bench.log(planted(detector), 0))
    opening = {declared: least for declared, (_, least) in limits(watched, history.plan, detector, BUDGET, 1.0).items()}
    alone = replace(watched, found=(), cuts=())
    [declared_alone, _] = limits(alone, history.plan, detector, BUDGET, 1.0).values()
    assert declared_alone[1] < opening[True] < opening[False], "three quarters for what is declared, a quarter for more"
    families = list(detector.series(watched, history))
    assert {family.declared for family in families} == {True, False}
    for family in families:
        columns = {column for mark in family.marks if mark.slice for column in mark.slice.columns} - {"model_version"}
        assert columns <= set(watched.slices) if family.declared else columns.isdisjoint(watched.slices)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", BENIGN_RELEASES)
def test_a_new_version_that_is_no_worse_for_anybody_is_no_incident(name: str, seed: int, bench: Bench) -> None:
    assert bench.scanned(BENIGN_RELEASES[name], seed).scan.incidents == ()


def test_a_release_that_no_incident_names_is_remarked_on_with_the_time_of_its_first_row(bench: Bench) -> None:
    made = bench.scanned(BENIGN_RELEASES[min(BENIGN_RELEASES)], 0)
    asked = "select model_version, min(ts) from read_parquet(?) group by 1 having min(ts) > ? order by 2"
    rows = duckdb.execute(asked, [made.log, START + timedelta(hours=1)]).fetchall()
    firsts = [(name, first.replace(tzinfo=UTC)) for name, first in rows]
    assert [name for name, _ in firsts] == ["1.1.0", "2.0.0"]
    assert [(note.text, note.at) for note in made.scan.notes] == [
        (f"version {name} first seen in the log", first) for name, first in firsts
    ]
    assert made.scan.versions == dict(firsts)


def test_where_no_entity_is_declared_no_previous_row_is_looked_at(bench: Bench) -> None:
    asked = {cube for detector in DETECTORS for cube in detector.cubes(bench.watched())}
    assert bench.watched().repeats == ()
    assert not {name for cube in asked for name in cube.columns if name.startswith("repeat")}


def test_labels_that_take_twice_as_long_are_no_incident(bench: Bench) -> None:
    def slower(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
        rows["label_ts"][mask] += rows["label_ts"][mask] - rows["ts"][mask]

    assert bench.scanned(Fault("", outputs=slower, start=5.3), 0).scan.incidents == ()


def test_labels_of_which_more_arrive_than_before_are_no_incident(bench: Bench) -> None:
    def half_unlabelled_before(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
        rows["label"][~mask & (rng.random(len(mask)) < 0.5)] = np.ma.masked

    assert bench.scanned(Fault("", outputs=half_unlabelled_before, start=5.3), 0).scan.incidents == ()


def test_examples_of_labels_that_stopped_have_none(bench: Bench) -> None:
    made = bench.scanned(FAULTS["labels_stop"], 7)
    [found] = made.scan.incidents
    shown = [entry for finding in found.findings for entry in finding.entries]
    [(labelled,)] = duckdb.execute(f"select count(label) from '{made.log}' where id in ?", [shown]).fetchall()
    assert (len(shown) > 0, labelled) == (True, 0)


def test_a_canary_that_is_to_blame_is_named_while_the_old_version_goes_on(bench: Bench) -> None:
    [found] = bench.scanned(FAULTS["elders_declined_by_a_canary"], 7).scan.incidents
    assert found.changed.version == "2.0.0"
    assert "model_version = '2.0.0'" in found.affected.predicate


def test_a_version_that_is_to_blame_is_named(bench: Bench) -> None:
    scan = bench.scanned(FAULTS["elders_declined_by_a_new_version"], 7).scan
    [found] = scan.incidents
    assert found.changed.version == "2.0.0"
    assert "2.0.0" in scan.versions
    assert not any("2.0.0" in note.text for note in scan.notes)


every_fault = pytest.mark.parametrize("name", FAULTS)


@every_fault
def test_every_fault_that_can_be_planted_is_found_once(name: str, bench: Bench) -> None:
    fault = FAULTS[name]
    made = bench.scanned(fault, 7)
    [found] = made.scan.incidents
    assert found.detected_at > fault.started_at
    assert f1(made.log, found.affected.predicate, fault.affected) >= 0.9


@every_fault
def test_every_fault_that_can_be_planted_has_its_type(name: str, bench: Bench) -> None:
    assert [each.incident_type for each in bench.scanned(FAULTS[name], 7).scan.incidents] == [FAULTS[name].type]


@every_fault
def test_what_was_told_at_detection_is_not_taken_back(name: str, bench: Bench) -> None:
    [later] = bench.scanned(FAULTS[name], 7).scan.incidents
    [then] = bench.scanned(FAULTS[name], 7, DETECTORS, later.detected_at).scan.incidents
    assert (then.incident_type, then.detected_at) == (later.incident_type, later.detected_at)


def test_a_season_of_the_rest_does_not_hide_where(bench: Bench) -> None:
    [found] = bench.scanned(IN_A_SEASON, 2).scan.incidents
    assert found.incident_type == IN_A_SEASON.type
    assert f1(bench.log(IN_A_SEASON, 2), found.affected.predicate, IN_A_SEASON.affected) > 0.95


@pytest.mark.parametrize("name", UNDECLARED)
def test_wrong_answers_are_found_by_columns_that_nobody_declared(name: str, bench: Bench) -> None:
    fault = UNDECLARED[name]
    [found] = bench.scanned(fault, 0).scan.incidents
    assert found.incident_type == fault.type
    least = 0.8 if ">=" in str(fault.slice) else 0.95  # a number is cut at twentieths
    assert f1(bench.log(fault, 0), found.affected.predicate, fault.affected) > least


@pytest.mark.parametrize("name", MEETING)
def test_harm_where_two_slices_meet_is_found_though_neither_shows_it(name: str, bench: Bench) -> None:
    [found] = bench.scanned(MEETING[name], 0).scan.incidents
    assert found.slice is not None
    assert set(found.slice.columns) == {"region", "sex"}
    assert f1(bench.log(MEETING[name], 0), found.affected.predicate, MEETING[name].affected) > 0.95


@pytest.mark.parametrize("start", [35.0, 35.05, 35.3, 35.5])
def test_a_rename_is_told_from_a_new_value_whenever_it_begins(start: float, bench: Bench) -> None:
    [found] = bench.scanned(replace(FAULTS["renamed_product"], start=start), 0).scan.incidents
    assert found.incident_type == "data_pipeline_corruption"


def test_answers_in_truth_values_are_judged_by_labels_in_numbers(bench: Bench, tmp_path: Path) -> None:
    paths: list[str] = []
    for written in (bench.log(FAULTS["labels_contradict"], 7), bench.reference):
        paths.append(f"{tmp_path}/{len(paths)}.parquet")
        rows = f"select * replace (prediction = 1 as prediction) from '{written}'"
        duckdb.execute(f"copy ({rows}) to '{paths[-1]}' (format parquet)")
    with open_log([paths[0]], MODEL) as decisions, open_log([paths[1]], MODEL) as known_good:
        scan = Watch(DETECTORS, SEVERITIES).scan(Request(decisions, known_good, MODEL))
    told = {finding.detector for each in scan.incidents for finding in each.findings}
    assert {"error_rate"} <= told <= {"error_rate", "cohort_error", "calibration"}
