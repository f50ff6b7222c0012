"""Decisions that the known-good model would not have made, leaning to one side in one part of the traffic."""

from collections.abc import Iterator

from andon.detect.builtin import views_of
from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.mark import MarkSeries
from andon.detect.planning import Watched
from andon.telemetry.plan import Cube


class ChangedDecisions:
    """Of the decisions that differ from the surrogate's, the share that differs in one direction, per slice.

    The paired comparison of two classifiers on the same inputs (McNemar 1947): an equal retrain changes decisions in
    both directions, a biased one in one. Taken against the rest of the traffic, over all versions and within each new
    version (a canary against what all versions did before it).
    """

    name = "changed_decisions"
    layer = Layer.FAIRNESS
    statistic = "effect_h"
    description = "In one part of the traffic decisions move to one side of what the known-good model would decide."
    blind_to = "A change that hits all alike; fewer than 10 changed decisions; a model that its inputs do not explain."
    threshold_source = JUMP_TEST
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        return views_of.cubes(watched)

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        for view in views_of.views(watched, history):
            for answer in views_of.answers(watched):
                if view.matters(watched, answer):
                    yield view.changed(watched, answer)
