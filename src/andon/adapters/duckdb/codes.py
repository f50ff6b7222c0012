"""Renders a plan's codings as DuckDB SQL; the codes equal those of every other engine."""

from collections.abc import Mapping

from andon.telemetry.plan import CategoryCoding, Coding, NumberCoding, PresenceCoding, RepeatCoding
from andon.telemetry.schema import LogicalType
from andon.telemetry.value import unseen_cell

_INTEGERS = frozenset(
    ["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"]
)
_FLOATS = frozenset({"FLOAT", "DOUBLE"})
_UNSIGNED_BYTE, _UNSIGNED_SHORT = 1 << 8, 1 << 16


def quoted_name(name: str) -> str:
    """A column's name as DuckDB takes it, always in quotes."""
    return '"' + name.replace('"', '""') + '"'


def logical_type(storage: str) -> LogicalType:
    """What a DuckDB type holds."""
    if storage in _INTEGERS or storage in _FLOATS or storage.startswith("DECIMAL"):
        return LogicalType.NUMBER
    if storage in {"VARCHAR", "UUID", '"NULL"'} or storage.startswith("ENUM"):
        return LogicalType.TEXT
    if storage.startswith("TIMESTAMP") or storage == "DATE":
        return LogicalType.TIME
    return LogicalType.BOOLEAN if storage == "BOOLEAN" else LogicalType.OTHER


def utc_sql(name: str, storage: str) -> str:
    """A time column as naive UTC."""
    column = quoted_name(name)
    if storage == "TIMESTAMP":
        return column
    if storage == "TIMESTAMP WITH TIME ZONE":
        return f"({column} at time zone 'UTC')"
    return f"cast({column} as timestamp)"


def time_us_sql(name: str, storage: str) -> str:
    """A time column as microseconds since the epoch."""
    return f"epoch_us({quoted_name(name)})" if "TIME ZONE" in storage else f"epoch_us({utc_sql(name, storage)})"


def text_sql(name: str, storage: str) -> str:
    """A column's canonical text (`telemetry.value.text_of`)."""
    column = quoted_name(name)
    kind = logical_type(storage)
    if storage == "VARCHAR":
        return column
    if kind is LogicalType.TIME:
        return f"cast({utc_sql(name, storage)} as varchar)"
    if kind is LogicalType.NUMBER and storage not in _INTEGERS:
        number = column if storage in _FLOATS else f"cast({column} as double)"
        whole = f"isfinite({number}) and {number} = floor({number}) and abs({number}) < 9223372036854775808e0"
        text = f"when {whole} then cast(cast({number} as bigint) as varchar) else cast({number} as varchar) end"
        return f"case when isnan({number}) then 'nan' {text}"  # a NaN may carry a sign
    return f"cast({column} as varchar)"


def number_sql(name: str, storage: str) -> str:
    """A column as a double; what is no number is null, a time counts seconds since the epoch."""
    column = quoted_name(name)
    kind = logical_type(storage)
    if storage == "DOUBLE":
        return column
    if kind is LogicalType.TIME:
        return f"({time_us_sql(name, storage)} / 1e6)"
    if kind is LogicalType.OTHER:
        return "cast(null as double)"
    return f"try_cast({column} as double)"


def difference_sql(name: str, minus: str | None, storages: Mapping[str, str]) -> str | None:
    """A column as a double, less another if one is named; None where the log does not have both."""
    if name not in storages or minus is None:
        return number_sql(name, storages[name]) if name in storages else None
    if minus not in storages:
        return None
    return f"({number_sql(name, storages[name])} - {number_sql(minus, storages[minus])})"


def present_sql(name: str, storage: str) -> str:
    """Whether a label is there: neither null nor the NaN that stands for null in some tables."""
    column = quoted_name(name)
    return f"({column} is not null and not isnan({column}))" if storage in _FLOATS else f"({column} is not null)"


def source_sql(coding: Coding, storages: Mapping[str, str]) -> str | None:
    """What a coding reads from its column; None where the log does not have it."""
    storage = storages.get(coding.column)
    if storage is None:
        return None
    if isinstance(coding, NumberCoding):
        return difference_sql(coding.column, coding.minus, storages)
    return quoted_name(coding.column) if isinstance(coding, PresenceCoding) else text_sql(coding.column, storage)


def repeat_sql(coding: RepeatCoding, storages: Mapping[str, str], order: str) -> str | None:
    """Whether a row repeats its entity's previous number, rows in this order; None where the log cannot tell."""
    if not {coding.column, coding.entity} <= storages.keys():
        return None
    number, entity = (
        number_sql(coding.column, storages[coding.column]),
        text_sql(coding.entity, storages[coding.entity]),
    )
    usable = f"case when not isnan({number}) then {number} end"
    previous = f"lag({usable}) over (partition by {entity} order by {order})"
    return f"case when {entity} is not null then {usable} = {previous} end"


def code_sql(coding: CategoryCoding | PresenceCoding | RepeatCoding, source: str, values: str) -> str:
    """The code of a row as the smallest unsigned integer type; `source` names what `source_sql` gave.

    `values` is a list with the known values of a category in their order.
    """
    if isinstance(coding, RepeatCoding):
        return match_sql(source)
    if isinstance(coding, PresenceCoding):
        code = f"case when {source} is null then {coding.null} else 0 end"
    else:
        code = _category_code(coding, source, values)
    return f"cast({code} as {_integer(coding.size)})"


def truth_sql(coding: CategoryCoding, source: str) -> str:
    """What `code_sql` gives for a column of truth values, without a text for each row."""
    false, true = (_code_of(coding, text) for text in ("false", "true"))
    code = f"case when {source} is null then {coding.null} when {source} then {true} else {false} end"
    return f"cast({code} as {_integer(coding.size)})"


def match_sql(source: str) -> str:
    """The code of whether a row matches; `source` names the condition."""
    return f"cast(case when {source} is null then 2 when {source} then 1 else 0 end as utinyint)"


def unseen_sql(coding: CategoryCoding, source: str) -> str:
    """The cell of a value that the reference does not have (`telemetry.value.unseen_cell`)."""
    return f"{coding.unseen} + cast('0x' || substr(md5({source}), 1, 8) as bigint) % {coding.unseen_cells}"


def _category_code(coding: CategoryCoding, source: str, values: str) -> str:
    # asked once for each entry of a Parquet dictionary, and no slower for a row than a cast to an enumeration
    known = f"list_position({values}, {source}) - 1" if coding.values else "null"
    return f"case when {source} is null then {coding.null} else coalesce({known}, {unseen_sql(coding, source)}) end"


def _code_of(coding: CategoryCoding, text: str) -> int:
    if text in coding.values:
        return coding.values.index(text)
    return coding.unseen + unseen_cell(text, coding.unseen_cells)


def exact(number: float) -> str:
    """A finite number as a double literal; without an exponent DuckDB would read a decimal."""
    text = repr(float(number))
    return text if "e" in text else f"{text}e0"


def _integer(size: int) -> str:
    if size <= _UNSIGNED_BYTE:
        return "utinyint"
    return "usmallint" if size <= _UNSIGNED_SHORT else "bigint"
