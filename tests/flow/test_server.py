"""`andon serve` as its operator sees it: started, used, told of tokens, stopped, started again."""

import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from andon.base.errors import BadInput
from andon.bootstrap.ledger import ledger_rows
from andon.bootstrap.settings import database_of, keep_database
from andon.inventory.model_file import parse_model
from houses import event, lines
from journals import bare_database, fresh_database
from servers import ANDON, andon, resident_bytes, serving, stop

SEAL = b'{"model_id": "m", "reason": "INC-1"}'


def made(data, role, *more):
    done = andon("token", "create", "--data", str(data), "--name", "machine", "--role", role, *more)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_server_from_an_empty_folder_to_a_bundle(kind, request, tmp_path):
    words = ()
    if kind == "postgresql":
        words = ("--database", bare_database(request.getfixturevalue("postgres")))
    data = tmp_path / "data"
    with serving(data, *words, cold=True) as server:
        assert "shown this once" in server.said
        assert "job_name: andon" in server.said
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        admin, recorder = server.secret, made(data, "recorder")
        eventually(lambda: server.post_events(lines(event(1), event(2)), recorder)[0] == 200)
        code, seal = server.ask(
            "POST", "/api/v1/seals", b'{"model_id":"m","reason":"INC-1"}', admin, content_type="application/json"
        )
        assert code == 201
        code, bundle = server.ask("POST", f"/api/v1/seals/{seal['seal_id']}/export", b"", admin)
        (tmp_path / "bundle.zip").write_bytes(bundle)
        (tmp_path / "kept").write_text(seal["checkpoint"])
        code, said = stop(server)
        assert (code, said) == (0, "")
        assert not (data / "server.json").exists()
    checked = andon("evidence", "verify", "bundle", str(tmp_path / "bundle.zip"), "--against", str(tmp_path / "kept"))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    held = andon("evidence", "hold", "--data", str(data))
    assert seal["seal_id"] in held.stdout
    with serving(data) as server:  # the folder knows its database
        assert "shown this once" not in server.said
        assert server.ask("GET", "/api/v1/seals", token=admin)[1]["items"][0]["id"] == seal["seal_id"]
        code, _ = server.post_events(lines(event(1)), recorder)
        assert code == 200


def test_a_token_that_is_revoked_on_the_machine_opens_nothing_within_a_second(tmp_path):
    with serving(tmp_path) as server:
        viewer = made(tmp_path, "viewer", "--expires", "90d")
        eventually(lambda: server.ask("GET", "/api/v1/seals", token=viewer)[0] == 200)
        listed = andon("token", "list", "--data", str(tmp_path))
        assert "administrator" in listed.stdout
        assert viewer not in listed.stdout
        [token_id] = [line.split()[0] for line in listed.stdout.splitlines() if "viewer" in line]
        assert andon("token", "revoke", token_id, "--data", str(tmp_path)).returncode == 0
        eventually(lambda: server.ask("GET", "/api/v1/seals", token=viewer)[0] == 401)
        again = andon("token", "revoke", token_id, "--data", str(tmp_path))
        assert (again.returncode, again.stderr.count("\n")) == (3, 1)


