"""Marks that only a label shows: counted as the labels arrive, kept by decision too, so that a start can be dated."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from andon.detect.builtin import marks_of, views_of
from andon.detect.history import History, Rest, Triangle
from andon.detect.mark import Late, Mark, MarkSeries, Side
from andon.detect.planning import Ripeness, Watched, cut_coding, slice_coding
from andon.telemetry.plan import Cube

Mask = npt.NDArray[np.bool_]
"""Which codes of the cube's columns are meant: one axis per column."""


@dataclass(frozen=True)
class Labels:
    """Labelled rows in the order in which the labels arrive, or, `ripe`, each judged once, when it is old enough.

    What is known of a row at that age never changes, and the rows of one time are judged together.
    """

    history: History
    ripe: Ripeness | None = None

    def counts(self, *columns: str) -> Triangle:
        """Those of the log."""
        return self.history.known_counts(*columns, age=self._age)

    def reference(self, *columns: str) -> Triangle:
        """Those of the reference."""
        known = self.history.reference_known(*columns, age=self._age)
        if self.ripe is None:
            return known
        return known.where(self.history.reference_buckets[known.event] < self.ripe.until)

    @property
    def _age(self) -> int | None:
        return None if self.ripe is None else self.ripe.age


@dataclass(frozen=True)
class Fault:
    """A way to be wrong: the codes of labelled rows that are, out of which codes.

    `steady` if it is followed in slices too.
    """

    mark: Mark
    wrong: Mask
    among: Mask
    steady: bool = True


Cut = tuple[str, ...]
"""Codings that cut the traffic: none (all of it), one, or two slices that meet."""


def declared_cuts(watched: Watched) -> tuple[Cut, ...]:
    """All traffic, by each declared slice, and where two of them meet."""
    slices = [(slice_coding(column),) for column in watched.slices]
    return ((), *slices, *((slice_coding(one), slice_coding(other)) for one, other in watched.pairs))


def undeclared_cuts(watched: Watched) -> tuple[Cut, ...]:
    """By each column that nobody declared as a slice, and by each number."""
    return (*((slice_coding(column),) for column in watched.found), *((cut_coding(name),) for name in watched.cuts))


def cubes(cuts: Sequence[Cut], columns: Cut, ripe: Ripeness | None = None) -> tuple[Cube, ...]:
    """The counts that faults over the codes of columns need."""
    return tuple(Cube((*cut, *columns), known_at=True, age=None if ripe is None else ripe.age) for cut in cuts)


def families(
    faults: Sequence[Fault], watched: Watched, labels: Labels, cuts: Sequence[Cut], columns: Cut
) -> Iterator[MarkSeries]:
    """The marks of faults, whose masks are over the codes of the columns, by each cut of the traffic."""
    for cut in cuts:
        if not cut:
            yield _everywhere(faults, labels, columns)
            continue
        found = (_in_parts if len(cut) == 1 else _in_pairs)(faults, watched, labels, cut, columns)
        if found is not None:
            yield found


def _everywhere(faults: Sequence[Fault], labels: Labels, columns: Cut) -> MarkSeries:
    labelled, reference = labels.counts(*columns), labels.reference(*columns)
    return _series([fault.mark for fault in faults], [_Counted.of(fault, labelled, reference) for fault in faults])


def _in_parts(faults: Sequence[Fault], watched: Watched, labels: Labels, cut: Cut, columns: Cut) -> MarkSeries | None:
    """The steady faults in each part of the traffic, against the rest; None where there is none."""
    steady = [fault for fault in faults if fault.steady]
    labelled, reference = labels.counts(*cut, *columns), labels.reference(*cut, *columns)
    rows = np.bincount(reference.codes[0], reference.counts, labels.history.plan.codings[cut[0]].size).astype(
        np.float64
    )
    everybody = [_Counted.of(fault, labelled, reference) for fault in steady]
    marks, inside, rest = [], [], []
    for part in views_of.parts_by(watched, cut[0], rows):
        here, usual = labelled.where(part.inside[labelled.codes[0]]), reference.where(part.inside[reference.codes[0]])
        for fault, all_traffic in zip(steady, everybody, strict=True):
            marks.append(replace(fault.mark, slice=part.place))
            inside.append(_Counted.of(fault, here, usual))
            rest.append(all_traffic.without(inside[-1]))
    return replace(_series(marks, inside, rest), declared=watched.is_declared(cut)) if marks else None


def _in_pairs(faults: Sequence[Fault], watched: Watched, labels: Labels, cut: Cut, columns: Cut) -> MarkSeries | None:
    """The steady faults where two columns have a value each, against the rest and within the slice of each column."""
    labelled, reference = labels.counts(*cut, *columns), labels.reference(*cut, *columns)
    one, other = (watched.codings[name].column for name in cut)
    rows = np.zeros([labels.history.plan.codings[name].size for name in cut], dtype=np.int64)
    np.add.at(rows, tuple(reference.codes[:2]), reference.counts)
    places = marks_of.places_of(watched, (one, other), rows)
    parts = [_Grouped.of(labelled, reference, each) for each in ((0,), (1,), (0, 1))]
    marks, inside, rest, within = [], [], [], []
    for fault in (fault for fault in faults if fault.steady):
        everybody = _Counted.of(fault, labelled, reference)
        slices = [
            {value: _Counted.of(fault, *parts[n].where(value)) for value in {values[n] for values, _ in places}}
            for n in range(len(cut))
        ]
        for values, place in places:
            marks.append(replace(fault.mark, slice=place))
            inside.append(_Counted.of(fault, *parts[2].where(*values)))
            rest.append(everybody.without(inside[-1]))
            within.append([each[value].without(inside[-1]) for each, value in zip(slices, values, strict=True)])
    if not marks:
        return None
    each = tuple(_sides([both[n] for both in within]) for n in range(len(cut)))
    return replace(_series(marks, inside, rest), within=each, declared=False)


@dataclass(frozen=True)
class _Grouped:
    """Labelled rows of the log and of the reference by the codes of some of their columns."""

    log: dict[tuple[int, ...], Triangle]
    reference: dict[tuple[int, ...], Triangle]
    nothing: tuple[Triangle, Triangle]

    @classmethod
    def of(cls, log: Triangle, reference: Triangle, columns: tuple[int, ...]) -> "_Grouped":
        nothing = tuple(rows.where(np.zeros(len(rows.event), dtype=np.bool_)) for rows in (log, reference))
        return cls(log.by(columns), reference.by(columns), (nothing[0], nothing[1]))

    def where(self, *codes: int) -> tuple[Triangle, Triangle]:
        """Those that have these codes."""
        return self.log.get(codes, self.nothing[0]), self.reference.get(codes, self.nothing[1])


@dataclass(frozen=True)
class _Counted:
    """A fault counted, with the rows that could have it: by decision and arrival, by arrival, and in the reference."""

    count: Triangle
    total: Triangle
    log: Side
    reference: Side

    @classmethod
    def of(cls, fault: Fault, labelled: Triangle, reference: Triangle) -> "_Counted":
        (wrong, among), usual = (
            [rows.where(which[tuple(rows.codes[-which.ndim :])]) for which in (fault.wrong, fault.among)]
            for rows in (labelled, reference)
        )
        steady = Side(*(each.by_event(0) for each in usual))
        return cls(wrong, among, Side(wrong.by_arrival(), among.by_arrival()), steady)

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
