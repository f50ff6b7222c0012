"""The jump test: has the share of a mark left its level, by more than chance, habit and a negligible effect explain?

Null: the share of the last `w` buckets equals the level before, up to binomial noise and the log's own usual wander.
Shares are compared as angles `a = 2 asin sqrt(p)` (Anscombe 1948: variance 1/(n + 1/2) whatever p is, rare marks
included), and a difference of angles is Cohen's h (Cohen 1988, ch. 6), so that one floor of effect serves every mark.
For a mark in a slice the difference is taken against the rest of the traffic at the same time, which cancels season.
Far out, where the budget's thresholds lie, the angle's normal law is too generous, so a candidate is judged by the
signed root of its binomial deviance, whose tail holds.

A jump must show against both baselines: against the log before the window, beyond sampling error and usual wander, and
against the reference, beyond sampling error. A reference that does not fit, a season that it knows and a return to
normal each differ from one of them only.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from andon.detect.mark import EFFECT_MIN, Exposure, MarkSeries, Side

Float = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

WINDOWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""Lengths of the tested windows, in buckets: the test of length w is the most powerful for a fault about w old."""
CANDIDATE_Z = 3.0
"""From this many standard errors of the angle on, the deviance decides; below, nothing is near a threshold."""
HABIT_MARGIN = 1.25
"""How far beyond the largest jump of its own past a jump must be: bad days of the past are no incidents."""
PRIOR_WINDOWS = 4.0
"""How many windows of its own history the family's usual wander weighs (moderated variance, Smyth 2004)."""
PRIOR_EVENTS = 30.0
"""How many rows with a mark its family's usual clustering weighs."""
EVENTS_PER_WINDOW = 5.0
"""A past window is worth knowing for a mark that about so many rows of it may have had, were it as usual."""
FREEDOM_MAX = 1e6
"""Degrees of freedom from which on Student's tail is the normal one."""
HISTORY_WINDOWS_MIN = 2.0
"""A window length is tested once the history (log and reference) holds this many windows to learn the wander from."""

CHANGED_MIN = 0.05
"""Net share of a slice's decisions below which a change of decisions is negligible: one decision in twenty."""
CHANGED_Z = 3.0
"""Standard errors by which changed decisions must lean to one side, against those in the rest of the traffic."""

CONTROL_SHIFT_MAX = 0.2
"""How far (Cohen's h, beyond noise) a slice's share of the traffic may move before the rest is no control any more."""


@dataclass(frozen=True)
class Jumps:
    """Result of the test with one window length: arrays `(S, T)`; nan where it could not be tested.

    Attributes:
        window: length in buckets.
        z: the jump in standard errors, sampling and wander together; the smaller of the two baselines.
        effect: the jump as Cohen's h, of the same baseline.
        error: standard error of the effect.
        wander: variance of the usual wander in it.
        habit: the largest jump in the past, in the same unit as `plain`.
        plain: the jump in sampling errors alone.
    """

    window: int
    z: Float
    effect: Float
    error: Float
    wander: Float
    habit: Float
    plain: Float

    def beyond(self, threshold: float, least: Float | float = EFFECT_MIN) -> npt.NDArray[np.bool_]:
        """Where the jump is significant, beyond habit and not negligible (`least`: Cohen's h, may be one per mark)."""
        with np.errstate(invalid="ignore"):
            return (
                (np.abs(self.z) >= threshold)
                & (np.abs(self.effect) >= least)
                & (np.abs(self.plain) >= HABIT_MARGIN * self.habit)
            )


def angle(count: Float, total: Float) -> Float:
    """Anscombe's angle of a share, in radians (0 to pi)."""
    return 2 * np.arcsin(np.sqrt((count + 0.375) / (total + 0.75)))


def share(a: Float) -> Float:
    """The share whose angle is `a`; angles outside 0..pi are clipped."""
    return np.sin(np.clip(a, 0, np.pi) / 2) ** 2


def jumps(
    series: MarkSeries, windows: tuple[int, ...] = WINDOWS, least: float = 0.0, *, by_family: bool = False
) -> Iterator[Jumps]:
    """The test of every mark at every evaluation, one window length after another.

    What stands at index `t` depends on buckets `0..t` and the reference only. A family in which no |z| can reach
    `least` yields nothing: most families of a quiet log, at a fraction of the cost. `by_family` draws the habits of a
    mark that was seldom seen to those of its family: a cut that no row has passed yet may be one that weather will.
    """
    buckets = series.log.count.shape[1]
    tested = tuple(window for window in windows if window < buckets)
    running = _Running.of(series, by_family=by_family)
    if not any(running.may_reach(least, window) for window in tested):
        return
    floor = _Floor.none(len(series.marks), buckets)
    for window in tested:
        result, floor = _jumps(running, window, floor)
        yield result


