"""Signals over HTTP: what is taken, what becomes of it, and what is refused with which words."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from andon.services.access import Grant
from houses import client_of, house_in, token

JSON = {"content-type": "application/json"}
NOW = datetime.now(UTC)  # noqa: TID251  # the server's own clock decides about skew


def alert(number=1, minutes=5, **labels):
    at = NOW - timedelta(minutes=minutes)
    named = {"alertname": "Drift", "model_id": "loans", "incident_type": "model_drift", "n": str(number), **labels}
    return {
        "status": "firing",
        "labels": named,
        "annotations": {},
        "startsAt": at.isoformat(),
        "fingerprint": f"f{number}",
    }


def webhook(*alerts, **more):
    return json.dumps({"version": "4", "groupKey": "g", "truncatedAlerts": 0, "alerts": alerts, **more})


@pytest.fixture
def house(tmp_path):
    with house_in(tmp_path) as opened:
        yield opened


@pytest.fixture
def client(house):
    with client_of(house) as opened:
        yield opened


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return found


def test_a_webhook_becomes_an_incident(house, client):
    signaller, viewer = token(house, "signaller"), token(house, "viewer")
    body = webhook(alert(1), alert(2), truncatedAlerts=7)
    taken = client.post("/api/v1/signals/alertmanager", content=body, headers={**signaller, **JSON})
    assert taken.status_code == 202
    assert taken.json() | {"signal_id": ""} == {"signal_id": "", "alerts": 2, "was_known": False, "left_out": 7}
    where = f"/api/v1/signals/{taken.json()['signal_id']}"
    until(lambda: client.get(where, headers=signaller).json()["state"] == "grouped")
    [incident] = client.get("/api/v1/incidents", headers=viewer).json()["items"]
    assert (incident["alerts"], incident["ended"], incident["model_id"]) == (2, 0, "loans")
    found = client.get("/api/v1/alerts?limit=1", headers=viewer).json()
    assert len(found["items"]) == 1
    again = client.get("/api/v1/alerts", params={"after": found["next"]}, headers=viewer).json()
    assert (len(again["items"]), again["next"]) == (1, None)
    shown = found["items"][0]
    assert (shown["incident_id"], shown["is_registered"], shown["state"]) == (incident["id"], False, "firing")
    over = [{**each, "status": "resolved", "endsAt": NOW.isoformat()} for each in (alert(1), alert(2))]
    client.post("/api/v1/signals/alertmanager", content=webhook(*over), headers={**signaller, **JSON})
    until(lambda: client.get(f"/api/v1/incidents/{incident['id']}", headers=viewer).json()["incident"]["ended"] == 2)
    lines = client.get(f"/api/v1/incidents/{incident['id']}/timeline", headers=viewer).json()["items"]
    assert "2 alerts are over: none fires any more" in [line["event"] for line in lines]


REFUSED = [
    ("alertmanager", b"{", JSON, 422, "no JSON"),
    ("alertmanager", webhook(), {"content-type": "text/plain"}, 415, "application/json"),
    ("alertmanager", webhook(), {**JSON, "content-encoding": "gzip"}, 415, "Content-Encoding"),
    ("alertmanager", webhook(alert(minutes=-30)), JSON, 422, "set the clock"),
    ("alertmanager", webhook(alert(), version="3"), JSON, 422, "send 4"),
    ("cloudevents", b"{}", JSON, 415, "application/cloudevents"),
    ("cloudevents", b"{}", {"content-type": "application/cloudevents+json"}, 422, "no id"),
    ("webhook/nothing", b"{}", JSON, 404, "no mapping describes"),
    ("webhook/datadogg", b"{}", JSON, 404, "did you mean datadog"),
    ("webhook/datadog", b"{}", JSON, 422, "send what identifies it"),
    ("webhook/andon_audit", b"{}", JSON, 404, "no mapping describes"),
    ("report", b'{"text": "x", "reporter": "user", "colour": "red"}', JSON, 422, "colour"),
    ("report", b'{"reporter": "user"}', JSON, 422, "text is wrong"),
    ("report", b" " * (129 << 10), JSON, 413, "128 KiB"),
    ("scan", b'{"schema": "andon.scan/2"}', JSON, 422, "schema"),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case[0]} {case[3]} {case[4]}")
def test_bad_input_is_refused_with_the_mend_and_nothing_is_written(house, client, case):
    path, body, headers, status, says = case
    before = house.opened.journal.last()
    signaller = token(house, "signaller")
    answer = client.post(f"/api/v1/signals/{path}", content=body, headers={**signaller, **headers})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    document = answer.json()
    assert says in document["detail"]
    assert document["fix"]
    assert house.opened.journal.last() == before + 1  # the token


def test_a_body_over_the_limit_is_refused_before_it_is_read(house, client):
    headers = {**token(house, "signaller"), **JSON, "content-length": str(17 << 20)}
    answer = client.post("/api/v1/signals/alertmanager", content=iter([b"x"]), headers=headers)
    assert answer.status_code == 413


def test_a_replay_is_the_same_signal_and_other_content_under_its_name_is_refused(house, client):
    signaller = token(house, "signaller")
    event = {"specversion": "1.0", "id": "1", "source": "/m", "type": "drift", "data": {"model_id": "loans"}}
    headers = {**signaller, "content-type": "application/cloudevents+json"}
    first, again = (client.post("/api/v1/signals/cloudevents", json=event, headers=headers) for _ in range(2))
    assert (again.status_code, again.json()["was_known"]) == (202, True)
    assert again.json()["signal_id"] == first.json()["signal_id"]
    other = client.post("/api/v1/signals/cloudevents", json={**event, "subject": "x"}, headers=headers)
    assert other.status_code == 409
    binary = {**signaller, **JSON, "ce-specversion": "1.0", "ce-id": "2", "ce-source": "/m", "ce-type": "drift"}
    assert client.post("/api/v1/signals/cloudevents", content=b"{}", headers=binary).status_code == 202


def test_who_may_send_and_of_which_model(house, client):
    body = webhook(alert())
    for headers, status, fix in (
        (token(house, "viewer"), 403, "use a token of"),
        (token(house, "signaller", "fraud"), 403, "use one for that model"),
        ({}, 401, "andon token create"),
    ):
        sent = client.post("/api/v1/signals/alertmanager", content=body, headers={**headers, **JSON})
        assert (sent.status_code, fix in sent.json()["fix"]) == (status, True), sent.text


def key_of(house, *models):
    made = house.access("test").create_token(Grant("arize", "signaller", models, kind="pagerduty"))
    house.learn()
    return made.secret


def test_a_pagerduty_button_works(house, client):
    key = key_of(house, "loans")
    assert len(key) == 32
    assert key.isalnum()
    event = {"routing_key": key, "event_action": "trigger", "dedup_key": "d"}
    event["payload"] = {"summary": "drift", "source": "arize", "severity": "error"}
    done = client.post("/v2/enqueue", json=event)
    assert (done.status_code, done.json()) == (
        202,
        {"status": "success", "message": "Event processed", "dedup_key": "d"},
    )
    viewer = token(house, "viewer")
    until(lambda: client.get("/api/v1/incidents", headers=viewer).json()["items"])
    [incident] = client.get("/api/v1/incidents", headers=viewer).json()["items"]
    assert (incident["model_id"], incident["incident_type"]) == ("loans", "unclassified")
    bearer = {"authorization": f"Bearer {key}"}
    assert client.get("/api/v1/incidents", headers=bearer).status_code == 401


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"event_action": "explode"}, "'event_action'"),
        ({"payload": {}}, "'payload.summary'"),
    ],
)
def test_pagerduty_answers_are_those_of_that_api(house, client, change, says):
    event = {"routing_key": key_of(house), "event_action": "trigger"}
    event["payload"] = {"summary": "drift", "source": "arize", "severity": "error"}
    answer = client.post("/v2/enqueue", json={**event, **change})
    assert answer.status_code == 400
    assert answer.json()["status"] == "invalid event"
    assert any(says in each for each in answer.json()["errors"])
    big = client.post("/v2/enqueue", content=b"x" * (513 << 10))
    assert big.status_code == 413


@pytest.mark.parametrize("key", [None, 7, "", "short", "a" * 32, "ANDON", {"a": 1}])
def test_a_stranger_at_pagerdutys_door_is_one_like_at_every_other(house, client, key):
    event = {"routing_key": key, "event_action": "trigger", "payload": {}}
    for content in (json.dumps(event).encode(), b"", b"[]", b"no JSON", b"[" * 100_000):
        answer = client.post("/v2/enqueue", content=content)
        assert (answer.status_code, answer.json()["title"]) == (401, "no valid token")
        assert answer.headers["www-authenticate"].startswith("Bearer")
        if key is None or not content.startswith(b"{"):
            assert answer.json()["detail"].startswith("the body names no routing_key: send a JSON object")


def test_reports_are_limited_and_classified(tmp_path):
    with house_in(tmp_path, reports_burst=2, reports_per_second=0.001) as house, client_of(house) as client:
        signaller = token(house, "signaller")
        body = {
            "text": "It names other customers with their phone numbers",
            "reporter": "journalist",
            "model_id": "bot",
        }
        answers = [client.post("/api/v1/signals/report", json=body, headers=signaller) for _ in range(3)]
        assert [each.status_code for each in answers] == [202, 202, 429]
        assert answers[0].json()["classified"]["incident_type"] == "harmful_output"
        viewer = token(house, "viewer")
        until(lambda: client.get("/api/v1/incidents", headers=viewer).json()["items"])


def test_an_unmapped_alert_is_offered_and_mapped(house, client):
    admin = token(house, "admin")
    client.post("/api/v1/models", json={"id": "loans", "owner": "Credit"}, headers=admin)
    lost = alert()
    lost["labels"] = {"alertname": "X", "job": "loans-api"}
    client.post("/api/v1/signals/alertmanager", content=webhook(lost), headers={**admin, **JSON})
    [group] = until(lambda: client.get("/api/v1/unmapped", headers=admin).json()["items"])
    assert group["proposal"] == {"label": "job", "value": "loans-api", "model_id": "loans"}
    limited = token(house, "responder", "loans", name="carl")
    assert client.get("/api/v1/unmapped", headers=limited).json()["items"] == []  # nothing says yet that it is theirs
    made = client.post("/api/v1/maps", json={"matchers": ["job=loans-api"], "model_id": "loans"}, headers=admin)
    assert made.status_code == 201
    until(lambda: client.get("/api/v1/incidents", headers=admin).json()["items"])
    assert client.delete(f"/api/v1/maps/{made.json()['id']}", headers=admin).status_code == 200
    assert client.delete("/api/v1/maps/map_none", headers=admin).status_code == 404
    bad = client.post("/api/v1/maps", json={"matchers": ["nonsense"], "model_id": "loans"}, headers=admin)
    assert bad.status_code == 422
    all_ = client.post("/api/v1/maps", json={"matchers": ["nobody=", "has="], "model_id": "loans"}, headers=admin)
    assert (all_.status_code, all_.json()["fix"]) == (422, "give at least one label its value")
    asked = {"matchers": ["job=loans-api"], "lasting_seconds": 60, "reason": "known"}
    silence = client.post("/api/v1/silences", json=asked, headers=admin).json()
    assert silence["is_active"]
    assert not client.delete(f"/api/v1/silences/{silence['id']}", headers=admin).json()["is_active"]
    assert client.delete(f"/api/v1/silences/{silence['id']}", headers=admin).status_code == 409


def test_a_merge_shows_nobody_alerts_of_a_model_that_they_may_not_see(house, client):
    admin, limited = token(house, "admin"), token(house, "responder", "loans", name="carl")
    for model in ("loans", "cards"):
        body = {"metric": "approvals", "model_id": model, "value": 1, "limit": 2}
        client.post("/api/v1/signals/webhook/business_metrics", json=body, headers=admin)
    found = until(lambda: (all_ := client.get("/api/v1/incidents", headers=admin).json()["items"])[1:] and all_)
    ids = {each["model_id"]: each["id"] for each in found}
    merge = {"into": ids["loans"], "reason": "one feed"}
    assert client.post(f"/api/v1/incidents/{ids['cards']}/merge", json=merge, headers=admin).status_code == 200
    for reader, shown in ((admin, set(ids.values())), (limited, {ids["loans"]})):
        dossier = client.get(f"/api/v1/incidents/{ids['loans']}", headers=reader).json()
        assert {each["incident_id"] for each in dossier["alerts"]} == shown
        assert dossier["incident"]["alerts"] == 2


def test_a_filter_that_nobody_knows_is_refused_and_not_left_out(house, client):
    viewer = token(house, "viewer")
    for path in ("changes?model_id=loans", "alerts?model_id=loans", "incidents?model_id=loans"):
        answer = client.get(f"/api/v1/{path}", headers=viewer)
        assert (answer.status_code, answer.json()["fields"][0]["field"]) == (422, "query.model_id")
    assert client.get("/api/v1/changes?model=loans&limit=5", headers=viewer).status_code == 200


def test_models_and_changes(house, client):
    admin = token(house, "admin")
    entry = {"id": "loans", "owner": "Credit", "risk_class": "high", "versions": [{"version": "v1"}]}
    assert client.post("/api/v1/models", json=entry, headers=admin).status_code == 201
    assert client.post("/api/v1/models", json=entry, headers=admin).status_code == 409
    assert client.post("/api/v1/models", json={**entry, "colour": "red"}, headers=admin).status_code == 422
    good = {"evidence": "evaluation 118, AUC 0.81"}
    refused = client.put("/api/v1/models/loans/known-good/v1", json=good, headers=admin)
    assert (refused.status_code, "not validated" in refused.json()["detail"]) == (422, True)
    known = client.get("/api/v1/models/loans", headers=admin)
    changed = client.put(
        "/api/v1/models/loans",
        json={**entry, "validation": "validated"},
        headers={**admin, "if-match": known.headers["etag"]},
    )
    assert changed.status_code == 200
    stale = client.put("/api/v1/models/loans", json=entry, headers={**admin, "if-match": known.headers["etag"]})
    assert stale.status_code == 412
    assert (
        "no version v9" in client.put("/api/v1/models/loans/known-good/v9", json=good, headers=admin).json()["detail"]
    )
    tagged = client.put("/api/v1/models/loans/known-good/v1", json=good, headers=admin).json()
    assert [each["version"] for each in tagged["known_good"]] == ["v1"]


def test_a_change_registers_what_goes_live_and_an_incident_questions_it(house, client):
    admin, good = token(house, "admin"), {"evidence": "evaluation 118, AUC 0.81"}
    entry = {"id": "loans", "owner": "Credit", "validation": "validated", "versions": [{"version": "v1"}]}
    client.post("/api/v1/models", json=entry, headers=admin)
    client.put("/api/v1/models/loans/known-good/v1", json=good, headers=admin)
    change = {"model_id": "loans", "kind": "deploy", "what": "v2 goes live", "version": "v2"}
    posted = client.post("/api/v1/changes", json=change, headers=token(house, "signaller"))
    assert (posted.status_code, posted.json()["is_registered"]) == (201, True)
    assert client.put("/api/v1/models/loans/known-good/v2", json=good, headers=admin).status_code == 200
    declared = {"model_id": "loans", "incident_type": "model_drift", "title": "drift", "model_version": "v2"}
    client.post("/api/v1/incidents", json=declared, headers=admin)
    shown = client.get("/api/v1/models/loans", headers=admin).json()
    assert {each["version"]: bool(each["questioned_by"]) for each in shown["known_good"]} == {"v1": False, "v2": True}
    lost = client.delete("/api/v1/models/loans/known-good/v2?reason=bad", headers=admin).json()
    assert [each["lost_at"] is None for each in lost["known_good"]] == [True, False]
    client.post("/api/v1/changes", json={**change, "model_id": "ghost"}, headers=admin)
    listed = client.get("/api/v1/models", headers=admin).json()["items"]
    assert [(each["id"], each["is_registered"]) for each in listed] == [("ghost", False), ("loans", True)]
    [newest, _] = client.get("/api/v1/changes", headers=admin).json()["items"]
    assert (newest["model_id"], newest["is_registered"]) == ("ghost", False)
    ahead = {**change, "at": "2999-01-01T00:00:00Z"}
    assert client.post("/api/v1/changes", json=ahead, headers=admin).status_code == 422


def test_denied_bursts_and_a_risen_role_are_told(house, client):
    viewer = token(house, "viewer", name="eve")
    for _ in range(20):
        assert client.get("/api/v1/tokens", headers=viewer).status_code == 403
    admin = token(house, "admin")
    [found] = until(lambda: client.get("/api/v1/alerts?model=andon", headers=admin).json()["items"])
    assert found["labels"]["alertname"] == "DeniedBurst"
    risen = token(house, "compliance", name="eve")
    seal = client.post("/api/v1/seals", json={"model_id": "m", "reason": "x"}, headers=risen).json()
    assert client.post(f"/api/v1/seals/{seal['seal_id']}/export", headers=risen).status_code == 200
    names = until(
        lambda: len(items := client.get("/api/v1/alerts?model=andon", headers=admin).json()["items"]) == 2 and items
    )
    assert {each["labels"]["alertname"] for each in names} == {"DeniedBurst", "RoleRaisedThenExport"}


def test_one_key_at_two_places_is_two_requests(house, client):
    headers = {**token(house, "admin"), "idempotency-key": "0"}
    assert client.post("/api/v1/seals", json={"model_id": "m", "reason": "x"}, headers=headers).status_code == 201
    change = {"model_id": "m", "kind": "deploy", "what": "v2"}
    first, again = (client.post("/api/v1/changes", json=change, headers=headers) for _ in range(2))
    assert (first.status_code, first.json()["id"]) == (201, again.json()["id"])


def test_what_cannot_be_grouped_is_said_and_taken_up_again(house, client, monkeypatch):
    def breaks():
        raise KeyError("a bug")

    admin = token(house, "admin")
    with monkeypatch.context() as patch:
        patch.setattr(type(house.signals), "step", lambda _: breaks())
        taken = client.post("/api/v1/signals/alertmanager", content=webhook(alert()), headers={**admin, **JSON})
        assert taken.status_code == 202
        reasons = until(lambda: client.get("/readyz").json()["reasons"])
        assert reasons == ["signals are not grouped"]
    until(lambda: client.get("/api/v1/incidents", headers=admin).json()["items"])
    assert until(lambda: client.get("/readyz").json()["ready"])


def test_a_long_report_is_kept_whole_and_found(house, client):
    admin = token(house, "admin")
    text = "It names other customers. " + "word " * 3_000
    sent = {"text": text, "reporter": "regulator", "model_id": "bot", "contact": "desk@regulator.example"}
    client.post("/api/v1/signals/report", json=sent, headers=admin)
    [found] = until(lambda: client.get("/api/v1/alerts?model=bot", headers=admin).json()["items"])
    assert found["annotations"]["text"] == text.strip()
    client.post("/api/v1/models", json={"id": "loans", "owner": "Credit risk"}, headers=admin)
    client.post("/api/v1/changes", json={"model_id": "loans", "kind": "pipeline", "what": "geo job"}, headers=admin)
    kinds = {each["kind"] for each in client.get("/api/v1/search?q=loans", headers=admin).json()["items"]}
    assert kinds == {"model", "model_change"}


OUTSIDE = {"text": "The assistant told me the phone numbers of other customers", "reporter": "journalist"}
HOSTILE = "<script>alert(1)</script>\u202eevil\u202c \x1b[31mred\x07 \u200bzero' OR 1=1 -- {{7*7}} ${jndi:ldap://x}"


def test_somebody_outside_may_report_and_nothing_else(house, client):
    outside, admin = token(house, "reporter"), token(house, "admin")
    client.post("/api/v1/models", json={"id": "assistant", "owner": "Support"}, headers=admin)
    for path in ("incidents", "alerts", "search?q=x", "signals/sig_1", "models"):  # all of them: test_routes
        assert client.get(f"/api/v1/{path}", headers=outside).status_code == 403
    assert client.post("/api/v1/signals/alertmanager", content=webhook(alert()), headers=outside).status_code == 403
    key = outside["authorization"].removeprefix("Bearer ")
    assert client.post("/v2/enqueue", json={"routing_key": key, "event_action": "trigger"}).status_code == 401
    taken = client.post("/api/v1/signals/report", json=OUTSIDE | {"model_id": "assistant"}, headers=outside)
    assert (taken.status_code, taken.json()["classified"]["incident_type"]) == (202, "harmful_output")
    [incident] = until(lambda: client.get("/api/v1/incidents", headers=admin).json()["items"])
    assert (incident["model_id"], incident["detected_by"]) == ("assistant", "report by a journalist alert")


def test_an_outsiders_report_about_a_model_that_is_not_registered_waits_for_a_person(house, client):
    outside, admin = token(house, "reporter"), token(house, "admin")
    client.post("/api/v1/models", json={"id": "assistant", "owner": "Support"}, headers=admin)
    for name in ("assistnt", "assistnt", "something else"):
        body = OUTSIDE | {"model_id": name, "text": f"{OUTSIDE['text']} at {name}"}
        assert client.post("/api/v1/signals/report", json=body, headers=outside).status_code == 202
    groups = until(lambda: (found := client.get("/api/v1/unmapped", headers=admin).json()["items"])[1:] and found)
    assert client.get("/api/v1/incidents", headers=admin).json()["items"] == []
    proposals = {each["proposal"]["value"]: each["proposal"]["model_id"] for each in groups}
    assert proposals == {"assistnt": "assistant", "something else": None}
    asked = {"matchers": ["model_name=assistnt"], "model_id": "assistant"}
    assert client.post("/api/v1/maps", json=asked, headers=admin).status_code == 201
    [incident] = until(lambda: client.get("/api/v1/incidents", headers=admin).json()["items"])
    assert incident["model_id"] == "assistant"


def test_a_reporter_for_one_model_speaks_of_that_one(house, client):
    outside, admin = token(house, "reporter", "assistant"), token(house, "admin")
    assert client.post("/api/v1/signals/report", json=OUTSIDE | {"model_id": "x"}, headers=outside).status_code == 403
    assert client.post("/api/v1/signals/report", json=OUTSIDE, headers=outside).status_code == 202
    [incident] = until(lambda: client.get("/api/v1/incidents", headers=admin).json()["items"])
    assert incident["model_id"] == "assistant"


def test_what_an_outsider_writes_is_text_and_nothing_more(house, client):
    outside, admin = token(house, "reporter"), token(house, "admin")
    client.post("/api/v1/models", json={"id": "bot", "owner": "x"}, headers=admin)
    named = {"contact": HOSTILE[:100], "url": "javascript:alert(1)", "model_id": "bot"}
    body = {"text": f"{HOSTILE}. {OUTSIDE['text']}", "reporter": "user", **named}
    assert client.post("/api/v1/signals/report", json=body, headers=outside).status_code == 202
    [found] = until(lambda: client.get("/api/v1/alerts?model=bot", headers=admin).json()["items"])
    shown = json.dumps(found, ensure_ascii=False)
    assert not any(letter in shown for letter in "\u202e\u202c\x1b\x07\u200b")
    assert not found["url"]
    assert "<script>alert(1)</script>" in found["annotations"]["text"]  # kept as words; nothing renders it
    [incident] = until(lambda: client.get("/api/v1/incidents", headers=admin).json()["items"])
    answer = client.get(f"/api/v1/incidents/{incident['id']}", headers=admin)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "\u202e" not in answer.text
    for wrong in (
        {"text": "x" * 20_001},
        {"text": ""},
        {"reporter": "king"},
        {"model_id": "m" * 201},
        {"seen_at": "yesterday"},
        {"text": {"a": 1}},
    ):
        answer = client.post("/api/v1/signals/report", json=OUTSIDE | wrong, headers=outside)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), wrong
    raw = b'{"text": "\xff\xfe", "reporter": "user"}'
    assert client.post("/api/v1/signals/report", content=raw, headers={**outside, **JSON}).status_code == 422
    lone = b'{"text": "\\ud800 names of customers", "reporter": "user"}'
    assert client.post("/api/v1/signals/report", content=lone, headers={**outside, **JSON}).status_code in (202, 422)
