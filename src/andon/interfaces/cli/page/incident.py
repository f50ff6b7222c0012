"""One incident as the page tells it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from andon.base.interval import Interval
from andon.chart.timeline import Mark
from andon.detect.finding import Finding
from andon.incident.figures import Figures
from andon.incident.scan import DetectedIncident, Scan
from andon.interfaces.cli import words
from andon.interfaces.cli.page import pictures, sayings
from andon.interfaces.cli.page.parts import Cell, ShownChange, ShownFinding, ShownIncident, Step
from andon.interfaces.cli.page.scene import Scene
from andon.interfaces.cli.page.spreads import spread
from andon.interfaces.cli.scan_text import Frame, about_query, select
from andon.inventory.change import Change
from andon.inventory.model import Model

CHANGES_MAX: Final = 8
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
EVIDENCE_MAX: Final = 5
EXPECTED: Final = "% expected; "
"""Ends the first part of an incident's summary; what follows is the reason for its type."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an incident is told from."""

    scan: Scan
    frame: Frame
    incident: DetectedIncident
    figures: Figures | None
    number: int
    where_to_look: str


def show(told: Told) -> ShownIncident:
    """The incident in words and pictures."""
    incident, frame, zone = told.incident, told.frame, told.frame.zone
    near = _near(frame.model, incident, told.scan)
    shown = tuple(_change(each, letter, incident, frame) for letter, each in zip(LETTERS, near, strict=False))
    marks = tuple(
        Mark(each.at, letter, each == incident.changed.change) for letter, each in zip(LETTERS, near, strict=False)
    )
    scene = Scene(f"i{told.number}", told.scan.period, zone, marks, incident)
    figures = told.figures
    count = words.of_things(incident.affected.count, "decision", "decisions")
    return ShownIncident(
        priority=incident.priority,
        count=count,
        eyebrow=_eyebrow(told),
        title=title(told),
        lede=_lede(told),
        cells=_cells(told),
        unknown=sayings.text("; ".join(incident.facts_missing)),
        when_note="95% bands (Wilson); letters: changes listed below",
        courses=() if figures is None else pictures.courses(figures, scene),
        fired=_fired(told),
        spread=None if figures is None else spread(figures, scene),
        contrast=None if figures is None else pictures.contrast(figures, scene),
        by_value=None if figures is None else pictures.by_value(figures),
        reached=pictures.reached(told.scan, figures, incident),
        predicate=incident.affected.predicate,
        changes=shown,
        changes_note=_changes_note(told, len(near)),
        steps=_steps(told),
        evidence_note=f"{words.of_things(len(incident.findings), 'finding', 'findings')} of one cause",
        evidence=tuple(_finding(each, told) for each in incident.findings[:EVIDENCE_MAX]),
        evidence_more=_more(len(incident.findings) - EVIDENCE_MAX),
    )


def title(told: Told) -> str:
    """The observed fact: since when, what, how often, where. Never a cause."""
    incident = told.incident
    since = f"Since {sayings.day(incident.started_at, told.frame.zone)}"
    if not incident.findings:
        return f"{since}: {sayings.name(incident.incident_type)}"
    lead = incident.findings[0]
    now = lead.after if incident.observed is None else incident.observed
    where = "" if incident.slice is None else sayings.where(incident.slice.predicate)
    return f"{since}: {sayings.measure(lead.what)} in {words.percent(now)} of decisions{where}"


def _lede(told: Told) -> str:
    """What was usual, and why the incident is taken for what it is."""
    incident = told.incident
    _, found, reason = incident.summary.partition(EXPECTED)
    if not found or incident.expected is None:
        return sayings.text(f"{incident.summary}.")
    return sayings.text(f"{words.percent(incident.expected)} expected; {reason}.")


def _eyebrow(told: Told) -> str:
    kind = told.frame.titles.get(told.incident.incident_type, told.incident.incident_type)
    incidents = len(told.scan.incidents)
    return f"1 incident found · {kind}" if incidents == 1 else f"Incident {told.number + 1} of {incidents} · {kind}"


def _cells(told: Told) -> tuple[Cell, ...]:
    incident, zone = told.incident, told.frame.zone
    affected = incident.affected
    share = words.percent(affected.count / told.scan.rows) if told.scan.rows else "0%"
    of = f"{told.scan.rows:,}" if told.scan.is_of_whole_log else f"{told.scan.rows:,} judged"
    bounds = "exact" if affected.low == affected.high else f"between {affected.low:,} and {affected.high:,}"
    wrong = () if incident.wrong is None else (f"wrong: {words.wrong(incident.wrong)}",)
    estimate = words.span(Interval(incident.started_at_low, incident.started_at_high), zone)
    ended = incident.ended_at
    over = "not over where the log ends" if ended is None else f"ended {words.moment(ended, zone)}"
    start = incident.started_at.astimezone(zone)
    late = incident.detected_at - incident.started_at
    return (
        Cell("Affected decisions", f"{affected.count:,}", (f"of {of} ({share})", bounds, *wrong)),
        Cell(
            "Started",
            f"{start.day} {start:%b}",
            (f"{start.year}, {sayings.clock(incident.started_at, zone)}", f"estimated: {estimate}", over),
        ),
        Cell("A live watch fires", f"{words.length(late)} later", (words.moment(incident.detected_at, zone),)),
        Cell(
            "Priority", incident.priority, (incident.severity, sayings.text(incident.priority_rule)), incident.priority
        ),
    )