@dataclass(frozen=True)
class _Difference:
    """Angles of a window less a baseline; nan where rows are too few.

    `variance` takes rows of one bucket as the cluster they are; `binomial` is the variance if each row were on its own.
    `count` and `total` are those of the window.
    """

    value: Float
    variance: Float
    binomial: Float
    count: Float
    total: Float

    def __sub__(self, other: "_Difference") -> "_Difference":
        return _Difference(
            self.value - other.value,
            self.variance + other.variance,
            self.binomial + other.binomial,
            self.count,
            self.total,
        )

    def where(self, usable: npt.NDArray[np.bool_]) -> "_Difference":
        """The difference where it is usable, nan elsewhere."""
        value, variance = np.where(usable, self.value, np.nan), np.where(usable, self.variance, np.nan)
        return _Difference(value, variance, self.binomial, self.count, self.total)

    def plain(self) -> Float:
        """The difference in sampling errors: signed root of the deviance of the window against what was expected.

        What was expected (the baseline, moved as the rest moved) counts as a sample of its own, of the size that has
        its variance.
        """
        z = self.value / np.sqrt(self.binomial)
        with np.errstate(invalid="ignore"):
            far = np.nonzero(np.abs(z) > CANDIDATE_Z)
        if len(far[0]):
            value, variance, k, n = self.value[far], self.binomial[far], self.count[far], self.total[far]
            wanted = share(angle(k, n) - value)
            size = 1 / np.maximum(variance - 1 / (n + 0.5), 1e-12)
            pooled = (k + size * wanted) / (n + size)
            deviance = _entropy(k, n, k / n, pooled) + _entropy(size * wanted, size, wanted, pooled)
            exact = np.sign(value) * np.sqrt(np.maximum(2 * deviance, 0))
            z[far] = np.where(np.abs(exact) < np.abs(z[far]), exact, z[far])
        plain: Float = z * np.sqrt(self.binomial / self.variance)
        return plain


def _entropy(count: Float, total: Float, own: Float, pooled: Float) -> Float:
    """Log-likelihood of counts under their own share less that under the pooled one."""
    with np.errstate(divide="ignore", invalid="ignore"):
        yes = np.where(count > 0, count * np.log(own / pooled), 0.0)
        no = np.where(total > count, (total - count) * np.log((1 - own) / (1 - pooled)), 0.0)
    return yes + no


@dataclass(frozen=True)
class _Floor:
    """The wander that shorter windows prove: buckets that wander on their own do so over w of them, by 1 / w."""

    wander: Float
    known: Float
    window: int

    @classmethod
    def none(cls, marks: int, buckets: int) -> "_Floor":
        nothing = np.zeros((marks, buckets))
        return cls(nothing, nothing, 1)

    def raised(self, wander: Float, known: Float, window: int) -> "_Floor":
        """The floor for a longer window: its own wander, or what the shorter windows prove if that is more."""
        proven = self.wander * self.window / window
        enough = np.where(proven > wander, np.maximum(known, self.known), known)
        return _Floor(np.maximum(wander, proven), enough, window)


