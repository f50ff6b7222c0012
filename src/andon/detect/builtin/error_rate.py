"""Wrong answers, as the late labels tell: overall, among each class, and in one part of the traffic."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from andon.base.predicate import differs, equals
from andon.detect.builtin import marks_of
from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer
from andon.detect.history import History, Triangle
from andon.detect.mark import Late, Mark, MarkSeries, Side
from andon.detect.planning import LABEL, PREDICTION, Watched, slice_coding
from andon.telemetry.plan import CategoryCoding, Cube
from andon.telemetry.summary import Int64

CLASSES_MAX = 10
"""With more classes than this, only the error overall is followed, not the recall of each class, and not per slice."""

NUMBERS = {"true": "1", "false": "0"}
"""An answer `true` is right for a label 1: one of them is often logged as the other."""


class ErrorRate:
    """Share of labelled rows whose prediction was wrong, and of each true class that was missed (1 - recall).

    The test runs on the order in which labels arrive, so that no window is judged by the labels that happen to come
    early; start and end are then found by the time of decision.
    """

    name = "error_rate"
    layer = Layer.PERFORMANCE
    statistic = "effect_h"
    description = "The model is wrong more or less often than before, by the labels that arrived."
    blind_to = "Rows without labels; outcomes known only for the decisions that allow one (selective labels)."
    threshold_source = JUMP_TEST
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        if watched.classes is None:
            return ()
        slices = [Cube((slice_coding(column), LABEL, PREDICTION), known_at=True) for column in _slices(watched)]
        return (Cube((LABEL, PREDICTION), known_at=True), *slices)

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        if watched.classes is None:
            return
        labelled = history.known_counts(LABEL, PREDICTION)
        reference = history.reference_labels(LABEL, PREDICTION)
        faults = _faults(watched)
        yield _series([fault.mark for fault in faults], [_Counted.of(fault, labelled, reference) for fault in faults])
        for column in _slices(watched):
            yield from self._in_slices(watched, history, column, faults)

    def _in_slices(
        self, watched: Watched, history: History, column: str, faults: list["_Fault"]
    ) -> Iterator[MarkSeries]:
        cut = watched.cut(column)
        labelled = history.known_counts(slice_coding(column), LABEL, PREDICTION)
        reference = history.reference_labels(slice_coding(column), LABEL, PREDICTION)
        marks, inside, rest = [], [], []
        for value in range(len(cut.values)):
            here = labelled.codes[0] == value
            other = reference.sum(axis=1) - reference[:, value]
            for fault in faults:
                marks.append(fault.within(cut, value))
                inside.append(_Counted.of(fault, labelled.where(here), reference[:, value]))
                rest.append(_Counted.of(fault, labelled.where(~here), other))
        if marks:
            yield _series(marks, inside, rest)


@dataclass(frozen=True)
class _Fault:
    """A way to be wrong: which (label, prediction) pairs count as wrong, out of which pairs."""

    mark: Mark
    wrong: npt.NDArray[np.bool_]
    among: npt.NDArray[np.bool_]

    def within(self, cut: CategoryCoding, value: int) -> Mark:
        mark = self.mark
        place = marks_of.slice_of(cut, value)
        return Mark(mark.coding, mark.codes, mark.what, mark.features, mark.predicate, place)


@dataclass(frozen=True)
class _Counted:
    """A fault counted: by arrival and by decision in the log, per bucket in the reference."""

    count: Triangle
    total: Triangle
    reference_count: Int64
    reference_total: Int64

    @classmethod
    def of(cls, fault: _Fault, labelled: Triangle, reference: Int64) -> "_Counted":
        label, prediction = labelled.codes[-2], labelled.codes[-1]
        return cls(
            labelled.where(fault.wrong[label, prediction]),
            labelled.where(fault.among[label, prediction]),
            reference[:, fault.wrong].sum(axis=1),
            reference[:, fault.among].sum(axis=1),
        )


def _slices(watched: Watched) -> tuple[str, ...]:
    """Slice columns in which errors are followed: none when the classes are many."""
    few = watched.classes is not None and all(len(coding.values) <= CLASSES_MAX for coding in watched.classes)
    return watched.slices if few else ()


def _faults(watched: Watched) -> list[_Fault]:
    assert watched.classes is not None  # noqa: S101  # asked for before
    label, prediction = watched.classes
    same = np.array([[a == b for b in _texts(prediction)] for a in _texts(label)])
    known = np.zeros(same.shape, dtype=bool)
    known[[code for code in range(label.size) if code != label.null]] = True
    known[:, prediction.null] = False
    differ = differs(label.column, prediction.column)
    faults = [_Fault(Mark(LABEL, (), "the prediction is wrong", (), differ), known & ~same, known)]
    if len(label.values) <= CLASSES_MAX:
        for code, value in enumerate(label.values):
            among = known & (np.arange(label.size) == code)[:, None]
            mark = Mark(
                LABEL, (code,), f"a true {value!r} is missed", (), f"{equals(label.column, value)} and {differ}"
            )
            faults.append(_Fault(mark, among & ~same, among))
    return faults


def _texts(coding: CategoryCoding) -> list[str | None]:
    """The value behind each code, truth values as numbers; values that the plan does not list equal nothing."""
    return [
        *(NUMBERS.get(value, value) for value in coding.values),
        None,
        *[f"\0{coding.column}{n}" for n in range(coding.unseen_cells)],
    ]


def _series(marks: list[Mark], inside: list[_Counted], rest: list[_Counted] | None = None) -> MarkSeries:
    log, reference = _sides(inside)
    if rest is None:
        return MarkSeries(tuple(marks), log, reference, late=tuple(Late(c.count, c.total) for c in inside))
    log_rest, reference_rest = _sides(rest)
    late = tuple(Late(c.count, c.total, r.count, r.total) for c, r in zip(inside, rest, strict=True))
    return MarkSeries(tuple(marks), log, reference, log_rest, reference_rest, late)


def _sides(counted: list[_Counted]) -> tuple[Side, Side]:
    log = Side(np.array([c.count.by_arrival() for c in counted]), np.array([c.total.by_arrival() for c in counted]))
    reference = Side(np.array([c.reference_count for c in counted]), np.array([c.reference_total for c in counted]))
    return log, reference
