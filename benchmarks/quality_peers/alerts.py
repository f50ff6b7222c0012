"""Alerts of any tool, merged into incidents: one rule for all, and where a rule had to be chosen, the kinder one."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, TypeVar

from quality_peers.windows import Window

T = TypeVar("T")


class Kind(IntEnum):
    """What alerted. Of those that alert first the lowest names the incident: a broken column explains the rest."""

    QUALITY = 0
    NEW_VALUE = 1
    FAIRNESS = 2
    DRIFT = 3
    PERFORMANCE = 4


TYPES = {
    Kind.QUALITY: "data_pipeline_corruption",
    Kind.NEW_VALUE: "model_drift",
    Kind.FAIRNESS: "bias_and_fairness_violation",
    Kind.DRIFT: "model_drift",
    Kind.PERFORMANCE: "model_performance_degradation",
}
GAP = 1
"""So many calm windows do not end an incident."""


@dataclass(frozen=True, order=True, slots=True)
class Where:
    """Rows whose column has one of the values; no values: whose column is null."""

    column: str
    values: tuple[str, ...] = ()

    def sql(self) -> str:
        """As a predicate."""
        if not self.values:
            return f'"{self.column}" IS NULL'
        quoted = ", ".join("'" + value.replace("'", "''") + "'" for value in self.values)
        return f'"{self.column}" IN ({quoted})'


@dataclass(frozen=True, slots=True)
class Alert:
    """One check that failed in one window.

    Attributes:
        check: its name; readings choose by it.
        known_at: when the tool could have said so: the end of the window, or when its labels had come.
        columns: those it names.
        rows: which rows of the window it names; None: all of them.
        segment: the part of the traffic that was looked at alone; None: all traffic.
    """

    window: Window
    kind: Kind
    check: str
    known_at: datetime
    columns: tuple[str, ...] = ()
    rows: Where | None = None
    segment: Where | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """Windows of alerts that follow each other."""

    alerts: tuple[Alert, ...]
    last: bool

    @property
    def first(self) -> list[Alert]:
        """What alerted first, the kind that names the incident."""
        at = self.detected_at
        kind = min(a.kind for a in self.alerts if a.known_at == at)
        return [a for a in self.alerts if a.known_at == at and a.kind == kind]

    @property
    def kind(self) -> Kind:
        return self.first[0].kind

    @property
    def detected_at(self) -> datetime:
        return min(a.known_at for a in self.alerts)

    @property
    def span(self) -> Window:
        return Window(min(a.window.start for a in self.alerts), max(a.window.end for a in self.alerts))

    @property
    def rows(self) -> tuple[Where, ...]:
        """The rows that its alerts name, if every one of the leading kind names some."""
        named = {a.rows for a in self.alerts if a.kind == self.kind}
        return () if None in named else tuple(sorted(where for where in named if where))

    @property
    def conditions(self) -> list[str]:
        """What its rows have in common, as predicates of which all hold."""
        segment = self.alerts[0].segment
        found = [] if segment is None else [segment.sql()]
        return [*found, "(" + " OR ".join(w.sql() for w in self.rows) + ")"] if self.rows else found


def merge(alerts: Iterable[Alert], windows: Sequence[Window], least: int = 1, gap: int = GAP) -> Iterator[Incident]:
    """One incident for each run of alerting windows, for all traffic and for each segment alone.

    Args:
        alerts: in any order.
        windows: those that were judged, in order.
        least: an incident needs so many alerting windows, and is known when the last of these is.
        gap: so many calm windows do not end it.
    """
    place = {window: i for i, window in enumerate(windows)}
    held = sorted((alert for alert in alerts if alert.window in place), key=lambda alert: alert.window)
    for line in _grouped(held, lambda alert: alert.segment):
        run: list[Alert] = []
        for alert in line:
            if run and place[alert.window] - place[run[-1].window] > gap + 1:
                yield from _sustained(run, windows, least, gap)
                run = []
            run.append(alert)
        yield from _sustained(run, windows, least, gap)


def merge_alone(alerts: Iterable[Alert], windows: Sequence[Window], least: int = 1) -> Iterator[Incident]:
    """One incident for each alarm that goes on, whatever is on already; those that go on in the same window are one.

    So an alarm that never ends, such as that of a feature whose season the reference lacks, does not hide the next.
    """
    lines = _grouped(alerts, lambda alert: (alert.check, alert.columns, alert.segment))
    alone = [incident for line in lines for incident in merge(line, windows, least, gap=0)]
    for same in _grouped(alone, lambda incident: (incident.span.start, incident.alerts[0].segment)):
        yield Incident(tuple(alert for each in same for alert in each.alerts), any(each.last for each in same))


def _grouped(items: Iterable[T], key: Callable[[T], Hashable]) -> Iterable[list[T]]:
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups.values()


def _sustained(run: list[Alert], windows: Sequence[Window], least: int, gap: int) -> Iterator[Incident]:
    """The run as an incident, if it lasted; its first alerts are known only once it did."""
    hit = sorted({alert.window for alert in run})
    if len(hit) < least:
        return
    known = sorted(min(a.known_at for a in run if a.window == window) for window in hit)[least - 1]
    late = (replace(alert, known_at=max(alert.known_at, known)) for alert in run)
    yield Incident(tuple(late), last=hit[-1] in windows[-1 - gap :])


@dataclass(frozen=True, slots=True)
class Scanned:
    """What stands in the document beside the incidents."""

    model_id: str
    rows: int
    start: datetime
    end: datetime
    time_column: str
    windows: Sequence[Window]
    seconds: float


def document(scanned: Scanned, incidents: Sequence[Incident], count: Callable[[Incident], int]) -> dict[str, Any]:
    """What a scorer reads of `andon.scan/1`; `count` says how many rows of the log an incident's predicate selects."""
    lengths = sorted(window.end - window.start for window in scanned.windows) or [timedelta(0)]
    return {
        "schema": "andon.scan/1",
        "model_id": scanned.model_id,
        "rows": scanned.rows,
        "period": {"start": scanned.start.isoformat(), "end": scanned.end.isoformat()},
        "evaluation_seconds": lengths[len(lengths) // 2].total_seconds(),
        "evaluations": len(scanned.windows),
        "incidents": [_incident(scanned, each, count) for each in incidents],
        "notes": [],
        "warnings": [],
        "seconds": scanned.seconds,
    }


def _incident(scanned: Scanned, incident: Incident, count: Callable[[Incident], int]) -> dict[str, Any]:
    span, column = incident.span, f'"{scanned.time_column}"'
    end = [] if incident.last else [f"{column} < '{span.end.isoformat(' ')}'"]
    predicate = " AND ".join([f"{column} >= '{span.start.isoformat(' ')}'", *end, *incident.conditions])
    n = count(incident)
    segment = incident.alerts[0].segment
    names = [where.column for where in (*incident.rows, *([segment] if segment else []))]
    columns = sorted({name for alert in incident.first for name in alert.columns})
    return {
        "incident_type": TYPES[incident.kind],
        "priority": "P2",
        "summary": "; ".join(sorted({alert.check for alert in incident.first})),
        "started_at": span.start.isoformat(),
        "started_at_low": span.start.isoformat(),
        "started_at_high": min(a.window.end for a in incident.alerts).isoformat(),
        "detected_at": incident.detected_at.isoformat(),
        "ended_at": None if incident.last else span.end.isoformat(),
        "slice": {"predicate": " AND ".join(incident.conditions), "columns": names} if names else None,
        "changed": {"features": columns, "version": None, "change": None},
        "affected": {"predicate": predicate, "count": n, "low": n, "high": n},
        "findings": [
            {"check": alert.check, "columns": alert.columns, "from": alert.window.start.isoformat()}
            for alert in incident.alerts
        ],
    }
