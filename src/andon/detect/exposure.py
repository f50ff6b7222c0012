"""Whether decisions moved where answers did: a shift that changes few decisions harms nobody."""

import numpy as np
import numpy.typing as npt

from andon.detect.jump import WINDOWS, angle
from andon.detect.mark import Exposure, MarkSeries
from andon.telemetry.summary import Whole

Float = npt.NDArray[np.float64]

CHANGED_MIN = 0.05
"""Net share of a slice's decisions below which a change of decisions is negligible: one decision in twenty."""
CHANGED_Z = 3.0
"""Standard errors by which changed decisions must lean to one side, against those in the rest of the traffic."""


def negligible(series: MarkSeries, window: int) -> npt.NDArray[np.bool_]:
    """Where answers moved and decisions hardly did, `(S, T)`; nowhere without exposure.

    Of the slice's decisions, those that became of a class less those that ceased to be must be `CHANGED_MIN` more than
    usual; and the changed ones must lean to one side against those in the rest of the traffic at the same time. They
    are fewer than the rows that bear witness, so a longer window may show it.
    """
    small = np.ones(series.log.count.shape, dtype=np.bool_)
    if series.exposure is None:
        return ~small
    for longer in WINDOWS:
        if longer >= window:
            small &= ~_decisions_moved(series.exposure, longer)
    return small


def decisions_moved(exposure: Exposure) -> bool:
    """Whether decisions moved by enough and surely enough, in any slice, at any evaluation, over any window."""
    return any(_decisions_moved(exposure, window).any() for window in WINDOWS)


def _decisions_moved(exposure: Exposure, window: int) -> npt.NDArray[np.bool_]:
    became, changed, rest_became, rest_changed = (
        _windowed(values, window)
        for side in (exposure.changed, exposure.rest_changed)
        for values in (side.count, side.total)
    )
    net = (2 * became - changed) / np.maximum(_windowed(exposure.rows, window), 1)
    leaning = angle(became, changed) - angle(rest_became, rest_changed)
    z = np.abs(leaning) / np.sqrt(1 / (changed + 0.5) + 1 / (rest_changed + 0.5))
    moved: npt.NDArray[np.bool_] = (np.abs(net - exposure.usual[:, None]) >= CHANGED_MIN) & (z >= CHANGED_Z)
    return moved


def _windowed(values: Whole | Float, window: int) -> Float:
    """Sums over the last `window` buckets at each index; 0 before the first full window that has a past."""
    sums = np.cumsum(values, axis=1, dtype=np.float64)
    over = np.zeros(sums.shape)
    over[:, window:] = sums[:, window:] - sums[:, :-window]
    return over
