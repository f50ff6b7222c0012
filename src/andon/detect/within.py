"""Whether a place of two columns stands out within the slice of each: else that slice, or nothing, says as much."""

import numpy as np
import numpy.typing as npt

from andon.detect.jump import angle
from andon.detect.mark import MarkSeries, Side
from andon.detect.sums import Past

Float = npt.NDArray[np.float64]

WITHIN_Z = 4.0
"""Standard errors by which a place must move against what else is in its slices: few are asked, as in `locate`."""


def stands_out(series: MarkSeries, window: int, effect: Float) -> npt.NDArray[np.bool_]:
    """Where marks jump, as `effect` says, against the rest of the slice of each of their columns too, `(S, T)`.

    Null: the place moved as the rest of the slice did. Everywhere, for marks that are not of two columns.
    """
    found = np.ones(series.log.count.shape, dtype=np.bool_)
    for log, reference in series.within:
        moved, variance = _moved(series.log, series.reference, window)
        other, more = _moved(log, reference, window)
        found &= np.sign(effect) * (moved - other) >= WITHIN_Z * np.sqrt(variance + more)
    return found


def _moved(log: Side, reference: Side, window: int) -> tuple[Float, Float]:
    """The angle of each window less that of all before it, and its binomial variance; 0 before the first window."""
    count, total = (np.cumsum(each, axis=1, dtype=np.float64) for each in (log.count, log.total))
    past, now = Past(window), [np.zeros(count.shape), np.zeros(count.shape)]
    for sums, running in zip(now, (count, total), strict=True):
        sums[:, window:] = running[:, window:] - running[:, :-window]
    before = [
        past.of(running, 0.0) + usual.sum(axis=1, keepdims=True)
        for running, usual in ((count, reference.count), (total, reference.total))
    ]
    return angle(*now) - angle(*before), 1 / (now[1] + 0.5) + 1 / (before[1] + 0.5)
