"""Counts of coded rows: `Summary + Summary = Summary`, exactly, in any order."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from andon.telemetry.plan import Cube, Plan

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
Whole = Int64 | Int32
"""Counts of rows: in 32 bits where they fit, which halves the memory of a scan; sums of them are of 64 bits."""

LAG_BITS = 16
LAG_MAX = (1 << LAG_BITS) - 2
"""The longest delay of a label, in buckets, that is told apart; longer ones count as this."""
LAG_NEVER = LAG_MAX + 1
"""The lag of a label that is there but carries no time of arrival: known only at the end."""

NARROW_ROWS = 1 << 31
"""Below so many rows all counts and their sums fit in 32 bits."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Sparse counts of one cube: ascending packed keys and how many rows fell on each.

    A key packs `(bucket, lag, code)`: the event bucket, the label's delay in buckets (0 without `known_at`) and the
    flat index of the codes (C order over `Plan.shape(cube)`).
    """

    keys: Int64
    counts: Whole

    @classmethod
    def of(cls, keys: Int64, counts: Whole | None = None) -> "Counts":
        """Counts of keys in any order, with repeats; each key counts once unless `counts` says how often."""
        unique, inverse = np.unique(keys, return_inverse=True)
        summed = np.zeros(len(unique), dtype=np.int64)
        np.add.at(summed, inverse, 1 if counts is None else counts)
        return cls(unique, summed)

    def __add__(self, other: "Counts") -> "Counts":
        counts = np.concatenate((self.counts, other.counts), dtype=np.int64)
        return Counts.of(np.concatenate((self.keys, other.keys)), counts)


def narrow(counts: Whole) -> Whole:
    """The same counts (not negative) in 32 bits if they fit."""
    return counts.astype(np.int32, copy=False) if counts.max(initial=0) < NARROW_ROWS else counts


def pack(bucket: Int64, lag: Int64, code: Int64, size: int) -> Int64:
    """The keys of rows: `size` is the number of flat codes of the cube."""
    return ((bucket << LAG_BITS) | lag) * np.int64(size) + code


def unpack(keys: Int64, size: int) -> tuple[Int64, Int64, Int64]:
    """Event bucket, lag and flat code of keys; the inverse of `pack`."""
    time, code = np.divmod(keys, np.int64(size))
    return time >> LAG_BITS, time & ((1 << LAG_BITS) - 1), code


@dataclass(frozen=True)
class Summary:
    """What one pass over rows counted under one plan.

    Attributes:
        digest: of the plan; summaries of other plans do not add.
        rows: how many rows were counted.
        cubes: the counts of each cube.
        names: for `(coding, code)` of an unseen cell, the bucket in which it was first used and the smallest value
            seen there then (order by code point): so an unseen value has a name that nothing later changes, and adding
            stays exact.
    """

    digest: str
    rows: int
    cubes: Mapping[Cube, Counts]
    names: Mapping[tuple[str, int], tuple[int, str]] = field(default_factory=dict)

    def __add__(self, other: "Summary") -> "Summary":
        if self.digest != other.digest:
            raise ValueError("summaries of two plans do not add: summarise both logs with one plan")
        names = dict(self.names)
        for cell, first in other.names.items():
            names[cell] = min(first, names.get(cell, first))
        cubes = {cube: counts + other.cubes[cube] for cube, counts in self.cubes.items()}
        return Summary(self.digest, self.rows + other.rows, cubes, names)

    @classmethod
    def empty(cls, plan: Plan) -> "Summary":
        """The summary of no rows: the zero of the addition."""
        none = np.zeros(0, dtype=np.int64)
        return cls(plan.digest, 0, {cube: Counts(none, none) for cube in plan.cubes})

    @override
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Summary):
            return NotImplemented
        return (
            (self.digest, self.rows, dict(self.names)) == (other.digest, other.rows, dict(other.names))
            and self.cubes.keys() == other.cubes.keys()
            and all(
                np.array_equal(mine.keys, other.cubes[cube].keys)
                and np.array_equal(mine.counts, other.cubes[cube].counts)
                for cube, mine in self.cubes.items()
            )
        )

    __hash__ = None  # type: ignore[assignment]  # compared by content, so never a key
