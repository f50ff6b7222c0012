"""Scores that leave what the known-good model would give, in one part of the traffic, where decisions change too."""

from collections.abc import Iterator

from andon.detect.builtin import views_of
from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.mark import MarkSeries
from andon.detect.planning import Watched
from andon.telemetry.plan import Cube


class ShiftedScore:
    """Share of scores far above (below) what the known-good model would give, per slice.

    Far: beyond 90 % of the known-good model's own residuals. Every row bears witness, so it needs fewer of them than
    changed decisions do; but a shift that changes less than one decision in twenty harms nobody and is not raised.
    """

    name = "shifted_score"
    layer = Layer.FAIRNESS
    statistic = "effect_h"
    description = "In one part of the traffic scores leave what the known-good model would give, and decisions change."
    blind_to = "A shift that hits all alike or changes few decisions; a score that the inputs do not explain."
    threshold_source = JUMP_TEST
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        return views_of.cubes(watched) if _is_scored(watched) else ()

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        if _is_scored(watched):
            for view in (each for each in views_of.views(watched, history) if each.matters(watched, 1)):
                for far in (views_of.ABOVE, views_of.BELOW):
                    yield view.shifted(watched, far)


def _is_scored(watched: Watched) -> bool:
    """Whether there is one score that two classes are decided by."""
    surrogate = watched.surrogate
    return surrogate is not None and surrogate.scores is not None and surrogate.classes == 2  # noqa: PLR2004
