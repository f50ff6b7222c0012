"""Journals for tests: in memory, in SQLite, in a real PostgreSQL with a database of its own."""

import itertools
import secrets
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
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
    if url is None:
        prepare(folder)
    engine = open_database(folder, url)
    return SqlJournal(engine, Keyring(folder / "keys.db"), FOLDS, lambda: AT, secrets.token_bytes, reach=reach)


def prepare(folder: Path) -> None:
    """Lay a copy of an empty database of this schema where a folder has none: the steps to it are taken once."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = folder / "andon.db"
    if not place.exists():
        place.touch(mode=0o600)
        place.write_bytes(_empty_file())


@cache
def _empty_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        open_database(Path(folder), None).dispose()
        return (Path(folder) / "andon.db").read_bytes()


def fresh_database(server: str) -> str:
    """The URL of a database on a PostgreSQL server, with the schema of this version and no rows."""
    return bare_database(server, f"template {_template(server)}")


def bare_database(server: str, how: str = "") -> str:
    """The URL of a database on a PostgreSQL server, without a schema."""
    name = f"andon_{next(_NUMBERS)}_{secrets.token_hex(3)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name} {how}")
    return f"{server.rsplit('/', 1)[0]}/{name}"


@cache
def _template(server: str) -> str:
    url = bare_database(server)
    with tempfile.TemporaryDirectory() as folder:
        open_database(Path(folder), url).dispose()
    return url.rsplit("/", 1)[1]


def creation(number: int, *messages: Message, stream: str | None = None) -> Command:
    """The creation of a token, always the same for its number."""
    data = {"role": "viewer", "digest": f"{number:064x}", "models": [], "expires_at": None}
    fact = Fact("token_created", stream or f"tok_{number}", "tester", data, {"name": f"person {number}"}, messages)
    return Command(f"request {number}", lambda _: fact)
