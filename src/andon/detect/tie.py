"""Whether a number or category that moved in all traffic left what used to go with it behind.

What the world moves it moves together: where more old people come, more of the married come. A column that moved while
another, which goes with it, stayed is recorded otherwise than before: another unit within the known range, an offset, a
wrong table. Where the world brings more rows with high values and the tie holds, the companion moves along and explains
that share of the shift which it explains of the variance (regression to the mean, Galton 1886); where one column was
recorded otherwise, it explains none. Half of it is the border. The tie is measured within each bucket of time, so that
a number which is the same for everybody at a time (an index, the weather) is tied to nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from andon.base.interval import Grid
from andon.detect.builtin import marks_of
from andon.detect.history import Entries, History
from andon.detect.mark import EFFECT_MIN, Mark
from andon.detect.onset import Run
from andon.detect.planning import Watched
from andon.telemetry.plan import CategoryCoding, Coding, Cube, NumberCoding, Plan

Float = npt.NDArray[np.float64]

TIED_MIN = 0.26
"""Share of the variance that a companion must explain: a large effect, f squared = 0.35 (Cohen 1988, ch. 9)."""
KEPT_MIN = 0.5
"""The tie is kept when the companion tells at least this part of what it would if the world had moved."""
COMPANIONS_MAX = 50


@dataclass(frozen=True)
class Tie:
    """How a companion goes with a moved column.

    Attributes:
        companion: the column.
        strength: share of the variance within a bucket that it explains (epsilon squared, Kelley 1935).
        told: share of the seen shift that its own shift explains.
    """

    companion: str
    strength: float
    told: float


def broken(
    moved: tuple[Mark, tuple[str, ...]], run: Run, watched: Watched, grid: Grid, ask: Callable[[Plan], History]
) -> Tie | None:
    """The strongest tie of a mark's column, if its shift broke it; None if it was kept or if there is none.

    Args:
        moved: the mark, and all columns that moved with it.
        run: the buckets of the failure; those before it and the reference are known to be good.
        watched: the columns.
        grid: that of the scan.
        ask: counts a plan in log and reference.
    """
    mark, features = moved
    coding = watched.codings.get(mark.coding)
    values = None if coding is None else _values(mark, coding)
    companions = [name for name in watched.features if name not in features and _tells(watched.codings[name])]
    if values is None or not companions:
        return None
    cubes = (Cube((name, mark.coding)) for name in companions[:COMPANIONS_MAX])
    history = ask(Plan(grid, watched.codings, (Cube(()), *cubes), watched.extractors))
    ties = (_tie(name, mark.coding, values, run, history) for name in companions[:COMPANIONS_MAX])
    strongest = max((tie for tie in ties if tie is not None), key=lambda tie: tie.strength, default=None)
    if strongest is None or strongest.strength < TIED_MIN or strongest.told >= KEPT_MIN * strongest.strength:
        return None
    return strongest


def _tells(coding: Coding) -> bool:
    return isinstance(coding, CategoryCoding | NumberCoding)


def _values(mark: Mark, coding: Coding) -> Float | None:
    """What each code of the moved column counts as: its rank, or whether it carries the mark; nan if neither."""
    codes = np.arange(coding.size)
    if isinstance(coding, NumberCoding):
        return np.where(codes < coding.bins, codes, np.nan)
    if isinstance(coding, CategoryCoding):
        among = marks_of.among(mark, coding)
        return np.where(among > 0, marks_of.carried([mark], coding)[0], np.nan).astype(np.float64)
    return None


def _tie(companion: str, moved: str, values: Float, run: Run, history: History) -> Tie | None:
    log, reference = history.entries(companion, moved), history.reference_entries(companion, moved)
    size = history.plan.shape(Cube((companion,)))[0]
    before = _Rows.joined(_Rows.of(log, values, log.time < run.start), _Rows.of(reference, values))
    now = _Rows.of(log, values, (log.time >= run.start) & (log.time < run.end))
    if not len(before.value) or not len(now.value):
        return None
    residual = before.value - before.mean_of_bucket()
    rows = np.bincount(before.companion, before.count, size)
    told = np.bincount(before.companion, before.count * residual, size) / np.maximum(rows, 1)
    varied, left = float(before.count @ residual**2), rows.sum() - np.count_nonzero(rows)
    if varied <= 0 or left <= 0:
        return None
    unexplained = float(before.count @ (residual - told[before.companion]) ** 2)
    strength = 1 - (unexplained / left) / (varied / rows.sum())
    seen = now.mean() - before.mean()
    if abs(seen) < EFFECT_MIN * np.sqrt(varied / rows.sum()):
        return None
    expected = np.bincount(now.companion, now.count, size) @ told / now.count.sum()
    return Tie(companion, float(strength), float(expected / seen))


@dataclass(frozen=True)
class _Rows:
    """Groups of equal rows: their bucket, the companion's code, what the moved column counts as, how many they are."""

    bucket: npt.NDArray[np.int64]
    companion: npt.NDArray[np.int64]
    value: Float
    count: npt.NDArray[np.int64]

    @classmethod
    def of(cls, entries: Entries, values: Float, where: npt.NDArray[np.bool_] | None = None) -> "_Rows":
        value = values[entries.codes[1]]
        kept = ~np.isnan(value) if where is None else where & ~np.isnan(value)
        return cls(entries.time[kept], entries.codes[0][kept], value[kept], entries.counts[kept])

    @classmethod
    def joined(cls, first: "_Rows", second: "_Rows") -> "_Rows":
        """Rows of both, the buckets of the second being others than those of the first."""
        later = int(first.bucket.max(initial=-1)) + 1
        return cls(
            np.concatenate((first.bucket, second.bucket + later)),
            np.concatenate((first.companion, second.companion)),
            np.concatenate((first.value, second.value)),
            np.concatenate((first.count, second.count)),
        )

    def mean(self) -> float:
        return float(self.count @ self.value / self.count.sum())

    def mean_of_bucket(self) -> Float:
        """For each group, the mean of its bucket."""
        rows = np.bincount(self.bucket, self.count)
        mean: Float = (np.bincount(self.bucket, self.count * self.value) / np.maximum(rows, 1))[self.bucket]
        return mean
