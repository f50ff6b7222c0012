"""What the columns of text formats hold, decided by every value: CSV says nothing about it, JSON half of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from andon.adapters.duckdb.codes import logical_type, quoted_name
from andon.adapters.duckdb.connection import Connection, described, one_row
from andon.adapters.duckdb.files import Kind, LogFiles
from andon.adapters.duckdb.json_lines import keys_of
from andon.adapters.duckdb.place import Place
from andon.inventory.model import Columns
from andon.telemetry.schema import LogicalType, LogSchema

ISO_TIME = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(\s?(Z|z|UTC|[+-]\d{2}(:?\d{2})?))?)?$"

_BIT, _WHOLE, _FRACTION, _TRUTH, _TIME, _TEXT, _NUL, _LONG = 1, 2, 4, 8, 16, 32, 64, 128
_ONE_KIND = {_TRUTH: "BOOLEAN", _TIME: "TIMESTAMP"}
_PARQUET_CASTS = {  # DuckDB compares nanoseconds with zone to nothing else
    "TIMESTAMPTZ_NS": "cast({} as timestamptz)",
    "TIMESTAMP_NS": "cast({} as timestamp)",
}
_NO_ROLE_IN_JSON = frozenset({"JSON", '"NULL"', "TIME", "INTERVAL", "UUID"})


@dataclass(frozen=True, slots=True)
class RawLog:
    """The files as DuckDB reads them, and for each column what to read from it.

    Attributes:
        reader: SQL for all rows.
        reader_with_file: the same with a column `files.FILE`.
        storages: the type that each column should have in the end.
        sql: how it gets it.
    """

    reader: str
    reader_with_file: str
    storages: dict[str, str]
    sql: dict[str, str]


def raw_log(connection: Connection, files: Place, columns: Columns, types: LogSchema | None) -> RawLog:
    """Decide how the columns of some files are read; `types` are logical types known from elsewhere."""
    wanted = _names_are_text(columns) | ({} if types is None else types.types)
    if isinstance(files, LogFiles) and files.kind is Kind.JSON_LINES:
        return _json(files, keys_of(connection, files), (columns, wanted))
    found = described(connection, files.reader())
    if files.kind.has_types:
        sql = {
            name: _PARQUET_CASTS.get(storage, "{}").replace("{}", quoted_name(name)) for name, storage in found.items()
        }
        return RawLog(files.reader(), files.reader(with_file=True), found, sql)
    held = _held(connection, files.reader(), list(found))
    if isinstance(files, LogFiles) and any(each & _NUL for each in held.values()):
        files.require_no_nul()
    storages = {name: _storage(each, wanted.get(name)) for name, each in held.items()}
    sql = {name: _from_text(name, storage) for name, storage in storages.items()}
    return RawLog(files.reader(), files.reader(with_file=True), storages, sql)


def _names_are_text(columns: Columns) -> dict[str, LogicalType]:
    """Columns that hold names: `007` is not 7 and version 1.10 is not 1.1."""
    names = [columns.id, columns.subject, columns.model, columns.trace, columns.tool, *columns.entities]
    names += [columns.version or "model_version", columns.request_model, columns.response_model]
    return {name: LogicalType.TEXT for name in names if name is not None}


def _json(files: Place, found: dict[str, str], known: tuple[Columns, Mapping[str, LogicalType]]) -> RawLog:
    columns, wanted = known
    storages, read_as = {}, {}
    for name, storage in found.items():
        is_time = name in (columns.time, columns.label_time) and logical_type(storage) is not LogicalType.NUMBER
        is_text = is_time or wanted.get(name) is LogicalType.TEXT or storage in _NO_ROLE_IN_JSON
        storages[name] = "VARCHAR" if is_text else storage
        read_as[name] = "JSON" if storage == "JSON" else storages[name]
    tail = {name: " ->> '$'" if kind == "JSON" else "" for name, kind in read_as.items()}
    sql = {name: f"{quoted_name(name)}{tail[name]}" for name in found}
    return RawLog(files.reader(read_as), files.reader(read_as, with_file=True), storages, sql)


def _held(connection: Connection, reader: str, names: list[str]) -> dict[str, int]:
    """By column, flags for all that the texts in it could be read as."""
    row = one_row(connection, f"select {', '.join(f'bit_or({_held_sql(name)})' for name in names)} from {reader}")
    return {name: 0 if held is None else int(str(held)) for name, held in zip(names, row, strict=True)}


def _storage(held: int, wanted: LogicalType | None) -> str:
    """The type for what a column holds; truths are told from 0 and 1 only by what is known from elsewhere."""
    if wanted is LogicalType.TEXT or not held:
        return "VARCHAR"
    if (wanted, held) == (LogicalType.BOOLEAN, _BIT):
        return "BOOLEAN"
    if (wanted, held) == (LogicalType.NUMBER, _TRUTH):
        return "BIGINT"
    if held & ~(_BIT | _WHOLE | _FRACTION | _LONG):
        return _ONE_KIND.get(held, "VARCHAR")
    whole = "HUGEINT" if held & _LONG else "BIGINT"  # as doubles, long ids would be each other's
    return "DOUBLE" if held & _FRACTION else whole


def _held_sql(name: str) -> str:
    """A flag for what a text value could be read as; leading zeros make a code, not a number."""
    column = quoted_name(name)
    return (
        f"case when {column} is null then 0 when try_cast({column} as double) is not null then"
        f" case when {column} in ('0', '1') then {_BIT}"
        f" when regexp_matches({column}, '^-?(0|[1-9][0-9]{{0,17}})$') then {_WHOLE}"
        f" when regexp_matches({column}, '^-?[1-9][0-9]{{18,37}}$') then {_LONG}"
        f" when regexp_matches({column}, '^[+-]?0[0-9]|_') then {_TEXT} else {_FRACTION} end"
        f" when lower({column}) in ('true', 'false') then {_TRUTH}"
        f" when regexp_matches({column}, '{ISO_TIME}') and {instant_sql(column)} is not null then {_TIME}"
        f" when contains({column}, chr(0)) then {_NUL} else {_TEXT} end"
    )


def instant_sql(text: str) -> str:
    """An ISO 8601 text as an instant; without a zone it is UTC, null where it is no time."""
    return f"try_cast(replace(trim({text}), ' UTC', 'Z') as timestamptz)"


def _from_text(name: str, storage: str) -> str:
    column = quoted_name(name)
    if storage == "VARCHAR":
        return column
    if storage == "TIMESTAMP":
        return f"({instant_sql(column)} at time zone 'UTC')"
    if storage == "BIGINT":
        return f"coalesce(try_cast({column} as bigint), cast(try_cast({column} as boolean) as bigint))"
    return f"try_cast({column} as {storage})"
