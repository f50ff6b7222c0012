"""Every ledger gives the same answers: the twin in memory says which."""

import json

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from andon.adapters.memory_ledger import MemoryLedger
from andon.base.errors import NotFound, Refused, Tampered
from andon.ledger.entry import CONTROL_KINDS, make_entry, parse_header
from andon.ledger.merkle import consistency_proof, inclusion_proof, is_consistent, leaf_hash, root_from_inclusion
from andon.services.audit import Audit, Case
from andon.services.ingest import Ingest
from andon.services.record import Record
from andon.telemetry.producer import Range
from journals import memory_custody
from ledgers import AT, SIGNER, Hasty, Recorded, entry_of, open_log


@pytest.fixture(params=["memory", "segments", "closing_segments"])
def log(request, tmp_path):
    if request.param == "memory":
        yield MemoryLedger(SIGNER)
        return
    with open_log(tmp_path, Hasty(), segment=1_000 if request.param == "segments" else 8) as opened:
        yield opened


def audit_of(log):
    return Audit(log, SIGNER.verifier, lambda: AT, bytes, memory_custody(log, SIGNER.verifier.name))


def test_read_gives_back_what_was_appended(log):
    log.append([entry_of(i) for i in range(30)])
    log.append([])
    found = list(log.read())
    assert [seq for seq, _ in found] == list(range(log.size))
    events = [entry for _, entry in found if parse_header(entry.header)["kind"] not in CONTROL_KINDS]
    assert events == [entry_of(i) for i in range(30)]
    assert list(log.read(12)) == found[12:]


def test_proofs_hold_at_every_size(log):
    old = {}
    for i in range(40):
        log.append([entry_of(i)])
        point, note = log.checkpoint()
        assert SIGNER.verifier.open(note) == point
        old[point.size] = point.root
    leaves = [leaf_hash(entry.header) for _, entry in log.read()]
    for seq, leaf in enumerate(leaves):
        proof = inclusion_proof(log.nodes(), seq, log.size)
        assert root_from_inclusion(leaf, seq, log.size, proof) == point.root
    for size, root in old.items():
        proof = consistency_proof(log.nodes(), size, log.size)
        assert is_consistent((size, root), (point.size, point.root), proof)


def test_a_seal_is_the_same_work_at_any_size(tmp_path, monkeypatch):
    """It writes as often, and opens no closed segment, whether there are 2 of them or 40."""
    made = {}
    for segments in (2, 40):
        disk = Recorded(tmp_path / str(segments))
        with open_log(disk.root, disk, segment=10) as log:
            log.append([entry_of(i) for i in range(segments * 9 + 4)])
            assert log.closed >= segments * 9
            audit, before = audit_of(log), len(disk.operations)
            with monkeypatch.context() as patch:
                patch.setattr(pq, "ParquetFile", None)
                audit.seal(Case("m", None, None, "INC-1", {}))
            made[segments] = [operation[0] for operation in disk.operations[before:]]
    assert made[2] == made[40]


def test_seal_holds_and_two_people_release(log):
    log.append([entry_of(i) for i in range(10)])
    audit = audit_of(log)
    sealed = audit.seal(Case("m", AT, None, "INC-1", {"scan": {"a": 1}}))
    (hold,) = audit.holds()
    assert (hold.id, hold.seq, hold.reason) == (sealed.seal_id, sealed.seq, "INC-1")
    assert hold.covers("m", "2026-03-01T00:00:00.000000Z")
    assert not hold.covers("other", "2026-03-01T00:00:00.000000Z")
    assert not hold.covers("m", "2026-02-28T23:59:59.999999Z")
    assert not audit.release(hold.id, "ada", "closed", 2).is_released
    with pytest.raises(Refused, match="another person"):
        audit.release(hold.id, "ada", "closed", 2)
    assert audit.release(hold.id, "bob", "closed", 2).is_released
    assert audit.holds()[0].is_released
    with pytest.raises(Refused, match="released already"):
        audit.release(hold.id, "eve", "closed", 2)
    with pytest.raises(NotFound):
        audit.release("seal_0", "eve", "closed", 2)


