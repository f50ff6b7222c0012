"""Incidents begin and take alerts alike on every journal, however many ask at once."""

import itertools
import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andon.base.errors import BadInput, Conflict, Denied, Refused
from andon.bootstrap.packs import packs_of_incidents
from andon.incident.desk import Desk
from andon.incident.key import IncidentKey
from andon.incident.opening import AlertFacts, Estimate, Opening
from andon.incident.priority import Facts
from andon.incident.status import MOVES, STATUSES
from andon.services.declare import Declare
from andon.services.respond import Respond
from journals import AT, fresh_database, memory_journal, sql_journal

KEY = IncidentKey("loans", "model_drift")
HOUR = timedelta(hours=1)
FLOORS = {"model_drift": "medium", "harmful_output": "critical"}


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


def declaring(journal, *models):
    return Declare(journal, FLOORS, lambda: AT, secrets.token_bytes, "tok_ada", models)


def alert(number, minutes=0, **more):
    at = AT - timedelta(minutes=minutes)
    return AlertFacts(f"alert-{number}", at, f"alert {number} fires", "Rule alert", "alertmanager", **more)


def opening(key=KEY, **more):
    return Opening(key, "scores moved", "ada", **more)


def test_by_hand_a_number_a_priority_and_one_open_incident_per_key(journal):
    service = declaring(journal)
    made = service.declare(opening(facts=Facts(150)), "r1")
    assert (made.id, made.status, made.priority, made.severity) == ("AI-INC-2026-0001", "declared", "P1", "high")
    assert made.rule == "150 decisions touched: if each is one person, 100 or more people"
    assert service.declare(opening(facts=Facts(150)), "r1") == made
    with pytest.raises(Conflict, match="AI-INC-2026-0001 is open"):
        service.declare(opening())
    other = service.declare(opening(IncidentKey("loans", "model_drift", "staging"), priority="P0"))
    assert (other.id, other.priority, other.proposed) == ("AI-INC-2026-0002", "P0", "P2")


@pytest.mark.parametrize(
    ("asked", "error", "named"),
    [
        (opening(IncidentKey("loans", "model_drif")), BadInput, "did you mean model_drift"),
        (opening(priority="P5"), BadInput, "P0, P1, P2 or P3"),
        (opening(IncidentKey("cards", "model_drift")), Denied, "limited to loans"),
        (Opening(KEY, " ", "ada"), BadInput, "title"),
        (opening(detected_at=AT + timedelta(days=1)), BadInput, "ahead of the server"),
        (opening(started=Estimate(AT + timedelta(hours=1))), BadInput, "ahead of the server"),
        (opening(started=Estimate(AT - HOUR, AT, AT)), BadInput, "outside its interval"),
        (opening(started=Estimate(None, AT, AT - HOUR)), BadInput, "outside its interval"),
    ],
)
def test_what_cannot_be_declared(journal, asked, error, named):
    with pytest.raises(error, match=named):
        declaring(journal, "loans").declare(asked)
    assert journal.last() == 0


def test_alerts_of_a_key_are_one_incident(journal):
    service = declaring(journal)
    [first] = service.open_or_join(KEY, [alert(1, 5), alert(2, 9)])
    assert (first.incident_id, first.is_new, first.alert_ids) == ("AI-INC-2026-0001", True, ("alert-2", "alert-1"))
    [second] = service.open_or_join(KEY, [alert(2, 9), alert(3)])
    assert (second.incident_id, second.is_new, second.alert_ids) == ("AI-INC-2026-0001", False, ("alert-3",))
    assert service.open_or_join(KEY, [alert(1, 5), alert(2, 9), alert(3)]) == ()
    row = journal.find("incidents", "AI-INC-2026-0001")
    assert (row["alerts"], row["priority"], row["detected_at"]) == (3, "P2", "2026-02-28T23:51:00.000000Z")
    assert len(journal.list_rows("incident_alerts", {"incident_id": row["id"]})) == 3
    assert [each["kind"] for each in journal.list_rows("incident_timeline")] == ["incident_declared", "alerts_joined"]


