"""The canonical text of a value, and the cell of a value that was never seen: the same in every engine."""

import hashlib
import math
from datetime import UTC, date, datetime
from decimal import Decimal

WHOLE_MAX = 2.0**63
"""Whole floating-point numbers below this have a text without a point; beyond it they keep the engine's own text."""


def text_of(value: object) -> str | None:
    """A value's text, whatever the file stores it as: `1` for 1.0, `true` for True, None for null.

    Other floating-point numbers have the shortest text that reads back as the same number; times are naive UTC.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        return _text_of_number(float(value))
    if isinstance(value, date):
        return _text_of_time(value)
    return str(value)


def unseen_cell(text: str, cells: int) -> int:
    """The cell of a value that the reference does not have: the first 32 bits of its MD5, modulo the cells."""
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:8], 16) % cells


def _text_of_number(value: float) -> str:
    if math.isfinite(value) and value.is_integer() and abs(value) < WHOLE_MAX:
        return str(int(value))
    return repr(value)


def _text_of_time(value: date) -> str:
    if not isinstance(value, datetime):
        return f"{value.isoformat()} 00:00:00"
    utc = value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
    text = utc.isoformat(sep=" ")
    return text.rstrip("0") if utc.microsecond else text
