"""Logs that cannot be read: one sentence with what, where and how to mend it, and no file left behind."""

# ruff: noqa: DTZ001  # a log may hold naive times; they are UTC

import gzip
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from andon.adapters.duckdb.log import open_log
from andon.base.errors import BadInput
from andon.base.interval import Grid
from andon.inventory.model import Columns, Model
from andon.telemetry.plan import CategoryCoding, Cube, Plan
from andon.telemetry.question import Question
from andon.telemetry.schema import LogicalType, LogSchema

MODEL = Model("m", Columns("id", "ts", label_time="label_ts"))
LATE = datetime(2100, 1, 1, tzinfo=UTC)
JSON_LINE = '{"id": "1", "ts": "2026-01-01"}\n'
GOOD = "id,ts,x\n1,2026-01-01T00:00:00Z,1\n"


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runs each test in an empty folder with an empty temporary folder; only the input may be there afterwards."""
    for name in ("work", "spill"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "spill"))
    yield
    assert list((tmp_path / "spill").iterdir()) == []
    assert [path for path in (tmp_path / "work").rglob("*") if "tmp" in path.name or "duckdb" in path.name] == []


def _write(name: str, content: str | bytes) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def _parquet(name: str, **columns: object) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), name)


def _parquet_named(*names: str) -> None:
    columns = [pa.array(["1"]), pa.array([datetime(2026, 1, 1)]), *(pa.array([1.0]) for _ in names[2:])]
    pq.write_table(pa.Table.from_arrays(columns, list(names)), "log.parquet")


def _good_parquet(name: str, rows: int = 5000) -> bytes:
    _parquet(
        name, id=[f"{i * 7919}" for i in range(rows)], ts=[datetime(2026, 1, 1) + timedelta(i) for i in range(rows)]
    )
    return Path(name).read_bytes()


def _truncated() -> None:
    _write("log.parquet", _good_parquet("log.parquet")[:-200])


def _corrupt() -> None:
    content = bytearray(_good_parquet("log.parquet"))
    content[40 : len(content) // 2] = b"\xff" * (len(content) // 2 - 40)
    _write("log.parquet", bytes(content))


def _corrupt_footer() -> None:
    content = bytearray(_good_parquet("log.parquet"))
    content[-60:-10] = b"\xff" * 50
    _write("log.parquet", bytes(content))


def _csv(*rows: str, header: str = "id,ts,x") -> Callable[[], None]:
    return lambda: _write("log.csv", "\n".join((header, *rows)) + "\n")


def _two(first: str, second: str) -> Callable[[], None]:
    def write() -> None:
        _write("logs/a.csv", first)
        _write("logs/b.csv", second)

    return write


def _parquet_zones() -> None:
    at = datetime(2026, 1, 1)
    _parquet("logs/a.parquet", id=["1"], ts=pa.array([at], pa.timestamp("us")))
    _parquet("logs/b.parquet", id=["1"], ts=pa.array([at], pa.timestamp("us", tz="UTC")))


def _mixed_kinds() -> None:
    _write("logs/a.csv", GOOD)
    _good_parquet("logs/b.parquet")


def _circle() -> None:
    Path("loopa.csv").symlink_to("loopb.csv")
    Path("loopb.csv").symlink_to("loopa.csv")


def _nothing() -> None:
    """The file is not there."""


CAUSES: dict[str, tuple[Callable[[], object], str | list[str], list[str]]] = {
    "no file": (_nothing, "log.csv", ["there is no file log.csv", "check the path"]),
    "no folder": (_nothing, "far/log.csv", ["no file far/log.csv", "folder far is not there"]),
    "a typo": (lambda: _write("logs.csv", GOOD), "log.csv", ["no file log.csv", "did you mean logs.csv?"]),
    "links in a circle": (_circle, "loopa.csv", ["loopa.csv is a link that leads to no file", "mend the link"]),
    "no match": (_nothing, "*.csv", ["no file matches *.csv", "check the pattern"]),
    "nothing named": (_nothing, [], ["no log was named", "give a file"]),
    "an empty folder": (lambda: Path("logs").mkdir(), "logs", ["folder logs holds no data files", "put Parquet"]),
    "a folder of other things": (
        lambda: _write("logs/a.txt", "x"),
        "logs",
        ["logs holds no data files", "name another"],
    ),
    "mixed kinds": (_mixed_kinds, "logs", ["mixes CSV (logs/a.csv) and Parquet (logs/b.parquet)", "one kind"]),
    "another kind": (lambda: _write("log.xlsx", "PK"), "log.xlsx", ["log.xlsx is no data file", "give Parquet"]),
    "an empty Parquet file": (
        lambda: _write("log.parquet", ""),
        "log.parquet",
        ["log.parquet is empty", "write it again"],
    ),
    "an empty CSV file": (lambda: _write("log.csv", ""), "log.csv", ["log.csv is empty", "write it again"]),
    "an empty JSON file": (lambda: _write("log.jsonl", ""), "log.jsonl", ["log.jsonl is empty", "write it again"]),
    "truncated Parquet": (_truncated, "log.parquet", ["log.parquet is cut short", "write it again"]),
    "corrupt Parquet": (_corrupt, "log.parquet", ["cannot read log.parquet", "write it again"]),
    "a corrupt footer": (_corrupt_footer, "log.parquet", ["cannot read log.parquet", "write it again"]),
    "NUL in a cell": (
        _csv("1,2026-01-01,1", "2,2026-01-02,1\0", "3,2026-01-03,1"),
        "log.csv",
        ["log.csv holds a NUL byte in line 3", "mend the file or write it again"],
    ),
    "NUL in a quoted cell after a line break": (
        _csv('1,2026-01-01,"a', 'b"', '2,2026-01-02,"\0"'),
        "log.csv",
        ["log.csv holds a NUL byte in line 4", "write it again"],
    ),
    "NUL in the second file": (
        _two(GOOD, "id,ts,x\n\0,2026-01-01,1\n"),
        "logs",
        ["logs/b.csv holds a NUL byte in line 2"],
    ),
    "NUL in a compressed file": (
        lambda: _write("log.csv.gz", gzip.compress(b"id,ts,x\n1,2026-01-01,1\n2,2026-01-01,\0\n")),
        "log.csv.gz",
        ["log.csv.gz holds a NUL byte in line 3"],
    ),
    "NUL in the header": (
        _csv("1,2026-01-01,1", header="id,ts,\0x"),
        "log.csv",
        ["log.csv holds a NUL byte in line 1", "write it again"],
    ),
    "CSV called Parquet": (
        lambda: _write("log.parquet", GOOD),
        "log.parquet",
        ["log.parquet is not Parquet", "convert"],
    ),
    "Parquet called CSV": (
        lambda: _write("log.csv", _good_parquet("x.parquet")),
        "log.csv",
        ["log.csv is Parquet", "the ending .parquet"],
    ),
    "UTF-16": (lambda: _write("log.csv", GOOD.encode("utf-16")), "log.csv", ["log.csv is UTF-16", "save it as UTF-8"]),
    "Latin-1 header": (
        lambda: _write("log.csv", "id,ts,café\n".encode("latin-1")),
        "log.csv",
        ["log.csv is not UTF-8", "save it as UTF-8"],
    ),
    "Latin-1 value": (
        lambda: _write("log.csv", (GOOD + "2,2026-01-01,café\n").encode("latin-1")),
        "log.csv",
        ["cannot read log.csv: line 3", "not utf-8", "save the file as UTF-8"],
    ),
    "truncated gzip": (
        lambda: _write("log.csv.gz", gzip.compress(GOOD.encode() * 100)[:40]),
        "log.csv.gz",
        ["cannot read log.csv.gz", "write it again"],
    ),
    "not gzip": (lambda: _write("log.csv.gz", GOOD), "log.csv.gz", ["log.csv.gz is not gzip", "rename it"]),
    "gzip by another name": (
        lambda: _write("log.csv", gzip.compress(GOOD.encode())),
        "log.csv",
        ["log.csv is gzip, against its name", "rename"],
    ),
    "a row too long": (
        _csv("1,2026-01-01,1", "2,2026-01-01,1,5"),
        "log.csv",
        ["cannot read log.csv: line 3", "mend the file"],
    ),
    "a row too short": (_csv("1,2026-01-01,1", "2,2026-01-01"), "log.csv", ["cannot read log.csv: line 3", "mend"]),
    "an open quote": (
        _csv('1,2026-01-01,"a', "2,2026-01-01,b"),
        "log.csv",
        ["cannot read log.csv: line", "quote", "mend"],
    ),
    "a column twice": (
        _csv("1,2026-01-01,1,2", header="id,ts,x,X"),
        "log.csv",
        ["log.csv names the column 'x' twice", "rename"],
    ),
    "a Parquet column twice": (
        lambda: _parquet_named("id", "ts", "x", "x"),
        "log.parquet",
        ["log.parquet names the column 'x' twice", "rename"],
    ),
    "Parquet columns that differ in case": (
        lambda: _parquet_named("id", "ts", "x", "X"),
        "log.parquet",
        ["log.parquet names the column 'x' twice (capital letters do not count)", "rename"],
    ),
    "JSON keys that differ in case": (
        lambda: _write("log.jsonl", f'{JSON_LINE}\n{{"id": 2, "ts": "2026-01-01", "x": 1}}\n{{"id": 3, "X": 2}}\n'),
        "log.jsonl",
        ["log.jsonl has the key 'X' beside 'x' (capital letters do not count)", "rename"],
    ),
    "no rows in CSV": (_csv(), "log.csv", ["log.csv holds no rows", "name a log"]),
    "no rows in Parquet": (
        lambda: _parquet("log.parquet", id=pa.array([], pa.string()), ts=pa.array([], pa.timestamp("us"))),
        "log.parquet",
        ["log.parquet holds no rows", "name a log"],
    ),
    "two delimiters": (_two(GOOD, GOOD.replace(",", ";")), "logs", ["logs/a.csv and logs/b.csv", "one delimiter"]),
    "broken JSON": (
        lambda: _write("log.jsonl", '{"id": 1, "ts": "2026-01-01"}\n{"id": 2, "ts":\n'),
        "log.jsonl",
        ["cannot read log.jsonl: Malformed JSON", "in line 2:", "mend the file"],
    ),
    "broken JSON after empty lines": (
        lambda: _write("log.jsonl", "\n \n" + 2 * f"{JSON_LINE}\n" + '{"id":\n' + JSON_LINE),
        "log.jsonl",
        ["cannot read log.jsonl", "in line 7", "write it again"],
    ),
    "no object after empty lines, compressed": (
        lambda: _write("log.jsonl.gz", gzip.compress(("\n\n" + JSON_LINE + "\n\n[1]\n").encode())),
        "log.jsonl.gz",
        ["cannot read log.jsonl.gz: line 6 is no JSON object", "write each line as an object"],
    ),
    "JSON with more behind it": (
        lambda: _write("log.jsonl", JSON_LINE + "\n" + JSON_LINE.strip() + " x\n"),
        "log.jsonl",
        ["in line 3: unexpected content after document; mend the file"],
    ),
    "JSON with a key that has no name": (
        lambda: _write("log.jsonl", '{"id": "1", "ts": "2026-01-01", "": 1}\n'),
        "log.jsonl",
        ["log.jsonl has objects without keys, or a key without a name", "name each key"],
    ),
    "JSON without keys": (
        lambda: _write("log.jsonl", "{}\n{}\n"),
        "log.jsonl",
        ["log.jsonl has objects without keys", "name each key"],
    ),
    "lines that end in carriage returns": (
        lambda: _write("log.csv", GOOD.replace("\n", "\r")),
        "log.csv",
        [
            "cannot read the header of log.csv: its lines end in a carriage return alone",
            "end its lines with a line feed",
        ],
    ),
    "lines that end in two ways": (
        lambda: _write("log.csv", GOOD.replace("\n", "\r\n") * 300 + GOOD * 300),
        "log.csv",
        ["cannot read log.csv: its lines end in more ways than one", "end its lines with a line feed"],
    ),
    "gzip that breaks off": (
        lambda: _write("log.csv.gz", gzip.compress(GOOD.encode() * 9)[:-9]),
        "log.csv.gz",
        ["cannot read log.csv.gz: Unexpected end of GZIP stream; mend the file"],
    ),
    "Parquet without columns": (
        lambda: pq.write_table(pa.table({}), "log.parquet"),
        "log.parquet",
        ["cannot read log.parquet: Need at least one non-root column in the file; mend the file"],
    ),
    "Parquet that lost its middle": (
        lambda: _write("log.parquet", _good_parquet("log.parquet")[:400] + _good_parquet("log.parquet")[-3000:]),
        "log.parquet",
        ["cannot read log.parquet: it is shorter than its footer says; mend the file"],
    ),
    "a wrong time beside a column filename": (
        _csv("1,2026-01-01,a", "2,soon,b", header="id,ts,Filename"),
        "log.csv",
        ["time column 'ts'", "'soon' (id 2 in log.csv)", "write times"],
    ),
    "a wrong time beside a key filename": (
        lambda: _write("log.jsonl", '{"id": "2", "ts": "soon", "filename": "b"}\n'),
        "log.jsonl",
        ["time column 'ts'", "'soon' (id 2 in log.jsonl)", "write times"],
    ),
    "a name of a column that is a book": (
        _csv("1,2026-01-01,1", header="id,ts," + "x" * 200_000),
        "log.csv",
        ["cannot read the header of log.csv: a name in it is longer than 131,072 characters", "shorten"],
    ),
    "broken JSON amid good": (
        lambda: _write("log.jsonl", JSON_LINE * 5000 + '{"id": }\n' + JSON_LINE * 5000),
        "log.jsonl",
        ["cannot read log.jsonl: Malformed JSON", "in line 5001:", "mend the file"],
    ),
    "JSON lines of numbers": (
        lambda: _write("log.jsonl", "1\n2\n"),
        "log.jsonl",
        ["cannot read log.jsonl: line 1 is no JSON object", "write each line as an object"],
    ),
    "JSON lines of lists": (
        lambda: _write("log.jsonl", f"[{JSON_LINE.strip()}]\n" * 2),
        "log.jsonl",
        ["cannot read log.jsonl: line 1 is no JSON object", "write each line as an object"],
    ),
    "a number among JSON lines": (
        lambda: _write("log.jsonl", JSON_LINE + "3\n"),
        "log.jsonl",
        ["cannot read log.jsonl: line 2 is no JSON object", "write each line as an object"],
    ),
    "Latin-1 JSON": (
        lambda: _write("log.jsonl", (JSON_LINE + '{"id": "café"}\n').encode("latin-1")),
        "log.jsonl",
        ["cannot read log.jsonl", "in line 2:", "save the file as UTF-8"],
    ),
    "JSON in one piece": (
        lambda: _write("log.json", '[\n {"id": 1,\n "ts": "2026-01-01"}\n]'),
        "log.json",
        ["cannot read log.json", "mend"],
    ),
    "no id": (
        _csv("1,2026-01-01", header="idd,ts"),
        "log.csv",
        ["log.csv has no column 'id'", "did you mean 'idd'", "id_column"],
    ),
    "no time": (
        _csv("1,2026-01-01", header="id,at"),
        "log.csv",
        ["log.csv has no column 'ts'", "time_column", "mend the model file; the columns are id, at"],
    ),
    "no time in a row": (
        _csv("1,2026-01-01T00:00:00,1", "2,,1", "3,,1"),
        "log.csv",
        ["2 of 3 rows of log.csv have no time in 'ts'", "fill it in"],
    ),
    "no time in a Parquet row": (
        lambda: _parquet("log.parquet", id=["1", "2"], ts=[datetime(2026, 1, 1), None]),
        "log.parquet",
        ["1 of 2 rows of log.parquet have no time", "fill it in"],
    ),
    "no times at all": (_csv("1,,1"), "log.csv", ["1 of 1 rows of log.csv have no time", "fill it in"]),
    "times in words": (
        _csv("1,2026-01-01,1", "2,01/02/2026,1"),
        "log.csv",
        [
            "1 value of the time column 'ts' is not an ISO 8601 time",
            "'01/02/2026' (id 2 in log.csv)",
            "write times as ISO 8601",
        ],
    ),
    "a day that is none": (
        _csv("1,2026-02-30,1"),
        "log.csv",
        ["time column 'ts' is not an ISO 8601 time", "'2026-02-30' (id 1 in log.csv)", "write times"],
    ),
    "mixed zones": (
        _csv("1,2026-01-01T00:00:00Z,1", "2,2026-01-01T00:00:00+02:00,1"),
        "log.csv",
        [
            "'ts' mixes time zones",
            "'2026-01-01T00:00:00Z' (id 1 in log.csv)",
            "+02:00' (id 2 in log.csv)",
            "write times",
        ],
    ),
    "a zone here and there": (
        _csv("1,2026-01-01 00:00:00,1", "2,2026-01-01T00:00:00Z,1"),
        "log.csv",
        ["'ts' mixes time zones", "'2026-01-01 00:00:00' (id 1 in log.csv)", "Z' (id 2 in log.csv)", "write times"],
    ),
    "a zone in one CSV file": (
        _two(GOOD, GOOD.replace("Z", "")),
        "logs",
        ["'ts' mixes time zones", "in logs/a.csv)", "in logs/b.csv)", "write times"],
    ),
    "a zone in one Parquet file": (
        _parquet_zones,
        "logs",
        ["'ts' has a time zone in logs/b.parquet and none in logs/a.parquet", "write all files"],
    ),
    "a zone in one JSON line": (
        lambda: _write(
            "log.jsonl", '{"id": 1, "ts": "2026-01-01T00:00:00Z"}\n{"id": 2, "ts": "2026-01-01T00:00:00"}\n'
        ),
        "log.jsonl",
        ["'ts' mixes time zones", "(id 1 in log.jsonl)", "write times"],
    ),
    "truths for times": (
        lambda: _parquet("log.parquet", id=["1"], ts=[True]),
        "log.parquet",
        ["time column 'ts' of log.parquet holds boolean", "write times"],
    ),
    "small numbers for times": (
        _csv("1,5,1", "2,7,1"),
        "log.csv",
        ["'ts' of log.csv holds numbers from 5.0 to 7.0", "unit is not clear", "write times"],
    ),
    "numbers of two units": (
        _csv("1,1767225600,1", "2,1767225600000,1"),
        "log.csv",
        ["'ts' of log.csv holds numbers", "not clear", "write times"],
    ),
    "a time beyond the calendar": (
        lambda: _parquet("log.parquet", id=["1"], ts=pa.array([2**62], pa.timestamp("us"))),
        "log.parquet",
        ["log.parquet has times in 'ts' outside the years 1 to 9999", "mend those rows"],
    ),
    "label times in words": (
        _csv("1,2026-01-01,soon", header="id,ts,label_ts"),
        "log.csv",
        ["time column 'label_ts'", "'soon' (id 1", "write times"],
    ),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_one_sentence_says_what_where_and_how_to_mend_it(cause: str) -> None:
    make, named, parts = CAUSES[cause]
    make()
    plan = Plan(Grid(timedelta(hours=1)), {"id": CategoryCoding("id", ())}, (Cube(("id",)),))
    with pytest.raises(BadInput) as error, open_log(named, MODEL) as log:
        log.summarize(plan, LATE)
    text = str(error.value)
    assert [part for part in parts if part not in text] == [], text
    assert "\n" not in text
    assert error.value.__cause__ is None
    assert "Traceback" not in text
    assert "read_" not in text, "no word of the engine's"


@pytest.mark.parametrize("cause", [cause for cause in CAUSES if CAUSES[cause][1]])
def test_the_command_line_says_it_with_exit_2_and_leaves_no_file(
    cause: str, andon: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    make, named, parts = CAUSES[cause]
    make()
    model = tmp_path / "model.yaml"
    model.write_text("model_id: m\nid_column: id\ntime_column: ts\nlabel_time_column: label_ts\n")
    before = sorted(Path().rglob("*"))
    log = str(named)
    code, out, err = andon("scan", log, "--model", str(model), "--reference", log, "--json", "scan.json")
    assert (code, out) == (2, "")
    assert [part for part in parts if part not in err] == [], err
    assert err.count("\n") == 1
    assert sorted(Path().rglob("*")) == before


def test_a_question_that_does_not_fit_the_columns() -> None:
    _write("log.csv", GOOD.replace("1\n", "a\n"))
    with open_log("log.csv", MODEL) as log:
        for text in ("x", "id + 1", "x in (1, 2)", "x like 1"):
            with pytest.raises(BadInput, match="does not fit the columns: "):
                log.answer(Question(text, LATE))
        with pytest.raises(BadInput, match="names `y`, which is not a column"):
            log.answer(Question("y > 5", LATE))
        with pytest.raises(BadInput, match="not allowed"):
            log.answer(Question("x = (select content from read_text('log.csv'))", LATE))


@pytest.mark.parametrize(
    ("unit", "number"),
    [
        ("seconds", "1767225600"),
        ("seconds", "1767225600.0"),
        ("milliseconds", "1767225600000"),
        ("microseconds", "1767225600000000"),
    ],
)
def test_numbers_for_times_are_read_with_a_warning(unit: str, number: str) -> None:
    _write("log.csv", f"id,ts\n1,{number}\n")
    with open_log("log.csv", MODEL) as log:
        assert log.period().start == datetime(2026, 1, 1, tzinfo=UTC)
        assert log.warnings == (("epoch_times", f"'ts' holds numbers; they were read as {unit} since 1970 (UTC)"),)


ASKED_OF_TEXT = {
    "x < 6": 2,
    "x >= 5.5 and x < 1e20": 1,
    "isnan(x) or x = cast('inf' as double)": 2,
    "x - n < 3": 1,
    "n - x >= -0.5": 2,
    "x between 1 and 6": 1,
    "not (x < 6)": 2,
    "flag < 0.5": 1,
    "x = '5.5'": 1,
    "x = 'pending'": 1,
}


@pytest.mark.parametrize("asked", ASKED_OF_TEXT)
def test_numbers_kept_as_text_are_compared_as_the_numbers_that_are_counted(asked: str) -> None:
    numbers = "('a', '5.5', 5, true), ('b', '-2', null, false)"
    rows = f"{numbers}, ('c', 'pending', 1, null), ('d', 'nan', 1, null), ('e', 'inf', 1, null)"
    with duckdb.connect("w.db") as database:
        database.execute(
            f"create table log as select *, timestamp '2026-01-01' as ts from (values {rows}) as t(id, x, n, flag)"
        )
    with open_log("duckdb:///w.db?table=log", MODEL) as log:
        assert log.answer(Question(asked, LATE)).count == ASKED_OF_TEXT[asked]


@pytest.mark.parametrize(
    ("place", "text", "is_told"),
    [
        ("duckdb:///w.db?table=log", "2026-04-08T00:20:59Z", True),
        ("log.parquet", "2026-04-08T00:20:59Z", True),
        ("log.jsonl", "2026-04-08 00:20:59 UTC", True),
        ("log.jsonl", "2026-04-08T00:20:59Z", False),
        ("log.csv", "2026-04-08T00:20:59Z", False),
    ],
)
def test_times_that_a_query_would_compare_as_text_are_told(place: str, text: str, is_told: bool) -> None:  # noqa: FBT001
    with duckdb.connect("w.db") as database:
        database.execute(f"create table log as select 'a' as id, '{text}' as ts")
        if not place.startswith("duckdb"):
            form = "json" if place.endswith("jsonl") else place.rpartition(".")[2]
            database.execute(f"copy log to '{place}' (format {form})")
    with open_log(place, MODEL) as log:
        assert log.period().start == datetime(2026, 4, 8, 0, 20, 59, tzinfo=UTC)
        told = "'ts' is stored as text and was read as times: a query has to do the same; store timestamps"
        assert log.warnings == ((("text_times", told),) if is_told else ())


def test_warnings() -> None:
    _write("log.csv", "id,ts,label_ts\n1,2026-01-02,2026-01-01\n1,2026-01-02,2026-01-03\n,2026-01-02,\n")
    with open_log("log.csv", MODEL) as log:
        assert log.warnings == (
            ("missing_ids", "1 rows have no id: they are counted, but cannot be named"),
            ("duplicate_ids", "1 of 2 rows repeat the id of another row; each row is counted"),
            ("labels_before_predictions", "1 labels arrived before their prediction; they count as known at once"),
        )


def test_a_zone_in_one_of_two_time_columns_is_a_warning() -> None:
    at = [datetime(2026, 1, 1)]
    _parquet("log.parquet", id=["1"], ts=pa.array(at, pa.timestamp("us", tz="UTC")), label_ts=at)
    _write("log.csv", "id,ts,label_ts\n1,2026-01-01T00:00:00Z,2026-01-01 00:00:00\n")
    for name in ("log.parquet", "log.csv"):
        with open_log(name, MODEL) as log:
            [warning] = log.warnings
            assert warning == (
                "mixed_zones",
                "'ts' says its time zone and 'label_ts' does not; 'label_ts' was read as UTC",
            )


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_csv_of_other_systems(ending: str, mark: str) -> None:
    _write("log.csv", mark + ending.join(("id;ts;a name", '1;2026-01-01;"a;b"', "2;2026-01-02;", "")))
    with open_log("log.csv", MODEL) as log:
        assert log.schema().names == ("id", "ts", "a name")
        assert log.profile_category("a name").values == (("a;b", 1),)


def test_files_with_other_columns_are_joined_by_name() -> None:
    _write("logs/a.csv", "id,ts,x\n1,2026-01-01,5\n")
    _write("logs/b.csv", "y,ts,id\nb,2026-01-02,2\n")
    with open_log("logs", MODEL) as log:
        assert log.schema().names == ("id", "ts", "x", "y")
        assert log.profile_category("y").values == (("b", 1),)
        assert log.answer(Question("x = 5 and y is null", LATE, 1)).examples == ("1",)


def test_csv_is_typed_by_what_is_known_from_elsewhere() -> None:
    _write("log.csv", "id,ts,truth,number,code\n1,2026-01-01,1,True,7\n2,2026-01-01,0,False,8\n")
    known = {"truth": LogicalType.BOOLEAN, "number": LogicalType.NUMBER, "code": LogicalType.TEXT}
    with open_log("log.csv", MODEL, types=LogSchema(known)) as log:
        assert {name: log.schema().types[name] for name in known} == known
        assert log.profile_category("truth").values == (("false", 1), ("true", 1))
        assert log.profile_category("number").values == (("0", 1), ("1", 1))


def test_a_file_given_twice_counts_once() -> None:
    _write("log.csv", GOOD)
    with open_log(["log.csv", "./log.csv", "*.csv"], MODEL) as log:
        assert log.rows() == 1


def test_what_is_spilled_is_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("andon.adapters.duckdb.connection.MEMORY_LIMIT", "24MB")
    _good_parquet("log.parquet", 50_000)
    with open_log("log.parquet", MODEL) as log:
        assert log.profile_category("id").distinct == 50_000


def test_csv_columns_without_a_name_are_called_by_their_place() -> None:
    _write("log.csv", "id,ts,x,,\n1,2026-01-01T00:00:00Z,1,,\n")
    with open_log("log.csv", MODEL) as log:
        assert log.schema().names == ("id", "ts", "x", "column3", "column4")


def test_json_of_many_rare_keys_is_read_by_its_keys() -> None:
    lines = (f'{{"id": "{n}", "ts": "2026-01-01", "f{n}": {n}}}' for n in range(500))
    _write("log.jsonl", "\n".join(lines))
    with open_log("log.jsonl", MODEL) as log:
        assert log.rows() == 500
        assert log.schema().types["f499"] is LogicalType.NUMBER
