"""The laws of the jump test: what it must find, what it must leave alone, and that it never looks ahead."""

from datetime import timedelta
from math import ceil, exp, lgamma, log, sqrt
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from andon.detect.budget import INDEPENDENT_LOOKS, QUARTER, Budget
from andon.detect.jump import WINDOWS, Jumps, angle, jumps, share
from andon.detect.mark import MarkSeries, Side
from counted import drawn, hits, known_until, series

EVALUATION = timedelta(hours=6)
BUCKETS = 200
THRESHOLD = Budget().threshold(1.0, 1, EVALUATION)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def raised(each: MarkSeries, threshold: float = THRESHOLD) -> np.ndarray:
    """Where a mark is beyond its threshold at any window length: `(S, T)`."""
    seen = np.zeros(each.log.count.shape, dtype=bool)
    for tested in jumps(each):
        seen |= tested.beyond(threshold)
    return seen


def stepped(before: float, after: float, start: int, buckets: int = BUCKETS) -> np.ndarray:
    """A share that leaves its level at bucket `start` and stays away."""
    return np.where(np.arange(buckets) < start, before, after)[None, :]


# --- it never looks ahead


@st.composite
def families(draw: st.DrawFn) -> tuple[MarkSeries, MarkSeries, int]:
    """A family, the same one with another future, and the bucket from which on they differ."""
    size, buckets = draw(st.integers(1, 3)), draw(st.integers(2, 60))
    end = draw(st.integers(1, buckets - 1))
    dice = rng(draw(st.integers(0, 2**32 - 1)))
    rows, shares = dice.choice([1, 8, 40, 300]), dice.choice([0.01, 0.2, 0.5], size=(size, 1))
    wander = dice.choice([0.0, 0.1]) * dice.standard_normal((size, buckets))

    def side(length: int, *, wandering: bool = False) -> Side:
        p = np.clip(shares + (wander[:, :length] if wandering else 0), 0, 1)
        return drawn(dice, np.broadcast_to(p, (size, length)), dice.poisson(rows, (size, length)))

    def other(of: Side) -> Side:
        future = drawn(dice, dice.random((size, buckets)), dice.poisson(2 * rows, (size, buckets)))
        seen = np.arange(buckets) < end
        return Side(np.where(seen, of.count, future.count), np.where(seen, of.total, future.total))

    log, reference = side(buckets, wandering=True), side(draw(st.integers(1, 30)))
    if draw(st.booleans()):
        return series(log, reference), series(other(log), reference), end
    rest, reference_rest = side(buckets), side(reference.count.shape[1])
    full, changed = (series(a, reference, b, reference_rest) for a, b in ((log, rest), (other(log), other(rest))))
    return full, changed, end


def same_before(end: int, one: MarkSeries, two: MarkSeries) -> None:
    for a, b in zip(jumps(one), jumps(two), strict=False):
        assert a.window == b.window
        for name in Jumps.__dataclass_fields__:
            if name != "window":
                first, second = getattr(a, name)[:, :end], getattr(b, name)[:, :end]
                np.testing.assert_allclose(first, second, rtol=1e-9, atol=1e-12, err_msg=f"{name} over {a.window}")


@given(families())
def test_what_stands_at_an_evaluation_does_not_depend_on_what_comes_later(
    given_families: tuple[MarkSeries, MarkSeries, int],
) -> None:
    full, changed, end = given_families
    same_before(end, full, changed)


@given(families())
def test_what_stands_at_an_evaluation_is_the_same_when_the_log_ends_there(
    given_families: tuple[MarkSeries, MarkSeries, int],
) -> None:
    full, _, end = given_families
    same_before(end, full, known_until(full, end))


@settings(max_examples=20)
@given(families())
def test_every_window_that_fits_into_the_past_is_tested_whatever_comes_later(
    given_families: tuple[MarkSeries, MarkSeries, int],
) -> None:
    full, _, end = given_families
    assert [j.window for j in jumps(known_until(full, end))] == [w for w in WINDOWS if w < end]


@given(families(), st.sampled_from([2.0, 4.0, 6.0]))
def test_passing_over_quiet_families_changes_nothing_that_is_raised(
    given_families: tuple[MarkSeries, MarkSeries, int], threshold: float
) -> None:
    for each in given_families[:2]:
        screened = {tested.window: tested.beyond(threshold) for tested in jumps(each, least=threshold)}
        for tested in jumps(each):
            assert np.array_equal(tested.beyond(threshold), screened.get(tested.window, np.zeros(tested.z.shape)))


# --- it is silent where nothing happened


