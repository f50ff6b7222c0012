"""`andon incident`: ask the server, show what it says."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from andon.base.errors import BadInput
from andon.base.nearest import nearest
from andon.bootstrap import client
from andon.incident.facts import NAMES as FACTS
from andon.interfaces.cli import options, output
from andon.interfaces.cli.words import PRIORITY_MARKS, plain

PATH = "/api/v1/incidents"


@dataclass(frozen=True, slots=True)
class Asked:
    """An incident to declare."""

    model: str
    kind: str
    title: str
    priority: str | None
    facts: tuple[str, ...]
    started: str | None
    environment: str
    version: str | None


def declare(asked: Asked, *, as_json: bool) -> None:
    """Declare and show."""
    body = {
        "model_id": asked.model,
        "incident_type": asked.kind,
        "title": asked.title,
        "environment": asked.environment,
        "priority": asked.priority and asked.priority.upper(),
        "facts": facts_of(asked.facts),
        "started_at": None if asked.started is None else options.time(asked.started, "--started").isoformat(),
        "model_version": asked.version,
    }
    made = client.server().ask("POST", PATH, {name: value for name, value in body.items() if value is not None})
    if as_json:
        output.emit_json(made)
        return
    output.emit(f"{made['id']} is declared: {line_of(made)}\nwhy {made['priority']}: {plain(made['rule'])}\n")


def line_of(made: dict[str, Any]) -> str:
    """An incident in one line."""
    marks = PRIORITY_MARKS[made["priority"]]
    return f"{marks} {made['priority']} {made['status']}  {plain(made['model_id'])}  {plain(made['title'])}"


def facts_of(texts: tuple[str, ...]) -> dict[str, Any]:
    """Facts as a person writes them: `people=1200`, `physical_harm=true`, `wrong=unknown`."""
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise BadInput(f"--fact {text} is no fact: write NAME=VALUE, such as people=1200")
        if name.strip() not in FACTS:
            near = nearest(name.strip(), FACTS)
            meant = f"did you mean {near}?" if near else f"it is one of {', '.join(FACTS)}"
            raise BadInput(f"there is no fact {name.strip()}: {meant}")
        found[name.strip()] = _value(text, value.strip().lower())
    return found


def _value(text: str, value: str) -> Any:
    words = {"true": True, "yes": True, "false": False, "no": False, "unknown": None}
    if value in words:
        return words[value]
    try:
        return int(value) if value.isdigit() else float(value)
    except ValueError:
        if value.isalpha():
            return value
        raise BadInput(f"--fact {text} is no fact: write a number, true, false or unknown behind the =") from None


def list_incidents(wanted: dict[str, Any], *, as_json: bool) -> None:
    """List."""
    found = client.server().ask("GET", PATH, query=wanted)
    if as_json:
        output.emit_json(found)
        return
    for each in found["items"]:
        output.emit(f"{each['id']}  {line_of(each)}\n")
    if not found["items"]:
        output.emit("there are no such incidents\n")
    if found["next"]:
        output.emit("there are more: raise --limit, or narrow it\n")


def change(incident: str, what: str, body: dict[str, Any], *, as_json: bool) -> None:
    """Change an incident as a whole and show it."""
    made = client.server().ask("POST", f"{PATH}/{client.quoted(incident)}/{what}", _said(body))
    if as_json:
        output.emit_json(made)
        return
    output.emit(f"{made['id']}  {line_of(made)}\n")
    if made["proposed"] != made["priority"]:
        output.emit(f"the facts propose {made['proposed']}: {plain(made['rule'])}\n")


def write(incident: str, what: str, body: dict[str, Any], said: str, *, as_json: bool) -> None:
    """Add to an incident and say so."""
    made = client.server().ask("POST", f"{PATH}/{client.quoted(incident)}/{what}", _said(body))
    if as_json:
        output.emit_json(made)
        return
    shown = {name: "\n".join(map(plain, str(value).split("\n"))) for name, value in made.items()}
    output.emit(said.format(**shown) + "\n")


def task(incident: str, body: dict[str, Any], due: str, *, as_json: bool) -> None:
    """Add a task."""
    made = client.server().ask(
        "POST", f"{PATH}/{client.quoted(incident)}/tasks", {**body, "due_at": options.moment_of(due, "--due")}
    )
    if as_json:
        output.emit_json(made)
        return
    output.emit(f"task {made['number']} of {incident} for {plain(body['to'])}\n")
    if made["hint"]:
        output.emit(f"{made['hint']}\n")


def check(incident: str, items: tuple[str, ...], *, as_json: bool) -> None:
    """Answer the checklist, or show it."""
    if not items:
        found = client.server().ask("GET", f"{PATH}/{client.quoted(incident)}")["checks"]
        if as_json:
            output.emit_json({"items": found, "next": None})
            return
        for each in found:
            state = "done" if each["at"] else "open"
            output.emit(f"{state}  {each['item']:18} {plain(each['question'])}\n")
            if said := each["answer"] or each["computed"]:
                output.emit(f"      {'' if each['answer'] else 'computed: '}{plain(said)}\n")
        return
    pairs = (text.partition("=") for text in items)
    answers = {name.strip(): said.strip() or None for name, _, said in pairs}
    made = client.server().ask("POST", f"{PATH}/{client.quoted(incident)}/checks", {"answers": answers})
    if as_json:
        output.emit_json(made)
        return
    rest = "the triage is over" if made["is_triaged"] else f"`andon incident check {incident}` shows what is open"
    output.emit(f"{len(answers)} answered; {rest}\n")


def record(incident: str, profile: str | None) -> None:
    """Print a record."""
    output.emit_json(client.server().ask("GET", f"{PATH}/{client.quoted(incident)}/record", query={"profile": profile}))


def write_record(incident: str, file: str) -> None:
    """Write parts of a record, and print it."""
    output.emit_json(client.server().ask("PATCH", f"{PATH}/{client.quoted(incident)}/record", _document(file)))


def import_record(file: str, *, as_json: bool) -> None:
    """Import a record and show what became of it."""
    made = client.server().ask("POST", "/api/v1/records", _document(file))
    if as_json:
        output.emit_json(made)
        return
    output.emit(f"{made['id']} is imported: {line_of(made)}\n")


def _document(file: str) -> Any:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        return json.loads(text)
    except OSError as error:
        raise BadInput(f"cannot read {file}: {error.strerror}; name a file of JSON") from None
    except ValueError:
        raise BadInput(f"{file} is no JSON: name a file that holds one JSON document") from None


def _said(body: dict[str, Any]) -> dict[str, Any]:
    """What was said; what was left out is left out."""
    return {name: value for name, value in body.items() if value is not None}
