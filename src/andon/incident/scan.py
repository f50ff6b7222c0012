"""What a scan of a log found: the document `andon.scan/1`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from andon.base.interval import Interval
from andon.base.share import Share
from andon.detect.finding import Finding, Slice
from andon.incident.figures import ScanFigures
from andon.inventory.change import Change

SCHEMA = "andon.scan/1"


@dataclass(frozen=True, slots=True)
class Affected:
    """Rows that the failure touched: the predicate, what it counts on the log, and the bounds of that count."""

    predicate: str
    count: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed: columns, the model version if one is to blame, the entry of the change log that fits."""

    features: tuple[str, ...]
    version: str | None
    change: Change | None


@dataclass(frozen=True, slots=True)
class DetectedIncident:
    """Findings of one cause. Type and `detected_at` were fixed when it fired; the rest may have sharpened since.

    `observed` is the share of the affected part's decisions that the leading measure holds of while the failure lasts,
    and `expected` what it would have been. `wrong` says how many of the affected decisions were wrong, of those with a
    label; None where labels cannot say it.
    """

    incident_type: str
    priority: str
    severity: str
    priority_rule: str
    facts_missing: tuple[str, ...]
    summary: str
    started_at: datetime
    started_at_low: datetime
    started_at_high: datetime
    detected_at: datetime
    ended_at: datetime | None
    slice: Slice | None
    changed: Changed
    affected: Affected
    findings: tuple[Finding, ...]
    series: tuple[tuple[float | None, float | None], ...] = ()
    """For the picture: per bucket of the shown span (observed share, expected share) of the leading finding."""
    series_start: datetime | None = None
    series_step: timedelta | None = None
    observed: float | None = None
    expected: float | None = None
    wrong: Share | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """What was also seen and is no incident by itself."""

    at: datetime
    text: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Warning:  # noqa: A001  # the contract's word
    """Something about the input that limits what the scan can say."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Scan:
    """The outcome of one scan of one model's log; `rows` and `period` are of what was judged of it."""

    model_id: str
    rows: int
    period: Interval
    evaluation: timedelta
    evaluations: int
    incidents: tuple[DetectedIncident, ...]
    notes: tuple[Note, ...]
    warnings: tuple[Warning, ...]
    seconds: float
    detectors: tuple[str, ...] = ()
    """Names of those that had something to look at."""
    versions: Mapping[str, datetime] | None = None
    """When each version of the model that came while the log ran was first seen; None where no column says it."""
    figures: ScanFigures | None = None
    """What its pictures show, where they were asked for."""

    @property
    def is_of_whole_log(self) -> bool:
        """Whether all of the log was judged; else its beginning judged the rest, and is not among `rows`."""
        return all(warning.code != "own_reference" for warning in self.warnings)
