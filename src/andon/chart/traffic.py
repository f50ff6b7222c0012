"""How many rows came when: one bar for each step of time."""

from andon.base.interval import Interval
from andon.chart.markup import label, line, picture, plane, rectangle
from andon.chart.scale import FULL, Linear, TimeAxis

PLOT = 64
TOP = 8
FOOT = 24
TICKS, TICKS_NARROW = 7, 3


def draw(key: str, words: tuple[str, str], axis: TimeAxis, rows: tuple[tuple[Interval, int], ...]) -> str:
    """The picture as SVG; `words` are its name and its description. Steps without rows stay empty."""
    heights = Linear(0.0, float(max((n for _, n in rows), default=1)))
    shapes = []
    for at, n in rows:
        left, height = axis.at(at.start), heights.at(n)
        shapes.append(rectangle(left, FULL - height, max(axis.at(at.end) - left, 0.5), height, "traffic"))
    shapes.append(line(0, FULL, FULL, FULL, "axis"))
    labels = [
        label(word, min(max(axis.at(at), 20), FULL - 20), TOP + PLOT + 18, style="label" if kept else "label wide")
        for at, word, kept in axis.labels(TICKS, TICKS_NARROW)
    ]
    labels.append(label(f"{int(heights.high):,}", 0, TOP + 8, style="label y", anchor="end"))
    return picture(key, TOP + PLOT + FOOT, *words, [plane(TOP, PLOT, shapes), *labels])
