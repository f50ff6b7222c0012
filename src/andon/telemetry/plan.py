"""What a summary counts: codings of columns and cubes over them, fixed before the pass.

A plan is data made from the reference. Every engine follows one rule: a row becomes a tuple of small integers, a
summary counts the tuples. Two summaries add exactly when one plan made them; `Plan.digest` says whether it did.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from andon.base.interval import Grid

Codes = npt.NDArray[np.integer]
"""One code per row, in whatever integer type the engine gives."""


@dataclass(frozen=True, slots=True)
class CategoryCoding:
    """Codes for a column of few values: the known values in order, then null, then cells for values never seen.

    A value is compared by its text; a whole number's text has no point (`1`, never `1.0`), so that a file's storage
    type does not matter. Values that the reference does not have fall into `unseen_cells` cells by their MD5: bounded,
    and still told apart.
    """

    column: str
    values: tuple[str, ...]
    unseen_cells: int = 64

    @property
    def null(self) -> int:
        return len(self.values)

    @property
    def unusable(self) -> tuple[int, ...]:
        """Codes of rows without a usable value."""
        return (self.null,)

    @property
    def unseen(self) -> int:
        """The first of the cells for values that the reference does not have."""
        return len(self.values) + 1

    @property
    def size(self) -> int:
        return len(self.values) + 1 + self.unseen_cells


@dataclass(frozen=True, slots=True)
class NumberCoding:
    """Codes for a numeric column: bins between ascending edges, then null, NaN, infinite.

    An edge belongs to the bin at its right.

    Bin 0 is below the first edge, bin `len(edges)` at or above the last one. With `minus` the number is the column less
    that other column, both taken as doubles; null where either is null.
    """

    column: str
    edges: tuple[float, ...]
    minus: str | None = None

    @property
    def bins(self) -> int:
        return len(self.edges) + 1

    @property
    def null(self) -> int:
        return self.bins

    @property
    def nan(self) -> int:
        return self.bins + 1

    @property
    def infinite(self) -> int:
        return self.bins + 2

    @property
    def unusable(self) -> tuple[int, ...]:
        """Codes of rows without a usable value."""
        return (self.null, self.nan, self.infinite)

    @property
    def size(self) -> int:
        return self.bins + 3


@dataclass(frozen=True, slots=True)
class PresenceCoding:
    """Codes for a column of which only absence is counted (free text, identifiers): 0 present, 1 null."""

    column: str

    @property
    def null(self) -> int:
        return 1

    @property
    def unusable(self) -> tuple[int, ...]:
        """Codes of rows without a usable value."""
        return (self.null,)

    @property
    def size(self) -> int:
        return 2


@dataclass(frozen=True, slots=True)
class RepeatCoding:
    """Codes for whether a number is the one of the entity's previous row: 0 another, 1 the same, 2 unknown.

    The previous row is the last one before this (by event time, then by the text of the id) of those with the same text
    in `entity`. Unknown without an entity, without a previous row, and where either number is null or NaN.
    """

    column: str
    entity: str

    @property
    def null(self) -> int:
        return 2

    @property
    def unusable(self) -> tuple[int, ...]:
        """Codes of rows that cannot be compared."""
        return (self.null,)

    @property
    def size(self) -> int:
        return 3


@dataclass(frozen=True, slots=True)
class PredicateCoding:
    """Codes for whether a row matches a predicate (`base.predicate`): 0 no, 1 yes, 2 unknown, as SQL's logic has it."""

    predicate: str

    @property
    def unusable(self) -> tuple[int, ...]:
        """Codes of rows of which a null leaves it unknown."""
        return (2,)

    @property
    def size(self) -> int:
        return 3


ValueCoding = CategoryCoding | NumberCoding | PresenceCoding
"""Codes for one value by itself."""

Coding = ValueCoding | RepeatCoding
"""Codes for one column."""


class Extractor(Protocol):
    """Makes one more code per row from the row's other codes: what no single column says (a row extractor)."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The codings that it reads."""
        ...

    @property
    def size(self) -> int:
        """Codes run from 0 up to and without this."""
        ...

    @property
    def digest(self) -> str:
        """Says which extractor it is: those of one digest give the same codes."""
        ...

    def codes(self, inputs: Sequence[Codes]) -> Codes:
        """One code per row from the codes of `inputs`."""
        ...


@dataclass(frozen=True, slots=True)
class Cube:
    """Counts over the codes of some columns per event bucket; `known_at` adds the bucket in which the label arrived.

    `columns` names codings and extractors; an empty tuple counts rows. With `known_at` only labelled rows count. With
    an `age`, in buckets, too, only those count whose label came until then, and all of them as if it had come then:
    few cells, however the labels come.
    """

    columns: tuple[str, ...]
    known_at: bool = False
    age: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The grid, the codings and extractors by name, and the cubes that one pass over a log fills."""

    grid: Grid
    codings: Mapping[str, Coding | PredicateCoding]
    cubes: tuple[Cube, ...]
    extractors: Mapping[str, Extractor] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of the plan's canonical JSON: summaries add only under the same digest."""
        content = {
            "grid_us": self.grid.length_us,
            "codings": {name: [type(c).__name__, asdict(c)] for name, c in sorted(self.codings.items())},
            "extractors": {name: [each.inputs, each.digest] for name, each in sorted(self.extractors.items())},
            "cubes": [asdict(c) for c in self.cubes],
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def coded(self) -> tuple[str, ...]:
        """Names of the codings that a pass must apply: those of the cubes and of their extractors' inputs."""
        used = dict.fromkeys(name for cube in self.cubes for name in cube.columns)
        return tuple(dict.fromkeys(each for name in used for each in self._codings_of(name)))

    def complete(self, codes: Mapping[str, Codes]) -> dict[str, Codes]:
        """Codes by coding, and what the extractors that a cube uses make of them."""
        used = {name for cube in self.cubes for name in cube.columns}
        made = {
            name: each.codes([codes[coding] for coding in each.inputs])
            for name, each in self.extractors.items()
            if name in used
        }
        return {**codes, **made}

    def shape(self, cube: Cube) -> tuple[int, ...]:
        """The number of codes along each of the cube's columns."""
        return tuple(self._size(name) for name in cube.columns)

    def _size(self, name: str) -> int:
        return self.extractors[name].size if name in self.extractors else self.codings[name].size

    def _codings_of(self, name: str) -> tuple[str, ...]:
        return self.extractors[name].inputs if name in self.extractors else (name,)
