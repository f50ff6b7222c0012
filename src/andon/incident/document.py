"""A scan as the JSON document `andon.scan/1`: the keys of the contract, in a fixed order, no number that JSON lacks."""

from collections.abc import Iterable
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from andon.base.interval import Interval
from andon.detect.finding import Finding, Slice
from andon.incident.scan import SCHEMA, Affected, Changed, DetectedIncident, Note, Scan
from andon.inventory.change import Change

SCANS_SCHEMA = "andon.scans/1"
SIGNIFICANT_DIGITS = 6

Document = dict[str, Any]


def to_scans(scans: Iterable[Scan]) -> Document:
    """The document of the scans of a log of several models."""
    return {"schema": SCANS_SCHEMA, "scans": [to_document(scan) for scan in scans]}


def to_document(scan: Scan) -> Document:
    """The document of one scan."""
    return {
        "schema": SCHEMA,
        "model_id": scan.model_id,
        "rows": scan.rows,
        "period": _interval(scan.period),
        "evaluation_seconds": _number(scan.evaluation.total_seconds()),
        "evaluations": scan.evaluations,
        "incidents": [_incident(incident) for incident in scan.incidents],
        "notes": [_note(note) for note in scan.notes],
        "blind_spots": None,
        "warnings": [{"code": warning.code, "text": warning.text} for warning in scan.warnings],
        "seconds": round(scan.seconds, 3),
    }


def _incident(incident: DetectedIncident) -> Document:
    return {
        "incident_type": incident.incident_type,
        "priority": incident.priority,
        "severity": incident.severity,
        "priority_rule": incident.priority_rule,
        "facts_missing": list(incident.facts_missing),
        "summary": incident.summary,
        "started_at": _time(incident.started_at),
        "started_at_low": _time(incident.started_at_low),
        "started_at_high": _time(incident.started_at_high),
        "detected_at": _time(incident.detected_at),
        "ended_at": None if incident.ended_at is None else _time(incident.ended_at),
        "slice": _slice(incident.slice),
        "changed": _changed(incident.changed),
        "affected": _affected(incident.affected),
        "wrong": None if incident.wrong is None else {"count": incident.wrong.hits, "of": incident.wrong.of},
        "findings": [_finding(finding) for finding in incident.findings],
    }


def _finding(finding: Finding) -> Document:
    return {
        "detector": finding.detector,
        "layer": str(finding.layer),
        "statistic": finding.statistic,
        "value": _number(finding.value),
        "low": _number(finding.low),
        "high": _number(finding.high),
        "threshold": _number(finding.threshold),
        "n": finding.n,
        "window": _interval(finding.window),
        "at": _time(finding.at),
        "slice": _slice(finding.slice),
        "features": list(finding.features),
        "before": _number(finding.before),
        "after": _number(finding.after),
        "what": finding.what,
        "mark": finding.mark,
        "entries": list(finding.entries),
    }


def _note(note: Note) -> Document:
    return {"at": _time(note.at), "text": note.text, "findings": [_finding(finding) for finding in note.findings]}


def _changed(changed: Changed) -> Document:
    return {"features": list(changed.features), "version": changed.version, "change": _change(changed.change)}


def _change(change: Change | None) -> Document | None:
    return None if change is None else {"at": _time(change.at), "kind": change.kind, "what": change.what}


def _affected(affected: Affected) -> Document:
    return {
        "predicate": affected.predicate,
        "count": affected.count,
        "low": affected.low,
        "high": affected.high,
    }


def _slice(part: Slice | None) -> Document | None:
    return None if part is None else {"predicate": part.predicate, "columns": list(part.columns)}


def _interval(interval: Interval) -> Document:
    return {"start": _time(interval.start), "end": _time(interval.end)}


def _time(at: datetime) -> str:
    """ISO 8601 in UTC, with a `Z`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _number(value: float) -> float | int | None:
    """Six significant digits; null for what is not finite; a whole number without a point."""
    if not isfinite(value):
        return None
    rounded = float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    return int(rounded) if rounded.is_integer() else rounded
