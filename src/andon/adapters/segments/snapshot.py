"""A log as it stands while another process writes to it: read only, as far as it had come."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from andon.adapters.segments.disk import Disk
from andon.adapters.segments.log import Settings
from andon.adapters.segments.recovery import Found, find_entries, require_covered
from andon.adapters.segments.segment import SegmentName, read_segment, segments_in
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
        self.analysis, self._origin = settings.analysis or folder / "analysis", signer.verifier.name
        for _ in range(TRIES - 1):
            with suppress(FileNotFoundError, Tampered):
                self._look(signer)
                return
        self._look(signer)

    def _look(self, signer: Signer) -> None:
        self.note = (self.folder / "checkpoint").read_bytes()
        found = self._find()
        require_covered(found.tree, signer.verifier.open(self.note))
        self.first, self.closed = found.first, found.tree.closed
        self._rows = list(_open_rows(self.folder, found))
        names = segments_in(self.folder / "evidence")
        self._names = [name for name in names if self.first <= name.first and name.end <= self.closed]

    def read(self, first: int = 0) -> Iterator[tuple[int, Entry]]:
        """The entries from `first` on, in order; what retention deletes while they are read is left out.

        Raises:
            Tampered: a file is damaged, or missing though nothing says that it was deleted.
        """
        for name in self._names:
            if name.end > first:
                yield from (row for row in self._segment(name) if row[0] >= first)
        yield from (row for row in self._rows if row[0] >= first)

    def _segment(self, name: SegmentName) -> Iterator[tuple[int, Entry]]:
        path = self.folder / "evidence" / name.file
        try:
            yield from ((seq, entry) for seq, _, entry in read_segment(path, name))
        except Tampered:
            if path.exists() or self._find().first < name.end:
                raise

    def _find(self) -> Found:
        return find_entries(self.folder, self._origin, Tiles(self.folder / "tiles", self.disk))


def _open_rows(folder: Path, found: Found) -> Iterator[tuple[int, Entry]]:
    for wal in found.wals:
        if wal.count:
            content = read_wal(wal_path(folder / "wal", wal.first), wal.first, wal.start)
            yield from enumerate(content.entries[: wal.count], wal.first)
