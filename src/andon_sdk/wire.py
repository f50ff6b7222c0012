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
    """An event: an id and a time are added where there are none; what is None is left out.

    Raises:
        ValueError: a name is empty or blank, or the time has no zone.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    for name in ("id", "model_id"):
        if isinstance(text := given.get(name), str) and not text.strip():
            raise ValueError(f"{name} is empty or blank: give a text that names it")
    name, ts = given.pop("id", None), given.pop("ts", None)
    return {"kind": kind, "id": new_id() if name is None else name, "ts": _time(ts), **given}


def encode(fields: Mapping[str, Any]) -> bytes:
    """One line of JSON; a number that is none becomes null, numpy's numbers and arrays become plain ones.

    Raises:
        ValueError: it is over 1 MiB, has no end, or holds what JSON has no word for.
    """
    try:
        line = _line(fields)
    except RecursionError:
        raise ValueError("an event is nested too deep, or holds itself: flatten it") from None
    except TypeError as error:
        raise ValueError(
            f"an event holds what JSON has no word for ({error}): give text, numbers, lists, mappings"
        ) from None
    encoded = line.encode("utf-8", "replace")
    if len(encoded) > EVENT_BYTES_MAX:
        raise ValueError(f"an event of {len(encoded):,} bytes is over the limit of 1 MiB: leave some of its inputs out")
    return encoded


def _line(fields: Mapping[str, Any]) -> str:
    write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain).encode
    try:
        return write(fields)
    except ValueError:
        return write(_finite(fields))


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
