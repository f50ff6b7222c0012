"""What the readers share: JSON that may be hostile, values as text, errors that name the place and the mend."""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from andon.base.errors import BadInput
from andon.base.flaw import mend_of

DEPTH_HINT: Final = "send JSON that is nested less than 1,000 deep"


class Part(BaseModel):
    """A part of a body; keys that nobody here knows are left alone, as their format asks."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def json_of(body: bytes) -> Any:
    """The JSON of a body.

    Raises:
        BadInput: it is none.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}" if error.pos else "its beginning"
        raise BadInput(f"the body is no JSON at {place}: send one JSON document in UTF-8") from None
    except RecursionError:
        raise BadInput(f"the body is nested too deep: {DEPTH_HINT}") from None


def object_of(body: bytes) -> dict[str, Any]:
    """The JSON object of a body.

    Raises:
        BadInput: it is none.
    """
    found = json_of(body)
    if not isinstance(found, dict):
        raise BadInput("the body is no JSON object: send {…}")
    return found


def wrong(error: ValidationError) -> BadInput:
    """The first of what pydantic found, as a sentence; values are not repeated."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"])) or "the body"
    return BadInput(f"{place} is wrong: {mend_of(first)}")


def text(value: Any) -> str:
    """A value as a label has it: text as it is, numbers and booleans as JSON writes them, the rest as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()


def scalars(found: Mapping[str, Any]) -> dict[str, str]:
    """The texts, numbers and booleans of an object."""
    return {name: text(value) for name, value in found.items() if isinstance(value, str | int | float | bool)}


def digest(*parts: str) -> str:
    """A fingerprint of texts."""
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


def time(value: Any, place: str) -> datetime | None:
    """A time in ISO 8601, or in seconds or milliseconds since 1970; None for nothing and for Go's zero time.

    Raises:
        BadInput: it is none.
    """
    if value in (None, "") or (isinstance(value, str) and value.startswith("0001-01-01")):
        return None
    try:
        if isinstance(value, str) and not (value.isascii() and value.replace(".", "", 1).isdigit()):
            at = datetime.fromisoformat(value)
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        seconds = float(value)
        return datetime.fromtimestamp(seconds / 1000 if seconds > MILLISECONDS_FROM else seconds, UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        raise BadInput(f"{place} is no time: write it as 2026-02-09T06:00:00Z") from None


MILLISECONDS_FROM: Final = 100_000_000_000
"""A number above this counts milliseconds: as seconds it would lie beyond the year 5000."""
