"""A replay: a log made of blocks, scanned by the service as any other log."""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from andon.base.interval import EPOCH, to_us
from andon.bootstrap.wiring import scan_log
from andon.incident.scan import DetectedIncident, Scan
from quiet_replays.blocks import Block
from quiet_replays.history import DAY, DAY_US, Days, History, Int64, micros


@dataclass(frozen=True, slots=True)
class Placed:
    """Days of the history and the day at which they stand in the replay."""

    source: Days
    first: int


@dataclass(frozen=True)
class Replay:
    """A log made of blocks of one history."""

    history: History
    table: pa.Table
    placed: tuple[Placed, ...]

    @property
    def days(self) -> int:
        """How many days of traffic it holds."""
        return sum(each.source.count for each in self.placed)

    def origin(self, at: datetime) -> datetime | None:
        """When in the real log the rows of a time of the replay were decided; None outside the replay."""
        day = to_us(at) // DAY_US
        for each in self.placed:
            if each.first <= day < each.first + each.source.count:
                return at + (each.source.first - each.first) * DAY
        return None


@dataclass(frozen=True, slots=True)
class FalseIncident:
    """An incident reported where nothing failed; `origin` is its start's time in the real log."""

    incident_type: str
    priority: str
    detector: str
    features: tuple[str, ...]
    slice: str | None
    started_at: datetime
    detected_at: datetime
    origin: datetime | None
    affected: int
    summary: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the scan of one replay said; `number` is None for the history as it happened."""

    scenario: str
    dataset: str
    background: str
    number: int | None
    days: int
    rows: int
    evaluations: int
    evaluation: timedelta
    incidents: tuple[FalseIncident, ...]
    notes: int
    seconds: float


def resampled(history: History, drawn: Iterable[Block]) -> Replay:
    """The blocks one after the other, from the first quiet day on."""
    placed, cursor = [], history.whole.first
    for block in drawn:
        placed.append(Placed(block.days, cursor))
        cursor += block.days.count
    return _replay(history, tuple(placed))


def as_it_happened(history: History) -> Replay:
    """The quiet part itself: no joins."""
    return _replay(history, tuple(Placed(span, span.first) for span in history.spans))


def _replay(history: History, placed: tuple[Placed, ...]) -> Replay:
    parts = [history.rows_of(each.source) for each in placed]
    sizes = [part.stop - part.start for part in parts]
    rows = np.concatenate([np.arange(part.start, part.stop) for part in parts])
    shift = np.repeat([(each.first - each.source.first) * DAY_US for each in placed], sizes).astype(np.int64)
    number = np.repeat(np.arange(len(placed)), sizes)
    table = _shifted(history.table.take(pa.array(rows)), shift)
    table = _renamed(table, history, number)
    end = placed[-1].first + placed[-1].source.count
    return Replay(history, _labels_before(table, history, end * DAY_US), placed)


def _shifted(table: pa.Table, shift: Int64) -> pa.Table:
    """Every column of times moves with its block."""
    by = pa.array(shift, pa.duration("us"))
    for place, column in enumerate(table.schema):
        if pa.types.is_timestamp(column.type):
            moved = pc.add(table[column.name].cast(pa.timestamp("us", column.type.tz), safe=False), by)
            table = table.set_column(place, column.name, moved.cast(column.type))
    return table


def _renamed(table: pa.Table, history: History, number: Int64) -> pa.Table:
    """A block drawn twice brings new predictions and new traces, not the same ones again."""
    suffix = pa.array([f"~{each}" for each in number], pa.large_string())
    for name in (history.model.columns.id, history.model.columns.trace):
        if name is not None:
            text = table[name].cast(pa.large_string())
            table = table.set_column(
                table.column_names.index(name),
                name,
                pc.binary_join_element_wise(text, suffix, pa.scalar("", pa.large_string())),
            )
    return table


def _labels_before(table: pa.Table, history: History, end_us: int) -> pa.Table:
    """What would arrive after the end is not there yet."""
    label, arrival = history.model.columns.label, history.model.columns.label_time
    if label is None or arrival is None or arrival not in table.column_names:
        return table
    known = pa.array(
        micros(table[arrival].fill_null(pa.scalar(EPOCH.replace(tzinfo=None), table[arrival].type))) < end_us
    )
    for name in (label, arrival):
        kept = pc.if_else(known, table[name], pa.scalar(None, table[name].type))
        table = table.set_column(table.column_names.index(name), name, kept)
    return table


def judge(replay: Replay, number: int | None) -> Outcome:
    """Scan a replay: every incident in it is false."""
    history = replay.history
    with tempfile.TemporaryDirectory(prefix="quiet-") as folder:
        path = Path(folder) / "log.parquet"
        pq.write_table(replay.table, path)
        scan = scan_log([str(path)], history.model, str(history.reference))
    return _outcome(replay, number, scan)


def _outcome(replay: Replay, number: int | None, scan: Scan) -> Outcome:
    history = replay.history
    return Outcome(
        scenario=history.name,
        dataset=history.dataset,
        background=history.background,
        number=number,
        days=replay.days,
        rows=scan.rows,
        evaluations=scan.evaluations,
        evaluation=scan.evaluation,
        incidents=tuple(_false_incident(replay, incident) for incident in scan.incidents),
        notes=len(scan.notes),
        seconds=scan.seconds,
    )


def _false_incident(replay: Replay, incident: DetectedIncident) -> FalseIncident:
    return FalseIncident(
        incident_type=incident.incident_type,
        priority=incident.priority,
        detector=incident.findings[0].detector if incident.findings else "none",
        features=incident.changed.features,
        slice=None if incident.slice is None else incident.slice.predicate,
        started_at=incident.started_at,
        detected_at=incident.detected_at,
        origin=replay.origin(incident.started_at),
        affected=incident.affected.count,
        summary=incident.summary,
    )


def plain(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON."""
    return {
        "scenario": outcome.scenario,
        "replay": outcome.number,
        "days": outcome.days,
        "rows": outcome.rows,
        "evaluations": outcome.evaluations,
        "evaluation_seconds": outcome.evaluation.total_seconds(),
        "notes": outcome.notes,
        "seconds": round(outcome.seconds, 3),
        "false_incidents": [_plain(each) for each in outcome.incidents],
    }


def _plain(each: FalseIncident) -> dict[str, Any]:
    return {
        "incident_type": each.incident_type,
        "priority": each.priority,
        "detector": each.detector,
        "features": list(each.features),
        "slice": each.slice,
        "started_at": each.started_at.isoformat(),
        "detected_at": each.detected_at.isoformat(),
        "origin": None if each.origin is None else each.origin.isoformat(),
        "affected": each.affected,
        "summary": each.summary,
    }
