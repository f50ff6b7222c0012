"""Summaries add exactly: in any order, over any split, from any engine."""

# ruff: noqa: DTZ001  # a log may hold naive times; they are UTC

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from andon.adapters.duckdb.log import open_log
from andon.adapters.memory_log import MemoryLog, code_of
from andon.base.interval import Grid
from andon.inventory.model import Columns, Model
from andon.telemetry.plan import CategoryCoding, Coding, Cube, NumberCoding, Plan, PresenceCoding
from andon.telemetry.summary import LAG_MAX, LAG_NEVER, Counts, Summary, pack, unpack
from andon.telemetry.tally import NEVER_US, Batch, Tally

Row = dict[str, object]
MODEL = Model("m", Columns("id", "ts", label="y", label_time="y_ts"))
LATE = datetime(2100, 1, 1, tzinfo=UTC)
EDGES = (-1.0, 0.0, 2.5)
CODINGS: dict[str, Coding] = {
    "x": NumberCoding("x", EDGES),
    "c": CategoryCoding("c", ("a", "b"), unseen_cells=3),
    "slice of c": CategoryCoding("c", ("b",), unseen_cells=1),
    "t": PresenceCoding("c"),
    "y": CategoryCoding("y", ("0", "1")),
}
CUBES = (
    Cube(()),
    Cube(("x",)),
    Cube(("c", "x")),
    Cube(("t",)),
    Cube(("slice of c",)),
    Cube((), known_at=True),
    Cube(("y", "c", "x"), known_at=True),
    Cube(("y", "c"), known_at=True, age=2),
)
PLAN = Plan(Grid(timedelta(hours=6)), CODINGS, CUBES)
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("ts", pa.timestamp("us")),
        ("x", pa.float64()),
        ("c", pa.string()),
        ("y", pa.int64()),
        ("y_ts", pa.timestamp("us")),
    ]
)

times = st.datetimes(datetime(1969, 12, 30), datetime(1970, 1, 3))
rows = st.fixed_dictionaries(
    {
        "id": st.uuids().map(str),
        "ts": times,
        "x": st.none()
        | st.sampled_from([*EDGES, -0.0, math.nan, math.inf, -math.inf, 2.4999999999999996])
        | st.floats(),
        "c": st.none() | st.sampled_from(["a", "b", "new", "A", "ü", "", "it's"]),
        "y": st.none() | st.sampled_from([0, 1, 2]),
        "y_ts": st.none() | times,
    }
)
logs = st.lists(rows, min_size=1, max_size=30)


def _twin(part: Sequence[Row]) -> Summary:
    return MemoryLog(part, MODEL).summarize(PLAN, LATE)


def _parts(log: Sequence[Row], places: Sequence[int]) -> list[list[Row]]:
    parts: dict[int, list[Row]] = {}
    for row, place in zip(log, places, strict=True):
        parts.setdefault(place, []).append(row)
    return list(parts.values())


@given(st.lists(st.lists(rows, max_size=5), min_size=3, max_size=3))
def test_addition_is_commutative_and_associative_with_a_zero(logs: list[list[Row]]) -> None:
    a, b, c = map(_twin, logs)
    zero = Summary.empty(PLAN)
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + zero == zero + a == a


@given(logs, st.data())
def test_the_parts_of_any_split_add_to_the_whole(log: list[Row], data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, 3), min_size=len(log), max_size=len(log)))
    parts = data.draw(st.permutations(_parts(log, places)))
    assert reduce(add, map(_twin, parts)) == _twin(log)


