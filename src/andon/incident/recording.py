"""Records made from incidents, and incidents made from records."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from andon.base.errors import BadInput, Conflict
from andon.incident.clocks import IMPORTED, read
from andon.incident.dossier import Dossier, Line
from andon.incident.facts import to_fields
from andon.incident.incident import Incident
from andon.incident.key import IncidentKey
from andon.incident.number import parse
from andon.incident.opening import INCIDENTS, YEARS, newest_of, place_in_time
from andon.incident.priority import LEVELS
from andon.incident.record import PARTS, SCHEMA, Record, instant
from andon.incident.status import MERGED, OPEN
from andon.ledger.journal import Fact, View

OURS: Final = "record_imported"
"""The line that says that a record was imported is not S1's matter."""


def record_of(dossier: Dossier, lines: Sequence[Line], *, is_whole: bool) -> dict[str, Any]:
    """The record of an incident, prefilled with all that is known; `is_whole`: with the key `andon`."""
    incident = dossier.incident
    record = {
        "incident_id": incident.id,
        "incident_type": incident.incident_type,
        "severity": incident.severity,
        "status": incident.status,
        "model_id": incident.model_id,
        "model_version": incident.model_version,
        "detected_at": _time(incident.detected_at),
        "detected_by": incident.detected_by,
        "acknowledged_at": _time(incident.acknowledged_at),
        "resolved_at": _time(incident.resolved_at),
        "duration_minutes": _minutes(incident),
        "impact": incident.record.get("impact") or _impact(incident),
        "root_cause": incident.record.get("root_cause") or _cause(dossier),
        "timeline": [{"time": _time(line.at), "event": line.event} for line in lines if line.kind != OURS],
        "corrective_actions": incident.record.get("corrective_actions", []),
    }
    return {**record, "andon": _more(dossier)} if is_whole else record


def imported(view: View, record: Record, document: Mapping[str, Any], now: datetime, actor: str) -> Fact:
    """An incident from its record; its number and its timeline are kept.

    Raises:
        Conflict: the number is taken, or an incident of its key is open.
        BadInput: it was merged into another, which is not here.
    """
    number = parse(record.incident_id)
    if number is None:
        raise BadInput(f"{record.incident_id} is no number of an incident: write it as AI-INC-2026-0042")
    if view.find(INCIDENTS, record.incident_id) is not None:
        raise Conflict(f"{record.incident_id} is taken: import the record under another number, or leave it")
    if record.status == MERGED:
        raise BadInput(f"{record.incident_id} went up in another incident: import that one")
    key = IncidentKey(record.model_id, record.incident_type)
    newest = newest_of(view, key)
    if record.status in OPEN and newest is not None and newest["status"] in OPEN:
        raise Conflict(f"{newest['id']} is open for the same model and type: close it first, or import this as closed")
    counter = view.find(YEARS, f"{number[0]:04}")
    stamps = {name: _stamp(getattr(record, name), name) for name in ("acknowledged_at", "resolved_at")}
    data = {
        "year": number[0],
        "last": max(number[1], 0 if counter is None else counter["last"]),
        "takes_key": newest is None or (record.status in OPEN and newest["status"] not in OPEN),
        "environment": key.environment,
        "model_id": record.model_id,
        "incident_type": record.incident_type,
        "model_version": record.model_version,
        "status": record.status,
        "priority": LEVELS[record.severity],
        "detected_at": instant(record.detected_at, "detected_at"),
        **stamps,
        "closed_at": place_in_time(now) if record.status == "closed" else None,
        "is_known": record.root_cause is not None,
        "times": [instant(each.time, "timeline") for each in record.timeline],
        "events": len(record.timeline),
    }
    title = f"{record.incident_type.replace('_', ' ')}, imported"
    texts = [each.event for each in record.timeline]
    private = {
        "title": title,
        "detected_by": record.detected_by,
        "events": json.dumps(texts, ensure_ascii=False),
        "record": json.dumps({**_parts(document), IMPORTED: document}, ensure_ascii=False),
    }
    return Fact(OURS, record.incident_id, actor, data, private)


def written(row: Mapping[str, Any], parts: Mapping[str, Any], actor: str) -> Fact:
    """Parts of the record that people wrote; with a root cause, the cause is known."""
    if not parts:
        raise BadInput(f"nothing was written: give {', '.join(PARTS)}")
    whole = {**json.loads(row["record"]), **parts}
    is_known = row["cause_at"] is None and parts.get("root_cause") is not None
    data = {"parts": sorted(parts), "is_known": is_known}
    return Fact("record_written", row["id"], actor, data, {"record": json.dumps(whole, ensure_ascii=False)})


def _parts(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in PARTS if document.get(name) is not None}


def _stamp(text: str | None, name: str) -> str | None:
    return None if text is None else instant(text, name)


def _impact(incident: Incident) -> dict[str, Any]:
    facts = incident.facts
    people = None if facts.people is None else f"{facts.people:,} people"
    loss = None if facts.loss_usd is None else f"${facts.loss_usd:,.0f}"
    return {
        "affected_predictions": facts.decisions or None,
        "false_positive_increase": None,
        "user_impact": people,
        "financial_impact_estimate": loss,
    }


def _cause(dossier: Dossier) -> dict[str, Any] | None:
    """The confirmed hypothesis, if there is one."""
    sure = next((each for each in dossier.hypotheses if each["state"] == "confirmed"), None)
    if sure is None:
        return None
    supported = [each["text"] for each in dossier.hypotheses if each["state"] == "supported"]
    category = dossier.incident.incident_type
    return {"category": category, "description": sure["text"], "contributing_factors": supported}


def _more(dossier: Dossier) -> dict[str, Any]:
    incident = dossier.incident
    names = ("environment", "title", "priority", "origin", "place", "follows", "merged_into", "alerts", "proposed")
    times = ("declared_at", "contained_at", "closed_at", "reopened_at", "started_at", "started_low", "started_high")
    return {
        "schema": SCHEMA,
        **{name: getattr(incident, name) for name in names},
        **{name: _time(getattr(incident, name)) for name in times},
        "rule": incident.rule,
        "facts_missing": list(incident.facts_missing),
        "facts": to_fields(incident.facts),
        "seal": dossier.seal,
        **{name: list(getattr(dossier, name)) for name in ("roles", "tasks", "decisions", "hypotheses", "links")},
        "established": list(dossier.facts),
        "clocks": list(dossier.clocks),
        "checks": [{"item": each.item, "answer": each.answer, "at": each.at} for each in dossier.checks],
    }


def _minutes(incident: Incident) -> int | None:
    if incident.resolved_at is None:
        return None
    return max(0, int((read(incident.resolved_at) - read(incident.detected_at)).total_seconds()) // 60)


def _time(at: str | None) -> str | None:
    """A time without the microseconds that it does not have."""
    return None if at is None else at.replace(".000000Z", "Z")
