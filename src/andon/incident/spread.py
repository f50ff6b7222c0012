"""How a column is spread: the axis that shows it, the bars, the median and the distance. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from andon.base.share import Share
from andon.incident.figures import Bars, Distribution, Values
from andon.telemetry.plan import CategoryCoding, Coding, NumberCoding, PresenceCoding
from andon.telemetry.source import NumberProfile
from andon.telemetry.summary import Int64

BARS: Final = 40
FINE: Final = 10
"""Bins within a bar, for the median."""
WHOLE_BARS: Final = range(30, 61)
"""How many bars there may be of a column of whole numbers, each of which holds as many of them as the next."""
WHOLE_MAX: Final = 2.0**52
"""Up to here a double can stand between two whole numbers."""
VALUES_DRAWN_MAX: Final = 40
"""Up to so many distinct numbers, each has a bar of its own."""
CATEGORIES_MAX: Final = 12
NAMES_MAX: Final = 3
LOG_FROM: Final = 100.0
"""The axis is logarithmic when the greatest value is so many times the least one and all are positive."""
HEAVY: Final = 4.0
"""A tail is heavy when 5 % of the values are so many times the median; then the axis is logarithmic too."""
DECADE: Final = 10.0
FAR: Final = 2.0
"""An axis reaches at most so many times the middle 90 % beyond it, so that a stray value does not flatten the rest."""
LOW_QUANTILE, MEDIAN, HIGH_QUANTILE = 1, 10, 19
"""Places of the 5 % and 95 % quantiles and of the median in a profile."""

Float = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Axis:
    """How the bars of a numeric column are cut: `discrete` when each edge is one value, else `fine` bins to a bar.

    With `is_whole` all values are taken to be whole numbers.
    """

    edges: tuple[float, ...]
    is_log: bool = False
    is_discrete: bool = False
    is_whole: bool = False
    fine: int = FINE

    def coding(self, column: str) -> NumberCoding:
        """The codes of the column along this axis."""
        return NumberCoding(column, self.edges)


def axis(*profiles: NumberProfile) -> Axis:
    """One axis for a column as spread in several places."""
    known = [profile for profile in profiles if profile.quantiles]
    if not known:
        return Axis((0.0,), is_discrete=True)
    if all(profile.distinct is not None for profile in known):
        values = sorted({value for profile in known for value in profile.distinct or ()})
        if len(values) <= VALUES_DRAWN_MAX:
            return Axis(tuple(values), is_discrete=True)
    is_whole = all(_is_whole(profile) for profile in known)
    least, greatest = (pick(p.quantiles[place] for p in known) for pick, place in ((min, 0), (max, -1)))
    positive = min((value for profile in known for value in profile.quantiles if value > 0), default=0.0)
    if positive and greatest / positive >= LOG_FROM and _suits_log(known, positive, is_whole=is_whole):
        start = positive if least > 0 else positive / DECADE  # a profile has few quantiles between nought and the rest
        return _cut(np.geomspace(start, greatest, BARS * FINE + 1), is_log=True, is_whole=is_whole)
    low = min(profile.quantiles[LOW_QUANTILE] for profile in known)
    high = max(profile.quantiles[HIGH_QUANTILE] for profile in known)
    reach = FAR * (high - low) or greatest - least
    low, high = max(least, low - reach), min(greatest, high + reach)
    return _cut_whole(int(low), int(high)) if is_whole else _cut(np.linspace(low, high, BARS * FINE + 1))


def _is_whole(profile: NumberProfile) -> bool:
    """Whether all that is known of a column's values are whole numbers."""
    return all(
        value.is_integer() and abs(value) < WHOLE_MAX for value in (*profile.quantiles, *(profile.distinct or ()))
    )


def _suits_log(known: Sequence[NumberProfile], positive: float, *, is_whole: bool) -> bool:
    """Whether a wide range is better seen in equal ratios: not where most bars at its start would hold no number."""
    if any(_is_heavy(profile) for profile in known):
        return True
    least, greatest = min(each.quantiles[0] for each in known), max(each.quantiles[-1] for each in known)
    first_bar = positive * ((greatest / positive) ** (1 / BARS) - 1)
    return least > 0 and (first_bar >= 1 or not is_whole)


def _is_heavy(profile: NumberProfile) -> bool:
    """Whether hardly a value is negative and few are far larger than the rest."""
    median = profile.quantiles[MEDIAN]
    return median > 0 and profile.quantiles[LOW_QUANTILE] >= 0 and profile.quantiles[HIGH_QUANTILE] >= HEAVY * median


