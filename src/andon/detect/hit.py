"""Where marks jumped: the search over all detectors, and what one jump says about start, level and end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from andon.base.interval import Grid
from andon.detect.budget import UNDECLARED_SHARE, Budget
from andon.detect.detector import Detector
from andon.detect.exposure import negligible
from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.jump import angle, jumps, share
from andon.detect.mark import Late, Mark, MarkSeries
from andon.detect.onset import Float, Run, best_run, gains
from andon.detect.planning import Watched
from andon.detect.sums import Sums
from andon.detect.within import stands_out
from andon.telemetry.plan import CategoryCoding, Cube, NumberCoding, Plan

NEAR = 2
"""Buckets between the first row of a version and the start of a failure that it may be to blame for."""
REST_SMOOTHING = 4
"""Buckets on either side over which the rest of the traffic is averaged as the control of one bucket."""
BETTER_Z = 2.0
"""Standard errors by which a new version must have got better for its moved answers to be no reason for an alarm."""
TOGETHER_PER_HOUR, TOGETHER_LEAST = 1_500, 25
"""More marks than so many per hour of an evaluation are judged apart: a family of 25 knows its usual wander as well."""
SHARED_MIN = 0.5
"""From this intraclass correlation on the rows of one time are nearly alike: most of what varies, varies with time."""
SHARED_LEAST = 0.1
"""Below this intraclass correlation rows are taken to be on their own: chance alone makes as much in small slices."""


@dataclass(frozen=True)
class Stream:
    """One mark with its counts: what is followed over time.

    Nothing begins before bucket `earliest` (the first of the version whose answers are counted).
    """

    detector: Detector
    mark: Mark
    count: Float
    total: Float
    reference_count: float
    reference_total: float
    rest_count: Float | None
    rest_total: Float | None
    reference_rest_count: float
    reference_rest_total: float
    late: Late | None = None
    earliest: int = 0

    def known(self, t: int) -> "Stream":
        """The stream counted by decision, as known at evaluation `t`; itself unless its labels come late."""
        late = self.late
        if late is None:
            return self
        rest = [
            None if part is None else part.by_event(t).astype(np.float64) for part in (late.rest_count, late.rest_total)
        ]
        return replace(
            self,
            count=late.count.by_event(t).astype(np.float64),
            total=late.total.by_event(t).astype(np.float64),
            rest_count=rest[0],
            rest_total=rest[1],
            late=None,
        )

    def decided(self, first: int, end: int) -> tuple[int, int]:
        """The buckets in which most rows were decided whose counts came in the buckets `first..end`."""
        if self.late is None:
            return first, end
        part = self.late.total
        came = (part.arrival >= first) & (part.arrival < end)
        rows = np.repeat(part.event[came], part.counts[came].astype(np.int64))
        if not len(rows):
            return first, end
        low, high = np.quantile(rows, (0.1, 0.9), method="nearest")
        return int(low), int(high) + 1

    @classmethod
    def of(cls, detector: Detector, series: MarkSeries, s: int) -> "Stream":
        rest, reference_rest = series.rest, series.reference_rest
        return cls(
            detector,
            series.marks[s],
            series.log.count[s].astype(np.float64),
            series.log.total[s].astype(np.float64),
            float(series.reference.count[s].sum()) + series.prior * _usual(series, s),
            float(series.reference.total[s].sum()) + series.prior,
            None if rest is None else rest.count[s].astype(np.float64),
            None if rest is None else rest.total[s].astype(np.float64),
            0.0 if reference_rest is None else float(reference_rest.count[s].sum()),
            0.0 if reference_rest is None else float(reference_rest.total[s].sum()),
            series.late[s] if series.late else None,
            series.frozen or 0,
        )


@dataclass(frozen=True)
class Hit:
    """A jump beyond its threshold: stream, evaluation index, window length and the numbers (see `Jumps`).

    `opens` says whether it may open an incident, or can only add to one. A mark of which too little was seen to know
    its habits is judged by those of its family; what passes as one of them (weather, prices, running means) is moved by
    the world, and that is an incident once something else shows it. `shared` says that the rows of one time are nearly
    alike in it (1), as they are in weather, or how far they are (0: not at all): such a number moves in spells.
    """

    stream: Stream
    t: int
    window: int
    z: float
    effect: float
    error: float
    wander: float
    threshold: float
    opens: bool = True
    shared: float = 0.0

    @property
    def level_before(self) -> float:
        """Share of the mark before the window: in the log and the reference together."""
        stream, before = self.stream, self.t - self.window + 1
        total = stream.total[:before].sum() + stream.reference_total
        return float((stream.count[:before].sum() + stream.reference_count) / max(total, 1))

    @property
    def level_now(self) -> float:
        """Share of the mark in the window."""
        part = slice(self.t - self.window + 1, self.t + 1)
        return float(self.stream.count[part].sum() / max(self.stream.total[part].sum(), 1))

    @property
    def moved_itself(self) -> bool:
        """Whether the share itself moved by most of the effect, rather than the rest of the traffic away from it."""
        own = 2 * (np.arcsin(np.sqrt(self.level_now)) - np.arcsin(np.sqrt(self.level_before)))
        return bool(own * np.sign(self.effect) >= abs(self.effect) / 2)


def search(
    watched: Watched,
    history: History,
    detectors: Sequence[Detector],
    budget: Budget,
    progress: Callable[[int, int], None] | None = None,
) -> list[Hit]:
    """All jumps beyond their thresholds, in the order of evaluations, the clearest first.

    A hit of one stream at one evaluation is its clearest window. What is found at index `t` depends on the buckets
    `0..t` and the reference only.
    """
    weights = sum(detector.weight for detector in detectors)
    found: list[Hit] = []
    for number, detector in enumerate(detectors):
        asked = limits(watched, history.plan, detector, budget, detector.weight / weights)
        for series in detector.series(watched, history):
            for part in series.parts(_together(history.plan.grid)):
                found.extend(_hits(detector, part, *asked[part.declared]))
        if progress is not None:
            progress(number + 1, len(detectors))
    return sorted(found, key=lambda hit: (hit.t, -abs(hit.z)))


def _together(grid: Grid) -> int:
    """How many marks of a family are judged together, so that their arrays over a month stay below a gigabyte or two.

    It depends on nothing that comes later, so not on how long the log is.
    """
    return max(TOGETHER_LEAST, int(TOGETHER_PER_HOUR * (grid.length / timedelta(hours=1))))


def limits(
    watched: Watched, plan: Plan, detector: Detector, budget: Budget, part: float
) -> dict[bool, tuple[float, float]]:
    """The threshold of a detector's marks and what opening asks, by whether the marks are in declared slices."""
    cubes = detector.cubes(watched)
    found = {}
    for declared in (True, False):
        asked = [cube for cube in cubes if watched.is_declared(cube.columns) == declared]
        kept = 1.0 if len(asked) == len(cubes) else 1 - UNDECLARED_SHARE if declared else UNDECLARED_SHARE
        wanted = part * kept, capacity(plan, asked), plan.grid.length
        found[declared] = budget.threshold(*wanted), budget.limit(*wanted)
    return found


