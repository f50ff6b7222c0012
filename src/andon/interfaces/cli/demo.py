"""`andon demo`: a real log in which every dashboard stayed calm, and what Andon says. All figures are computed."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from andon.bootstrap.demo import Demo, Kept, Opened, Told, keep, open_demo, open_incident
from andon.bootstrap.demo_server import serving
from andon.bootstrap.packs import load_taxonomy
from andon.bootstrap.pin import Memory
from andon.incident.document import to_document
from andon.incident.scan import DetectedIncident, Scan
from andon.interfaces.cli import output, pin_command, progress, spark, words
from andon.interfaces.cli.incident_show import draw_answers
from andon.interfaces.cli.page.write import write_page
from andon.interfaces.cli.scan_text import QUIET, Frame, Page


@dataclass(frozen=True, slots=True)
class Row:
    """A figure of the dashboards: what it is called, how it is shown, the top of its scale (None: its greatest)."""

    label: str
    figure: str
    show: Callable[[float], str]
    top: float | None = None


OPENING: Final = (
    "A model decides which US flights get a recovery crew. The flights and their delays are real (US Bureau of "
    "Transportation Statistics, 2001); one silent failure was added. Every figure below is computed now, from the log."
)
OWN_LOG: Final = "andon scan log.parquet --model model.yaml --reference reference.parquet"
MISSED: Final = "This log holds a failure, and this version of Andon does not find it."
STEADY: Final = 0.1
"""A figure that moved by less than this share of itself looks the same on a dashboard."""
LABEL_WIDTH: Final = 38
FIGURE_WIDTH: Final = 8
WEEK: Final = timedelta(days=7)


def run(*, html: str | None, no_color: bool) -> None:
    """Tell the story; it ends by itself."""
    if html is not None:
        output.require_place(html, (), "--html")
    with open_demo() as demo:
        memory = Memory(wants_figures=True)
        with progress.shown(quiet=False, no_color=no_color) as report:
            scan = demo.scan(memory, report)
        titles = load_taxonomy().titles()
        frame = Frame(demo.model(), titles, ("log.parquet",), ("andon", "demo"), page=html)
        first = min(scan.incidents, key=lambda incident: (incident.priority, incident.detected_at), default=None)
        told = None if first is None else demo.tell(scan, first)
        acted = None if first is None else _act(demo, scan, memory)

    def draw(console: Console) -> None:
        console.print(Text(OPENING))
        if first is not None and told is not None:
            _dashboards(console, first, told)
            _seen(console, Page(scan, frame))
            _worth(console, first, told, frame.zone)
        else:
            _seen(console, Page(scan, frame))
            console.print(Text(MISSED, style="bold yellow"))
        if acted is not None:
            _kept(console, acted[0])
            _opened(console, acted[1])
        _next(console, html)

    if html is not None:
        write_page([(scan, frame)], html)
    output.print_on(output.console(no_color=no_color), draw)


def _act(demo: Demo, scan: Scan, memory: Memory) -> tuple[Kept, Opened]:
    """Keep the evidence and open the incident, at a server that is there for as long as this takes."""
    with tempfile.TemporaryDirectory(prefix="andon-demo-") as name:
        place = Path(name)
        pin = place / "scan.pin"
        said = (str(demo.folder / "model.yaml"), to_document(scan))
        pin_command.write_untried(pin, said, memory, scan)  # to try it would be a second scan
        with serving(place / "data") as server:
            kept = keep(demo, scan, place / "data")
            return kept, open_incident(demo, scan, memory, pin, server)


def _dashboards(console: Console, incident: DetectedIncident, told: Told) -> None:
    part = _part(incident)
    _heading(console, "What every dashboard showed")
    green = (
        Row("decisions a week", "decisions", words.number),
        Row("slowest 5% of answers", "latency_p95_ms", _milliseconds),
        Row("accuracy", "accuracy", words.percent, 1.0),
        Row(f"accuracy where {part}", "slice_accuracy", words.percent, 1.0),
    )
    console.print(Padding.indent(_table(green, told, console.width), 2))
    console.print(Text(f"\n{_calm(told, part)}\n"))
    console.print(
        Text("What no dashboard showed: of the flights that came late there, how many had been given a crew.")
    )
    console.print()
    unseen = (Row("late flights given a crew", "slice_recall", words.percent, 1.0),)
    console.print(Padding.indent(_table(unseen, told, console.width), 2))


def _seen(console: Console, page: Page) -> None:
    _heading(console, "What Andon saw")
    page.draw_result(console)


def _worth(console: Console, incident: DetectedIncident, told: Told, zone: tzinfo) -> None:
    _heading(console, "What it was worth")
    before, after = told.difference.before, told.difference.after
    late = words.length(incident.detected_at - incident.started_at)
    end = incident.ended_at
    lasted = "goes on where the log ends" if end is None else f"went on until {words.moment(end, zone)}"
    console.print(
        Text(f"Andon would have fired on {words.moment(incident.detected_at, zone)}, {late} after the start.")
    )
    console.print(Text(f"The failure {lasted}."))
    differ = f"{before + after:,} decisions differ from what the known-good pipeline would have decided"
    console.print(Text(f"{differ}: {before:,} were made before that moment, {after:,} after it."))
    change = incident.changed.change
    if change is not None:
        at, what = words.moment(change.at, zone), words.plain(change.what)
        console.print(Text(f"Where to look first: the {words.plain(change.kind)} change of {at}, “{what}”."))


def _kept(console: Console, kept: Kept) -> None:
    _heading(console, "What is kept as evidence")
    console.print(
        Text(f"{kept.events:,} decisions and outcomes were recorded, and the finding sealed with {kept.sealed:,}")
    )
    console.print(Text("entries from 48 h before its start. The bundle's verifier, which needs no Andon, says:"))
    console.print(Padding.indent(Text(kept.whole), 2))
    console.print(Text("and after one byte of the bundle was flipped:"))
    console.print(Padding.indent(Text(kept.changed), 2))


def _opened(console: Console, opened: Opened) -> None:
    seal = opened.dossier["seal"]
    _heading(console, "What a responder sees")
    sent = "The finding was sent to a server, as `andon scan --send` does."
    later = f"{opened.seconds:.1f}{words.HELD}s later it was an incident, and `andon incident show` said:"
    console.print(Text(f"{sent} {later}"))
    console.print()
    draw_answers(console, opened.dossier)
    if seal is not None:
        console.print(Text(f"  Sealed at once, as {seal['id']}, over {seal['size']:,} entries."))


def _next(console: Console, html: str | None) -> None:
    if html is not None:
        _heading(console, "To show a colleague")
        console.print(Text(f"  {words.plain(html)}", style="bold"), soft_wrap=True)
    _heading(console, "Your own log")
    console.print(Text(f"  {OWN_LOG}", style="bold"), soft_wrap=True)


def _heading(console: Console, text: str) -> None:
    console.print()
    console.rule(Text(text, style="bold"), align="left", style=QUIET)


def _table(rows: Sequence[Row], told: Told, width: int) -> Table:
    """One line per figure: week by week as a picture, then before the failure and during it."""
    table = Table(box=None, pad_edge=False, header_style=QUIET)
    table.add_column("", width=LABEL_WIDTH)
    table.add_column("week by week", no_wrap=True)
    for title in ("before", "during"):
        table.add_column(title, justify="right", min_width=FIGURE_WIDTH)
    room = max(width - LABEL_WIDTH - 2 * FIGURE_WIDTH - 8, len(told.weeks))
    for row in rows:
        weekly = [getattr(week, row.figure) for week in told.weeks]
        top = row.top or max((value for value in weekly if value is not None), default=1.0)
        line = spark.sparkline(spark.fit(weekly, room), 0.0, top)
        spans = (getattr(told.before, row.figure), getattr(told.during, row.figure))
        table.add_row(row.label, line, *("none" if value is None else row.show(value) for value in spans))
    table.add_row("", Text(_weeks_mark(told, room), style=QUIET), "", "")
    return table


def _weeks_mark(told: Told, room: int) -> str:
    """A mark under each week that the failure touched."""
    touched = [week.start < told.failure.end and told.failure.start < week.start + WEEK for week in told.weeks]
    each = spark.stretch(len(touched), room)
    return "".join(("▲" if hit else " ") * each for hit in touched).rstrip()


def _calm(told: Told, part: str) -> str:
    """What a person at the dashboards would have concluded, as far as the figures bear it out."""
    before, during = told.before, told.during
    held = [
        name
        for name, was, now in (
            ("volume", before.decisions, during.decisions),
            ("latency", before.latency_p95_ms, during.latency_p95_ms),
            ("accuracy", before.accuracy, during.accuracy),
        )
        if was and now and abs(now / was - 1) < STEADY
    ]
    calm = f"{words.listed(held).capitalize()} stayed within {words.percent(STEADY)} of before. " if held else ""
    if before.slice_accuracy is None or during.slice_accuracy is None:
        return f"{calm}Nobody can say how accurate the model was where {part}."
    moved = "even rose" if during.slice_accuracy > before.slice_accuracy else "fell"
    shares = f"from {words.percent(before.slice_accuracy)} to {words.percent(during.slice_accuracy)}"
    return f"{calm}Where {part}, accuracy {moved}, {shares}."


def _part(incident: DetectedIncident) -> str:
    return "all" if incident.slice is None else words.where(incident.slice.predicate)


def _milliseconds(value: float) -> str:
    return f"{words.number(value)}{words.HELD}ms"
