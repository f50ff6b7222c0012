"""How a column is spread: the axis, the bars, the median, the distance."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from andon.adapters.memory_log import MemoryLog
from andon.incident.figures import Bars, Values
from andon.incident.spread import BARS, Axis, Counted, axis, distribution, js_distance
from andon.inventory.model import Columns, Model
from andon.telemetry.plan import CategoryCoding, PresenceCoding
from andon.telemetry.source import NumberProfile

MODEL = Model("m", Columns("id", "ts"))


def profile(values):
    rows = [{"id": str(i), "ts": None, "x": value} for i, value in enumerate(values)]
    log = MemoryLog.__new__(MemoryLog)
    log._rows, log._types = rows, {"x": "number"}
    return log.profile_number("x")


def counted(cut, values):
    coding = cut.coding("x")
    codes = np.searchsorted(coding.edges, values, side="right")
    return np.bincount(codes, minlength=coding.size).astype(np.int64)


def spread(before, during):
    cut = axis(profile(before), profile(during))
    return distribution(cut.coding("x"), Counted(counted(cut, before), counted(cut, during), {}), cut)


def test_few_values_each_have_a_bar_and_exact_medians():
    found = spread([1.0] * 6 + [2.0] * 4, [2.0] * 9 + [5.0])
    assert found.shape == Bars(
        (), (1.0, 2.0, 5.0), is_log=False, before=(6, 4, 0), during=(0, 9, 1), median_before=1.0, median_during=2.0
    )
    assert (found.n_before, found.n_during) == (10, 10)


def test_a_column_scaled_down_is_seen_on_a_log_axis():
    dice = np.random.default_rng(1)
    before = np.exp(dice.normal(10, 0.5, 4000))
    found = spread(before, before / 32.5)
    assert isinstance(found.shape, Bars)
    assert found.shape.is_log
    assert len(found.shape.before) == len(found.shape.during) == len(found.shape.edges) - 1 == BARS
    assert sum(found.shape.before) == sum(found.shape.during) == 4000
    assert found.shape.median_before / found.shape.median_during == pytest.approx(32.5, rel=0.05)
    assert found.shape.median_before == pytest.approx(np.median(before), rel=0.02)
    assert found.distance > 0.9


def test_a_heavy_tail_with_noughts_has_a_log_axis_whose_first_bin_holds_them():
    dice = np.random.default_rng(2)
    values = np.where(dice.random(4000) < 0.2, 0.0, np.exp(dice.normal(7, 1.5, 4000)))
    found = spread(values, values)
    assert found.shape.is_log
    assert found.shape.has_below
    assert found.shape.before[0] >= 0.2 * 4000 * 0.9
    assert found.distance == 0


def test_a_stray_value_does_not_flatten_the_rest():
    values = np.concatenate((np.linspace(-50, 50, 5000), np.full(10, 1e6)))
    found = spread(values, values)
    assert not found.shape.is_log
    assert found.shape.edges[-1] < 1000
    assert sum(found.shape.before) == 5010
    assert max(found.shape.before) < 2000


def whole_numbers(shape):
    """How many whole numbers each bar holds."""
    return {int(np.floor(b) - np.floor(a)) for a, b in pairwise(shape.edges)}


def test_evenly_spread_whole_numbers_have_even_bars_and_a_median_among_them():
    ages = np.tile(np.arange(20.0, 75.0), 100)
    found = spread(ages, ages + 1)
    assert found.shape.is_whole
    assert whole_numbers(found.shape) == {1}
    assert (set(found.shape.before), set(found.shape.during)) == ({0, 100}, {0, 100})
    assert (found.shape.median_before, found.shape.median_during) == (47, 48)


@given(st.integers(-1000, 1000), st.integers(41, 50_000))
def test_each_bar_holds_as_many_whole_numbers_as_the_next(low, count):
    values = low + np.arange(float(count))
    shape = spread(values, values).shape
    if shape.is_log:
        return
    assert len(whole_numbers(shape)) == 1
    assert len(shape.before) <= 60
    assert len(set(shape.before[1:-1])) == 1
    assert (2 * shape.median_before).is_integer()
    assert abs(shape.median_before - np.median(values)) <= (shape.edges[1] - shape.edges[0]) / 10 + 0.5


def test_whole_numbers_on_a_log_axis_have_a_median_among_them():
    dice = np.random.default_rng(3)
    shape = spread(*(np.round(np.exp(dice.normal(4, 2, 4001))) for _ in range(2))).shape
    assert (shape.is_log, shape.is_whole) == (True, True)
    assert (2 * shape.median_before).is_integer()
    assert shape.median_before == pytest.approx(np.exp(4), rel=0.1)


def test_whole_numbers_from_one_on_are_not_drawn_in_ratios_that_leave_bars_empty():
    values = np.tile(np.arange(1.0, 121.0), 30)
    shape = spread(values, values).shape
    assert not shape.is_log
    assert set(shape.before) == {30 * 120 // len(shape.before)}


def test_numbers_that_are_not_whole_are_cut_as_finely_as_ever():
    values = np.arange(2000) / 16
    shape = spread(values, values).shape
    assert (shape.is_whole, len(shape.before)) == (False, BARS)
    assert shape.median_before == pytest.approx(np.median(values), abs=values[-1] / BARS / 10)


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=80), st.lists(st.floats(-1e300, 1e300), max_size=80))
def test_any_numbers_give_bars_that_hold_them_all(before, during):
    found = spread(before, during)
    assert isinstance(found.shape, Bars)
    assert sum(found.shape.before) == len(before)
    assert sum(found.shape.during) == len(during)
    assert len(found.shape.before) == len(found.shape.during) == (len(found.shape.values) or len(found.shape.edges) - 1)
    assert list(found.shape.edges) == sorted(set(found.shape.edges))


def test_no_values_at_all_are_no_error():
    cut = axis(NumberProfile(0, None, ()), NumberProfile(0, (), ()))
    empty = np.zeros(cut.coding("x").size, dtype=np.int64)
    empty[cut.coding("x").null] = 7
    found = distribution(cut.coding("x"), Counted(empty, empty, {}), cut)
    assert (found.empty_before.hits, found.n_before, found.distance) == (7, 0, None)


def test_categories_stand_by_how_much_they_changed_and_new_ones_are_named():
    coding = CategoryCoding("kind", ("web", "app", "shop"), unseen_cells=2)
    before = np.array([60, 30, 10, 5, 0, 0])
    during = np.array([55, 5, 0, 0, 40, 0])
    found = distribution(coding, Counted(before, during, {4: "robot"}))
    assert isinstance(found.shape, Values)
    assert [value for value, *_ in found.shape.shares] == [None, "app", "shop", "web"]
    assert found.shape.names == ("robot",)
    assert [share.hits for share in found.shape.shares[0][1:]] == [0, 40]
    assert (found.empty_before.hits, found.empty_before.of, found.empty_during.hits) == (5, 105, 0)


def test_many_categories_are_cut_and_counted():
    coding = CategoryCoding("kind", tuple(f"v{n:02d}" for n in range(30)))
    counts = np.zeros(coding.size, dtype=np.int64)
    counts[:30] = 10
    found = distribution(coding, Counted(counts, counts, {}))
    assert (len(found.shape.shares), found.shape.more) == (12, 18)


def test_of_names_only_absence_is_told():
    found = distribution(PresenceCoding("text"), Counted(np.array([9, 1]), np.array([0, 10]), {}))
    assert (found.shape, found.distance) == (None, None)
    assert (found.empty_before.value, found.empty_during.value) == (0.1, 1.0)


counts = st.lists(st.integers(0, 1000), min_size=4, max_size=4).map(np.array)


@given(counts, counts)
def test_the_distance_is_symmetric_and_between_nought_and_one(p, q):
    distance = js_distance(p, q)
    if p.sum() and q.sum():
        assert distance == pytest.approx(js_distance(q, p))
        assert 0 <= distance <= 1 + 1e-9
        assert js_distance(p, 3 * p) == pytest.approx(0, abs=1e-6)
    else:
        assert distance is None


def test_what_shares_nothing_is_one_apart():
    assert js_distance(np.array([5, 0]), np.array([0, 9])) == pytest.approx(1)


def test_an_axis_codes_its_column():
    assert Axis((1.0, 2.0)).coding("x").edges == (1.0, 2.0)
