"""Which jumps may open an incident: not those of a number that the world moves."""

from dataclasses import replace

import numpy as np
import pytest

from andon.detect.hit import _opening, _shared
from andon.detect.jump import jumps
from andon.detect.mark import Mark, MarkSeries, Side

BUCKETS, REFERENCE, ROWS, THRESHOLD = 400, 120, 20, 5.0
CUTS = (-2.0, -1.0, 0.0, 1.0, 2.0)
MARKS = tuple(Mark("x", (n,), f"x below {cut}", ("x",), None) for n, cut in enumerate(CUTS))


def weather(rng: np.random.Generator, buckets: int, memory: float = 0.97) -> np.ndarray:
    """A level that all rows of a bucket share and that changes slowly (an autoregression with variance 1)."""
    level = np.zeros(buckets)
    for t in range(1, buckets):
        level[t] = memory * level[t - 1] + np.sqrt(1 - memory**2) * rng.normal()
    return level


def side(rng: np.random.Generator, level: np.ndarray, spread: float) -> Side:
    rows = level[:, None] + spread * rng.normal(size=(len(level), ROWS))
    count = np.array([(rows < cut).sum(axis=1) for cut in CUTS])
    return Side(count, np.full(count.shape, ROWS))


def family(rng: np.random.Generator, log: np.ndarray, reference: np.ndarray, spread: float) -> MarkSeries:
    return MarkSeries(MARKS, side(rng, log, spread), side(rng, reference, spread))


def found(series: MarkSeries) -> int:
    return sum(int(tested.beyond(THRESHOLD).any()) for tested in jumps(series))


def test_weather_jumps_and_opens_nothing() -> None:
    """Of fifty years of weather few open an incident, though most hold a jump."""
    jumped = opened = 0
    for seed in range(50):
        rng = np.random.default_rng(seed)
        series = family(rng, weather(rng, BUCKETS), weather(rng, REFERENCE), 0.3)
        jumped += found(series) > 0
        opened += bool(_opening(series, THRESHOLD).any())
    assert opened <= jumped / 4
    assert jumped > 10


@pytest.mark.parametrize("shift", [0.5, 1.0, -1.0])
def test_rows_that_are_on_their_own_and_move_open_one(shift: float) -> None:
    rng = np.random.default_rng(1)
    level = np.where(np.arange(BUCKETS) < 250, 0.0, shift)
    assert _opening(family(rng, level, np.zeros(REFERENCE), 1.0), THRESHOLD)[:, 250:300].any()


def test_a_slice_that_leaves_the_weather_of_the_rest_opens_one() -> None:
    rng = np.random.default_rng(2)
    log, reference = weather(rng, BUCKETS), weather(rng, REFERENCE)
    own = np.where(np.arange(BUCKETS) < 250, log, log - 2.0)
    shared, apart = (
        MarkSeries(
            MARKS,
            side(rng, level, 0.3),
            side(rng, reference, 0.3),
            side(rng, log, 0.3),
            side(rng, reference, 0.3),
        )
        for level in (log, own)
    )
    assert not _opening(shared, THRESHOLD).any()
    assert _opening(apart, THRESHOLD)[:, 250:].any()


def test_the_first_spell_past_a_cut_opens_nothing_where_spells_past_lower_cuts_were_usual() -> None:
    """The first hot day passes a cut that no day passed before, as each warm spell before it passed a lower one."""
    log, reference = (np.where(np.arange(n) % 40 < 4, 0.6, -0.5) for n in (BUCKETS, REFERENCE))
    since = np.arange(BUCKETS) >= 250
    spell, lasting = (
        family(np.random.default_rng(3), np.where(hot, 1.5, log), reference, 0.25)
        for hot in (since & (np.arange(BUCKETS) < 254), since)
    )
    assert found(spell)
    assert not _opening(spell, THRESHOLD).any()
    assert _opening(lasting, THRESHOLD)[:, 250:].any()


def test_rows_of_one_time_are_alike_in_weather_and_not_on_their_own() -> None:
    rng = np.random.default_rng(4)
    storms = family(rng, weather(rng, BUCKETS), weather(rng, REFERENCE), 0.3)
    people = family(rng, np.zeros(BUCKETS), np.zeros(REFERENCE), 1.0)
    assert sum(_shared(storms)) >= len(CUTS) - 1
    assert not any(_shared(people))
    fog = replace(storms, rest=storms.log, reference_rest=storms.reference)
    assert _shared(fog) == _shared(storms), "a slice has weather of its own"
