"""Times, half-open intervals and the grid, before 1970 too."""

# ruff: noqa: DTZ001  # a log may hold naive times; they are UTC

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andon.base.interval import Grid, Interval, from_us, to_us

times = st.datetimes(
    datetime(1, 1, 3), datetime(9999, 1, 1), timezones=st.sampled_from([UTC, timezone(timedelta(hours=5.5))])
)


@given(times)
def test_microseconds_and_back(at: datetime) -> None:
    assert from_us(to_us(at)) == at


@given(times, st.integers(1, 10**12))
def test_a_time_lies_in_its_bucket(at: datetime, microseconds: int) -> None:
    grid = Grid(timedelta(microseconds=microseconds))
    bucket = grid.bucket(at)
    assert bucket * microseconds <= to_us(at) < (bucket + 1) * microseconds
    assert grid.last_evaluation(at) == bucket


def test_buckets_before_1970_floor() -> None:
    grid = Grid(timedelta(hours=6))
    assert grid.bucket(datetime(1969, 12, 31, 23, tzinfo=UTC)) == -1
    assert grid.start(-1) == datetime(1969, 12, 31, 18, tzinfo=UTC)


def test_intervals_are_half_open() -> None:
    day = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    assert not Interval(day[0], day[1]).overlaps(Interval(day[1], day[2]))
    assert Interval(day[0], day[2]).overlaps(Interval(day[1], day[2]))
    assert Interval(day[0], day[2]).length == timedelta(days=2)
    with pytest.raises(ValueError, match="ends before it starts"):
        Interval(day[1], day[0])
