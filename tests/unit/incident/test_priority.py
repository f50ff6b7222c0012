"""Golden cases of the priority from facts, and that not knowing never lowers it."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from andon.bootstrap.packs import floors
from andon.incident.facts import from_fields
from andon.incident.priority import SEVERITIES, Facts, propose
from andon.inventory.model import RiskClass

HIGH, LIMITED, MINIMAL, UNKNOWN = RiskClass.HIGH, RiskClass.LIMITED, RiskClass.MINIMAL, RiskClass.UNKNOWN
NOTHING_BAD = {
    "defined_group": False,
    "protected_group": False,
    "physical_harm": False,
    "breach_of_law": False,
    "compliance_gap": False,
    "personal_data": False,
    "attack_works": False,
    "loss_usd": 0.0,
}


def known(decisions=10, wrong=10, people=10, risk=LIMITED, **facts):
    return Facts(decisions, wrong, people, risk, **(NOTHING_BAD | facts))


CASES = [
    # P0 of the table
    ("physical harm", known(physical_harm=True), "low", "P0", "physically harmed"),
    ("loss above 100,000", known(loss_usd=100_001), "low", "P0", "a loss of $100,001"),
    ("loss of exactly 100,000", known(loss_usd=100_000), "low", "P3", "default"),
    ("law being broken", known(breach_of_law=True), "low", "P0", "law"),
    ("1,000 people wrong", known(5000, 1000, 1000), "low", "P0", "1,000 people got wrong decisions"),
    ("999 people wrong", known(5000, 999, 999), "low", "P1", "999 people"),
    ("protected group at scale, high risk", known(100, 100, 100, HIGH, protected_group=True), "low", "P0", "protected"),
    (
        "protected group at scale, unknown risk",
        known(100, 100, 100, UNKNOWN, protected_group=True),
        "low",
        "P0",
        "protected",
    ),
    (
        "protected at scale, limited risk",
        known(100, 100, 100, LIMITED, protected_group=True),
        "low",
        "P1",
        "100 people",
    ),
    (
        "protected, 99 people",
        known(99, 99, 99, HIGH, protected_group=True, confirmed_harm=True),
        "low",
        "P1",
        "harm",
    ),
    # P1 of the table
    ("systematically wrong for a group", known(defined_group=True), "low", "P1", "defined group"),
    ("compliance gap", known(compliance_gap=True), "low", "P1", "duty"),
    ("100 people", known(100, 100, 100), "low", "P1", "100 people got wrong decisions"),
    ("99 people", known(99, 99, 99), "low", "P3", "default"),
    ("personal data in outputs", known(personal_data=True), "low", "P1", "personal data"),
    ("attack that works", known(attack_works=True), "low", "P1", "attack"),
    ("high risk, harm confirmed", known(1, 1, 1, HIGH, confirmed_harm=True), "low", "P1", "confirmed harm"),
    ("unknown risk, harm confirmed", known(1, 1, 1, UNKNOWN, confirmed_harm=True), "low", "P1", "confirmed harm"),
    # the floor of the type
    ("critical by default", known(), "critical", "P0", "default of this type is critical"),
    ("high by default", known(), "high", "P1", "default of this type is high"),
    ("medium by default", known(), "medium", "P2", "default of this type is medium"),
    ("the floor does not lower", known(physical_harm=True), "medium", "P0", "physically harmed"),
    # harm ruled out by what is known
    ("minimal risk", known(risk=MINIMAL), "critical", "P2", "minimal risk"),
    ("nobody concerned", known(5000, 5000, 0), "critical", "P2", "no person"),
    ("none wrong", known(5000, 0, 5000), "critical", "P2", "none of the decisions was wrong"),
    ("looked into, no harm", known(5000, 5000, 5000, confirmed_harm=False), "critical", "P2", "nobody came to harm"),
    (
        "within thresholds, no harm",
        known(risk=MINIMAL, within_thresholds=True),
        "medium",
        "P3",
        "within its thresholds",
    ),
    ("harmless use, many people", known(5000, 5000, 5000, MINIMAL), "critical", "P2", "minimal risk"),
    ("minimal risk, but a protected group", known(5, 5, 5, MINIMAL, protected_group=True), "critical", "P0", "default"),
    ("minimal risk, but a large loss", known(risk=MINIMAL, loss_usd=200_000), "medium", "P0", "a loss"),
    ("minimal risk, but personal data", known(risk=MINIMAL, personal_data=True), "medium", "P1", "personal data"),
    # not known: the higher is taken
    ("1,000 decisions of unknown people", Facts(1159), "medium", "P0", "if each is one person, 1,000 or more people"),
    ("100 decisions of unknown people", Facts(100), "medium", "P1", "if each is one person, 100 or more people"),
    ("99 decisions of unknown people", Facts(99), "medium", "P2", "default"),
    ("unknown how many of 1,000 people wrong", Facts(4000, None, 1000), "medium", "P0", "may have got wrong decisions"),
    ("1,200 people, decisions not counted", Facts(0, None, 1200), "medium", "P0", "1,200 people may have got wrong"),
    ("120 people, decisions not counted", Facts(0, None, 120), "medium", "P1", "120 people may have got wrong"),
    (
        "a protected group of 100, decisions not counted",
        Facts(0, None, 100, HIGH, protected_group=True),
        "medium",
        "P0",
        "protected",
    ),
    ("few wrong of many decisions", Facts(4000, 89), "medium", "P2", "default"),
    ("nothing known, critical type", Facts(1), "critical", "P0", "no known fact rules harm out"),
]


@pytest.mark.parametrize(
    ("facts", "default", "level", "words"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_golden(facts, default, level, words):
    priority = propose(facts, default)
    assert (priority.level, priority.severity) == (level, SEVERITIES[level])
    assert words in priority.rule


@pytest.mark.parametrize(
    ("told", "default", "level", "words"),
    [
        ("critical", "medium", "P0", "its source calls it critical, above the default of this type, medium"),
        ("low", "medium", "P2", "the default of this type is medium"),
        (None, "high", "P1", "the default of this type is high"),
    ],
)
def test_what_a_source_says_raises_the_default_and_is_named(told, default, level, words):
    priority = propose(known(), default, told)
    assert (priority.level, words in priority.rule) == (level, True), priority
    assert propose(known(risk=MINIMAL), default, told).level == "P2"


GOLDEN = yaml.safe_load(Path(__file__).with_name("golden_priorities.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", GOLDEN, ids=[case["case"] for case in GOLDEN])
def test_incidents_of_the_sources(case):
    facts = from_fields(NOTHING_BAD | case["known"] if "known" in case else case["open"])
    priority = propose(facts, floors()[case["type"]])
    assert (priority.level, case["rule"] in priority.rule) == (case["level"], True), priority


def test_there_are_enough_golden_cases():
    assert len(CASES) + len(GOLDEN) >= 60


def test_small_harm_to_a_protected_group_outranks_a_large_one_in_a_harmless_use():
    small = propose(known(5, 5, 5, HIGH, protected_group=True, confirmed_harm=True), "medium")
    large = propose(known(50_000, 50_000, 50_000, MINIMAL, defined_group=True), "critical")
    assert small.level < large.level


def test_decisions_are_never_called_people_without_a_subject():
    assert "1,159 people" not in propose(Facts(1159), "medium").rule
    people = "how many people they concern (decisions are counted, not people)"  # a column may name them all the same
    assert people in propose(Facts(1159), "medium").facts_missing


def test_a_fact_that_stands_alone_lacks_nothing():
    assert propose(Facts(1, physical_harm=True), "critical").facts_missing == ()


def test_facts_that_could_raise_it_are_named():
    missing = set(propose(Facts(3, 3, 3, LIMITED, confirmed_harm=True), "high").facts_missing)
    assert {"whether anybody was physically harmed", "the financial loss", "whether a law is being broken"} <= set(
        missing
    )


@pytest.mark.parametrize("name", [*NOTHING_BAD, "wrong", "people", "confirmed_harm", "within_thresholds"])
@pytest.mark.parametrize("risk", list(RiskClass))
@pytest.mark.parametrize("default", ["critical", "high", "medium", "low"])
def test_not_knowing_a_harmless_fact_never_lowers(name, risk, default):
    facts = known(500, 500, 500, risk, confirmed_harm=False)
    assert propose(replace(facts, **{name: None}), default).level <= propose(facts, default).level


@pytest.mark.parametrize("default", ["critical", "high", "medium", "low"])
def test_an_unknown_risk_class_is_judged_as_high(default):
    for facts in (Facts(5), Facts(5, confirmed_harm=True), Facts(500, protected_group=True)):
        unknown, high = (propose(replace(facts, risk=risk), default).level for risk in (UNKNOWN, HIGH))
        assert unknown == high
