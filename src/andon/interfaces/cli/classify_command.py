"""`andon classify`: which type a report in words is about, and by which rule."""

import sys
from dataclasses import asdict

from andon.bootstrap.packs import load_classifier
from andon.incident.wording import TEXT_MAX
from andon.interfaces.cli import output
from andon.interfaces.cli.signal_command import reading

STDIN = "-"


def run(text: str, *, as_json: bool) -> None:
    """Classify and show."""
    found = asdict(load_classifier().read(sys.stdin.read(TEXT_MAX + 1) if text == STDIN else text))
    named = {"type": found.pop("incident_type"), **found}
    if as_json:
        output.emit_json(named)
        return
    output.emit(reading({**named, "incident_type": named["type"]}))
    if named["facts_missing"]:
        output.emit(f"not known: {'; '.join(named['facts_missing'])}\n")
