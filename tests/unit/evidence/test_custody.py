"""Acts of custody stand in the journal and in the log, once each, wherever a crash falls between the two."""

import json
import secrets
from datetime import UTC, datetime

import pytest

from andon.adapters.memory_ledger import MemoryLedger
from andon.base.errors import BadInput, Refused, Unavailable
from andon.evidence.custody import EXPORTS, SEALS, Custody
from andon.evidence.hold import person_of
from andon.ledger.entry import make_entry, parse_header
from andon.services.audit import Audit, Case
from andon.services.export import Export
from journals import memory_journal
from ledgers import SIGNER, entry_of

AT = datetime(2026, 3, 1, tzinfo=UTC)
NAME = SIGNER.verifier.name
CASE = Case("m", None, None, "INC-1", {})


class Crash(Exception):
    pass


class Log(MemoryLedger):
    """A log at which the process ends, before or after an append."""

    before = after = False

    def append(self, entries):
        if self.before:
            raise Crash
        first = super().append(entries)
        if self.after:
            raise Crash
        return first


@pytest.fixture
def log():
    made = Log(SIGNER)
    made.append([entry_of(0)])
    return made


@pytest.fixture
def journal():
    return memory_journal()


def custody(log, journal, actor="tok_1"):
    return Custody(log, NAME, journal, secrets.token_bytes, actor)


def audit(log, journal, actor="tok_1"):
    return Audit(log, SIGNER.verifier, lambda: AT, secrets.token_bytes, custody(log, journal, actor))


def kinds(log):
    return [parse_header(entry.header)["kind"] for _, entry in log.read()]


def test_seal_release_and_export_leave_journal_entries(log, journal):
    seal = audit(log, journal).seal(CASE)
    [row] = journal.list_rows(SEALS)
    assert (row["id"], row["model_id"], row["reason"], row["actor"]) == (seal.seal_id, "m", "INC-1", "tok_1")

    class Nowhere:
        def add(self, _, chunks):
            return str(len(list(chunks)))

    job = Export(log, SIGNER.verifier, lambda: AT, secrets.token_bytes, custody(log, journal), b"", "{file}", None)
    job.export(seal.seal_id, Nowhere(), "b.zip", redact=True)
    assert [row["redacted"] for row in journal.list_rows(EXPORTS)] == [1]
    audit(log, journal).release(seal.seal_id, "Ada Lovelace", "done", 2)
    assert journal.find(SEALS, seal.seal_id)["released_at"] is None
    audit(log, journal, "tok_2").release(seal.seal_id, "bob", "done", 2)
    assert journal.find(SEALS, seal.seal_id)["released_at"] is not None
    assert kinds(log) == ["prediction", "hold", "export", "release", "release"]
    assert [parse_header(row.entry)["kind"] for row in journal.rows(0)] == [
        *("seal_made", "seal_exported", "release_asked", "release_asked")
    ]
    for row in journal.rows(0):
        assert b"INC-1" not in row.entry
        assert b"Lovelace" not in row.entry
    assert journal.messages(f"log:{NAME}") == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_between_journal_and_log_is_made_good_once(when, log, journal):
    setattr(log, when, True)
    with pytest.raises(Crash):
        audit(log, journal).seal(CASE)
    setattr(log, when, False)
    assert len(journal.list_rows(SEALS)) == 1
    assert custody(log, journal).finish() == 1
    assert custody(log, journal).finish() == 0
    assert kinds(log) == ["prediction", "hold"]
    [hold] = audit(log, journal).holds()
    assert hold.id == journal.list_rows(SEALS)[0]["id"]
    [(_, entry)] = list(log.read(1))
    assert json.loads(entry.payload)["reason"] == "INC-1"


def test_the_same_request_makes_one_seal(log, journal):
    first, again = (audit(log, journal).seal(CASE, "key_1") for _ in range(2))
    assert (first.seal_id, first.seq) == (again.seal_id, again.seq)
    assert kinds(log) == ["prediction", "hold"]


def test_the_same_request_after_a_crash_finishes_the_first(log, journal):
    log.before = True
    with pytest.raises(Crash):
        audit(log, journal).seal(CASE, "key_1")
    log.before = False
    made = audit(log, journal).seal(CASE, "key_1")
    assert [hold.id for hold in audit(log, journal).holds()] == [made.seal_id]


