"""`andon show`: what Andon knows, as text or JSON."""

from collections.abc import Iterable
from dataclasses import asdict

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from andon.bootstrap.packs import load_roles, load_severities, load_taxonomy
from andon.bootstrap.packs import playbook as load_playbook
from andon.bootstrap.rules import rules as prometheus_rules
from andon.incident.record import record_schema
from andon.interfaces.cli import output
from andon.interfaces.cli.words import PRIORITY_MARKS
from andon.telemetry.event import event_schema

LABEL_WIDTH = 10

Entry = tuple[str, str, tuple[tuple[str, str], ...]]
"""A heading, its sentence, and lines of `(label, text)`."""


def detectors(*, as_json: bool, no_color: bool) -> None:
    """The detectors, in the order of the registry."""
    from andon.detect.registry import DETECTORS  # noqa: PLC0415  # what they count with takes its time

    if as_json:
        keys = ("name", "layer", "statistic", "description", "blind_to", "threshold_source")
        output.emit_json({"detectors": [{key: str(getattr(detector, key)) for key in keys} for detector in DETECTORS]})
        return
    entries = (
        (
            detector.name,
            detector.description,
            (("layer", str(detector.layer)), ("blind to", detector.blind_to), ("limit", detector.threshold_source)),
        )
        for detector in DETECTORS
    )
    _print(f"{len(DETECTORS)} detectors", entries, no_color=no_color)


def taxonomy(*, as_json: bool, no_color: bool) -> None:
    """The types of incident."""
    known = load_taxonomy()
    if as_json:
        output.emit_json(known.model_dump(by_alias=True))
        return
    entries = (
        (
            kind.title,
            kind.means,
            (
                ("slug", slug),
                ("not", kind.excludes),
                ("look first", known.cause_categories[kind.cause_category]),
                ("default", kind.default_severity),
            ),
        )
        for slug, kind in known.types.items()
    )
    _print(f"{len(known.types)} types of incident", entries, no_color=no_color)


def playbook(incident_type: str, *, as_json: bool, no_color: bool) -> None:
    """What to do first in an incident of a type."""
    found = load_playbook(incident_type)
    if as_json:
        document = asdict(found) | {"steps": [each.model_dump() for each in found.steps]}
        output.emit_json(document)
        return

    def draw(console: Console) -> None:
        console.print(Text(found.title, style="bold"))
        about = (("means", found.means), ("not", found.excludes), ("look first", found.look_first))
        console.print(Padding.indent(_labelled((*about, ("default", found.priority))), 2))
        console.print(Text("\nWhat to do first", style="bold"))
        for number, step in enumerate(found.steps, 1):
            console.print(Padding.indent(Text(f"{number}. {step.do}"), 2))
            if step.run is not None:
                console.print(Padding.indent(Text(step.run, style="cyan"), 6), soft_wrap=True)
        console.print(Text("\nWhat triage has to answer (andon incident check ID)", style="bold"))
        for question in found.questions:
            console.print(Padding.indent(Text(f"- {question}"), 2))

    output.print_on(output.console(no_color=no_color), draw)


def severities(*, as_json: bool, no_color: bool) -> None:
    """The priorities."""
    known = load_severities()
    if as_json:
        output.emit_json(known.model_dump(by_alias=True, mode="json"))
        return
    entries = (
        (
            f"{PRIORITY_MARKS[name]} {name} {level.severity} ({level.sev})",
            level.means,
            (
                ("any of", "; ".join(level.facts)),
                ("respond in", level.respond_within),
                ("phases", "; ".join(f"{each.name} in {each.within}" for each in level.phases) or "none"),
                ("by itself", "; ".join(level.actions)),
            ),
        )
        for name, level in known.severities.items()
    )
    _print("Four priorities, proposed from facts", entries, no_color=no_color)


def roles(*, as_json: bool, no_color: bool) -> None:
    """Who does what on an incident."""
    known = load_roles()
    if as_json:
        output.emit_json(known.model_dump(by_alias=True, mode="json"))
        return
    entries: list[Entry] = [(role.title, role.does, (("role", slug),)) for slug, role in known.roles.items()]
    for work in known.work:
        parts = (("answers", (work.accountable,)), ("does it", work.responsible), ("is asked", work.consulted))
        told = (*parts, ("is told", work.informed))
        lines = tuple((label, ", ".join(known.roles[each].title for each in who)) for label, who in told if who)
        entries.append((work.what, "", lines))
    _print(f"{len(known.roles)} roles, {len(known.work)} pieces of work", entries, no_color=no_color)


def events() -> None:
    """The JSON Schema of events."""
    output.emit_json(event_schema())


def record() -> None:
    """The JSON Schema of incident records."""
    output.emit_json(record_schema())


def _print(title: str, entries: Iterable[Entry], *, no_color: bool) -> None:
    def draw(console: Console) -> None:
        console.print(Text(f"{title}\n", style="bold"))
        for heading, sentence, lines in entries:
            console.print(Text(heading, style="bold"))
            if sentence:
                console.print(Padding.indent(Text(sentence), 2))
            console.print(Padding.indent(_labelled(lines), 2))
            console.print()

    output.print_on(output.console(no_color=no_color), draw)


def _labelled(lines: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True, min_width=LABEL_WIDTH)
    table.add_column(overflow="fold")
    for label, text in lines:
        table.add_row(label, Text(text))
    return table


def rules(url: str, *, faster: int, as_resource: bool) -> None:
    """Print the alert rules for Prometheus."""
    output.emit(prometheus_rules(url, faster=faster, as_resource=as_resource))
