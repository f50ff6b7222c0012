"""What happens to incidents, as it happens: the stream of a real server, and the terminal that watches it."""

import http.client
import json
import socket
import subprocess
import threading
from contextlib import suppress

import pytest

from houses import YEAR
from servers import ANDON, andon, declare, eventually, on, serving, stop


@pytest.fixture
def server(tmp_path):
    with serving(tmp_path) as made:
        yield made


class Listening:
    """Hears a stream in a thread of its own."""

    def __init__(self, server, token, path="/api/v1/stream", **headers):
        host = server.url.removeprefix("http://")
        self.connection = http.client.HTTPConnection(host, timeout=30)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request("GET", path, headers={"Authorization": f"Bearer {token}", **named})
        self.socket = self.connection.sock
        self.answer = self.connection.getresponse()
        self.ids, self.events, self.ended = [], [], threading.Event()
        self.thread = threading.Thread(target=self._hear, daemon=True)
        self.thread.start()

    def _hear(self):
        for raw in self.answer:
            line = raw.decode().rstrip("\n")
            if line.startswith("id: "):
                self.ids.append(int(line[4:]))
            elif line.startswith("data: "):
                self.events.append(json.loads(line[6:]))
        self.ended.set()

    def close(self):
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)
        self.answer.close()
        self.connection.close()

    def kinds(self):
        return [each["kind"] for each in self.events]


@pytest.fixture
def listen(server):
    """Hears streams, and stops at the end."""
    heard = []

    def begin(*asked, **headers):
        heard.append(Listening(server, *asked, **headers))
        return heard[-1]

    yield begin
    for each in heard:
        each.close()


def token(server, name, role, *models):
    """Made by the server itself, which knows it at once: to ask with it too early counts as a stranger's tries."""
    body = json.dumps({"name": name, "role": role, "models": models}).encode()
    status, made = server.ask("POST", "/api/v1/tokens", body, server.secret, content_type="application/json")
    assert status == 201
    return made["token"]


def test_who_may_see_hears_and_goes_on_behind_the_last_event(server, listen):
    viewer, other = token(server, "vic", "viewer"), token(server, "carl", "viewer", "cards")
    everything, cards = listen(viewer), listen(other)
    eventually(lambda: everything.ids and cards.ids)
    assert declare(server, server.secret, priority="P2") == 201
    assert declare(server, server.secret, priority="P2", model_id="cards") == 201
    eventually(lambda: everything.kinds().count("action_taken") == 4 and len(cards.events) == 3)
    assert {each["incident"] for each in everything.events} == {f"AI-INC-{YEAR}-0001", f"AI-INC-{YEAR}-0002"}
    assert {each["incident"] for each in cards.events} == {f"AI-INC-{YEAR}-0002"}
    assert everything.events[0]["event"].startswith("Declared P2 by administrator")
    assert everything.ids == sorted(everything.ids)
    again = listen(viewer, Last_Event_ID=str(everything.ids[1]))
    eventually(lambda: len(again.events) == len(everything.events) - 1)
    assert again.events == everything.events[1:]
    assert again.ids == everything.ids[1:]  # it begins where it was: whoever is cut off then goes on from there
    one = listen(viewer, f"/api/v1/stream?after=0&incident=AI-INC-{YEAR}-0002")
    eventually(lambda: len(one.events) == 3)
    assert server.ask("GET", f"/api/v1/stream?incident=AI-INC-{YEAR}-0001", token=other)[0] == 404
    assert server.ask("GET", "/api/v1/stream", token=token(server, "m", "recorder"))[0] == 403


def test_it_ends_with_the_token_and_with_the_server(server, listen):
    secret = token(server, "vic", "viewer")
    gone, held = listen(secret), listen(server.secret)
    eventually(lambda: gone.ids and held.ids)
    listed = json.loads(andon("token", "list", "--data", str(server.data), "--json").stdout)["items"]
    [token_id] = [each["id"] for each in listed if each["name"] == "vic"]
    assert andon("token", "revoke", token_id, "--data", str(server.data)).returncode == 0
    assert gone.ended.wait(10)
    assert not held.ended.is_set()
    assert stop(server)[0] == 0
    assert held.ended.wait(1)


def test_an_urgent_incident_is_seen_behind_a_page_of_newer_ones(server):
    assert declare(server, server.secret, priority="P0") == 201
    for number in range(101):
        assert declare(server, server.secret, priority="P3", incident_type="model_drift", model_id=f"m{number}") == 201
    first, *rows = on(server, "watch", "--once")[1].splitlines()
    assert first == "the 15 most urgent"
    assert rows[0].split()[:3] == ["●●●", "P0", f"AI-INC-{YEAR}-0001"]


def test_the_terminal_shows_the_open_incidents_and_goes_on_over_a_restart(server):
    assert on(server, "watch", "--once")[1] == "no incident is open\n"
    assert declare(server, server.secret, priority="P3", incident_type="model_drift") == 201
    for model in ("cards", "fraud"):
        assert declare(server, server.secret, priority="P0", model_id=model) == 201
    shown = on(server, "watch", "--once")[1].splitlines()
    assert shown[0] == "3 open"
    assert [line.split()[2] for line in shown[1:] if line.startswith(("●", "○"))] == [
        f"AI-INC-{YEAR}-0002",  # of two alike, that whose clocks run out first
        f"AI-INC-{YEAR}-0003",
        f"AI-INC-{YEAR}-0001",
    ]
    assert len(json.loads(on(server, "watch", "--once", "--json")[1])["items"]) == 3
    environment = {"ANDON_SERVER": server.url, "ANDON_TOKEN": server.secret}
    watching = subprocess.Popen([ANDON, "watch"], stdout=subprocess.PIPE, text=True, env=environment)  # noqa: S603
    try:
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(iter(watching.stdout.readline, "")), daemon=True)
        reader.start()
        numbers = iter(range(100))

        def heard(word):
            on(server, "incident", "note", f"AI-INC-{YEAR}-0001", f"{word} {next(numbers)}")
            return any(word in line for line in lines)

        eventually(lambda: heard("first"))
        stop(server)
        port = int(server.url.rpartition(":")[2])
        with serving(server.data, port=port):
            eventually(lambda: heard("second"))
        assert f"AI-INC-{YEAR}-0001  administrator: first" in "".join(lines)
    finally:
        watching.kill()
        watching.wait()
        reader.join(5)
        watching.stdout.close()


def test_without_a_server_it_says_so():
    environment = {"ANDON_SERVER": "http://127.0.0.1:9", "ANDON_TOKEN": "andon_x"}
    done = subprocess.run([ANDON, "watch"], capture_output=True, text=True, check=False, env=environment)  # noqa: S603
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
