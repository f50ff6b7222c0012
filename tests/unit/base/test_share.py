"""A share and its interval."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andon.base.share import Share
from andon.base.visible import visible


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (1, 10, 0.0179, 0.4042), (81, 263, 0.2553, 0.3662), (10, 10, 0.7225, 1.0)],
)
def test_the_interval_is_wilsons(hits, of, low, high):
    """81 of 263 is the example of Newcombe 1998, "Two-sided confidence intervals for the single proportion"."""
    share = Share(hits, of)
    assert share.low == pytest.approx(low, abs=5e-5)
    assert share.high == pytest.approx(high, abs=5e-5)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_the_interval_holds_the_share_and_stays_within_nought_and_one(a, b):
    share = Share(min(a, b), max(a, b))
    assert 0 <= share.low <= share.high <= 1
    if share.value is None:
        assert (share.low, share.high) == (0, 1)
    else:
        assert share.low - 1e-12 <= share.value <= share.high + 1e-12


@given(st.text())
def test_visible_text_prints(text):
    assert visible(text).isprintable()
    assert visible(visible(text)) == visible(text)
