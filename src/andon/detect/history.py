"""The counts that detectors see: one log and its reference under one plan, on a time axis without empty buckets."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from andon.telemetry.plan import Cube, Plan
from andon.telemetry.summary import LAG_NEVER, Int64, Summary, pack, unpack

Float = npt.NDArray[np.float64]


UNLIKE: Final = 0.9
"""Two columns so far apart (total variation distance) have hardly a value in common."""
UNLIKE_ROWS_MIN: Final = 50
"""So many rows say that they are."""


@dataclass(frozen=True)
class Triangle:
    """Labelled rows by decision and arrival (a run-off triangle): one entry per cell that has rows.

    Attributes:
        event, arrival: indices on the time axis; a label that arrives between two buckets counts with the later one.
        codes: one row per column of the cube.
        counts: rows per entry (a fraction of them where each carries a mark with a known probability only).
        length: buckets on the time axis.
    """

    event: Int64
    arrival: Int64
    codes: Int64
    counts: Int64 | Float
    length: int

    def where(self, inside: npt.NDArray[np.bool_]) -> "Triangle":
        """The entries chosen by a mask."""
        return Triangle(
            self.event[inside], self.arrival[inside], self.codes[:, inside], self.counts[inside], self.length
        )

    def by(self, columns: tuple[int, ...]) -> "dict[tuple[int, ...], Triangle]":
        """The entries by their codes of some columns, where there are any."""
        if not len(self.event):
            return {}
        codes = self.codes[list(columns)]
        order = np.lexsort(codes[::-1])
        codes = codes[:, order]
        firsts = np.flatnonzero(np.concatenate(([True], (codes[:, 1:] != codes[:, :-1]).any(axis=0)))).tolist()
        sorted_by = Triangle(
            self.event[order], self.arrival[order], self.codes[:, order], self.counts[order], self.length
        )
        return {
            tuple(codes[:, first].tolist()): sorted_by.part(first, end)
            for first, end in zip(firsts, [*firsts[1:], len(order)], strict=True)
        }

    def part(self, first: int, end: int) -> "Triangle":
        """The entries from one to before another."""
        chosen = slice(first, end)
        return Triangle(
            self.event[chosen], self.arrival[chosen], self.codes[:, chosen], self.counts[chosen], self.length
        )

    def times(self, rate: Float) -> "Triangle":
        """What is expected of the entries when the rows of each carry a mark with its rate."""
        return replace(self, counts=self.counts * rate)

    def by_arrival(self) -> Int64 | Float:
        """Rows per bucket of arrival."""
        return self._per_bucket(self.arrival, self.counts)

    def by_event(self, known: int) -> Int64 | Float:
        """Rows per bucket of decision, of the labels that had arrived by the end of bucket `known`."""
        seen = self.arrival <= known
        return self._per_bucket(self.event[seen], self.counts[seen])

    def _per_bucket(self, bucket: Int64, counts: Int64 | Float) -> Int64 | Float:
        rows = np.bincount(bucket, weights=counts, minlength=self.length)
        return rows if counts.dtype == np.float64 else rows.astype(np.int64)


@dataclass(frozen=True)
class Rest:
    """The rows of a triangle that are not in a part of it."""

    whole: Triangle
    part: Triangle

    def by_event(self, known: int) -> Int64 | Float:
        """Rows per bucket of decision, of the labels that had arrived by the end of bucket `known`."""
        return self.whole.by_event(known) - self.part.by_event(known)


@dataclass(frozen=True)
class Entries:
    """Counts of a cube, one entry per cell that has rows: what is too wide to be laid out.

    Attributes:
        time: index of the bucket, on the axis of the log or of the reference.
        codes: one row per column of the cube.
        counts: rows per entry.
        length: buckets on the time axis.
    """

    time: Int64
    codes: Int64
    counts: Int64
    length: int


@dataclass(frozen=True)
class History:
    """What was counted up to a time.

    The time axis holds the buckets that have rows, in order; an evaluation at index `t` stands at the end of bucket
    `t` and sees the buckets `0..t`. Buckets that were not over at `now` are not there.
    """

    plan: Plan
    log: Summary
    reference: Summary
    buckets: Int64
    reference_buckets: Int64

    @classmethod
    def of(cls, plan: Plan, log: Summary, reference: Summary, now: datetime) -> "History":
        """The history at `now`: a bucket counts once the evaluation at its end may run."""
        last = plan.grid.last_evaluation(now)
        seen = _occupied(log)
        return cls(plan, log, reference, seen[seen < last], _occupied(reference))

    def evaluation(self, t: int) -> datetime:
        """When the evaluation of index `t` runs: it knows what was known just before."""
        return self.plan.grid.start(int(self.buckets[t]) + 1)

    def start(self, t: int) -> datetime:
        """The start of bucket `t`."""
        return self.plan.grid.start(int(self.buckets[t]))

    def around(self, t: int, length: timedelta) -> tuple[int, int]:
        """The first bucket within a length of time before bucket `t`, and the first after it that is no longer so."""
        buckets = length // self.plan.grid.length
        first, end = np.searchsorted(self.buckets, self.buckets[t] + np.array([-buckets, max(buckets, 1)]))
        return int(first), int(end)

    def counts(self, *columns: str) -> Int64:
        """Counts of the log over the codes of columns: shape `(buckets, *sizes)`."""
        return self._dense(self.log, self.buckets, Cube(columns))

    def reference_counts(self, *columns: str) -> Int64:
        """Counts of the reference over the codes of columns: shape `(reference buckets, *sizes)`."""
        return self._dense(self.reference, self.reference_buckets, Cube(columns))

    def entries(self, *columns: str) -> Entries:
        """Counts of the log over the codes of columns, only where there are rows."""
        return self._entries(self.log, self.buckets, Cube(columns))

    def reference_entries(self, *columns: str) -> Entries:
        """Counts of the reference over the codes of columns, only where there are rows."""
        return self._entries(self.reference, self.reference_buckets, Cube(columns))

    def known_counts(self, *columns: str, age: int | None = None) -> "Triangle":
        """Counts of the labelled rows of the log by when they were decided and when their label arrived.

        With an age, in buckets: by when they were so old, and only those whose label had arrived by then.
        """
        bucket, lag, codes, rows = self._labelled(self.log, columns, age)
        event, arrival = np.searchsorted(self.buckets, bucket), np.searchsorted(self.buckets, bucket + lag)
        seen = (event < len(self.buckets)) & (arrival < len(self.buckets)) & (lag != LAG_NEVER)
        return Triangle(event[seen], arrival[seen], codes[:, seen], rows[seen], len(self.buckets))

    def reference_known(self, *columns: str, age: int | None = None) -> "Triangle":
        """Counts of the labelled rows of the reference by when they were decided; all are known.

        With an age, in buckets: only those whose label had arrived by then.
        """
        bucket, _, codes, rows = self._labelled(self.reference, columns, age)
        event = np.searchsorted(self.reference_buckets, bucket)
        return Triangle(event, np.zeros(len(event), dtype=np.int64), codes, rows, len(self.reference_buckets))

    def _labelled(
        self, summary: Summary, columns: tuple[str, ...], age: int | None
    ) -> tuple[Int64, Int64, Int64, Int64]:
        """Bucket of decision, lag, codes (one row per column) and rows of each cell that has some."""
        cube = Cube(columns, known_at=True, age=age)
        shape, counts = self.plan.shape(cube), summary.cubes[cube]
        bucket, lag, code = unpack(counts.keys, int(np.prod(shape, dtype=np.int64)))
        return bucket, lag, np.array(np.unravel_index(code, shape)), counts.counts.astype(np.int64)

    def reference_delays(self, *columns: str) -> tuple[Int64, Int64, Int64]:
        """Labelled rows of the reference, of which an arrival is known: bucket of decision, delay in buckets, rows."""
        cube = Cube(columns, known_at=True)
        counts = self.reference.cubes[cube]
        bucket, lag, _ = unpack(counts.keys, int(np.prod(self.plan.shape(cube), dtype=np.int64)))
        timed = lag != LAG_NEVER
        return bucket[timed], lag[timed], counts.counts[timed].astype(np.int64)

    def reference_labels(self, *columns: str) -> Int64:
        """Counts of the labelled rows of the reference over the codes: shape `(reference buckets, *sizes)`."""
        cube = Cube(columns, known_at=True)
        shape = self.plan.shape(cube)
        size = int(np.prod(shape, dtype=np.int64))
        counts = self.reference.cubes[cube]
        bucket, _, code = unpack(counts.keys, size)
        dense = np.zeros(len(self.reference_buckets) * size, dtype=np.int64)
        np.add.at(dense, np.searchsorted(self.reference_buckets, bucket) * size + code, counts.counts)
        return dense.reshape((len(self.reference_buckets), *shape))

    def names(self, coding: str) -> dict[int, str]:
        """Values that the reference does not have, by their cell (the first value of each cell)."""
        return {code: value for (name, code), (_, value) in self.log.names.items() if name == coding}

    def absent(self, coding: str) -> bool:
        """Whether the log never has a usable value of a column that the reference has in most rows."""
        codes = self.plan.codings[coding]
        usable = np.ones(codes.size, dtype=bool)
        usable[list(codes.unusable)] = False
        log, reference = self.counts(coding).sum(axis=0), self.reference_counts(coding).sum(axis=0)
        return bool(log.sum() > 0 and log[usable].sum() == 0 and reference[usable].sum() > reference.sum() / 2)

    def unlike_from_the_start(self, coding: str) -> bool:
        """Whether nearly all rows of the log, those of its first evaluation too, are where few of the reference are.

        Measured by the total variation distance (half the sum of the differences of the shares); what begins later is
        for detectors, and few rows say nothing.
        """
        log, reference = self.counts(coding), self.reference_counts(coding).sum(axis=0)
        if log.sum() < UNLIKE_ROWS_MIN or not reference.sum():
            return False
        first = log[: int(np.argmax(log.sum(axis=1).cumsum() >= UNLIKE_ROWS_MIN)) + 1].sum(axis=0)
        shares = (first / first.sum(), log.sum(axis=0) / log.sum())
        return all(bool(np.abs(each - reference / reference.sum()).sum() / 2 >= UNLIKE) for each in shares)

    def unlike_until(self, coding: str) -> int:
        """In so many of the first buckets nearly all rows until then are where few of the reference are.

        The same as is known in each bucket; 0 where the first rows are like the reference.
        """
        rows, reference = self.counts(coding).cumsum(axis=0), self.reference_counts(coding).sum(axis=0)
        total = rows.sum(axis=1)
        known = total >= UNLIKE_ROWS_MIN
        if not known.any() or not reference.sum():
            return 0
        shares = rows[known] / total[known, None]
        alike = np.abs(shares - reference / reference.sum()).sum(axis=1) / 2 < UNLIKE
        if alike[0]:
            return 0
        return int(np.argmax(known)) + (int(np.argmax(alike)) if alike.any() else len(alike))

    def _entries(self, summary: Summary, buckets: Int64, cube: Cube) -> Entries:
        shape = self.plan.shape(cube)
        bucket, _, code = unpack(summary.cubes[cube].keys, int(np.prod(shape, dtype=np.int64)))
        place = np.searchsorted(buckets, bucket)
        inside = place < len(buckets)
        codes = np.array(np.unravel_index(code[inside], shape), dtype=np.int64)
        return Entries(place[inside], codes, summary.cubes[cube].counts[inside].astype(np.int64), len(buckets))

    def _dense(self, summary: Summary, buckets: Int64, cube: Cube) -> Int64:
        shape = self.plan.shape(cube)
        size = int(np.prod(shape, dtype=np.int64))
        counts, place = summary.cubes[cube], np.arange(len(buckets))
        lowest = pack(buckets, np.zeros_like(buckets), np.zeros_like(buckets), size)  # key of each bucket
        firsts, ends = np.searchsorted(counts.keys, lowest), np.searchsorted(counts.keys, lowest + size)
        dense = np.zeros(len(buckets) * size, dtype=np.int64)
        if len(buckets):  # the axis holds all buckets up to its last, so their keys follow each other
            seen = slice(firsts[0], ends[-1])
            dense[counts.keys[seen] - np.repeat(lowest - place * size, ends - firsts)] = counts.counts[seen]
        return dense.reshape((len(buckets), *shape))


def _occupied(summary: Summary) -> Int64:
    bucket, _, _ = unpack(summary.cubes[Cube(())].keys, 1)
    return np.unique(bucket)
