"""Reads a write-ahead log file: the chained groups, and what a crash left behind them."""

from dataclasses import dataclass
from pathlib import Path

from andon.base.errors import Tampered
from andon.ledger.entry import Entry
from andon.ledger.group import decode_group, find_group


@dataclass(frozen=True, slots=True)
class WalContent:
    """What a file holds: entries, the last group's hash, where it ends, and the torn bytes after that."""

    entries: list[Entry]
    last_hash: bytes
    end: int
    torn: bytes


def wal_path(folder: Path, first: int) -> Path:
    """The file that starts with entry `first`."""
    return folder / f"{first:020d}.wal"


def read_wal(path: Path, first: int, start: bytes) -> WalContent:
    """Follow the chain of groups from `start`.

    Raises:
        Tampered: a damaged group has whole ones behind it, or a group does not follow the one before it.
    """
    data = path.read_bytes()
    entries: list[Entry] = []
    at, last = 0, start
    while at < len(data):
        group = decode_group(data, at)
        expected = first + len(entries)
        if group is None:
            later = find_group(data, at + 1, expected)
            if later is not None:
                raise Tampered(
                    f"{path.name} is damaged at byte {at}, entry {expected}; whole groups follow at byte {later}:"
                    " nothing was cut; restore the file from a copy"
                )
            break
        if group.first != expected or group.previous != last:
            raise Tampered(f"the group at byte {at} of {path.name} does not follow entry {expected - 1}")
        entries.extend(group.entries)
        at, last = group.end, group.hash
    return WalContent(entries, last, at, data[at:])
