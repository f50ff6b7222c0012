"""Numbers fall into the bins that a search among the edges says, whatever they are; codes follow from codes exactly."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from andon.adapters.memory_log import code_of
from andon.telemetry.bins import Binner
from andon.telemetry.derived import derived
from andon.telemetry.plan import CategoryCoding, Coding, NumberCoding

SHARP = [0.0, -0.0, 5e-324, -5e-324, 1e-40, -1e-40, 1.0, 1.0000001, 3.4028235e38, 3.5e38, -3.5e38, 1e300, 2.0**53]
numbers = st.sampled_from(SHARP) | st.floats(allow_nan=False, allow_infinity=False)
edges = st.lists(numbers, max_size=40).map(lambda found: tuple(sorted(set(found))))
"""A set keeps one of -0.0 and 0.0, as a plan does."""
values = st.none() | numbers | st.sampled_from([math.nan, math.inf, -math.inf])


@given(edges, st.lists(values, max_size=40))
def test_a_number_falls_where_the_twin_says(edges: tuple[float, ...], values: list[float | None]) -> None:
    coding = NumberCoding("x", edges)
    beside = [
        near for edge in edges for near in (edge, math.nextafter(edge, -math.inf), math.nextafter(edge, math.inf))
    ]
    asked = [*values, *beside]
    rows = np.array([math.nan if value is None else value for value in asked], dtype=np.float64)
    is_null = np.array([value is None for value in asked], dtype=np.bool_)
    found = Binner(coding).codes(rows, is_null)
    assert found.tolist() == [code_of(coding, value) for value in asked]


def test_many_edges_in_one_cell_are_searched() -> None:
    coding = NumberCoding("x", tuple(1e6 + place / 8 for place in range(300)))
    rows = np.linspace(999_990.0, 1_000_060.0, 5_001)
    found = Binner(coding).codes(rows, None)
    assert found.dtype == np.uint16
    assert found.tolist() == [code_of(coding, float(value)) for value in rows]


CODINGS: dict[str, Coding] = {
    "x": NumberCoding("x", (-1.0, 0.0, 2.0, 5.0)),
    "cut of x": NumberCoding("x", (0.0, 5.0)),
    "other edges": NumberCoding("x", (0.5,)),
    "difference": NumberCoding("x", (0.0,), minus="y"),
    "c": CategoryCoding("c", ("a", "b", "d"), unseen_cells=64),
    "slice of c": CategoryCoding("c", ("d", "a"), unseen_cells=8),
    "another value": CategoryCoding("c", ("z",), unseen_cells=8),
    "other cells": CategoryCoding("c", ("a",), unseen_cells=7),
}


def test_what_follows_from_another_coding_and_what_does_not() -> None:
    assert {name: way.base for name, way in derived(CODINGS).items()} == {"cut of x": "x", "slice of c": "c"}


@pytest.mark.parametrize("name", ["cut of x", "slice of c"])
def test_the_code_that_follows_is_that_of_the_value(name: str) -> None:
    way = derived(CODINGS)[name]
    texts = [None, *"abcdz", "new", "ü", ""]
    sharp = [None, -3.0, -1.0, -0.5, 0.0, 1.0, 2.0, 4.0, 5.0, 9.0, math.nan, math.inf]
    for value in sharp if CODINGS[name].column == "x" else texts:
        assert way.codes[code_of(CODINGS[way.base], value)] == code_of(CODINGS[name], value)


def test_of_equal_codings_one_is_coded() -> None:
    twice: dict[str, Coding] = {"a": NumberCoding("x", (1.0,)), "b": NumberCoding("x", (1.0,))}
    assert len(derived(twice)) == 1
