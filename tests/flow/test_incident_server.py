"""An incident on a real server, by the command line; what happens by itself; two servers on one database."""

import base64
import hmac
import json
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from andon.adapters.webhook import Webhook
from andon.bootstrap.heartbeat import Heartbeat
from andon.bootstrap.journal import now
from houses import YEAR
from journals import fresh_database
from servers import ANDON, andon, declare, eventually, on, serving, stop

SECRET = "whsec_" + base64.b64encode(b"a secret of the tests").decode()


def made(server, name, role):
    done = andon("token", "create", "--data", str(server.data), "--name", name, "--role", role)
    secret = done.stdout.splitlines()[-1]
    eventually(lambda: server.ask("GET", "/api/v1/incidents", token=secret)[0] == 200)
    return secret


def shown(server, incident, token=None):
    return json.loads(on(server, "incident", "show", incident, "--json", token=token)[1])


@contextmanager
def serving_hook(handler):
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def listener(answers):
    """A real endpoint that keeps what it is told; `answers` are its status codes, the last for good."""
    heard = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            code = answers[min(len(heard), len(answers)) - 1]
            self.send_response(code)
            self.end_headers()
            self.wfile.write(b'{"html_url": "https://tracker.local/issues/7"}')

        def log_message(self, *_):
            pass

    with serving_hook(Handler) as url:
        yield url, heard


def test_an_incident_by_the_command_line(tmp_path):
    with serving(tmp_path) as server:
        code, out, err = on(
            server, "incident", "declare", "--model", "loans", "--type", "harmful_output", "--title", "x"
        )
        assert (code, err) == (0, "")
        assert out.startswith(
            f"AI-INC-{YEAR}-0001 is declared: ●●● P0 declared  loans  x\nwhy P0: the default of this type"
        )
        eventually(lambda: shown(server, f"AI-INC-{YEAR}-0001")["seal"])
        code, out, _ = on(server, "incident", "show", f"AI-INC-{YEAR}-0001")
        head, *lines = out.splitlines()
        assert head == f"●●● AI-INC-{YEAR}-0001  P0 critical, declared"
        labels = [line.split("  ")[1].strip() for line in lines if line.startswith("  ") and line[2] != " "]
        assert labels[:6] == ["what", "since", "how many", "you may", "who", "deadline"]
        assert f"andon ack AI-INC-{YEAR}-0001" in out
        assert "response: 14 min left, due" in out
        assert "seal_" in out
        assert "verify.py bundle.zip" in out
        ben = made(server, "ben", "responder")
        assert on(server, "incident", "assign", f"AI-INC-{YEAR}-0001", "commander", "--to", "ben")[0] == 0
        assert on(server, "ack", f"AI-INC-{YEAR}-0001")[0] == 0
        debug = ("incident", "task", f"AI-INC-{YEAR}-0001", "Replay", "--to", "ben", "--due", "2h", "--kind", "debug")
        code, _, err = on(server, *debug, token=ben)
        assert (code, err.count("\n")) == (3, 1)
        assert "does not debug while administrator is on it" in err
        assert on(server, "incident", "status", f"AI-INC-{YEAR}-0001", "closed", "--reason", "x")[0] == 3
        assert on(server, "incident", "show", f"AI-INC-{YEAR}-0009")[0] == 2
        code, out, _ = on(server, "incident", "timeline", f"AI-INC-{YEAR}-0001")
        assert "Evidence sealed: seal_" in out
        assert stop(server)[0] == 0


