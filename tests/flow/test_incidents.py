"""An incident from its declaration to its end, over HTTP, as several people work on it."""

import json

import pytest

from houses import YEAR, house_in, token

PATH = "/api/v1/incidents"
DRIFT = {"model_id": "loans", "incident_type": "model_drift", "title": "Scores of region North moved"}


@pytest.fixture
def house(tmp_path):
    with house_in(tmp_path) as made:
        made.rest()  # nothing happens by itself, so that a test knows what there is
        yield made
        assert made.opened.journal.check() == made.opened.journal.last()


@pytest.fixture
def ada(house):
    return token(house, "commander", name="ada")


@pytest.fixture
def ben(house):
    return token(house, "responder", name="ben")


def post(client, who, path, body=None, **headers):
    return client.post(f"{PATH}{path}", json=body or {}, headers={**who, **headers})


def declared(client, who, **more):
    made = post(client, who, "", DRIFT | more)
    assert made.status_code == 201, made.text
    return made.json()["id"]


def timeline(client, who, incident):
    """What people did: actions and seals come by themselves, whenever it is looked."""
    lines = client.get(f"{PATH}/{incident}/timeline", headers=who).json()["items"]
    return [line["event"] for line in lines if line["by"] != "andon"]


def test_from_declared_to_closed_and_back(client, ada):
    incident = declared(client, ada, facts={"people": 150, "decisions": 400})
    assert incident == f"AI-INC-{YEAR}-0001"
    for path, body in (
        ("acknowledge", {}),
        ("status", {"status": "contained", "reason": "rerouted"}),
        ("status", {"status": "resolved", "reason": "the feed is back"}),
        ("status", {"status": "closed", "reason": "reviewed"}),
        ("reopen", {"reason": "it is back"}),
    ):
        answer = post(client, ada, f"/{incident}/{path}", body)
        assert answer.status_code == 200, answer.text
    shown = client.get(f"{PATH}/{incident}", headers=ada).json()["incident"]
    assert (shown["status"], shown["contained_at"], shown["closed_at"]) == ("declared", None, None)
    assert shown["reopened_at"] is not None
    assert timeline(client, ada, incident) == [
        "Declared P1 by ada: Scores of region North moved",
        "ada is at work on it",
        "Contained: rerouted",
        "Resolved: the feed is back",
        "Closed: reviewed",
        "Reopened from closed: it is back",
    ]


def test_moves_that_the_table_does_not_have(client, ada):
    incident = declared(client, ada)
    for body, named in (
        ({"status": "closed", "reason": "x"}, "it can become contained or resolved"),
        ({"status": "declared", "reason": "x"}, "use reopen"),
        ({"status": "contained", "reason": "x", "at": "2099-01-01T00:00:00Z"}, "later than now"),
        ({"status": "contained", "reason": "x", "at": "2020-01-01T00:00:00Z"}, "before the incident was declared"),
        ({"status": "contained", "reason": " "}, "reason"),
    ):
        answer = post(client, ada, f"/{incident}/status", body)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert named in answer.json()["detail"]
    assert post(client, ada, f"/{incident}/reopen", {"reason": "x"}).status_code == 422
    assert len(timeline(client, ada, incident)) == 1


