"""A log as it stands, read only: whether another process writes to it meanwhile, or nobody does."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from andon.adapters.segments.disk import Disk
from andon.adapters.segments.log import Settings
from andon.adapters.segments.recovery import Found, find_entries, find_signed
from andon.adapters.segments.segment import SegmentName, read_segment, segments_in
from andon.adapters.segments.tiles import Tiles
from andon.adapters.segments.wal import read_wal, wal_path
from andon.base.errors import Tampered
from andon.ledger.checkpoint import Verifier
from andon.ledger.entry import Entry
from andon.ledger.merkle import NodeAt

TRIES: Final = 5
"""A segment may be closed while the folder is read; then it is read again."""


@contextmanager
def stillness(folder: Path) -> Iterator[bool]:
    """Keep writers from a log's folder; False where one is there already."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDONLY)
    except FileNotFoundError:  # a copy
        yield True
        return
    try:
        is_still = False
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            is_still = True
        yield is_still
    finally:
        os.close(descriptor)


class Snapshot:
    """What a folder holds at one moment; files that come later are none of its business.

    Attributes:
        note: the stored checkpoint.
        first, closed, size: the first entry that retention kept, how many are in closed segments, how many there are.
        noted: segments whose write-ahead log still stands; their entries are read from that.
        broken_off: segments whose closing broke off before its note.
        deleted: segments that retention deleted, of which a file is still there.
        is_live: another process may write to it.
        torn: the file that a crash left half written at its end, and how many bytes; None: there is none.
    """

    def __init__(self, folder: Path, verifier: Verifier, settings: Settings, *, is_live: bool = True) -> None:
        """Read it; `is_live`: another process may write to it.

        Raises:
            Tampered: something in it is missing or damaged.
        """
        self.folder, self.settings, self.disk = folder, settings, Disk()
        self.analysis, self._verifier = settings.analysis or folder / "analysis", verifier
        self._tiles = Tiles(folder / "tiles", self.disk)
        for _ in range(TRIES - 1 if is_live else 0):
            with suppress(FileNotFoundError, Tampered):
                self._look(is_live=is_live)
                return
        self._look(is_live=is_live)

    def _look(self, *, is_live: bool) -> None:
        note, found = find_signed(self.folder, self._verifier, self._tiles)
        if note is None:
            raise Tampered(f"{self.folder / 'checkpoint'} is missing: restore it from a copy")
        self.note = note
        self.first, self.closed, self.size = found.first, found.tree.closed, found.tree.size
        self.noted, self.deleted, self._tree = found.noted, found.deleted, found.tree
        self.broken_off, self.is_live = found.broken_off, is_live
        last = found.wals[-1]
        self.torn = None if is_live or not found.torn else (last.file, last.size, len(found.torn))
        self._rows = list(_open_rows(self.folder, found))
        names = segments_in(self.folder / "evidence")
        self._names = [name for name in names if self.first <= name.first and name.end <= self.closed]

    def nodes(self) -> NodeAt:
        """The nodes of the tree, for proofs."""
        return self._tree.node

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
            if path.exists() or find_entries(self.folder, self._verifier.name, self._tiles).first < name.end:
                raise


def _open_rows(folder: Path, found: Found) -> Iterator[tuple[int, Entry]]:
    for wal in found.wals:
        if wal.count:
            content = read_wal(wal_path(folder / "wal", wal.first), wal.first, wal.start)
            yield from enumerate(content.entries[: wal.count], wal.first)
