"""An incident as it stands."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from andon.incident.facts import from_fields
from andon.incident.priority import SEVERITIES, Facts


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as it stands; times are ISO 8601 in UTC, None where it has not come to that.

    Attributes:
        id: `AI-INC-2026-0001`.
        environment, model_id, incident_type: its key.
        title, detected_by: what is wrong, and who or what noticed.
        origin: how it came: `person`, `imported`, or the source of the alert that opened it.
        status, priority: where it stands.
        place: the slice that is hit, as a predicate.
        started_at, started_low, started_high: when the failure began, as estimated.
        follows: the incident of the same key before it; `merged_into`: the one that took it in.
        facts: what is known of the harm; `proposed`, `rule` and `facts_missing` are what they call for and lack.
        record: what people wrote into its record.
        alerts: how many it has; `ended`: how many of them are over.
        version: changes with everything that happens to it (its ETag).
    """

    id: str
    environment: str
    model_id: str
    incident_type: str
    title: str
    detected_by: str
    origin: str
    status: str
    priority: str
    model_version: str | None
    place: str | None
    declared_at: str
    detected_at: str
    started_at: str | None
    started_low: str | None
    started_high: str | None
    acknowledged_at: str | None
    contained_at: str | None
    resolved_at: str | None
    closed_at: str | None
    triaged_at: str | None
    cause_at: str | None
    reopened_at: str | None
    rose_at: str | None
    follows: str | None
    merged_into: str | None
    seal_id: str | None
    facts: Facts
    proposed: str
    rule: str
    facts_missing: tuple[str, ...]
    record: Mapping[str, Any]
    alerts: int
    version: int
    ended: int = 0

    @property
    def severity(self) -> str:
        """Derived from the priority."""
        return SEVERITIES[self.priority]


def incident_of(row: Mapping[str, Any]) -> Incident:
    """An incident from its row."""
    values = {name: value for name, value in row.items() if name not in ("seq", "rises", "told")}
    values["facts"] = from_fields(json.loads(row["facts"]))
    values["facts_missing"] = tuple(json.loads(row["facts_missing"]))
    values["record"] = json.loads(row["record"])
    values["ended"] = row.get("ended") or 0
    return Incident(**values, version=row["seq"])
