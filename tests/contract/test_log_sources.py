"""Every source of a log gives the same answers about the same rows: the in-memory twin says which."""

import csv
import gzip
import json
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from adbc_driver_postgresql import dbapi
from pyarrow.fs import S3FileSystem

from andon.adapters.duckdb.log import open_log
from andon.adapters.duckdb.objects import Storage
from andon.adapters.memory_log import MemoryLog
from andon.base import predicate
from andon.base.interval import Grid, Interval
from andon.inventory.model import Columns, Model
from andon.telemetry.plan import (
    CategoryCoding,
    Coding,
    Cube,
    NumberCoding,
    Plan,
    PredicateCoding,
    PresenceCoding,
    RepeatCoding,
)
from andon.telemetry.question import Question
from andon.telemetry.schema import LogicalType, LogSchema
from andon.telemetry.source import LogSource

Row = dict[str, object]
HOSTILE = "we\"ird, 'name' ü"
MODEL = Model("m", Columns("id", "ts", label="label", label_time="label_ts"))
LATE = datetime(2100, 1, 1, tzinfo=UTC)
TYPES = LogSchema(
    {
        "id": LogicalType.TEXT,
        "ts": LogicalType.TIME,
        "x": LogicalType.NUMBER,
        "n": LogicalType.NUMBER,
        "flag": LogicalType.BOOLEAN,
        "kind": LogicalType.TEXT,
        HOSTILE: LogicalType.TEXT,
        "empty": LogicalType.NUMBER,
        "label": LogicalType.NUMBER,
        "label_ts": LogicalType.TIME,
    }
)
KINDS = ["mobile", "web", "naïve ☃", 'it\'s "quoted", yes', "007", "1.0", "true", "new\nline", None]


def _rows() -> list[Row]:
    dice = random.Random(7)  # noqa: S311
    start = datetime(1969, 12, 31, 12, tzinfo=UTC)
    xs = [None, -1.5, 0.0, -0.0, 0.1, 1.0, 2.0, 2.5, 1e300, -1e-300, 1e20, 123456.789, math.nan, math.inf, -math.inf]
    rows: list[Row] = []
    for i in range(300):
        ts = start + timedelta(minutes=7 * i, microseconds=i % 3)
        lag = dice.choice([None, timedelta(0), timedelta(hours=-1), timedelta(hours=5), timedelta(days=9)])
        rows.append(
            {
                "id": f"{i:04d}",
                "ts": ts,
                "x": xs[i % len(xs)],
                "n": dice.choice([None, -3, 0, 1, 2, 10, 2**40]),
                "flag": dice.choice([True, False, None]),
                "kind": dice.choice(KINDS),
                HOSTILE: dice.choice(["a", "b;--", None]),
                "empty": None,
                "label": dice.choice([0, 1, None]),
                "label_ts": None if lag is None else ts + lag,
            }
        )
    dice.shuffle(rows)
    return rows


ROWS = _rows()


def _table(rows: Sequence[Row]) -> pa.Table:
    storage = {"x": pa.float64(), "n": pa.int64(), "flag": pa.bool_(), "empty": pa.float64(), "label": pa.int8()}
    storage |= {"ts": pa.timestamp("us", tz="UTC"), "label_ts": pa.timestamp("us", tz="UTC")}
    schema = pa.schema([(name, storage.get(name, pa.string())) for name in TYPES.names])
    return pa.Table.from_pylist(list(rows), schema=schema)


def _parquet(rows: Sequence[Row], path: Path) -> str:
    file = path / "log.parquet"
    pq.write_table(_table(rows), file, row_group_size=50)
    return str(file)


def _naive_parquet(rows: Sequence[Row], path: Path) -> str:
    file = _parquet(rows, path)
    table = pq.read_table(file)
    for name in ("ts", "label_ts"):
        table = table.set_column(table.schema.get_field_index(name), name, table[name].cast(pa.timestamp("ns")))
    pq.write_table(table, file)
    return file


def _nanoseconds(rows: Sequence[Row], path: Path) -> str:
    file = _parquet(rows, path)
    table = pq.read_table(file)
    for name in ("ts", "label_ts"):
        zoned = table[name].cast(pa.timestamp("ns", tz="Asia/Kolkata"))
        table = table.set_column(table.schema.get_field_index(name), name, zoned)
    pq.write_table(table, file)
    return file


