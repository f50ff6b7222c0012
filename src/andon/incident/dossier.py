"""All that is known of an incident, gathered to be shown."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from andon.incident.answers import Answers, Situation, answer
from andon.incident.checklist import Check, Checklists, checks_of, with_register
from andon.incident.clocks import clocks_of
from andon.incident.desk import Desk
from andon.incident.fold import LINKS, TIMELINE
from andon.incident.fold_work import ACTIONS, CHECKS, DECISIONS, FILES, HYPOTHESES, SEALS, TASKS
from andon.incident.incident import Incident, incident_of
from andon.incident.opening import ALERTS, family, get_row, place_in_time
from andon.incident.status import MERGED
from andon.incident.taxonomy import Severities
from andon.incident.words import words_of
from andon.incident.work import handover_is_offered, on_it
from andon.ledger.journal import Page, View

Row = Mapping[str, Any]
ALERTS_SHOWN: Final = 20
LINES_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Packs:
    """What the installation says of all incidents: priorities, checklists, titles of the types."""

    severities: Severities
    checklists: Checklists
    titles: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a timeline: when it happened, what, by whom, and the entry of the journal that says so."""

    at: str
    event: str
    kind: str
    by: str
    entry: int
    place: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """An incident with all that hangs on it; the lists are rows as they are shown."""

    incident: Incident
    answers: Answers
    clocks: Sequence[Row]
    roles: Sequence[Row]
    tasks: Sequence[Row]
    decisions: Sequence[Row]
    hypotheses: Sequence[Row]
    facts: Sequence[str]
    files: Sequence[Row]
    checks: Sequence[Check]
    links: Sequence[Row]
    actions: Sequence[Row]
    seal: Row | None
    alerts: Sequence[Row]
    timeline: Sequence[Line]
    handover: str | None


def gather(desk: Desk, view: View, row: Row, packs: Packs, now: datetime) -> Dossier:
    """The dossier of an incident; its size does not grow with its alerts."""
    mine = {"incident_id": row["id"]}
    roles, tasks = on_it(view, row["id"]), view.list_rows(TASKS, mine)
    actions = view.list_rows(ACTIONS, mine)
    checks = checks_of(with_register(desk, view, row), packs.checklists, view.list_rows(CHECKS, mine), roles)
    clocks = [] if row["status"] == MERGED else clocks_of(row, packs.severities)  # those of the other one run
    unanswered = sum(each.at is None for each in checks)
    title = packs.titles.get(row["incident_type"], row["incident_type"])
    situation = Situation(row, title, clocks, roles, tasks, unanswered, now)
    lines = timeline_of(desk, view, row["id"], Page(LINES_SHOWN, is_newest_first=True, by="place"))
    facts = view.list_rows(TIMELINE, {**mine, "kind": "note_added"})
    return Dossier(
        incident_of(row),
        answer(situation),
        [_clock(each, now) for each in clocks],
        [{name: each[name] for name in ("role", "name", "since")} for each in roles],
        [_shown(each, "number", "kind", "owner_name", "due_at", "status", "text", "alone") for each in tasks],
        [_decision(desk, view, each) for each in view.list_rows(DECISIONS, mine)],
        [_shown(each, "number", "state", "text", "evidence", "at") for each in view.list_rows(HYPOTHESES, mine)],
        [each["text"] for each in facts if json.loads(each["data"])["what"] == "fact"],
        [_file(desk, view, each) for each in view.list_rows(FILES, mine)],
        [_named(desk, view, each) for each in checks],
        [_shown(each, "other_id", "relation") for each in view.list_rows(LINKS, mine)],
        [_shown(each, "action", "does", "state", "receipt", "at") for each in actions],
        None if row["seal_id"] is None else view.find(SEALS, row["seal_id"]),
        view.list_rows(ALERTS, {"incident_id": _seen_family(desk, view, row["id"])}, Page(ALERTS_SHOWN)),
        lines[::-1],
        handover_is_offered(roles, tasks),
    )


def _seen_family(desk: Desk, view: View, incident: str) -> tuple[str, ...]:
    """An incident and those that went up in it, as far as the reader may see them: one may be of another model."""
    names = family(view, incident)
    return tuple(name for name in names if desk.sees(get_row(view, name))) if desk.models else names


def timeline_of(desk: Desk, view: View, incident: str, page: Page) -> list[Line]:
    """Lines of a timeline, in words."""
    names: dict[str, str] = {}
    return [line_of(desk, view, each, names) for each in view.list_rows(TIMELINE, {"incident_id": incident}, page)]


def line_of(desk: Desk, view: View, row: Row, names: dict[str, str]) -> Line:
    """One line in words; `names` remembers the names of people."""
    actor = row["actor"]
    if actor not in names:
        names[actor] = desk.name(view, actor)
    texts = json.loads(row["more"]) | ({} if row["text"] is None else {"text": row["text"]})
    words = words_of(row["kind"], json.loads(row["data"]), texts)
    return Line(row["at"], words, row["kind"], names[actor], row["seq"], row["place"])


def _clock(clock: Any, now: datetime) -> Row:
    times = {name: place_in_time(getattr(clock, name)) for name in ("starts_at", "due_at", "met_at")}
    left = None if clock.met_at is not None else int((clock.due_at - now).total_seconds())
    return {
        "name": clock.name,
        **times,
        "state": clock.state(now),
        "percent": clock.percent(now),
        "seconds_left": left,
    }


def _file(desk: Desk, view: View, row: Row) -> Row:
    shown = _shown(row, "number", "name", "bytes", "sha256", "text", "added_at", "erased_at")
    return {**shown, "by": desk.name(view, row["actor"])}


def _decision(desk: Desk, view: View, row: Row) -> Row:
    options = json.loads(row["options"]) if row["options"].startswith("[") else [row["options"]]
    shown = _shown(row, "number", "at", "choice")
    return {**shown, "rationale": row["text"], "options": options, "by": desk.name(view, row["actor"])}


def _named(desk: Desk, view: View, check: Check) -> Check:
    return check if check.by is None else Check(**{**asdict(check), "by": desk.name(view, check.by)})


def _shown(row: Row, *names: str) -> Row:
    return {name: row[name] for name in names}
