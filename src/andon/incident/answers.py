"""A responder's six questions: what is wrong, since when, how many, what may I do, who is on it, which deadline."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from andon.duty.clock import Clock
from andon.incident.clocks import is_acknowledged, length, nearest_of, spoken
from andon.incident.status import CLOSED, CONTAINED, DECLARED, MERGED, RESOLVED

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do now: the command, what it does, and how to take it back."""

    command: str
    does: str
    undo: str


@dataclass(frozen=True, slots=True)
class Answers:
    """The six answers, in words."""

    what: str
    since: str
    how_many: str
    may_do: tuple[Step, ...]
    who: str
    deadline: str


@dataclass(frozen=True, slots=True)
class Situation:
    """What the answers are made of: rows of the incident and of what hangs on it."""

    row: Row
    type_title: str
    clocks: Sequence[Clock]
    roles: Sequence[Row]
    tasks: Sequence[Row]
    checks_open: int
    now: datetime


def answer(at: Situation) -> Answers:
    """The six answers."""
    return Answers(_what(at), _since(at.row), _how_many(at.row), _steps(at), _who(at), _deadline(at))


def _what(at: Situation) -> str:
    version = f" {at.row['model_version']}" if at.row["model_version"] else ""
    place = f", where {at.row['place']}" if at.row["place"] else ""
    return f"{at.row['title']} ({at.type_title}, {at.row['model_id']}{version}, {at.row['environment']}{place})"


def _since(row: Row) -> str:
    if row["started_at"] is None:
        return f"not estimated; noticed {spoken(row['detected_at'])}"
    between = ""
    if row["started_low"] and row["started_high"]:
        between = f", between {spoken(row['started_low'])} and {spoken(row['started_high'])}"
    return f"{spoken(row['started_at'])}{between}; noticed {spoken(row['detected_at'])}"


def _how_many(row: Row) -> str:
    facts = json.loads(row["facts"])
    parts = []
    if facts.get("decisions"):
        parts.append(f"{facts['decisions']:,} decisions touched")
    for name, words in (("wrong", "wrong decisions"), ("people", "people")):
        parts.append(f"{facts[name]:,} {words}" if facts.get(name) is not None else f"{words}: not known")
    alerts = f"{row['alerts']:,} alert{'' if row['alerts'] == 1 else 's'}"
    return "; ".join([", ".join(parts), *_written(row), alerts])


def _written(row: Row) -> list[str]:
    """What people wrote into the record about how many: nobody is asked for it twice."""
    impact = json.loads(row["record"]).get("impact") or {}
    count, users = impact.get("affected_predictions"), impact.get("user_impact")
    said = [*([] if count is None else [f"{count:,} predictions"]), *([users] if users else [])]
    return [f"the record says: {', '.join(said)}"] if said else []


def _steps(at: Situation) -> tuple[Step, ...]:
    named = {"id": at.row["id"], "type": at.row["incident_type"]}
    return tuple(Step(*(text.format(**named) for text in each)) for each in _wanted(at))


ACKNOWLEDGE: Final = ("andon ack {id}", "says that you are at work on it; the response clock stops", "nothing to undo")
COMMANDER: Final = (
    "andon incident assign {id} commander --to NAME",
    "names who leads; the commander does not debug while others can",
    "assign somebody else",
)
SEAL: Final = (
    "andon incident seal {id} --reason TEXT",
    "holds the evidence; alters nothing",
    "andon evidence release, by two people",
)
PLAYBOOK: Final = ("andon show playbook {type}", "says what to do first in an incident of this type", "nothing to undo")
CHECK: Final = ("andon incident check {id}", "shows the triage checklist, prefilled", "nothing to undo")
CONTAIN: Final = (
    "andon incident status {id} contained --reason TEXT",
    "notes that nobody is harmed any more",
    "andon incident reopen {id} --reason TEXT",
)
RESOLVE: Final = (
    "andon incident status {id} resolved --reason TEXT",
    "notes that the failure is gone, verified on the inputs it hit",
    "andon incident reopen {id} --reason TEXT",
)
CLOSE: Final = (
    "andon incident status {id} closed --reason TEXT",
    "ends it: later alerts open a new incident",
    "andon incident reopen {id} --reason TEXT",
)
UNMERGE: Final = (
    "andon incident unmerge {id} --reason TEXT",
    "undoes the merge: its alerts are its own again",
    "merge it again",
)
REOPEN: Final = ("andon incident reopen {id} --reason TEXT", "goes back to declared", "resolve it again")


def _wanted(at: Situation) -> list[tuple[str, str, str]]:
    row = at.row
    if row["status"] == MERGED:
        look = (f"andon incident show {row['merged_into']}", "shows the incident that took it in", "nothing to undo")
        return [look, UNMERGE]
    if row["status"] == CLOSED:
        return [REOPEN]
    asked = (
        (not is_acknowledged(row), ACKNOWLEDGE),
        (row["status"] == DECLARED and at.type_title != row["incident_type"], PLAYBOOK),
        (row["seal_id"] is None, SEAL),
        (not any(each["role"] == "commander" for each in at.roles), COMMANDER),
        (at.checks_open > 0, CHECK),
        (row["status"] == DECLARED, CONTAIN),
        (row["status"] in (DECLARED, CONTAINED), RESOLVE),
        (row["status"] == RESOLVED, CLOSE),
    )
    return [step for wanted, step in asked if wanted]


def _who(at: Situation) -> str:
    """Those with a role or at work, and whoever has a task to do: all that the commander counts as being there."""
    people: dict[str, list[str]] = {}
    for each in at.roles:
        people.setdefault(each["name"], []).append(each["role"].replace("_", " "))
    for each in at.tasks:
        if each["status"] == "open":
            people.setdefault(each["owner_name"], []).append(f"task {each['number']}")
    return ", ".join(f"{name} ({', '.join(does)})" for name, does in people.items()) or "nobody yet"


def _deadline(at: Situation) -> str:
    clock = nearest_of(list(at.clocks))
    if at.row["status"] in (CLOSED, MERGED) or clock is None:
        return "none"
    if clock.state(at.now) == "missed":
        return f"{clock.name}: missed by {length(at.now - clock.due_at)}, it was due {spoken(clock.due_at)}"
    return f"{clock.name}: {length(clock.due_at - at.now)} left, due {spoken(clock.due_at)}"
