"""`POST /api/v1/events`: whole or not at all, each line once, and every mistake with its mend."""

import errno
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from andon.adapters.segments.disk import Disk
from andon.adapters.segments.log import SegmentLog, Settings
from andon.adapters.serial_log import SerialLog
from andon.bootstrap.journal import now
from andon.ledger.entry import parse_header
from andon.services.ingest import EVENTS_MAX
from houses import EVENTS, NDJSON, client_of, event, house_in, lines, token


@pytest.fixture
def house(tmp_path):
    with house_in(tmp_path, requests_burst=1e6) as opened:
        yield opened


@pytest.fixture
def client(house):
    with client_of(house) as opened:
        opened.headers.update(token(house, "recorder") | NDJSON)
        yield opened


def ids(house):
    fields = [parse_header(entry.header) for _, entry in house.log.read()]
    return [each["id"] for each in fields if each["kind"] in ("prediction", "outcome", "review", "step", "action")]


def sent(first, epoch=1, producer="p"):
    return {"andon-producer": producer, "andon-epoch": str(epoch), "andon-first": str(first)}


def test_a_request_is_recorded_and_answered_with_its_place(house, client):
    answer = client.post(EVENTS, content=lines(event(1), event(2)))
    assert answer.status_code == 200
    done = answer.json()
    assert (done["events"], done["repeated"]) == (2, 0)
    found = [parse_header(entry.header)["id"] for _, entry in list(house.log.read())[done["first"] : done["end"]]]
    assert found == ["p1", "p2"]
    [batch] = [f for _, e in house.log.read() if (f := parse_header(e.header))["kind"] == "batch"]
    assert batch["by"].startswith("tok_")


def test_every_kind_of_event_is_taken(house, client):
    kinds = [
        event(1),
        event(2, kind="outcome", label=True),
        event(3, kind="review", reviewer="r", decision=0),
        event(4, kind="step", trace="t", name="tool"),
        event(5, kind="action", actor="a", action="stop"),
    ]
    assert client.post(EVENTS, content=lines(*kinds)).status_code == 200
    assert ids(house) == ["p1", "p2", "p3", "p4", "p5"]


