"""Signals become alerts and incidents alike on every journal; order, repetition and crashes change nothing."""

import itertools
import json
import secrets
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from andon.adapters.signals import alertmanager, pagerduty
from andon.base.errors import BadInput, Conflict, Denied, NotFound
from andon.bootstrap.packs import packs_of_incidents
from andon.incident.desk import Desk
from andon.incident.opening import INCIDENTS
from andon.services.declare import Declare
from andon.services.group import Group
from andon.services.receive import Receive
from andon.services.respond import Respond
from andon.services.sift import Mapped, Sift, Wanted
from journals import AT, fresh_database, memory_journal, sql_journal

FLOORS = {"model_drift": "medium", "harmful_output": "critical", "model_performance_degradation": "high"}
PARSERS = {"alertmanager": alertmanager.read, "pagerduty": pagerduty.read}


class Clock:
    def __init__(self):
        self.at = AT

    def __call__(self):
        return self.at


class House:
    """The services over one journal, with a hand-moved clock."""

    def __init__(self, journal, **more):
        self.journal, self.clock = journal, Clock()
        declare = Declare(journal, FLOORS, self.clock, secrets.token_bytes, "grouping")
        self.group = Group(journal, FLOORS, declare.open_or_join, self.clock)
        self.sift = Sift(journal, FLOORS, self.clock, secrets.token_bytes, "tok_ada")

    def receive(self, *models):
        return Receive(self.journal, PARSERS, {}, self.clock, secrets.token_bytes, "tok_am", models)

    def settle(self):
        while self.group.step():
            pass

    def alerts(self, **wanted):
        return self.sift.list_alerts(Wanted(**wanted), 10_000)

    def incidents(self):
        return self.journal.list_rows(INCIDENTS)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def house(request, tmp_path):
    if request.param == "memory":
        yield House(memory_journal())
        return
    url = fresh_database(request.getfixturevalue("postgres")) if request.param == "postgresql" else None
    journal = sql_journal(tmp_path, url)
    yield House(journal)
    journal.check()
    journal.engine.dispose()


def alert(number, *, model="loans", kind="model_drift", start=0, resolved=False, **labels):
    at = AT - timedelta(hours=1) + timedelta(minutes=start)
    named = {"alertname": f"Rule{number}", **labels}
    named |= {} if model is None else {"model_id": model, "incident_type": kind}
    return {
        "status": "resolved" if resolved else "firing",
        "labels": named,
        "annotations": {"summary": f"rule {number}"},
        "startsAt": at.isoformat(),
        "endsAt": (at + timedelta(minutes=5)).isoformat() if resolved else "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph",
        "fingerprint": f"f{number}-{model}-{kind}",
    }


def webhook(*alerts, group_key="{}:{}"):
    return json.dumps({"version": "4", "groupKey": group_key, "status": "firing", "alerts": alerts}).encode()


def event(action, key="k", **payload):
    body = {"routing_key": "x" * 32, "event_action": action, "dedup_key": key}
    if action == "trigger":
        details = {"model_id": "loans", "incident_type": "model_drift"}
        body["payload"] = {
            "summary": "drift",
            "source": "arize",
            "severity": "error",
            "custom_details": details,
            **payload,
        }
    return json.dumps(body).encode()


def test_a_webhook_is_one_entry_and_opens_one_incident(house):
    done = house.receive().alertmanager(webhook(alert(1), alert(2), alert(3, kind="harmful_output")))
    assert (done.alerts, house.journal.last()) == (3, 1)
    assert house.alerts() == []
    house.settle()
    found = {(row["incident_type"], row["alerts"], row["priority"]) for row in house.incidents()}
    assert found == {("model_drift", 2, "P2"), ("harmful_output", 1, "P0")}
    assert {row["state"] for row in house.alerts()} == {"firing"}
    assert all(row["incident_id"] for row in house.alerts())
    assert house.journal.list_rows("signals")[0]["content"] is None


