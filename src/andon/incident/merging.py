"""Two incidents become one, and two again: who goes up in whom, and what goes back."""

import json
from collections.abc import Mapping
from typing import Any, Final

from andon.base.errors import BadInput, Conflict, Refused
from andon.incident.clocks import steps_of
from andon.incident.fold import TIMELINE
from andon.incident.moves import key_of, require_open
from andon.incident.opening import KEYS, get_row, most_severe
from andon.incident.status import MERGED
from andon.ledger.journal import Fact, Page, View

Row = Mapping[str, Any]

MERGE: Final = "incident_merged"
RATING: Final = ("alerts_joined", "facts_learned", "priority_set", MERGE, "incident_unmerged")
"""What may have changed the priority of an incident, or what is proposed for it."""


def merged(row: Row, into: Row, reason: str, actor: str) -> Fact:
    """An open incident goes up in another open one, which takes its alerts from then on."""
    if row["id"] == into["id"]:
        raise BadInput(f"{row['id']} cannot go up in itself: name the incident that is to take it")
    require_open(row, "merge")
    require_open(into, "merge into")
    data = {
        "into": into["id"],
        "was": row["status"],
        "total": row["alerts"] + into["alerts"],
        "ended": _ended(row) + _ended(into),
        "priority": min(row["priority"], into["priority"]),
        "proposed": min(row["proposed"], into["proposed"]),
        "priority_was": into["priority"],
        "proposed_was": into["proposed"],
        "rose_was": into["rose_at"],
        "rises": steps_of(into),
        "rises_was": into["rises"],
        "told": most_severe(row["told"], into["told"]),
        "told_was": into["told"],
    }
    return Fact(MERGE, row["id"], actor, data, {"text": reason})


def unmerged(view: View, row: Row, reason: str, actor: str) -> Fact:
    """A merge is undone: the incident stands where it stood, with its alerts, also those that came since.

    The other one's priority goes back if nothing that might have changed it came since; else it stays, and a person
    may lower it.

    Raises:
        Refused: it is not merged, or the other one went up in a third itself.
        Conflict: a newer incident of its key exists.
    """
    if row["status"] != MERGED:
        raise Refused(f"{row['id']} is {row['status']}, not merged: there is nothing to undo")
    into = get_row(view, row["merged_into"])
    if into["status"] == MERGED:
        raise Refused(f"{into['id']} went up in {into['merged_into']} itself: unmerge {into['id']} first")
    newest = view.find(KEYS, key_of(row).text)
    if newest is not None and newest["incident_id"] != row["id"]:
        other = newest["incident_id"]
        raise Conflict(f"{other} came after {row['id']} for the same model and type: work in that one, and link both")
    merge = _merge_of(view, row)
    data: dict[str, Any] = {
        "into": into["id"],
        "to": merge["was"],
        "total": into["alerts"] - row["alerts"],
        "ended": _ended(into) - _ended(row),
        "priority": into["priority"],
    }
    if not _was_rated_since(view, into["id"], merge["seq"]):
        data |= {"priority": merge["priority_was"], "proposed": merge["proposed_was"], "rose_at": merge["rose_was"]}
        data |= {name: merge[f"{name}_was"] for name in ("rises", "told") if f"{name}_was" in merge}
    return Fact("incident_unmerged", row["id"], actor, data, {"text": reason})


def _merge_of(view: View, row: Row) -> dict[str, Any]:
    """What the merge that holds said, and its number."""
    lines = view.list_rows(TIMELINE, {"incident_id": row["id"], "kind": MERGE})
    said = [{**json.loads(each["data"]), "seq": each["seq"]} for each in lines]
    return max((each for each in said if each["into"] == row["merged_into"]), key=lambda each: int(each["seq"]))


def _was_rated_since(view: View, incident: str, seq: int) -> bool:
    page = Page(1, seq, by="seq")
    return any(view.list_rows(TIMELINE, {"incident_id": incident, "kind": kind}, page) for kind in RATING)


def _ended(row: Row) -> int:
    return row.get("ended") or 0
