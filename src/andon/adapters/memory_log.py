"""A log as a list of rows in memory: the twin of the engines, in plain loops, that tests take as the truth."""

import bisect
import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np

from andon.base import predicate
from andon.base.interval import MICROSECOND, Interval, from_us, to_us
from andon.base.row_match import matches, truth
from andon.inventory.model import Model
from andon.telemetry.plan import (
    CategoryCoding,
    Codes,
    Coding,
    Cube,
    NumberCoding,
    Plan,
    PredicateCoding,
    PresenceCoding,
    RepeatCoding,
    ValueCoding,
)
from andon.telemetry.question import Answer, Question
from andon.telemetry.schema import LogicalType, LogSchema
from andon.telemetry.source import CategoryProfile, NumberProfile, Progress
from andon.telemetry.summary import LAG_BITS, LAG_MAX, LAG_NEVER, Counts, Summary
from andon.telemetry.value import text_of, unseen_cell

Row = Mapping[str, object]

DISTINCT_MAX = 50
VALUES_MAX = 1_000
QUANTILES_IN_1000 = (1, *range(50, 1000, 50), 999)


class MemoryLog:
    """Rows in memory; times may be aware or naive UTC."""

    def __init__(self, rows: Iterable[Row], model: Model, *, types: LogSchema | None = None) -> None:
        self._rows = [dict(row) for row in rows]
        self._columns = model.columns
        self._delay = model.label_delay
        names = dict.fromkeys(name for row in self._rows for name in row)
        known = {} if types is None else types.types
        self._types = {name: _type_of(self._values(name)) or known.get(name, LogicalType.TEXT) for name in names}
        self._times = sorted(self._time_us(row) for row in self._rows)

    def schema(self) -> LogSchema:
        return LogSchema(dict(self._types))

    def rows(self) -> int:
        return len(self._rows)

    def period(self) -> Interval:
        return Interval(from_us(self._times[0]), from_us(self._times[-1] + 1))

    def time_of_row(self, n: int) -> datetime | None:
        return from_us(self._times[n - 1]) if 1 <= n <= len(self._times) else None

    def profile_number(self, column: str, minus: str | None = None) -> NumberProfile:
        numbers = [_less(row, column, minus) for row in self._rows]
        values = sorted(x for x in numbers if x is not None and math.isfinite(x))
        distinct = sorted(set(values))
        is_there = {column, minus or column} <= self._types.keys()
        few = tuple(distinct) if is_there and len(distinct) <= DISTINCT_MAX else None
        ranks = [max(1, math.ceil(len(values) * share / 1000)) for share in QUANTILES_IN_1000]
        return NumberProfile(len(values), few, tuple(values[rank - 1] for rank in ranks) if values else ())

    def profile_category(self, column: str) -> CategoryProfile:
        counts = Counter(text for text in map(text_of, self._values(column)) if text is not None)
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return CategoryProfile(len(ordered), tuple(ordered[:VALUES_MAX]))

    def sample(self, codings: Mapping[str, Coding], rows: int) -> dict[str, Codes]:
        def key(row: Row) -> tuple[bool, str, str]:
            text = text_of(row.get(self._columns.id))
            return (text is None, *(("", "") if text is None else (_md5(text), text)))

        chosen = sorted(self._rows, key=key)[:rows]
        return {name: self._codes(coding, chosen) for name, coding in codings.items()}

    def summarize(self, plan: Plan, before: datetime, progress: Progress | None = None) -> Summary:
        rows = [row for row in self._rows if self._time_us(row) < to_us(before)]
        used = {name: plan.codings[name] for name in plan.coded}
        codes = plan.complete({name: self._codes(coding, rows) for name, coding in used.items()})
        cubes = {cube: self._count(plan, cube, rows, codes) for cube in plan.cubes}
        if progress is not None:
            progress(len(rows), len(self._rows))
        return Summary(
            plan.digest,
            len(rows),
            cubes,
            _names(used, rows, [self._time_us(row) // plan.grid.length_us for row in rows]),
        )

    def answer(self, question: Question) -> Answer:
        tree = predicate.parse_tree(question.predicate, list(self._types))
        since, before = None if question.since is None else to_us(question.since), to_us(question.before)
        asked = [row for row in self._rows if self._time_us(row) < before and matches(tree, row)]
        rows = [row for row in asked if since is None or self._time_us(row) >= since]
        times = [self._time_us(row) for row in rows]
        ids = [text for text in (text_of(row.get(self._columns.id)) for row in rows) if text is not None]
        ids.sort(key=lambda text: (_md5(text), text))
        first, last = (from_us(min(times)), from_us(max(times))) if times else (None, None)
        return Answer(len(rows), first, last, tuple(ids[: question.examples]))

    def _values(self, column: str) -> list[object]:
        return [row.get(column) for row in self._rows]

    def _time_us(self, row: Row) -> int:
        return _us(row[self._columns.time])

    def _count(self, plan: Plan, cube: Cube, rows: Sequence[Row], codes: Mapping[str, Codes]) -> Counts:
        size = math.prod(plan.shape(cube))
        counts: Counter[int] = Counter()
        sizes = list(zip(cube.columns, plan.shape(cube), strict=True))
        for place, row in enumerate(rows):
            if cube.known_at and not self._is_labelled(row):
                continue
            bucket = self._time_us(row) // plan.grid.length_us
            lag = self._lag(row, bucket, plan.grid.length_us) if cube.known_at else 0
            if cube.age is not None:
                if lag > cube.age:
                    continue
                lag = cube.age
            flat = 0
            for name, codes_of_name in sizes:
                flat = flat * codes_of_name + int(codes[name][place])
            counts[((bucket << LAG_BITS) | lag) * size + flat] += 1
        keys = sorted(counts)
        return Counts(np.array(keys, dtype=np.int64), np.array([counts[key] for key in keys], dtype=np.int64))

    def _codes(self, coding: Coding | PredicateCoding, rows: Sequence[Row]) -> Codes:
        if isinstance(coding, RepeatCoding):
            return np.array(self._repeats(coding, rows), dtype=np.int64)
        return np.array([self._code(coding, row) for row in rows], dtype=np.int64)

    def _repeats(self, coding: RepeatCoding, rows: Sequence[Row]) -> list[int]:
        codes = [coding.null] * len(rows)
        last: dict[str, float | None] = {}
        ids = [text_of(row.get(self._columns.id)) for row in rows]
        for n in sorted(range(len(rows)), key=lambda n: (self._time_us(rows[n]), ids[n] is None, ids[n] or "")):
            entity, number = text_of(rows[n].get(coding.entity)), _number(rows[n].get(coding.column))
            if entity is None:
                continue
            number = None if number is None or math.isnan(number) else number
            previous = last.get(entity)
            if number is not None and previous is not None:
                codes[n] = int(number == previous)
            last[entity] = number
        return codes

    def _code(self, coding: ValueCoding | PredicateCoding, row: Row) -> int:
        if not isinstance(coding, PredicateCoding):
            return code_of(coding, _read(coding, row))
        known = truth(predicate.parse_tree(coding.predicate, list(self._types)), row)
        return 2 if known is None else int(known)

    def _is_labelled(self, row: Row) -> bool:
        label = None if self._columns.label is None else row.get(self._columns.label)
        return label is not None and not (isinstance(label, float) and math.isnan(label))

    def _lag(self, row: Row, bucket: int, length_us: int) -> int:
        known = self._known_us(row)
        return LAG_NEVER if known is None else min(max(known // length_us - bucket, 0), LAG_MAX)

    def _known_us(self, row: Row) -> int | None:
        if self._columns.label_time in self._types and self._columns.label_time is not None:
            arrival = row.get(self._columns.label_time)
            return None if arrival is None else _us(arrival)
        return None if self._delay is None else self._time_us(row) + self._delay // MICROSECOND


def _read(coding: ValueCoding, row: Row) -> object:
    """What a coding codes of a row."""
    minus = coding.minus if isinstance(coding, NumberCoding) else None
    return row.get(coding.column) if minus is None else _less(row, coding.column, minus)


def _less(row: Row, column: str, minus: str | None) -> float | None:
    number = _number(row.get(column))
    other = 0.0 if minus is None else _number(row.get(minus))
    if minus is None or number is None or other is None:
        return number if minus is None else None
    return number - other


def code_of(coding: ValueCoding, value: object) -> int:
    """The code of one value, by the words of the codings' docstrings."""
    if isinstance(coding, PresenceCoding):
        return coding.null if value is None else 0
    if isinstance(coding, NumberCoding):
        return _number_code(coding, _number(value))
    text = text_of(value)
    if text is None:
        return coding.null
    return (
        coding.values.index(text) if text in coding.values else coding.unseen + unseen_cell(text, coding.unseen_cells)
    )


def _number_code(coding: NumberCoding, number: float | None) -> int:
    if number is None:
        return coding.null
    if math.isnan(number):
        return coding.nan
    return coding.infinite if math.isinf(number) else bisect.bisect_right(coding.edges, number)


def _names(
    codings: Mapping[str, Coding | PredicateCoding], rows: Sequence[Row], buckets: Sequence[int]
) -> dict[tuple[str, int], tuple[int, str]]:
    names: dict[tuple[str, int], tuple[int, str]] = {}
    for name, coding in codings.items():
        if not isinstance(coding, CategoryCoding):
            continue
        for row, bucket in zip(rows, buckets, strict=True):
            text = text_of(row.get(coding.column))
            if text is not None and text not in coding.values:
                cell, first = (name, code_of(coding, text)), (bucket, text)
                names[cell] = min(first, names.get(cell, first))
    return names


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _number(value: object) -> float | None:
    if isinstance(value, bool | int | float | Decimal):
        return float(value)
    if isinstance(value, date):
        return _us(value) / 1e6
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return None


def _us(value: object) -> int:
    if isinstance(value, datetime):
        return to_us(value.replace(tzinfo=UTC) if value.tzinfo is None else value)
    if isinstance(value, date):
        return to_us(datetime(value.year, value.month, value.day, tzinfo=UTC))
    raise TypeError(f"not a time: {value!r}")


_TYPES: tuple[tuple[type | tuple[type, ...], LogicalType], ...] = (
    (bool, LogicalType.BOOLEAN),
    ((int, float, Decimal), LogicalType.NUMBER),
    (str, LogicalType.TEXT),
    (date, LogicalType.TIME),
)


def _type_of(values: Iterable[object]) -> LogicalType | None:
    """The type of the first value that is there; None for a column without any."""
    value = next((value for value in values if value is not None), None)
    if value is None:
        return None
    return next((kind for types, kind in _TYPES if isinstance(value, types)), LogicalType.OTHER)
