"""Counts rows that an engine has coded, batch by batch: memory follows the counts, not the rows."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from andon.telemetry.derived import Derived, derived
from andon.telemetry.plan import CategoryCoding, Codes, Cube, NumberCoding, Plan
from andon.telemetry.summary import LAG_BITS, LAG_MAX, LAG_NEVER, Counts, Int32, Int64, Whole, narrow
from andon.telemetry.unseen import Unseen

NEVER_US = int(np.iinfo(np.int64).min)
"""The time of arrival of a label that carries none."""

_CELLS_PER_ROW, _CELLS_LEAST = 0.25, 1 << 12
"""Cubes are counted together, and told apart afterwards, up to so many cells: a sum over cells is cheaper than rows."""
_DENSE_CELLS = 1 << 21
"""Up to so many cells a single cube is counted in one array; beyond, by sorting."""
_PENDING_LEAST = 1 << 15
_FEW_CODES = 1 << 6
"""Up to so many codes of a category all are laid out: to see which of them occur costs more than their empty cells."""
_SPAN_PER_ROW = 4
"""Whole numbers that lie no wider are put in order by counting, not by sorting."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Coded rows.

    Attributes:
        time_us: event times in microseconds since the epoch.
        labelled: whether the row's label is there; None where no cube asks.
        known_us: when the label arrived, `NEVER_US` where that is not known; None where no cube asks.
        codes: for each coding of `Tally.coded`, one code per row; what is there of others is left unread.
    """

    time_us: Int64
    labelled: npt.NDArray[np.bool_] | None
    known_us: Int64 | None
    codes: Mapping[str, Codes]


class Tally:
    """The growing counts of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._derived = derived({name: plan.codings[name] for name in plan.coded})
        self._cubes = {cube: _CubeTally() for cube in plan.cubes}
        self.unseen = Unseen({name: plan.codings[name] for name in plan.coded}, self._derived)
        faces = [_Face.of(cube, plan.shape(cube), self._derived) for cube in plan.cubes]
        self._whole = {name: coding.size for name, coding in plan.codings.items() if isinstance(coding, NumberCoding)}
        categories = {name: each for name, each in plan.codings.items() if isinstance(each, CategoryCoding)}
        self._known_codes = {name: each.unseen for name, each in categories.items() if each.unseen <= _FEW_CODES}
        self._plain = _Layout([face for face in faces if not face.cube.known_at])
        known = [face for face in faces if face.cube.known_at]
        ages = dict.fromkeys(face.cube.age for face in known)
        self._known = {age: _Layout([face for face in known if face.cube.age == age]) for age in ages}
        self.rows = 0

    @property
    def coded(self) -> tuple[str, ...]:
        """Names of the codings of which a batch has to bring codes; the codes of the plan's others follow from them."""
        return tuple(name for name in self.plan.coded if name not in self._derived)

    def add(self, batch: Batch) -> None:
        """Count a batch."""
        self.rows += len(batch.time_us)
        if not len(batch.time_us):
            return
        length = np.int64(self.plan.grid.length_us)
        bucket = np.floor_divide(batch.time_us, length)
        codes = self._completed(batch.codes)
        axes = _Axes(codes, self._whole, self._known_codes)
        for name in self.unseen.counted:
            self.unseen.note(name, axes[name].values, codes[name], bucket)
        buckets = _Places.of(bucket)
        time = _Places(buckets.values << LAG_BITS, buckets.places)
        self._count(self._plain, _CodedRows(time, codes, axes))
        if self._known and batch.labelled is not None and batch.known_us is not None:
            rows = np.flatnonzero(batch.labelled)
            lags = _lags(bucket.take(rows), batch.known_us.take(rows), length)
            for age, layout in self._known.items():
                few, lag = (rows, lags) if age is None else _came_until(age, rows, lags)
                time = _crossed(_Places(buckets.values, buckets.places.take(few)), _Places.of(lag))
                labelled = {name: codes[name].take(few) for name in layout.names}
                self._count(layout, _CodedRows(time, labelled, axes))

    def counts(self) -> dict[Cube, Counts]:
        """The counts of every cube so far."""
        return {cube: tally.counts() for cube, tally in self._cubes.items()}

    def _completed(self, codes: Mapping[str, Codes]) -> Mapping[str, Codes]:
        """Codes of a batch, and what the plan's extractors make of them."""
        if not self.plan.extractors:
            return codes
        ways = {name: way for name, way in self._derived.items() if name not in codes}
        return self.plan.complete({**codes, **{name: way.codes.take(codes[way.base]) for name, way in ways.items()}})

    def _count(self, layout: "_Layout", rows: "_CodedRows") -> None:
        if not len(rows):
            return
        for cube, counts in rows.counts(layout.joints(rows)):
            self._cubes[cube].add(counts)


