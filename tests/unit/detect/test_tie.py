"""When a column that moved left behind what goes with it, and when the world moved both."""

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from andon.base.interval import Grid
from andon.detect.history import History
from andon.detect.mark import Mark
from andon.detect.onset import Run
from andon.detect.planning import Watched
from andon.detect.tie import Tie, broken
from andon.telemetry.plan import Cube, NumberCoding, Plan
from counted import MODEL, START, mark, summarized

EDGES = tuple(float(edge) for edge in range(-3, 4))
CODINGS = {name: NumberCoding(name, EDGES) for name in ("income", "spent")}
WATCHED = Watched(MODEL, dict(CODINGS), ("income", "spent"), ())
LENGTH, BUCKETS, START_OF_FAILURE, ROWS = timedelta(hours=6), 40, 30, 400
RUN = Run(START_OF_FAILURE, START_OF_FAILURE, START_OF_FAILURE, BUCKETS, over=False, gain=100.0)
LOWEST: Mark = mark("income below -2", codes=(0, 1))

Rows = tuple[np.ndarray, np.ndarray]
"""Income and what is spent of each row of a bucket."""


def pair(rng: np.random.Generator, tied: float = 0.7) -> Rows:
    income = rng.normal(size=ROWS)
    return income, tied * income + np.sqrt(1 - tied**2) * rng.normal(size=ROWS)


def recorded_otherwise(rng: np.random.Generator) -> Rows:
    income, spent = pair(rng)
    return income + 1.0, spent


def another_world(rng: np.random.Generator) -> Rows:
    """More rows of high incomes, who spend as such people do."""
    income, noise = rng.normal(size=ROWS) + 1.0, rng.normal(size=ROWS)
    return income, 0.7 * income + np.sqrt(1 - 0.7**2) * noise


def strangers(rng: np.random.Generator) -> Rows:
    income, spent = pair(rng, tied=0.0)
    return income + 1.0, spent


def told(
    failure: Callable[[np.random.Generator], Rows], usual: Callable[[np.random.Generator], Rows] = pair
) -> Tie | None:
    """What is said of incomes that moved in the last buckets."""
    rng = np.random.default_rng(1)

    def dense(buckets: int, failing: int) -> np.ndarray:
        table = np.zeros((buckets, CODINGS["spent"].size, CODINGS["income"].size), dtype=np.int64)
        for bucket in range(buckets):
            income, spent = (failure if bucket >= failing else usual)(rng)
            codes = (np.searchsorted(EDGES, values, side="right") for values in (spent, income))
            np.add.at(table[bucket], tuple(codes), 1)
        return table

    def ask(plan: Plan) -> History:
        cube = Cube(("spent", "income"))
        log = summarized(plan, {cube: dense(BUCKETS, START_OF_FAILURE)})
        return History.of(plan, log, summarized(plan, {cube: dense(20, 20)}), START + BUCKETS * LENGTH)

    return broken((LOWEST, ("income",)), RUN, WATCHED, Grid(LENGTH), ask)


def test_a_number_that_moves_alone_is_recorded_otherwise() -> None:
    tie = told(recorded_otherwise)
    assert tie is not None
    assert tie.companion == "spent"
    assert tie.strength == pytest.approx(0.49, abs=0.08)
    assert abs(tie.told) < 0.1


def test_what_the_world_moves_takes_along_what_goes_with_it() -> None:
    assert told(another_world) is None


def test_of_a_number_that_nothing_goes_with_nothing_is_said() -> None:
    assert told(strangers, lambda rng: pair(rng, tied=0.0)) is None


def test_a_number_that_is_the_same_for_all_at_a_time_is_tied_to_nothing() -> None:
    def index(rng: np.random.Generator) -> Rows:
        both = np.full(ROWS, rng.normal())
        return both, both

    def risen(rng: np.random.Generator) -> Rows:
        both = index(rng)[0]
        return both + 1.5, both

    assert told(risen, index) is None


def test_a_model_of_one_feature_has_nothing_to_compare() -> None:
    def never(plan: Plan) -> History:
        raise AssertionError(plan)

    alone = Watched(MODEL, dict(CODINGS), ("income",), ())
    assert broken((LOWEST, ("income",)), RUN, alone, Grid(LENGTH), never) is None
