"""The journal in a database: one transaction per command."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Engine, Select, bindparam, func, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from andon.adapters.sql.engine import reading, tidy, told_of, transaction, turns_of, writing
from andon.adapters.sql.lease import integrated
from andon.adapters.sql.search import SEARCHED, forget_all, index
from andon.adapters.sql.tables import FOLDED, HEAD, JOURNAL, OUTBOX, PAYLOAD
from andon.adapters.sql.turns import Shared, Turns
from andon.adapters.sql.writes import Writes
from andon.base.errors import AndonError, Conflict, Tampered, Unavailable
from andon.base.fold import Fold, State
from andon.ledger.entry import SALT_BYTES, parse_header
from andon.ledger.journal import (
    Command,
    Committed,
    Fact,
    Message,
    Page,
    Place,
    Row,
    compare,
    fold_into,
    make_row,
    posting_of,
    require_same,
)

TRIES = 3
LOOKS = 20
ROWS_AT_ONCE = 1_000
INTEGRATE_SECONDS = 30.0
POLL_SECONDS = 0.02

# Made once: to make a statement costs more than to carry it out.
FIND = {name: select(table).where(table.c.id == bindparam("key")) for name, table in FOLDED.items()}
SEEN = select(HEAD.c.seq)
SEEN_ALONE = SEEN.with_for_update()
GIVEN = update(HEAD).values(seq=bindparam("number"))
NEXT = update(HEAD).values(seq=HEAD.c.seq + 1).returning(HEAD.c.seq)
DONE = select(JOURNAL).where(JOURNAL.c.request_id == bindparam("name"))
LATEST = select(
    *(func.coalesce(func.max(each), 0) for each in (JOURNAL.c.seq, JOURNAL.c.stream_version)),
).where(JOURNAL.c.stream == bindparam("name"))
LAST = select(func.coalesce(func.max(JOURNAL.c.seq), 0))
AFTER = select(JOURNAL).where(JOURNAL.c.seq > bindparam("after")).order_by(JOURNAL.c.seq).limit(ROWS_AT_ONCE)
MARKED = update(OUTBOX).where(OUTBOX.c.id == bindparam("message")).values(sent_at=bindparam("at"), body=None)


class Keys(Protocol):
    """Keeps texts so that each can be erased: by forgetting its key."""

    def seal(self, name: str, text: bytes, place: bytes) -> tuple[str, bytes]:
        """The id of the key, and what it sealed; an id that was forgotten is never used again."""
        ...

    def open(self, key_id: str, sealed: bytes, place: bytes) -> bytes | None:
        """The text; None when its key is gone."""
        ...

    def make(self, names: Sequence[str]) -> None:
        """Make keys that will be needed, durable together; those that are there stay."""
        ...


@dataclass(frozen=True, slots=True)
class SqlView:
    """The folded tables through one connection."""

    connection: Connection

    def find(self, table: str, key: str) -> dict[str, Any] | None:
        """One row by its key."""
        found = self.connection.execute(FIND[table], {"key": key}).mappings().first()
        return None if found is None else dict(found)

    def list_rows(
        self, table: str, where: Mapping[str, Any] | None = None, page: Page | None = None
    ) -> list[dict[str, Any]]:
        """Rows by key, or a page of them."""
        columns = FOLDED[table].c
        query = select(FOLDED[table]).where(*(_is(columns[name], value) for name, value in (where or {}).items()))
        query = query.order_by(columns.id) if page is None else _paged(query, columns[page.by], page)
        return [dict(row) for row in self.connection.execute(query).mappings()]


@dataclass(frozen=True, slots=True)
class SqlJournal:
    """Commands in, rows out.

    Attributes:
        engine: the database, migrated.
        keys: of private texts.
        folds: what each kind of posting does to the tables.
        now, chance: time and randomness.
        nudge: called after a commit, so that the follower need not wait for its next look.
        hurry: called when somebody waits for the follower.
        reach: told the name of each point where a crash is tried.
    """

    engine: Engine
    keys: Keys
    folds: Mapping[str, Fold]
    now: Callable[[], datetime]
    chance: Callable[[int], bytes]
    nudge: Callable[[], None] = lambda: None
    hurry: Callable[[], None] = lambda: None
    reach: Callable[[str], None] = lambda _: None
    _shared: Shared[Command, Committed] | None = field(init=False, default=None)
    _keyed: Shared[str, bool] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_keyed", Shared(self._make_keys, Turns()))
        turns = turns_of(self.engine)
        if turns is not None:
            object.__setattr__(self, "_shared", Shared(self._together, turns))

    # For services

    def commit(self, command: Command) -> Committed:
        """Decide and record in one transaction; a request that was done is answered with its entry.

        Commands that wait for each other share the transaction, and its fsync; one that fails leaves nothing of itself.
        """
        if command.begins is not None:
            self._keyed.do(command.begins)
        for _ in range(TRIES):
            try:
                done = self._alone(command) if self._shared is None else self._shared.do(command)
            except (
                _Overtaken,
                IntegrityError,
            ):  # another writer changed the stream meanwhile, or did this very request
                continue
            self.reach("commit")
            self.nudge()
            return done
        raise Conflict("the same thing was changed by others at the same time, three times over: look at it, try again")

    def commit_all(self, commands: Sequence[Command]) -> Sequence[Committed | Exception]:
        """Do commands that came together in one transaction, and make the keys that they need in one before."""
        begun = [each.begins for each in commands if each.begins is not None]
        made = self._make_keys(begun)[:1]
        if made and isinstance(made[0], Exception):
            return [made[0]] * len(commands)
        with nullcontext() if (turns := turns_of(self.engine)) is None else turns:
            outcomes = self._together(commands)
        self.reach("commit")
        self.nudge()
        return outcomes

    def find(self, table: str, key: str) -> dict[str, Any] | None:
        """One row of a folded table."""
        with reading(self.engine) as connection:
            return SqlView(connection).find(table, key)

    def list_rows(
        self, table: str, where: Mapping[str, Any] | None = None, page: Page | None = None
    ) -> list[dict[str, Any]]:
        """Rows of a folded table by key, or a page of them."""
        with reading(self.engine) as connection:
            return SqlView(connection).list_rows(table, where, page)

    def integrate(self, seq: int) -> None:
        """Wait until the follower says that the ledger holds the entry."""
        if self.integrated() >= seq:
            return
        self.hurry()
        end = time.monotonic() + INTEGRATE_SECONDS
        while self.integrated() < seq:
            if time.monotonic() > end:
                raise Unavailable(
                    f"journal entry {seq} is in the database but not yet in the ledger: the server that holds the"
                    " journal's lease may be stopped; it will be there once a server follows"
                )
            time.sleep(POLL_SECONDS)

    def messages(self, recipient: str) -> list[tuple[str, Message]]:
        """What a recipient has not been told yet."""
        return self._unsent(OUTBOX.c.recipient == recipient)

    def mark(self, message_id: str) -> None:
        """A message was taken: note it and forget its text.

        Where a loss of power undoes that, the message comes again, as after any crash before it: it carries its id.
        """
        with writing(self.engine, outlives=False) as connection:
            connection.execute(MARKED, {"message": message_id, "at": _text(self.now())})

    def integrated(self) -> int:
        """How many entries the ledger holds, as the follower said last."""
        return integrated(self.engine)

    # For the follower

    def last(self) -> int:
        """The number of the last entry; 0 for none."""
        with reading(self.engine) as connection:
            return int(connection.execute(LAST).scalar_one())

    def rows(self, after: int) -> Iterator[Row]:
        """The entries after one, in order."""
        while True:
            with reading(self.engine) as connection:
                found = [_row(dict(row)) for row in connection.execute(AFTER, {"after": after}).mappings()]
            yield from found
            if len(found) < ROWS_AT_ONCE:
                return
            after = found[-1].seq

    def due(self, recipient: str, up_to: int) -> list[tuple[str, Message]]:
        """What a recipient has not been told yet of entries up to one, in order."""
        return self._unsent(OUTBOX.c.recipient == recipient, OUTBOX.c.seq <= up_to)

    def tidy(self) -> None:
        """Move what was written into the file of the database, where it is SQLite; nobody waits for it."""
        tidy(self.engine)

    # For whoever checks

    def folded(self) -> State:
        """The tables as the journal says them.

        Raises:
            Tampered: a row of the journal, or a text, is not what was recorded; it is named.
        """
        state: State = {}
        with reading(self.engine) as connection:
            texts = self._texts(connection)
        for row in self.rows(0):
            opened = {name: self._opened(kept) for name, kept in texts.get(row.seq, {}).items()}
            fold_into(state, posting_of(row.checked(), opened), self.folds)
        return {key: self._whole(key[0], values) for key, values in state.items()}

    def check(self) -> int:
        """Whether the tables are what the journal says; returns how many entries it has.

        Raises:
            Tampered: they are not; the row is named.
        """
        for _ in range(LOOKS):  # a command in between would look like a change by another way
            last = self.last()
            try:
                compare(self.folded(), self._tables())
            except Tampered:
                if self.last() == last:
                    raise
            else:
                return last
        raise Unavailable("commands come too fast to compare the tables with the journal: look again in a quiet moment")

    def rebuild(self) -> None:
        """Make the folded tables anew from the journal; nothing is recorded meanwhile."""
        with writing(self.engine) as connection:
            connection.execute(SEEN_ALONE)
            state = self.folded()
            for table in FOLDED.values():
                connection.execute(table.delete())
            forget_all(connection)
            for (name, _), values in sorted(state.items(), key=lambda item: item[0]):
                connection.execute(insert(FOLDED[name]).values(values))
                if name in SEARCHED:
                    index(connection, name, [values])

    def _tables(self) -> State:
        with reading(self.engine) as connection:
            view = SqlView(connection)
            return {(name, row["id"]): row for name in FOLDED for row in view.list_rows(name)}

    def _unsent(self, *where: ColumnElement[bool]) -> list[tuple[str, Message]]:
        unsent = select(OUTBOX).where(OUTBOX.c.sent_at.is_(None), *where)
        with reading(self.engine) as connection:
            rows = connection.execute(unsent.order_by(OUTBOX.c.seq, OUTBOX.c.id)).mappings()
            return [(row["id"], Message(row["recipient"], row["body"])) for row in rows]

    @staticmethod
    def _whole(table: str, values: Mapping[str, Any]) -> dict[str, Any]:
        return {column: values.get(column) for column in FOLDED[table].c.keys()}  # noqa: SIM118  # not a dict

    def _make_keys(self, streams: Sequence[str]) -> Sequence[bool | Exception]:
        try:
            self.keys.make(streams)
        except AndonError as error:  # each who waits is told
            return [error] * len(streams)
        return [True] * len(streams)

    def _alone(self, command: Command) -> Committed:
        with writing(self.engine) as connection:
            return self._carried_out(connection, command)

    def _together(self, commands: Sequence[Command]) -> Sequence[Committed | Exception]:
        """What came of each, when all that could be done is durable."""
        outcomes: list[Committed | Exception] = []
        try:
            self._in_few(commands, outcomes)
        except Exception as error:  # noqa: BLE001  # the worker's loop: each who still waits is told
            outcomes += [error] * (len(commands) - len(outcomes))
        return outcomes

    def _in_few(self, commands: Sequence[Command], outcomes: list[Committed | Exception]) -> None:
        """Do them in one transaction; where one breaks it for all, each in one of its own.

        `outcomes` gets what came of each, in order; fewer where the database is away: none tries in vain.
        """
        try:
            outcomes += self._in_one(commands)
        except _Broken as broken:
            if len(commands) == 1:
                outcomes.append(broken.told)
                return
            for each in commands:
                self._in_few([each], outcomes)

    def _in_one(self, commands: Sequence[Command]) -> list[Committed | Exception]:
        with transaction(self.engine) as connection:
            begun = seq = connection.execute(SEEN_ALONE).scalar_one()  # nobody else writes meanwhile
            outcomes, writes = [], Writes()
            with self._breaking():
                for each in commands:
                    outcome = self._by_itself(connection, each, seq + 1, writes)
                    seq += isinstance(outcome, Committed) and not outcome.was_done
                    outcomes.append(outcome)
                writes.carry_out(connection)
            if seq > begun:
                connection.execute(GIVEN, {"number": seq})
            return outcomes

    def _by_itself(self, connection: Connection, command: Command, seq: int, writes: Writes) -> Committed | Exception:
        """What came of a command that shares its transaction: done, or refused before it wrote anything."""
        if not command.begins:
            writes.carry_out(connection)  # it may look at what those before it changed
        try:
            done = None if command.begins else self._done(connection, command.request_id)
            if done is not None:
                return done
            fact = command.decide(SqlView(connection))
        except AndonError as error:
            return error
        # A stream that this command begins has no entry yet, and its request was none before: they are one name.
        version = 0 if command.begins else connection.execute(LATEST, {"name": fact.stream}).one()[1]
        return self._enter(writes, fact, Place(seq, version + 1, command.request_id, _text(self.now())))

    @contextmanager
    def _breaking(self) -> Iterator[None]:
        """Whatever goes wrong here breaks the transaction: all of it has to be done anew, each command by itself.

        Raises:
            _Broken: it did.
        """
        try:
            yield
        except DBAPIError as error:
            raise _Broken(told_of(self.engine, error)) from error
        except Exception as error:
            raise _Broken(error) from error

    def _carried_out(self, connection: Connection, command: Command) -> Committed:
        done = self._done(connection, command.request_id)
        return self._record(connection, command) if done is None else done

    def _record(self, connection: Connection, command: Command) -> Committed:
        seen = connection.execute(SEEN_ALONE if command.is_alone else SEEN).scalar_one()
        fact = command.decide(SqlView(connection))
        # Last of all the lock that every command takes: numbers without gaps, in the order of commits.
        seq = connection.execute(NEXT).scalar_one()
        latest, version = connection.execute(LATEST, {"name": fact.stream}).one()
        if latest > seen:
            raise _Overtaken
        writes = Writes()
        done = self._enter(writes, fact, Place(seq, version + 1, command.request_id, _text(self.now())))
        writes.carry_out(connection)
        return done

    def _enter(self, writes: Writes, fact: Fact, place: Place) -> Committed:
        """What to write of an entry: itself, its texts, its messages and what it changes in the tables."""
        salts = {name: self.chance(SALT_BYTES) for name in fact.private}
        row = make_row(fact, place, salts)
        writes.entries.append({name: getattr(row, name) for name in JOURNAL.c.keys()})  # noqa: SIM118
        writes.texts += self._kept_texts(row, fact, salts)
        for number, message in enumerate(fact.messages):
            key = f"{row.seq}:{number}"
            writes.messages.append({"id": key, "seq": row.seq, "recipient": message.recipient, "body": message.body})
        posting = posting_of(row.checked(), {name: salts[name] + text.encode() for name, text in fact.private.items()})
        writes.changes += fold_into({}, posting, self.folds)
        return Committed(row.seq, fact)

    def _kept_texts(self, row: Row, fact: Fact, salts: Mapping[str, bytes]) -> Iterator[dict[str, Any]]:
        for name, text in fact.private.items():
            key_id, sealed = self.keys.seal(fact.stream, salts[name] + text.encode(), _place(row.seq, name))
            yield {"seq": row.seq, "name": name, "key_id": key_id, "ct": sealed}

    def _texts(self, connection: Connection) -> dict[int, dict[str, Mapping[str, Any]]]:
        found: dict[int, dict[str, Mapping[str, Any]]] = {}
        for row in connection.execute(select(PAYLOAD)).mappings():
            found.setdefault(row["seq"], {})[row["name"]] = dict(row)
        return found

    def _opened(self, kept: Mapping[str, Any]) -> bytes | None:
        return self.keys.open(kept["key_id"], kept["ct"], _place(kept["seq"], kept["name"]))

    def _done(self, connection: Connection, request_id: str) -> Committed | None:
        found = connection.execute(DONE, {"name": request_id}).mappings().first()
        if found is None:
            return None
        fields = parse_header(found["entry"])
        require_same(request_id, fields)
        fact = Fact(fields["kind"], fields["stream"], fields["actor"], fields["data"])
        return Committed(found["seq"], fact, was_done=True)


class _Broken(Exception):  # no error of its own: `told` is for whoever gave the command
    """A command failed in the middle, and with it the transaction that others share."""

    def __init__(self, told: Exception) -> None:
        super().__init__(str(told))
        self.told = told


class _Overtaken(Exception):  # no error: try again
    """The stream was changed after the decision had been made from it: PostgreSQL shows each query what is new."""


def _is(column: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
    return column.in_(value) if isinstance(value, tuple) else column == value


def _paged(query: Select[Any], column: ColumnElement[Any], page: Page) -> Select[Any]:
    if page.after is not None:
        query = query.where(column < page.after if page.is_newest_first else column > page.after)
    return query.order_by(column.desc() if page.is_newest_first else column).limit(page.limit)


def _row(row: Mapping[str, Any]) -> Row:
    entry, leaf = bytes(row["entry"]), bytes(row["leaf"])
    return Row(row["seq"], row["stream"], row["stream_version"], row["request_id"], entry, leaf)


def _place(seq: int, name: str) -> bytes:
    return f"{seq}:{name}".encode()


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
