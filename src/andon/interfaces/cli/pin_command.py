"""Pins a scan with what it was computed from, and computes it again: findings from summaries, charts from figures."""

import json
import re
from pathlib import Path
from typing import Any

from andon.base.errors import BadInput, Tampered
from andon.bootstrap.packs import load_taxonomy
from andon.bootstrap.pin import FORMAT, Memory, Pin, read_pin, write_pin
from andon.incident.document import to_document
from andon.incident.scan import Scan
from andon.interfaces.cli import output, words
from andon.interfaces.cli.page.render import render
from andon.interfaces.cli.scan_text import Frame
from andon.inventory.model import Model

_SVG = re.compile(r"<svg\b.*?</svg>", re.DOTALL)


def write(path: str, said: tuple[str, dict[str, Any]], memory: Memory) -> None:
    """Write the pin of a scan: its model file, its document, what it saw; and try whether it can be done again."""
    pin = _pin_of(said, memory)
    again = pin.scan()
    _require_same(said[1], again)
    write_pin(Path(path), {**pin.members, **charts_of(again, pin.model())})


def write_untried(path: Path, said: tuple[str, dict[str, Any]], memory: Memory, scan: Scan) -> None:
    """As `write`, without scanning again, with the charts of the scan itself."""
    pin = _pin_of(said, memory)
    write_pin(path, {**pin.members, **charts_of(scan, pin.model())})


def _pin_of(said: tuple[str, dict[str, Any]], memory: Memory) -> Pin:
    model_file, document = said
    return Pin(
        {
            "scan.json": _bytes(document),
            "model.yaml": Path(model_file).read_bytes(),
            "setting.json": _bytes({"format": FORMAT, **memory.setting}),
            "observed.json": _bytes(memory.document()),
        }
    )


def charts_of(scan: Scan, model: Model) -> dict[str, bytes]:
    """The pictures of a scan's page, each as a file of its own."""
    frame = Frame(model, load_taxonomy().titles(), (), ("andon",))
    found = _SVG.findall(render((scan, frame)))
    return {f"chart-{number:03d}.svg": svg.encode() for number, svg in enumerate(found)}


def recompute(file: str, *, as_json: bool) -> None:
    """Compute every finding of a pin or bundle again, draw every chart again, and compare.

    Raises:
        Tampered: one of them is another.
    """
    pin = read_pin(Path(file))
    again, document = pin.scan(), pin.json("scan.json")
    _require_same(document, again)
    drawn = charts_of(again, pin.model())
    for name in sorted(drawn.keys() | pin.charts.keys()):
        if drawn.get(name) != pin.charts.get(name):
            raise Tampered(f"{name} in {file} is not the chart that the pinned summaries give")
    findings = sum(len(each["findings"]) for each in document["incidents"])
    if as_json:
        output.emit_json({"recomputed": file, "ok": True, "findings": findings, "charts": len(drawn)})
        return
    told = words.of_things(findings, "finding", "findings")
    output.emit(f"OK: {told} and {words.of_things(len(drawn), 'chart', 'charts')} come out as they were pinned\n")


def _require_same(document: dict[str, Any], scan: Scan) -> None:
    made = json.loads(json.dumps(to_document(scan)))
    for key in ("model_id", "rows", "period", "evaluations", "incidents"):
        if key not in document:
            raise BadInput(f"the pinned scan has no {key}: it is no andon.scan/1")
        if document[key] != made[key]:
            raise Tampered(
                f"the pinned {key} are not those that the pinned summaries give: {_first(document, made, key)}"
            )


def _first(document: dict[str, Any], made: dict[str, Any], key: str) -> str:
    if key != "incidents" or len(document[key]) != len(made[key]):
        return f"{str(document[key])[:100]} against {str(made[key])[:100]}"
    number, (old, new) = next(
        (i, pair) for i, pair in enumerate(zip(document[key], made[key], strict=True)) if pair[0] != pair[1]
    )
    name = next(name for name in old if old[name] != new.get(name))
    return f"{name} of incident {number + 1}"


def _bytes(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
