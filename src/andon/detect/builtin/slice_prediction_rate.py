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
    description = (
        "The model's decisions in one slice, or where two meet, move against those in the rest of the traffic."
    )
    blind_to = "Wrong decisions that keep their rate; a move that all slices share."
    threshold_source = JUMP_TEST
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        if PREDICTION not in watched.codings:
            return ()
        cuts = [(slice_coding(column),) for column in watched.slices]
        pairs = [(slice_coding(one), slice_coding(other)) for one, other in watched.pairs]
        return tuple(Cube((*cut, PREDICTION)) for cut in (*cuts, *pairs))

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        if PREDICTION in watched.codings:
            for column in watched.slices:
                yield from marks_of.in_slices(watched, history, column, PREDICTION)
            for pair in watched.pairs:
                inside = marks_of.in_pairs(watched, history, pair, PREDICTION)
                if inside is not None:
                    yield inside