def test_alerts_that_say_more_raise_the_priority_and_none_lowers_it(journal):
    service = declaring(journal)
    service.open_or_join(KEY, [alert(1)])
    service.open_or_join(KEY, [alert(2, severity="critical")])
    service.open_or_join(KEY, [alert(3, severity="low")])
    row = journal.find("incidents", "AI-INC-2026-0001")
    assert (row["priority"], row["proposed"]) == ("P0", "P0")
    said = "its source calls it critical, above the default of this type, medium, and no known fact rules harm out"
    assert row["rule"] == said
    service.open_or_join(IncidentKey("cards", "model_drift"), [alert(4, severity="critical")])
    assert journal.find("incidents", "AI-INC-2026-0002")["rule"] == said


def test_an_alert_adds_to_what_people_found_out_and_does_not_undo_it(journal):
    service, people = declaring(journal), responding(journal)
    service.open_or_join(KEY, [alert(1)])
    people.learn_facts("AI-INC-2026-0001", {"people": 40, "risk": "limited"}, "counted")
    service.open_or_join(KEY, [alert(2, facts=Facts(30, attack_works=True))])
    row = journal.find("incidents", "AI-INC-2026-0001")
    assert (row["priority"], row["rule"]) == ("P1", "an attack that works")
    assert json.loads(row["facts"]) == {"attack_works": True, "decisions": 30, "people": 40, "risk": "limited"}
    people.learn_facts("AI-INC-2026-0001", {"attack_works": False, "confirmed_harm": False}, "looked into")
    service.open_or_join(KEY, [alert(3, severity="critical")])
    row = journal.find("incidents", "AI-INC-2026-0001")
    assert (row["priority"], row["proposed"]) == ("P1", "P2")  # harm is ruled out; a person lowers it


def test_ten_thousand_alerts_are_one_incident(journal):
    service = declaring(journal)
    done = service.open_or_join(KEY, [alert(number) for number in range(1_000)])
    assert {each.incident_id for each in done} == {"AI-INC-2026-0001"}
    assert journal.find("incidents", "AI-INC-2026-0001")["alerts"] == 1_000
    assert journal.last() == 5


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_many_at_once_open_one_incident_a_key(kind, request, tmp_path):
    url = fresh_database(request.getfixturevalue("postgres")) if kind == "postgresql" else None
    journals = [sql_journal(tmp_path, url) for _ in range(2)]
    keys = [IncidentKey(f"model-{number}", "model_drift") for number in range(4)]

    def send(number):
        service = declaring(journals[number % 2])
        return service.open_or_join(keys[number % 4], [alert(f"{number % 4}-{number % 20}")])

    with ThreadPoolExecutor(8) as pool:
        joined = [each for done in pool.map(send, range(60)) for each in done]
    assert sorted(each.incident_id for each in joined if each.is_new) == [f"AI-INC-2026-000{n}" for n in range(1, 5)]
    assert sum(len(each.alert_ids) for each in joined) == 20
    assert {row["alerts"] for row in journals[0].list_rows("incidents")} == {5}
    for each in journals:
        assert each.check() == each.last()
        each.engine.dispose()


@given(
    order=st.permutations(range(6)),
    cuts=st.lists(st.integers(1, 6), max_size=6),
    again=st.lists(st.integers(0, 5), max_size=6),
)
def test_any_order_batch_and_repetition_give_the_same_incident(order, cuts, again):
    journal = memory_journal()
    service = declaring(journal)
    sent, rest = [*order, *again], itertools.chain(cuts, itertools.repeat(3))
    while sent:
        size = next(rest)
        service.open_or_join(
            KEY, [alert(number, number, severity="high" if number == 4 else None) for number in sent[:size]]
        )
        del sent[:size]
    [row] = journal.list_rows("incidents")
    assert (row["alerts"], row["priority"], row["status"]) == (6, "P1", "declared")
    assert {each["id"] for each in journal.list_rows("incident_alerts")} == {f"alert-{number}" for number in range(6)}


