"""Wrong numbers, as the late labels tell: where the error of a predicted number lies among the reference's errors."""

from collections.abc import Callable, Iterator

import numpy as np

from andon.base.predicate import any_of, difference, difference_at_least, difference_below
from andon.detect.builtin import late_marks
from andon.detect.builtin.late_marks import Cut, Fault, Labels
from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.mark import Mark, MarkSeries
from andon.detect.planning import ERROR, Watched
from andon.telemetry.plan import Cube, NumberCoding
from andon.telemetry.summary import Int64

COLUMNS = (ERROR,)
"""The coding that says how wrong an answer was."""
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
        return late_marks.cubes(cuts(watched, late_marks.declared_cuts), COLUMNS)

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        where = cuts(watched, late_marks.declared_cuts)
        yield from late_marks.families(faults(watched, history), watched, Labels(history), where, COLUMNS)


def cuts(watched: Watched, wanted: Callable[[Watched], tuple[Cut, ...]]) -> tuple[Cut, ...]:
    """Where errors are followed: of what is wanted, all traffic and single columns; nowhere where answers are classes.

    A number has many ways to be wrong, and places where two columns meet are many too.
    """
    if _coding(watched) is None:
        return ()
    return tuple(cut for cut in wanted(watched) if len(cut) <= 1)


def faults(watched: Watched, history: History) -> list[Fault]:
    """The ways to be wrong about a number, by the errors of the reference; none where answers are classes."""
    coding = _coding(watched)
    return [] if coding is None else _faults(coding, history.reference_labels(ERROR).sum(axis=0))


def _coding(watched: Watched) -> NumberCoding | None:
    coding = watched.codings.get(ERROR)
    return coding if isinstance(coding, NumberCoding) and coding.edges else None


def _faults(coding: NumberCoding, reference: Int64) -> list[Fault]:
    usable = np.arange(coding.size) < coding.bins
    column, minus = coding.column, str(coding.minus)
    error = difference(column, minus)
    faults = [
        Fault(
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
    large = Fault(
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
