"""Small pictures for the rows of a table: a bar, a dumbbell. The words stand in the table."""

from typing import Final

from andon.chart.markup import dot, element, line, rectangle
from andon.chart.scale import FULL, Linear

LEAST: Final = 3.0
"""A bar of anything that is not nought is at least this wide."""
HEIGHT: Final = 20


def bar(share: float, style: str) -> str:
    """A horizontal bar over a share of the width; `style` is `all`, `exposed` or `affected`."""
    width = 0.0 if share <= 0 else max(FULL * min(share, 1.0), LEAST)
    shapes = [rectangle(0, 100, FULL, 800, "track"), rectangle(0, 100, width, 800, f"bar {style}")]
    return _row("".join(shapes))


def dumbbell(scale: Linear, before: float | None, during: tuple[float, float, float] | None, style: str) -> str:
    """A tick where a share was, a dot with its interval `(value, low, high)` where it is, and a line between."""
    shapes = [line(0, 500, FULL, 500, "grid")]
    if before is not None and during is not None:
        shapes.append(line(scale.at(before), 500, scale.at(during[0]), 500, f"between {style}"))
    if during is not None:
        _, low, high = during
        shapes.append(line(scale.at(low), 500, scale.at(high), 500, f"interval {style}"))
    if before is not None:
        shapes.append(line(scale.at(before), 150, scale.at(before), 850, "before"))
    if during is not None:
        shapes.append(dot(scale.at(during[0]), 500, style))
    return _row("".join(shapes))


def _row(shapes: str) -> str:
    """A picture that a table's words explain, so that readers aloud pass over it."""
    return element(
        "svg",
        shapes,
        class_="row",
        width="100%",
        height=HEIGHT,
        viewBox="0 0 1000 1000",
        preserveAspectRatio="none",
        aria_hidden="true",
    )
