"""How sure the model says it is: the distribution of its score, in all traffic and in one part of it."""

from collections.abc import Iterator
from dataclasses import replace
from math import inf

from andon.detect.builtin import marks_of
from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.mark import EFFECT_MEDIUM, MarkSeries
from andon.detect.planning import SCORE, Watched, slice_coding
from andon.telemetry.plan import Cube


class ScoreDistribution:
    """Share of rows whose score is below each cut, in all traffic and in each slice against the rest.

    A model that gets less sure keeps its decisions for a while: they see its score at one threshold only. A score is a
    means, though: an equally good version may scale it anew. So a shift counts from a medium effect on, while
    decisions, errors and calibration are watched for small ones.
    """

    name = "score_distribution"
    layer = Layer.BEHAVIOUR
    statistic = "effect_h"
    description = "The model's score or confidence moves, in all traffic or in one slice against the rest."
    blind_to = (
        "Scores that keep their distribution while they go to other rows; shifts below a medium effect (h = 0.5)."
    )
    threshold_source = JUMP_TEST.replace("h = 0.2", "h = 0.5, a medium effect")
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        if SCORE not in watched.codings:
            return ()
        return (Cube((SCORE,)), *(Cube((slice_coding(column), SCORE)) for column in watched.slices))

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        if SCORE in watched.codings:
            yield from map(_medium, marks_of.in_all_traffic(watched, history, SCORE))
            for column in watched.slices:
                yield from map(_medium, marks_of.in_slices(watched, history, column, SCORE))


def _medium(series: MarkSeries) -> MarkSeries:
    return replace(
        series, marks=tuple(replace(mark, effect_min=EFFECT_MEDIUM, rescaled_min=inf) for mark in series.marks)
    )
