"""Reports in words: the type, the facts, the priority, and which rule said so."""

import pytest
import yaml

from andon.base.errors import BadInput
from andon.bootstrap.packs import load_classifier, load_taxonomy, pack
from andon.incident.wording import parse

TYPES = tuple(load_taxonomy().types)
OPERATORS = {
    "data_pipeline_corruption": [
        "Since Monday the credit score is null for every customer from the north branch",
        "Amounts arrive in cents instead of euros since the import job changed",
        "The weather feed has shown the same values since yesterday",
        "The income column has been empty for two days and the model scores everyone as low risk",
        "Temperatures suddenly come in Fahrenheit",
    ],
    "model_drift": [
        "Customers behave differently since the new law, the model has never seen such orders",
        "Sales forecasts are off since prices went up",
        "Since the interest rates rose, applicants look nothing like those the model was trained on",
    ],
    "bias_and_fairness_violation": [
        "Loan approvals for women fell from 60% to 41%",
        "People with foreign names are rejected twice as often",
        "12,400 applicants over 60 were rejected since the retraining",
        "Patients from rural areas with dark skin get a lower priority than others with the same symptoms",
        "Men get higher credit limits than their wives with the same income",
    ],
    "harmful_output": [
        "The chatbot told a customer how to hurt himself",
        "The assistant prints email addresses of other users",
        "The bot insulted a child and used swear words",
        "It gave a customer the medical history of somebody else",
    ],
    "adversarial_attack": [
        "Someone gets loans approved by typing invisible characters into the form",
        "A handful of accounts probe the fraud model with near identical transactions",
        "A user made the assistant reveal its instructions by pasting a strange text",
    ],
    "resource_exhaustion": [
        "Answers take 30 seconds since this morning and many requests time out",
        "The GPU bill doubled overnight",
        "The service does not answer since 9 o'clock, the queue keeps growing",
    ],
    "human_oversight_failure": [
        "Reviewers approve every case in under two seconds",
        "Nobody looks at the flagged cases any more",
        "The second reviewer signs off everything within a second",
    ],
    "vendor_model_change": [
        "gpt-4o answers in a different style since last night and we deployed nothing",
        "The provider swapped the model behind the alias",
        "The API behaves differently although the model name is the same",
    ],
    "unauthorized_agent_action": [
        "The agent refunded 4,000 dollars although its limit is 50",
        "The assistant deleted a customer's calendar without being asked",
        "Our agent paid an invoice that nobody approved",
    ],
    "model_performance_degradation": [
        "Accuracy went down from 91 to 78 percent after version 3.2",
        "The new version rejects almost everyone",
        "Fraud model misses half of the fraud since the release",
        "Since the update on Tuesday it rejects good customers and lets bad ones through",
        "The forecast is wrong by 40 percent since version 7",
        "The model is behaving differently than expected but technically still working",
        "The assistant answers differently from before, and every dashboard is green",
        "It has been acting strangely since noon, no errors in the logs",
    ],
}


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


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in OPERATORS.items() for text in texts])
def test_what_people_who_run_a_model_write_has_its_type(kind, text):
    assert load_classifier().read(text).incident_type == kind


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
