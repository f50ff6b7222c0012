"""`andon scan`: parse what was asked, call the service, show what it found."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from andon.bootstrap.packs import load_taxonomy
from andon.bootstrap.wiring import read_model, scan_log
from andon.detect.registry import DETECTORS
from andon.incident.document import to_document
from andon.incident.scan import Scan
from andon.interfaces.cli import options, output, progress, scan_text
from andon.inventory.model import Model

STDOUT = "-"
LEDGER = "ledger:"
"""In the place of a log: what `andon record` kept."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of the command line."""

    logs: tuple[str, ...]
    model: str
    reference: str | None
    json: str | None
    every: str | None
    now: str | None


def run(asked: Asked, *, strict: bool, quiet: bool, no_color: bool) -> bool:
    """Scan and show; says whether an incident was found."""
    every = None if asked.every is None else options.length(asked.every, "--every")
    now = None if asked.now is None else options.time(asked.now, "--now")
    if asked.json not in (None, STDOUT):
        inputs = (*asked.logs, asked.model, *([] if asked.reference is None else [asked.reference]))
        output.require_place(asked.json, inputs)
    model = read_model(asked.model, strict=strict)
    with progress.shown(quiet=quiet, no_color=no_color) as report, _logs(asked, model) as logs:
        scan = scan_log(logs, model, asked.reference, every=every, now=now, progress=report)
    _write(asked, scan)
    if not quiet:
        _warn(scan, no_color=no_color)
        _show(asked, scan, model, no_color=no_color)
    return bool(scan.incidents)


@contextmanager
def _logs(asked: Asked, model: Model) -> Iterator[Sequence[str]]:
    """The files to scan; the ledger is written out as one for as long as the scan runs."""
    if asked.logs != (LEDGER,):
        yield asked.logs
        return
    from andon.bootstrap.ledger import ledger_rows  # noqa: PLC0415  # a scan of files needs no ledger

    with ledger_rows(model) as path:
        yield [str(path)]


def _write(asked: Asked, scan: Scan) -> None:
    if asked.json == STDOUT:
        output.emit_json(to_document(scan))
    elif asked.json is not None:
        output.write_json(to_document(scan), asked.json)


def _warn(scan: Scan, *, no_color: bool) -> None:
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
        logs=asked.logs,
        command=_command(asked),
        written=asked.json,
    )
    output.print_on(output.console(no_color=no_color), scan_text.Page(scan, frame).draw)


def _command(asked: Asked) -> tuple[str, ...]:
    """The words that would ask for the same scan again."""
    given = (("--reference", asked.reference), ("--every", asked.every), ("--now", asked.now))
    options_given = [word for option, value in given if value is not None for word in (option, value)]
    return ("andon", "scan", *asked.logs, "--model", asked.model, *options_given)
