"""The twin of a journal in memory: the same answers, by the plain definitions."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from andon.base.errors import AndonError
from andon.base.fold import Fold, State
from andon.ledger.entry import SALT_BYTES
from andon.ledger.journal import (
    Command,
    Committed,
    Message,
    Page,
    Place,
    Row,
    fold_into,
    make_row,
    posting_of,
    require_same,
)


@dataclass
class MemoryJournal:
    """Rows in a list, tables in a dictionary."""

    folds: Mapping[str, Fold]
    now: Callable[[], datetime]
    chance: Callable[[int], bytes]
    state: State = field(default_factory=dict)
    _rows: list[Row] = field(default_factory=list)
    _requests: dict[str, Committed] = field(default_factory=dict)
    _unsent: dict[str, tuple[int, Message]] = field(default_factory=dict)
    _one_at_a_time: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def commit(self, command: Command) -> Committed:
        """Decide and record."""
        with self._one_at_a_time:
            return self._commit(command)

    def _commit(self, command: Command) -> Committed:
        if (done := self._requests.get(command.request_id)) is not None:
            require_same(command.request_id, self._rows[done.seq - 1].checked())
            return Committed(done.seq, done.fact, was_done=True)
        fact = command.decide(self)
        version = sum(row.stream == fact.stream for row in self._rows) + 1
        salts = {name: self.chance(SALT_BYTES) for name in fact.private}
        at = self.now().astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        row = make_row(fact, Place(len(self._rows) + 1, version, command.request_id, at), salts)
        texts = {name: salts[name] + text.encode() for name, text in fact.private.items()}
        fold_into(self.state, posting_of(row.checked(), texts), self.folds)
        self._rows.append(row)
        self._unsent |= {f"{row.seq}:{number}": (row.seq, each) for number, each in enumerate(fact.messages)}
        self._requests[command.request_id] = Committed(row.seq, fact)
        return self._requests[command.request_id]

    def commit_all(self, commands: Sequence[Command]) -> Sequence[Committed | Exception]:
        """One after the other."""
        outcomes: list[Committed | Exception] = []
        for each in commands:
            try:
                outcomes.append(self.commit(each))
            except AndonError as error:
                outcomes.append(error)
        return outcomes

    def find(self, table: str, key: str) -> dict[str, Any] | None:
        """One row."""
        found = self.state.get((table, key))
        return None if found is None else dict(found)

    def list_rows(
        self, table: str, where: Mapping[str, Any] | None = None, page: Page | None = None
    ) -> list[dict[str, Any]]:
        """Rows by key, or a page of them."""
        wanted = {
            name: frozenset(value if isinstance(value, tuple) else (value,)) for name, value in (where or {}).items()
        }
        keys = wanted.pop("id", None)
        rows = [
            {"id": key, **values}
            for (name, key), values in self.state.items()
            if name == table
            and (keys is None or key in keys)
            and all(values.get(column) in those for column, those in wanted.items())
        ]
        rows.sort(key=lambda row: row["id"])
        if page is None:
            return rows
        rows.sort(key=lambda row: row[page.by], reverse=page.is_newest_first)
        if page.after is not None:
            down = page.is_newest_first
            rows = [row for row in rows if (row[page.by] < page.after if down else row[page.by] > page.after)]
        return rows[: page.limit]

    def integrate(self, seq: int) -> None:
        """There is no ledger to wait for."""

    def messages(self, recipient: str) -> list[tuple[str, Message]]:
        """What a recipient has not been told yet."""
        return [(key, each) for key, (_, each) in self._unsent.items() if each.recipient == recipient]

    def mark(self, message_id: str) -> None:
        """A message was taken."""
        self._unsent.pop(message_id, None)

    def last(self) -> int:
        """The number of the last entry."""
        return len(self._rows)

    def rows(self, after: int) -> Iterator[Row]:
        """The entries after one."""
        return iter(self._rows[after:])

    def due(self, recipient: str, up_to: int) -> list[tuple[str, Message]]:
        """What a recipient has not been told yet of entries up to one."""
        found = self._unsent.items()
        return [(key, each) for key, (seq, each) in found if seq <= up_to and each.recipient == recipient]
