"""Small pictures out of letters: sparklines and bars. Pure."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

HEIGHTS: Final = "▁▂▃▄▅▆▇█"
WIDTHS: Final = " ▏▎▍▌▋▊▉█"
GAP: Final = "·"
STRETCH_MAX: Final = 3

Values = Sequence[float | None]


def fit(values: Values, width: int) -> list[float | None]:
    """The values on at most `width` columns: neighbours averaged where there are too many, repeated where few.

    A column whose values are all missing is missing.
    """
    if len(values) <= width:
        return [value for value in values for _ in range(stretch(len(values), width))]
    starts = [i * len(values) // width for i in range(width + 1)]
    return [_mean(values[start:end]) for start, end in pairwise(starts)]


def stretch(count: int, width: int) -> int:
    """How many columns each of `count` values gets."""
    return max(1, min(STRETCH_MAX, width // max(count, 1)))


def column(index: float, count: int, width: int) -> int:
    """The column on which the value at `index` of `count` stands after `fit`."""
    if count <= width:
        return int(index * stretch(count, width))
    return min(int(index * width / count), width - 1)


def sparkline(values: Values, low: float, high: float) -> str:
    """One letter per value, its height by where it stands between `low` and `high`; a dot where there is none."""
    return "".join(GAP if value is None else HEIGHTS[_step(value, low, high, len(HEIGHTS) - 1)] for value in values)


def bar(value: float, maximum: float, width: int) -> str:
    """A horizontal bar in eighths of a letter; at least a hair for what is not nought."""
    if not (value > 0 and maximum > 0):
        return ""
    eighths = max(1, _step(value, 0.0, maximum, 8 * width))
    full, rest = divmod(eighths, 8)
    return "█" * full + (WIDTHS[rest] if rest else "")


def bounds(*rows: Values) -> tuple[float, float] | None:
    """The least and the greatest value of all rows; None when there is none."""
    known = [value for row in rows for value in row if value is not None]
    return (min(known), max(known)) if known else None


def _step(value: float, low: float, high: float, steps: int) -> int:
    if high <= low:
        return 0
    return round(steps * min(max((value - low) / (high - low), 0.0), 1.0))


def _mean(values: Values) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
