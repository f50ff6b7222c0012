"""Calendar windows: peers look at a log a day, a week, a month or a quarter at a time."""

import bisect
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

PERIODS = {"D": "day", "W": "week", "M": "month", "Q": "quarter"}
"""As pandas and NannyML abbreviate them."""
WINDOWS_MIN = 8
THIN = 0.25
"""A window with fewer than this share of the median window's rows, such as half a first day, is not judged."""


@dataclass(frozen=True, order=True, slots=True)
class Window:
    """From `start` up to but not including `end`; UTC without a zone, as in the logs."""

    start: datetime
    end: datetime


def floor(at: datetime, period: str) -> datetime:
    """When the period that holds `at` began."""
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    match period:
        case "D":
            return day
        case "W":
            return day - timedelta(days=day.weekday())
        case "M":
            return day.replace(day=1)
        case _:
            return day.replace(day=1, month=day.month - (day.month - 1) % 3)


def following(start: datetime, period: str) -> datetime:
    """When the next period begins."""
    days = {"D": 1, "W": 7, "M": 32, "Q": 93}[period]
    return floor(start + timedelta(days=days), period)


def cut(times: Sequence[datetime], period: str) -> tuple[list[Window], list[int]]:
    """The windows from first to last of the sorted times, and how many times fall in each."""
    windows, counts, start, low = [], [], floor(times[0], period), 0
    while start <= times[-1]:
        end = following(start, period)
        high = bisect.bisect_left(times, end)
        windows.append(Window(start, end))
        counts.append(high - low)
        start, low = end, high
    return windows, counts


def judged(windows: Sequence[Window], counts: Sequence[int]) -> list[Window]:
    """The windows with enough rows to be judged."""
    least = THIN * statistics.median(n for n in counts if n)
    return [window for window, n in zip(windows, counts, strict=True) if n and n >= least]


def choose(log: Sequence[datetime], reference: Sequence[datetime], rows: int, reference_windows: int = 1) -> str:
    """The shortest period in which a window of the log holds so many rows on average.

    Longer ones are not taken where they leave fewer than 8 windows of the log or fewer than asked of the reference.
    """
    fit = "D"
    for period in PERIODS:
        _, counts = cut(log, period)
        held = [n for n in counts if n]
        if len(held) < WINDOWS_MIN or len([n for n in cut(reference, period)[1] if n]) < reference_windows:
            return fit
        fit = period
        if statistics.mean(held) >= rows:
            return fit
    return fit
