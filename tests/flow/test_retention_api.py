"""`POST /api/v1/retention`: the server deletes, once for a request, and only for who may."""

import pytest

from houses import EVENTS, NDJSON, client_of, event, house_in, lines, token
from servers import eventually

PATH = "/api/v1/retention"


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A house with a closed segment, where any age will do."""
    monkeypatch.setenv("ANDON_RETENTION_FLOOR", "off")
    with house_in(tmp_path) as opened:
        yield opened


def close_segment(house, client, headers, number):
    assert client.post(EVENTS, content=lines(event(number)), headers=headers).status_code == 200
    house.log._log.close_segment()
    closed, count = house.log._log.closed, iter(range(number * 10, number * 10 + 10_000))

    def is_closed():
        client.post(EVENTS, content=lines(event(next(count))), headers=headers)
        return house.log._log.closed > closed

    eventually(is_closed)


def test_the_server_deletes_once_for_a_request(house):
    admin = token(house, "admin")
    with client_of(house) as client:
        close_segment(house, client, admin | NDJSON, 1)
        body, keyed = {"days": 0}, admin | {"idempotency-key": "k1"}
        would = client.post(PATH, json={**body, "dry_run": True}, headers=admin).json()
        assert (would["segments"], house.log.first) == (1, 0)
        done = client.post(PATH, json=body, headers=keyed)
        assert (done.status_code, done.json()) == (200, would)
        assert house.log.first == would["first"] > 0
        close_segment(house, client, admin | NDJSON, 2)
        assert client.post(PATH, json=body, headers=keyed).json() == would
        assert house.log.first == would["first"]
        sealed = client.post("/api/v1/seals", json={"model_id": "m", "reason": "INC-1"}, headers=admin).json()
        held = client.post(PATH, json=body, headers=admin).json()
        assert (held["segments"], held["held_by"]) == (0, sealed["seal_id"])
    assert house.opened.journal.check() > 0


def test_who_may_not_deletes_nothing(house):
    with client_of(house) as client:
        for headers, status in (
            (token(house, "commander"), 403),
            (token(house, "admin", "fraud"), 403),
            ({}, 401),
            (token(house, "compliance"), 200),
        ):
            assert client.post(PATH, json={"days": 400}, headers=headers).status_code == status
        for body in ({}, {"days": -1}, {"days": 36_501}, {"days": "x"}):
            assert client.post(PATH, json=body, headers=token(house, "admin")).status_code == 422


def test_the_law_of_the_server_holds(tmp_path):
    with house_in(tmp_path) as house, client_of(house) as client:
        answer = client.post(PATH, json={"days": 30}, headers=token(house, "admin"))
    assert (answer.status_code, "six months" in answer.json()["detail"]) == (422, True)