@dataclass(frozen=True, slots=True)
class _Face:
    """A cube as it is counted: by the codings from which its own follow.

    Attributes:
        columns: what is counted, each once.
        ways: for each column of the cube which of these it is, the code for each of its codes (None: the same), and
            the distance between two codes in the cube's flat index.
        size: codes of the flat index.
    """

    cube: Cube
    columns: tuple[str, ...]
    ways: tuple[tuple[int, Int64 | None, int], ...]
    size: int

    @classmethod
    def of(cls, cube: Cube, shape: Sequence[int], derived: Mapping[str, Derived]) -> "_Face":
        bases = [derived[name].base if name in derived else name for name in cube.columns]
        columns = tuple(dict.fromkeys(bases))
        weights = [math.prod(shape[place + 1 :]) for place in range(len(shape))]
        tables = [derived[name].codes if name in derived else None for name in cube.columns]
        ways = zip(map(columns.index, bases), tables, weights, strict=True)
        return cls(cube, columns, tuple(ways), math.prod(shape))

    def parts(self, values: Sequence[Int64]) -> list[Int64]:
        """What each value of each column adds to the flat index."""
        parts = [np.zeros(len(each), dtype=np.int64) for each in values]
        for place, table, weight in self.ways:
            parts[place] += (values[place] if table is None else table.take(values[place])) * weight
        return parts


@dataclass(frozen=True, slots=True)
class _Places:
    """The distinct numbers of some rows, ascending, and the place of each row's number among them."""

    values: Int64
    places: Int32

    @classmethod
    def of(cls, numbers: Int64) -> "_Places":
        if not len(numbers):
            return cls(numbers, numbers.astype(np.int32))
        low, high = int(numbers.min()), int(numbers.max())
        if high - low > _SPAN_PER_ROW * len(numbers):
            values, places = np.unique(numbers, return_inverse=True)
            return cls(values, places.astype(np.int32))
        offsets = numbers - low
        values = np.flatnonzero(np.bincount(offsets))
        place_of = np.zeros(high - low + 1, dtype=np.int32)
        place_of[values] = np.arange(len(values))
        return cls(values + low, place_of.take(offsets))


@dataclass(frozen=True, slots=True)
class _Axis:
    """The values that occur along one axis, ascending, and the place of each among them; None where it is the value."""

    values: Int64
    place_of: Int64 | None

    @classmethod
    def of(cls, values: Int64) -> "_Axis":
        if not len(values) or values[-1] == len(values) - 1:
            return cls(values, None)
        place_of = np.zeros(int(values[-1]) + 1, dtype=np.int64)
        place_of[values] = np.arange(len(values))
        return cls(values, place_of)

    def __len__(self) -> int:
        return len(self.values)

    def places(self, codes: Codes, *, small: bool) -> Whole:
        """The places of rows, in an array of their own."""
        places: Codes = codes if self.place_of is None else self.place_of.take(codes)
        return places.astype(np.int32) if small else places.astype(np.int64)


