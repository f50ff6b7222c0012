"""`andon model`, `andon change`, `andon apply`: ask the server, show what it says."""

from collections.abc import Mapping, Sequence
from typing import Any

from andon.base.errors import Refused
from andon.bootstrap import client
from andon.bootstrap.inventory_files import Planned, apply_plan, plan_of
from andon.interfaces.cli import options, output
from andon.interfaces.cli.words import listed, plain

PATH = "/api/v1/models"


def add(entry: Mapping[str, Any], *, as_json: bool) -> None:
    """Register a model."""
    made = client.server().ask("POST", PATH, dict(entry))
    output.emit_json(made) if as_json else output.emit(f"{plain(made['id'])} is registered\n{_lines(made)}")


def list_models(*, as_json: bool) -> None:
    """List the models."""
    found = client.server().ask("GET", PATH)
    if as_json:
        output.emit_json(found)
        return
    for each in found["items"]:
        entry = each["entry"]
        said = f"{entry['risk_class']:8} {plain(entry['owner'])}" if entry else "unregistered: andon model add"
        output.emit(f"{plain(each['id']):30}  {said}\n")
    if not found["items"]:
        output.emit("there are no models: `andon model add ID --owner NAME` registers one\n")


def show(name: str, *, as_json: bool) -> None:
    """Show a model."""
    _say(client.server().ask("GET", f"{PATH}/{client.quoted(name)}"), as_json=as_json)


def tag(name: str, version: str, evidence: str, *, as_json: bool) -> None:
    """Tag a version."""
    _say(client.server().ask("PUT", _tag(name, version), {"evidence": evidence}), as_json=as_json)


def untag(name: str, version: str, reason: str, *, as_json: bool) -> None:
    """Untag a version."""
    _say(client.server().ask("DELETE", _tag(name, version), query={"reason": reason}), as_json=as_json)


def _tag(name: str, version: str) -> str:
    return f"{PATH}/{client.quoted(name)}/known-good/{client.quoted(version)}"


def _say(made: Mapping[str, Any], *, as_json: bool) -> None:
    output.emit_json(made) if as_json else output.emit(f"{plain(made['id'])}\n{_lines(made)}")


def _lines(made: Mapping[str, Any]) -> str:
    """A model in lines: what is said of it, leaving out what is not."""
    entry = made["entry"] or {}
    lines = []
    for name, value in entry.items():
        shown = _value(value)
        if name != "id" and shown:
            lines.append(f"  {name.replace('_', ' '):17} {plain(shown)}")
    good = [each["version"] + (" (questioned)" if each["questioned_by"] else "") for each in _held(made)]
    lines.append(f"  known-good        {plain(', '.join(good)) or 'none yet: andon model tag'}")
    lines.append(f"  incidents         {', '.join(made['incidents'][-5:]) or 'none'}")
    return "".join(f"{line}\n" for line in lines)


def _held(made: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in made["known_good"] if each["lost_at"] is None]


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_value(each)}" for name, each in value.items() if each not in ((), [], "", None))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return listed([_value(each) for each in value])
    return "" if value is None else str(value)


def post_change(asked: Mapping[str, Any], at: str | None, *, as_json: bool) -> None:
    """Post a change."""
    body = {name: value for name, value in asked.items() if value is not None}
    if at is not None:
        body["at"] = options.time(at, "--at").isoformat()
    made = client.server().ask("POST", "/api/v1/changes", body)
    output.emit_json(made) if as_json else output.emit(f"{_change(made)}\n")


def list_changes(name: str | None, limit: int, *, as_json: bool) -> None:
    """List changes."""
    found = client.server().ask("GET", "/api/v1/changes", query={"model": name, "limit": limit})
    if as_json:
        output.emit_json(found)
        return
    for each in found["items"]:
        output.emit(f"{_change(each)}\n")
    if not found["items"]:
        output.emit("no change is noted: `andon change post`, or POST /api/v1/changes from CI\n")


def _change(each: Mapping[str, Any]) -> str:
    version = f" {plain(each['version'])}" if each["version"] else ""
    known = "" if each["is_registered"] else " (unregistered)"
    return f"{each['at'][:19]}Z  {plain(each['model_id'])}{known}  {each['kind']}{version}: {plain(each['what'])}"


def apply(paths: Sequence[str], *, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Show what files would change in the register, and change it when that is wanted.

    Raises:
        Refused: something would change, and nobody said yes.
    """
    planned = plan_of(paths)
    changing = [each for each in planned if each.changes]
    if as_json:
        output.emit_json({"changes": [each.document() for each in changing], "applied": yes and not dry_run})
    else:
        output.emit("".join(map(_diff, changing)) or "the register says all this already\n")
    if not changing or dry_run:
        return
    if not yes:
        raise Refused(f"nothing was applied: {len(changing)} of {len(planned)} would change; say so with --yes")
    apply_plan(changing)
    if not as_json:
        output.emit(f"applied: {len(changing)} changed, {len(planned) - len(changing)} as they were\n")


def _diff(each: Planned) -> str:
    head = f"{'+' if each.is_new else '~'} {plain(each.id)}\n"
    lines = []
    for name, before, after in each.changes:
        if not each.is_new and _value(before):
            lines.append(f"  - {name}: {plain(_value(before))}\n")
        if _value(after):
            lines.append(f"  + {name}: {plain(_value(after))}\n")
    return head + "".join(lines)