@pytest.mark.parametrize(
    ("path", "body", "other"),
    [
        ("incidents", DRIFT, {**DRIFT, "model_id": "cards"}),
        ("tokens", {"name": "x", "role": "viewer"}, {"name": "x", "role": "admin"}),
        ("models", {"id": "loans", "owner": "risk"}, {"id": "cards", "owner": "risk"}),
        ("changes", {"model_id": "loans", "kind": "deploy", "what": "v1"}, {"model_id": "loans", "kind": "prompt"}),
        ("silences", {"matchers": ["a=b"], "lasting_seconds": 60, "reason": "x"}, {"reason": "y"}),
        ("maps", {"matchers": ["a=b"], "model_id": "m", "incident_type": "model_drift"}, {"model_id": "n"}),
        ("seals", {"model_id": "loans", "reason": "x"}, {"reason": "y"}),
        ("incidents/note", {"text": "one"}, {"text": "two"}),
        ("incidents/seal", {"reason": "one"}, {"reason": "two"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_key_that_comes_with_another_body_is_refused_and_nothing_is_done(house, client, path, body, other):
    admin, keyed = token(house, "admin"), {"idempotency-key": "k1"}
    if path.startswith("incidents/"):
        path = f"incidents/{post(client, admin, '', DRIFT).json()['id']}/{path[10:].replace('note', 'notes')}"
    first = client.post(f"/api/v1/{path}", json=body, headers={**admin, **keyed})
    assert first.status_code in (200, 201)
    before = house.opened.journal.last()
    refused = client.post(f"/api/v1/{path}", json={**body, **other}, headers={**admin, **keyed})
    assert (refused.status_code, refused.headers["content-type"]) == (409, "application/problem+json")
    assert "Idempotency-Key" in refused.json()["detail"]
    assert "send a new key" in refused.json()["fix"]
    assert house.opened.journal.last() == before


def test_what_was_looked_at_and_a_request_that_is_repeated(client, ada, ben):
    first = post(client, ada, "", DRIFT, **{"idempotency-key": "k1"})
    again = post(client, ada, "", DRIFT, **{"idempotency-key": "k1"})
    assert first.json() == again.json()
    assert post(client, ada, "", DRIFT).status_code == 409
    note = post(client, ada, f"/{first.json()['id']}/notes", {"text": "x"}, **{"idempotency-key": "k1"})
    assert note.status_code == 201  # the same key at another path is another request
    headers = {**ada, "idempotency-key": "k1", "content-type": "application/json"}
    same = client.post(PATH, content=f" {json.dumps(DRIFT)}", headers=headers)
    assert (same.status_code, same.json()["id"]) == (201, first.json()["id"])  # other bytes, the same words
    incident, etag = first.json()["id"], first.headers["etag"]
    moved = {"status": "contained", "reason": "x"}
    assert post(client, ben, f"/{incident}/priority", {"priority": "P0", "reason": "y"}).status_code == 200
    stale = post(client, ada, f"/{incident}/status", moved, **{"if-match": etag})
    assert (stale.status_code, stale.json()["title"]) == (412, "changed meanwhile")
    fresh = client.get(f"{PATH}/{incident}", headers=ada).headers["etag"]
    assert post(client, ada, f"/{incident}/status", moved, **{"if-match": fresh}).status_code == 200
    assert post(client, ada, f"/{incident}/status", moved, **{"if-match": "soon"}).status_code == 422


def test_the_priority_rises_by_facts_and_falls_by_people(client, ada):
    incident = declared(client, ada, facts={"risk": "limited"})
    known = post(client, ada, f"/{incident}/facts", {"facts": {"people": 1200, "wrong": 1200}, "reason": "counted"})
    rule = "1,200 people got wrong decisions (1,000 or more)"
    assert (known.json()["priority"], known.json()["rule"]) == ("P0", rule)
    lowered = post(client, ada, f"/{incident}/priority", {"priority": "P2", "reason": "a test population"})
    assert (lowered.json()["priority"], lowered.json()["proposed"]) == ("P2", "P0")
    calm = post(client, ada, f"/{incident}/facts", {"facts": {"people": 1300}, "reason": "counted again"})
    assert calm.json()["priority"] == "P2"
    assert timeline(client, ada, incident)[1:] == [
        f"Known now: people 1200, wrong 1200; priority P2 to P0 ({rule}): counted",
        "De-escalated from P0 to P2: a test population",
        f"Known now: people 1300; proposes P0 ({rule}): counted again",
    ]
    wrong = post(client, ada, f"/{incident}/facts", {"facts": {"people": -1}, "reason": "x"})
    assert wrong.status_code == 422


def test_merge_link_and_the_alerts_that_follow(client, ada, house):
    one = declared(client, ada)
    two = declared(client, ada, model_id="cards", priority="P0")
    three = declared(client, ada, model_id="fraud")
    assert post(client, ada, f"/{three}/links", {"other": one, "reason": "one vendor"}).status_code == 200
    merged = post(client, ada, f"/{two}/merge", {"into": one, "reason": "one feed"})
    assert (merged.json()["id"], merged.json()["priority"]) == (one, "P0")
    assert post(client, ada, f"/{two}/status", {"status": "contained", "reason": "x"}).status_code == 422
    assert post(client, ada, f"/{one}/merge", {"into": one, "reason": "x"}).status_code == 422
    assert post(client, ada, f"/{one}/merge", {"into": f"AI-INC-{YEAR}-0099", "reason": "x"}).status_code == 404
    shown = client.get(f"{PATH}/{two}", headers=ada).json()
    assert shown["answers"]["may_do"][0]["command"] == f"andon incident show {one}"
    assert shown["clocks"] == []  # none of them warns: those of the other one run
    assert client.get(f"{PATH}/{one}", headers=ada).json()["links"][0]["other_id"] == three


def test_the_commander_does_not_debug_while_another_is_there(client, ada, ben):
    incident = declared(client, ada)
    task = {"text": "Replay the evaluation set", "kind": "debug", "to": "ada", "due_at": "2099-01-01T00:00:00Z"}
    assert post(client, ada, f"/{incident}/roles", {"role": "commander", "to": "ada"}).status_code == 200
    alone = post(client, ada, f"/{incident}/tasks", task)
    assert (alone.status_code, alone.json()["is_alone"]) == (201, True)
    assert f"andon incident handover {incident} commander" in alone.json()["hint"]
    assert post(client, ben, f"/{incident}/acknowledge").status_code == 200
    refused = post(client, ada, f"/{incident}/tasks", task)
    assert refused.status_code == 422
    assert refused.json()["title"] == "refused by a rule"
    assert "give the task to ben" in refused.json()["detail"]
    assert client.get(f"{PATH}/{incident}", headers=ada).json()["handover"] == "ben"
    assert post(client, ada, f"/{incident}/tasks", task | {"to": "ben"}).json()["is_alone"] is False
    debugging = post(client, ada, f"/{incident}/handovers", {"role": "commander", "to": "ben"})
    assert "ben debugs" in debugging.json()["detail"]
    done = post(client, ben, f"/{incident}/tasks/2", {"status": "done", "reason": "F1 is 0.78"})
    assert done.status_code == 200
    handed = post(
        client, ada, f"/{incident}/handovers", {"role": "commander", "to": "ben", "words": "Call the vendor."}
    )
    assert handed.json()["name"] == "ben"
    brief = handed.json()["brief"]
    assert brief.startswith(f"Call the vendor.\nAI-INC-{YEAR}-0001, P2, declared.")
    assert "Open: Replay the evaluation set (ada" in brief
    roles = client.get(f"{PATH}/{incident}", headers=ada).json()["roles"]
    assert [each["name"] for each in roles if each["role"] == "commander"] == ["ben"]


def test_two_tokens_of_one_name_are_one_person(client, house, ada):
    incident = declared(client, ada)
    laptop = token(house, "responder", name="ada")
    post(client, ada, f"/{incident}/roles", {"role": "commander", "to": "ada"})
    post(client, laptop, f"/{incident}/acknowledge")
    task = {"text": "Look at the feed", "kind": "debug", "to": "ada", "due_at": "2099-01-01T00:00:00Z"}
    assert post(client, ada, f"/{incident}/tasks", task).json()["is_alone"] is True


def test_facts_hypotheses_and_decisions_stand_apart(client, ada):
    incident = declared(client, ada)
    for path, body, code in (
        ("notes", {"text": "The feed moved at 04:00", "kind": "fact", "at": "2026-11-01T04:00:00Z"}, 201),
        ("notes", {"text": "The dashboard", "kind": "link", "url": "https://dash.local/1"}, 201),
        ("notes", {"text": "no address", "kind": "link"}, 422),
        ("notes", {"text": "dump.csv", "kind": "file", "url": f"sha256:{'a' * 64}"}, 201),
        ("notes", {"text": "no link", "kind": "link", "url": f"sha256:{'a' * 64}"}, 422),
        ("notes", {"text": "no digest", "kind": "file", "url": "sha256:abc"}, 422),
        ("notes", {"text": "not yet", "kind": "fact", "at": "2099-01-01T00:00:00Z"}, 422),
        ("hypotheses", {"text": "The vendor renamed a column"}, 201),
        ("hypotheses", {"text": "The world moved"}, 201),
        ("hypotheses/2", {"state": "refuted", "evidence": "one region only"}, 200),
        ("hypotheses/1", {"state": "confirmed", "evidence": "nulls from 04:00 on"}, 200),
        ("hypotheses/9", {"state": "confirmed", "evidence": "x"}, 404),
        ("decisions", {"choice": "A: reroute", "rationale": "a fallback exists", "options": ["B: pause"]}, 201),
        ("decisions", {"choice": "A", "rationale": "x", "options": []}, 422),
    ):
        answer = post(client, ada, f"/{incident}/{path}", body)
        assert answer.status_code == code, answer.text
    shown = client.get(f"{PATH}/{incident}", headers=ada).json()
    assert shown["facts"] == ["The feed moved at 04:00"]
    assert [each["state"] for each in shown["hypotheses"]] == ["confirmed", "refuted"]
    assert shown["decisions"][0]["options"] == ["A: reroute", "B: pause"]
    assert shown["incident"]["cause_at"] is not None
    assert timeline(client, ada, incident)[0] == "Fact: The feed moved at 04:00"  # it happened first
    post(client, ada, f"/{incident}/hypotheses/1", {"state": "refuted", "evidence": "they are back"})
    assert client.get(f"{PATH}/{incident}", headers=ada).json()["incident"]["cause_at"] is None


def test_the_checklist_is_prefilled_and_ends_the_triage(client, ada):
    incident = declared(client, ada, model_version="4.1.2")
    checks = {each["item"]: each for each in client.get(f"{PATH}/{incident}", headers=ada).json()["checks"]}
    assert checks["version"]["computed"] == "4.1.2"
    assert checks["nature"]["computed"] == "wrong classification"
    nothing = post(client, ada, f"/{incident}/checks", {"answers": {"since": None}})
    assert "write the answer, as since=TEXT" in nothing.json()["detail"]
    assert "did you mean severity" in post(client, ada, f"/{incident}/checks", {"answers": {"severty": None}}).text
    some = post(client, ada, f"/{incident}/checks", {"answers": {"severity": None, "nature": "missing output"}})
    assert some.json()["is_triaged"] is False
    rest = {name: "known" for name, each in checks.items() if name not in ("severity", "nature")}
    assert post(client, ada, f"/{incident}/checks", {"answers": rest}).json()["is_triaged"] is True


def test_who_may_not(client, house, ada):
    incident = declared(client, ada)
    viewer, other = token(house, "viewer"), token(house, "responder", "cards", name="carl")
    assert post(client, viewer, "", DRIFT).status_code == 403
    assert client.get(f"{PATH}/{incident}", headers=viewer).status_code == 200
    assert client.get(f"{PATH}/{incident}", headers=other).status_code == 404
    assert client.get(f"{PATH}/{incident}/timeline", headers=other).status_code == 404
    assert client.get(PATH, headers=other).json() == {"items": [], "next": None}
    assert post(client, other, f"/{incident}/acknowledge").status_code == 404
    assert post(client, other, "", DRIFT).status_code == 403
    assert "did you mean ada" in post(client, ada, f"/{incident}/roles", {"role": "commander", "to": "adda"}).text


def test_lists_are_pages(client, ada):
    for number in range(5):
        declared(client, ada, model_id=f"m{number}")
    post(client, ada, f"/AI-INC-{YEAR}-0005/merge", {"into": f"AI-INC-{YEAR}-0004", "reason": "x"})
    ids, after = [], ""
    while after is not None:
        page = client.get(f"{PATH}?limit=2&status=open{after and f'&after={after}'}", headers=ada).json()
        ids += [each["id"] for each in page["items"]]
        after = page["next"]
    assert ids == [f"AI-INC-{YEAR}-000{number}" for number in (4, 3, 2, 1)]
    assert len(client.get(f"{PATH}?model=m1", headers=ada).json()["items"]) == 1
    assert client.get(f"{PATH}?status=weird", headers=ada).status_code == 422
    assert client.get(f"{PATH}?colour=red", headers=ada).status_code == 422


def test_no_name_and_no_text_stands_in_an_entry(client, ada, house):
    incident = declared(client, ada, title="Kundin Meier bekam eine Absage")
    post(client, ada, f"/{incident}/acknowledge")
    post(client, ada, f"/{incident}/notes", {"text": "Herr Schulz rief an"})
    entries = b"".join(row.entry for row in house.opened.journal.rows(0))
    assert not any(word in entries for word in (b"Meier", b"Schulz", b'"ada"'))
    house.opened.journal.keys.forget(incident)
    house.opened.journal.rebuild()
    shown = client.get(f"{PATH}/{incident}", headers=ada).json()
    assert "Meier" not in json.dumps(shown)
    assert shown["incident"]["title"] == "erased"


def test_what_is_no_request(client, ada):
    json_type = {**ada, "content-type": "application/json"}
    for body, code in (
        (b"{", 422),
        (b"[]", 422),
        (b'{"model_id": "m", "incident_type": "model_drift", "title": "x", "colour": 1}', 422),
        (b'{"model_id": "m", "incident_type": "model_drift", "title": "a\\u0000b"}', 422),
        (b'{"model_id": "m", "incident_type": "model_drift", "title": "\\ud800"}', 422),
        (b'{"model_id": "m", "incident_type": "model_drift", "title": "' + b"x" * 501 + b'"}', 422),
        (b'{"model_id": "m", "incident_type": "model_drift", "title": "' + b"x" * (17 << 20) + b'"}', 413),
        (b"\xff\xfe", 422),
    ):
        answer = client.post(PATH, content=body, headers=json_type)
        assert answer.status_code in (code, 400), (body[:80], answer.text[:300])
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["fix"]
    assert client.get(PATH, headers=ada).json()["items"] == []


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31T23:59:59Z"])
def test_the_far_ends_of_the_calendar_are_refused_wherever_a_time_is_asked_for(client, ada, at):
    incident = declared(client, ada)
    where = f"/api/v1/incidents/{incident}"
    report = {"text": "It names other customers", "reporter": "user", "seen_at": at}
    change = {"model_id": "loans", "kind": "deploy", "what": "x", "at": at}
    asked = (
        ("/api/v1/incidents", {"model_id": "z", "incident_type": "model_drift", "title": "x", "started_low": at}),
        (f"{where}/status", {"status": "contained", "reason": "x", "at": at}),
        (f"{where}/notes", {"text": "x", "at": at}),
        (f"{where}/tasks", {"text": "x", "kind": "debug", "to": "ada", "due_at": at}),
        ("/api/v1/seals", {"model_id": "loans", "reason": "x", "since": at}),
        ("/api/v1/silences", {"matchers": ["a=b"], "lasting_seconds": 60, "reason": "x", "starts_at": at}),
        ("/api/v1/signals/report", report),
        ("/api/v1/changes", change),
    )
    for path, body in asked:
        answer = client.post(path, json=body, headers=ada)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), path


def test_an_error_of_ours_is_a_document_too(client, ada, house, monkeypatch):
    def broken(_):
        raise OverflowError("secret text")

    monkeypatch.setattr(type(house), "respond", lambda *_: broken(None))
    answer = client.get("/api/v1/incidents", headers=ada)
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_model_whose_id_does_not_print_is_not_registered(client, ada, house):
    admin = token(house, "admin")
    for name in ("loans\u202e", "lo\u200bans", "a\nb"):
        assert client.post("/api/v1/models", json={"id": name, "owner": "x"}, headers=admin).status_code == 422
        change = {"model_id": name, "kind": "deploy", "what": "x"}
        assert client.post("/api/v1/changes", json=change, headers=ada).status_code == 422


def test_what_the_register_knows_is_known_of_the_incident(client, ada, house):
    admin = token(house, "admin")
    entry = {"id": "loans", "owner": "Credit", "risk_class": "limited"}
    assert client.post("/api/v1/models", json=entry, headers=admin).status_code == 201
    for kind, what, version in (("pipeline", "geo job moved", None), ("deploy", "v2 goes live", "v2")):
        body = {"model_id": "loans", "kind": kind, "what": what, "version": version}
        assert client.post("/api/v1/changes", json=body, headers=admin).status_code == 201
    other = {"model_id": "loans", "kind": "deploy", "what": "elsewhere", "environment": "staging"}
    assert client.post("/api/v1/changes", json=other, headers=admin).status_code == 201
    known = client.get(f"{PATH}/{declared(client, ada)}", headers=ada).json()
    assert known["incident"]["facts"]["risk"] == "limited"
    assert not any("risk class" in each for each in known["incident"]["facts_missing"])
    [version] = [each["computed"] for each in known["checks"] if each["item"] == "version"]
    assert [part.split(" 20")[0] for part in version.split("; ")] == ["deploy v2", "pipeline"]
    stated = declared(client, ada, incident_type="harmful_output", facts={"risk": "high"})
    assert client.get(f"{PATH}/{stated}", headers=ada).json()["incident"]["facts"]["risk"] == "high"


def test_where_else_it_could_be_is_prefilled_from_the_register(client, ada, house):
    admin, limited = token(house, "admin"), token(house, "responder", "loans", name="carl")
    deployed = {"version": "v2", "deployed_at": "2026-01-02T03:00:00Z"}
    feed = {"pipelines": ["geo"], "vendors": ["acme"]}
    for entry in (
        {"id": "loans", "owner": "Credit", "versions": [{"version": "v1"}, deployed], "depends_on": feed},
        {"id": "cards", "owner": "Cards", "depends_on": {"vendors": ["acme"], "pipelines": ["geo"]}},
        {"id": "fraud", "owner": "Fraud", "depends_on": {"features": ["geo"]}},
        {"id": "lonely", "owner": "Nobody"},
    ):
        assert client.post("/api/v1/models", json=entry, headers=admin).status_code == 201

    def computed(incident, reader=ada):
        checks = client.get(f"{PATH}/{incident}", headers=reader).json()["checks"]
        return {each["item"]: each["computed"] for each in checks}

    incident = declared(client, ada, model_version="v2")
    assert computed(incident)["other_deployments"] == "other versions: v1; cards rests on the same pipeline geo"
    assert computed(incident)["version"] == "v2, deployed 2026-01-02 03:00 UTC"
    assert computed(incident, limited)["other_deployments"] == "other versions: v1"
    alone = computed(declared(client, ada, model_id="lonely"))["other_deployments"]
    assert alone == "the register names no other version of it, and no model that you may see rests on the same"
    assert computed(declared(client, ada, model_id="stranger"))["other_deployments"] is None
    for what in ({"version": "v3"}, {"version": "v2"}, {"version": "v9", "environment": "staging"}):
        live = {"model_id": "loans", "kind": "deploy", "what": "goes live", **what}
        assert client.post("/api/v1/changes", json=live, headers=admin).status_code == 201
    assert (
        computed(incident, limited)["other_deployments"] == "other versions: v1, v3"
    )  # CI posts more than is registered
