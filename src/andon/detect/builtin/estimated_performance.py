"""How often the model is expected to be wrong, before any label comes: what its scores meant in the reference.

A calibrated score says by itself how likely an answer is wrong, so the mean over the rows estimates the error rate
(average confidence: Guillory et al. 2021, "Predicting with Confidence on Unseen Distributions", the baseline that all
later estimators refine; confidence-based performance estimation, CBPE, in NannyML's documentation). Here the score is
calibrated by bins: of the reference's rows of a bin, the share with each outcome (histogram binning, Zadrozny & Elkan
2001).

The assumption: of rows with the same score as many are positive as before. Other inputs may come (covariate shift); a
world that answers otherwise (concept shift) is what labels alone can show.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

import numpy as np

from andon.detect.builtin import outcome_rates
from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer
from andon.detect.history import Float, History
from andon.detect.mark import Mark, MarkSeries, Side
from andon.detect.planning import LABEL, PREDICTION, SCORE_BINS, Watched
from andon.telemetry.plan import CategoryCoding, Cube, NumberCoding
from andon.telemetry.summary import Int64

TWO = 2


class EstimatedPerformance:
    """Expected share of wrong answers, from the score of each row and what such scores meant in the reference.

    Each row counts with its probability of being wrong. These vary less than answers that are wrong or not, so the
    test, which takes them for such, is conservative.
    """

    name = "estimated_performance"
    layer = Layer.PERFORMANCE
    statistic = "effect_h"
    description = (
        "By its scores the model is expected to be wrong more often, whether labels came or not; assumes that scores "
        "still mean what they meant."
    )
    blind_to = "Answers that are wrong with the usual confidence; more than two classes; models without a score."
    threshold_source = JUMP_TEST
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        if _Answers.of(watched) is None:
            return ()
        return Cube((SCORE_BINS, PREDICTION)), Cube((SCORE_BINS, LABEL), known_at=True)

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        answers = _Answers.of(watched)
        if answers is None:
            return
        wrong = answers.wrong(history.reference_labels(SCORE_BINS, LABEL))
        what = f"{answers.prediction.column} is expected to be wrong, by {answers.bins.column}"
        yield MarkSeries(
            (Mark(SCORE_BINS, (), what, (), None, only_rises=True, rescaled_min=inf),),
            answers.side(history.counts(SCORE_BINS, PREDICTION), wrong),
            answers.side(history.reference_counts(SCORE_BINS, PREDICTION), wrong),
        )


@dataclass(frozen=True)
class _Answers:
    """Two classes that a score decides: the bins, the coding of the answers, and the codes of the positive outcome."""

    bins: NumberCoding
    prediction: CategoryCoding
    positive: int
    said_positive: int

    @classmethod
    def of(cls, watched: Watched) -> "_Answers | None":
        bins, outcome, classes = watched.codings.get(SCORE_BINS), watched.outcome, watched.classes
        if outcome is None or classes is None or not isinstance(bins, NumberCoding) or not bins.edges:
            return None
        label, prediction = classes
        texts = [outcome_rates.text(value) for value in prediction.values]
        positive = outcome_rates.text(label.values[outcome[1]])
        if len(texts) != TWO or positive not in texts:
            return None
        return cls(bins, prediction, outcome[1], texts.index(positive))

    def wrong(self, labels: Int64) -> Float:
        """Probability that an answer is wrong, by bin and answer: `(bins, 2)`."""
        rates = outcome_rates.by_bin(labels[:, : self.bins.bins], self.positive)
        table = np.repeat(rates[:, np.newaxis], TWO, axis=1)
        table[:, self.said_positive] = 1 - rates
        return table

    def side(self, counts: Int64, wrong: Float) -> Side:
        """Rows expected to be wrong, and all rows with a score and an answer; counts are `(T, bins, answers)`."""
        usable = counts[:, : self.bins.bins, :TWO]
        expected = (usable * wrong).sum(axis=(1, 2))[np.newaxis]
        return Side(expected, usable.sum(axis=(1, 2))[np.newaxis])
