"""Marks of coded columns: how the codes of a column become properties of rows, for all traffic and for slices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from math import inf

import numpy as np

from andon.base.predicate import any_of, at_least, below, equals, identifier, is_null
from andon.detect.finding import Slice
from andon.detect.history import History
from andon.detect.mark import ROWS_MIN, Mark, MarkSeries, Side
from andon.detect.planning import Watched, slice_coding
from andon.telemetry.plan import CategoryCoding, Coding, NumberCoding
from andon.telemetry.summary import NARROW_ROWS, Int64, Whole

PLACE_ROWS_MIN = 4 * ROWS_MIN
"""A place of two columns with fewer rows in the reference has no baseline."""
PLACE_MAX = 2 / 3
"""A place of two columns must leave out a third of the slice of each: else that slice says as much."""


def absence_marks(name: str, coding: Coding, place: Slice | None = None) -> list[Mark]:
    """The properties "is null" and, for a number, "is NaN or infinite"; `name` is the coding's."""
    column = coding.column
    null = Mark(name, (coding.null,), f"{column} is null", (column,), is_null(column), place, among_all=True, rare=True)
    if not isinstance(coding, NumberCoding):
        return [null]
    broken = any_of(f"isnan({identifier(column)})", equals(column, inf), equals(column, -inf))
    what, codes = f"{column} is NaN or infinite", (coding.nan, coding.infinite)
    return [null, Mark(name, codes, what, (column,), broken, place, among_all=True, rare=True)]


def value_marks(name: str, coding: Coding, reference: Int64, place: Slice | None = None) -> list[Mark]:
    """The properties that a column's known values can have; `reference` holds the column's counts there.

    A number is cut at each edge ("below 10"), the outermost two being far outside all that the reference has; a
    category has a mark per value.
    """
    if isinstance(coding, NumberCoding):
        return _cuts(name, coding, reference, place)
    if isinstance(coding, CategoryCoding):
        return [_value(name, coding, code, value, place) for code, value in enumerate(coding.values)]
    return []


def new_marks(
    name: str, coding: Coding, new: dict[int, str], reference: Int64, place: Slice | None = None
) -> list[Mark]:
    """The properties of having a value that the plan does not list; `new` are the values seen, by their cell.

    A value is rare when the reference has none in its cell.
    """
    if not isinstance(coding, CategoryCoding):
        return []
    marks = [_value(name, coding, code, value, place) for code, value in sorted(new.items())]
    return [replace(mark, rare=bool(reference[mark.codes[0]] == 0)) for mark in marks]


def _value(name: str, coding: CategoryCoding, code: int, value: str, place: Slice | None) -> Mark:
    column = coding.column
    return Mark(name, (code,), f"{column} is {value!r}", (column,), equals(column, value), place)


def _cuts(name: str, coding: NumberCoding, reference: Int64, place: Slice | None) -> list[Mark]:
    column, last = coding.column, len(coding.edges) - 1
    cuts = []
    for n, edge in enumerate(coding.edges):
        codes, words, predicate = tuple(range(n + 1)), f"below {edge:.6g}", below(column, edge)
        if n == last:
            codes, words, predicate = (n + 1,), f"at least {edge:.6g}", at_least(column, edge)
        rare = n in {0, last} and int(reference[list(codes)].sum()) == 0
        cuts.append(Mark(name, codes, f"{column} {words}", (column,), predicate, place, rare=rare))
    return cuts


def siblings(mark: Mark, coding: Coding) -> list[Mark]:
    """All marks of the values of a mark's column; the mark alone when it is about absence, or about no single value.

    The mark is among them, also where its value is one that the plan does not list.
    """
    if mark.among_all:
        return [mark]
    listed = value_marks(mark.coding, coding, np.zeros(coding.size, dtype=np.int64))
    return listed if any(each.codes == mark.codes for each in listed) else [*listed, mark]


def carried(marks: Sequence[Mark], coding: Coding) -> Int64:
    """Which codes carry each mark: 0 or 1, shape `(marks, codes)`."""
    table = np.zeros((len(marks), coding.size), dtype=np.int64)
    for row, mark in enumerate(marks):
        table[row, list(mark.codes)] = 1
    return table


def among(mark: Mark, coding: Coding) -> Int64:
    """Which codes could carry a mark: 0 or 1, shape `(codes,)`."""
    table = np.ones(coding.size, dtype=np.int64)
    if not mark.among_all:
        table[list(coding.unusable)] = 0
    return table


