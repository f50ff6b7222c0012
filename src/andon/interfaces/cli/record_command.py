"""`andon record`: events into the ledger."""

import sys
from dataclasses import dataclass
from typing import Any

from andon.base.errors import BadInput
from andon.bootstrap.ledger import check_only, open_ledger, record_lines, record_rows
from andon.interfaces.cli import output, progress
from andon.services.record import Recorded


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
    if dry_run:
        count = check_only(asked.logs, asked.model)
        _say(
            {"events": count, "recorded": 0}, f"{count:,} events, all well formed; nothing was recorded", as_json, quiet
        )
        return
    done, note = _record(asked, quiet=quiet or as_json)
    document: dict[str, Any] = {"events": done.events, "repeated": done.repeated, "first": done.first, "end": done.end}
    document["checkpoint"] = note
    text = f"{done.events:,} events are on disk, entries {done.first:,} to {done.end - 1:,}, under a signed checkpoint"
    if done.repeated:
        text = f"{done.repeated:,} events were recorded before and are left as they are" + (
            f"; {text}" if done.events else ""
        )
    _say(document, text if done.events or done.repeated else "no events, nothing recorded", as_json, quiet)


def _record(asked: Asked, *, quiet: bool) -> tuple[Recorded, str]:
    with open_ledger(asked.data, make=True) as ledger, progress.shown(quiet=quiet, no_color=False) as report:

        def tell(done: int) -> None:
            if report is not None:
                report("recording", done, 0)

        if asked.model is not None:
            done = record_rows(ledger, asked.logs, asked.model, tell, asked.producer)
        else:
            done = record_lines(ledger, asked.logs, sys.stdin.buffer, tell, asked.producer)
        return done, ledger.log.checkpoint()[1].decode()


def _say(document: dict[str, Any], text: str, as_json: bool, quiet: bool) -> None:  # noqa: FBT001
    if as_json:
        output.emit_json(document)
    elif not quiet:
        output.emit(text + "\n")
