"""`andon connect`: show what is proposed; nothing is registered or mapped by itself."""

from dataclasses import asdict

import yaml

from andon.bootstrap.connect import ProposedMap, look_at
from andon.bootstrap.packs import floors
from andon.interfaces.cli import output
from andon.interfaces.cli.words import of_things, plain


def prometheus(url: str, out: str | None, *, as_json: bool) -> None:
    """Propose models and maps from a Prometheus."""
    found = look_at(url, tuple(floors()))
    inventory = yaml.safe_dump_all(found.inventory(), sort_keys=False, allow_unicode=True)
    if out is not None:
        output.write(inventory, out)
    if as_json:
        output.emit_json(asdict(found))
        return
    if found.label is None:
        output.emit("no label names models (model_id, model, model_name): add one where metrics are made\n")
    else:
        count = of_things(len(found.models), "model", "models")
        output.emit(f"{count} by the label {found.label}: {plain(', '.join(found.models[:20]))}\n")
        output.emit(f"  name their owners in {out}, then: andon apply {out}\n" if out else _how(url))
    if found.label not in (None, "model_id"):
        output.emit(
            f"alerts carry {found.label}, which Andon does not take for model_id unless it is `model`: relabel\n"
        )
    output.emit(f"{of_things(len(found.mapped), 'alert rule names', 'alert rules name')} a model\n")
    for each in found.maps:
        output.emit(f"{plain(each.alert)} names none:\n  {_command(each)}\n")


def _how(url: str) -> str:
    return f"  andon connect prometheus {plain(url)} --out models.yaml writes them, for `andon apply`\n"


def _command(each: ProposedMap) -> str:
    kind = f" --type {each.incident_type}" if each.incident_type else ""
    return f"andon signal map {plain(' '.join(each.matchers))} --model {plain(each.model_id or 'MODEL')}{kind}"
