"""Categories that appear, ramp up or vanish, in all traffic."""

from collections.abc import Iterator

from andon.detect.builtin import marks_of
from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.mark import MarkSeries
from andon.detect.planning import Watched
from andon.telemetry.plan import CategoryCoding, Cube


class CategoryShare:
    """Share of each value of a category, values never seen before included."""

    name = "category_share"
    layer = Layer.BEHAVIOUR
    statistic = "effect_h"
    description = "A category's value is new, vanished, or more or less frequent than before."
    blind_to = "A value that keeps its share while its meaning changes; values rarer than about 1 in 100 rows."
    threshold_source = JUMP_TEST
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        return tuple(Cube((feature,)) for feature in self._features(watched))

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        for feature in self._features(watched):
            yield from marks_of.in_all_traffic(watched, history, feature)

    def _features(self, watched: Watched) -> list[str]:
        return [name for name in watched.features if isinstance(watched.codings[name], CategoryCoding)]