@dataclass(frozen=True)
class _Past:
    """What lies before the window at each index: all buckets before it, or before the frozen one if that is earlier."""

    window: int
    last: Int64

    @classmethod
    def of_window(cls, window: int, buckets: int, frozen: int | None) -> "_Past":
        last = np.arange(buckets) - window
        return cls(window, last if frozen is None else np.minimum(last, frozen - 1))

    def blocks(self, running: "_Sums") -> "_Sums":
        """Sums over the whole blocks, each as long as the window, that lie in the past at each index."""
        return _Sums(*(self.block_at(values) for values in running.each()))

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
class _Sums:
    """Sums over some buckets: rows with the mark, rows, and their squares and product (for the clustering)."""

    count: Float
    total: Float
    count_squared: Float
    product: Float
    total_squared: Float

    @classmethod
    def running(cls, side: Side) -> "_Sums":
        """Sums up to and with each bucket, `(S, T)`."""
        k, n = side.count.astype(np.float64), side.total.astype(np.float64)
        return cls(*(np.cumsum(values, axis=1) for values in (k, n, k * k, k * n, n * n)))

    def each(self) -> tuple[Float, ...]:
        return self.count, self.total, self.count_squared, self.product, self.total_squared

    def window(self, window: int) -> "_Sums":
        """Of running sums: over the last `window` buckets at each index; nan before the first full window."""

        def last(total: Float) -> Float:
            sums = np.full(total.shape, np.nan)
            sums[:, window - 1] = total[:, window - 1]
            sums[:, window:] = total[:, window:] - total[:, :-window]
            return sums

        return _Sums(*map(last, self.each()))

    def before(self, past: "_Past") -> "_Sums":
        """Of running sums: over all buckets of the past at each index; nan where there is none."""
        return _Sums(*(past.of(values, np.nan) for values in self.each()))

    def blocks(self, window: int) -> "_Sums":
        """Of running sums: the same over whole blocks of so many buckets, each taken as one, up to and with each."""
        ends = slice(window - 1, None, window)
        k, n = (np.diff(values[:, ends], axis=1, prepend=0.0) for values in (self.count, self.total))
        return _Sums(*(np.cumsum(values, axis=1) for values in (k, n, k * k, k * n, n * n)))

    def as_clusters(self, size: Float | None = None) -> "_Sums":
        """The same sums with rows in clusters of a size, by default in a single one."""
        return replace(self, total_squared=self.total * (self.total if size is None else np.maximum(size, 1.0)))

    def all(self) -> "_Sums":
        """Of running sums: over all buckets, `(S, 1)`."""
        return _Sums(*(values[:, -1:] for values in self.each()))

    def __add__(self, other: "_Sums") -> "_Sums":
        return _Sums(*(a + b for a, b in zip(self.each(), other.each(), strict=True)))

    def __sub__(self, other: "_Sums") -> "_Sums":
        return _Sums(*(a - b for a, b in zip(self.each(), other.each(), strict=True)))

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

    def shrunk(self, whole: "_Sums", rows: float) -> "_Sums":
        """With so many more rows at the share of all traffic."""
        with np.errstate(invalid="ignore", divide="ignore"):
            level = np.where(whole.total > 0, whole.count / whole.total, 0.0)
        more = np.where(whole.total > 0, rows, 0.0)
        count, total = self.count + more * level, self.total + more
        return _Sums(count, total, self.count_squared, self.product, self.total_squared)

    def design_effect(self, correlation: Float) -> Float:
        """By how much clustering inflates the variance of the share over these buckets."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return 1 + np.maximum(self.total_squared / self.total - 1, 0.0) * correlation


def _difference(window: _Sums, base: _Sums, correlation: Float, rows_min: int) -> _Difference:
    enough = (window.total >= rows_min) & (base.total >= 4 * rows_min)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = angle(window.count, window.total) - angle(base.count, base.total)
        own, other = 1 / (window.total + 0.5), 1 / (base.total + 0.5)
        variance = own * window.design_effect(correlation) + other * base.design_effect(correlation)
    return _Difference(
        np.where(enough, value, np.nan), np.where(enough, variance, np.nan), own + other, window.count, window.total
    )


@dataclass(frozen=True)
class _Rules:
    """How the marks of a family are judged.

    Attributes:
        alike: whether they pool their usual wander.
        moderated: whether habits of a mark weigh only as much as it was seen, `(S, 1)`; not where a mark singles out
            its rows (a value unlike all that the reference has): no weather makes it.
        by_block: whether rows as near to each other as those of one window are taken to be as alike as such rows were:
            a storm or a price lasts longer than a bucket. In a slice only what the rest of the traffic does not share.
        rows_min: the fewest rows that a window needs.
    """

    alike: bool
    moderated: npt.NDArray[np.bool_]
    by_block: bool
    rows_min: int


def _seldom(series: MarkSeries, *, by_family: bool) -> npt.NDArray[np.bool_]:
    moderated = [[by_family and series.alike and not mark.rare] for mark in series.marks]
    return np.array(moderated, dtype=np.bool_).reshape(-1, 1)


def _whole(reference: _Sums, window: int) -> _Sums:
    """Sums over all whole blocks of the reference."""
    blocks = reference.blocks(window)
    return blocks.all() if blocks.total.shape[1] else _Sums(*(np.zeros((len(reference.total), 1)) for _ in range(5)))


def _inside(reference: _Sums, window: int, rules: _Rules, unshared: "_Unshared | None") -> "_Difference | None":
    """Each window of the reference against the rest of it."""
    if reference.count.shape[1] <= window:
        return None
    own, steady = reference.window(window), reference.all()
    correlation = steady.moderated_clustering(rules.moderated)
    if rules.by_block and window > 1:
        blocks = _whole(reference, window)
        correlation = blocks.moderated_clustering(rules.moderated) * (1.0 if unshared is None else unshared.reference)
        size = np.nan_to_num(blocks.total_squared / np.maximum(blocks.total, 1.0))
        return _difference(own.as_clusters(), (steady - own).as_clusters(size), correlation, rules.rows_min)
    return _difference(own, steady - own, correlation, rules.rows_min)


@dataclass(frozen=True)
class _Unshared:
    """The part of a slice's block-wise ups and downs that the rest of the traffic does not share: 1 - r squared.

    By what lies in the past at each index (with the reference), `(S, T)`, and in the reference alone, `(S, 1)`.
    """

    past: Float
    reference: Float

    @classmethod
    def of(cls, own: tuple[_Sums, _Sums], rest: tuple[_Sums, _Sums], past: _Past) -> "_Unshared":
        """From running sums in the log and the reference."""
        window = past.window
        log = _Crossed.of(own[0], rest[0], window)
        steady = _Crossed.of(own[1], rest[1], window).whole()
        return cls((log.at(past) + steady).unshared(), steady.unshared())


@dataclass(frozen=True)
class _Crossed:
    """Sums over blocks of two sides: of each, and of the products of their counts and totals."""

    own: _Sums
    rest: _Sums
    products: tuple[Float, Float, Float, Float]

    @classmethod
    def of(cls, own: _Sums, rest: _Sums, window: int) -> "_Crossed":
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
            sums = _Sums(*(nothing for _ in range(5)))
            return _Crossed(sums, sums, (nothing, nothing, nothing, nothing))
        a, b, c, d = (values[:, -1:] for values in self.products)
        return _Crossed(self.own.all(), self.rest.all(), (a, b, c, d))

    def at(self, past: _Past) -> "_Crossed":
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


@dataclass(frozen=True)
class _Prior:
    """Rows at the level of all traffic, by running sums in the log and sums in the reference."""

    log: _Sums
    reference: _Sums
    rows: float


@dataclass(frozen=True)
class _Differences:
    """The window against the log before it, against the reference, and the reference's own windows against its rest."""

    log: _Difference
    reference: _Difference
    inside: _Difference | None

    @classmethod
    def of(
        cls,
        log: _Sums,
        reference: _Sums,
        past: _Past,
        rules: "_Rules",
        prior: "_Prior | None" = None,
        unshared: "_Unshared | None" = None,
    ) -> "_Differences":
        """From running sums of one side, in the log and in the reference."""
        window, rows_min = past.window, rules.rows_min
        now, before, steady = log.window(window), log.before(past), reference.all()
        inside = _inside(reference, window, rules, unshared)
        correlation = (before + steady).moderated_clustering(rules.moderated)
        if rules.by_block and window > 1:
            blocks = past.blocks(log.blocks(window)) + _whole(reference, window)
            correlation = blocks.moderated_clustering(rules.moderated) * (1.0 if unshared is None else unshared.past)
            size = np.nan_to_num(blocks.total_squared / np.maximum(blocks.total, 1.0))
            now, before, steady = now.as_clusters(), before.as_clusters(size), steady.as_clusters(size)
        if prior is not None:
            before = before.shrunk(prior.log.before(past), prior.rows)
            steady = steady.shrunk(prior.reference, prior.rows)
        log_difference, reference_difference = (
            _difference(now, base, correlation, rows_min) for base in (before, steady)
        )
        return cls(log_difference, reference_difference, inside)

    def __sub__(self, other: "_Differences") -> "_Differences":
        inside = None if self.inside is None or other.inside is None else self.inside - other.inside
        return _Differences(self.log - other.log, self.reference - other.reference, inside)


