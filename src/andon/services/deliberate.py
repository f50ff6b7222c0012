"""Deliberate: what is known of an incident, what is supposed, what was decided, and the checklist."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from andon.alert.alert import AHEAD_MAX
from andon.base.errors import BadInput
from andon.base.nearest import nearest
from andon.incident import moves, work
from andon.incident.checklist import checks_of, with_register
from andon.incident.desk import PLAINLY, Ask, Desk, Row
from andon.incident.dossier import Packs
from andon.incident.fold_work import CHECKS
from andon.incident.work import Choice, on_it
from andon.ledger.journal import Fact, View


@dataclass(frozen=True, slots=True)
class Note:
    """A note: `note`, `fact`, `link` or `file`; `at` is when it happened, None: now."""

    text: str
    kind: str = "note"
    url: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Deliberate:
    """Notes, facts, hypotheses, decisions and checks, by commands of the journal."""

    desk: Desk
    packs: Packs

    def note(self, name: str, note: Note, ask: Ask = PLAINLY) -> None:
        """Write into the timeline; a fact stands apart from what is supposed.

        Raises:
            BadInput: it is to have happened after now.
        """
        if note.at is not None and note.at > self.desk.now() + AHEAD_MAX:
            raise BadInput(
                "a note says what has happened, and its time lies ahead of the server: mend it, or the clock"
            )
        told = (note.kind, note.text, note.url, note.at)
        self.desk.change(name, ask, lambda _, row: moves.noted(row, *told, self.desk.actor))

    def decide(self, name: str, choice: Choice, ask: Ask = PLAINLY) -> int:
        """A decision with its reason and the options considered; returns its number."""
        done = self.desk.change(name, ask, lambda view, row: work.decided(view, row, choice, self.desk.actor))
        return int(done.fact.data["number"])

    def suppose(self, name: str, text: str, ask: Ask = PLAINLY) -> int:
        """A hypothesis; returns its number."""
        done = self.desk.change(name, ask, lambda view, row: work.supposed(view, row, text, self.desk.actor))
        return int(done.fact.data["number"])

    def judge(self, name: str, number: int, state: str, evidence: str, ask: Ask = PLAINLY) -> None:
        """What evidence says of a hypothesis: investigating, supported, refuted, confirmed (it is the cause)."""
        desk = self.desk
        desk.change(name, ask, lambda view, row: work.judged(view, row, number, state, evidence, desk.actor))

    def check(self, name: str, answers: Mapping[str, str | None], ask: Ask = PLAINLY) -> bool:
        """Answer items of the triage checklist; None confirms what was computed. Returns whether the triage is over.

        Raises:
            BadInput: there is no such item, or nothing was computed that could be confirmed.
        """

        def decide(view: View, row: Row) -> Fact:
            moves.require_open(row, "triage")
            rows = view.list_rows(CHECKS, {"incident_id": row["id"]})
            computed = {
                each.item: each.computed
                for each in checks_of(
                    with_register(self.desk, view, row), self.packs.checklists, rows, on_it(view, row["id"])
                )
            }
            given = {item: self._answer(item, said, computed) for item, said in answers.items()}
            wanted = self.packs.checklists.priorities[row["priority"]]
            return work.checked(view, row, given, wanted, self.desk.actor)

        self.desk.change(name, ask, decide)
        return self.desk.get(self.desk.journal, name)["triaged_at"] is not None

    def _answer(self, item: str, said: str | None, computed: Mapping[str, str | None]) -> str:
        if item not in self.packs.checklists.items:
            near = nearest(item, self.packs.checklists.items)
            meant = f"did you mean {near}?" if near else f"it is one of {', '.join(self.packs.checklists.items)}"
            raise BadInput(f"the checklist has no item {item}: {meant}")
        if said:
            return said
        found = computed.get(item)
        if found is None:
            raise BadInput(f"nothing could be computed for {item}: write the answer, as {item}=TEXT")
        return found
