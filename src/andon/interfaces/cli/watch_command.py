"""`andon watch`: the open incidents, live."""

import sys
import time
from collections import deque
from collections.abc import Iterable
from typing import Any, Final

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from andon.base.errors import Unavailable
from andon.bootstrap import client
from andon.interfaces.cli import output
from andon.interfaces.cli.incident_command import PATH
from andon.interfaces.cli.incident_show import short
from andon.interfaces.cli.words import PRIORITY_MARKS, plain

SHOWN: Final = 15
LINES: Final = 10
AGAIN_SECONDS: Final = 2.0


def run(*, once: bool, as_json: bool, no_color: bool) -> None:
    """Watch until Ctrl-C; on no terminal, one line an event."""
    if once:
        found = _open()
        if as_json:
            output.emit_json({"items": found, "next": None})
        else:
            output.print_on(
                output.console(no_color=no_color), lambda console: console.print(view(found, (), waiting=_waiting()))
            )
        return
    if as_json or not sys.stdout.isatty():
        _follow(lambda event: output.emit(_line(event) if not as_json else output.to_json_line(event["data"])))
        return
    _live(output.console(no_color=no_color))


def view(incidents: list[dict[str, Any]], lines: Iterable[str], height: int | None = None, waiting: int = 0) -> Group:
    """The picture: open incidents, the most urgent first, two lines each, and the last lines of their timelines.

    Where it has to fit into a `height`, the last lines stay and the least urgent incidents go. `waiting`: so many
    groups of alerts opened none, as nobody said of which model they are.
    """
    said, shown = list(lines), incidents
    if height is not None:
        shown = incidents[: max(1, (height - 1 - LINES) // 2)]
        said = said[max(0, len(said) + 1 + 2 * len(shown) - height) :]
    is_all = len(shown) == len(incidents) < SHOWN
    count = f"{len(shown)} open" if is_all else f"the {len(shown)} most urgent"
    more = f"; alerts wait for a model ({waiting}): andon signal list --unmapped" if waiting else ""
    head = Text((count if shown else "no incident is open") + more, "bold", no_wrap=True, overflow="ellipsis")
    tail = [Text(line, no_wrap=True, overflow="ellipsis") for line in said]
    return Group(head, *(text for each in shown for text in _pair(each)), *tail)


def _pair(found: dict[str, Any]) -> tuple[Text, Text]:
    """An incident in two lines that are cut where the terminal ends: which and what; until when, and who is on it."""
    incident, answers = found["incident"], found["answers"]
    mark = f"{PRIORITY_MARKS[incident['priority']]} {incident['priority']}"
    what = f"{plain(incident['model_id'])}: {plain(incident['title'])}"
    which = f"{mark}  {incident['id']}  {incident['status']:9}  {what}"
    until = "no deadline" if answers["deadline"] == "none" else plain(answers["deadline"])
    then = f"{' ' * len(mark)}  {until}; {plain(answers['who'])}"
    return Text(which, no_wrap=True, overflow="ellipsis"), Text(then, "dim", no_wrap=True, overflow="ellipsis")


def _live(console: Console) -> None:
    lines: deque[str] = deque(maxlen=LINES)
    with Live(console=console, auto_refresh=False, screen=True) as live:
        live.update(view(_open(), lines, console.height, _waiting()), refresh=True)

        def draw(event: dict[str, Any]) -> None:
            if "data" in event:
                lines.append(_line(event).rstrip("\n"))
            live.update(view(_open(), lines, console.height, _waiting()), refresh=True)

        _follow(draw, is_patient=True)


def _follow(take: Any, *, is_patient: bool = False) -> None:
    """Take every event; where the stream breaks, go on behind the last one."""
    after: int | None = None
    while True:
        try:
            with client.server().events("/api/v1/stream", after) as events:
                for event in events:
                    after = int(event.get("id", after or 0))
                    if "data" in event or is_patient:
                        take(event)
        except Unavailable as error:
            if after is None:
                raise
            print(f"andon: {error}; trying again", file=sys.stderr)
        time.sleep(AGAIN_SECONDS)


def _open() -> list[dict[str, Any]]:
    """The most urgent open incidents, whole, of equals that whose clock runs out first.

    They are asked for by priority, as a list is the newest first and has an end.
    """
    found: list[dict[str, Any]] = []
    for priority in PRIORITY_MARKS:
        if len(found) < SHOWN:
            query = {"status": "open", "priority": priority, "limit": str(SHOWN - len(found))}
            found += client.server().ask("GET", PATH, query=query)["items"]
    return sorted((client.server().ask("GET", f"{PATH}/{each['id']}") for each in found), key=_urgency)


def _urgency(found: dict[str, Any]) -> tuple[str, str]:
    """Sorts by priority, then by the clock that runs out first; without one, last."""
    due = [clock["due_at"] for clock in found["clocks"] if clock["met_at"] is None]
    return found["incident"]["priority"], min(due, default="~")


def _waiting() -> int:
    """How many groups of alerts wait for a map; none for a token that is limited to certain models."""
    return len(client.server().ask("GET", "/api/v1/unmapped")["items"])


def _line(event: dict[str, Any]) -> str:
    data = event["data"]
    return f"{short(data['at'])}  {data['incident']}  {plain(data['by'])}: {plain(data['event'])}\n"
