"""A log as its own reference: its earliest stable part, chosen by what was known when that part was over.

Whoever has no known-good period at hand has at least the beginning of the log. The part is long enough to show two
weeks and to learn from; if its second half, judged by its first, holds an incident, the part begins anew where that
began. Nothing after the part is looked at, so the same log cut short gives the same part.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from andon.base.errors import BadInput
from andon.base.interval import Interval
from andon.base.predicate import before
from andon.inventory.model import Model
from andon.telemetry.question import Question
from andon.telemetry.source import LogSource

ROWS = 2_000
"""So many decisions at least: twice what a stand-in of the model is fitted on."""
SPAN = timedelta(days=14)
"""So long at least: a week seen twice, so that its days are no news."""
ATTEMPTS = 4
"""So often the part may begin anew; what still does not settle is taken, and said."""

NEEDED = (
    f"that takes {ROWS:,} decisions over {SPAN.days} days, and more after them; name known-good rows with --reference"
)

Unrest = Callable[[Interval, Interval], Interval | None]
"""The first incident in the second of two stretches, judged by the first."""


class TooShort(BadInput):
    """A log ends before there is a part to judge by and something left to judge."""

    def __init__(self, name: str, rows: int) -> None:
        super().__init__(f"{name} is too short to be judged by its own beginning: {NEEDED}")
        self.rows = rows


def earliest_stable_part(
    log: LogSource, model: Model, name: str, unrest: Unrest, now: datetime | None = None
) -> tuple[Interval, bool]:
    """The part of a log, as it is at a time, to judge the rest by, and whether it is stable.

    Raises:
        TooShort: the log ends before there is such a part and something left to judge.
    """
    start, part = log.period().start, None
    over = min(log.period().end, now or log.period().end)
    for _ in range(ATTEMPTS):
        found = _part_from(log, model, start, over)
        if found is None:
            break
        part = found
        middle = part.start + part.length / 2
        first, second = Interval(part.start, middle), Interval(middle, part.end)
        has_both = all(
            _rows_before(log, model, half.start) < _rows_before(log, model, half.end) for half in (first, second)
        )
        restless = unrest(first, second) if has_both else second
        if restless is None:
            return part, True
        start = max(restless.start, middle)
    if part is None:
        raise TooShort(name, log.rows())
    return part, False


def _part_from(log: LogSource, model: Model, start: datetime, over: datetime) -> Interval | None:
    """The stretch from a time on that has rows and days enough; None when the log ends in it."""
    full = log.time_of_row(_rows_before(log, model, start) + ROWS)
    end = None if full is None else max(full, start + SPAN)
    return None if end is None or end >= over else Interval(start, end)


def _rows_before(log: LogSource, model: Model, at: datetime) -> int:
    return log.answer(Question(before(model.columns.time, at), at)).count
