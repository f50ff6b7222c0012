"""Quiet history: the whole days of a scenario's log in which, by its truth, nothing had failed."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from andon.base.interval import from_us, to_us
from andon.bootstrap.model_files import read_model
from andon.inventory.model import Model

DAY = timedelta(days=1)
DAY_US = 86_400_000_000
WHOLE_SHARE = 0.5
"""The first and the last day are whole if they hold at least this share of a median day's rows."""
LABELS_IN = 0.99
"""A row is old enough once this share of the labels would have arrived."""

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Days:
    """A half-open run of whole days (UTC), as days since the epoch."""

    first: int
    end: int

    @property
    def count(self) -> int:
        return self.end - self.first

    def holds(self, other: "Days") -> bool:
        """Whether the other run lies within this one."""
        return self.first <= other.first and other.end <= self.end


@dataclass(frozen=True)
class History:
    """The quiet part of one scenario.

    Attributes:
        name, dataset, background: of the scenario (`background` as its truth says).
        reference: the file of known-good rows.
        model: as declared; versions and changes that came after the quiet part are not in it.
        table, at: the quiet rows in time order, and their times in µs.
        spans: the quiet days; more than one run where a tolerated event was cut out.
        log_end: the day after the log's last one: later, no label could arrive.
        lag: the days within which nearly all labels arrive (0 without arrival times).
        deploys: times (µs) at which a version went live within the quiet part.
    """

    name: str
    dataset: str
    background: str
    reference: Path
    model: Model
    table: pa.Table
    at: Int64
    spans: tuple[Days, ...]
    log_end: int
    lag: int
    deploys: tuple[int, ...]

    @property
    def days(self) -> int:
        """How many quiet days there are."""
        return sum(span.count for span in self.spans)

    @property
    def whole(self) -> Days:
        """From the first quiet day to the last one, holes included."""
        return Days(self.spans[0].first, self.spans[-1].end)

    @property
    def rows_per_day(self) -> float:
        """The pace, days without rows included."""
        return len(self.at) / max(self.days, 1)

    def rows_of(self, days: Days) -> slice:
        """The rows of some days."""
        first, end = np.searchsorted(self.at, np.array([days.first, days.end]) * DAY_US)
        return slice(int(first), int(end))


def load_history(folder: Path) -> History:
    """The quiet history of a scenario's folder; it has no days (`spans` is empty) where no day was quiet as a whole."""
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    model = read_model(str(folder / "model.yaml"))
    table = pq.read_table(folder / "log.parquet")
    table = table.sort_by([(model.columns.time, "ascending"), (model.columns.id, "ascending")])
    at = micros(table[model.columns.time])
    onset = to_us(_time(truth["onset"])) if truth["incident"] else None
    spans = _quiet_days(at, onset, truth.get("tolerated") or [])
    end = spans[-1].end * DAY_US if spans else 0
    keep = np.zeros(len(at), dtype=np.bool_)
    for span in spans:
        keep |= (at >= span.first * DAY_US) & (at < span.end * DAY_US)
    quiet = table.filter(pa.array(keep))
    return History(
        name=folder.name,
        dataset=_dataset(folder),
        background=str(truth.get("background") or "unknown"),
        reference=folder / "reference.parquet",
        model=_known_at(model, from_us(end)),
        table=quiet,
        at=at[keep],
        spans=spans,
        log_end=int(at[-1]) // DAY_US + 1,
        lag=_label_lag(quiet, model),
        deploys=tuple(sorted(at_us for at_us in _deploys(model) if at[0] < at_us < end)),
    )


def micros(column: pa.ChunkedArray) -> Int64:
    """Times as µs since the epoch; a column of times without zone is in UTC."""
    whole = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64())
    values: Int64 = whole.to_numpy().astype(np.int64)
    return values


def _quiet_days(at: Int64, onset: int | None, tolerated: list[dict[str, Any]]) -> tuple[Days, ...]:
    quiet = at if onset is None else at[at < onset]
    if len(quiet) == 0:
        return ()
    days, rows = np.unique(quiet // DAY_US, return_counts=True)
    usual = float(np.median(rows)) * WHOLE_SHARE
    first = int(days[0]) + int(rows[0] < usual)
    end = int(days[-1]) + 1 - int(rows[-1] < usual)
    if onset is not None:
        end = min(end, onset // DAY_US)
    spans = [Days(first, end)]
    for event in tolerated:
        gone = Days(to_us(_time(event["from"])) // DAY_US, to_us(_time(event["to"])) // DAY_US + 1)
        spans = [part for span in spans for part in _without(span, gone)]
    return tuple(span for span in spans if span.count > 0)


def _without(span: Days, gone: Days) -> tuple[Days, Days]:
    return Days(span.first, min(span.end, gone.first)), Days(max(span.first, gone.end), span.end)


def _label_lag(table: pa.Table, model: Model) -> int:
    """Days within which nearly all labels that arrived had arrived."""
    column = model.columns.label_time
    if column is None or column not in table.column_names:
        return 0
    arrived = table.filter(pc.is_valid(table[column]))
    if arrived.num_rows == 0:
        return 0
    lags = micros(arrived[column]) - micros(arrived[model.columns.time])
    return int(np.ceil(np.quantile(lags, LABELS_IN) / DAY_US))


def _deploys(model: Model) -> list[int]:
    return [to_us(version.deployed_at) for version in model.versions if version.deployed_at is not None]


def _known_at(model: Model, end: datetime) -> Model:
    """The model file as it stood at the end of the quiet part."""
    versions = tuple(v for v in model.versions if v.deployed_at is None or v.deployed_at < end)
    return replace(model, versions=versions, changes=tuple(c for c in model.changes if c.at < end))


def _dataset(folder: Path) -> str:
    for line in (folder / "model.yaml").read_text(encoding="utf-8").splitlines():
        if line.startswith("dataset:"):
            return line.partition(":")[2].strip()
    return folder.name


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
