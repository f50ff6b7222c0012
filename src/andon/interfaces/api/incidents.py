"""Incidents."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from andon.alert.place import environment_of
from andon.incident.facts import from_fields, to_fields
from andon.incident.incident import Incident
from andon.incident.key import IncidentKey
from andon.incident.opening import Estimate, Opening
from andon.interfaces.api.guard import Asking, Caller, Here, RequestId
from andon.interfaces.api.incident_bodies import (
    Cursor,
    DossierShown,
    FactsLearned,
    IncidentAsked,
    IncidentList,
    IncidentShown,
    Limit,
    LineShown,
    LinkAsked,
    MergeAsked,
    MoveAsked,
    Named,
    PriorityAsked,
    ReasonAsked,
    Timeline,
    WantedAsked,
)
from andon.interfaces.api.problems import PROBLEMS
from andon.services.respond import Wanted

ROUTER = APIRouter(prefix="/api/v1", tags=["incidents"], responses=PROBLEMS)


@ROUTER.post("/incidents", status_code=201, operation_id="declare.declare")
def declare(asked: IncidentAsked, caller: Caller, house: Here, request: RequestId, answer: Response) -> IncidentShown:
    """Declare an incident."""
    opening = Opening(
        IncidentKey(asked.model_id, asked.incident_type, environment_of(asked.environment)),
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


@ROUTER.get("/incidents", operation_id="respond.list_incidents")
def list_incidents(
    caller: Caller,
    house: Here,
    wanted: Annotated[WantedAsked, Query()],
) -> IncidentList:
    """Incidents, the newest first; `status=open` leaves closed and merged ones out."""
    asked = Wanted(wanted.status, wanted.priority, wanted.model, wanted.type)
    found = house.respond(caller).list_incidents(asked, wanted.limit, wanted.after)
    return IncidentList(items=[IncidentShown(**fields_of(each)) for each in found.items], next=found.next)


@ROUTER.get("/incidents/{incident}", operation_id="respond.get")
def get_incident(incident: Named, caller: Caller, house: Here, answer: Response) -> DossierShown:
    """All that is known of an incident, the six answers first."""
    found = house.respond(caller).get(incident)
    known = shown(found.incident, answer)
    rest = {name: value for name, value in asdict(found).items() if name != "incident"}
    return DossierShown(incident=known, **rest)


@ROUTER.get("/incidents/{incident}/timeline", operation_id="respond.timeline")
def get_timeline(
    incident: Named,
    caller: Caller,
    house: Here,
    limit: Limit = 100,
    after: Cursor = None,
    *,
    newest: bool = False,
) -> Timeline:
    """What happened, in its order; `newest` turns it round."""
    found = house.respond(caller).timeline(incident, limit, after, newest=newest)
    return Timeline(items=[LineShown(**asdict(each)) for each in found.items], next=found.next)


@ROUTER.post("/incidents/{incident}/acknowledge", operation_id="respond.acknowledge")
def acknowledge(incident: Named, caller: Caller, house: Here, ask: Asking, answer: Response) -> IncidentShown:
    """The caller is at work on it."""
    return shown(house.respond(caller).acknowledge(incident, ask), answer)


@ROUTER.post("/incidents/{incident}/status", operation_id="respond.move")
def move(
    incident: Named, asked: MoveAsked, caller: Caller, house: Here, ask: Asking, answer: Response
) -> IncidentShown:
    """To contained, resolved or closed."""
    return shown(house.respond(caller).move(incident, asked.status, asked.reason, asked.at, ask), answer)


@ROUTER.post("/incidents/{incident}/reopen", operation_id="respond.reopen")
def reopen(
    incident: Named, asked: ReasonAsked, caller: Caller, house: Here, ask: Asking, answer: Response
) -> IncidentShown:
    """Back to declared."""
    return shown(house.respond(caller).reopen(incident, asked.reason, ask), answer)


@ROUTER.post("/incidents/{incident}/priority", operation_id="respond.set_priority")
def set_priority(
    incident: Named, asked: PriorityAsked, caller: Caller, house: Here, ask: Asking, answer: Response
) -> IncidentShown:
    """Escalate or de-escalate."""
    return shown(house.respond(caller).set_priority(incident, asked.priority, asked.reason, ask), answer)


@ROUTER.post("/incidents/{incident}/facts", operation_id="respond.learn_facts")
def learn_facts(
    incident: Named, asked: FactsLearned, caller: Caller, house: Here, ask: Asking, answer: Response
) -> IncidentShown:
    """What became known of the harm; the priority is proposed anew."""
    news = asked.facts.model_dump(exclude_unset=True)
    return shown(house.respond(caller).learn_facts(incident, news, asked.reason, ask), answer)


@ROUTER.post("/incidents/{incident}/merge", operation_id="respond.merge")
def merge(
    incident: Named, asked: MergeAsked, caller: Caller, house: Here, ask: Asking, answer: Response
) -> IncidentShown:
    """It goes up in another one, which is the answer."""
    return shown(house.respond(caller).merge(incident, asked.into, asked.reason, ask), answer)


@ROUTER.post("/incidents/{incident}/unmerge", operation_id="respond.unmerge")
def unmerge(
    incident: Named, asked: ReasonAsked, caller: Caller, house: Here, ask: Asking, answer: Response
) -> IncidentShown:
    """A merge is undone: it stands where it stood, with its alerts."""
    return shown(house.respond(caller).unmerge(incident, asked.reason, ask), answer)


@ROUTER.post("/incidents/{incident}/links", operation_id="respond.link")
def link(
    incident: Named, asked: LinkAsked, caller: Caller, house: Here, ask: Asking, answer: Response
) -> IncidentShown:
    """It has to do with another one."""
    return shown(house.respond(caller).link(incident, asked.other, asked.relation, asked.reason, ask), answer)


def shown(incident: Incident, answer: Response) -> IncidentShown:
    """An incident, with its version as ETag."""
    answer.headers["ETag"] = f'"{incident.version}"'
    return IncidentShown(**fields_of(incident))


def fields_of(incident: Incident) -> dict[str, Any]:
    """The fields of an incident's answer."""
    known = {**asdict(incident), "severity": incident.severity, "facts": to_fields(incident.facts)}
    return {name: known[name] for name in IncidentShown.model_fields}
