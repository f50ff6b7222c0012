"""The port to a log of decisions; its guarantee: what it returns depends on the rows, never on their order or files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from andon.base.interval import Interval
from andon.telemetry.plan import Codes, Coding, Plan
from andon.telemetry.question import Answer, Question
from andon.telemetry.schema import LogSchema
from andon.telemetry.summary import Summary

Progress = Callable[[int, int], None]
"""Told `(rows done, rows in all)` now and then."""


@dataclass(frozen=True, slots=True)
class NumberProfile:
    """How the finite values of a numeric column spread: ascending distinct values (None when over 50) and quantiles.

    `quantiles` are the values at 1/1000, 1/20, 2/20 … 19/20, 999/1000 of the finite values, each an actual value.
    """

    count: int
    distinct: tuple[float, ...] | None
    quantiles: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CategoryProfile:
    """The values of a column as text, most frequent first (ties by text), at most 1,000; `distinct` counts them all."""

    distinct: int
    values: tuple[tuple[str, int], ...]


class LogSource(Protocol):
    """Rows of one model's log, behind whatever engine holds them. All times are UTC."""

    def schema(self) -> LogSchema:
        """Columns and logical types."""
        ...

    def rows(self) -> int:
        """How many rows there are."""
        ...

    def period(self) -> Interval:
        """First event time, and just (1 µs) after the last one."""
        ...

    def time_of_row(self, n: int) -> datetime | None:
        """Event time of the n-th earliest row (1-based); None when there are fewer."""
        ...

    def profile_number(self, column: str, minus: str | None = None) -> NumberProfile:
        """The spread of a numeric column, or of a column less another."""
        ...

    def profile_category(self, column: str) -> CategoryProfile:
        """The values of a column as text (whole numbers without a point; booleans as `true`, `false`)."""
        ...

    def sample(self, codings: Mapping[str, Coding], rows: int) -> dict[str, Codes]:
        """The codes of at most `rows` rows, those with the smallest MD5 of their ids (then by id), in that order.

        Of a log too large to be profiled whole, the rows come from those that stand for it.
        """
        ...

    def summarize(self, plan: Plan, before: datetime, progress: Progress | None = None) -> Summary:
        """Counts of the rows with an event time before `before`, in one pass.

        A label counts with its lag even when it arrives later than `before`; whoever evaluates cuts by known-at.
        """
        ...

    def answer(self, question: Question) -> Answer:
        """The answer to a bounded question."""
        ...