def everywhere(marks: Sequence[Mark], coding: Coding, log: Int64, reference: Int64) -> MarkSeries:
    """Marks over all traffic; counts are `(T, codes)`."""
    return MarkSeries(tuple(marks), _side(log, marks, coding), _side(reference, marks, coding))


@dataclass(frozen=True)
class Crossed:
    """Counts of a coding by the codes of a cut: `(T, cut, codes)`, and those of all traffic, `(T, codes)`."""

    log: Whole
    reference: Whole
    log_all: Whole
    reference_all: Whole

    @classmethod
    def of(cls, history: History, cut: str, name: str) -> "Crossed":
        rows = max(history.log.rows, history.reference.rows)
        log, reference = _fitting(history.counts(cut, name), rows), _fitting(history.reference_counts(cut, name), rows)
        return cls(log, reference, log.sum(axis=1, dtype=log.dtype), reference.sum(axis=1, dtype=reference.dtype))


def _fitting(counts: Int64, rows: int) -> Whole:
    """Counts of so many rows, in 32 bits if these and their sums fit."""
    return counts.astype(np.int32) if rows < NARROW_ROWS else counts


def in_slice(marks: Sequence[Mark], values: Sequence[int], coding: Coding, counts: Crossed) -> MarkSeries:
    """Marks in the slice of some values against the rest of the traffic."""
    return in_each([marks], [values], coding, counts)


def in_each(
    marks: Sequence[Sequence[Mark]], values: Sequence[Sequence[int]], coding: Coding, counts: Crossed
) -> MarkSeries:
    """The marks of some slices, each of some values, against the rest of the traffic, as one family."""

    def sides(crossed: Whole, everything: Whole) -> tuple[Side, Side]:
        inside = [crossed[:, each[0]] if len(each) == 1 else crossed[:, each].sum(axis=1) for each in values]
        here = _joined([_side(rows, each, coding) for rows, each in zip(inside, marks, strict=True)])
        rest = _joined([_side(everything - rows, each, coding) for rows, each in zip(inside, marks, strict=True)])
        return here, rest

    log, rest = sides(counts.log, counts.log_all)
    reference, reference_rest = sides(counts.reference, counts.reference_all)
    return MarkSeries(tuple(chain.from_iterable(marks)), log, reference, rest, reference_rest)


def in_all_traffic(watched: Watched, history: History, name: str) -> Iterator[MarkSeries]:
    """The values of a coding over all traffic: the known values, then new ones.

    A number that was beyond nearly all of the reference from the first row on goes further in time, as a counter does:
    that it comes to lie far outside is no start of anything.
    """
    coding = watched.codings[name]
    log, reference = history.counts(name), history.reference_counts(name)
    known = everywhere(value_marks(name, coding, reference.sum(axis=0)), coding, log, reference)
    unlike = history.unlike_until(name) if isinstance(coding, NumberCoding) else 0
    yield _none_rare(known, unlike) if unlike else known
    new = new_marks(name, coding, history.names(name), reference.sum(axis=0))
    if new:
        yield replace(everywhere(new, coding, log, reference), alike=False)


def _none_rare(series: MarkSeries, buckets: int) -> MarkSeries:
    """The marks, those of values that the reference does not have without a row in the first buckets."""
    count = series.log.count.copy()
    count[[mark.rare for mark in series.marks], :buckets] = 0
    return replace(series, log=replace(series.log, count=count))


def in_slices(watched: Watched, history: History, column: str, name: str) -> Iterator[MarkSeries]:
    """The values of a coding in each slice of a column against the rest: the known values, then new ones."""
    cut, coding = watched.cut(column), watched.codings[name]
    counts = Crossed.of(history, slice_coding(column), name)
    there, new = counts.reference_all.sum(axis=0), history.names(name)
    values = [[value] for value in range(len(cut.values))]
    places = [slice_of(cut, *each) for each in values]
    yield in_each([value_marks(name, coding, there, place) for place in places], values, coding, counts)
    if new:
        unknown = in_each([new_marks(name, coding, new, there, place) for place in places], values, coding, counts)
        yield replace(unknown, alike=False)