def _fired(told: Told) -> str:
    incident, zone = told.incident, told.frame.zone
    late = words.length(incident.detected_at - incident.started_at)
    ended = incident.ended_at
    over = "It goes on where the log ends." if ended is None else f"It ended {words.moment(ended, zone)}."
    fired = f"A live watch would have fired on {words.moment(incident.detected_at, zone)}, {late} after the start."
    return f"{fired} {over} Shaded: the span of the failure; the bar at its start: the interval of the estimate."


def changes(model: Model, scan: Scan) -> list[Change]:
    """The change log, the versions' first days, and when others were first seen, within the log's period."""
    period = scan.period
    live = {each.name: each.deployed_at for each in model.versions if each.deployed_at is not None}
    versions = [
        Change(at, "version", f"{name} went live")
        for name, at in live.items()
        if at - period.start > timedelta(minutes=1)
    ]
    seen = [
        Change(at, "version", f"{name} first seen in the log")
        for name, at in (scan.versions or {}).items()
        if name not in live
    ]
    within = [each for each in (*model.changes, *versions, *seen) if period.start <= each.at < period.end]
    return sorted(within, key=lambda each: each.at)


def _near(model: Model, incident: DetectedIncident, scan: Scan) -> list[Change]:
    """Those nearest to the start, in order of time; the one that fits is always among them."""
    every = changes(model, scan)
    fits = incident.changed.change
    every.sort(key=lambda each: (each != fits, abs(each.at - incident.started_at)))
    return sorted(every[:CHANGES_MAX], key=lambda each: each.at)


def _change(each: Change, letter: str, incident: DetectedIncident, frame: Frame) -> ShownChange:
    return ShownChange(
        letter=letter,
        at=words.moment(each.at, frame.zone),
        kind=sayings.name(each.kind),
        what=sayings.text(each.what),
        gap=_gap(each.at, incident.started_at),
        fits=each == incident.changed.change,
    )


def _gap(at: datetime, start: datetime) -> str:
    if at == start:
        return "at the start"
    return f"{words.length(abs(at - start))} {'before' if at < start else 'after'} the start"


def _changes_note(told: Told, shown: int) -> str:
    every = len(changes(told.frame.model, told.scan))
    if not every:
        return "model.yaml names no change in this time: list deployments and pipeline runs under changes."
    left = f" {every - shown} further from the start are left out." if every > shown else ""
    if told.incident.changed.change is None:
        return f"None is near enough to the start to be named with it.{left}"
    return f"That a change stands near the start is a fact; that it is the cause is a hypothesis.{left}"


def keep(frame: Frame) -> tuple[Step, ...]:
    """The step that keeps the result for scripts, unless that was done."""
    if frame.written is not None or not frame.is_scan:
        return ()
    return (Step("Keep the result for scripts:", frame.again("--json", "scan.json"), command=True),)


def _steps(told: Told) -> tuple[Step, ...]:
    incident, frame, zone = told.incident, told.frame, told.frame.zone
    change = incident.changed.change
    if change is not None:
        when = words.moment(change.at, zone)
        look = f"Ask who made the {sayings.name(change.kind)} change of {when}: “{sayings.text(change.what)}”."
    else:
        bounds = words.span(Interval(incident.started_at_low, incident.started_at_high), zone)
        look = f"Find what was changed around the start ({bounds}).{told.where_to_look}"
    return (
        Step(look),
        Step(f"List the decisions that it touched {about_query(frame.logs, told.scan)}:", select(frame.logs, incident)),
        *keep(frame),
        Step("See what was looked for, and what each detector cannot see:", "andon show detectors", command=True),
    )


def _more(findings: int) -> str:
    """How many findings the page leaves out, and where they are."""
    return (
        f"{words.of_things(findings, 'more finding', 'more findings')} in the JSON (--json FILE)"
        if findings > 0
        else ""
    )


def _finding(each: Finding, told: Told) -> ShownFinding:
    zone = told.frame.zone
    where = "" if each.slice is None else sayings.where(each.slice.predicate)
    interval = f"{words.number(each.low)} to {words.number(each.high)}"
    statistic = f"{each.detector}: {each.statistic} {words.number(each.value)} ({interval})"
    figures = (
        f"{statistic}, limit {words.number(each.threshold)}; "
        f"{words.of_things(each.n, 'decision', 'decisions')}, {words.span(each.window, zone)}"
    )
    return ShownFinding(
        what=f"{sayings.measure(each.what)}{where}",
        shares=f"{words.percent(each.before)} before, {words.percent(each.after)} then",
        figures=figures,
        entries=", ".join(sayings.name(entry) for entry in each.entries),
    )
