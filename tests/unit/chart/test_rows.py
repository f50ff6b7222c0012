"""Bars and dumbbells for the rows of a table."""

from datetime import UTC, datetime, timedelta

import pytest

from andon.base.interval import Interval
from andon.chart.rows import LEAST, bar, dumbbell
from andon.chart.scale import Linear, TimeAxis
from andon.chart.traffic import draw
from svg import parsed


@pytest.mark.parametrize(("share", "width"), [(0.0, 0.0), (1e-9, LEAST), (0.25, 250.0), (1.0, 1000.0), (1.5, 1000.0)])
def test_a_bar_is_as_long_as_its_share_and_never_invisible(share, width):
    [_, drawn] = parsed(bar(share, "affected"))
    assert float(drawn.attrib["width"]) == width
    assert drawn.attrib["class"] == "bar affected"


def test_a_dumbbell_goes_from_the_tick_to_the_dot():
    shapes = {
        each.attrib["class"]: each.attrib for each in parsed(dumbbell(Linear(0, 1), 0.2, (0.8, 0.7, 0.9), "rest"))
    }
    assert float(shapes["before"]["x1"]) == 200
    assert (float(shapes["between rest"]["x1"]), float(shapes["between rest"]["x2"])) == (200, 800)
    assert (float(shapes["interval rest"]["x1"]), float(shapes["interval rest"]["x2"])) == (700, 900)
    assert shapes["dot rest"]["d"].startswith("M800 500")


@pytest.mark.parametrize(("before", "during"), [(None, None), (0.5, None), (None, (0.5, 0.4, 0.6))])
def test_a_dumbbell_shows_what_is_known(before, during):
    styles = [each.attrib["class"] for each in parsed(dumbbell(Linear(0, 1), before, during, "affected"))]
    assert ("before" in styles) == (before is not None)
    assert ("dot affected" in styles) == (during is not None)
    assert "between affected" not in styles


def test_readers_aloud_pass_over_rows():
    assert parsed(bar(0.5, "all")).attrib["aria-hidden"] == "true"


def test_traffic_has_a_bar_for_each_step_with_rows():
    start = datetime(2026, 1, 1, tzinfo=UTC)
    day = timedelta(days=1)
    rows = tuple((Interval(start + n * day, start + (n + 1) * day), count) for n, count in ((0, 10), (1, 5), (3, 20)))
    root = parsed(draw("t", ("Traffic", "said"), TimeAxis(Interval(start, start + 4 * day), UTC), rows))
    bars = [(float(bar.attrib["x"]), float(bar.attrib["height"])) for bar in root.iter("rect")]
    assert bars == [(0, 500), (250, 250), (750, 1000)]
    assert parsed(draw("t", ("Traffic", ""), TimeAxis(Interval(start, start + day), UTC), ())) is not None
