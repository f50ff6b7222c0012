"""The work on incidents: roles, tasks, notes, hypotheses, decisions, the checklist."""

from fastapi import APIRouter

from andon.incident.work import Choice
from andon.interfaces.api.guard import Asking, Caller, Here
from andon.interfaces.api.incident_bodies import (
    Checked,
    ChecksAsked,
    DecisionAsked,
    EvidenceSealed,
    HandoverAsked,
    HypothesisAsked,
    Named,
    ReasonAsked,
    RemarkAsked,
    RoleAsked,
    RoleGiven,
    TaskAsked,
    TaskMade,
    TaskMoved,
    VerdictAsked,
    Written,
)
from andon.interfaces.api.problems import PROBLEMS
from andon.services.deliberate import Note

ROUTER = APIRouter(prefix="/api/v1/incidents/{incident}", tags=["incidents"], responses=PROBLEMS)


@ROUTER.post("/seal", status_code=201, operation_id="attend.seal")
def seal(incident: Named, asked: ReasonAsked, caller: Caller, house: Here, ask: Asking) -> EvidenceSealed:
    """Hold its evidence from 48 hours before it began on; P0 and P1 are sealed by themselves."""
    made = house.attend(caller).seal(incident, asked.reason, ask)
    return EvidenceSealed(
        incident=incident,
        seal_id=made.seal_id,
        checkpoint=made.note,
        size=made.size,
        root=made.root,
        export=f"POST /api/v1/seals/{made.seal_id}/export",
        verify="python3 -I -S verify.py bundle.zip",
    )


@ROUTER.post("/roles", operation_id="staff.assign")
def assign(incident: Named, asked: RoleAsked, caller: Caller, house: Here, ask: Asking) -> RoleGiven:
    """Give a role: commander, technical_lead, data_engineer, communications, compliance."""
    person = house.staff(caller).assign(incident, asked.role, asked.to, ask)
    return RoleGiven(incident=incident, role=asked.role, name=person.name)


@ROUTER.post("/handovers", operation_id="staff.hand_over")
def hand_over(incident: Named, asked: HandoverAsked, caller: Caller, house: Here, ask: Asking) -> RoleGiven:
    """Give a role that somebody holds to somebody else, with a brief."""
    person, brief = house.staff(caller).hand_over(incident, asked.role, asked.to, asked.words, ask)
    return RoleGiven(incident=incident, role=asked.role, name=person.name, brief=brief)


@ROUTER.post("/tasks", status_code=201, operation_id="staff.add_task")
def add_task(incident: Named, asked: TaskAsked, caller: Caller, house: Here, ask: Asking) -> TaskMade:
    """A task with one owner and a due time: debug, coordinate, communicate, evidence, assess."""
    made = house.staff(caller).add_task(incident, asked.text, asked.kind, asked.to, asked.due_at, ask)
    return TaskMade(incident=incident, number=made.number, is_alone=made.is_alone, hint=made.hint)


@ROUTER.post("/tasks/{number}", operation_id="staff.move_task")
def move_task(incident: Named, number: int, asked: TaskMoved, caller: Caller, house: Here, ask: Asking) -> Written:
    """A task is done, cancelled or open again."""
    house.staff(caller).move_task(incident, number, asked.status, asked.reason, ask)
    return Written(incident=incident, number=number)


@ROUTER.post("/notes", status_code=201, operation_id="deliberate.note")
def note(incident: Named, asked: RemarkAsked, caller: Caller, house: Here, ask: Asking) -> Written:
    """Write into the timeline: note, fact, link, file."""
    house.deliberate(caller).note(incident, Note(asked.text, asked.kind, asked.url, asked.at), ask)
    return Written(incident=incident)


@ROUTER.post("/decisions", status_code=201, operation_id="deliberate.decide")
def decide(incident: Named, asked: DecisionAsked, caller: Caller, house: Here, ask: Asking) -> Written:
    """A decision, why, and the options that were considered."""
    choice = Choice(asked.choice, asked.rationale, asked.options)
    return Written(incident=incident, number=house.deliberate(caller).decide(incident, choice, ask))


@ROUTER.post("/hypotheses", status_code=201, operation_id="deliberate.suppose")
def suppose(incident: Named, asked: HypothesisAsked, caller: Caller, house: Here, ask: Asking) -> Written:
    """What may be the cause; it stays apart from the facts."""
    return Written(incident=incident, number=house.deliberate(caller).suppose(incident, asked.text, ask))


@ROUTER.post("/hypotheses/{number}", operation_id="deliberate.judge")
def judge(incident: Named, number: int, asked: VerdictAsked, caller: Caller, house: Here, ask: Asking) -> Written:
    """What evidence says of a hypothesis: investigating, supported, refuted, confirmed."""
    house.deliberate(caller).judge(incident, number, asked.state, asked.evidence, ask)
    return Written(incident=incident, number=number)


@ROUTER.post("/checks", operation_id="deliberate.check")
def check(incident: Named, asked: ChecksAsked, caller: Caller, house: Here, ask: Asking) -> Checked:
    """Answer items of the triage checklist; null confirms what was computed."""
    done = house.deliberate(caller).check(incident, asked.answers, ask)
    return Checked(incident=incident, is_triaged=done)
