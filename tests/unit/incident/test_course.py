"""A measure over time: cut at the failure's edges, never joined across them or across a time without rows."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from andon.base.interval import Interval
from andon.base.share import Share
from andon.incident.course import BUCKETS_MAX, Buckets, measured, step_of

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PERIOD = Interval(START, START + 10 * DAY)


def buckets(cells, span, starts=None):
    """Cells by bucket: `(place, span, measure) -> rows`."""
    counts = np.zeros((len(cells), 3, 3, 3), dtype=np.int64)
    for t, cell in enumerate(cells):
        for place, rows in cell.items():
            counts[(t, *place)] = rows
    starts = starts or [START + t * DAY for t in range(len(cells))]
    return Buckets(counts, starts, DAY, span, PERIOD)


def test_a_bucket_that_the_start_cuts_is_two_points():
    span = Interval(START + 1.5 * DAY, PERIOD.end)
    cells = [{(1, 0, 0): 10}, {(1, 0, 0): 4, (1, 1, 1): 6}, {(1, 1, 1): 10}]
    points = buckets(cells, span).points()
    assert [(point.inside, point.part.hits, point.part.of) for point in points] == [
        (False, 0, 10),
        (False, 0, 4),
        (True, 6, 6),
        (True, 10, 10),
    ]
    assert [point.at.start for point in points] == [START, START + DAY, START + 1.5 * DAY, START + 2 * DAY]


def test_unknown_measures_are_in_no_share_and_unknown_places_are_the_rest():
    [point] = buckets(
        [{(1, 0, 1): 3, (1, 0, 2): 90, (2, 0, 0): 5, (0, 0, 1): 5}], Interval(PERIOD.end, PERIOD.end)
    ).points()
    assert (point.part, point.rest) == (Share(3, 3), Share(5, 10))


def test_a_time_without_rows_is_in_no_point():
    starts = [START + t * DAY for t in (0, 1, 2, 6, 7, 8)]
    points = buckets([{(1, 0, 0): 1}] * 6, Interval(PERIOD.end, PERIOD.end), starts).points()
    assert all(point.at.end <= START + 3 * DAY or point.at.start >= START + 6 * DAY for point in points)
    assert sum(point.part.of for point in points) == 6


@given(st.lists(st.integers(0, 5), min_size=1, max_size=10), st.integers(0, 20), st.integers(0, 20))
def test_every_row_is_in_one_point(rows, a, b):
    span = Interval(START + min(a, b) * DAY / 2, START + max(a, b) * DAY / 2)
    cells = []
    for t, n in enumerate(rows):
        overlaps = Interval(START + t * DAY, START + (t + 1) * DAY).overlaps(span) and span.length > timedelta(0)
        cells.append({(1, 1 if overlaps else 0, 1): n})
    points = buckets(cells, span).points()
    assert sum(point.part.of for point in points) == sum(rows)
    assert all(first.at.end <= second.at.start for first, second in pairwise(points))


@pytest.mark.parametrize("days", [0.001, 1, 30, 365, 5000, 36_500])
def test_a_period_has_few_buckets(days):
    period = Interval(START, START + timedelta(days=days))
    assert period.length / step_of(period) <= BUCKETS_MAX


def test_measured_is_yes_among_yes_and_no():
    assert measured(np.array([3, 4, 99])) == Share(4, 7)
