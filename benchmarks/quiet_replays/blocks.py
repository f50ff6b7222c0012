"""Which blocks of whole days a replay is drawn from, and where each may stand."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from quiet_replays.history import DAY_US, Days, History

WEEKS_MIN = 8
"""From this many quiet weeks on, blocks are weeks."""
BLOCK_DAYS = 3
"""Length of a block where there are fewer: about the cube root of the number of days (Hall, Horowitz & Jing 1995)."""
WEEKDAY_DAYS_MIN = 28
"""From this many quiet days on, blocks of days keep the weekday: each weekday is there four times to choose from."""
SLOW_ROWS_PER_DAY = 2.0
"""Below this pace the log is slow: its rhythm is the year's."""
YEARS_MIN = 4
"""From this many years on, blocks of a slow log are years; from two on, quarters of the same season."""
QUARTER_YEARS_MIN = 2
IMMATURE_SHARE = 0.05
"""The share of a block at its end that may lack labels for being too close to the log's end."""

EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Block:
    """Contiguous whole days; a block may only stand where the season is its own.

    `season` is the weekday (counted from the first quiet day), the quarter of the year, or 0 where any place will do.
    """

    days: Days
    season: int


@dataclass(frozen=True, slots=True)
class Rule:
    """How a log is cut: `year`, `quarter`, `week` or `days` (of `length`, on the same one of `cycle` days)."""

    unit: str
    length: int
    cycle: int

    @property
    def text(self) -> str:
        """For people."""
        if self.unit != "days":
            return f"whole {self.unit}s"
        return f"{self.length} days" + (", weekday kept" if self.cycle > 1 else "")


def rule_for(history: History) -> Rule:
    """The rule, from the length and the pace of the quiet part alone."""
    years = history.whole.count / 365.25
    if history.rows_per_day < SLOW_ROWS_PER_DAY and years >= QUARTER_YEARS_MIN:
        return Rule("year", 12, 1) if years >= YEARS_MIN else Rule("quarter", 3, 4)
    if history.days >= 7 * WEEKS_MIN:
        return Rule("week", 7, 7)
    return Rule("days", BLOCK_DAYS, 7 if history.days >= WEEKDAY_DAYS_MIN else 1)


def slots(history: History, rule: Rule) -> list[Block]:
    """The places to fill, in order, from the first quiet day on; a rest shorter than a block is left out."""
    whole = history.whole
    if rule.unit in {"year", "quarter"}:
        return list(_calendar(whole, rule))
    starts = range(whole.first, whole.end - rule.length + 1, rule.length)
    return [_block(whole, start, rule) for start in starts]


def sources(history: History, rule: Rule) -> list[Block]:
    """All blocks that may be drawn: each lies within quiet days. Blocks of days may overlap (moving blocks)."""
    whole = history.whole
    if rule.unit in {"year", "quarter"}:
        return [block for block in _calendar(whole, rule) if any(span.holds(block.days) for span in history.spans)]
    return [
        _block(whole, start, rule)
        for span in history.spans
        for start in range(span.first, span.end - rule.length + 1)
        if rule.unit != "week" or (start - whole.first) % rule.cycle == 0
    ]


def _block(whole: Days, start: int, rule: Rule) -> Block:
    return Block(Days(start, start + rule.length), (start - whole.first) % rule.cycle)


def _calendar(whole: Days, rule: Rule) -> Iterator[Block]:
    """Years or quarters, counted from the first quiet day's date; they differ by a day or two in length."""
    first = date.fromordinal(whole.first + EPOCH_ORDINAL)
    number, start = 0, whole.first
    while True:
        months = first.year * 12 + first.month - 1 + (number + 1) * rule.length
        end = date(months // 12, months % 12 + 1, min(first.day, 28)).toordinal() - EPOCH_ORDINAL
        if end > whole.end:
            return
        yield Block(Days(start, end), number % rule.cycle)
        number, start = number + 1, end


def choices(history: History, rule: Rule, reach: int | None = None) -> list[list[Block]]:
    """For each slot the blocks that may fill it.

    A block keeps its season. It stays between the same two deploys; one in which a version went live stays where it is.
    It is not so close to the log's end that it lacks labels which, at the slot's age, would be known. With `reach` it
    comes from at most so many blocks away. A slot that nothing fits (in a hole) takes the nearest block of its season.
    """
    places, stock = slots(history, rule), sources(history, rule)
    end = places[-1].days.end if places else 0
    found = []
    for place in places:
        alike = [block for block in stock if block.season == place.season]
        fit = [b for b in alike if _same_epoch(history, place, b) and _mature(history, place, b, end)]
        near = [b for b in fit if reach is None or _distance(place, b) <= reach * place.days.count]
        found.append(near or [_nearest(place, fit or alike or stock)])
    return found


def draw(options: Sequence[Sequence[Block]], seed: Sequence[int]) -> list[Block]:
    """One block per slot, each equally likely, with replacement."""
    chance = np.random.default_rng(list(seed))
    return [blocks[int(chance.integers(len(blocks)))] for blocks in options]


def _nearest(place: Block, blocks: Sequence[Block]) -> Block:
    return min(blocks, key=lambda block: _distance(place, block))


def _distance(place: Block, block: Block) -> int:
    return abs(block.days.first - place.days.first)


def _same_epoch(history: History, place: Block, block: Block) -> bool:
    here, there = _epoch(history, place), _epoch(history, block)
    return here == there and (here[0] == here[1] or block.days == place.days)


def _epoch(history: History, block: Block) -> tuple[int, int]:
    start, end = block.days.first * DAY_US, block.days.end * DAY_US
    return bisect_right(history.deploys, start), bisect_left(history.deploys, end)


def _mature(history: History, place: Block, block: Block, end: int) -> bool:
    age = history.log_end - block.days.end + IMMATURE_SHARE * block.days.count
    return age >= min(end - place.days.end, history.lag)
