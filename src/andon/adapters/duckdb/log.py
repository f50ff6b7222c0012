"""A log in files, read by DuckDB: it scans and codes, numpy counts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Self

import duckdb
import numpy as np
from numpy.typing import NDArray

from andon.adapters.duckdb.coded import Coded, as_batch, as_coded, finite
from andon.adapters.duckdb.codes import (
    difference_sql,
    exact,
    present_sql,
    quoted_name,
    repeat_sql,
    source_sql,
    text_sql,
    time_us_sql,
    truth_sql,
    utc_sql,
)
from andon.adapters.duckdb.condition import condition
from andon.adapters.duckdb.connection import close, one_row, reading
from andon.adapters.duckdb.objects import Storage
from andon.adapters.duckdb.open import OpenedLog, open_files
from andon.adapters.duckdb.outcomes import Outcomes
from andon.adapters.duckdb.place import find_place
from andon.adapters.duckdb.tables import Part
from andon.base.errors import BadInput
from andon.base.interval import MICROSECOND, Grid, Interval, from_us, to_us
from andon.inventory.model import Model
from andon.telemetry.plan import CategoryCoding, Codes, Coding, Plan, PredicateCoding, RepeatCoding
from andon.telemetry.question import Answer, Question
from andon.telemetry.schema import LogicalType, LogSchema
from andon.telemetry.source import CategoryProfile, NumberProfile, Progress
from andon.telemetry.summary import Summary
from andon.telemetry.tally import NEVER_US, Batch, Tally
from andon.telemetry.unseen import Names

if TYPE_CHECKING:
    from pyarrow import Table

BATCH_ROWS = 131_072
DISTINCT_MAX = 50
VALUES_MAX = 1_000
PROFILED_ROWS_MAX = 500_000
"""Up to so many rows are profiled whole; of more, about `SAMPLE_ROWS`, picked by the MD5 of their ids."""
SAMPLE_ROWS = 250_000
PROFILED_AT_ONCE = 2_000_000
"""So many numbers are read together for profiles: each question of a wide log costs as much as it has columns."""
SAMPLED_OVER = 1.2
"""To find the rows with the smallest MD5, so many times as many are put in order; all, should they not be enough."""
QUANTILES_IN_1000 = (1, *range(50, 1000, 50), 999)


def open_log(
    paths: Sequence[str] | str,
    model: Model,
    *,
    types: LogSchema | None = None,
    storage: Storage | None = None,
    part: Part | None = None,
    outcomes: Outcomes | None = None,
) -> "DuckDBLog":
    """Open a log: files, globs, folders or prefixes of Parquet, CSV or JSON lines, or a table of a database.

    Args:
        paths: what the user named.
        model: says which columns are the id, the time and the label.
        types: logical types known from elsewhere (the reference); text formats are read by them.
        storage: what opens files.
        part: what is wanted of it, so that a server need not send the rest.
        outcomes: labels that live elsewhere.

    Raises:
        BadInput: what was named cannot be read as a log.
    """
    part = replace(part or Part(), named=model.named)
    place = find_place(paths, storage, part=part)
    opened = open_files(place, model.columns, types, outcomes=outcomes, part=part, delay=model.label_delay)
    return DuckDBLog(opened, replace(model, columns=opened.columns))


class DuckDBLog:
    """Rows in files; nothing is held in memory but what a question needs."""

    def __init__(self, opened: OpenedLog, model: Model) -> None:
        self.model = model
        self._opened = opened
        self._connection = opened.connection
        self._files = opened.files
        self._storages = opened.storages
        self._columns = model.columns
        self._delay_us = None if model.label_delay is None else model.label_delay // MICROSECOND
        self._time_us = time_us_sql(self._columns.time, self._storages[self._columns.time])
        self._id = text_sql(self._columns.id, self._storages[self._columns.id])
        self._has_sample = False
        self._profiles: dict[tuple[str, str | None], NumberProfile] = {}

    @property
    def warnings(self) -> tuple[tuple[str, str], ...]:
        """What a reader of the results should know: `(code, text)`."""
        return self._opened.warnings

    @property
    def name(self) -> str:
        """What to call the log in a sentence."""
        return self._files.name

    def close(self) -> None:
        """Let go of the files and of what was spilled."""
        close(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def schema(self) -> LogSchema:
        return self._opened.schema

    def rows(self) -> int:
        return self._opened.rows

    def period(self) -> Interval:
        return Interval(from_us(self._opened.first_us), from_us(self._opened.last_us + 1))

    def time_of_row(self, n: int) -> datetime | None:
        """Event time of the n-th earliest row (1-based); None when there are fewer."""
        if not 1 <= n <= self._opened.rows:
            return None
        [(at,)] = self._fetch(f"select unnest({_ranked(self._time_us, [n], self._opened.rows)}) from andon_log")
        return from_us(int(str(at)))

    def profile_number(self, column: str, minus: str | None = None) -> NumberProfile:
        """The spread of a numeric column; of a large log, over rows picked by the MD5 of their ids."""
        if (column, minus) not in self._profiles:
            number = difference_sql(column, minus, self._storages)
            if number is None:
                return NumberProfile(0, None, ())
            asked = {(column, minus): number} | (self._next_features() if minus is None else {})
            rows = min(self._opened.rows, PROFILED_ROWS_MAX)
            self._profile(dict(islice(asked.items(), max(1, PROFILED_AT_ONCE // rows))))
        return self._profiles[column, minus]

    def _next_features(self) -> dict[tuple[str, str | None], str]:
        """The model's numeric features that have no profile: who asks for one asks for the others too."""
        types = self.schema().types
        names = [name for name in self.model.features if types.get(name) is LogicalType.NUMBER]
        numbers = {(name, None): difference_sql(name, None, self._storages) for name in names}
        return {key: sql for key, sql in numbers.items() if sql is not None and key not in self._profiles}

    def _profile(self, asked: Mapping[tuple[str, str | None], str]) -> None:
        read = ", ".join(f"{number} + 0e0 as x{place}" for place, number in enumerate(asked.values()))
        with reading(self._files):
            # A condition here would let DuckDB conclude from Parquet's statistics: what is not finite goes afterwards.
            table = self._connection.sql(f"select {read} from {self._profiled()}").to_arrow_table()
        self._profiles |= {key: _spread(finite(table.column(place))) for place, key in enumerate(asked)}

    def _profiled(self) -> str:
        """The table to profile: the log, or the rows that stand for a large one, picked once, whatever its order."""
        if self._opened.rows <= PROFILED_ROWS_MAX:
            return "andon_log"
        if not self._has_sample:
            share = f"{int(SAMPLE_ROWS / self._opened.rows * 0xFFFFFFFF):08x}"
            self._fetch(
                f"create temp table andon_sample as from andon_log where substr(md5({self._id}), 1, 8) < '{share}'"
            )
            self._has_sample = True
        return "andon_sample"

    def _drop_sample(self) -> None:
        """Give back the memory of the rows that were profiled: who counts has profiled."""
        if self._has_sample:
            self._connection.execute("drop table andon_sample")
            self._has_sample = False

    def profile_category(self, column: str) -> CategoryProfile:
        """The values of a column as text; of a large log, over rows picked by the MD5 of their ids."""
        if column not in self._storages:
            return CategoryProfile(0, ())
        text = text_sql(column, self._storages[column])
        grouped = f"select {text} as t, count(*) as n from {self._profiled()} group by 1"
        found = self._fetch(
            f"select t, n, count(*) over () from ({grouped}) where t is not null order by n desc, t limit {VALUES_MAX}"
        )
        return CategoryProfile(int(str(found[0][2])) if found else 0, tuple((str(t), int(str(n))) for t, n, _ in found))

    def sample(self, codings: Mapping[str, Coding], rows: int) -> dict[str, Codes]:
        """The codes of at most `rows` rows, those with the smallest MD5 of their ids, in that order."""
        coded = as_coded(codings)
        with reading(self._files):
            self._set_values(coded)
            table = self._smallest(coded, rows, SAMPLED_OVER * rows / self._opened.rows)
            if len(table) < rows < self._opened.rows:
                table = self._smallest(coded, rows, 1.0)
        return {
            each.name: each.codes(table.column(place).combine_chunks()) if len(table) else np.zeros(0, dtype=np.int64)
            for place, each in enumerate(coded, start=1)
        }

    def _smallest(self, coded: Sequence[Coded], rows: int, share: float) -> "Table":
        """Codes of rows in the order of the MD5 of their ids; looked for in about this share of the rows only."""
        sources, codes = self._coded_sql(coded)
        key = f"md5({self._id}) || {self._id}"
        inner = f"select {', '.join([f'{key} as k', *sources])} from {self._profiled()}"
        near = f" where k < '{int(share * 0xFFFFFFFF):08x}'" if share < 1 else ""
        chosen = f"select {', '.join(['k', *codes])} from ({inner}){near} order by k nulls last limit {rows}"
        return self._connection.sql(chosen).to_arrow_table().combine_chunks()

    def summarize(self, plan: Plan, before: datetime, progress: Progress | None = None) -> Summary:
        """Counts of the rows with an event time before `before`, in one pass."""
        tally = Tally(plan)
        coded = as_coded({name: plan.codings[name] for name in tally.coded})
        known_at = any(cube.known_at for cube in plan.cubes)
        with reading(self._files):
            self._drop_sample()
            self._set_values(coded)
            for batch in self._batches(coded, before, known_at=known_at):
                tally.add(batch)
                if progress is not None:
                    progress(tally.rows, self._opened.rows)
            names = self._names(tally, before, plan.grid)
        return Summary(plan.digest, tally.rows, tally.counts(), names)

    def answer(self, question: Question) -> Answer:
        """The answer to a bounded question."""
        where = condition(question.predicate, self._storages)
        hit = f"filter (where {where})"
        parts = [f"count(*) {hit}", f"min({self._time_us}) {hit}", f"max({self._time_us}) {hit}"]
        if question.examples:
            named = f"filter (where ({where}) and {quoted_name(self._columns.id)} is not null)"
            parts.append(f"min_by({self._id}, md5({self._id}) || {self._id}, {question.examples}) {named}")
        asked = self._between(question.since, question.before)
        with reading(self._files):
            try:
                row = one_row(self._connection, f"select {', '.join(parts)} from andon_log where {asked}")
            except _MISFITS as error:
                reason = str(error).splitlines()[0].split(": ", 1)[-1].rstrip(".")
                raise BadInput(f"the predicate `{question.predicate}` does not fit the columns: {reason}") from None
        first, last = (None if at is None else from_us(int(str(at))) for at in row[1:3])
        examples = row[3] if question.examples else None
        return Answer(int(str(row[0])), first, last, tuple(examples) if isinstance(examples, list) else ())

    def _count(self, what: str) -> int:
        [(count,)] = self._fetch(f"select {what}")
        return int(str(count))

    def _fetch(self, sql: str) -> list[tuple[object, ...]]:
        with reading(self._files):
            return self._connection.execute(sql).fetchall()

    def _between(self, since: datetime | None, before: datetime) -> str:
        """The condition that event times lie in a half-open interval."""
        end = self._compared("<", before)
        return end if since is None else f"{self._compared('>=', since)} and {end}"

    def _compared(self, sign: str, at: datetime) -> str:
        """The condition that event times lie on one side of a moment; whole row groups are left out by it."""
        column, storage = quoted_name(self._columns.time), self._storages[self._columns.time]
        text = at.astimezone().isoformat() if at.tzinfo is None else from_us(to_us(at)).isoformat(sep=" ")
        if storage == "TIMESTAMP WITH TIME ZONE":
            return f"{column} {sign} timestamptz '{text}'"
        return f"{utc_sql(self._columns.time, storage)} {sign} timestamp '{text.removesuffix('+00:00')}'"

    def _set_values(self, coded: Sequence[Coded]) -> None:
        for each in coded:
            if isinstance(each.coding, CategoryCoding):
                self._connection.execute(f"set variable {each.variable} = $1", [list(each.coding.values)])

    def _batches(self, coded: Sequence[Coded], before: datetime, *, known_at: bool) -> Iterator[Batch]:
        sources, codes = [f"{self._time_us} as t"], ["t"]
        if known_at:
            sources.append(f"cast({self._labelled()} as utinyint) as labelled")
            codes.append("labelled")
        if known_at and (known := self._known_us()) is not None:
            sources.append(f"{known} as known")
            codes.append("known")
        more_sources, more_codes = self._coded_sql(coded)
        sources, codes = sources + more_sources, codes + more_codes
        inner = f"select {', '.join(sources)} from andon_log where {self._between(None, before)}"
        reader = self._connection.sql(f"select {', '.join(codes)} from ({inner})").to_arrow_reader(BATCH_ROWS)
        for batch in reader:
            if batch.num_rows:
                yield as_batch(batch, coded, self._delay_us)

    def _coded_sql(self, coded: Sequence[Coded]) -> tuple[list[str], list[str]]:
        """What to read of the log, and the codes to make of it, in the order of `coded`."""
        sources, codes = [], []
        for place, each in enumerate(coded):
            source = self._source(each.coding)
            if source is None:
                codes.append(f"cast({each.null} as bigint) as c{place}")
            elif isinstance(each.coding, CategoryCoding) and self._storages[each.coding.column] == "BOOLEAN":
                sources.append(f"{quoted_name(each.coding.column)} as s{place}")
                codes.append(f"{truth_sql(each.coding, f's{place}')} as c{place}")
            else:
                sources.append(f"{source} as s{place}")
                codes.append(f"{each.sql(f's{place}')} as c{place}")
        return sources, codes

    def _source(self, coding: Coding | PredicateCoding) -> str | None:
        if isinstance(coding, PredicateCoding):
            return f"({condition(coding.predicate, self._storages)})"
        if isinstance(coding, RepeatCoding):
            return repeat_sql(coding, self._storages, f"{self._time_us}, {self._id}")
        return source_sql(coding, self._storages)

    def _labelled(self) -> str:
        label = self._columns.label
        return "false" if label is None or label not in self._storages else present_sql(label, self._storages[label])

    def _known_us(self) -> str | None:
        """When a label arrived, where the log has a column that says it."""
        column = self._columns.label_time
        if column is None or column not in self._storages:
            return None
        return f"coalesce({time_us_sql(column, self._storages[column])}, {_NEVER})"

    def _names(self, tally: Tally, before: datetime, grid: Grid) -> Names:
        """The first bucket of each cell of values that the reference does not have, and its smallest value there."""
        names: Names = {}
        for name, (first, last) in tally.unseen.buckets().items():
            [coded] = as_coded({name: tally.plan.codings[name]})
            self._set_values([coded])
            asked = self._between(grid.start(first), min(grid.start(last + 1), before))
            found = self._connection.execute(self._names_sql(coded, asked, grid)).fetchall()
            names |= {(name, int(cell)): (int(bucket), str(value)) for cell, bucket, value in found}
        return tally.unseen.completed(names)

    def _names_sql(self, coded: Coded, asked: str, grid: Grid) -> str:
        assert isinstance(coded.coding, CategoryCoding)  # noqa: S101  # others have no such cells
        text, length = source_sql(coded.coding, self._storages), grid.length_us
        bucket = f"(t - ((t % {length}) + {length}) % {length}) // {length}"  # floors before 1970, exactly
        values = f"select {text} as v, min({self._time_us}) as t from andon_log where {asked} group by 1"
        cells = f"select {coded.unseen_sql('v')} as c, {bucket} as b, v from ({values}) where v is not null"
        firsts = f"select c, min({{'b': b, 'v': v}}) as f from ({cells}) where c is not null group by c"
        return f"select c, f.b, f.v from ({firsts})"


