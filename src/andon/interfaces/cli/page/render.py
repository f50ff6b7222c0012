"""Renders the page: one file that needs no network, no script and no second look at the log."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from andon.base.interval import Interval
from andon.base.visible import visible
from andon.bootstrap.packs import load_taxonomy, pack
from andon.incident.scan import SCHEMA, Scan
from andon.interfaces.cli import words
from andon.interfaces.cli.edge import version_of
from andon.interfaces.cli.page import incident, quiet, sayings
from andon.interfaces.cli.scan_text import Frame, watched_columns

STYLES: Final = ("tokens.css", "chart.css", "page.css")
LAMPS_LIT: Final = {"P0": 3, "P1": 2, "P2": 1, "P3": 0}
DIM: Final = Markup(' opacity=".22"')
LIT: Final = tuple(Markup(' style="fill:var(--{}-fill)"').format(name) for name in ("red", "amber", "green"))
NBSP: Final = "\u00a0"


Framed = tuple[Scan, Frame]


def render(*framed: Framed) -> str:
    """The page as text: of one scan, or of one per model with a table of the models before them."""
    environment = Environment(
        loader=DictLoader({"scan.html": pack("page").joinpath("scan.html").read_text(encoding="utf-8")}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    return environment.get_template("scan.html").render(page=_document(framed), lit=LAMPS_LIT)


def _shown(value: object) -> object:
    """Text without hidden letters; the space at which no line breaks becomes the one that HTML has."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    parts = value.replace(NBSP, words.HELD).split(words.HELD)
    return NBSP.join("\n".join(visible(line) for line in part.split("\n")) for part in parts)


def _document(framed: Sequence[Framed]) -> dict[str, Any]:
    """What the page shows, with what it is made of."""
    scan, frame = framed[0]
    worst = max((each for each, _ in framed), key=_urgency)
    shown = _page(scan, frame) if len(framed) == 1 else _several(framed)
    return shown | {
        "version": version_of("andon"),
        "icon": Markup(_icon(worst)),  # noqa: S704  # no text from outside
        "style": Markup(_style()),  # noqa: S704  # our own style sheets
        "lamps": _lamps(worst),
    }


def _several(framed: Sequence[Framed]) -> dict[str, Any]:
    """A page of several models: those that need somebody first."""
    ordered = sorted(framed, key=lambda each: _urgency(each[0]), reverse=True)
    scan, frame = framed[0]
    loud = sum(bool(each.incidents) for each, _ in framed)
    models = words.of_things(len(framed), "model", "models")
    title = f"{words.of_things(loud, 'model', 'models')} of {len(framed)} with incidents" if loud else "Nothing found"
    start, end = min(s.period.start for s, _ in framed), max(s.period.end for s, _ in framed)
    return {
        "tab": f"{title} · {', '.join(_short(log) for log in frame.logs)}",
        "subject": sayings.name(f"{models} · {', '.join(_short(log) for log in frame.logs)}"),
        "facts": (
            words.judged(*(each for each, _ in framed)),
            words.span(Interval(start, end), frame.zone),
        ),
        "eyebrow": f"{models}, each scanned by itself",
        "title": title,
        "models": [_model(each, its_frame) for each, its_frame in ordered],
        "foot": _foot(scan, frame)[-2:],
        "command": _made_by(frame),
    }


def _model(scan: Scan, frame: Frame) -> dict[str, Any]:
    """A model's part of a page of several."""
    page = _page(scan, replace(frame, page=None))
    found = page["incidents"]
    return page | {
        "name": sayings.name(words.named(scan.model_id)),
        "headline": page["title"] if len(found) > 1 else found[0].title if found else page["quiet"].title,
        "priority": min((each.priority for each in scan.incidents), default=None),
        "rows": words.judged(scan),
        "method": page["foot"][:-2],
    }


def _urgency(scan: Scan) -> int:
    """The higher, the more it needs somebody."""
    return max((LAMPS_LIT[each.priority] for each in scan.incidents), default=-1)


def _made_by(frame: Frame) -> str:
    return frame.again(*(() if frame.page is None else ("--html", frame.page)))


