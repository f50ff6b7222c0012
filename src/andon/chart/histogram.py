"""How a column was spread and how it is: reference as filled steps, current as outlined steps, on equal bins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from andon.chart.markup import label, line, path, picture, plane, rectangle, shortened
from andon.chart.scale import FULL, Linear

PLOT: Final = 132
TOP: Final = 34
FOOT: Final = 24
TICKS: Final = 6
EDGE: Final = 60.0
"""A label nearer to the end of the axis than this is written inwards."""
INWARD: Final = 250.0
"""Labels of medians nearer to the end of the axis than this are written inwards."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Shares per bin, both of equal length.

    Attributes:
        key, name, description: see `markup.picture`.
        scale: of the values; None where each bin is one value, named by `bins`.
        before, during: shares of the reference and of the current rows.
        medians: place (a value, or the number of a bin) and words of the median before and during; None if unknown.
        ticks: values on the axis and their words.
        bins: the names of the bins where there is no scale.
        top: the axis of the shares, and its ticks with their words.
        style: `current` for what is affected, `calm` for what is merely compared.
    """

    key: str
    name: str
    description: str
    scale: Linear | None
    before: tuple[float, ...]
    during: tuple[float, ...]
    medians: tuple[tuple[float, str] | None, tuple[float, str] | None]
    ticks: tuple[tuple[float, str], ...] = ()
    bins: tuple[str, ...] = ()
    top: tuple[Linear, tuple[tuple[float, str], ...]] = (Linear(0.0, 1.0), ())
    style: str = "current"


def draw(histogram: Histogram) -> str:
    """The picture as SVG."""
    heights, ticks = histogram.top
    shapes = [line(0, FULL - heights.at(at), FULL, FULL - heights.at(at), "grid") for at, _ in ticks]
    for shares, style in ((histogram.before, "reference"), (histogram.during, histogram.style)):
        shapes += _steps(shares, heights, style, is_apart=histogram.scale is None)
    shapes += [line(0, FULL, FULL, FULL, "axis"), *_median_ticks(histogram)]
    words = [
        label(word, 0, TOP + PLOT * (1 - heights.at(at) / FULL) + 4, style="label y", anchor="end")
        for at, word in ticks
    ]
    words += [*_axis_labels(histogram), *_medians(histogram)]
    content = [plane(TOP, PLOT, shapes), *words]
    return picture(histogram.key, TOP + PLOT + FOOT, histogram.name, histogram.description, content)


def _steps(shares: Sequence[float], heights: Linear, style: str, *, is_apart: bool) -> list[str]:
    """Steps over neighbouring bins, or a bar for each bin that is a value of its own."""
    width = FULL / max(len(shares), 1)
    if is_apart:
        inset = 0.12 if style == "reference" else 0.28
        return [
            rectangle((i + inset) * width, FULL - heights.at(s), (1 - 2 * inset) * width, heights.at(s), f"bar {style}")
            for i, s in enumerate(shares)
            if s
        ]
    points = [(0.0, FULL)]
    for i, share in enumerate(shares):
        points += [(i * width, FULL - heights.at(share)), ((i + 1) * width, FULL - heights.at(share))]
    return [path([*points, (FULL, FULL)], f"steps {style}", closed=True)]


def _place(histogram: Histogram, value: float) -> float:
    if histogram.scale is not None:
        return histogram.scale.at(value)
    return FULL * (value + 0.5) / max(len(histogram.before), 1)


def _axis_labels(histogram: Histogram) -> list[str]:
    y = TOP + PLOT + 18
    if histogram.scale is not None:
        return [label(word, x := _place(histogram, at), y, anchor=_anchor(x)) for at, word in histogram.ticks]
    every = -(-len(histogram.bins) // TICKS)
    return [
        label(shortened(word, 14), _place(histogram, place), y)
        for place, word in enumerate(histogram.bins)
        if place % every == 0
    ]


def _anchor(x: float) -> str:
    return "start" if x < EDGE else "end" if x > FULL - EDGE else "middle"


def _medians(histogram: Histogram) -> list[str]:
    """The medians in words above their places, each on a line of its own so that they never meet."""
    shown = []
    for y, each, style in zip((11, 26), histogram.medians, ("reference", histogram.style), strict=True):
        if each is not None:
            value, words = each
            x = _place(histogram, value)
            anchor = "start" if x < INWARD else "end" if x > FULL - INWARD else "middle"
            shown.append(label(words, x, y, style=f"label name {style}", anchor=anchor))
    return shown


def _median_ticks(histogram: Histogram) -> list[str]:
    pairs = zip(histogram.medians, ("reference", histogram.style), strict=True)
    places = [(_place(histogram, each[0]), style) for each, style in pairs if each is not None]
    return [line(x, -30, x, 20, f"median {style}") for x, style in places]
