"""`benchmarks/incidents.py` at a tiny size: a real server, every part, and figures that say what they are."""

import argparse
import json

import incidents
import pytest
from incident_speed import load


@pytest.fixture
def table():
    return incidents.Table()


def asked(**more):
    tiny = {"rate": 20.0, "seconds": 1.0, "alerts": 30, "rows": 30_000, "rounds": 4}
    return argparse.Namespace(**tiny | more)


def test_signals_are_accepted_and_an_incident_is_read(table, tmp_path, capsys):
    incidents.accept(table, tmp_path, asked())
    incidents.read(table, tmp_path, asked())
    told = table.document(asked())
    assert json.loads(json.dumps(told)) == told
    figures = {each["name"]: each for each in told["figures"]}
    assert figures["accepted and durable, p99 (3 fdatasync p99 + 15 ms)"]["target"] > 15
    assert figures["full / empty, p50"]["target"] == 3
    assert all(each["value"] >= 0 for each in told["figures"])
    assert {each["part"] for each in told["figures"]} == {"accept", "read"}
    out = capsys.readouterr().out
    assert len(out.splitlines()) == len(told["figures"])


def test_a_figure_over_its_target_is_missed(table, capsys):
    table.say("accept", "slow", 2.0, "ms", most=1)
    table.say("accept", "fast", 0.5, "ms", most=1)
    table.say("accept", "free", 9.0, "ms")
    assert [each.is_met for each in table.figures] == [False, True, None]
    assert "MISSED" in capsys.readouterr().out.splitlines()[0]


def test_an_answer_that_is_none_ends_the_run(tmp_path):
    with incidents.served(tmp_path) as (_, _, asker), pytest.raises(SystemExit, match="404"):
        asker.ask("GET", "/api/v1/incidents/AI-INC-1999-0001")


def test_every_alert_of_the_load_is_another():
    bodies = [json.loads(load.webhook(number, 3)) for number in range(9)]
    assert len({each["alerts"][0]["fingerprint"] for each in bodies}) == 9
    assert len({each["alerts"][0]["labels"]["model_id"] for each in bodies}) == 3
