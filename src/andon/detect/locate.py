"""Where a failure sits: all traffic, or one part of it that carries the whole shift."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from andon.detect.builtin import marks_of, views_of
from andon.detect.finding import Slice
from andon.detect.history import History
from andon.detect.hit import NEAR, Hit, Stream
from andon.detect.jump import CONTROL_SHIFT_MAX, angle
from andon.detect.mark import Mark, MarkSeries
from andon.detect.onset import Run
from andon.detect.planning import Watched, cut_coding, slice_coding
from andon.telemetry.plan import CategoryCoding, Coding, Cube, NumberCoding
from andon.telemetry.summary import Int64

CHANGED_DECISIONS, SHIFTED_SCORE = "changed_decisions", "shifted_score"
CONFINED = 1 / 3
"""A failure is confined to a slice when the rest of the traffic moved by less than this share of the slice's move."""
Float = npt.NDArray[np.float64]

JOINS_Z = 2.5
"""Standard errors by which a value must move to join a set of values."""
LOCATE_Z = 4.0
"""Standard errors by which a slice must move against the rest: few are asked, and only once something is wrong."""


@dataclass(frozen=True, slots=True)
class Located:
    """A part of the traffic that carries the shift, how far it moved, and the standard errors against the rest.

    `cut` names the coding by which it is cut, `codes` are those of the part.
    """

    place: Slice
    cut: str
    codes: tuple[int, ...]
    effect: float
    z: float


def locate(hit: Hit, watched: Watched, history: History, run: Run) -> Hit:
    """The hit of the slice that carries a shift seen in all traffic; the same hit when everybody moved.

    The values of each slice column are taken in the order of their own shift, a number at each of its edges; the set
    that stands out most against its complement is kept, if the complement kept calm. The run holds the failure; no
    later bucket is read.
    """
    mark = hit.stream.mark
    if hit.stream.detector.name in (CHANGED_DECISIONS, SHIFTED_SCORE):
        return _in_views(hit, watched, history, run)
    if mark.slice is not None or mark.coding not in watched.names:
        return hit
    found = []
    cuts = (*map(slice_coding, (*watched.slices, *watched.found)), *map(cut_coding, watched.cuts))
    for cut in cuts:
        cube = Cube((cut, mark.coding))
        if watched.codings[cut].column != watched.codings[mark.coding].column and cube in history.plan.cubes:
            counts = _Counts(history.counts(*cube.columns), history.reference_counts(*cube.columns), run.start, run.end)
            shifts = Shift.of_mark(mark, watched.codings[mark.coding], counts.window(), counts.base())
            found.append(best_part(hit, cut, watched.codings[cut], *shifts))
    best = max((each for each in found if each is not None), key=lambda each: abs(each.z), default=None)
    return hit if best is None else _in_slice(hit, watched, history, best)


def _in_views(hit: Hit, watched: Watched, history: History, run: Run) -> Hit:
    """The hit in the view and at the cut where answers differ most from the rest, or in no slice at all.

    Only values on the same side of a number are tried: the shift of the part against the rest, in standard errors, is
    largest where the cut is true. A version is to blame only for what began with it. Where the rest moved as far the
    other way, no part is to blame.
    """
    mark = hit.stream.mark
    if mark.slice is None:
        return hit
    column, scored = mark.slice.columns[-1], hit.stream.detector.name == SHIFTED_SCORE
    is_cut = watched.is_cut(mark.slice)
    views = {
        view.version: view
        for view in views_of.views_by(watched, history, (cut_coding if is_cut else slice_coding)(column), finely=True)
    }
    view = views[mark.version]
    if view.first is not None and not run.begins_near(view.first, NEAR):
        view = views[None]
    series = (view.shifted if scored else view.changed)(watched, mark.codes[0])
    part = slice(run.start, run.end)
    before = run.start if series.frozen is None else min(run.start, series.frozen)
    asked = mark.slice.predicate.rsplit(" and ", maxsplit=1)[-1]
    alike = [
        s
        for s, each in enumerate(view.parts)
        if (_side_of(each.place.predicate) == _side_of(asked) if is_cut else each.place.predicate == asked)
    ]
    best = max(alike, key=lambda s: _contrast(series, s, part, before) * np.sign(hit.effect))
    net, rest_net = _net(watched, view, best, part, before)
    found = replace(hit, stream=Stream.of(hit.stream.detector, series, best))
    if rest_net * np.sign(net) < -abs(net) / 2:
        version = None if view.version is None else watched.version_slice(view.version)
        return replace(found, stream=replace(found.stream, mark=replace(found.stream.mark, slice=version)))
    return found


