"""Where a failure sits: all traffic, or one part of it that carries the whole shift."""

from dataclasses import dataclass

import numpy as np

from andon.detect.builtin import marks_of
from andon.detect.finding import Slice
from andon.detect.history import History
from andon.detect.hit import Hit
from andon.detect.jump import CONTROL_SHIFT_MAX, angle
from andon.detect.planning import Watched, slice_coding
from andon.telemetry.plan import Cube
from andon.telemetry.summary import Int64

CONFINED = 1 / 3
"""A failure is confined to a slice when the rest of the traffic moved by less than this share of what the slice did."""
LOCATE_Z = 4.0
"""Standard errors by which a slice must move against the rest: few slices are asked, and only once something is wrong."""


@dataclass(frozen=True, slots=True)
class Located:
    """A slice that carries the shift: its values, how far they moved, and the standard errors against the rest."""

    slice: Slice
    effect: float
    z: float


def locate(hit: Hit, watched: Watched, history: History, first: int, end: int) -> Slice | None:
    """The slice that carries a shift seen in all traffic in the buckets `first..end`; None when everybody moved.

    The values of each slice column are taken in the order of their own shift; the set that explains the shift best
    against its complement is kept. Only buckets before `end` are read.
    """
    features = hit.stream.mark.features
    if hit.stream.mark.slice is not None or len(features) != 1 or features[0] not in watched.features:
        return hit.stream.mark.slice
    found = []
    for column in watched.slices:
        cube = Cube((slice_coding(column), features[0]))
        if column != features[0] and cube in history.plan.cubes:
            log, reference = history.counts(*cube.columns), history.reference_counts(*cube.columns)
            located = _best_set(hit, watched, column, _Counts(log, reference, first, end))
            if located is not None:
                found.append(located)
    return max(found, key=lambda each: abs(each.z)).slice if found else None


@dataclass(frozen=True)
class _Counts:
    log: Int64
    reference: Int64
    first: int
    end: int

    def window(self) -> Int64:
        return self.log[self.first : self.end].sum(axis=0)

    def base(self) -> Int64:
        return self.log[: self.first].sum(axis=0) + self.reference.sum(axis=0)


def _best_set(hit: Hit, watched: Watched, column: str, counts: _Counts) -> Located | None:
    mark = hit.stream.mark
    coding, cut = watched.codings[mark.coding], watched.cut(column)
    window, base = counts.window(), counts.base()
    carried, among = marks_of.carried([mark], coding)[0], marks_of.among(mark, coding)
    sums = tuple((values @ codes).astype(float) for values in (window, base) for codes in (carried, among))
    k, n, kb, nb = sums
    moved = np.where((n > 0) & (nb > 0), angle(k, n) - angle(kb, nb), 0.0) * np.sign(hit.effect)
    order = sorted(range(len(cut.values)), key=lambda value: -float(moved[value]))
    best: Located | None = None
    for size in range(1, len(order)):
        inside = np.zeros(len(n), dtype=bool)
        inside[order[:size]] = True
        effect, rest, z = _contrast(sums, inside)
        if abs(_share_moved(sums, inside)) > CONTROL_SHIFT_MAX:
            continue
        confined = abs(rest) <= CONFINED * abs(effect) and np.sign(effect) == np.sign(hit.effect)
        if confined and abs(z) >= LOCATE_Z and (best is None or abs(z) > abs(best.z)):
            best = Located(marks_of.slice_of(cut, *sorted(order[:size])), effect, z)
    return best


def _share_moved(counts: tuple[np.ndarray, ...], inside: np.ndarray) -> float:
    """How far the set's own share of the traffic moved (Cohen's h)."""
    _, n, _, nb = counts
    return float(angle(n[inside].sum(), n.sum()) - angle(nb[inside].sum(), nb.sum()))


def _contrast(counts: tuple[np.ndarray, ...], inside: np.ndarray) -> tuple[float, float, float]:
    """Shift of a set of values, shift of the rest, and their difference in standard errors."""
    sums = [(float(c[inside].sum()), float(c[~inside].sum())) for c in counts]
    (k, k_rest), (n, n_rest), (kb, kb_rest), (nb, nb_rest) = sums
    if min(n, n_rest, nb, nb_rest) <= 0:
        return 0.0, 0.0, 0.0

    def shift(count: float, total: float, base_count: float, base_total: float) -> float:
        return float(angle(np.array(count), np.array(total)) - angle(np.array(base_count), np.array(base_total)))

    effect, rest = shift(k, n, kb, nb), shift(k_rest, n_rest, kb_rest, nb_rest)
    error = np.sqrt(sum(1 / (size + 0.5) for size in (n, n_rest, nb, nb_rest)))
    return effect, rest, float((effect - rest) / error)
