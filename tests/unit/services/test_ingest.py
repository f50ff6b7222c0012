"""Ingest over any log: a request that a crash cut is completed by sending it again, whatever it was cut to."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andon.adapters.memory_ledger import MemoryLedger
from andon.base.errors import Conflict
from andon.ledger.entry import parse_header
from andon.services.ingest import Accepted, BadLines, Ingest
from andon.services.record import Record
from andon.telemetry.producer import Positions, Range, positions_from
from andon.telemetry.vitals import vitals_of
from ledgers import SIGNER

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def line(name):
    return json.dumps({"id": name, "ts": "2026-03-01T00:00:00Z", "model_id": "m"}).encode()


class Cut(MemoryLedger):
    """A log that keeps only so many entries of the next append, as a crash would leave it."""

    keep = None

    def append(self, entries):
        if self.keep is None:
            return super().append(entries)
        super().append(entries[: self.keep])
        raise ConnectionAbortedError


def ingest_over(log):
    made = Ingest(log, Record(log, lambda: AT, bytes).entries, lambda: AT)
    made.resume()
    return made


def ids(log):
    return [f["id"] for _, entry in log.read() if (f := parse_header(entry.header))["kind"] == "prediction"]


def send(ingest, lines, first):
    [done] = ingest.accept([ingest.prepare(lines, "tok", Range("p", 1, first))])
    return done


@given(data=st.data())
def test_a_request_that_was_cut_is_completed_and_not_doubled(data):
    names = [f"p{n}" if data.draw(st.booleans()) else "" for n in range(data.draw(st.integers(1, 12)))]
    lines = [line(name) if name else b"" for name in names]
    log = Cut(SIGNER)
    ingest = ingest_over(log)
    send(ingest, [line("before")], 0)
    log.keep = data.draw(st.integers(0, len(lines) + 1))
    with pytest.raises(ConnectionAbortedError):
        send(ingest, lines, 1)
    log.keep = None
    again = ingest_over(log)  # a fresh process
    after = data.draw(st.integers(0, 3))
    for number in range(after):
        again.accept([again.prepare([line(f"other {number}")], "tok")])
    again = ingest_over(log)
    send(again, lines, 1)
    send(again, lines, 1)
    send(again, [line("after")], 1 + len(lines))
    found = [name for name in ids(log) if not name.startswith("other")]
    assert sorted(found) == sorted(["before", *filter(None, names), "after"])


def test_requests_together_are_answered_each_for_itself():
    log = MemoryLedger(SIGNER)
    ingest = ingest_over(log)
    batches = [
        ingest.prepare([line("a"), line("b")], "tok", Range("p", 1, 0)),
        ingest.prepare([line("x")], "tok", Range("q", 1, 5)),
        ingest.prepare([line("c")], "tok", Range("p", 1, 7)),
        ingest.prepare([line("a"), line("b"), line("c")], "tok", Range("p", 1, 0)),
        ingest.prepare([], "tok"),
    ]
    first, second, third, fourth, fifth = ingest.accept(batches)
    assert (first.events, first.repeated, first.first) == (2, 0, 1)
    assert second.events == 1
    assert isinstance(third, Conflict)
    assert (fourth.events, fourth.repeated) == (1, 2)
    assert isinstance(fifth, Accepted)
    assert ids(log) == ["a", "b", "x", "c"]


def test_a_snapshot_says_what_the_log_would():
    log = MemoryLedger(SIGNER)
    ingest = ingest_over(log)
    send(ingest, [line("a")], 0)
    kept = ingest.snapshot()
    send(ingest, [line("b"), line("c")], 1)
    again = ingest_over(log)
    again.resume(kept)
    assert again.positions.document() == ingest.positions.document()


def test_bad_lines_are_named_by_their_place_in_the_request():
    ingest = ingest_over(MemoryLedger(SIGNER))
    with pytest.raises(BadLines) as told:
        ingest.prepare([line("a"), b"", b"bad", line("b"), b"{}"], "tok")
    assert [number for number, _ in told.value.lines] == [3, 5]


def test_keys_are_forgotten_after_a_day_and_producers_are_not():
    positions = Positions()
    positions.note(Range("key:x", 0, 0, "d"), 1, "2026-03-01T00:00:00.000000Z")
    positions.note(Range("p", 1, 0), 1, "2026-03-01T00:00:00.000000Z")
    positions.forget("2026-03-01T00:00:00.000000Z")
    assert set(positions.document()) == {"key:x", "p"}
    positions.forget("2026-03-02T00:00:00.000000Z")
    assert set(positions.document()) == {"p"}
    assert positions_from(positions.document()).document() == positions.document()


def test_versions_are_those_of_what_is_recorded():
    """What is sent again in part, with more behind it, may say another version of what is recorded."""

    def versioned(name, version):
        return json.dumps({**json.loads(line(name)), "model_version": version}).encode()

    seen = [{}]
    log = MemoryLedger(SIGNER)
    made = Record(log, lambda: AT, bytes, lambda events: seen.__setitem__(0, vitals_of(events))).entries
    ingest = Ingest(log, made, lambda: AT, seen=lambda: seen[0])
    ingest.resume()
    send(ingest, [versioned("a", "v1"), versioned("b", "v1")], 0)
    send(ingest, [versioned("a", "v2"), versioned("b", "v2"), versioned("c", "v1")], 0)
    assert [each["version"] for each in ingest.versions.of("m")] == ["v1"]