def _net(watched: Watched, view: views_of.View, s: int, run: slice, before: int) -> tuple[float, float]:
    """By how much more answers lean to one side in a run than before, in a part and in the rest of the traffic."""
    leaning = [0.0, 0.0]
    for sign, series in zip((1, -1), view.leaning(watched), strict=True):
        for n, (log, reference) in enumerate(((series.log, series.reference), (series.rest, series.reference_rest))):
            assert log is not None and reference is not None  # noqa: S101, PT018  # views have a rest
            usual = (log.count[s, :before].sum() + reference.count[s].sum()) / max(
                log.total[s, :before].sum() + reference.total[s].sum(), 1
            )
            leaning[n] += sign * float(log.count[s, run].sum() / max(log.total[s, run].sum(), 1) - usual)
    return leaning[0], leaning[1]


def _side_of(predicate: str) -> bool:
    return " >= " in predicate


def _contrast(series: MarkSeries, s: int, run: slice, before: int) -> float:
    """How far a part moved against the rest, in standard errors."""
    moved, variance = 0.0, 0.0
    sides = ((1, series.log, series.reference), (-1, series.rest, series.reference_rest))
    for sign, log, reference in sides:
        if log is None or reference is None:
            return 0.0
        count, total = float(log.count[s, run].sum()), float(log.total[s, run].sum())
        usual = float(log.count[s, :before].sum() + reference.count[s].sum())
        base = float(log.total[s, :before].sum() + reference.total[s].sum())
        moved += sign * float(angle(np.array(count), np.array(total)) - angle(np.array(usual), np.array(base)))
        variance += 1 / (total + 0.5) + 1 / (base + 0.5)
    return moved / float(np.sqrt(variance))


def _in_slice(hit: Hit, watched: Watched, history: History, located: Located) -> Hit:
    """The same jump, followed in the slice against the rest of the traffic."""
    mark = hit.stream.mark
    marks, counts = [replace(mark, slice=located.place)], marks_of.Crossed.of(history, located.cut, mark.coding)
    series = marks_of.in_slice(marks, located.codes, watched.codings[mark.coding], counts)
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


def best_part(
    hit: Hit, name: str, cut: Coding, shift: "Shift", siblings: "Shift", largest: float = 1.0
) -> Located | None:
    """The part of the traffic, of those that a coding cuts, that carries a hit's shift while the rest keeps calm.

    Args:
        hit: what moved.
        name: of the coding by which traffic is cut.
        cut: that coding.
        shift: counts of the mark by code of `cut`.
        siblings: counts of all marks of its column, which must keep calm in the rest.
        largest: share of the rows that a part may have at most.
    """
    moved = shift.each()[0] * np.sign(hit.effect)
    best: Located | None = None
    for place, codes in _parts(cut, moved, shift.clear(hit.effect)):
        inside = np.zeros(len(shift.total), dtype=bool)
        inside[list(codes)] = True
        if shift.total[inside].sum() > largest * shift.total.sum():
            continue
        moved_itself = is_confined(hit, shift, siblings, inside) if shift.kept_share(inside) else None
        if moved_itself is None:
            continue
        effect, error = moved_itself
        z = effect / error  # which set it is, chance alone decides: the wander is the same for all
        if best is None or abs(z) > abs(best.z):
            best = Located(place, name, codes, effect, z)
    return best


def is_confined(
    hit: Hit, shift: "Shift", siblings: "Shift", inside: npt.NDArray[np.bool_]
) -> tuple[float, float] | None:
    """Effect and standard error of a hit's shift in a set, if the set surely moved and the rest kept calm."""
    effect, error = (float(values[0]) for values in shift.of_set(inside))
    rest, rest_error = siblings.of_set(~inside)
    known = bool(rest_error[0] <= CONFINED * abs(effect))
    calm = known and bool(np.all(np.abs(rest) - rest_error <= CONFINED * abs(effect)))
    sure = abs(effect) >= LOCATE_Z * np.sqrt(error**2 + hit.wander) and np.sign(effect) == np.sign(hit.effect)
    return (effect, error) if calm and sure and shift.spares_rest(inside) else None


def _parts(cut: Coding, moved: Float, clear: npt.NDArray[np.bool_]) -> list[tuple[Slice, tuple[int, ...]]]:
    """The parts of the traffic to ask: sets of values, those that moved most first, or either side of each edge.

    A value joins a set only if it moved clearly by itself: of many values, chance moves half the right way.
    """
    if isinstance(cut, CategoryCoding):
        order = sorted((v for v in range(len(cut.values)) if clear[v]), key=lambda value: -float(moved[value]))
        sets = [tuple(sorted(order[:size])) for size in range(1, min(len(order) + 1, len(cut.values)))]
        return [(marks_of.slice_of(cut, *values), values) for values in sets]
    assert isinstance(cut, NumberCoding)  # noqa: S101  # traffic is cut by value or by order
    halves = [half for edge in range(len(cut.edges)) for half in views_of.halves(cut, edge)]
    return [(half.place, tuple(int(code) for code in np.flatnonzero(half.inside))) for half in halves]


