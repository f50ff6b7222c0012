"""When it started and whether it is over: the run is found, its interval is honest, its end needs evidence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from andon.detect.hit import follow
from andon.detect.onset import Run, best_run, gains
from counted import drawn, hits, series

BUCKETS, START, END = 120, 60, 90
SIMULATIONS = 300


def level(before: float, after: float, start: int = START, end: int = END) -> np.ndarray:
    bucket = np.arange(BUCKETS)
    return np.where((bucket >= start) & (bucket < end), after, before)


def simulated(seed: int, before: float, after: float, rows: int, *, start: int = START, end: int = END) -> Run:
    """The run of a failure whose levels are known, from its loudest bucket."""
    side = drawn(np.random.default_rng(seed), level(before, after, start, end), rows)
    gain = gains(side.count.astype(float), side.total.astype(float), np.full(BUCKETS, before), np.full(BUCKETS, after))
    return best_run(gain, start + int(np.argmax(gain[start:end])))


def test_a_run_that_leaves_no_doubt_is_found_exactly() -> None:
    run = simulated(0, 0.01, 0.99, 40)
    assert (run.start, run.low, run.high, run.end, run.over) == (START, START, START, END, True)


def test_the_run_is_the_one_with_the_most_evidence_that_holds_the_bucket() -> None:
    gain = np.array([-1.0, 3.0, -1.0, 2.0, -9.0, 4.0, -1.0])
    first, second = best_run(gain, 3), best_run(gain, 5)
    assert (first.start, first.end, first.gain) == (1, 4, 4.0)
    assert (second.start, second.end, second.gain) == (5, 6, 4.0)


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=40), st.data())
def test_no_other_run_that_holds_the_bucket_has_more_evidence(values: list[float], data: st.DataObject) -> None:
    gain, within = np.array(values), data.draw(st.integers(0, len(values) - 1))
    run = best_run(gain, within)
    assert 0 <= run.low <= run.start <= run.high <= within < run.end <= len(values)
    runs = [(a, b) for a in range(within + 1) for b in range(within + 1, len(values) + 1)]
    most = max(gain[a:b].sum() for a, b in runs)
    assert run.gain == pytest.approx(most, abs=1e-9)
    assert gain[run.start : run.end].sum() == pytest.approx(most, abs=1e-9)


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=40), st.data())
def test_what_comes_before_the_run_does_not_move_its_end_nor_what_comes_after_it_its_start(
    values: list[float], data: st.DataObject
) -> None:
    within = data.draw(st.integers(0, len(values) - 1))
    whole, tail = best_run(np.array(values), within), best_run(np.array(values[within:]), 0)
    head = best_run(np.array(values[: within + 1]), within)
    assert whole.end == within + tail.end
    assert (whole.start, whole.low, whole.high) == (head.start, head.low, head.high)


@pytest.mark.parametrize(
    ("before", "after", "rows"), [(0.1, 0.3, 40), (0.3, 0.15, 40), (0.02, 0.2, 20), (0.5, 0.8, 15)]
)
def test_the_interval_covers_the_true_start_nine_times_in_ten(before: float, after: float, rows: int) -> None:
    runs = [simulated(seed, before, after, rows) for seed in range(SIMULATIONS)]
    assert sum(run.low <= START <= run.high for run in runs) >= 0.9 * SIMULATIONS
    assert np.median([run.high - run.low for run in runs]) <= 12, "an interval of everything would cover too"
    assert np.median([abs(run.start - START) for run in runs]) <= 2
    assert np.median([abs(run.end - END) for run in runs]) <= 2


@pytest.mark.parametrize(("before", "after", "rows"), [(0.1, 0.4, 40), (0.3, 0.05, 40), (0.02, 0.5, 20)])
def test_the_interval_covers_the_true_start_when_the_levels_have_to_be_learnt(
    before: float, after: float, rows: int
) -> None:
    covered, found = 0, 0
    for seed in range(SIMULATIONS):
        dice = np.random.default_rng(seed)
        reference = drawn(dice, [[before] * 40], rows)
        raised = hits(series(drawn(dice, level(before, after)[None, :], rows), reference))
        if raised:
            found += 1
            run = follow(raised[0], BUCKETS - 1)
            covered += run.low <= START <= run.high
    assert found >= 0.95 * SIMULATIONS
    assert covered >= 0.9 * found


@pytest.mark.parametrize("later", [0, 5, 20])
def test_the_start_does_not_move_far_as_more_becomes_known(later: int) -> None:
    dice = np.random.default_rng(8)
    each = series(drawn(dice, level(0.1, 0.5)[None, :], 40), drawn(dice, [[0.1] * 40], 40))
    first = hits(each)[0]
    run = follow(first, first.t + later)
    assert run.low <= START <= run.high
    assert run.end <= first.t + later + 1


def test_it_is_not_over_while_it_lasts() -> None:
    runs = [simulated(seed, 0.1, 0.3, 40, end=BUCKETS) for seed in range(SIMULATIONS)]
    assert sum(run.over for run in runs) <= 0.01 * SIMULATIONS


def test_it_is_over_once_enough_rows_of_the_old_level_have_come() -> None:
    runs = [simulated(seed, 0.1, 0.3, 40) for seed in range(SIMULATIONS)]
    assert sum(run.over for run in runs) >= 0.98 * SIMULATIONS


@pytest.mark.parametrize(("rows_after", "over"), [(0, False), (5, False), (80, True)])
def test_silence_and_a_few_rows_are_no_evidence_of_an_end(rows_after: int, over: bool) -> None:  # noqa: FBT001
    total = np.where(np.arange(BUCKETS) < END, 40, 0).astype(float)
    total[END] = rows_after
    count = total * level(0.1, 0.3)
    gain = gains(count, total, np.full(BUCKETS, 0.1), np.full(BUCKETS, 0.3))
    assert best_run(gain, START).over is over


def test_no_single_row_decides_about_a_share_of_nought_or_one() -> None:
    gain = gains(np.array([1.0, 0.0]), np.array([1.0, 1.0]), np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    assert np.isfinite(gain).all()
    assert (gain < 10).all()
