"""Input that once broke the scan: each is judged or refused in one sentence, and nothing is lost."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from andon.base.errors import BadInput
from andon.bootstrap.model_files import read_model
from andon.bootstrap.wiring import scan_log
from andon.incident.scan import Scan
from andon.interfaces.cli import options, output

ROWS = 1200
MODEL = "model_id: m\nid_column: id\ntime_column: ts\n"


def scanned(folder: Path, model: str, rows: int = ROWS, **columns: object) -> Scan:
    """A scan of a log of one row a minute with these columns, against its own first half as the reference."""
    rng = np.random.default_rng(1)
    table: dict[str, object] = {
        "id": [f"p{n}" for n in range(rows)],
        "ts": pa.array(1_767_225_600_000_000 + 600_000_000 * np.arange(rows), pa.timestamp("us")),
        "k": rng.choice(["a", "b"], rows),
    }
    whole = pa.table(table | columns)
    pq.write_table(whole, folder / "log.parquet")
    pq.write_table(whole.slice(0, rows // 2), folder / "reference.parquet")
    (folder / "model.yaml").write_text(MODEL + model)
    known = read_model(str(folder / "model.yaml"))
    return scan_log([str(folder / "log.parquet")], known, str(folder / "reference.parquet"))


def test_hundreds_of_classes_are_counted(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    classes = [f"class {n}" for n in range(300)]
    answers = {"y": rng.choice(classes, ROWS), "p": rng.choice(classes, ROWS)}
    model = "prediction_column: p\nlabel_column: y\nlabel_delay_days_median: 0.1\nsegments: [k]\n"
    assert scanned(tmp_path, model, **answers).rows == ROWS


def test_a_feature_may_be_named_like_a_slice(tmp_path: Path) -> None:
    model = "features: ['slice:k', k]\nsegments: [k]\n"
    assert scanned(tmp_path, model, **{"slice:k": np.arange(ROWS) % 7}).incidents == ()


def test_numbers_at_the_end_of_the_range_have_no_far_edge(tmp_path: Path) -> None:
    assert scanned(tmp_path, "features: [x]\n", x=np.full(ROWS, 1e308)).incidents == ()


def test_a_prediction_that_stops_is_an_incident(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    answers = pa.array(rng.integers(0, 2, ROWS), mask=np.arange(ROWS) >= 0.8 * ROWS)
    [found] = scanned(tmp_path, "prediction_column: p\n", p=answers).incidents
    assert found.incident_type == "data_pipeline_corruption"
    assert found.affected.count == ROWS // 5


def test_a_model_file_that_names_nothing_is_warned_about(tmp_path: Path) -> None:
    assert "nothing_watched" in {warning.code for warning in scanned(tmp_path, "").warnings}


def test_a_feature_that_is_gone_from_the_first_row_on_is_warned_about(tmp_path: Path) -> None:
    scanned(tmp_path, "features: [x]\n", x=np.arange(ROWS))
    gone = pq.read_table(tmp_path / "log.parquet").drop_columns("x").append_column("x", pa.nulls(ROWS, pa.int64()))
    pq.write_table(gone, tmp_path / "gone.parquet")
    model = read_model(str(tmp_path / "model.yaml"))
    scan = scan_log([str(tmp_path / "gone.parquet")], model, str(tmp_path / "reference.parquet"))
    assert [(warning.code, "x has no" in warning.text) for warning in scan.warnings] == [("absent_throughout", True)]


@pytest.mark.parametrize("nothing", [pa.nulls(ROWS, pa.float64()), pa.nulls(ROWS, pa.string()), np.full(ROWS, np.nan)])
def test_a_reference_that_never_has_a_feature_still_tells_what_the_model_does(nothing: object, tmp_path: Path) -> None:
    given = np.random.default_rng(4).normal(size=2 * ROWS)
    scan = scanned(
        tmp_path,
        "features: [x, n]\nprediction_column: p\n",
        rows=2 * ROWS,
        x=given,
        p=(given > 0).astype(int),
        n=pa.concat_arrays([pa.array(nothing), pa.array(nothing)]),
    )
    assert scan.incidents == ()


def test_labels_without_a_time_of_arrival_are_warned_about(tmp_path: Path) -> None:
    codes = {warning.code for warning in scanned(tmp_path, "label_column: y\n", y=np.arange(ROWS) % 2).warnings}
    assert "labels_without_arrival" in codes


@pytest.mark.parametrize(
    "text", ["changes: [{ts: 2026-02-31 10:00:00, kind: deploy, what: x}]", "x: !!int abc", "x: " + "[" * 3000]
)
def test_yaml_that_no_value_fits_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text(MODEL + text)
    with pytest.raises(BadInput, match=r"model\.yaml"):
        read_model(str(tmp_path / "model.yaml"))


@pytest.mark.parametrize(
    "refused",
    [
        lambda: options.length("999999999d", "--every"),
        lambda: options.length("9" * 5000 + "s", "--every"),
        lambda: options.length("\u0663h", "--every"),
        lambda: options.time("9999-12-31T23:59:59-14:00", "--now"),
        lambda: options.time("0001-01-01T00:00:00+14:00", "--now"),
    ],
)
def test_lengths_and_times_beyond_all_logs_are_refused(refused: Callable[[], object]) -> None:
    with pytest.raises(BadInput, match="--"):
        refused()


def test_a_length_of_several_units_is_read() -> None:
    assert options.length("1d12h", "--every") == timedelta(hours=36)


def test_the_result_never_replaces_an_input(tmp_path: Path) -> None:
    log = tmp_path / "log.parquet"
    log.write_bytes(b"PAR1")
    with pytest.raises(BadInput, match="would overwrite"):
        output.require_place(str(tmp_path / "." / "log.parquet"), [str(log)])


@pytest.mark.parametrize(
    ("name", "content"), [("log.csv", "\nid,ts\n"), ("log.csv", "id,ts\ra,b\r"), ("log[1].csv", "id,ts\n")]
)
def test_files_that_the_engine_would_stumble_over_are_refused(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    (tmp_path / "model.yaml").write_text(MODEL)
    model = read_model(str(tmp_path / "model.yaml"))
    for log in (tmp_path / name, tmp_path / ("x" * 300)):
        with pytest.raises(BadInput):
            scan_log([str(log)], model, str(tmp_path / name))
