"""What entries write, gathered: a statement for all rows that are alike, since each takes its time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Insert, bindparam, insert, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from andon.adapters.sql.search import KEPT_OF, SEARCHED, index
from andon.adapters.sql.tables import FOLDED, JOURNAL, OUTBOX, PAYLOAD
from andon.base.fold import Change

ENTER: Final = insert(JOURNAL)
KEEP: Final = insert(PAYLOAD)
POST: Final = insert(OUTBOX)
AMONG: Final = {
    name: select(table).where(table.c.id.in_(bindparam("keys", expanding=True))) for name, table in FOLDED.items()
}
KEYS_AT_ONCE: Final = 1_000


@dataclass(slots=True)
class Writes:
    """Rows of entries, of their texts and messages, and what they change in the folded tables, in their order."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    texts: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def carry_out(self, connection: Connection) -> None:
        """Write all that was gathered, and gather anew."""
        for statement, rows in ((ENTER, self.entries), (KEEP, self.texts), (POST, self.messages)):
            if rows:
                connection.execute(statement, rows)
                rows.clear()
        for changes in _alike(self.changes):
            _carry_out(connection, changes)
        self.changes.clear()


def _alike(changes: Sequence[Change]) -> Sequence[Sequence[Change]]:
    """Changes of the same columns of one table together; as they came where a row is changed more than once."""
    groups: dict[tuple[str, frozenset[str]], list[Change]] = {}
    for change in changes:
        groups.setdefault((change.table, frozenset(change.values)), []).append(change)
    is_once = len({(each.table, each.key) for each in changes}) == len(changes)
    return list(groups.values()) if is_once else [[each] for each in changes]


def _carry_out(connection: Connection, changes: Sequence[Change]) -> None:
    """Change rows, or make them where they are not there: one statement, however many rows."""
    name = changes[0].table
    statement = _change(connection.dialect.name, name, frozenset({"id", *changes[0].values}))
    connection.execute(statement, [{"id": each.key, **each.values} for each in changes])
    if changes[0].values.keys().isdisjoint(SEARCHED.get(name, ())):
        return
    if KEPT_OF[name] <= changes[0].values.keys():  # nothing else is searched
        index(connection, name, [{"id": each.key, **each.values} for each in changes])
        return
    for part in _parts([each.key for each in changes], KEYS_AT_ONCE):
        index(connection, name, [dict(row) for row in connection.execute(AMONG[name], {"keys": part}).mappings()])


@cache
def _change(dialect: str, table: str, columns: frozenset[str]) -> Insert:
    """The statement that sets columns of a row, or makes the row with them; made once."""
    made = (sqlite_insert if dialect == "sqlite" else postgresql_insert)(FOLDED[table])
    set_to = {name: made.excluded[name] for name in columns - {"id"}}
    return made.on_conflict_do_update(index_elements=["id"], set_=set_to)


def _parts(keys: Sequence[str], size: int) -> Iterator[list[str]]:
    """Parts of so many at most."""
    return (list(keys[start : start + size]) for start in range(0, len(keys), size))