def test_who_is_on_it_what_was_decided_and_what_it_follows_is_shown(tmp_path):
    with serving(tmp_path) as server:
        assert declare(server, server.secret) == 201
        made(server, "ben", "responder")
        due = ("--due", "2h")
        assert on(server, "incident", "assign", f"AI-INC-{YEAR}-0001", "commander", "--to", "ben")[0] == 0
        debug = ("incident", "task", f"AI-INC-{YEAR}-0001", "Replay", "--to", "ben", "--kind", "debug", *due)
        assert on(server, *debug)[0] == 0
        assert on(server, "ack", f"AI-INC-{YEAR}-0001")[0] == 0
        out = " ".join(on(server, "incident", "show", f"AI-INC-{YEAR}-0001")[1].split())
        assert f"andon incident handover AI-INC-{YEAR}-0001 commander --to administrator " in out
        assert on(server, "incident", "task-status", f"AI-INC-{YEAR}-0001", "1", "done", "--reason", "x")[0] == 0
        assert on(server, "incident", "task", f"AI-INC-{YEAR}-0001", "Look", "--to", "administrator", *due)[0] == 0
        decided = (
            "incident",
            "decide",
            f"AI-INC-{YEAR}-0001",
            "A: reroute",
            "--option",
            "B: pause",
            "--because",
            "safe",
        )
        assert on(server, *decided)[0] == 0
        out = on(server, "incident", "show", f"AI-INC-{YEAR}-0001")[1]
        assert "who         ben (commander), administrator (responder, task 2)\n" in out
        [line] = [each for each in out.splitlines() if each.startswith("  decided")]
        assert line.split(f"{YEAR}-")[0].split() == ["decided", "1."]  # what was chosen, what not, when, why
        assert line.endswith(" A: reroute (not B: pause): safe")
        for status in ("resolved", "closed"):
            assert on(server, "incident", "status", f"AI-INC-{YEAR}-0001", status, "--reason", "x")[0] == 0
        assert declare(server, server.secret) == 201
        out = on(server, "incident", "show", f"AI-INC-{YEAR}-0002")[1]
        assert f"linked      AI-INC-{YEAR}-0001 (this one follows it)\n" in out


def test_a_note_keeps_no_file_and_says_what_does(tmp_path):
    with serving(tmp_path / "data") as server:
        assert declare(server, server.secret) == 201
        noted = ("incident", "note", f"AI-INC-{YEAR}-0001", "From the feed", "--kind", "file")
        code, _, err = on(server, *noted)
        assert (code, "`andon incident file add`" in err) == (2, True)
        digest = sha256(b"a,b").hexdigest()
        assert on(server, *noted, "--url", f"sha256:{digest}")[0] == 0
        assert f"File: From the feed (sha256:{digest})" in on(server, "incident", "timeline", noted[2])[1]
        assert on(server, *noted[:4], "--file", "dump.csv")[0] == 2


def test_without_a_server_or_a_token_it_says_what_to_set(tmp_path, monkeypatch):
    for environment, code, named in (
        ({}, 4, "set ANDON_SERVER"),
        ({"ANDON_SERVER": "http://127.0.0.1:9"}, 3, "set ANDON_TOKEN"),
        ({"ANDON_SERVER": "http://127.0.0.1:9", "ANDON_TOKEN": "andon_x"}, 4, "does not answer"),
        ({"ANDON_SERVER": "ftp://x", "ANDON_TOKEN": "andon_x"}, 2, "ANDON_SERVER"),
    ):
        done = subprocess.run(  # noqa: S603
            [ANDON, "incident", "list"], capture_output=True, text=True, check=False, env=environment
        )
        assert (done.returncode, named in done.stderr, done.stderr.count("\n")) == (code, True, 1), done.stderr


