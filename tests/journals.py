"""Journals for tests: in memory, in SQLite, in a real PostgreSQL with a database of its own."""

import itertools
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from andon.adapters.keyring import Keyring
from andon.adapters.memory_journal import MemoryJournal
from andon.adapters.sql.journal import SqlJournal
from andon.bootstrap.database import open_database
from andon.bootstrap.journal import FOLDS
from andon.evidence import custody
from andon.ledger.journal import Command, Fact, Message

AT = datetime(2026, 3, 1, tzinfo=UTC)
_NUMBERS = itertools.count()


def nothing(*_: object) -> None:
    """Do nothing."""


def memory_journal() -> MemoryJournal:
    return MemoryJournal(FOLDS, lambda: AT, secrets.token_bytes)


def memory_custody(log, origin: str) -> custody.Custody:
    return custody.Custody(log, origin, memory_journal(), secrets.token_bytes)


def sql_journal(folder: Path, url: str | None = None, reach: Callable[[str], None] = nothing) -> SqlJournal:
    engine = open_database(folder, url)
    return SqlJournal(engine, Keyring(folder / "keys.db"), FOLDS, lambda: AT, secrets.token_bytes, reach=reach)


def fresh_database(server: str) -> str:
    """The URL of an empty database on a PostgreSQL server."""
    name = f"andon_{next(_NUMBERS)}_{secrets.token_hex(3)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    return f"{server.rsplit('/', 1)[0]}/{name}"


def creation(number: int, *messages: Message, stream: str | None = None) -> Command:
    """The creation of a token, always the same for its number."""
    data = {"role": "viewer", "digest": f"{number:064x}", "models": [], "expires_at": None}
    fact = Fact("token_created", stream or f"tok_{number}", "tester", data, {"name": f"person {number}"}, messages)
    return Command(f"request {number}", lambda _: fact)
