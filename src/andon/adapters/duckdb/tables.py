"""Logs that are a table of a database: a DuckDB file, or a PostgreSQL server read through Arrow."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import duckdb

from andon.adapters.duckdb.codes import quoted_name
from andon.adapters.duckdb.files import FILE, Kind, quoted, require_readable_name
from andon.base import address
from andon.base.errors import BadInput, Unavailable
from andon.base.interval import Interval
from andon.base.nearest import nearest

EXAMPLES = {
    "duckdb": "duckdb:///warehouse.db?table=decisions",
    "postgresql": "postgresql://user@host/database?table=decisions",
}
ALIAS = "andon_arrived"
CONNECT_SECONDS = 10
_AS_THEY_ARE = re.compile(r"^(smallint|integer|bigint|real|double precision)$")
_DAY_OR_TIME = re.compile(r"^(date|timestamp)")
_LONG = re.compile(r"^(bytea|json|jsonb|xml)$|\[\]$")


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a table that is wanted, so that a server need not send the rest.

    Attributes:
        equal: only rows with this text in this column (of any place, and told apart by it).
        before: only rows with a time before this (ISO 8601 with zone) in this column.
        named: columns that the model names; long values (documents, bytes, lists) of others are left where they are.
        stretch: only rows decided within it (of any place), with the labels that had arrived by its end.
    """

    equal: tuple[str, str] | None = None
    before: tuple[str, str] | None = None
    named: frozenset[str] = frozenset()
    stretch: Interval | None = None


@dataclass(frozen=True, slots=True)
class LogTable:
    """A table of a database that is a log.

    Attributes:
        url: as the user wrote it; it may hold a password.
        database: path of a DuckDB file, or the URL for the server without our own words in it.
        table: as the user wrote it, `table` or `schema.table`.
        alias: what to call it on our connection.
        part: of a server's table, what to fetch.
    """

    url: str = field(repr=False)
    database: str = field(repr=False)
    table: str
    alias: str = ALIAS
    part: Part = Part()

    kind = Kind.TABLE
    delimiter = ","

    @property
    def name(self) -> str:
        """What to call it in a sentence."""
        return address.shown(self.url)

    @property
    def mend(self) -> str:
        return "check the database and the table"

    @property
    def is_file(self) -> bool:
        return self.url.startswith("duckdb:")

    @property
    def files(self) -> tuple[str, ...]:
        """The files of a DuckDB database, as the user named it: its own, and what was not yet written into that."""
        return (self.database, f"{self.database}.wal") if self.is_file else ()

    @property
    def absolute(self) -> tuple[str, ...]:
        if not self.is_file:
            return ()
        path = str(Path(self.database).resolve())
        return path, f"{path}.wal"

    @property
    def size_bytes(self) -> int:
        return 0

    def shown(self, absolute: str) -> str:  # noqa: ARG002  # as files have it
        return self.name

    def reader(self, types: Mapping[str, str] | None = None, *, with_file: bool = False) -> str:  # noqa: ARG002
        """SQL for all rows."""
        return f"(select *, {quoted(self.name)} as {quoted_name(FILE)} from {self.alias})" if with_file else self.alias

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make the rows available as `alias`."""
        if self.is_file:
            self._attach_file(connection)
        else:
            self._fetch(connection)

    def _attach_file(self, connection: duckdb.DuckDBPyConnection) -> None:
        database = quoted_name(f"{self.alias} database")
        try:
            connection.execute(f"attach {quoted(self.absolute[0])} as {database} (read_only)")
        except duckdb.IOException as error:
            if "lock" in str(error):
                mend = "close the program that has it open for writing, or copy the file"
                raise BadInput(f"cannot read {self.name}: it is locked; {mend}") from None
            raise self._no_database() from None
        except (duckdb.CatalogException, duckdb.BinderException):  # a file that another reader of the engine's claims
            raise self._no_database() from None
        connection.execute(f"use {database}")  # a view in the file names its tables as seen from there
        named = self._found(
            connection.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = $1 and not internal"
                " union all"
                " select schema_name, view_name from duckdb_views() where database_name = $1 and not internal",
                [f"{self.alias} database"],
            ).fetchall()
        )
        sql = f"select * from {database}.{'.'.join(map(quoted_name, named))}"
        try:
            what = "view" if self.alias == ALIAS else "table"  # two databases cannot both be where names are looked up
            connection.execute(f"create temp {what} {self.alias} as {sql}")
        except duckdb.PermissionException:
            raise BadInput(
                f"{self.name} is a view of files outside the database: name those files, or make it a table"
            ) from None
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            reason = re.sub(r"^[A-Za-z ]+ Error: ", "", str(error).splitlines()[0]).rstrip(".! ")
            raise BadInput(
                f"cannot read {self.name}: what the view is made of is gone or has changed ({reason}); make the view"
                " again, or name another table"
            ) from None

    def _no_database(self) -> BadInput:
        mend = "check the path (the name of a data file alone, without duckdb:, reads it)"
        return BadInput(f"cannot read {self.name}: it is no DuckDB database, or of another version; {mend}")

    def _table_name(self, schema: str) -> tuple[str, str]:
        first, dot, last = self.table.partition(".")
        return (first, last) if dot else (schema, first)

    def _found(self, found: list[tuple[str, str]]) -> tuple[str, str]:
        """The schema and the table that are meant; a table may have a dot in its own name."""
        for named in (self._table_name("main"), ("main", self.table)):
            if named in found:
                return named
        names = [table if schema == "main" else f"{schema}.{table}" for schema, table in found]
        near = nearest(self.table, names)
        mend = f"did you mean {near}?" if near else f"its tables are {', '.join(sorted(names)[:12]) or 'none'}"
        raise BadInput(f"{self.name} has no table {self.table}: {mend}")

    def _fetch(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Fetch what is wanted in one statement, so from one state of the server, into a table that spills."""
        from adbc_driver_postgresql import dbapi  # noqa: PLC0415  # only who reads from a server waits for it

        try:
            server = dbapi.connect(self.database)
        except dbapi.Error as error:
            raise self._trouble(str(error), connected=False) from None
        try:
            with server, server.cursor() as cursor:
                cursor.execute("set session characteristics as transaction read only")
                server.commit()
                cursor.execute(self._select(cursor))
                connection.register(f"{self.alias}_stream", cursor.fetch_record_batch())
                connection.execute(f"create temp table {self.alias} as select * from {self.alias}_stream")
                connection.unregister(f"{self.alias}_stream")
        except dbapi.Error as error:
            raise self._trouble(str(error), connected=True) from None

    def _select(self, cursor: "object") -> str:
        """The statement that fetches only the columns and rows that are wanted, in forms that can be counted."""
        name = ".".join(map(quoted_name, self._table_name(""))).removeprefix('"".')
        cursor.execute(  # type: ignore[attr-defined]  # the driver ships no types
            "select a.attname::text, format_type(a.atttypid, null) from pg_attribute a"
            " where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped order by a.attnum",
            (name,),
        )
        found = cursor.fetchall()  # type: ignore[attr-defined]
        if not found:
            raise BadInput(f"{self.name} has no table {self.table} that you may see: check its name and schema")
        types = {str(column): str(kind) for column, kind in found}
        parts = [
            f"{_read_as(quoted_name(column), kind)} as {quoted_name(column)}"
            for column, kind in types.items()
            if column in self.part.named or not _LONG.search(kind)
        ]
        return f"select {', '.join(parts)} from {name}{self._where(types)}"

    def _where(self, types: Mapping[str, str]) -> str:
        conditions = []
        if self.part.equal is not None and self.part.equal[0] in types:
            column, text = self.part.equal
            conditions.append(f"cast({quoted_name(column)} as text) = {quoted(text)}")
        if self.part.before is not None and _DAY_OR_TIME.match(types.get(self.part.before[0], "")):
            column, time = self.part.before
            zoned = "with time zone" in types[column]
            limit = f"timestamptz {quoted(time)}" + ("" if zoned else " at time zone 'UTC'")
            conditions.append(f"{quoted_name(column)} < ({limit})")
        return f" where {' and '.join(conditions)}" if conditions else ""

    def _trouble(self, message: str, *, connected: bool) -> BadInput | Unavailable:
        reason = re.sub(r"\s+", " ", message.partition("LINE 1:")[0])
        reason = re.sub(r"^.*(FATAL|ERROR): +|^\w+: |\[libpq\] |Failed to connect: ", "", reason)
        reason = re.sub(r" Query was:.*| SQLSTATE:.*", "", reason).strip(" .")[:200]
        if not connected and "FATAL:" not in message and "invalid" not in message:
            return Unavailable(f"cannot reach {self.name}: {reason}; check the host, the port and the network")
        return BadInput(f"cannot read {self.name}: {reason}; check the URL, PGPASSWORD and your rights to the table")


