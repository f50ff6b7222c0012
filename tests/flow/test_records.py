"""The record of an incident: prefilled, written, imported, and given back as it came."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from andon.bootstrap.packs import pack
from andon.incident.record import record_schema
from houses import YEAR, house_in, token

S1 = json.loads((Path(__file__).parents[1] / "unit/incident/s1_record.json").read_text(encoding="utf-8"))
S1["incident_id"] = f"AI-INC-{YEAR}-0042"  # numbers are counted per year
SCHEMA = Draft202012Validator(record_schema())
PATH = "/api/v1/incidents"


@pytest.fixture
def house(tmp_path):
    with house_in(tmp_path) as made:
        made.rest()  # nothing happens by itself, so that a test knows what there is
        yield made
        assert made.opened.journal.check() == made.opened.journal.last()


@pytest.fixture
def ada(house):
    return token(house, "commander", name="ada")


def imported(client, ada, **more):
    return client.post("/api/v1/records", json=S1 | more, headers=ada)


def exported(client, ada, incident, profile="?profile=s1"):
    return client.get(f"{PATH}/{incident}/record{profile}", headers=ada).json()


def test_the_published_schema_is_the_one_of_the_code():
    published = pack("schemas/incident-record.schema.json").read_text(encoding="utf-8")
    assert published == json.dumps(record_schema(), indent=2, ensure_ascii=False) + "\n", "write the schema out again"
    Draft202012Validator.check_schema(record_schema())


def test_the_sources_example_comes_back_unchanged(client, ada):
    assert SCHEMA.is_valid(S1)
    made = imported(client, ada)
    assert made.status_code == 201, made.text
    assert (made.json()["status"], made.json()["origin"], made.json()["priority"]) == ("resolved", "imported", "P1")
    back = exported(client, ada, f"AI-INC-{YEAR}-0042")
    assert json.dumps(back) == json.dumps(S1)
    whole = exported(client, ada, f"AI-INC-{YEAR}-0042", "")
    assert SCHEMA.is_valid(whole)
    assert whole.pop("andon")["schema"] == "andon.record/1"
    assert whole == S1
    lines = client.get(f"{PATH}/AI-INC-{YEAR}-0042/timeline", headers=ada).json()["items"]
    assert [each["event"] for each in lines if each["kind"] == "event_imported"] == [e["event"] for e in S1["timeline"]]


def test_numbers_go_on_behind_it_and_a_taken_one_is_409(client, ada):
    imported(client, ada)
    taken = imported(client, ada)
    assert (taken.status_code, f"AI-INC-{YEAR}-0042 is taken" in taken.json()["detail"]) == (409, True)
    made = client.post(PATH, json={"model_id": "m", "incident_type": "model_drift", "title": "x"}, headers=ada)
    assert made.json()["id"] == f"AI-INC-{YEAR}-0043"
    assert imported(client, ada, incident_id=f"AI-INC-{YEAR}-0007", model_id="z").status_code == 201
    made = client.post(PATH, json={"model_id": "n", "incident_type": "model_drift", "title": "x"}, headers=ada)
    assert made.json()["id"] == f"AI-INC-{YEAR}-0044"


def test_what_happens_after_the_import_is_added_to_it(client, ada):
    imported(client, ada)
    moved = client.post(
        f"{PATH}/AI-INC-{YEAR}-0042/status", json={"status": "closed", "reason": "reviewed"}, headers=ada
    )
    assert moved.status_code == 200
    back = exported(client, ada, f"AI-INC-{YEAR}-0042")
    assert back["status"] == "closed"
    assert [each["event"] for each in back["timeline"]] == [
        *(each["event"] for each in S1["timeline"]),
        "Closed: reviewed",
    ]
    same = {name for name in S1 if name not in ("status", "timeline")}
    assert all(back[name] == S1[name] for name in same)


def test_how_many_is_answered_from_what_people_wrote(client, ada):
    imported(client, ada)
    answers = client.get(f"{PATH}/AI-INC-{YEAR}-0042", headers=ada).json()["answers"]
    said = "the record says: 12,400 predictions, 340 legitimate transactions flagged as fraudulent"
    assert answers["how_many"] == f"wrong decisions: not known, people: not known; {said}; 0 alerts"


def test_nothing_happens_by_itself_to_what_ran_elsewhere(client, ada, house):
    imported(client, ada, status="declared", resolved_at=None)
    house.look()
    shown = client.get(f"{PATH}/AI-INC-{YEAR}-0042", headers=ada).json()
    assert (shown["clocks"], shown["actions"], shown["seal"]) == ([], [], None)


@pytest.mark.parametrize(
    ("more", "code", "named"),
    [
        ({"colour": "red"}, 422, "colour"),
        ({"incident_id": "INC-1"}, 422, "incident_id"),
        ({"incident_id": f"AI-INC-{YEAR}-0000"}, 422, "no number"),
        ({"incident_type": "model_drif"}, 422, "did you mean model_drift"),
        ({"severity": "fatal"}, 422, "severity"),
        ({"detected_at": "2026-04-22 08:15"}, 422, "no time with a zone"),
        ({"timeline": [{"time": "soon", "event": "x"}]}, 422, "no time with a zone"),
        ({"duration_minutes": -1}, 422, "duration_minutes"),
        ({"status": "merged"}, 422, "went up in another"),
    ],
)
def test_what_is_no_record(more, code, named, client, ada):
    answer = imported(client, ada, **more)
    assert (answer.status_code, named in answer.json()["detail"]) == (code, True), answer.text
    assert client.get(PATH, headers=ada).json()["items"] == []


def test_a_record_is_prefilled_and_people_write_the_rest(client, ada):
    facts = {"decisions": 1159, "people": 900, "loss_usd": 5000}
    asked = {"model_id": "m", "incident_type": "model_drift", "title": "x", "facts": facts, "model_version": "4.1"}
    incident = client.post(PATH, json=asked, headers=ada).json()["id"]
    record = exported(client, ada, incident, "")
    assert SCHEMA.is_valid(record), list(SCHEMA.iter_errors(record))
    assert record["impact"] == {
        "affected_predictions": 1159,
        "false_positive_increase": None,
        "user_impact": "900 people",
        "financial_impact_estimate": "$5,000",
    }
    assert (record["model_version"], record["resolved_at"], record["root_cause"]) == ("4.1", None, None)
    for path, body in (
        ("hypotheses", {"text": "The feed renamed a column"}),
        ("hypotheses/1", {"state": "confirmed", "evidence": "nulls"}),
        ("acknowledge", {}),
        ("status", {"status": "resolved", "reason": "mended"}),
    ):
        assert client.post(f"{PATH}/{incident}/{path}", json=body, headers=ada).status_code < 300
    cause = exported(client, ada, incident)["root_cause"]
    assert cause == {"category": "model_drift", "description": "The feed renamed a column", "contributing_factors": []}
    action = {"action": "Add a schema check", "owner": "data", "due_date": "2026-12-01", "status": "open"}
    etag = client.get(f"{PATH}/{incident}/record", headers=ada).headers["etag"]
    written = client.patch(
        f"{PATH}/{incident}/record", json={"corrective_actions": [action]}, headers={**ada, "if-match": etag}
    )
    assert written.status_code == 200, written.text
    again = client.patch(
        f"{PATH}/{incident}/record", json={"corrective_actions": []}, headers={**ada, "if-match": etag}
    )
    assert again.status_code == 412
    record = exported(client, ada, incident, "")
    assert record["corrective_actions"] == [action]
    assert record["duration_minutes"] == 0
    assert SCHEMA.is_valid(record), list(SCHEMA.iter_errors(record))
    assert client.patch(f"{PATH}/{incident}/record", json={}, headers=ada).status_code == 422
    assert client.get(f"{PATH}/{incident}/record?profile=s2", headers=ada).status_code == 422
