"""A clock: a duty that began, is due, and was met or not. Warnings at 50, 75 and 90 %, and when it is missed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

WARN_AT: Final = (50, 75, 90, 100)
"""Percent of its length; at 100 it is missed."""
MISSED: Final = 100


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock; `met_at` is None while what it waits for has not come."""

    name: str
    starts_at: datetime
    due_at: datetime
    met_at: datetime | None = None

    def percent(self, now: datetime) -> int:
        """How much of its length was used when it was met, or by now; over 100 where it was missed."""
        end = now if self.met_at is None else min(self.met_at, now)
        return max(0, 100 * (end - self.starts_at) // (self.due_at - self.starts_at))

    def state(self, now: datetime) -> str:
        """`running`, `missed`, `met`, or `met late`."""
        if self.met_at is None:
            return "missed" if now >= self.due_at else "running"
        return "met" if self.met_at < self.due_at else "met late"

    def warning(self, now: datetime, given: Sequence[int] = ()) -> int | None:
        """The warning that is due: the highest threshold passed, unless it or a higher one was given.

        Whoever was away for a while hears the last word only.
        """
        if self.met_at is not None:
            return None
        passed = [each for each in WARN_AT if self.percent(now) >= each]
        return passed[-1] if passed and passed[-1] > max(given, default=0) else None

    def next_at(self, now: datetime) -> datetime | None:
        """When the next threshold is passed; None when none is left."""
        if self.met_at is not None:
            return None
        whole = self.due_at - self.starts_at
        return next((at for each in WARN_AT if (at := self.starts_at + whole * each / 100) > now), None)
