"""One group per cause: who is woken is woken once per failure, and not for a single bad bucket."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from andon.alert.grouping import Group, Releases, group
from andon.detect.hit import Hit, follow
from andon.detect.mark import MarkSeries, Side
from counted import drawn, hits, mark, series

BUCKETS, ROWS = 200, 40


def level(*changes: tuple[int, float]) -> np.ndarray:
    """A share that takes new values from some buckets on."""
    share = np.full(BUCKETS, 0.1)
    for start, value in changes:
        share[start:] = value
    return share


def family(what: str, share: np.ndarray, seed: int = 0, **more: object) -> MarkSeries:
    """One mark by its share over time, normal in the reference."""
    dice = np.random.default_rng(seed)
    each = series(drawn(dice, share[None, :], ROWS), drawn(dice, [[0.1] * 60], ROWS))
    return replace(each, marks=(mark(what, **more),))


def names(each: Group) -> set[str]:
    return {hit.stream.mark.what for hit in each.members.values()}


FAULT = (80, 0.6)
OVER = (110, 0.1)


def test_no_hits_make_no_group() -> None:
    assert group([]) == []


def test_a_failure_is_one_group_however_often_it_hits() -> None:
    found = hits(family("x is 'a'", level(FAULT)))
    assert len({hit.t for hit in found}) > 10
    [only] = group(found)
    assert 80 <= only.first.t <= found[0].t + 3


def test_what_jumps_together_is_one_cause() -> None:
    [only] = group(hits(family("x is 'a'", level(FAULT)), family("y is 'a'", level(FAULT), 1)))
    assert names(only) == {"x is 'a'", "y is 'a'"}


def test_what_follows_while_the_failure_runs_is_its_consequence() -> None:
    [only] = group(hits(family("x is 'a'", level(FAULT)), family("y is 'a'", level((120, 0.5)), 1)))
    assert names(only) == {"x is 'a'", "y is 'a'"}
    assert {hit.stream.mark.what for hit in only.fired_with} == {"x is 'a'"}


def test_what_begins_after_the_failure_is_over_is_another_cause() -> None:
    first, second = group(hits(family("x is 'a'", level(FAULT, OVER)), family("y is 'a'", level((150, 0.6)), 1)))
    assert (names(first), names(second)) == ({"x is 'a'"}, {"y is 'a'"})
    assert first.first.t < 110
    assert second.first.t >= 150


def test_the_same_thing_going_wrong_again_and_worse_is_another_incident() -> None:
    twice = level((60, 0.4), (80, 0.1), (150, 0.95))
    groups = group(hits(family("x is 'a'", twice)))
    assert [60 <= each.first.t < 80 for each in groups] == [True, False]
    assert groups[1].first.t >= 150


def test_a_single_bad_bucket_of_a_share_wakes_nobody() -> None:
    for seed in range(10):
        found = hits(family("x is 'a'", level((80, 0.95), (81, 0.1)), seed))
        assert found
        assert group(found) == []


def test_a_single_bucket_is_enough_where_each_row_shows_it() -> None:
    share = level((80, 0.95))
    share[:80] = 0.0
    never = drawn(np.random.default_rng(1), [[0.0] * 60], ROWS)
    [only] = group(hits(replace(family("x is null", share, rare=True, among_all=True), reference=never)))
    assert only.first.t == 80


def test_a_group_keeps_the_clearest_hit_of_each_stream() -> None:
    found = hits(family("x is 'a'", level(FAULT)), family("y is 'a'", level(FAULT), 1))
    [only] = group(found)
    for what in names(only):
        clearest = max((hit for hit in found if hit.stream.mark.what == what), key=lambda hit: abs(hit.z))
        assert [hit.z for hit in only.members.values() if hit.stream.mark.what == what] == [clearest.z]


def test_the_group_at_firing_knows_nothing_of_what_came_later() -> None:
    [only] = group(hits(family("x is 'a'", level(FAULT)), family("y is 'a'", level((120, 0.5)), 1)))
    fired = only.at_firing()
    assert names(fired) == {"x is 'a'"}
    assert {hit.t for hit in fired.members.values()} == {only.first.t}
    assert len(only.members) == 2, "and the group itself keeps what it knows"


def test_of_one_set_of_columns_only_the_clearest_may_lead() -> None:
    one, other = family("x is 'a'", level(FAULT)), family("x is 'b'", level(FAULT), 1)
    [only] = group(hits(one, other, family("y is 'a'", level(FAULT), 2)))
    leads = only.leads()
    assert len({hit.stream.mark.features for hit in leads}) == len(leads)
    assert leads[0] is only.first


@pytest.mark.parametrize("end", [85, 100, 140, 170])
def test_groups_by_a_time_are_those_of_the_hits_by_then(end: int) -> None:
    found = hits(family("x is 'a'", level(FAULT, OVER)), family("y is 'a'", level((150, 0.6)), 1))
    then = group(hit for hit in found if hit.t <= end)
    known = [each for each in group(found) if each.first.t <= end]
    assert [each.first for each in then] == [each.first for each in known]
    assert [each.fired_with for each in then] == [each.fired_with for each in known]


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(30, 190), st.floats(0, 1)), min_size=1, max_size=5), st.integers(0, 99))
def test_every_group_begins_with_a_hit_and_hits_never_belong_to_two(
    changes: list[tuple[int, float]], seed: int
) -> None:
    found = hits(family("x is 'a'", level(*sorted(changes)), seed), family("y is 'a'", level(*changes), seed + 100))
    groups = group(found)
    assert [each.first.t for each in groups] == sorted(each.first.t for each in groups)
    members: list[Hit] = [hit for each in groups for hit in each.members.values()]
    assert len({id(hit) for hit in members}) == len(members)
    assert all(any(hit is known for known in found) for hit in members)
    for each in groups:
        assert all(hit.t >= each.first.t for hit in each.members.values())


def rare_in(rows: int, *buckets: int) -> list[Hit]:
    """Hits of a mark that singles out its rows, seen in a few rows of some buckets."""
    count, total = np.zeros((1, BUCKETS), dtype=np.int64), np.full((1, BUCKETS), ROWS)
    count[0, list(buckets)] = rows
    reference = Side(np.zeros((1, 60), dtype=np.int64), np.full((1, 60), ROWS))
    each = replace(series(Side(count, total), reference), marks=(mark("x is null", rare=True),))
    return hits(each)


def test_a_handful_of_rows_in_one_bucket_waits_for_the_next() -> None:
    assert rare_in(12, 80)
    assert group(rare_in(12, 80)) == []
    [only] = group(rare_in(12, 80, 81))
    assert only.first.t == 81


def test_what_all_rows_of_a_time_share_must_last_a_day() -> None:
    storm, climate = (hits(family("x is 'a'", level(FAULT, *over))) for over in ([(86, 0.1)], []))
    assert group(storm, 8)
    assert group([replace(hit, shared=True) for hit in storm], 8) == []
    [only] = group([replace(hit, shared=True) for hit in climate], 8)
    assert 87 <= only.first.t <= 90


# --- what came with a new version


def test_a_score_that_a_new_version_scales_anew_opens_nothing() -> None:
    found = hits(family("s is 'a'", level(FAULT), rescaled_min=np.inf), name="score_distribution")
    assert len(group(found)) == 1
    assert group(found, releases=Releases((80,))) == []
    assert len(group(found, releases=Releases((40,)))) == 1, "it began when no version came"


@pytest.mark.parametrize(("share", "opened"), [(0.25, 0), (0.6, 1)])
def test_scores_that_leave_the_expected_with_a_new_version_open_from_a_medium_effect_on(
    share: float, opened: int
) -> None:
    found = hits(family("s is 'a'", level((80, share)), rescaled_min=0.5), name="shifted_score")
    assert len(group(found)) == 1
    assert len(group(found, releases=Releases((80,)))) == opened


@pytest.mark.parametrize(("wrong", "opened"), [(0.02, 0), (0.1, 1), (0.3, 1)])
def test_answers_that_moved_with_a_new_version_open_nothing_once_labels_say_it_is_better(
    wrong: float, opened: int
) -> None:
    [stream] = {id(hit.stream): hit.stream for hit in hits(family("w is 'a'", level((20, 0.9)), 3))}.values()
    share = level((80, wrong))
    stream = replace(stream, count=share * ROWS, total=np.full(BUCKETS, float(ROWS)))
    found = hits(family("s is 'a'", level(FAULT)), name="changed_decisions")
    assert len(group(found, releases=Releases((80,), stream))) == opened


def test_fewer_errors_open_nothing() -> None:
    found = hits(family("w is 'a'", level((80, 0.01)), good_falls=True), name="error_rate")
    assert found
    assert group(found) == []


def test_what_a_version_answers_begins_with_its_first_row() -> None:
    found = hits(replace(family("s is 'a'", level((78, 0.6))), frozen=80))
    assert {follow(hit, hit.t).start for hit in found if hit.t >= 80} == {80}
    assert {follow(hit, hit.t).start for hit in found if hit.t < 80} <= {77, 78, 79}