@dataclass(frozen=True)
class Shift:
    """Counts of marks per slice value in the window and in the base: `(marks, values)`, totals `(values,)`."""

    count: Float
    total: Float
    base_count: Float
    base_total: Float

    @classmethod
    def of(cls, window: Int64, base: Int64, carried: Int64, among: Int64) -> "Shift":
        sums = (carried @ window.T, window @ among, carried @ base.T, base @ among)
        return cls(*(values.astype(np.float64) for values in sums))

    @classmethod
    def of_mark(cls, mark: Mark, coding: Coding, window: Int64, base: Int64) -> tuple["Shift", "Shift"]:
        """The shift of a mark, and of all marks of its column; counts are `(values, codes)`."""
        among, siblings = marks_of.among(mark, coding), marks_of.siblings(mark, coding)
        alone, all_of_them = (marks_of.carried(marks, coding) for marks in ([mark], siblings))
        return cls.of(window, base, alone, among), cls.of(window, base, all_of_them, among)

    def each(self) -> Float:
        """Shift of the angle per mark and value; 0 where there are no rows."""
        known = (self.total > 0) & (self.base_total > 0)
        moved: Float = np.where(known, angle(self.count, self.total) - angle(self.base_count, self.base_total), 0.0)
        return moved

    def clear(self, effect: float) -> npt.NDArray[np.bool_]:
        """The values of which the first mark moved clearly in the direction of an effect: `(values,)`."""
        error = np.sqrt(1 / (self.total + 0.5) + 1 / (self.base_total + 0.5))
        moved: npt.NDArray[np.bool_] = self.each()[0] * np.sign(effect) >= JOINS_Z * error
        return moved

    def made_up_for(self, inside: npt.NDArray[np.bool_]) -> bool:
        """Whether the rest of the traffic moved the other way by at least half as many rows as the set did."""
        moved = []
        for part in (inside, ~inside):
            usual = self.base_count[0, part].sum() / max(self.base_total[part].sum(), 1)
            moved.append(float(self.count[0, part].sum() - usual * self.total[part].sum()))
        return bool(moved[1] * np.sign(moved[0]) < -abs(moved[0]) / 2)

    def of_set(self, inside: npt.NDArray[np.bool_]) -> tuple[Float, Float]:
        """Shift of the angle per mark in a set of values, and its standard error."""
        n, nb = self.total[inside].sum(), self.base_total[inside].sum()
        shift = angle(self.count[:, inside].sum(axis=1), n) - angle(self.base_count[:, inside].sum(axis=1), nb)
        return shift, np.full(len(shift), np.sqrt(1 / (n + 0.5) + 1 / (nb + 0.5)))

    def spares_rest(self, inside: npt.NDArray[np.bool_]) -> bool:
        """Whether the rest of the traffic moved surely less than if it had been hit as the set was.

        Hit alike: as large a part of its rows without the mark got it (or with it lost it). A rest where nearly every
        row had the mark before proves nothing by keeping it.
        """
        shares = []
        for part in (inside, ~inside):
            now = self.count[0, part].sum() / max(self.total[part].sum(), 1)
            shares += [float(self.base_count[0, part].sum() / max(self.base_total[part].sum(), 1)), float(now)]
        before, after, rest_before, rest_after = shares
        rises = after > before
        room = 1 - before if rises else before
        hit = abs(after - before) / max(room, 1e-9)
        alike = rest_before + hit * (1 - rest_before) if rises else rest_before * (1 - hit)
        rows = self.total[~inside].sum()
        missing = abs(float(angle(np.array(alike * rows), rows) - angle(np.array(rest_after * rows), rows)))
        return missing >= LOCATE_Z / float(np.sqrt(rows + 0.5))

    def kept_share(self, inside: npt.NDArray[np.bool_]) -> bool:
        """Whether the set has about its usual share of the traffic: else there is no rest at the same time."""
        now = angle(self.total[inside].sum(), self.total.sum())
        moved = float(now - angle(self.base_total[inside].sum(), self.base_total.sum()))
        return abs(moved) <= CONTROL_SHIFT_MAX + 2 / float(np.sqrt(self.total.sum()))
