"""Events as the server takes them: a prediction, its outcome, a review of it, a step on the way to it."""

import json
import math
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

EVENT_BYTES_MAX = 1 << 20


def new_id() -> str:
    """A name for a prediction."""
    return uuid.uuid4().hex


def now_text() -> str:
    """The time as events carry it."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def event(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """An event: an id and a time are added where there are none; what is None is left out."""
    given = {name: value for name, value in fields.items() if value is not None}
    ts = given.pop("ts", None)
    made = {"kind": kind, "id": given.pop("id", None) or new_id(), "ts": _time(ts), **given}
    return {"kind": kind, **made}


def encode(fields: Mapping[str, Any]) -> bytes:
    """One line of JSON; a number that is none becomes null, numpy's numbers and arrays become plain ones.

    Raises:
        ValueError: it is over 1 MiB, or holds what JSON has no word for.
    """
    try:
        line = json.dumps(fields, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain)
    except ValueError:
        line = json.dumps(_finite(fields), ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain)
    except TypeError as error:
        raise ValueError(
            f"an event holds what JSON has no word for ({error}): give text, numbers, lists, mappings"
        ) from None
    encoded = line.encode("utf-8", "replace")
    if len(encoded) > EVENT_BYTES_MAX:
        raise ValueError(f"an event of {len(encoded):,} bytes is over the limit of 1 MiB: leave some of its inputs out")
    return encoded


def _time(ts: str | datetime | None) -> str:
    if ts is None:
        return now_text()
    if isinstance(ts, str):
        return ts
    if ts.tzinfo is None:
        raise ValueError(f"ts {ts} has no zone: give an aware time")
    return ts.isoformat()


def _plain(value: Any) -> Any:
    for method in ("tolist", "item", "to_dict", "isoformat"):
        if callable(found := getattr(value, method, None)):
            return _finite(found())
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    raise TypeError(type(value).__name__)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): _finite(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    if isinstance(value, (str, int, bool, type(None))):
        return value
    return _plain(value)
