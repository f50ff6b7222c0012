"""`andon doctor` names each thing that is not well, and looks on where one is broken."""

import json
import shutil
import sqlite3

import pytest

from houses import YEAR, event, lines
from servers import declare, serving, stop


@pytest.fixture
def doctor(andon):
    """Examines a folder: the exit code, and what was found."""

    def examine(data):
        code, out, err = andon("doctor", "--data", str(data), "--json")
        assert err == ""
        return code, {each["what"]: (each["state"], each["text"]) for each in json.loads(out)["checks"]}

    return examine


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    """An installation whose server ended; nobody changes it."""
    folder = tmp_path_factory.mktemp("installation") / "data"
    with serving(folder) as server:
        assert server.post_events(lines(event(1)), server.secret)[0] == 200
        stop(server)
    return folder


@pytest.fixture
def data(installation, tmp_path):
    """A copy of it."""
    return shutil.copytree(installation, tmp_path / "data")


def test_a_running_installation_is_well(tmp_path, doctor):
    with serving(tmp_path / "data") as server:
        assert server.post_events(lines(event(1)), server.secret)[0] == 200
        code, found = doctor(tmp_path / "data")
    assert code == 0
    assert {state for state, _ in found.values()} == {"ok"}
    assert found["server"][1] == f"{server.url} is ready"
    assert "the tables are what they say" in found["database and journal"][1]


def test_a_file_of_an_incident_that_is_missing_is_named(tmp_path, doctor):
    data = tmp_path / "data"
    with serving(data) as server:
        assert declare(server, server.secret) == 201
        path = f"/api/v1/incidents/AI-INC-{YEAR}-0001/files"
        for _ in range(2):
            kind = {"content_type": "application/octet-stream", "andon_file_name": "x"}
            assert server.ask("POST", path, b"x", server.secret, **kind)[0] == 201
        assert doctor(data)[1]["files"] == ("ok", "those of incidents are there: 2")
        for stored in (data / "files").iterdir():
            stored.unlink()
        code, found = doctor(data)
    assert (code, found["files"][0]) == (1, "failed")
    assert f"2 are missing in {data}/files, the first is file 1 of AI-INC-{YEAR}-0001" in found["files"][1]


def test_text_for_people(data, andon):
    code, out, _ = andon("doctor", "--data", str(data))
    assert code == 0
    assert "look    server: none runs on this folder: andon serve --data" in out


def test_no_folder_is_named(tmp_path, doctor):
    code, found = doctor(tmp_path / "none")
    assert code == 1
    assert "name it with --data" in found["data folder"][1]


def change_row(data):
    with sqlite3.connect(data / "andon.db") as base:
        base.execute("update tokens set role = 'viewer'")
    base.close()


def flip_checkpoint(data):
    path = data / "ledger" / "w-main" / "checkpoint"
    path.write_bytes(path.read_bytes().replace(b"andon.local/w-main\n2", b"andon.local/w-main\n1"))


def leave_place(data):
    (data / "server.json").write_text('{"address": "http://127.0.0.1:9", "pid": 1}')


@pytest.mark.parametrize(
    ("harm", "what", "named"),
    [
        (change_row, "database and journal", "of the table tokens was changed"),
        (flip_checkpoint, "log w-main", "signature"),
        (leave_place, "server", "does not answer"),
        (lambda data: (data / "ledger" / "signing.key").chmod(0o644), "secrets", "chmod 600"),
        (
            lambda data: (data / "andon.db").write_bytes(b"no database at all, whatever it says"),
            "database and journal",
            "database",
        ),
        (lambda data: (data / "ledger" / "journal" / "checkpoint").unlink(), "log journal", "checkpoint"),
    ],
)
def test_what_is_broken_is_named_and_the_rest_looked_at(harm, what, named, data, doctor):
    harm(data)
    code, found = doctor(data)
    assert code == 1
    assert found[what][0] == "failed"
    assert named in found[what][1]
    assert len(found) >= 7


def test_an_open_folder_is_a_warning(data, doctor):
    data.chmod(0o755)
    code, found = doctor(data)
    assert code == 0
    assert found["data folder"][0] == "warning"