def allowed(quarters: int, marks: int, threshold: float) -> float:
    """The false alarms by which the budget sets its threshold, and what chance may add to them."""
    looks = quarters * marks * INDEPENDENT_LOOKS * (QUARTER / EVALUATION)
    mean = looks * 2 * NormalDist().cdf(-threshold)
    return mean + 2 * sqrt(mean) + 1


THRESHOLDS = [4.0, Budget().threshold(1.0, 60, EVALUATION)]


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_exchangeable_rows_raise_no_more_than_the_budget_reckons_with(threshold: float) -> None:
    quarters, each, buckets, false = 30, 60, QUARTER // EVALUATION, 0
    for seed in range(quarters):
        dice = rng(seed)
        level = np.exp(dice.uniform(np.log(0.003), np.log(0.5), size=(each, 1)))
        rows = dice.poisson(dice.choice([20, 60]), size=(1, buckets))
        log = drawn(dice, level, np.broadcast_to(rows, (each, buckets)))
        seen = raised(series(log, drawn(dice, level, np.full((each, 60), 40))), threshold)
        false += int(seen.any(axis=1).sum())  # the hits of one mark overlap: one false alarm
    assert false <= allowed(quarters, each, threshold)


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_exchangeable_rows_in_a_slice_raise_no_more_than_the_budget_reckons_with(threshold: float) -> None:
    quarters, each, buckets, false = 20, 60, QUARTER // EVALUATION, 0
    for seed in range(quarters):
        dice = rng(1000 + seed)
        level = np.exp(dice.uniform(np.log(0.003), np.log(0.5), size=(each, 1)))
        log, rest = (drawn(dice, level, dice.poisson(rows, (each, buckets))) for rows in (10, 40))
        known, known_rest = (drawn(dice, level, dice.poisson(rows, (each, 60))) for rows in (20, 80))
        seen = raised(series(log, known, rest, known_rest), threshold)
        false += int(seen.any(axis=1).sum())
    assert false <= allowed(quarters, each, threshold)


def test_a_share_that_wanders_from_bucket_to_bucket_is_silent() -> None:
    false = 0
    for seed in range(30):
        dice = rng(seed)
        log, reference = (
            drawn(dice, np.clip(0.3 + 0.12 * dice.standard_normal((20, length)), 0, 1), 60) for length in (364, 90)
        )
        false += int(raised(series(log, reference)).any(axis=1).sum())
    assert false <= 1


def test_a_bad_day_as_the_reference_had_one_is_no_news() -> None:
    known, level = np.full((1, BUCKETS), 0.1), np.full((1, BUCKETS), 0.1)
    known[0, 20:22], level[0, 150:152] = 0.9, 0.8
    for seed in range(10):
        dice = rng(seed)
        assert not raised(series(drawn(dice, level, 40), drawn(dice, known, 40))).any()


def test_a_share_that_drifts_to_and_fro_for_days_is_seldom_raised() -> None:
    """Its buckets are alike for long: sampling errors alone would raise it all the time."""
    false = 0
    for seed in range(20):
        dice = rng(seed)
        log, reference = (drawn(dice, wandering(dice, length)[None, :], 40) for length in (364, 120))
        false += int(raised(series(log, reference))[:, 60:].any())
    assert false <= 3


def wandering(dice: np.random.Generator, buckets: int, memory: float = 0.95) -> np.ndarray:
    """A share that goes its own way, slowly (an autoregression of its log odds)."""
    odds = np.zeros(buckets)
    for n in range(1, buckets):
        odds[n] = memory * odds[n - 1] + dice.normal(0, 0.5 * sqrt(1 - memory**2))
    return 1 / (1 + np.exp(1.2 - odds))


def test_a_season_that_the_reference_has_lived_through_is_silent() -> None:
    for period in (4, 28):
        season = 0.3 + 0.15 * np.sin(2 * np.pi * np.arange(10 * period) / period)[None, :]
        for seed in range(10):
            dice = rng(seed)
            reference = drawn(dice, season[:, : 4 * period], 60)
            assert not raised(series(drawn(dice, season, 60), reference)).any(), (period, seed)


def test_what_moves_everybody_is_raised_in_all_traffic_and_in_no_slice() -> None:
    level = stepped(0.2, 0.45, 100)
    for seed in range(10):
        dice = rng(seed)
        log, rest = drawn(dice, level, 30), drawn(dice, level, 120)
        known, known_rest = drawn(dice, [[0.2] * 60], 30), drawn(dice, [[0.2] * 60], 120)
        assert not raised(series(log, known, rest, known_rest)).any()
        assert raised(series(rest, known_rest)).any()


