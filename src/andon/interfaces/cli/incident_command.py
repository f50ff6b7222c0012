"""`andon incident`: ask the server, show what it says."""

from dataclasses import dataclass
from typing import Any

from andon.base.errors import BadInput
from andon.bootstrap import client
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
    made = client.ask("POST", PATH, {name: value for name, value in body.items() if value is not None})
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
