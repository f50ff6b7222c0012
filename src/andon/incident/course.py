"""A measure over time, in the affected part and in the rest, from counts per bucket. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import numpy as np

from andon.base.interval import Interval
from andon.base.share import Share
from andon.incident.figures import Point
from andon.telemetry.summary import Int64

LADDER: Final = tuple(
    timedelta(minutes=minutes)
    for minutes in (1, 5, 15, 30, 60, 180, 360, 720, 1440, 2880, 4320, 10_080, 20_160, 40_320)
)
BUCKETS_MAX: Final = 120
ROWS_WANTED: Final = 150
"""A point is made of neighbouring buckets until it usually has so many rows of the affected part …"""
POINTS_MIN: Final = 24
"""… or the points would be fewer than this."""
YES: Final = 1
UNKNOWN: Final = 2


def step_of(period: Interval) -> timedelta:
    """The shortest length on the ladder that cuts a period into at most `BUCKETS_MAX` buckets."""
    fits = (length for length in LADDER if period.length / length <= BUCKETS_MAX)
    return next(fits, timedelta(days=-(-period.length // timedelta(days=BUCKETS_MAX))))


@dataclass(frozen=True)
class Buckets:
    """Counts of (place, span, measure) per occupied bucket: shape `(T, 3, 3, 3)`; each code is no, yes or unknown.

    Attributes:
        starts: where each bucket starts.
        length: of a bucket.
        span: the failure's span; a bucket that its edge cuts is shown as two points.
        period: of the log; what is shown never reaches beyond it.
    """

    counts: Int64
    starts: Sequence[datetime]
    length: timedelta
    span: Interval
    period: Interval

    def points(self) -> tuple[Point, ...]:
        """The points of the course; none reaches across an edge of the span or a time without rows."""
        steps = self._steps()
        group = _group_size([step.part.of for step in steps])
        points = []
        for run in _runs(steps):
            points += [_joined(each) for each in _grouped(run, group)]
        return tuple(points)

    def _steps(self) -> list[Point]:
        steps = []
        for t, start in enumerate(self.starts):
            for at, inside in self._pieces(start):
                spans = [YES] if inside else [0, UNKNOWN]
                here = self.counts[t][:, spans].sum(axis=1)
                part, rest = here[YES], here[0] + here[UNKNOWN]
                steps.append(Point(at, inside, _share(part), _share(rest)))
        return [step for step in steps if step.part.of + step.rest.of]

    def _pieces(self, start: datetime) -> list[tuple[Interval, bool]]:
        """A bucket cut where the span begins and ends."""
        end = min(start + self.length, self.period.end)
        start = max(start, self.period.start)
        cuts = [start, *(at for at in (self.span.start, self.span.end) if start < at < end), end]
        pairs = [Interval(a, b) for a, b in pairwise(cuts) if a < b]
        pieces = [(at, at.overlaps(self.span)) for at in pairs]
        # Before and after share one count when the span lies within one bucket: then only the first of them is shown.
        return [piece for i, piece in enumerate(pieces) if piece[1] or not any(not inside for _, inside in pieces[:i])]


def _runs(steps: Sequence[Point]) -> list[list[Point]]:
    """Steps that follow each other at once on one side of the span's edges."""
    runs: list[list[Point]] = []
    for step in steps:
        last = runs[-1][-1] if runs else None
        if last is not None and last.at.end == step.at.start and last.inside == step.inside:
            runs[-1].append(step)
        else:
            runs.append([step])
    return runs


def _grouped(run: Sequence[Point], group: int) -> list[Sequence[Point]]:
    """Neighbours in groups; a rest of less than half a group joins the last one."""
    parts = [run[first : first + group] for first in range(0, len(run), group)]
    if len(parts) > 1 and 2 * len(parts[-1]) < group:
        parts[-2:] = [[*parts[-2], *parts[-1]]]
    return parts


def measured(counts: Int64) -> Share:
    """The share of yes among yes and no of a measure's three codes."""
    return _share(counts)


def _share(counts: Int64) -> Share:
    return Share(int(counts[YES]), int(counts[0] + counts[YES]))


def _joined(steps: Sequence[Point]) -> Point:
    def added(shares: Sequence[Share]) -> Share:
        return Share(sum(share.hits for share in shares), sum(share.of for share in shares))

    return Point(
        Interval(steps[0].at.start, steps[-1].at.end),
        steps[0].inside,
        added([step.part for step in steps]),
        added([step.rest for step in steps]),
    )


def _group_size(rows: Sequence[int]) -> int:
    usual = float(np.median(rows)) if rows else 0.0
    wanted = -(-ROWS_WANTED // max(usual, 1.0))
    return max(1, min(int(wanted), len(rows) // POINTS_MIN))
