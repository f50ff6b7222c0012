"""Lengths of time as duties state them: `15 minutes`, `4 hours`, `5 days`, `next business day`."""

import re
from datetime import UTC, datetime, time, timedelta
from typing import Final

from andon.base.errors import BadInput

NEXT_BUSINESS_DAY: Final = "next business day"
UNITS: Final = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
SATURDAY: Final = 5
_FORM: Final = re.compile(r"([1-9][0-9]{0,4}) (minute|hour|day)s?")


def due_at(length: str, start: datetime) -> datetime:
    """When a length that began at `start` is over.

    The next business day is over at its midnight in UTC; Saturdays and Sundays are none, holidays are not known here.

    Raises:
        BadInput: it is no such length.
    """
    if length == NEXT_BUSINESS_DAY:
        day = start.astimezone(UTC).date() + timedelta(days=1)
        while day.weekday() >= SATURDAY:
            day += timedelta(days=1)
        return datetime.combine(day + timedelta(days=1), time(), UTC)
    match = _FORM.fullmatch(length)
    if match is None:
        raise BadInput(f"{length!r} is no length of a duty: write 15 minutes, 4 hours, 5 days or {NEXT_BUSINESS_DAY}")
    return start + int(match[1]) * UNITS[match[2]]
