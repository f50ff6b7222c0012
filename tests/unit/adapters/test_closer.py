"""Segments are closed by processes: answers come in the order of the jobs, whoever is done first."""

import errno
import json
import os
import signal
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from andon.adapters.segments.closer import PROCESSES, Children
from andon.adapters.segments.closing import Closed, Inline, Job, Written, _answer
from andon.adapters.segments.disk import Disk
from andon.adapters.segments.log import SegmentLog, Settings
from andon.base.errors import Tampered, Unavailable
from ledgers import AT, SIGNER, Hasty, entry_of


class Noting(Inline):
    """Keeps the jobs that a log gives."""

    def __init__(self, disk: Disk, jobs: list[Job]) -> None:
        super().__init__(disk)
        self._jobs = jobs

    def start(self, job: Job) -> None:
        self._jobs.append(job)
        Path(job.wal).with_suffix(".kept").hardlink_to(job.wal)
        super().start(job)


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    """Three jobs, the first of which takes the longest."""
    found: list[Job] = []
    settings = Settings(1 << 20, closer=lambda disk: Noting(disk, found))
    with SegmentLog(tmp_path / "log", SIGNER, lambda: AT, Hasty(), settings) as log:
        for count in (20_000, 10, 10):
            log.append([entry_of(log.size + i) for i in range(count)])
            log.close_segment()
    for job in found:
        Path(job.wal).with_suffix(".kept").rename(job.wal)
    return found


@pytest.fixture
def children():
    made = Children({})
    yield made
    made.close()


def test_answers_come_in_the_order_of_jobs(jobs: list[Job], children: Children) -> None:
    for job in jobs:
        children.start(job)
    found = [children.take(wait=True) for _ in jobs]
    assert [(each.first, each.count) for each in found if each] == [(job.first, job.count) for job in jobs]
    assert children.take(wait=True) is None
    assert len(children.pids) == PROCESSES


def test_a_second_process_starts_once_two_jobs_wait(jobs: list[Job], children: Children) -> None:
    for job, processes in zip(jobs, (1, 1, PROCESSES), strict=True):
        children.start(job)
        assert len(children.pids) == processes


def test_one_process_does_what_comes_slowly(jobs: list[Job], children: Children) -> None:
    assert not children.pids
    for job in jobs:
        children.start(job)
        assert children.take(wait=True)
    assert len(children.pids) == 1


def test_an_error_is_told_in_the_place_of_its_job(jobs: list[Job], children: Children) -> None:
    Path(jobs[1].wal).write_bytes(b"something else")
    for job in jobs:
        children.start(job)
    assert children.take(wait=True)
    with pytest.raises(Tampered, match="damaged"):
        children.take(wait=True)
    assert children.take(wait=True)


@pytest.mark.parametrize("number", [1, 3])
def test_a_process_that_ended_is_an_error_of_each_of_its_jobs(jobs: list[Job], children: Children, number: int) -> None:
    """Of three jobs one waits in a process that is at another."""
    for job in jobs[:number]:
        children.start(job)
    for pid in children.pids:
        os.kill(pid, signal.SIGKILL)
    for _ in range(number):
        with pytest.raises(Unavailable, match="ended early"):
            children.take(wait=True)
    assert children.take(wait=True) is None


def test_files_that_cannot_be_written_are_an_error_of_their_job(jobs: list[Job], children: Children) -> None:
    told = replace(jobs[1], evidence=str(Path(jobs[1].evidence) / "nowhere"))
    for job in (jobs[2], told, jobs[2]):
        children.start(job)
    assert children.take(wait=True)
    with pytest.raises(FileNotFoundError):
        children.take(wait=True)
    assert children.take(wait=True)


def test_a_file_that_could_not_be_made_durable_is_an_error_of_its_job(capsys: pytest.CaptureFixture[str]) -> None:
    written = Written("f.new", "f", "")
    synced, failed = Future[None](), Future[None]()
    synced.set_result(None)
    failed.set_exception(OSError(errno.EIO, "the disk failed"))
    for asked in ([synced], [synced, failed]):
        _answer(Closed(0, 1, written, written, ()), asked)
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["closed"]["count"] == 1
    assert second == {"errno": errno.EIO, "error": "the disk failed"}
