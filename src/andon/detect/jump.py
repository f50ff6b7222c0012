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
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from andon.detect.mark import EFFECT_MIN, MarkSeries
from andon.detect.screen import reach
from andon.detect.sums import Past, Sums

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
EVENTS_PER_WINDOW = 5.0
"""A past window is worth knowing for a mark that about so many rows of it may have had, were it as usual."""
FREEDOM_MAX = 1e6
"""Degrees of freedom from which on Student's tail is the normal one."""
HISTORY_WINDOWS_MIN = 2.0
"""A window length is tested once the history (log and reference) holds this many windows to learn the wander from."""

CONTROL_SHIFT_MAX = 0.2
"""How far (Cohen's h, beyond noise) a slice's share of the traffic may move before the rest is no control any more."""


@dataclass(frozen=True)
class Jumps:
    """Result of the test with one window length: arrays `(S, T)`; nan where it was not tested or cannot be.

    Attributes:
        window: length in buckets.
        z: the jump in standard errors, sampling and wander together; the smaller of the two baselines.
        effect: the jump as Cohen's h, of the same baseline.
        error: standard error of the effect.
        wander: variance of the usual wander in it.
        habit: the largest jump in the past, in the same unit as `plain`.
        plain: the jump in sampling errors alone.
        usual: the largest effect in the past of any mark of the family; 0 where a mark answers for itself.
    """

    window: int
    z: Float
    effect: Float
    error: Float
    wander: Float
    habit: Float
    plain: Float
    usual: Float

    def beyond(self, threshold: float, least: Float | float = EFFECT_MIN) -> npt.NDArray[np.bool_]:
        """Where the jump is significant, beyond habit and not negligible (`least`: Cohen's h, may be one per mark)."""
        with np.errstate(invalid="ignore"):
            return (
                (np.abs(self.z) >= threshold)
                & (np.abs(self.effect) >= least)
                & (np.abs(self.plain) >= HABIT_MARGIN * self.habit)
                & (np.abs(self.effect) >= HABIT_MARGIN * self.usual)
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

    What stands at index `t` depends on buckets `0..t` and the reference only. A mark whose |z| cannot reach `least` is
    not tested, and a window length at which none can yields nothing: most of a log ends here, at a fraction of the
    cost. `by_family` draws the habits of a mark that was seldom seen to those of its family: a cut that no row has
    passed yet may be one that weather will.
    """
    buckets = series.log.count.shape[1]
    tested = tuple(window for window in windows if window < buckets)
    reaching = reach(series, tested, least) if tested and series.marks else np.zeros((0, 0), dtype=np.bool_)
    if not reaching.any():
        return
    running = _Running.of(series, by_family=by_family)
    floor = _Floor.none(len(series.marks), buckets)
    last = int(np.nonzero(reaching.any(axis=0))[0][-1])
    for n, window in enumerate(tested[: last + 1]):
        differences, span = running.differences(window), running.past(window)
        wander = _Wander.of(running, differences, span)
        floor = floor.raised(wander.usual, wander.windows, window)
        if reaching[:, n].any():
            yield _jumps(running, differences, span, (floor, wander), reaching[:, n])


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

    def of(self, marks: npt.NDArray[np.bool_]) -> "_Difference":
        """The difference of some marks."""
        return _Difference(
            self.value[marks], self.variance[marks], self.binomial[marks], self.count[marks], self.total[marks]
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
class _Level:
    """The angle of a share over some buckets; its variance with the rows of a bucket as a cluster, and without."""

    sums: Sums
    angle: Float
    variance: Float
    binomial: Float

    @classmethod
    def of(cls, sums: Sums, correlation: Float) -> "_Level":
        with np.errstate(invalid="ignore", divide="ignore"):
            binomial = 1 / (sums.total + 0.5)
            return cls(sums, angle(sums.count, sums.total), binomial * sums.design_effect(correlation), binomial)

    def less(self, base: "_Level", rows_min: int) -> _Difference:
        """A window less its baseline, which needs four times the rows."""
        window = self.sums
        enough = (window.total >= rows_min) & (base.sums.total >= 4 * rows_min)
        value = np.where(enough, self.angle - base.angle, np.nan)
        variance = np.where(enough, self.variance + base.variance, np.nan)
        return _Difference(value, variance, self.binomial + base.binomial, window.count, window.total)


@dataclass(frozen=True)
class _Rules:
    """How the marks of a family are judged.

    Attributes:
        alike: whether they pool their usual wander.
        moderated: whether habits of a mark weigh only as much as it was seen, `(S, 1)`; not where a mark singles out
            its rows (a value unlike all that the reference has): no weather makes it.
        rows_min: the fewest rows that a window needs.
    """

    alike: bool
    moderated: npt.NDArray[np.bool_]
    rows_min: int


def _seldom(series: MarkSeries, *, by_family: bool) -> npt.NDArray[np.bool_]:
    moderated = [[by_family and series.alike and not mark.rare] for mark in series.marks]
    return np.array(moderated, dtype=np.bool_).reshape(-1, 1)


def _inside(reference: Sums, window: int, rules: _Rules) -> "_Difference | None":
    """Each window of the reference against the rest of it."""
    if reference.count.shape[1] <= window:
        return None
    own, steady = reference.window(window), reference.all()
    correlation = steady.moderated_clustering(rules.moderated)
    return _Level.of(own, correlation).less(_Level.of(steady - own, correlation), rules.rows_min)


@dataclass(frozen=True)
class _Prior:
    """Rows at the level of all traffic, by running sums in the log and sums in the reference."""

    log: Sums
    reference: Sums
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
        log: Sums,
        reference: Sums,
        past: Past,
        rules: "_Rules",
        prior: "_Prior | None" = None,
    ) -> "_Differences":
        """From running sums of one side, in the log and in the reference."""
        window, rows_min = past.window, rules.rows_min
        now, before, steady = log.window(window), log.before(past), reference.all()
        inside = _inside(reference, window, rules)
        correlation = (before + steady).moderated_clustering(rules.moderated)
        if prior is not None:
            before = before.shrunk(prior.log.before(past), prior.rows)
            steady = steady.shrunk(prior.reference, prior.rows)
        level = _Level.of(now, correlation)
        by_log, by_reference = (level.less(_Level.of(base, correlation), rows_min) for base in (before, steady))
        return cls(by_log, by_reference, inside)

    def __sub__(self, other: "_Differences") -> "_Differences":
        inside = None if self.inside is None or other.inside is None else self.inside - other.inside
        return _Differences(self.log - other.log, self.reference - other.reference, inside)


@dataclass(frozen=True)
class _Running:
    """Running sums of a series: made once, used by every window length."""

    log: Sums
    reference: Sums
    rest: Sums | None
    reference_rest: Sums | None
    rules: _Rules
    prior: float
    frozen: int | None
    exposed: tuple[Float, Float] | None

    @classmethod
    def of(cls, series: MarkSeries, *, by_family: bool) -> "_Running":
        rest, reference_rest = (
            None if side is None else Sums.running(side) for side in (series.rest, series.reference_rest)
        )
        exposed = None
        if series.exposure is not None:
            inside, other = (
                np.cumsum(rows, axis=1, dtype=np.float64) for rows in (series.exposure.rows, series.exposure.rest_rows)
            )
            exposed = inside, inside + other
        log, reference = Sums.running(series.log), Sums.running(series.reference)
        rules = _Rules(series.alike, _seldom(series, by_family=by_family), series.rows_min)
        return cls(log, reference, rest, reference_rest, rules, series.prior, series.frozen, exposed)

    def differences(self, window: int) -> _Differences:
        """The window against its baselines; in a slice, less what the rest of the traffic did."""
        past = self.past(window)
        if self.rest is None or self.reference_rest is None:
            return _Differences.of(self.log, self.reference, past, self.rules)
        prior = None
        if self.prior:
            prior = _Prior(self.log + self.rest, self.reference.all() + self.reference_rest.all(), self.prior)
        own = _Differences.of(self.log, self.reference, past, self.rules, prior)
        less = own - _Differences.of(self.rest, self.reference_rest, past, self.rules)
        return _Differences(less.log.where(self._kept_share(past)), less.reference, less.inside)

    def events(self, past: Past) -> Float:
        """How much the past can tell of each mark's habits, rows of one bucket taken as the cluster they are."""
        before, steady = self.log.before(past), self.reference.all()
        seen = steady + Sums(*(np.nan_to_num(values) for values in before.each()))
        return seen.events() / seen.design_effect(seen.moderated_clustering(self.rules.moderated))

    def past(self, window: int) -> Past:
        """What a window is compared with, at each index."""
        return Past(window, self.frozen)

    def _kept_share(self, past: Past) -> npt.NDArray[np.bool_]:
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


@dataclass(frozen=True)
class _Wander:
    """The usual wander of each mark: its variance, the windows it was learnt from, the reference's largest jump."""

    usual: Float
    windows: Float
    peak: Float

    @classmethod
    def of(cls, running: _Running, differences: _Differences, span: Past) -> "_Wander":
        past, windows_past = _past_wander(differences.log, span)
        own, marks = differences.inside, len(differences.log.value)
        steady, steady_windows, steady_peak = _reference_wander(own, span.window, marks)
        known = windows_past + steady_windows
        excess = (past * windows_past + steady * steady_windows) / np.maximum(known, 1e-12)
        informed = known
        if running.rules.moderated.any():
            seen = running.events(span) / EVENTS_PER_WINDOW
            informed = np.where(running.rules.moderated, np.minimum(known, seen), known)
        return cls(_moderated(excess * informed, informed, running.rules.alike), known, steady_peak)


def _jumps(
    running: _Running,
    differences: _Differences,
    span: Past,
    usual: tuple[_Floor, _Wander],
    marks: npt.NDArray[np.bool_],
) -> Jumps:
    """The test of some marks, nan for the others."""
    moderated = running.rules.moderated
    if moderated.any():  # the largest effect of the family is that of all
        marks = np.ones(len(marks), dtype=np.bool_)
    log, ref, (floor, wander) = differences.log.of(marks), differences.reference.of(marks), usual
    plain_log, plain_ref = log.plain(), ref.plain()
    z, error = _standardised(plain_log, log.variance, floor.wander[marks], floor.known[marks])
    same, known = np.sign(log.value) == np.sign(ref.value), wander.windows[marks] >= HISTORY_WINDOWS_MIN
    by_log = np.abs(z) <= np.abs(plain_ref)
    plain = np.where(same, np.sign(log.value) * np.minimum(np.abs(plain_log), np.abs(plain_ref)), 0.0)
    plain = np.where(np.isnan(log.value) | np.isnan(ref.value), np.nan, plain)
    effect = np.where(np.abs(log.value) <= np.abs(ref.value), log.value, ref.value)

    def of_all(values: Float) -> Float:
        every = np.full((len(marks), values.shape[1]), np.nan)
        every[marks] = values
        return every

    return Jumps(
        span.window,
        of_all(np.where(known & same, np.where(by_log, z, plain_ref), np.nan)),
        of_all(effect),
        of_all(error),
        floor.wander,
        of_all(np.maximum(_past_peak(plain, span), wander.peak[marks])),
        of_all(plain),
        _family_peak(np.where(same, effect, np.nan), differences.inside, span, moderated),
    )


def _past_wander(difference: _Difference, past: Past) -> tuple[Float, Float]:
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


def _family_peak(effect: Float, own: _Difference | None, past: Past, moderated: npt.NDArray[np.bool_]) -> Float:
    """The largest effect of any mark of the family that was over before the window began, `(S, T)`; 0 if not moderated.

    The first hot day passes a cut that no day passed before, as each warm spell before it passed a lower one.
    """
    if not moderated.any():
        return np.zeros((1, 1))
    peak = _past_peak(effect, past).max(axis=0, keepdims=True)
    if own is not None:
        peak = np.maximum(peak, np.nan_to_num(np.abs(own.value)).max())
    return np.where(moderated, peak, 0.0)


def _past_peak(plain: Float, past: Past) -> Float:
    """The largest |jump| that was over before the candidate window began."""
    peak = np.maximum.accumulate(np.where(np.isnan(plain), 0.0, np.abs(plain)), axis=1)
    return past.of(peak, 0.0)
