"""The tables of the work on incidents as a fold of the journal."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from andon.base.fold import Change, Fold, Posting
from andon.incident.fold import ROLES, TIMELINE, line, touched
from andon.incident.opening import INCIDENTS

TASKS: Final = "incident_tasks"
DECISIONS: Final = "incident_decisions"
HYPOTHESES: Final = "incident_hypotheses"
CHECKS: Final = "incident_checks"
WARNINGS: Final = "incident_warnings"
ACTIONS: Final = "incident_actions"
SEALS: Final = "incident_seals"
FILES: Final = "incident_files"


def _assigned(posting: Posting) -> Sequence[Change]:
    data, changes = posting.data, []
    if data["was"] is not None:
        before = f"{posting.stream}:{data['role']}:{data['was']}"
        changes.append(Change(ROLES, before, {"until": posting.at}))
    values: dict[str, Any] = {"role": data["role"], "person": data["person"], "name": posting.private["name"]}
    changes.append(_row(posting, ROLES, f"{data['role']}:{data['person']}", **values, since=posting.at, until=None))
    return [touched(posting), *changes, line(posting)]


def _task_added(posting: Posting) -> Sequence[Change]:
    data = dict(posting.data)
    values: dict[str, Any] = {**data, "owner_name": posting.private["name"], "text": posting.private["text"]}
    values |= {"status": "open", "made_at": posting.at, "done_at": None}
    return [touched(posting), _row(posting, TASKS, f"T{data['number']:04}", **values), line(posting)]


def _task_moved(posting: Posting) -> Sequence[Change]:
    status = posting.data["status"]
    values = {"status": status, "done_at": posting.at if status == "done" else None}
    return [touched(posting), Change(TASKS, f"{posting.stream}:T{posting.data['number']:04}", values), line(posting)]


def _decided(posting: Posting) -> Sequence[Change]:
    number, texts = posting.data["number"], dict(posting.private)
    values = {"number": number, "actor": posting.actor, "at": posting.at, **texts}
    return [touched(posting), _row(posting, DECISIONS, f"D{number:04}", **values), line(posting)]


def _supposed(posting: Posting) -> Sequence[Change]:
    number = posting.data["number"]
    values: dict[str, Any] = {"number": number, "actor": posting.actor, "at": posting.at, "state": "proposed"}
    values |= {"text": posting.private["text"], "evidence": None}
    return [touched(posting), _row(posting, HYPOTHESES, f"H{number:04}", **values), line(posting)]


def _judged(posting: Posting) -> Sequence[Change]:
    values = {"state": posting.data["state"], "evidence": posting.private["text"]}
    stamps: dict[str | None, dict[str, str | None]] = {"set": {"cause_at": posting.at}, "clear": {"cause_at": None}}
    stamp = stamps.get(posting.data["cause"], {})
    key = f"{posting.stream}:H{posting.data['number']:04}"
    return [touched(posting, **stamp), Change(HYPOTHESES, key, values), line(posting)]


def _checked(posting: Posting) -> Sequence[Change]:
    said = posting.private["answers"]
    answers = json.loads(said) if said.startswith("{") else {}
    changes = []
    for item in posting.data["items"]:
        values = {"item": item, "actor": posting.actor, "at": posting.at, "answer": answers.get(item, said)}
        changes.append(_row(posting, CHECKS, item, **values))
    stamp = {"triaged_at": posting.at} if posting.data["is_done"] else {}
    return [touched(posting, **stamp), *changes, line(posting)]


def _warned(posting: Posting) -> Sequence[Change]:
    data = posting.data
    name = f"{data['clock']}:{data['due_at']}:{data['percent']:03}"
    values = {each: data[each] for each in ("clock", "percent", "due_at")}
    return [_row(posting, WARNINGS, name, **values, at=posting.at), line(posting)]


def _acted(posting: Posting) -> Sequence[Change]:
    values: dict[str, Any] = {**posting.data, "receipt": None, "at": posting.at}
    return [_row(posting, ACTIONS, posting.data["action"], **values), line(posting)]


def _receipted(posting: Posting) -> Sequence[Change]:
    values = {"state": "receipted", "receipt": posting.private["text"]}
    return [Change(ACTIONS, f"{posting.stream}:{posting.data['action']}", values), line(posting)]


def _sealed(posting: Posting) -> Sequence[Change]:
    data, seal = posting.data, posting.data["seal_id"]
    values: dict[str, Any] = {"id": seal, "incident_id": posting.stream, "at": posting.at}
    values |= {"size": data["size"], "root": data["root"], "note": posting.private["note"]}
    told = Change(INCIDENTS, posting.stream, {"seal_id": seal})  # no new version: nobody's edit is overtaken by a seal
    return [told, Change(SEALS, seal, values), line(posting)]


def _file_added(posting: Posting) -> Sequence[Change]:
    data = posting.data
    values: dict[str, Any] = {name: data[name] for name in ("number", "file", "stored", "bytes")}
    values |= {name: posting.private[name] for name in ("name", "sha256", "text")}
    values |= {"entry": posting.seq, "actor": posting.actor, "added_at": posting.at, "erased_at": None}
    return [touched(posting), _row(posting, FILES, f"F{data['number']:04}", **values), line(posting, at=data["at"])]


def _file_erased(posting: Posting) -> Sequence[Change]:
    """The line that told of the file stays, and says that the content is gone."""
    data = posting.data
    told = json.dumps({**data["told"], "is_erased": True}, ensure_ascii=False, sort_keys=True)
    return [
        touched(posting),
        Change(FILES, f"{posting.stream}:F{data['number']:04}", {"erased_at": posting.at}),
        Change(TIMELINE, f"{posting.stream}:{data['entry']:012}", {"data": told}),
        line(posting),
    ]


def _row(posting: Posting, table: str, name: str, /, **values: Any) -> Change:
    key = f"{posting.stream}:{name}"
    return Change(table, key, {"id": key, "incident_id": posting.stream, **values})


FOLDS: Final[Mapping[str, Fold]] = {
    "role_assigned": _assigned,
    "role_handed_over": _assigned,
    "task_added": _task_added,
    "task_moved": _task_moved,
    "decision_made": _decided,
    "hypothesis_stated": _supposed,
    "hypothesis_judged": _judged,
    "items_checked": _checked,
    "clock_warned": _warned,
    "action_taken": _acted,
    "action_receipted": _receipted,
    "incident_sealed": _sealed,
    "file_added": _file_added,
    "file_erased": _file_erased,
}
