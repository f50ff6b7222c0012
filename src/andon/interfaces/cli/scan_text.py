"""A scan as a page that a tired person can read: the sentence, the answers, the evidence, what to do next."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from andon.base.interval import Interval
from andon.base.predicate import identifier, literal
from andon.detect.finding import Finding
from andon.incident.scan import DetectedIncident, Note, Scan, Warning  # noqa: A004  # the contract's word
from andon.interfaces.cli import spark, words
from andon.inventory.model import Model

FINDINGS_SHOWN: Final = 3
BAR_WIDTH: Final = 24
CHART_WIDTH_MAX: Final = 96
LOUD: Final = {"P0": "bold red", "P1": "bold yellow", "P2": "bold", "P3": "bold"}
QUIET: Final = "dim"
PLACEHOLDER: Final = "log"
"""Stands in a query for rows that no name of a query's language names."""
TURNED_FIRST: Final = {
    "epoch_times": "numbers turned into times first",
    "text_times": "text turned into times first",
    "read_as_numbers": "text turned into numbers first",
}
"""What has to be done in a query to what a scan read as something else than it is stored as, by the warning of it."""
READERS: Final = {".parquet": "read_parquet", ".csv": "read_csv", ".jsonl": "read_json", ".ndjson": "read_json"}


@dataclass(frozen=True, slots=True)
class Frame:
    """What the page needs beside the scan: the model as declared, titles of types, the words of the command."""

    model: Model
    titles: dict[str, str]
    logs: tuple[str, ...]
    command: tuple[str, ...]
    written: str | None = None
    page: str | None = None

    @property
    def zone(self) -> tzinfo:
        """The zone in which times are shown."""
        return ZoneInfo(self.model.time_zone)

    @property
    def is_scan(self) -> bool:
        """Whether the command takes the options of a scan (the demo does not)."""
        return self.command[:2] == ("andon", "scan")

    def again(self, *more: str) -> str:
        """The words that ask for the same again, with more options."""
        return shlex.join([*self.command, *more])


@dataclass(frozen=True, slots=True)
class Page:
    """A scan in its frame."""

    scan: Scan
    frame: Frame

    def draw(self, console: Console) -> None:
        """Print the page."""
        self.draw_result(console)
        if self.scan.incidents:
            draw_next(console, self)
        else:
            console.print(Text("What was looked for: andon show detectors", style=QUIET))
            if self.frame.page is not None:
                console.print(Text(f"The page to show a colleague: {words.plain(self.frame.page)}", style=QUIET))

    def draw_result(self, console: Console) -> None:
        """Print what was found, without what to do next."""
        self._head(console)
        self._contents(console)
        for number, incident in enumerate(self.scan.incidents, start=1):
            draw_incident(console, self, incident, number)
        self._notes(console)

    def _head(self, console: Console) -> None:
        scan = self.scan
        decisions = f"{words.judged(scan)} of {words.plain(words.named(scan.model_id))}"
        console.print(Text(f"{_found(scan)} in {decisions}.", style="bold"))
        period = words.span(scan.period, self.frame.zone)
        evaluations = words.of_things(scan.evaluations, "evaluation", "evaluations")
        columns = words.of_things(len(watched_columns(self.frame.model)), "declared column", "declared columns")
        detectors = words.of_things(len(scan.detectors), "detector", "detectors")
        looked = f"{period}; {evaluations}, one every {words.length(scan.evaluation)}, by {detectors} over {columns}."
        console.print(Text(looked, style=QUIET))

    def _contents(self, console: Console) -> None:
        """One line per incident, where there are several."""
        if len(self.scan.incidents) < 2:  # noqa: PLR2004
            return
        console.print()
        for number, incident in enumerate(self.scan.incidents, start=1):
            whom = "" if incident.slice is None else f", {words.where(incident.slice.predicate)}"
            line = Text.assemble(f"{number:>2}  ", _headline(self, incident), _since(self, incident), whom)
            console.print(line, no_wrap=True, overflow="ellipsis")

    def _notes(self, console: Console) -> None:
        notes = self.scan.notes
        if not notes:
            return
        console.print()
        console.print(Text("Also seen, no incident by itself", style="bold"))
        for note in notes:
            console.print(Padding.indent(_note(note, self.frame.zone), 2))


def draw_incident(console: Console, page: Page, incident: DetectedIncident, number: int) -> None:
    """One incident: headline, answers, picture, evidence."""
    console.print()
    several = len(page.scan.incidents) > 1
    console.print(Text.assemble(f"{number}  " if several else "", _headline(page, incident)))
    console.print(Text(words.plain(incident.summary)))
    console.print()
    console.print(Padding.indent(_answers(page, incident), 2))
    console.print()
    picture = _picture(incident, page.frame.zone, console.width - 2)
    for line in picture:
        console.print(Padding.indent(line, 2))
    if picture:
        console.print()
    console.print(Padding.indent(Text("Evidence", style="bold"), 2))
    for finding in incident.findings[:FINDINGS_SHOWN]:
        _draw_evidence(console, finding, page.frame.zone)
    more = len(incident.findings) - FINDINGS_SHOWN
    if more > 0:
        told = words.of_things(more, "more finding", "more findings")
        console.print(Padding.indent(Text(f"{told} in the JSON (--json FILE)", style=QUIET), 2))


