"""Opens the files of a log as one DuckDB view with clear types and times."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta

from andon.adapters.duckdb.codes import logical_type, present_sql, quoted_name, text_sql, time_us_sql
from andon.adapters.duckdb.connection import (
    Connection,
    by_statistics,
    close,
    connect,
    described,
    lock,
    one_row,
    reading,
)
from andon.adapters.duckdb.files import LogFiles, quoted
from andon.adapters.duckdb.outcomes import JoinedLabels, Outcomes, read_labels, unknown_ids
from andon.adapters.duckdb.place import Place
from andon.adapters.duckdb.tables import Part
from andon.adapters.duckdb.times import TimeColumn, TimeReader
from andon.adapters.duckdb.types import RawLog, raw_log
from andon.base.errors import BadInput
from andon.base.interval import MICROSECOND, Interval, to_us
from andon.base.nearest import nearest
from andon.inventory.model import Columns
from andon.telemetry.schema import LogSchema

COPY_BYTES_MAX = 4 << 30
"""Text up to this size is parsed once, into a table that spills; larger text is parsed again by every question."""
EXACT_ROWS_MAX = 2_000_000
"""Up to so many rows all ids are compared; beyond, those of some rows (repeated ids stay together)."""
_IDS_COMPARED = 250_000
_SHOWN_COLUMNS = 12
_FIRST_US, _LAST_US = (to_us(datetime(year, 1, 1, tzinfo=UTC)) for year in (1, 9999))


@dataclass(frozen=True, slots=True)
class OpenedLog:
    """A view `andon_log` over a log's files, and what was learnt while opening it."""

    connection: Connection
    files: Place
    storages: dict[str, str]
    schema: LogSchema
    rows: int
    first_us: int
    last_us: int
    warnings: tuple[tuple[str, str], ...]
    columns: Columns


def open_files(
    files: Place,
    columns: Columns,
    types: LogSchema | None,
    *,
    outcomes: Outcomes | None = None,
    part: Part | None = None,
    delay: timedelta | None = None,
) -> OpenedLog:
    """Open a place as one log, with the labels that live elsewhere.

    `part` says which rows are its own, and `delay` when labels arrive that bring no time.

    Raises:
        BadInput: the files cannot be read, or do not hold the declared id and time.
    """
    places = [files] if outcomes is None else [outcomes.place, files]
    connection = connect(*places, locked=False)
    with ExitStack() as unless_opened:
        unless_opened.callback(close, connection)
        with reading(files):
            raw = raw_log(connection, files, columns, types)
            _require(files, columns, raw)
        joined = None
        if outcomes is not None and (outcomes.is_complete or columns.label not in raw.storages):
            with reading(outcomes.place):
                joined = read_labels(connection, outcomes, columns, raw, types)
        with reading(files):
            opened = _open(connection, files, columns, _Raw(raw, types, joined, part or Part(), delay))
        log = "andon_log" if part is None or part.stretch is None else "andon_whole"
        if types is not None:  # a reference is known with all its labels
            with reading(files):
                untimed = _labels_without_time(connection, opened, log)
            opened = replace(opened, warnings=(*opened.warnings, *untimed))
        if joined is not None and outcomes is not None and outcomes.is_complete:
            named = (log, opened.storages[joined.on])
            found = [] if outcomes.is_checked else unknown_ids(connection, outcomes, joined, named)
            opened = replace(opened, warnings=(*opened.warnings, *joined.warnings, *found))
        lock(connection)
        unless_opened.pop_all()
        return opened


def _require(files: Place, columns: Columns, raw: RawLog) -> None:
    for role, name in (("id", columns.id), ("time", columns.time)):
        if name not in raw.storages:
            near = _meant(name, raw.storages)
            raise BadInput(f"{files.name} has no column {name!r}, which the model names as `{role}_column`: {near}")


@dataclass(frozen=True, slots=True)
class _Raw:
    """A log as it is read, what is known of it from elsewhere, and its labels from there."""

    log: RawLog
    types: LogSchema | None
    joined: JoinedLabels | None
    part: Part
    delay: timedelta | None


def _open(connection: Connection, files: Place, columns: Columns, raw: _Raw) -> OpenedLog:
    if raw.joined is not None:
        columns = raw.joined.columns
    warnings = [*_create_log(connection, files, columns, raw), *_lacking(connection, files, raw, columns)]
    storages = described(connection, "andon_log")
    if raw.part.equal is not None:
        _require_rows(connection, files, *raw.part.equal)
    has_plain_times = raw.log.storages[columns.time].startswith("TIMESTAMP")
    with by_statistics(connection) if has_plain_times else nullcontext():
        found = _Found.of(connection, columns, storages)
    _check_times(files, columns.time, found)
    warnings += _check_rows(connection, columns, storages, found)
    schema = _schema(connection, storages, raw.types)
    bounds = found.rows, found.first_us, found.last_us
    return OpenedLog(connection, files, storages, schema, *bounds, tuple(warnings), columns)


