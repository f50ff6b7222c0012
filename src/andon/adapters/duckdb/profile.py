"""What the columns of a place hold, before anyone said what they mean: one pass over its first rows."""

from collections.abc import Sequence

from andon.adapters.duckdb.codes import logical_type, quoted_name, text_sql
from andon.adapters.duckdb.connection import Connection, close, connect, one_row, reading
from andon.adapters.duckdb.objects import Storage
from andon.adapters.duckdb.place import find_place
from andon.adapters.duckdb.types import ISO_TIME, raw_log
from andon.base.errors import BadInput
from andon.inventory.guess import Facts
from andon.inventory.model import Columns
from andon.telemetry.schema import LogicalType

ROWS_MAX = 200_000
"""Guesses are made from so many rows, the first ones."""
VALUES_MAX = 12
_NONE = Columns("", "")


def profile(paths: Sequence[str] | str, storage: Storage | None = None) -> tuple[Facts, ...]:
    """The facts of each column, in the order of the log.

    Raises:
        BadInput: what was named cannot be read as a log, or holds no rows.
    """
    place = find_place(paths, storage)
    connection = connect(place, in_order=True)  # the same rows, so the same guesses, every time
    try:
        with reading(place):
            raw = raw_log(connection, place, _NONE, None)
            parts = ", ".join(f"{sql} as {quoted_name(name)}" for name, sql in raw.sql.items())
            connection.execute(
                f"create temp table andon_first as select {parts} from (from {raw.reader} limit {ROWS_MAX})"
            )
            if not one_row(connection, "select count(*) from andon_first")[0]:
                raise BadInput(f"{place.name} holds no rows: name a log with at least one prediction")
            return tuple(_facts(connection, name, storage) for name, storage in raw.storages.items())
    finally:
        close(connection)


def _facts(connection: Connection, name: str, storage: str) -> Facts:
    kind, text = logical_type(storage), text_sql(name, storage)
    number = f"cast({quoted_name(name)} as double)" if kind is LogicalType.NUMBER else "cast(null as double)"
    finite = f"case when isfinite({number}) then {number} end"
    not_time = f"t is not null and not regexp_matches(trim(t), '{ISO_TIME}')"
    rows, present, distinct, low, high, parted, other, example = one_row(
        connection,
        f"select count(*), count(t), count(distinct t), min(x), max(x), count(*) filter (where x <> floor(x)),"
        f" count(*) filter (where {not_time}), min(t) filter (where {not_time})"
        f" from (select {text} as t, {finite} as x from andon_first)",
    )
    values: tuple[str, ...] = ()
    if int(str(distinct)) <= VALUES_MAX:
        found = connection.execute(f"select distinct {text} as t from andon_first where t is not null order by t")
        values = tuple(str(value) for (value,) in found.fetchall())
    is_time = kind is LogicalType.TIME or (kind is LogicalType.TEXT and bool(present) and not other)
    return Facts(
        name=name,
        type=LogicalType.TIME if is_time else kind,
        rows=int(str(rows)),
        present=int(str(present)),
        distinct=int(str(distinct)),
        low=None if low is None else float(str(low)),
        high=None if high is None else float(str(high)),
        whole=not parted,
        values=values,
        not_times=int(str(other)) if kind is LogicalType.TEXT else 0,
        not_time=str(example) if kind is LogicalType.TEXT and other else "",
    )