def in_pairs(watched: Watched, history: History, pair: tuple[str, str], name: str) -> MarkSeries | None:
    """The values of a coding where two columns have a value each, against the rest and within each column's slice."""
    coding, columns = watched.codings[name], (*(slice_coding(column) for column in pair), name)
    log, reference = (_Met.of(each) for each in (history.counts(*columns), history.reference_counts(*columns)))
    there, families = reference.everywhere.sum(axis=0), []
    for values, place in places_of(watched, pair, reference.counts.sum(axis=(0, 3))):
        marks = value_marks(name, coding, there, place)
        here, others = ([_side(each, marks, coding) for each in met.around(*values)] for met in (log, reference))
        within = tuple(zip(here[2:], others[2:], strict=True))
        families.append(MarkSeries(tuple(marks), here[0], others[0], here[1], others[1], within=within))
    return replace(joined(families), declared=False) if families else None


@dataclass(frozen=True)
class _Met:
    """Counts of a coding where the codes of two cuts meet: `(T, first, second, codes)`, and their sums over cuts."""

    counts: Int64
    by_first: Int64
    by_second: Int64
    everywhere: Int64

    @classmethod
    def of(cls, counts: Int64) -> "_Met":
        by_first = counts.sum(axis=2)
        return cls(counts, by_first, counts.sum(axis=1), by_first.sum(axis=1))

    def around(self, first: int, second: int) -> tuple[Int64, Int64, Int64, Int64]:
        """Where two values meet, in the rest of the traffic, and in the rest of the slice of each."""
        here = self.counts[:, first, second]
        return here, self.everywhere - here, self.by_first[:, first] - here, self.by_second[:, second] - here


def places_of(watched: Watched, pair: tuple[str, str], rows: Int64) -> list[tuple[tuple[int, int], Slice]]:
    """Where two columns have a known value each, with the rows of the reference that a baseline needs.

    A place that is most of the slice of one of its columns is left out: that slice says as much.
    """
    cuts, found = [watched.cut(column) for column in pair], []
    for first, second in np.ndindex(*(len(cut.values) for cut in cuts)):
        here, most = rows[first, second], min(rows[first].sum(), rows[:, second].sum())
        if here >= PLACE_ROWS_MIN and here <= PLACE_MAX * most:
            found.append(((first, second), slice_of(cuts[0], first) & slice_of(cuts[1], second)))
    return found


def slice_of(coding: CategoryCoding, *values: int) -> Slice:
    """The slice in which a column has one of some known values."""
    return Slice(any_of(*(equals(coding.column, coding.values[value]) for value in values)), (coding.column,))


def joined(families: Sequence[MarkSeries], *, alike: bool = True) -> MarkSeries:
    """Families of marks as one family, which pools its usual wander if they are alike."""
    rest, reference_rest = [f.rest for f in families], [f.reference_rest for f in families]
    return MarkSeries(
        tuple(mark for family in families for mark in family.marks),
        _joined([f.log for f in families]),
        _joined([f.reference for f in families]),
        None if None in rest else _joined([side for side in rest if side is not None]),
        None if None in reference_rest else _joined([side for side in reference_rest if side is not None]),
        alike=alike,
        within=tuple(
            (_joined([log for log, _ in each]), _joined([reference for _, reference in each]))
            for each in zip(*(f.within for f in families), strict=True)
        ),
    )


def _side(counts: Whole, marks: Sequence[Mark], coding: Coding) -> Side:
    if not marks:
        nothing = np.zeros((0, len(counts)), dtype=np.int64)
        return Side(nothing, nothing)
    total = counts @ among(marks[0], coding).astype(counts.dtype)
    return Side(_carrying(counts, marks, coding), np.broadcast_to(total, (len(marks), len(total))))


def _carrying(counts: Whole, marks: Sequence[Mark], coding: Coding) -> Whole:
    """Rows with each mark, `(marks, T)`."""
    first, last = (np.array([mark.codes[end] for mark in marks]) for end in (0, -1))
    if all(mark.codes == tuple(range(mark.codes[0], mark.codes[-1] + 1)) for mark in marks):
        if np.array_equal(first, last):
            return np.ascontiguousarray(counts.T[first])
        before = np.zeros((counts.shape[1] + 1, len(counts)), dtype=counts.dtype)
        np.cumsum(counts.T, axis=0, out=before[1:])
        within: Whole = before[last + 1] - before[first]
        return within
    # Whole numbers of floating point, exact below 2**53: their product is an order of magnitude faster.
    count = carried(marks, coding).astype(np.float64) @ counts.T.astype(np.float64)
    return count.astype(np.int64)


def _joined(sides: Sequence[Side]) -> Side:
    return Side(np.concatenate([s.count for s in sides]), np.concatenate([s.total for s in sides]))