def responding(journal):
    return Respond(Desk(journal, lambda: AT, secrets.token_bytes, "tok_ada"), packs_of_incidents(), FLOORS)


def closed(journal, incident="AI-INC-2026-0001"):
    for status in ("resolved", "closed"):
        responding(journal).move(incident, status, "done")


def test_after_the_end_what_began_before_it_attaches_and_what_began_later_opens_anew(journal):
    service = declaring(journal)
    service.open_or_join(KEY, [alert(1, 60)])
    closed(journal)
    late = AlertFacts("later", AT + timedelta(minutes=1), "again", "Rule alert", "alertmanager")
    done = service.open_or_join(KEY, [alert(2, 5), late, alert(3, 0)])
    assert [(each.incident_id, each.is_new, each.alert_ids) for each in done] == [
        ("AI-INC-2026-0001", False, ("alert-2", "alert-3")),
        ("AI-INC-2026-0002", True, ("later",)),
    ]
    assert journal.find("incidents", "AI-INC-2026-0002")["follows"] == "AI-INC-2026-0001"
    [old] = service.open_or_join(KEY, [alert(4, 30)])  # the newer one is open, yet it began before the old one's end
    assert old.incident_id == "AI-INC-2026-0001"
    with pytest.raises(Conflict, match="AI-INC-2026-0002 came after"):
        responding(journal).reopen("AI-INC-2026-0001", "it is back")


def test_a_merged_incidents_alerts_go_to_the_one_that_took_it(journal):
    service, other = declaring(journal), IncidentKey("loans", "harmful_output")
    service.open_or_join(KEY, [alert(1)])
    service.open_or_join(other, [alert(2), alert(3)])
    responding(journal).merge("AI-INC-2026-0001", "AI-INC-2026-0002", "one cause")
    [joined] = service.open_or_join(KEY, [alert(4)])
    assert (joined.incident_id, joined.is_new) == ("AI-INC-2026-0002", False)
    assert journal.find("incidents", "AI-INC-2026-0002")["alerts"] == 4
    closed(journal, "AI-INC-2026-0002")
    [fresh] = service.open_or_join(KEY, [AlertFacts("x", AT + timedelta(hours=1), "y", "z", "alertmanager")])
    assert (fresh.incident_id, fresh.is_new) == ("AI-INC-2026-0003", True)


def test_every_move_is_in_the_table_and_no_other_is_done(journal):
    service = responding(journal)
    for number, (before, after) in enumerate(itertools.product(STATUSES, repeat=2), 1):
        name = declaring(journal).declare(opening(IncidentKey(f"m{number}", "model_drift"))).id
        for step in {"contained": ["contained"], "resolved": ["resolved"], "closed": ["resolved", "closed"]}.get(
            before, []
        ):
            service.move(name, step, "so")
        if before == "merged":
            into = declaring(journal).declare(opening(IncidentKey(f"into{number}", "model_drift"))).id
            service.merge(name, into, "so")
        if (before, after) in MOVES:
            assert moved(service, name, after).status == after
        else:
            with pytest.raises(Refused):
                moved(service, name, after)
            assert journal.find("incidents", name)["status"] == before


def moved(service, name, after):
    return service.reopen(name, "so") if after == "declared" else service.move(name, after, "so")


# Merging, and undoing it

FEED, OUTPUT, OTHER = (IncidentKey("loans", kind) for kind in ("model_drift", "harmful_output", "unclassified"))
A, B, C = (f"AI-INC-2026-000{number}" for number in (1, 2, 3))
STANDING = ("status", "priority", "proposed", "alerts", "ended", "merged_into", "rose_at", "facts")


