"""What a detector found: a number beyond its limit, with where, when and how sure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from andon.base.interval import Interval
from andon.base.predicate import all_of


class Layer(StrEnum):
    """The four layers that are watched at once."""

    INFRASTRUCTURE = "infrastructure"
    PERFORMANCE = "performance"
    FAIRNESS = "fairness"
    BEHAVIOUR = "behaviour"


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the traffic: a predicate over the log's columns, and which columns it names."""

    predicate: str
    columns: tuple[str, ...]

    def __and__(self, other: "Slice") -> "Slice":
        """The traffic that is in both."""
        columns = tuple(dict.fromkeys((*self.columns, *other.columns)))
        return Slice(all_of(self.predicate, other.predicate), columns)


@dataclass(frozen=True, slots=True)
class Finding:
    """One statistic beyond its threshold in one window.

    Attributes:
        detector: name of the detector.
        layer: which of the four layers.
        statistic: name of the statistic.
        value, low, high: the statistic with its 95 % interval, in the statistic's unit.
        threshold: the limit that |value| passed.
        n: rows in the window (of the slice).
        window: event times that the statistic was computed from.
        at: the evaluation at which it was found.
        slice: the part of the traffic; None means all of it.
        features: columns whose values moved.
        before, after: the share of the mark before (expected for the window) and in the window.
        what: one phrase for people, e.g. "pay_0 is null".
        mark: predicate of the rows that carry the mark; None when the mark is no row property.
        entries: ids of some rows that show it.
    """

    detector: str
    layer: Layer
    statistic: str
    value: float
    low: float
    high: float
    threshold: float
    n: int
    window: Interval
    at: datetime
    slice: Slice | None
    features: tuple[str, ...]
    before: float
    after: float
    what: str
    mark: str | None = None
    entries: tuple[str, ...] = ()