def test_a_release_that_is_refused_leaves_nothing(log, journal):
    seal = audit(log, journal).seal(CASE)
    audit(log, journal).release(seal.seal_id, "ada", "x", 2)
    with pytest.raises(Refused, match="another person"):
        audit(log, journal).release(seal.seal_id, "ada", "x", 2)
    assert len(list(journal.rows(0))) == 2
    assert kinds(log) == ["prediction", "hold", "release"]


def test_a_seal_waits_for_its_own_entry(log, journal, monkeypatch):
    def never(_):
        raise Unavailable("not yet")

    monkeypatch.setattr(journal, "integrate", never)
    with pytest.raises(Unavailable):
        audit(log, journal).seal(CASE)
    assert kinds(log) == ["prediction"]
    assert custody(log, journal).finish() == 1


@pytest.mark.parametrize(
    "again", ["ada  lovelace", "Ada Lovelace ", "ADA\u00a0LOVELACE", "\uff21da Lovelace", "Ad\u200ba Love\u00adlace"]
)
def test_a_name_that_is_written_in_another_way_is_the_same_person(again, log, journal):
    seal = audit(log, journal).seal(CASE)
    audit(log, journal).release(seal.seal_id, " Ada  Lovelace", "x", 2)
    with pytest.raises(Refused, match="another person"):
        audit(log, journal).release(seal.seal_id, again, "x", 2)
    assert [hold.releasers for hold in audit(log, journal).holds()] == [("Ada Lovelace",)]
    assert audit(log, journal).release(seal.seal_id, "Ada Byron", "x", 2).is_released
    assert journal.find(SEALS, seal.seal_id)["released_at"] is not None


@pytest.mark.parametrize(
    "bad", ["", " ", "\t\n", "\u200b", "ada\x00", "ada\x1b[31m", "ada\tbyron", "ada\nbyron", "ada\x7f", "ada\udcff"]
)
def test_a_name_or_reason_that_says_nothing_or_hides_something_is_refused(bad, log, journal):
    seal = audit(log, journal).seal(CASE)
    for by, reason, said in ((bad, "closed", "the name of who asks"), ("ada", bad, "the reason")):
        with pytest.raises(
            BadInput, match=f"^{said} (is empty|holds control characters|holds bytes that are no text): write"
        ):
            audit(log, journal).release(seal.seal_id, by, reason, 2)
    assert kinds(log) == ["prediction", "hold"]


def test_what_was_released_stays_so_whoever_counts_as_one_now(log, journal):
    """An earlier version took `ada` and `Ada ` for two people; the hold that they released is released."""
    seal = audit(log, journal).seal(CASE)
    header = {"kind": "release", "id": seal.seal_id, "at": "2026-03-01T00:00:00.000000Z", "needs": 2}
    for name in ("ada", "Ada "):
        payload = json.dumps({"by": name, "reason": "x"}).encode()
        log.append([make_entry(header, bytes(16), payload)])
    [hold] = audit(log, journal).holds()
    assert (hold.is_released, hold.releasers) == (True, ("ada", "Ada "))


def test_who_asked_in_an_earlier_version_is_known_by_any_spelling(log, journal):
    seal = audit(log, journal).seal(CASE)
    header = {"kind": "release", "id": seal.seal_id, "at": "2026-03-01T00:00:00.000000Z", "needs": 2}
    log.append([make_entry(header, bytes(16), json.dumps({"by": "Ada ", "reason": "x"}).encode())])
    with pytest.raises(Refused, match="another person"):
        audit(log, journal).release(seal.seal_id, "ada", "x", 2)
    assert audit(log, journal).release(seal.seal_id, "bob", "x", 2).is_released


@pytest.mark.parametrize(
    ("one", "other"), [("Stra\u00dfe", "STRASSE"), ("\u212b", "\u00e5"), ("\ufb01n", "Fin"), ("\u0345a", "\u03b9A")]
)
def test_names_are_compared_as_unicode_says_that_they_are_equal(one, other):
    assert person_of(one) == person_of(other)
    assert person_of(one) != person_of("ada")
