"""Counts rows that an engine has coded, batch by batch: memory follows the counts, not the rows."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from andon.telemetry.plan import Codes, Cube, Plan
from andon.telemetry.summary import LAG_BITS, LAG_MAX, LAG_NEVER, Counts, Int64

NEVER_US = int(np.iinfo(np.int64).min)
"""The time of arrival of a label that carries none."""

_JOINT_CELLS = 1 << 15
"""Cubes are counted together, and told apart afterwards, up to so many cells: a sum over cells is cheaper than rows."""
_DENSE_CELLS = 1 << 21
"""Up to so many cells a single cube is counted in one array; beyond, by sorting."""
_PENDING_LEAST = 1 << 15


@dataclass(frozen=True, slots=True)
class Batch:
    """Coded rows.

    Attributes:
        time_us: event times in microseconds since the epoch.
        labelled: whether the row's label is there; None where no cube asks.
        known_us: when the label arrived, `NEVER_US` where that is not known; None where no cube asks.
        codes: for each coding of `Plan.coded`, one code per row.
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
        all_codes = self._plan.complete(batch.codes)
        plain = [cube for cube in self._plan.cubes if not cube.known_at]
        self._count(plain, bucket << LAG_BITS, all_codes)
        known = [cube for cube in self._plan.cubes if cube.known_at]
        if known and batch.labelled is not None and batch.known_us is not None:
            rows = np.flatnonzero(batch.labelled)
            lag = _lags(bucket[rows], batch.known_us[rows], length)
            codes = {name: all_codes[name][rows] for cube in known for name in cube.columns}
            self._count(known, (bucket[rows] << LAG_BITS) | lag, codes)

    def counts(self) -> dict[Cube, Counts]:
        """The counts of every cube so far."""
        return {cube: tally.counts() for cube, tally in self._cubes.items()}

    def _count(self, cubes: Iterable[Cube], time: Int64, codes: Mapping[str, Codes]) -> None:
        if not len(time):
            return
        rows = _CodedRows(time, codes)
        for cube, counts in rows.counts({cube: self._plan.shape(cube) for cube in cubes}):
            self._cubes[cube].add(counts)


@dataclass(frozen=True, slots=True)
class _Axis:
    """The values that occur along one axis, ascending, and the place of each row among them."""

    values: Int64
    places: Int64

    def __len__(self) -> int:
        return len(self.values)


@dataclass(slots=True)
class _Joint:
    """Cubes that are counted together: their columns and how many cells these span."""

    columns: dict[str, None]
    cells: int
    cubes: list[Cube]

    def cells_with(self, cube: Cube, rows: "_CodedRows") -> int:
        return self.cells * math.prod([len(rows.axis(name)) for name in cube.columns if name not in self.columns])


class _CodedRows:
    """Rows of one batch; only what occurs in it takes room, so a plan's empty cells cost nothing."""

    def __init__(self, time: Int64, codes: Mapping[str, Codes]) -> None:
        values, places = np.unique(time, return_inverse=True)
        self._time = _Axis(values, places.astype(np.int64, copy=False))
        self._codes = codes
        self._axes: dict[str, _Axis] = {}
        self._flats: dict[tuple[str, ...], Int64] = {(): self._time.places}

    def counts(self, shapes: Mapping[Cube, tuple[int, ...]]) -> Iterator[tuple[Cube, Counts]]:
        """How many rows fell on each key of each cube."""
        for joint in self._joints(shapes):
            if joint.cells > _DENSE_CELLS:
                for cube in joint.cubes:
                    flat, number = np.unique(self._flat(cube.columns), return_counts=True)
                    yield cube, self._counts(flat, number, cube.columns, shapes[cube])
                continue
            dense = self._dense(joint)
            for cube in joint.cubes:
                flat = np.flatnonzero(cells := _marginal(dense, tuple(joint.columns), cube.columns))
                yield cube, self._counts(flat, cells[flat], cube.columns, shapes[cube])

    def axis(self, name: str) -> _Axis:
        """The axis of a coding."""
        if name not in self._axes:
            codes = self._codes[name]
            values = np.flatnonzero(np.bincount(codes))
            place_of = np.zeros(int(values[-1]) + 1, dtype=np.int64)
            place_of[values] = np.arange(len(values))
            self._axes[name] = _Axis(values, place_of[codes])
        return self._axes[name]

    def _joints(self, cubes: Iterable[Cube]) -> list[_Joint]:
        """Cubes that share columns, together as long as their cells stay few."""
        joints: list[_Joint] = []
        uses = Counter(name for cube in cubes for name in cube.columns)
        for cube in sorted(cubes, key=lambda cube: -len(cube.columns)):
            near = [joint for joint in joints if not cube.columns or not joint.columns.keys().isdisjoint(cube.columns)]
            best = min(near, key=lambda joint: joint.cells_with(cube, self), default=None)
            if best is None or best.cells_with(cube, self) > max(best.cells, _JOINT_CELLS):
                best = _Joint({}, len(self._time), [])
                joints.append(best)
            best.cells = best.cells_with(cube, self)
            best.columns |= dict.fromkeys(cube.columns)
            best.cubes.append(cube)
        for joint in joints:
            joint.columns = dict.fromkeys(sorted(joint.columns, key=lambda name: (-uses[name], name)))
        return joints

    def _dense(self, joint: _Joint) -> Int64:
        """The counts along time and the columns of a joint, one axis each."""
        counts = np.bincount(self._flat(tuple(joint.columns)), minlength=joint.cells)
        return counts.reshape(len(self._time), *(len(self.axis(name)) for name in joint.columns))

    def _flat(self, columns: tuple[str, ...]) -> Int64:
        """Row by row, the place along time and these columns as one number; what comes first is shared the most."""
        if columns not in self._flats:
            axis = self.axis(columns[-1])
            flat = self._flat(columns[:-1]) * len(axis) + axis.places
            if len(columns) == len(self._codes):
                return flat
            self._flats[columns] = flat
        return self._flats[columns]

    def _counts(self, flat: Int64, number: Int64, columns: tuple[str, ...], shape: tuple[int, ...]) -> Counts:
        """The summary's keys of places along time and these columns; ascending as the places are."""
        code, weight = np.zeros(len(flat), dtype=np.int64), 1
        for name, size in zip(reversed(columns), reversed(shape), strict=True):
            flat, place = np.divmod(flat, len(self.axis(name)))
            code += self.axis(name).values[place] * weight
            weight *= size
        return Counts(self._time.values[flat] * np.int64(weight) + code, number.astype(np.int64, copy=False))


def _marginal(dense: Int64, columns: tuple[str, ...], wanted: tuple[str, ...]) -> Int64:
    """The cells of some of the columns (time first), in their order, as one row of numbers."""
    places = {name: place for place, name in enumerate(columns, start=1)}
    others = tuple(place for name, place in places.items() if name not in wanted)
    kept = [name for name in columns if name in wanted]
    summed = dense.sum(axis=others) if others else dense
    return summed.transpose(0, *(kept.index(name) + 1 for name in wanted)).reshape(-1)


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
