"""The same words find the same places on every database, within what the searcher may see."""

import secrets

import pytest

from andon.adapters.signals.report import Reports
from andon.adapters.sql.search import SqlTexts, plain_words
from andon.base.errors import BadInput
from andon.bootstrap.packs import load_classifier, packs_of_incidents
from andon.incident.desk import Desk
from andon.incident.key import IncidentKey
from andon.incident.opening import AlertFacts, Opening
from andon.inventory.register import ChangeEntry, ModelEntry
from andon.services.declare import Declare
from andon.services.deliberate import Deliberate, Note
from andon.services.group import Group
from andon.services.receive import Receive
from andon.services.register import Register
from andon.services.search import Search
from andon.services.sift import Mapped, Sift
from journals import AT, fresh_database, sql_journal


@pytest.fixture(params=["sqlite", "postgresql"])
def journal(request, tmp_path):
    url = fresh_database(request.getfixturevalue("postgres")) if request.param == "postgresql" else None
    made = sql_journal(tmp_path, url)
    for model, title in (("loans", "Zusagen fielen über Nacht"), ("cards", "Merchant_category_code went missing")):
        service = Declare(journal=made, floors={"model_drift": "low"}, now=lambda: AT, chance=secrets.token_bytes)
        service.declare(Opening(IncidentKey(model, "model_drift"), title, "ada"))
    notes = Deliberate(desk(made), packs_of_incidents())
    notes.note("AI-INC-2026-0001", Note("The feed renamed a column at 04:00; see wiki", "link", "https://wiki.local/x"))
    service.open_or_join(
        IncidentKey("cards", "model_drift"), [AlertFacts("a", AT, "Nulls in mcc", "Rule", "alertmanager")]
    )
    yield made
    made.check()
    made.engine.dispose()


def desk(journal, *models):
    return Desk(journal, lambda: AT, secrets.token_bytes, "tok_ada", models)


def found(journal, words, *models, limit=20):
    places = Search(desk(journal, *models), SqlTexts(journal.engine)).search(words, limit)
    return sorted((each.kind, each.incident_id[-1]) for each in places)


@pytest.mark.parametrize(
    ("words", "places"),
    [
        ("uber nacht", [("incident", "1"), ("timeline", "1")]),
        ("ÜBER", [("incident", "1"), ("timeline", "1")]),
        ("zusag", [("incident", "1"), ("timeline", "1")]),
        ("renamed column", [("timeline", "1")]),
        ("wiki.local", [("timeline", "1")]),
        ("category code", [("incident", "2"), ("timeline", "2")]),
        ("AI-INC-2026-0002", [("incident", "2")]),
        ("nulls mcc", [("alert", "2"), ("timeline", "2")]),
        ("renamed nulls", []),
        ("text url titles", []),
        ("' or 1=1 -- \" * NEAR(", []),
    ],
)
def test_words(words, places, journal):
    assert found(journal, words) == places


def test_models_and_changes_are_found_by_who_may_see_them(journal):
    register = Register(journal, lambda: AT, secrets.token_bytes, "tok_ada")
    register.add_model(ModelEntry(id="loans", owner="Kreditabteilung"))
    register.post_change(ChangeEntry(model_id="loans", kind="deploy", what="Zweite Fassung geht live"))
    for words in ("kreditabteilung", "zweite fassung"):
        assert len(Search(desk(journal), SqlTexts(journal.engine)).search(words)) == 1
        assert len(Search(desk(journal, "loans"), SqlTexts(journal.engine)).search(words)) == 1
        assert Search(desk(journal, "cards"), SqlTexts(journal.engine)).search(words) == []


def test_a_signal_that_waits_for_a_map_is_found_until_it_has_its_incident(journal):
    """By whoever may see all models: nothing says yet whose it is."""
    types = ("harmful_output",)
    reports = Reports(load_classifier().read)
    receive = Receive(journal, {"report": reports}, {}, lambda: AT, secrets.token_bytes, "tok_press")
    receive.report(b'{"text": "The bot spoke of a Wombat, and of privacy", "reporter": "journalist"}')
    declare = Declare(journal, {"harmful_output": "high"}, lambda: AT, secrets.token_bytes, "grouping")
    group = Group(journal, types, declare.open_or_join, lambda: AT)

    def search(*models):
        return Search(desk(journal, *models), SqlTexts(journal.engine)).search("wombat")

    while group.step():
        pass
    [waiting] = search()
    assert (waiting.kind, waiting.incident_id) == ("alert", None)
    assert "Wombat" in waiting.text
    assert search("assistant") == []
    Sift(journal, types, lambda: AT, secrets.token_bytes, "tok_ada").map_alerts(Mapped(["source=report"], "assistant"))
    while group.step():
        pass
    assert {each.incident_id for each in search()} == {"AI-INC-2026-0003"}
    journal.rebuild()
    assert {each.incident_id for each in search("assistant")} == {"AI-INC-2026-0003"}


def test_only_what_the_searcher_may_see(journal):
    assert found(journal, "missing", "loans") == []
    assert found(journal, "missing", "loans", "cards") == [("incident", "2"), ("timeline", "2")]
    assert len(found(journal, "missing", limit=1)) == 1


@pytest.mark.parametrize("words", ["", "  ", "—", "x " * 21])
def test_no_words(words, journal):
    with pytest.raises(BadInput):
        found(journal, words)


def test_what_was_erased_is_found_no_more_and_the_index_is_made_anew(journal):
    before = found(journal, "went missing")
    journal.rebuild()
    assert found(journal, "went missing") == before != []
    journal.keys.forget("AI-INC-2026-0001")
    journal.rebuild()
    assert found(journal, "uber nacht") == found(journal, "renamed") == []
    assert found(journal, "loans") == [("incident", "1")]


def test_plain_words():
    assert plain_words("Straße_Ω-12 é!") == ["strasse", "ω", "12", "e"]
    assert plain_words("…") == []
