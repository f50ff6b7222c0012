"""Staff: who does what on an incident."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from andon.incident import work
from andon.incident.clocks import spoken
from andon.incident.desk import PLAINLY, Ask, Desk
from andon.incident.dossier import Dossier, Packs, gather
from andon.incident.work import Task
from andon.people.person import Person, get_person
from andon.people.token import TABLE

LINES: Final = 8


@dataclass(frozen=True, slots=True)
class Assigned:
    """A new task: its number, whether the commander debugs alone, and then how to hand over."""

    number: int
    is_alone: bool
    hint: str | None


@dataclass(frozen=True, slots=True)
class Staff:
    """Roles and tasks, by commands of the journal."""

    desk: Desk
    packs: Packs

    def assign(self, name: str, role: str, to: str, ask: Ask = PLAINLY) -> Person:
        """Give a role to somebody, by name or by the id of their token.

        Raises:
            BadInput: there is no such role, or nobody of that name.
            Refused: the commander would debug while others are on it.
        """
        person = self._person(to)
        self.desk.change(name, ask, lambda view, row: work.assigned(view, row, role, person, self.desk.actor))
        return person

    def hand_over(self, name: str, role: str, to: str, words: str = "", ask: Ask = PLAINLY) -> tuple[Person, str]:
        """Give a held role to somebody else; returns them and the brief: what is known, with `words` on top."""
        desk, person = self.desk, self._person(to)
        view = desk.journal
        brief = brief_of(gather(desk, view, desk.get(view, name), self.packs, desk.now()), words)
        desk.change(name, ask, lambda at, row: work.handed_over(at, row, role, person, brief, desk.actor))
        return person, brief

    def add_task(self, name: str, text: str, kind: str, to: str, due_at: datetime, ask: Ask = PLAINLY) -> Assigned:
        """A task with one owner and a due time.

        Raises:
            Refused: debugging, for the commander, while another responder is on it.
        """
        desk, task = self.desk, Task(text, kind, self._person(to), due_at)
        done = desk.change(name, ask, lambda view, row: work.task_added(view, row, task, desk.now(), desk.actor))
        alone = bool(done.fact.data["alone"])
        hint = None
        if alone:
            hint = (
                f"{task.owner.name} commands and debugs, being alone: once somebody else is on it, hand over with"
                f" `andon incident handover {name} commander --to NAME`"
            )
        return Assigned(done.fact.data["number"], alone, hint)

    def move_task(self, name: str, number: int, status: str, reason: str, ask: Ask = PLAINLY) -> None:
        """A task is done, cancelled, or open again."""
        desk = self.desk
        desk.change(name, ask, lambda view, row: work.task_moved(view, row, number, status, reason, desk.actor))

    def _person(self, named: str) -> Person:
        return get_person(self.desk.journal.list_rows(TABLE), named, self.desk.at)


def brief_of(dossier: Dossier, words: str) -> str:
    """What whoever takes over has to know: the six answers, what is open, what was decided, the last lines."""
    said, incident = dossier.answers, dossier.incident
    parts = [*([words] if words else []), f"{incident.id}, {incident.priority}, {incident.status}."]
    parts += [f"What: {said.what}", f"Since: {said.since}", f"How many: {said.how_many}"]
    parts += [f"Who: {said.who}", f"Deadline: {said.deadline}"]
    still_open = [each for each in dossier.tasks if each["status"] == "open"]
    parts += [f"Open: {each['text']} ({each['owner_name']}, due {spoken(each['due_at'])})" for each in still_open]
    parts += [f"Decided: {each['choice']}, because {each['rationale']}" for each in dossier.decisions]
    parts += [f"Fact: {each}" for each in dossier.facts]
    parts += [f"Hypothesis ({each['state']}): {each['text']}" for each in dossier.hypotheses]
    parts += [f"{spoken(line.at)}: {line.event}" for line in dossier.timeline[-LINES:]]
    return "\n".join(parts)