def outcomes(watched: Watched, history: History, detectors: Sequence[Detector]) -> Stream | None:
    """How often the answers were wrong in all traffic, by the labels that arrived; None where there are none."""
    for detector in detectors:
        first = next(iter(detector.series(watched, history)), None) if detector.layer is Layer.PERFORMANCE else None
        if first is not None and first.marks and first.marks[0].good_falls:
            return Stream.of(detector, first, 0)
    return None


def got_better(outcome: Stream, run: Run, t: int) -> bool:
    """Whether labels known at evaluation `t` say that answers are less often wrong since a run began (2 errors)."""
    known, since, before = outcome.known(t), slice(run.start, t + 1), slice(0, run.low)
    now, total = known.count[since].sum(), known.total[since].sum()
    usual, base = known.count[before].sum() + known.reference_count, known.total[before].sum() + known.reference_total
    moved = float(angle(np.array(now), np.array(total)) - angle(np.array(usual), np.array(base)))
    return moved <= -BETTER_Z * float(np.sqrt(1 / (total + 0.5) + 1 / (base + 0.5)))


def _usual(series: MarkSeries, s: int) -> float:
    """The share of a mark in all of the reference."""
    sides = [side for side in (series.reference, series.reference_rest) if side is not None]
    return float(sum(side.count[s].sum() for side in sides) / max(sum(side.total[s].sum() for side in sides), 1))


def capacity(plan: Plan, cubes: Sequence[Cube]) -> int:
    """How many marks cubes can hold: known before the log is read, so that no threshold depends on the future."""

    def known(name: str) -> int:
        coding = plan.codings.get(name)
        if isinstance(coding, CategoryCoding):
            return len(coding.values) + 1
        return coding.bins if isinstance(coding, NumberCoding) else 1

    return sum(int(np.prod([known(name) for name in cube.columns])) for cube in cubes)


