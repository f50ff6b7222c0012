"""The identifier of an incident: `AI-INC-2026-0001`, counted without gaps per year (UTC)."""

import re
from typing import Final

_FORM: Final = re.compile(r"AI-INC-([0-9]{4})-([0-9]{4,9})")


def incident_id(year: int, number: int) -> str:
    """The identifier of the year's `number`-th incident."""
    return f"AI-INC-{year:04}-{number:04}"


def parse(text: str) -> tuple[int, int] | None:
    """Year and number; None where the text is no identifier as `incident_id` writes it."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    year, number = int(match[1]), int(match[2])
    return (year, number) if number and incident_id(year, number) == text else None
