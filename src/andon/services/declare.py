"""Declare: an incident begins, by a person or by an alert, and takes every alert of its key until it is closed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from andon.alert.alert import AHEAD_MAX
from andon.base.errors import BadInput, Conflict, Denied
from andon.base.nearest import nearest
from andon.incident.incident import Incident, incident_of
from andon.incident.key import IncidentKey
from andon.incident.opening import (
    ALERTS,
    ALERTS_MAX,
    TITLE_MAX,
    AlertFacts,
    Opening,
    chain_of,
    declared,
    get_row,
    home_of,
    joined_by_alerts,
    newest_of,
    opened_by_alerts,
    place_in_time,
)
from andon.incident.priority import LEVELS, SEVERITIES
from andon.incident.status import OPEN
from andon.ledger.journal import Command, Fact, Journal, View

UNCLASSIFIED: Final = "unclassified"
"""The type of what fits none; it starts high, as whatever nobody is sure about."""
UNSURE: Final = LEVELS["high"]


@dataclass(frozen=True, slots=True)
class Joined:
    """Where alerts went: the incident, which of them it took now, and whether they opened it."""

    incident_id: str
    alert_ids: tuple[str, ...]
    is_new: bool


@dataclass(frozen=True, slots=True)
class Declare:
    """Opens incidents, by commands of the journal.

    Attributes:
        journal: where to.
        floors: default severity of each type of the taxonomy.
        now: the time.
        actor: who acts, as a pseudonym.
        models: the models that the actor is limited to; none: all.
    """

    journal: Journal
    floors: Mapping[str, str]
    now: Callable[[], datetime]
    chance: Callable[[int], bytes]
    actor: str = "local"
    models: Sequence[str] = ()

    def declare(self, opening: Opening, request: str | None = None) -> Incident:
        """Declare an incident by hand; returns it.

        Raises:
            BadInput: the type, the priority or the title is none.
            Conflict: one of this key is open already; it is named.
            Denied: the actor may not see this model.
        """
        self._check(opening)

        def decide(view: View) -> Fact:
            newest = newest_of(view, opening.key)
            if newest is not None and newest["status"] in OPEN:
                raise Conflict(
                    f"{newest['id']} is open for this model, type and environment: work in that one, or close it first"
                )
            return declared(view, opening, self.now(), self.actor, self._floor(opening.key))

        command = Command(request or f"declare_{self.chance(16).hex()}", decide, is_alone=True)
        return incident_of(get_row(self.journal, self.journal.commit(command).fact.stream))

    def open_or_join(self, key: IncidentKey, alerts: Sequence[AlertFacts]) -> tuple[Joined, ...]:
        """Give alerts of one key to the incident that they belong to, and open it where there is none.

        An incident takes every alert of its key until it is closed; after that, an alert that began before the end
        still attaches, a later one opens a new incident that follows the old one. Alerts that an incident has are
        passed over, so a call may be repeated at any time, whole or in part, by any server.

        Args:
            key: where, which model, which type (`unclassified` where none fits).
            alerts: at least one; those that begin earlier are looked at first.

        Returns:
            One answer per incident that was opened or that took alerts now; none when all were known.
        """
        distinct = {each.alert_id: each for each in alerts}.values()
        left = sorted(distinct, key=lambda each: (each.starts_at, each.alert_id))
        done = []
        while left:
            part = left[:ALERTS_MAX]
            fact, is_ours = self._take(key, part)
            taken = {each["id"] for each in fact.data["alerts"]} if fact else {each.alert_id for each in part}
            left = [each for each in left if each.alert_id not in taken]
            if fact is not None and is_ours:
                ids = tuple(each["id"] for each in fact.data["alerts"])
                done.append(Joined(fact.stream, ids, fact.kind == "incident_declared"))
        return tuple(done)

    def _take(self, key: IncidentKey, alerts: Sequence[AlertFacts]) -> tuple[Fact | None, bool]:
        """Those of the alerts that belong where the first new one belongs, and whether this call took them.

        None: every alert has its incident already.
        """
        floor = self._floor(key)

        def decide(view: View) -> Fact:
            rows = view.list_rows(ALERTS, {"id": tuple(each.alert_id for each in alerts)})
            known = {row["id"] for row in rows}
            new = [each for each in alerts if each.alert_id not in known]
            if not new:
                raise _AllKnown
            begun = {each.alert_id: place_in_time(each.starts_at) or "" for each in new}
            chain = chain_of(view, key, min(begun.values()))
            homes = {name: home_of(chain, starts_at) for name, starts_at in begun.items()}
            home = homes[new[0].alert_id]
            together = [each for each in new if homes[each.alert_id] == home]
            if home is None:
                return opened_by_alerts(view, key, together, self.now(), self.actor, floor)
            return joined_by_alerts(home, together, self.actor, floor)

        names = "\n".join((key.text, *(each.alert_id for each in alerts)))
        request = f"alerts_{sha256(names.encode()).hexdigest()[:40]}"
        try:
            done = self.journal.commit(Command(request, decide, is_alone=True))
        except _AllKnown:
            return None, False
        return done.fact, not done.was_done

    def _floor(self, key: IncidentKey) -> str:
        return self.floors.get(key.incident_type, SEVERITIES[UNSURE])

    def _check(self, opening: Opening) -> None:
        kind = opening.key.incident_type
        if kind not in self.floors and kind != UNCLASSIFIED:
            near = nearest(kind, self.floors)
            meant = f"did you mean {near}?" if near else f"it is one of {', '.join(self.floors)} or {UNCLASSIFIED}"
            raise BadInput(f"there is no type of incident {kind}: {meant}")
        if opening.priority is not None and opening.priority not in SEVERITIES:
            raise BadInput(f"there is no priority {opening.priority}: write P0, P1, P2 or P3")
        if not 0 < len(opening.title.strip()) <= TITLE_MAX:
            raise BadInput(f"an incident needs a title of 1 to {TITLE_MAX} letters: say in one line what is wrong")
        self._check_times(opening)
        if self.models and opening.key.model_id not in self.models:
            limits = ", ".join(self.models)
            named = opening.key.model_id
            raise Denied(f"this token is limited to {limits} and may not touch {named}: use one for that model")

    def _check_times(self, opening: Opening) -> None:
        """Refuse times that cannot be: after now, or an estimate outside its own interval."""
        started, latest = opening.started, self.now() + AHEAD_MAX
        known = [each for each in (started.low, started.at, started.high) if each is not None]
        if any(each > latest for each in (*known, *([opening.detected_at] if opening.detected_at else []))):
            minutes = int(AHEAD_MAX.total_seconds() // 60)
            raise BadInput(f"a time is more than {minutes} minutes ahead of the server: mend it, or set the clock")
        if known != sorted(known):
            raise BadInput("the start lies outside its interval: give started_low <= started_at <= started_high")


class _AllKnown(Exception):  # no error: other calls took the alerts meanwhile
    """Every alert has its incident."""
