"""The database of an installation: opened, and stepped up to the schema of this version."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from andon.adapters.sql.engine import open_engine, sqlite_url, writing
from andon.base.errors import Refused

LATEST = "0004"


def open_database(data: Path, url: str | None) -> Engine:
    """The database at a URL, else `andon.db` in the data folder, with the schema of this version."""
    engine = open_engine(url or sqlite_url(data / "andon.db"))
    if url is None:
        os.close(os.open(data / "andon.db", os.O_CREAT | os.O_RDWR, 0o600))
    with ExitStack() as unless_opened:
        unless_opened.callback(engine.dispose)
        with _alone(data / "migrate.lock"), writing(engine) as connection:
            migrate(connection)
        unless_opened.pop_all()
    return engine


def migrate(connection: Connection) -> None:
    """Take the steps that the database lacks.

    Raises:
        Refused: it was made by a newer version.
    """
    version = schema_version(connection)
    if version == LATEST:
        return
    if version is not None and version > LATEST:
        raise Refused(f"the database has schema {version}, this version knows {LATEST}: run the newer andon again")
    from alembic import command  # noqa: PLC0415  # takes a quarter of a second, and is rarely needed
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def schema_version(connection: Connection) -> str | None:
    """Which step the database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("select version_num from alembic_version")).scalar()
    return found


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