@pytest.mark.parametrize(
    ("reference", "log"),
    [
        pytest.param(0.5, stepped(0.2, 0.2, 0), id="a reference that never fitted"),
        pytest.param(0.2, stepped(0.5, 0.2, 120), id="a return to what the reference has"),
        pytest.param(0.2, stepped(0.2, 0.2, 0), id="nothing"),
    ],
)
def test_a_jump_from_one_of_the_two_baselines_only_is_not_raised(reference: float, log: np.ndarray) -> None:
    for seed in range(10):
        dice = rng(seed)
        assert not raised(series(drawn(dice, log, 40), drawn(dice, [[reference] * 60], 40))).any()


def test_a_shift_that_is_negligible_in_practice_is_not_raised_however_sure_it_is() -> None:
    after = float(share(angle(np.array(3000.0), np.array(10_000.0)) + 0.15))
    for seed in range(5):
        dice = rng(seed)
        assert not raised(series(drawn(dice, stepped(0.3, after, 100), 5000), drawn(dice, [[0.3] * 50], 5000))).any()


@pytest.mark.parametrize("length", [1, 2, 4, 8])
def test_bad_days_as_the_past_had_them_are_no_news(length: int) -> None:
    level = np.full((1, BUCKETS), 0.1)
    for start in (40, 150):
        level[0, start : start + length] = 0.9
    for seed in range(10):
        dice = rng(seed)
        seen = raised(series(drawn(dice, level, 40), drawn(dice, [[0.1] * 60], 40)))
        assert seen[:, 40 : 40 + length].any(), "the first time it is news"
        assert not seen[:, 150:].any()


# --- it finds what happened


def needed(effect: float, rows: int) -> int:
    """Buckets within which a shift of this effect must be found: three times what the threshold's own power takes."""
    return ceil(3 * (THRESHOLD / effect) ** 2 / rows) + 2


STEPS = [(0.02, 1.0), (0.1, 0.9), (0.1, 0.4), (0.3, 0.55), (0.5, 0.3), (0.3, 0.0)]


@pytest.mark.parametrize(("before", "after"), STEPS)
def test_a_step_in_all_traffic_is_found_soon_and_never_before(before: float, after: float) -> None:
    start, rows, found = 100, 40, 0
    effect = abs(2 * np.arcsin(np.sqrt(after)) - 2 * np.arcsin(np.sqrt(before)))
    for seed in range(20):
        dice = rng(seed)
        log, reference = drawn(dice, stepped(before, after, start), rows), drawn(dice, [[before] * 60], rows)
        seen = np.flatnonzero(raised(series(log, reference))[0])
        assert not (seen < start).any()
        found += bool(len(seen)) and int(seen[0]) < start + needed(effect, rows)
    assert found >= 19


@pytest.mark.parametrize(("before", "after"), STEPS)
def test_a_step_in_one_slice_is_found_against_a_rest_that_moves_too(before: float, after: float) -> None:
    start, rows, found = 100, 40, 0
    effect = abs(2 * np.arcsin(np.sqrt(after)) - 2 * np.arcsin(np.sqrt(before)))
    season = 0.02 * np.sin(2 * np.pi * np.arange(BUCKETS) / 40)[None, :]
    for seed in range(20):
        dice = rng(seed)
        log = drawn(dice, np.clip(stepped(before, after, start) + season, 0, 1), rows)
        rest = drawn(dice, np.clip(before + season, 0, 1), 4 * rows)
        known = drawn(dice, [[before] * 60], rows), drawn(dice, [[before] * 60], 4 * rows)
        seen = np.flatnonzero(raised(series(log, known[0], rest, known[1]))[0])
        assert not (seen < start).any()
        found += bool(len(seen)) and int(seen[0]) < start + needed(effect, rows)
    assert found >= 19


def test_a_step_is_found_with_its_effect_and_sign() -> None:
    dice = rng(3)
    log, reference = drawn(dice, stepped(0.5, 0.1, 100), 200), drawn(dice, [[0.5] * 60], 200)
    hit = min(hits(series(log, reference)), key=lambda each: each.t)
    assert hit.effect == pytest.approx(2 * np.arcsin(np.sqrt(0.1)) - 2 * np.arcsin(np.sqrt(0.5)), abs=4 * hit.error)
    assert hit.z < -hit.threshold


def test_a_log_that_never_fitted_its_reference_still_shows_when_it_gets_worse() -> None:
    dice = rng(4)
    log, reference = drawn(dice, stepped(0.3, 0.9, 120), 40), drawn(dice, [[0.1] * 60], 40)
    seen = raised(series(log, reference))
    assert not seen[:, :120].any()
    assert seen[:, 120:].any()


# --- slices that come and go


