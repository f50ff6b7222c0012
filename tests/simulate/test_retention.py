"""Retention deletes from the front, stops at a hold, says so in the log, and survives a crash in the middle."""

import random
import secrets
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from andon.adapters.segments.closer import Children
from andon.adapters.segments.closing import Inline
from andon.adapters.segments.log import SegmentLog, Settings
from andon.adapters.segments.snapshot import Snapshot
from andon.adapters.segments.verify import verify_folder
from andon.base.errors import Conflict, NotFound, Tampered, Unavailable
from andon.evidence.custody import Custody
from andon.ledger.checkpoint import Signer
from andon.ledger.entry import make_entry, parse_header
from andon.services.audit import Audit, Case
from andon.services.retain import Retain
from journals import memory_custody, memory_journal
from ledgers import SIGNER, Hasty, PowerCut, Recorded, files_of, write_files

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


class Clock:
    def __init__(self):
        self.at = START

    def __call__(self):
        return self.at


def entry(day, number):
    at = f"{START + day * DAY:%Y-%m-%dT%H:%M:%S.%fZ}"
    header = {"kind": "prediction", "id": f"p{day}-{number}", "ts": at, "at": at, "model_id": "m"}
    return make_entry(header, bytes(16), b'{"id":"p","x":1}')


def opened(folder, disk=None, clock=lambda: START, delay=0):
    return SegmentLog(folder, SIGNER, clock, disk or Hasty(), Settings(10, closer=lambda each: Inline(each, delay)))


@pytest.fixture
def folder(tmp_path):
    """Ten days, a segment each."""
    return days_in(tmp_path, 10)


def days_in(folder, days):
    clock = Clock()
    with opened(folder, clock=clock) as log:
        for day in range(days):
            clock.at = START + day * DAY
            log.append([entry(day, i) for i in range(10 - log.size % 10)])
    return folder


def retain(log, days_kept, clock, *, dry_run=False):
    return Retain(log, clock, memory_custody(log, SIGNER.verifier.name), 0).retain(days_kept, dry_run=dry_run)


def test_the_oldest_go_and_the_proofs_stay(folder):
    clock = Clock()
    clock.at = START + 10 * DAY
    with opened(folder, clock=clock) as log:
        _, note = log.checkpoint()
        would = retain(log, 5, clock, dry_run=True)
        assert (log.first, would.segments > 2) == (0, True)
        done = retain(log, 5, clock)
        assert (done.first, log.first) == (would.first, would.first)
        audit = Audit(log, SIGNER.verifier, clock, bytes, memory_custody(log, SIGNER.verifier.name))
        assert audit.compare(note) > 0
        with pytest.raises(NotFound, match="deleted by retention"):
            audit.prove("3")
        assert audit.prove(str(log.first + 1))["seq"] == log.first + 1
        verify_folder(log, SIGNER.verifier)
    with opened(folder) as log:
        assert log.first == done.first
        assert next(log.read())[0] == done.first
        verify_folder(log, SIGNER.verifier)
    tables = {path.name for path in (folder / "analysis").rglob("*.parquet")}
    assert tables <= {path.name for path in (folder / "evidence").iterdir()}


def test_a_hold_blocks_it_until_it_is_released(folder):
    clock = Clock()
    clock.at = START + 10 * DAY
    with opened(folder, clock=clock) as log:
        audit = Audit(log, SIGNER.verifier, clock, bytes, memory_custody(log, SIGNER.verifier.name))
        sealed = audit.seal(Case("m", START + 2 * DAY, START + 3 * DAY, "INC", {}))
        done = retain(log, 1, clock)
        assert done.held is not None
        assert done.held[1] == sealed.seal_id
        assert any(parse_header(e.header).get("ts", "")[:10] == "2026-03-03" for _, e in log.read())
        assert retain(log, 1, clock).segments == 0
        for name in ("ada", "bob"):
            audit.release(sealed.seal_id, name, "closed", 2)
        assert retain(log, 1, clock).segments > 2
        verify_folder(log, SIGNER.verifier)


