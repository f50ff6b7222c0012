"""Figures as the pictures of the page."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from markupsafe import Markup

from andon.base.share import Share
from andon.chart import rows, timeline, traffic
from andon.chart.scale import Linear, TimeAxis, share_axis
from andon.incident.figures import Contrast, Course, Figures, Point
from andon.incident.scan import DetectedIncident, Scan
from andon.interfaces.cli import words
from andon.interfaces.cli.page import sayings
from andon.interfaces.cli.page.parts import Picture, Row, Rows, Table
from andon.interfaces.cli.page.scene import Scene, dumbbell, dumbbell_keys

SURE_ROWS: Final = 10
"""From so many rows on, the interval of a point may widen the axis."""
FEW: Final = 8
"""A point is left out when it has less than one in so many of the usual rows."""
TABLE_ROWS_MAX: Final = 60
COURSES_MAX: Final = 3


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
    title = sayings.measure(course.what)
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
    least = _toldleast([point.rest.of if rest else point.part.of for point in points])
    for point in points:
        share = point.rest if rest else point.part
        if share.value is not None and share.of >= least:
            values.append((timeline.Value(point.at, share.value, share.low, share.high), point.inside))
    return timeline.Line(name, style, timeline.runs(values))


def _toldleast(numbers: Sequence[int]) -> float:
    """A point of fewer rows than this says nothing beside its neighbours: labels that have hardly begun to come."""
    known = sorted(n for n in numbers if n)
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
    told = f"{scene.part}: {sayings.share(course.usual)} in the reference, {sayings.share(now)} {scene.when}."
    if has_rest:
        rest = Share(sum(p.rest.hits for p in inside), sum(p.rest.of for p in inside))
        told += f" The rest: {sayings.share(course.usual_rest)} in the reference, {sayings.share(rest)} then."
    return sayings.held(told)


def _course_table(course: Course, scene: Scene, *, has_rest: bool) -> Table:
    step = -(-len(course.points) // TABLE_ROWS_MAX)
    heads = ("from", scene.part, "95% interval", *(("the rest", "95% interval") if has_rest else ()))
    shown = []
    for point in course.points[::step]:
        shares = (point.part, point.rest) if has_rest else (point.part,)
        entries = [word for share in shares for word in (sayings.share_of(share), sayings.bounds(share))]
        shown.append((words.moment(point.at.start, scene.zone), *entries))
    caption = f"{sayings.measure(course.what)}, share of decisions"
    return Table(caption if step == 1 else f"{caption}, every {step}th point", heads, tuple(shown))


def traffic_picture(figures: Figures, scene: Scene) -> Picture:
    """How many decisions came when."""
    most = max((n for _, n in figures.traffic), default=0)
    step = max((at.length for at, _ in figures.traffic), default=timedelta(0))
    told = f"At most {most:,} decisions in {words.length(step)}." if most else ""
    axis = TimeAxis(scene.period, scene.zone)
    svg = traffic.draw(f"{scene.key}-traffic", ("Decisions over time", sayings.held(told)), axis, figures.traffic)
    return Picture(svg=Markup(svg), title="Decisions over time", caption=told)  # noqa: S704  # the chart room escapes


def contrast(figures: Figures, scene: Scene) -> Rows | None:
    """The affected part beside the rest: each measure in the reference, and during the failure."""
    if not figures.contrasts:
        return None
    scale = _contrast_scale(figures.contrasts)
    shown, group = [], ""
    for each in figures.contrasts:
        title = sayings.measure(each.what)
        label, style = ("the rest", "rest") if each.is_rest else (scene.part, "affected")
        row = dumbbell(label, each.before, each.during, scale, style)
        shown.append(Row(row.label, row.svg, row.figure, row.strong, "" if title == group else title))
        group = title
    sliced = scene.incident is not None and scene.incident.slice is not None
    return Rows(
        title="The slice against the rest" if sliced else "Before and during",
        caption="Share of decisions with each measure, in the reference and during the failure",
        head="part of the traffic",
        figure="reference to current",
        rows=tuple(shown),
        keys=dumbbell_keys(scene, rest=sliced),
        note=f"Shares of decisions from 0 to {words.percent(scale.high)}; bars: 95% interval (Wilson).",
    )


def by_value(figures: Figures) -> Rows | None:
    """The leading measure for each value of the column that the slice names."""
    if not figures.by_value or figures.by_column is None:
        return None
    scale = _contrast_scale(figures.by_value)
    ordered = sorted(figures.by_value, key=_contrast_change, reverse=True)
    shown = [
        dumbbell(sayings.name(each.value), each.before, each.during, scale, "rest" if each.is_rest else "affected")
        for each in ordered
    ]
    return Rows(
        title=f"{sayings.measure(figures.by_value[0].what)}, by {sayings.name(figures.by_column)}",
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


def reached(scan: Scan, figures: Figures | None, incident: DetectedIncident) -> Rows:
    """From all decisions to those affected, on one scale."""
    affected = incident.affected
    every = "All decisions in the log" if scan.is_of_whole_log else "All decisions judged"
    steps: list[tuple[str, int, str, str]] = [(every, scan.rows, "all", "")]
    if figures is not None:
        lasted = "Since the start" if incident.ended_at is None else "From the start to the end"
        steps.append((lasted, figures.since, "exposed", ""))
        if incident.slice is not None:
            steps.append((f"Of them, {sayings.part(incident.slice.predicate)}", figures.in_part, "exposed", ""))
    exact = affected.low == affected.high
    steps.append(("Affected", affected.count, "affected", "" if exact else f"{affected.low:,} to {affected.high:,}"))
    shown = []
    for label, count, style, bounds in steps:
        share = count / scan.rows if scan.rows else 0.0
        figure = ", ".join(part for part in (words.percent(share) if style != "all" else "", bounds) if part)
        shown.append(Row(label, Markup(rows.bar(share, style)), figure, f"{count:,}"))  # noqa: S704  # numbers only
    return Rows("", "From all decisions to those affected", "decisions", "count, share of all", tuple(shown))
