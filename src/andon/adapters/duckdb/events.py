"""The rows of a log as events, by the columns that its model.yaml names, in order of time and id; and back."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import orjson

from andon.adapters.duckdb.codes import quoted_name, utc_sql
from andon.adapters.duckdb.connection import one_row
from andon.adapters.duckdb.files import find_files
from andon.adapters.duckdb.open import OpenedLog, open_files
from andon.base.errors import BadInput
from andon.base.nearest import nearest
from andon.inventory.model import Model

ROWS = 8_192
_ZONED: Final = "TIMESTAMP WITH TIME ZONE"
_ROLES: Final = ("prediction", "score", "version", "latency", "status", "subject", "model")
_SAFE_DIGITS: Final = 18
"""A whole number of so many is one of 64 bits."""


def events_of(paths: Sequence[str], model: Model) -> Iterator[bytes]:
    """Each row as a prediction; its label, where it has one, as an outcome behind it.

    Raises:
        BadInput: what was named cannot be read as a log.
    """
    opened = open_files(find_files(list(paths)), model.columns, None)
    try:
        _require_columns(opened, model)
        for name in filter(None, (model.columns.id, model.columns.model)):
            _require_names(opened, name)
        order = ", ".join(quoted_name(name) for name in (model.columns.time, model.columns.id))
        shown = ", ".join(_shown_sql(name, storage) for name, storage in opened.storages.items())
        cursor = opened.connection.execute(f"select {shown} from andon_log order by {order}")
        names = [each[0] for each in cursor.description or ()]
        while rows := cursor.fetchmany(ROWS):
            for row in rows:
                yield from _events(dict(zip(names, row, strict=True)), model)
    finally:
        opened.connection.close()


def row_of(payload: bytes, model: Model) -> dict[str, Any]:
    """The columns of a prediction again: what `events_of` made it from, less the label; all of it orjson can write.

    Its segments are columns beside its inputs, of which one may be a segment too.
    """
    event = _event_of(payload)
    columns, (segments, inputs) = model.columns, map(event.get, ("segments", "inputs"))
    row = {key: value for each in (segments, inputs) if isinstance(each, dict) for key, value in each.items()}
    row.pop("", None)  # with one, DuckDB takes the whole line for one value
    row |= {columns.id: event["id"], columns.time: event["ts"]}
    row |= {name: event.get(key) for key, name in _roles(model).items()}
    if _is_written(row):
        return row
    return {name: value if _is_written(value) else None for name, value in row.items()}


def label_of(payload: bytes) -> Any:
    """The label of an outcome."""
    return _event_of(payload)["label"]


def _event_of(payload: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = orjson.loads(payload)
    except ValueError:  # a number that no double holds, such as 1e999; or bytes that an earlier version took for text
        found = json.loads(payload.decode("utf-8", "replace"), parse_int=_whole)
    return found


def _whole(digits: str) -> float:
    return int(digits) if len(digits) <= _SAFE_DIGITS else float(digits)


def _is_written(value: object) -> bool:
    """Whether orjson writes it: not what is nested deeper than that goes, which an earlier version recorded."""
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


def _shown_sql(name: str, storage: str) -> str:
    """A column as Python can take it: DuckDB gives no time with a zone without a library that Andon does not bring."""
    column = quoted_name(name)
    if storage == _ZONED:
        return f"{utc_sql(name, storage)} as {column}"
    return f"cast({column} as {storage.replace(_ZONED, 'VARCHAR')}) as {column}" if _ZONED in storage else column


def _require_columns(opened: OpenedLog, model: Model) -> None:
    """Refuse a log that lacks what the model names: its events would lack it for ever. Labels may come later."""
    for role in _ROLES:
        name = getattr(model.columns, role)
        if name is not None and name not in opened.storages:
            near = nearest(name, opened.storages)
            mend = f"write {near!r}, if that was meant" if near else "mend the model file"
            raise BadInput(
                f"{opened.files.name} has no column {name!r}, which the model names as `{role}_column`: {mend};"
                " nothing was recorded"
            )


def _require_names(opened: OpenedLog, name: str) -> None:
    """Refuse rows of which a column that names something is empty or blank."""
    text = f"cast({quoted_name(name)} as varchar)"
    sql = f"select count(*) from andon_log where not coalesce(regexp_matches({text}, '\\S'), false)"
    [count] = one_row(opened.connection, sql)
    if count:
        rows, have, them = ("1 row", "has", "it") if count == 1 else (f"{count:,} rows", "have", "them")
        raise BadInput(
            f"{rows} of {opened.files.name} {have} no {name}, so nothing could be said of {them} later:"
            " fill it in; nothing was recorded"
        )


def _roles(model: Model) -> dict[str, str]:
    """The columns that have a key of their own in an event."""
    columns = model.columns
    keys = {"prediction": columns.prediction, "score": columns.score, "model_version": columns.version}
    keys |= {"subject": columns.subject, "latency_ms": columns.latency, "status_code": columns.status}
    return {key: name for key, name in keys.items() if name is not None}


def _events(row: Mapping[str, Any], model: Model) -> Iterator[bytes]:
    columns, roles = model.columns, _roles(model)
    own = {columns.id, columns.time, columns.label, columns.label_time, *roles.values()}
    ts = _plain(row[columns.time])
    event = {"kind": "prediction", "id": str(row[columns.id]), "ts": ts, "model_id": model.id}
    event |= {key: _plain(row[name]) for key, name in roles.items() if row.get(name) is not None}
    for key in ("model_version", "subject"):
        if key in event and not isinstance(event[key], str):
            event[key] = str(row[roles[key]])
    event["inputs"] = {name: _plain(value) for name, value in row.items() if name not in own}
    yield _line(event)
    label = None if columns.label is None else row.get(columns.label)
    if label is not None:
        known = None if columns.label_time is None else row.get(columns.label_time)
        outcome = {"kind": "outcome", "id": event["id"], "ts": ts if known is None else _plain(known)}
        yield _line({**outcome, "model_id": model.id, "label": _plain(label)})


def _line(event: Mapping[str, Any]) -> bytes:
    return orjson.dumps(event, default=_word, option=orjson.OPT_NON_STR_KEYS)


def _plain(value: object) -> Any:
    """A value of a column, as far as it has a form of its own in events; what is within others is for `_word`."""
    if isinstance(value, datetime):
        at = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    if value is None or isinstance(value, bool | int | float | str | list | dict | Decimal):
        return value
    return str(value)


def _word(value: object) -> Any:
    """What JSON has no word for: a decimal is a number with all its digits, all else text."""
    return orjson.Fragment(f"{value:f}") if isinstance(value, Decimal) else str(value)
