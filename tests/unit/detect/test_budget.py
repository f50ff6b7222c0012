"""The alarm budget: what it promises over all looks together, and that more looks never make it laxer."""

from datetime import timedelta
from math import erfc, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andon.detect.budget import INDEPENDENT_LOOKS, QUARTER, Budget

HOUR = timedelta(hours=1)
LENGTHS = st.timedeltas(timedelta(minutes=1), timedelta(days=7))
SHARES, MARKS = st.floats(0.001, 1.0), st.integers(0, 1_000_000)


def false_per_quarter(threshold: float, marks: int, evaluation: timedelta) -> float:
    """How often chance alone passes a threshold in a quarter."""
    looks = max(marks, 1) * INDEPENDENT_LOOKS * (QUARTER / evaluation)
    return erfc(threshold / sqrt(2)) * looks


@given(st.floats(0.01, 100), SHARES, MARKS, LENGTHS)
def test_chance_alone_passes_no_more_often_than_the_budget_allows(
    budget: float, share: float, marks: int, evaluation: timedelta
) -> None:
    threshold = Budget(budget).threshold(share, marks, evaluation)
    assert false_per_quarter(threshold, marks, evaluation) <= budget * share * (1 + 1e-6)


@given(SHARES, MARKS, MARKS, LENGTHS, LENGTHS)
def test_more_marks_more_looks_or_a_smaller_share_never_lower_the_threshold(
    share: float, few: int, more: int, often: timedelta, seldom: timedelta
) -> None:
    few, more = sorted((few, more))
    often, seldom = sorted((often, seldom))
    threshold = Budget().threshold(share, few, seldom)
    assert Budget().threshold(share, more, seldom) >= threshold
    assert Budget().threshold(share, few, often) >= threshold
    assert Budget().threshold(share / 2, few, seldom) >= threshold


def test_detectors_that_share_the_budget_spend_it_once() -> None:
    marks, shares = (100, 5_000, 70), (0.5, 0.3, 0.2)
    thresholds = [Budget().threshold(share, n, HOUR) for share, n in zip(shares, marks, strict=True)]
    assert sum(false_per_quarter(z, n, HOUR) for z, n in zip(thresholds, marks, strict=True)) <= 1.0


def test_a_larger_budget_is_a_lower_threshold_where_looks_are_many() -> None:
    assert Budget(10.0).threshold(1.0, 1_000_000, HOUR) < Budget(0.1).threshold(1.0, 1_000_000, HOUR)


@pytest.mark.parametrize("evaluation", [timedelta(days=7), QUARTER, 10 * QUARTER])
def test_few_looks_and_slow_traffic_do_not_make_chance_an_incident(evaluation: timedelta) -> None:
    assert Budget(1_000.0).threshold(1.0, 0, evaluation) >= 4.0
