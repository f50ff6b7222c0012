"""A time that comes from outside, within bounds in which it can be reckoned with: in UTC, and with days to spare."""

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)


def _bounded(at: datetime) -> datetime:
    if not EARLIEST <= at < LATEST:
        raise ValueError("a time from 1970 to 9998 is needed")
    return at.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_bounded)]
"""With a zone; the far ends of the calendar are refused, where a step into another zone leaves it."""
