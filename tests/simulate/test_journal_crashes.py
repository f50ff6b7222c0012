"""The process exits at each step from a command to an outsider, or pauses there past its lease; nothing is lost."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from andon.adapters.segments.log import SegmentLog, Settings
from andon.adapters.sql.engine import writing
from andon.base.errors import Tampered
from andon.services.follow import Follow, position_of
from journals import AT, creation, fresh_database, prepare, sql_journal
from ledgers import Hasty

PROGRAM = Path(__file__).with_name("journal_program.py")
POINTS = ["commit", "lease", "fsync", "append", "cursor", "outbox send", "outbox mark"]
EXITED = 99


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request):
    return fresh_database(request.getfixturevalue("postgres")) if request.param == "postgresql" else None


def start(folder, url, *words):
    if url is None:
        prepare(folder)
    database = ["--database", url] if url else []
    return subprocess.Popen([sys.executable, PROGRAM, folder, *database, *words])  # noqa: S603


def finish(folder, url, until):
    """A fresh process recovers and follows to the end."""
    with closing_process(start(folder, url, "--until", str(until))) as process:
        assert process.wait(timeout=30) == 0


class closing_process:  # noqa: N801
    def __init__(self, process):
        self.process = process

    def __enter__(self):
        return self.process

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def in_ledger(folder):
    from journal_program import SIGNER  # noqa: PLC0415

    with SegmentLog(folder / "journal", SIGNER, lambda: AT, Hasty(), Settings(16)) as log:
        import json  # noqa: PLC0415

        fields = [json.loads(entry.header) for _, entry in log.read()]
    return [each["seq"] for each in fields if "request_id" in each]


def lines(path):
    return path.read_text().split("\n")[:-1] if path.exists() else []


def check_all(folder, url, count):
    """Acknowledged and lost 0, doubled 0; outsiders were told each once, or twice under one id."""
    journal = sql_journal(folder, url)
    assert journal.check() == count
    assert in_ledger(folder) == list(range(1, count + 1))
    kept = {row["id"] for row in journal.list_rows("tokens")}
    assert {f"tok_{number}" for number in lines(folder / "acknowledged")} <= kept
    told = lines(folder / "told")
    assert [line.split(" ", 1)[1] for line in dict.fromkeys(told)] == [f"token {n}" for n in range(count)]
    assert journal.due("chat", count) == []
    journal.engine.dispose()


@pytest.fixture(autouse=True)
def path(monkeypatch):
    monkeypatch.syspath_prepend(str(PROGRAM.parent))


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("times", [1, 3])
def test_a_process_that_exits_is_followed_by_one_that_recovers(point, times, url, tmp_path):
    with closing_process(start(tmp_path, url, "--commits", "6", "--exit-at", f"{point}:{times}")) as process:
        assert process.wait(timeout=30) == EXITED
    journal = sql_journal(tmp_path, url)
    count = journal.last()
    journal.engine.dispose()
    finish(tmp_path, url, count)
    check_all(tmp_path, url, count)


@pytest.mark.parametrize("point", ["commit", "lease", "cursor", "outbox send"])
@pytest.mark.parametrize("ending", [signal.SIGCONT, signal.SIGKILL])
def test_a_server_that_pauses_past_its_lease_is_replaced(point, ending, postgres, tmp_path):
    url = fresh_database(postgres)
    with closing_process(start(tmp_path, url, "--commits", "4", "--stop-at", f"{point}:2")) as paused:
        wait_until_stopped(paused)
        behind = len(lines(tmp_path / "acknowledged")) + (point == "commit")
        other = start(tmp_path, url, "--commits", "3", "--from", "100", "--until", str(behind + 3))
        with closing_process(other):
            assert other.wait(timeout=30) == 0  # though the first holds the lease and neither runs nor ends
        os.kill(paused.pid, ending)
        paused.wait(timeout=30)
    journal = sql_journal(tmp_path, url)
    count = journal.last()
    finish(tmp_path, url, count)
    assert journal.check() == count
    assert in_ledger(tmp_path) == list(range(1, count + 1))
    assert {line.split(" ", 1)[1] for line in lines(tmp_path / "told")} == {
        f"token {row['id'].removeprefix('tok_')}" for row in journal.list_rows("tokens")
    }
    journal.engine.dispose()


def test_a_server_that_pauses_while_it_writes_keeps_others_waiting_and_nothing_is_doubled(postgres, tmp_path):
    url = fresh_database(postgres)
    with closing_process(start(tmp_path, url, "--commits", "3", "--stop-at", "append:2")) as paused:
        wait_until_stopped(paused)
        with closing_process(start(tmp_path, url, "--commits", "2", "--from", "100", "--until", "4")) as other:
            with pytest.raises(subprocess.TimeoutExpired):
                other.wait(timeout=3)
            os.kill(paused.pid, signal.SIGCONT)
            assert (paused.wait(timeout=30), other.wait(timeout=30)) == (0, 0)
    finish(tmp_path, url, 5)
    assert in_ledger(tmp_path) == [1, 2, 3, 4, 5]


def wait_until_stopped(process):
    end = time.monotonic() + 30
    while Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "T":
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.02)


# What must not be started with


def follower(folder, journal):
    from journal_program import SIGNER  # noqa: PLC0415

    class Always:
        def claim(self, _):
            return 1

        def is_held(self, _):
            return True

        def note(self, *_):
            pass

        def let_go(self, _):
            pass

    return Follow(journal, Always(), lambda: SegmentLog(folder / "journal", SIGNER, lambda: AT, Hasty(), Settings(16)))


def test_a_database_from_an_old_copy_is_refused_by_name(tmp_path):
    journal = sql_journal(tmp_path)
    for number in range(5):
        journal.commit(creation(number))
    follower(tmp_path, journal).step(AT)
    journal.engine.dispose()
    shutil.copy(tmp_path / "andon.db", tmp_path / "old.db")
    journal = sql_journal(tmp_path)
    for number in range(5, 8):
        journal.commit(creation(number))
    follower(tmp_path, journal).step(AT)
    journal.engine.dispose()
    for file in tmp_path.glob("andon.db*"):
        file.unlink()
    shutil.copy(tmp_path / "old.db", tmp_path / "andon.db")
    journal = sql_journal(tmp_path)
    with pytest.raises(Tampered, match="from an old copy: it ends with journal entry 5, the ledger has entry 8"):
        follower(tmp_path, journal).step(AT)
    journal.commit(creation(50))  # the same number as an entry that the old copy lacks
    for number in (51, 52, 53):
        journal.commit(creation(number))
    with pytest.raises(Tampered, match="journal entry 6 in the database is not the one in the ledger"):
        follower(tmp_path, journal).step(AT)
    journal.engine.dispose()


def test_a_running_server_notices_an_old_copy_too(tmp_path):
    journal = sql_journal(tmp_path)
    for number in range(3):
        journal.commit(creation(number))
    running = follower(tmp_path, journal)
    running.step(AT)
    with writing(journal.engine) as connection:
        connection.execute(text("delete from journal where seq = 3"))
    with pytest.raises(Tampered, match="ends with journal entry 2, the ledger has entry 3"):
        running.step(AT)
    journal.engine.dispose()


def test_a_missing_row_is_refused_by_name(tmp_path):
    journal = sql_journal(tmp_path)
    for number in range(4):
        journal.commit(creation(number))
    with writing(journal.engine) as connection:
        connection.execute(text("delete from journal where seq = 2"))
    with pytest.raises(Tampered, match="journal entry 2 is missing in the database"):
        follower(tmp_path, journal).step(AT)
    journal.engine.dispose()


def test_the_position_comes_from_the_ledger(tmp_path):
    journal = sql_journal(tmp_path)
    for number in range(40):  # over two segments, between whose entries the log writes its own
        journal.commit(creation(number))
    following = follower(tmp_path, journal)
    following.step(AT)
    with following.open_log() as log:
        assert position_of(log) == 40
        assert log.size > 40
    journal.engine.dispose()
