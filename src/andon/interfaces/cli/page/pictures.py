"""Figures as the pictures of the page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from typing import Final

from markupsafe import Markup

from andon.base.interval import Interval
from andon.base.share import Share
from andon.chart import rows, timeline, traffic
from andon.chart.histogram import Histogram
from andon.chart.histogram import draw as draw_histogram
from andon.chart.scale import Linear, TimeAxis, share_axis
from andon.incident.figures import Bars, Contrast, Course, Distribution, Figures, Point, Values
from andon.incident.scan import DetectedIncident
from andon.interfaces.cli import words
from andon.interfaces.cli.page import sayings
from andon.interfaces.cli.page.parts import Key, Picture, Row, Rows, ShownChange, Spread, Table

SURE_ROWS: Final = 10
"""From so many rows on, the interval of a point may widen the axis."""
FEW: Final = 8
"""A point is left out when it has less than one in so many of the usual rows."""
TABLE_ROWS_MAX: Final = 120
COURSES_MAX: Final = 3
SMALL_MAX: Final = 4
STRONG_DISTANCE: Final = 0.3
NOTHING_SAID: Final = ("", "0%", sayings.NOTHING)
NEAR: Final = 120.0
"""A label nearer to the left end than this gives way to the one that stands there."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What all pictures of one incident (or of a quiet log) share."""

    key: str
    period: Interval
    zone: tzinfo
    changes: tuple[ShownChange, ...]
    marks: tuple[timeline.Mark, ...]
    incident: DetectedIncident | None = None

    @property
    def current(self) -> str:
        """How what is there now is drawn."""
        return "calm" if self.incident is None else "current"

    @property
    def now(self) -> str:
        """What the current rows are called."""
        return "log" if self.incident is None else "now"

    @property
    def part(self) -> str:
        """The affected part in words."""
        sliced = None if self.incident is None else self.incident.slice
        return sayings.part(None if sliced is None else sliced.predicate)


def courses(figures: Figures, scene: Scene) -> tuple[Picture, ...]:
    """The leading measure over time, then the answer that moved most, then the errors."""
    shown = [course for course in figures.courses if any(point.part.of for point in course.points)]
    first = shown[:1] if scene.incident is not None else []
    rest = sorted(shown[len(first) :], key=_moved, reverse=True)[: COURSES_MAX - len(first)]
    return tuple(_course(course, scene, number) for number, course in enumerate([*first, *rest]))


def _moved(course: Course) -> float:
    inside = [point.part for point in course.points if point.inside]
    now = Share(sum(part.hits for part in inside), sum(part.of for part in inside))
    return abs((now.value or 0.0) - (course.usual.value or 0.0))


def _course(course: Course, scene: Scene, number: int) -> Picture:
    has_rest = any(point.rest.of for point in course.points)
    lines = [_line(scene.part, "affected" if scene.incident else "answer", course.points, rest=False)]
    if has_rest:
        lines.append(_line("the rest", "rest", course.points, rest=True))
    scale = share_axis(_greatest(course))
    title = sayings.name(course.what)
    picture = timeline.Timeline(
        key=f"{scene.key}-course-{number}",
        name=f"{title}: share of decisions over time",
        description=_course_words(course, scene, has_rest=has_rest),
        axis=TimeAxis(scene.period, scene.zone),
        scale=scale,
        ticks=tuple((tick, words.percent(tick)) for tick in scale.ticks(5)),
        lines=tuple(lines),
        marks=scene.marks,
        failure=_failure(scene),
        usual=None if has_rest else course.usual.value,
    )
    return Picture(
        svg=Markup(timeline.draw(picture)),  # noqa: S704  # the chart room escapes every word
        title=f"{title}: share of decisions",
        caption=""
        if has_rest or course.usual.value is None
        else f"Dotted: the reference, {sayings.share(course.usual)}.",
        table=_course_table(course, scene, has_rest=has_rest),
    )


def _line(name: str, style: str, points: Sequence[Point], *, rest: bool) -> timeline.Line:
    values = []
    least = _rows_least([point.rest.of if rest else point.part.of for point in points])
    for point in points:
        share = point.rest if rest else point.part
        if share.value is not None and share.of >= least:
            values.append((timeline.Value(point.at, share.value, share.low, share.high), point.inside))
    return timeline.Line(name, style, timeline.runs(values))