def _page(scan: Scan, frame: Frame) -> dict[str, Any]:
    found = scan.incidents
    figures = scan.figures.incidents if scan.figures is not None else ()
    known = load_taxonomy()
    shown = []
    for number, each in enumerate(found):
        kind = known.types.get(each.incident_type)
        where = "" if kind is None else f" This type begins with: {known.cause_categories[kind.cause_category]}"
        drawn = figures[number] if number < len(figures) else None
        shown.append(incident.show(incident.Told(scan, frame, each, drawn, number, where)))
    decisions = words.judged(scan)
    several = f"{len(found)} incidents in {decisions}"
    tab = several if len(found) > 1 else shown[0].title if shown else "Nothing found"
    replayed = words.of_things(scan.evaluations, "evaluation", "evaluations")
    return {
        "models": (),
        "tab": f"{tab} · {sayings.name(words.named(scan.model_id))}",
        "subject": sayings.name(f"{words.named(scan.model_id)} · {', '.join(_short(log) for log in frame.logs)}"),
        "facts": (
            f"{decisions}, {words.span(scan.period, frame.zone)}",
            f"{replayed} replayed in {words.number(scan.seconds)}{words.HELD}s",
        ),
        "eyebrow": f"{len(found)} incidents found",
        "title": several,
        "incidents": shown,
        "quiet": None if found else quiet.show(scan, frame),
        "notes": [(words.moment(note.at, frame.zone), sayings.text(note.text)) for note in scan.notes],
        "warnings": [sayings.text(warning.text) for warning in scan.warnings],
        "foot": _foot(scan, frame),
        "command": _made_by(frame),
    }


def _foot(scan: Scan, frame: Frame) -> list[str]:
    detectors = words.of_things(len(scan.detectors), "detector", "detectors")
    columns = words.of_things(len(watched_columns(frame.model)), "declared column", "declared columns")
    looked = f"Looked every {words.length(scan.evaluation)} with {detectors} over {columns}"
    method = f"{looked}; each evaluation saw only what was known then."
    zone = f"Times are in {sayings.name(frame.model.time_zone)} (time_zone in the model file)."
    facts = (
        "Facts and hypotheses are kept apart: what is named a cause here is a hypothesis. Where evidence speaks of the "
        "known-good model, that is a surrogate fitted to the reference: good enough to find a shift, not to say of a "
        "single decision that it would have been otherwise. So how many would have been is not said."
    )
    lines = [f"{method} {zone}"]
    if scan.figures is not None:
        reference = f"{words.of_things(scan.figures.reference_rows, 'row', 'rows')} of the reference"
        lines.append(f"Before: {reference}, {words.span(scan.figures.reference_period, frame.zone)}.")
    return [*lines, facts, f"Schema {SCHEMA}: --json holds every finding with the rows that it came from."]


def _short(log: str) -> str:
    """A log's last name; nobody needs to see whose folder it lies in."""
    return log.rstrip("/").rsplit("/", 1)[-1].rsplit("?", 1)[0]


def _style() -> str:
    folder = pack("page")
    return "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in STYLES)


def _worst(scan: Scan) -> int | None:
    """The lamp that is lit: 0 someone must act, 1 watch, 2 quiet; None when nothing could be judged."""
    if not scan.evaluations:
        return None
    return 2 if not scan.incidents else 0 if any(each.priority in {"P0", "P1"} for each in scan.incidents) else 1


def _lamps(scan: Scan) -> list[Markup]:
    worst = _worst(scan)
    return [lit if place == worst else DIM for place, lit in enumerate(LIT)]


def _icon(scan: Scan) -> str:
    """The mark as a picture within the page."""
    colours = ("#AB1F18", "#E9A820", "#2E9A76")
    rectangle = partial('<rect x="3.5" y="{y}" width="11" height="5.5" rx="2" fill="{fill}"/>'.format)
    worst = _worst(scan)
    lamps = "".join(
        rectangle(y=1.5 + 6.75 * place, fill=colours[place] if place == worst else "#9A9486") for place in range(3)
    )
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">{lamps}</svg>'
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
