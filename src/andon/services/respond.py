"""Respond: an incident from its declaration to its end, as a whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from andon.base.errors import BadInput
from andon.incident import merging, moves
from andon.incident.desk import PLAINLY, Ask, Desk, Row
from andon.incident.dossier import Dossier, Line, Packs, gather, line_of, timeline_of
from andon.incident.fold import TIMELINE
from andon.incident.incident import Incident, incident_of
from andon.incident.number import parse
from andon.incident.opening import INCIDENTS
from andon.incident.priority import SEVERITIES
from andon.incident.status import OPEN, STATUSES
from andon.ledger.journal import Fact, Page, View

PAGE_MAX: Final = 1_000
NEWS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which incidents to list; None: any. `status` may be `open`: declared, contained or resolved."""

    status: str | None = None
    priority: str | None = None
    model_id: str | None = None
    incident_type: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a list, and the cursor of the next one; None: it ends here."""

    items: Sequence[Any]
    next: str | None


@dataclass(frozen=True, slots=True)
class News:
    """A new line of an incident's timeline."""

    incident_id: str
    line: Line


@dataclass(frozen=True, slots=True)
class NewsPage:
    """New lines, the entry behind which to go on, and whether there are more already."""

    lines: Sequence[News]
    after: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class Respond:
    """Incidents as a whole, by commands of the journal.

    Attributes:
        desk: the actor's hand on incidents.
        packs: what holds for all incidents.
        floors: default severity of each type.
    """

    desk: Desk
    packs: Packs
    floors: Mapping[str, str]

    def get(self, name: str) -> Dossier:
        """All that is known of an incident.

        Raises:
            NotFound: there is none that the actor may see.
        """
        view = self.desk.journal
        return gather(self.desk, view, self.desk.get(view, name), self.packs, self.desk.now())

    def list_incidents(self, wanted: Wanted, limit: int = 100, after: str | None = None) -> Listed:
        """Incidents that the actor may see, the newest first."""
        _check(wanted, limit)
        asked = {"priority": wanted.priority, "model_id": wanted.model_id, "incident_type": wanted.incident_type}
        where = {name: value for name, value in asked.items() if value is not None}
        if wanted.status is not None and wanted.status != "open":
            where["status"] = wanted.status
        rows = [row for row in self.desk.journal.list_rows(INCIDENTS, where) if self.desk.sees(row)]
        if wanted.status == "open":
            rows = [row for row in rows if row["status"] in OPEN]
        rows.sort(key=lambda row: _age(row["id"]), reverse=True)
        if after is not None:
            rows = [row for row in rows if _age(row["id"]) < _age(after)]
        more = rows[limit - 1]["id"] if len(rows) > limit else None
        return Listed([incident_of(row) for row in rows[:limit]], more)

    def timeline(self, name: str, limit: int = 100, after: str | None = None, *, newest: bool = False) -> Listed:
        """The timeline in the order in which things happened, or the newest first."""
        if not 0 < limit <= PAGE_MAX:
            raise BadInput(f"a page has 1 to {PAGE_MAX} lines: mend the limit")
        view = self.desk.journal
        self.desk.get(view, name)
        lines: list[Line] = timeline_of(self.desk, view, name, Page(limit + 1, after, newest, "place"))
        return Listed(lines[:limit], lines[limit - 1].place if len(lines) > limit else None)

    def news(self, after: int, name: str | None = None) -> NewsPage:
        """What happened behind an entry of the journal, of all incidents that the actor may see or of one."""
        view = self.desk.journal
        where = {} if name is None else {"incident_id": self.desk.get(view, name)["id"]}
        rows = view.list_rows(TIMELINE, where, Page(NEWS_MAX, after, by="seq"))
        has_more = len(rows) == NEWS_MAX
        if has_more and rows[0]["seq"] < rows[-1]["seq"]:  # the last entry may have more lines
            rows = [row for row in rows if row["seq"] < rows[-1]["seq"]]
        names: dict[str, str] = {}
        seen: dict[str, bool] = {}
        lines = []
        for row in rows:
            incident = row["incident_id"]
            if incident not in seen:
                found = view.find(INCIDENTS, incident)
                seen[incident] = found is not None and self.desk.sees(found)
            if seen[incident] and row["kind"] != "event_imported":
                lines.append(News(incident, line_of(self.desk, view, row, names)))
        return NewsPage(lines, rows[-1]["seq"] if rows else after, has_more)

    def acknowledge(self, name: str, ask: Ask = PLAINLY) -> Incident:
        """The actor is at work on it; the first who says so stops the response clock."""
        who = self.desk.name(self.desk.journal, self.desk.actor)
        self.desk.change(name, ask, lambda _, row: moves.acknowledged(row, self.desk.actor, who))
        return self._now(name)

    def move(self, name: str, to: str, reason: str, at: datetime | None = None, ask: Ask = PLAINLY) -> Incident:
        """To contained, resolved or closed; `at`: when it came true.

        Raises:
            Refused: the table of moves does not allow it.
            Stale: it changed since the actor looked.
        """
        desk = self.desk
        desk.change(name, ask, lambda _, row: moves.moved(row, to, at, reason, desk.now(), desk.actor))
        return self._now(name)

    def reopen(self, name: str, reason: str, ask: Ask = PLAINLY) -> Incident:
        """Back to declared; its clocks start anew.

        Raises:
            Conflict: a newer incident of the same key exists.
        """
        actor = self.desk.actor
        self.desk.change(name, ask, lambda view, row: moves.reopened(view, row, reason, actor), is_alone=True)
        return self._now(name)

    def set_priority(self, name: str, level: str, reason: str, ask: Ask = PLAINLY) -> Incident:
        """Escalate or de-escalate, with the reason kept."""
        actor = self.desk.actor  # alone: a merge, which is an entry of the other incident, may raise it meanwhile
        self.desk.change(name, ask, lambda _, row: moves.prioritised(row, level, reason, actor), is_alone=True)
        return self._now(name)

    def learn_facts(self, name: str, news: Mapping[str, Any], reason: str, ask: Ask = PLAINLY) -> Incident:
        """What became known of the harm; the priority is proposed anew, and rises by itself, never falls."""
        desk = self.desk

        def floor(kind: str) -> str:
            return self.floors.get(kind, SEVERITIES["P1"])

        desk.change(
            name,
            ask,
            lambda _, row: moves.facts_learned(row, news, reason, floor(row["incident_type"]), desk.actor),
            is_alone=True,
        )
        return self._now(name)

    def merge(self, name: str, into: str, reason: str, ask: Ask = PLAINLY) -> Incident:
        """One open incident goes up in another; returns the other."""
        desk = self.desk
        desk.change(
            name,
            ask,
            lambda view, row: merging.merged(row, desk.get(view, into), reason, desk.actor),
            is_alone=True,
        )
        return self._now(into)

    def unmerge(self, name: str, reason: str, ask: Ask = PLAINLY) -> Incident:
        """Undo a merge: the incident and its alerts are its own again; returns it.

        Raises:
            Refused: it is not merged, or that which took it went up in a third.
            Conflict: a newer incident of the same key exists.
        """
        desk = self.desk

        def decide(view: View, row: Row) -> Fact:
            return merging.unmerged(view, row, reason, desk.actor)

        desk.change(name, ask, decide, is_alone=True, of_merged=True)
        return self._now(name)

    def link(self, name: str, other: str, relation: str, reason: str, ask: Ask = PLAINLY) -> Incident:
        """Two incidents have to do with each other: related, same_cause, duplicate."""
        desk = self.desk
        desk.change(
            name,
            ask,
            lambda view, row: moves.linked(row, desk.get(view, other), relation, reason, desk.actor),
            is_alone=True,
        )
        return self._now(name)

    def _now(self, name: str) -> Incident:
        return incident_of(self.desk.get(self.desk.journal, name))


def _check(wanted: Wanted, limit: int) -> None:
    if wanted.status is not None and wanted.status not in (*STATUSES, "open"):
        raise BadInput(f"there is no status {wanted.status}: write open, {', '.join(STATUSES)}")
    if not 0 < limit <= PAGE_MAX:
        raise BadInput(f"a page has 1 to {PAGE_MAX} incidents: mend the limit")


def _age(name: str) -> tuple[int, int]:
    """Sorts by age; what is no identifier is the oldest."""
    return parse(name) or (0, 0)
