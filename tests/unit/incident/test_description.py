"""What is said of a group: where, what, how much; as it was known at the time."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest

from andon.alert.grouping import Group, group
from andon.detect.budget import Budget
from andon.detect.builtin.category_share import CategoryShare
from andon.detect.builtin.null_share import NullShare
from andon.detect.builtin.slice_distribution import SliceDistribution
from andon.detect.history import History
from andon.detect.hit import search
from andon.detect.planning import Watched, slice_coding
from andon.incident.description import Description, describe, picture
from andon.telemetry.plan import CategoryCoding, Coding, Cube
from counted import MODEL, Dense, counted

PARTS, VALUES, FEATURES = ("p", "q", "r"), ("a", "b"), ("x", "y")
BUCKETS, REFERENCE, START, ROWS = 120, 60, 80, 90
PART = slice_coding("part")
CODINGS: dict[str, Coding] = {name: CategoryCoding(name, VALUES, unseen_cells=1) for name in FEATURES}
CODINGS[PART] = CategoryCoding("part", PARTS, unseen_cells=1)
WATCHED = Watched(MODEL, CODINGS, FEATURES, ("part",))
DETECTORS = (NullShare(), CategoryShare(), SliceDistribution())

Shares = Mapping[str, tuple[float, float]]
"""By part: the shares of 'a' and of null."""
USUAL: dict[str, tuple[float, float]] = dict.fromkeys(PARTS, (0.3, 0.0))


@dataclass(frozen=True)
class Seen:
    """A history with the groups found in it."""

    history: History
    groups: list[Group]

    def at_end(self) -> Description:
        [only] = self.groups
        return describe(only, len(self.history.buckets) - 1, WATCHED, self.history)

    def at_firing(self) -> Description:
        [only] = self.groups
        return describe(only.at_firing(), only.first.t, WATCHED, self.history)


def seen(after: Mapping[str, Shares], *, end: int = BUCKETS, seed: int = 0) -> Seen:
    """What is found when features change from `START` to `end`: the shares after it, by feature."""
    log: dict[Cube, Dense] = {}
    reference: dict[Cube, Dense] = {}
    for place, feature in enumerate(FEATURES):
        known = _drawn((seed, place, 0), USUAL, REFERENCE)
        changed = USUAL | dict(after.get(feature, {}))
        times = [(USUAL, START), (changed, end - START), (USUAL, BUCKETS - end)]
        by_part = np.concatenate([_drawn((seed, place, n), *each) for n, each in enumerate(times, 1)])
        for cubes, counts in ((log, by_part), (reference, known)):
            cubes[Cube((feature,))], cubes[Cube((PART, feature))] = counts.sum(axis=1), counts
    history = counted(WATCHED, log, reference)
    return Seen(history, group(search(WATCHED, history, DETECTORS, Budget())))


def _drawn(seeds: tuple[int, ...], shares: Shares, buckets: int) -> Dense:
    """Counts by bucket, part and value; of two lengths, the shorter one is the beginning of the longer one."""
    counts = np.zeros((buckets, CODINGS[PART].size, CODINGS["x"].size), dtype=np.int64)
    for n, part in enumerate(PARTS):
        a, null = shares[part]
        dice = np.random.default_rng((*seeds, n))
        drawn = dice.multinomial(ROWS // len(PARTS), [a, 1 - a - null, null], size=buckets)
        counts[:, n, 0], counts[:, n, 1], counts[:, n, CODINGS["x"].null] = drawn.T
    return counts


EVERYWHERE = dict.fromkeys(PARTS, (0.8, 0.0))
NULL = dict.fromkeys(PARTS, (0.0, 1.0))


def test_nothing_is_found_where_nothing_changes() -> None:
    assert seen({}).groups == []


def test_a_shift_of_all_traffic_has_no_slice() -> None:
    said = seen({"x": EVERYWHERE}).at_end()
    assert (said.slice, said.features) == (None, ("x",))
    assert (said.signs.sliced, said.signs.nulls, said.signs.new_value) == (False, False, False)


@pytest.mark.parametrize("parts", [("p",), ("r",)])
def test_a_shift_of_one_part_has_that_slice(parts: tuple[str, ...]) -> None:
    for seed in range(3):
        said = seen({"x": dict.fromkeys(parts, (0.9, 0.0))}, seed=seed).at_end()
        assert said.slice is not None
        assert said.slice.predicate == " or ".join(f"part = '{part}'" for part in parts)
        assert said.slice.columns == ("part",)
        assert said.signs.sliced


def test_every_part_that_moved_is_in_the_slice() -> None:
    for seed in range(3):
        said = seen({"x": {"p": (0.9, 0.0), "q": (0.9, 0.0)}}, seed=seed).at_end()
        assert said.slice is not None
        assert {part for part in PARTS if f"'{part}'" in said.slice.predicate} == {"p", "q"}


def test_a_slice_is_never_one_without_rows() -> None:
    for rise in (0.15, 0.25, 0.6):
        found = seen({"x": {"p": (0.3 + rise, 0.0), "q": (0.3 + rise, 0.0)}})
        for each in found.groups:
            for t, known in ((each.first.t, each.at_firing()), (BUCKETS - 1, each)):
                said = describe(known, t, WATCHED, found.history)
                assert said.slice is None or "part" in said.slice.predicate


def test_a_slice_names_each_part_once() -> None:
    for seed in range(3):
        said = seen({"x": {"p": (0.9, 0.0), "q": (0.9, 0.0)}}, seed=seed).at_end()
        assert said.slice is not None
        assert [said.slice.predicate.count(f"'{part}'") for part in ("p", "q")] == [1, 1]


def test_nulls_are_told_from_other_shifts() -> None:
    said = seen({"x": NULL}).at_end()
    assert said.signs.nulls
    assert said.lead.stream.mark.what == "x is null"
    assert said.before < 0.01
    assert said.after > 0.99


def test_features_that_moved_as_much_are_named_together() -> None:
    assert set(seen({"x": EVERYWHERE, "y": EVERYWHERE}).at_end().features) == {"x", "y"}


def test_a_faint_echo_of_a_shift_is_not_named() -> None:
    faint = dict.fromkeys(PARTS, (0.42, 0.0))
    assert seen({"x": dict.fromkeys(PARTS, (0.98, 0.0)), "y": faint}).at_end().features == ("x",)


def test_the_shares_before_and_after_are_those_of_the_failure() -> None:
    said = seen({"x": EVERYWHERE}, end=100).at_end()
    what = said.lead.stream.mark.what
    usual, now = (0.3, 0.8) if what == "x is 'a'" else (0.7, 0.2)
    assert said.before == pytest.approx(usual, abs=0.03)
    assert said.after == pytest.approx(now, abs=0.03)
    assert (said.run.start, said.run.end, said.run.over) == (START, 100, True)


def test_what_was_said_at_firing_stands_whatever_comes_later() -> None:
    """The type is read from these signs, and a type never changes once it was told."""
    one, two = (seen({"x": EVERYWHERE}, end=end).at_firing() for end in (100, BUCKETS))
    assert one.t == two.t < 100
    assert (one.signs, one.slice, one.features, one.run) == (two.signs, two.slice, two.features, two.run)


def test_the_picture_shows_what_was_seen_and_what_was_expected() -> None:
    said = seen({"x": EVERYWHERE}).at_end()
    drawn = picture(said)
    assert 0 < len(drawn) <= 60
    observed, expected = (np.array(side, dtype=float) for side in zip(*drawn, strict=True))
    first = len(drawn) * START // BUCKETS
    assert np.abs(observed[:first] - expected[:first]).max() < 0.15
    assert np.abs(observed[first:] - expected[first:]).min() > 0.3


@pytest.mark.parametrize("points", [1, 7, 60, 1_000])
def test_the_picture_has_no_more_points_than_asked(points: int) -> None:
    assert 0 < len(picture(seen({"x": EVERYWHERE}).at_end(), points)) <= points
