"""Tokens over HTTP: made once, hashed, limited, revoked, expired; secrets are nowhere else."""

from datetime import timedelta

import pytest

from andon.base.errors import Refused
from andon.bootstrap.journal import now
from andon.people.token import digest_of
from houses import EVENTS, NDJSON, client_of, event, house_in, lines, token


@pytest.fixture
def house(tmp_path):
    with house_in(tmp_path) as opened:
        yield opened


@pytest.fixture
def client(house):
    with client_of(house) as opened:
        yield opened


def test_the_first_start_makes_an_administrator_and_the_second_none(tmp_path):
    with house_in(tmp_path) as house:
        secret = house.first.secret
        assert house.first.token.role == "admin"
    with house_in(tmp_path) as house, client_of(house) as client:
        assert house.first is None
        assert client.get("/api/v1/tokens", headers={"authorization": f"Bearer {secret}"}).status_code == 200


def test_a_token_is_made_used_and_revoked(house, client):
    admin = token(house, "admin")
    made = client.post("/api/v1/tokens", json={"name": "scoring", "role": "recorder"}, headers=admin)
    assert made.status_code == 201
    header = {"authorization": f"Bearer {made.json()['token']}"}
    assert client.post(EVENTS, content=lines(event(1)), headers=header | NDJSON).status_code == 200
    revoked = client.delete(f"/api/v1/tokens/{made.json()['id']}", headers=admin)
    assert revoked.json()["revoked_at"] is not None
    answer = client.post(EVENTS, content=lines(event(2)), headers=header | NDJSON)
    assert answer.status_code == 401
    assert "was revoked" in answer.json()["detail"]
    assert client.delete(f"/api/v1/tokens/{made.json()['id']}", headers=admin).status_code == 409
    assert client.delete("/api/v1/tokens/tok_0", headers=admin).status_code == 404


def test_an_expired_token_opens_nothing(house, client):
    header = token(house, "viewer", expires_at=now() + timedelta(days=1))
    assert client.get("/api/v1/seals", headers=header).status_code == 200
    with client_of(house, lambda: now() + timedelta(days=2)) as later:
        answer = later.get("/api/v1/seals", headers=header)
    assert answer.status_code == 401
    assert "expired at" in answer.json()["detail"]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YWRtaW46",
        "Bearer andon_short",
        "Bearer " + "x" * 5000,
        "Bearer andon_" + "A" * 43,
    ],
)
def test_what_is_no_token_is_401(client, value):
    assert client.get("/api/v1/seals", headers={"authorization": value}).status_code == 401


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"name": "x", "role": "boss"}, "there is no role boss"),
        ({"name": " ", "role": "viewer"}, "name"),
        ({"role": "viewer"}, "name"),
        ({"name": "x", "role": "viewer", "expires_at": "2020-01-01T00:00:00Z"}, "expired already"),
        ({"name": "x", "role": "viewer", "expires_at": "2020-01-01T00:00:00"}, "expires_at"),
        ({"name": "x", "role": "viewer", "other": 1}, "other"),
        ({"name": "x", "role": "viewer", "models": ["a\nb"]}, "line break"),
    ],
)
def test_a_bad_request_is_422_and_says_why(house, client, body, named):
    answer = client.post("/api/v1/tokens", json=body, headers=token(house, "admin"))
    assert answer.status_code == 422
    assert named in answer.text


def test_a_request_with_a_key_makes_one_token(house, client):
    headers = token(house, "admin") | {"idempotency-key": "a"}
    body = {"name": "x", "role": "viewer"}
    assert client.post("/api/v1/tokens", json=body, headers=headers).status_code == 201
    again = client.post("/api/v1/tokens", json=body, headers=headers)
    assert again.status_code == 409
    assert "its secret was shown then" in again.json()["detail"]


def test_the_last_administrator_stays(house, client):
    first = house.first.token
    headers = {"authorization": f"Bearer {house.first.secret}"}
    assert client.delete(f"/api/v1/tokens/{first.id}", headers=headers).status_code == 422
    with pytest.raises(Refused, match="last administrator"):
        house.access("x").revoke_token(first.id)
    token(house, "admin")
    assert client.delete(f"/api/v1/tokens/{first.id}", headers=headers).status_code == 200


def test_a_token_for_one_model_writes_and_seals_no_other(house, client):
    machine, person = token(house, "recorder", "m"), token(house, "responder", "m")
    assert client.post(EVENTS, content=lines(event(1)), headers=machine | NDJSON).status_code == 200
    mixed = lines(event(2), event(3, model_id="other"))
    answer = client.post(EVENTS, content=mixed, headers=machine | NDJSON)
    assert answer.status_code == 403
    assert house.log.size == 2
    asked = {"model_id": "other", "reason": "x"}
    assert client.post("/api/v1/seals", json=asked, headers=person).status_code == 403
    assert client.post("/api/v1/seals", json=asked | {"model_id": "m"}, headers=person).status_code == 201


def test_secrets_are_nowhere_on_the_disk(house, client, tmp_path, caplog):
    admin = token(house, "admin", name="Ada Lovelace")
    secret = admin["authorization"].split()[1]
    client.get("/api/v1/tokens", headers=admin)
    client.get("/nothing", headers=admin)
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert secret.encode() not in stored
    assert digest_of(secret).encode() in stored
    assert secret not in caplog.text
    journal = b"".join(p.read_bytes() for p in (tmp_path / "ledger").rglob("*") if p.is_file())
    assert b"Lovelace" not in journal


def test_too_many_wrong_tokens_and_too_many_requests_are_429(tmp_path):
    limits = {"failures_burst": 3, "failures_per_second": 0.001, "requests_burst": 5, "requests_per_second": 0.001}
    with house_in(tmp_path, **limits) as house, client_of(house) as client:
        header = token(house, "viewer")
        codes = [client.get("/api/v1/seals", headers=header).status_code for _ in range(7)]
        assert codes == [200] * 5 + [429] * 2
        codes = [client.get("/api/v1/seals").status_code for _ in range(5)]
        assert codes == [401] * 3 + [429] * 2
        assert client.get("/api/v1/seals").headers["retry-after"] == "1"
        assert client.get("/healthz").status_code == 200