def test_arrow_is_taken_as_lines_are(house, client):
    at = datetime(2026, 3, 1, tzinfo=UTC)
    table = pa.table(
        {
            "id": ["p1", "p2"],
            "ts": [at, at],
            "model_id": ["m", "m"],
            "score": [0.5, None],
            "inputs": [{"a": 1}, {"a": 2}],
        }
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    kind = {"content-type": "application/vnd.apache.arrow.stream"}
    assert client.post(EVENTS, content=sink.getvalue().to_pybytes(), headers=kind).status_code == 200
    payloads = [json.loads(entry.payload) for _, entry in house.log.read() if entry.payload]
    assert payloads[0]["inputs"] == {"a": 1}
    assert payloads[0]["ts"].startswith("2026-03-01T00:00:00")
    assert "score" not in payloads[1]
    for body in (b"", b"no arrow", sink.getvalue().to_pybytes()[:-40]):
        answer = client.post(EVENTS, content=body, headers=kind)
        assert answer.status_code == 422, body
    assert ids(house) == ["p1", "p2"]


def test_a_repeated_request_is_recorded_once(house, client):
    body = lines(event(0), event(1), event(2))
    first, again = (client.post(EVENTS, content=body, headers=sent(0)).json() for _ in range(2))
    assert (first["events"], again["events"], again["repeated"]) == (3, 0, 3)
    overlap = client.post(EVENTS, content=lines(event(2), event(3)), headers=sent(2)).json()
    assert (overlap["events"], overlap["repeated"]) == (1, 1)
    assert ids(house) == ["p0", "p1", "p2", "p3"]


def test_a_hole_keeps_its_number(house, client):
    body = lines(event(0)) + b"\n" + lines(event(2))
    assert client.post(EVENTS, content=body, headers=sent(0)).json()["events"] == 2
    again = client.post(EVENTS, content=b"\n" + lines(event(2), event(3)), headers=sent(1)).json()
    assert (again["events"], again["repeated"]) == (1, 2)
    assert ids(house) == ["p0", "p2", "p3"]


def test_missing_lines_and_an_older_epoch_are_409(house, client):
    assert client.post(EVENTS, content=lines(event(0)), headers=sent(0)).status_code == 200
    answer = client.post(EVENTS, content=lines(event(5)), headers=sent(5))
    assert answer.status_code == 409
    assert "lines 1 to 4" in answer.json()["detail"]
    assert client.post(EVENTS, content=lines(event(6)), headers=sent(0, epoch=2)).status_code == 200
    stale = client.post(EVENTS, content=lines(event(7)), headers=sent(1, epoch=1))
    assert stale.status_code == 409
    assert "counts in epoch 2, this request in 1: another process took its place" in stale.json()["detail"]
    assert ids(house) == ["p0", "p6"]


def test_a_request_with_a_key_is_recorded_once(house, client):
    key = {"idempotency-key": "9f1c"}
    codes = [client.post(EVENTS, content=lines(event(0)), headers=key).json()["events"] for _ in range(3)]
    assert codes == [1, 0, 0]
    assert client.post(EVENTS, content=lines(event(1)), headers=key).status_code == 409
    assert ids(house) == ["p0"]


def test_what_was_sent_is_known_after_a_start(tmp_path):
    with house_in(tmp_path) as house, client_of(house) as client:
        header = token(house, "recorder") | NDJSON
        client.post(EVENTS, content=lines(event(0), event(1)), headers=header | sent(0))
        kept = house.folder / "positions.json"
    for hint in (kept.read_text(), None, "{", '{"size": 999999, "positions": {}}'):
        kept.unlink() if hint is None else kept.write_text(hint)
        with house_in(tmp_path) as house, client_of(house) as client:
            again = client.post(EVENTS, content=lines(event(0), event(1)), headers=header | sent(0)).json()
            assert (again["events"], again["repeated"]) == (0, 2)


def test_requests_at_once_are_each_recorded_once(house, client):
    def send(number):
        body = lines(*(event(f"{number}-{i}") for i in range(20)))
        return [client.post(EVENTS, content=body, headers=sent(0, producer=f"p{number}")).status_code for _ in range(2)]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(send, range(24))) == [[200, 200]] * 24
    found = ids(house)
    assert len(found) == len(set(found)) == 480


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{}", "id"),
        (b"no json", "is no JSON, near byte"),
        (b'{"id":"p","ts":"2026-03-01T00:00:00Z"}', "model_id"),
        (b'{"id":"p","ts":"2026-03-01T00:00:00","model_id":"m"}', "has no zone"),
        (b'{"id":"p","ts":"yesterday","model_id":"m"}', "yesterday"),
        (b'{"id":1,"ts":"2026-03-01T00:00:00Z","model_id":"m"}', "id is a whole number: write a text"),
        (b'{"id":"","ts":"2026-03-01T00:00:00Z","model_id":"m"}', "id is empty"),
        (b'{"id":"p","ts":"2026-03-01T00:00:00Z","model_id":" "}', "model_id is blank"),
        (b'{"id":"p","ts":"2026-03-01T00:00:00Z","model_id":"m","kind":"hold"}', "kind is 'hold'"),
        (b'{"id":"p","ts":"2026-03-01T00:00:00Z","model_id":"\xff"}', "is not UTF-8 at byte"),
        (b'\xef\xbb\xbf{"id":"p","ts":"2026-03-01T00:00:00Z","model_id":"m"}', "byte order mark"),
        (json.dumps(event(1)).encode("utf-16"), "is not UTF-8"),
        (b'{"id":"p","ts":"2026-03-01T00:00:00Z","model_id":"m","inputs":' + b"[" * 100_000 + b"}", "deep"),
        (b'{"id":"p","ts":"2026-03-01T00:00:00Z","model_id":"m","output":"' + b"x" * (1 << 20) + b'"}', "1 MiB"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_recorded(house, client, body, reason):
    answer = client.post(EVENTS, content=lines(event(1)) + body + b"\n" + lines(event(2)))
    assert answer.status_code == 422
    problem = answer.json()
    named = {each["line"] for each in problem["lines"]}
    assert 2 in named
    assert reason in problem["lines"][0]["reason"]
    assert house.log.size == 0


def test_a_clock_that_is_ahead_is_named(house, client):
    late = (now() + timedelta(hours=2)).isoformat()
    answer = client.post(EVENTS, content=lines(event(1), event(2, ts=late)))
    assert answer.status_code == 422
    assert [each["line"] for each in answer.json()["lines"]] == [2]
    assert "set the clock" in answer.json()["lines"][0]["reason"]
    assert house.log.size == 0
    soon = (now() + timedelta(minutes=30)).isoformat()
    assert client.post(EVENTS, content=lines(event(3, ts=soon))).status_code == 200


def test_the_first_twenty_of_many_bad_lines_are_named(client):
    answer = client.post(EVENTS, content=b"bad\n" * 50).json()
    assert answer["count"] == 50
    assert [each["line"] for each in answer["lines"]] == list(range(1, 21))


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (lines(event(1)), {"content-type": "application/json"}, 415),
        (lines(event(1)), {"content-type": ""}, 415),
        (lines(event(1)), {"content-encoding": "gzip"}, 415),
        (b"x" * ((16 << 20) + 1), {}, 413),
        (b"x", {"content-length": str(1 << 40)}, 413),
        (lines(*[event(1)] * (EVENTS_MAX + 1)), {}, 422),
        (lines(event(1)), {"andon-producer": "p"}, 422),
        (lines(event(1)), {"andon-producer": "p q", "andon-epoch": "1", "andon-first": "0"}, 422),
        (lines(event(1)), {"andon-producer": "p", "andon-epoch": "-1", "andon-first": "0"}, 422),
        (lines(event(1)), {"andon-producer": "p", "andon-epoch": "1", "andon-first": "9" * 40}, 422),
        (lines(event(1)), {"andon-producer": "key:x", "andon-epoch": "1", "andon-first": "0"}, 422),
        (lines(event(1)), {"idempotency-key": "x" * 300}, 422),
        (lines(event(1)), {"idempotency-key": "a b"}, 422),
    ],
)
def test_a_bad_request_is_refused_with_its_mend(house, client, content, headers, status):
    answer = client.post(EVENTS, content=content, headers=headers)
    assert answer.status_code == status
    assert answer.json()["fix"]
    assert house.log.size == 0


