"""Scores or numeric answers that leave what the known-good model would give, in one part of the traffic."""

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
    Where the answer itself is a number nobody knows which shift changes anything, so a medium effect is asked, and
    that one row in twenty net moved to one side: an equally good retrain scatters to both. Even so it only bears
    witness: a better model's answers move too, so their shares or the labels must open the incident.
    """

    name = "shifted_score"
    layer = Layer.FAIRNESS
    statistic = "effect_h"
    description = (
        "In one part of the traffic scores leave what the known-good model would give, and decisions change; "
        "or answers do that are numbers."
    )
    blind_to = "A shift that hits all alike or changes few decisions; a number that the inputs do not explain."
    threshold_source = JUMP_TEST + "; h = 0.5 for answers that are numbers"
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        return views_of.cubes(watched) if _is_scored(watched) else ()

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        if _is_scored(watched):
            for view in (each for each in views_of.views(watched, history) if each.matters(watched, 1)):
                for far in (views_of.ABOVE, views_of.BELOW):
                    yield view.shifted(watched, far)


def _is_scored(watched: Watched) -> bool:
    """Whether there is one number that decides: the score of two classes, or the answer itself."""
    surrogate = watched.surrogate
    return surrogate is not None and surrogate.scores is not None and surrogate.classes in {0, 2}
