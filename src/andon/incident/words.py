"""The lines of a timeline in words."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from andon.incident.clocks import spoken

Words = Callable[[Mapping[str, Any], Mapping[str, str]], str]
"""The words of one kind of line, from its data and its texts."""


def words_of(kind: str, data: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    """A line in words; a kind that this version has no words for is named."""
    made = LINES.get(kind)
    return kind.replace("_", " ") if made is None else made(data, texts)


def _reason(texts: Mapping[str, str]) -> str:
    return f": {texts['text']}" if texts.get("text") else ""


def _declared(data: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    follows = f", follows {data['follows']}" if data["follows"] else ""
    return f"Declared {data['priority']} by {texts['detected_by']}{follows}: {texts['title']}"


def _joined(data: Mapping[str, Any], _: Mapping[str, str]) -> str:
    count = len(data["alerts"])
    more = f"{count} more alerts" if count > 1 else "One more alert"
    rose = data.get("was", "") > data.get("priority", "")
    rule = f"; priority {data['was']} to {data['priority']}: {data['proposed']['rule']}" if rose else ""
    return f"{more}, {data['total']} in all{rule}"


def _ended(data: Mapping[str, Any], _: Mapping[str, str]) -> str:
    count, firing = len(data["alerts"]), data["firing"]
    over = f"{count} alerts are over" if count > 1 else "One alert is over"
    return f"{over}, {firing} still fire" if firing else f"{over}: none fires any more"


def _learned(data: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    facts = ", ".join(f"{name} {_shown(data['facts'].get(name))}" for name in data["news"])
    proposed = data["proposed"]
    rose = data["priority"] < data["was"]
    then = f"priority {data['was']} to {data['priority']}" if rose else f"proposes {proposed['level']}"
    return f"Known now: {facts}; {then} ({proposed['rule']}){_reason(texts)}"


def _prioritised(data: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    way = "Escalated" if data["to"] < data["was"] else "De-escalated"
    return f"{way} from {data['was']} to {data['to']}{_reason(texts)}"


def _merged(data: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    return f"Merged into {data['into']}, which has {data['total']} alerts now{_reason(texts)}"


def _unmerged(data: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    back = "is" if "proposed" in data else "stays, after what came since,"
    rest = f"{data['into']} has {data['total']} alerts now and {back} {data['priority']}"
    return f"No longer merged into {data['into']}, {data['to']} again; {rest}{_reason(texts)}"


def _noted(data: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    label = {"note": "", "fact": "Fact: ", "link": "Link: ", "file": "File: "}[data["what"]]
    return f"{label}{texts['text']}" + (f" ({texts['url']})" if "url" in texts else "")


def _file_added(data: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    erased = ", erased since" if data.get("is_erased") else ""
    about = f"{texts['name']}, {data['bytes']:,} bytes{erased}"
    return f"File {data['number']}: {about}{_reason(texts)} (sha256:{texts['sha256']})"


def _assigned(data: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    role = data["role"].replace("_", " ")
    before = f", in place of {texts['before']}" if texts.get("before") else ""
    return f"{texts['name']} is {role} now{before}"


def _handed(data: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    role = data["role"].replace("_", " ")
    return f"{texts['before']} hands {role} over to {texts['name']}, with a brief"


def _task(data: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    alone = "; the commander debugs, being alone" if data["alone"] else ""
    owner = f" for {texts['name']}" if texts.get("name") else ""
    return f"Task {data['number']}{owner}, {data['kind']}, due {spoken(data['due_at'])}: {texts['text']}{alone}"


def _task_moved(data: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    return f"Task {data['number']} is {data['status']}{_reason(texts)}"


def _decided(data: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    return f"Decision {data['number']}: {texts['choice']}, because {texts['text']}"


def _supposed(data: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    return f"Hypothesis {data['number']}: {texts['text']}"


def _judged(data: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    return f"Hypothesis {data['number']} is {data['state']}{_reason(texts)}"


def _warned(data: Mapping[str, Any], _: Mapping[str, str]) -> str:
    if data["percent"] >= 100:  # noqa: PLR2004
        return f"Clock missed: {data['clock']} was due {spoken(data['due_at'])}{_escalated(data.get('told'))}"
    return f"Clock {data['clock']}: {data['percent']}% used, due {spoken(data['due_at'])}"


def _escalated(told: Sequence[str] | None) -> str:
    """Who heard of a clock that was missed; None: an entry of before that was noted."""
    if told == []:
        return "; nobody is told: set ANDON_ESCALATION_URL"
    return "; escalated" if told and "escalation" in told else ""


def _sealed(data: Mapping[str, Any], _: Mapping[str, str]) -> str:
    return f"Evidence sealed: {data['seal_id']} over {data['size']:,} {'entry' if data['size'] == 1 else 'entries'}"


def _acted(data: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    return f"{data['action'].replace('_', ' ').capitalize()}: {data['state']}{_reason(texts)}"


def _shown(value: Any) -> str:
    return "not known" if value is None else str(value).lower()


LINES: Final[Mapping[str, Words]] = {
    "incident_declared": _declared,
    "alerts_joined": _joined,
    "alerts_ended": _ended,
    "incident_acknowledged": lambda _, texts: f"{texts['name']} is at work on it",
    "incident_moved": lambda data, texts: f"{data['to'].capitalize()}{_reason(texts)}",
    "incident_reopened": lambda data, texts: f"Reopened from {data['was']}{_reason(texts)}",
    "priority_set": _prioritised,
    "facts_learned": _learned,
    "incident_merged": _merged,
    "incident_unmerged": _unmerged,
    "incident_linked": lambda data, texts: f"Linked to {data['other']} ({data['relation']}){_reason(texts)}",
    "note_added": _noted,
    "file_added": _file_added,
    "file_erased": lambda data, texts: f"Content of file {data['number']} erased{_reason(texts)}",
    "record_imported": lambda data, _: f"Record imported, with {data['events']} events",
    "event_imported": lambda _, texts: texts["text"],
    "record_written": lambda data, _: f"Record: {', '.join(data['parts'])} written",
    "role_assigned": _assigned,
    "role_handed_over": _handed,
    "task_added": _task,
    "task_moved": _task_moved,
    "decision_made": _decided,
    "hypothesis_stated": _supposed,
    "hypothesis_judged": _judged,
    "items_checked": lambda data, _: f"Checked: {', '.join(data['items'])}" + ("; triaged" if data["is_done"] else ""),
    "clock_warned": _warned,
    "incident_sealed": _sealed,
    "action_taken": _acted,
    "action_receipted": lambda data, texts: f"Receipt of {data['action'].replace('_', ' ')}{_reason(texts)}",
}
