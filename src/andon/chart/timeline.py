"""A measure over time: the affected part and the rest with their intervals, changes, and the failure's span."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from andon.base.interval import Interval
from andon.chart.markup import dot, label, line, path, picture, plane, rectangle, shortened
from andon.chart.scale import FULL, Linear, TimeAxis

PLOT: Final = 200
TOP: Final = 38
FOOT: Final = 24
MERGED: Final = 60.0
"""Marks nearer to each other than this (of 1,000) share one letter."""
TICKS, TICKS_NARROW = 7, 3
LETTER, DESCENT, LETTER_WIDTH = 10, 4, 7
"""Height of a letter above and below its line, and about its width, in pixels."""
PLOT_NARROW: Final = 270
"""The narrowest plot there is, in pixels: of one of a pair, and on a phone."""
INSET: Final = 6
NEAR_END: Final = 6
"""So many values say where a line ends."""
_Room = tuple[float, float]
"""From its top to its foot, in pixels from the top of the picture."""
TO: Final = "\u2013"
GAP: Final = 1.5
"""A line breaks where this many usual steps hold no point."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value with its interval, over a span of time."""

    at: Interval
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of values; `style` is `affected`, `rest` or `answer`. Runs are never joined."""

    name: str
    style: str
    runs: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened, by its letter; `fits` where it is near the start of the failure."""

    at: datetime
    letter: str
    fits: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """The span of the failure: its estimated start with the interval of it, and its end (None: not over)."""

    start: datetime
    low: datetime
    high: datetime
    end: datetime | None
    words: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that one picture over time shows; `usual` is the level of the reference."""

    key: str
    name: str
    description: str
    axis: TimeAxis
    scale: Linear
    ticks: tuple[tuple[float, str], ...]
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...] = ()
    failure: Failure | None = None
    usual: float | None = None


def draw(timeline: Timeline) -> str:
    """The picture as SVG."""
    shapes = [
        *_span(timeline),
        *_grid(timeline),
        *(shape for each in timeline.lines for shape in _line(each, timeline)),
        *(line(timeline.axis.at(m.at), 0, timeline.axis.at(m.at), FULL, _mark_style(m)) for m in timeline.marks),
        *_start(timeline),
    ]
    words = [*_axis_labels(timeline), *_mark_labels(timeline), *_line_labels(timeline), *_start_label(timeline)]
    content = [plane(TOP, PLOT, shapes), *words]
    return picture(timeline.key, TOP + PLOT + FOOT, timeline.name, timeline.description, content)


def runs(values: Iterable[tuple[Value, bool]]) -> tuple[tuple[Value, ...], ...]:
    """Values as runs that a line may join: none across a gap, or from one side of the failure's edge to the other."""
    found: list[list[Value]] = []
    listed = list(values)
    usual = _usual_step([value for value, _ in listed])
    for place, (value, inside) in enumerate(listed):
        follows = place > 0 and listed[place - 1][1] == inside
        if follows and value.at.start - found[-1][-1].at.end <= usual * GAP:
            found[-1].append(value)
        else:
            found.append([value])
    return tuple(tuple(run) for run in found)


