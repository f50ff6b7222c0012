"""Running sums of marks over buckets and blocks of buckets: what is known before a window, and how alike rows come."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from andon.detect.mark import Side
from andon.telemetry.summary import Int64

Float = npt.NDArray[np.float64]

PRIOR_EVENTS = 30.0
"""How many rows with a mark its family's usual clustering weighs."""


@dataclass(frozen=True)
class Past:
    """What lies before the window at each index: all buckets before it, or before the frozen one if that is earlier."""

    window: int
    last: Int64

    @classmethod
    def of_window(cls, window: int, buckets: int, frozen: int | None) -> "Past":
        last = np.arange(buckets) - window
        return cls(window, last if frozen is None else np.minimum(last, frozen - 1))

    def blocks(self, running: "Sums") -> "Sums":
        """Sums over the whole blocks, each as long as the window, that lie in the past at each index."""
        return Sums(*(self.block_at(values) for values in running.each()))

    def block_at(self, running: Float) -> Float:
        """Running values at the last whole block of the past; 0 where there is none."""
        place = (self.last + 1) // self.window - 1
        if not running.shape[1]:
            return np.zeros((len(running), len(place)))
        return np.where(place >= 0, running[:, np.clip(place, 0, running.shape[1] - 1)], 0.0)

    def of(self, running: Float, nothing: float) -> Float:
        """Running values at the last bucket of the past; `nothing` where there is no past."""
        return np.where(self.last >= 0, running[:, np.maximum(self.last, 0)], nothing)


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

    def blocks(self, window: int) -> "Sums":
        """Of running sums: the same over whole blocks of so many buckets, each taken as one, up to and with each."""
        ends = slice(window - 1, None, window)
        k, n = (np.diff(values[:, ends], axis=1, prepend=0.0) for values in (self.count, self.total))
        return Sums(*(np.cumsum(values, axis=1) for values in (k, n, k * k, k * n, n * n)))

    def as_clusters(self, size: Float | None = None) -> "Sums":
        """The same sums with rows in clusters of a size, by default in a single one."""
        return replace(self, total_squared=self.total * (self.total if size is None else np.maximum(size, 1.0)))

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


def whole(reference: Sums, window: int) -> Sums:
    """Sums over all whole blocks of the reference."""
    blocks = reference.blocks(window)
    return blocks.all() if blocks.total.shape[1] else Sums(*(np.zeros((len(reference.total), 1)) for _ in range(5)))


@dataclass(frozen=True)
class Unshared:
    """The part of a slice's block-wise ups and downs that the rest of the traffic does not share: 1 - r squared.

    By what lies in the past at each index (with the reference), `(S, T)`, and in the reference alone, `(S, 1)`.
    """

    past: Float
    reference: Float

    @classmethod
    def of(cls, own: tuple[Sums, Sums], rest: tuple[Sums, Sums], past: Past) -> "Unshared":
        """From running sums in the log and the reference."""
        window = past.window
        log = _Crossed.of(own[0], rest[0], window)
        steady = _Crossed.of(own[1], rest[1], window).whole()
        return cls((log.at(past) + steady).unshared(), steady.unshared())


@dataclass(frozen=True)
class _Crossed:
    """Sums over blocks of two sides: of each, and of the products of their counts and totals."""

    own: Sums
    rest: Sums
    products: tuple[Float, Float, Float, Float]

    @classmethod
    def of(cls, own: Sums, rest: Sums, window: int) -> "_Crossed":
        ends = slice(window - 1, None, window)
        k, n, rest_k, rest_n = (
            np.diff(values[:, ends], axis=1, prepend=0.0) for values in (own.count, own.total, rest.count, rest.total)
        )
        pairs = ((k, rest_k), (k, rest_n), (n, rest_k), (n, rest_n))
        a, b, c, d = (np.cumsum(one * other, axis=1) for one, other in pairs)
        return cls(own.blocks(window), rest.blocks(window), (a, b, c, d))

    def whole(self) -> "_Crossed":
        if not self.own.total.shape[1]:
            nothing = np.zeros((len(self.own.total), 1))
            sums = Sums(*(nothing for _ in range(5)))
            return _Crossed(sums, sums, (nothing, nothing, nothing, nothing))
        a, b, c, d = (values[:, -1:] for values in self.products)
        return _Crossed(self.own.all(), self.rest.all(), (a, b, c, d))

    def at(self, past: Past) -> "_Crossed":
        a, b, c, d = (past.block_at(values) for values in self.products)
        return _Crossed(past.blocks(self.own), past.blocks(self.rest), (a, b, c, d))

    def __add__(self, other: "_Crossed") -> "_Crossed":
        a, b, c, d = (x + y for x, y in zip(self.products, other.products, strict=True))
        return _Crossed(self.own + other.own, self.rest + other.rest, (a, b, c, d))

    def unshared(self) -> Float:
        """1 - r squared of the two sides' deviations, each mark's drawn half way to its family's."""
        p, q = self.own.share(), self.rest.share()
        both = self.products[0] - q * self.products[1] - p * self.products[2] + p * q * self.products[3]
        sides = [side.deviation() for side in (self.own, self.rest)]
        both, one, two = (values + values.mean(axis=0, keepdims=True) for values in (both, *sides))
        with np.errstate(divide="ignore", invalid="ignore"):
            shared = np.where(one * two > 0, np.maximum(both, 0.0) ** 2 / (one * two), 0.0)
        return 1 - np.clip(shared, 0.0, 1.0)
