"""Signals in flight: a server killed again and again, and two servers of which one is stopped past its lease."""

import itertools
import json
import os
import random
import signal
import threading
import time
from datetime import UTC, datetime

import pytest

import components
from andon_sdk.transport import Away, Transport
from journals import fresh_database
from servers import serving

SENDERS = 3
MODELS = ("loans", "fraud")
START = datetime(2026, 3, 1, tzinfo=UTC).isoformat()


def webhook(*names):
    alerts = [
        {
            "status": "firing",
            "labels": {"alertname": "Drift", "model_id": MODELS[hash_of(name) % 2], "incident_type": "model_drift"},
            "annotations": {},
            "startsAt": START,
            "fingerprint": name,
        }
        for name in names
    ]
    return json.dumps({"version": "4", "groupKey": "g", "alerts": alerts}).encode()


def hash_of(name):
    return sum(name.encode())


class Sender(threading.Thread):
    """Sends one alert after the other, each until it is accepted, to servers in turn."""

    def __init__(self, number, ports, secret):
        super().__init__()
        self.number = number
        self.servers = [Transport(f"http://127.0.0.1:{port}", secret) for port in ports]
        self.transports = itertools.cycle(self.servers)
        self.accepted = []
        self.ended = threading.Event()

    def run(self):
        try:
            self.work()
        finally:
            for server in self.servers:
                server.close()

    def work(self):
        for number in itertools.count():
            name = f"{self.number}-{number}"
            while not self.send(name):
                if self.ended.wait(0.01):
                    return
            self.accepted.append(name)
            if self.ended.is_set():
                return

    def send(self, name):
        try:
            answer = next(self.transports).ask(
                "POST", "/api/v1/signals/alertmanager", webhook(name), {"Content-Type": "application/json"}
            )
        except Away:
            return False
        assert answer.status in (202, 503), answer
        return answer.status == 202


def check(server, secret, senders):
    """Every accepted alert is in the one incident of its key, and nothing is twice."""
    accepted = {name for sender in senders for name in sender.accepted}
    found = []

    def grouped():
        found.clear()
        cursor = ""
        while True:
            page = server.ask("GET", f"/api/v1/alerts?limit=1000{cursor}", token=secret)[1]
            found.extend(page["items"])
            if page["next"] is None:
                return accepted <= {each["fingerprint"] for each in found}
            cursor = f"&after={page['next']}"

    end = time.monotonic() + 60
    while not grouped():
        assert time.monotonic() < end, "accepted alerts are lost"
        time.sleep(0.1)
    assert len({each["id"] for each in found}) == len(found)
    incidents = server.ask("GET", "/api/v1/incidents?limit=1000", token=secret)[1]["items"]
    assert len(incidents) == len({each["model_id"] for each in incidents})
    assert {each["id"] for each in incidents} == {each["incident_id"] for each in found}
    assert sum(each["alerts"] for each in incidents) == len(found)
    return len(found)


def kill_and_check(kills, seed, data):
    dice, port = random.Random(seed), components.free_port()  # noqa: S311
    with serving(data, port=port) as server:
        secret = server.secret
    senders = [Sender(number, [port], secret) for number in range(SENDERS)]
    for sender in senders:
        sender.start()
    try:
        for _ in range(kills):
            with serving(data, port=port):  # killed when the block ends, wherever it is
                before, enough = sum(len(each.accepted) for each in senders), dice.randrange(1, 60)
                while sum(len(each.accepted) for each in senders) - before < enough:
                    senders[0].ended.wait(0.001)
                    assert all(sender.is_alive() for sender in senders)
    finally:
        for sender in senders:
            sender.ended.set()
        for sender in senders:
            sender.join()
    with serving(data, port=port) as server:  # checks the journal against its tables
        assert check(server, secret, senders) > 0


def test_killed_with_signals_in_flight_nothing_is_lost_or_doubled(tmp_path):
    kill_and_check(3, 1, tmp_path / "data")


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 22))
def test_killed_a_thousand_times(seed, tmp_path):
    kill_and_check(50, seed, tmp_path / "data")  # in pieces: each start checks the whole journal, which grows


def test_two_servers_double_nothing_though_one_stops_past_its_lease(postgres, tmp_path):
    url, data = fresh_database(postgres), tmp_path / "data"
    with serving(data, "--database", url) as first, serving(data, "--database", url) as second:
        ports = [int(each.url.rpartition(":")[2]) for each in (first, second)]
        both = [Sender(number, ports, first.secret) for number in range(SENDERS)]
        alone = Sender(SENDERS, ports[1:], first.secret)
        for sender in both:
            sender.start()
        until(lambda: all(len(sender.accepted) > 10 for sender in both))
        for sender in both:
            sender.ended.set()
            sender.join()
        os.kill(first.process.pid, signal.SIGSTOP)  # in the middle of its work, past its lease of 5 s
        alone.start()
        time.sleep(7)
        until(lambda: len(alone.accepted) > 10)
        os.kill(first.process.pid, signal.SIGCONT)
        until(lambda: first.ask("GET", "/healthz")[0] == 200)
        alone.ended.set()
        alone.join()
        assert check(second, first.secret, [*both, alone]) > 40


def until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
