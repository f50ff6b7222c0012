"""Running sums of marks over buckets and blocks of buckets: what is known before a window, and how alike rows come."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from andon.detect.mark import Side

Float = npt.NDArray[np.float64]
_Number = TypeVar("_Number", Float, npt.NDArray[np.float32])

PRIOR_EVENTS = 30.0
"""How many rows with a mark its family's usual clustering weighs."""


@dataclass(frozen=True)
class Past:
    """What lies before the window at each index: all buckets before it, or before the frozen one if that is earlier."""

    window: int
    frozen: int | None = None

    def of(self, running: _Number, nothing: float) -> _Number:
        """Running values at the last bucket of the past; `nothing` where there is no past."""
        found = np.full_like(running, nothing)
        found[:, self.window :] = running[:, : -self.window]
        if self.frozen is not None:
            found[:, self.frozen + self.window :] = running[:, self.frozen - 1, None] if self.frozen else nothing
        return found


@dataclass(frozen=True)
class Sums:
    """Sums over some buckets: rows with the mark, rows, and their squares and product (for the clustering)."""

    count: Float
    total: Float
    count_squared: Float
    product: Float
    total_squared: Float

    @classmethod
    def running(cls, side: Side) -> "Sums":
        """Sums up to and with each bucket, `(S, T)`."""
        k, n = side.count.astype(np.float64), side.total.astype(np.float64)
        return cls(*(np.cumsum(values, axis=1) for values in (k, n, k * k, k * n, n * n)))

    def each(self) -> tuple[Float, ...]:
        return self.count, self.total, self.count_squared, self.product, self.total_squared

    def window(self, window: int) -> "Sums":
        """Of running sums: over the last `window` buckets at each index; nan before the first full window."""

        def last(total: Float) -> Float:
            sums = np.full(total.shape, np.nan)
            sums[:, window - 1] = total[:, window - 1]
            sums[:, window:] = total[:, window:] - total[:, :-window]
            return sums

        return Sums(*map(last, self.each()))

    def before(self, past: "Past") -> "Sums":
        """Of running sums: over all buckets of the past at each index; nan where there is none."""
        return Sums(*(past.of(values, np.nan) for values in self.each()))

    def all(self) -> "Sums":
        """Of running sums: over all buckets, `(S, 1)`."""
        return Sums(*(values[:, -1:] for values in self.each()))

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(*(a + b for a, b in zip(self.each(), other.each(), strict=True)))

    def __sub__(self, other: "Sums") -> "Sums":
        return Sums(*(a - b for a, b in zip(self.each(), other.each(), strict=True)))

    def share(self) -> Float:
        """Share of the mark, kept off 0 and 1."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return (self.count + 0.375) / (self.total + 0.75)

    def deviation(self) -> Float:
        """Sum of squared deviations of the counts from the share."""
        p = self.share()
        return self.count_squared - 2 * p * self.product + p * p * self.total_squared

    def clustering(self) -> Float:
        """Intraclass correlation of the mark within buckets (0: rows are on their own; 1: a bucket's rows are alike).

        From the design effect (Kish 1965): observed variance of the buckets' counts over the binomial one.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            p = self.share()
            effect = self.deviation() / (self.total * p * (1 - p))
            correlation = (effect - 1) / np.maximum(self.total_squared / self.total - 1, 1e-9)
        return np.clip(np.nan_to_num(correlation), 0.0, 1.0)

    def events(self) -> Float:
        """How much these buckets can tell of a mark's habits: nothing while no row, or every row, has it."""
        p = self.share()
        return np.nan_to_num(self.total * p * (1 - p))

    def moderated_clustering(self, moderated: "npt.NDArray[np.bool_]") -> Float:
        """The clustering of each mark; of those to be moderated, drawn to the family's where it was seldom seen."""
        own = self.clustering()
        if not moderated.any():
            return own
        events = self.events()
        known = np.maximum(events.sum(axis=0, keepdims=True), 1e-9)
        family = (own * events).sum(axis=0, keepdims=True) / known
        return np.where(moderated, (own * events + family * PRIOR_EVENTS) / (events + PRIOR_EVENTS), own)

    def shrunk(self, whole: "Sums", rows: float) -> "Sums":
        """With so many more rows at the share of all traffic."""
        with np.errstate(invalid="ignore", divide="ignore"):
            level = np.where(whole.total > 0, whole.count / whole.total, 0.0)
        more = np.where(whole.total > 0, rows, 0.0)
        count, total = self.count + more * level, self.total + more
        return Sums(count, total, self.count_squared, self.product, self.total_squared)

    def design_effect(self, correlation: Float) -> Float:
        """By how much clustering inflates the variance of the share over these buckets."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return 1 + np.maximum(self.total_squared / self.total - 1, 0.0) * correlation
