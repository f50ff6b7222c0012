"""A model as its operator describes it (`model.yaml`): which columns of its log mean what."""

from collections.abc import Collection
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum

from andon.base import predicate
from andon.inventory.change import Change


class Problem(StrEnum):
    """What kind of answer the model gives."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"
    TEXT = "text"
    AGENT = "agent"


class RiskClass(StrEnum):
    """How much harm the model's use can do; unknown is judged as high."""

    MINIMAL = "minimal"
    LIMITED = "limited"
    HIGH = "high"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the model and when it went live (None: not known)."""

    name: str
    deployed_at: datetime | None
    status: str


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the log's columns by their role; None where the log has no such column."""

    id: str
    time: str
    score: str | None = None
    prediction: str | None = None
    label: str | None = None
    label_time: str | None = None
    version: str | None = None
    latency: str | None = None
    status: str | None = None
    subject: str | None = None
    model: str | None = None
    trace: str | None = None
    tool: str | None = None
    tool_args: str | None = None
    amount: str | None = None
    request_model: str | None = None
    response_model: str | None = None
    entities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolLimit:
    """The most that one call of a tool may move, in the unit of its column."""

    tool: str
    column: str
    maximum: float


@dataclass(frozen=True, slots=True)
class Model:
    """What the operator declared about one model; nothing here was looked up in its log."""

    id: str
    columns: Columns
    features: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    problem: Problem | None = None
    risk: RiskClass = RiskClass.UNKNOWN
    threshold: float | None = None
    favourable_prediction: str | None = None
    label_delay: timedelta | None = None
    labelled_fraction: float | None = None
    versions: tuple[Version, ...] = ()
    known_good_version: str | None = None
    changes: tuple[Change, ...] = ()
    artifacts: tuple[tuple[str, str], ...] = ()
    """What belongs to it besides its log, and the file of each, as seen from the model file."""
    time_zone: str = "UTC"
    evaluation: timedelta | None = None
    false_incidents_per_quarter: float = 1.0
    allowed_tools: tuple[str, ...] = ()
    tool_limits: tuple[ToolLimit, ...] = ()
    warnings: tuple[str, ...] = field(default=(), compare=False)

    @property
    def named(self) -> frozenset[str]:
        """Every column that the model names, whatever for."""
        roles = [getattr(self.columns, each.name) for each in fields(Columns)]
        names = [name for role in roles for name in ((role,) if isinstance(role, str) else role or ())]
        return frozenset([*names, *self.features, *self.slice_columns])

    @property
    def slice_columns(self) -> tuple[str, ...]:
        """The declared columns by which traffic is cut: segments, then protected attributes, each once."""
        return tuple(dict.fromkeys((*self.segments, *self.protected)))

    def as_known(self, text: str, columns: Collection[str], now: datetime) -> str:
        """A predicate over the log's `columns` as known at a time: unknown of rows whose label had not arrived."""
        named = self.columns
        if named.label is None or named.label not in predicate.parse(text, columns).columns:
            return text
        if named.label_time is not None and named.label_time in columns:
            return predicate.known_where(text, predicate.before(named.label_time, now))
        delay = self.label_delay
        return text if delay is None else predicate.known_where(text, predicate.before(named.time, now - delay))
