"""When a histogram says that a number left its range at once, or came to a stop."""

import numpy as np
import pytest

from andon.detect.planning import with_far_edges
from andon.detect.shape import came_to_a_stop, left_range
from andon.telemetry.plan import NumberCoding

EDGES = with_far_edges(tuple(float(edge) for edge in range(10, 31)))
CODING = NumberCoding("x", EDGES)


def coded(values: np.ndarray) -> np.ndarray:
    return np.bincount(np.searchsorted(EDGES, values, side="right"), minlength=CODING.size)


USUAL = np.random.default_rng(0).uniform(10, 30, 5_000)


@pytest.mark.parametrize("rows", [3, 50, 1_000])
def test_another_unit_leaves_the_range(rows: int) -> None:
    assert left_range(CODING, coded(USUAL), coded(USUAL[:rows] / 25.4))
    assert left_range(CODING, coded(USUAL), coded(USUAL[:rows] * 100))


@pytest.mark.parametrize("factor", [1.0, 1.05, 1.3])
def test_a_drift_does_not(factor: float) -> None:
    assert not left_range(CODING, coded(USUAL), coded(USUAL[:500] * factor))


def test_two_strange_values_prove_nothing() -> None:
    assert not left_range(CODING, coded(USUAL), coded(np.array([0.1])))


def test_one_value_is_a_stop() -> None:
    assert came_to_a_stop(CODING, coded(USUAL), coded(np.full(14, 21.5)))
    assert not came_to_a_stop(CODING, coded(USUAL), coded(USUAL[:14]))
    assert not came_to_a_stop(CODING, coded(USUAL), coded(np.full(3, 21.5)))


def test_a_number_that_never_varied_cannot_stop() -> None:
    assert not came_to_a_stop(CODING, coded(np.full(500, 21.5)), coded(np.full(500, 21.5)))


def test_no_values_have_no_shape() -> None:
    nothing = coded(np.array([]))
    for shape in (left_range, came_to_a_stop):
        assert not shape(CODING, coded(USUAL), nothing)
        assert not shape(CODING, nothing, coded(USUAL))


@pytest.mark.parametrize(
    ("edges", "low", "high"),
    [
        ((998.0, 1010.0, 1031.0), 998.0 - 330.0, 1031.0 + 330.0),  # pressures lie far from zero, and closely together
        ((0.0, 50.0, 100.0), -100.0, 200.0),
        ((4.0, 5.0, 6.0), 4.0 - 6.0, 6.0 + 6.0),  # not ten widths: a reference of few values proves little
        ((7.0,), 0.0, 14.0),
    ],
)
def test_far_out_is_a_few_widths_of_the_usual_range_away(edges: tuple[float, ...], low: float, high: float) -> None:
    assert with_far_edges(edges) == (low, *edges, high)