@dataclass(frozen=True)
class _Running:
    """Running sums of a series: made once, used by every window length."""

    log: _Sums
    reference: _Sums
    rest: _Sums | None
    reference_rest: _Sums | None
    rules: _Rules
    prior: float
    frozen: int | None
    exposed: tuple[Float, Float] | None

    @classmethod
    def of(cls, series: MarkSeries, *, by_family: bool) -> "_Running":
        rest, reference_rest = (
            None if side is None else _Sums.running(side) for side in (series.rest, series.reference_rest)
        )
        exposed = None
        if series.exposure is not None:
            inside, other = (
                np.cumsum(rows, axis=1, dtype=np.float64) for rows in (series.exposure.rows, series.exposure.rest_rows)
            )
            exposed = inside, inside + other
        log, reference = _Sums.running(series.log), _Sums.running(series.reference)
        rules = _Rules(series.alike, _seldom(series, by_family=by_family), by_family, series.rows_min)
        return cls(log, reference, rest, reference_rest, rules, series.prior, series.frozen, exposed)

    def differences(self, window: int) -> _Differences:
        """The window against its baselines; in a slice, less what the rest of the traffic did."""
        past = self.past(window)
        if self.rest is None or self.reference_rest is None:
            return _Differences.of(self.log, self.reference, past, self.rules)
        prior = None
        if self.prior:
            prior = _Prior(self.log + self.rest, self.reference.all() + self.reference_rest.all(), self.prior)
        unshared = None
        if self.rules.by_block and window > 1:
            unshared = _Unshared.of((self.log, self.reference), (self.rest, self.reference_rest), past)
        own = _Differences.of(self.log, self.reference, past, self.rules, prior, unshared)
        less = own - _Differences.of(self.rest, self.reference_rest, past, self.rules, unshared=unshared)
        return _Differences(less.log.where(self._kept_share(past)), less.reference, less.inside)

    def may_reach(self, least: float, window: int) -> bool:
        """Whether any jump of this window length reaches `least` binomial errors; all else only makes |z| smaller."""
        sides = [(self.log, self.reference)]
        if self.rest is not None and self.reference_rest is not None:
            sides.append((self.rest, self.reference_rest))
        moved: list[Float] = [np.zeros(1), np.zeros(1)]
        variance: list[Float] = [np.zeros(1), np.zeros(1)]
        for sign, (log, reference) in zip((1, -1), sides, strict=False):
            rows = log.total[:, window:] - log.total[:, :-window]
            now = angle(log.count[:, window:] - log.count[:, :-window], rows)
            past = self.past(window)
            bases = (
                (past.of(log.count, 0.0)[:, window:], past.of(log.total, 0.0)[:, window:]),
                (reference.count[:, -1:], reference.total[:, -1:]),
            )
            for n, (count, total) in enumerate(bases):
                moved[n] = moved[n] + sign * (now - angle(count, total))
                variance[n] = variance[n] + 1 / (rows + 0.5) + 1 / (total + 0.5)
        reached = np.minimum(*(np.square(moved[n]) / variance[n] for n in (0, 1)))
        return bool(np.any(reached >= least**2))

    def events(self, past: _Past) -> Float:
        """How much the past can tell of each mark's habits, rows of one bucket taken as the cluster they are."""
        before, steady = self.log.before(past), self.reference.all()
        seen = steady + _Sums(*(np.nan_to_num(values) for values in before.each()))
        return seen.events() / seen.design_effect(seen.moderated_clustering(self.rules.moderated))

    def past(self, window: int) -> _Past:
        """What a window is compared with, at each index."""
        return _Past.of_window(window, self.log.total.shape[1], self.frozen)

    def _kept_share(self, past: _Past) -> npt.NDArray[np.bool_]:
        """Where a slice has about its usual share of the traffic.

        A slice that is there at some times only (a season, a time of day) has no rest at the same time to compare with.
        """
        assert self.rest is not None  # noqa: S101  # asked for slices only
        inside, everything = self.exposed or (self.log.total, self.log.total + self.rest.total)
        kept = np.zeros(inside.shape, dtype=np.bool_)
        with np.errstate(invalid="ignore", divide="ignore"):
            window = past.window
            rows = everything[:, window:] - everything[:, :-window]
            now = angle(inside[:, window:] - inside[:, :-window], rows)
            before = angle(past.of(inside, np.nan), past.of(everything, np.nan))
            kept[:, window:] = np.abs(now - before[:, window:]) <= CONTROL_SHIFT_MAX + 1 / np.sqrt(rows)
        return kept


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


