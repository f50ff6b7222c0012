"""A feature that moves in one part of the traffic while the rest stays: one feed, one region, one client."""

from collections.abc import Iterator

from andon.detect.builtin import marks_of
from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.mark import MarkSeries
from andon.detect.planning import Watched, slice_coding
from andon.telemetry.plan import Cube, PresenceCoding


class SliceDistribution:
    """Each cut of a number and each value of a category, in a slice against the rest of the traffic."""

    name = "slice_distribution"
    layer = Layer.BEHAVIOUR
    statistic = "effect_h"
    description = "The distribution of a feature moves in one slice, against the rest of the traffic at the same time."
    blind_to = "A shift that all slices share; a shift inside one bin (a twentieth of the reference's rows)."
    threshold_source = JUMP_TEST
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        return tuple(Cube((slice_coding(column), feature)) for column, feature in self._pairs(watched))

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        for column, feature in self._pairs(watched):
            yield from marks_of.in_slices(watched, history, column, feature)

    def _pairs(self, watched: Watched) -> list[tuple[str, str]]:
        return [
            (column, feature)
            for column in watched.slices
            for feature in watched.features
            if feature != column and not isinstance(watched.codings[feature], PresenceCoding)
        ]