def standing(journal, *names):
    rows = [journal.find("incidents", name) for name in names]
    return [{column: row.get(column) or None for column in STANDING} for row in rows]


def homes(journal):
    return {row["id"]: row["incident_id"] for row in journal.list_rows("incident_alerts")}


def opened(journal):
    """A (P2, one alert) and B (P0, two alerts)."""
    service = declaring(journal)
    service.open_or_join(FEED, [alert(1)])
    service.open_or_join(OUTPUT, [alert(2), alert(3)])
    return service, responding(journal)


@pytest.mark.parametrize(("gone", "into"), [(A, B), (B, A)])
def test_a_merge_that_is_undone_leaves_what_was(journal, gone, into):
    _, people = opened(journal)
    people.move(gone, "contained", "rerouted")
    before = standing(journal, A, B)
    people.merge(gone, into, "one cause")
    assert journal.find("incidents", into)["alerts"] == 3
    assert journal.find("incidents", into)["priority"] == "P0"
    back = people.unmerge(gone, "two causes")
    assert (back.id, back.status, back.merged_into) == (gone, "contained", None)
    assert standing(journal, A, B) == before
    for name in (gone, into):
        kinds = [each["kind"] for each in journal.list_rows("incident_timeline", {"incident_id": name})]
        assert kinds[-2:] == ["incident_merged", "incident_unmerged"]
    people.merge(gone, into, "one cause after all")
    assert people.get(gone).incident.merged_into == into


def test_alerts_that_came_meanwhile_go_back_and_count_where_people_work(journal):
    service, people = opened(journal)
    people.merge(A, B, "one cause")
    [joined] = service.open_or_join(FEED, [alert(4), alert(5)])
    assert (joined.incident_id, joined.is_new) == (B, False)
    assert [row["alerts"] for row in (journal.find("incidents", name) for name in (A, B))] == [3, 5]
    assert len(people.get(B).alerts) == 5
    service.open_or_join(OUTPUT, [alert(6)])
    people.unmerge(A, "two causes")
    assert [row["alerts"] for row in (journal.find("incidents", name) for name in (A, B))] == [3, 3]
    assert {name for name, home in homes(journal).items() if home == A} == {"alert-1", "alert-4", "alert-5"}
    [again] = service.open_or_join(FEED, [alert(7)])
    assert again.incident_id == A


def test_a_priority_that_may_have_risen_meanwhile_stays_and_the_line_says_so(journal):
    service, people = opened(journal)
    people.merge(B, A, "one cause")
    service.open_or_join(FEED, [alert(4, severity="critical")])  # A itself calls for P0 now
    people.unmerge(B, "two causes")
    assert journal.find("incidents", A)["priority"] == "P0"
    assert "stays, after what came since, P0" in people.get(A).timeline[-1].event


def test_what_a_source_called_it_is_not_forgotten_when_a_fact_becomes_known(journal):
    people = Respond(Desk(journal, lambda: AT, secrets.token_bytes, "tok_ada"), packs_of_incidents(), FLOORS)
    service = declaring(journal)
    service.open_or_join(KEY, [alert(1, severity="high")])
    assert journal.find("incidents", A)["proposed"] == "P1"
    known = people.learn_facts(A, {"decisions": 40}, "counted")
    assert (known.proposed, known.rule) == (
        "P1",
        "its source calls it high, above the default of this type, medium, and no known fact rules harm out",
    )
    service.open_or_join(KEY, [alert(2, severity="critical"), alert(3, severity="low")])
    assert people.learn_facts(A, {"people": 30}, "counted").proposed == "P0"
    assert people.learn_facts(A, {"wrong": 0}, "looked at").proposed == "P2"  # facts may rule harm out
    known = people.learn_facts(A, {"wrong": None}, "a mistake")
    assert (known.proposed, known.priority) == ("P0", "P0")


