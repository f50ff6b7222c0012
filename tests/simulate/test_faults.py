"""A full disk, a failing fsync, a second writer, a clock that goes back, kill -9."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from andon.adapters.segments.verify import verify_folder
from andon.base.errors import Refused, Unavailable
from andon.ledger.entry import CONTROL_KINDS, parse_header
from ledgers import SIGNER, Hasty, entry_of, open_log


class Failing(Hasty):
    """A disk on which the n-th operation of a kind fails, after half of it was written."""

    def __init__(self, kind, number, code):
        self.kind, self.left, self.code = kind, number, code

    def _tick(self, kind, path=None, data=b""):
        if kind != self.kind:
            return
        self.left -= 1
        if self.left == 0:
            if data:
                Hasty.append(self, path, data[: len(data) // 2]) if kind == "append" else None
            raise OSError(self.code, os.strerror(self.code))

    def append(self, path, data):
        self._tick("append", path, data)
        super().append(path, data)

    def write(self, path, offset, data):
        self._tick("write", path, data)
        super().write(path, offset, data)

    def sync(self, path):
        self._tick("sync")

    def rename(self, source, target):
        self._tick("rename")
        super().rename(source, target)


def events_in(log):
    return [e for _, e in log.read() if parse_header(e.header)["kind"] not in CONTROL_KINDS]


@pytest.mark.parametrize("kind", ["append", "write", "sync", "rename"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_no_acknowledged_entry_is_lost_by_a_failing_disk(tmp_path, kind, code):
    for number in range(1, 60):
        folder, acknowledged, failed = tmp_path / str(number), 0, False
        try:
            log = open_log(folder, Failing(kind, number, code), segment=16)
        except Unavailable:
            continue
        for batch in range(9):
            try:
                log.append([entry_of(batch * 5 + i) for i in range(5)])
            except Unavailable:
                failed = True
                break
            acknowledged += 5
        if failed:
            with pytest.raises(Unavailable, match="takes nothing more"):
                log.append([entry_of(99)])
            with pytest.raises(Unavailable, match="takes nothing more"):
                log.checkpoint()
        try:
            log.close()
        except Unavailable:
            failed = True
        with open_log(folder, Hasty(), segment=16) as again:
            found = events_in(again)
            assert len(found) >= acknowledged
            assert found == [entry_of(i) for i in range(len(found))]
            again.append([entry_of(len(found))])
            verify_folder(again, SIGNER.verifier)
        if not failed:
            return
    pytest.fail("the disk failed however late")


def test_a_full_disk_is_one_sentence(tmp_path):
    log = open_log(tmp_path, Failing("append", 1, errno.ENOSPC))
    with pytest.raises(Unavailable, match="No space left on device; what was acknowledged before is safe"):
        log.append([entry_of(0)])
    log.close()


def test_a_second_writer_is_refused(tmp_path):
    with open_log(tmp_path) as log:
        with pytest.raises(Refused, match="another process writes"):
            open_log(tmp_path)
        log.append([entry_of(0)])
    with open_log(tmp_path) as log:
        assert log.size == 1


PROGRAM = """
import sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from andon.adapters.segments.closer import Children
from andon.adapters.segments.closing import Inline
from andon.adapters.segments.log import SegmentLog, Settings
from ledgers import AT, SIGNER, entry_of
closer = {"child": lambda _: Children({}), "inline": Inline}[sys.argv[3]]
with SegmentLog(Path(sys.argv[1]), SIGNER, lambda: AT, settings=Settings(400, closer=closer)) as log:
    while True:
        first = log.size
        log.append([entry_of(first + i) for i in range(50)])
        print(log.size, flush=True)
"""


@pytest.mark.parametrize(
    ("closer", "lines"), [*(("inline", n) for n in (1, 7, 8, 9, 40)), ("child", 30), ("child", 90)]
)
def test_killed_while_appending_and_closing(tmp_path, lines, closer):
    here = str(Path(__file__).parents[1])
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", PROGRAM, str(tmp_path / "log"), here, closer], stdout=subprocess.PIPE, text=True
    ) as child:
        acknowledged = [int(child.stdout.readline()) for _ in range(lines)][-1]
        os.kill(child.pid, signal.SIGKILL)
        more = [int(line) for line in child.stdout.read().split()]
    with open_log(tmp_path / "log", segment=400) as log:
        assert log.size >= max([acknowledged, *more])
        verify_folder(log, SIGNER.verifier)
