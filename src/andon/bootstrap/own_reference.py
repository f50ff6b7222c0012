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

Unrest = Callable[[Interval, Interval], Interval | None]
"""The first incident in the second of two stretches, judged by the first."""


def earliest_stable_part(
    log: LogSource, model: Model, name: str, unrest: Unrest, now: datetime | None = None
) -> tuple[Interval, bool]:
    """The part of a log, as it is at a time, to judge the rest by, and whether it is stable.

    Raises:
        BadInput: the log ends before there is such a part and something left to judge.
    """
    start, part = log.period().start, None
    over = min(log.period().end, now or log.period().end)
    for _ in range(ATTEMPTS):
        found = _part_from(log, model, start, over)
        if found is None:
            break
        part = found
        middle = part.start + part.length / 2
        restless = unrest(Interval(part.start, middle), Interval(middle, part.end))
        if restless is None:
            return part, True
        start = max(restless.start, middle)
    if part is None:
        raise BadInput(
            f"{name} is too short to be judged by its own beginning: that takes {ROWS:,} decisions over"
            f" {SPAN.days} days, and more after them; name known-good rows with --reference"
        )
    return part, False


def _part_from(log: LogSource, model: Model, start: datetime, over: datetime) -> Interval | None:
    """The stretch from a time on that has rows and days enough; None when the log ends in it."""
    skipped = log.answer(Question(before(model.columns.time, start), start)).count
    full = log.time_of_row(skipped + ROWS)
    end = None if full is None else max(full, start + SPAN)
    return None if end is None or end >= over else Interval(start, end)
