"""The plan of a scan: fixed by the first rows and the reference, and sound for whatever a column holds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andon.adapters.memory_log import MemoryLog, code_of
from andon.base.interval import Grid
from andon.detect.planning import (
    LADDER,
    PREDICTION,
    evaluation_length,
    feature_coding,
    make_plan,
    slice_coding,
    watch,
)
from andon.inventory.model import Columns, Model
from andon.telemetry.plan import CategoryCoding, Cube, NumberCoding, PresenceCoding
from andon.telemetry.schema import LogicalType
from andon.telemetry.source import CategoryProfile, LogSource

START = datetime(2026, 1, 5, tzinfo=UTC)
UNLABELLED = Model("m", Columns("id", "ts"))
LABELLED = Model("m", Columns("id", "ts", label="label"))


def log_of(values: dict[str, Sequence[object]], model: Model = UNLABELLED) -> MemoryLog:
    """A row a minute, with these columns."""
    rows = len(next(iter(values.values())))
    return MemoryLog(
        (
            {"id": str(n), "ts": START + timedelta(minutes=n)} | {c: v[n] for c, v in values.items()}
            for n in range(rows)
        ),
        model,
    )


def paced(gaps: Sequence[float], model: Model = UNLABELLED) -> MemoryLog:
    """Rows that come after one another by so many seconds."""
    times, at = [], START
    for gap in gaps:
        times.append(at)
        at += timedelta(seconds=gap)
    return MemoryLog(({"id": str(n), "ts": ts} for n, ts in enumerate(times)), model)


# --- the evaluation length


@pytest.mark.parametrize("gap", [0.5, 10, 60, 900, 3_600, 20_000])
def test_an_evaluation_is_the_shortest_that_holds_about_twenty_rows(gap: float) -> None:
    length = evaluation_length(paced([gap] * 300), UNLABELLED)
    assert length in LADDER
    assert length >= 19.5 * timedelta(seconds=gap)
    shorter = [other for other in LADDER if other < length]
    assert not shorter or shorter[-1] < 20 * timedelta(seconds=gap)


def test_an_evaluation_is_never_longer_than_the_longest() -> None:
    assert evaluation_length(paced([1_000_000] * 300), UNLABELLED) == LADDER[-1]


@given(st.lists(st.sampled_from([0.0, 1.0, 90.0, 50_000.0]), min_size=1, max_size=40), st.integers(0, 5))
def test_the_length_depends_on_the_first_rows_only(later: list[float], seed: int) -> None:
    first = [(37 * (n + seed)) % 101 + 1.0 for n in range(200)]
    alone, with_later = (evaluation_length(paced([*first, *more]), UNLABELLED) for more in ([], later))
    assert alone == with_later


def test_a_model_whose_outcomes_come_late_is_not_evaluated_by_the_minute() -> None:
    assert evaluation_length(paced([1.0] * 300), UNLABELLED) < timedelta(hours=1)
    assert evaluation_length(paced([1.0] * 300, LABELLED), LABELLED) >= timedelta(hours=1)


@pytest.mark.parametrize("rows", [1, 2, 199])
def test_a_log_shorter_than_its_pace_has_a_length_too(rows: int) -> None:
    assert evaluation_length(paced([60.0] * rows), UNLABELLED) in LADDER


def test_rows_of_one_moment_have_a_length_too() -> None:
    assert evaluation_length(paced([0.0] * 250), UNLABELLED) == LADDER[0]


# --- codings of columns that are not as one would wish


def test_a_number_of_few_values_has_an_edge_at_each() -> None:
    coding = feature_coding(log_of({"x": [0, 1, 2, 5] * 50}), "x", LogicalType.NUMBER)
    assert isinstance(coding, NumberCoding)
    assert {0.0, 1.0, 2.0, 5.0} <= set(coding.edges)
    assert len({code_of(coding, value) for value in (0, 1, 2, 5)}) == 4


def test_a_number_of_many_values_has_edges_at_its_quantiles() -> None:
    coding = feature_coding(log_of({"x": [float(n) for n in range(1000)]}), "x", LogicalType.NUMBER)
    assert isinstance(coding, NumberCoding)
    assert list(coding.edges) == sorted(set(coding.edges))
    counts = [0] * coding.size
    for n in range(1000):
        counts[code_of(coding, n)] += 1
    assert max(counts) <= 60, "no bin holds much more than a twentieth of the reference"


def test_what_lies_far_outside_the_reference_is_told_from_its_largest_values() -> None:
    coding = feature_coding(log_of({"x": [n / 100 for n in range(100)]}), "x", LogicalType.NUMBER)
    assert isinstance(coding, NumberCoding)
    known = {code_of(coding, n / 100) for n in range(100)}
    assert {code_of(coding, value) for value in (100.0, -100.0)}.isdisjoint(known)


@pytest.mark.parametrize("value", [0, -7.5, 1e300])
def test_a_constant_number_is_told_from_everything_else(value: float) -> None:
    coding = feature_coding(log_of({"x": [value] * 100}), "x", LogicalType.NUMBER)
    assert isinstance(coding, NumberCoding)
    assert all(math.isfinite(edge) for edge in coding.edges)
    assert code_of(coding, value) != code_of(coding, value - abs(value) - 1)
    assert code_of(coding, None) not in {code_of(coding, value), code_of(coding, math.nan)}


@pytest.mark.parametrize("kind", [LogicalType.NUMBER, LogicalType.TEXT, LogicalType.BOOLEAN, LogicalType.OTHER])
def test_a_column_without_any_value_is_coded_all_the_same(kind: LogicalType) -> None:
    coding = feature_coding(log_of({"x": [None] * 100}), "x", kind)
    assert code_of(coding, None) == coding.null < coding.size


def test_nan_and_infinity_make_no_edges() -> None:
    values = [math.nan, math.inf, -math.inf, 1.0, 2.0] * 20
    coding = feature_coding(log_of({"x": values}), "x", LogicalType.NUMBER)
    assert isinstance(coding, NumberCoding)
    assert all(math.isfinite(edge) for edge in coding.edges)
    assert {1.0, 2.0} <= set(coding.edges)


def test_a_truth_value_is_a_category_of_two() -> None:
    coding = feature_coding(log_of({"x": [True, False, False] * 30}), "x", LogicalType.BOOLEAN)
    assert isinstance(coding, CategoryCoding)
    assert sorted(coding.values) == ["false", "true"]


def test_a_column_that_names_things_is_only_asked_whether_it_is_there() -> None:
    assert isinstance(
        feature_coding(log_of({"x": [f"thing {n}" for n in range(300)]}), "x", LogicalType.TEXT), PresenceCoding
    )


@dataclass(frozen=True)
class Profiled:
    """A reference of which only one text column's profile is known."""

    profile: CategoryProfile

    def profile_category(self, column: str) -> CategoryProfile:
        return self.profile


