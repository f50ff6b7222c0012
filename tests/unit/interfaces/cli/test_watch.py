"""What `andon watch` shows at a glance: two lines an incident, as narrow as the terminal is."""

import pytest
from rich.console import Console

from andon.interfaces.cli.watch_command import view

TITLE = "dest_delay_index below 0.1625 in 97.3% of decisions where dest_region = 'Mountain', 0.0% expected"


def opened(number):
    incident = {"id": f"AI-INC-2026-{number:04}", "status": "contained", "priority": "P1", "title": TITLE}
    answers = {
        "who": "administrator (commander, technical lead), ben (data engineer)",
        "deadline": "response: 11 min left, due 2026-11-27 23:06 UTC",
    }
    return {"incident": incident | {"model_id": "bts-flights-2001-recovery-priority"}, "answers": answers}


@pytest.mark.parametrize("width", [60, 80, 200])
def test_an_incident_has_two_lines_however_narrow_the_terminal_is(width):
    console = Console(width=width, color_system=None)
    with console.capture() as page:
        console.print(view([opened(1), opened(2)], ["22:58:59  AI-INC-2026-0001  andon: Evidence sealed"]))
    lines = page.get().splitlines()
    assert len(lines) == 6
    assert max(len(line) for line in lines) <= width
    assert lines[1].startswith("●●○ P1  AI-INC-2026-0001  contained  bts-flights-2001-re")
    assert "response: 11 min left, due 2026-11-27 23:06 UTC" in lines[2]
    assert lines[3].startswith("●●○ P1  AI-INC-2026-0002")


@pytest.mark.parametrize(("height", "incidents", "events"), [(60, 15, 10), (24, 6, 10), (10, 1, 7), (3, 1, 0)])
def test_the_last_events_are_seen_however_low_the_terminal_is(height, incidents, events):
    console = Console(width=80, color_system=None)
    said = [
        f"22:58:59  AI-INC-2026-0001  andon: event {number} of many that are longer than a line" for number in range(10)
    ]
    with console.capture() as page:
        console.print(view([opened(number) for number in range(15)], said, height))
    lines = page.get().splitlines()
    assert len(lines) <= height
    assert sum(line.startswith("●") for line in lines) == incidents
    assert sum("event" in line for line in lines) == events
    assert lines[0] == f"the {incidents} most urgent"
    assert not events or "event 9" in lines[-1]


@pytest.mark.parametrize(
    ("waiting", "says"), [(0, "no incident is open"), (2, "no incident is open; alerts wait for a model (2)")]
)
def test_alerts_that_wait_for_a_model_are_not_forgotten(waiting, says):
    console = Console(width=120, color_system=None)
    with console.capture() as page:
        console.print(view([], [], waiting=waiting))
    assert page.get().splitlines()[0].split(": andon signal list --unmapped")[0] == says