def test_prove_and_compare(log):
    log.append([entry_of(i) for i in range(20)])
    audit = audit_of(log)
    _, note = log.checkpoint()
    log.append([entry_of(20)])
    assert audit.compare(note) > 0
    document = audit.prove("p7")
    proof = [bytes.fromhex(step) for step in document["proof"]]
    leaf = leaf_hash(document["header"].encode())
    point = SIGNER.verifier.open(document["checkpoint"].encode())
    assert root_from_inclusion(leaf, document["seq"], document["size"], proof) == point.root
    with pytest.raises(NotFound):
        audit.prove("nobody")
    with pytest.raises(Tampered):
        audit.compare(b"no note")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(batches=st.lists(st.integers(0, 20), max_size=8), segment=st.integers(3, 30))
def test_batches_and_segments_change_nothing_but_their_notes(tmp_path_factory, batches, segment):
    folder, count = tmp_path_factory.mktemp("log"), 0
    for size in batches:
        with open_log(folder, Hasty(), segment=segment) as log:
            log.append([entry_of(count + i) for i in range(size)])
        count += size
    twin = MemoryLedger(SIGNER)
    with open_log(folder, Hasty(), segment=segment) as log:
        twin.append([entry for _, entry in log.read()])
        assert twin.checkpoint() == log.checkpoint()
        events = [e for _, e in log.read() if parse_header(e.header)["kind"] not in CONTROL_KINDS]
    assert events == [entry_of(i) for i in range(count)]


def test_a_producer_goes_on_after_reopening_and_closing(tmp_path):
    """Its place is in the log itself, in the entries before its events, wherever these are by now."""
    lines = [json.dumps({"id": f"p{i}", "ts": "2026-03-01T00:00:00Z", "model_id": "m"}).encode() for i in range(36)]
    for count in range(12):
        with open_log(tmp_path, Hasty(), segment=8) as log:
            record = Record(log, lambda: AT, bytes)
            ingest = Ingest(log, record.entries, lambda: AT)
            ingest.resume()
            assert ingest.taken(Range("a", 0, 0)) == count * 3
            assert ingest.taken(Range("early", 0, 0)) == (1 if count else 0)
            if not count:
                ingest.take(record.entries(lines[:1]), "local", Range("early", 0, 0))
            done = record.record(lines[: count * 3 + 3], ingest, producer="a")
            assert (done.events, done.repeated) == (3, count * 3)


def test_an_entry_is_found_by_its_id_wherever_it_stands(log):
    names = ["p1", 'q"\\', "ü\u2028", "p1", "", "seal_1", "p" * 300]
    for number, name in enumerate(names * 3):
        kind = "hold" if name == "seal_1" else "prediction"
        log.append([make_entry({"kind": kind, "id": name, "note": f'"id":"{number}"'}), entry_of(number + 50)])
    first = {}
    for seq, entry in log.read():
        first.setdefault(parse_header(entry.header).get("id", ""), (seq, entry))
    for name in {*names, "p52", "p70"} - {""}:
        assert log.find(name) == first[name]
    assert log.find("nobody") is log.find("3") is log.find("p5") is None
    assert list(log.headers(5)) == [(seq, entry.header) for seq, entry in log.read(5)]


def test_kinds_are_found_wherever_they_stand(log):
    header = {"kind": "hold", "id": "seal_1", "at": "t"}
    for number in range(30):
        log.append([entry_of(number)])
        if number % 10 == 3:
            log.append(
                [make_entry({**header, "id": f"seal_{number}", "note": 'not "kind":"export"'}, bytes(16), b"{}")]
            )
    found = list(log.of_kinds(("hold", "export")))
    assert [parse_header(entry.header)["id"] for _, entry in found] == ["seal_3", "seal_13", "seal_23"]
    assert found == [(seq, entry) for seq, entry in log.read() if parse_header(entry.header)["kind"] == "hold"]
    assert list(log.of_kinds(("hold", "export"), found[1][0])) == found[1:]
