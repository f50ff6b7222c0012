"""`andon scan`: parse what was asked, call the service, show what it found."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from andon.base import address
from andon.base.errors import BadInput
from andon.bootstrap.packs import load_taxonomy
from andon.bootstrap.wiring import Labels, ScanRequest, read_model, scan_models
from andon.detect.registry import DETECTORS
from andon.incident.document import Document, to_document, to_scans
from andon.incident.scan import Scan
from andon.interfaces.cli import options, output, progress, scan_text, words
from andon.inventory.model import Model

STDOUT = "-"


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of the command line."""

    logs: tuple[str, ...]
    model: str
    reference: str | None
    json: str | None
    every: str | None
    now: str | None
    labels: str | None = None
    on: str | None = None
    model_id: str | None = None

    def is_one(self, model: Model) -> bool:
        """Whether the result is of one model, whatever the log holds."""
        return model.columns.model is None or self.model_id is not None


def run(asked: Asked, *, strict: bool, quiet: bool, no_color: bool) -> bool:
    """Scan and show; says whether an incident was found."""
    every = None if asked.every is None else options.length(asked.every, "--every")
    now = None if asked.now is None else options.time(asked.now, "--now")
    if asked.json not in (None, STDOUT):
        inputs = (*asked.logs, asked.model, *(each for each in (asked.reference, asked.labels) if each is not None))
        output.require_place(asked.json, inputs)
    if asked.on is not None and asked.labels is None:
        raise BadInput(f"--on {asked.on} joins labels, and none are named: add --labels outcomes.csv")
    labels = None if asked.labels is None else Labels(asked.labels, asked.on)
    model = read_model(asked.model, strict=strict)
    with progress.shown(quiet=quiet, no_color=no_color) as report:
        request = ScanRequest(asked.logs, asked.reference, labels, asked.model_id, every, now)
        scans = scan_models(request, model, report)
    _write(asked, to_document(scans[0]) if asked.is_one(model) else to_scans(scans))
    if not quiet:
        for scan in scans:
            _warn(scan, scans, no_color=no_color)
            _show(asked, scan, replace(model, id=scan.model_id), no_color=no_color)
    return any(scan.incidents for scan in scans)


def _write(asked: Asked, document: Document) -> None:
    if asked.json == STDOUT:
        output.emit_json(document)
    elif asked.json is not None:
        output.write_json(document, asked.json)


def _warn(scan: Scan, scans: Sequence[Scan], *, no_color: bool) -> None:
    if len(scans) > 1 and scan.warnings:
        print(f"Of {words.plain(scan.model_id)}:", file=sys.stderr)
    stderr = output.console(no_color=no_color, stderr=True)
    for warning in scan.warnings:
        stderr.print(scan_text.warning_line(warning))


def _show(asked: Asked, scan: Scan, model: Model, *, no_color: bool) -> None:
    if asked.json == STDOUT:
        return
    frame = scan_text.Frame(
        model=model,
        titles=load_taxonomy().titles(),
        detectors=len(DETECTORS),
        logs=tuple(address.shown(log) for log in asked.logs),
        command=_command(asked),
        written=asked.json,
    )
    output.print_on(output.console(no_color=no_color), scan_text.Page(scan, frame).draw)


def _command(asked: Asked) -> tuple[str, ...]:
    """The words that would ask for the same scan again."""
    given = (
        ("--reference", asked.reference),
        ("--labels", asked.labels),
        ("--on", asked.on),
        ("--model-id", asked.model_id),
        ("--every", asked.every),
        ("--now", asked.now),
    )
    options_given = [word for option, value in given if value is not None for word in (option, value)]
    return tuple(address.shown(word) for word in ("andon", "scan", *asked.logs, "--model", asked.model, *options_given))