def _hits(detector: Detector, series: MarkSeries, threshold: float, opening: float) -> list[Hit]:
    if not series.marks or series.log.count.shape[1] == 0:
        return []
    shape = series.log.count.shape
    best = np.zeros(shape)
    effect, error, wander, window = (np.zeros(shape) for _ in range(4))
    least = np.array([[mark.effect_min] for mark in series.marks])
    good = np.array([[mark.only_rises] for mark in series.marks])
    for tested in jumps(series, least=threshold):
        beyond = tested.beyond(threshold, least)
        if not beyond.any():
            continue
        beyond &= ~negligible(series, tested.window) & ~(good & (tested.effect < 0))
        beyond &= stands_out(series, tested.window, tested.effect)
        better = beyond & (np.abs(tested.z) > np.abs(best))
        best[better], effect[better] = tested.z[better], tested.effect[better]
        error[better], wander[better], window[better] = tested.error[better], tested.wander[better], tested.window
    if not best.any():
        return []
    opens, shared = _opening(series, opening), _shared(series)
    streams: dict[int, Stream] = {}
    hits = []
    for s, t in zip(*np.nonzero(best), strict=True):
        if s not in streams:
            streams[s] = Stream.of(detector, series, int(s))
        z, h, e, v = (float(values[s, t]) for values in (best, effect, error, wander))
        hits.append(Hit(streams[s], int(t), int(window[s, t]), z, h, e, v, threshold, bool(opens[s, t]), shared[s]))
    return hits


def _opening(series: MarkSeries, threshold: float) -> npt.NDArray[np.bool_]:
    """Where a jump may open an incident, `(S, T)`: beyond the threshold also by the habits of its family."""
    opens = np.zeros(series.log.count.shape, dtype=np.bool_)
    for tested in jumps(series, least=threshold, by_family=True):
        opens |= tested.beyond(threshold)
    opens[[mark.witness for mark in series.marks]] = False
    return opens


def _shared(series: MarkSeries) -> list[float]:
    """Of each mark, how far rows of one time are alike in it, by the reference: 0 (on their own) to 1 (nearly all)."""
    if not series.reference.count.shape[1]:
        return [0.0] * len(series.marks)
    seldom = np.full((len(series.marks), 1), series.alike)
    alike = Sums.running(series.reference).all().moderated_clustering(seldom)[:, 0]
    shared = np.where(alike >= SHARED_LEAST, np.minimum(alike / SHARED_MIN, 1.0), 0.0)
    return [0.0 if mark.rare else float(each) for each, mark in zip(shared, series.marks, strict=True)]


def expected(stream: Stream, t: int, before: int) -> Float:
    """The angle that the buckets `0..t` would have had: the level before `before`, moved as the rest moved."""
    level = angle(
        np.array(stream.count[:before].sum() + stream.reference_count),
        np.array(stream.total[:before].sum() + stream.reference_total),
    )
    if stream.rest_count is None or stream.rest_total is None:
        return np.full(t + 1, float(level))
    rest_level = angle(
        np.array(stream.rest_count[:before].sum() + stream.reference_rest_count),
        np.array(stream.rest_total[:before].sum() + stream.reference_rest_total),
    )
    rest = angle(_smoothed(stream.rest_count[: t + 1]), _smoothed(stream.rest_total[: t + 1]))
    moved: Float = level + (rest - rest_level)
    return moved


def follow(hit: Hit, t: int) -> Run:
    """The run of the failure that a hit belongs to, by what was known at evaluation `t` (at or after the hit's)."""
    stream = hit.stream.known(t)
    first, end = hit.stream.decided(hit.t - hit.window + 1, hit.t + 1)
    before, effect = first, hit.effect
    earliest = stream.earliest if hit.t >= stream.earliest else 0
    run = None
    for _ in range(3):
        level = expected(stream, t, before)
        gain = gains(stream.count[: t + 1], stream.total[: t + 1], share(level), share(level + effect))
        gain /= 1 + stream.total[: t + 1] * hit.wander  # rows of one bucket wander together: they weigh less
        gain[:earliest] = -np.inf
        inside = first + int(np.argmax(gain[first:end]))
        run = best_run(gain, inside)
        before = run.low
        effect = _shift(stream, run, level) or effect
    assert run is not None  # noqa: S101  # the loop ran
    if earliest and run.low <= earliest + NEAR:
        return replace(run, start=earliest, low=earliest)
    return run


def _shift(stream: Stream, run: Run, level: Float) -> float:
    """How far the angle in a run is from the expected one."""
    part = slice(run.start, run.end)
    total = stream.total[part].sum()
    if total == 0:
        return 0.0
    wanted = float((share(level[part]) * stream.total[part]).sum())
    return float(angle(np.array(stream.count[part].sum()), np.array(total)) - angle(np.array(wanted), np.array(total)))


def _smoothed(values: Float) -> Float:
    width = 2 * REST_SMOOTHING + 1
    padded = np.concatenate((np.zeros(REST_SMOOTHING), values, np.zeros(REST_SMOOTHING)))
    return np.convolve(padded, np.ones(width), mode="valid")
