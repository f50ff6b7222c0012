"""A slice of two columns: the bounded second pass that asks where, in what a scan found, the shift sits.

The first pass counts each column with each slice column, and no three at once: there are too many. Once something is
found there is one mark and one place to ask about, so a second pass can count that mark within that place by every
column that may name a group. What stands out there by the rules of `locate` narrows the place.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from andon.base.interval import Grid
from andon.detect.builtin import marks_of, views_of
from andon.detect.finding import Slice
from andon.detect.history import Entries, History
from andon.detect.hit import NEAR, Hit, Stream
from andon.detect.locate import (
    CHANGED_DECISIONS,
    LOCATE_Z,
    SHIFTED_SCORE,
    Located,
    Shift,
    best_part,
    is_confined,
)
from andon.detect.mark import ROWS_MIN, MarkSeries, Side
from andon.detect.onset import Run
from andon.detect.planning import CHANGED, VERSION, Watched, cut_coding, slice_coding
from andon.detect.versions import new_versions
from andon.telemetry.plan import Coding, Cube, Plan, PredicateCoding
from andon.telemetry.summary import Int64

SLICE_DISTRIBUTION = "slice_distribution"
PLACE, VERSION_OF, MARKED = "narrow\x1fplace", "narrow\x1fversion", "narrow\x1fmark"
"""Names of the codings of the second pass."""

PART_MAX = 2 / 3
"""A second column must leave out a third of the place's rows: else the simpler place says as much."""

WEEK = timedelta(days=7)

Mask = npt.NDArray[np.bool_]
_Which = Callable[[Entries], Mask]


@dataclass(frozen=True)
class Narrowed:
    """A hit followed where its shift sits, and the slice that is concerned (None: nobody in particular)."""

    hit: Hit
    place: Slice | None


def narrowed(inquiry: "Inquiry", history: History, ask: Callable[[Plan], History]) -> Narrowed | None:
    """Where, in what a scan found, the shift sits; None when it was told right.

    First one column within the place, then one column within what that says: so a place that was only the way in (what
    moved was seen there) is left behind, and a set of values gets whole.
    """
    first = inquiry.mirrored(history)
    start = inquiry.anew() if first is None else replace(inquiry, hit=first, place=None)
    loose = first is None and inquiry.is_loose(history)
    counts = ask(start.plan(history.plan.grid))
    part = start.best(counts)
    if part is None:
        return Narrowed(inquiry.hit, None) if loose else None
    inside = start.within(counts, part)
    if loose:
        return Narrowed(inside, part.place)
    again = replace(start, hit=inside, place=part.place)
    more = ask(again.plan(history.plan.grid))
    other = again.best(more)
    found = start.everywhere(counts, part) if other is None else again.within(more, other)
    return Narrowed(found, found.stream.mark.slice)


def blamed(inquiry: "Inquiry", history: History, ask: Callable[[Plan], History]) -> str | None:
    """The new version whose decisions alone carry a shift while others went on deciding; None if there is none.

    It came when the failure began (a canary); what the others decided at the same time in the same place kept calm.
    """
    came = inquiry.new_versions(history)
    if not came:
        return None
    counts = ask(inquiry.plan_by_version(history.plan.grid))
    return next((name for code, name in came if inquiry.carried_by(code, counts)), None)


