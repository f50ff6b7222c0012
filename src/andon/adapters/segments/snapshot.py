"""A log as it stands while another process writes to it: read only, as far as it had come."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from andon.adapters.segments.disk import Disk
from andon.adapters.segments.log import Settings
from andon.adapters.segments.recovery import Found, find_entries, require_covered
from andon.adapters.segments.tiles import Tiles
from andon.adapters.segments.wal import read_wal, wal_path
from andon.base.errors import Tampered
from andon.ledger.checkpoint import Signer
from andon.ledger.entry import Entry

TRIES: Final = 5
"""A segment may be closed while the folder is read; then it is read again."""


class Snapshot:
    """What a folder holds at one moment; files that come later are none of its business."""

    is_live = True

    def __init__(self, folder: Path, signer: Signer, settings: Settings) -> None:
        """Read it.

        Raises:
            Tampered: something in it is missing or damaged.
        """
        self.folder, self.settings, self.disk = folder, settings, Disk()
        self.analysis = settings.analysis or folder / "analysis"
        for _ in range(TRIES - 1):
            with suppress(FileNotFoundError, Tampered):
                self._look(signer)
                return
        self._look(signer)

    def _look(self, signer: Signer) -> None:
        self.note = (self.folder / "checkpoint").read_bytes()
        found = find_entries(self.folder, signer.verifier.name, Tiles(self.folder / "tiles", self.disk))
        require_covered(found.tree, signer.verifier.open(self.note))
        self.first, self.closed = found.first, found.tree.closed
        self._rows = list(_open_rows(self.folder, found))

    def read(self, first: int = 0) -> Iterator[tuple[int, Entry]]:
        """The entries that are in no closed segment."""
        return (row for row in self._rows if row[0] >= first)


def _open_rows(folder: Path, found: Found) -> Iterator[tuple[int, Entry]]:
    for wal in found.wals:
        if wal.count:
            content = read_wal(wal_path(folder / "wal", wal.first), wal.first, wal.start)
            yield from enumerate(content.entries[: wal.count], wal.first)
