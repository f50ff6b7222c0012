"""The shipped packs, and what a pack of a user is told."""

import pytest

from andon.base.errors import BadInput
from andon.bootstrap.packs import load_severities, load_taxonomy
from andon.incident.priority import LEVELS, SEVERITIES
from andon.incident.taxonomy import extended, parse_taxonomy

TYPES = {
    "model_performance_degradation": "high",
    "data_pipeline_corruption": "critical",
    "bias_and_fairness_violation": "critical",
    "adversarial_attack": "critical",
    "model_drift": "medium",
    "harmful_output": "critical",
    "resource_exhaustion": "medium",
    "human_oversight_failure": "high",
    "vendor_model_change": "high",
    "unauthorized_agent_action": "critical",
}
CAUSES = {"model_behavior_change", "data_distribution_shift", "prompt_or_integration_bug", "human_oversight_failure"}


def one_type(**changes):
    kind = {"title": "T", "means": "m", "excludes": "e", "cause_category": "c", "default_severity": "high"} | changes
    return {"schema": "andon.taxonomy/1", "cause_categories": {"c": "a cause"}, "types": {"t": kind}}


def test_ten_types_with_their_default_severity():
    known = load_taxonomy()
    assert {slug: kind.default_severity for slug, kind in known.types.items()} == TYPES
    assert set(known.cause_categories) == CAUSES
    assert known.titles()["model_drift"] == "Model drift"


def test_scales_are_derived_from_the_priority():
    levels = load_severities().severities
    assert {name: level.severity for name, level in levels.items()} == SEVERITIES
    assert [level.sev for level in levels.values()] == ["SEV-1", "SEV-2", "SEV-3", "SEV-4"]
    assert {LEVELS[level.severity] for level in levels.values()} == set(levels)


def test_a_valid_taxonomy_of_a_user():
    assert parse_taxonomy(one_type()).types["t"].title == "T"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({}, "schema"),
        (one_type(default_severity="catastrophic"), "types.t.default_severity"),
        (one_type(cause_category="weather"), "weather"),
        (one_type(colour="red"), "types.t.colour"),
        (one_type(title=""), "types.t.title"),
    ],
)
def test_an_invalid_taxonomy_is_refused_in_one_sentence(content, place):
    with pytest.raises(BadInput, match=place) as refused:
        parse_taxonomy(content, "mine.yaml")
    assert "\n" not in str(refused.value)


def test_types_of_a_user_stand_beside_the_known_or_take_their_place():
    own = one_type(cause_category="model_behavior_change")
    own["types"]["model_drift"] = own["types"]["t"] | {"title": "Ours"}
    del own["cause_categories"]
    found = extended(load_taxonomy(), own, "own.yaml")
    assert list(found.types) == [*TYPES, "t"]
    assert (found.types["t"].default_severity, found.types["model_drift"].title) == ("high", "Ours")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"types": {}}, "schema"),
        ({"schema": "andon.taxonomy/1", "types": []}, "types"),
        (one_type(cause_category="none"), "cause category none"),
        (one_type() | {"kinds": {}}, "kinds"),
        (one_type(default_severity="awful"), "types.t.default_severity"),
    ],
)
def test_types_of_a_user_that_are_not_valid_are_refused_by_place(content, told):
    with pytest.raises(BadInput, match="own.yaml.*" + told):
        extended(load_taxonomy(), content, "own.yaml")
