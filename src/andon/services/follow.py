"""Follow the journal: its entries go to the ledger in order, and outsiders hear of them only after that.

Each outsider may be told in a thread of its own, beside the follower: one that does not answer holds nothing else up.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final, Protocol

from andon.base.errors import Tampered, Unavailable
from andon.ledger.entry import Entry, parse_header
from andon.ledger.journal import Message, Row
from andon.ledger.log import Log

BATCH: Final = 1_000
TAILS: Final = (4, 64)
"""The last so many entries of the log are looked at for the last that came from the journal; then all of it."""


class Lease(Protocol):
    """Names one follower; an epoch that was replaced is replaced for good."""

    def claim(self, now: datetime) -> int | None: ...

    def is_held(self, epoch: int) -> bool: ...

    def note(self, epoch: int, seq: int) -> None: ...

    def let_go(self, epoch: int) -> None: ...


class Source(Protocol):
    """The journal as the database has it."""

    def last(self) -> int: ...

    def rows(self, after: int) -> Iterator[Row]: ...

    def due(self, recipient: str, up_to: int) -> list[tuple[str, Message]]: ...

    def mark(self, message_id: str) -> None: ...


class Outsider(Protocol):
    """Somebody who is told; the same message may come twice and carries the same id."""

    def send(self, message_id: str, message: Message) -> None:
        """Raises Unavailable when it has to be tried again."""
        ...


class Fenced(Unavailable):
    """This process was paused past its lease and another took over: it appends nothing more under the old epoch."""


@dataclass(slots=True)
class Follow:
    """The one follower.

    Attributes:
        source: where entries come from.
        lease: who may follow.
        open_log: the journal's log, opened for as long as a batch takes; only one process at a time gets it.
        outsiders: who is told, by recipient; a recipient without one waits.
        reach: told the name of each point where a crash or a pause is tried.
    """

    source: Source
    lease: Lease
    open_log: Callable[[], AbstractContextManager[Log]]
    outsiders: Mapping[str, Outsider] = field(default_factory=dict)
    reach: Callable[[str], None] = lambda _: None
    _epoch: int | None = None
    _integrated: int = -1
    _told: dict[str, int] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)
    """Recipients that did not answer when they were told last, and why."""

    def step(self, now: datetime) -> bool:
        """Bring the ledger up to the journal; False where another process holds the lease.

        Raises:
            Tampered: the database and the ledger do not agree; the entry is named.
            Fenced: another process took over meanwhile.
        """
        epoch = self.lease.claim(now)
        self.reach("lease")
        if epoch is None:
            self._epoch = None
            return False
        if epoch != self._epoch:  # trust nothing from before
            self._epoch, self._integrated, self._told = epoch, -1, {}
        last = self.source.last()
        if last != self._integrated:
            self._integrate(epoch, last)
        return True

    def tell(self, recipient: str) -> None:
        """Tell an outsider, in order, what the ledger has by now; nothing where another process follows.

        What it does not take is tried again at the next call.
        """
        up_to = self._integrated
        if self._epoch is None or self._told.get(recipient) == up_to:
            return
        outsider = self.outsiders[recipient]
        for message_id, message in self.source.due(recipient, up_to):
            try:
                outsider.send(message_id, message)
            except Unavailable as error:  # in order: what follows waits for this one
                self.troubles[recipient] = str(error)
                return
            self.reach("outbox send")
            self.source.mark(message_id)
            self.reach("outbox mark")
        self.troubles.pop(recipient, None)
        self._told[recipient] = up_to

    def leave(self) -> None:
        """Let another process follow at once."""
        if self._epoch is not None:
            self.lease.let_go(self._epoch)
            self._epoch = None

    def _integrate(self, epoch: int, last: int) -> None:
        with self.open_log() as log:
            if self._integrated < 0:
                self._integrated = self._agree(log)
            position = position_of(log)  # from the ledger: a cursor could be wrong
            rows = self.source.rows(position)
            while batch := list(islice(rows, BATCH)):
                entries = [_entry(row, position + 1 + i) for i, row in enumerate(batch)]
                if not self.lease.is_held(epoch):
                    raise Fenced("another server follows the journal now")
                log.append(entries)
                self.reach("append")
                position += len(entries)
            self._integrated = position
        if last < position and (newest := self.source.last()) < position:  # more may have been entered meanwhile
            raise _older(newest, position)
        self.lease.note(epoch, position)
        self.reach("cursor")

    def _agree(self, log: Log) -> int:
        """Compare all that both have, once after taking over."""
        rows, position = self.source.rows(0), 0
        for seq, header in _postings(log, 0):
            row = next(rows, None)
            if row is None:
                raise _older(position, position_of(log))
            row.checked()
            if row.seq != seq or row.entry != header:
                raise Tampered(
                    f"journal entry {seq} in the database is not the one in the ledger: the database was changed;"
                    " restore the row from a backup, or the database from a newer one"
                )
            position = seq
        return position


def position_of(log: Log) -> int:
    """The number of the last journal entry in a log; 0 for none."""
    for tail in (*TAILS, log.size):
        found = [seq for seq, _ in _postings(log, max(0, log.size - tail))]
        if found:
            return found[-1]
    return 0


def _postings(log: Log, first: int) -> Iterator[tuple[int, bytes]]:
    """Entries that came from the journal; the log writes some of its own between."""
    for _, entry in log.read(first):
        fields = parse_header(entry.header)
        if "request_id" in fields:
            yield fields["seq"], entry.header


def _entry(row: Row, expected: int) -> Entry:
    row.checked()
    if row.seq != expected:
        raise Tampered(f"journal entry {expected} is missing in the database: restore it from a backup")
    return Entry(row.entry)


def _older(last: int, position: int) -> Tampered:
    return Tampered(
        f"the database was restored from an old copy: it ends with journal entry {last}, the ledger has entry"
        f" {position}; restore the newest backup of the database"
    )