def test_a_ticket_goes_to_the_tracker_signed_and_its_address_comes_back(tmp_path):
    with listener([500, 201]) as (url, heard), listener([200]) as (notices, told):
        settings = {"ANDON_TRACKER_URL": url, "ANDON_NOTICE_URL": notices, "ANDON_WEBHOOK_SECRET": SECRET}
        with serving(tmp_path, **settings) as server:
            for kind, priority in (("model_drift", "P2"), ("harmful_output", "P0")):
                assert declare(server, server.secret, incident_type=kind, priority=priority) == 201

            def receipted():
                return any(each["receipt"] for each in shown(server, f"AI-INC-{YEAR}-0001")["actions"])

            eventually(receipted)
            eventually(lambda: len(told) == 2)
            found = {each["action"]: each for each in shown(server, f"AI-INC-{YEAR}-0001")["actions"]}
            assert found["create_ticket"]["receipt"] == "https://tracker.local/issues/7"
            assert found["create_ticket"]["state"] == "receipted"
    assert len(heard) == 2
    (first, body), (second, again) = heard
    assert (first["webhook-id"], body) == (second["webhook-id"], again)
    signed = f"{second['webhook-id']}.{second['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(b"a secret of the tests", signed, sha256)).decode()
    assert second["webhook-signature"] == f"v1,{expected}"
    assert json.loads(body)["incident"]["id"] == f"AI-INC-{YEAR}-0001"
    assert sorted(json.loads(body)["type"] for _, body in told) == [
        "action.escalate_to_management",
        "action.page_on_call",
    ]


@contextmanager
def dripping():
    """A real endpoint that takes every message and then answers byte by byte for ever."""
    told, may_end = threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            told.set()
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not may_end.wait(0.2):
                self.wfile.write(b"x")  # within each time-out: nothing ever comes to an end
                self.wfile.flush()

        def log_message(self, *_):
            pass

    with serving_hook(Handler) as url:
        try:
            yield url, told
        finally:
            may_end.set()


def test_somebody_outside_hears_a_ready_server_and_no_other(tmp_path):
    with listener([500, 200]) as (url, heard):
        with serving(tmp_path, ANDON_HEARTBEAT_URL=url, ANDON_WEBHOOK_SECRET=SECRET) as server:
            eventually(lambda: len(heard) == 2)  # the first was refused, so it came again at once
            beats = [json.loads(body) for _, body in heard]
            assert [each["type"] for each in beats] == ["heartbeat", "heartbeat"]
            assert (beats[1]["server"], beats[1]["every_seconds"]) == ("w-main", 60)
            assert heard[1][0]["webhook-signature"].startswith("v1,")
            away = Heartbeat(Webhook(url, None, now), "http://127.0.0.1:9", "w-main")
            assert not away.beat()
            assert Heartbeat(Webhook(url, None, now), server.url, "w-2").beat()
        assert json.loads(heard[-1][1])["server"] == "w-2"
        assert len(heard) == 3


def test_outsiders_that_never_answer_delay_no_seal_and_not_each_other(tmp_path):
    with (
        dripping() as (tracker, asked),
        listener([200]) as (notices, told),
        serving(tmp_path, ANDON_TRACKER_URL=tracker, ANDON_NOTICE_URL=notices) as server,
    ):
        assert declare(server, server.secret, incident_type="model_drift", priority="P2") == 201
        assert asked.wait(30)  # the tracker has its message and says nothing; it never will
        assert declare(server, server.secret) == 201
        eventually(lambda: shown(server, f"AI-INC-{YEAR}-0002")["seal"])
        eventually(lambda: len(told) == 2)
        actions = shown(server, f"AI-INC-{YEAR}-0001")["actions"]
        assert [each["state"] for each in actions if each["does"] == "ticket"] == ["sent"]
        assert stop(server)[0] == 0


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_after_a_kill_the_clocks_go_on_and_nothing_is_done_twice(kind, request, tmp_path):
    words = ()
    if kind == "postgresql":
        words = ("--database", fresh_database(request.getfixturevalue("postgres")))
    with serving(tmp_path, *words) as server:
        secret = server.secret
        assert declare(server, secret) == 201
        server.process.kill()
    with serving(tmp_path) as server:

        def settled():
            found = server.ask("GET", f"/api/v1/incidents/AI-INC-{YEAR}-0001", token=secret)[1]
            return found if found["seal"] and len(found["actions"]) == 3 else None

        found = eventually(settled)
        kinds = sorted(line["kind"] for line in found["timeline"])
        assert kinds == ["action_taken"] * 3 + ["incident_declared", "incident_sealed"]
        assert found["clocks"][0]["starts_at"] == found["incident"]["declared_at"]


