"""`andon scan`: parse what was asked, call the service, show what it found."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from andon.base import address
from andon.base.errors import BadInput
from andon.bootstrap import client
from andon.bootstrap.guessing import guess_model
from andon.bootstrap.model_files import read_model
from andon.bootstrap.packs import load_taxonomy
from andon.bootstrap.pin import Memory
from andon.bootstrap.send import send_scan
from andon.bootstrap.wiring import Labels, ScanRequest, scan_models
from andon.incident.document import Document, to_document, to_scans
from andon.incident.scan import Scan, Warning  # noqa: A004  # the contract's word
from andon.interfaces.cli import guess_words, options, output, pin_command, progress, scan_text, words
from andon.interfaces.cli.page.write import write_page
from andon.inventory.guess import Guess
from andon.inventory.model import Model
from andon.inventory.model_file import parse_model

STDOUT = "-"
LEDGER = "ledger:"
"""In the place of a log: what `andon record` kept."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of the command line."""

    logs: tuple[str, ...]
    model: str | None
    reference: str | None
    json: str | None
    every: str | None
    now: str | None
    html: str | None = None
    labels: str | None = None
    on: str | None = None
    model_id: str | None = None
    pin: str | None = None
    send: bool = False

    def is_one(self, model: Model) -> bool:
        """Whether the result is of one model, whatever the log holds."""
        return model.columns.model is None or self.model_id is not None


@dataclass(frozen=True, slots=True)
class _Pinned:
    """The file that declares the model, and what the scan saw."""

    model_file: str
    memory: Memory


_Framed = Sequence[tuple[Scan, scan_text.Frame]]
"""Each scan with what its page needs."""


def run(asked: Asked, *, strict: bool, quiet: bool, no_color: bool) -> bool:
    """Scan and show; says whether an incident was found."""
    every = None if asked.every is None else options.length(asked.every, "--every")
    now = None if asked.now is None else options.time(asked.now, "--now")
    _require_places(asked)
    labels = _labels(asked)
    model, guess = _model(asked, strict=strict)
    guessed = () if guess is None else guess_words.warnings(guess)
    for option, path in (("--pin", asked.pin), ("--send", asked.send or None)):
        if path is not None and not asked.is_one(model):
            raise BadInput(f"{option} is about one model, and the log is one of several: name it with --model-id")
    memory = Memory(wants_figures=asked.send) if asked.pin is not None or asked.send else None
    with progress.shown(quiet=quiet, no_color=no_color) as report, _logs(asked, model) as logs:
        is_drawn = asked.html is not None or memory is not None
        request = ScanRequest(
            logs, asked.reference, labels, asked.model_id, every, now, illustrate=is_drawn, memory=memory
        )
        scans = tuple(
            replace(scan, warnings=(*guessed, *scan.warnings)) for scan in scan_models(request, model, report)
        )
    document = to_document(scans[0]) if asked.is_one(model) else to_scans(scans)
    framed, failed = _write(asked, _framed(asked, model, scans), document)
    pinned = _pinned(asked, document, memory, request)
    if quiet and guess is not None:
        print(guess_words.line(guess), file=sys.stderr)
    if not quiet:
        told = _warn_of_all(scans, no_color=no_color)
        for scan, frame in framed:
            _warn(scan, scans, told, no_color=no_color)
            _show(asked, scan, frame, no_color=no_color)
    if failed is not None:
        raise failed
    if pinned is not None and asked.send:
        _send(asked, document, pinned, quiet=quiet or asked.json == STDOUT)
    return any(scan.incidents for scan in scans)


def _labels(asked: Asked) -> Labels | None:
    """The labels that live elsewhere."""
    if asked.on is not None and asked.labels is None:
        raise BadInput(f"--on {asked.on} joins labels, and none are named: add --labels outcomes.csv")
    if asked.on == "":
        raise BadInput("--on names no column, its name is empty: name the column that log and labels share")
    return None if asked.labels is None else Labels(asked.labels, asked.on)


def _pinned(asked: Asked, document: Document, memory: Memory | None, request: ScanRequest) -> _Pinned | None:
    """What the scan saw, and the file that it was written to where that was asked for."""
    if memory is None or asked.model is None:
        return None
    memory.setting |= {"every_seconds": None if request.every is None else request.every.total_seconds()}
    memory.setting |= {"now": None if request.now is None else request.now.isoformat()}
    if asked.pin is not None:
        pin_command.write(asked.pin, (asked.model, document), memory)
    return _Pinned(asked.model, memory)


def _send(asked: Asked, document: Document, pinned: _Pinned, *, quiet: bool) -> None:
    """Send what was found, after it was shown: a server that is away takes nothing from the result."""
    with tempfile.TemporaryDirectory(prefix="andon-send-") as folder:
        pin = Path(folder) / "scan.pin"
        pin_command.write(str(pin), (pinned.model_file, document), pinned.memory)
        read = tuple(each for each in (*asked.logs, asked.reference, asked.labels) if each is not None)
        sent = send_scan(
            document, pinned.memory.figures, read, pin, from_ledger=asked.logs == (LEDGER,), server=client.server()
        )
    if quiet:
        return
    seal = f", sealed as {sent.answer['seal_id']}" if sent.answer.get("seal_id") else ""
    where = f" It belongs to {words.listed(sent.incidents)}." if sent.incidents else ""
    output.emit(f"Sent as {sent.answer['signal_id']}{seal}.{where}\n")


