"""Sift: look at alerts, silence what is known, map what nobody knows the model of."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from andon.alert import matcher
from andon.alert.matcher import Matchers
from andon.alert.place import UNMAPPED
from andon.alert.signal import GROUPED, WAITING
from andon.alert.tables import ALERTS, MAPS, SIGNALS, SILENCES, alert_of, stored
from andon.alert.unmapped import UnmappedGroup, grouped
from andon.base.errors import BadInput, Conflict, Denied, NotFound
from andon.base.ids import new_id
from andon.base.nearest import nearest
from andon.incident.opening import at_home, family, get_row
from andon.inventory.register import MODELS
from andon.ledger.journal import Command, Fact, Journal, Page, View
from andon.ledger.pages import newest

SILENCE_MAX: Final = timedelta(days=90)
MODEL: Final = "model_id"
UNMAPPED_SHOWN: Final = 2_000
"""So many alerts without a model are looked at for their groups."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alerts to list; None: any."""

    state: str | None = None
    hold: str | None = None
    model_id: str | None = None
    incident_id: str | None = None


@dataclass(frozen=True, slots=True)
class Mapped:
    """What alerts with certain labels are to be about; None: as their labels say."""

    matchers: Sequence[str]
    model_id: str | None = None
    incident_type: str | None = None
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Sift:
    """Alerts, silences and maps, by commands of the journal.

    Attributes:
        journal: where to.
        types: the types of the taxonomy.
        now, chance: time and randomness.
        actor: who acts, as a pseudonym.
        models: the models that the actor is limited to; none: all.
    """

    journal: Journal
    types: Collection[str]
    now: Callable[[], datetime]
    chance: Callable[[int], bytes]
    actor: str = "local"
    models: Sequence[str] = ()

    def list_alerts(self, wanted: Wanted, limit: int = 100, after: str | None = None) -> list[dict[str, Any]]:
        """Alerts, the newest first by their start; `after`: the `place` of the last of the page before."""
        where = {name: getattr(wanted, name) for name in ("state", "hold", "model_id", "incident_id")}
        where = {name: value for name, value in where.items() if value is not None}
        if wanted.incident_id is not None:
            where["incident_id"] = family(self.journal, wanted.incident_id)
        registered = {row["id"] for row in self.journal.list_rows(MODELS)}
        rows = newest(self.journal, ALERTS, where, Page(limit, after), self._covers)
        homes = {row["incident_id"]: self._home(row["incident_id"]) for row in rows}
        known = [{**row, "is_registered": row["model_id"] in registered} for row in rows]
        return [{**row, "incident_id": homes[row["incident_id"]]} for row in known]

    def get_signal(self, signal_id: str) -> dict[str, Any]:
        """What became of a signal: `waiting` until all its alerts are grouped.

        Raises:
            NotFound: there is none, or it held no alert.
        """
        parts = self.journal.list_rows(SIGNALS, {"signal_id": signal_id})
        if not parts:
            raise NotFound(f"there is no signal {signal_id} with alerts: look at the answer to what was sent")
        state = WAITING if any(part["state"] == WAITING for part in parts) else GROUPED
        first = {name: parts[0][name] for name in ("signal_id", "channel", "at")}
        return {**first, "alerts": sum(part["alerts"] for part in parts), "state": state}

    def list_unmapped(self) -> Sequence[UnmappedGroup]:
        """Alerts of which nothing says the model, by group, each with the map that its labels suggest.

        Nothing says yet whose they are, so whoever is limited to certain models sees none, as in a search.
        """
        if self.models:
            return ()
        rows = self.journal.list_rows(
            ALERTS, {"hold": UNMAPPED}, Page(UNMAPPED_SHOWN, is_newest_first=True, by="place")
        )
        models = [row["id"] for row in self.journal.list_rows(MODELS)]
        alerts = [(row, alert_of(row)) for row in reversed(rows) if row["content"] is not None]
        told = [(each.group_key, each.source, each.title, not each.is_resolved, each.labels) for _, each in alerts]
        return grouped(told, [name for name in models if self._covers(name)])

    def silence(
        self,
        matchers: Iterable[str],
        lasting: timedelta,
        reason: str,
        starts_at: datetime | None = None,
        request: str | None = None,
    ) -> dict[str, Any]:
        """Let alerts with certain labels open nothing for a while; they are kept, and open one if they outlast it.

        Raises:
            BadInput: the matchers, the length or the reason are none.
            Denied: alerts of models that the actor is not for could match.
        """
        found, start = self._within(matcher.asked(matchers)), starts_at or self.now()
        if not timedelta(0) < lasting <= SILENCE_MAX:
            raise BadInput(f"a silence lasts up to {SILENCE_MAX.days} days: give a shorter length, such as 2h")
        if start + lasting <= self.now():
            raise BadInput("the silence would be over already: give a later start or a longer length")
        if not reason.strip():
            raise BadInput("say why, so that whoever misses an alert can ask: give a reason")
        silence_id = new_id("sil", self.now(), self.chance(10))
        data = {"starts_at": stored(start), "ends_at": stored(start + lasting)}
        private = {"matchers": found.text, "reason": reason.strip()[:10_000]}
        fact = Fact("silence_made", silence_id, self.actor, data, private)
        done = self.journal.commit(Command(request or silence_id, lambda _: fact))
        return self._silence(done.fact.stream)

    def lift(self, silence_id: str) -> dict[str, Any]:
        """End a silence now.

        Raises:
            NotFound: there is none.
            Conflict: it is over.
        """

        def decide(view: View) -> Fact:
            row = view.find(SILENCES, silence_id)
            if row is None or not self._is_ours(row):
                raise NotFound(f"there is no silence {silence_id}: `andon signal silences` lists them")
            if row["ends_at"] <= stored(self.now()):
                raise Conflict(f"{silence_id} was over at {row['ends_at']} already")
            return Fact("silence_lifted", silence_id, self.actor, {})

        self.journal.commit(Command(f"lift_{self.chance(16).hex()}", decide))
        return self._silence(silence_id)

    def list_silences(self) -> list[dict[str, Any]]:
        """All silences that the actor may lift, those that are over too."""
        return [self._silence(row["id"]) for row in self.journal.list_rows(SILENCES) if self._is_ours(row)]

    def map_alerts(self, mapped: Mapped, request: str | None = None) -> dict[str, Any]:
        """Say what alerts with certain labels are about; those that wait for it go to their incident.

        Raises:
            BadInput: the matchers or the type are none, or nothing is said.
            Denied: the actor may not touch the model.
        """
        found = matcher.asked(mapped.matchers)
        if mapped.model_id is None and mapped.incident_type is None and mapped.environment is None:
            raise BadInput("a map says a model, a type or an environment: give at least --model")
        if mapped.incident_type is not None and mapped.incident_type not in self.types:
            near = nearest(mapped.incident_type, self.types)
            meant = f"did you mean {near}?" if near else f"it is one of {', '.join(self.types)}"
            raise BadInput(f"there is no type of incident {mapped.incident_type}: {meant}")
        if mapped.model_id is not None and not mapped.model_id.isprintable():
            raise BadInput("the model's id has letters that do not print: mend it")
        if self.models and mapped.model_id not in self.models:
            limits = ", ".join(self.models)
            raise Denied(
                f"this token is limited to {limits} and may not touch {mapped.model_id}: use one for that model"
            )
        map_id = new_id("map", self.now(), self.chance(10))
        names = ("model_id", "incident_type", "environment")
        data = {name: getattr(mapped, name) for name in names}
        fact = Fact("alert_map_made", map_id, self.actor, data, {"matchers": found.text})
        done = self.journal.commit(Command(request or map_id, lambda _: fact))
        return self._get(MAPS, done.fact.stream, "map")

    def unmap(self, map_id: str) -> dict[str, Any]:
        """Take a map away; what it mapped stays where it is.

        Raises:
            NotFound: there is none.
        """

        def decide(view: View) -> Fact:
            row = view.find(MAPS, map_id)
            if row is None or row["removed_at"] is not None or not self._covers(row["model_id"]):
                raise NotFound(f"there is no map {map_id}: `andon signal maps` lists them")
            return Fact("alert_map_removed", map_id, self.actor, {})

        self.journal.commit(Command(f"unmap_{self.chance(16).hex()}", decide))
        return self._get(MAPS, map_id, "map")

    def list_maps(self) -> list[dict[str, Any]]:
        """The maps that hold, in the order in which they are tried."""
        rows = [row for row in self.journal.list_rows(MAPS) if row["removed_at"] is None]
        return [row for row in rows if self._covers(row["model_id"])]

    def _home(self, incident: str | None) -> str | None:
        """Where people work on an alert: the incident, or the one that it went up in."""
        return None if incident is None else str(at_home(self.journal, get_row(self.journal, incident)).row["id"])

    def _within(self, found: Matchers) -> Matchers:
        """What an actor for certain models may silence: alerts of one of these; of an only one it goes without saying.

        Raises:
            Denied: it does not say which, or another.
        """
        if not self.models:
            return found
        named = dict(found.wanted).get(MODEL, self.models[0] if len(self.models) == 1 else "")
        if named not in self.models:
            limits = ", ".join(self.models)
            raise Denied(f"this token may silence alerts of {limits} only: add the matcher {MODEL}={self.models[0]}")
        return matcher.parse([*found.text.split("\n"), f"{MODEL}={named}"])

    def _is_ours(self, row: Mapping[str, Any]) -> bool:
        """Whether a silence is about models of the actor."""
        return not self.models or dict(matcher.parse(row["matchers"].split("\n")).wanted).get(MODEL) in self.models

    def _covers(self, model_id: str | None) -> bool:
        return not self.models or model_id in self.models

    def _silence(self, silence_id: str) -> dict[str, Any]:
        row = self._get(SILENCES, silence_id, "silence")
        return {**row, "is_active": row["starts_at"] <= stored(self.now()) < row["ends_at"]}

    def _get(self, table: str, key: str, noun: str) -> dict[str, Any]:
        row = self.journal.find(table, key)
        if row is None:
            raise NotFound(f"there is no {noun} {key}")
        return row
