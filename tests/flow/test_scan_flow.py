"""Scans of real logs, whole: what is found agrees with the truth, with itself, and with what was known at the time."""

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator

from andon.bootstrap.model_files import read_model
from andon.bootstrap.packs import pack
from andon.bootstrap.wiring import scan_log
from andon.incident.document import to_document
from andon.inventory.model import Model
from synthetic import f1

Document = dict[str, Any]

DATA = Path(__file__).parents[1] / "data"
SCENARIOS = sorted(folder.name for folder in DATA.iterdir() if folder.is_dir())
FOUND = ["o01_taiwan_renamed_feature", "o11_flights_region_deprioritised"]
QUIET = "o05_taiwan_control_strict"
SCHEMA = Draft202012Validator(json.loads(pack("schemas/scan.schema.json").read_text(encoding="utf-8")))

every_scenario = pytest.mark.parametrize("name", SCENARIOS)
every_found = pytest.mark.parametrize("name", FOUND)


def model_of(name: str) -> Model:
    return read_model(str(DATA / name / "model.yaml"))


def log_of(name: str) -> str:
    return str(DATA / name / "log.parquet")


def truth_of(name: str) -> Document:
    return dict(json.loads((DATA / name / "truth.json").read_text(encoding="utf-8")))


def at(text: str) -> datetime:
    """A time of the document (with its zone) or of the truth (UTC without one)."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def scan(name: str, log: str, model: Model | None = None, now: datetime | None = None) -> Document:
    scanned = scan_log([log], model or model_of(name), str(DATA / name / "reference.parquet"), now=now)
    return to_document(scanned)


@cache
def document(name: str) -> Document:
    return scan(name, log_of(name))


def only_incident(name: str) -> Document:
    [incident] = document(name)["incidents"]
    return dict(incident)


# --- what is found is what happened


@every_found
def test_the_failure_is_the_one_incident_and_has_its_type(name: str) -> None:
    assert only_incident(name)["incident_type"] == truth_of(name)["type"]


@every_found
def test_the_failure_is_dated(name: str) -> None:
    incident, truth = only_incident(name), truth_of(name)
    onset, first = at(truth["onset"]), at(truth["first_affected_ts"])
    evaluation = timedelta(seconds=document(name)["evaluation_seconds"])
    assert onset - evaluation <= at(incident["started_at"]) <= first + evaluation
    assert at(incident["started_at_low"]) <= first
    assert at(incident["started_at_high"]) >= onset
    assert abs(at(incident["ended_at"]) - at(truth["offset"])) <= 2 * evaluation


@every_found
def test_the_failure_is_found_while_it_lasts(name: str) -> None:
    incident, truth = only_incident(name), truth_of(name)
    onset, offset = at(truth["onset"]), at(truth["offset"])
    assert onset < at(incident["detected_at"]) <= onset + (offset - onset) / 4


@every_found
def test_the_rows_that_are_named_are_those_affected(name: str) -> None:
    affected = only_incident(name)["affected"]
    assert f1(log_of(name), affected["predicate"], truth_of(name)["affected_predicate"]) >= 0.99


@every_found
def test_the_part_of_the_traffic_is_the_one_concerned(name: str) -> None:
    said, true = only_incident(name)["slice"], truth_of(name)["slice"]
    assert (said is None) == (true is None)
    if true is not None:
        assert said["columns"] == list(true)
        where = " and ".join(f"{column} = '{value}'" for column, value in true.items())
        assert f1(log_of(name), said["predicate"], where) == 1


@every_found
def test_what_changed_is_named(name: str) -> None:
    changed, truth = only_incident(name)["changed"], truth_of(name)
    assert changed["features"] == [truth["changed_feature"]]
    assert at(changed["change"]["at"]) == at(truth["onset"])


def test_a_log_in_which_nothing_happened_is_silent() -> None:
    assert document(QUIET)["incidents"] == []


# --- honest replay: what was known at the time is enough, and nothing later was used


def known_at(name: str, now: datetime, folder: Path) -> tuple[str, Model]:
    """The log and the model file as they read at a time: earlier rows only, later labels and changes not yet there."""
    model, cut = model_of(name), f"timestamp '{now.replace(tzinfo=None)}'"
    label, arrival, time = model.columns.label, model.columns.label_time, model.columns.time
    known = f"case when {arrival} < {cut} then {{0}} end as {{0}}"
    hidden = ", ".join(known.format(column) for column in (label, arrival))
    rows = f"select * replace ({hidden}) from '{log_of(name)}' where {time} < {cut}"
    duckdb.execute(f"copy ({rows}) to '{folder / 'log.parquet'}' (format parquet)")
    versions = tuple(v for v in model.versions if v.deployed_at is None or v.deployed_at < now)
    changes = tuple(change for change in model.changes if change.at < now)
    return str(folder / "log.parquet"), replace(model, versions=versions, changes=changes)


@every_found
def test_what_was_known_at_detection_gives_the_same_incident(name: str, tmp_path: Path) -> None:
    whole = only_incident(name)
    now = at(whole["detected_at"])
    log, model = known_at(name, now, tmp_path)
    cut = scan(name, log, model, now)
    [incident] = cut["incidents"]
    for key in ("incident_type", "detected_at"):
        assert incident[key] == whole[key]
    assert cut["evaluation_seconds"] == document(name)["evaluation_seconds"]
    assert at(incident["started_at_low"]) <= at(whole["started_at"]) <= at(incident["started_at_high"])
    later_rows_hidden = scan(name, log_of(name), model, now)
    assert text(later_rows_hidden) == text(cut), "--now does the same to the whole log"


@every_found
def test_one_evaluation_before_detection_nothing_was_found(name: str, tmp_path: Path) -> None:
    evaluation = timedelta(seconds=document(name)["evaluation_seconds"])
    now = at(only_incident(name)["detected_at"]) - evaluation
    assert scan(name, *known_at(name, now, tmp_path), now)["incidents"] == []


# --- it is the rows that count, not their files nor their order


def text(of: Document, *without: str) -> str:
    """The document but for the time that it took."""
    return json.dumps({key: value for key, value in of.items() if key not in {"seconds", *without}})


def split(table: pa.Table, folder: Path, dice: random.Random) -> str:
    """Seven files of random rows, named at random, some in a folder below."""
    homes = [dice.randrange(7) for _ in range(table.num_rows)]
    names = dice.sample(["a", "b/c", "d", "e", "f/g", "h", "i"], 7)
    for part, name in enumerate(names):
        file = folder / f"{name}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table.filter(pa.array([home == part for home in homes])), file, row_group_size=500)
    return str(folder)


def shuffled(table: pa.Table, folder: Path, dice: random.Random) -> str:
    order = dice.sample(range(table.num_rows), table.num_rows)
    pq.write_table(table.take(order), folder / "shuffled.parquet")
    return str(folder / "shuffled.parquet")


@pytest.mark.parametrize("arranged", [split, shuffled])
def test_the_same_rows_otherwise_arranged_give_the_same_document(
    arranged: Callable[[pa.Table, Path, random.Random], str], tmp_path: Path
) -> None:
    name = FOUND[0]
    log = arranged(pq.read_table(log_of(name)), tmp_path, random.Random(7))  # noqa: S311
    assert text(scan(name, log)) == text(document(name))


def test_a_second_scan_of_the_same_file_gives_the_same_document() -> None:
    assert text(scan(QUIET, log_of(QUIET))) == text(document(QUIET))


def test_where_the_log_lies_does_not_matter(tmp_path: Path) -> None:
    name = "o10_bikes_temperature_unit"
    shutil.copy(log_of(name), tmp_path / "elsewhere.parquet")
    assert text(scan(name, str(tmp_path / "elsewhere.parquet"))) == text(document(name))


# --- the document keeps its promises


@every_scenario
def test_the_document_follows_the_published_schema(name: str) -> None:
    assert [error.message for error in SCHEMA.iter_errors(json.loads(json.dumps(document(name))))] == []


@every_scenario
def test_every_incident_begins_within_its_bounds_and_before_it_is_detected(name: str) -> None:
    for incident in document(name)["incidents"]:
        low, start, high = (at(incident[key]) for key in ("started_at_low", "started_at", "started_at_high"))
        assert low <= start <= high
        assert start <= at(incident["detected_at"])
        assert incident["ended_at"] is None or start < at(incident["ended_at"])


@every_scenario
def test_detection_stands_on_the_grid_of_evaluations(name: str) -> None:
    whole = document(name)
    for incident in whole["incidents"]:
        assert at(incident["detected_at"]).timestamp() % whole["evaluation_seconds"] == 0
        for finding in incident["findings"]:
            assert at(finding["window"]["end"]) == at(finding["at"])


@every_scenario
def test_the_affected_rows_can_be_counted_again(name: str) -> None:
    for incident in document(name)["incidents"]:
        affected = incident["affected"]
        asked = f"select count(*) from '{log_of(name)}' where {affected['predicate']}"
        assert duckdb.execute(asked).fetchall() == [(affected["count"],)]
        assert affected["low"] <= affected["count"] <= affected["high"]


@every_scenario
def test_every_finding_passed_its_threshold_and_names_rows_of_its_window(name: str) -> None:
    id_column = model_of(name).columns.id
    for finding in (finding for incident in document(name)["incidents"] for finding in incident["findings"]):
        assert abs(finding["value"]) >= finding["threshold"] * 0.999
        assert finding["low"] < finding["value"] < finding["high"]
        ids = ", ".join(f"'{entry}'" for entry in finding["entries"])
        window = " and ".join(
            f"ts {sign} '{at(finding['window'][key]).replace(tzinfo=None)}'"
            for sign, key in ((">=", "start"), ("<", "end"))
        )
        place = finding["slice"]["predicate"] if finding["slice"] else "true"
        asked = f"select count(*) from '{log_of(name)}' where {id_column} in ({ids}) and {window} and {place}"
        assert duckdb.execute(asked).fetchall() == [(len(finding["entries"]),)]
        assert finding["entries"]


@every_scenario
def test_rows_period_and_evaluations_are_those_of_the_log(name: str) -> None:
    whole, truth = document(name), truth_of(name)
    assert whole["rows"] == truth["log_rows"]
    assert at(whole["period"]["start"]) == at(truth["log_start"])
    assert at(whole["period"]["end"]) == at(truth["log_end"]) + timedelta(microseconds=1)
    length = whole["evaluation_seconds"]
    first, last = (at(whole["period"][key]).timestamp() // length for key in ("start", "end"))
    assert whole["evaluations"] == last - first