def _cut_whole(low: int, high: int) -> Axis:
    """Bars that each hold as many whole numbers as the next, cut halfway between numbers; the last is filled best."""
    count = high - low + 1
    if count <= WHOLE_BARS[-1]:
        bars, width = count, 1
    else:
        tried = ((bars, -(-count // bars)) for bars in WHOLE_BARS)
        bars, width = min(tried, key=lambda cut: (round(cut[0] - count / cut[1], 1), abs(cut[0] - BARS)))
    fine = min(width, FINE)
    starts = low + width * np.arange(bars)[:, np.newaxis] + np.arange(fine) * width // fine
    edges = (*(float(start) - 0.5 for start in starts.ravel()), low + bars * width - 0.5)
    return Axis(edges, is_whole=True, fine=fine)


def _cut(edges: Float, *, is_log: bool = False, is_whole: bool = False) -> Axis:
    distinct = np.unique(edges[np.isfinite(edges)])
    if len(distinct) < BARS * FINE + 1:  # too narrow for so many bins, or beyond what a double holds
        return Axis(tuple(float(edge) for edge in distinct[:VALUES_DRAWN_MAX]), is_discrete=True)
    return Axis(tuple(float(edge) for edge in edges), is_log, is_whole=is_whole)


@dataclass(frozen=True, slots=True)
class Counted:
    """A column's codes counted in the reference and during the failure; `names` of values that the plan lacks."""

    before: Int64
    during: Int64
    names: Mapping[int, str]


def distribution(
    coding: Coding, counted: Counted, cut: Axis | None = None, *, is_answer: bool = False, moved: bool = False
) -> Distribution:
    """The spread of a column from the counts of its codes."""
    empty = list(coding.unusable)
    shape: Bars | Values | None = None
    distance = None
    if not isinstance(coding, PresenceCoding):
        usable = np.ones(coding.size, dtype=bool)
        usable[empty] = False
        before, during = counted.before * usable, counted.during * usable
        if isinstance(coding, NumberCoding) and cut is not None:
            shape = _bars(before[: coding.bins], during[: coding.bins], cut)
            distance = js_distance(np.array(shape.before), np.array(shape.during))
        elif isinstance(coding, CategoryCoding):
            shape = _values(coding, before, during, counted.names)
            distance = js_distance(before, during)
    return Distribution(
        column=coding.column,
        is_answer=is_answer,
        moved=moved,
        shape=shape,
        empty_before=_share(counted.before, empty),
        empty_during=_share(counted.during, empty),
        distance=distance,
    )


def js_distance(before: Int64, during: Int64) -> float | None:
    """Jensen-Shannon distance of two counts, base 2: the root of the divergence (Endres and Schindelin 2003)."""
    if not before.sum() or not during.sum():
        return None
    p, q = before / before.sum(), during / during.sum()
    middle = (p + q) / 2

    def divergence(part: Float) -> float:
        seen = part > 0
        return float((part[seen] * np.log2(part[seen] / middle[seen])).sum())

    return float(np.sqrt(max((divergence(p) + divergence(q)) / 2, 0.0)))


def _bars(before: Int64, during: Int64, cut: Axis) -> Bars:
    edges = np.array(cut.edges)
    if cut.is_discrete:
        drawn = [_folded_values(counts) for counts in (before, during)]
        medians = [_median(counts, edges) for counts in drawn]
        return Bars((), cut.edges, cut.is_log, _ints(drawn[0]), _ints(drawn[1]), medians[0], medians[1])
    fine = [_folded(counts) for counts in (before, during)]
    wide = [counts.reshape(-1, cut.fine).sum(axis=1) for counts in fine]
    centres = _centres(edges, cut)
    medians = [_median(counts, centres) for counts in fine]
    below = bool(before[0] + during[0])
    shares = _ints(wide[0]), _ints(wide[1])
    return Bars(
        cut.edges[:: cut.fine],
        (),
        cut.is_log,
        *shares,
        medians[0],
        medians[1],
        has_below=below,
        is_whole=cut.is_whole,
    )


def _centres(edges: Float, cut: Axis) -> Float:
    """The middle of each bin: of the whole numbers in it, where there are no others."""
    if cut.is_whole:
        firsts: Float = np.ceil(edges)
        middles: Float = (firsts[:-1] + np.maximum(firsts[1:] - 1, firsts[:-1])) / 2
    else:
        middles = np.sqrt(edges[:-1] * edges[1:]) if cut.is_log else (edges[:-1] + edges[1:]) / 2
    return middles


def _folded(counts: Int64) -> Int64:
    """Counts per bin between edges; what lies beyond joins the outermost bins."""
    inner = counts[1:-1].copy()
    inner[0] += counts[0]
    inner[-1] += counts[-1]
    return inner


def _folded_values(counts: Int64) -> Int64:
    """Counts per value; what lies below the first value joins it."""
    inner = counts[1:].copy()
    inner[0] += counts[0]
    return inner


def _median(counts: Int64, centres: Float) -> float | None:
    if not counts.sum():
        return None
    return float(centres[int(np.searchsorted(counts.cumsum(), counts.sum() / 2))])


def _values(coding: CategoryCoding, before: Int64, during: Int64, names: Mapping[int, str]) -> Values:
    totals = int(before.sum()), int(during.sum())
    rows: list[tuple[str | None, Share, Share]] = [
        (value, Share(int(before[code]), totals[0]), Share(int(during[code]), totals[1]))
        for code, value in enumerate(coding.values)
    ]
    unseen = [int(counts[coding.unseen :].sum()) for counts in (before, during)]
    if any(unseen):
        rows.append((None, Share(unseen[0], totals[0]), Share(unseen[1], totals[1])))
    rows.sort(key=_change, reverse=True)
    often = sorted(names, key=lambda code: -during[code])[:NAMES_MAX]
    return Values(
        tuple(rows[:CATEGORIES_MAX]), tuple(names[code] for code in often), max(len(rows) - CATEGORIES_MAX, 0)
    )


def _change(row: tuple[str | None, Share, Share]) -> tuple[float, int]:
    _, before, during = row
    return abs((during.value or 0.0) - (before.value or 0.0)), before.hits + during.hits


def _share(counts: Int64, codes: list[int]) -> Share:
    return Share(int(counts[codes].sum()), int(counts.sum()))


def _ints(counts: Int64) -> tuple[int, ...]:
    return tuple(int(count) for count in counts)