@settings(max_examples=12)  # each opens up to four files
@given(log=logs, data=st.data())
def test_duckdb_counts_as_the_twin_over_any_split_and_order(
    log: list[Row], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    places = data.draw(st.lists(st.integers(0, 2), min_size=len(log), max_size=len(log)))
    parts = _parts(data.draw(st.permutations(log)), data.draw(st.permutations(places)))
    files = [_write(part, tmp_path_factory.mktemp("part") / "log.parquet") for part in parts]
    summed = []
    for file in files:
        with open_log(file, MODEL) as source:
            summed.append(source.summarize(PLAN, LATE))
    with open_log(files, MODEL) as source:
        whole = source.summarize(PLAN, LATE)
    assert reduce(add, summed) == whole == _twin(log)


def _write(part: Sequence[Row], path: Path) -> str:
    pq.write_table(pa.Table.from_pylist(list(part), schema=SCHEMA), path)
    return str(path)


@settings(max_examples=50)
@given(logs, st.integers(1, 7))
def test_batches_of_any_size_tally_as_the_twin(log: list[Row], size: int) -> None:
    tally = Tally(PLAN)
    for first in range(0, len(log), size):
        tally.add(_batch(log[first : first + size]))
    assert tally.rows == len(log)
    twin = _twin(log)
    assert Summary(PLAN.digest, tally.rows, tally.counts(), twin.names) == twin


def _batch(part: Sequence[Row]) -> Batch:
    codes = {
        name: np.array([code_of(coding, row[coding.column]) for row in part], dtype=np.uint8)
        for name, coding in CODINGS.items()
    }
    return Batch(
        np.array([_us(row["ts"]) for row in part]),
        np.array([row["y"] is not None for row in part]),
        np.array([NEVER_US if row["y_ts"] is None else _us(row["y_ts"]) for row in part]),
        codes,
    )


def _us(at: object) -> int:
    assert isinstance(at, datetime)
    return (at.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def test_a_value_whose_rows_went_away_before_they_were_named_has_no_name() -> None:
    tally = Tally(PLAN)
    tally.add(_batch([{"ts": datetime(2026, 1, 1), "x": 0.0, "c": c, "y": None, "y_ts": None} for c in ("a", "new")]))
    cell = code_of(CODINGS["slice of c"], "a")
    assert tally.unseen.completed({}) == {("slice of c", cell): (81816, "a")}


def test_memory_follows_the_counts_and_large_cubes_are_counted_too() -> None:
    codings: dict[str, Coding] = {name: CategoryCoding(name, tuple(map(str, range(5_000)))) for name in ("a", "b")}
    plan = Plan(Grid(timedelta(hours=1)), codings, (Cube(("a", "b")),))
    tally, dice = Tally(plan), np.random.default_rng(7)
    counted: dict[int, int] = {}
    for _ in range(3):
        a, b = dice.integers(0, 5_000, (2, 20_000))
        tally.add(Batch(np.zeros(20_000, dtype=np.int64), None, None, {"a": a, "b": b.astype(np.uint16)}))
        for key in (a * codings["b"].size + b).tolist():
            counted[key] = counted.get(key, 0) + 1
    [counts] = tally.counts().values()
    assert dict(zip(counts.keys.tolist(), counts.counts.tolist(), strict=True)) == counted
    assert counts.keys.tolist() == sorted(counted)


@given(st.integers(-(2**20), 2**20), st.integers(0, LAG_NEVER), st.integers(0, 999))
def test_keys_unpack_to_what_was_packed(bucket: int, lag: int, code: int) -> None:
    key = pack(np.array([bucket]), np.array([lag]), np.array([code]), 1000)
    assert [int(part[0]) for part in unpack(key, 1000)] == [bucket, lag, code]


def test_counts_of_repeated_keys() -> None:
    counts = Counts.of(np.array([5, -2, 5]))
    assert (counts.keys.tolist(), counts.counts.tolist()) == ([-2, 5], [1, 2])


@pytest.mark.parametrize(
    ("late", "lag"),
    [
        (None, LAG_NEVER),
        (timedelta(days=-3), 0),
        (timedelta(0), 0),
        (timedelta(hours=6), 1),
        (timedelta(days=365 * 60), LAG_MAX),
    ],
)
def test_lags(late: timedelta | None, lag: int) -> None:
    at = datetime(1970, 1, 1, 7, tzinfo=UTC)
    log = MemoryLog([{"id": "1", "ts": at, "y": 1, "y_ts": None if late is None else at + late}], MODEL)
    summary = log.summarize(Plan(PLAN.grid, {}, (Cube((), known_at=True),)), LATE)
    [(bucket,), (found,), _] = unpack(next(iter(summary.cubes.values())).keys, 1)
    assert (bucket, found) == (1, lag)


def test_summaries_of_two_plans_do_not_add() -> None:
    other = Plan(Grid(timedelta(hours=1)), CODINGS, CUBES)
    with pytest.raises(ValueError, match="two plans do not add"):
        Summary.empty(PLAN) + Summary.empty(other)
