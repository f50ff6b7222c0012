"""When did it start, and is it over: the run of buckets that speaks loudest for the shifted level.

Each bucket adds its log-likelihood ratio of the shifted level against the expected one; the run with the largest sum is
the failure (maximal scoring subsequence, Karlin & Altschul 1990). Starts whose sum is within 7.35 / 2 of the best form
the 95 % interval of a change point (Hansen 2000: the limit law of 2 (L_max - L_t) has its 95 % point at 7.35).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]

START_DROP = 7.35 / 2
"""Loss of log-likelihood that bounds the 95 % interval of the start (Hansen 2000)."""
END_DROP = 10.59 / 2
"""Evidence for the old level after the run that it takes to say that the failure is over (Hansen's 99 % point).

It is asked again with every bucket while the failure runs, so the logarithm of their number comes on top (Bonferroni).
"""
SHARE_MIN = 1e-4
"""Shares are kept this far from 0 and 1: no single row decides."""


@dataclass(frozen=True, slots=True)
class Run:
    """Buckets `start` up to and without `end`; `low..high` bound the start; `over` if evidence says that it ended."""

    start: int
    low: int
    high: int
    end: int
    over: bool
    gain: float

    def begins_near(self, bucket: int, buckets: int) -> bool:
        """Whether a bucket is so near to where the run may start."""
        return self.low - buckets <= bucket <= self.high + buckets


def gains(count: Float, total: Float, expected: Float, shifted: Float) -> Float:
    """Log-likelihood ratio per bucket of the shifted share against the expected share (binomial)."""
    p0, p1 = np.clip(expected, SHARE_MIN, 1 - SHARE_MIN), np.clip(shifted, SHARE_MIN, 1 - SHARE_MIN)
    return count * np.log(p1 / p0) + (total - count) * np.log((1 - p1) / (1 - p0))


def best_run(gain: Float, within: int) -> Run:
    """The maximal run that holds bucket `within`."""
    back = np.cumsum(gain[within::-1])
    start = within - int(np.argmax(back))
    forward = np.cumsum(gain[within:])
    end = within + int(np.argmax(forward)) + 1
    best = back.max()
    near = within - np.flatnonzero(back >= best - START_DROP)
    after = np.cumsum(gain[end:])
    looks = np.log(np.arange(end - start + 1, len(gain) - start + 1))  # each bucket is another chance to seem over
    over = bool((after <= -END_DROP - looks).any())
    return Run(start, int(near.min()), int(near.max()), end, over, float(back.max() + forward.max() - gain[within]))
