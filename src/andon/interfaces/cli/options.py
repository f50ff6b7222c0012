"""The words of the command line that stand for lengths and times."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from andon.base.errors import BadInput

UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
LENGTH: Final = re.compile(r"(?:[0-9]{1,9}[smhdw])+")
LENGTH_MAX: Final = timedelta(days=36_525)


def length(text: str, option: str) -> timedelta:
    """A length such as `6h`, `30m` or `1d12h`."""
    plain = text.strip().lower()
    if not LENGTH.fullmatch(plain):
        raise BadInput(f"{option} {text} is no length: write a number and s, m, h, d or w, such as 6h or 30m")
    seconds = sum(int(n) * UNITS[unit] for n, unit in re.findall(r"([0-9]+)([smhdw])", plain))
    if seconds > LENGTH_MAX.total_seconds():
        raise BadInput(f"{option} {text} is longer than any log: write a length such as 6h")
    total = timedelta(seconds=seconds)
    if not total:
        raise BadInput(f"{option} {text} is no time at all: write a length such as 6h")
    return total


def time(text: str, option: str) -> datetime:
    """A time in ISO 8601, taken as UTC where it names no zone."""
    try:
        at = datetime.fromisoformat(text.strip())
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise BadInput(f"{option} {text} is no time: write it as 2026-02-09T06:00:00Z") from None


def moment_of(text: str, option: str) -> str:
    """A length from now such as `2h`, or a time; as ISO 8601."""
    if LENGTH.fullmatch(text.strip().lower()):
        return (datetime.now(UTC) + length(text, option)).isoformat()  # noqa: TID251  # what the person means by a length
    return time(text, option).isoformat()
