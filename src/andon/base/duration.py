"""Lengths of time as people write them: `6h`, `1d`, `30min`."""

import re
from datetime import timedelta

from andon.base.errors import BadInput

_UNITS = {
    "s": timedelta(seconds=1),
    "sec": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_FORM = re.compile(r"\s*([0-9]+)\s*([a-z]+)\s*", re.IGNORECASE)


def parse_duration(text: str) -> timedelta:
    """The length that a text states: a whole number and a unit.

    Raises:
        BadInput: it is none, or not longer than nothing.
    """
    found = _FORM.fullmatch(text)
    unit = _UNITS.get(found[2].lower()) if found else None
    if found is None or unit is None or not int(found[1]):
        raise BadInput(f"{text!r} is not a length of time: write a whole number and a unit, like 30min, 6h, 1d or 1w")
    try:
        return int(found[1]) * unit
    except OverflowError:
        raise BadInput(f"{text!r} is longer than any log: write a shorter length, like 6h or 1d") from None
