"""How often the positive outcome came at each score in the reference, and how answers are compared with outcomes."""

import numpy as np

from andon.detect.history import Float
from andon.telemetry.summary import Int64

PRIOR_ROWS = 1.0
"""Rows of the overall rate that each bin gets: a bin without labels expects what all expect."""
NUMBERS = {"true": "1", "false": "0"}
"""An answer `true` is right for a label 1: one of them is often logged as the other."""


def by_bin(labels: Int64, positive: int) -> Float:
    """The share of positives by bin: of counts `(T, bins, labels)`, where `positive` is a label's code."""
    counts = labels.sum(axis=0)
    total, with_it = counts.sum(axis=1), counts[:, positive]
    usual = with_it.sum() / max(total.sum(), 1)
    rates: Float = np.asarray((with_it + PRIOR_ROWS * usual) / (total + PRIOR_ROWS))
    return rates


def text(value: str) -> str:
    """A class as text, truth values as numbers."""
    return NUMBERS.get(value, value)
