"""A source that was asked before: what it answered is kept as one document, and answers the same questions again.

A scan looks at a log through few questions, and their answers are counts and profiles, not rows: so the document is
small, and from it the whole scan can be done again where the rows are not.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import numpy as np

from andon.base.errors import Tampered
from andon.base.interval import Interval
from andon.telemetry.plan import Codes, Coding, Cube, Plan
from andon.telemetry.question import Answer, Question
from andon.telemetry.schema import LogicalType, LogSchema
from andon.telemetry.source import CategoryProfile, LogSource, NumberProfile, Progress
from andon.telemetry.summary import Counts, Int64, Summary

Document = dict[str, Any]
_KINDS: Final = {"<i1", "<i2", "<i4", "<i8", "|u1", "|i1", "<u2", "<u4", "<u8"}


class Remembering:
    """Asks a source and keeps its answers in `document`."""

    def __init__(self, source: LogSource) -> None:
        self._source = source
        self.document: Document = {}

    def _kept(self, key: str, made: Callable[[], Any]) -> None:
        if key not in self.document:
            self.document[key] = made()

    def schema(self) -> LogSchema:
        found = self._source.schema()
        self._kept("schema", lambda: {name: str(kind) for name, kind in found.types.items()})
        return found

    def rows(self) -> int:
        found = self._source.rows()
        self._kept("rows", lambda: found)
        return found

    def period(self) -> Interval:
        found = self._source.period()
        self._kept("period", lambda: [found.start.isoformat(), found.end.isoformat()])
        return found

    def time_of_row(self, n: int) -> datetime | None:
        found = self._source.time_of_row(n)
        self._kept(f"time_of_row {n}", lambda: None if found is None else found.isoformat())
        return found

    def profile_number(self, column: str, minus: str | None = None) -> NumberProfile:
        found = self._source.profile_number(column, minus)
        self._kept(f"number {json.dumps([column, minus])}", lambda: asdict(found))
        return found

    def profile_category(self, column: str) -> CategoryProfile:
        found = self._source.profile_category(column)
        self._kept(f"category {json.dumps(column)}", lambda: asdict(found))
        return found

    def sample(self, codings: Mapping[str, Coding], rows: int) -> dict[str, Codes]:
        found = self._source.sample(codings, rows)
        self._kept(_sample_key(codings, rows), lambda: {name: _array(codes) for name, codes in found.items()})
        return found

    def summarize(self, plan: Plan, before: datetime, progress: Progress | None = None) -> Summary:
        found = self._source.summarize(plan, before, progress)
        self._kept(f"summary {plan.digest} {before.isoformat()}", lambda: _of_summary(found))
        return found

    def answer(self, question: Question) -> Answer:
        found = self._source.answer(question)
        times = [None if at is None else at.isoformat() for at in (found.first, found.last)]
        self._kept(_question_key(question), lambda: [found.count, *times, list(found.examples)])
        return found


class Remembered:
    """Answers from a document.

    Raises:
        Tampered: it is asked what nobody asked before: document and program do not fit.
    """

    def __init__(self, document: Document) -> None:
        self._document = document

    def _get(self, key: str) -> Any:
        if key not in self._document:
            raise Tampered(
                f"what was pinned does not say {key[:80]!r}: another scan, or another version of Andon, made it"
            )
        return self._document[key]

    def schema(self) -> LogSchema:
        return LogSchema({name: LogicalType(kind) for name, kind in self._get("schema").items()})

    def rows(self) -> int:
        return int(self._get("rows"))

    def period(self) -> Interval:
        start, end = self._get("period")
        return Interval(datetime.fromisoformat(start), datetime.fromisoformat(end))

    def time_of_row(self, n: int) -> datetime | None:
        return _time(self._get(f"time_of_row {n}"))

    def profile_number(self, column: str, minus: str | None = None) -> NumberProfile:
        found = self._get(f"number {json.dumps([column, minus])}")
        distinct = None if found["distinct"] is None else tuple(found["distinct"])
        return NumberProfile(found["count"], distinct, tuple(found["quantiles"]))

    def profile_category(self, column: str) -> CategoryProfile:
        found = self._get(f"category {json.dumps(column)}")
        return CategoryProfile(found["distinct"], tuple((value, count) for value, count in found["values"]))

    def sample(self, codings: Mapping[str, Coding], rows: int) -> dict[str, Codes]:
        return {name: _codes(array) for name, array in self._get(_sample_key(codings, rows)).items()}

    def summarize(self, plan: Plan, before: datetime, _progress: Progress | None = None) -> Summary:
        return _to_summary(self._get(f"summary {plan.digest} {before.isoformat()}"))

    def answer(self, question: Question) -> Answer:
        count, first, last, examples = self._get(_question_key(question))
        return Answer(count, _time(first), _time(last), tuple(examples))


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _question_key(question: Question) -> str:
    since = [] if question.since is None else [question.since.isoformat()]
    return f"answer {json.dumps([question.predicate, question.before.isoformat(), question.examples, *since])}"


def _sample_key(codings: Mapping[str, Coding], rows: int) -> str:
    told = json.dumps({name: [type(each).__name__, asdict(each)] for name, each in sorted(codings.items())})
    return f"sample {sha256(told.encode()).hexdigest()} {rows}"


def _array(values: Codes) -> list[str]:
    plain = np.ascontiguousarray(values)
    kind = plain.dtype.newbyteorder("<")
    return [kind.str, base64.b64encode(plain.astype(kind).tobytes()).decode()]


def _codes(array: list[str]) -> Codes:
    kind, data = array
    if kind not in _KINDS:
        raise Tampered(f"what was pinned holds numbers of the kind {kind!r}")
    return np.frombuffer(base64.b64decode(data), dtype=np.dtype(kind)).copy()


def _int64(array: list[str]) -> Int64:
    return _codes(array).astype(np.int64, copy=False)


def _of_summary(found: Summary) -> Document:
    cubes = [
        [list(cube.columns), cube.known_at, cube.age, _array(counts.keys), _array(counts.counts.astype(np.int64))]
        for cube, counts in found.cubes.items()
    ]
    names = [[name, code, bucket, value] for (name, code), (bucket, value) in sorted(found.names.items())]
    return {"digest": found.digest, "rows": found.rows, "cubes": cubes, "names": names}


def _to_summary(found: Document) -> Summary:
    cubes = {
        Cube(tuple(columns), known_at, age): Counts(_int64(keys), _int64(counts))
        for columns, known_at, age, keys, counts in found["cubes"]
    }
    names = {(name, code): (bucket, value) for name, code, bucket, value in found["names"]}
    return Summary(found["digest"], found["rows"], cubes, names)
