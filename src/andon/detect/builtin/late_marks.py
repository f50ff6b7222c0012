"""Marks that only a label shows: counted as the labels arrive, kept by decision too, so that a start can be dated."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from andon.detect.builtin import marks_of
from andon.detect.history import History, Triangle
from andon.detect.mark import Late, Mark, MarkSeries, Side
from andon.detect.planning import Watched, slice_coding
from andon.telemetry.summary import Int64

Mask = npt.NDArray[np.bool_]
"""Which codes of the cube's columns are meant: one axis per column."""


@dataclass(frozen=True)
class Fault:
    """A way to be wrong: the codes of labelled rows that are, out of which codes.

    `steady` if it is followed in slices too.
    """

    mark: Mark
    wrong: Mask
    among: Mask
    steady: bool = True


def everywhere(faults: Sequence[Fault], history: History, *columns: str) -> MarkSeries:
    """Faults in all traffic; their masks are over the codes of the columns."""
    labelled, reference = history.known_counts(*columns), history.reference_labels(*columns)
    counted = [_Counted.of(fault, labelled, reference) for fault in faults]
    return _series([fault.mark for fault in faults], counted)


def in_slices(
    faults: Sequence[Fault], watched: Watched, history: History, column: str, *columns: str
) -> MarkSeries | None:
    """The steady faults in each slice of a column against the rest; None where there is none."""
    cut = watched.cut(column)
    labelled = history.known_counts(slice_coding(column), *columns)
    reference = history.reference_labels(slice_coding(column), *columns)
    marks, inside, rest = [], [], []
    for value in range(len(cut.values)):
        here = labelled.codes[0] == value
        other = reference.sum(axis=1) - reference[:, value]
        for fault in (fault for fault in faults if fault.steady):
            marks.append(replace(fault.mark, slice=marks_of.slice_of(cut, value)))
            inside.append(_Counted.of(fault, labelled.where(here), reference[:, value]))
            rest.append(_Counted.of(fault, labelled.where(~here), other))
    return _series(marks, inside, rest) if marks else None


@dataclass(frozen=True)
class _Counted:
    """A fault counted: by arrival and by decision in the log, per bucket in the reference."""

    count: Triangle
    total: Triangle
    reference_count: Int64
    reference_total: Int64

    @classmethod
    def of(cls, fault: Fault, labelled: Triangle, reference: Int64) -> "_Counted":
        codes = tuple(labelled.codes[-fault.wrong.ndim :])
        return cls(
            labelled.where(fault.wrong[codes]),
            labelled.where(fault.among[codes]),
            reference[:, fault.wrong].sum(axis=1),
            reference[:, fault.among].sum(axis=1),
        )


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