def _usual_step(values: Sequence[Value]) -> timedelta:
    lengths = sorted(value.at.length for value in values)
    return lengths[len(lengths) // 2] if lengths else timedelta(0)


def _middle(value: Value, axis: TimeAxis) -> float:
    return (axis.at(value.at.start) + axis.at(value.at.end)) / 2


def _height(share: float, scale: Linear) -> float:
    return FULL - scale.at(share)


def _line(each: Line, timeline: Timeline) -> list[str]:
    shapes = []
    for run in each.runs:
        points = _outer(run, timeline)
        upper = [(x, _height(value.high, timeline.scale)) for x, value in points]
        lower = [(x, _height(value.low, timeline.scale)) for x, value in points]
        shapes.append(path([*upper, *reversed(lower)], f"band {each.style}", closed=True))
    for run in each.runs:
        if len(run) == 1:
            shapes.append(dot(_middle(run[0], timeline.axis), _height(run[0].value, timeline.scale), each.style))
        else:
            points = _outer(run, timeline)
            shapes.append(path([(x, _height(v.value, timeline.scale)) for x, v in points], f"line {each.style}"))
    return shapes


def _outer(run: Sequence[Value], timeline: Timeline) -> list[tuple[float, Value]]:
    """Places of a run's values: their middles, the first and the last drawn out to where they begin and end."""
    axis = timeline.axis
    inner = [(_middle(value, axis), value) for value in run]
    return [(axis.at(run[0].at.start), run[0]), *inner, (axis.at(run[-1].at.end), run[-1])]


def _grid(timeline: Timeline) -> list[str]:
    drawn = [
        line(0, _height(at, timeline.scale), FULL, _height(at, timeline.scale), "grid") for at, _ in timeline.ticks
    ]
    drawn.append(line(0, FULL, FULL, FULL, "axis"))
    if timeline.usual is not None:
        at = _height(timeline.usual, timeline.scale)
        drawn.append(line(0, at, FULL, at, "usual"))
    return drawn


def _span(timeline: Timeline) -> list[str]:
    failure = timeline.failure
    if failure is None:
        return []
    start, end = timeline.axis.at(failure.start), timeline.axis.at(failure.end or timeline.axis.span.end)
    return [rectangle(start, 0, max(end - start, 1.0), FULL, "span")]


def _start(timeline: Timeline) -> list[str]:
    failure = timeline.failure
    if failure is None:
        return []
    axis = timeline.axis
    drawn = [
        line(axis.at(failure.start), 0, axis.at(failure.start), FULL, "start"),
        line(axis.at(failure.low), 6, axis.at(failure.high), 6, "estimate"),
    ]
    if failure.end is not None:
        drawn.append(line(axis.at(failure.end), 0, axis.at(failure.end), FULL, "end"))
    return drawn


def _axis_labels(timeline: Timeline) -> list[str]:
    shown = [
        label(word, 0, TOP + PLOT * _height(at, timeline.scale) / FULL + 4, style="label y", anchor="end")
        for at, word in timeline.ticks
    ]
    for at, word, is_kept in timeline.axis.labels(TICKS, TICKS_NARROW):
        style = "label" if is_kept else "label wide"
        x = timeline.axis.at(at)
        anchor = "start" if x < 40 else "end" if x > FULL - 40 else "middle"  # noqa: PLR2004
        shown.append(label(word, x, TOP + PLOT + 18, style=style, anchor=anchor))
    return shown


def _mark_style(mark: Mark) -> str:
    return "change fits" if mark.fits else "change"


def _mark_labels(timeline: Timeline) -> list[str]:
    """The letters of the marks, those that stand close together as one label."""
    groups: list[list[Mark]] = []
    for mark in sorted(timeline.marks, key=lambda mark: mark.at):
        near = groups and timeline.axis.at(mark.at) - timeline.axis.at(groups[-1][-1].at) < MERGED
        if near:
            groups[-1].append(mark)
        else:
            groups.append([mark])
    shown = []
    for group in groups:
        letters = [mark.letter for mark in group]
        text = letters[0] if len(letters) == 1 else f"{letters[0]}{TO}{letters[-1]}"
        x = (timeline.axis.at(group[0].at) + timeline.axis.at(group[-1].at)) / 2
        style = "label strong" if any(mark.fits for mark in group) else "label"
        shown.append(label(text, x, 12, style=style))
    return shown


def _start_label(timeline: Timeline) -> list[str]:
    failure = timeline.failure
    if failure is None:
        return []
    x = timeline.axis.at(failure.start)
    anchor = "start" if x < FULL / 2 else "end"
    return [label(failure.words, x, 30, style="label strong", anchor=anchor)]


def _line_labels(timeline: Timeline) -> list[str]:
    """The name of each line near an end of it, off all lines, their intervals and the other names."""
    names = [(shortened(each.name), each) for each in timeline.lines if any(each.runs)]
    if not names:
        return []
    width = max(len(name) for name, _ in names) * LETTER_WIDTH / PLOT_NARROW * FULL
    side = _freer_side(timeline, min(width, FULL))
    usual = [] if timeline.usual is None else [_pixels(timeline.usual, timeline.scale)]
    lines = [*(room for _, each in names for room in _rooms(each, side, timeline)), *((y, y) for y in usual)]
    ends = sorted(((_end(each, side, timeline), name, each.style) for name, each in names), key=lambda end: end[0])
    x, anchor = (FULL - INSET, "end") if side[1] == FULL else (INSET, "start")
    shown: list[str] = []
    written: list[_Room] = []
    for place, (end, name, style) in enumerate(ends):
        y = _height_of_name(end, lines, written, is_upper=place == 0)
        written.append((y - LETTER, y + DESCENT))
        shown.append(label(name, x, y, style=f"label name {style}", anchor=anchor))
    return shown


def _freer_side(timeline: Timeline, width: float) -> tuple[float, float]:
    """The end of the axis at which a name is written: the right one, unless only there a line crosses it."""
    failure, at = timeline.failure, timeline.axis.at
    crossing = [] if failure is None else [at(failure.start), *([] if failure.end is None else [at(failure.end)])]
    right, left = (FULL - width, FULL), (0.0, width)
    is_crossed = [any(low < x < high for x in crossing) for low, high in (right, left)]
    return left if is_crossed == [True, False] else right


def _rooms(each: Line, side: tuple[float, float], timeline: Timeline) -> list[_Room]:
    """What a line and its interval take beside its name, from each value to the next of its run."""
    low, high = side
    rooms = []
    for run in each.runs:
        for first, second in zip(run, (*run[1:], run[-1]), strict=True) if run else ():
            if timeline.axis.at(second.at.end) > low and timeline.axis.at(first.at.start) < high:
                top, foot = max(first.high, second.high), min(first.low, second.low)
                rooms.append((_pixels(top, timeline.scale), _pixels(foot, timeline.scale)))
    return rooms


def _end(each: Line, side: tuple[float, float], timeline: Timeline) -> float:
    """Where a line ends at this side, in pixels from the top."""
    values = [value for run in each.runs for value in run]
    last = values[-NEAR_END:] if side[1] == FULL else values[:NEAR_END]
    return sum(_pixels(value.value, timeline.scale) for value in last) / len(last)


def _pixels(share: float, scale: Linear) -> float:
    return TOP + PLOT * _height(share, scale) / FULL


def _height_of_name(end: float, lines: Sequence[_Room], written: Sequence[_Room], *, is_upper: bool) -> float:
    """The height of a name that covers the least of the lines, mostly nothing, and no other name.

    Of several, one on the side where its line lies (the uppermost: above it), and the nearest to it.
    """

    def cost(y: float) -> tuple[float, bool, float]:
        covered = sum(max(0.0, min(y + DESCENT, foot) - max(y - LETTER, top) + 1) for top, foot in lines)
        is_above = y - LETTER / 2 < end
        return covered, is_above != is_upper, abs(y - LETTER / 2 - end)

    heights = [float(y) for y in range(TOP + LETTER + 2, TOP + PLOT - DESCENT - 1)]
    apart = [y for y in heights if all(y + DESCENT < top or y - LETTER > foot for top, foot in written)]
    return min(apart or heights, key=cost)