def test_what_no_database_keeps_as_text_harms_none(house):
    """A NUL, in the name of a label, in its value, in words; and signs that turn the direction of reading."""
    odd = alert(1, **{"a\x00b": "c\x00d", "turned\u202e": "x\u202ey", "sql": "'; drop table alerts; --"})
    odd["annotations"] |= {"summary": "one\x00two", "more\x00": "\u202e"}
    house.receive().alertmanager(webhook(odd, group_key="g\x00"))
    house.settle()
    [incident] = house.incidents()
    assert (incident["title"], incident["alerts"]) == ("one two", 1)
    [row] = house.alerts()
    assert json.loads(row["content"])["labels"]["sql"] == "'; drop table alerts; --"


def test_redelivery_and_a_second_alertmanager_add_nothing(house):
    for _ in range(3):
        house.receive().alertmanager(webhook(alert(1)))
        house.settle()
    [row] = house.incidents()
    assert (row["alerts"], len(house.alerts())) == (1, 1)


@pytest.mark.parametrize("order", list(itertools.permutations(["firing", "resolved", "again"])))
def test_resolved_wins_in_any_order(house, order):
    sent = {"firing": alert(1), "resolved": alert(1, resolved=True), "again": alert(1)}
    for name in order:
        house.receive().alertmanager(webhook(sent[name]))
        house.settle()
    [row], [incident] = house.alerts(), house.incidents()
    assert (row["state"], row["incident_id"], incident["ended"]) == ("resolved", incident["id"], 1)
    lines = [each["kind"] for each in house.journal.list_rows("incident_timeline")]
    assert lines.count("alerts_ended") == 1


def test_ten_thousand_alerts_are_one_incident(house):
    count = 10_000 if house.journal.__class__.__name__ == "MemoryJournal" else 1_000
    house.receive().alertmanager(webhook(*(alert(number) for number in range(count))))
    house.settle()
    [row] = house.incidents()
    assert row["alerts"] == count


def test_alerts_of_a_merged_incident_are_over_where_people_work(house):
    house.receive().alertmanager(webhook(alert(1), alert(2, kind="harmful_output")))
    house.settle()
    gone, into = sorted(house.incidents(), key=lambda row: row["incident_type"] != "model_drift")
    people = Respond(Desk(house.journal, house.clock, secrets.token_bytes, "ada"), packs_of_incidents(), FLOORS)
    people.merge(gone["id"], into["id"], "one cause")
    house.receive().alertmanager(webhook(alert(3)))
    for number, kind in ((1, "model_drift"), (2, "harmful_output"), (3, "model_drift")):
        house.receive().alertmanager(webhook(alert(number, kind=kind, resolved=True)))
        house.settle()
    row = house.journal.find(INCIDENTS, into["id"])
    assert (row["alerts"], row["ended"]) == (3, 3)
    assert people.get(into["id"]).timeline[-1].event == "One alert is over: none fires any more"
    assert [each["incident_id"] for each in house.alerts(incident_id=into["id"])] == [into["id"]] * 3
    people.unmerge(gone["id"], "two causes")
    assert [(row["alerts"], row["ended"]) for row in house.incidents()] == [(1, 1), (2, 2)]


def test_pagerduty_events_count_in_their_order(house):
    for action in ("resolve", "trigger", "trigger", "acknowledge"):
        house.receive().pagerduty(event(action))
        house.settle()
    assert [row["state"] for row in house.alerts()] == ["firing"]
    house.clock.at += timedelta(minutes=5)
    house.receive().pagerduty(event("resolve"))
    house.clock.at += timedelta(minutes=5)
    house.receive().pagerduty(event("trigger"))
    house.settle()
    assert sorted(row["state"] for row in house.alerts()) == ["firing", "resolved"]
    assert [row["alerts"] for row in house.incidents()] == [2]