def test_a_hold_in_another_log_of_the_same_journal_blocks_it_too(folder, tmp_path_factory):
    """Two servers share a journal; a seal at one holds a model's decisions wherever they were recorded."""
    clock, journal, other = Clock(), memory_journal(), Signer("test.local/w-2", bytes(range(32)))
    clock.at = START + 10 * DAY
    elsewhere = SegmentLog(tmp_path_factory.mktemp("other"), other, clock, Hasty(), Settings(10))
    with opened(folder, clock=clock) as log, elsewhere:
        mine, theirs = (Custody(each, each.origin, journal, secrets.token_bytes) for each in (log, elsewhere))
        audit = Audit(elsewhere, other.verifier, clock, secrets.token_bytes, theirs)
        seal = audit.seal(Case("m", START + 2 * DAY, START + 3 * DAY, "INC", {})).seal_id
        done = Retain(log, clock, mine, 0).retain(1)
        assert done.held is not None
        assert done.held[1] == seal
        for name in ("ada", "bob"):
            audit.release(seal, name, "closed", 2)
        assert Retain(log, clock, mine, 0).retain(1).segments > 2


def test_what_is_sealed_while_it_looks_stays(folder):
    clock = Clock()
    clock.at = START + 10 * DAY
    with opened(folder, clock=clock) as log:
        custody = memory_custody(log, SIGNER.verifier.name)
        enter = custody.journal.commit

        def seal_first(command):
            custody.journal.commit = enter
            Audit(log, SIGNER.verifier, clock, secrets.token_bytes, custody).seal(Case("m", None, None, "INC", {}))
            return enter(command)

        custody.journal.commit = seal_first
        with pytest.raises(Conflict, match="sealed or deleted meanwhile"):
            Retain(log, clock, custody, 0).retain(5)
        assert log.first == 0


def test_the_same_request_deletes_once_and_is_answered_alike(folder):
    clock = Clock()
    clock.at = START + 10 * DAY
    with opened(folder, clock=clock) as log:
        custody = memory_custody(log, SIGNER.verifier.name)
        job = Retain(log, clock, custody, 0)
        done = job.retain(5, "key_1")
        clock.at += 3 * DAY
        assert job.retain(5, "key_1") == done
        assert log.first == done.first
        assert job.retain(5, "key_2").segments > 0
        [row, _] = custody.journal.rows(0)
        assert parse_header(row.entry)["data"]["first"] == done.first


