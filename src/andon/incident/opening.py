"""How an incident begins and takes alerts: what a signal says of it, and which incident an alert belongs to.

Everything is decided by the tables as they stand inside the command, so that two alerts of one key at the same moment
open one incident.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from andon.base.errors import BadInput, NotFound
from andon.incident.clocks import steps_of
from andon.incident.facts import from_fields, joined, learned, to_fields
from andon.incident.key import IncidentKey
from andon.incident.number import incident_id
from andon.incident.priority import LEVELS, SEVERITIES, Facts, Priority, propose
from andon.incident.status import CLOSED, MERGED
from andon.inventory.model import RiskClass
from andon.inventory.register import MODELS
from andon.ledger.journal import Fact, View

INCIDENTS: Final = "incidents"
KEYS: Final = "incident_keys"
YEARS: Final = "incident_years"
ALERTS: Final = "incident_alerts"
BY_HAND: Final = "person"
ALERTS_MAX: Final = 200
"""So many alerts one entry of the journal takes."""
ID_LENGTH_MAX: Final = 120
TITLE_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Estimate:
    """When a failure began: the best estimate and its interval; None: not known."""

    at: datetime | None = None
    low: datetime | None = None
    high: datetime | None = None


@dataclass(frozen=True, slots=True)
class AlertFacts:
    """What an alert says of the incident that it belongs to.

    Attributes:
        alert_id: names the alert, at most 100 letters, no personal data; the same again changes nothing.
        starts_at: when it began to fire, by its source, else when it was accepted.
        title: what is wrong, in a sentence for people.
        detected_by: who or what noticed, such as `AIModelPerformanceDegraded alert`.
        source: the channel: `alertmanager`, `scan`, `report`, …
        severity: critical, high, medium or low as its source says; raises the type's default, never lowers it.
        facts: what is known of the harm.
        model_version: which version answered, if known.
        place: the slice that is hit, as a predicate, if it is one.
        started: when the failure began, where the source estimates that.
    """

    alert_id: str
    starts_at: datetime
    title: str
    detected_by: str
    source: str
    severity: str | None = None
    facts: Facts = field(default_factory=lambda: Facts(0))
    model_version: str | None = None
    place: str | None = None
    started: Estimate = field(default_factory=Estimate)

    def __post_init__(self) -> None:
        if not 0 < len(self.alert_id) <= ID_LENGTH_MAX or not self.alert_id.isprintable():
            raise BadInput(f"the id of an alert is 1 to {ID_LENGTH_MAX} printable letters: mend it")
        if not self.title.strip():
            raise BadInput(f"the alert {self.alert_id} has no title: say in a sentence what is wrong")


@dataclass(frozen=True, slots=True)
class Opening:
    """What a new incident is to say.

    Attributes:
        key: where, which model, which type.
        title, detected_by, origin: in words; how it came (`person`, or the alert's source).
        detected_at: when it was noticed; None: now.
        priority: P0 to P3 as a person says; None: as the facts propose.
    """

    key: IncidentKey
    title: str
    detected_by: str
    origin: str = BY_HAND
    detected_at: datetime | None = None
    priority: str | None = None
    facts: Facts = field(default_factory=lambda: Facts(0))
    model_version: str | None = None
    place: str | None = None
    started: Estimate = field(default_factory=Estimate)


def place_in_time(at: datetime | None) -> str | None:
    """A time as the tables hold it: UTC, microseconds, `Z`; such texts sort by time."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def next_number(view: View, year: int) -> int:
    """The next number of a year; within a command that is alone nobody else takes it."""
    row = view.find(YEARS, f"{year:04}")
    return 1 if row is None else int(row["last"]) + 1


def get_row(view: View, name: str) -> dict[str, Any]:
    """The row of an incident.

    Raises:
        NotFound: there is none of this identifier.
    """
    row = view.find(INCIDENTS, name)
    if row is None:
        raise NotFound(f"there is no incident {name}: `andon incident list` lists them")
    return row


@dataclass(frozen=True, slots=True)
class Home:
    """The incident that takes alerts of a key.

    Attributes:
        row: the incident.
        via: those that went up in it, from the key's own on; none where it is the key's own.
    """

    row: dict[str, Any]
    via: tuple[dict[str, Any], ...] = ()

    @property
    def own(self) -> dict[str, Any]:
        """The key's own incident."""
        return self.via[0] if self.via else self.row


def chain_of(view: View, key: IncidentKey, since: str) -> list[Home]:
    """The incidents that an alert of a key which began at `since` or later may belong to, the newest first."""
    chain = []
    home = newest_home(view, key)
    while home is not None:
        chain.append(home)
        home = None if _was_closed(home.row, since) else _home_before(view, key, home.own)
    return chain


def home_of(chain: Sequence[Home], starts_at: str) -> Home | None:
    """The incident that an alert belongs to; None: a new one.

    It is the earliest of its key that was not closed before the alert began: that does not depend on the order in
    which alerts arrive.
    """
    home = None
    for each in chain:
        if _was_closed(each.row, starts_at):
            break
        home = each
    return home


def newest_home(view: View, key: IncidentKey) -> Home | None:
    """The newest incident of a key, or the one that it went up in."""
    found = view.find(KEYS, key.text)
    return None if found is None else at_home(view, get_row(view, found["incident_id"]))


def newest_of(view: View, key: IncidentKey) -> dict[str, Any] | None:
    """The row of `newest_home`."""
    home = newest_home(view, key)
    return None if home is None else home.row


def at_home(view: View, row: dict[str, Any]) -> Home:
    """An incident, or the one that it went up in, by whatever way."""
    via = []
    while row["status"] == MERGED:
        via.append(row)
        row = get_row(view, row["merged_into"])
    return Home(row, tuple(via))


def family(view: View, incident: str) -> tuple[str, ...]:
    """An incident and those that went up in it: whose alerts count in it."""
    found = [incident]
    for name in found:  # grows meanwhile
        found += [row["id"] for row in view.list_rows(INCIDENTS, {"merged_into": name})]
    return tuple(found)


def _home_before(view: View, key: IncidentKey, own: Mapping[str, Any]) -> Home | None:
    """What the key's own incident follows; where that is one of another key, one of this key had gone up in it."""
    if own["follows"] is None:
        return None
    before = get_row(view, own["follows"])
    if _key_of(before) == key:
        return at_home(view, before)
    names = {"environment": key.environment, "model_id": key.model_id, "incident_type": key.incident_type}
    gone = view.list_rows(INCIDENTS, {**names, "status": MERGED})
    homes = [at_home(view, row) for row in gone]
    return next((each for each in reversed(homes) if each.row["id"] == before["id"]), None)


def _was_closed(row: Mapping[str, Any], starts_at: str) -> bool:
    return bool(row["status"] == CLOSED and starts_at > row["closed_at"])


def _key_of(row: Mapping[str, Any]) -> IncidentKey:
    return IncidentKey(row["model_id"], row["incident_type"], row["environment"])


def declared(view: View, opening: Opening, at: datetime, actor: str, floor: str, told: str | None = None) -> Fact:
    """The fact that an incident is declared.

    Args:
        view: the tables; the command has to be alone.
        opening: what it is to say.
        at: now.
        actor: who declares, as a pseudonym.
        floor: default severity of its type.
        told: what the source of its alerts calls it, at worst.
    """
    year = at.astimezone(UTC).year
    number = next_number(view, year)
    newest = newest_of(view, opening.key)
    facts = _with_risk(view, opening.key.model_id, opening.facts)
    proposed = propose(facts, floor, told)
    data: dict[str, Any] = {
        "year": year,
        "number": number,
        "environment": opening.key.environment,
        "model_id": opening.key.model_id,
        "incident_type": opening.key.incident_type,
        "origin": opening.origin,
        "model_version": opening.model_version,
        "detected_at": place_in_time(opening.detected_at),
        "started_at": place_in_time(opening.started.at),
        "started_low": place_in_time(opening.started.low),
        "started_high": place_in_time(opening.started.high),
        "follows": None if newest is None else newest["id"],
        "priority": opening.priority or proposed.level,
        "facts": to_fields(facts),
        "proposed": proposal_fields(proposed),
        "told": told,
        "alerts": [],
    }
    private = {"title": opening.title, "detected_by": opening.detected_by}
    if opening.place is not None:
        private["place"] = opening.place
    return Fact("incident_declared", incident_id(year, number), actor, data, private)


def _with_risk(view: View, model_id: str, facts: Facts) -> Facts:
    """Facts with the risk class that the register has of the model, where nobody said another."""
    row = view.find(MODELS, model_id)
    return facts if row is None or facts.risk is not RiskClass.UNKNOWN else learned(facts, {"risk": row["risk_class"]})


def opened_by_alerts(
    view: View, key: IncidentKey, alerts: Sequence[AlertFacts], at: datetime, actor: str, floor: str
) -> Fact:
    """The fact that alerts, of which the first is the most telling, open an incident."""
    first = max(alerts, key=lambda each: _urgency(each, floor))
    opening = Opening(
        key,
        first.title[:TITLE_MAX],
        first.detected_by[:TITLE_MAX],
        first.source,
        min(at, *(each.starts_at for each in alerts)),
        facts=first.facts,
        model_version=first.model_version,
        place=first.place,
        started=first.started,
    )
    fact = declared(view, opening, at, actor, floor, most_severe(*(each.severity for each in alerts)))
    return replace(fact, data={**fact.data, "alerts": _listed(alerts)}, private={**fact.private, **_titles(alerts)})


def joined_by_alerts(home: Home, alerts: Sequence[AlertFacts], actor: str, floor: str) -> Fact:
    """The fact that alerts join an incident; it rises when they say more than was known before.

    Incidents that went up in it count them too, so that a merge can be undone at any time.
    """
    data: dict[str, Any] = {"alerts": _listed(alerts), **_grown(home.row, alerts, floor)}
    if home.via:
        data["via"] = [{"id": row["id"], **_grown(row, alerts, floor)} for row in home.via]
    return Fact("alerts_joined", home.row["id"], actor, data, _titles(alerts))


def _grown(row: Mapping[str, Any], alerts: Sequence[AlertFacts], floor: str) -> dict[str, Any]:
    """How an incident stands with more alerts.

    A person's decision about the priority stands until facts say more than those it was made on.
    """
    told = most_severe(row["told"], *(each.severity for each in alerts))
    data: dict[str, Any] = {"total": row["alerts"] + len(alerts), "told": told}
    telling = max(alerts, key=lambda each: _urgency(each, floor))
    facts = joined(facts_of(row), telling.facts)
    proposed = propose(facts, floor, told)
    if proposed.level < row["proposed"]:
        data["proposed"] = proposal_fields(proposed)
        data["facts"] = to_fields(facts)
        data["priority"] = min(proposed.level, row["priority"])
        data["was"] = row["priority"]
        data["rises"] = steps_of(row)
    return data


def proposal_fields(proposed: Priority) -> dict[str, Any]:
    """A proposal as the journal takes it."""
    return {"level": proposed.level, "rule": proposed.rule, "missing": list(proposed.facts_missing)}


def facts_of(row: Mapping[str, Any]) -> Facts:
    """The facts of an incident's row."""
    return from_fields(json.loads(row["facts"]))


def most_severe(*severities: str | None) -> str | None:
    """The worst of some severities; None and unknown words count for nothing. None: none is named."""
    levels = [LEVELS[each] for each in severities if each in LEVELS]
    return SEVERITIES[min(levels)] if levels else None


def _urgency(alert: AlertFacts, floor: str) -> str:
    """Sorts the most urgent last, of equals the earliest."""
    level = propose(alert.facts, floor, most_severe(alert.severity)).level
    return f"{9 - int(level[1])}"


def _listed(alerts: Sequence[AlertFacts]) -> list[dict[str, Any]]:
    return [{"id": each.alert_id, "source": each.source, "starts_at": place_in_time(each.starts_at)} for each in alerts]


def _titles(alerts: Sequence[AlertFacts]) -> dict[str, str]:
    return {"titles": json.dumps([each.title[:TITLE_MAX] for each in alerts], ensure_ascii=False)}
