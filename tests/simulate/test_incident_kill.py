"""kill -9 with commands about incidents in flight: acknowledged and lost 0, doubled 0, each action once."""

import json
import random
import threading
from collections import Counter

import pytest

import components
from andon_sdk.transport import Away, Transport
from houses import YEAR
from servers import eventually, serving

PEOPLE = 3
JSON = {"Content-Type": "application/json"}


class Person(threading.Thread):
    """Declares, notes and resolves, each again until it is answered, until it is told to end."""

    def __init__(self, number, port, secret):
        super().__init__()
        self.number = number
        self.transport = Transport(f"http://127.0.0.1:{port}", secret)
        self.declared, self.noted = {}, []
        self.ended = threading.Event()

    def run(self):
        turn = 0
        while not self.ended.is_set():
            model = f"m{self.number}-{turn}"
            body = {"model_id": model, "incident_type": "model_drift", "title": "x", "priority": "P2"}
            made = self.ask("/api/v1/incidents", body, f"declare-{self.number}-{turn}", 201)
            if made is None:
                return
            self.declared[model] = made["id"]
            note = f"note {self.number} {turn}"
            if (
                self.ask(f"/api/v1/incidents/{made['id']}/notes", {"text": note}, f"note-{self.number}-{turn}", 201)
                is None
            ):
                return
            self.noted.append((made["id"], note))
            turn += 1

    def ask(self, path, body, key, wanted):
        """The answer, once there is one; None where it is told to end before."""
        while True:
            try:
                answer = self.transport.ask("POST", path, json.dumps(body).encode(), {**JSON, "Idempotency-Key": key})
            except Away:
                if self.ended.wait(0.01):
                    return None
                continue
            if answer.status != 503:
                assert answer.status == wanted, answer
                return answer.document


def kill_and_check(kills, seed, data):
    dice, port = random.Random(seed), components.free_port()  # noqa: S311
    with serving(data, port=port) as server:
        secret = server.secret
    people = [Person(number, port, secret) for number in range(PEOPLE)]
    for person in people:
        person.start()
    try:
        for _ in range(kills):
            with serving(data, port=port):  # killed when the block ends, wherever it is
                enough = sum(len(each.noted) for each in people) + dice.randrange(1, 12)
                while sum(len(each.noted) for each in people) < enough:
                    assert all(each.is_alive() for each in people)
                    people[0].ended.wait(0.001)
    finally:
        for person in people:
            person.ended.set()
        for person in people:
            person.join()
            person.transport.close()
    check(data, people, port, secret)


def check(data, people, port, secret):
    with serving(data, port=port) as server:
        listed = server.ask("GET", "/api/v1/incidents?limit=1000", token=secret)[1]["items"]
        numbers = [int(each["id"].rpartition("-")[2]) for each in listed]
        assert numbers == list(range(len(numbers), 0, -1))
        assert Counter(each["model_id"] for each in listed).most_common(1)[0][1] == 1
        found = {each["model_id"]: each["id"] for each in listed}
        for person in people:
            assert person.declared.items() <= found.items()

        def kinds(incident):
            lines = server.ask("GET", f"/api/v1/incidents/{incident}/timeline", token=secret)[1]["items"]
            return Counter(line["event"] if line["kind"] == "note_added" else line["kind"] for line in lines)

        for incident in found.values():
            eventually(lambda incident=incident: kinds(incident)["action_taken"] == 2)
            assert max(kinds(incident).values()) == 2
        for person in people:
            for incident, note in person.noted:
                assert kinds(incident)[note] == 1
        assert listed[-1]["id"] == f"AI-INC-{YEAR}-0001"


def test_three_kills(tmp_path):
    kill_and_check(3, 1, tmp_path)


@pytest.mark.soak
def test_three_hundred_kills(tmp_path):
    kill_and_check(300, 2, tmp_path)