def test_two_servers_on_one_database_double_no_incident(postgres, tmp_path):
    url = fresh_database(postgres)
    with serving(tmp_path, "--database", url) as one, serving(tmp_path, "--database", url) as two:
        eventually(lambda: two.ask("GET", "/api/v1/incidents", token=one.secret)[0] == 200)

        def turn(number):
            server = (one, two)[number % 2 if number < 12 else (number + 1) % 2]
            return declare(server, one.secret, model_id=f"m{number % 6}", priority="P1")

        with ThreadPoolExecutor(6) as pool:
            codes = list(pool.map(turn, range(24)))
        assert (codes.count(201), codes.count(409)) == (6, 18)
        listed = one.ask("GET", "/api/v1/incidents", token=one.secret)[1]["items"]
        assert [each["id"] for each in listed] == [f"AI-INC-{YEAR}-000{number}" for number in range(6, 0, -1)]

        def settled():
            found = [two.ask("GET", f"/api/v1/incidents/{each['id']}", token=one.secret)[1] for each in listed]
            return found if all(each["seal"] and len(each["actions"]) == 2 for each in found) else None

        for found in eventually(settled):
            kinds = sorted(line["kind"] for line in found["timeline"])
            assert kinds == ["action_taken", "action_taken", "incident_declared", "incident_sealed"]


def test_files_of_models_are_compared_first_and_applied_when_somebody_says_so(tmp_path):
    folder = tmp_path / "inventory"
    folder.mkdir()
    (folder / "loans.yaml").write_text("id: loans\nowner: Credit risk\nrisk_class: high\n", encoding="utf-8")
    with serving(tmp_path / "data") as server:
        code, out, err = on(server, "apply", str(folder))
        assert (code, out.splitlines()[0]) == (3, "+ loans")
        assert "  + owner: Credit risk" in out
        assert "nothing was applied: 1 of 1 would change" in err
        assert on(server, "model", "show", "loans")[0] == 2
        assert on(server, "apply", str(folder), "--yes")[0] == 0
        assert on(server, "apply", str(folder))[:2] == (0, "the register says all this already\n")
        (folder / "loans.yaml").write_text("id: loans\nowner: Fraud desk\nrisk_class: high\n", encoding="utf-8")
        code, out, _ = on(server, "apply", str(folder), "--dry-run")
        assert (code, out) == (0, "~ loans\n  - owner: Credit risk\n  + owner: Fraud desk\n")
        for line, mend in (
            ("ownr: x", "ownr is wrong: it is not known here; did you mean owner?"),
            ("baseline: {accuracy: 0.9}", "baseline is wrong: write a text"),
            ("versions: [1.10]", "versions.0 is wrong: write keys, each with its value"),
            ("risk_class: huge", "risk_class is wrong: write 'minimal', 'limited', 'high' or 'unknown'"),
        ):
            (folder / "loans.yaml").write_text(f"id: loans\nowner: x\n{line}\n", encoding="utf-8")
            code, _, err = on(server, "apply", str(folder))
            assert (code, mend in err) == (2, True), err
        (folder / "loans.yaml").write_text("id: loans\nowner: x\nversions: [v1, {version: v2}]\n", encoding="utf-8")
        assert on(server, "apply", str(folder), "--yes")[0] == 0
        shown = json.loads(on(server, "model", "show", "loans", "--json")[1])
        assert [each["version"] for each in shown["entry"]["versions"]] == ["v1", "v2"]
        code, _, err = on(server, "incident", "fact", "AI-INC-2026-0001", "peple=3", "--reason", "x")
        assert (code, err) == (2, "andon: there is no fact peple: did you mean people?\n")