def test_a_crash_between_journal_and_log_is_made_good(folder, monkeypatch):
    clock = Clock()
    clock.at = START + 10 * DAY
    with opened(folder, clock=clock) as log:
        custody = memory_custody(log, SIGNER.verifier.name)
        with monkeypatch.context() as broken:
            broken.setattr(log, "prune", lambda _: 1 // 0)
            with pytest.raises(ZeroDivisionError):
                Retain(log, clock, custody, 0).retain(5)
        assert (log.first, custody.finish(), custody.finish()) == (0, 1, 0)
        assert log.first > 0
        verify_folder(log, SIGNER.verifier)


def test_who_reads_meanwhile_reads_what_is_left(folder):
    clock = Clock()
    clock.at = START + 10 * DAY
    with opened(folder, clock=clock) as log:
        snapshot = Snapshot(folder, SIGNER.verifier, log.settings)
        readers = [log.read(), log.headers(), log.of_kinds({"prediction"}), snapshot.read()]
        begun = [next(reader)[0] for reader in readers]
        first = retain(log, 5, clock).first
        assert set(begun) == {0}
        for reader in readers:
            rest = [seq for seq, _ in reader]
            assert rest == sorted(rest)
            assert [seq for seq in rest if seq >= first][:2] == [first, first + 1]


def test_what_was_deleted_without_a_word_is_missed(folder):
    min((folder / "evidence").glob("*.parquet")).unlink()
    with pytest.raises(Tampered, match="entries 0 to 9 are missing"):
        opened(folder)


def filled(log, room, day=9):
    """Append young entries until so many fit into the open segment."""
    while log.size % 10 != (10 - room) % 10:
        log.append([entry(day, log.size)])


@pytest.mark.parametrize("delay", [0, 3], ids=["closed_at_once", "closed_later"])
@pytest.mark.parametrize("room", range(1, 5))
def test_a_deletion_that_fills_its_segment_is_remembered(folder, room, delay):
    """The write-ahead log that holds its entry goes at once: the note on that segment says it from then on."""
    clock = Clock()
    clock.at = START + 10 * DAY
    with opened(folder, clock=clock, delay=delay) as log:
        filled(log, room)
        first = retain(log, 5, clock).first
        assert first > 0
    for _ in range(2):
        with opened(folder, clock=clock, delay=delay) as log:
            assert log.first == first
            verify_folder(log, SIGNER.verifier)
            log.append([entry(9, log.size + i) for i in range(12)])


@pytest.mark.parametrize("delay", [0, 2], ids=["closed_at_once", "closed_later"])
@pytest.mark.parametrize("room", [1, 2])
def test_the_power_is_cut_at_every_operation_of_it(tmp_path, tmp_path_factory, room, delay):
    """Whatever of the deletion is on the disk, the next opening ends it; also where its entry fills a segment."""
    clock, work, dice = Clock(), tmp_path_factory.mktemp("work"), random.Random(7)  # noqa: S311
    clock.at, folder = START + 5 * DAY, days_in(tmp_path, 5)
    with opened(folder, clock=clock) as log:
        filled(log, room, 4)
    before = files_of(folder)
    disk = Recorded(write_files(work / "log", before))
    with opened(work / "log", disk, clock, delay) as log:
        begun, size = len(disk.operations), log.size
        first = retain(log, 2, clock).first
        assert first > 10  # more than one segment goes
    for cut in range(begun, len(disk.operations) + 1):
        for chance in (None, dice):
            state = PowerCut(before, disk.operations[:cut]).state(chance)
            for _ in range(2):
                with opened(write_files(work / "cut", state), clock=clock, delay=delay) as log:
                    assert log.first in (0, first)
                    assert log.size >= size
                    verify_folder(log, SIGNER.verifier)
                state = files_of(work / "cut")
            shutil.rmtree(work / "cut")


def test_another_process_closes_segments(tmp_path):
    """As the command line runs it: the pair is made beside the writer, and the same as one made in place."""
    folders = tmp_path / "child", tmp_path / "inline"
    for folder, closer in zip(folders, (lambda _: Children({}), Inline), strict=True):
        with SegmentLog(folder, SIGNER, lambda: START, settings=Settings(100, closer=closer)) as log:
            for day in range(8):
                log.append([entry(day, i) for i in range(50)])
        with opened(folder) as log:
            assert log.closed >= 400
            verify_folder(log, SIGNER.verifier)
            events = [e for _, e in log.read() if "ts" in parse_header(e.header)]
            assert events == [entry(day, i) for day in range(8) for i in range(50)]
    one, other = ({p.name: p.read_bytes() for p in (f / "evidence").glob("*0-100.parquet")} for f in folders)
    assert one[min(one)] == other[min(one)]


def append_days(log):
    for day in range(1, 9):
        log.append([entry(day, i) for i in range(40)])


def test_a_closing_process_that_cannot_is_one_sentence(tmp_path):
    """What was acknowledged is there after the next opening, which closes the segment."""
    log = SegmentLog(tmp_path, SIGNER, lambda: START, settings=Settings(50, closer=lambda _: Children({})))
    log.append([entry(0, i) for i in range(40)])
    (tmp_path / "evidence").rmdir()
    with pytest.raises(Unavailable, match=r"cannot close the segment .* what was acknowledged before is safe"):
        append_days(log)
    log.close()
    with SegmentLog(tmp_path, SIGNER, lambda: START, settings=Settings(50, closer=lambda _: Children({}))) as log:
        assert log.size >= 80
    with opened(tmp_path) as log:
        assert log.closed >= 50
        verify_folder(log, SIGNER.verifier)


def test_nothing_is_run_from_the_folder_one_stands_in(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)
    settings = Settings(20, closer=lambda _: Children({}))
    with SegmentLog(tmp_path / "log", SIGNER, lambda: START, settings=settings) as log:
        log.append([entry(0, i) for i in range(60)])
    with opened(tmp_path / "log") as log:
        assert log.closed >= 40