def test_a_second_server_on_sqlite_is_refused_by_name(tmp_path):
    with serving(tmp_path) as server:
        second = subprocess.run(  # noqa: S603
            [ANDON, "serve", "--data", tmp_path, "--listen", "127.0.0.1:0"],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert second.returncode == 3
        named = f"the server at {server.url} (process {server.process.pid})"
        assert named in second.stderr


def test_two_servers_on_one_database_each_write_a_log_and_share_tokens(postgres, tmp_path):
    url = fresh_database(postgres)
    with serving(tmp_path, "--database", url) as one, serving(tmp_path, "--database", url) as two:
        recorder = made(tmp_path, "recorder")
        for server in (one, two):
            eventually(lambda server=server: server.post_events(lines(event(1)), recorder)[0] == 200)
        assert {p.name for p in (tmp_path / "ledger").iterdir() if p.is_dir()} == {"w-main", "w-2", "journal"}
        sealed = [s.ask("POST", "/api/v1/seals", SEAL, one.secret, content_type="application/json") for s in (one, two)]
        assert [code for code, _ in sealed] == [201, 201]
        assert [list(made["other_logs"]) for _, made in sealed] == [["andon.local/w-2"], ["andon.local/w-main"]]
        os.kill(one.process.pid, signal.SIGSTOP)  # it holds the journal's lease
        try:
            code, _ = two.ask("POST", "/api/v1/seals", SEAL, one.secret, content_type="application/json")
            assert code == 201
        finally:
            os.kill(one.process.pid, signal.SIGCONT)
        assert one.ask("POST", "/api/v1/seals", SEAL, one.secret, content_type="application/json")[0] == 201


def test_a_changed_row_ends_the_start_by_name(tmp_path):
    with serving(tmp_path) as server:
        made(tmp_path, "viewer")
        stop(server)
    with sqlite3.connect(tmp_path / "andon.db") as base:
        base.execute("update tokens set role = 'admin'")
    base.close()
    refused = andon("serve", "--data", str(tmp_path), "--listen", "127.0.0.1:0")
    assert refused.returncode == 1
    assert "of the table tokens was changed" in refused.stderr


def test_a_database_from_an_old_copy_ends_the_start_by_name(tmp_path):
    with serving(tmp_path) as server:
        stop(server)
    shutil.copy(tmp_path / "andon.db", tmp_path / "old.db")
    with serving(tmp_path) as server:
        made(tmp_path, "viewer")
        eventually(lambda: b"andon_journal_entries 3.0" in server.ask("GET", "/metrics")[1])
        stop(server)
    for path in tmp_path.glob("andon.db*"):
        path.unlink()
    shutil.copy(tmp_path / "old.db", tmp_path / "andon.db")
    refused = andon("serve", "--data", str(tmp_path), "--listen", "127.0.0.1:0")
    assert refused.returncode == 1
    assert "restored from an old copy" in refused.stderr


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (("--listen", "8600"), 2, "write HOST:PORT"),
        (("--listen", "127.0.0.1:99999"), 2, "write HOST:PORT"),
        (("--listen", "203.0.113.1:80"), 2, "cannot listen"),
        (("--database", "mysql://x:geheim@y/z"), 2, "write postgresql://"),
        (("--database", "postgresql://x:geheim@127.0.0.1:9/z"), 4, "does not answer"),
    ],
)
def test_a_start_that_cannot_be_is_one_sentence(words, code, named, tmp_path):
    listen = () if "--listen" in words else ("--listen", "127.0.0.1:0")
    refused = andon("serve", "--data", str(tmp_path / "data"), *listen, *words)
    assert refused.returncode == code
    assert named in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert "geheim" not in refused.stderr


def test_a_folder_keeps_its_database(tmp_path):
    keep_database(tmp_path / "none", None)
    (tmp_path / "andon.db").touch()
    with pytest.raises(BadInput, match="was used with SQLite before"):
        keep_database(tmp_path, "postgresql://db.local/andon")
    (tmp_path / "andon.db").unlink()
    keep_database(tmp_path, "postgresql://me:geheim@db.local/andon")
    assert database_of(tmp_path) == "postgresql://me:geheim@db.local/andon"
    assert stat.S_IMODE((tmp_path / "database.url").stat().st_mode) == 0o600


def test_it_is_small_and_starts_soon(tmp_path):
    """The limits are the issue's (3 s, 250 MB); what is measured stands in docs/server.md."""
    with serving(tmp_path) as server:
        assert resident_bytes(server.process.pid) <= 250e6


def test_the_server_loads_no_engine_that_it_does_not_need():
    program = "import sys, andon.bootstrap.serve, andon.interfaces.api.app; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert not {"duckdb", "sklearn", "scipy", "sqlglot", "pandas"} & set(done.stdout.split())


