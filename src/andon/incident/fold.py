"""The tables of incidents as a fold of the journal; every fact about an incident is a line of its timeline too."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from andon.base.fold import Change, Fold, Posting
from andon.incident.key import IncidentKey
from andon.incident.opening import ALERTS, INCIDENTS, KEYS, YEARS
from andon.incident.status import DECLARED

TIMELINE: Final = "incident_timeline"
LATER: Final = ("acknowledged_at", "contained_at", "resolved_at", "closed_at", "merged_into", "seal_id")
"""Columns that are empty when an incident begins."""


def line(posting: Posting, incident: str | None = None, at: str | None = None) -> Change:
    """The line that a posting adds to a timeline: words are made of it where it is shown."""
    incident = incident or posting.stream
    when = at or posting.at
    texts = dict(posting.private)
    key = f"{incident}:{posting.seq:012}"
    values = {
        "id": key,
        "incident_id": incident,
        "place": f"{when}:{posting.seq:012}",
        "at": when,
        "seq": posting.seq,
        "kind": posting.kind,
        "actor": posting.actor,
        "data": _json(posting.data),
        "text": texts.pop("text", None),
        "more": _json(texts),
    }
    return Change(TIMELINE, key, values)


def touched(posting: Posting, incident: str | None = None, **values: Any) -> Change:
    """Columns of an incident that a posting sets; its version is the posting's number."""
    return Change(INCIDENTS, incident or posting.stream, {**values, "seq": posting.seq})


def _declared(posting: Posting) -> Sequence[Change]:
    data = posting.data
    named = ("environment", "model_id", "incident_type", "origin", "model_version", "follows", "priority")
    times = ("started_at", "started_low", "started_high")
    key = IncidentKey(data["model_id"], data["incident_type"], data["environment"])
    alerts = _alerts(posting)
    values = {
        "id": posting.stream,
        **dict.fromkeys(LATER),
        **{name: data[name] for name in (*named, *times)},
        **{name: posting.private.get(name) for name in ("title", "detected_by", "place")},
        "status": DECLARED,
        "declared_at": posting.at,
        "detected_at": data["detected_at"] or posting.at,
        **proposal(data),
        "record": "{}",
        "alerts": len(alerts),
    }
    return [
        touched(posting, **values),
        Change(KEYS, key.text, {"id": key.text, "incident_id": posting.stream}),
        _counted(data["year"], data["number"]),
        *alerts,
        line(posting),
    ]


def _joined(posting: Posting) -> Sequence[Change]:
    values: dict[str, Any] = {"alerts": posting.data["total"]}
    if "proposed" in posting.data:
        values |= {**proposal(posting.data), "priority": posting.data["priority"]}
    return [touched(posting, **values), *_alerts(posting), line(posting)]


def proposal(data: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a proposed priority."""
    proposed = data["proposed"]
    missing = _json(proposed["missing"])
    return {
        "facts": _json(data["facts"]),
        "proposed": proposed["level"],
        "rule": proposed["rule"],
        "facts_missing": missing,
    }


def _counted(year: int, number: int) -> Change:
    key = f"{year:04}"
    return Change(YEARS, key, {"id": key, "last": number})


def _alerts(posting: Posting) -> list[Change]:
    listed = posting.data["alerts"]
    titles = _titles(posting.private.get("titles"), len(listed))
    changes = []
    for alert, title in zip(listed, titles, strict=True):
        values = {"id": alert["id"], "incident_id": posting.stream, "title": title}
        values |= {name: alert[name] for name in ("source", "starts_at")}
        changes.append(Change(ALERTS, alert["id"], values))
    return changes


def _titles(text: str | None, count: int) -> list[str | None]:
    """The titles of alerts; where they were erased, the mark of that."""
    if text is None or not text.startswith("["):
        return [text] * count
    return list(json.loads(text))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


FOLDS: Final[Mapping[str, Fold]] = {
    "incident_declared": _declared,
    "alerts_joined": _joined,
}
