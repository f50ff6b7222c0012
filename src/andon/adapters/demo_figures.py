"""Figures of the demo's log that a dashboard would show, and what the known-good pipeline would have decided."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

from andon.base.interval import Interval

FIGURES: Final = """
    count(*) AS decisions,
    quantile_cont(latency_ms, 0.95) AS latency_p95_ms,
    avg(CAST(prediction = label AS INTEGER)) AS accuracy,
    avg(CAST(prediction = label AS INTEGER)) FILTER (WHERE in_slice) AS slice_accuracy,
    avg(CAST(prediction = 1 AS INTEGER)) FILTER (WHERE in_slice AND label = 1) AS slice_recall
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a dashboard shows of a span of time, for all the traffic and for the slice; None: nothing to count."""

    start: datetime
    decisions: float
    latency_p95_ms: float | None
    accuracy: float | None
    slice_accuracy: float | None
    slice_recall: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """Decisions that differ from the known-good pipeline's: made before a moment, and from it on."""

    before: int
    after: int


class DemoFigures:
    """The demo's log and its counterfactual, in an engine of their own."""

    def __init__(self, log: Path, counterfactual: Path, slice_predicate: str) -> None:
        self._engine = duckdb.connect()
        self._engine.execute("SET TimeZone = 'UTC'")
        self._engine.execute(
            f"CREATE TABLE log AS SELECT *, coalesce(({slice_predicate}), false) AS in_slice FROM read_parquet(?)",
            [str(log)],
        )
        self._engine.execute("CREATE TABLE known_good AS SELECT * FROM read_parquet(?)", [str(counterfactual)])

    def weeks(self, period: Interval) -> tuple[Figures, ...]:
        """The figures of each whole week within a period."""
        rows = self._engine.execute(
            f"SELECT date_trunc('week', ts) AS week, {FIGURES} FROM log GROUP BY week "
            "HAVING week >= ? AND week + INTERVAL 7 DAY <= ? ORDER BY week",
            [_naive(period.start), _naive(period.end)],
        ).fetchall()
        return tuple(Figures(week.replace(tzinfo=UTC), *figures) for week, *figures in rows)

    def span(self, span: Interval) -> Figures:
        """The figures of a span of time; decisions per week."""
        row = self._engine.execute(
            f"SELECT {FIGURES} FROM log WHERE ts >= ? AND ts < ?", [_naive(span.start), _naive(span.end)]
        ).fetchone()
        decisions, *figures = row or (0, None, None, None, None)
        weeks = span.length.total_seconds() / 604_800
        return Figures(span.start, decisions / weeks if weeks else 0.0, *figures)

    def difference(self, at: datetime) -> Difference:
        """How many decisions differ from the known-good pipeline's, before a moment and after it."""
        row = self._engine.execute(
            "SELECT count(*) FILTER (WHERE ts < ?), count(*) FILTER (WHERE ts >= ?) "
            "FROM log JOIN known_good USING (prediction_id) WHERE prediction <> prediction_cf",
            [_naive(at), _naive(at)],
        ).fetchone()
        return Difference(*(row or (0, 0)))


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
