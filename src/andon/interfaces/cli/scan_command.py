"""`andon scan`: parse what was asked, call the service, show what it found."""

from dataclasses import dataclass, replace

from andon.base.errors import BadInput
from andon.bootstrap.packs import load_taxonomy
from andon.bootstrap.wiring import read_model, scan_log
from andon.detect.registry import DETECTORS
from andon.incident.document import to_document
from andon.incident.scan import Scan
from andon.interfaces.cli import options, output, progress, scan_text
from andon.interfaces.cli.page.write import write_page
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
    html: str | None = None


def run(asked: Asked, *, strict: bool, quiet: bool, no_color: bool) -> bool:
    """Scan and show; says whether an incident was found."""
    every = None if asked.every is None else options.length(asked.every, "--every")
    now = None if asked.now is None else options.time(asked.now, "--now")
    _require_places(asked)
    model = read_model(asked.model, strict=strict)
    with progress.shown(quiet=quiet, no_color=no_color) as report:
        scan = scan_log(
            asked.logs, model, asked.reference, every=every, now=now, illustrate=asked.html is not None, progress=report
        )
    frame, failed = _write(asked, scan, _frame(asked, model))
    if not quiet:
        _warn(scan, no_color=no_color)
        _show(asked, scan, frame, no_color=no_color)
    if failed is not None:
        raise failed
    return bool(scan.incidents)


def _require_places(asked: Asked) -> None:
    """Refuse, before the work is done, what could not be written afterwards."""
    inputs = (*asked.logs, asked.model, *([] if asked.reference is None else [asked.reference]))
    if asked.html == STDOUT:
        raise BadInput("--html - names no file: write the page to a file, such as --html scan.html")
    if asked.html is not None and asked.json is not None and output.same_place(asked.html, asked.json):
        raise BadInput(f"--html and --json would both write {asked.html}: name two files")
    for option, path in (("--json", asked.json), ("--html", asked.html)):
        if path not in (None, STDOUT):
            output.require_place(path, inputs, option)


def _write(asked: Asked, scan: Scan, frame: scan_text.Frame) -> tuple[scan_text.Frame, BadInput | None]:
    """Write the files that were asked for; what could not be written is said after the result, never in its place.

    Gives the frame with the files that are there, and the first failure.
    """
    failed: BadInput | None = None
    if asked.json == STDOUT:
        output.emit_json(to_document(scan))
    elif asked.json is not None:
        try:
            output.write_json(to_document(scan), asked.json)
        except BadInput as error:
            frame, failed = replace(frame, written=None), error
    if asked.html is not None:
        try:
            write_page(scan, frame, asked.html)
        except BadInput as error:
            frame, failed = replace(frame, page=None), failed or error
    return frame, failed


def _warn(scan: Scan, *, no_color: bool) -> None:
    stderr = output.console(no_color=no_color, stderr=True)
    for warning in scan.warnings:
        stderr.print(scan_text.warning_line(warning))


def _show(asked: Asked, scan: Scan, frame: scan_text.Frame, *, no_color: bool) -> None:
    if asked.json != STDOUT:
        output.print_on(output.console(no_color=no_color), scan_text.Page(scan, frame).draw)


def _frame(asked: Asked, model: Model) -> scan_text.Frame:
    return scan_text.Frame(
        model=model,
        titles=load_taxonomy().titles(),
        detectors=len(DETECTORS),
        logs=asked.logs,
        command=_command(asked),
        written=asked.json,
        page=asked.html,
    )


def _command(asked: Asked) -> tuple[str, ...]:
    """The words that would ask for the same scan again."""
    given = (("--reference", asked.reference), ("--every", asked.every), ("--now", asked.now))
    options_given = [word for option, value in given if value is not None for word in (option, value)]
    return ("andon", "scan", *asked.logs, "--model", asked.model, *options_given)
