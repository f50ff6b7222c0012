"""SVG as text. Every word that comes from outside goes through `escaped`; numbers are written short."""

from collections.abc import Iterable
from typing import Final

from andon.base.visible import visible

_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
ELLIPSIS: Final = "…"
LABEL_MAX: Final = 28
"""Letters of a label within a picture."""


def shortened(text: str, most: int = LABEL_MAX) -> str:
    """Visible text of at most so many letters; where some were left out it ends in `…`, after a word if it can."""
    shown = visible(text[: 2 * most])
    if len(text) <= most and len(shown) <= most:
        return shown
    whole_words = shown[:most].rpartition(" ")[0]
    kept = whole_words if 2 * len(whole_words) >= most else shown[: most - 1]
    return kept.rstrip() + ELLIPSIS


def escaped(text: str) -> str:
    """Text as the content or an attribute of an element."""
    return "".join(_ENTITIES.get(c, c) for c in visible(text))


def number(value: float) -> str:
    """A coordinate with at most two decimals."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def element(name: str, content: str = "", **attributes: str | float) -> str:
    """An element; `content` is markup. `text_anchor` stands for `text-anchor`, `class_` for `class`."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-") if key != "viewBox" else key}="{_value(value)}"'
        for key, value in attributes.items()
    )
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def picture(key: str, height: int, name: str, description: str, content: Iterable[str]) -> str:
    """A picture as wide as its place and `height` pixels high, with what it is and what it shows in words.

    Args:
        key: letters, digits and hyphens, once in a page.
        height: in CSS pixels; text is never scaled.
        name: what it is, as plain text.
        description: what it shows, as plain text.
        content: markup.
    """
    words = element("title", escaped(name), id=f"{key}-name") + element("desc", escaped(description), id=f"{key}-desc")
    return element(
        "svg",
        words + "".join(content),
        class_="chart",
        width="100%",
        height=height,
        role="img",
        aria_labelledby=f"{key}-name",
        aria_describedby=f"{key}-desc",
    )


def plane(top: float, height: float, marks: Iterable[str]) -> str:
    """A part of a picture in which marks are drawn on a square of 1,000 by 1,000 that fits any width."""
    return element(
        "svg",
        "".join(marks),
        class_="plane",
        x=0,
        y=top,
        width="100%",
        height=height,
        viewBox="0 0 1000 1000",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def label(text: str, x: float, y: float, *, style: str = "", anchor: str = "middle") -> str:
    """A word at `x` thousandths of the width and `y` pixels from the top."""
    return element("text", escaped(text), class_=style or "label", x=f"{number(x / 10)}%", y=y, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    """A straight line in a plane."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=style)


def rectangle(x: float, y: float, width: float, height: float, style: str) -> str:
    """A rectangle in a plane."""
    return element("rect", x=x, y=y, width=width, height=height, class_=style)


def path(points: Iterable[tuple[float, float]], style: str, *, closed: bool = False) -> str:
    """A line through points in a plane."""
    steps = " ".join(f"{number(x)} {number(y)}" for x, y in points)
    return element("path", d=f"M{steps}{'Z' if closed else ''}", class_=style)


def dot(x: float, y: float, style: str) -> str:
    """A round dot in a plane, whatever its proportions: a line of no length with round ends."""
    return element("path", d=f"M{number(x)} {number(y)}h.01", class_=f"dot {style}")


def _value(value: str | float) -> str:
    return escaped(value) if isinstance(value, str) else number(value)
