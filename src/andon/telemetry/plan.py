"""What a summary counts: codings of columns and cubes over them, fixed before the pass.

A plan is data made from the reference. Every engine follows one rule: a row becomes a tuple of small integers, a
summary counts the tuples. Two summaries add exactly when one plan made them; `Plan.digest` says whether it did.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from andon.base.interval import Grid


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

    Bin 0 is below the first edge, bin `len(edges)` at or above the last one.
    """

    column: str
    edges: tuple[float, ...]

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


Coding = CategoryCoding | NumberCoding | PresenceCoding
"""Codes for one column."""


@dataclass(frozen=True, slots=True)
class Cube:
    """Counts over the codes of some columns per event bucket; `known_at` adds the bucket in which the label arrived.

    `columns` names codings; an empty tuple counts rows. A cube with `known_at` counts labelled rows only.
    """

    columns: tuple[str, ...]
    known_at: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The grid, the codings by name and the cubes that one pass over a log fills."""

    grid: Grid
    codings: Mapping[str, Coding | PredicateCoding]
    cubes: tuple[Cube, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the plan's canonical JSON: summaries add only under the same digest."""
        content = {
            "grid_us": self.grid.length_us,
            "codings": {name: [type(c).__name__, asdict(c)] for name, c in sorted(self.codings.items())},
            "cubes": [asdict(c) for c in self.cubes],
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def shape(self, cube: Cube) -> tuple[int, ...]:
        """The number of codes along each of the cube's columns."""
        return tuple(self.codings[name].size for name in cube.columns)
