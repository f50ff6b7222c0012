"""Closing a segment: from a write-ahead log file to the pair of evidence file and analysis tables, beside their places.

It reads one file and writes new ones only, so it may run in another process and be done again. The log moves the files
to their places, notes them as an entry and removes the write-ahead log.
"""

import gc
import json
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from typing_extensions import override

from andon.adapters.segments.disk import Disk
from andon.adapters.segments.wal import groups_of
from andon.base.errors import Tampered
from andon.ledger.group import Group, merged

if TYPE_CHECKING:  # Arrow takes its time, and only who closes needs it
    import pyarrow as pa

    from andon.adapters.segments.analysis import Part, Tables

PART_ENTRIES: Final = 1_024
"""So many entries are worked on at once: about as much as the processor's caches hold."""
NICE: Final = 5
"""Closing gives way to appending, which somebody waits for; not by more, or a busy machine would never close."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to close: the first `count` entries of a file whose chain begins on `start` (hexadecimal)."""

    wal: str
    first: int
    count: int
    start: str
    evidence: str
    analysis: str
    key: str
    tag: str

    @property
    def file(self) -> str:
        return f"{self.first:020d}-{self.count}.parquet"


@dataclass(frozen=True, slots=True)
class Written:
    """A file that waits beside its place."""

    scratch: str
    target: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Closed:
    """What was written for a job."""

    first: int
    count: int
    evidence: Written
    ids: Written
    tables: tuple[Written, ...]


class Closer(Protocol):
    """Does jobs in order."""

    def start(self, job: Job) -> None:
        """Take a job."""
        ...

    def take(self, *, wait: bool) -> Closed | None:
        """The next job that is done; None when it is not done yet (or, with `wait`, when there is none)."""
        ...

    def close(self) -> None:
        """Stop; what is not done will be done again after the next opening."""
        ...


class Inline:
    """Does each job at once; `delay` holds results back for so many questions, as another process would."""

    def __init__(self, disk: Disk, delay: int = 0) -> None:
        self._disk, self._delay, self._left = disk, delay, delay
        self._done: list[Closed] = []

    def start(self, job: Job) -> None:
        self._done.append(write_pair(job, self._disk))

    def take(self, *, wait: bool) -> Closed | None:
        if not self._done:
            return None
        if not wait and self._left:
            self._left -= 1
            return None
        self._left = self._delay
        return self._done.pop(0)

    def close(self) -> None:
        """Nothing to stop."""


