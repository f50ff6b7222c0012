"""Reports in words: the type, the facts, the priority, and which rule said so."""

import pytest
import yaml

from andon.base.errors import BadInput
from andon.bootstrap.packs import load_classifier, load_taxonomy, pack
from andon.incident.wording import parse

TYPES = tuple(load_taxonomy().types)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Women are rejected more often than men since the retraining", "bias_and_fairness_violation"),
        ("A prompt injection made the bot reveal its system prompt", "adversarial_attack"),
        ("The chatbot insults users and shows explicit content", "harmful_output"),
        ("Accuracy dropped from 0.92 to 0.78 since the new version", "model_performance_degradation"),
        ("The upstream pipeline renamed a column, features are null values", "data_pipeline_corruption"),
        ("A new category never seen before makes up a tenth of inputs: drift", "model_drift"),
        ("Requests time out, latency is ten times higher", "resource_exhaustion"),
        ("Reviewers approve within two seconds, it is a rubber stamp", "human_oversight_failure"),
        ("The vendor changed the model silently", "vendor_model_change"),
        ("The agent deleted the production table without permission", "unauthorized_agent_action"),
        ("Hello, I have a question", "unclassified"),
    ],
)
def test_a_report_has_a_type_and_names_its_rule(text, kind):
    reading = load_classifier().read(text)
    assert reading.incident_type == kind
    assert reading.rule
    assert (reading.rules == ()) == (kind == "unclassified")


@pytest.mark.parametrize(
    ("text", "facts", "priority"),
    [
        ("12,400 customers were misclassified", {"people": 12_400, "wrong": 12_400}, "P0"),
        ("A patient died after a wrong answer", {"physical_harm": True}, "P0"),
        ("A car crashed; no injuries", {}, "P1"),
        ("We lost $1.5 million by fraud", {"loss_usd": 1_000_000}, "P0"),
        ("Latency is high", {}, "P2"),
    ],
)
def test_stated_facts_propose_the_priority(text, facts, priority):
    reading = load_classifier().read(text)
    assert {name: reading.facts[name] for name in facts} == facts
    assert "physical_harm" not in reading.facts or facts.get("physical_harm")
    assert reading.priority == priority


@pytest.mark.parametrize("text", ["", "  ", "x" * 20_001])
def test_no_report(text):
    with pytest.raises(BadInput, match="1 to 20,000 letters"):
        load_classifier().read(text)


def test_rules_that_are_none_are_named():
    content = yaml.safe_load(pack("wording.yaml").read_text())
    with pytest.raises(BadInput, match="names the type made_up"):
        parse({**content, "types": [{"name": "x", "type": "made_up", "any": ["a"]}]}, TYPES, "mine.yaml")
    with pytest.raises(BadInput, match=r"types\.0\.any"):
        parse({**content, "types": [{"name": "x", "type": "model_drift", "any": ["(a+)+$"]}]}, TYPES, "mine.yaml")


def test_a_long_hostile_text_takes_no_long_time():
    """Linear patterns: what would take for ever with others ends at once."""
    assert load_classifier().read(("1" * 9 + " a" * 3 + " ") * 1_000).incident_type == "unclassified"