def test_an_alert_without_a_model_waits_for_a_map(house):
    house.receive().alertmanager(webhook(alert(1, model=None, job="loans-api"), alert(2, model=None, job="loans-api")))
    house.settle()
    assert house.incidents() == []
    assert [row["hold"] for row in house.alerts()] == ["unmapped", "unmapped"]
    [group] = house.sift.list_unmapped()
    assert (group.alerts, group.proposal.label, group.proposal.value) == (2, "job", "loans-api")
    made = house.sift.map_alerts(Mapped(["job=loans-api"], "loans", "model_drift"))
    house.settle()
    [row] = house.incidents()
    assert (row["model_id"], row["alerts"]) == ("loans", 2)
    assert house.sift.list_unmapped() == []
    house.sift.unmap(made["id"])
    house.receive().alertmanager(webhook(alert(3, model=None, job="loans-api")))
    house.settle()
    assert [row["alerts"] for row in house.incidents()] == [2]


def test_a_silence_holds_back_and_what_outlasts_it_opens_an_incident(house):
    house.sift.silence(["alertname=Rule1"], timedelta(hours=1), "known")
    house.sift.silence(["alertname=Rule2"], timedelta(hours=1), "known")
    house.receive().alertmanager(webhook(alert(1), alert(2)))
    house.settle()
    assert house.incidents() == []
    house.receive().alertmanager(webhook(alert(2, resolved=True)))
    house.settle()
    house.clock.at += timedelta(hours=2)
    house.settle()
    assert [row["alerts"] for row in house.incidents()] == [1]
    assert {(row["state"], row["hold"]) for row in house.alerts()} == {("firing", None), ("resolved", "silenced")}


def test_a_silence_that_is_lifted_lets_go_at_once(house):
    made = house.sift.silence(["model_id=loans"], timedelta(hours=1), "known")
    house.receive().alertmanager(webhook(alert(1)))
    house.settle()
    house.clock.at += timedelta(seconds=1)
    house.sift.lift(made["id"])
    with pytest.raises(Conflict):
        house.sift.lift(made["id"])
    house.settle()
    assert len(house.incidents()) == 1


def test_a_crash_between_incident_and_grouping_is_made_good(house):
    house.receive().alertmanager(webhook(alert(1), alert(2, resolved=True)))
    committed = house.group.journal.commit

    class Dies(Exception):
        pass

    class Broken:
        def __getattr__(self, name):
            return getattr(house.journal, name)

        def commit(self, command):
            if command.request_id.startswith("group_"):
                raise Dies
            return committed(command)

    house.group.journal = Broken()
    with pytest.raises(Dies):
        house.settle()
    assert len(house.incidents()) == 1
    house.group.journal = house.journal
    house.settle()
    [incident] = house.incidents()
    assert (incident["alerts"], incident["ended"], len(house.alerts())) == (2, 1, 2)
    assert all(row["incident_id"] == incident["id"] for row in house.alerts())


def test_a_token_for_a_model_speaks_of_that_one(house):
    with pytest.raises(Denied, match="limited to fraud"):
        house.receive("fraud").alertmanager(webhook(alert(1)))
    house.receive("fraud").alertmanager(webhook(alert(1, model=None)))
    house.settle()
    assert [row["model_id"] for row in house.incidents()] == ["fraud"]


def test_a_token_for_a_model_ends_and_renames_no_alert_of_another(house):
    house.receive("fraud").pagerduty(event("trigger", custom_details={"incident_type": "model_drift"}))
    house.receive("fraud").alertmanager(webhook(alert(1, model="fraud")))
    house.receive().alertmanager(webhook(alert(2)))
    house.settle()
    foreign = json.loads(webhook(alert(1, model="loans", resolved=True), alert(2, resolved=True)))
    foreign["alerts"][0]["fingerprint"] = alert(1, model="fraud")["fingerprint"]
    house.receive("loans").pagerduty(event("resolve"))
    house.receive("loans").alertmanager(json.dumps(foreign).encode())
    house.settle()
    rows = sorted((row["state"], row["model_id"]) for row in house.alerts())
    firing = [("firing", "fraud"), ("firing", "fraud"), ("firing", "loans")]
    assert rows == [*firing, ("resolved", "loans"), ("resolved", "loans")]
    house.receive("fraud").pagerduty(event("resolve"))
    house.settle()
    assert [row["state"] for row in house.alerts() if row["source"] == "pagerduty"] == ["resolved"]


