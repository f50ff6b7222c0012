"""Wrong numbers, as the late labels tell: where the error of a predicted number lies among the reference's errors."""

from collections.abc import Iterator

import numpy as np

from andon.base.predicate import any_of, difference, difference_at_least, difference_below
from andon.detect.builtin import late_marks
from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.mark import Mark, MarkSeries
from andon.detect.planning import ERROR, Watched, slice_coding
from andon.telemetry.plan import Cube, NumberCoding
from andon.telemetry.summary import Int64

TAIL = 0.05
"""An error is large when it lies outside the middle 90 % of the reference's: this share at either end."""


class RegressionError:
    """Share of labelled rows whose error (label less prediction) is below each cut, and of those with a large error.

    The cuts are the reference's 5 % quantiles, so a bias moves those near 0 and a wider spread those at the ends.
    Labels are taken as they arrive.
    """

    name = "regression_error"
    layer = Layer.PERFORMANCE
    statistic = "effect_h"
    description = "The errors of a predicted number get larger or leave their usual place, by the labels that arrived."
    blind_to = "Rows without labels; how far out the largest errors are: a thousandfold error counts as one large one."
    threshold_source = JUMP_TEST
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        return cubes(watched)

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        yield from families(watched, late_marks.Labels(history))


def cubes(watched: Watched) -> tuple[Cube, ...]:
    """What is counted where the answer is a number: its errors, overall and by slice."""
    if _coding(watched) is None:
        return ()
    slices = [Cube((slice_coding(column), ERROR), known_at=True) for column in watched.slices]
    return (Cube((ERROR,), known_at=True), *slices)


def families(watched: Watched, labels: late_marks.Labels) -> Iterator[MarkSeries]:
    """Wrong numbers, overall and by slice."""
    coding = _coding(watched)
    if coding is None:
        return
    faults = _faults(coding, labels.reference(ERROR).sum(axis=0))
    yield late_marks.everywhere(faults, labels, ERROR)
    for column in watched.slices:
        inside = late_marks.in_slices(faults, watched, labels, column, ERROR)
        if inside is not None:
            yield inside


def _coding(watched: Watched) -> NumberCoding | None:
    coding = watched.codings.get(ERROR)
    return coding if isinstance(coding, NumberCoding) and coding.edges else None


def _faults(coding: NumberCoding, reference: Int64) -> list[late_marks.Fault]:
    usable = np.arange(coding.size) < coding.bins
    column, minus = coding.column, str(coding.minus)
    error = difference(column, minus)
    faults = [
        late_marks.Fault(
            Mark(ERROR, (), f"{error} is below {edge:.6g}", (), difference_below(column, minus, edge)),
            np.arange(coding.size) <= code,
            usable,
        )
        for code, edge in enumerate(coding.edges)
    ]
    low, high = _middle(reference[: coding.bins])
    if low is None or high is None:
        return faults
    codes = np.arange(coding.size)
    ends = (difference_below(column, minus, coding.edges[low]), difference_at_least(column, minus, coding.edges[high]))
    what = f"{error} is large: below {coding.edges[low]:.6g} or at least {coding.edges[high]:.6g}"
    large = late_marks.Fault(
        Mark(ERROR, (), what, (), any_of(*ends), good_falls=True), usable & ((codes <= low) | (codes > high)), usable
    )
    return [large, *faults]


def _middle(reference: Int64) -> tuple[int | None, int | None]:
    """The edges (by number) between which the middle of the reference's errors lies; None where the ends have none."""
    below = np.cumsum(reference)[:-1] / max(reference.sum(), 1)  # share below each edge
    low, high = (
        np.flatnonzero((below > 0) & (below < 1.5 * TAIL)),
        np.flatnonzero((below < 1) & (below > 1 - 1.5 * TAIL)),
    )
    return (int(low[-1]) if len(low) else None), (int(high[0]) if len(high) else None)
