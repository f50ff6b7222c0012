"""Merges that meet other changes of the same incidents: whatever comes first, all is as if done one after another."""

import json
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from andon.base.errors import AndonError, Stale
from andon.bootstrap.packs import packs_of_incidents
from andon.incident.desk import Ask, Desk
from andon.incident.key import IncidentKey
from andon.incident.opening import AlertFacts, Opening
from andon.services.declare import Declare
from andon.services.respond import Respond
from journals import AT, fresh_database, sql_journal

FLOORS = {"model_drift": "medium", "harmful_output": "critical"}
ROUNDS = 12


@pytest.fixture(params=["sqlite", "postgresql"])
def journals(request, tmp_path):
    """Two servers on one PostgreSQL; SQLite has one."""
    if request.param == "sqlite":
        made = sql_journal(tmp_path)
        yield [made, made]
        made.engine.dispose()
        return
    yield from two_servers(request.getfixturevalue("postgres"), tmp_path)


@pytest.fixture
def servers(postgres, tmp_path):
    yield from two_servers(postgres, tmp_path)


def two_servers(postgres, folder):
    url = fresh_database(postgres)
    made = [sql_journal(folder, url) for _ in range(2)]
    yield made
    for each in made:
        each.engine.dispose()


def responding(journal):
    return Respond(Desk(journal, lambda: AT, secrets.token_bytes, "tok_ben"), packs_of_incidents(), FLOORS)


def declaring(journal):
    return Declare(journal, FLOORS, lambda: AT, secrets.token_bytes, "tok_ada")


def pair(journal, number):
    """Two open incidents of different keys, and the keys."""
    keys = [IncidentKey(f"{name}-{number}", "model_drift") for name in ("gone", "into")]
    levels = ("P1", "P3")
    made = [
        declaring(journal).declare(Opening(key, "scores moved", "ada", priority=level)).id
        for key, level in zip(keys, levels, strict=True)
    ]
    return (*made, *keys)


def acts(journals, number):
    """What may happen to the two at once, each as a call."""
    gone, into, gone_key, into_key = pair(journals[0], number)
    one, two = (responding(each) for each in journals)
    joins = [(declaring(journals[n]), key) for n, key in ((0, gone_key), (1, into_key))]
    return into, [
        lambda: one.merge(gone, into, "the same"),
        lambda: two.set_priority(into, "P2", "worse than it looked"),
        lambda: two.set_priority(gone, "P0", "very bad"),
        lambda: one.learn_facts(into, {"people": 2_000}, "counted"),
        *(
            lambda join=join, key=key: join.open_or_join(
                key, [AlertFacts(f"{key.model_id}-{n}", AT, "an alert fires", "Rule alert", "test") for n in range(3)]
            )
            for join, key in joins
        ),
        lambda: two.move(into, "contained", "rolled back"),
        lambda: two.unmerge(gone, "not the same"),
    ]


def replayed(journal, incident):
    """The priority of an incident as its lines say one after another; each says rightly what it was before."""
    lines = sorted(journal.list_rows("incident_timeline", {"incident_id": incident}), key=lambda line: line["seq"])
    level = "P3"
    for each in lines:
        data, kind = json.loads(each["data"]), each["kind"]
        if kind == "incident_merged":
            assert data["priority_was"] == level
            level = data["priority"]
        elif kind == "incident_unmerged":
            assert data["priority"] in (level, "P3", "P2", "P0")
            level = data["priority"]
        elif "was" in data and kind in ("priority_set", "facts_learned", "alerts_joined"):
            assert data["was"] == level, (kind, lines)
            level = data["to"] if kind == "priority_set" else data["priority"]
    return level


def test_a_merge_that_meets_priorities_facts_alerts_and_moves_loses_none_of_them(journals):
    def quietly(call, gate):
        gate.wait(30)
        with suppress(AndonError):  # what comes too late is refused: it was merged, or is not merged yet
            call()

    for number in range(ROUNDS):
        into, calls = acts(journals, number)
        gate = threading.Barrier(len(calls))
        with ThreadPoolExecutor(len(calls)) as pool:
            for done in [pool.submit(quietly, call, gate) for call in calls]:
                done.result(60)
        row = journals[0].find("incidents", into)
        assert row["priority"] == replayed(journals[0], into)
        gone = journals[0].find("incidents", f"AI-INC-2026-{number * 2 + 1:04}")
        assert row["alerts"] == (6 if gone["status"] == "merged" else 3)
    for each in journals:
        assert each.check() == each.last()


@pytest.mark.parametrize("act", ["move", "set_priority", "acknowledge"])
def test_who_looked_before_a_merge_is_told_that_it_changed(servers, act, monkeypatch):
    """The merge comes just after a change looked at the incident, and before it is recorded; SQLite never does that."""
    gone, into, *_ = pair(servers[0], 0)
    one, two = (responding(each) for each in servers)
    look, came = Desk.get, []

    def looked(desk, view, name):
        row = look(desk, view, name)
        if name == into and desk is one.desk and not came:
            came.append(pool.submit(two.merge, gone, into, "the same"))
            with suppress(TimeoutError):
                came[0].result(1)
        return row

    ask = Ask(version=servers[0].find("incidents", into)["seq"])
    words = {"move": ("contained", "rolled back"), "set_priority": ("P0", "bad"), "acknowledge": ()}[act]
    with ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(Desk, "get", looked)
        done = None
        with suppress(Stale):
            getattr(one, act)(into, *words, ask=ask)
            done = True
        came[0].result(30)
    lines = servers[0].list_rows("incident_timeline", {"incident_id": into})
    order = [each["kind"] for each in sorted(lines, key=lambda each: each["seq"])]
    assert (order[-1] == "incident_merged") if done else (len(order) == 2), order
