"""Which versions answered: the same from batches, from a file, and from the log itself."""

import json
from datetime import UTC, datetime

from andon.adapters.memory_ledger import MemoryLedger
from andon.services.ingest import Ingest
from andon.services.record import Record
from andon.telemetry.versions import VERSIONS_MAX, Versions, together, versions_from
from andon.telemetry.vitals import vitals_of
from ledgers import SIGNER

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def line(number, version, kind="prediction"):
    event = {"id": f"p{number}", "kind": kind, "ts": "2026-03-01T00:00:00Z", "model_id": "m", "model_version": version}
    return json.dumps(event | ({"label": 1} if kind == "outcome" else {})).encode()


def ingest_over(log):
    seen = [{}]

    def watch(events):
        seen[0] = vitals_of(events)

    made = Ingest(log, Record(log, lambda: AT, bytes, watch).entries, lambda: AT, seen=lambda: seen[0])
    made.resume()
    return made


def test_batches_snapshot_and_log_say_the_same():
    log = MemoryLedger(SIGNER)
    ingest = ingest_over(log)
    ingest.accept([ingest.prepare([line(1, "v1"), line(2, "v2"), line(1, "v9", "outcome")], "tok")])
    kept = json.loads(json.dumps(ingest.snapshot()))
    ingest.accept([ingest.prepare([line(3, "v3"), line(4, None)], "tok")])
    found = ingest.versions.of("m")
    assert {each["version"] for each in found} == {"v1", "v2", "v3", ""}
    assert found[0].keys() == {"version", "first_at", "last_at"}
    said = AT.isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert ingest.versions.last() == ({"m": said}, {"m": said})
    by_file, by_log = ingest_over(log), ingest_over(log)
    by_file.resume(kept)
    for each in (by_file, by_log):
        assert sorted(each.versions.document()) == sorted(ingest.versions.document())
        assert each.versions.last() == ingest.versions.last()


def test_several_logs_together():
    one, other = Versions(), Versions()
    one.note([("m", "v1"), ("x", "v1")], "2026-03-02")
    other.note([("m", "v1")], "2026-03-01")
    other.note([("m", "v2")], "2026-03-03")
    assert [tuple(each.values()) for each in together([one, other], "m")] == [
        ("v1", "2026-03-01", "2026-03-02"),
        ("v2", "2026-03-03", "2026-03-03"),
    ]


def test_versions_without_end_are_cut():
    versions = Versions()
    for number in range(VERSIONS_MAX + 5):
        versions.note([("m", str(number)), ("m", "old")], "2026-03-01")
    found = versions_from(versions.document())
    assert len(found.document()) == VERSIONS_MAX
    assert {"old", str(VERSIONS_MAX + 4)} <= {each["version"] for each in found.of("m")}
