"""Pictures out of letters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andon.interfaces.cli import spark

shares = st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=300)


def test_a_sparkline_rises_and_shows_what_is_missing():
    assert spark.sparkline([0, 0.5, 1, None], 0, 1) == "▁▅█·"


def test_a_flat_line_is_low():
    assert spark.sparkline([0.3, 0.3], 0.3, 0.3) == "▁▁"


def test_a_bar_is_in_eighths_and_never_vanishes():
    assert spark.bar(1, 1, 4) == "████"
    assert spark.bar(0.5, 1, 1) == "▌"
    assert spark.bar(0.0001, 1, 4) == "▏"
    assert spark.bar(0, 1, 4) == ""


def test_neighbours_are_averaged_and_missing_ones_left_out():
    assert spark.fit([0, 1, None, 1, None, None], 3) == [0.5, 1, None]


def test_bounds_of_nothing():
    assert spark.bounds([None], []) is None
    assert spark.bounds([None, 2], [1]) == (1, 2)


@given(shares, st.integers(1, 120))
def test_it_fits_the_width(values, width):
    assert len(spark.fit(values, width)) <= max(width, 0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=300), st.integers(1, 120))
def test_every_value_stands_on_a_column(values, width):
    fitted = spark.fit(values, width)
    columns = [spark.column(i, len(values), width) for i in range(len(values))]
    assert columns == sorted(columns)
    assert columns[-1] < len(fitted)


@pytest.mark.parametrize(("count", "width", "each"), [(10, 100, 3), (40, 100, 2), (99, 100, 1)])
def test_few_values_are_stretched(count, width, each):
    assert len(spark.fit([1.0] * count, width)) == count * each