def _rows_least(rows_: Sequence[int]) -> float:
    """A point of fewer rows than this says nothing beside its neighbours: labels that have hardly begun to come."""
    known = sorted(n for n in rows_ if n)
    return known[len(known) // 2] / FEW if known else 0.0


def _greatest(course: Course) -> float:
    shares = [share for point in course.points for share in (point.part, point.rest) if share.value is not None]
    return max((share.high if share.of >= SURE_ROWS else share.value or 0.0 for share in shares), default=1.0)


def _failure(scene: Scene) -> timeline.Failure | None:
    incident = scene.incident
    if incident is None:
        return None
    start = f"start, {sayings.day(incident.started_at, scene.zone)}".replace(words.HELD, " ")
    return timeline.Failure(
        incident.started_at, incident.started_at_low, incident.started_at_high, incident.ended_at, start
    )


def _course_words(course: Course, scene: Scene, *, has_rest: bool) -> str:
    """What the picture shows, for whoever does not see it."""
    inside = [point for point in course.points if point.inside]
    now = Share(sum(p.part.hits for p in inside), sum(p.part.of for p in inside))
    told = f"{scene.part}: {sayings.share(course.usual)} in the reference, {sayings.share(now)} {_when(scene)}."
    if has_rest:
        rest = Share(sum(p.rest.hits for p in inside), sum(p.rest.of for p in inside))
        told += f" The rest: {sayings.share(course.usual_rest)} in the reference, {sayings.share(rest)} then."
    return _held(told)


def _when(scene: Scene) -> str:
    return "in the log" if scene.incident is None else "during the failure"


def _course_table(course: Course, scene: Scene, *, has_rest: bool) -> Table:
    step = -(-len(course.points) // TABLE_ROWS_MAX)
    heads = ("from", scene.part, "95% interval", *(("the rest", "95% interval") if has_rest else ()))
    shown = []
    for point in course.points[::step]:
        shares = (point.part, point.rest) if has_rest else (point.part,)
        entries = [word for share in shares for word in (sayings.share_of(share), sayings.bounds(share))]
        shown.append((sayings.moment(point.at.start, scene.zone), *entries))
    caption = f"{sayings.name(course.what)}, share of decisions"
    return Table(caption if step == 1 else f"{caption}, every {step}th point", heads, tuple(shown))


def traffic_picture(figures: Figures, scene: Scene) -> Picture:
    """How many decisions came when."""
    most = max((n for _, n in figures.traffic), default=0)
    step = max((at.length for at, _ in figures.traffic), default=timedelta(0))
    told = f"At most {most:,} decisions in {words.length(step)}." if most else ""
    axis = TimeAxis(scene.period, scene.zone)
    svg = traffic.draw(f"{scene.key}-traffic", ("Decisions over time", _held(told)), axis, figures.traffic)
    return Picture(svg=Markup(svg), title="Decisions over time", caption=told)  # noqa: S704  # the chart room escapes


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
    told = f"Median {_median(shape.median_before)} in the reference, {_median(shape.median_during)} {_when(scene)}."
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
    caption = "" if each.n_during else f"No value came {_when(scene)}: every {sayings.name(each.column)} is empty."
    return Picture(
        svg=Markup(draw_histogram(histogram)),  # noqa: S704  # the chart room escapes every word
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
        names = [words.number(edge) for edge in shape.edges[:-1]]
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
    rows_ = [_column(each) for each in every]
    said = [
        place
        for place in range(len(heads))
        if place in (0, len(heads) - 1) or any(row[place] not in NOTHING_SAID for row in rows_)
    ]
    still = [sayings.name(each.column) for each in every if not each.moved and not each.is_answer]
    note = "Distance: Jensen-Shannon, 0 (alike) to 1."
    if scene.incident is not None and still:
        note += f" For comparison, inputs that moved least: {words.listed(still)}."
    return Table(
        caption="Columns: reference against current",
        heads=tuple(heads[place] for place in said),
        rows=tuple(tuple(row[place] for place in said) for row in rows_),
        note=note,
        strong=strong,
    )


def _column(each: Distribution) -> tuple[str, ...]:
    medians = ("", "", "")
    if isinstance(each.shape, Bars):
        before, during = each.shape.median_before, each.shape.median_during
        ratio = words.number(during / before) if before and during is not None and before * during > 0 else ""
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
        shown.append(_dumbbell(label, before, during, scale, style))
    more = f" And {words.of_things(shape.more, 'more value', 'more values')}." if shape.more else ""
    return Rows(
        title=f"{sayings.name(each.column)}{_answer(each)}: shares of its values",
        caption=f"{sayings.name(each.column)}: share of each value, before and {scene.now}",
        head="value",
        figure=f"before to {scene.now}",
        rows=tuple(shown),
        keys=_dumbbell_keys(scene),
        note=f"From 0 to {words.percent(scale.high)}.{more}",
    )


def contrast(figures: Figures, scene: Scene) -> Rows | None:
    """The affected part beside the rest: each measure in the reference, and during the failure."""
    if not figures.contrasts:
        return None
    scale = _contrast_scale(figures.contrasts)
    shown, group = [], ""
    for each in figures.contrasts:
        title = sayings.name(each.what)
        label, style = ("the rest", "rest") if each.is_rest else (scene.part, "affected")
        row = _dumbbell(label, each.before, each.during, scale, style)
        shown.append(Row(row.label, row.svg, row.figure, row.strong, "" if title == group else title))
        group = title
    sliced = scene.incident is not None and scene.incident.slice is not None
    return Rows(
        title="The slice against the rest" if sliced else "Before and during",
        caption="Share of decisions with each measure, in the reference and during the failure",
        head="part of the traffic",
        figure="reference to current",
        rows=tuple(shown),
        keys=_dumbbell_keys(scene, rest=sliced),
        note=f"Shares of decisions from 0 to {words.percent(scale.high)}; bars: 95% interval (Wilson).",
    )


def by_value(figures: Figures) -> Rows | None:
    """The leading measure for each value of the column that the slice names."""
    if not figures.by_value or figures.by_column is None:
        return None
    scale = _contrast_scale(figures.by_value)
    ordered = sorted(figures.by_value, key=_contrast_change, reverse=True)
    shown = [
        _dumbbell(sayings.name(each.value), each.before, each.during, scale, "rest" if each.is_rest else "affected")
        for each in ordered
    ]
    return Rows(
        title=f"{sayings.name(figures.by_value[0].what)}, by {sayings.name(figures.by_column)}",
        caption=f"The same measure by {sayings.name(figures.by_column)}",
        head=sayings.name(figures.by_column),
        figure="reference to current",
        rows=tuple(shown),
    )


def _contrast_change(each: Contrast) -> float:
    return abs((each.during.value or 0.0) - (each.before.value or 0.0))


def _contrast_scale(contrasts: Iterable[Contrast]) -> Linear:
    return share_axis(
        max((share.value or 0.0 for each in contrasts for share in (each.before, each.during)), default=1)
    )


def _dumbbell_keys(scene: Scene, *, rest: bool = False) -> tuple[Key, ...]:
    now = "in the log" if scene.incident is None else "during the failure"
    keys: tuple[Key, ...] = (("before", "reference"), ("rest" if scene.incident is None else "affected", now))
    return (*keys, ("rest", "the rest, then")) if rest else keys


def _dumbbell(label: str, before: Share, during: Share, scale: Linear, style: str) -> Row:
    now = None if during.value is None else (during.value, during.low, during.high)
    svg = rows.dumbbell(scale, before.value, now, style)
    return Row(label, Markup(svg), sayings.share(before), sayings.share(during))  # noqa: S704  # numbers only


def reached(rows_in_all: int, figures: Figures | None, incident: DetectedIncident) -> Rows:
    """From all decisions to those affected, on one scale."""
    affected = incident.affected
    steps: list[tuple[str, int, str, str]] = [("All decisions in the log", rows_in_all, "all", "")]
    if figures is not None:
        lasted = "Since the start" if incident.ended_at is None else "From the start to the end"
        steps.append((lasted, figures.since, "exposed", ""))
        if incident.slice is not None:
            steps.append((f"Of them, {sayings.part(incident.slice.predicate)}", figures.in_part, "exposed", ""))
    exact = affected.low == affected.high
    steps.append(("Affected", affected.count, "affected", "" if exact else f"{affected.low:,} to {affected.high:,}"))
    shown = []
    for label, count, style, bounds in steps:
        share = count / rows_in_all if rows_in_all else 0.0
        figure = ", ".join(part for part in (words.percent(share) if style != "all" else "", bounds) if part)
        shown.append(Row(label, Markup(rows.bar(share, style)), figure, f"{count:,}"))  # noqa: S704  # numbers only
    return Rows("", "From all decisions to those affected", "decisions", "count, share of all", tuple(shown))


def _held(text: str) -> str:
    return text.replace(words.HELD, " ")