def _written(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _csv(rows: Sequence[Row], path: Path, name: str = "log.csv") -> str:
    file = path / name
    with gzip.open(file, "wt", newline="") if name.endswith(".gz") else file.open("w", newline="") as out:
        writer = csv.DictWriter(out, list(TYPES.names), delimiter=";" if "semi" in name else ",")
        writer.writeheader()
        writer.writerows({key: _written(value) for key, value in row.items()} for row in rows)
    return str(file)


def _json_lines(rows: Sequence[Row], path: Path, name: str = "log.jsonl") -> str:
    file = path / name
    text = "".join(json.dumps({key: _written(value) for key, value in row.items()}) + "\n" for row in rows)
    if name.endswith(".gz"):
        file.write_bytes(gzip.compress(text.encode()))
    else:
        file.write_text(text, encoding="utf-8")
    return str(file)


def _folder(rows: Sequence[Row], path: Path) -> str:
    for number, part in enumerate((rows[:100], rows[100:120], rows[120:])):
        deep = path / "logs" / f"part{number}"
        deep.mkdir(parents=True)
        _parquet(part, deep)
    (path / "logs" / "README.md").write_text("not data")
    (path / "logs" / "_metadata").mkdir()
    return str(path / "logs")


def _glob(rows: Sequence[Row], path: Path) -> str:
    _csv(rows[:250], path, "a.csv")
    _csv(rows[250:], path, "b.csv")
    return str(path / "?.csv")


def _several(rows: Sequence[Row], path: Path) -> list[str]:
    return [_json_lines(rows[200:], path, "two.jsonl"), _json_lines(rows[:200], path, "one.jsonl.gz")]


def _duckdb(rows: Sequence[Row], path: Path, name: str = "log") -> str:
    file = path / "warehouse.db"
    with duckdb.connect(str(file)) as database:
        database.execute(f"create table {name} as from '{_parquet(rows, path)}'")
    return f"duckdb:///{file}?table={name}"


def _duckdb_view(rows: Sequence[Row], path: Path) -> str:
    url = _duckdb(rows, path)
    with duckdb.connect(str(path / "warehouse.db")) as database:
        database.execute("create schema ml; create view ml.decisions as from log")
    return url.replace("=log", "=ml.decisions")


def _postgresql(server: str, rows: Sequence[Row], name: str, *, with_zone: bool) -> str:
    time = "timestamptz" if with_zone else "timestamp"
    storage = {"x": "float8", "n": "numeric", "flag": "bool", "empty": "numeric", "label": "smallint"}
    storage |= {"ts": time, "label_ts": time}
    columns = {column: '"' + column.replace('"', '""') + '"' for column in TYPES.names}
    with dbapi.connect(server) as connection, connection.cursor() as cursor:
        declared = ", ".join(f"{quoted} {storage.get(column, 'text')}" for column, quoted in columns.items())
        cursor.execute(f"create table {name} ({declared}, picture bytea, document jsonb)")
        cursor.adbc_ingest(f"{name}_raw", _table(rows), mode="create")
        picked = ", ".join(
            f"{quoted} at time zone 'UTC'" if column in ("ts", "label_ts") and not with_zone else quoted
            for column, quoted in columns.items()
        )
        cursor.execute(f"insert into {name} ({', '.join(columns.values())}) select {picked} from {name}_raw")
        connection.commit()
    return f"{server}?table=public.{name}"


def put(endpoint: str, file: Path, key: str) -> str:
    """Put a file into the bucket of the object store."""
    store = S3FileSystem(endpoint_override=endpoint, allow_bucket_creation=True)
    store.create_dir("bucket")
    with store.open_output_stream(f"bucket/{key}") as out:
        out.write(file.read_bytes())
    return f"s3://bucket/{key}"


WRITERS: Mapping[str, Callable[[Sequence[Row], Path], str | list[str]]] = {
    "parquet": _parquet,
    "naive_parquet": _naive_parquet,
    "nanoseconds": _nanoseconds,
    "csv": _csv,
    "csv_gz": lambda rows, path: _csv(rows, path, "log.csv.gz"),
    "csv_semicolon": lambda rows, path: _csv(rows, path, "semi.csv"),
    "json_lines": _json_lines,
    "folder": _folder,
    "glob": _glob,
    "several": _several,
    "duckdb": _duckdb,
    "duckdb_view": _duckdb_view,
}
SERVED = {"postgresql": "postgres", "postgresql_naive": "postgres", "s3_prefix": "s3", "s3_csv": "s3"}
"""Sources behind a server, and the fixture that runs it."""


@dataclass(frozen=True)
class Named:
    """What a user names, and what opens files there."""

    paths: str | list[str]
    storage: Storage | None = None


def named(kind: str, path: Path, request: pytest.FixtureRequest) -> Named:
    """The rows, written to a source of this kind."""
    if kind not in SERVED:
        return Named(WRITERS[kind](ROWS, path))
    server = request.getfixturevalue(SERVED[kind])
    if SERVED[kind] == "postgres":
        zone = "naive" not in kind
        return Named(_postgresql(server, ROWS, f"log_{kind}", with_zone=zone))
    storage = Storage(server)
    if kind == "s3_csv":
        return Named(put(server, Path(_csv(ROWS, path)), "csv/log.csv"), storage)
    for number, part in enumerate((ROWS[:120], ROWS[120:])):
        put(server, Path(_parquet(part, path)), f"logs/part{number}/log.parquet")
    put(server, Path(__file__), "logs/README.md")
    return Named("s3://bucket/logs", storage)


@pytest.fixture(params=[*WRITERS, *SERVED], scope="module")
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogSource]:
    place = named(request.param, tmp_path_factory.mktemp("log"), request)
    with open_log(place.paths, MODEL, types=TYPES, storage=place.storage) as log:
        yield log


