"""A database by its URL, and its two kinds of transaction."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, OperationalError

from andon.adapters.sql.turns import Turns
from andon.base.address import shown
from andon.base.errors import BadInput, Tampered, Unavailable

BUSY_SECONDS = 30
PAGES_MAX = 16_384
"""So many pages (64 MiB) may wait in SQLite's write-ahead log before a command itself has to move them (`tidy`)."""
STOPPED_SECONDS = 5
"""PostgreSQL ends a transaction whose client says nothing for so long, and lets go of its locks."""
STOPPED = "25P03"
"""Its code for that."""


_TURNS: "WeakKeyDictionary[Engine, Turns]" = WeakKeyDictionary()
"""Of each SQLite database that this process has open."""


def open_engine(url: str) -> Engine:
    """The database at `sqlite:///path` or `postgresql://…`.

    Raises:
        BadInput: the URL is of neither kind.
    """
    try:
        kind = make_url(url).get_backend_name()
    except ArgumentError:
        kind = ""
    if kind == "sqlite":
        return _sqlite(url)
    if kind == "postgresql":
        return _postgresql(url)
    raise BadInput(
        f"--database {shown(url)} is no database for Andon: write postgresql://…, or leave it out for SQLite"
    )


def sqlite_url(path: Path) -> str:
    """The URL of a file."""
    return f"sqlite:///{path}"


def _postgresql(url: str) -> Engine:
    driver = make_url(url).set(drivername="postgresql+psycopg")
    engine = create_engine(driver, isolation_level="READ COMMITTED", pool_pre_ping=True, pool_size=8)

    @event.listens_for(engine, "connect")
    def _prepare(connection, _record):  # type: ignore[no-untyped-def]  # SQLAlchemy gives the driver's own object
        # a process that is stopped in the middle of a command must not hold the lock that every command takes
        connection.execute(f"SET idle_in_transaction_session_timeout = '{STOPPED_SECONDS}s'")
        connection.commit()

    return engine


def _sqlite(url: str) -> Engine:
    arguments = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args=arguments)
    _TURNS[engine] = Turns()

    @event.listens_for(engine, "connect")
    def _prepare(connection, _record):  # type: ignore[no-untyped-def]  # SQLAlchemy gives the driver's own object
        kept = f"wal_autocheckpoint={PAGES_MAX}"
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON", kept):
            connection.execute(f"PRAGMA {pragma}").close()

    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for reading."""
    with _reached(engine), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine, *, outlives: bool = True) -> Iterator[Connection]:
    """One transaction that commits at the end, in its turn.

    Args:
        engine: the database.
        outlives: whether it has to outlive a loss of power from its own commit on; else, with SQLite, from the next one
            that has to. It outlives an end of the process either way, and others see it at once.
    """
    turns = turns_of(engine)
    with nullcontext() if turns is None else turns, transaction(engine, outlives=outlives) as connection:
        yield connection


def turns_of(engine: Engine) -> Turns | None:
    """Who writes next in this process; None where the database lets several write at once."""
    return _TURNS.get(engine)


def tidy(engine: Engine) -> None:
    """Move what waits in SQLite's write-ahead log into its file, beside the commands; else one of them had to."""
    if engine.dialect.name == "sqlite":
        with reading(engine) as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").close()


@contextmanager
def transaction(engine: Engine, *, outlives: bool = True) -> Iterator[Connection]:
    """A transaction of somebody whose turn it is; SQLite locks at its begin, so that no reader has to turn writer."""
    with _reached(engine), engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            with connection.begin():
                yield connection
            return
        with nullcontext() if outlives else _unsynced(connection):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            with ExitStack() as unless_done:
                unless_done.callback(_roll_back, connection)
                yield connection
                unless_done.pop_all()
            connection.exec_driver_sql("COMMIT")


@contextmanager
def _unsynced(connection: Connection) -> Iterator[None]:
    """Commits do not wait for the disk: SQLite's write-ahead log is synced with the next that does."""
    connection.exec_driver_sql("PRAGMA synchronous=NORMAL").close()
    try:
        yield
    finally:
        with ExitStack() as unless_done:
            unless_done.callback(connection.invalidate)  # nobody else may get it like this
            connection.exec_driver_sql("PRAGMA synchronous=FULL").close()
            unless_done.pop_all()


def _roll_back(connection: Connection) -> None:
    """Undo a transaction; where the failure has ended it already (a full disk does), what failed is what is told."""
    with suppress(OperationalError):
        connection.exec_driver_sql("ROLLBACK")


@contextmanager
def _reached(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        told = told_of(engine, error)
        if told is error:
            raise
        raise told from None


def told_of(engine: Engine, error: DBAPIError) -> Exception:
    """What to say of an error of the database; the error itself where it is a mistake of ours."""
    if getattr(error.orig, "sqlstate", None) == STOPPED:
        return Unavailable("this process stood still within a command, which did not happen: try again")
    if type(error) not in (DatabaseError, OperationalError):
        return error
    first = " ".join(str(error.orig).split())[:160]
    place = shown(engine.url.render_as_string(hide_password=True))
    if type(error) is DatabaseError:  # as SQLite calls a file whose bytes are no database
        return Tampered(f"the database {place} is damaged: {first}; restore it from a backup")
    return Unavailable(f"the database {place} does not answer: {first}; start it, or mend --database")
