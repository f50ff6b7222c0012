"""One writer's log in a folder: append with one fsync per batch, sign checkpoints, close segments, recover."""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Self

from andon.adapters.segments.disk import Disk
from andon.adapters.segments.segment import (
    SegmentName,
    encode_segment,
    file_sha256,
    holds_rows,
    read_segment,
    segment_table,
    segments_in,
)
from andon.adapters.segments.tiles import Tiles, tree_of
from andon.adapters.segments.wal import read_wal, wal_path
from andon.base.errors import Refused, Tampered, Unavailable
from andon.ledger.checkpoint import Checkpoint, Signer
from andon.ledger.entry import Entry, make_entry
from andon.ledger.group import encode_group, start_hash
from andon.ledger.merkle import Frontier, NodeAt, leaf_hash, subtrees

SEGMENT_ENTRIES = 65_536
SEGMENT_BYTES = 64 << 20
GROUP_ENTRIES = 10_000
FOLDERS = ("wal", "tiles", "evidence", "quarantine")

Now = Callable[[], datetime]


class SegmentLog:
    """A log that one process at a time may write.

    An entry is acknowledged when `append` returns. After an error of the disk the log is poisoned: it takes nothing
    more, and the next opening recovers what is durable.
    """

    def __init__(self, folder: Path, signer: Signer, now: Now, disk: Disk | None = None, *, segment: int = 0) -> None:
        """Open and recover; `segment` lowers the number of entries per segment, for tests."""
        self.folder, self.signer, self._now = folder, signer, now
        self.disk = disk or Disk()
        self.segment_entries = segment or SEGMENT_ENTRIES
        for name in FOLDERS:
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _lock(folder / "lock")
        self._poisoned = False
        self._tiles = Tiles(folder / "tiles", self.disk)
        self._frontier = Frontier()
        self._open: list[Entry] = []
        self._leaves: list[bytes] = []
        self._bytes, self._last = 0, b""
        self._nodes: dict[tuple[int, int], bytes] = {}
        with ExitStack() as undo:
            undo.callback(os.close, self._lock)
            self._recover()
            undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def origin(self) -> str:
        """The name of the log in its checkpoints."""
        return self.signer.verifier.name

    @property
    def size(self) -> int:
        """How many entries are durable."""
        return self._frontier.size

    @property
    def closed(self) -> int:
        """How many of them are in closed segments."""
        return self.size - len(self._leaves)

    def append(self, entries: Sequence[Entry]) -> int:
        """Make entries durable, in order; returns the sequence number of the first.

        Raises:
            Unavailable: the disk failed or is full; none, some or all of them may be there after the next opening.
        """
        first, at = self.size, 0
        while at < len(entries):
            room = self.segment_entries - self.size % self.segment_entries  # a segment crosses no multiple of its size
            group = entries[at : at + min(GROUP_ENTRIES, room)]
            self._append_group(group)
            at += len(group)
            if len(group) == room or self._bytes >= SEGMENT_BYTES:
                self.close_segment()
        return first

    def checkpoint(self) -> tuple[Checkpoint, bytes]:
        """Sign and store a checkpoint over all that is durable; returns it and its note."""
        self._require_sound()
        found = Checkpoint(self.origin, self.size, self._frontier.root())
        note = self.signer.sign(found)
        with self._poisoning("write the checkpoint"):
            self.disk.replace(self.folder / "checkpoint", note)
        return found, note

    def nodes(self) -> NodeAt:
        """The nodes of the tree, for proofs."""
        return tree_of(self._tiles, self.closed, self._leaves, self._nodes)

    def read(self, first: int = 0) -> Iterator[tuple[int, Entry]]:
        """The entries from `first` on, in order."""
        for name in segments_in(self.folder / "evidence"):
            if name.end > first:
                rows = read_segment(self.folder / "evidence" / name.file, name)
                yield from ((seq, entry) for seq, _, entry in rows if seq >= first)
        closed = self.closed
        yield from ((closed + i, entry) for i, entry in enumerate(self._open) if closed + i >= first)

    def close(self) -> None:
        """Sign a last checkpoint and let go of the folder."""
        try:
            if not self._poisoned:
                self.checkpoint()
        finally:
            os.close(self._lock)

    def close_segment(self) -> None:
        """Turn the open entries into a Parquet file, extend the tiles, start a new write-ahead log."""
        if not self._open:
            return
        with self._poisoning("close the segment"):
            name = SegmentName(self.closed, len(self._open))
            path = self.folder / "evidence" / name.file
            scratch = path.with_suffix(".new")
            table = segment_table(name.first, self._open, self._leaves)
            self.disk.write(scratch, 0, encode_segment(table))
            self.disk.sync(scratch)
            if not holds_rows(scratch, table):
                raise Tampered(f"the disk gave back other bytes than were written to {scratch}")
            self.disk.rename(scratch, path)
            self.disk.sync(path.parent)
            old = wal_path(self.folder / "wal", name.first)
            self._after_segment(name, self._leaves)
            self.disk.remove(old)
            self.disk.sync(old.parent)

    def _after_segment(self, name: SegmentName, leaves: list[bytes]) -> None:
        self._tiles.extend(name.first, leaves)
        self._start_wal()
        self._note_segment(name)
        self.checkpoint()

    def _note_segment(self, name: SegmentName) -> None:
        digest = file_sha256(self.folder / "evidence" / name.file)
        header = {"kind": "segment_close", "at": self._time(), "file": name.file, "sha256": digest}
        self._append_group([make_entry(header)])

    def _append_group(self, entries: Sequence[Entry]) -> None:
        self._require_sound()
        if not entries:
            return
        data, digest = encode_group(self.size, entries, self._last)
        with self._poisoning("append"):
            path = wal_path(self.folder / "wal", self.closed)
            is_new = not path.exists()
            self.disk.append(path, data)
            self.disk.sync(path)
            if is_new:
                self.disk.sync(path.parent)
        self._last, self._bytes = digest, self._bytes + len(data)
        self._hold(entries)

    def _hold(self, entries: Sequence[Entry]) -> None:
        leaves = [leaf_hash(entry.header) for entry in entries]
        for leaf in leaves:
            self._frontier.push(leaf)
        self._open.extend(entries)
        self._leaves.extend(leaves)

    def _start_wal(self) -> None:
        self._open, self._leaves, self._bytes, self._nodes = [], [], 0, {}
        self._last = start_hash(self.origin, self.size, self._frontier.root())

    # Recovery

    def _recover(self) -> None:
        signed = self._signed()
        segments = segments_in(self.folder / "evidence")
        last = segments[-1] if segments else None
        if last is not None and not self._is_noted(last):
            self._finish(last)
        else:
            self._resume(0 if last is None else last.end)
        self._check_signed(signed)
        self._drop_leftovers()

    def _signed(self) -> Checkpoint | None:
        path = self.folder / "checkpoint"
        if path.exists():
            return self.signer.verifier.open(path.read_bytes())
        if any(any((self.folder / name).iterdir()) for name in ("wal", "evidence")):
            raise Tampered(f"{path} is missing, but entries are there: restore it from a copy")
        return None

    def _is_noted(self, last: SegmentName) -> bool:
        """Whether closing went on past the segment file: its first entry after it is durable."""
        path = wal_path(self.folder / "wal", last.end)
        if not path.exists():
            return False
        self._frontier = self._frontier_at(last.end)
        return bool(read_wal(path, last.end, start_hash(self.origin, last.end, self._frontier.root())).entries)

    def _finish(self, last: SegmentName) -> None:
        """Closing broke off between the segment file and its note: go on there, from the file."""
        old = wal_path(self.folder / "wal", last.first)
        if not old.exists():
            raise Tampered(f"the write-ahead log after entry {last.end - 1} is missing in {old.parent}: restore it")
        leaves = [leaf for _, leaf, _ in read_segment(self.folder / "evidence" / last.file, last)]
        self._frontier = self._frontier_at(last.first)
        content = read_wal(old, last.first, start_hash(self.origin, last.first, self._frontier.root()))
        if [leaf_hash(entry.header) for entry in content.entries[: last.count]] != leaves:
            raise Tampered(f"{last.file} does not hold what {old.name} holds")
        for leaf in leaves:
            self._frontier.push(leaf)
        torn = wal_path(self.folder / "wal", last.end)
        if torn.exists():
            self.disk.remove(torn)
        self._after_segment(last, leaves)

    def _resume(self, closed: int) -> None:
        self._frontier = self._frontier_at(closed)
        self._start_wal()
        path = wal_path(self.folder / "wal", closed)
        if not path.exists():
            return
        content = read_wal(path, closed, self._last)
        self._hold(content.entries)
        self._last, self._bytes = content.last_hash, content.end
        if content.torn:
            self._quarantine(path, content.end, content.torn)

    def _quarantine(self, path: Path, end: int, torn: bytes) -> None:
        signed = self._signed()
        if signed is not None and signed.size > self.size:
            raise Tampered(
                f"{path.name} is damaged at byte {end}, entry {self.size}, below the {signed.size} entries that the"
                " checkpoint covers: nothing was cut; restore the file from a copy"
            )
        digest = sha256(torn).hexdigest()
        self.disk.replace(self.folder / "quarantine" / f"{path.stem}-{end}-{digest[:8]}.torn", torn)
        self.disk.write(path, end, b"")
        self.disk.sync(path)
        header = {"kind": "recovery", "at": self._time(), "file": path.name, "byte": end, "n_torn": len(torn)}
        self._append_group([make_entry({**header, "sha256": digest})])

    def _check_signed(self, signed: Checkpoint | None) -> None:
        if signed is None:  # a new log: from here on a missing checkpoint is damage
            self.checkpoint()
            return
        if signed.size > self.size:
            raise Tampered(f"entries {self.size} to {signed.size - 1} are gone: the checkpoint covers {signed.size}")
        nodes, frontier = self.nodes(), Frontier()
        for level, index in subtrees(0, signed.size):
            frontier.push(nodes(level, index), level)
        if frontier.root() != signed.root:
            raise Tampered(f"the tree over entries 0 to {signed.size - 1} has not the root that the checkpoint signs")

    def _frontier_at(self, size: int) -> Frontier:
        return Frontier([(level, self._tiles.node(level, index)) for level, index in subtrees(0, size)])

    def _drop_leftovers(self) -> None:
        """Remove what a crash left beside the log; all of it is in the log already."""
        for path in (self.folder / "wal").glob("*.wal"):
            if int(path.stem) < self.closed:
                self.disk.remove(path)
        for path in self.folder.rglob("*.new"):
            self.disk.remove(path)

    def _time(self) -> str:
        return self._now().astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

    def _require_sound(self) -> None:
        if self._poisoned:
            raise Unavailable("the log had an error of the disk and takes nothing more: open it again")

    def _poisoning(self, what: str) -> "_Poisoning":
        return _Poisoning(self, what)

    def poison(self) -> None:
        """Take nothing more."""
        self._poisoned = True


class _Poisoning:
    """Any error inside poisons the log; one of the disk becomes a sentence."""

    def __init__(self, log: SegmentLog, what: str) -> None:
        self._log, self._what = log, what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        self._log.poison()
        if isinstance(error, OSError):
            why = error.strerror or "the disk failed"
            raise Unavailable(
                f"cannot {self._what} in {self._log.folder}: {why}; what was acknowledged before is safe:"
                " make room or mend the disk, then run the command again"
            ) from None


def _lock(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        with suppress(OSError):
            os.close(descriptor)
        raise Refused(f"another process writes to {path.parent}: wait until it ends, or stop it") from None
    return descriptor
