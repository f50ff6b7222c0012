"""Alerts as JSON, so that a second reading of the same tool need not run it again."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from quality_peers.alerts import Alert, Kind, Where
from quality_peers.windows import Window


def to_json(alerts: Sequence[Alert], seconds: float) -> str:
    """The alerts and how long it took to find them."""
    return json.dumps({"seconds": seconds, "alerts": [_plain(alert) for alert in alerts]}, indent=1)


def from_json(text: str) -> tuple[list[Alert], float]:
    """What `to_json` wrote."""
    held = json.loads(text)
    return [_alert(each) for each in held["alerts"]], float(held["seconds"])


def _plain(alert: Alert) -> dict[str, Any]:
    return {
        "window": [alert.window.start.isoformat(), alert.window.end.isoformat()],
        "kind": alert.kind.name,
        "check": alert.check,
        "known_at": alert.known_at.isoformat(),
        "columns": alert.columns,
        "rows": alert.rows and [alert.rows.column, *alert.rows.values],
        "segment": alert.segment and [alert.segment.column, *alert.segment.values],
    }


def _alert(held: dict[str, Any]) -> Alert:
    start, end = map(datetime.fromisoformat, held["window"])
    rows, segment = (Where(each[0], tuple(each[1:])) if each else None for each in (held["rows"], held["segment"]))
    known_at = datetime.fromisoformat(held["known_at"])
    return Alert(Window(start, end), Kind[held["kind"]], held["check"], known_at, tuple(held["columns"]), rows, segment)