def draw_next(console: Console, page: Page) -> None:
    """What to do next, in commands that exist."""
    console.print()
    console.print(Text("What to do next", style="bold"))
    for number, incident in enumerate(page.scan.incidents, start=1):
        which = f"incident {number}" if len(page.scan.incidents) > 1 else "it"
        _step(
            console,
            f"List the decisions that {which} touched {about_query(page.frame.logs, page.scan)}",
            select(page.frame.logs, incident),
        )
    if page.frame.written is None:
        _step(console, "Keep the result", page.frame.again("--json", "scan.json"))
    else:
        _step(console, "The result was written to", page.frame.written)
    if page.frame.page is None:
        _step(console, "Show it to a colleague", page.frame.again("--html", "scan.html"))
    else:
        _step(console, "The page to show a colleague", page.frame.page)
    _step(console, "See what was looked for", "andon show detectors")


def warning_line(warning: Warning) -> Text:
    """A warning on one line."""
    return Text(f"warning: {words.plain(warning.text)}", style="yellow")


def _found(scan: Scan) -> str:
    if not scan.incidents:
        return "No silent failure found" if scan.evaluations else "Too short to judge: no evaluation fits"
    return "One incident" if len(scan.incidents) == 1 else f"{len(scan.incidents)} incidents"


def watched_columns(model: Model) -> set[str]:
    """The declared columns that a scan looks at: inputs, ways to slice, and what the model answered."""
    answer = model.columns.prediction
    return {*model.features, *model.slice_columns, *((answer,) if answer else ())}


def _headline(page: Page, incident: DetectedIncident) -> Text:
    style = LOUD.get(incident.priority, "bold")
    title = page.frame.titles.get(incident.incident_type, incident.incident_type)
    mark = words.PRIORITY_MARKS.get(incident.priority, "")
    return Text.assemble((f"{mark} {incident.priority} {incident.severity}", style), (f"  {title}", "bold"))


def _since(page: Page, incident: DetectedIncident) -> str:
    return f", since {words.moment(incident.started_at, page.frame.zone)}"


def _answers(page: Page, incident: DetectedIncident) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style=QUIET, no_wrap=True)
    table.add_column(overflow="fold")
    for label, answer in _answer_rows(page, incident):
        table.add_row(label, Text(answer))
    return table


def _answer_rows(page: Page, incident: DetectedIncident) -> list[tuple[str, str]]:
    zone, affected = page.frame.zone, incident.affected
    bounds = words.span(Interval(incident.started_at_low, incident.started_at_high), zone)
    rows = [("since", f"{words.moment(incident.started_at, zone)} (estimated: {bounds})")]
    ended = incident.ended_at
    rows.append(("until", "still going on where the log ends" if ended is None else words.moment(ended, zone)))
    rows.append(("for whom", "all of the traffic" if incident.slice is None else words.where(incident.slice.predicate)))
    share = words.percent(affected.count / page.scan.rows) if page.scan.rows else "0"
    of = "the log" if page.scan.is_of_whole_log else "those judged"
    count = words.of_things(affected.count, "decision", "decisions")
    rows.append(("how many", f"{count} (between {affected.low:,} and {affected.high:,}), {share} of {of}"))
    if incident.wrong is not None:
        rows.append(("wrong", words.wrong(incident.wrong)))
    late = words.length(incident.detected_at - incident.started_at)
    rows.append(("detected", f"{words.moment(incident.detected_at, zone)}, {late} after the start"))
    rows += _changed_rows(incident, zone)
    rows.append((f"why {incident.priority}", words.plain(incident.priority_rule)))
    if incident.facts_missing:
        rows.append(("not known", "; ".join(incident.facts_missing)))
    return rows


def _changed_rows(incident: DetectedIncident, zone: tzinfo) -> list[tuple[str, str]]:
    changed = incident.changed
    rows = []
    if changed.features:
        rows.append(("what moved", ", ".join(words.plain(name) for name in changed.features)))
    if changed.version:
        rows.append(("version", words.plain(changed.version)))
    if changed.change is not None:
        at = words.moment(changed.change.at, zone)
        rows.append(("near start", f"{at}: {words.plain(changed.change.what)} ({words.plain(changed.change.kind)})"))
    return rows


