"""Distributions as pictures: reference against current, column by column."""

from collections.abc import Sequence
from math import ceil
from typing import Final

from markupsafe import Markup

from andon.chart.histogram import Histogram, draw
from andon.chart.scale import Linear, share_axis
from andon.incident.figures import Bars, Distribution, Figures, Values
from andon.interfaces.cli import words
from andon.interfaces.cli.page import sayings
from andon.interfaces.cli.page.parts import Key, Picture, Rows, Spread, Table
from andon.interfaces.cli.page.scene import Scene, dumbbell, dumbbell_keys

SMALL_MAX: Final = 4
STRONG_DISTANCE: Final = 0.3
NOTHING_SAID: Final = ("", "0%", sayings.NOTHING)
NEAR: Final = 200.0
"""A label nearer to the left end than this gives way to the one that stands there."""


def spread(figures: Figures, scene: Scene) -> Spread | None:
    """The distributions: pictures of what moved, categories as rows, and the figures of all columns."""
    every = figures.distributions
    if not every:
        return None
    drawn = [
        each for each in every if isinstance(each.shape, Bars) and each.n_before and (each.moved or each.is_answer)
    ]
    if scene.incident is None:
        numbers = [each for each in every if isinstance(each.shape, Bars) and each.n_during]
        drawn = sorted(numbers, key=lambda each: each.distance or 0.0, reverse=True)[:SMALL_MAX]
    pictures = [_histogram(each, scene, number) for number, each in enumerate(drawn)]
    several = 1 if scene.incident is not None else 0
    categories = [each for each in every if isinstance(each.shape, Values) and _is_told(each, each.shape)]
    first = next((each for each in every if each.n_during), every[0])
    return Spread(
        note=_spread_note(scene),
        keys=_spread_keys(first, scene) if pictures else (),
        first=tuple(pictures[:several]),
        others=tuple(pictures[several : several + SMALL_MAX]),
        columns=_columns(every, scene),
        values=tuple(_values(each, scene) for each in categories),
    )


def _is_told(each: Distribution, shape: Values) -> bool:
    """Whether the values of a category are shown: it moved, or it is an answer of more classes than a line tells."""
    return each.moved or (each.is_answer and len(shape.shares) > 2)  # noqa: PLR2004


def _spread_note(scene: Scene) -> str:
    if scene.incident is None:
        return "the whole log against the reference; drawn: the columns that differ most"
    return f"{scene.part}, shares of decisions"


def _spread_keys(first: Distribution, scene: Scene) -> tuple[Key, ...]:
    current = "The log" if scene.incident is None else "Current, during the failure"
    return (
        ("reference", f"Reference, n = {first.empty_before.of:,}"),
        (scene.current, f"{current}, n = {first.empty_during.of:,}"),
    )


def _histogram(each: Distribution, scene: Scene, number: int) -> Picture:
    shape = each.shape
    assert isinstance(shape, Bars)  # noqa: S101  # the caller picks those
    before, during = _shares(shape.before), _shares(shape.during)
    heights = share_axis(max((*before, *during), default=1.0))
    scale = Linear(shape.edges[0], shape.edges[-1], shape.is_log) if shape.edges else None
    told = f"Median {_median(shape.median_before)} in the reference, {_median(shape.median_during)} {scene.when}."
    histogram = Histogram(
        key=f"{scene.key}-spread-{number}",
        name=f"{sayings.name(each.column)}: reference against current",
        description=f"{told} Distance {_distance(each)}.",
        scale=scale,
        before=before,
        during=during,
        medians=(_mark(shape, shape.median_before, "before"), _mark(shape, shape.median_during, scene.now)),
        ticks=() if scale is None else _ticks(shape, scale),
        bins=tuple(words.number(value) for value in shape.values),
        top=(heights, tuple((tick, words.percent(tick)) for tick in heights.ticks(3))),
        style=scene.current,
    )
    caption = "" if each.n_during else f"No value came {scene.when}: every {sayings.name(each.column)} is empty."
    return Picture(
        svg=Markup(draw(histogram)),  # noqa: S704  # the chart room escapes every word
        title=f"{sayings.name(each.column)}{_answer(each)}{', log scale' if shape.is_log else ''}",
        caption=caption,
        table=_bars_table(each, shape, scene),
    )


def _answer(each: Distribution) -> str:
    return " (the answer)" if each.is_answer else ""


