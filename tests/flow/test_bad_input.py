"""What is wrong with a model file, an option or a log: exit 2 and one sentence, or a warning where a scan can go on."""

import gzip
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from andon.adapters.duckdb.log import open_log
from andon.adapters.zip_bundle import ZipBundle
from andon.bootstrap.model_files import read_model

Run = Callable[..., tuple[int, str, str]]
ROWS = 1200
MODEL = "model_id: m\nid_column: id\ntime_column: ts\nprediction_column: p\nfeatures: [x]\n"
TIMES = pa.array(1_767_225_600_000_000 + 600_000_000 * np.arange(ROWS), pa.timestamp("us"))


def table(**columns: Any) -> pa.Table:
    """A log of a row every ten minutes; a column given as None is left out."""
    rng = np.random.default_rng(1)
    usual = {
        "id": [f"p{n}" for n in range(ROWS)],
        "ts": TIMES,
        "x": rng.normal(size=ROWS),
        "p": rng.integers(0, 2, ROWS),
    }
    return pa.table({name: column for name, column in (usual | columns).items() if column is not None})


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with a good log, reference and model file, and an empty folder for what is spilled."""
    for name in ("work", "spill"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "spill"))
    pq.write_table(table(), "log.parquet")
    pq.write_table(table(), "reference.parquet")
    Path("model.yaml").write_text(MODEL)
    yield tmp_path / "work"
    assert list((tmp_path / "spill").iterdir()) == []


SCAN = ("scan", "log.parquet", "--model", "model.yaml", "--reference", "reference.parquet", "--json", "out.json")

MODEL_FILES: Mapping[str, tuple[str | bytes, list[str]]] = {
    "no key at all": ("", ["model.yaml holds no keys", "write `id_column"]),
    "two documents": (
        MODEL + "---\n" + MODEL,
        ["model.yaml, line 6 begins another document", "keep one model file in"],
    ),
    "a list": ("- a\n- b\n", ["model.yaml holds no keys", "write"]),
    "no YAML": ("model_id: [m\n", ["model.yaml, line", "not valid YAML", "mend that line"]),
    "not UTF-8": (
        MODEL.encode() + b"notes: caf\xe9\n",
        ["model file model.yaml", "not UTF-8 text from line 6 on", "save it as UTF-8"],
    ),
    "no id column": (
        MODEL.replace("id_column", "idcolumn"),
        ["lacks the key id_column", "did you mean it by idcolumn?"],
    ),
    "no model id": (MODEL.replace("model_id: m\n", ""), ["lacks the key model_id", "write `model_id"]),
    "a list for a name": (MODEL.replace("p\n", "[p]\n"), ["`prediction_column` in the model file is a list", "text"]),
    "text for a list": (MODEL.replace("[x]", "x"), ["`features` in the model file is 'x'", "a list"]),
    "yes for a name": (MODEL.replace("column: p", "column: yes"), ["`prediction_column`", "put it in quotes"]),
    "text for a number": (MODEL + "threshold: high\n", ["`threshold` in the model file is 'high'", "a number"]),
    "a delay below zero": (MODEL + "label_delay_days_median: -1\n", ["`label_delay_days_median`", "at least 0"]),
    "a share above one": (
        MODEL + "labelled_fraction: 20\n",
        ["`labelled_fraction` in the model file is 20", "at most 1"],
    ),
    "an unknown problem": (MODEL + "problem: ranking\n", ["`problem` in the model file is 'ranking'", "'regression'"]),
    "an unknown zone": (MODEL + "time_zone: Mars/Base\n", ["`time_zone`", "Mars/Base"]),
    "an unknown length": (MODEL + "evaluation: often\n", ["`evaluation`", "often"]),
    "a day that is none": (MODEL + "changes: [{ts: 2026-02-31 10:00:00}]\n", ["model.yaml holds a value", "mend it"]),
    "a time in words": (MODEL + "changes: [{ts: soon, kind: x}]\n", ["`changes[0].ts`", "write it like 2026-02-09"]),
    "a change before all times": (
        MODEL + "changes: [{ts: 0001-01-01T00:00:00+14:00, what: x}]\n",
        ["`changes[0].ts` in the model file is 0001-01-01 00:00:00+14:00", "outside the years", "write it like"],
    ),
    "a version after all times": (
        MODEL + 'versions: [{version: "1", deployed_at: "9999-12-31T23:59:59-14:00"}]\n',
        ["`versions[0].deployed_at` in the model file is 9999-12-31 23:59:59-14:00", "outside the years"],
    ),
    "a key twice": (
        MODEL + "id_column: other\n",
        ["model.yaml has the key id_column more than once, in lines 2 and 6", "keep one"],
    ),
    "a key twice further in": (
        MODEL + 'versions:\n  - version: "1"\n    status: a\n    status: b\n',
        ["model.yaml has the key status more than once, in lines 8 and 9"],
    ),
    "a number of base 60": (
        MODEL + "label_delay_days_median: 1:30\n",
        ["model.yaml, line 6: YAML reads 1:30 as a number of base 60", "write a decimal number"],
    ),
    "a number of thousands of digits": (
        MODEL + f"threshold: {'9' * 5000}\n",
        ["model.yaml, line 6 holds a number of 5,000 digits", "write a shorter one"],
    ),
    "no prediction there": (MODEL.replace("column: p", "column: pp"), ["no column 'pp'", "mend `prediction_column`"]),
    "no label there": (MODEL + "label_column: y\n", ["no column 'y'", "label_column: null"]),
    "no label time there": (MODEL + "label_time_column: at\n", ["no column 'at'", "label_time_column: null"]),
    "no version there": (MODEL + "version_column: v\n", ["no column 'v'", "mend `version_column`"]),
    "no subject there": (MODEL + "subject_column: who\n", ["no column 'who'", "mend `subject_column`"]),
}


ROLES = {
    "id": ("time", "score", "prediction", "label", "label_time", "version", "model", "latency", "status", "amount"),
    "time": ("score", "prediction", "label", "version", "model", "latency", "status", "amount", "subject"),
    "score": ("label", "label_time", "version", "model"),
    "prediction": ("label", "label_time", "version", "model"),
    "label": ("label_time", "version", "model"),
    "label_time": ("version", "model", "latency", "status", "amount", "subject"),
}


@pytest.mark.parametrize(("one", "other"), [(one, other) for one, others in ROLES.items() for other in others])
def test_one_column_of_two_roles_that_exclude_each_other(one: str, other: str, andon: Run, work: Path) -> None:
    keys = {"model_id": "m", "id_column": "id", "time_column": "ts", f"{one}_column": "x", f"{other}_column": "x"}
    Path("model.yaml").write_text(json.dumps(keys))
    parts = [
        f"the model file names x as `{one}_column` and as `{other}_column`",
        "name the column with ",
        " and the one",
    ]
    refused(andon, SCAN, parts)


@pytest.mark.parametrize(
    "more",
    [
        "score_column: p\n",
        "label_column: y\nlabel_time_column: ts\n",
        "subject_column: id\ntrace_column: id\nentity_columns: [id]\n",
        "segments: [x, p]\nprotected_attributes: [x]\n",
        "latency_column: p\nstatus_column: p\namount_column: p\n",
    ],
)
def test_one_column_of_two_roles_that_go_together(more: str, andon: Run, work: Path) -> None:
    pq.write_table(table(y=np.arange(ROWS) % 2), "log.parquet")
    pq.write_table(table(y=np.arange(ROWS) % 2), "reference.parquet")
    Path("model.yaml").write_text(MODEL + more)
    assert andon(*SCAN)[0] in (0, 1)
    assert "model_file" not in {warning["code"] for warning in json.loads(Path("out.json").read_text())["warnings"]}


@pytest.mark.parametrize("cause", MODEL_FILES)
def test_a_model_file_that_cannot_be_used(cause: str, andon: Run, work: Path) -> None:
    content, parts = MODEL_FILES[cause]
    Path("model.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    refused(andon, SCAN, parts)


def test_a_model_file_that_is_no_file(andon: Run, work: Path) -> None:
    os.mkfifo(work.parent / "pipe")
    for path in ("/dev/zero", str(work.parent / "pipe")):
        refused(andon, (*SCAN, "--model", path), [f"model file {path} is no file but a device or a pipe", "write its"])
    refused(andon, (*SCAN, "--model", str(work.parent)), ["is a folder", "name the model.yaml in it"])


def test_a_model_file_may_be_of_one_mebibyte(andon: Run, work: Path) -> None:
    Path("model.yaml").write_text(MODEL + "#" * ((1 << 20) - len(MODEL)))
    assert andon(*SCAN)[0] in (0, 1)
    Path("out.json").unlink()
    with Path("model.yaml").open("a") as file:
        file.write("#")
    refused(andon, SCAN, ["model file model.yaml is larger than 1 MiB", "name the model.yaml with --model"])


OPTIONS: Mapping[str, tuple[tuple[str, ...], list[str]]] = {
    "no model file": (("--model", "modell.yaml"), ["no model file modell.yaml", "name the model.yaml"]),
    "no length": (("--every", "often"), ["--every often is no length", "such as 6h"]),
    "no time of it": (("--every", "0h"), ["--every 0h is no time at all", "such as 6h"]),
    "too long": (("--every", "99999999d"), ["--every 99999999d is longer than any log"]),
    "no time": (("--now", "yesterday"), ["--now yesterday is no time", "2026-02-09T06:00:00Z"]),
    "before all": (("--now", "2025-01-01"), ["nothing was decided before --now 2025-01-01", "the log starts at"]),
    "no folder": (("--json", "far/out.json"), ["cannot write far/out.json", "there is no folder far"]),
    "a name too long": (("--html", "x" * 300), ["cannot write xxx", "…: File name too long", "name another file"]),
    "an output without a name": (("--json", ""), ["--json names no file", "its name is empty"]),
    "two outputs without a name": (("--json", "", "--html", ""), ["--json names no file", "its name is empty"]),
    "below a file": (("--json", "log.parquet/out.json"), ["cannot write log.parquet/out.json: Not a directory"]),
    "over the log": (("--json", "log.parquet"), ["would overwrite log.parquet", "name another file"]),
    "no reference": (("--reference", "ref.parquet"), ["there is no file ref.parquet"]),
    "an empty reference": (("--reference", ""), ["the log's name is empty", "name a file"]),
    "an unknown key": (("--strict",), ["unknown key segment", "did you mean segments?"]),
    "no labels": (("--labels", "outcomes.csv"), ["there is no file outcomes.csv", "check the path"]),
}


@pytest.mark.parametrize("cause", OPTIONS)
def test_an_option_that_cannot_be_used(cause: str, andon: Run, work: Path) -> None:
    words, parts = OPTIONS[cause]
    if cause == "an unknown key":
        Path("model.yaml").write_text(MODEL + "segment: [x]\n")
    refused(andon, (*SCAN, *words), parts)


@pytest.mark.parametrize("option", ["--json", "--html", "--pin"])
def test_an_output_may_have_the_longest_name_there_is(option: str, andon: Run, work: Path) -> None:
    for name in ("o" * 255, "ü" * 127):
        code, _, err = andon(*SCAN[:-2], option, name)
        assert (code, err) == (0, "")
        assert Path(name).stat().st_size > 0
        Path(name).unlink()
    assert len(list(work.iterdir())) == 3


@pytest.mark.skipif(not Path("/proc/kmsg").exists(), reason="this system shows no such files")
@pytest.mark.parametrize("path", ["/proc/kmsg", "/proc/version", "/proc/self/mem", "/sys/kernel/profiling"])
def test_what_the_kernel_shows_as_files_is_no_log(path: str, andon: Run, work: Path) -> None:
    said = [f"{path} is no file but a device or a pipe", "write its content to a file first"]
    if not Path(path).exists():
        pytest.skip("this kernel does not show it")
    refused(andon, ("scan", path, *SCAN[2:]), said)
    for option in ("--reference", "--labels", "--model"):
        refused(andon, (*SCAN, option, path), said)
    refused(andon, ("init", path, "-o", "-"), said)


def test_a_pin_never_takes_the_place_of_a_pipe_or_a_device(andon: Run, work: Path) -> None:
    pipe = work.parent / "pipe"
    os.mkfifo(pipe)
    refused(andon, (*SCAN, "--pin", str(pipe)), [f"--pin {pipe} is a device or a pipe", "name a file"])
    assert pipe.is_fifo()
    with pytest.raises(OSError, match="a device or a pipe"), ZipBundle(pipe):
        pass
    assert pipe.is_fifo()


def test_an_output_whose_name_goes_in_circles(andon: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a").symlink_to("b")
    Path("b").symlink_to("a")
    code, _, err = andon("scan", "log.parquet", "--json", "a", "--html", "b")
    assert code == 2
    assert "cannot write a: Too many levels of symbolic links; name another file" in err


@pytest.mark.parametrize(("name", "said"), [("x" * 300, "File name too long"), ("", "-o names no file")])
def test_a_proposal_whose_place_has_no_good_name(name: str, said: str, andon: Run, work: Path) -> None:
    refused(andon, ("init", "log.parquet", "-o", name), [said])


REFERENCES: Mapping[str, tuple[Callable[[], object], list[str]]] = {
    "cut short": (
        lambda: Path("reference.parquet").write_bytes(Path("log.parquet").read_bytes()[:500]),
        ["reference.parquet is cut short", "write it again"],
    ),
    "no data": (lambda: Path("reference.parquet").write_text("id,ts\n"), ["reference.parquet", "Parquet"]),
    "no rows": (
        lambda: pq.write_table(table().slice(0, 0), "reference.parquet"),
        ["reference.parquet holds no rows", "name a log with at least one"],
    ),
    "no times": (
        lambda: pq.write_table(table(ts=None), "reference.parquet"),
        ["reference.parquet has no column 'ts'", "mend the model file"],
    ),
    "no ids": (
        lambda: pq.write_table(table(id=None), "reference.parquet"),
        ["reference.parquet has no column 'id'", "mend the model file"],
    ),
}


@pytest.mark.parametrize("cause", REFERENCES)
def test_a_reference_that_cannot_be_used(cause: str, andon: Run, work: Path) -> None:
    make, parts = REFERENCES[cause]
    make()
    refused(andon, SCAN, parts)


def refused(andon: Run, words: tuple[str, ...], parts: list[str]) -> None:
    """Exit 2, one line with what, where and how to mend it, and not one file more than before."""
    before = {path: path.read_bytes() for path in Path().iterdir()}
    code, out, err = andon(*words)
    assert (code, out) == (2, "")
    lines = [line for line in err.splitlines() if line.startswith("andon: ")]
    assert len(lines) == 1
    assert [part for part in parts if part not in lines[0]] == [], lines[0]
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


HOSTILE = "x\"; drop table log; --\n\x1b[31m' or 1=1"
GOES_ON: Mapping[str, tuple[dict[str, Any], str, str | None]] = {
    "an all-null feature": ({"x": pa.nulls(ROWS, pa.float64())}, "", "absent_throughout"),
    "a feature that is gone": ({"x": None}, "", "model_file"),
    "NaN": ({"x": np.full(ROWS, np.nan)}, "", "absent_throughout"),
    "infinity here and there": ({"x": np.where(np.arange(ROWS) % 7, 0.5, np.inf)}, "", None),
    "a constant feature": ({"x": np.full(ROWS, 7.0)}, "", "unlike_reference"),
    "a feature that is nearly never there": ({"x": [0.5, *[None] * (ROWS - 1)]}, "", "unlike_reference"),
    "a column of another type": ({"x": [f"word {n % 3}" for n in range(ROWS)]}, "", "type_differs"),
    "a category per row": ({"x": [f"word {n}" for n in range(ROWS)]}, "", "type_differs"),
    "cells of 10 MB": ({"note": ["y" * 10_000_000, *[""] * (ROWS - 1)]}, "segments: [note]\n", None),
    "hostile values": ({"k": [HOSTILE, "b"] * (ROWS // 2)}, "segments: [k]\n", None),
    "a hostile column name": ({HOSTILE: ["a", "b"] * (ROWS // 2)}, f"segments: [{json.dumps(HOSTILE)}]\n", None),
    "ids twice": ({"id": ["p1"] * ROWS}, "", "duplicate_ids"),
    "ids of nobody": ({"id": pa.nulls(ROWS, pa.string())}, "", "missing_ids"),
    "rows in no order": ({"ts": TIMES.take(pa.array(np.random.default_rng(2).permutation(ROWS)))}, "", None),
    "labels without a time": ({"y": np.arange(ROWS) % 2}, "label_column: y\n", "labels_without_arrival"),
    "labels before predictions": (
        {"y": np.arange(ROWS) % 2, "at": TIMES.take(pa.array([0] * ROWS))},
        "label_column: y\nlabel_time_column: at\n",
        "labels_before_predictions",
    ),
    "outcomes in the log only": (
        {"y": np.arange(ROWS) % 2},
        "label_column: y\nlabel_delay_days_median: 0\n",
        "reference_unlabelled",
    ),
    "outcomes that are all null": (
        {"y": pa.nulls(ROWS, pa.int64())},
        "label_column: y\nlabel_delay_days_median: 0\n",
        "no_label_arrived",
    ),
    "outcomes that come after the end": (
        {"y": np.arange(ROWS) % 2},
        "label_column: y\nlabel_delay_days_median: 36500\n",
        "no_label_arrived",
    ),
    "a segment in the log only": ({"k": ["a", "b"] * (ROWS // 2)}, "segments: [k]\n", "reference_lacks"),
    "times as numbers": ({"ts": 1_767_225_600 + 600 * np.arange(ROWS)}, "", "epoch_times"),
    "an unknown key": ({}, "segment: [x]\n", "model_file"),
    "a version as a number": ({}, "known_good_version: 1.10\n", "model_file"),
}


@pytest.mark.parametrize("cause", GOES_ON)
def test_a_scan_goes_on_and_tells(cause: str, andon: Run, work: Path) -> None:
    columns, model, warned = GOES_ON[cause]
    pq.write_table(table(**columns), "log.parquet")
    if cause == "cells of 10 MB" or "hostile" in cause or "label" in cause:
        pq.write_table(table(**columns), "reference.parquet")
    if "outcomes that" in cause:
        pq.write_table(table(y=np.arange(ROWS) % 2), "reference.parquet")
    Path("model.yaml").write_text(MODEL + model)
    code, out, err = andon(*SCAN)
    assert code in (0, 1), err
    document = json.loads(Path("out.json").read_text())
    assert document["rows"] == ROWS
    codes = [warning["code"] for warning in document["warnings"]]
    assert warned is None or warned in codes
    assert "\x1b[31m" not in out + err
    assert sorted(path.name for path in work.iterdir()) == [
        "log.parquet",
        "model.yaml",
        "out.json",
        "reference.parquet",
    ]


NUMBERS_KEPT_AS_TEXT: Mapping[str, tuple[Callable[[int], str], bool]] = {
    "measures": (lambda n: f"{n * 1.37:.2f}", True),
    "measures of few values": (lambda n: f"{n % 60 / 4:.2f}", True),
    "large amounts": (lambda n: f"-{n}", True),
    "codes with leading zeros": (lambda n: f"{n:06}", False),
    "codes of few values": (lambda n: f"{n % 60}", False),
    "grades": (lambda n: f"{n % 9 / 2}", False),
    "names among numbers": (lambda n: f"{n * 1.37:.2f}" if n % 9 else "none", False),
}


@pytest.mark.parametrize("cause", NUMBERS_KEPT_AS_TEXT)
def test_numbers_that_log_and_reference_keep_as_text_are_told(cause: str, andon: Run, work: Path) -> None:
    text, is_told = NUMBERS_KEPT_AS_TEXT[cause]
    for name in ("log", "reference"):
        pq.write_table(table(x=[text(n) for n in range(ROWS)]), f"{name}.parquet")
    code, _, err = andon(*SCAN)
    assert code in (0, 1), err
    told = {warning["code"]: warning["text"] for warning in json.loads(Path("out.json").read_text())["warnings"]}
    assert ("numbers_as_text" in told) is is_told
    assert told.get("numbers_as_text", "x: ").startswith("x: ")


THIN_REFERENCES: Mapping[str, Callable[[], pa.Table]] = {
    "one row": lambda: table().slice(0, 1),
    "an all-null feature": lambda: table(x=pa.nulls(ROWS, pa.float64())),
    "a constant feature": lambda: table(x=np.full(ROWS, 7.0)),
    "NaN and infinity": lambda: table(x=np.where(np.arange(ROWS) % 2, np.nan, -np.inf)),
    "a feature that is not there": lambda: table(x=None),
    "one answer": lambda: table(p=np.zeros(ROWS, dtype=np.int64)),
}


@pytest.mark.parametrize("cause", THIN_REFERENCES)
def test_a_reference_that_tells_little_is_judged_by_what_it_tells(cause: str, andon: Run, work: Path) -> None:
    pq.write_table(THIN_REFERENCES[cause](), "reference.parquet")
    code, _, err = andon(*SCAN)
    assert code in (0, 1), err
    document = json.loads(Path("out.json").read_text())
    assert document["rows"] == ROWS
    told = {"one row": "reference_small", "a feature that is not there": "reference_lacks"}.get(cause)
    assert told is None or told in {warning["code"] for warning in document["warnings"]}


def test_a_window_that_is_never_over_is_told(andon: Run, work: Path) -> None:
    code, _, _ = andon(*SCAN, "--every", "90d")
    document = json.loads(Path("out.json").read_text())
    assert (code, document["incidents"]) == (0, [])
    [text] = [warning["text"] for warning in document["warnings"] if warning["code"] == "no_evaluation"]
    assert "give a shorter one with --every" in text


def test_windows_without_rows_are_no_failure(andon: Run, work: Path) -> None:
    hour = np.arange(ROWS) // 6 % 24
    pq.write_table(table().filter(pa.array((hour > 4) & (np.arange(ROWS) % 900 > 150))), "log.parquet")
    code, _, err = andon(*SCAN, "--every", "1h")
    assert (code, json.loads(Path("out.json").read_text())["incidents"]) == (0, []), err


@pytest.mark.parametrize("rows", [1, 2, 19])
def test_a_log_of_few_rows_is_told_to_be_short(rows: int, andon: Run, work: Path) -> None:
    pq.write_table(table().slice(0, rows), "log.parquet")
    code, _, _ = andon(*SCAN)
    document = json.loads(Path("out.json").read_text())
    assert (code, document["rows"], document["incidents"]) == (0, rows, [])


def test_a_million_categories_are_counted(andon: Run, work: Path) -> None:
    rows = 1_000_000
    many = pa.table(
        {
            "id": np.arange(rows),
            "ts": pa.array(1_767_225_600_000_000 + 1_000_000 * np.arange(rows), pa.timestamp("us")),
            "x": np.char.add("word ", np.arange(rows).astype("U7")),
            "p": np.arange(rows) % 2,
        }
    )
    for name in ("log", "reference"):
        pq.write_table(many, f"{name}.parquet")
    code, _, err = andon(*SCAN, "--every", "1d")
    assert code == 0, err


def test_no_room_for_spilling_is_said(andon: Run, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("andon.adapters.duckdb.connection.MEMORY_LIMIT", "20MB")
    monkeypatch.setattr(tempfile, "tempdir", "/proc/nowhere")
    rows = 300_000
    wide = {f"t{n}": np.char.add(f"text {n} ", np.arange(rows).astype("U7")) for n in range(6)}
    many = pa.table({"id": np.arange(rows), "ts": pa.array(np.arange(rows), pa.timestamp("us")), **wide})
    pq.write_table(many, "log.parquet")
    pq.write_table(many, "reference.parquet")
    Path("model.yaml").write_text("model_id: m\nid_column: id\ntime_column: ts\nsegments: [t1]\nfeatures: [t2]\n")
    refused(andon, SCAN, ["more memory or temporary disk space", "free some space in /proc/nowhere"])
    monkeypatch.undo()


NUMBERS = np.arange(ROWS)
NEW = np.where(NUMBERS < ROWS // 2, "old", np.char.add("new ", (NUMBERS // 40).astype("U5")))
VERSIONS: Mapping[str, tuple[Any, Any, list[tuple[str, str]]]] = {
    "one new": (np.where(NUMBERS < ROWS // 2, "old", "new"), ["old"] * ROWS, []),
    "fifteen new": (
        NEW,
        ["old"] * ROWS,
        [("versions_many", "12 versions and at least 3 more in v came while the log ran; not all versions were told")],
    ),
    "one in each row": (
        np.char.add("a", NUMBERS.astype("U5")),
        np.char.add("b", NUMBERS.astype("U5")),
        [
            ("versions_too_many", "the reference has 1,200 versions in v, of which 50 can be told apart"),
            ("versions_many", "12 versions and at least 1,"),
        ],
    ),
    "null in the log": (pa.nulls(ROWS, pa.string()), ["old"] * ROWS, [("versions_empty", "no row of the log has a")]),
    "empty in the log": ([""] * ROWS, ["old"] * ROWS, [("versions_empty", "no row of the log has a version in v")]),
    "null in the reference": (
        ["old"] * ROWS,
        pa.nulls(ROWS, pa.string()),
        [("versions_empty", "no row of the reference has a version in v")],
    ),
    "null in both": (
        pa.nulls(ROWS, pa.int64()),
        pa.nulls(ROWS, pa.int64()),
        [("versions_empty", "no row of the log and of the reference has a version in v, so no failure can be put")],
    ),
}


@pytest.mark.parametrize("cause", VERSIONS)
def test_what_hides_a_version_is_told(cause: str, andon: Run, work: Path) -> None:
    log, reference, told = VERSIONS[cause]
    pq.write_table(table(v=log), "log.parquet")
    pq.write_table(table(v=reference), "reference.parquet")
    Path("model.yaml").write_text(MODEL + "version_column: v\n")
    code, _, err = andon(*SCAN, "--html", "out.html")
    assert code in (0, 1), err
    document = json.loads(Path("out.json").read_text())
    found = [each for each in document["warnings"] if each["code"].startswith("versions")]
    assert [each["code"] for each in found] == [code for code, _ in told]
    page = Path("out.html").read_text()
    for each, (_, part) in zip(found, told, strict=True):
        assert part in each["text"]
        assert part in page


def test_versions_that_detection_counts_as_one_are_named_each(andon: Run, work: Path) -> None:
    pq.write_table(table(v=NEW), "log.parquet")
    pq.write_table(table(v=["old"] * ROWS), "reference.parquet")
    Path("model.yaml").write_text(MODEL + "version_column: v\n")
    assert andon(*SCAN, "--pin", "scan.pin")[0] == 0  # a pin is scanned again by the answers to the same questions
    notes = [each["text"] for each in json.loads(Path("out.json").read_text())["notes"]]
    assert notes == [f"version new {n} first seen in the log" for n in range(15, 27)]


OUTCOMES = {"y": NUMBERS % 2, "at": pa.array(TIMES.cast(pa.int64()).to_numpy() + 3_600_000_000, pa.timestamp("us"))}
LABELLED = MODEL + "label_column: y\nlabel_time_column: at\n"
NO_TIMES: Mapping[str, tuple[Any, str, str]] = {
    "no such column": (None, "", "no at, by which labels arrive, so their delay is not known, and errors are judged"),
    "no value in it": (pa.nulls(ROWS, pa.timestamp("us")), "", "no time in at, by which labels arrive, so their delay"),
    "no such column, but a delay": (
        None,
        "label_delay_days_median: 2\n",
        "so its labels count as known 2 days later, as the",
    ),
}


@pytest.mark.parametrize("cause", NO_TIMES)
def test_a_reference_that_does_not_say_when_labels_came_is_told(cause: str, andon: Run, work: Path) -> None:
    times, more, part = NO_TIMES[cause]
    pq.write_table(table(**OUTCOMES), "log.parquet")
    pq.write_table(table(**{**OUTCOMES, "at": times}), "reference.parquet")
    Path("model.yaml").write_text(LABELLED + more)
    assert andon(*SCAN)[0] == 0
    [text] = [each["text"] for each in warnings() if each["code"] == "reference_label_times"]
    assert part in text
    pq.write_table(table(**OUTCOMES), "reference.parquet")
    assert andon(*SCAN)[0] == 0
    assert warnings() == []


def test_a_log_that_does_not_say_when_labels_came_is_refused(andon: Run, work: Path) -> None:
    pq.write_table(table(y=NUMBERS % 2), "log.parquet")
    pq.write_table(table(**OUTCOMES), "reference.parquet")
    Path("model.yaml").write_text(LABELLED)
    refused(andon, SCAN, ["the log has no column 'at'", "`label_time_column`", "give `label_delay_days_median`"])


def warnings() -> list[dict[str, str]]:
    """What the scan warned of."""
    return list(json.loads(Path("out.json").read_text())["warnings"])


def _written(name: str, rows: pa.Table) -> str:
    if name == "csv":
        csv.write_csv(rows, "log.csv")
    else:
        pq.write_table(rows, "log.parquet")
    return f"log.{name}"


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_the_printed_query_counts_the_same_in_any_time_zone(
    kind: str, zone: str | None, andon: Run, work: Path
) -> None:
    moments = TIMES if zone is None else pa.array(TIMES.cast(pa.int64()), pa.timestamp("us", tz=zone))
    stops = pa.array(NUMBERS % 2, mask=NUMBERS >= 900)
    log = _written(kind, table(ts=moments, p=stops))
    code, out, err = andon("scan", log, *SCAN[2:])
    assert code == 1, err
    [incident] = json.loads(Path("out.json").read_text())["incidents"]
    query = next(line.strip() for line in out.splitlines() if line.strip().startswith("SELECT * FROM"))
    assert incident["affected"]["count"] > 0
    for session in ("UTC", "America/New_York", "Asia/Kolkata"):
        connection = duckdb.connect()
        connection.execute(f"set TimeZone = '{session}'")
        found = connection.execute(query.replace("SELECT *", "SELECT count(*)")).fetchall()
        assert found == [(incident["affected"]["count"],)], session


def test_text_document_and_page_tell_the_same_shares(andon: Run, work: Path) -> None:
    often = np.random.default_rng(3).random(ROWS)
    pq.write_table(table(p=np.where(NUMBERS < 903, often < 0.02, often < 0.6).astype(np.int64)), "log.parquet")
    pq.write_table(table(p=(often < 0.02).astype(np.int64)), "reference.parquet")
    Path("model.yaml").write_text(MODEL + "changes: [{ts: 2026-01-07 06:30:00, kind: deploy, what: retrained}]\n")
    code, out, err = andon(*SCAN, "--html", "out.html")
    assert code == 1, err
    [incident] = json.loads(Path("out.json").read_text())["incidents"]
    assert incident["started_at"] == "2026-01-07T06:30:00Z"
    seen = int((often[903:] >= 0.6).sum())
    said = f"in {100 * seen / (ROWS - 903):.3g}% of decisions"
    expected = incident["summary"].partition(" of decisions, ")[2].partition(";")[0]
    assert said in incident["summary"]
    assert f"{said}, {expected}; " in " ".join(out.split())
    page = re.sub(r"<[^>]*>|\s+", " ", Path("out.html").read_text())
    assert said in page
    assert f" {expected}; " in page


@pytest.mark.parametrize("unlabelled", [0, 100])
def test_how_many_decisions_were_wrong_is_told_by_the_labels(unlabelled: int, andon: Run, work: Path) -> None:
    truth = NUMBERS % 10 == 0
    answers = np.where(NUMBERS < 900, truth, NUMBERS % 2 == 0).astype(np.int64)
    labels = pa.array(truth.astype(np.int64), mask=ROWS - unlabelled <= NUMBERS)
    pq.write_table(table(p=answers, y=labels, at=TIMES), "log.parquet")
    pq.write_table(table(p=truth.astype(np.int64), y=truth.astype(np.int64), at=TIMES), "reference.parquet")
    Path("model.yaml").write_text(LABELLED)
    code, out, err = andon(*SCAN, "--html", "out.html")
    assert code == 1, err
    incident = json.loads(Path("out.json").read_text())["incidents"][0]
    labelled = incident["affected"]["count"] - unlabelled
    first = ROWS - incident["affected"]["count"]
    wrong = int((answers != truth)[first : ROWS - unlabelled].sum())
    assert incident["wrong"] == {"count": wrong, "of": labelled}
    missing = [each for each in incident["facts_missing"] if "wrong" in each]
    assert missing == ([f"how many of the {unlabelled} decisions without a label were wrong"] if unlabelled else [])
    said = f"{wrong} of the {labelled} decisions with a label"
    assert said in out
    assert said in re.sub(r"<[^>]*>|\s+", " ", Path("out.html").read_text())


OTHERS: Mapping[str, tuple[Callable[[Any], Any], bool]] = {
    "as text": (lambda truth: truth.astype(np.int64).astype("U1"), False),
    "as text, and some that are no number": (
        lambda truth: np.where(NUMBERS % 7 == 0, "pending", truth.astype(np.int64).astype("U1")),
        False,
    ),
    "in words": (lambda truth: np.where(truth, "yes", "no"), True),
    "as truths": (lambda truth: truth, False),
}


@pytest.mark.parametrize("how", OTHERS)
def test_labels_of_another_kind_than_the_answers(how: str, andon: Run, work: Path) -> None:
    written, never_right = OTHERS[how]
    truth = NUMBERS % 10 == 0
    answers = np.where(NUMBERS < 900, truth, NUMBERS % 2 == 0).astype(np.int64)
    pq.write_table(table(p=answers, y=written(truth), at=TIMES), "log.parquet")
    pq.write_table(table(p=truth.astype(np.int64), y=written(truth), at=TIMES), "reference.parquet")
    Path("model.yaml").write_text(LABELLED)
    code, _, err = andon(*SCAN, "--html", "out.html")
    assert code == 1, err
    [incident] = json.loads(Path("out.json").read_text())["incidents"]
    told = [each["text"] for each in warnings() if each["code"] == "labels_unlike_answers"]
    if never_right:
        assert (incident["wrong"], len(told)) == (None, 1)
        assert "the reference holds 'no', 'yes' in y and '0', '1' in p, with no value in common" in told[0]
    else:
        is_wrong = (written(truth) != answers.astype("U1")) if how != "as truths" else (truth != answers)
        assert incident["wrong"] == {"count": int(is_wrong[900:].sum()), "of": 300}
        assert told == []


def test_text_among_numbers_is_told_by_what_was_counted(andon: Run, work: Path) -> None:
    words = np.where(NUMBERS < 900, np.char.mod("%.3f", NUMBERS % 97 / 97), "lost")
    pq.write_table(table(x=words), "log.parquet")
    pq.write_table(table(x=NUMBERS % 97 / 97), "reference.parquet")
    code, _, err = andon(*SCAN, "--html", "out.html")
    assert code == 1, err
    [incident] = json.loads(Path("out.json").read_text())["incidents"]
    assert incident["summary"].startswith("x is null in 100% of decisions, ")
    page = re.sub(r"<[^>]*>|\s+", " ", Path("out.html").read_text())
    assert "x is null in 100% of decisions" in page
    assert "x is null: share of decisions over time" not in page


def test_what_now_cuts_off_is_not_called_the_end_of_the_log(andon: Run, work: Path) -> None:
    assert andon(*SCAN, "--now", "2026-01-01T00:30:00Z")[0] == 0
    [warning] = warnings()
    assert "no evaluation was over before --now: the rows until then span 0:30:00, one evaluation is" in warning["text"]


@pytest.mark.parametrize("held", [[[1.0]] * ROWS, [{"a": 1}] * ROWS, [b"\xff"] * ROWS, TIMES])
def test_a_feature_of_which_only_absence_is_seen_is_told(held: Any, andon: Run, work: Path) -> None:
    for name in ("log", "reference"):
        pq.write_table(table(x=held), f"{name}.parquet")
    assert andon(*SCAN)[0] == 0
    [warning] = warnings()
    assert warning["code"] == "only_absence"
    assert "x of the reference hold times, lists, structures or bytes" in warning["text"]


def test_thousands_of_columns_that_are_missing_are_told_in_a_few_lines(andon: Run, work: Path) -> None:
    Path("model.yaml").write_text(MODEL.replace("[x]", f"[{', '.join(f'f{n}' for n in range(3000))}]"))
    assert andon(*SCAN)[0] == 0
    texts = [each["text"] for each in warnings() if each["code"] == "model_file"]
    assert len(texts) == 13
    assert "no column of 2,988 more names that the model declares, the last is 'f2999'" in texts[-1]


UNSEEN: Mapping[str, tuple[str, Any, str]] = {
    "a score in words": ("score_column: k\n", ["high", "low"] * (ROWS // 2), "score_unread"),
    "an answer that nobody gives": ("favourable_prediction: granted\n", ["a"] * ROWS, "favourable_unknown"),
    "a segment of one value": ("segments: [k]\n", ["a"] * ROWS, "segment_uncut"),
    "a group per row": ("protected_attributes: [k]\n", np.char.add("g", NUMBERS.astype("U5")), "segment_uncut"),
}


@pytest.mark.parametrize("cause", UNSEEN)
def test_what_a_column_does_not_let_the_scan_see_is_told(cause: str, andon: Run, work: Path) -> None:
    more, held, code = UNSEEN[cause]
    for name in ("log", "reference"):
        pq.write_table(table(k=held), f"{name}.parquet")
    Path("model.yaml").write_text(MODEL + more)
    assert andon(*SCAN)[0] == 0
    [warning] = warnings()
    assert warning["code"] == code
    assert any(f" {name}" in warning["text"] for name in ("k", "p")) or warning["text"].startswith("k,")


DATABASE = "duckdb:///w.db?table=t"
READ_BY_ANOTHER_NAME: Mapping[str, tuple[tuple[str, ...], str]] = {
    "a table": (("scan", DATABASE, "--json"), "w.db"),
    "a table, its page": (("scan", DATABASE, "--html"), "w.db"),
    "a table, its pin": (("scan", DATABASE, "--model", "model.yaml", "--pin"), "w.db"),
    "a table as reference": (("scan", "log.parquet", "--reference", DATABASE, "--json"), "w.db"),
    "a table of labels": (("scan", "log.parquet", "--labels", DATABASE, "--json"), "w.db"),
    "a table that is guessed from": (("init", DATABASE, "--force", "-o"), "w.db"),
    "a folder": (("scan", "lg", "--json"), "lg/a.parquet"),
    "a glob": (("scan", "lg/*.parquet", "--html"), "lg/a.parquet"),
    "a folder as reference": (("scan", "log.parquet", "--reference", "lg", "--json"), "lg/a.parquet"),
    "a glob of labels": (("scan", "log.parquet", "--labels", "lg/*", "--json"), "lg/a.parquet"),
    "a folder that is guessed from": (("init", "lg", "--force", "-o"), "lg/a.parquet"),
    "a link to a file of a folder": (("scan", "lg", "--json"), "link.parquet"),
}


@pytest.mark.parametrize("case", READ_BY_ANOTHER_NAME)
def test_what_is_read_is_never_written_over_whatever_it_is_called(case: str, andon: Run, work: Path) -> None:
    arguments, target = READ_BY_ANOTHER_NAME[case]
    Path("lg").mkdir()
    for name in ("a", "b"):
        pq.write_table(table(), f"lg/{name}.parquet")
    Path("link.parquet").symlink_to("lg/a.parquet")
    with duckdb.connect("w.db") as database:
        database.execute("create table t as from 'log.parquet'")
    before = Path(target).read_bytes()
    code, out, err = andon(*arguments, target)
    assert (code, out) == (2, "")
    assert f"{target} would overwrite " in err
    assert Path(target).read_bytes() == before


IDS: Mapping[str, tuple[Any, Callable[[int], str]]] = {
    "whole numbers with a point": (pa.array(NUMBERS, pa.int64()), lambda n: f"{n}.0"),
    "doubles with a point": (pa.array(NUMBERS, pa.float64()), lambda n: f"{n}.0"),
    "doubles without a point": (pa.array(NUMBERS, pa.float64()), str),
    "long ones": (pa.array([2**53 + n for n in range(ROWS)], pa.int64()), lambda n: str(2**53 + n)),
    "longer ones": (pa.array([2**60 + n for n in range(ROWS)], pa.int64()), lambda n: str(2**60 + n)),
    "longest ones": (pa.array([2**63 + n for n in range(ROWS)], pa.uint64()), lambda n: str(2**63 + n)),
}


@pytest.mark.parametrize("how", ["csv", "jsonl"])
@pytest.mark.parametrize("cause", IDS)
def test_labels_find_predictions_however_numbers_are_written(cause: str, how: str, andon: Run, work: Path) -> None:
    ids, written = IDS[cause]
    for name in ("log", "reference"):
        pq.write_table(table(id=ids), f"{name}.parquet")
    lines = {"csv": ["id,y"], "jsonl": []}[how]
    lines += [f"{written(n)},{n % 2}" if how == "csv" else f'{{"id": {written(n)}, "y": {n % 2}}}' for n in range(ROWS)]
    Path(f"outcomes.{how}").write_text("\n".join(lines) + "\n")
    Path("model.yaml").write_text(MODEL + "label_delay_days_median: 0.1\n")
    code, _, err = andon(*SCAN, "--labels", f"outcomes.{how}", "--on", "id")
    assert (code, [each["code"] for each in warnings()]) == (0, []), err


def test_long_ids_of_a_csv_log_stay_apart(andon: Run, work: Path) -> None:
    pq.write_table(table(id=pa.array([2**60 + n for n in range(ROWS)], pa.int64())), "reference.parquet")
    csv.write_csv(pq.read_table("reference.parquet"), "log.csv")
    csv.write_csv(pq.read_table("reference.parquet", columns=["id", "p"]).rename_columns(["id", "y"]), "outcomes.csv")
    Path("model.yaml").write_text(MODEL + "label_delay_days_median: 0.1\n")
    assert andon("scan", "log.csv", *SCAN[2:], "--labels", "outcomes.csv")[0] == 0
    assert [each["code"] for each in warnings()] == []


NOT_TEXT = os.fsdecode(b"lo\xffg.parquet")


@pytest.mark.parametrize(
    "arguments",
    [
        ("scan", NOT_TEXT),
        ("scan", "lg"),
        ("scan", "lg/*"),
        ("scan", "log.parquet", "--model", "model.yaml", "--reference", NOT_TEXT),
        ("scan", "log.parquet", *SCAN[2:], "--labels", NOT_TEXT),
        ("scan", os.fsdecode(b"duckdb:///\xff.db?table=t")),
        ("init", NOT_TEXT, "--force"),
    ],
)
def test_a_file_with_a_name_that_is_no_text_is_refused(arguments: tuple[str, ...], andon: Run, work: Path) -> None:
    Path("lg").mkdir()
    for path in (NOT_TEXT, f"lg/{NOT_TEXT}"):
        Path(path).write_bytes(Path("log.parquet").read_bytes())
    code, out, err = andon(*arguments)
    assert (code, out) == (2, "")
    assert "\\xff" in err
    assert "is not UTF-8 text: rename it" in err


BROKEN_GZIP: Mapping[str, tuple[slice, bytes, str]] = {
    "its content": (slice(10, 20), b"\xff" * 10, "its gzip is broken"),
    "its kind": (slice(2, 3), b"c", "its gzip is broken"),
    "its end": (slice(40, None), b"", "it is cut short"),
}


@pytest.mark.parametrize("cause", BROKEN_GZIP)
def test_broken_gzip_is_refused(cause: str, andon: Run, work: Path) -> None:
    where, instead, reason = BROKEN_GZIP[cause]
    csv.write_csv(table(), "log.csv")
    content = bytearray(gzip.compress(Path("log.csv").read_bytes()))
    content[where] = instead
    Path("log.csv.gz").write_bytes(content)
    code, out, err = andon("scan", "log.csv.gz", *SCAN[2:])
    assert (code, out) == (2, "")
    assert f"cannot read log.csv.gz: {reason}; write it again" in err


HALVES = (NUMBERS % 2).tolist()
ANSWERS: Mapping[str, Any] = {
    "numbers": HALVES,
    "text with a word": ["x" if n == 5 else str(half) for n, half in enumerate(HALVES)],
    "truth values": [half == 1 for half in HALVES],
    "lists": [[half] for half in HALVES],
    "structures": [{"a": half} for half in HALVES],
    "times": TIMES,
    "identifiers": pa.ExtensionArray.from_storage(
        pa.uuid(), pa.array([bytes([half] * 16) for half in HALVES], pa.binary(16))
    ),
    "a dictionary": pa.array([f"{half}e" for half in HALVES]).dictionary_encode(),
}


@pytest.mark.parametrize("labels", ["", "label_column: y\nlabel_delay_days_median: 0.1\n"])
@pytest.mark.parametrize("kind", ANSWERS)
def test_a_page_is_drawn_whatever_answers_are_stored_as(kind: str, labels: str, andon: Run, work: Path) -> None:
    Path("model.yaml").write_text(MODEL + labels)
    pq.write_table(table(p=ANSWERS[kind], y=HALVES), "log.parquet")
    for reference in ("numbers", "text with a word", kind):
        pq.write_table(table(p=ANSWERS[reference], y=HALVES), "reference.parquet")
        without = andon(*SCAN)
        assert (without[0], andon(*SCAN, "--html", "out.html")[0]) == (0, 0)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_labels_without_a_time_are_told(elsewhere: bool, andon: Run, work: Path) -> None:  # noqa: FBT001
    known = pa.array(TIMES.to_pylist(), mask=NUMBERS % 10 > 0)
    labels = pa.array(HALVES, mask=NUMBERS >= 1000)
    Path("model.yaml").write_text(MODEL + "label_column: y\nlabel_time_column: at\n")
    pq.write_table(table(y=HALVES, at=TIMES), "reference.parquet")
    pq.write_table(table() if elsewhere else table(y=labels, at=known), "log.parquet")
    pq.write_table(table(ts=None, x=None, p=None, y=labels, at=known), "outcomes.parquet")
    code, _, err = andon(*SCAN, *(("--labels", "outcomes.parquet") if elsewhere else ()))
    assert code == 0, err
    text = "900 of 1,000 labels have no time in 'at'; they count as never arrived"
    assert warnings() == [{"code": "labels_without_time", "text": text}]


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_a_folder_named_like_a_column_does_not_take_its_place(ending: str, andon: Run, work: Path) -> None:
    for part, rows in enumerate((slice(0, 600), slice(600, ROWS))):
        Path(f"lg/X={part}").mkdir(parents=True)
        names = f"(select * from 'log.parquet' offset {rows.start} limit 600)"
        duckdb.execute(f"copy {names} to 'lg/X={part}/a.{ending}'{' (format json)' if ending == 'jsonl' else ''}")
    assert andon("scan", "lg", *SCAN[2:], "--html", "whole.html")[0] == 0
    assert warnings() == []
    with open_log("lg", read_model("model.yaml")) as log:
        assert log.profile_number("x").count == ROWS
        assert log.profile_category("x").distinct == ROWS


def test_a_folder_is_a_column_where_the_files_have_none(andon: Run, work: Path) -> None:
    for part, rows in enumerate((slice(0, 600), slice(600, ROWS))):
        Path(f"lg/x={part}").mkdir(parents=True)
        pq.write_table(table(x=None).slice(rows.start, 600), f"lg/x={part}/a.parquet")
    with open_log("lg", read_model("model.yaml")) as log:
        assert log.profile_category("x").values == (("0", 600), ("1", 600))


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_files_without_the_column_of_a_role_are_named(ending: str, andon: Run, work: Path) -> None:
    Path("model.yaml").write_text(MODEL + "label_column: y\nlabel_delay_days_median: 0.1\n")
    pq.write_table(table(y=HALVES), "reference.parquet")
    for place, columns in {"lg": table(y=HALVES), "labels": table(ts=None, x=None, p=None, y=HALVES)}.items():
        Path(place).mkdir()
        for part, name in enumerate(["y", "Y", "truth", "outcome"]):
            piece = columns.slice(part * 300, 300)
            piece = piece.rename_columns([name if each == "y" else each for each in piece.column_names])
            write = pq.write_table if ending == "parquet" else csv.write_csv
            write(piece, f"{place}/{part}.{ending}")
    assert andon("scan", "lg", *SCAN[2:])[0] == 1
    text = f"lg/2.{ending} and 1 more files have no column 'y', which other files have: it is null in their rows"
    assert {"code": "column_not_in_all_files", "text": text} in warnings()
    assert andon("scan", "log.parquet", *SCAN[2:], "--labels", "labels")[0] == 1
    assert {"code": "column_not_in_all_files", "text": text.replace("lg/", "labels/")} in warnings()


def test_json_lines_without_the_key_of_a_role_are_named(andon: Run, work: Path) -> None:
    """A key that comes later than the first lines is there."""
    Path("model.yaml").write_text(MODEL + "label_column: y\nlabel_delay_days_median: 0.1\n")
    pq.write_table(table(y=HALVES), "reference.parquet")
    Path("lg").mkdir()
    rows = table(y=HALVES).to_pylist()
    for part, start in enumerate(range(0, ROWS, 300)):
        some = [row | {"ts": row["ts"].isoformat()} for row in rows[start : start + 300]]
        for place, row in enumerate(some):
            if part == 2 or (part == 1 and place < 250):
                del row["y"]
        Path(f"lg/{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in some))
    assert andon("scan", "lg", *SCAN[2:])[0] == 1
    text = "lg/2.jsonl has no column 'y', which other files have: it is null in their rows"
    assert [each["text"] for each in warnings() if each["code"] == "column_not_in_all_files"] == [text]


def test_labels_with_their_times_under_another_name_are_refused(andon: Run, work: Path) -> None:
    Path("model.yaml").write_text(MODEL + "label_column: y\nlabel_time_column: at\n")
    pq.write_table(table(y=HALVES, at=TIMES), "reference.parquet")
    pq.write_table(table(ts=None, x=None, p=None, y=HALVES, known=TIMES), "outcomes.parquet")
    code, out, err = andon(*SCAN, "--labels", "outcomes.parquet")
    assert (code, out) == (2, "")
    words = " ".join(err.split())
    assert "outcomes.parquet has no column 'at', which the model names as `label_time_column`" in words
    assert "its times are in known: rename the column, or mend the model file" in words


def test_numbers_that_are_none_are_no_times(andon: Run, work: Path) -> None:
    seconds = 1_767_225_600.0 + 600 * NUMBERS
    Path("model.yaml").write_text(MODEL + "label_column: y\nlabel_time_column: at\n")
    pq.write_table(table(y=HALVES, at=TIMES), "reference.parquet")
    known = np.where(NUMBERS % 2 == 0, seconds, np.nan)
    pq.write_table(table(ts=seconds, y=HALVES, at=known), "log.parquet")
    assert andon(*SCAN)[0] == 0
    text = "600 of 1,200 labels have no time in 'at'; they count as never arrived"
    assert text in [each["text"] for each in warnings()]
    pq.write_table(table(ts=known, y=HALVES, at=known), "log.parquet")
    code, _, err = andon(*SCAN)
    assert code == 2
    assert "600 of 1,200 rows of log.parquet have no time in 'ts'" in " ".join(err.split())


def test_a_table_may_have_a_dot_in_its_name(andon: Run, work: Path) -> None:
    with duckdb.connect("w.db") as database:
        database.execute("""create table "s.t" as from 'log.parquet'""")
    assert andon("scan", "duckdb:///w.db?table=s.t", *SCAN[2:])[0] == 0
    assert "has no table s.u: its tables are s.t" in andon("scan", "duckdb:///w.db?table=s.u", *SCAN[2:])[2]
