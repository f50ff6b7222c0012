"""Health: what strangers may know, and a server that stops taking anything when evidence was changed under it."""

import pytest
from sqlalchemy import text

from andon.adapters.sql.engine import writing
from andon.base.errors import Unavailable
from houses import EVENTS, NDJSON, client_of, event, house_in, lines, token


@pytest.fixture
def house(tmp_path):
    with house_in(tmp_path) as opened:
        yield opened


def test_a_journal_that_is_cut_under_a_running_server_stops_it(house, caplog):
    with client_of(house) as client:
        header = token(house, "recorder")
        house.beat()
        assert client.get("/readyz").json() == {"ready": True, "reasons": []}
        with writing(house.opened.journal.engine) as connection:
            connection.execute(text("delete from journal where seq = (select max(seq) from journal)"))
        house.beat()
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["reasons"]) == (503, ["evidence is not what was recorded"])
        refused = client.post(EVENTS, content=lines(event(1)), headers=header | NDJSON)
        assert refused.status_code == 500
        assert "restored from an old copy" in refused.json()["detail"]
        assert "andon_ready 0.0" in client.get("/metrics").text
        assert client.get("/healthz").status_code == 200
    assert "restored from an old copy" in caplog.text


def test_a_database_that_is_away_is_told_without_its_place(house, monkeypatch, caplog):
    def away(_):
        raise Unavailable("the database postgresql://db.local/andon does not answer")

    with client_of(house) as client:
        monkeypatch.setattr(type(house.opened.follow), "step", lambda *_: away(None))
        house.beat()
        house.beat()
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["reasons"]) == (503, ["the journal is not followed"])
        assert caplog.text.count("db.local") == 1
        monkeypatch.undo()
        house.beat()
        assert client.get("/readyz").status_code == 200
