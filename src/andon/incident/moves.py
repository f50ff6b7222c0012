"""What may be done to an incident as a whole: each function looks at its row and says the fact, or refuses."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from andon.base.errors import BadInput, Conflict, Refused
from andon.incident.clocks import is_acknowledged, steps_of
from andon.incident.facts import learned, to_fields
from andon.incident.key import IncidentKey
from andon.incident.opening import facts_of, newest_of, place_in_time, proposal_fields
from andon.incident.priority import SEVERITIES, propose
from andon.incident.status import CLOSED, DECLARED, OPEN, require_move
from andon.ledger.journal import Fact, View

Row = Mapping[str, Any]

RELATIONS: Final = ("related", "same_cause", "duplicate")
NOTE_KINDS: Final = ("note", "fact", "link", "file")


def acknowledged(row: Row, actor: str, name: str) -> Fact:
    """Somebody is at work on it; the first to say so, since the last reopening, stops the response clock."""
    require_open(row, "acknowledge")
    return Fact("incident_acknowledged", row["id"], actor, {"is_first": not is_acknowledged(row)}, {"name": name})


def moved(row: Row, to: str, at: datetime | None, reason: str, now: datetime, actor: str) -> Fact:
    """A move along the table of moves; `at` says when it came true, not after now and not before the declaration."""
    if to == DECLARED:
        raise BadInput("an incident goes back to declared by being reopened: use reopen, and say why")
    require_move(row["id"], row["status"], to)
    when = place_in_time(at or now) or ""
    if when > (place_in_time(now) or ""):
        raise BadInput(f"{when} is later than now: leave the time out, or give one that has been")
    if when < row["declared_at"] and row["origin"] != "imported":
        raise BadInput(f"{when} is before the incident was declared, at {row['declared_at']}: give a later time")
    return Fact("incident_moved", row["id"], actor, {"was": row["status"], "to": to, "at": when}, {"text": reason})


def reopened(view: View, row: Row, reason: str, actor: str) -> Fact:
    """Back to declared; only the newest of its key, so that one at most is open."""
    require_move(row["id"], row["status"], DECLARED)
    newest = newest_of(view, key_of(row))
    if newest is not None and newest["id"] != row["id"]:
        raise Conflict(
            f"{newest['id']} came after {row['id']} for the same model and type: work in that one, and link this one"
        )
    return Fact("incident_reopened", row["id"], actor, {"was": row["status"]}, {"text": reason})


def prioritised(row: Row, level: str, reason: str, actor: str) -> Fact:
    """A priority that a person decides on, up or down."""
    require_open(row, "re-prioritise")
    if level not in SEVERITIES:
        raise BadInput(f"there is no priority {level}: write P0, P1, P2 or P3")
    if level == row["priority"]:
        raise Refused(f"{row['id']} has priority {level} already: nothing to do")
    data = {"was": row["priority"], "to": level, "proposed": row["proposed"], "rises": steps_of(row)}
    return Fact("priority_set", row["id"], actor, data, {"text": reason})


def facts_learned(row: Row, news: Mapping[str, Any], reason: str, floor: str, actor: str) -> Fact:
    """What became known of the harm; a more urgent proposal raises the priority, a calmer one is only proposed."""
    require_open(row, "judge anew")
    if not news:
        raise BadInput("no fact was given: write one such as people=1200")
    facts = learned(facts_of(row), news)
    proposed = propose(facts, floor, row["told"])
    rises = proposed.level < row["priority"] and proposed.level < row["proposed"]
    data = {
        "facts": to_fields(facts),
        "news": sorted(news),
        "proposed": proposal_fields(proposed),
        "was": row["priority"],
        "priority": proposed.level if rises else row["priority"],
        "rises": steps_of(row),
    }
    return Fact("facts_learned", row["id"], actor, data, {"text": reason})


def linked(row: Row, other: Row, relation: str, reason: str, actor: str) -> Fact:
    """Two incidents have to do with each other."""
    if relation not in RELATIONS:
        raise BadInput(f"there is no relation {relation}: write {', '.join(RELATIONS)}")
    if row["id"] == other["id"]:
        raise BadInput(f"{row['id']} is not linked to itself: name another incident")
    return Fact("incident_linked", row["id"], actor, {"other": other["id"], "relation": relation}, {"text": reason})


def noted(row: Row, kind: str, text: str, url: str | None, at: datetime | None, actor: str) -> Fact:
    """A note, a fact that was established, a link or a file; `at` is when it happened."""
    if kind not in NOTE_KINDS:
        raise BadInput(f"there is no kind of note {kind}: write {', '.join(NOTE_KINDS)}")
    if (kind in ("link", "file")) != (url is not None):
        raise BadInput(
            "a link needs its address, a file that stays with you its digest, and nothing else has one: give --url, or "
            "keep the file here with `andon incident file add`"
        )
    if kind == "link" and url is not None and not url.startswith("http"):
        raise BadInput("a link needs an address on the web: give http:// or https://")
    private = {"text": text} if url is None else {"text": text, "url": url}
    return Fact("note_added", row["id"], actor, {"what": kind, "at": place_in_time(at)}, private)


def key_of(row: Row) -> IncidentKey:
    """The key of an incident."""
    return IncidentKey(row["model_id"], row["incident_type"], row["environment"])


def require_open(row: Row, what: str) -> None:
    """Refuse what is for open incidents only.

    Raises:
        Refused: it is closed or merged.
    """
    if row["status"] in OPEN:
        return
    mend = "reopen it first" if row["status"] == CLOSED else f"work in {row['merged_into']}"
    raise Refused(f"{row['id']} is {row['status']}, so you cannot {what} it: {mend}")