def _lacking(connection: Connection, files: Place, raw: _Raw, columns: Columns) -> Iterator[tuple[str, str]]:
    """Warnings about columns with a role that some of the files do not have."""
    if isinstance(files, LogFiles):
        elsewhere = () if raw.joined is None else (columns.label, columns.label_time)
        roles = (getattr(columns, field.name) for field in fields(Columns))
        named = [name for role in roles for name in ((role,) if isinstance(role, str) else role or ())]
        yield from files.lacking(connection, (name for name in dict.fromkeys(named) if name not in elsewhere))


def _meant(name: str, names: Iterable[str]) -> str:
    """What was probably meant by a missing column, else what there is."""
    known = list(names)
    near = nearest(name, known)
    if near is not None:
        return f"did you mean {near!r}?"
    more = " …" if len(known) > _SHOWN_COLUMNS else ""
    return f"mend the model file; the columns are {', '.join(known[:_SHOWN_COLUMNS])}{more}"


def _create_log(connection: Connection, files: Place, columns: Columns, raw: _Raw) -> list[tuple[str, str]]:
    """Create `andon_log` with its times as times; returns what to warn about."""
    reader = TimeReader(connection, files, raw.log, columns.id)
    elsewhere = () if raw.joined is None else (columns.label, columns.label_time)
    names = [name for name in (columns.time, columns.label_time) if name in raw.log.storages and name not in elsewhere]
    times = {name: reader.read(name) for name in names}
    sql = raw.log.sql | {name: column.sql for name, column in times.items()}
    is_small_text = not files.kind.has_types and files.size_bytes <= COPY_BYTES_MAX
    parts = [f"{each} as {quoted_name(name)}" for name, each in sql.items() if name not in elsewhere]
    what = "temp table" if is_small_text else "temp view"
    rows = f"select {', '.join(parts)} from {raw.log.reader}"
    if raw.part.equal is not None:
        column, text = raw.part.equal
        if column not in raw.log.storages:
            near = nearest(column, list(raw.log.storages))
            mend = f"did you mean {near!r}?" if near else f"add it, with {text!r} in the rows of that model"
            raise BadInput(f"{files.name} has no column {column!r}, by which models are told apart: {mend}")
        rows += f" where {text_sql(column, raw.log.storages[column])} = {quoted(text)}"
    if raw.joined is not None:
        rows = raw.joined.added(rows, raw.log.storages[raw.joined.on])
    connection.execute(f"create {what} {'andon_log' if raw.part.stretch is None else 'andon_whole'} as {rows}")
    if raw.part.stretch is not None:
        connection.execute(
            f"create temp view andon_log as {_stretch(connection, columns, raw.part.stretch, raw.delay)}"
        )
    return [*(warning for column in times.values() for warning in column.warnings), *_zone_in_one_column(times)]


def _stretch(connection: Connection, columns: Columns, stretch: Interval, delay: timedelta | None) -> str:
    """The rows of `andon_whole` within a stretch of time, with the labels that had arrived by its end."""
    storages = described(connection, "andon_whole")
    start, end, decided = to_us(stretch.start), to_us(stretch.end), time_us_sql(columns.time, storages[columns.time])
    known = None if delay is None else f"{decided} + {delay // MICROSECOND}"
    if columns.label_time is not None and columns.label_time in storages:
        known = time_us_sql(columns.label_time, storages[columns.label_time])
    label, labels = columns.label, ""
    if label is not None and label in storages and known is not None:
        name = quoted_name(label)
        labels = f" replace (case when {known} < {end} then {name} end as {name})"
    return f"select *{labels} from andon_whole where {decided} >= {start} and {decided} < {end}"


def _zone_in_one_column(times: Mapping[str, TimeColumn]) -> Iterator[tuple[str, str]]:
    naive = [name for name, column in times.items() if column.has_zone is False]
    zoned = [name for name, column in times.items() if column.has_zone]
    if naive and zoned:
        yield "mixed_zones", f"{zoned[0]!r} says its time zone and {naive[0]!r} does not; {naive[0]!r} was read as UTC"


