"""What the model decides in one part of the traffic, against what it decides in the rest."""

from collections.abc import Iterator

from andon.detect.builtin import marks_of
from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.mark import MarkSeries
from andon.detect.planning import PREDICTION, Watched, slice_coding
from andon.telemetry.plan import Cube


class SlicePredictionRate:
    """Share of each predicted class in a slice against the rest of the traffic (for a number: below each cut)."""

    name = "slice_prediction_rate"
    layer = Layer.FAIRNESS
    statistic = "effect_h"
    description = "The model's decisions in one slice move against those in the rest of the traffic."
    blind_to = "Wrong decisions that keep their rate; a move that all slices share."
    threshold_source = JUMP_TEST
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        if PREDICTION not in watched.codings:
            return ()
        return tuple(Cube((slice_coding(column), PREDICTION)) for column in watched.slices)

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        if PREDICTION in watched.codings:
            for column in watched.slices:
                yield from marks_of.in_slices(watched, history, column, PREDICTION)
