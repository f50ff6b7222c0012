"""A coding of a plan as DuckDB is asked for it, and what it answers as codes: categories by SQL, numbers by numpy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from andon.adapters.duckdb.codes import code_sql, match_sql, unseen_sql
from andon.telemetry.bins import Binner
from andon.telemetry.plan import CategoryCoding, Codes, Coding, NumberCoding, PredicateCoding
from andon.telemetry.tally import NEVER_US, Batch

if TYPE_CHECKING:
    from pyarrow import Array, ChunkedArray, RecordBatch


@dataclass(frozen=True, slots=True)
class Coded:
    """A coding, the DuckDB variable that holds its known values, and what bins its numbers."""

    name: str
    coding: Coding | PredicateCoding
    variable: str
    binner: Binner | None

    @property
    def null(self) -> int:
        """The code of a row of which the log lacks the column."""
        return 2 if isinstance(self.coding, PredicateCoding) else self.coding.null

    def sql(self, source: str) -> str:
        """What to fetch: the code, or the number of which numpy finds the bin."""
        if isinstance(self.coding, NumberCoding):
            return source
        if isinstance(self.coding, PredicateCoding):
            return match_sql(source)
        return code_sql(self.coding, source, f"getvariable('{self.variable}')")

    def unseen_sql(self, source: str) -> str:
        """The cell of a value that the reference does not have; null for one that it has."""
        assert isinstance(self.coding, CategoryCoding)  # noqa: S101  # others have no such cells
        known = f"list_position(getvariable('{self.variable}'), {source})"
        return f"case when {known} is null then {unseen_sql(self.coding, source)} end"

    def codes(self, fetched: "Array") -> Codes:
        """The codes of what was fetched."""
        if self.binner is None or fetched.type != "double":
            return _numbers(fetched)
        return self.binner.codes(_numbers(fetched), _is_null(fetched))


def as_coded(codings: Mapping[str, Coding | PredicateCoding]) -> list[Coded]:
    """Codings as they are asked for together."""
    return [
        Coded(name, coding, f"andon_values_{place}", Binner(coding) if isinstance(coding, NumberCoding) else None)
        for place, (name, coding) in enumerate(codings.items())
    ]


def as_batch(batch: "RecordBatch", coded: Sequence[Coded], delay_us: int | None) -> Batch:
    """What was fetched: `t`, perhaps `labelled`, perhaps `known`, and the codes or numbers in the order of `coded`.

    Where `known` is not there, a label arrives `delay_us` microseconds after its decision; with None, never.
    """
    fetched = dict(zip(batch.schema.names, batch.columns, strict=True))
    time, labelled, known = _numbers(fetched.pop("t")), None, None
    if "labelled" in fetched:
        labelled = _numbers(fetched.pop("labelled")).astype(np.bool_)
        later = np.full(len(time), NEVER_US) if delay_us is None else time + delay_us
        known = _numbers(fetched.pop("known")) if "known" in fetched else later
    codes = {each.name: each.codes(column) for each, column in zip(coded, fetched.values(), strict=True)}
    return Batch(time, labelled, known, codes)


def finite(column: "ChunkedArray") -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """The finite numbers of a column, in an array of their own."""
    found = [np.zeros(0)]
    for chunk in column.chunks:
        numbers, is_null = _numbers(chunk), _is_null(chunk)
        usable = np.isfinite(numbers)
        found.append(numbers[usable if is_null is None else usable & ~is_null])
    return np.concatenate(found)


def _numbers(column: "Array") -> "np.ndarray[tuple[int], np.dtype[Any]]":
    """The numbers of an Arrow array, nulls aside; Arrow's own way would import pandas where that is installed."""
    dtype = np.dtype(column.type.to_pandas_dtype())
    return np.frombuffer(column.buffers()[1], dtype=dtype, count=len(column), offset=column.offset * dtype.itemsize)


def _is_null(column: "Array") -> "np.ndarray[tuple[int], np.dtype[np.bool_]] | None":
    if not column.null_count:
        return None
    bits = np.unpackbits(np.frombuffer(column.buffers()[0], dtype=np.uint8), bitorder="little")
    is_null: np.ndarray[tuple[int], np.dtype[np.bool_]] = bits[column.offset : column.offset + len(column)] == 0
    return is_null
