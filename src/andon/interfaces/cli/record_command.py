"""`andon record`: events into the ledger."""

import sys
from dataclasses import dataclass
from typing import Any

from andon.base.errors import BadInput
from andon.bootstrap.event_files import lines_of, require_event_files
from andon.bootstrap.ledger import check_only, known_before, open_ledger, record_lines, record_rows
from andon.interfaces.cli import output, progress, words
from andon.services.record import Recorded
from andon.telemetry.producer import is_name


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of the command line."""

    logs: tuple[str, ...]
    model: str | None
    data: str | None
    producer: str | None = None


def run(asked: Asked, *, as_json: bool, quiet: bool, dry_run: bool) -> None:
    """Record and say what is durable."""
    if "-" in asked.logs and (asked.model is not None or len(asked.logs) > 1 or dry_run):
        raise BadInput("standard input (-) takes events as JSON lines, alone: leave --model, --dry-run and files out")
    if asked.producer is not None and not is_name(asked.producer):
        raise BadInput("--producer is no name: write 1 to 100 letters, digits, _ . : or -, not key: at the beginning")
    if asked.model is None and "-" not in asked.logs:
        require_event_files(asked.logs)
    if dry_run:
        count = check_only(asked.logs, asked.model)
        _say(
            {"events": count, "recorded": 0}, f"{count:,} events, all well formed; nothing was recorded", as_json, quiet
        )
        return
    if asked.model is not None:
        _check_rows(asked)
    done, note, known = _record(asked, quiet=quiet or as_json)
    document: dict[str, Any] = {"events": done.events, "repeated": done.repeated, "first": done.first, "end": done.end}
    document |= {"first_id_known_as": None if known is None else known[1], "checkpoint": note}
    text = f"{_events(done.events, 'is', 'are')} on disk, entries {done.first:,} to {done.end - 1:,}"
    text += ", under a signed checkpoint"
    if done.repeated:
        text = f"{_events(done.repeated, 'was', 'were')} recorded before and left alone" + (
            f"; {text}" if done.events else ""
        )
    if known is not None and not (as_json or quiet):
        _note_known(*known)
    _say(document, text if done.events or done.repeated else "no events, nothing recorded", as_json, quiet)


def _note_known(name: str, seq: int) -> None:
    print(
        f"note: {words.plain(name)} stands in the log already, as entry {seq:,}: if these are the same decisions"
        " (another model.yaml, another producer), they are there twice now",
        file=sys.stderr,
    )


def _check_rows(asked: Asked) -> None:
    """Rows are checked whole before the first is recorded, as lines are."""
    try:
        check_only(asked.logs, asked.model)
    except BadInput as error:
        told = str(error)
        raise BadInput(told if told.endswith("nothing was recorded") else f"{told}; nothing was recorded") from None


def _record(asked: Asked, *, quiet: bool) -> tuple[Recorded, str, tuple[str, int] | None]:
    with open_ledger(asked.data, make=True) as ledger, progress.shown(quiet=quiet, no_color=False) as report:

        def tell(done: int) -> None:
            if report is not None:
                report("recording", done, 0)

        logs = tuple(dict.fromkeys(asked.logs))
        if asked.model is not None:
            done = record_rows(ledger, logs, asked.model, tell, asked.producer)
        elif "-" in logs:
            stdin = None if sys.stdin is None else sys.stdin.buffer  # a process can be started without one
            done = ledger.record.record(lines_of(stdin), ledger.ingest(), tell, asked.producer)
        else:
            done = record_lines(ledger, logs, tell, asked.producer)
        return done, ledger.log.checkpoint()[1].decode(), known_before(ledger, done)


def _events(count: int, one: str, many: str) -> str:
    return f"1 event {one}" if count == 1 else f"{count:,} events {many}"


def _say(document: dict[str, Any], text: str, as_json: bool, quiet: bool) -> None:  # noqa: FBT001
    if as_json:
        output.emit_json(document)
    elif not quiet:
        output.emit(text + "\n")
