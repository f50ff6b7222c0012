"""Values stand where they belong, and their names are round."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andon.base.interval import Interval
from andon.chart.scale import FULL, Linear, TimeAxis, share_axis

BERLIN = ZoneInfo("Europe/Berlin")
finite = st.floats(-1e12, 1e12)


def test_a_linear_axis_is_even_and_a_log_axis_keeps_ratios():
    assert [Linear(0, 10).at(v) for v in (-5, 0, 2.5, 10, 99)] == [0, 0, 250, FULL, FULL]
    assert [round(Linear(1, 1000, is_log=True).at(v)) for v in (0, 1, 10, 100, 1000)] == [0, 0, 333, 667, 1000]


@given(finite, finite, st.integers(1, 9))
def test_ticks_are_few_and_on_the_axis(a, b, most):
    axis = Linear(min(a, b), max(a, b))
    ticks = axis.ticks(most)
    assert len(ticks) <= most + 1
    slack = 1e-6 * (axis.high - axis.low) + 1e-9
    assert all(axis.low - slack <= tick <= axis.high + slack for tick in ticks)


@given(st.floats(1e-9, 1e9), st.floats(1.0, 1e9), st.integers(1, 9))
def test_ticks_of_a_log_axis_are_powers_of_ten_or_its_ends(low, ratio, most):
    axis = Linear(low, low * ratio, is_log=True)
    ticks = axis.ticks(most)
    assert ticks
    assert len(ticks) <= max(most, 2)


def test_an_axis_of_one_value_has_it_in_the_middle():
    assert Linear(3, 3).at(3) == FULL / 2
    assert Linear(3, 3).ticks(5) == [3]


@pytest.mark.parametrize(
    ("greatest", "top"), [(0.0, 0.01), (0.004, 0.01), (0.07, 0.1), (0.5, 0.5), (0.51, 0.6), (0.9, 1.0), (1.0, 1.0)]
)
def test_a_share_axis_starts_at_nought_and_ends_on_a_round_value(greatest, top):
    axis = share_axis(greatest)
    assert (axis.low, axis.high) == (0.0, top)


def test_days_begin_where_the_zone_has_them_also_when_the_clocks_change():
    span = Interval(datetime(2026, 3, 25, 12, tzinfo=UTC), datetime(2026, 4, 2, tzinfo=UTC))
    ticks = TimeAxis(span, BERLIN).ticks(8)
    assert [word for _, word in ticks][:3] == ["26 Mar", "27 Mar", "28 Mar"]
    assert all((at.hour, at.minute) == (0, 0) for at, _ in ticks)
    assert ticks[0][0] == datetime(2026, 3, 25, 23, tzinfo=UTC)  # CET
    assert ticks[-1][0] == datetime(2026, 4, 1, 22, tzinfo=UTC)  # CEST


@given(st.integers(1, 10**9), st.integers(1, 9))
def test_time_ticks_are_few_and_within(seconds, most):
    start = datetime(2020, 2, 29, 3, 7, tzinfo=UTC)
    axis = TimeAxis(Interval(start, start + timedelta(seconds=seconds)), BERLIN)
    ticks = axis.ticks(most)
    assert len(ticks) <= most + 1
    assert all(axis.span.start <= at <= axis.span.end for at, _ in ticks)
    assert [axis.at(at) for at, _ in ticks] == sorted(axis.at(at) for at, _ in ticks)


def test_a_moment_beyond_the_axis_stands_at_its_end():
    start = datetime(2020, 1, 1, tzinfo=UTC)
    axis = TimeAxis(Interval(start, start + timedelta(days=1)), UTC)
    assert [axis.at(start + timedelta(hours=h)) for h in (-9, 0, 6, 24, 99)] == [0, 0, 250, FULL, FULL]
    assert TimeAxis(Interval(start, start), UTC).at(start) == FULL / 2


def test_where_there_is_less_room_some_ticks_are_kept():
    start = datetime(2011, 1, 7, tzinfo=UTC)
    labels = TimeAxis(Interval(start, start + timedelta(days=355)), UTC).labels(7, 3)
    assert [word for _, word, _ in labels] == ["7 Jan", "4 Mar", "29 Apr", "24 Jun", "19 Aug", "14 Oct", "9 Dec"]
    assert [word for _, word, is_kept in labels if is_kept] == ["7 Jan", "24 Jun", "9 Dec"]
