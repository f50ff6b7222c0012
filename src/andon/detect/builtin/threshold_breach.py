"""Decisions that are not what the score and the declared threshold say: the rule that makes answers of scores broke."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

import numpy as np

from andon.base.predicate import all_of, any_of, at_least, below, equals
from andon.detect.builtin import marks_of
from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer, Slice
from andon.detect.history import History
from andon.detect.mark import Mark, MarkSeries, Side
from andon.detect.planning import PREDICTION, THRESHOLD, Watched, slice_coding
from andon.telemetry.plan import CategoryCoding, Cube, NumberCoding
from andon.telemetry.summary import Int64

USUAL_MAX = 0.01
"""The rule holds where the reference breaks it in at most this share of its rows; else something else decides."""


class ThresholdBreach:
    """Share of decisions on the other side of the threshold than their score, in all traffic and per slice.

    Of two classes the positive one is the more frequent of the reference's answers at or above the threshold.
    """

    name = "threshold_breach"
    layer = Layer.BEHAVIOUR
    statistic = "effect_h"
    description = "Decisions contradict the score and the declared threshold (another threshold, an override, a bug)."
    blind_to = "Models without a declared threshold, or whose reference contradicts it; what began with a new version."
    threshold_source = JUMP_TEST
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        if _answers(watched) is None:
            return ()
        return (
            Cube((THRESHOLD, PREDICTION)),
            *(Cube((slice_coding(column), THRESHOLD, PREDICTION)) for column in watched.slices),
        )

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        coding = _answers(watched)
        rule = None if coding is None else _Rule.of(coding, watched, history)
        if rule is None:
            return
        log, reference = history.counts(THRESHOLD, PREDICTION), history.reference_counts(THRESHOLD, PREDICTION)
        yield MarkSeries((rule.mark(None),), rule.side(log), rule.side(reference))
        for column in watched.slices:
            yield rule.in_slices(watched, history, column)


def _answers(watched: Watched) -> CategoryCoding | None:
    coding = watched.codings.get(PREDICTION)
    two = isinstance(coding, CategoryCoding) and len(coding.values) == 2  # noqa: PLR2004
    return coding if isinstance(coding, CategoryCoding) and two and THRESHOLD in watched.codings else None


@dataclass(frozen=True)
class _Rule:
    """Which of the two answers a score at or above the threshold gives."""

    threshold: NumberCoding
    answers: CategoryCoding
    positive: int

    @classmethod
    def of(cls, answers: CategoryCoding, watched: Watched, history: History) -> "_Rule | None":
        threshold = watched.codings[THRESHOLD]
        assert isinstance(threshold, NumberCoding)  # noqa: S101  # watch() makes it so
        table = history.reference_counts(THRESHOLD, PREDICTION).sum(axis=0)
        rule = cls(threshold, answers, int(np.argmax(table[1, :2])))
        kept = rule.side(table[np.newaxis])
        return rule if kept.count.sum() <= USUAL_MAX * kept.total.sum() else None

    def mark(self, place: Slice | None) -> Mark:
        score, edge = self.threshold.column, self.threshold.edges[0]
        column, values = self.answers.column, self.answers.values
        high, low = equals(column, values[self.positive]), equals(column, values[1 - self.positive])
        contradicted = any_of(all_of(at_least(score, edge), low), all_of(below(score, edge), high))
        what = f"{column} contradicts {score} and its threshold {edge:.6g}"
        return Mark(THRESHOLD, (), what, (), contradicted, place, rescaled_min=inf)

    def side(self, counts: Int64) -> Side:
        """Rows on the other side, and all with a score and one of the answers; counts are `(T, scores, answers)`."""
        usable = counts[:, :2, :2]
        breach = usable[:, 1, 1 - self.positive] + usable[:, 0, self.positive]
        return Side(breach[np.newaxis], usable.sum(axis=(1, 2))[np.newaxis])

    def in_slices(self, watched: Watched, history: History, column: str) -> MarkSeries:
        names, cut = (slice_coding(column), THRESHOLD, PREDICTION), watched.cut(column)
        whole = [history.counts(*names), history.reference_counts(*names)]
        inside = [[self.side(each[:, value]) for value in range(len(cut.values))] for each in whole]
        rest = [[self.side(each.sum(axis=1) - each[:, value]) for value in range(len(cut.values))] for each in whole]
        marks = tuple(self.mark(marks_of.slice_of(cut, value)) for value in range(len(cut.values)))
        (log, reference), (log_rest, reference_rest) = map(_stacked, inside), map(_stacked, rest)
        return MarkSeries(marks, log, reference, log_rest, reference_rest)


def _stacked(sides: list[Side]) -> Side:
    return Side(np.concatenate([side.count for side in sides]), np.concatenate([side.total for side in sides]))
