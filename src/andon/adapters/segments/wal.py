"""Reads a write-ahead log file: the chained groups, and what a crash left behind them."""

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from andon.adapters.segments.disk import files_in
from andon.base.errors import Tampered
from andon.ledger.entry import Entry
from andon.ledger.group import HEAD_BYTES, Group, decode_group, find_group, group_bytes


@dataclass(frozen=True, slots=True)
class WalContent:
    """What a file holds: entries, their leaves, the last group's hash, where it ends, and the torn bytes after that."""

    entries: list[Entry]
    leaves: list[bytes]
    last_hash: bytes
    end: int
    torn: bytes


NAME_DIGITS: Final = 20
Mark = tuple[int, int, bytes]
"""Where a group stands: its first entry, its byte in the file, the hash of the group before."""
MARKS: Final = 128
"""So many of the last groups of an open file are known by their place: who follows a log reads its end only."""


@dataclass(slots=True)
class Wal:
    """A file that is open, or waits to be closed: its first entry, how many it holds, its bytes, what it began on."""

    first: int
    start: bytes
    count: int = 0
    size: int = 0
    last: bytes = field(init=False)
    marks: "deque[Mark]" = field(default_factory=lambda: deque(maxlen=MARKS))

    @property
    def file(self) -> str:
        """Its name."""
        return wal_path(Path(), self.first).name

    def mark(self, seq: int) -> "Mark":
        """Where to read from for entry `seq` and what follows."""
        return next((mark for mark in reversed(list(self.marks)) if mark[0] <= seq), (self.first, 0, self.start))

    def __post_init__(self) -> None:
        self.last = self.start

    @property
    def end(self) -> int:
        return self.first + self.count


def wal_path(folder: Path, first: int) -> Path:
    """The file that starts with entry `first`."""
    return folder / f"{first:0{NAME_DIGITS}d}.wal"


def wals_in(folder: Path) -> list[int]:
    """The first entries of the files, in order.

    Raises:
        Tampered: a file has no name of one.
    """
    found = []
    for path in files_in(folder, ".wal"):
        if not (path.stem.isascii() and path.stem.isdigit() and len(path.stem) == NAME_DIGITS):
            raise Tampered(f"{path} is no name of a write-ahead log: move it out of the folder")
        found.append(int(path.stem))
    if found and found[-1] >= 1 << 63:
        raise Tampered(f"{found[-1]}.wal in {folder} is no name of a write-ahead log: move it out of the folder")
    return sorted(found)


def read_wal(path: Path, first: int, start: bytes, offset: int = 0) -> WalContent:
    """Follow the chain of groups from `start`; `offset` is where in the file the group of entry `first` stands.

    Raises:
        Tampered: a damaged group has whole ones behind it, or a group does not follow the one before it.
    """
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        data = file.read()
    entries: list[Entry] = []
    leaves: list[bytes] = []
    at, last = 0, start
    while at < len(data):
        group = decode_group(data, at)
        expected = first + len(entries)
        if group is None:
            later = find_group(data, at + 1, expected)
            if later is not None:
                raise Tampered(
                    f"{path.name} is damaged at byte {offset + at}, entry {expected}; whole groups follow at byte"
                    f" {offset + later}: nothing was cut; restore the file from a copy"
                )
            break
        if group.first != expected or group.previous != last:
            raise Tampered(f"the group at byte {offset + at} of {path.name} does not follow entry {expected - 1}")
        entries.extend(group.entries())
        leaves.extend(group.leaves)
        at, last = group.end, group.hash
    return WalContent(entries, leaves, last, offset + at, data[at:])


def groups_of(path: Path, first: int, start: bytes) -> Iterator[Group]:
    """The groups of a file that was written whole, one at a time.

    Raises:
        Tampered: it is not as it was written.
    """
    at, last, expected = 0, start, first
    with path.open("rb", buffering=0) as file:
        end = os.fstat(file.fileno()).st_size
        while at < end:
            head = os.pread(file.fileno(), HEAD_BYTES, at)
            size = min(group_bytes(head), end - at) if len(head) == HEAD_BYTES else 0
            group = decode_group(os.pread(file.fileno(), size, at), 0)
            if group is None or group.first != expected or group.previous != last:
                raise Tampered(f"{path.name} is damaged at entry {expected}: restore the file from a copy")
            yield group
            at, last, expected = at + size, group.hash, expected + len(group.headers)
