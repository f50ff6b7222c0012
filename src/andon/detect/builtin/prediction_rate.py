"""What the model decides, in all traffic."""

from collections.abc import Iterator

from andon.detect.builtin import marks_of
from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.mark import MarkSeries
from andon.detect.planning import PREDICTION, Watched, cut_coding, slice_coding
from andon.telemetry.plan import Cube


class PredictionRate:
    """Share of each predicted class in all traffic (for a number: below each cut)."""

    name = "prediction_rate"
    layer = Layer.BEHAVIOUR
    statistic = "effect_h"
    description = "The model's decisions move away from both the reference and the log before, in all traffic."
    blind_to = "Wrong decisions that keep their rate."
    threshold_source = JUMP_TEST
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        """Its own counts, and those that tell which part of the traffic carries a move."""
        if PREDICTION not in watched.codings:
            return ()
        cuts = (*map(slice_coding, watched.found), *map(cut_coding, watched.cuts))
        return (Cube((PREDICTION,)), *(Cube((cut, PREDICTION)) for cut in cuts))

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        if PREDICTION in watched.codings:
            yield from marks_of.in_all_traffic(watched, history, PREDICTION)