@dataclass(frozen=True)
class Inquiry:
    """One hit, the place it was found in, and the buckets of its failure.

    Attributes:
        hit: what moved.
        place: where, without the version that is to blame; None: in all traffic.
        run: since when.
        marked: for a mark that only a label shows, its predicate as known (`Model.as_known`).
    """

    hit: Hit
    place: Slice | None
    run: Run
    watched: Watched
    marked: str | None = None

    def anew(self) -> "Inquiry":
        """The same; from all traffic where errors were seen on a side of a number, of which few edges were tried."""
        return replace(self, place=None) if self.marked is not None and self.watched.is_cut(self.place) else self

    def plan(self, grid: Grid) -> Plan:
        """What the second pass counts: the mark by each column, inside the place and outside."""
        version = self.hit.stream.mark.version
        codings: dict[str, Coding | PredicateCoding] = {
            **self.watched.codings,
            PLACE: PredicateCoding("true" if self.place is None else self.place.predicate),
            VERSION_OF: PredicateCoding("true" if version is None else self.watched.version_slice(version).predicate),
            MARKED: PredicateCoding(self.marked or "true"),
        }
        cubes = (Cube((name, self._mark, PLACE, VERSION_OF)) for name in self._cuts())
        return Plan(grid, codings, (Cube(()), *cubes), self.watched.extractors)

    def plan_by_version(self, grid: Grid) -> Plan:
        """What is counted to tell whether a version is to blame: the mark by version, inside the place and outside."""
        plan = self.plan(grid)
        return Plan(grid, plan.codings, (Cube(()), Cube((VERSION, self._mark, PLACE))), self.watched.extractors)

    def new_versions(self, history: History) -> list[tuple[int, str]]:
        """Codes and names of the versions that the reference does not have, and that came when the failure began."""
        came = new_versions(self.watched, history).items() if self.hit.stream.mark.version is None else ()
        return [
            (code, name) for code, (name, first) in came if first < self.run.end and self.run.begins_near(first, NEAR)
        ]

    def carried_by(self, version: int, history: History) -> bool:
        """Whether the decisions of a version moved and those of the others, at the same time and place, kept calm."""
        columns = (VERSION, self._mark, PLACE)
        log, reference = history.entries(*columns), history.reference_entries(*columns)
        shape = history.plan.shape(Cube((VERSION, self._mark)))
        now = (log.codes[2] == 1) & (log.time >= self.run.start) & (log.time < self.run.end)
        before = _table(log, (log.codes[2] == 1) & (log.time < self.run.start), shape)
        usual = (before + _table(reference, reference.codes[2] == 1, shape)).sum(axis=0)
        window = _table(log, now, shape)
        both_sides = np.array([window[version], window.sum(axis=0) - window[version]])
        shift, siblings = self._shifts(both_sides, np.array([usual, usual]))
        return is_confined(self.hit, shift, siblings, np.array([True, False])) is not None

    def is_loose(self, history: History) -> bool:
        """Whether two columns came apart: what moved in a slice, the rest made up for, so neither column moved."""
        shifts = self._in_place(history)
        return shifts is not None and shifts[0].made_up_for(shifts[1])

    def mirrored(self, history: History) -> Hit | None:
        """The hit seen the other way round, where what names its slice is what moved.

        Two columns that come apart show in either by the other. If the one that was marked kept its shares in all
        traffic, and the one that named the slice did not, then that one moved, in some values of the first.
        """
        place = self.hit.stream.mark.slice
        if place is None or place.columns[0] not in self.watched.features or not self.is_loose(history):
            return None
        name = place.columns[0]
        coding, counts, reference = self.watched.codings[name], history.counts(name), history.reference_counts(name)
        marks = marks_of.value_marks(name, coding, reference.sum(axis=0))
        if not marks:
            return None
        window = counts[self.run.start : self.run.end].sum(axis=0)[np.newaxis]
        base = (counts[: self.run.start].sum(axis=0) + reference.sum(axis=0))[np.newaxis]
        shift = Shift.of(window, base, marks_of.carried(marks, coding), marks_of.among(marks[0], coding))
        moved, error = shift.of_set(np.array([True]))
        most = int(np.argmax(np.abs(moved)))
        if abs(moved[most]) < LOCATE_Z * error[most]:
            return None
        series = marks_of.everywhere([marks[most]], coding, counts, reference)
        return replace(self.hit, stream=Stream.of(self.hit.stream.detector, series, 0), effect=float(moved[most]))

    def _in_place(self, history: History) -> tuple[Shift, npt.NDArray[np.bool_]] | None:
        """The shift of a value's mark by the values of the column that names its slice, and which of them do.

        Weeks on either side of the start are compared: the seasons move the rest as well, but not in a week.
        """
        mark, place = self.hit.stream.mark, self.hit.stream.mark.slice
        if place is None or self.hit.stream.detector.name != SLICE_DISTRIBUTION:
            return None
        cut = self.watched.cut(place.columns[0])
        columns = (slice_coding(place.columns[0]), mark.coding)
        log, reference = history.counts(*columns), history.reference_counts(*columns)
        first, end = history.around(self.run.start, WEEK)
        window = log[self.run.start : min(end, self.run.end)].sum(axis=0)
        base = log[first : self.run.start].sum(axis=0)
        if base.sum() < ROWS_MIN:
            base = base + reference.sum(axis=0)
        inside = np.array([marks_of.slice_of(cut, v).predicate == place.predicate for v in range(len(cut.values))])
        inside = np.concatenate((inside, np.zeros(len(window) - len(inside), dtype=np.bool_)))
        return Shift.of_mark(mark, self.watched.codings[mark.coding], window, base)[0], inside

    def best(self, history: History) -> Located | None:
        """The part of the place that carries the shift; None when all of it does."""
        found = []
        for name in self._cuts():
            window, base = self._tables(history, name)
            shift, siblings = self._shifts(window, base)
            found.append(best_part(self.hit, name, self.watched.codings[name], shift, siblings, PART_MAX))
        return max((each for each in found if each is not None), key=lambda each: abs(each.z), default=None)

    def within(self, history: History, part: Located) -> Hit:
        """The hit followed in a part of the place, against the rest of the place."""
        place = part.place if self.place is None else self.place & part.place
        return self._followed(history, part, place, lambda entries: entries.codes[2] == 1)

    def everywhere(self, history: History, part: Located) -> Hit:
        """The hit followed in a part of all traffic, against the rest of it."""
        return self._followed(history, part, part.place, lambda entries: np.ones(len(entries.time), dtype=np.bool_))

    @property
    def _mark(self) -> str:
        if self.marked is not None:
            return MARKED
        answers = self.hit.stream.detector.name in {CHANGED_DECISIONS, SHIFTED_SCORE}
        return CHANGED if answers else self.hit.stream.mark.coding

    @property
    def _coding(self) -> Coding | None:
        """The coding of the marked column; None where no column by itself says who carries the mark."""
        return self.watched.codings.get(self._mark)

    def _cuts(self) -> tuple[str, ...]:
        """Codings of columns that may narrow the place: not those that moved, nor those that name it already.

        Of inputs that moved, no other input tells where, unless it is declared as a slice: a feed breaks for a source
        of rows, while how well a shift shows depends on every input that goes with the one that moved.
        """
        mark, watched = self.hit.stream.mark, self.watched
        taken = {*mark.features, *(self.place.columns if self.place is not None else ())}
        if self._coding is not None:
            taken.add(self._coding.column)
        if mark.features:
            taken |= set(watched.features) - set(watched.slices)
        by_value = (slice_coding(name) for name in (*watched.slices, *watched.found) if name not in taken)
        return (*by_value, *(cut_coding(name) for name in watched.cuts if name not in taken))

    def _entries(self, history: History, name: str) -> tuple[Entries, Entries]:
        columns = (name, self._mark, PLACE, VERSION_OF)
        return history.entries(*columns), history.reference_entries(*columns)

    def _tables(self, history: History, name: str) -> tuple[Int64, Int64]:
        """Rows of the place by code of a column and of the mark, in the failure and before it."""
        log, reference = self._entries(history, name)
        shape = history.plan.shape(Cube((name, self._mark)))
        here = log.codes[2] == 1
        now = here & (log.time >= self.run.start) & (log.time < self.run.end) & (log.codes[3] == 1)
        before = here & (log.time < self.run.start)
        return _table(log, now, shape), _table(log, before, shape) + _table(reference, reference.codes[2] == 1, shape)

    def _shifts(self, window: Int64, base: Int64) -> tuple[Shift, Shift]:
        if self._coding is not None:
            return Shift.of_mark(self.hit.stream.mark, self._coding, window, base)
        shift = Shift.of(window, base, *self._carried(window.shape[1]))
        if self._mark != CHANGED:
            return shift, shift
        either_way, every = self._either_way(window.shape[1]), np.ones(window.shape[1], dtype=np.int64)
        return shift, Shift.of(window, base, either_way, every)

    def _either_way(self, size: int) -> Int64:
        """Which codes are of answers that left the expected one, to the one side and to the other: `(2, codes)`.

        The rest must keep calm in both: answers that are guesses leave it downwards here and upwards there.
        """
        assert self.watched.surrogate is not None  # noqa: S101  # the mark is of its answers
        expected, given, far = self.watched.surrogate.parts(np.arange(size))
        answer = self.hit.stream.mark.codes[0]
        if self.hit.stream.detector.name == SHIFTED_SCORE:
            return np.array([far == views_of.ABOVE, far == views_of.BELOW], dtype=np.int64)
        return np.array([given == answer, expected == answer], dtype=np.int64)

    def _carried(self, size: int) -> tuple[Int64, Int64]:
        """Which codes carry the mark, `(1, codes)`, and which could, `(codes,)`."""
        codes, mark, surrogate = np.arange(size), self.hit.stream.mark, self.watched.surrogate
        if self._coding is not None:
            return marks_of.carried([mark], self._coding), marks_of.among(mark, self._coding)
        carried, among = codes == 1, codes <= 1
        if self._mark == CHANGED and surrogate is not None:
            expected, given, far = surrogate.parts(codes)
            carried, among = far == mark.codes[0], codes >= 0
            if self.hit.stream.detector.name == CHANGED_DECISIONS:
                carried, among = given == mark.codes[0], (given == mark.codes[0]) | (expected == mark.codes[0])
        return carried.astype(np.int64)[np.newaxis], among.astype(np.int64)

    def _followed(self, history: History, part: Located, place: Slice, here: "_Which") -> Hit:
        log, reference = self._entries(history, part.cut)
        mark = self.hit.stream.mark
        seen = here(log) & ((log.time < self.run.start) | (log.codes[3] == 1))
        inside, rest = self._sides(history, log, seen, part)
        reference_inside, reference_rest = self._sides(history, reference, here(reference), part)
        where = place if mark.version is None else self.watched.version_slice(mark.version) & place
        series = MarkSeries((replace(mark, slice=where),), inside, reference_inside, rest, reference_rest)
        stream = Stream.of(self.hit.stream.detector, series, 0)
        run = self.run
        return replace(self.hit, stream=stream, t=run.end - 1, window=run.end - run.start, effect=part.effect)

    def _sides(self, history: History, entries: Entries, seen: Mask, part: Located) -> tuple[Side, Side]:
        """Rows with the mark, and those that could have it, per bucket: in the part and in the rest."""
        carried, among = self._carried(history.plan.shape(Cube((self._mark,)))[0])
        inside = np.isin(entries.codes[0], part.codes)

        def side(where: Mask) -> Side:
            counted = (
                np.bincount(entries.time[where], entries.counts[where] * which[entries.codes[1][where]], entries.length)
                for which in (carried[0], among)
            )
            count, total = (each.astype(np.int64)[np.newaxis] for each in counted)
            return Side(count, total)

        return side(seen & inside), side(seen & ~inside)


def _table(entries: Entries, where: Mask, shape: tuple[int, ...]) -> Int64:
    """Rows by code of the first two columns."""
    flat = entries.codes[0][where] * shape[1] + entries.codes[1][where]
    counts = np.bincount(flat, entries.counts[where], int(np.prod(shape)))
    return counts.astype(np.int64).reshape(shape)
