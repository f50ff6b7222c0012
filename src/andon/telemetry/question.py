"""A bounded second pass: what a fixed summary cannot say is asked declaratively, of the rows known at a time."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Question:
    """Asks about the rows that match a predicate and were known before a time.

    Attributes:
        predicate: SQL over the log's own columns (the safe subset of `base.predicate`).
        before: rows with an event time before this.
        examples: at most this many ids are returned, those with the smallest MD5 (a stable choice), in that order.
        since: rows with an event time from this on; None: from the first row on.
    """

    predicate: str
    before: datetime
    examples: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found: how many rows, the first and last event time (None for no rows), some of their ids."""

    count: int
    first: datetime | None
    last: datetime | None
    examples: tuple[str, ...] = ()