def _windowed(values: Int64 | Float, window: int) -> Float:
    """Sums over the last `window` buckets at each index; 0 before the first full window that has a past."""
    sums = np.cumsum(values, axis=1, dtype=np.float64)
    over = np.zeros(sums.shape)
    over[:, window:] = sums[:, window:] - sums[:, :-window]
    return over


def _jumps(running: _Running, window: int, floor: _Floor) -> tuple[Jumps, _Floor]:
    differences = running.differences(window)
    log, ref, own = differences.log, differences.reference, differences.inside
    span = running.past(window)
    past, windows_past = _past_wander(log, span)
    steady, steady_windows, steady_peak = _reference_wander(own, window, len(log.value))
    known = windows_past + steady_windows
    plain_log, plain_ref = log.plain(), ref.plain()
    excess = (past * windows_past + steady * steady_windows) / np.maximum(known, 1e-12)
    informed = known
    if running.rules.moderated.any():
        seen = running.events(span) / EVENTS_PER_WINDOW
        informed = np.where(running.rules.moderated, np.minimum(known, seen), known)
    floor = floor.raised(_moderated(excess * informed, informed, running.rules.alike), known, window)
    z, error = _standardised(plain_log, log.variance, floor.wander, floor.known)
    same = np.sign(log.value) == np.sign(ref.value)
    by_log = np.abs(z) <= np.abs(plain_ref)
    plain = np.where(same, np.sign(log.value) * np.minimum(np.abs(plain_log), np.abs(plain_ref)), 0.0)
    plain = np.where(np.isnan(log.value) | np.isnan(ref.value), np.nan, plain)
    tested = Jumps(
        window,
        np.where(same & (known >= HISTORY_WINDOWS_MIN), np.where(by_log, z, plain_ref), np.nan),
        np.where(np.abs(log.value) <= np.abs(ref.value), log.value, ref.value),
        error,
        floor.wander,
        np.maximum(_past_peak(plain, span), steady_peak),
        plain,
    )
    return tested, floor


