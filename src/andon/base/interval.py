"""Half-open intervals of time, and the grid on which evaluations stand."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_us(at: datetime) -> int:
    """Microseconds since the epoch of an aware time, exactly (no float on the way)."""
    return (at - EPOCH) // MICROSECOND


def from_us(us: int) -> datetime:
    """The aware UTC time of microseconds since the epoch."""
    return EPOCH + us * MICROSECOND


@dataclass(frozen=True, slots=True)
class Interval:
    """A half-open span of time: `start` belongs to it, `end` does not."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"an interval ends before it starts: {self.start} .. {self.end}")

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    def overlaps(self, other: "Interval") -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Grid:
    """Evaluations at the multiples of a length since the epoch (UTC); bucket `b` is `[b, b + 1) * length`."""

    length: timedelta

    @property
    def length_us(self) -> int:
        return self.length // MICROSECOND

    def bucket(self, at: datetime) -> int:
        """The bucket that holds a time; floors before 1970 too."""
        return to_us(at) // self.length_us

    def start(self, bucket: int) -> datetime:
        """Where a bucket starts; also the evaluation that sees all buckets before it."""
        return from_us(bucket * self.length_us)

    def last_evaluation(self, now: datetime) -> int:
        """The latest evaluation that may run at `now`, as the bucket that starts there."""
        return to_us(now) // self.length_us
