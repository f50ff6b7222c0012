"""Records of incidents: S1's schema, and what Andon knows besides."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response

from andon.incident.record import Parts
from andon.interfaces.api.guard import Asking, Caller, Here
from andon.interfaces.api.incident_bodies import IncidentShown, Named
from andon.interfaces.api.incidents import shown
from andon.interfaces.api.problems import PROBLEMS

ROUTER = APIRouter(prefix="/api/v1", tags=["incidents"], responses=PROBLEMS)

Profile = Annotated[str | None, Query(max_length=20)]


@ROUTER.get("/incidents/{incident}/record", operation_id="records.get_record")
def get_record(
    incident: Named, caller: Caller, house: Here, answer: Response, profile: Profile = None
) -> dict[str, Any]:
    """The record, prefilled; `profile=s1` leaves the key `andon` out."""
    record, version = house.records(caller).get_record(incident, profile)
    answer.headers["ETag"] = f'"{version}"'
    return record


@ROUTER.patch("/incidents/{incident}/record", operation_id="records.write_record")
def write_record(incident: Named, asked: Parts, caller: Caller, house: Here, ask: Asking) -> dict[str, Any]:
    """What people know: impact, root_cause, corrective_actions; each replaces what stood there."""
    parts = asked.model_dump(exclude_unset=True)
    return house.records(caller).write_record(incident, {k: v for k, v in parts.items() if v is not None}, ask)


@ROUTER.post("/records", status_code=201, operation_id="records.import_record")
def import_record(
    document: Annotated[dict[str, Any], Body()], caller: Caller, house: Here, ask: Asking, answer: Response
) -> IncidentShown:
    """An incident from its record; number and timeline are kept."""
    return shown(house.records(caller).import_record(document, ask), answer)
