"""What the model decides in one part of the traffic, against what it decides in the rest."""

from collections.abc import Iterator

from andon.detect.builtin import marks_of
from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.mark import MarkSeries
from andon.detect.planning import PREDICTION, Watched, slice_coding
from andon.telemetry.plan import CategoryCoding, Cube

BINARY = 2
"""Classes of a yes-or-no answer."""


class SlicePredictionRate:
    """Share of each predicted class in a slice against the rest of the traffic (for a number: below each cut)."""

    name = "slice_prediction_rate"
    layer = Layer.FAIRNESS
    statistic = "effect_h"
    description = "The model's decisions in one slice move against those in the rest of the traffic."
    blind_to = "Wrong decisions that keep their rate; a move that all slices share."
    threshold_source = "alarm budget; effect floor h = 0.2 (Cohen 1988); habit of the log's own past"
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        if PREDICTION not in watched.codings:
            return ()
        return tuple(Cube((slice_coding(column), PREDICTION)) for column in watched.slices)

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        if PREDICTION not in watched.codings:
            return
        coding = watched.codings[PREDICTION]
        for column in watched.slices:
            cut = watched.cut(column)
            log = history.counts(slice_coding(column), PREDICTION)
            reference = history.reference_counts(slice_coding(column), PREDICTION)
            names = history.names(PREDICTION)
            families = []
            for value in range(len(cut.values)):
                place = marks_of.slice_of(cut, value)
                marks = marks_of.value_marks(PREDICTION, coding, names, reference.sum(axis=(0, 1)), place)
                if isinstance(coding, CategoryCoding) and len(coding.values) <= BINARY and not names:
                    marks = marks[1:]  # the other class is its complement
                families.append(marks_of.in_slice(marks, [value], coding, log, reference))
            yield marks_of.joined(families)
