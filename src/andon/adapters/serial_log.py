"""A log that several threads share: one at a time writes, readers do not wait for each other."""

import errno
import os
import threading
from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from andon.base.errors import Full, Unavailable
from andon.ledger.checkpoint import Checkpoint
from andon.ledger.entry import Entry
from andon.ledger.log import Log
from andon.ledger.merkle import NodeAt


class Closable(Log, Protocol):
    """A log that says how much of it never changes any more, and can be closed."""

    @property
    def closed(self) -> int: ...

    @property
    def first(self) -> int: ...

    def segments(self) -> list[tuple[int, int, str]]: ...

    def close(self) -> None: ...


class Opener(Protocol):
    """Opens the log, and recovers it."""

    def __call__(self) -> Closable: ...


class SerialLog:
    """Guards a log by a lock; after a failure of the disk `reopen` starts it anew."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._lock = threading.RLock()
        self._log = opener()

    @property
    def size(self) -> int:
        """How many entries are durable."""
        return self._log.size

    def append(self, entries: Sequence[Entry]) -> int:
        """Make entries durable.

        Raises:
            Full: there is no room on the disk.
            Unavailable: the disk failed otherwise.
        """
        with self._lock:
            try:
                return self._log.append(entries)
            except Unavailable as error:
                if os.strerror(errno.ENOSPC) in str(error):
                    raise Full(str(error)) from None
                raise

    @property
    def first(self) -> int:
        """The first entry that was not deleted."""
        return self._log.first

    def segments(self) -> list[tuple[int, int, str]]:
        """The closed segments that are there."""
        with self._lock:
            return self._log.segments()

    def prune(self, entry: Entry) -> int:
        """Append an entry that deletes, and delete."""
        with self._lock:
            return self._log.prune(entry)

    def checkpoint(self) -> tuple[Checkpoint, bytes]:
        """Sign and store a checkpoint."""
        with self._lock:
            return self._log.checkpoint()

    def nodes(self) -> NodeAt:
        """The nodes of the tree as it stands."""
        with self._lock:
            at = self._log.nodes()

        def guarded(level: int, index: int) -> bytes:
            with self._lock:
                return at(level, index)

        return guarded

    def require_sound_tree(self) -> None:
        """Refuse nodes that contradict each other."""
        with self._lock:
            self._log.require_sound_tree()

    def read(self, first: int = 0) -> Iterator[tuple[int, Entry]]:
        """The entries that are there now; what is in closed segments is read while others write."""
        with self._lock:
            closed = self._log.closed
            tail = list(self._log.read(max(first, closed)))
        if first < closed:
            for seq, entry in self._log.read(first):
                if seq >= closed:
                    break
                yield seq, entry
        yield from tail

    def headers(self, first: int = 0) -> Iterator[tuple[int, bytes]]:
        """The headers of the entries that are there now; what is in closed segments is read while others write."""
        with self._lock:
            closed = self._log.closed
            tail = list(self._log.headers(max(first, closed)))
        if first < closed:
            for seq, header in self._log.headers(first):
                if seq >= closed:
                    break
                yield seq, header
        yield from tail

    def find(self, name: str) -> tuple[int, Entry] | None:
        """The first entry with an id."""
        with self._lock:
            return self._log.find(name)

    def of_kinds(self, kinds: Collection[str], first: int = 0) -> Iterator[tuple[int, Entry]]:
        """The entries of some kinds, of which there are few; what is in closed segments is read while others write."""
        with self._lock:
            closed = self._log.closed
            tail = list(self._log.of_kinds(kinds, max(first, closed)))
        if first < closed:
            for seq, entry in self._log.of_kinds(kinds, first):
                if seq >= closed:
                    break
                yield seq, entry
        yield from tail

    def reopen(self) -> None:
        """Close what failed and recover what is durable."""
        with self._lock:
            self._log.close()
            self._log = self._opener()

    def close(self) -> None:
        """Sign a last checkpoint and let go."""
        with self._lock:
            self._log.close()
