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


@dataclass(frozen=True, slots=True)
class Least:
    """What the windows of a tool have to hold.

    Attributes:
        rows: so many rows of the log on average.
        shortest: a tool that compares a window with the whole reference needs a whole week: a day has one weekday.
        reference: so many windows of the reference, for a tool that learns from them.
    """

    rows: int
    shortest: str = "D"
    reference: int = 1


def choose(log: Sequence[datetime], reference: Sequence[datetime], least: Least) -> str:
    """The shortest period that holds what is asked, unless that leaves fewer than 8 windows."""
    fit = least.shortest
    for period in list(PERIODS)[list(PERIODS).index(least.shortest) :]:
        held = [n for n in cut(log, period)[1] if n]
        known = [n for n in cut(reference, period)[1] if n]
        if len(held) < WINDOWS_MIN or len(known) < least.reference:
            return fit
        fit = period
        if statistics.mean(held) >= least.rows:
            return fit
    return fit
