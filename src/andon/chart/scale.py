"""Where values stand on an axis, and the round values that name it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from math import ceil, floor, log10
from typing import Final

from andon.base.interval import Interval

FULL: Final = 1000.0
"""Length of an axis."""
STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
DAY: Final = timedelta(days=1)
TIME_STEPS: Final = (
    *(timedelta(minutes=m) for m in (1, 5, 15, 30, 60, 180, 360, 720)),
    *(timedelta(days=d) for d in (1, 2, 7, 14, 28, 56, 91, 182, 364, 728, 1820, 3640, 9100, 18_200)),
)


@dataclass(frozen=True, slots=True)
class Linear:
    """From `low` to `high` along an axis of 1,000; `is_log` for equal ratios."""

    low: float
    high: float
    is_log: bool = False

    def at(self, value: float) -> float:
        """The place of a value; what lies beyond the axis stands at its end."""
        low, high, value = (
            (log10(v) for v in (self.low, self.high, max(value, self.low)))
            if self.is_log
            else (self.low, self.high, value)
        )
        if high <= low:
            return FULL / 2
        return FULL * min(max((value - low) / (high - low), 0.0), 1.0)

    def ticks(self, most: int) -> list[float]:
        """At most so many round values on the axis."""
        return _powers(self.low, self.high, most) if self.is_log else _round(self.low, self.high, most)


def share_axis(greatest: float) -> Linear:
    """An axis for shares from 0: up to a round value at or above the greatest, at most 1."""
    for top in (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8):
        if greatest <= top:
            return Linear(0.0, top)
    return Linear(0.0, 1.0)


def _round(low: float, high: float, most: int) -> list[float]:
    if not high > low or most < 1:
        return [low]
    size = 10.0 ** floor(log10((high - low) / most))
    step = next(s * size for s in STEPS if (high - low) / (s * size) <= most)
    first = ceil(low / step - 1e-9)
    return [n * step for n in range(first, floor(high / step + 1e-9) + 1)]


def _powers(low: float, high: float, most: int) -> list[float]:
    powers = list(range(ceil(log10(low) - 1e-9), floor(log10(high) + 1e-9) + 1))
    if not powers:
        return [low, high]
    every = -(-len(powers) // max(most, 1))
    return [10.0**power for power in powers[::every]]


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """A span of time along an axis of 1,000, its days as a zone has them."""

    span: Interval
    zone: tzinfo

    def at(self, moment: datetime) -> float:
        """The place of a moment; what lies beyond the axis stands at its end."""
        whole = self.span.length
        if not whole:
            return FULL / 2
        return FULL * min(max((moment - self.span.start) / whole, 0.0), 1.0)

    def ticks(self, most: int) -> list[tuple[datetime, str]]:
        """At most so many round moments with their words: days, or hours of a short span."""
        step = next((s for s in TIME_STEPS if self.span.length / s <= most), TIME_STEPS[-1])
        return [(at, self._word(at, step)) for at in self._moments(step)]

    def labels(self, most: int, narrow: int) -> list[tuple[datetime, str, bool]]:
        """The ticks, each with whether it is kept where there is room for `narrow` of them only."""
        ticks = self.ticks(most)
        every = -(-len(ticks) // narrow)
        return [(at, word, place % every == 0) for place, (at, word) in enumerate(ticks)]

    def _moments(self, step: timedelta) -> Iterator[datetime]:
        start, end = (at.astimezone(self.zone) for at in (self.span.start, self.span.end))
        at = datetime(start.year, start.month, start.day, tzinfo=self.zone)
        while at <= end:  # aware times of one zone are added to as clocks show them: midnight stays midnight
            if at >= start:
                yield at
            at += step

    def _word(self, at: datetime, step: timedelta) -> str:
        if step < DAY:
            return f"{at:%H:%M}" if (at.hour, at.minute) != (0, 0) else f"{at.day} {at:%b}"
        return f"{at.day} {at:%b}" if self.span.length < 365 * DAY else f"{at:%b} {at.year}"