@pytest.fixture(scope="module")
def twin() -> MemoryLog:
    return MemoryLog(ROWS, MODEL, types=TYPES)


def test_schema_rows_period(source: LogSource, twin: MemoryLog) -> None:
    assert source.schema() == twin.schema() == TYPES
    assert source.rows() == twin.rows()
    assert source.period() == twin.period()


@pytest.mark.parametrize("n", [0, 1, 2, 150, 300, 301])
def test_time_of_row(source: LogSource, twin: MemoryLog, n: int) -> None:
    assert source.time_of_row(n) == twin.time_of_row(n)


@pytest.mark.parametrize("column", ["x", "n", "flag", "kind", "empty", "ts", "nowhere"])
def test_profile_number(source: LogSource, twin: MemoryLog, column: str) -> None:
    assert source.profile_number(column) == twin.profile_number(column)


@pytest.mark.parametrize("pair", [("x", "n"), ("n", "x"), ("n", "flag"), ("n", "nowhere"), ("nowhere", "n")])
def test_profile_of_a_difference(source: LogSource, twin: MemoryLog, pair: tuple[str, str]) -> None:
    assert source.profile_number(*pair) == twin.profile_number(*pair)


@pytest.mark.parametrize("column", [*TYPES.names, "nowhere"])
def test_profile_category(source: LogSource, twin: MemoryLog, column: str) -> None:
    assert source.profile_category(column) == twin.profile_category(column)