def eventually(holds, seconds=10.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end


def beside(data, command):
    """Runs commands on a folder that a server holds."""

    def run(*words, code=0):
        left, out, err = command(*words, "--data", str(data))
        assert left == code, (words, out, err)
        return out + err

    return run


def test_recording_and_proofs_beside_a_server_go_to_it(tmp_path, andon):
    run, events = beside(tmp_path / "data", andon), tmp_path / "events.jsonl"
    events.write_bytes(lines(*(event(n) for n in range(1_500))))
    with serving(tmp_path / "data") as server:
        assert stat.S_IMODE((tmp_path / "data" / "server.json").stat().st_mode) == 0o600
        assert json.loads(run("record", str(events), "--json"))["events"] == 1_500
        assert json.loads(run("record", str(events), "--json"))["repeated"] == 1_500
        (tmp_path / "bad.jsonl").write_text("{}\n")
        assert "line 1" in run("record", str(tmp_path / "bad.jsonl"), code=2)
        assert "salt" not in json.loads(run("evidence", "prove", "p7"))
        assert "no entry nobody" in run("evidence", "prove", "nobody", code=2)
        assert "OK: 1,502 entries" in run("evidence", "verify", "log")
        stop(server)
    assert json.loads(run("record", str(events), "--json"))["repeated"] == 1_500


def test_a_scan_of_the_ledger_beside_a_server_finds_the_same(tmp_path, andon, monkeypatch):
    """Also what stands in no closed segment yet: the files are read as they stand."""
    folder = Path(__file__).parents[1] / "data" / "o10_bikes_temperature_unit"
    model, log, reference = (str(folder / name) for name in ("model.yaml", "log.parquet", "reference.parquet"))

    def scan(source):
        words = ("scan", source, "--model", model, "--reference", reference, "--every", "3d", "--json", "-")
        code, out, err = andon(*words)
        assert code == 1, err
        return {key: value for key, value in json.loads(out).items() if key != "seconds"}

    monkeypatch.setenv("ANDON_HOME", str(tmp_path / "data"))

    with serving(tmp_path / "data") as server:
        beside(tmp_path / "data", andon)("record", log, "--model", model)
        assert not list((tmp_path / "data" / "ledger" / "w-main" / "evidence").iterdir())
        found = scan("ledger:")
        stop(server)
    assert found == scan(log) == scan("ledger:")


def test_a_scan_of_the_ledger_reads_what_every_server_recorded(postgres, tmp_path):
    """A decision at one server, its outcomes at another: the last one recorded counts."""
    url = fresh_database(postgres)
    with serving(tmp_path, "--database", url) as one, serving(tmp_path, "--database", url) as two:
        known = {"kind": "outcome", "ts": "2026-03-02T00:00:00Z"}
        for server, events in (
            (one, [event(1), event(2), event(1, label=0, **known)]),
            (two, [event(3), event(1, label=1, **known)]),
            (one, [event(2, label=0, **known)]),
        ):
            assert server.post_events(lines(*events), one.secret)[0] == 200
        model = parse_model({"model_id": "m", "id_column": "id", "time_column": "ts", "label_column": "y"})
        with ledger_rows(model, str(tmp_path)) as path:
            rows = [json.loads(row) for row in path.read_text().splitlines()]
    assert sorted((row["id"], row["y"]) for row in rows) == [("p1", 1), ("p2", 0), ("p3", None)]


def test_custody_beside_a_server_goes_to_it(tmp_path, andon):
    run, receipt, bundle = beside(tmp_path / "data", andon), tmp_path / "receipt.json", str(tmp_path / "case.zip")
    (tmp_path / "prompt.txt").write_text("Decide.")
    pin = ("--artifact", f"prompt={tmp_path / 'prompt.txt'}")
    with serving(tmp_path / "data") as server:
        receipt.write_text(run("evidence", "seal", "--model", "m", *pin, "--reason", "INC-1", "--json"))
        sealed = json.loads(receipt.read_text())
        assert json.loads(run("evidence", "hold", "--json"))["holds"][0]["id"] == sealed["seal_id"]
        assert json.loads(run("evidence", "export", "last", "--out", bundle, "--json"))["entries"] == 1
        with zipfile.ZipFile(bundle) as zipped:
            assert zipped.read("artifact-prompt") == b"Decide."
        assert andon("evidence", "verify", "bundle", bundle, "--against", str(receipt))[0] == 0
        assert "goes on from" in run("evidence", "verify", "log", "--against", str(receipt))
        assert "OK: andon.local/w-main" in run("evidence", "verify", "checkpoint")
        release = ("evidence", "release", "last", "--reason", "over")
        assert "another person asks too" in run(*release, "--by", "ada", code=3)
        for same in ("ada", "Ada ", "\uff21\uff24\uff21"):
            assert "has asked" in run(*release, "--by", same, code=3)
        for bad in ("", " ", "a\tda", "\u200b"):
            assert ": " in run(*release, "--by", bad, code=2)
            assert ": " in run("evidence", "release", "last", "--reason", bad, "--by", "bob", code=2)
        assert "is released" in run(*release, "--by", "bob")
        assert "0 entries in 0 segments would" in run("evidence", "retain", "--days", "400", "--dry-run")
        assert json.loads(run("evidence", "retain", "--days", "400", "--json"))["first"] == 0
        assert "six months" in run("evidence", "retain", "--days", "30", code=3)
        other, body = made(tmp_path / "data", "compliance"), b'{"reason": "x", "by": "eve"}'
        path = f"/api/v1/seals/{sealed['seal_id']}/release"
        eventually(lambda: server.ask("POST", path, body, other, content_type="application/json")[0] == 403)