@pytest.mark.parametrize("off_season", [0, 5])
def test_a_slice_that_exists_at_some_times_only_is_not_tested(off_season: int) -> None:
    there = np.repeat([0, 1, 0, 1], 50)[None, :]
    for seed in range(10):
        dice = rng(seed)
        log = drawn(dice, np.where(there, 0.7, 0.2), np.where(there, 60, off_season))
        rest = drawn(dice, [[0.2] * BUCKETS], np.where(there, 60, 120))
        each = series(log, drawn(dice, [[0.2] * 40], 30), rest, drawn(dice, [[0.2] * 40], 90))
        seen = raised(each)[0, :100]
        assert not (seen[1:] & seen[:-1]).any(), "one bucket alone may slip through; it makes no incident"
        for tested in jumps(each):
            entered = tested.plain[:, 50 : 50 + tested.window]
            assert np.isnan(entered[:, tested.window // 2 :]).all()


def test_a_slice_that_keeps_its_share_of_the_traffic_is_tested() -> None:
    dice = rng(0)
    totals = dice.poisson(40, (1, BUCKETS))
    log, rest = drawn(dice, [[0.2] * BUCKETS], totals), drawn(dice, [[0.2] * BUCKETS], 3 * totals)
    each = series(log, drawn(dice, [[0.2] * 40], 40), rest, drawn(dice, [[0.2] * 40], 120))
    tested = {j.window: j for j in jumps(each)}
    assert np.isfinite(tested[4].plain[:, 20:]).mean() > 0.95


# --- its numbers mean what they say


def binomial(count: int, rows: int, level: float) -> float:
    """The chance of exactly so many."""
    ways = lgamma(rows + 1) - lgamma(count + 1) - lgamma(rows - count + 1)
    return exp(ways + count * log(level) + (rows - count) * log(1 - level))


def tails(rows: int, level: float, beyond: tuple[float, ...]) -> np.ndarray:
    """Exact rates of |plain| beyond limits, over nominal, when the level is known: every count, by its probability."""
    known, size = 10_000_000, rows + 1
    base = Side(np.full((size, 1), round(level * known)), np.full((size, 1), known))
    window = Side(np.arange(size)[:, None], np.full((size, 1), rows))
    log = Side(np.hstack((base.count, window.count)), np.hstack((base.total, window.total)))
    plain = next(iter(jumps(series(log, base), windows=(1,)))).plain[:, 1]
    chance = np.array([binomial(k, rows, level) for k in range(size)])
    return np.array([chance[np.abs(plain) > z].sum() / (2 * NormalDist().cdf(-z)) for z in beyond])


@pytest.mark.parametrize("rows", [40, 160, 400, 1600])
def test_the_tail_of_plain_jumps_is_the_normal_one_over_marks_of_all_shares(rows: int) -> None:
    shares = np.exp(np.linspace(np.log(0.5 / rows), np.log(0.5), 120))
    rates = np.array([tails(rows, level, (3.0, 4.0, 5.0)) for level in shares])
    assert (rates.mean(axis=0) <= 1.5).all()
    assert (rates.max(axis=0) <= 10).all(), "counts are whole: a single one (none at all) may weigh several times more"


@pytest.mark.parametrize(("rows", "level"), [(40, 0.5), (40, 0.05), (100, 0.2), (100, 0.8), (400, 0.005), (400, 0.5)])
def test_the_tail_of_plain_jumps_in_a_slice_is_no_heavier_than_thrice_the_normal_one(rows: int, level: float) -> None:
    dice, size, buckets = rng(5), 2000, 500

    def side(of: int) -> Side:
        part = drawn(dice, np.full((size, buckets), level), of)
        part.count[:, 0], part.total[:, 0] = round(level * 10_000_000), 10_000_000
        return part

    known = Side(np.full((size, 1), round(level * 10_000_000)), np.full((size, 1), 10_000_000))
    [tested] = jumps(series(side(rows), known, side(5 * rows), known), windows=(1,))
    seen = tested.plain[:, 1:]
    assert np.mean(np.abs(seen) > 4) <= 3 * 6.334e-5


def test_rows_of_one_bucket_that_wander_together_do_not_count_as_many() -> None:
    """A share that differs from bucket to bucket would be far beyond 4 sampling errors all the time."""
    dice = rng(6)
    level = dice.beta(4, 12, size=(200, 150))
    [tested] = jumps(series(drawn(dice, level, 100), drawn(dice, dice.beta(4, 12, size=(200, 60)), 100)), windows=(1,))
    seen = tested.plain[:, 60:]
    assert np.mean(np.abs(seen[~np.isnan(seen)]) > 4) < 0.002


def test_too_few_rows_are_not_tested() -> None:
    dice = rng(7)
    [tested] = jumps(series(drawn(dice, [[0.2] * 60], 5), drawn(dice, [[0.2] * 60], 40)), windows=(2,))
    assert np.isnan(tested.z).all()
