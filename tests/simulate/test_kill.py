"""kill -9 with requests in flight: acknowledged and lost 0, doubled 0; the seals too."""

import json
import random
import threading

import pytest

import components
from andon.bootstrap.ledger import open_ledger
from andon.ledger.entry import parse_header
from andon_sdk.transport import Away, Transport
from houses import event, lines
from servers import serving

PRODUCERS = 4


class Producer(threading.Thread):
    """Sends numbered lines, and what was not answered again, until it is told to end."""

    def __init__(self, number, port, secret, dice):
        super().__init__()
        self.number, self.dice = number, dice
        self.transport = Transport(f"http://127.0.0.1:{port}", secret)
        self.acknowledged, self.next, self.waiting = 0, 0, b""
        self.count = 0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.is_set():
            self.send()

    def send(self):
        if not self.waiting:
            self.count = self.dice.randrange(1, 200)
            names = range(self.next, self.next + self.count)
            self.waiting = lines(*(event(f"{self.number}-{name}") for name in names))
        headers = {
            "Content-Type": "application/x-ndjson",
            "Andon-Producer": f"p{self.number}",
            "Andon-Epoch": "1",
            "Andon-First": str(self.next),
        }
        try:
            answer = self.transport.ask("POST", "/api/v1/events", self.waiting, headers)
        except Away:
            self.ended.wait(0.01)
            return
        assert answer.status in (200, 503), answer
        if answer.status == 200:
            assert answer.document["events"] + answer.document["repeated"] == self.count
            self.acknowledged = self.next = self.next + self.count
            self.waiting = b""


def kill_and_check(kills, seed, data):
    dice, port, seals = random.Random(seed), components.free_port(), []  # noqa: S311
    with serving(data, port=port) as server:
        secret = server.secret
    producers = [Producer(n, port, secret, random.Random(seed * 100 + n)) for n in range(PRODUCERS)]  # noqa: S311
    for producer in producers:
        producer.start()
    try:
        for number in range(kills):
            with serving(data, port=port) as server:  # killed when the block ends, wherever it is
                before = [producer.acknowledged for producer in producers]
                if number % 5 == 0:
                    seals.append(server.ask("POST", "/api/v1/seals", SEAL, secret, content_type="application/json")[1])
                enough = dice.randrange(1, 2_000)
                while sum(p.acknowledged for p in producers) - sum(before) < enough:
                    producers[0].ended.wait(0.001)
                    assert all(producer.is_alive() for producer in producers)
    finally:
        for producer in producers:
            producer.ended.set()
        for producer in producers:
            producer.join()
    check(data, producers, seals, port)


SEAL = json.dumps({"model_id": "m", "reason": "x"}).encode()


def check(data, producers, seals, port):
    with serving(data, port=port):  # recovers once more, and checks the journal and its tables
        pass
    with open_ledger(str(data)) as ledger:
        found = [parse_header(entry.header) for _, entry in ledger.log.read()]
    names = [fields["id"] for fields in found if fields["kind"] == "prediction"]
    assert len(names) == len(set(names)), "doubled"
    kept = set(names)
    for producer in producers:
        wanted = {f"p{producer.number}-{name}" for name in range(producer.acknowledged)}
        assert wanted <= kept, "acknowledged and lost"
    assert {seal["seal_id"] for seal in seals} <= {fields["id"] for fields in found if fields["kind"] == "hold"}


def test_kill_minus_nine_loses_nothing_and_doubles_nothing(tmp_path):
    kill_and_check(5, 0, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_a_thousand_kills(seed, tmp_path):
    kill_and_check(50, 1_000 + seed, tmp_path)
