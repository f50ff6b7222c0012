"""Values that stopped arriving: nulls, NaN, infinities, in all traffic and in slices; a renamed column is all null."""

from collections.abc import Iterator

from andon.detect.builtin import marks_of
from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.mark import MarkSeries
from andon.detect.planning import Watched, slice_coding
from andon.telemetry.plan import Cube


class NullShare:
    """Share of rows without a usable value, per feature and of the prediction, overall and in each slice."""

    name = "null_share"
    layer = Layer.BEHAVIOUR
    statistic = "effect_h"
    description = "A feature or the prediction is null, NaN or infinite more or less often, everywhere or in one slice."
    blind_to = "A default value written instead of null; a null share that was always high."
    threshold_source = JUMP_TEST
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        overall = [Cube((feature,)) for feature in watched.names]
        pairs = [
            Cube((slice_coding(column), feature))
            for column in watched.slices
            for feature in watched.names
            if watched.codings[feature].column != column
        ]
        return (*overall, *pairs)

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        if watched.names:
            yield marks_of.joined([self._everywhere(watched, history, feature) for feature in watched.names])
        for column in watched.slices:
            inside = list(self._in_slices(watched, history, column))
            if inside:
                yield marks_of.joined(inside)

    def _everywhere(self, watched: Watched, history: History, feature: str) -> MarkSeries:
        coding = watched.codings[feature]
        counts = history.counts(feature), history.reference_counts(feature)
        return marks_of.everywhere(marks_of.absence_marks(feature, coding), coding, *counts)

    def _in_slices(self, watched: Watched, history: History, column: str) -> Iterator[MarkSeries]:
        cut = watched.cut(column)
        for feature in watched.names:
            if watched.codings[feature].column == column:
                continue
            coding = watched.codings[feature]
            counts = marks_of.Crossed.of(history, slice_coding(column), feature)
            places = [marks_of.slice_of(cut, value) for value in range(len(cut.values))]
            marks = [marks_of.absence_marks(feature, coding, place) for place in places]
            yield marks_of.in_each(marks, [[value] for value in range(len(places))], coding, counts)
