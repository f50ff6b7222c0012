"""The rows of a log as events, by the columns that its model.yaml names, in order of time and id."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from andon.adapters.duckdb.codes import quoted_name
from andon.adapters.duckdb.connection import one_row
from andon.adapters.duckdb.files import find_files
from andon.adapters.duckdb.open import OpenedLog, open_files
from andon.base.errors import BadInput
from andon.inventory.model import Model

ROWS = 8_192


def events_of(paths: Sequence[str], model: Model) -> Iterator[bytes]:
    """Each row as a prediction; its label, where it has one, as an outcome behind it.

    Raises:
        BadInput: what was named cannot be read as a log.
    """
    opened = open_files(find_files(list(paths)), model.columns, None)
    try:
        _require_ids(opened, model)
        order = ", ".join(quoted_name(name) for name in (model.columns.time, model.columns.id))
        cursor = opened.connection.execute(f"select * from andon_log order by {order}")
        names = [each[0] for each in cursor.description or ()]
        while rows := cursor.fetchmany(ROWS):
            for row in rows:
                yield from _events(dict(zip(names, row, strict=True)), model)
    finally:
        opened.connection.close()


def row_of(payload: bytes, model: Model) -> dict[str, Any]:
    """The columns of a prediction again: what `events_of` made it from, less the label."""
    event = orjson.loads(payload)
    roles = _roles(model)
    columns = model.columns
    row = dict(event.get("inputs") or {}) | {columns.id: event["id"], columns.time: event["ts"]}
    return row | {name: event.get(key) for key, name in roles.items()}


def _require_ids(opened: OpenedLog, model: Model) -> None:
    sql = f"select count(*) from andon_log where {quoted_name(model.columns.id)} is null"
    [count] = one_row(opened.connection, sql)
    if count:
        raise BadInput(
            f"{count} rows of {opened.files.name} have no {model.columns.id}, so nothing could be said of them later:"
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
        if key in event:
            event[key] = str(event[key])
    event["inputs"] = {name: _plain(value) for name, value in row.items() if name not in own}
    yield orjson.dumps(event)
    label = None if columns.label is None else row.get(columns.label)
    if label is not None:
        known = None if columns.label_time is None else row.get(columns.label_time)
        outcome = {"kind": "outcome", "id": event["id"], "ts": ts if known is None else _plain(known)}
        yield orjson.dumps({**outcome, "model_id": model.id, "label": _plain(label)})


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        at = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    if value is None or isinstance(value, bool | int | float | str | list | dict):
        return value
    return str(value)