def _past_wander(difference: _Difference, past: _Past) -> tuple[Float, Float]:
    """Mean excess of squared past jumps over sampling variance, and from how many windows' worth of history.

    At `t` the past ends where the candidate window begins: a fault must not hide itself.
    """
    excess = difference.value**2 - difference.variance
    valid = ~np.isnan(excess)
    total = np.cumsum(np.where(valid, excess, 0.0), axis=1)
    number = np.cumsum(valid, axis=1).astype(np.float64)
    shifted_total, shifted_number = past.of(total, 0.0), past.of(number, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(shifted_number > 0, shifted_total / shifted_number, 0.0)
    return mean, shifted_number / past.window


def _reference_wander(own: _Difference | None, window: int, marks: int) -> tuple[Float, Float, Float]:
    """The same for the reference's own windows, and the largest of its jumps in sampling errors: each `(S, 1)`."""
    if own is None:
        nothing = np.zeros((marks, 1))
        return nothing, nothing, nothing
    excess = own.value**2 - own.variance
    number = (~np.isnan(excess)).sum(axis=1, keepdims=True).astype(np.float64)
    total = np.nansum(excess, axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(number > 0, total / number, 0.0)
        plain = np.abs(own.plain())
    peak = np.where(number > 0, np.nanmax(np.where(np.isnan(plain), 0.0, plain), axis=1, keepdims=True), 0.0)
    return mean, number / window, peak


def _moderated(excess: Float, windows: Float, alike: bool) -> Float:  # noqa: FBT001  # a property of the family
    """Variance of the wander: the mean `excess / windows`, shrunk to that of a family of alike marks; not negative."""
    prior = np.zeros((1, 1))
    if alike:
        known = np.maximum(windows.sum(axis=0, keepdims=True), 1e-12)
        prior = np.maximum(excess.sum(axis=0, keepdims=True) / known, 0.0)
    return np.maximum((excess + prior * PRIOR_WINDOWS) / (windows + PRIOR_WINDOWS), 0.0)


def _standardised(plain: Float, sampling: Float, wander: Float, known: Float) -> tuple[Float, Float]:
    """A jump in standard errors, sampling and wander together, as the normal z of the same tail; and that error.

    The wander is only an estimate, so its share of the variance brings Student's tail: the degrees of freedom follow
    Satterthwaite (1946), the way back to a normal z Wallace (1959).
    """
    error = np.sqrt(sampling + wander)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = plain * np.sqrt(sampling) / error
        freedom = np.minimum((known + PRIOR_WINDOWS) * ((sampling + wander) / wander) ** 2, FREEDOM_MAX)
        z = (8 * freedom + 1) / (8 * freedom + 3) * np.sqrt(freedom * np.log1p(t**2 / freedom))
    return np.sign(t) * z, error


def _past_peak(plain: Float, past: _Past) -> Float:
    """The largest |jump| that was over before the candidate window began."""
    peak = np.maximum.accumulate(np.where(np.isnan(plain), 0.0, np.abs(plain)), axis=1)
    return past.of(peak, 0.0)
