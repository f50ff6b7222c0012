"""Where a failure sits: the part of the traffic that carries the whole shift, or nowhere in particular."""

from dataclasses import dataclass

import numpy as np
import pytest

from andon.detect.budget import Budget
from andon.detect.builtin.category_share import CategoryShare
from andon.detect.builtin.slice_distribution import SliceDistribution
from andon.detect.finding import Slice
from andon.detect.history import History
from andon.detect.hit import Hit, search
from andon.detect.locate import locate
from andon.detect.onset import Run
from andon.detect.planning import Watched, slice_coding
from andon.telemetry.plan import CategoryCoding, Coding, Cube
from counted import MODEL, Dense, counted

PARTS = ("p", "q", "r", "s")
BUCKETS, REFERENCE, START, ROWS = 120, 60, 80, 120
USUAL = {"p": 0.3, "q": 0.35, "r": 0.25, "s": 0.3}
"""The share of x = 'a' in each part: parts differ, and that is nothing new."""
CODINGS: dict[str, Coding] = {
    "x": CategoryCoding("x", ("a", "b"), unseen_cells=1),
    slice_coding("part"): CategoryCoding("part", PARTS, unseen_cells=1),
    slice_coding("other"): CategoryCoding("other", ("u", "v"), unseen_cells=1),
}
WATCHED = Watched(MODEL, CODINGS, ("x",), ("part", "other"))
X, BY_PART, BY_OTHER = Cube(("x",)), Cube((slice_coding("part"), "x")), Cube((slice_coding("other"), "x"))


@dataclass(frozen=True)
class Failure:
    """The shares of x = 'a' after the start, and the parts' shares of the traffic where they change."""

    after: dict[str, float]
    traffic: tuple[float, ...] = (0.3, 0.3, 0.2, 0.2)


def run_until(end: int) -> Run:
    """The buckets of the failure."""
    return Run(START, START, START, end, over=False, gain=1.0)


def history_of(failure: Failure, seed: int = 0, future: Failure | None = None, now: int = BUCKETS) -> History:
    """Counts of a log whose parts change at `START`, and change again at `now` if there is a future."""
    dice = np.random.default_rng(seed)
    log = np.concatenate(
        [
            _drawn(dice, Failure({}), START),
            _drawn(dice, failure, now - START),
            *([_drawn(dice, future, BUCKETS - now)] if future is not None else []),
        ]
    )
    return counted(WATCHED, _cubes(dice, log), _cubes(dice, _drawn(dice, Failure({}), REFERENCE)))


def _drawn(dice: np.random.Generator, failure: Failure, buckets: int) -> Dense:
    """Counts by bucket, part and value of x."""
    rows = dice.multinomial(ROWS, failure.traffic, size=buckets)
    shares = np.array([failure.after.get(part, USUAL[part]) for part in PARTS])
    with_a = dice.binomial(rows, shares)
    counts = np.zeros((buckets, CODINGS[slice_coding("part")].size, CODINGS["x"].size), dtype=np.int64)
    counts[:, : len(PARTS), 0], counts[:, : len(PARTS), 1] = with_a, rows - with_a
    return counts


def _cubes(dice: np.random.Generator, by_part: Dense) -> dict[Cube, Dense]:
    x = by_part.sum(axis=1)
    by_other = np.zeros((len(x), CODINGS[slice_coding("other")].size, x.shape[1]), dtype=np.int64)
    by_other[:, 0] = dice.binomial(x, 0.4)
    by_other[:, 1] = x - by_other[:, 0]
    return {X: x, BY_PART: by_part, BY_OTHER: by_other}


def hit_of(history: History) -> Hit:
    """The clearest jump of all traffic at the end of the log."""
    found = search(WATCHED, history, [CategoryShare()], Budget())
    return max((hit for hit in found if hit.stream.mark.slice is None), key=lambda hit: (hit.t, abs(hit.z)))


def located(failure: Failure, seed: int = 0) -> Slice | None:
    history = history_of(failure, seed)
    return locate(hit_of(history), WATCHED, history, run_until(BUCKETS)).stream.mark.slice


@pytest.mark.parametrize(
    "after",
    [
        pytest.param({"p": 0.9}, id="one part"),
        pytest.param({"s": 0.95}, id="a small part"),
        pytest.param({"p": 0.9, "q": 0.9}, id="two parts"),
        pytest.param({"p": 0.0, "q": 0.0, "r": 0.0}, id="all parts but one"),
    ],
)
def test_the_parts_that_moved_are_named_and_no_other(after: dict[str, float]) -> None:
    for seed in range(5):
        place = located(Failure(after), seed)
        assert place is not None
        assert place.columns == ("part",)
        assert {part for part in PARTS if f"'{part}'" in place.predicate} == set(after)


def test_a_shift_that_everybody_shares_sits_nowhere() -> None:
    for seed in range(5):
        assert located(Failure({part: usual + 0.4 for part, usual in USUAL.items()}), seed) is None


def test_parts_that_only_trade_traffic_are_not_blamed() -> None:
    """The share of x = 'a' may rise because more of the traffic comes from where it always was high."""
    usual = {"p": 0.05, "q": 0.9, "r": 0.05, "s": 0.05}
    with pytest.MonkeyPatch.context() as patch:
        for part, share in usual.items():
            patch.setitem(USUAL, part, share)
        assert located(Failure({}, traffic=(0.1, 0.7, 0.1, 0.1))) is None


def test_the_place_depends_on_nothing_later() -> None:
    failure, now = Failure({"p": 0.9}), 100
    known = history_of(failure, now=now)
    hit = hit_of(known)
    later = history_of(failure, future=Failure({"q": 0.0, "r": 1.0, "s": 1.0}), now=now)
    places = [locate(hit, WATCHED, each, run_until(now)).stream.mark.slice for each in (known, later)]
    assert places[0] == places[1] == Slice("part = 'p'", ("part",))


def test_a_jump_that_was_seen_in_a_slice_stays_there() -> None:
    history = history_of(Failure({"p": 0.9}))
    hit = max(search(WATCHED, history, [SliceDistribution()], Budget()), key=lambda each: abs(each.z))
    assert locate(hit, WATCHED, history, run_until(BUCKETS)) == hit


def test_what_is_no_feature_is_not_looked_for() -> None:
    history = history_of(Failure({"p": 0.9}))
    hit, blind = hit_of(history), Watched(MODEL, CODINGS, (), ("part", "other"))
    assert locate(hit, blind, history, run_until(BUCKETS)) == hit


def test_where_it_sits_it_is_followed_against_the_rest() -> None:
    history = history_of(Failure({"p": 0.9}))
    found = locate(hit_of(history), WATCHED, history, run_until(BUCKETS))
    assert found.stream.rest_count is not None
    inside, everything = found.stream.total.sum(), history.counts("x")[:, :2].sum()
    assert inside + found.stream.rest_total.sum() == everything  # type: ignore[union-attr]
    assert found.effect == pytest.approx(2 * (np.arcsin(0.9**0.5) - np.arcsin(0.3**0.5)), abs=0.15)
