"""Opens the log of one writer, without all that commands over it need."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from andon.adapters.segments.closer import Children
from andon.adapters.segments.log import SegmentLog, Settings
from andon.base.errors import NotFound, Tampered
from andon.bootstrap.signing import secret_in, signer_of
from andon.services.audit import OtherLog

WRITER: Final = "w-main"
JOURNAL: Final = "journal"
"""The log of the journal, beside those of the writers."""


def open_log(folder: Path, name: str) -> SegmentLog:
    """One writer's log in a ledger's folder, whose segments other processes close."""
    return SegmentLog(folder / name, signer_of(folder, name), _now, settings=settings_of(folder, name))


def writers_in(folder: Path) -> list[str]:
    """The writers' logs in a ledger's folder; one that was never written to is none."""
    return sorted(place.parent.name for place in folder.glob("w-*/checkpoint"))


def require_log(folder: Path, name: str) -> Path:
    """The folder of a log that is there.

    Raises:
        NotFound: there is no such log.
    """
    known = sorted(place.name for place in folder.glob("w-*"))
    if name not in known:
        others = f"name one of {', '.join(known)} with --log" if known else "restore it from a copy"
        raise NotFound(f"there is no log {name} in {folder}: {others}")
    return folder / name


def logs_beside(folder: Path, but: str) -> list[OtherLog]:
    """The newest checkpoints of the logs in a ledger's folder, all `but` one.

    One that is not well signed stands there as it is, with a size of 0: to say so is not for who seals another log.
    """
    found = []
    for name in writers_in(folder):
        if name == but:
            continue
        verifier, note = signer_of(folder, name).verifier, (folder / name / "checkpoint").read_bytes()
        try:
            size = verifier.open(note).size
        except Tampered:
            size = 0
        found.append(OtherLog(verifier.name, size, note.decode(errors="replace")))
    return found


def settings_of(folder: Path, name: str) -> Settings:
    """How the log of a writer is kept."""
    return Settings(
        analysis=folder.parent / "analysis" if name == WRITER else None,  # two writers' tables may have one name
        key=secret_in(folder / "pseudonym.key", "w-*"),
        closer=lambda _: Children(os.environ),
    )


def _now() -> datetime:
    return datetime.now(UTC)
