"""Clocks, actions and seals happen by themselves: once each, however often and by however many it is looked."""

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from andon.base.errors import Unavailable
from andon.bootstrap.packs import load_severities, packs_of_incidents
from andon.incident.desk import Desk
from andon.incident.key import IncidentKey
from andon.incident.opening import Opening, place_in_time
from andon.incident.preserving import SealReceipt
from andon.services.attend import Attend
from andon.services.declare import Declare
from andon.services.respond import Respond
from journals import AT, fresh_database, memory_journal, sql_journal


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def journal(request, tmp_path):
    if request.param == "memory":
        yield memory_journal()
        return
    url = fresh_database(request.getfixturevalue("postgres")) if request.param == "postgresql" else None
    made = sql_journal(tmp_path, url)
    yield made
    made.check()
    made.engine.dispose()


class Sealer:
    """Keeps what it was asked to seal; may be away."""

    def __init__(self):
        self.asked, self.is_away = {}, False

    def __call__(self, holding, request):
        if self.is_away:
            raise Unavailable("the disk is full")
        self.asked[request] = holding
        return SealReceipt(f"seal_{request}", 7, "root", "andon.test\n7\nroot\n")


def desk(journal, actor="andon"):
    return Desk(journal, lambda: AT, secrets.token_bytes, actor)


def declared(journal, priority, model="loans"):
    service = Declare(journal, {"model_drift": "low"}, lambda: AT, secrets.token_bytes, "tok_ada")
    return service.declare(Opening(IncidentKey(model, "model_drift"), "x", "ada", priority=priority)).id


def attending(journal, sealer=None, recipients=()):
    return Attend(desk(journal), load_severities(), sealer or Sealer(), recipients)


def told(journal, incident):
    return [(row["clock"], row["percent"]) for row in journal.list_rows("incident_warnings", {"incident_id": incident})]


def test_a_clock_warns_three_times_is_missed_once_and_says_when_it_speaks_next(journal):
    incident = declared(journal, "P0")
    heard, at = [], AT
    while at is not None and at < AT + timedelta(minutes=16):
        for _ in range(2):
            after = attending(journal).step(at)
        heard.append((at - AT, told(journal, incident)[-1:]))
        at = after
    assert heard == [
        (timedelta(0), []),
        (timedelta(minutes=7.5), [("response", 50)]),
        (timedelta(minutes=11.25), [("response", 75)]),
        (timedelta(minutes=13.5), [("response", 90)]),
        (timedelta(minutes=15), [("response", 100)]),
    ]


def test_a_clock_that_is_missed_is_told_to_whoever_gets_notices(journal):
    incident = declared(journal, "P0")
    for minutes in (8, 16):
        attending(journal, recipients=["notice"]).step(AT + timedelta(minutes=minutes))
    told_of = [json.loads(message.body) for _, message in journal.messages("notice")]
    clocks = [(each["type"], each["text"].partition(":")[0]) for each in told_of if each["type"].startswith("clock.")]
    assert clocks == [("clock.warning", "response"), ("clock.missed", "response")]
    assert {each["incident"]["id"] for each in told_of} == {incident}
    assert journal.messages("escalation") == []


def test_a_clock_that_is_missed_is_escalated_and_says_so(journal):
    incident, alone = declared(journal, "P0"), declared(journal, "P1", "cards")
    for minutes in (8, 16):
        attending(journal, recipients=["notice", "escalation"]).step(AT + timedelta(minutes=minutes))
    sent = {
        name: [json.loads(each.body)["type"] for _, each in journal.messages(name)] for name in ("notice", "escalation")
    }
    assert sent["escalation"] == ["action.escalate_to_management", "clock.missed"]
    assert [each for each in sent["notice"] if each.startswith("clock.")] == ["clock.warning", "clock.missed"]
    attending(journal).step(AT + timedelta(minutes=61))
    people = Respond(desk(journal), packs_of_incidents(), {})
    said = [
        [each.event for each in people.timeline(name).items if "missed" in each.event] for name in (incident, alone)
    ]
    assert [lines[0].partition(" UTC")[2] for lines in said] == [
        "; escalated",
        "; nobody is told: set ANDON_ESCALATION_URL",
    ]


