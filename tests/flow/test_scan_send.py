"""`andon scan --send`: what a scan found opens an incident at the server, sealed with what it was made from."""

import json
import subprocess
import zipfile
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest

from servers import ANDON, serving

SCENARIO = Path(__file__).parents[1] / "data" / "o11_flights_region_deprioritised"


PATH = "/api/v1/signals/scan"


@pytest.fixture
def part(tmp_path):
    """Writes a part of the scenario's log."""

    def write(first, last):
        path = tmp_path / f"{first}.parquet"
        rows = duckdb.read_parquet(str(SCENARIO / "log.parquet"))
        rows.filter(f"prediction_id between '{first}' and '{last}'").write_parquet(str(path))
        return path

    return write


def scan(log, *words, **environment):
    place = [str(log), "--model", str(SCENARIO / "model.yaml"), "--reference", str(SCENARIO / "reference.parquet")]
    place += ["--every", "6h"]
    return subprocess.run(  # noqa: S603
        [ANDON, "scan", *place, *words],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", **environment},
    )


def test_a_scan_opens_the_incident_and_holds_what_it_was_made_from(part, tmp_path):
    log = part("p0032000", "p0035000")  # where the feed breaks
    with serving(tmp_path / "data") as server:
        where = {"ANDON_SERVER": server.url, "ANDON_TOKEN": server.secret}
        first = scan(log, "--send", "--json", str(tmp_path / "scan.json"), **where)
        assert (first.returncode, first.stderr) == (1, ""), first.stderr
        assert "AI-INC-" in first.stdout.splitlines()[-1]
        _, listed = server.ask("GET", "/api/v1/incidents", token=server.secret)
        [incident] = listed["items"]
        assert incident["id"] in first.stdout
        assert (incident["incident_type"], incident["priority"]) == ("data_pipeline_corruption", "P0")
        assert incident["started_at"].startswith("2001-05-07T04:00")
        assert (incident["alerts"], incident["ended"]) == (1, 0)
        assert incident["place"] == "dest_region = 'Mountain'"
        seal_id = first.stdout.split("sealed as ")[1].split(".")[0]
        _, bundle = server.ask("POST", f"/api/v1/seals/{seal_id}/export", token=server.secret)
        (tmp_path / "bundle.zip").write_bytes(bundle)
        with zipfile.ZipFile(tmp_path / "bundle.zip") as zipped:
            names = set(zipped.namelist())
            scanned = json.loads(zipped.read("scan.json"))
            facts = next(each for each in map(zipped.read, names) if b"predictions_in_ledger" in each)
        assert {"scan.json", "model.yaml", "observed.json", "setting.json"} <= names
        assert scanned["model_id"] == incident["model_id"]
        assert sha256(log.read_bytes()).hexdigest().encode() in facts
        assert b'"predictions_in_ledger": 0' in facts
        recomputed = subprocess.run(  # noqa: S603
            [ANDON, "evidence", "recompute", str(tmp_path / "bundle.zip")], capture_output=True, check=False
        )
        assert recomputed.returncode == 0, recomputed.stderr
        check_figures(server, incident["model_id"])
        body = (tmp_path / "scan.json").read_bytes()  # what a later scan says again
        assert server.ask("POST", PATH, body, server.secret, content_type="application/json")[0] == 202
        assert len(server.ask("GET", "/api/v1/incidents", token=server.secret)[1]["items"]) == 1


def check_figures(server, model_id):
    text = server.ask("GET", "/metrics")[1].decode()
    assert f'model_live_accuracy{{model_id="{model_id}"' in text
    assert f'model_scan_incidents{{incident_type="data_pipeline_corruption",model_id="{model_id}"}} 1.0' in text
    assert "model_input_kl_divergence" in text


def test_a_server_that_is_away_takes_nothing_from_the_result(part):
    log = part("p0033000", "p0033600")
    done = scan(log, "--send", ANDON_SERVER="http://127.0.0.1:9", ANDON_TOKEN="andon_" + "x" * 43)
    assert done.returncode == 4
    assert "What was looked for" in done.stdout
    assert "does not answer" in done.stderr
    unnamed = scan(log, "--send")
    assert (unnamed.returncode, unnamed.stdout) == (4, "")
    assert "ANDON_SERVER" in unnamed.stderr


def test_it_needs_a_model_file(part):
    log = part("p0033000", "p0033600")
    done = subprocess.run(  # noqa: S603
        [ANDON, "scan", str(log), "--send"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "ANDON_SERVER": "http://127.0.0.1:9", "ANDON_TOKEN": "x"},
    )
    assert done.returncode == 2
    assert "--model" in done.stderr