def test_what_sources_called_it_goes_with_a_merge_and_comes_back(journal):
    service, people = opened(journal)
    service.open_or_join(OUTPUT, [alert(9, severity="critical")])

    def told():
        return [journal.find("incidents", name)["told"] for name in (A, B)]

    people.merge(B, A, "one cause")
    assert told() == ["critical", "critical"]
    people.unmerge(B, "two causes")
    assert told() == [None, "critical"]
    people.merge(B, A, "one cause after all")
    assert people.learn_facts(A, {"decisions": 40}, "counted").proposed == "P0"
    people.unmerge(B, "two causes")
    assert told() == ["critical", "critical"]  # its priority may have risen by it, so a person lowers it


def test_what_cannot_be_unmerged(journal):
    service, people = opened(journal)
    with pytest.raises(Refused, match="not merged: there is nothing to undo"):
        people.unmerge(A, "so")
    service.declare(Opening(OTHER, "third", "ada"))
    people.merge(A, B, "so")
    people.merge(B, C, "so")
    with pytest.raises(Refused, match=f"unmerge {B} first"):
        people.unmerge(A, "so")
    service.open_or_join(FEED, [alert(4)])
    assert [journal.find("incidents", name)["alerts"] for name in (A, B, C)] == [2, 4, 4]
    people.unmerge(B, "so")
    people.unmerge(A, "so")
    assert [journal.find("incidents", name)["alerts"] for name in (A, B, C)] == [2, 2, 0]
    people.merge(A, B, "so")
    closed(journal, B)
    late = AlertFacts("late", AT + timedelta(hours=1), "again", "Rule alert", "alertmanager")
    [fresh] = service.open_or_join(FEED, [late])
    assert (fresh.incident_id, fresh.is_new) == ("AI-INC-2026-0004", True)
    with pytest.raises(Conflict, match="AI-INC-2026-0004 came after"):
        people.unmerge(A, "so")
    [old] = service.open_or_join(FEED, [alert(8, 30)])  # it began before the end of the one that had taken its key
    assert old.incident_id == B


def test_a_merge_into_one_that_is_closed_by_now_can_be_undone(journal):
    service, people = opened(journal)
    people.merge(A, B, "so")
    closed(journal, B)
    assert people.unmerge(A, "too early").status == "declared"
    [joined] = service.open_or_join(FEED, [alert(9)])
    assert joined.incident_id == A


@given(st.data())
def test_whatever_happens_between_alerts_are_where_they_were_without_a_merge(data):
    steps = data.draw(st.lists(st.sampled_from(["feed", "output"]), max_size=6))
    gone, into = data.draw(st.sampled_from([(A, B), (B, A)]))
    merge_at, unmerge_at = sorted(data.draw(st.tuples(*[st.integers(0, len(steps))] * 2)))
    told = []
    for is_merged in (False, True):
        journal = memory_journal()
        service, people = opened(journal)
        for number in range(len(steps) + 1):
            if is_merged and number == merge_at:
                people.merge(gone, into, "one cause")
            if is_merged and number == unmerge_at:
                people.unmerge(gone, "two causes")
            if number < len(steps):
                key = FEED if steps[number] == "feed" else OUTPUT
                service.open_or_join(key, [alert(10 + number, severity="high" if number % 2 else None)])
        told.append((homes(journal), standing(journal, A, B)))
    (plain_homes, plain), (merged_homes, merged) = told
    assert merged_homes == plain_homes
    for without, after in zip(plain, merged, strict=True):
        assert {name: after[name] for name in ("status", "alerts", "merged_into")} == {
            name: without[name] for name in ("status", "alerts", "merged_into")
        }
        assert after["priority"] <= without["priority"]  # never less urgent than without
    names = (A, B)
    if plain[names.index(gone)] | {"rose_at": None} != merged[names.index(gone)] | {"rose_at": None}:
        raise AssertionError(json.dumps([plain, merged], indent=1))
