"""`andon incident show` and `timeline`: the six answers first, then the rest."""

import shlex
from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from andon.bootstrap import client
from andon.interfaces.cli import output
from andon.interfaces.cli.incident_command import PATH
from andon.interfaces.cli.words import PRIORITY_MARKS, plain

QUESTIONS: Final = (
    ("what", "what"),
    ("since", "since"),
    ("how_many", "how many"),
    ("may_do", "you may"),
    ("who", "who"),
    ("deadline", "deadline"),
)
LABEL_WIDTH: Final = 10


def show(incident: str, *, as_json: bool) -> None:
    """Show an incident."""
    found = client.server().ask("GET", f"{PATH}/{client.quoted(incident)}")
    if as_json:
        output.emit_json(found)
        return
    output.print_on(output.console(no_color=False), lambda console: draw(console, found))


def timeline(incident: str, limit: int, *, as_json: bool) -> None:
    """Print the last lines of a timeline, in their order."""
    query = {"limit": limit, "newest": "true"}
    found = client.server().ask("GET", f"{PATH}/{client.quoted(incident)}/timeline", query=query)
    found["items"].reverse()
    if as_json:
        output.emit_json(found)
        return
    for each in found["items"]:
        output.emit(f"{short(each['at'])}  {plain(each['by'])}: {plain(each['event'])}\n")


def search(words: str, limit: int, *, as_json: bool) -> None:
    """Search, and show where the words stand."""
    found = client.server().ask("GET", "/api/v1/search", query={"q": words, "limit": limit})
    if as_json:
        output.emit_json(found)
        return
    for each in found["items"]:
        place, at = each["incident_id"] or "-", short(each["at"] or "-")
        output.emit(f"{place:16}  {at:19}  {each['kind']:8}  {plain(each['text'])}\n")
    if not found["items"]:
        output.emit("nothing that you may see holds these words\n")


def draw(console: Console, found: dict[str, Any]) -> None:
    """An incident, the six answers first."""
    draw_answers(console, found)
    console.print(Padding.indent(_rest(found), 2))
    if found["seal"] is not None:
        console.print(Text(_seal(found["seal"])), soft_wrap=True)


def draw_answers(console: Console, found: Mapping[str, Any]) -> None:
    """The six answers of an incident, and its clocks."""
    incident, answers = found["incident"], found["answers"]
    head = f"{PRIORITY_MARKS[incident['priority']]} {incident['id']}  {incident['priority']} {incident['severity']}"
    console.print(Text(f"{head}, {incident['status']}", style="bold"))
    table = _grid()
    for key, label in QUESTIONS:
        said = "\n".join(_step(each) for each in answers[key]) if key == "may_do" else answers[key]
        table.add_row(label, Text(said if key == "may_do" else plain(said)))
    if found["clocks"]:
        table.add_row("clocks", Text("\n".join(_safe(_clock(each)) for each in found["clocks"])))
    console.print(Padding.indent(table, 2))


def _rest(found: dict[str, Any]) -> Table:
    incident = found["incident"]
    table = _grid()
    table.add_row(f"why {incident['priority']}", Text(_why(incident)))
    for label, lines in (
        ("checklist", [_checks(found["checks"])]),
        ("sealed", [found["seal"]["id"]] if found["seal"] else []),
        ("facts", found["facts"]),
        ("files", [_file(each) for each in found["files"]]),
        ("supposed", [f"{each['number']}. {each['state']}: {each['text']}" for each in found["hypotheses"]]),
        ("decided", [_decision(each) for each in found["decisions"]]),
        ("tasks", [_task(each) for each in found["tasks"]]),
        ("hand over", _handover(found)),
        ("actions", [_action(each) for each in found["actions"]]),
        ("linked", _linked(found)),
        ("lately", [f"{short(each['at'])} {each['event']}" for each in found["timeline"]]),
    ):
        if lines:
            table.add_row(label, Text("\n".join(map(_safe, lines))))
    return table


def _grid() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True, min_width=LABEL_WIDTH)
    table.add_column(overflow="fold")
    return table


def _safe(text: str) -> str:
    return "\n".join(map(plain, text.split("\n")))


def _step(each: dict[str, str]) -> str:
    return f"{each['command']}\n  {each['does']}; undo: {each['undo']}"


def _why(incident: dict[str, Any]) -> str:
    lacks = f"; not known: {'; '.join(incident['facts_missing'])}" if incident["facts_missing"] else ""
    differs = incident["proposed"] != incident["priority"]
    proposed = f"set by a person; the facts propose {incident['proposed']}: " if differs else ""
    return plain(f"{proposed}{incident['rule']}{lacks}")


def _clock(each: dict[str, Any]) -> str:
    return f"{each['name']}: {each['state']}, {each['percent']}% used, due {short(each['due_at'])}"


def _checks(checks: list[dict[str, Any]]) -> str:
    done = sum(each["at"] is not None for each in checks)
    computed = sum(each["at"] is None and each["computed"] is not None for each in checks)
    return f"{done} of {len(checks)} answered, {computed} more prefilled"


SEAL: Final = """
Sealed: {id} over {size:,} entries. Keep this checkpoint elsewhere, it shows any later change:

{note}
The bundle: POST /api/v1/seals/{id}/export (where no server runs: andon evidence export {id} --out bundle.zip)
Anybody checks it, without Andon: python3 -I -S verify.py bundle.zip"""


def _seal(seal: dict[str, Any]) -> str:
    return SEAL.format(**seal)


def _decision(each: dict[str, Any]) -> str:
    others = "; ".join(option for option in each["options"] if option != each["choice"])
    return f"{each['number']}. {short(each['at'])} {each['choice']} (not {others}): {each['rationale']}"


def _linked(found: dict[str, Any]) -> list[str]:
    before = found["incident"]["follows"]
    links = [f"{each['other_id']} ({each['relation']})" for each in found["links"]]
    return [*([f"{before} (this one follows it)"] if before else []), *links]


def _task(each: dict[str, Any]) -> str:
    alone = ", by the commander, who is alone" if each["alone"] else ""
    due = short(each["due_at"])
    return f"{each['number']}. {each['status']}, {each['owner_name']}, {each['kind']}{alone}, due {due}: {each['text']}"


def _file(each: dict[str, Any]) -> str:
    erased = f", erased {short(each['erased_at'])}" if each["erased_at"] else ""
    text = f": {each['text']}" if each["text"] else ""
    return f"{each['number']}. {each['name']}, {each['bytes']:,} bytes{erased}{text} (sha256 {each['sha256'][:16]}…)"


def _handover(found: dict[str, Any]) -> list[str]:
    if found["handover"] is None:
        return []
    name, to = found["incident"]["id"], found["handover"]
    return [f"the commander debugs; {to} is there: andon incident handover {name} commander --to {shlex.quote(to)}"]


def _action(each: dict[str, Any]) -> str:
    return f"{each['action'].replace('_', ' ')}: {each['state']}" + (f" ({each['receipt']})" if each["receipt"] else "")


def short(at: str) -> str:
    """`2026-11-26 19:02:05`, in UTC."""
    return at[:19].replace("T", " ")
