"""The metric families of models, as Prometheus reads them."""

import json

import pytest
from prometheus_client.parser import text_string_to_metric_families

from andon.bootstrap.journal import now
from houses import EVENTS, NDJSON, client_of, event, house_in, lines, token


@pytest.fixture
def house(tmp_path):
    with house_in(tmp_path) as opened:
        yield opened


@pytest.fixture
def client(house):
    with client_of(house) as opened:
        yield opened


def test_what_came_last_of_each_model_is_told_as_a_time(house, client):
    admin = token(house, "admin")

    def last():
        found = text_string_to_metric_families(client.get("/metrics").text)
        names = {f"andon_model_last_{each}_timestamp_seconds": each for each in ("prediction", "label", "evaluation")}
        return {
            (names[family.name], sample.labels["model_id"]): sample.value
            for family in found
            if family.name in names
            for sample in family.samples
        }

    assert last() == {}
    begun = now().timestamp()
    body = lines(event(1), event(2, kind="outcome", label=1), event(3, kind="outcome", label=1, model_id="late"))
    assert client.post(EVENTS, content=body, headers={**admin, **NDJSON}).status_code == 200
    assert client.post("/api/v1/signals/scan", json={"scan": SCAN, "figures": {}}, headers=admin).status_code == 202
    found = last()
    assert set(found) == {("prediction", "m"), ("label", "m"), ("label", "late"), ("evaluation", "m")}
    assert all(begun - 1 <= at <= now().timestamp() + 1 for at in found.values())


def samples(client):
    """Name and labels to value, of the families of models."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith("model_")
    }


def of(name, model_id="m", **more):
    return name, tuple(sorted({"model_id": model_id, **more}.items()))


def test_counters_stand_at_zero_from_registration_and_count_what_is_recorded_once(house, client):
    admin = token(house, "admin")
    versions = [{"version": "v1"}, {"version": "v2"}]
    client.post("/api/v1/models", json={"id": "m", "owner": "x", "versions": versions}, headers=admin)
    found = samples(client)
    for name in ("predictions", "output_invalid", "output_policy_violation", "input_anomaly_score_high"):
        assert [found[of(f"model_{name}_total", model_version=each)] for each in ("v1", "v2")] == [0, 0]
    body = lines(
        event(1, model_version="v1", flags=["invalid_output"], score=0.05, prediction=0),
        event(2, model_version="v1", flags=["policy_violation", "anomalous_input"]),
    )
    headers = {**admin, **NDJSON, "andon-producer": "p", "andon-epoch": "0", "andon-first": "0"}
    for _ in range(2):
        assert client.post(EVENTS, content=body, headers=headers).status_code == 200
    more = lines(event(1), event(2), event(3, model_version="v1"))
    assert client.post(EVENTS, content=more, headers=headers).json()["repeated"] == 2
    found = samples(client)
    assert found[of("model_predictions_total", model_version="v1")] == 3
    assert found[of("model_output_invalid_total", model_version="v1")] == 1
    assert found[of("model_output_policy_violation_total", model_version="v1")] == 1
    assert found[of("model_input_anomaly_score_high_total", model_version="v1")] == 1
    assert found[of("model_output_confidence_bucket", model_version="v1", le="0.9")] == 0
    assert found[of("model_output_confidence_bucket", model_version="v1", le="1.0")] == 1


SCAN = {"schema": "andon.scan/1", "model_id": "m", "incidents": []}
FIGURES = {
    "live_accuracy": {"v1": "0.9", "v2": "0.7"},
    "baseline_accuracy": {"v1": "0.91"},
    "kl_divergence": {"age": "0.62"},
}


def test_figures_are_those_of_the_last_scan_that_was_sent(house, client):
    signaller = token(house, "signaller")
    for figures in ({"live_accuracy": {"v1": "0.5"}}, FIGURES):
        sent = client.post("/api/v1/signals/scan", json={"scan": SCAN, "figures": figures}, headers=signaller)
        assert sent.status_code == 202, sent.text
    found = samples(client)
    assert found[of("model_live_accuracy", model_version="v1")] == 0.9
    assert found[of("model_live_accuracy", model_version="v2")] == 0.7
    assert found[of("model_baseline_accuracy", model_version="v1")] == 0.91
    assert found[of("model_input_kl_divergence", feature="age")] == 0.62
    bad = {"scan": SCAN, "figures": {"live_accuracy": {"v1": "NaN"}}}
    answer = client.post("/api/v1/signals/scan", json=bad, headers=signaller)
    assert answer.status_code == 422
    assert json.loads(answer.text)["fix"]
