"""What became of a number's values, by its histogram: did they leave the known range at once, or come to a stop."""

import numpy as np
import numpy.typing as npt

from andon.telemetry.plan import NumberCoding

CHANCE_MAX = 1e-4
"""How likely it may be at most that the values fell so by chance: something is wrong, the question is what."""
MOST = 0.9
"""The share of the values that must show it."""
FEW = 0.01
"""The share of values out of the known range that is usual at most."""
BINS_MIN = 5


def left_range(coding: NumberCoding, before: npt.NDArray[np.int64], now: npt.NDArray[np.int64]) -> bool:
    """Whether nearly all values lie out of the range that nearly all lay in: another unit or scale, not a new world.

    Counts are those of the coding's codes. A drift moves the share of extreme values; it does not empty the range.
    """
    inside = slice(2, coding.bins - 2) if coding.bins > BINS_MIN else slice(0, coding.bins)
    known, seen = before[: coding.bins], now[: coding.bins]
    if not known.sum() or not seen.sum():
        return False
    out_before = 1 - known[inside].sum() / known.sum()
    return bool(out_before <= FEW) and _is_no_chance(seen.sum() - seen[inside].sum(), seen.sum(), out_before)


def came_to_a_stop(coding: NumberCoding, before: npt.NDArray[np.int64], now: npt.NDArray[np.int64]) -> bool:
    """Whether values that were spread over many bins fall into one: a sensor or a feed that repeats itself."""
    known, seen = before[: coding.bins], now[: coding.bins]
    if not seen.sum() or np.count_nonzero(known) < BINS_MIN:
        return False
    most = int(seen.argmax())
    return _is_no_chance(seen[most], seen.sum(), known[most] / known.sum())


def _is_no_chance(count: int, total: int, share: float) -> bool:
    """Whether most of the values show it, and more than chance explains: `share ** count` of it all."""
    usual = max(float(share), 1e-3)  # what was never seen may still happen
    return bool(count >= MOST * total and usual ** int(count) <= CHANCE_MAX)
