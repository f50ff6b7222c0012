"""A DuckDB connection that may read a log's files and nothing else, and its errors as sentences."""

import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeAlias

import duckdb

from andon.adapters.duckdb.files import Kind, LogFiles, quoted
from andon.adapters.duckdb.place import Place
from andon.base.errors import BadInput

Connection: TypeAlias = duckdb.DuckDBPyConnection
Row: TypeAlias = tuple[object, ...]

STORE = "s3"
MEMORY_LIMIT = "1GB"
"""What DuckDB may hold before it spills to the temporary folder."""

_OUR_FAULTS = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ConnectionException,
    duckdb.ParserException,
    duckdb.PermissionException,
    duckdb.ResourceInUseException,
    duckdb.SyntaxException,
    duckdb.TransactionException,
)
_SPILL = "andon-"
_NO_STATISTICS = "disabled_optimizers = 'statistics_propagation'"
_MENDS = {
    "utf-8": "save the file as UTF-8",
    "more ways than one": "end its lines with a line feed",
    "is no json object": 'write each line as an object, such as {"id": 1}',
}
"""By words of a reason, lower case."""
_IN_OUR_WORDS = {
    "The CSV Parser state machine reached an invalid state": "its lines end in more ways than one",
    "Prefetch registered for bytes outside file": "it is shorter than its footer says",
}
"""By how a reason of the engine's begins."""
_NO_REASON = "its content cannot be read"


def connect(*places: Place, in_order: bool = False, locked: bool = True) -> Connection:
    """A connection in UTC that spills to the system's temporary folder, never to the working directory.

    Parquet's minimum and maximum leave NaN out, and DuckDB concludes from them that there is none: it must not reason
    from statistics, and a condition on numbers must stand in an aggregate's `filter`, never in a `where`.

    Args:
        places: what it may read.
        in_order: keep the rows in the order of the files, where a question is about the first ones.
        locked: let nothing change its settings; else the caller has to `lock` it before anything else is asked.
    """
    connection = duckdb.connect()
    spill = Path(tempfile.gettempdir()) / f"{_SPILL}{secrets.token_hex(8)}"  # DuckDB makes and removes it
    allowed = ", ".join(quoted(path) for place in places for path in place.absolute)
    for setting in (
        "TimeZone = 'UTC'",
        f"temp_directory = {quoted(str(spill))}",
        f"memory_limit = '{MEMORY_LIMIT}'",
        f"preserve_insertion_order = {str(in_order).lower()}",
        "enable_progress_bar = false",
        "streaming_buffer_size = '16MB'",
        "allocator_background_threads = true",  # what is freed goes back to the system: an eighth of a scan's peak
        _NO_STATISTICS,
        f"allowed_paths = [{allowed}]",
        "enable_external_access = false",
    ):
        connection.execute(f"set {setting}")
    with ExitStack() as unless_attached:
        unless_attached.callback(close, connection)
        for place in places:
            with reading(place):
                place.attach(connection)
        unless_attached.pop_all()
    if locked:
        lock(connection)
    return connection


def lock(connection: Connection) -> None:
    """From now on nothing changes the settings of a connection."""
    connection.execute("set lock_configuration = true")


@contextmanager
def by_statistics(connection: Connection) -> Iterator[None]:
    """Lets a connection that is not locked answer from Parquet's statistics: right where there can be no NaN."""
    connection.execute("set disabled_optimizers = ''")
    try:
        yield
    finally:
        connection.execute(f"set {_NO_STATISTICS}")


def close(connection: Connection) -> None:
    """Let go of the places and of what was spilled."""
    if connection.filesystem_is_registered(STORE):
        connection.unregister_filesystem(STORE)
    connection.close()


def one_row(connection: Connection, sql: str) -> Row:
    """The single row of an aggregate."""
    [row] = connection.execute(sql).fetchall()
    return tuple(row)


def described(connection: Connection, source: str) -> dict[str, str]:
    """The columns of a table, view or reader with their DuckDB types."""
    return {str(row[0]): str(row[1]) for row in connection.execute(f"describe select * from {source}").fetchall()}


@contextmanager
def reading(files: Place) -> Iterator[None]:
    """Turn what DuckDB says about bad data into one sentence; faults of ours pass through."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise _no_room(files) from None
    except _OUR_FAULTS:
        raise
    except (duckdb.Error, OSError) as error:
        if f"{tempfile.gettempdir()}/{_SPILL}" in str(error):
            raise _no_room(files) from None
        where, reason = _told(files, str(error))
        mend = next((mend for sign, mend in _MENDS.items() if sign in reason.lower()), files.mend)
        raise BadInput(f"cannot read {where}: {reason}; {mend}") from None


def _no_room(files: Place) -> BadInput:
    place = tempfile.gettempdir()
    text = f"{files.name} needs more memory or temporary disk space than there is: free some space in {place}"
    return BadInput(f"{text}, or name another folder with TMPDIR")


def _told(files: Place, message: str) -> tuple[str, str]:
    """Which file is meant, and what is wrong with it."""
    named = max((path for path in files.absolute if path in message), key=len, default=None)
    if named is None and len(files.absolute) == 1:
        [named] = files.absolute
    reason = _reason(message)
    if named is None:
        return files.name, reason
    if isinstance(files, LogFiles) and files.kind is Kind.JSON_LINES:
        reason = re.sub(r"(?<=line )\d+", lambda found: str(files.line_of(named, int(found[0]))), reason, count=1)
    return files.shown(named), reason


def _reason(message: str) -> str:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    if not lines:
        return _NO_REASON
    first = re.sub(r"^[A-Za-z ]+ Error: ", "", lines[0])
    if first.startswith("CSV Error on Line:"):
        advice = next((place for place, line in enumerate(lines) if line.startswith("Possible")), len(lines))
        return f"line {first.rsplit(' ', 1)[-1]}: {lines[advice - 1].rstrip('. ')}"
    first = re.sub(r' in file "[^"]*",?|"?/[^ "]*"?:? ?', "", first)
    first = re.sub(r"^JSON transform error in (line \d+): Expected OBJECT, but got .*", r"\1 is no JSON object", first)
    first = re.sub(r"^Failed to read Parquet file\W*", "", first)
    first = next((ours for theirs, ours in _IN_OUR_WORDS.items() if first.startswith(theirs)), first)
    first = first.removesuffix(" Try auto-detecting the JSON format")
    # the engine has counted on to the next line when it says this
    first = re.sub(r"^(Malformed JSON at byte \d+ in line )(\d+)", _one_less, first)
    return first.rstrip(".: ") or _NO_REASON


def _one_less(found: re.Match[str]) -> str:
    return f"{found[1]}{max(1, int(found[2]) - 1)}"
