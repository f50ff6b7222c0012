"""What people do on an incident: roles, tasks, decisions, hypotheses, the checklist. Each says its fact, or refuses."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from andon.base.errors import BadInput, NotFound, Refused
from andon.incident.fold import ROLES
from andon.incident.fold_work import CHECKS, DECISIONS, HYPOTHESES, TASKS
from andon.incident.moves import require_open
from andon.incident.opening import place_in_time
from andon.ledger.journal import Fact, View
from andon.people.person import Person

Row = Mapping[str, Any]

COMMANDER: Final = "commander"
ROLE_NAMES: Final = (COMMANDER, "technical_lead", "data_engineer", "communications", "compliance")
TASK_KINDS: Final = ("debug", "coordinate", "communicate", "evidence", "assess")
DEBUG: Final = "debug"
TASK_STATES: Final = ("done", "cancelled", "open")
VERDICTS: Final = ("investigating", "supported", "refuted", "confirmed")
CONFIRMED: Final = "confirmed"


@dataclass(frozen=True, slots=True)
class Task:
    """A task to add: what, which kind, whose, until when."""

    text: str
    kind: str
    owner: Person
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Choice:
    """A decision: what was chosen, why, and what else was considered."""

    choice: str
    rationale: str
    options: Sequence[str]


def on_it(view: View, incident: str) -> list[dict[str, Any]]:
    """Who is on an incident: the holders of roles and those who said that they are at work."""
    return [row for row in view.list_rows(ROLES, {"incident_id": incident}) if row["until"] is None]


def holder_of(roles: Iterable[Row], role: str) -> Row | None:
    """Who holds a role."""
    return next((row for row in roles if row["role"] == role), None)


def assigned(view: View, row: Row, role: str, person: Person, actor: str) -> Fact:
    """Somebody takes a role, of which each has one holder."""
    before = _before(view, row, role, person)
    if role == COMMANDER:
        _require_no_debugging(view, row, person)
    data = {"role": role, "person": person.id, "was": None if before is None else before["person"]}
    texts = {"name": person.name, **({} if before is None else {"before": before["name"]})}
    return Fact("role_assigned", row["id"], actor, data, texts)


def handed_over(view: View, row: Row, role: str, person: Person, brief: str, actor: str) -> Fact:
    """The holder of a role gives it to somebody else, with a brief."""
    before = _before(view, row, role, person)
    if before is None:
        raise Refused(f"nobody is {role.replace('_', ' ')} of {row['id']}: assign it, there is nothing to hand over")
    if role == COMMANDER:
        _require_no_debugging(view, row, person)
    data = {"role": role, "person": person.id, "was": before["person"]}
    texts = {"name": person.name, "before": before["name"], "text": brief}
    return Fact("role_handed_over", row["id"], actor, data, texts)


def task_added(view: View, row: Row, task: Task, now: datetime, actor: str) -> Fact:
    """A task with one owner and a due time.

    Raises:
        Refused: it is debugging, for the commander, while another responder is there.
    """
    require_open(row, "add a task to")
    if task.kind not in TASK_KINDS:
        raise BadInput(f"there is no kind of task {task.kind}: write {', '.join(TASK_KINDS)}")
    if task.due_at <= now:
        raise BadInput(f"the task would be due at {place_in_time(task.due_at)}, which is past: give a later time")
    alone = task.kind == DEBUG and _commands(view, row, task.owner.name)
    if alone:
        _require_alone(view, row, task.owner.name)
    number = len(view.list_rows(TASKS, {"incident_id": row["id"]})) + 1
    data = {
        "number": number,
        "kind": task.kind,
        "owner": task.owner.id,
        "due_at": place_in_time(task.due_at),
        "alone": int(alone),
    }
    return Fact("task_added", row["id"], actor, data, {"text": task.text, "name": task.owner.name})


def task_moved(view: View, row: Row, number: int, status: str, reason: str, actor: str) -> Fact:
    """A task is done, given up, or taken up again."""
    if status not in TASK_STATES:
        raise BadInput(f"a task cannot become {status}: write {', '.join(TASK_STATES)}")
    task = view.find(TASKS, f"{row['id']}:T{number:04}")
    if task is None:
        raise NotFound(f"{row['id']} has no task {number}: `andon incident show {row['id']}` lists them")
    if task["status"] == status:
        raise Refused(f"task {number} is {status} already: nothing to do")
    if status == "open" and task["kind"] == DEBUG and _commands(view, row, task["owner_name"]):
        _require_alone(view, row, task["owner_name"])
    return Fact("task_moved", row["id"], actor, {"number": number, "status": status}, {"text": reason})


def decided(view: View, row: Row, choice: Choice, actor: str) -> Fact:
    """A decision, with its reason and what else was considered."""
    if not choice.options:
        raise BadInput("a decision names the options that were considered: give at least one with --option")
    count = len(view.list_rows(DECISIONS, {"incident_id": row["id"]}))
    options = json.dumps(list(dict.fromkeys((choice.choice, *choice.options))), ensure_ascii=False)
    texts = {"choice": choice.choice, "text": choice.rationale, "options": options}
    return Fact("decision_made", row["id"], actor, {"number": count + 1}, texts)


def supposed(view: View, row: Row, text: str, actor: str) -> Fact:
    """A hypothesis, which stays apart from facts until it is confirmed."""
    require_open(row, "investigate")
    number = len(view.list_rows(HYPOTHESES, {"incident_id": row["id"]})) + 1
    return Fact("hypothesis_stated", row["id"], actor, {"number": number}, {"text": text})


def judged(view: View, row: Row, number: int, state: str, evidence: str, actor: str) -> Fact:
    """What evidence says of a hypothesis; confirmed, it is the cause."""
    if state not in VERDICTS:
        raise BadInput(f"a hypothesis cannot be {state}: write {', '.join(VERDICTS)}")
    known = {each["number"]: each for each in view.list_rows(HYPOTHESES, {"incident_id": row["id"]})}
    if number not in known:
        raise NotFound(f"{row['id']} has no hypothesis {number}: `andon incident show {row['id']}` lists them")
    others = any(each["state"] == CONFIRMED for each in known.values() if each["number"] != number)
    cause = None
    if state == CONFIRMED and row["cause_at"] is None:
        cause = "set"
    elif state != CONFIRMED and known[number]["state"] == CONFIRMED and not others:
        cause = "clear"
    data = {"number": number, "state": state, "cause": cause}
    return Fact("hypothesis_judged", row["id"], actor, data, {"text": evidence})


def checked(view: View, row: Row, answers: Mapping[str, str], wanted: Sequence[str], actor: str) -> Fact:
    """Items of the checklist are answered; with the last of those wanted the triage is over."""
    before = {each["item"] for each in view.list_rows(CHECKS, {"incident_id": row["id"]})}
    is_done = row["triaged_at"] is None and set(wanted) <= before | answers.keys()
    data = {"items": sorted(answers), "is_done": is_done}
    return Fact("items_checked", row["id"], actor, data, {"answers": json.dumps(dict(answers), ensure_ascii=False)})


def handover_is_offered(roles: Sequence[Row], tasks: Sequence[Row]) -> str | None:
    """Whom the commander, who debugs, could hand over to; None: nobody, or no need."""
    commander = holder_of(roles, COMMANDER)
    if commander is None:
        return None
    debugs = any(each["owner_name"] == commander["name"] and _is_debugging(each) for each in tasks)
    names = [each["name"] for each in roles] + [each["owner_name"] for each in tasks if each["status"] == "open"]
    others = [each for each in names if each != commander["name"]]
    return others[0] if debugs and others else None


def _before(view: View, row: Row, role: str, person: Person) -> Row | None:
    require_open(row, "staff")
    if role not in ROLE_NAMES:
        raise BadInput(f"there is no role {role}: write {', '.join(ROLE_NAMES)}")
    before = holder_of(on_it(view, row["id"]), role)
    if before is not None and before["name"] == person.name:
        raise Refused(f"{person.name} is {role.replace('_', ' ')} of {row['id']} already: nothing to do")
    return before


def _commands(view: View, row: Row, name: str) -> bool:
    commander = holder_of(on_it(view, row["id"]), COMMANDER)
    return commander is not None and commander["name"] == name


def _others(view: View, row: Row, name: str) -> list[str]:
    """Who else is on it: by a role, by saying so, or by an open task."""
    tasks = view.list_rows(TASKS, {"incident_id": row["id"]})
    names = [each["name"] for each in on_it(view, row["id"])]
    names += [each["owner_name"] for each in tasks if each["status"] == "open"]
    return [each for each in dict.fromkeys(names) if each != name]


def _require_alone(view: View, row: Row, name: str) -> None:
    others = _others(view, row, name)
    if others:
        raise Refused(
            f"{name} commands {row['id']} and does not debug while {others[0]} is on it: give the task to {others[0]},"
            f" or hand over with `andon incident handover {row['id']} commander --to {others[0]}`"
        )


def _require_no_debugging(view: View, row: Row, person: Person) -> None:
    tasks = view.list_rows(TASKS, {"incident_id": row["id"]})
    own = [each for each in tasks if each["owner_name"] == person.name and _is_debugging(each)]
    others = _others(view, row, person.name)
    if own and others:
        raise Refused(
            f"{person.name} debugs {row['id']} (task {own[0]['number']}), and the commander does not while {others[0]}"
            f" is on it: end that task, or let {others[0]} command"
        )


def _is_debugging(task: Row) -> bool:
    return bool(task["kind"] == DEBUG and task["status"] == "open")