class _Axes:
    """The axes of some columns of a batch, each made when first asked for.

    Those in `whole` are their codings' lengths: of these nearly every code occurs. Of those in `known` nearly every
    code occurs up to the largest, if that is below the number given: all values are such as the reference has.
    """

    def __init__(self, codes: Mapping[str, Codes], whole: Mapping[str, int], known: Mapping[str, int]) -> None:
        self._codes = codes
        self._known = known
        self._axes = {name: _Axis.of(np.arange(size)) for name, size in whole.items()}

    def __getitem__(self, name: str) -> _Axis:
        if name not in self._axes:
            codes = self._codes[name]
            most = int(codes.max())
            few = most < self._known.get(name, 0)
            self._axes[name] = _Axis.of(np.arange(most + 1) if few else np.flatnonzero(np.bincount(codes)))
        return self._axes[name]


@dataclass(slots=True)
class _Joint:
    """Cubes that are counted together: their columns and how many cells these span."""

    columns: dict[str, None]
    cells: int
    faces: list[_Face]

    def cells_with(self, face: _Face, rows: "_CodedRows") -> int:
        return self.cells * rows.cells(name for name in face.columns if name not in self.columns)


class _Layout:
    """Which cubes are counted together: laid out by the first batch, and anew where it does not suit another one."""

    def __init__(self, faces: Sequence[_Face]) -> None:
        self._faces = sorted(faces, key=lambda face: -len(face.columns))
        self._uses = Counter(name for face in faces for name in face.columns)
        self._laid_out: list[_Joint] = []

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are counted."""
        return tuple(self._uses)

    def joints(self, rows: "_CodedRows") -> list[_Joint]:
        """Cubes that share columns, together as long as their cells stay few beside the rows."""
        most = max(_CELLS_LEAST, int(_CELLS_PER_ROW * len(rows)))
        fit = all(rows.cells_of(joint) <= max(most, 2 * joint.cells) for joint in self._laid_out)
        if not (fit and self._laid_out):
            self._laid_out = self._made(rows, most)
        return self._laid_out

    def _made(self, rows: "_CodedRows", most: int) -> list[_Joint]:
        joints: list[_Joint] = []
        for face in self._faces:
            near = [joint for joint in joints if not face.columns or not joint.columns.keys().isdisjoint(face.columns)]
            best = min(near, key=lambda joint: joint.cells_with(face, rows), default=None)
            if best is None or best.cells_with(face, rows) > max(best.cells, most):
                best = _Joint({}, rows.times, [])
                joints.append(best)
            best.cells = best.cells_with(face, rows)
            best.columns |= dict.fromkeys(face.columns)
            best.faces.append(face)
        for joint in joints:
            joint.columns = dict.fromkeys(sorted(joint.columns, key=lambda name: (-self._uses[name], name)))
        return joints


class _CodedRows:
    """Rows of one batch, or some of them; only what occurs in it takes room, so a plan's empty cells cost nothing.

    A cell's index has time as its fastest part, then the columns in their order.
    """

    def __init__(self, time: "_Places", codes: Mapping[str, Codes], axes: _Axes) -> None:
        self._time = time.values
        self._codes = codes
        self._axes = axes
        self._flats: dict[tuple[str, ...], Whole] = {(): time.places}

    def __len__(self) -> int:
        return len(self._flats[()])

    @property
    def times(self) -> int:
        """How many times there are."""
        return len(self._time)

    def cells(self, names: Iterable[str]) -> int:
        """Cells that some columns span, without time."""
        return math.prod(len(self._axes[name]) for name in names)

    def cells_of(self, joint: _Joint) -> int:
        """Cells of a joint with these rows."""
        return self.times * self.cells(joint.columns)

    def counts(self, joints: Iterable[_Joint]) -> Iterator[tuple[Cube, Counts]]:
        """How many rows fell on each key of each cube; keys in any order, and some of them more than once."""
        for joint in joints:
            if self.cells_of(joint) > _DENSE_CELLS:
                for face in joint.faces:
                    yield face.cube, self._sorted(face)
                continue
            columns = tuple(joint.columns)
            dense = np.bincount(self._flat(columns), minlength=self.cells_of(joint))
            dense = dense.reshape(*(len(self._axes[name]) for name in reversed(columns)), self.times)
            for face in joint.faces:
                yield face.cube, self._counts(_marginal(dense, columns, face.columns), face)

    def _flat(self, columns: tuple[str, ...]) -> Whole:
        """The cell of each row, in half the memory where the cells allow it."""
        if not columns:
            return self._flats[()]
        before, last = columns[:-1], columns[-1]
        if before not in self._flats:
            self._flats[before] = self._flat(before)
        fits = self.times * self.cells(columns) <= np.iinfo(np.int32).max
        flat = self._axes[last].places(self._codes[last], small=fits)
        flat *= self.times * self.cells(before)
        flat += self._flats[before]
        return flat

    def _counts(self, cells: Int64, face: _Face) -> Counts:
        """The keys and counts of cells `(time, columns …)` that have rows."""
        keys = self._time * np.int64(face.size)
        for part in face.parts([self._axes[name].values for name in face.columns]):
            keys = (keys[:, np.newaxis] + part).reshape(-1)
        rows = cells.reshape(-1)
        filled = np.flatnonzero(rows)
        return Counts(keys.take(filled), narrow(rows.take(filled)))

    def _sorted(self, face: _Face) -> Counts:
        """The same of a cube with too many cells to lay them out."""
        flat, number = np.unique(self._flat(face.columns), return_counts=True)
        flat, place = np.divmod(flat, self.times)
        keys = self._time.take(place) * np.int64(face.size)
        axes = [self._axes[name] for name in face.columns]
        for axis, part in zip(axes, face.parts([axis.values for axis in axes]), strict=True):
            flat, place = np.divmod(flat, len(axis))
            keys += part.take(place)
        return Counts(keys, narrow(number.astype(np.int64, copy=False)))


def _came_until(age: int, rows: Int64, lags: Int64) -> tuple[Int64, Int64]:
    """The rows whose label had come at an age, and that age as the lag of each."""
    few = rows[lags <= age]
    return few, np.full(len(few), age)


def _crossed(buckets: _Places, lags: _Places) -> _Places:
    """Bucket and lag of rows as one number, as the keys of a summary have it."""
    size = max(len(lags.values), 1)
    both = _Places.of(buckets.places * np.int64(size) + lags.places)
    bucket, lag = np.divmod(both.values, size)
    return _Places((buckets.values.take(bucket) << LAG_BITS) | lags.values.take(lag), both.places)


def _marginal(dense: Int64, columns: tuple[str, ...], wanted: tuple[str, ...]) -> Int64:
    """The cells of some of the columns, in their order, after time; `dense` has them the other way round."""
    kept = [name for name in reversed(columns) if name in wanted]
    others = tuple(place for place, name in enumerate(reversed(columns)) if name not in wanted)
    summed = dense.sum(axis=others) if others else dense
    return summed.transpose(len(kept), *(kept.index(name) for name in wanted))


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
        keys = np.concatenate([np.zeros(0, dtype=np.int64), *(part.keys for part in self._parts)])
        counts = np.concatenate([np.zeros(0, dtype=np.int32), *(part.counts for part in self._parts)])
        self._parts = [_added(keys, counts)]
        self._settled, self._pending = len(self._parts[0].keys), 0


def _added(keys: Int64, counts: Whole) -> Counts:
    if (keys[1:] > keys[:-1]).all():
        return Counts(keys, counts)
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], counts[order]
    first = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    return Counts(keys[first], narrow(np.add.reduceat(counts, first, dtype=np.int64)))


def _lags(bucket: Int64, known_us: Int64, length: np.int64) -> Int64:
    never = known_us == NEVER_US
    arrival = np.floor_divide(np.where(never, 0, known_us), length)
    return np.where(never, LAG_NEVER, np.clip(arrival - bucket, 0, LAG_MAX))