def write_pair(job: Job, disk: Disk) -> Closed:
    """Write the files of a job, durably.

    Raises:
        Tampered: the write-ahead log was damaged, or the disk gave back other bytes than were written.
    """
    from andon.adapters.segments.analysis import Tables, encode_table, folder_name  # noqa: PLC0415  # Arrow is slow
    from andon.adapters.segments.ids import encode_ids  # noqa: PLC0415
    from andon.adapters.segments.segment import (  # noqa: PLC0415
        ROWS_PER_GROUP,
        SegmentName,
        SegmentWriter,
        holds_rows,
        row_groups,
    )

    writer, tables = SegmentWriter(), Tables(bytes.fromhex(job.key))
    chosen, sample = int(job.start, 16) % -(-job.count // ROWS_PER_GROUP), None
    for number, group in enumerate(row_groups(_seen(job, tables))):
        writer.add(group)
        if number == chosen:
            sample = group
    models = tables.finish(lambda: (part for group in _groups(job) for part in _parts(group)))
    evidence = _write(Path(job.evidence) / job.file, writer.finish(), job.tag, disk)
    if not holds_rows(Path(evidence.scratch), job.count, chosen, sample):
        raise Tampered(f"the disk gave back other rows than were written to {evidence.scratch}")
    ids = _write(Path(job.evidence) / SegmentName(job.first, job.count).ids, encode_ids(tables.ids), job.tag, disk)
    written = []
    for model, rows in models.items():
        path = Path(job.analysis) / folder_name(model) / job.file
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            disk.sync(path.parent.parent)
        written.append(_write(path, encode_table(rows, model, job.file, evidence.sha256), job.tag, disk))
    return Closed(job.first, job.count, evidence, ids, tuple(written))


def _seen(job: Job, tables: "Tables") -> "Iterator[pa.Table]":
    """The rows of a job's evidence file; `tables` gets each entry meanwhile, while the processor's caches hold it."""
    from andon.adapters.segments.segment import group_table  # noqa: PLC0415  # as above

    for group in _groups(job):
        yield group_table(group)
        for part in _parts(group):
            tables.add(part[0] - job.first, *part)


def _parts(group: Group) -> "Iterator[Part]":
    """What analysis tables are made of, a part of a group at a time."""
    from andon.adapters.segments.columns import Payloads  # noqa: PLC0415  # as above

    at, block = 0, memoryview(group.blocks[2])
    for start in range(0, len(group.headers), PART_ENTRIES):
        sizes = group.sizes[start : start + PART_ENTRIES]
        end = at + sum(sizes)
        yield group.first + start, group.headers[start : start + PART_ENTRIES], Payloads(block[at:end], sizes)
        at = end


def _groups(job: Job) -> Iterator[Group]:
    """The entries of a job, those of small groups together.

    Raises:
        Tampered: the write-ahead log was damaged.
    """
    waiting, count = list[Group](), 0
    for group in groups_of(Path(job.wal), job.first, bytes.fromhex(job.start)):
        waiting.append(group)
        count += len(group.headers)
        if sum(len(each.headers) for each in waiting) >= PART_ENTRIES // 2:
            yield merged(waiting)
            waiting = []
    if waiting:
        yield merged(waiting)
    if count != job.count:
        raise Tampered(f"{Path(job.wal).name} does not hold the {job.count} entries from {job.first} on")


def _write(path: Path, data: bytes, tag: str, disk: Disk) -> Written:
    scratch = path.with_name(f"{path.name}.{tag}.new")
    disk.write(scratch, 0, data)
    disk.sync(scratch)
    if scratch.read_bytes() != data:
        raise Tampered(f"the disk gave back other bytes than were written to {scratch}")
    return Written(str(scratch), str(path), sha256(data).hexdigest())


class _SyncingDisk(Disk):
    """Makes files durable in a thread, while the next one is made."""

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self._thread = thread
        self.asked: list[Future[None]] = []

    @override
    def sync(self, path: Path) -> None:
        self.asked.append(self._thread.submit(super().sync, path))


def main() -> None:
    """Do jobs, a line of JSON each, one after the other, until standard input ends; a line answers each.

    A thread makes files durable and answers, while the next job goes on.
    """
    os.nice(NICE)
    import_module("andon.adapters.segments.analysis")
    gc.freeze()
    gc.disable()  # the objects of a job are many and hold no circles, but for the types made for its events
    with ThreadPoolExecutor(1) as thread:
        for line in sys.stdin:
            disk = _SyncingDisk(thread)
            thread.submit(_answer, _done(line, disk), disk.asked)
            gc.collect()


def _done(line: str, disk: Disk) -> Closed | Exception:
    try:
        return write_pair(Job(**json.loads(line)), disk)
    except Exception as error:  # noqa: BLE001  # a worker's loop: the other process says it in a sentence
        return error


def _answer(found: Closed | Exception, asked: Sequence[Future[None]]) -> None:
    """Tell what became of a job, once its files are durable."""
    if not isinstance(found, Exception):
        found = next((error for each in asked if isinstance(error := each.exception(), Exception)), found)
    told = _refusal(found) if isinstance(found, Exception) else {"closed": asdict(found)}
    print(json.dumps(told), flush=True)  # noqa: T201  # the other process reads it


def _refusal(error: Exception) -> dict[str, object]:
    if isinstance(error, Tampered):
        return {"tampered": str(error)}
    if isinstance(error, OSError):
        return {"errno": error.errno, "error": str(error.strerror)}
    return {"errno": None, "error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    main()
