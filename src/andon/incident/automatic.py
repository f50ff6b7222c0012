"""What an incident does by itself: the actions of its priority, and the warnings of its clocks."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from andon.duty.clock import MISSED, Clock
from andon.incident.clocks import clocks_of
from andon.incident.opening import place_in_time
from andon.incident.taxonomy import Severities
from andon.ledger.journal import Fact, Message

Row = Mapping[str, Any]

NOTICE: Final = "notice"
ESCALATION: Final = "escalation"
TRACKER: Final = "tracker"
RECIPIENTS: Final = {"notice": (NOTICE,), "escalation": (ESCALATION, NOTICE), "ticket": (TRACKER,)}
"""Who is told of an action, by what it does: the first of these that is named."""
SETTINGS: Final = {
    NOTICE: "ANDON_NOTICE_URL",
    ESCALATION: "ANDON_ESCALATION_URL",
    TRACKER: "ANDON_TRACKER_URL",
}
STATES: Final = {"task": "to do", "proposal": "proposed"}


@dataclass(frozen=True, slots=True)
class Due:
    """A warning that is due."""

    clock: Clock
    percent: int


def actions_left(row: Row, severities: Severities, taken: Collection[str]) -> list[str]:
    """The actions of an incident's priority that were not taken yet."""
    return [name for name in severities.severities[row["priority"]].actions if name not in taken]


def acted(row: Row, name: str, severities: Severities, recipients: Collection[str], actor: str) -> Fact:
    """An action is taken; where somebody is to be told and nobody is named, it says what to set."""
    action = severities.actions[name]
    wanted, state = RECIPIENTS.get(action.does, ()), STATES.get(action.does, "")
    sent: Sequence[Message] = ()
    recipient = next((each for each in wanted if each in recipients), None)
    if recipient is not None:
        state, sent = "sent", (Message(recipient, _told(row, f"action.{name}", action.text)),)
    elif wanted:
        state = f"nobody is told: set {SETTINGS[wanted[0]]}"
    data = {"action": name, "does": action.does, "state": state}
    return Fact("action_taken", row["id"], actor, data, {"text": action.text}, sent)


def receipted(incident: str, name: str, receipt: str, actor: str) -> Fact:
    """Whoever was told of an action says what came of it, such as the address of a ticket."""
    return Fact("action_receipted", incident, actor, {"action": name}, {"text": receipt})


def warnings_due(row: Row, severities: Severities, given: Sequence[Row], now: datetime) -> list[Due]:
    """The warnings that are due: one per clock at most."""
    due = []
    for clock in clocks_of(row, severities):
        end = place_in_time(clock.due_at)
        before = [each["percent"] for each in given if each["clock"] == clock.name and each["due_at"] == end]
        percent = clock.warning(now, before)
        if percent is not None:
            due.append(Due(clock, percent))
    return due


def warned(row: Row, due: Due, recipients: Collection[str], actor: str) -> Fact:
    """A clock warns, or was missed: then whoever escalations go to is told as well."""
    end, is_missed = place_in_time(due.clock.due_at), due.percent >= MISSED
    data: dict[str, Any] = {"clock": due.clock.name, "percent": due.percent, "due_at": end}
    wanted = (NOTICE, ESCALATION) if is_missed else (NOTICE,)
    told = [each for each in wanted if each in recipients]
    if is_missed:
        data["told"] = told
    body = _told(
        row, "clock.missed" if is_missed else "clock.warning", f"{due.clock.name}: {due.percent}% used, due {end}"
    )
    return Fact("clock_warned", row["id"], actor, data, {}, tuple(Message(each, body) for each in told))


def _told(row: Row, kind: str, text: str) -> str:
    """A message to an outsider."""
    names = ("id", "title", "priority", "status", "model_id", "incident_type", "environment", "declared_at")
    body = {"type": kind, "text": text, "incident": {name: row[name] for name in names}}
    return json.dumps(body, ensure_ascii=False)
