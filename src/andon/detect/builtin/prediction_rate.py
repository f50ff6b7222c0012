"""What the model decides, in all traffic."""

from collections.abc import Iterator

from andon.detect.builtin import marks_of
from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.mark import MarkSeries
from andon.detect.planning import PREDICTION, Watched
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
        return (Cube((PREDICTION,)),) if PREDICTION in watched.codings else ()

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        if PREDICTION in watched.codings:
            yield from marks_of.in_all_traffic(watched, history, PREDICTION)
