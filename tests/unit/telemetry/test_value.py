"""One text per value, whatever a file stores it as."""

# ruff: noqa: DTZ001  # a log may hold naive times; they are UTC

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from andon.adapters.duckdb.codes import text_sql
from andon.telemetry.value import text_of, unseen_cell


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("007", "007"),
        ("", ""),
        (True, "true"),
        (False, "false"),
        (1, "1"),
        (1.0, "1"),
        (-0.0, "0"),
        (Decimal("1.50"), "1.5"),
        (Decimal(3), "3"),
        (0.1, "0.1"),
        (1e20, "1e+20"),
        (10**20, "100000000000000000000"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (date(2026, 1, 2), "2026-01-02 00:00:00"),
        (datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=timezone(timedelta(hours=2))), "2026-01-02 01:04:05.6"),
        (datetime(2026, 1, 2, 3, 4, 10, tzinfo=UTC), "2026-01-02 03:04:10"),
    ],
)
def test_text(value: object, text: str | None) -> None:
    assert text_of(value) == text


@given(
    st.floats()
    | st.integers(-(2**63), 2**63 - 1)
    | st.booleans()
    | st.datetimes(datetime(1, 1, 1), datetime(9999, 1, 1))
)
def test_duckdb_says_the_same(value: object) -> None:
    storage = {float: "DOUBLE", int: "BIGINT", bool: "BOOLEAN", datetime: "TIMESTAMP"}[type(value)]
    found = _CONNECTION.execute(f"select {text_sql('v', storage)} from (select cast($1 as {storage}) as v)", [value])
    assert found.fetchall() == [(text_of(value),)]


def test_a_nan_has_no_sign() -> None:
    for value in ("'nan'", "-cast('nan' as double)"):
        found = _CONNECTION.execute(f"select {text_sql('v', 'DOUBLE')} from (select cast({value} as double) as v)")
        assert found.fetchall() == [("nan",)]


def test_the_cell_of_an_unseen_value_never_changes() -> None:
    assert [unseen_cell(text, 64) for text in ("new", "", "ü", "a" * 1000)] == [29, 25, 37, 28]


_CONNECTION = duckdb.connect()
