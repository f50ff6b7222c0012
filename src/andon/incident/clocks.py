"""The clocks of an incident: the response and the phases of its priority, from when it became that urgent."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from andon.duty.calendar import due_at
from andon.duty.clock import Clock
from andon.incident.taxonomy import PriorityLevel, Severities, SeverityLevel

RESPONSE: Final = "response"
IMPORTED: Final = "imported"
"""The origin of an incident that came as a record: it ran elsewhere, so no clock runs and nothing happens by itself."""
MILESTONES: Final = {
    "acknowledged": ("acknowledged_at", "contained_at", "resolved_at", "closed_at"),
    "triaged": ("triaged_at", "resolved_at", "closed_at"),
    "cause": ("cause_at", "resolved_at", "closed_at"),
    "contained": ("contained_at", "resolved_at", "closed_at"),
    "resolved": ("resolved_at", "closed_at"),
    "closed": ("closed_at",),
}
"""What ends a clock: the earliest of these; who resolves an incident needs no triage any more. A reopening takes back
the acknowledgement; the triage's answers and a confirmed cause stand until somebody changes them."""


def clocks_of(row: Mapping[str, Any], severities: Severities) -> list[Clock]:
    """The clocks of an incident by its priority.

    They start anew when it is reopened. When the priority rises they start from there, unless the clock of that name
    which ran before is due earlier: then that one goes on. To be told that it is worse gives nobody more time.
    """
    if row["origin"] == IMPORTED and row["reopened_at"] is None:
        return []
    steps = [(read(at), severities.severities[level]) for level, at in steps_of(row)]
    ran = [clock for start, level in steps for clock in _begun(row, level, start)]
    names = [clock.name for clock in _begun(row, steps[-1][1], steps[-1][0])]
    return [min((each for each in ran if each.name == name), key=lambda each: each.due_at) for name in names]


def steps_of(row: Mapping[str, Any]) -> list[tuple[PriorityLevel, str]]:
    """The priorities of an incident that count, and from when: each more urgent than the one before, the last now.

    They begin with the declaration, the last reopening, or where a person lowered the priority.
    """
    before = [(level, at) for level, at in json.loads(row["rises"] or "[]")]
    start = max(row[name] for name in ("declared_at", "reopened_at", "rose_at") if row[name] is not None)
    return [*before, (row["priority"], start)]


def _begun(row: Mapping[str, Any], level: SeverityLevel, start: datetime) -> list[Clock]:
    """The clocks of a priority that began at a time."""
    wanted = [(RESPONSE, level.respond_within, "acknowledged")]
    wanted += [(phase.name, phase.within, phase.until) for phase in level.phases]
    return [Clock(name, start, due_at(length, start), _met(row, until, start)) for name, length, until in wanted]


def is_acknowledged(row: Mapping[str, Any]) -> bool:
    """Whether somebody said to be at work on it; after a reopening since then, as who came before may have gone."""
    at, reopened = row["acknowledged_at"], row["reopened_at"]
    return at is not None and (reopened is None or read(at) >= read(reopened))


def nearest_of(clocks: list[Clock]) -> Clock | None:
    """The clock that runs out first of those that run or were missed; None: none does."""
    return min((each for each in clocks if each.met_at is None), key=lambda each: each.due_at, default=None)


def spoken(at: datetime | str) -> str:
    """A time for people: `2026-11-26 04:00 UTC`."""
    when = read(at) if isinstance(at, str) else at
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def length(span: timedelta) -> str:
    """A length for people, its two largest units: `1 d 8 h`, `45 min`."""
    minutes = int(span.total_seconds()) // 60
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, "d"), (hours, "h"), (rest, "min")]
    first = next((i for i, (count, _) in enumerate(parts) if count), 2)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2])


def read(at: str) -> datetime:
    """A time as the tables hold it."""
    return datetime.fromisoformat(at)


def _met(row: Mapping[str, Any], until: str, start: datetime) -> datetime | None:
    gone = () if is_acknowledged(row) else ("acknowledged_at",)
    times = [read(row[name]) for name in MILESTONES[until] if row[name] is not None and name not in gone]
    return max(min(times), start) if times else None
