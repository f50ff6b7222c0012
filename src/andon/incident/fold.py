"""The tables of incidents as a fold of the journal; every fact about an incident is a line of its timeline too."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from andon.base.fold import Change, Fold, Posting
from andon.incident.key import IncidentKey
from andon.incident.opening import ALERTS, INCIDENTS, KEYS, YEARS
from andon.incident.status import DECLARED, MERGED, STAMPS, undone_stamps

TIMELINE: Final = "incident_timeline"
LINKS: Final = "incident_links"
ROLES: Final = "incident_roles"
LATER: Final = (
    *("acknowledged_at", "contained_at", "resolved_at", "closed_at", "merged_into", "seal_id"),
    *("triaged_at", "cause_at", "reopened_at", "rose_at", "rises", "told"),
)
"""Columns that are empty when an incident begins."""


def line(posting: Posting, incident: str | None = None, at: str | None = None) -> Change:
    """The line that a posting adds to a timeline: words are made of it where it is shown."""
    incident = incident or posting.stream
    when = at or posting.at
    texts = {name: text for name, text in posting.private.items() if name not in ("record", "events")}
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


def _rated(posting: Posting, was: str, data: Mapping[str, Any], name: str = "priority") -> dict[str, str | None]:
    """The priority; where it rose, clocks start from there beside those of before, and where it fell they do not."""
    rated: dict[str, str | None] = {"priority": data[name]}
    if data[name] < was:
        before = data.get("rises")  # entries of earlier versions lack it
        return {**rated, "rose_at": posting.at, "rises": before and _json(before)}
    return {**rated, "rises": None} if data[name] > was else rated


def _declared(posting: Posting) -> Sequence[Change]:
    data = posting.data
    named = ("environment", "model_id", "incident_type", "origin", "model_version", "follows", "priority")
    times = ("started_at", "started_low", "started_high")
    key = IncidentKey(data["model_id"], data["incident_type"], data["environment"])
    alerts = _alerts(posting, posting.stream)
    values = {
        "id": posting.stream,
        **dict.fromkeys(LATER),
        **{name: data[name] for name in (*named, *times)},
        **{name: posting.private.get(name) for name in ("title", "detected_by", "place")},
        "status": DECLARED,
        "declared_at": posting.at,
        "detected_at": data["detected_at"] or posting.at,
        **proposal(data),
        **_told(data),
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
    via = posting.data.get("via", [])
    own = via[0]["id"] if via else posting.stream
    grown = [touched(posting, each["id"], **_grown(posting, each)) for each in via]
    return [touched(posting, **_grown(posting, posting.data)), *grown, *_alerts(posting, own), line(posting)]


def _grown(posting: Posting, data: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {"alerts": data["total"]}
    if "proposed" in data:
        values |= {**proposal(data), **_rated(posting, data["was"], data)}
    return values | _told(data)


def _told(data: Mapping[str, Any]) -> dict[str, str]:
    """What its sources call it, at worst; entries of earlier versions do not say."""
    return {"told": data["told"]} if data.get("told") else {}


def _acknowledged(posting: Posting) -> Sequence[Change]:
    stamp = {"acknowledged_at": posting.at} if posting.data["is_first"] else {}
    key = f"{posting.stream}:responder:{posting.actor}"
    values: dict[str, Any] = {"id": key, "incident_id": posting.stream, "role": "responder", "person": posting.actor}
    values |= {"name": posting.private["name"], "since": posting.at, "until": None}
    return [touched(posting, **stamp), Change(ROLES, key, values), line(posting)]


def _moved(posting: Posting) -> Sequence[Change]:
    to, at = posting.data["to"], posting.data["at"]
    return [touched(posting, status=to, **{STAMPS[to]: at}), line(posting, at=at)]


def _reopened(posting: Posting) -> Sequence[Change]:
    gone = dict.fromkeys(undone_stamps(DECLARED))
    return [touched(posting, status=DECLARED, reopened_at=posting.at, rises=None, **gone), line(posting)]


def _prioritised(posting: Posting) -> Sequence[Change]:
    return [touched(posting, **_rated(posting, posting.data["was"], posting.data, "to")), line(posting)]


def _learned(posting: Posting) -> Sequence[Change]:
    data = posting.data
    return [touched(posting, **_rated(posting, data["was"], data), **proposal(data)), line(posting)]


def _merged(posting: Posting) -> Sequence[Change]:
    into, data = posting.data["into"], posting.data
    taken = {"alerts": data["total"], "proposed": data["proposed"]}
    taken |= {**_rated(posting, data["priority_was"], data), **_told(data)}
    if "ended" in data:  # entries of earlier versions lack it
        taken["ended"] = data["ended"]
    return [
        touched(posting, status=MERGED, merged_into=into),
        touched(posting, into, **taken),
        line(posting),
        line(posting, into),
    ]


def _unmerged(posting: Posting) -> Sequence[Change]:
    into, data = posting.data["into"], posting.data
    left = {"alerts": data["total"], "ended": data["ended"], "priority": data["priority"]}
    left |= {name: data[name] for name in ("proposed", "rose_at", "rises", "told") if name in data}
    return [
        touched(posting, status=data["to"], merged_into=None),
        touched(posting, into, **left),
        line(posting),
        line(posting, into),
    ]


def _linked(posting: Posting) -> Sequence[Change]:
    changes = []
    pair = (posting.stream, posting.data["other"])
    for one, other in (pair, pair[::-1]):
        key = f"{one}:{other}"
        values = {"id": key, "incident_id": one, "other_id": other, "relation": posting.data["relation"]}
        changes.append(Change(LINKS, key, {**values, "at": posting.at}))
    return [touched(posting), *changes, line(posting), line(posting, pair[1])]


def _noted(posting: Posting) -> Sequence[Change]:
    return [touched(posting), line(posting, at=posting.data["at"])]


def _imported(posting: Posting) -> Sequence[Change]:
    data, private = posting.data, posting.private
    named = ("environment", "model_id", "incident_type", "model_version", "status", "priority")
    times = ("detected_at", "acknowledged_at", "resolved_at", "closed_at")
    values = {
        "id": posting.stream,
        **dict.fromkeys((*LATER, "started_at", "started_low", "started_high", "follows", "place")),
        **{name: data[name] for name in (*named, *times)},
        **{name: private[name] for name in ("title", "detected_by")},
        "origin": "imported",
        "declared_at": data["detected_at"],
        "cause_at": posting.at if data["is_known"] else None,
        "facts": "{}",
        "proposed": data["priority"],
        "rule": "as the imported record says",
        "facts_missing": "[]",
        "record": _record(private["record"]),
        "alerts": 0,
    }
    changes = [touched(posting, **values), _counted(data["year"], data["last"]), line(posting)]
    if data["takes_key"]:
        key = IncidentKey(data["model_id"], data["incident_type"], data["environment"])
        changes.append(Change(KEYS, key.text, {"id": key.text, "incident_id": posting.stream}))
    return [*changes, *_events(posting)]


def _events(posting: Posting) -> list[Change]:
    """The lines of an imported timeline."""
    times = posting.data["times"]
    texts = _titles(posting.private["events"], len(times))
    changes = []
    for number, (at, text) in enumerate(zip(times, texts, strict=True)):
        key = f"{posting.stream}:{posting.seq:012}:{number:05}"
        values: dict[str, Any] = {"id": key, "incident_id": posting.stream, "at": at, "seq": posting.seq}
        values |= {"place": f"{at}:{posting.seq:012}:{number:05}", "kind": "event_imported", "actor": posting.actor}
        changes.append(Change(TIMELINE, key, {**values, "data": "{}", "text": text, "more": "{}"}))
    return changes


def _written(posting: Posting) -> Sequence[Change]:
    stamp = {"cause_at": posting.at} if posting.data["is_known"] else {}
    return [touched(posting, record=_record(posting.private["record"]), **stamp), line(posting)]


def _record(text: str) -> str:
    """What people wrote; nothing where it was erased."""
    return text if text.startswith("{") else "{}"


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


def _alerts(posting: Posting, incident: str) -> list[Change]:
    listed = posting.data["alerts"]
    titles = _titles(posting.private.get("titles"), len(listed))
    changes = []
    for alert, title in zip(listed, titles, strict=True):
        values = {"id": alert["id"], "incident_id": incident, "title": title}
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
    "incident_acknowledged": _acknowledged,
    "incident_moved": _moved,
    "incident_reopened": _reopened,
    "priority_set": _prioritised,
    "facts_learned": _learned,
    "incident_merged": _merged,
    "incident_unmerged": _unmerged,
    "incident_linked": _linked,
    "note_added": _noted,
    "record_imported": _imported,
    "record_written": _written,
}
