"""One writer's log in a folder: append with one fsync per batch, sign checkpoints, close segments, recover."""

import fcntl
import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Self, TypeVar

import orjson

from andon.adapters.segments.closing import Closed, Closer, Inline, Job, Written
from andon.adapters.segments.disk import Disk
from andon.adapters.segments.ids import places_of
from andon.adapters.segments.recovery import Found, find_signed
from andon.adapters.segments.segment import (
    SegmentName,
    find_rows,
    later_tables,
    read_headers,
    read_row,
    read_segment,
    segments_in,
    tables_in,
    tables_sha256,
)
from andon.adapters.segments.tiles import Tiles
from andon.adapters.segments.wal import Wal, read_wal, wal_path
from andon.base.errors import Refused, Tampered, Unavailable
from andon.ledger.checkpoint import Checkpoint, Signer
from andon.ledger.entry import Entry, kinds_pattern, make_entry, parse_header
from andon.ledger.group import encode_group, start_hash
from andon.ledger.merkle import NodeAt, leaf_hashes

SEGMENT_ENTRIES = 65_536
SEGMENT_BYTES = 64 << 20
SEGMENT_AGE = timedelta(hours=1)
GROUP_ENTRIES = 10_000
PENDING_MAX = 4
"""So many full segments may wait to be closed before `append` waits for one of them: with fewer, of two processes that
close one had nothing to do now and then."""
FOLDERS = ("wal", "tiles", "evidence", "quarantine")

Now = Callable[[], datetime]
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Settings:
    """What may differ from log to log.

    Attributes:
        segment: entries per segment.
        analysis: where the analysis tables go; None: a folder in the log's own.
        key: makes the pseudonyms in them.
        closer: closes segments, given the disk.
    """

    segment: int = SEGMENT_ENTRIES
    analysis: Path | None = None
    key: bytes = b"andon"
    closer: Callable[[Disk], Closer] = Inline


