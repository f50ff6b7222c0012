"""Reads the time columns of a log as naive UTC, or says why their zone or form is not clear."""

from collections.abc import Iterator
from dataclasses import dataclass

from andon.adapters.duckdb.codes import logical_type, quoted_name
from andon.adapters.duckdb.connection import Connection, described, one_row
from andon.adapters.duckdb.files import FILE, Kind, quoted
from andon.adapters.duckdb.place import Place
from andon.adapters.duckdb.types import ISO_TIME, RawLog, instant_sql
from andon.base.errors import BadInput
from andon.telemetry.schema import LogicalType

_ZONE_AFTER_CLOCK = r":\d{2}(\.\d+)?\s?(Z|z|UTC|[+-]\d{2}(:?\d{2})?)$"
_UTC = "^(Z|z|UTC|[+-]00(:?00)?)$"
_MEND = "write times as ISO 8601 in UTC, like 2026-02-09T06:00:00Z"
_EPOCH_UNITS = {"seconds": 1_000_000, "milliseconds": 1_000, "microseconds": 1}
_PLAUSIBLE_SECONDS = (315_532_800, 4_102_444_800)  # 1980 to 2100: the ranges of the units do not touch


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """How to read one time column.

    Attributes:
        sql: over the raw column.
        has_zone: whether its times say their zone; None where there are none to say it.
        warnings: `(code, text)`.
    """

    sql: str
    has_zone: bool | None
    warnings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TimeReader:
    """Decides how the time columns of a log are read."""

    connection: Connection
    files: Place
    raw: RawLog
    id_column: str

    def read(self, name: str) -> TimeColumn:
        """The way to read a column.

        Raises:
            BadInput: the column holds no times, or times of which the zone or unit is not clear.
        """
        storage = self.raw.storages[name]
        kind = logical_type(storage)
        if self.files.kind.has_types and kind is LogicalType.TIME:
            if self.files.kind is Kind.PARQUET:
                self._same_zone_in_all_files(name)
            return TimeColumn(self.raw.sql[name], has_zone="TZ" in storage or "TIME ZONE" in storage)
        if kind is LogicalType.NUMBER:
            return self._epoch(name)
        if kind in (LogicalType.TEXT, LogicalType.TIME):
            return self._text(name)
        raise BadInput(f"the time column {name!r} of {self.files.name} holds {storage.lower()}, not times: {_MEND}")

    def _same_zone_in_all_files(self, name: str) -> None:
        paths = ", ".join(quoted(path) for path in self.files.absolute)
        is_zoned = "coalesce(logical_type, '') like '%isAdjustedToUTC=1%'"
        rows = self.connection.execute(
            f"select file_name, {is_zoned} from parquet_schema([{paths}]) where name = ?", [name]
        ).fetchall()
        zoned = sorted(self.files.shown(path) for path, with_zone in rows if with_zone)
        naive = sorted(self.files.shown(path) for path, with_zone in rows if not with_zone)
        if zoned and naive:
            mend = "write all files with a zone, or all in UTC without"
            raise BadInput(f"the time column {name!r} has a time zone in {zoned[0]} and none in {naive[0]}: {mend}")

    def _epoch(self, name: str) -> TimeColumn:
        number = f"cast({quoted_name(name)} as double)"
        column = f"case when isfinite({number}) then {number} end"  # a table of doubles writes NaN for no time
        low, high = one_row(self.connection, f"select min({column}), max({column}) from {self.raw.reader}")
        if low is None:
            return TimeColumn("cast(null as timestamp)", None)
        for unit, microseconds in _EPOCH_UNITS.items():
            first, last = (bound * 1_000_000 / microseconds for bound in _PLAUSIBLE_SECONDS)
            if first <= float(str(low)) and float(str(high)) < last:
                text = f"{name!r} holds numbers; they were read as {unit} since 1970 (UTC)"
                at = f"make_timestamp(cast(round(({column}) * {microseconds}) as bigint))"
                return TimeColumn(at, None, (("epoch_times", text),))
        raise BadInput(
            f"the time column {name!r} of {self.files.name} holds numbers from {low} to {high},"
            f" of which the unit is not clear: {_MEND}"
        )

    def _text(self, name: str) -> TimeColumn:
        column = quoted_name(name)
        instant = instant_sql(column)
        wrong = f"({instant} is null or not regexp_matches(trim({column}), '{ISO_TIME}'))"
        zone = f"regexp_extract(trim({column}), '{_ZONE_AFTER_CLOCK}', 2)"
        zone = f"replace(regexp_replace({zone}, '{_UTC}', 'UTC'), ':', '')"
        rows = self.connection.execute(
            f"select {wrong}, {zone}, count(*) from {self.raw.reader} where {column} is not null"
            " group by all order by all"
        ).fetchall()
        count = sum(number for is_wrong, _, number in rows if is_wrong)
        if count:
            example = self._example(column, wrong)
            told = f"{count:,} values of the time column {name!r} are not ISO 8601 times, for example {example}"
            if count == 1:
                told = f"1 value of the time column {name!r} is not an ISO 8601 time, {example}"
            raise BadInput(f"{told}: {_MEND}")
        zones = [zone for _, zone, _ in rows]
        if len(zones) > 1:
            one, other = (self._example(column, f"{zone} = {quoted(each)}") for each in zones[:2])
            raise BadInput(f"the time column {name!r} mixes time zones, {one} and {other}: {_MEND}")
        warnings = tuple(self._text_times(name)) if zones else ()
        return TimeColumn(f"({instant} at time zone 'UTC')", zones[0] != "" if zones else None, warnings)

    def _text_times(self, name: str) -> Iterator[tuple[str, str]]:
        """What to warn of where a query of one's own would find text too, and compare it as such with a time."""
        storage = self.raw.storages[name]
        if not self.files.kind.has_types:  # the engine finds times in CSV, and in most of JSON, by itself
            is_json = self.files.kind is Kind.JSON_LINES
            storage = described(self.connection, self.files.reader()).get(name, "") if is_json else ""
        if logical_type(storage) is LogicalType.TEXT:
            text = f"{name!r} is stored as text and was read as times: a query has to do the same; store timestamps"
            yield "text_times", text

    def _example(self, column: str, where: str) -> str:
        sql = f"select {quoted_name(FILE)}, {quoted_name(self.id_column)}, {column} from {self.raw.reader_with_file}"
        path, row_id, value = one_row(
            self.connection, f"{sql} where {column} is not null and {where} order by all limit 1"
        )
        return f"{value!r} (id {row_id} in {self.files.shown(str(path))})"
