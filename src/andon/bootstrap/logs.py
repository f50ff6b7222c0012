"""Opens the log of one writer, without all that commands over it need."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from andon.adapters.segments.closer import Child
from andon.adapters.segments.log import SegmentLog, Settings
from andon.bootstrap.signing import secret_in, signer_of

WRITER: Final = "w-main"


def open_log(folder: Path, name: str) -> SegmentLog:
    """One writer's log in a ledger's folder, whose segments another process closes."""
    return SegmentLog(folder / name, signer_of(folder, name), _now, settings=settings_of(folder, name))


def settings_of(folder: Path, name: str) -> Settings:
    """How the log of a writer is kept."""
    return Settings(
        analysis=folder.parent / "analysis" if name == WRITER else None,  # two writers' tables may have one name
        key=secret_in(folder / "pseudonym.key"),
        closer=lambda _: Child(os.environ),
    )


def _now() -> datetime:
    return datetime.now(UTC)