class SegmentLog:
    """A log that one process at a time may write.

    An entry is acknowledged when `append` returns. After an error of the disk the log is poisoned: it takes nothing
    more, and the next opening recovers what is durable.
    """

    is_live = False
    noted: Sequence[SegmentName] = ()
    broken_off: Sequence[SegmentName] = ()
    deleted: Sequence[SegmentName] = ()

    def __init__(
        self, folder: Path, signer: Signer, now: Now, disk: Disk | None = None, settings: Settings | None = None
    ) -> None:
        """Open and recover."""
        self.folder, self.signer, self._now = folder, signer, now
        self.disk = disk or Disk()
        self.settings = settings or Settings()
        self.analysis = self.settings.analysis or folder / "analysis"
        self._lock = _taken(folder, self.analysis)
        self._poisoned, self._first = False, 0
        self._left: object = None
        self._closer = self.settings.closer(self.disk)
        with ExitStack() as undo:
            undo.callback(os.close, self._lock)
            undo.callback(self.disk.close)
            undo.callback(self._closer.close)
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
    def note(self) -> bytes:
        """The stored checkpoint."""
        return (self.folder / "checkpoint").read_bytes()

    @property
    def size(self) -> int:
        """How many entries are durable."""
        return self._tree.size

    @property
    def closed(self) -> int:
        """How many of them are in closed segments."""
        return self._tree.closed

    def append(self, entries: Sequence[Entry]) -> int:
        """Make entries durable, in order; returns the sequence number of the first.

        Raises:
            Unavailable: the disk failed or is full; none, some or all of them may be there after the next opening.
        """
        self._require_sound()
        if self._wals[-1].count and self._now() - self._began >= SEGMENT_AGE:
            self.close_segment()
        first, at = self.size, 0
        while at < len(entries):
            room = self.settings.segment - self.size % self.settings.segment  # no segment crosses a multiple of it
            group = entries[at : at + min(GROUP_ENTRIES, room)]
            self._append_group(group)
            self._close_if_full()
            at += len(group)
        self._settle()
        return first

    def checkpoint(self) -> tuple[Checkpoint, bytes]:
        """Sign and store a checkpoint over all that is durable; returns it and its note."""
        self._require_sound()
        found = Checkpoint(self.origin, self.size, self._tree.root())
        note = self.signer.sign(found)
        with self._poisoning("write the checkpoint"):
            self.disk.replace(self.folder / "checkpoint", note)
        return found, note

    def nodes(self) -> NodeAt:
        """The nodes of the tree, for proofs."""
        return self._tree.node

    def require_sound_tree(self) -> None:
        """Refuse stored nodes that contradict each other.

        Raises:
            Tampered: some do; the text names their file.
        """
        Tiles(self.folder / "tiles", self.disk).require_sound(self.closed)

    def read(self, first: int = 0) -> Iterator[tuple[int, Entry]]:
        """The entries from `first` on, in order."""
        closed, size, wals = self.closed, self.size, list(self._wals)
        for name in self._closed_segments():
            if first < name.end <= closed:
                rows = self._unless_deleted(name, read_segment(self.folder / "evidence" / name.file, name))
                yield from ((seq, entry) for seq, _, entry in rows if seq >= first)
        for wal in wals:
            if wal.end > first and wal.count:
                begin, offset, before = wal.mark(first)
                content = read_wal(wal_path(self.folder / "wal", wal.first), begin, before, offset)
                rest = enumerate(content.entries, begin)
                yield from ((seq, entry) for seq, entry in rest if first <= seq < size)

    def headers(self, first: int = 0) -> Iterator[tuple[int, bytes]]:
        """The headers of the entries from `first` on, in order."""
        closed = self.closed
        for name in self._closed_segments():
            if name.end > first:
                rows = self._unless_deleted(name, read_headers(self.folder / "evidence" / name.file))
                yield from ((seq, header) for seq, header in rows if seq >= first)
        yield from ((seq, entry.header) for seq, entry in self.read(max(first, closed)))

    def find(self, name: str) -> tuple[int, Entry] | None:
        """The first entry whose header has this id, by the index of each closed segment."""
        rows = (
            row for each in self._closed_segments() for row in self._unless_deleted(each, self._with_id(each, name))
        )
        quoted = orjson.dumps(name)
        tail = ((seq, entry) for seq, entry in self.read(self.closed) if quoted in entry.header)
        return next((row for row in chain(rows, tail) if parse_header(row[1].header).get("id") == name), None)

    def _with_id(self, segment: SegmentName, name: str) -> Iterator[tuple[int, Entry]]:
        """The entries of a segment that may have an id."""
        evidence = self.folder / "evidence"
        for place in places_of(evidence / segment.ids, name):
            yield read_row(evidence / segment.file, segment.first + place, place)

    def of_kinds(self, kinds: Collection[str], first: int = 0) -> Iterator[tuple[int, Entry]]:
        """The entries of some kinds, of which there are few, in order; from `first` on."""
        pattern, closed = kinds_pattern(kinds), self.closed
        for name in self._closed_segments():
            if name.end > first:
                rows = self._unless_deleted(name, find_rows(self.folder / "evidence" / name.file, pattern))
                yield from ((seq, entry) for seq, entry in rows if seq >= first)
        search = re.compile(pattern.encode()).search
        yield from ((seq, entry) for seq, entry in self.read(max(first, closed)) if search(entry.header))

    @property
    def first(self) -> int:
        """The first entry that was not deleted by retention."""
        return self._first

    def segments(self) -> list[tuple[int, int, str]]:
        """The closed segments: first entry, end, file."""
        return [(name.first, name.end, name.file) for name in self._closed_segments()]

    def prune(self, entry: Entry) -> int:
        """Append an entry `retention_delete`, then delete the segments before the `end` that it says; the tree stays.

        It holds from the moment it is durable, before anything else happens: its own segment may be full, and then the
        note on that one has to say what is deleted, since the write-ahead log with the entry goes.
        """
        self._require_sound()
        end, seq = parse_header(entry.header)["end"], self.size
        gone = [name for name in self._closed_segments() if name.end <= end]
        self._append_group([entry])
        self._first = max(self._first, end)
        self.checkpoint()
        with self._poisoning("delete segments"):
            self._remove(gone)
        self._close_if_full()
        self._settle()
        return seq

    def _unless_deleted(self, name: SegmentName, rows: Iterator[Row]) -> Iterator[Row]:
        """What is read of a closed segment; nothing where retention deleted it before it was opened."""
        try:
            yield from rows
        except Tampered:
            if name.first >= self._first:
                raise

    def _closed_segments(self) -> list[SegmentName]:
        names = segments_in(self.folder / "evidence")
        return [name for name in names if name.first >= self._first and name.end <= self.closed]

    def _remove(self, names: Sequence[SegmentName]) -> None:
        """Remove the files of segments; the evidence file last, so that a crash leaves no table without one."""
        for name in names:
            evidence = self.folder / "evidence"
            for path in (*tables_in(self.analysis, name.file), evidence / name.ids, evidence / name.file):
                if path.exists():
                    self.disk.remove(path)
                    self.disk.sync(path.parent)

    def close(self) -> None:
        """Close the segments that are full, sign a last checkpoint and let go of the folder."""
        try:
            if not self._poisoned:
                self._settle(all_of_them=True)
                self.checkpoint()
                self._left = self._state()
        finally:
            self._closer.close()
            self.disk.close()
            os.close(self._lock)

    def reopen(self) -> bool:
        """Take the folder again after `close`; False where another process has to recover it anew.

        It is taken where its files are as this process left them: the same, of the same length and time of change.

        Raises:
            Refused: another process writes to it.
        """
        lock = _taken(self.folder, self.analysis)
        if self._poisoned or self._left is None or self._left != self._state():
            os.close(lock)
            return False
        self._lock, self._began, self._left = lock, self._now(), None
        return True

    def _state(self) -> object:
        """What tells whether somebody else was here."""
        files = (path for name in FOLDERS for path in (self.folder / name).iterdir())
        found = ((str(path), path.stat()) for path in sorted(files))
        return self.note, [(path, about.st_ino, about.st_size, about.st_mtime_ns) for path, about in found]

    def close_segment(self) -> None:
        """Have the open entries turned into a pair of files, and start a new write-ahead log."""
        if not self._wals[-1].count:
            return
        with self._poisoning("close the segment"):
            self._closer.start(self._job(self._wals[-1]))
        self._start_wal()

    def _job(self, wal: Wal) -> Job:
        path, evidence = wal_path(self.folder / "wal", wal.first), self.folder / "evidence"
        places = str(path), str(evidence), str(self.analysis)
        start, key, tag = wal.start.hex(), self.settings.key.hex(), str(os.getpid())
        return Job(places[0], wal.first, wal.count, start, places[1], places[2], key, tag)

    def _append_group(self, entries: Sequence[Entry]) -> None:
        self._require_sound()
        if not entries:
            return
        wal, leaves = self._wals[-1], leaf_hashes([entry.header for entry in entries])
        parts, digest = encode_group(self.size, entries, leaves, wal.last)
        path = wal_path(self.folder / "wal", wal.first)
        with self._poisoning("append"):
            for part in parts:
                self.disk.append(path, part)
            self.disk.sync(path)
            if not wal.count:
                self.disk.sync(path.parent)
                self._began = self._now()
        wal.marks.append((self.size, wal.size, wal.last))
        wal.count, wal.size, wal.last = wal.count + len(entries), wal.size + sum(map(len, parts)), digest
        self._tree.extend(leaves)

    def _close_if_full(self) -> None:
        last = self._wals[-1]
        if last.count and (last.end % self.settings.segment == 0 or last.size >= SEGMENT_BYTES):
            self.close_segment()

    def _start_wal(self) -> None:
        self._wals.append(Wal(self.size, start_hash(self.origin, self.size, self._tree.root())))

    def _settle(self, *, all_of_them: bool = False) -> None:
        """Take over what the closer has done; wait for it when too much waits."""
        while len(self._wals) > 1:
            with self._poisoning("close the segment"):
                closed = self._closer.take(wait=all_of_them or len(self._wals) - 1 > PENDING_MAX)
            if closed is None:
                return
            with self._poisoning("close the segment"):
                self._put_in_place(closed)

    def _put_in_place(self, closed: Closed) -> None:
        folders = [self._move(each) for each in (closed.evidence, closed.ids, *closed.tables)]
        for folder in dict.fromkeys(folders):
            self.disk.sync(folder)
        name = SegmentName(closed.first, closed.count)
        tables = {str(Path(each.target).relative_to(self.analysis)): each.sha256 for each in closed.tables}
        header = {"kind": "segment_close", "at": self._time(), "file": name.file, "sha256": closed.evidence.sha256}
        told = {"tables": len(tables), "tables_sha256": tables_sha256(tables), "kept_from": self._first}
        self._append_group([make_entry({**header, **told})])
        self._finish(closed.count)
        self._close_if_full()

    def _move(self, written: Written) -> Path:
        target = Path(written.target)
        self.disk.rename(Path(written.scratch), target)
        return target.parent

    def _finish(self, count: int) -> None:
        """The oldest write-ahead log is closed and noted: cover it, then remove it."""
        old = wal_path(self.folder / "wal", self._wals[0].first)
        self._tree.close(count)
        self.checkpoint()
        self.disk.remove(old)
        self.disk.sync(old.parent)
        del self._wals[0]

    # Recovery

    def _recover(self) -> None:
        with self._poisoning("read the log"):
            note, found = find_signed(self.folder, self.signer.verifier, Tiles(self.folder / "tiles", self.disk))
        self._tree, self._wals = found.tree, found.wals
        self._began, self._first = self._now(), found.first
        with self._poisoning("recover"):
            if found.torn:
                self._quarantine(found)
            self._drop_leftovers(found)
            if note is None:  # a new log: from here on a missing checkpoint is damage
                self.checkpoint()
            for name in found.noted:
                self._finish(name.count)
            for wal in self._wals[:-1]:
                self._closer.start(self._job(wal))
        self._close_if_full()

    def _quarantine(self, found: Found) -> None:
        wal = found.wals[-1]
        path = wal_path(self.folder / "wal", wal.first)
        digest = sha256(found.torn).hexdigest()
        self.disk.replace(self.folder / "quarantine" / f"{path.stem}-{wal.size}-{digest[:8]}.torn", found.torn)
        self.disk.write(path, wal.size, b"")
        self.disk.sync(path)
        header = {"kind": "recovery", "at": self._time(), "file": path.name, "byte": wal.size}
        self._append_group([make_entry({**header, "n_torn": len(found.torn), "sha256": digest})])

    def _drop_leftovers(self, found: Found) -> None:
        """Remove files of closings that broke off (the write-ahead log has their entries) and of deleted segments.

        A power cut may keep a table without the evidence file that was renamed before it, in another folder.
        """
        alone = later_tables(self.analysis, found.tree.closed) - {*found.noted}
        self._remove([*{*found.broken_off, *alone}, *found.deleted])
        for folder in (self.folder, self.analysis):
            for path in [each for each in folder.rglob("*.new") if each.is_file()]:  # a model may be called so
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


def _taken(folder: Path, analysis: Path) -> int:
    """The lock of a log's folder, which is made where it is not there.

    Raises:
        Refused: another process has it.
        Unavailable: the folder cannot be written to.
    """
    try:
        for path in (*(folder / name for name in FOLDERS), analysis):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Unavailable(
            f"cannot write to the log in {folder}: {error.strerror}; mend its permissions or the disk, or name a copy"
            " with --data (only andon evidence verify reads a log that it may not write to)"
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        with suppress(OSError):
            os.close(descriptor)
        raise Refused(f"another process writes to {folder}, or verifies it: wait until it ends, or stop it") from None
    return descriptor
