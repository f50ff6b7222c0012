"""Incidents."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Response

from andon.incident.facts import from_fields, to_fields
from andon.incident.incident import Incident
from andon.incident.key import IncidentKey
from andon.incident.opening import Estimate, Opening
from andon.interfaces.api.guard import Caller, Here, RequestId
from andon.interfaces.api.incident_bodies import IncidentAsked, IncidentShown
from andon.interfaces.api.problems import PROBLEMS

ROUTER = APIRouter(prefix="/api/v1", tags=["incidents"], responses=PROBLEMS)


@ROUTER.post("/incidents", status_code=201, operation_id="declare.declare")
def declare(asked: IncidentAsked, caller: Caller, house: Here, request: RequestId, answer: Response) -> IncidentShown:
    """Declare an incident."""
    opening = Opening(
        IncidentKey(asked.model_id, asked.incident_type, asked.environment),
        asked.title,
        asked.detected_by or caller.name,
        detected_at=asked.detected_at,
        priority=asked.priority,
        facts=from_fields(asked.facts.model_dump(exclude_none=True)),
        model_version=asked.model_version,
        place=asked.place,
        started=Estimate(asked.started_at, asked.started_low, asked.started_high),
    )
    return shown(house.declare(caller).declare(opening, request), answer)


def shown(incident: Incident, answer: Response) -> IncidentShown:
    """An incident, with its version as ETag."""
    answer.headers["ETag"] = f'"{incident.version}"'
    return IncidentShown(**fields_of(incident))


def fields_of(incident: Incident) -> dict[str, Any]:
    """The fields of an incident's answer."""
    known = {**asdict(incident), "severity": incident.severity, "facts": to_fields(incident.facts)}
    return {name: known[name] for name in IncidentShown.model_fields}