def _shares(counts: Sequence[int]) -> tuple[float, ...]:
    whole = sum(counts)
    return tuple(count / whole if whole else 0.0 for count in counts)


def _ticks(shape: Bars, scale: Linear) -> tuple[tuple[float, str], ...]:
    """Round values; where smaller ones share the first bin, the axis says so at its left end."""
    shown = [(tick, words.number(tick)) for tick in scale.ticks(5)]
    if shape.has_below and shape.is_log:
        shown = [(tick, word) for tick, word in shown if scale.at(tick) > NEAR]
        shown.insert(0, (scale.low, f"≤ {words.number(scale.low)}"))
    return tuple(shown)


def _mark(shape: Bars, median: float | None, when: str) -> tuple[float, str] | None:
    if median is None:
        return None
    place = float(shape.values.index(median)) if shape.values else median
    return place, f"{when}: median {words.number(median)}"


def _bars_table(each: Distribution, shape: Bars, scene: Scene) -> Table:
    names = [words.number(value) for value in shape.values]
    if not names:
        names = [words.number(ceil(edge) if shape.is_whole else edge) for edge in shape.edges[:-1]]
    shown = [
        (name, f"{before:,}", f"{during:,}")
        for name, before, during in zip(names, shape.before, shape.during, strict=True)
        if before or during
    ]
    head = "value" if shape.values else "from"
    return Table(sayings.name(each.column), (head, "reference, rows", f"{scene.now}, rows"), tuple(shown))


def _columns(every: Sequence[Distribution], scene: Scene) -> Table:
    """All columns in figures; those that say nothing (no number, nothing empty) are left out of the table."""
    strong = tuple(_distance(each) for each in every if (each.distance or 0.0) >= STRONG_DISTANCE)
    heads = [
        "column",
        "median before",
        f"median {scene.now}",
        "ratio",
        "empty before",
        f"empty {scene.now}",
        "distance",
    ]
    told = [_column(each) for each in every]
    said = [
        place
        for place in range(len(heads))
        if place in (0, len(heads) - 1) or any(row[place] not in NOTHING_SAID for row in told)
    ]
    still = [sayings.name(each.column) for each in every if not each.moved and not each.is_answer]
    note = "Distance: Jensen-Shannon, 0 (alike) to 1."
    if scene.incident is not None and still:
        note += f" For comparison, inputs that moved least: {words.listed(still)}."
    return Table(
        caption="Columns: reference against current",
        heads=tuple(heads[place] for place in said),
        rows=tuple(tuple(row[place] for place in said) for row in told),
        note=note,
        strong=strong,
    )


def _column(each: Distribution) -> tuple[str, ...]:
    medians = ("", "", "")
    if isinstance(each.shape, Bars):
        before, during = each.shape.median_before, each.shape.median_during
        # Of what did not move, the ratio of two medians near nought says nothing.
        ratio = words.number(during / before) if each.moved and before and during else ""
        medians = (_median(before), _median(during), ratio)
    empty = (sayings.share(each.empty_before), sayings.share(each.empty_during))
    return (f"{sayings.name(each.column)}", *medians, *empty, _distance(each))


def _median(value: float | None) -> str:
    return "none" if value is None else words.number(value)


def _distance(each: Distribution) -> str:
    return "not known" if each.distance is None else f"{each.distance:.2f}"


def _values(each: Distribution, scene: Scene) -> Rows:
    """A category's values: what changed most first."""
    shape = each.shape
    assert isinstance(shape, Values)  # noqa: S101  # the caller picks those
    style = "affected" if scene.incident is not None else "calm"
    scale = share_axis(max((share.value or 0.0 for _, *both in shape.shares for share in both), default=1.0))
    names = ", ".join(repr(sayings.name(name)) for name in shape.names)
    shown = []
    for value, before, during in shape.shares:
        label = f"not in the reference ({names})" if value is None else sayings.name(value) or "(empty text)"
        shown.append(dumbbell(label, before, during, scale, style))
    more = f" And {words.of_things(shape.more, 'more value', 'more values')}." if shape.more else ""
    return Rows(
        title=f"{sayings.name(each.column)}{_answer(each)}: shares of its values",
        caption=f"{sayings.name(each.column)}: share of each value, before and {scene.now}",
        head="value",
        figure=f"before to {scene.now}",
        rows=tuple(shown),
        keys=dumbbell_keys(scene),
        note=f"From 0 to {words.percent(scale.high)}.{more}",
    )