def _require_rows(connection: Connection, files: Place, column: str, text: str) -> None:
    [some] = one_row(connection, "select count(*) from (from andon_log limit 1)")
    if not some:
        raise BadInput(
            f"{files.name} holds no rows with {text!r} in {column!r}: add known-good rows of that model, or choose"
            " another with --model-id"
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """What one look at all rows says: how many, with a time and with an id; the times' bounds; labels that came early.

    Times are microseconds since the epoch.
    """

    rows: int
    timed: int
    first_us: int
    last_us: int
    named: int
    early: int

    @classmethod
    def of(cls, connection: Connection, columns: Columns, storages: Mapping[str, str]) -> "_Found":
        time, early = quoted_name(columns.time), "0"
        at = time_us_sql(columns.time, storages[columns.time])
        if columns.label_time is not None and columns.label_time in storages:
            known = time_us_sql(columns.label_time, storages[columns.label_time])
            early = f"count(*) filter (where {known} < {at})"
        # asked of the times as they are stored, which a Parquet file's footer answers without its rows
        counted = f"count(*) as n, count({time}) as t, count({quoted_name(columns.id)}) as named, {early} as early"
        bounds = [time_us_sql(name, storages[columns.time]) for name in ("low", "high")]
        looked = f"select {counted}, min({time}) as low, max({time}) as high from andon_log"
        unbounded = f"cast({' is null or '.join(bounds)} is null as integer)"
        asked = f"select n, t, {', '.join(bounds)}, named, early, {unbounded} from ({looked})"
        *numbers, is_unbounded = _numbers(connection, asked)
        found = cls(*numbers)
        if not is_unbounded:
            return found
        timed, first, last = _numbers(connection, f"select count({at}), min({at}), max({at}) from andon_log")
        return replace(found, timed=timed, first_us=first, last_us=last)  # infinite times are none


def _check_times(files: Place, time_column: str, found: _Found) -> None:
    """Refuse a log without rows, and times that are missing or no years."""
    rows, timed = found.rows, found.timed
    if not rows:
        raise BadInput(f"{files.name} holds no rows: name a log with at least one prediction")
    if timed < rows:
        raise BadInput(
            f"{rows - timed:,} of {rows:,} rows of {files.name} have no time in {time_column!r}:"
            " fill it in or leave those rows out"
        )
    if not _FIRST_US <= found.first_us <= found.last_us < _LAST_US:
        raise BadInput(f"{files.name} has times in {time_column!r} outside the years 1 to 9999: mend those rows")


def _numbers(connection: Connection, sql: str) -> list[int]:
    return [0 if value is None else int(str(value)) for value in one_row(connection, sql)]


def _check_rows(
    connection: Connection, columns: Columns, storages: Mapping[str, str], found: _Found
) -> list[tuple[str, str]]:
    """Warnings about ids and about labels that came early."""
    name, rows = quoted_name(columns.id), found.rows
    id_sql = text_sql(columns.id, storages[columns.id])
    some = "true" if rows <= EXACT_ROWS_MAX else f"hash({id_sql}) % {rows // _IDS_COMPARED} = 0"
    seen, distinct = _numbers(connection, f"select count({name}), count(distinct {name}) from andon_log where {some}")
    told = []
    if found.named < rows:
        text = f"{rows - found.named:,} rows have no {columns.id}: they are counted, but cannot be named"
        told.append(("missing_ids", text))
    if distinct < seen:
        text = f"{seen - distinct:,} of {seen:,} rows repeat the {columns.id} of another row; each row is counted"
        told.append(("duplicate_ids", text))
    if found.early:
        text = f"{found.early:,} labels arrived before their prediction; they count as known at once"
        told.append(("labels_before_predictions", text))
    return told


def _labels_without_time(connection: Connection, opened: OpenedLog, log: str) -> Iterator[tuple[str, str]]:
    """A warning about labels of which nobody knows when they became known, where others say it."""
    label, at = opened.columns.label, opened.columns.label_time
    if label is None or at is None or not {label, at} <= opened.storages.keys():
        return
    there = present_sql(label, opened.storages[label])
    labels, timed = _numbers(connection, f"select count(*), count({quoted_name(at)}) from {log} where {there}")
    if timed < labels:
        text = f"{labels - timed:,} of {labels:,} labels have no time in {at!r}; they count as never arrived"
        yield "labels_without_time", text


def _schema(connection: Connection, storages: Mapping[str, str], types: LogSchema | None) -> LogSchema:
    """Logical types; a column without any value has the one known from elsewhere, as nothing in it says otherwise."""
    found = {name: logical_type(storage) for name, storage in storages.items()}
    known = {} if types is None else types.types
    differing = {name: kind for name, kind in known.items() if found.get(name, kind) is not kind}
    if differing:
        counted = ", ".join(f"count({quoted_name(name)})" for name in differing)
        counts = one_row(connection, f"select {counted} from andon_log")
        found |= {name: differing[name] for name, count in zip(differing, counts, strict=True) if count == 0}
    return LogSchema(found)