_MISFITS = (
    duckdb.BinderException,
    duckdb.ConversionException,
    duckdb.NotImplementedException,
    duckdb.OutOfRangeException,
    duckdb.TypeMismatchException,
)
_NEVER = f"cast({NEVER_US + 1} as bigint) - 1"


def _spread(numbers: NDArray[np.float64]) -> NumberProfile:
    if not len(numbers):
        return NumberProfile(0, (), ())
    numbers.sort()
    distinct = numbers[np.flatnonzero(np.concatenate(([True], numbers[1:] != numbers[:-1])))]
    ranks = [max(1, -(-len(numbers) * share // 1000)) for share in QUANTILES_IN_1000]
    few = tuple(distinct.tolist()) if len(distinct) <= DISTINCT_MAX else None
    return NumberProfile(len(numbers), few, tuple(numbers[np.array(ranks) - 1].tolist()))


def _float(value: object) -> float:
    return float(value) if isinstance(value, float) else float(str(value))


def _ranked(sql: str, ranks: Sequence[int], count: int) -> str:
    """SQL for the values at these ranks (1-based) of `count` values: exact, whatever an engine makes of a quantile."""
    shares = ", ".join(exact((rank - 0.5) / count) for rank in ranks)
    return f"quantile_disc({sql}, [{shares}])"
