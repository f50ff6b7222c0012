"""Wrong answers, as the late labels tell: overall, among each class, and in one part of the traffic.

Accuracy, recall, precision and the false positive rate are shares of rows, so they are marks as they stand. F1 is not,
but the Jaccard index J = TP / (TP + FP + FN) is, and F1 = 2 TP / (2 TP + FP + FN) = 2 J / (1 + J) moves with it
(F1 is the coefficient of Dice 1945, with beta = 1 the F of van Rijsbergen 1979, chapter 7).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from andon.base.predicate import all_of, any_of, differs, equals
from andon.detect.builtin import late_marks
from andon.detect.builtin.late_marks import Fault, Labels, Mask
from andon.detect.builtin.outcome_rates import text
from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.mark import Mark, MarkSeries
from andon.detect.planning import LABEL, PREDICTION, Watched, slice_coding
from andon.telemetry.plan import CategoryCoding, Cube

CLASSES_MAX = 10
"""With more classes than this, only the error overall is followed, not that of each class, and not per slice."""

TWO = 2
"""Of two classes, one that is missed is a false alarm for the other."""


class ErrorRate:
    """Share of labelled rows whose prediction was wrong: of all (1 - accuracy) and of each class.

    Of a class: rows that have it (1 - recall), rows predicted to have it (1 - precision), rows of either kind
    (1 - Jaccard, which moves as F1 does), rows of the other classes (false positive rate).

    The test runs on the order in which labels arrive, so that no window is judged by the labels that happen to come
    early; start and end are then found by the time of decision.
    """

    name = "error_rate"
    layer = Layer.PERFORMANCE
    statistic = "effect_h"
    description = (
        "The model is wrong more or less often than before, by the labels that arrived: accuracy, and the recall, "
        "precision, F1 and false positive rate of each class."
    )
    blind_to = (
        "Rows without labels; outcomes known only for the decisions that allow one (selective labels); precision and "
        "F1 in slices, where they follow how often a class comes."
    )
    threshold_source = JUMP_TEST
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        return cubes(watched)

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        yield from families(watched, Labels(history))


def cubes(watched: Watched) -> tuple[Cube, ...]:
    """What is counted where the answer is one of few classes: labels and predictions, overall, by slice, by pair."""
    if watched.classes is None:
        return ()
    slices = [(slice_coding(column),) for column in _slices(watched)]
    pairs = [(slice_coding(one), slice_coding(other)) for one, other in _pairs(watched)]
    return tuple(Cube((*cut, LABEL, PREDICTION), known_at=True) for cut in ((), *slices, *pairs))


def families(watched: Watched, labels: Labels) -> Iterator[MarkSeries]:
    """Wrong classes, overall, by slice and by pair of slices."""
    if watched.classes is None:
        return
    faults = _faults(watched)
    yield late_marks.everywhere(faults, labels, LABEL, PREDICTION)
    for column in _slices(watched):
        inside = late_marks.in_slices(faults, watched, labels, column, LABEL, PREDICTION)
        if inside is not None:
            yield inside
    for pair in _pairs(watched):
        inside = late_marks.in_pairs(faults, watched, labels, pair, LABEL, PREDICTION)
        if inside is not None:
            yield inside


def _slices(watched: Watched) -> tuple[str, ...]:
    """Slice columns in which errors are followed: none when the classes are many."""
    return watched.slices if _are_few(watched) else ()


def _pairs(watched: Watched) -> tuple[tuple[str, str], ...]:
    return watched.pairs if _are_few(watched) else ()


def _are_few(watched: Watched) -> bool:
    return watched.classes is not None and all(len(coding.values) <= CLASSES_MAX for coding in watched.classes)


def _faults(watched: Watched) -> list[Fault]:
    assert watched.classes is not None  # noqa: S101  # asked for before
    label, prediction = watched.classes
    same = np.array([[a == b for b in _texts(prediction)] for a in _texts(label)])
    known = np.zeros(same.shape, dtype=bool)
    known[[code for code in range(label.size) if code != label.null]] = True
    known[:, prediction.null] = False
    pairs = _Pairs(label, prediction, known, known & ~same)
    faults = [pairs.fault("the prediction is wrong (1 - accuracy)", known, "true")]
    if max(len(label.values), len(prediction.values)) <= CLASSES_MAX:
        for value in dict.fromkeys(map(text, (*label.values, *prediction.values))):
            faults += pairs.faults_of_class(value)
    return faults


@dataclass(frozen=True)
class _Pairs:
    """The (label, prediction) pairs of labelled answers, and which of them are wrong."""

    label: CategoryCoding
    prediction: CategoryCoding
    known: Mask
    wrong: Mask

    def fault(self, what: str, among: Mask, predicate: str) -> Fault:
        """Being wrong among some pairs, in words and as SQL."""
        differ = differs(self.label.column, self.prediction.column)
        mark = Mark(LABEL, (), what, (), all_of(predicate, differ), good_falls=True)
        return Fault(mark, among & self.wrong, among)

    def faults_of_class(self, value: str) -> list[Fault]:
        """The ways to be wrong about one class.

        Precision, and F1 with it, falls whenever a class gets rarer (the world's doing, as often in one slice as not),
        while recall and the false positive rate do not depend on how often it comes: they alone are steady.
        """
        has = self.known & _has(self.label, value)[:, np.newaxis]
        said = self.known & _has(self.prediction, value)[np.newaxis, :]
        is_true, is_said = _is(self.label, value), _is(self.prediction, value)
        either = f"{value!r}, true or predicted, is wrong (1 - Jaccard; F1)"
        faults = [
            self.fault(f"a true {value!r} is missed ({self._missed(value)})", has, is_true),
            replace(self.fault(f"a predicted {value!r} is wrong (1 - precision)", said, is_said), steady=False),
            replace(self.fault(either, has | said, any_of(is_true, is_said)), steady=False),
        ]
        if len(self.label.values) > TWO:
            alarm = self.fault(f"{value!r} is said of another class (false positive rate)", said, is_said)
            faults.append(replace(alarm, among=self.known & ~has))
        return faults

    def _missed(self, value: str) -> str:
        other = [each for each in map(text, self.label.values) if each != value]
        two = len(self.label.values) == TWO and len(other) == 1
        return f"1 - recall; false positive rate of {other[0]!r}" if two else "1 - recall"


def _has(coding: CategoryCoding, value: str) -> Mask:
    return np.array([each == value for each in _texts(coding)])


def _is(coding: CategoryCoding, value: str) -> str:
    return any_of(*(equals(coding.column, own) for own in coding.values if text(own) == value))


def _texts(coding: CategoryCoding) -> list[str | None]:
    """The value behind each code, truth values as numbers; values that the plan does not list equal nothing."""
    return [
        *map(text, coding.values),
        None,
        *[f"\0{coding.column}{n}" for n in range(coding.unseen_cells)],
    ]
