"""Alerts without a model are kept by group, with a proposal."""

import pytest

from andon.alert.unmapped import Proposal, grouped, propose

MODELS = ("loans-v2", "fraud-detection", "triage")


@pytest.mark.parametrize(
    ("labels", "proposal"),
    [
        ({"job": "fraud_detection", "alertname": "X"}, Proposal("job", "fraud_detection", "fraud-detection")),
        ({"service": "fraud-detection-api"}, Proposal("service", "fraud-detection-api", "fraud-detection")),
        ({"deployment": "loans"}, Proposal("deployment", "loans", "loans-v2")),
        ({"app": "tirage"}, Proposal("app", "tirage", "triage")),
        ({"alertname": "DiskFull", "instance": "a"}, Proposal("alertname", "DiskFull", None)),
        ({"instance": "a"}, None),
    ],
)
def test_a_label_that_names_or_resembles_a_model_is_proposed(labels, proposal):
    assert propose(labels, MODELS) == proposal


def test_groups_are_told_with_what_they_share_the_largest_first():
    rows = [
        ("g1", "alertmanager", "one", True, {"job": "triage", "pod": "a"}),
        ("g1", "alertmanager", "two", False, {"job": "triage", "pod": "b"}),
        ("g2", "datadog", "three", True, {"x": "y"}),
    ]
    first, second = grouped(rows, MODELS)
    assert (first.alerts, first.firing, first.title, first.labels) == (2, 1, "two", {"job": "triage"})
    assert first.proposal == Proposal("job", "triage", "triage")
    assert (second.group_key, second.proposal) == ("g2", None)
