"""Which bin each number of a column falls into: exact, and several times faster than a search among the edges.

The first 16 bits of a number as a 32-bit float (sign, exponent, 7 bits of the fraction) are a cell of a fixed grid that
is never finer where numbers are larger. A table says for each cell how many edges lie below it, so that only the edges
inside the cell, mostly none or one, are compared with the number itself. Rounding to 32 bits keeps the order, so a
number below an edge is never in a later cell than the edge.
"""

import numpy as np
import numpy.typing as npt

from andon.telemetry.plan import Codes, NumberCoding

Float = npt.NDArray[np.float64]

_CELLS = 1 << 16
_SIGN = 1 << 15
_COMPARED_MAX = 6
"""With more edges in one cell, searching among all of them is as fast."""
_ROWS_AT_ONCE = 1 << 15
"""Rows of which all steps stay in the processor's cache."""


class Binner:
    """Codes numbers by one coding."""

    def __init__(self, coding: NumberCoding) -> None:
        self._coding = coding
        self._edges = np.array(coding.edges, dtype=np.float64)
        self._next = np.append(self._edges, np.inf)  # of the last bin: no finite number reaches it
        order = _order(_cell(self._edges))
        ranks = _order(np.arange(_CELLS, dtype=np.intp))
        self._below: Codes = np.searchsorted(order, ranks, side="left").astype(_smallest(coding.size))
        self._compared = int(np.bincount(order, minlength=1).max()) if len(order) else 0

    def codes(self, numbers: Float, is_null: npt.NDArray[np.bool_] | None) -> Codes:
        """One code per number, as the smallest unsigned integers that hold them all.

        Args:
            numbers: what stands at a null is arbitrary.
            is_null: None where there is none.
        """
        found = np.empty(len(numbers), dtype=self._below.dtype)
        for first in range(0, len(numbers), _ROWS_AT_ONCE):
            part = slice(first, first + _ROWS_AT_ONCE)
            found[part] = self._codes(numbers[part])
        if is_null is not None:
            found[is_null] = self._coding.null
        return found

    def _codes(self, numbers: Float) -> Codes:
        if self._compared > _COMPARED_MAX:
            found = np.searchsorted(self._edges, numbers, side="right").astype(self._below.dtype)
        else:
            found = self._below.take(_cell(numbers))
            for _ in range(self._compared):
                found += numbers >= self._next.take(found, mode="clip")
        finite = np.isfinite(numbers)
        if not finite.all():
            found[~finite] = np.where(np.isnan(numbers[~finite]), self._coding.nan, self._coding.infinite)
        return found


def _cell(numbers: Float) -> npt.NDArray[np.intp]:
    with np.errstate(over="ignore", invalid="ignore"):  # beyond 32 bits lies one cell; what is no number is told apart
        bits = numbers.astype(np.float32).view(np.uint32)
    return (bits >> 16).astype(np.intp)


def _order(cells: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Cells as numbers that ascend as their content does; the two around zero are one, since -0.0 equals 0.0."""
    return np.where(cells > _SIGN, 2 * _SIGN - 1 - cells, np.where(cells == _SIGN, _SIGN, cells + _SIGN))


def _smallest(size: int) -> type[np.unsignedinteger] | type[np.int64]:
    if size <= np.iinfo(np.uint8).max + 1:
        return np.uint8
    return np.uint16 if size <= np.iinfo(np.uint16).max + 1 else np.int64
