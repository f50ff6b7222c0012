"""A number whose distribution moves in all traffic: drift, a new unit, a sensor that reports otherwise."""

from collections.abc import Iterator

from andon.detect.builtin import marks_of
from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.mark import MarkSeries
from andon.detect.planning import Watched
from andon.telemetry.plan import Cube, NumberCoding


class FeatureDistribution:
    """Share of rows below each cut of a numeric feature."""

    name = "feature_distribution"
    layer = Layer.BEHAVIOUR
    statistic = "effect_h"
    description = "The distribution of a numeric feature moves away from both the reference and the log before."
    blind_to = (
        "A shift inside one bin (a twentieth of the reference's rows); a move that the reference's seasons know; going "
        "on outside what the reference has, where it was so from the first row on, as a counter is."
    )
    threshold_source = JUMP_TEST
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        return tuple(Cube((feature,)) for feature in self._features(watched))

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        for feature in self._features(watched):
            yield from marks_of.in_all_traffic(watched, history, feature)

    def _features(self, watched: Watched) -> list[str]:
        return [
            name
            for name in watched.features
            if isinstance(coding := watched.codings[name], NumberCoding) and coding.edges
        ]
