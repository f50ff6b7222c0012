"""A seal at a server pins the model as it stands: versions that answered, its entry, known-good versions, changes."""

import json

from houses import EVENTS, NDJSON, client_of, event, house_in, lines, token

ENTRY = {"id": "m", "owner": "Credit risk", "validation": "validated", "versions": [{"version": "v1"}]}


def pinned(house, client, admin):
    asked = {"model_id": "m", "reason": "INC-1"}
    made = client.post("/api/v1/seals", json=asked, headers=admin)
    assert made.status_code == 201
    _, entry = next(house.log.read(made.json()["entry"]))
    return json.loads(entry.payload)["model"]


def test_the_hold_says_version_and_configuration(tmp_path):
    with house_in(tmp_path) as house, client_of(house) as client:
        admin = token(house, "admin")
        assert pinned(house, client, admin) == {
            "id": "m",
            "versions": [],
            "registered": None,
            "known_good": [],
            "changes": [],
        }
        client.post("/api/v1/models", json=ENTRY, headers=admin)
        tagged = client.put("/api/v1/models/m/known-good/v1", json={"evidence": "Evaluation 118"}, headers=admin)
        assert tagged.status_code == 200
        change = {"model_id": "m", "kind": "deploy", "what": "v2 goes live", "version": "v2"}
        assert client.post("/api/v1/changes", json=change, headers=admin).status_code == 201
        for version in ("v1", "v2"):
            content = lines(event(1, model_version=version), event(2, model_version=version))
            assert client.post(EVENTS, content=content, headers=admin | NDJSON).status_code == 200
        found = pinned(house, client, admin)
        assert [each["version"] for each in found["versions"]] == ["v1", "v2"]
        assert (found["registered"]["owner"], found["known_good"]) == ("Credit risk", ["v1"])
        assert [(each["kind"], each["version"], each["what"]) for each in found["changes"]] == [
            ("deploy", "v2", "v2 goes live")
        ]
    with house_in(tmp_path) as house, client_of(house) as client:  # a fresh process knows it too
        assert pinned(house, client, token(house, "admin")) == found
