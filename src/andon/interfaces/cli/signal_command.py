"""`andon signal`: ask the server, show what it says."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from andon.base.errors import BadInput
from andon.bootstrap import client
from andon.interfaces.cli import options, output
from andon.interfaces.cli.words import PRIORITY_MARKS, of_things, plain

KNOWN: Final = ("alertmanager", "cloudevents", "scan")
STDIN: Final = "-"
BYTES_MAX: Final = 16 << 20


def list_alerts(wanted: Mapping[str, Any], *, as_json: bool) -> None:
    """List alerts."""
    found = client.server().ask("GET", "/api/v1/alerts", query=wanted)
    if as_json:
        output.emit_json(found)
        return
    for each in found["items"]:
        output.emit(f"{_alert(each)}\n")
    if not found["items"]:
        output.emit("there are no such alerts; docs/signals.md shows how to send some\n")
    elif found["next"] is not None:
        output.emit(f"… and more: --limit {min(1_000, 4 * wanted['limit'])}\n")


def _alert(each: Mapping[str, Any]) -> str:
    where = each["incident_id"] or {"unmapped": "no model is known", None: "on its way"}.get(each["hold"], each["hold"])
    model = each["model_id"] or "?"
    model = model if each["is_registered"] or each["model_id"] is None else f"{model} (unregistered)"
    about = f"{plain(model)}  {each['incident_type']}"
    return f"{each['state']:8}  {each['starts_at'][:19]}Z  {where:18}  {about}  {plain(each['title'] or '')}"


def list_unmapped(*, as_json: bool) -> None:
    """List alerts without a model, with the map to make."""
    found = client.server().ask("GET", "/api/v1/unmapped")
    if as_json:
        output.emit_json(found)
        return
    for each in found["items"]:
        count = of_things(each["alerts"], "alert", "alerts")
        output.emit(f"{count}, {each['firing']} firing, of {plain(each['source'])}: {plain(each['title'])}\n")
        proposal = each["proposal"]
        if proposal is None:
            output.emit("  no label tells them apart: add a label model_id where they are made\n")
            continue
        model = proposal["model_id"] or "MODEL"
        output.emit(
            f"  andon signal map {plain(proposal['label'])}={plain(proposal['value'])} --model {plain(model)}\n"
        )
    if not found["items"]:
        output.emit("every alert has its model\n")


def send(file: str, kind: str, *, as_json: bool) -> None:
    """Send a body as a monitor would."""
    body = _read(file)
    if kind == "pagerduty":
        answer = client.server().send("/v2/enqueue", body, "application/json")
        output.emit_json(answer) if as_json else output.emit(f"{answer['message']}: {answer['dedup_key']}\n")
        return
    path = f"/api/v1/signals/{kind}" if kind in KNOWN else f"/api/v1/signals/webhook/{client.quoted(kind)}"
    content_type = "application/json"
    if kind == "cloudevents":
        content_type = f"application/cloudevents{'-batch' if body.lstrip().startswith(b'[') else ''}+json"
    _say_taken(client.server().send(path, body, content_type), as_json=as_json)


def report(asked: Mapping[str, Any], seen: str | None, *, as_json: bool) -> None:
    """Bring in a report."""
    body = {name: value for name, value in asked.items() if value is not None}
    if body["text"] == STDIN:
        body["text"] = sys.stdin.read(BYTES_MAX)
    if seen is not None:
        body["seen_at"] = options.time(seen, "--seen").isoformat()
    taken = client.server().ask("POST", "/api/v1/signals/report", body)
    if as_json:
        output.emit_json(taken)
        return
    found = taken["classified"]
    output.emit(f"{taken['signal_id']} is taken\n{reading(found)}")


def reading(found: Mapping[str, Any]) -> str:
    """How a report was classified, in words."""
    marks = PRIORITY_MARKS[found["priority"]]
    return f"{marks} {found['priority']}  {found['incident_type']}: {found['rule']}\nwhy: {found['priority_rule']}\n"


def try_mapping(file: str, mapping: str) -> None:
    """Show what a mapping makes of a body."""
    from andon.bootstrap.signals import read_mapping  # noqa: PLC0415  # with it comes most of a server

    delivery = read_mapping(Path(mapping))(_read(file), {})
    output.emit_json({"alerts": [alert.document() for alert in delivery.alerts]})


def silence(matchers: tuple[str, ...], lasting: str, reason: str, *, as_json: bool) -> None:
    """Silence alerts."""
    seconds = int(options.length(lasting, "--for").total_seconds())
    body = {"matchers": list(matchers), "lasting_seconds": seconds, "reason": reason}
    made = client.server().ask("POST", "/api/v1/silences", body)
    if as_json:
        output.emit_json(made)
        return
    output.emit(f"{made['id']} silences {plain(', '.join(made['matchers']))} until {made['ends_at'][:19]}Z\n")


def list_silences(*, as_json: bool) -> None:
    """List the silences."""
    found = client.server().ask("GET", "/api/v1/silences")
    if as_json:
        output.emit_json(found)
        return
    for each in found["items"]:
        state = "active" if each["is_active"] else "over"
        labels = plain(", ".join(each["matchers"]))
        output.emit(
            f"{each['id']}  {state:6}  until {each['ends_at'][:19]}Z  {labels}: {plain(each['reason'] or '')}\n"
        )
    if not found["items"]:
        output.emit("there are no silences\n")


def map_alerts(matchers: tuple[str, ...], asked: Mapping[str, Any], *, as_json: bool) -> None:
    """Map alerts."""
    body = {"matchers": list(matchers), **{name: value for name, value in asked.items() if value is not None}}
    made = client.server().ask("POST", "/api/v1/maps", body)
    output.emit_json(made) if as_json else output.emit(f"{_map(made)}\n")


def list_maps(*, as_json: bool) -> None:
    """List the maps."""
    found = client.server().ask("GET", "/api/v1/maps")
    if as_json:
        output.emit_json(found)
        return
    for each in found["items"]:
        output.emit(f"{_map(each)}\n")
    if not found["items"]:
        output.emit("there are no maps; `andon signal list --unmapped` proposes some\n")


def _map(made: Mapping[str, Any]) -> str:
    says = ", ".join(f"{name} {made[name]}" for name in ("model_id", "incident_type", "environment") if made[name])
    return f"{made['id']}: {plain(', '.join(made['matchers']))} are about {plain(says)}"


def remove(path: str, said: str, *, as_json: bool) -> None:
    """Take a silence or a map away."""
    made = client.server().ask("DELETE", path)
    output.emit_json(made) if as_json else output.emit(f"{said}\n")


def _say_taken(taken: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.emit_json(taken)
        return
    known = ", as it was before" if taken["was_known"] else ""
    count = of_things(taken["alerts"], "alert", "alerts")
    output.emit(f"{taken['signal_id']} is taken{known}: {count}. `andon signal list` shows where they went\n")


def _read(file: str) -> bytes:
    try:
        body = sys.stdin.buffer.read(BYTES_MAX + 1) if file == STDIN else Path(file).read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read {file}: {error.strerror}; name a file, or - for standard input") from None
    if len(body) > BYTES_MAX:
        raise BadInput(f"{file} is over {BYTES_MAX >> 20} MiB: send it in parts")
    return body


def parsed(file: str) -> Any:
    """The JSON of a file."""
    try:
        return json.loads(_read(file))
    except ValueError:
        raise BadInput(f"{file} is no JSON: mend it, or name another file") from None
