"""A line over time: gaps stay gaps, nothing is smoothed across the start, marks that meet share a label."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from andon.base.interval import Interval
from andon.chart.scale import FULL, Linear, TimeAxis
from andon.chart.timeline import (
    DESCENT,
    LETTER,
    LETTER_WIDTH,
    PLOT,
    PLOT_NARROW,
    TOP,
    Failure,
    Line,
    Mark,
    Timeline,
    Value,
    draw,
    runs,
)
from svg import parsed

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def value(day, share=0.5, days=1):
    return Value(Interval(START + day * DAY, START + (day + days) * DAY), share, share - 0.1, share + 0.1)


@pytest.fixture
def timeline():
    values = [(value(day, 0.1 if day < 5 else 0.8), day >= 5) for day in range(10)]
    return Timeline(
        key="k",
        name="a measure",
        description="it rose",
        axis=TimeAxis(Interval(START, START + 10 * DAY), UTC),
        scale=Linear(0, 1),
        ticks=((0.0, "0%"), (1.0, "100%")),
        lines=(
            Line("the part", "affected", runs(values)),
            Line("the rest", "rest", runs([(value(d, 0.1), False) for d in range(10)])),
        ),
        marks=(Mark(START + 2 * DAY, "A"), Mark(START + 5 * DAY, "B", fits=True)),
        failure=Failure(START + 5 * DAY, START + 4 * DAY, START + 6 * DAY, None, "start, 6 Mar"),
    )


def drawn(timeline):
    root = parsed(draw(timeline))
    return root, [text.text for text in root.iter("text")]


def styled(root, style):
    return [each for each in root.iter() if style in (each.attrib.get("class") or "").split()]


def test_it_shows_lines_marks_and_span(timeline):
    root, texts = drawn(timeline)
    assert {"the part", "the rest", "A", "B", "start, 6 Mar", "0%", "100%"} <= set(texts)
    assert len(styled(root, "band")) == 3
    assert [float(each.attrib["x"]) for each in styled(root, "span")] == [500.0]
    assert [float(each.attrib["width"]) for each in styled(root, "span")] == [500.0]
    assert [float(each.attrib["x1"]) for each in styled(root, "start")] == [500.0]
    [estimate] = styled(root, "estimate")
    assert (float(estimate.attrib["x1"]), float(estimate.attrib["x2"])) == (400.0, 600.0)
    assert styled(root, "end") == []


def test_no_line_joins_what_lies_before_the_start_with_what_lies_behind_it(timeline):
    root, _ = drawn(timeline)
    lines = [each for each in styled(root, "affected") if "line" in each.attrib["class"].split()]
    places = [[float(x) for x in each.attrib["d"].lstrip("M").split()[::2]] for each in lines]
    assert [(min(xs), max(xs)) for xs in places] == [(0, 500), (500, 1000)]


def test_a_failure_that_ended_shows_its_end(timeline):
    root, _ = drawn(replace(timeline, failure=replace(timeline.failure, end=START + 7 * DAY)))
    assert [float(each.attrib["x1"]) for each in styled(root, "end")] == [700.0]
    assert [float(each.attrib["width"]) for each in styled(root, "span")] == [200.0]


def test_marks_that_meet_share_a_label(timeline):
    marks = tuple(Mark(START + 5 * DAY + i * timedelta(hours=1), letter) for i, letter in enumerate("ABC"))
    _, texts = drawn(replace(timeline, marks=marks))
    assert "A\u2013C" in texts
    assert "B" not in texts


def test_gaps_stay_gaps():
    known = [(value(0), False), (value(1), False), (value(5), False)]
    assert [len(run) for run in runs(known)] == [2, 1]
    assert runs([]) == ()


def test_a_single_value_is_a_dot(timeline):
    root, _ = drawn(replace(timeline, lines=(Line("one", "affected", ((value(3),),)),)))
    assert len(styled(root, "dot")) == 1


def test_hostile_names_are_text(timeline):
    hostile = Line("</text><script>alert(1)</script>", "affected", ((value(1), value(2)),))
    root, texts = drawn(replace(timeline, lines=(hostile,), name="<script>", description="\u202e"))
    assert not list(root.iter("script"))
    assert any(text and text.startswith("</text><script>") for text in texts)


def test_labels_stay_within_the_picture(timeline):
    for share in (0.0, 0.5, 1.0):
        lines = (
            Line("high", "affected", ((value(8, share), value(9, share)),)),
            Line("low", "rest", ((value(8, 0), value(9, 0)),)),
        )
        root, _ = drawn(replace(timeline, lines=lines))
        height = float(root.attrib["height"])
        assert all(0 < float(text.attrib["y"]) < height for text in root.iter("text"))


def boxes(root):
    """The names of lines as boxes in pixels: their words, top and foot, and the end of the axis they stand at."""
    for text in root.iter("text"):
        if "name" in text.attrib["class"].split():
            y = float(text.attrib["y"])
            yield "".join(text.itertext()), y - LETTER, y + DESCENT, text.attrib.get("class"), text.attrib["x"]


def beside(line, side, timeline):
    """Where a line and its interval run within a share of the axis, in pixels."""
    values = [v for run in line.runs for v in run]
    places = [(timeline.axis.at(v.at.start), timeline.axis.at(v.at.end), v) for v in values]
    near = [v for start, end, v in places if end > side[0] and start < side[1]]
    return [(TOP + PLOT * (1 - v.high), TOP + PLOT * (1 - v.low)) for v in near]


@pytest.mark.parametrize("upper", [0.15, 0.3, 0.5, 0.75, 0.85])
@pytest.mark.parametrize("lower", [0.12, 0.4])
def test_names_lie_off_every_line_its_interval_and_each_other(timeline, upper, lower):
    swings = [value(day, upper + (0.1 if day % 2 else -0.02)) for day in range(10)]
    lines = (
        Line("all of the traffic", "affected", runs([(each, False) for each in swings])),
        Line("the rest", "rest", runs([(value(day, lower), False) for day in range(10)])),
    )
    pictured = replace(timeline, lines=lines, usual=0.5, failure=None)
    root, _ = drawn(pictured)
    found = list(boxes(root))
    assert [words for words, *_ in found] != []
    width = max(len(line.name) for line in lines) * LETTER_WIDTH / PLOT_NARROW * FULL
    taken = [room for line in lines for room in beside(line, (FULL - width, FULL), pictured)]
    for words, top, foot, *_ in found:
        assert TOP <= top < foot <= TOP + PLOT, words
        assert not any(top < end and foot > begin for begin, end in taken), words
        assert not top < TOP + PLOT * 0.5 < foot, f"{words} lies on the reference's level"
    (_, top, foot, *_), (_, other_top, other_foot, *_) = found
    assert foot <= other_top or other_foot <= top


def test_a_name_goes_to_the_other_end_where_the_start_would_cross_it(timeline):
    late = replace(timeline.failure, start=START + 9 * DAY, low=START + 9 * DAY, high=START + 9 * DAY)
    root, _ = drawn(replace(timeline, failure=late))
    places = [float(x.rstrip("%")) for *_, x in boxes(root)]
    assert places
    assert max(places) < 50
