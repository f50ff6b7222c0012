"""Whether the score still means what it meant: how often the outcome comes at each score, by the late labels.

A score is calibrated when, of the rows scored p, a share p turns out positive (Dawid 1982). Here no score has to be a
probability: what is compared is the share of positives in each bin of the score with that of the reference (the bins of
a reliability diagram, DeGroot & Fienberg 1983).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from andon.base.predicate import all_of, at_least, below, equals
from andon.detect.builtin import outcome_rates
from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer
from andon.detect.history import History, Triangle
from andon.detect.mark import Late, Mark, MarkSeries, Side
from andon.detect.planning import LABEL, SCORE_BINS, Watched
from andon.telemetry.plan import CategoryCoding, Cube, NumberCoding
from andon.telemetry.summary import Int64


class Calibration:
    """Share of positive outcomes in each bin of the score, and in all against what the score let expect.

    What was expected counts as a sample of its own, as large as that of the outcomes: this makes the test of all
    conservative (its z is 1/sqrt(2) of what it could be).

    Labels are taken in the order in which they arrive, as for the error rate.
    """

    name = "calibration"
    layer = Layer.PERFORMANCE
    statistic = "effect_h"
    description = (
        "Of the rows with a given score, more or fewer turn out positive than before, by the labels that arrived."
    )
    blind_to = "Rows without labels; outcomes of more than two classes; one slice; a worse order of rows inside a bin."
    threshold_source = JUMP_TEST
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        return () if _Outcomes.of(watched) is None else (Cube((SCORE_BINS, LABEL), known_at=True),)

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        outcomes = _Outcomes.of(watched)
        if outcomes is None:
            return
        labelled, reference = history.known_counts(SCORE_BINS, LABEL), history.reference_labels(SCORE_BINS, LABEL)
        yield outcomes.by_bin(labelled, reference)
        yield outcomes.overall(labelled, reference)


@dataclass(frozen=True)
class _Outcomes:
    """Outcomes by score: the bins, the label's coding and the code of the positive outcome."""

    bins: NumberCoding
    label: CategoryCoding
    positive: int

    @classmethod
    def of(cls, watched: Watched) -> "_Outcomes | None":
        bins, outcome = watched.codings.get(SCORE_BINS), watched.outcome
        if outcome is None or not isinstance(bins, NumberCoding) or not bins.edges:
            return None
        return cls(bins, *outcome)

    def by_bin(self, labelled: Triangle, reference: Int64) -> MarkSeries:
        """Positive outcomes in each bin."""
        marks, late = [], []
        for code in range(self.bins.bins):
            total = labelled.where(labelled.codes[0] == code)
            late.append(Late(total.where(total.codes[1] == self.positive), total))
            marks.append(self._mark(code))
        bins = range(self.bins.bins)
        return MarkSeries(
            tuple(marks),
            Side(np.array([each.count.by_arrival() for each in late]), np.array([e.total.by_arrival() for e in late])),
            Side(reference[:, bins, self.positive].T, reference[:, bins].sum(axis=2).T),
            late=tuple(late),
        )

    def overall(self, labelled: Triangle, reference: Int64) -> MarkSeries:
        """Positive outcomes in all, with those as control that the scores let expect: other scores are no news."""
        rate = outcome_rates.by_bin(reference[:, : self.bins.bins], self.positive)
        usable = reference[:, : self.bins.bins]
        total = labelled.where(labelled.codes[0] < self.bins.bins)
        late = Late(total.where(total.codes[1] == self.positive), total, total.times(rate[total.codes[0]]), total)
        label, value = self.label.column, self.label.values[self.positive]
        mark = Mark(SCORE_BINS, (), f"{label} is {value!r}, more or less often than scores say", (), None)
        rows, rows_known = total.by_arrival()[np.newaxis], usable.sum(axis=(1, 2))[np.newaxis]
        return MarkSeries(
            (mark,),
            Side(late.count.by_arrival()[np.newaxis], rows),
            Side(usable[:, :, self.positive].sum(axis=1)[np.newaxis], rows_known),
            Side(total.times(rate[total.codes[0]]).by_arrival()[np.newaxis], rows),
            Side((usable.sum(axis=2) @ rate)[np.newaxis], rows_known),
            (late,),
        )

    def _mark(self, code: int) -> Mark:
        edges, score, label = self.bins.edges, self.bins.column, self.label
        low, high = (edges[code - 1] if code else None), (edges[code] if code < len(edges) else None)
        bounds = [] if low is None else [at_least(score, low)]
        bounds += [] if high is None else [below(score, high)]
        words = [] if low is None else [f"at least {low:.6g}"]
        words += [] if high is None else [f"below {high:.6g}"]
        value = label.values[self.positive]
        what = f"{label.column} is {value!r} where {score} is {' and '.join(words)}"
        within = all_of(*bounds)
        return Mark(SCORE_BINS, (code,), what, (), all_of(within, equals(label.column, value)), of=within)