def _plan(length: timedelta) -> Plan:
    codings: dict[str, Coding | PredicateCoding] = {
        "x": NumberCoding("x", (-1.5, 0.0, 0.1, 1.0, 2.0, 1e20)),
        "n": NumberCoding("n", (0.0, 1.0, 2.5)),
        "n as category": CategoryCoding("n", ("1", "2", "-3")),
        "x as category": CategoryCoding("x", ("1", "0.1", "100000000000000000000", "nan"), unseen_cells=3),
        "flag": CategoryCoding("flag", ("true",), unseen_cells=1),
        "kind": CategoryCoding("kind", ("web", 'it\'s "quoted", yes', "naïve ☃"), unseen_cells=5),
        "kind is there": PresenceCoding("kind"),
        "kind as number": NumberCoding("kind", (5.0,)),
        HOSTILE: CategoryCoding(HOSTILE, ()),
        "label": CategoryCoding("label", ("0", "1")),
        "gone": CategoryCoding("nowhere", ("a",)),
        "gone number": NumberCoding("nowhere", (1.0,)),
        "no edges": NumberCoding("x", ()),
        "when": NumberCoding("label_ts", (0.0, 86_400.0)),
        "x less n": NumberCoding("x", (-1.0, -0.5, 0.0, 1.0, 1e19), "n"),
        "x less itself": NumberCoding("x", (0.0,), "x"),
        "text less number": NumberCoding("kind", (5.0,), "n"),
        "less gone": NumberCoding("x", (0.0,), "nowhere"),
        "gone less": NumberCoding("nowhere", (0.0,), "x"),
        "n again": RepeatCoding("n", "kind"),
        "x again": RepeatCoding("x", HOSTILE),
        "text again": RepeatCoding("kind", "flag"),
        "again of nobody": RepeatCoding("n", "nowhere"),
        "gone again": RepeatCoding("nowhere", "kind"),
        "match": PredicateCoding("x >= 0.1 and not isnan(x)"),
        "hostile match": PredicateCoding(predicate.equals(HOSTILE, "b;--")),
        "null match": PredicateCoding("kind is null"),
        "late match": PredicateCoding(predicate.known_where("label = 1", predicate.before("label_ts", MIDDLE))),
        "span": PredicateCoding(predicate.within("ts", Interval(datetime(1970, 1, 1, tzinfo=UTC), MIDDLE))),
    }
    singles = tuple(Cube((name,)) for name in codings)
    pairs = (
        Cube(("x", "kind")),
        Cube((HOSTILE, "flag", "n as category")),
        Cube(("flag", "gone")),
        Cube(("n again", "flag")),
        Cube(("match", "kind", "span")),
    )
    known = (
        Cube((), known_at=True),
        Cube(("label", "x"), known_at=True),
        Cube(("flag", "match"), known_at=True),
        Cube(("label",), known_at=True, age=3),
    )
    return Plan(Grid(length), codings, (Cube(()), *singles, *pairs, *known))


@pytest.mark.parametrize("hours", [1, 6, 24])
def test_summaries(source: LogSource, twin: MemoryLog, hours: int) -> None:
    plan = _plan(timedelta(hours=hours))
    told: list[tuple[int, int]] = []
    assert source.summarize(plan, LATE, lambda done, of: told.append((done, of))) == twin.summarize(plan, LATE)
    assert told[-1] == (300, 300)


@pytest.mark.parametrize("row", [1, 2, 100, 300])
def test_summaries_stop_before_a_time(source: LogSource, twin: MemoryLog, row: int) -> None:
    before = twin.time_of_row(row)
    assert before is not None
    summary = source.summarize(_plan(timedelta(hours=6)), before)
    assert summary.rows == row - 1
    assert summary == twin.summarize(_plan(timedelta(hours=6)), before)


MIDDLE = datetime(1970, 1, 1, 3, tzinfo=UTC)
PREDICATES = [
    "true",
    predicate.within("ts", Interval(datetime(1970, 1, 1, tzinfo=UTC), MIDDLE)),
    "ts >= TIMESTAMP '1970-01-01 00:00:00' or ts < DATE '1970-01-01'",
    predicate.equals("kind", 'it\'s "quoted", yes'),
    predicate.equals(HOSTILE, "b;--"),
    predicate.one_of("kind", ["naïve ☃", None, "new\nline"]),
    predicate.equals("x", math.nan),
    predicate.at_least("x", 0.1),
    predicate.below("x", 1e20),
    predicate.all_of(predicate.any_of("n = 1", "n = 2"), "flag", predicate.is_null(HOSTILE)),
    "not flag and n between 0 and 10",
    "kind like '%o%' or kind not in ('web', 'mobile')",
    "n + 1 > 2 * n - 1 and -n < 0",
    "(x is not null) and not isnan(x)",
    "n = '1' or flag = 'true'",
]


