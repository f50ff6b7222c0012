"""Wrong answers, as the late labels tell: overall, among each class, and in one part of the traffic.

Accuracy, recall, precision and the false positive rate are shares of rows, so they are marks as they stand. F1 is not,
but the Jaccard index J = TP / (TP + FP + FN) is, and F1 = 2 TP / (2 TP + FP + FN) = 2 J / (1 + J) moves with it
(F1 is the coefficient of Dice 1945, with beta = 1 the F of van Rijsbergen 1979, chapter 7).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from andon.base.predicate import all_of, any_of, differs, equals
from andon.detect.builtin import late_marks
from andon.detect.builtin.late_marks import Cut, Fault, Labels, Mask
from andon.detect.builtin.outcome_rates import text
from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.mark import Mark, MarkSeries
from andon.detect.planning import LABEL, PREDICTION, Watched
from andon.telemetry.plan import CategoryCoding, Cube

COLUMNS = (LABEL, PREDICTION)
"""The codings that say whether an answer was wrong."""
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
        return late_marks.cubes(cuts(watched, late_marks.declared_cuts), COLUMNS)

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        where = cuts(watched, late_marks.declared_cuts)
        yield from late_marks.families(faults(watched), watched, Labels(history), where, COLUMNS)


def cuts(watched: Watched, wanted: Callable[[Watched], tuple[Cut, ...]]) -> tuple[Cut, ...]:
    """Where errors are followed: of what is wanted, all traffic alone when the classes are many; nowhere without."""
    if watched.classes is None:
        return ()
    return tuple(cut for cut in wanted(watched) if not cut or _are_few(watched))


def _are_few(watched: Watched) -> bool:
    return watched.classes is not None and all(len(coding.values) <= CLASSES_MAX for coding in watched.classes)


def faults(watched: Watched) -> list[Fault]:
    """The ways to be wrong about classes; none where answers are no classes."""
    if watched.classes is None:
        return []
    label, prediction = watched.classes
    same = np.array([[a == b for b in _texts(prediction)] for a in _texts(label)])
    known = np.zeros(same.shape, dtype=bool)
    known[[code for code in range(label.size) if code != label.null]] = True
    known[:, prediction.null] = False
    pairs = _Pairs(label, prediction, known, known & ~same)
    found = [pairs.fault("the prediction is wrong (1 - accuracy)", known, "true")]
    if max(len(label.values), len(prediction.values)) <= CLASSES_MAX:
        for value in dict.fromkeys(map(text, (*label.values, *prediction.values))):
            found += pairs.faults_of_class(value)
    return found


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
        of = None if predicate == "true" else predicate
        mark = Mark(LABEL, (), what, (), all_of(predicate, differ), good_falls=True, of=of)
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
            mark = replace(alarm.mark, of=f"not ({is_true})")
            faults.append(replace(alarm, mark=mark, among=self.known & ~has))
        return faults

    def _missed(self, value: str) -> str:
        other = [each for each in map(text, self.label.values) if each != value]
        two = len(self.label.values) == TWO and len(other) == 1
        return f"1 - recall; false positive rate of {other[0]!r}" if two else "1 - recall"


def alike(labels: Iterable[str], answers: Iterable[str]) -> bool:
    """Whether an answer can be right: a value stands among both, or nobody knows those of one."""
    known, said = set(map(text, labels)), set(map(text, answers))
    return not known or not said or not known.isdisjoint(said)


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
