"""`--labels`: outcomes of another place find their predictions, and what does not fit is told."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

import synthetic
from andon.adapters.duckdb.log import DuckDBLog, open_log
from andon.adapters.duckdb.outcomes import ALIAS, Outcomes
from andon.adapters.duckdb.place import find_place
from andon.base.errors import BadInput
from andon.bootstrap.wiring import Labels, scan_log
from andon.inventory.model import Columns, Model

LOG = "id,ts,p\n1,2026-01-01T00:00:00Z,0\n2,2026-01-02T00:00:00Z,1\n3,2026-01-03T00:00:00Z,1\n"
MODEL = Model("m", Columns("id", "ts", prediction="p"))
Run = Callable[..., tuple[int, str, str]]


def joined(folder: Path, labels: str, on: str | None = None, model: Model = MODEL) -> DuckDBLog:
    (folder / "log.csv").write_text(LOG)
    (folder / "outcomes.csv").write_text(labels)
    return open_log(str(folder / "log.csv"), model, outcomes=Outcomes(find_place(str(folder / "outcomes.csv")), on))


def test_labels_are_joined_with_their_times_and_oddities_are_told(tmp_path: Path) -> None:
    labels = (
        "id,y,known\n1,0,2026-01-05T00:00:00Z\n2,0,2026-01-01T00:00:00Z\n2,1,2026-01-09T00:00:00Z\n"
        "7,1,2026-01-09T00:00:00Z\n,1,2026-01-09T00:00:00Z\n1,,2026-01-10T00:00:00Z\n"
    )
    with joined(tmp_path, labels) as log:
        assert (log.model.columns.label, log.model.columns.label_time) == ("y", "known")
        assert log.rows() == 3
        rows = log._fetch("select id, y, cast(known as date)::varchar from andon_log order by id")
        assert rows == [("1", 0, "2026-01-05"), ("2", 1, "2026-01-09"), ("3", None, None)]
        assert dict(log.warnings).keys() == {"duplicate_labels", "labels_without_id", "labels_of_no_prediction"}
        assert "1 of 3 labels" in dict(log.warnings)["labels_of_no_prediction"]


def test_labels_before_their_prediction_are_told(tmp_path: Path) -> None:
    with joined(tmp_path, "id,y,known\n2,1,2026-01-01T00:00:00Z\n") as log:
        assert [code for code, _ in log.warnings] == ["labels_before_predictions"]


REFUSED = {
    "no id": ("case,y\n1,0\n", None, ["outcomes.csv has no column 'id'", "--on"]),
    "no such shared column": ("id,y\n1,0\n", "idd", ["no column 'idd'", "did you mean 'id'?"]),
    "two candidates": ("id,y,z\n1,0,0\n", None, ["not clear which column", "among y, z", "label_column"]),
    "no label": ("id,known\n1,2026-01-01\n", None, ["not clear which column", "label_column"]),
    "none fits": ("id,y\na,0\nb,1\n", None, ["none of the 2 labels", "--on"]),
    "times in words": ("id,y,label_ts\n1,0,soon\n", None, ["time column 'label_ts'", "'soon'", "write times as"]),
    "a header alone": ("id,y\n", None, ["outcomes.csv holds no rows", "leave out --labels"]),
    "no id in any": ("id,y\n,0\n,1\n", None, ["none of the 2 labels in", "has an id", "fill in 'id'", "--on"]),
    "no label in any": ("id,y\n1,\n2,\n", None, ["not one of the 2 rows of", "both an id and a label", "'y'"]),
    "no rows": ("", None, ["outcomes.csv is empty", "write it again"]),
}


@pytest.mark.parametrize("cause", REFUSED)
def test_labels_that_cannot_be_joined_are_refused(cause: str, tmp_path: Path) -> None:
    text, on, parts = REFUSED[cause]
    model = Model("m", Columns("id", "ts", label="y", label_time="label_ts")) if "label_ts" in text else MODEL
    with pytest.raises(BadInput) as error:
        joined(tmp_path, text, on, model)
    assert [part for part in parts if part not in str(error.value)] == [], str(error.value)


def test_a_scan_with_labels_elsewhere_finds_what_one_with_labels_inside_finds(tmp_path: Path) -> None:
    log = synthetic.make_log(tmp_path, synthetic.FAULTS["labels_contradict"])
    reference = synthetic.make_reference(tmp_path)
    inside = scan_log([log], synthetic.MODEL, reference)
    with duckdb.connect(str(tmp_path / "w.db")) as database:
        database.execute(f"create table outcomes as select id as case_id, label, label_ts from '{log}' order by id")
        database.execute(f"copy (select * exclude (label, label_ts) from '{log}') to '{tmp_path / 'bare.parquet'}'")
        database.execute(f"copy (select *, id as case_id from '{tmp_path}/bare.parquet') to '{tmp_path / 'a.parquet'}'")
        database.execute(f"copy outcomes to '{tmp_path / 'outcomes.csv'}'")
    for place in (f"duckdb:///{tmp_path}/w.db?table=outcomes", str(tmp_path / "outcomes.csv")):
        elsewhere = scan_log([str(tmp_path / "a.parquet")], synthetic.MODEL, reference, labels=Labels(place, "case_id"))
        assert [each.summary for each in elsewhere.incidents] == [each.summary for each in inside.incidents]
        assert [each.affected for each in elsewhere.incidents] == [each.affected for each in inside.incidents]
        assert "model_performance_degradation" in {each.incident_type for each in elsewhere.incidents}


def test_labels_of_a_log_that_is_its_own_reference_are_labels_of_its_predictions(tmp_path: Path) -> None:
    log = synthetic.make_log(tmp_path)
    place = str(tmp_path / "outcomes.csv")
    duckdb.execute(f"copy (select id, label, label_ts from '{log}' where label is not null) to '{place}'")
    duckdb.execute(f"copy (select * exclude (label, label_ts) from '{log}') to '{tmp_path / 'bare.parquet'}'")
    told = scan_log([str(tmp_path / "bare.parquet")], synthetic.MODEL, labels=Labels(place)).warnings
    assert "labels_of_no_prediction" not in {each.code for each in told}
    with Path(place).open("a") as file:
        file.write("nobody,1,\n")
    told = scan_log([str(tmp_path / "bare.parquet")], synthetic.MODEL, labels=Labels(place)).warnings
    assert [each.text[:5] for each in told if each.code == "labels_of_no_prediction"] == ["1 of "]


def test_on_without_labels_is_refused(andon: Run) -> None:
    code, _, err = andon("scan", "log.csv", "--model", "model.yaml", "--on", "id")
    assert code == 2
    assert "add --labels" in err


def test_on_without_a_name_is_refused(andon: Run) -> None:
    code, _, err = andon("scan", "log.csv", "--model", "model.yaml", "--labels", "outcomes.csv", "--on", "")
    assert code == 2
    assert "--on names no column, its name is empty" in err


def test_labels_of_both_places_are_told_which_count(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("id,ts,p,y\n1,2026-01-01T00:00:00Z,0,0\n")
    (tmp_path / "outcomes.csv").write_text("id,y\n1,1\n")
    outcomes = Outcomes(find_place(str(tmp_path / "outcomes.csv")))
    with open_log(str(tmp_path / "log.csv"), MODEL, outcomes=outcomes) as log:
        assert log._fetch("select y from andon_log") == [(1,)]
        told = dict(log.warnings)
        assert told.keys() == {"labels_in_both"}
        assert "the log has a column 'y' too; the labels in" in told["labels_in_both"]


def test_log_and_labels_may_be_tables_of_one_database(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "w.db")) as database:
        database.execute("create table kept as select '1' as id, timestamp '2026-01-01' as ts, 1 as p")
        database.execute("create view log as from kept; create table truth as select 1 as id, true as y")
    url = f"duckdb:///{tmp_path}/w.db?table="
    with open_log(url + "log", MODEL, outcomes=Outcomes(find_place(url + "truth", alias=ALIAS))) as log:
        assert log.profile_category("y").values == (("true", 1),)
