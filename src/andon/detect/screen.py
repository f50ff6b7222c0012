"""Which marks may jump at all: a cheap bound of the jump test, by which most marks of a log are done with.

The bound is the jump in binomial errors of the angle (see `jump`): clusters, wander and the deviance only make it less.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from andon.detect.mark import MarkSeries
from andon.detect.sums import Past
from andon.telemetry.summary import NARROW_ROWS, Whole

Float = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]
Running = Float | npt.NDArray[np.int32]

SCREEN_CELLS = 1 << 15
"""How many marks times buckets are screened at a time: a quarter of a MiB per array."""
SCREEN_SLACK = 1e-2
"""By how much less than the threshold passes the screen: more than single precision rounds off, up to 1e10 rows."""
NO_ROWS, NO_ROWS_ERROR = np.pi / 2, 2.0
"""The angle of a share of no rows, and its variance."""


def reach(series: MarkSeries, windows: Sequence[int], least: float) -> npt.NDArray[np.bool_]:
    """Which marks may reach `least` with a window of each length, `(S, windows)`."""
    parts = [[screen.reach(least, window) for window in windows] for screen in _Screen.each(series)]
    found = np.concatenate(parts, axis=1).T
    if series.prior:  # the screen takes the history of a slice without the prior that counts with it
        return np.broadcast_to(found.any(), found.shape)
    return found


@dataclass(frozen=True)
class _ScreenedSide:
    """Running sums of the rows with each mark and of all rows; their angle and its variance, and the reference's.

    Angles and variances are of single precision: half the time, and `SCREEN_SLACK` covers the rounding.
    """

    count: Running
    total: Running
    angle: Float32
    error: Float32
    known: tuple[Float32, Float32]

    @classmethod
    def of(cls, count: Running, total: Running, known_count: Float, known_total: Float) -> "_ScreenedSide":
        return cls(count, total, *_screened(count, total), _screened(known_count, known_total))


def _screened(count: Running, total: Running) -> tuple[Float32, Float32]:
    """The angle of a share and its binomial variance."""
    k, n = count.astype(np.float32), total.astype(np.float32)
    error: Float32 = np.reciprocal(n + np.float32(0.5))
    n += np.float32(0.75)
    k += np.float32(0.375)
    k /= n
    np.arcsin(np.sqrt(k, out=k), out=k)
    k *= 2
    return k, error


@dataclass(frozen=True)
class _Screen:
    """The least that must hold of a mark for it to jump: cheap, and most marks end here."""

    sides: tuple["_ScreenedSide", ...]
    frozen: int | None

    @classmethod
    def each(cls, series: MarkSeries) -> Iterator["_Screen"]:
        """A few marks at a time: arrays that stay in the processor's cache."""
        pairs = [(series.log, series.reference)]
        if series.rest is not None and series.reference_rest is not None:
            pairs.append((series.rest, series.reference_rest))
        few = max(1, SCREEN_CELLS // max(series.log.count.shape[1], 1))
        for first in range(0, len(series.marks), few):
            part = slice(first, first + few)
            sides = []
            for log, reference in pairs:
                count, total = (
                    each[part].sum(axis=1, keepdims=True, dtype=np.float64)
                    for each in (reference.count, reference.total)
                )
                sides.append(_ScreenedSide.of(_running(log.count[part]), _running(log.total[part]), count, total))
            yield cls(tuple(sides), series.frozen)

    def reach(self, least: float, window: int) -> npt.NDArray[np.bool_]:
        """Which marks jump by `least` binomial errors with a window of this length; all else makes |z| smaller."""
        past = Past(window, self.frozen)
        differences = [self._difference(side, past) for side in self.sides]
        by_log, by_reference = (_squared([each[n] for each in differences]) for n in (0, 1))
        found: npt.NDArray[np.bool_] = np.minimum(by_log, by_reference).max(axis=1) >= (least * (1 - SCREEN_SLACK)) ** 2
        return found

    @staticmethod
    def _difference(side: "_ScreenedSide", past: Past) -> tuple[tuple[Float32, Float32], tuple[Float32, Float32]]:
        """The angle of the window less that of each baseline, with its variance."""
        window = past.window
        now, own = _screened(*(each[:, window:] - each[:, :-window] for each in (side.count, side.total)))
        before = past.of(side.angle, NO_ROWS)[:, window:], past.of(side.error, NO_ROWS_ERROR)[:, window:]
        return (now - before[0], own + before[1]), (now - side.known[0], own + side.known[1])


def _running(counts: Whole | Float) -> Running:
    """Running sums, exact; whole numbers in 32 bits where they fit, which halves the work on them."""
    if counts.dtype.kind == "i" and counts.sum(axis=1, dtype=np.float64).max(initial=0.0) < NARROW_ROWS:
        return np.cumsum(counts, axis=1, dtype=np.int32)
    return np.cumsum(counts, axis=1, dtype=np.float64)


def _squared(differences: Sequence[tuple[Float32, Float32]]) -> Float32:
    """The square of a difference (less that of the rest, if there is one) in units of its variance."""
    moved, variance = differences[0]
    for other, more in differences[1:]:
        moved -= other
        variance += more
    moved *= moved
    moved /= variance
    return moved