@pytest.mark.parametrize("text", PREDICATES)
def test_answers(source: LogSource, twin: MemoryLog, text: str) -> None:
    for before, since in ((LATE, None), (MIDDLE, None), (LATE, MIDDLE), (MIDDLE, MIDDLE)):
        question = Question(text, before, examples=5, since=since)
        assert source.answer(question) == twin.answer(question)
    assert twin.answer(Question(text, LATE)).count > 0


def test_types_are_sniffed_where_none_are_given(tmp_path: Path, twin: MemoryLog) -> None:
    with open_log(_csv(ROWS, tmp_path), MODEL) as log:
        sniffed = log.schema().types
        assert {name: kind for name, kind in sniffed.items() if kind is not TYPES.types[name]} == {
            "empty": LogicalType.TEXT  # nothing in it says what it is
        }
        plan = _plan(timedelta(hours=6))
        assert log.summarize(plan, LATE) == twin.summarize(plan, LATE)


def test_labels_without_a_time_of_arrival(tmp_path: Path) -> None:
    plan = Plan(Grid(timedelta(hours=6)), {}, (Cube((), known_at=True),))
    file = _parquet(ROWS, tmp_path)
    for delay in (None, timedelta(days=2.5)):
        model = Model("m", Columns("id", "ts", label="label"), label_delay=delay)
        with open_log(file, model) as log:
            assert log.summarize(plan, LATE) == MemoryLog(ROWS, model).summarize(plan, LATE)


def test_nan_is_seen_whatever_the_statistics_of_parquet_say(tmp_path: Path) -> None:
    """Writers leave NaN out of a row group's minimum and maximum."""
    rows = [{"id": str(i), "ts": MIDDLE, "x": x} for i, x in enumerate([0.0, 1.0, math.nan])]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "log.parquet")
    plan = Plan(Grid(timedelta(hours=6)), {"x": NumberCoding("x", (0.5,))}, (Cube(("x",)),))
    twin = MemoryLog(rows, MODEL)
    with open_log(str(tmp_path / "log.parquet"), MODEL) as log:
        assert log.summarize(plan, LATE) == twin.summarize(plan, LATE)
        assert log.profile_number("x") == twin.profile_number("x")
        assert log.profile_category("x") == twin.profile_category("x")
        for text in ("isnan(x)", "not isnan(x)", "x >= 0.5", "x < 0.5", "x > 7"):
            assert log.answer(Question(text, LATE, 2)) == twin.answer(Question(text, LATE, 2))


@pytest.mark.parametrize(("together", "reads"), [(1, 3), (2, 2), (9, 1)])
def test_features_that_are_read_together_have_the_profiles_of_each_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, together: int, reads: int
) -> None:
    monkeypatch.setattr("andon.adapters.duckdb.log.PROFILED_AT_ONCE", together * len(ROWS))
    names = [name for name, kind in TYPES.types.items() if kind is LogicalType.NUMBER][:3]
    model = replace(MODEL, features=("kind", "nowhere", *names))
    twin, asked = MemoryLog(ROWS, model), list[int]()
    with open_log(_parquet(ROWS, tmp_path), model) as log:
        read = log._profile

        def counted(of: Mapping[tuple[str, str | None], str]) -> None:
            asked.append(len(of))
            read(of)

        monkeypatch.setattr(log, "_profile", counted)
        for name in (names[1], names[2], names[0]):
            assert log.profile_number(name) == twin.profile_number(name)
    assert len(asked) == reads


def test_a_large_log_is_profiled_over_the_same_rows_whatever_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("andon.adapters.duckdb.log.PROFILED_ROWS_MAX", 100)
    monkeypatch.setattr("andon.adapters.duckdb.log.SAMPLE_ROWS", 60)
    monkeypatch.setattr("andon.adapters.duckdb.open.EXACT_ROWS_MAX", 100)
    monkeypatch.setattr("andon.adapters.duckdb.open._IDS_COMPARED", 60)
    profiles = []
    for name, rows in (("a.csv", ROWS), ("b.csv", ROWS[::-1])):
        with open_log(_csv(rows, tmp_path, name), MODEL, types=TYPES) as log:
            profiles.append((log.profile_number("n"), log.profile_category("kind"), log.warnings))
    assert profiles[0] == profiles[1]
    assert 30 < sum(count for _, count in profiles[0][1].values) < 90
