"""Counts rows that an engine has coded, batch by batch: memory follows the counts, not the rows."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from andon.telemetry.plan import Cube, Plan
from andon.telemetry.summary import LAG_BITS, LAG_MAX, LAG_NEVER, Counts, Int64

Codes = npt.NDArray[np.integer]
"""One code per row, in whatever integer type the engine gives."""

NEVER_US = int(np.iinfo(np.int64).min)
"""The time of arrival of a label that carries none."""

_DENSE_CELLS = 1 << 21
"""Up to so many cells a batch is counted in one array; beyond, by sorting."""
_PENDING_LEAST = 1 << 15


@dataclass(frozen=True, slots=True)
class Batch:
    """Coded rows.

    Attributes:
        time_us: event times in microseconds since the epoch.
        labelled: whether the row's label is there; None where no cube asks.
        known_us: when the label arrived, `NEVER_US` where that is not known; None where no cube asks.
        codes: for each coding that a cube uses, one code per row.
    """

    time_us: Int64
    labelled: npt.NDArray[np.bool_] | None
    known_us: Int64 | None
    codes: Mapping[str, Codes]


class Tally:
    """The growing counts of one plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._cubes = {cube: _CubeTally() for cube in plan.cubes}
        self.rows = 0

    def add(self, batch: Batch) -> None:
        """Count a batch."""
        self.rows += len(batch.time_us)
        length = np.int64(self._plan.grid.length_us)
        bucket = np.floor_divide(batch.time_us, length)
        plain = [cube for cube in self._plan.cubes if not cube.known_at]
        self._count(plain, bucket << LAG_BITS, batch.codes)
        known = [cube for cube in self._plan.cubes if cube.known_at]
        if known and batch.labelled is not None and batch.known_us is not None:
            rows = np.flatnonzero(batch.labelled)
            lag = _lags(bucket[rows], batch.known_us[rows], length)
            codes = {name: batch.codes[name][rows] for cube in known for name in cube.columns}
            self._count(known, (bucket[rows] << LAG_BITS) | lag, codes)

    def counts(self) -> dict[Cube, Counts]:
        """The counts of every cube so far."""
        return {cube: tally.counts() for cube, tally in self._cubes.items()}

    def _count(self, cubes: Iterable[Cube], time: Int64, codes: Mapping[str, Codes]) -> None:
        if not len(time):
            return
        rows = _CodedRows(time, codes)
        for cube in cubes:
            self._cubes[cube].add(rows.counts(cube.columns, self._plan.shape(cube)))


@dataclass(frozen=True, slots=True)
class _Axis:
    """The values that occur along one axis, ascending, and the place of each row among them."""

    values: Int64
    places: Int64


class _CodedRows:
    """Rows of one batch; only what occurs in it takes room, so a plan's empty cells cost nothing."""

    def __init__(self, time: Int64, codes: Mapping[str, Codes]) -> None:
        values, places = np.unique(time, return_inverse=True)
        self._time = _Axis(values, places.astype(np.int64, copy=False))
        self._codes = codes
        self._axes: dict[str, _Axis] = {}
        self._leading: dict[str, Int64] = {}

    def counts(self, columns: tuple[str, ...], shape: tuple[int, ...]) -> Counts:
        """How many rows fell on each key of a cube."""
        axes = [self._axis(name) for name in columns]
        cells = math.prod([len(axis.values) for axis in (self._time, *axes)])
        flat = self._flat(columns, axes)
        if cells <= _DENSE_CELLS:
            dense = np.bincount(flat, minlength=cells)
            used = np.flatnonzero(dense)
            number = dense[used]
        else:
            used, number = np.unique(flat, return_counts=True)
        return Counts(self._keys(used, axes, shape), number.astype(np.int64, copy=False))

    def _axis(self, name: str) -> _Axis:
        if name not in self._axes:
            codes = self._codes[name]
            values = np.flatnonzero(np.bincount(codes))
            place_of = np.zeros(int(values[-1]) + 1, dtype=np.int64)
            place_of[values] = np.arange(len(values))
            self._axes[name] = _Axis(values, place_of[codes])
        return self._axes[name]

    def _flat(self, columns: tuple[str, ...], axes: list[_Axis]) -> Int64:
        """Row by row, the place along all axes as one number (time first)."""
        if not columns:
            return self._time.places
        first = self._leading.get(columns[0])
        if first is None:  # most cubes share their first column
            first = self._leading[columns[0]] = self._time.places * len(axes[0].values) + axes[0].places
        flat = first
        for axis in axes[1:]:
            flat = flat * len(axis.values) + axis.places
        return flat

    def _keys(self, flat: Int64, axes: list[_Axis], shape: tuple[int, ...]) -> Int64:
        """The summary's keys of places; ascending as the places are."""
        code, weight = np.zeros(len(flat), dtype=np.int64), 1
        for axis, size in zip(reversed(axes), reversed(shape), strict=True):
            flat, place = np.divmod(flat, len(axis.values))
            code += axis.values[place] * weight
            weight *= size
        return self._time.values[flat] * np.int64(weight) + code


class _CubeTally:
    """Counts of one cube: a sum, and what came since and waits to be added until it has grown as large."""

    def __init__(self) -> None:
        self._parts: list[Counts] = []
        self._pending = 0
        self._settled = 0

    def add(self, counts: Counts) -> None:
        self._parts.append(counts)
        self._pending += len(counts.keys)
        if self._pending > max(_PENDING_LEAST, 2 * self._settled):
            self._settle()

    def counts(self) -> Counts:
        self._settle()
        return self._parts[0]

    def _settle(self) -> None:
        none = np.zeros(0, dtype=np.int64)
        keys = np.concatenate([none, *(part.keys for part in self._parts)])
        counts = np.concatenate([none, *(part.counts for part in self._parts)])
        self._parts = [_added(keys, counts)]
        self._settled, self._pending = len(self._parts[0].keys), 0


def _added(keys: Int64, counts: Int64) -> Counts:
    if not len(keys):
        return Counts(keys, counts)
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], counts[order]
    first = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    return Counts(keys[first], np.add.reduceat(counts, first))


def _lags(bucket: Int64, known_us: Int64, length: np.int64) -> Int64:
    never = known_us == NEVER_US
    arrival = np.floor_divide(np.where(never, 0, known_us), length)
    return np.where(never, LAG_NEVER, np.clip(arrival - bucket, 0, LAG_MAX))