def _read_as(column: str, kind: str) -> str:
    if _AS_THEY_ARE.match(kind) or kind == "boolean" or _DAY_OR_TIME.match(kind):
        return column
    return f"cast({column} as double precision)" if kind == "numeric" else f"cast({column} as text)"


def is_table(place: str) -> bool:
    """Whether a place is a table of a database."""
    return re.match(r"(?i)(duckdb|postgres|postgresql):", place) is not None


def find_table(url: str, alias: str, part: Part) -> LogTable:
    """The table that a URL names.

    Raises:
        BadInput: the URL lacks the table, or its database is not there.
    """
    scheme = "duckdb" if url.lower().startswith("duckdb:") else "postgresql"
    like = f"write it like {EXAMPLES[scheme]}"
    try:
        parts = urlsplit(url)
        words = parse_qsl(parts.query, keep_blank_values=True)
        port = parts.port  # noqa: F841  # looked at for its error
    except ValueError:
        raise BadInput(f"{address.shown(url)} is no URL of a database: {like}") from None
    tables = [value for key, value in words if key == "table" and value]
    if len(tables) != 1:
        raise BadInput(f"{address.shown(url)} does not name one table: {like}")
    if scheme == "duckdb":
        return LogTable(url, _database_file(url, parts.path, like), tables[0], alias, part)
    if parts.netloc.count("@") > 1 or parts.fragment:
        raise BadInput(f"{address.shown(url)} has a sign in its password that a URL cannot hold: give it as PGPASSWORD")
    rest = [(key, value) for key, value in words if key != "table"]
    if "connect_timeout" not in dict(rest):
        rest.append(("connect_timeout", str(CONNECT_SECONDS)))
    server = urlunsplit(("postgresql", parts.netloc, parts.path, urlencode(rest, quote_via=quote), ""))
    return LogTable(url, server, tables[0], alias, part)


def _database_file(url: str, path: str, like: str) -> str:
    """`duckdb:///a.db` is beside us, `duckdb:////var/a.db` is at the root, as SQLAlchemy has it."""
    name = unquote(path.removeprefix("/"))
    if not name:
        raise BadInput(f"{url} names no file: {like}")
    require_readable_name(str(Path(name).resolve()), name)
    if not Path(name).is_file():
        raise BadInput(f"there is no database {name}: check the path (a fourth slash starts at the root); {like}")
    return name