def test_a_key_names_one_signal(house):
    first, again = (house.receive().alertmanager(webhook(alert(1)), "the same key") for _ in range(2))
    assert (first.signal_id, again.was_known) == (again.signal_id, True)
    with pytest.raises(Conflict, match="sent before with another content"):
        house.receive().alertmanager(webhook(alert(2)), "the same key")


SIGNALS = [
    webhook(alert(number, start=start, kind=kind, resolved=resolved))
    for number in range(3)
    for start in (0, 10)
    for kind in ("model_drift", "harmful_output")
    for resolved in (False, True)
]


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.sampled_from(SIGNALS), min_size=1, max_size=8), st.randoms(use_true_random=False), st.data())
def test_any_order_repetition_and_redelivery_give_the_same_alerts_states_and_incident(sent, rng, data):
    again = data.draw(st.lists(st.sampled_from(sent), max_size=4))
    shuffled = [*sent, *again]
    rng.shuffle(shuffled)
    assert _outcome(shuffled, data) == _outcome(sent, data)


def _outcome(bodies, data):
    """Key to alerts and states, after steps of grouping anywhere between."""
    house = House(memory_journal())
    for body in bodies:
        house.receive().alertmanager(body)
        if data.draw(st.booleans()):
            house.settle()
    house.settle()
    keys = {row["id"]: (row["environment"], row["model_id"], row["incident_type"]) for row in house.incidents()}
    assert len(set(keys.values())) == len(keys)
    return {(keys[row["incident_id"]], row["id"], row["state"]) for row in house.alerts()}


def test_a_page_is_full_of_what_the_caller_may_see(house):
    mixed = [alert(number, model="loans" if number % 5 == 0 else "fraud", start=number) for number in range(20)]
    house.receive().alertmanager(webhook(*mixed))
    house.settle()
    mine = Sift(house.journal, FLOORS, house.clock, secrets.token_bytes, "tok_ada", ["loans"])
    first = mine.list_alerts(Wanted(), 3)
    rest = mine.list_alerts(Wanted(), 3, first[-1]["place"])
    assert [row["model_id"] for row in first + rest] == ["loans"] * 4
    assert [row["starts_at"] for row in first + rest] == sorted(
        [row["starts_at"] for row in first + rest], reverse=True
    )


def test_a_token_of_certain_models_silences_and_unmaps_only_what_is_theirs(house):
    def sift(*models):
        return Sift(house.journal, FLOORS, house.clock, secrets.token_bytes, "tok_ben", models)

    hour = timedelta(hours=1)
    for matchers in (["model_id=cards"], ["alertname=Rule1", "model_id=cards"]):
        with pytest.raises(Denied, match="add the matcher model_id=loans"):
            sift("loans").silence(matchers, hour, "known")
    with pytest.raises(Denied):
        sift("loans", "fraud").silence(["alertname=Rule1"], hour, "known")
    theirs = sift("loans").silence(["alertname=Rule1"], hour, "known")
    assert theirs["matchers"] == "alertname=Rule1\nmodel_id=loans"
    ours = house.sift.silence(["model_id=cards"], hour, "known")
    house.receive().alertmanager(webhook(alert(1), alert(1, model="cards"), alert(1, model="fraud")))
    house.settle()
    assert [row["model_id"] for row in house.incidents()] == ["fraud"]
    assert [each["id"] for each in sift("loans").list_silences()] == [theirs["id"]]
    with pytest.raises(NotFound):
        sift("loans").lift(ours["id"])
    mapped = house.sift.map_alerts(Mapped(["job=x"], "cards"))
    assert sift("loans").list_maps() == []
    with pytest.raises(NotFound):
        sift("loans").unmap(mapped["id"])
    with pytest.raises(BadInput, match="do not print"):
        house.sift.map_alerts(Mapped(["job=y"], "a\nb"))
