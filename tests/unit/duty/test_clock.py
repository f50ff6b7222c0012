"""When duties are due, and when a clock warns: once per threshold, the last word after an absence."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andon.base.errors import BadInput
from andon.duty.calendar import due_at
from andon.duty.clock import WARN_AT, Clock

START = datetime(2026, 11, 27, 15, 30, tzinfo=UTC)  # a Friday


@pytest.mark.parametrize(
    ("length", "start", "due"),
    [
        ("15 minutes", START, START + timedelta(minutes=15)),
        ("1 hour", START, START + timedelta(hours=1)),
        ("30 days", START, START + timedelta(days=30)),
        ("next business day", START, datetime(2026, 12, 1, tzinfo=UTC)),
        ("next business day", datetime(2026, 11, 26, 23, 59, tzinfo=UTC), datetime(2026, 11, 28, tzinfo=UTC)),
        ("next business day", datetime(2026, 11, 28, 9, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),
        ("next business day", datetime(2026, 11, 29, 9, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),
    ],
)
def test_due(length, start, due):
    assert due_at(length, start) == due


@pytest.mark.parametrize("length", ["soon", "0 hours", "15 min", "1.5 hours", "next business week"])
def test_no_length(length):
    with pytest.raises(BadInput, match="no length of a duty"):
        due_at(length, START)


def clock(met=None):
    return Clock("response", START, START + timedelta(minutes=100), None if met is None else after(met))


def after(minutes):
    return START + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("minutes", "given", "warning"),
    [
        (49, (), None),
        (50, (), 50),
        (60, (50,), None),
        (75, (50,), 75),
        (90, (50, 75), 90),
        (100, (50, 75, 90), 100),
        (99.9, (), 90),  # away until now: the last word only
        (500, (), 100),
        (500, (100,), None),
        (95, (90,), None),
    ],
)
def test_warnings(minutes, given, warning):
    assert clock().warning(after(minutes), given) == warning
    assert clock(met=10).warning(after(minutes), given) is None


def test_states():
    assert [clock().state(after(m)) for m in (0, 99, 100, 101)] == ["running", "running", "missed", "missed"]
    assert [clock(met=m).state(after(200)) for m in (10, 100, 150)] == ["met", "met late", "met late"]
    assert clock(met=25).percent(after(200)) == 25


@given(st.lists(st.floats(0, 300), min_size=1, max_size=30))
def test_however_often_it_is_looked_at_each_warning_comes_once_and_the_end_is_always_told(looks):
    told = []
    for minutes in [*sorted(looks), 301]:
        warning = clock().warning(after(minutes), told)
        told += [] if warning is None else [warning]
    assert told == sorted(set(told))
    assert told[-1] == 100


@given(st.floats(0, 99.9))
def test_the_next_threshold_is_when_the_next_warning_comes(minutes):
    at = clock().next_at(after(minutes))
    given = [each for each in WARN_AT if clock().percent(after(minutes)) >= each]
    assert at > after(minutes)
    assert clock().warning(at, given) is not None
