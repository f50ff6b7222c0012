"""Reference and current on the same bins, with their medians."""

from dataclasses import replace

import pytest

from andon.chart.histogram import Histogram, draw
from andon.chart.scale import Linear
from svg import parsed


@pytest.fixture
def histogram():
    return Histogram(
        key="h",
        name="amount",
        description="it fell",
        scale=Linear(0, 4),
        before=(0.0, 0.25, 0.5, 0.25),
        during=(1.0, 0.0, 0.0, 0.0),
        medians=((2.5, "before: median 2.5"), (0.5, "now: median 0.5")),
        ticks=((0.0, "0"), (4.0, "4")),
        top=(Linear(0, 1), ((0.0, "0%"), (1.0, "100%"))),
    )


def drawn(histogram):
    root = parsed(draw(histogram))
    return root, [text.text for text in root.iter("text")]


def test_shares_are_steps_on_equal_bins(histogram):
    root, texts = drawn(histogram)
    steps = {path.attrib["class"]: path.attrib["d"] for path in root.iter("path")}
    assert steps["steps reference"].startswith("M0 1000 0 1000 250 1000 250 750 500 750 500 500 750 500")
    assert steps["steps current"].startswith("M0 1000 0 0 250 0 250 1000")
    assert {"before: median 2.5", "now: median 0.5", "0", "4", "0%", "100%"} <= set(texts)


def test_values_of_their_own_are_bars_with_names(histogram):
    root, texts = drawn(replace(histogram, scale=None, bins=("-2", "0", "1", "8"), medians=((2.0, "before"), None)))
    assert [bar.attrib["class"] for bar in root.iter("rect")] == ["bar reference"] * 3 + ["bar current"]
    assert {"-2", "0", "1", "8", "before"} <= set(texts)


def test_many_values_are_named_now_and_then(histogram):
    many = tuple(str(n) for n in range(40))
    _, texts = drawn(replace(histogram, scale=None, bins=many, before=(0.025,) * 40, during=(0.025,) * 40))
    assert 3 <= len([text for text in texts if text in many[1:]]) <= 6


def test_medians_never_meet(histogram):
    root, _ = drawn(replace(histogram, medians=((2.0, "before"), (2.0, "now"))))
    heights = [text.attrib["y"] for text in root.iter("text") if text.text in ("before", "now")]
    assert len(set(heights)) == 2