def test_a_million_values_make_no_cells() -> None:
    profile = CategoryProfile(1_000_000, tuple((f"v{n:07d}", 50) for n in range(1_000)))
    reference: LogSource = Profiled(profile)  # type: ignore[assignment]  # asked for nothing else
    assert isinstance(feature_coding(reference, "x", LogicalType.TEXT), PresenceCoding)


@pytest.mark.parametrize("distinct", [3, 150, 400, 1_000])
def test_the_cells_of_a_category_are_bounded_however_many_values_there_are(distinct: int) -> None:
    profile = CategoryProfile(distinct, tuple((f"v{n}", 100) for n in range(distinct)))
    reference: LogSource = Profiled(profile)  # type: ignore[assignment]  # asked for nothing else
    coding = feature_coding(reference, "x", LogicalType.TEXT)
    assert isinstance(coding, CategoryCoding)
    assert coding.values == tuple(f"v{n}" for n in range(min(distinct, len(coding.values))))
    assert coding.size <= 300


# --- what is watched


def test_traffic_is_cut_by_values_with_a_baseline_only() -> None:
    values = ["big"] * 200 + ["small"] * 100 + ["rare"] * 3
    model = Model("m", Columns("id", "ts"), segments=("part", "constant", "absent"))
    watched = watch(model, log_of({"part": values, "constant": ["same"] * 303}, model))
    assert watched.slices == ("part",)
    assert watched.cut("part").values == ("big", "small")


def test_a_slice_of_a_million_values_is_cut_by_its_largest_or_not_at_all() -> None:
    model = Model("m", Columns("id", "ts"), segments=("part",))
    big = [f"p{n % 40}" for n in range(4_000)]
    assert len(watch(model, log_of({"part": big}, model)).cut("part").values) <= 20
    assert watch(model, log_of({"part": [f"p{n}" for n in range(1_000)]}, model)).slices == ()


def test_declared_columns_that_the_reference_lacks_are_left_out() -> None:
    model = Model("m", Columns("id", "ts", prediction="answer"), features=("x", "gone"), segments=("gone",))
    watched = watch(model, log_of({"x": [1, 2] * 50}, model))
    assert watched.features == ("x",)
    assert watched.slices == ()
    assert PREDICTION not in watched.codings


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ([0, 1] * 100, CategoryCoding),
        (["yes", "no"] * 100, CategoryCoding),
        ([n / 7 for n in range(200)], NumberCoding),
    ],
)
def test_an_answer_is_a_class_or_a_number(answers: Sequence[object], kind: type) -> None:
    model = Model("m", Columns("id", "ts", prediction="answer"))
    assert isinstance(watch(model, log_of({"answer": answers}, model)).codings[PREDICTION], kind)


def test_a_column_may_be_feature_and_slice_at_once() -> None:
    model = Model("m", Columns("id", "ts"), features=("part",), segments=("part",))
    watched = watch(model, log_of({"part": ["a", "b"] * 100}, model))
    plan = make_plan(watched, [Cube(("part",)), Cube((slice_coding("part"),))], Grid(timedelta(hours=6)))
    assert {"part", slice_coding("part")} <= set(plan.codings)


def test_a_plan_counts_rows_and_each_cube_once() -> None:
    model = Model("m", Columns("id", "ts"), features=("x",))
    watched = watch(model, log_of({"x": [1, 2] * 50}, model))
    plan = make_plan(watched, [Cube(("x",)), Cube(()), Cube(("x",))], Grid(timedelta(hours=6)))
    assert sorted(plan.cubes, key=str) == sorted([Cube(()), Cube(("x",))], key=str)


def test_the_same_reference_in_another_order_gives_the_same_plan() -> None:
    model = Model("m", Columns("id", "ts"), features=("x", "c"), segments=("c",))
    values: dict[str, Sequence[object]] = {
        "x": [float(n * n % 91) for n in range(300)],
        "c": [f"c{n % 7}" for n in range(300)],
    }
    backwards = {column: each[::-1] for column, each in values.items()}
    one, two = (watch(model, log_of(each, model)) for each in (values, backwards))
    assert one == two
