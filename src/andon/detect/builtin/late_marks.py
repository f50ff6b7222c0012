"""Marks that only a label shows: counted as the labels arrive, kept by decision too, so that a start can be dated."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from andon.detect.builtin import marks_of
from andon.detect.history import History, Rest, Triangle
from andon.detect.mark import Late, Mark, MarkSeries, Side
from andon.detect.planning import Watched, slice_coding
from andon.telemetry.summary import Int64

Mask = npt.NDArray[np.bool_]
"""Which codes of the cube's columns are meant: one axis per column."""


@dataclass(frozen=True)
class Labels:
    """Labelled rows in the order in which the labels arrive; with an age, each judged once, when so many buckets old.

    What is known of a row at that age never changes, and the rows of one time are judged together.
    """

    history: History
    age: int | None = None

    def counts(self, *columns: str) -> Triangle:
        """Those of the log."""
        return self.history.known_counts(*columns, age=self.age)

    def reference(self, *columns: str) -> Int64:
        """Those of the reference: `(reference buckets, *sizes)`."""
        return self.history.reference_labels(*columns, age=self.age)


@dataclass(frozen=True)
class Fault:
    """A way to be wrong: the codes of labelled rows that are, out of which codes.

    `steady` if it is followed in slices too.
    """

    mark: Mark
    wrong: Mask
    among: Mask
    steady: bool = True


def everywhere(faults: Sequence[Fault], labels: Labels, *columns: str) -> MarkSeries:
    """Faults in all traffic; their masks are over the codes of the columns."""
    labelled, reference = labels.counts(*columns), labels.reference(*columns)
    return _series([fault.mark for fault in faults], [_Counted.of(fault, labelled, reference) for fault in faults])


def in_slices(
    faults: Sequence[Fault], watched: Watched, labels: Labels, column: str, *columns: str
) -> MarkSeries | None:
    """The steady faults in each slice of a column against the rest; None where there is none."""
    cut, steady = watched.cut(column), [fault for fault in faults if fault.steady]
    cutting = slice_coding(column)
    labelled, reference = labels.counts(cutting, *columns), labels.reference(cutting, *columns)
    everybody = [_Counted.of(fault, labelled, reference.sum(axis=1)) for fault in steady]
    marks, inside, rest = [], [], []
    for value in range(len(cut.values)):
        here = labelled.where(labelled.codes[0] == value)
        for fault, all_traffic in zip(steady, everybody, strict=True):
            marks.append(replace(fault.mark, slice=marks_of.slice_of(cut, value)))
            inside.append(_Counted.of(fault, here, reference[:, value]))
            rest.append(all_traffic.without(inside[-1]))
    return _series(marks, inside, rest) if marks else None


def in_pairs(
    faults: Sequence[Fault], watched: Watched, labels: Labels, pair: tuple[str, str], *columns: str
) -> MarkSeries | None:
    """The steady faults where two columns have a value each, against the rest and within the slice of each column."""
    cutting = tuple(slice_coding(column) for column in pair)
    labelled, reference = labels.counts(*cutting, *columns), labels.reference(*cutting, *columns)
    places = marks_of.places_of(watched, pair, reference.sum(axis=(0, *range(3, reference.ndim))))
    marks, inside, rest, within = [], [], [], []
    for fault in (fault for fault in faults if fault.steady):
        everybody = _Counted.of(fault, labelled, reference.sum(axis=(1, 2)))
        slices = [
            [
                _Counted.of(fault, labelled.where(codes == value), by_value[:, value])
                for value in range(by_value.shape[1])
            ]
            for codes, by_value in zip(labelled.codes, (reference.sum(axis=2), reference.sum(axis=1)), strict=False)
        ]
        for values, place in places:
            here = np.all(labelled.codes[:2] == np.array([values]).T, axis=0)
            marks.append(replace(fault.mark, slice=place))
            inside.append(_Counted.of(fault, labelled.where(here), reference[:, values[0], values[1]]))
            rest.append(everybody.without(inside[-1]))
            within.append([each[value].without(inside[-1]) for each, value in zip(slices, values, strict=True)])
    if not marks:
        return None
    each = tuple(_sides([both[n] for both in within]) for n in range(len(pair)))
    return replace(_series(marks, inside, rest), within=each, declared=False)


@dataclass(frozen=True)
class _Counted:
    """A fault counted, with the rows that could have it: by decision and arrival, by arrival, and in the reference."""

    count: Triangle
    total: Triangle
    log: Side
    reference: Side

    @classmethod
    def of(cls, fault: Fault, labelled: Triangle, reference: Int64) -> "_Counted":
        codes = tuple(labelled.codes[-fault.wrong.ndim :])
        wrong, among = labelled.where(fault.wrong[codes]), labelled.where(fault.among[codes])
        usual = Side(reference[:, fault.wrong].sum(axis=1), reference[:, fault.among].sum(axis=1))
        return cls(wrong, among, Side(wrong.by_arrival(), among.by_arrival()), usual)

    def without(self, part: "_Counted") -> "_Rest":
        count, total = Rest(self.count, part.count), Rest(self.total, part.total)
        return _Rest(count, total, self.log - part.log, self.reference - part.reference)


@dataclass(frozen=True)
class _Rest:
    """A fault counted in some traffic without a part of it."""

    count: Rest
    total: Rest
    log: Side
    reference: Side


def _series(marks: list[Mark], inside: list[_Counted], rest: list[_Rest] | None = None) -> MarkSeries:
    log, reference = _sides(inside)
    if rest is None:
        return MarkSeries(tuple(marks), log, reference, late=tuple(Late(c.count, c.total) for c in inside))
    log_rest, reference_rest = _sides(rest)
    late = tuple(Late(c.count, c.total, r.count, r.total) for c, r in zip(inside, rest, strict=True))
    return MarkSeries(tuple(marks), log, reference, log_rest, reference_rest, late)


def _sides(counted: Sequence[_Counted] | Sequence[_Rest]) -> tuple[Side, Side]:
    """The counts of several marks, in the log and in the reference."""
    return Side.stacked([each.log for each in counted]), Side.stacked([each.reference for each in counted])
