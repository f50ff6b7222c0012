"""What the short way to a route answers is what FastAPI's way answers, to good requests and bad ones."""

import json

import pytest
from starlette.testclient import TestClient

from andon.bootstrap.journal import now
from andon.interfaces.api.app import create
from houses import house_in, token

JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "application/cloudevents+json"}
ALERT = {
    "status": "firing",
    "labels": {"alertname": "Drift", "model_id": "loans"},
    "startsAt": "2026-03-01T00:00:00Z",
    "fingerprint": "f1",
}
WEBHOOK = json.dumps({"version": "4", "groupKey": "g", "alerts": [ALERT]})
EVENT = json.dumps({"specversion": "1.0", "id": "1", "source": "/m", "type": "drift", "data": {"model_id": "loans"}})
CASES = [
    ("signaller", "alertmanager", WEBHOOK, JSON),
    ("signaller", "alertmanager", WEBHOOK, {**JSON, "idempotency-key": "k"}),
    ("signaller", "alertmanager", WEBHOOK, {**JSON, "idempotency-key": ""}),
    ("signaller", "alertmanager", WEBHOOK, {**JSON, "idempotency-key": "k" * 256}),
    ("signaller", "alertmanager", "{", JSON),
    ("signaller", "alertmanager", WEBHOOK, {"content-type": "text/plain"}),
    ("viewer", "alertmanager", WEBHOOK, JSON),
    ("reporter", "alertmanager", WEBHOOK, JSON),
    ("signaller", "cloudevents", EVENT, EVENTS),
    ("signaller", "cloudevents", EVENT, JSON),
    ("viewer", "cloudevents", EVENT, EVENTS),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The application, a client of it, and tokens."""
    with house_in(tmp_path_factory.mktemp("short")) as house:
        app = create(house, now, "test")
        with TestClient(app, raise_server_exceptions=False) as client:
            yield app, client, {role: token(house, role) for role in ("signaller", "viewer", "reporter")}


@pytest.fixture
def ask(served, monkeypatch):
    """Asks by both ways: the short one, then FastAPI's."""
    app, client, tokens = served
    assert len(app._hot) > 1

    def asked(role, path, body, headers):
        where = f"/api/v1/signals/{path}"
        yield client.post(where, content=body, headers={**tokens[role], **headers})
        monkeypatch.setattr(app, "_hot", {})
        yield client.post(where, content=body, headers={**tokens[role], **headers})

    return asked


@pytest.mark.parametrize("number", range(len(CASES)))
def test_both_ways_answer_the_same(ask, number):
    told = []
    for answer in ask(*CASES[number]):
        document = answer.json()
        for name in ("signal_id", "was_known", "detail", "fix", "fields"):  # words, of one who checks and the other
            document.pop(name, None)
        told.append((answer.status_code, answer.headers["content-type"], document))
    assert told[0] == told[1]


def test_the_same_key_is_the_same_signal_by_either_way(ask):
    answers = ask("signaller", "alertmanager", WEBHOOK, {**JSON, "idempotency-key": "both"})
    first, again = (answer.json() for answer in answers)
    assert first["signal_id"] == again["signal_id"]
    assert (first["was_known"], again["was_known"]) == (False, True)