def test_an_empty_request_is_nothing(house, client):
    assert client.post(EVENTS, content=b"").json()["events"] == 0
    assert client.post(EVENTS, content=b"\n\n").json()["events"] == 0
    assert ids(house) == []


def test_too_much_that_waits_is_503(tmp_path):
    with house_in(tmp_path, pending_bytes_max=100) as house, client_of(house) as client:
        header = token(house, "recorder") | NDJSON
        answer = client.post(EVENTS, content=lines(event(1), event(2)), headers=header)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert client.post(EVENTS, content=lines(event(1)), headers=header).status_code == 200


def test_a_disk_that_is_nearly_full_is_507_and_seals_still_fit(tmp_path):
    with house_in(tmp_path, free_bytes_min=1 << 60) as house, client_of(house) as client:
        header = token(house, "recorder") | NDJSON
        answer = client.post(EVENTS, content=lines(event(1)), headers=header)
        assert answer.status_code == 507
        assert "make room" in answer.json()["fix"]
        made = client.post("/api/v1/seals", json={"model_id": "m", "reason": "x"}, headers=token(house, "responder"))
        assert made.status_code == 201


class Failing(Disk):
    """A disk that fails while it is told to."""

    error: int | None = None

    def append(self, path, data):
        if self.error is not None:
            raise (
                OSError(self.error, "failing")
                if self.error != errno.ENOSPC
                else OSError(errno.ENOSPC, "No space left on device")
            )
        super().append(path, data)


@pytest.mark.parametrize(("error", "status"), [(errno.ENOSPC, 507), (errno.EIO, 503)])
def test_a_disk_that_fails_acknowledges_nothing_and_recovers(tmp_path, error, status):
    with house_in(tmp_path) as house:
        disk = Failing()
        house.log.close()
        house.log._opener = lambda: SegmentLog(house.folder, house.signer, now, disk)
        house.log._log = house.log._opener()
        with client_of(house) as client:
            header = token(house, "recorder") | NDJSON
            assert client.post(EVENTS, content=lines(event(0)), headers=header | sent(0)).status_code == 200
            disk.error = error
            assert client.post(EVENTS, content=lines(event(1)), headers=header | sent(1)).status_code == status
            disk.error = None
            while client.post(EVENTS, content=lines(event(1)), headers=header | sent(1)).status_code != 200:
                pass
            assert client.get("/readyz").status_code == 200
            assert ids(house) == ["p0", "p1"]


def test_a_serial_log_is_a_log(tmp_path):
    from ledgers import SIGNER, Hasty, entry_of  # noqa: PLC0415

    log = SerialLog(lambda: SegmentLog(tmp_path, SIGNER, now, Hasty(), Settings(8)))
    log.append([entry_of(number) for number in range(20)])
    assert [seq for seq, _ in log.read(3)] == list(range(3, log.size))
    reading = log.read()
    next(reading)
    log.append([entry_of(20)])
    assert len(list(reading)) == log.size - 2  # what was there when reading began
    log.reopen()
    assert log.checkpoint()[0].size == log.size
    log.close()