def _model(asked: Asked, *, strict: bool) -> tuple[Model, Guess | None]:
    """The declared model; without a file the guessed one, and what was guessed."""
    if asked.model is not None:
        return read_model(asked.model, strict=strict), None
    if asked.logs == (LEDGER,):
        raise BadInput("ledger: holds the decisions of models by name: say which one with --model model.yaml")
    guess = guess_model(asked.logs)
    return parse_model(guess.content()), guess


@contextmanager
def _logs(asked: Asked, model: Model) -> Iterator[Sequence[str]]:
    """The files to scan; the ledger is written out as one for as long as the scan runs."""
    if asked.logs != (LEDGER,):
        yield asked.logs
        return
    from andon.bootstrap.ledger import ledger_rows  # noqa: PLC0415  # a scan of files needs no ledger

    with ledger_rows(model) as path:
        yield [str(path)]


def _require_places(asked: Asked) -> None:
    """Refuse, before the work is done, what could not be written afterwards."""
    named = (asked.model, asked.reference, asked.labels)
    inputs = (*asked.logs, *(each for each in named if each is not None))
    if asked.html == STDOUT:
        raise BadInput("--html - names no file: write the page to a file, such as --html scan.html")
    if asked.send:
        client.server()
    _require_pinnable(asked)
    for option, path in (("--json", asked.json), ("--html", asked.html), ("--pin", asked.pin)):
        if path not in (None, STDOUT):
            output.require_place(path, inputs, option)
    if asked.html is not None and asked.json is not None and output.same_place(asked.html, asked.json):
        raise BadInput(f"--html and --json would both write {asked.html}: name two files")


def _require_pinnable(asked: Asked) -> None:
    if (asked.pin is not None or asked.send) and asked.model is None:
        option = "--send" if asked.send else "--pin"
        raise BadInput(f"{option} keeps the model file too: name it with --model (`andon init` writes one)")
    if asked.pin == STDOUT:
        raise BadInput("--pin - names no file: write the pin to a file, such as --pin scan.pin")
    if asked.pin is not None:
        output.require_file(asked.pin, "--pin")


def _write(asked: Asked, framed: _Framed, document: Document) -> tuple[_Framed, BadInput | None]:
    """Write the files that were asked for; what could not be written is said after the result, never in its place.

    Gives the scans with frames that name the files that are there, and the first failure.
    """
    failed: BadInput | None = None
    if asked.json == STDOUT:
        output.emit_json(document)
    elif asked.json is not None:
        try:
            output.write_json(document, asked.json)
        except BadInput as error:
            framed, failed = [(scan, replace(frame, written=None)) for scan, frame in framed], error
    if asked.html is not None:
        try:
            write_page(framed, asked.html)
        except BadInput as error:
            framed, failed = [(scan, replace(frame, page=None)) for scan, frame in framed], failed or error
    return framed, failed


def _warn_of_all(scans: Sequence[Scan], *, no_color: bool) -> frozenset[Warning]:
    """Say once what is to be said of each of several models."""
    first, *others = scans
    shared = [each for each in first.warnings if others and all(each in scan.warnings for scan in others)]
    _print_warnings(shared, no_color=no_color)
    return frozenset(shared)


def _warn(scan: Scan, scans: Sequence[Scan], told: frozenset[Warning], *, no_color: bool) -> None:
    warnings = [each for each in scan.warnings if each not in told]
    if len(scans) > 1 and warnings:
        print(f"Of {words.plain(words.named(scan.model_id))}:", file=sys.stderr)
    _print_warnings(warnings, no_color=no_color)


def _print_warnings(warnings: Sequence[Warning], *, no_color: bool) -> None:
    stderr = output.console(no_color=no_color, stderr=True)
    for warning in warnings:
        stderr.print(scan_text.warning_line(warning))


def _show(asked: Asked, scan: Scan, frame: scan_text.Frame, *, no_color: bool) -> None:
    if asked.json != STDOUT:
        output.print_on(output.console(no_color=no_color), scan_text.Page(scan, frame).draw)


def _framed(asked: Asked, model: Model, scans: Sequence[Scan]) -> _Framed:
    return [(scan, _frame(asked, replace(model, id=scan.model_id))) for scan in scans]


def _frame(asked: Asked, model: Model) -> scan_text.Frame:
    return scan_text.Frame(
        model=model,
        titles=load_taxonomy().titles(),
        logs=tuple(address.shown(log) for log in asked.logs),
        command=_command(asked),
        written=asked.json,
        page=asked.html,
    )


def _command(asked: Asked) -> tuple[str, ...]:
    """The words that would ask for the same scan again."""
    given = (
        ("--model", asked.model),
        ("--reference", asked.reference),
        ("--labels", asked.labels),
        ("--on", asked.on),
        ("--model-id", asked.model_id),
        ("--every", asked.every),
        ("--now", asked.now),
    )
    options_given = [word for option, value in given if value is not None for word in (option, value)]
    logs = (f"./{log}" if log.startswith("-") else log for log in asked.logs)
    return tuple(address.shown(word) for word in ("andon", "scan", *logs, *options_given))