def test_after_an_absence_the_last_word_only_and_an_acknowledged_clock_is_silent(journal):
    late, met = declared(journal, "P0"), declared(journal, "P0", "cards")
    Respond(desk(journal, "tok_ada"), packs_of_incidents(), {}).acknowledge(met)
    attending(journal).step(AT + timedelta(minutes=40))
    assert told(journal, late) == [("response", 100)]
    assert told(journal, met) == []
    attending(journal).step(AT + timedelta(hours=3))
    assert told(journal, met) == [("triage", 100)]


def test_a_rise_starts_the_clocks_anew(journal):
    incident = declared(journal, "P3")
    attending(journal).step(AT)
    Respond(desk(journal, "tok_ada"), packs_of_incidents(), {}).set_priority(incident, "P0", "people were harmed")
    attending(journal).step(AT + timedelta(minutes=8))
    assert told(journal, incident) == [("response", 50)]


def later(journal, minutes):
    """People at work so many minutes after the declaration."""
    if hasattr(journal, "now"):
        object.__setattr__(journal, "now", lambda: AT + timedelta(minutes=minutes))
    at = Desk(journal, lambda: AT + timedelta(minutes=minutes), secrets.token_bytes, "tok_ada")
    return Respond(at, packs_of_incidents(), {"model_drift": "low"})


def clocks(journal, incident, minutes):
    """Each clock: its name, and after how many minutes it began and is due."""
    found = {each["name"]: each for each in later(journal, minutes).get(incident).clocks}
    return {
        name: tuple((datetime.fromisoformat(each[at]) - AT) / timedelta(minutes=1) for at in ("starts_at", "due_at"))
        for name, each in found.items()
    }


def test_a_rise_gives_nobody_more_time_than_they_had(journal):
    incident = declared(journal, "P2")
    later(journal, 230).set_priority(incident, "P1", "a region is hit")
    assert clocks(journal, incident, 230)["response"] == (0, 240)
    assert clocks(journal, incident, 230)["triage"] == (230, 350)
    later(journal, 231).set_priority(incident, "P0", "people were harmed")
    found = clocks(journal, incident, 231)
    assert found["response"] == (0, 240)
    assert found["triage"] == (230, 350)
    assert found["investigation"] == (230, 230 + 24 * 60)
    attending(journal).step(AT + timedelta(minutes=241))
    later(journal, 242).set_priority(incident, "P3", "a test population")  # who lowers it gives more time
    assert clocks(journal, incident, 242)["response"][0] == 231
    later(journal, 243).set_priority(incident, "P0", "it was none")
    assert clocks(journal, incident, 243)["response"] == (243, 258)


def test_a_missed_clock_stays_missed_and_is_told_once_when_the_priority_rises(journal):
    incident = declared(journal, "P2")
    for minutes in (241, 242):
        attending(journal).step(AT + timedelta(minutes=minutes))
        assert told(journal, incident) == [("response", 100)]
        later(journal, minutes).learn_facts(incident, {"people": 10 ** (minutes - 239)}, "counted")
    assert clocks(journal, incident, 243)["response"] == (0, 240)
    later(journal, 244).move(incident, "contained", "x")
    later(journal, 244).move(incident, "resolved", "x")
    later(journal, 245).reopen(incident, "it is back")
    assert clocks(journal, incident, 245)["response"] == (245, 260)


def test_a_reopened_incident_waits_for_somebody_to_be_at_work_on_it_again(journal):
    incident = declared(journal, "P0")
    later(journal, 2).acknowledge(incident)
    later(journal, 5).move(incident, "resolved", "rolled back")
    later(journal, 9_000).reopen(incident, "it is back")
    assert later(journal, 9_001).get(incident).answers.may_do[0].command == f"andon ack {incident}"
    for minutes in (9_010, 9_016):
        attending(journal).step(AT + timedelta(minutes=minutes))
    assert told(journal, incident)[-2:] == [("response", 50), ("response", 100)]
    later(journal, 9_017).acknowledge(incident)
    [response] = [each for each in later(journal, 9_018).get(incident).clocks if each["name"] == "response"]
    assert response["met_at"] == place_in_time(AT + timedelta(minutes=9_017))


