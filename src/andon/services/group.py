"""Group: a follower that makes alerts of accepted signals and gives them to incidents.

Each step may be repeated from its beginning by any server: the alerts are joined, the incidents know theirs, and only
the last command of a step says that its signals are done.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from andon.alert.alert import FIRING, Alert, alert_from, join
from andon.alert.place import SILENCED, UNMAPPED, AlertMap, Place, Silence, hold_of, place_of
from andon.alert.signal import PART_ALERTS, WAITING
from andon.alert.tables import ALERTS, MAPS, SIGNALS, SILENCES, alert_of, map_of, silence_of, stored
from andon.incident.endings import ended
from andon.incident.facts import from_fields
from andon.incident.key import IncidentKey
from andon.incident.opening import ALERTS as OF_INCIDENTS
from andon.incident.opening import AlertFacts, Estimate
from andon.ledger.journal import Command, Fact, Journal, Page, View

ACTOR: Final = "grouping"
PARTS_MAX: Final = 200
HELD_AT_ONCE: Final = 200

Join = Callable[[IncidentKey, Sequence[AlertFacts]], object]
"""Gives alerts of one key to their incident; the same again changes nothing."""


@dataclass(frozen=True, slots=True)
class Settled:
    """An alert and what was decided of it."""

    alert: Alert
    place: Place
    hold: str | None
    first_at: str
    incident_id: str | None = None

    @property
    def facts(self) -> AlertFacts:
        """What it says of its incident."""
        alert, more = self.alert, self.alert.more
        started = {name: datetime.fromisoformat(at) for name, at in more.get("started", {}).items()}
        assert alert.starts_at is not None  # noqa: S101  # settled alerts have one
        return AlertFacts(
            alert.id,
            alert.starts_at,
            alert.title,
            f"{alert.labels.get('alertname') or alert.source} alert",
            alert.source,
            self.place.severity,
            from_fields(more.get("facts", {})),
            self.place.model_version,
            more.get("slice"),
            Estimate(**started),
        )


@dataclass(slots=True)
class Group:
    """The follower.

    Attributes:
        journal: the tables.
        types: the types of the taxonomy.
        join: gives alerts to incidents.
        now: the time.
    """

    journal: Journal
    types: Collection[str]
    join: Join
    now: Callable[[], datetime]
    _looked: object = field(default=None)

    def step(self) -> int:
        """Do a part of what there is to do; how many alerts that were, at least 1; 0: there is nothing to do."""
        maps, silences = self._rules()
        if (released := self._release(maps, silences)) > 0:
            return released
        waiting = self.journal.list_rows(SIGNALS, {"state": WAITING}, Page(PARTS_MAX))
        parts = list(_until(waiting, PART_ALERTS))
        if not parts:
            return 0
        found: dict[str, tuple[Alert, str]] = {}
        for part in parts:
            for document in json.loads(part["content"] or "[]"):
                self._observe(alert_from(document), part["at"], found)
        self._settle(found, maps, silences, tuple(part["id"] for part in parts))
        return max(1, len(found))

    def _rules(self) -> tuple[list[AlertMap], list[Silence]]:
        now = stored(self.now())
        maps = [map_of(row) for row in self.journal.list_rows(MAPS) if row["removed_at"] is None]
        rows = [row for row in self.journal.list_rows(SILENCES) if row["starts_at"] <= now < row["ends_at"]]
        return maps, [silence_of(row) for row in rows]

    def _observe(self, alert: Alert, at: str, found: dict[str, tuple[Alert, str]]) -> None:
        """Add a signal's alert to those of this step; `at`: when it was accepted."""
        timed = alert if alert.starts_at is not None else self._timed(alert, at, found)
        if timed is None:
            return
        if timed.id in found:
            known, first_at = found[timed.id]
            found[timed.id] = (join(known, timed), min(first_at, at))
        else:
            found[timed.id] = (timed, at)

    def _timed(self, alert: Alert, at: str, found: Mapping[str, tuple[Alert, str]]) -> Alert | None:
        """An alert of a source without times: it joins the one that fires; None: nothing is there to be resolved."""
        here = [
            each for each, _ in found.values() if (each.source, each.fingerprint) == (alert.source, alert.fingerprint)
        ]
        where = {"source": alert.source, "fingerprint": alert.fingerprint}
        rows = self.journal.list_rows(ALERTS, where, Page(1, is_newest_first=True, by="starts_at"))
        known = max([*here, *(alert_of(row) for row in rows if row["content"])], key=_start_and_state, default=None)
        if known is not None and not known.is_resolved:
            if not alert.is_resolved:
                return replace(alert, starts_at=known.starts_at)
            labels, annotations = {**known.labels, **alert.labels}, {**known.annotations, **alert.annotations}
            end = alert.ends_at or datetime.fromisoformat(at)
            return replace(known, labels=labels, annotations=annotations, is_resolved=True, ends_at=end)
        if alert.is_resolved:
            return None
        noticed = alert.more.get("noticed_at")
        start = datetime.fromisoformat(noticed or at)
        if known is not None and known.starts_at is not None:
            start = max(start, known.starts_at + timedelta(microseconds=1))
        return replace(alert, starts_at=start)

    def _release(self, maps: Sequence[AlertMap], silences: Sequence[Silence]) -> int:
        """Let go what nothing holds back any more; how many.

        It is looked at only when a map or a silence came, went or ended.
        """
        rules = (tuple(maps), tuple(silences))
        if rules == self._looked:
            return 0
        for hold in (UNMAPPED, SILENCED):
            after = None
            while rows := self.journal.list_rows(ALERTS, {"hold": hold}, Page(HELD_AT_ONCE, after)):
                after = rows[-1]["id"]
                free = {
                    row["id"]: (alert_of(row), row["first_at"]) for row in rows if self._is_free(row, maps, silences)
                }
                if free:
                    self._settle(free, maps, silences, ())
                    return len(free)
        self._looked = rules
        return 0

    def _is_free(self, row: Mapping[str, Any], maps: Sequence[AlertMap], silences: Sequence[Silence]) -> bool:
        """Whether an alert that is held is held no more; what was over while it was silenced never opens anything."""
        if row["content"] is None or (row["hold"] == SILENCED and row["state"] != FIRING):
            return False
        alert = alert_of(row)
        held: str = row["hold"]
        return hold_of(alert, place_of(alert, maps, self.types), silences, self.now()) != held

    def _settle(
        self,
        found: Mapping[str, tuple[Alert, str]],
        maps: Sequence[AlertMap],
        silences: Sequence[Silence],
        parts: Sequence[str],
    ) -> None:
        """Decide of some alerts, give them to their incidents, and record that."""
        known = self._rows(ALERTS, found)
        settled = [self._decided(alert, at, known.get(name), maps, silences) for name, (alert, at) in found.items()]
        by_key: dict[tuple[str, str, str], list[Settled]] = {}
        for each in settled:
            if each.hold is None and each.place.key is not None:
                by_key.setdefault(each.place.key, []).append(each)
        for (environment, model_id, kind), members in sorted(by_key.items()):
            self.join(IncidentKey(model_id, kind, environment), [each.facts for each in members])
        homes = self._rows(OF_INCIDENTS, found)
        placed = [_placed(each, homes.get(each.alert.id)) for each in settled]
        self._tell_endings(placed)
        for start in range(0, max(len(placed), 1), PART_ALERTS):
            chunk = placed[start : start + PART_ALERTS]
            self._record(chunk, parts if start + PART_ALERTS >= len(placed) else ())

    def _rows(self, table: str, names: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Those of some rows that are there, by id: one question instead of hundreds."""
        return {row["id"]: row for row in self.journal.list_rows(table, {"id": tuple(names)})}

    def _decided(
        self,
        alert: Alert,
        at: str,
        row: Mapping[str, Any] | None,
        maps: Sequence[AlertMap],
        silences: Sequence[Silence],
    ) -> Settled:
        """What becomes of an alert, of which `row` is what was known."""
        first_at = at
        if row is not None:
            first_at = min(at, row["first_at"])
            alert = alert if row["content"] is None else join(alert, alert_of(row))
        place = place_of(alert, maps, self.types)
        hold = hold_of(alert, place, silences, self.now())
        if row is not None and row["incident_id"] is not None:
            hold = None
        elif row is not None and row["hold"] == SILENCED and alert.is_resolved:
            hold = SILENCED
        return Settled(alert, place, hold, first_at)

    def _tell_endings(self, placed: Sequence[Settled]) -> None:
        """Say on each incident which of its alerts are over."""
        over: dict[str, dict[str, str]] = {}
        for each in placed:
            if each.incident_id is not None and each.alert.is_resolved:
                end = each.alert.ends_at or datetime.fromisoformat(each.first_at)
                over.setdefault(each.incident_id, {})[each.alert.id] = stored(end)
        for incident_id, ends in sorted(over.items()):
            self._tell_ended(incident_id, ends)

    def _tell_ended(self, incident_id: str, ends: Mapping[str, str]) -> None:
        def decide(view: View) -> Fact:
            fact = ended(view, incident_id, ends, ACTOR)
            if fact is None:
                raise _AllKnown
            return fact

        names = "\n".join((incident_id, *sorted(ends)))
        request = f"ended_{sha256(names.encode()).hexdigest()[:40]}"
        _unless_known(lambda: self.journal.commit(Command(request, decide, is_alone=True)))

    def _record(self, placed: Sequence[Settled], parts: Sequence[str]) -> None:
        """The last command: these alerts stand so, and these parts of signals are done."""
        told, documents = [_told(each) for each in placed], [_document(each) for each in placed]
        data, texts = {"parts": list(parts), "alerts": told}, {"alerts": json.dumps(documents, ensure_ascii=False)}

        def decide(view: View) -> Fact:  # others wait for it: all that can be made before is
            rows = view.list_rows(SIGNALS, {"id": tuple(parts)}) if parts else []
            if parts and not any(row["state"] == WAITING for row in rows):
                raise _AllKnown  # another server was faster
            return Fact("alerts_grouped", rows[0]["signal_id"] if rows else ACTOR, ACTOR, data, texts)

        names = json.dumps([list(parts), told, documents])
        request = f"group_{sha256(names.encode()).hexdigest()[:40]}"
        _unless_known(lambda: self.journal.commit(Command(request, decide, is_alone=True)))


class _AllKnown(Exception):  # no error: it was done meanwhile
    """Nothing is left to record."""


def _placed(each: Settled, home: Mapping[str, Any] | None) -> Settled:
    """An alert with the incident that took it, if one did."""
    return each if home is None else replace(each, incident_id=home["incident_id"], hold=None)


def _unless_known(commit: Callable[[], object]) -> None:
    try:
        commit()
    except _AllKnown:
        return


def _until(parts: Iterable[dict[str, Any]], limit: int) -> Iterator[dict[str, Any]]:
    """The first parts that hold up to so many alerts together; at least one."""
    total = 0
    for part in parts:
        if total and total + part["alerts"] > limit:
            return
        total += part["alerts"]
        yield part


def _start_and_state(alert: Alert) -> tuple[str, bool]:
    return ("" if alert.starts_at is None else stored(alert.starts_at)), alert.is_resolved


def _told(each: Settled) -> dict[str, Any]:
    """What the entry says in clear of an alert; its id is a hash."""
    alert = each.alert
    assert alert.starts_at is not None  # noqa: S101  # settled alerts have one
    return {
        "id": alert.id,
        "starts_at": stored(alert.starts_at),
        "ends_at": None if alert.ends_at is None else stored(alert.ends_at),
        "state": alert.state,
        "hold": each.hold,
        "incident_id": each.incident_id,
        "first_at": each.first_at,
    }


def _document(each: Settled) -> dict[str, Any]:
    place = each.place
    about = {
        name: getattr(place, name) for name in ("environment", "model_id", "incident_type", "severity", "model_version")
    }
    return {"alert": each.alert.document(), "place": about}