def _picture(incident: DetectedIncident, zone: tzinfo, width: int) -> list[Text]:
    """The leading finding over time: observed above expected, on one scale, with the start marked."""
    observed, expected = [pair[0] for pair in incident.series], [pair[1] for pair in incident.series]
    scale = spark.bounds(observed, expected)
    if scale is None or not incident.findings:
        return []
    room = min(width - len("observed "), CHART_WIDTH_MAX)
    low, high = scale
    leading = incident.findings[0]
    title = f"{_what(leading)}: share of decisions, from {words.percent(low)} to {words.percent(high)}"
    lines = [Text(title, style=QUIET)]
    for label, row, style in (("observed ", observed, ""), ("expected ", expected, QUIET)):
        lines.append(Text.assemble((label, QUIET), (spark.sparkline(spark.fit(row, room), low, high), style)))
    return [*lines, *_start_mark(incident, zone, room)]


def _start_mark(incident: DetectedIncident, zone: tzinfo, room: int) -> list[Text]:
    if incident.series_start is None or not incident.series_step:
        return []
    index = (incident.started_at - incident.series_start) / incident.series_step
    if not 0 <= index < len(incident.series):
        return []
    column = spark.column(index, len(incident.series), room)
    label = f"start, {words.moment(incident.started_at, zone)}"
    text = f"{' ' * column}▲"
    if column + 2 + len(label) <= room:
        text = f"{text} {label}"
    elif len(label) < column:
        text = f"{label} ▲".rjust(column + 1)
    return [Text(" " * len("observed ") + text, style=QUIET)]


def _what(finding: Finding) -> str:
    where = "" if finding.slice is None else f" where {words.where(finding.slice.predicate)}"
    return f"{words.plain(finding.what)}{where}"


def _draw_evidence(console: Console, finding: Finding, zone: tzinfo) -> None:
    """A finding: in words, before and after as bars, then the figures."""
    console.print(Padding.indent(Text(_what(finding)), 2))
    most = max(finding.before, finding.after)
    for label, share in (("before", finding.before), ("after ", finding.after)):
        picture = spark.bar(share, most, BAR_WIDTH).ljust(BAR_WIDTH)
        console.print(Padding.indent(Text.assemble((f"{label} ", QUIET), f"{picture} {words.percent(share)}"), 4))
    statistic = f"{finding.statistic} {words.number(finding.value)}"
    interval = f"({words.number(finding.low)} to {words.number(finding.high)}), limit {words.number(finding.threshold)}"
    seen = f"{words.of_things(finding.n, 'decision', 'decisions')}, {words.span(finding.window, zone)}"
    console.print(Padding.indent(Text(f"{finding.detector}: {statistic} {interval}; {seen}", style=QUIET), 4))


def _note(note: Note, zone: tzinfo) -> Text:
    return Text.assemble((f"{words.moment(note.at, zone)}  ", QUIET), words.plain(note.text))


def _step(console: Console, what: str, how: str) -> None:
    """A step and its command on a line of its own that is never broken, so that it can be copied."""
    console.print(Padding.indent(Text(f"{what}:"), 2))
    console.print(Text(f"    {words.plain(how)}", style="bold"), soft_wrap=True)


def select(logs: Sequence[str], incident: DetectedIncident) -> str:
    """A query for the decisions that an incident touched."""
    return f"SELECT * FROM {_source(logs)} WHERE {incident.affected.predicate}"  # noqa: S608  # shown to a person


def _source(logs: Sequence[str]) -> str:
    """What to select from: the only file, the table of an address, else a name to fill in."""
    if len(logs) > 1 or not logs:
        return _source_of_several(logs)
    if logs[0].endswith((".parquet", ".csv", ".jsonl", ".ndjson", ".json")):
        return literal(logs[0])
    table = parse_qs(urlsplit(logs[0]).query).get("table", [""])[0]
    return ".".join(identifier(part) for part in table.split(".", 1)) if table else PLACEHOLDER


def _source_of_several(logs: Sequence[str]) -> str:
    alike = (each for ending, each in READERS.items() if logs and all(log.endswith(ending) for log in logs))
    reader = next(alike, None)
    return PLACEHOLDER if reader is None else f"{reader}([{', '.join(map(literal, logs))}], union_by_name = true)"


def about_query(logs: Sequence[str], scan: Scan) -> str:
    """What has to be known of the query: the zone of its times, and what it cannot say by itself."""
    codes = {warning.code for warning in scan.warnings}
    told = ["SQL", "times in UTC", *(text for code, text in TURNED_FIRST.items() if code in codes)]
    if _source(logs) == PLACEHOLDER and logs:
        more = f" and {len(logs) - 1:,} more" if len(logs) > 1 else ""
        told.append(f"{PLACEHOLDER} stands for the rows of {words.plain(logs[0])}{more}")
    return f"({', '.join(told)})"