def test_urgent_ones_are_sealed_from_48_hours_before_others_by_command(journal):
    sealer = Sealer()
    urgent, calm = declared(journal, "P1"), declared(journal, "P2", "cards")
    for _ in range(3):
        attending(journal, sealer).step(AT)
    [holding] = sealer.asked.values()
    assert (holding.model_id, holding.since) == ("loans", AT - timedelta(hours=48))
    assert journal.find("incidents", urgent)["seal_id"] is not None
    assert journal.find("incidents", calm)["seal_id"] is None
    receipt = Attend(desk(journal, "tok_ada"), load_severities(), sealer).seal(calm, "before the rollback")
    assert journal.find("incidents", calm)["seal_id"] == receipt.seal_id
    assert journal.find("incident_seals", receipt.seal_id)["note"] == receipt.note


def test_a_seal_that_cannot_be_made_is_tried_again_and_holds_nothing_up(journal):
    sealer = Sealer()
    sealer.is_away = True
    incident = declared(journal, "P0")
    assert attending(journal, sealer).step(AT) == AT + timedelta(seconds=5)
    assert len(journal.list_rows("incident_actions", {"incident_id": incident})) == 3
    sealer.is_away = False
    attending(journal, sealer).step(AT + timedelta(seconds=5))
    assert journal.find("incidents", incident)["seal_id"] is not None


def test_a_crash_between_the_seal_and_its_line_makes_no_second_seal(journal):
    sealer = Sealer()
    incident = declared(journal, "P0")

    def dies(holding, request):
        sealer(holding, request)
        raise Unavailable("the process ended here")

    attending(journal, dies).step(AT)
    assert journal.find("incidents", incident)["seal_id"] is None
    attending(journal, sealer).step(AT)
    assert [f"seal_{request}" for request in sealer.asked] == [journal.find("incidents", incident)["seal_id"]]


def test_actions_are_taken_once_and_say_who_is_not_told(journal):
    incident = declared(journal, "P2")
    for _ in range(2):
        attending(journal).step(AT)
        attending(journal, recipients={"tracker"}).step(AT)
    states = {row["action"]: row["state"] for row in journal.list_rows("incident_actions", {"incident_id": incident})}
    assert states == {"create_ticket": "nobody is told: set ANDON_TRACKER_URL", "schedule_investigation": "to do"}
    assert journal.messages("tracker") == []
    other = declared(journal, "P2", "cards")
    attending(journal, recipients={"tracker"}).step(AT)
    [(_, message)] = journal.messages("tracker")
    assert '"type": "action.create_ticket"' in message.body
    attending(journal).note_receipt(other, "create_ticket", "https://tracker.local/7", "r1")
    found = journal.find("incident_actions", f"{other}:create_ticket")
    assert (found["state"], found["receipt"]) == ("receipted", "https://tracker.local/7")


def test_two_that_look_at_the_same_time_do_each_thing_once(postgres, tmp_path):

    url = fresh_database(postgres)
    journals = [sql_journal(tmp_path, url) for _ in range(2)]
    incidents = [declared(journals[0], "P0", f"m{number}") for number in range(3)]
    sealer = Sealer()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: attending(journals[n % 2], sealer).step(AT + timedelta(minutes=8)), range(8)))
    kinds = [row["kind"] for row in journals[0].list_rows("incident_timeline", {"incident_id": incidents[0]})]
    assert sorted(kinds) == ["action_taken"] * 3 + ["clock_warned", "incident_declared", "incident_sealed"]
    assert len(sealer.asked) == 3
    for each in journals:
        each.check()
        each.engine.dispose()


def test_an_incident_that_cannot_be_looked_after_stops_no_other(journal):
    class Breaks(Sealer):
        def __call__(self, holding, request):
            if holding.model_id == "first":
                raise OverflowError("date value out of range")
            return super().__call__(holding, request)

    broken, fine = declared(journal, "P0", "first"), declared(journal, "P0", "second")
    attendant = attending(journal, Breaks())
    assert attendant.step(AT) == AT + timedelta(seconds=5)  # it is tried again
    assert journal.find("incidents", broken)["seal_id"] is None
    assert journal.find("incidents", fine)["seal_id"] is not None
    assert {row["incident_id"] for row in journal.list_rows("incident_actions")} == {fine}
