"""Where a failure sits: all traffic, or one part of it that carries the whole shift."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from andon.detect.builtin import marks_of
from andon.detect.history import History
from andon.detect.hit import Hit, Stream
from andon.detect.jump import CONTROL_SHIFT_MAX, angle
from andon.detect.planning import Watched, slice_coding
from andon.telemetry.plan import Cube
from andon.telemetry.summary import Int64

CONFINED = 1 / 3
"""A failure is confined to a slice when the rest of the traffic moved by less than this share of the slice's move."""
Float = npt.NDArray[np.float64]

LOCATE_Z = 4.0
"""Standard errors by which a slice must move against the rest: few are asked, and only once something is wrong."""


@dataclass(frozen=True, slots=True)
class Located:
    """A set of values that carries the shift, how far they moved, and the standard errors against the rest."""

    column: str
    values: tuple[int, ...]
    effect: float
    z: float


def locate(hit: Hit, watched: Watched, history: History, first: int, end: int) -> Hit:
    """The hit of the slice that carries a shift seen in all traffic; the same hit when everybody moved.

    The values of each slice column are taken in the order of their own shift; the set that stands out most against
    its complement is kept, if the complement kept calm. The buckets `first..end` hold the failure; none later is read.
    """
    mark = hit.stream.mark
    if mark.slice is not None or mark.coding not in watched.names:
        return hit
    found = []
    for column in watched.slices:
        cube = Cube((slice_coding(column), mark.coding))
        if column != watched.codings[mark.coding].column and cube in history.plan.cubes:
            counts = _Counts(history.counts(*cube.columns), history.reference_counts(*cube.columns), first, end)
            found.append(_best_set(hit, watched, column, counts))
    best = max((each for each in found if each is not None), key=lambda each: abs(each.z), default=None)
    return hit if best is None else _in_slice(hit, watched, history, best)


def _in_slice(hit: Hit, watched: Watched, history: History, located: Located) -> Hit:
    """The same jump, followed in the slice against the rest of the traffic."""
    mark = hit.stream.mark
    columns = (slice_coding(located.column), mark.coding)
    here = replace(mark, slice=marks_of.slice_of(watched.cut(located.column), *located.values))
    series = marks_of.in_slice(
        [here],
        located.values,
        watched.codings[mark.coding],
        history.counts(*columns),
        history.reference_counts(*columns),
    )
    return replace(hit, stream=Stream.of(hit.stream.detector, series, 0), effect=located.effect)


@dataclass(frozen=True)
class _Counts:
    log: Int64
    reference: Int64
    first: int
    end: int

    def window(self) -> Int64:
        counts: Int64 = self.log[self.first : self.end].sum(axis=0)
        return counts

    def base(self) -> Int64:
        counts: Int64 = self.log[: self.first].sum(axis=0) + self.reference.sum(axis=0)
        return counts


def _best_set(hit: Hit, watched: Watched, column: str, counts: _Counts) -> Located | None:
    mark = hit.stream.mark
    coding, cut = watched.codings[mark.coding], watched.cut(column)
    window, base = counts.window(), counts.base()
    shift = _Shift.of(window, base, marks_of.carried([mark], coding), marks_of.among(mark, coding))
    moved = shift.each()[0] * np.sign(hit.effect)
    order = sorted(range(len(cut.values)), key=lambda value: -float(moved[value]))
    siblings = marks_of.siblings(mark, coding)
    rest_of = _Shift.of(window, base, marks_of.carried(siblings, coding), marks_of.among(mark, coding))
    best: Located | None = None
    for size in range(1, len(order)):
        inside = np.zeros(len(window), dtype=bool)
        inside[order[:size]] = True
        effect, error = (float(values[0]) for values in shift.of_set(inside))
        rest, rest_error = rest_of.of_set(~inside)
        known = bool(rest_error[0] <= CONFINED * abs(effect))
        calm = known and bool(np.all(np.abs(rest) - rest_error <= CONFINED * abs(effect)))
        sure = abs(effect) >= LOCATE_Z * np.sqrt(error**2 + hit.wander)
        z = effect / error  # which set it is, chance alone decides: the wander is the same for all
        if not shift.kept_share(inside) or np.sign(effect) != np.sign(hit.effect) or not calm:
            continue
        if sure and (best is None or abs(z) > abs(best.z)):
            best = Located(column, tuple(sorted(order[:size])), effect, z)
    return best


@dataclass(frozen=True)
class _Shift:
    """Counts of marks per slice value in the window and in the base: `(marks, values)`, totals `(values,)`."""

    count: Float
    total: Float
    base_count: Float
    base_total: Float

    @classmethod
    def of(cls, window: Int64, base: Int64, carried: Int64, among: Int64) -> "_Shift":
        sums = (carried @ window.T, window @ among, carried @ base.T, base @ among)
        return cls(*(values.astype(np.float64) for values in sums))

    def each(self) -> Float:
        """Shift of the angle per mark and value; 0 where there are no rows."""
        known = (self.total > 0) & (self.base_total > 0)
        moved: Float = np.where(known, angle(self.count, self.total) - angle(self.base_count, self.base_total), 0.0)
        return moved

    def of_set(self, inside: npt.NDArray[np.bool_]) -> tuple[Float, Float]:
        """Shift of the angle per mark in a set of values, and its standard error."""
        n, nb = self.total[inside].sum(), self.base_total[inside].sum()
        shift = angle(self.count[:, inside].sum(axis=1), n) - angle(self.base_count[:, inside].sum(axis=1), nb)
        return shift, np.full(len(shift), np.sqrt(1 / (n + 0.5) + 1 / (nb + 0.5)))

    def kept_share(self, inside: npt.NDArray[np.bool_]) -> bool:
        """Whether the set has about its usual share of the traffic: else there is no rest at the same time."""
        now = angle(self.total[inside].sum(), self.total.sum())
        moved = float(now - angle(self.base_total[inside].sum(), self.base_total.sum()))
        return abs(moved) <= CONTROL_SHIFT_MAX + 2 / float(np.sqrt(self.total.sum()))
