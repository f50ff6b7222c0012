"""Closing a segment: from a write-ahead log file to the pair of evidence file and analysis tables, beside their places.

It reads one file and writes new ones only, so it may run in another process and be done again. The log moves the files
to their places, notes them as an entry and removes the write-ahead log.
"""

import gc
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from andon.adapters.segments.disk import Disk
from andon.base.errors import Tampered


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
        Tampered: the disk gave back other bytes than were written.
    """
    from andon.adapters.segments.analysis import encode_table, folder_name, tables_of  # noqa: PLC0415  # Arrow is slow
    from andon.adapters.segments.segment import encode_segment, holds_rows, segment_table  # noqa: PLC0415
    from andon.adapters.segments.wal import read_wal  # noqa: PLC0415

    content = read_wal(Path(job.wal), job.first, bytes.fromhex(job.start))
    entries, leaves = content.entries[: job.count], content.leaves[: job.count]
    table = segment_table(job.first, entries, leaves)
    with ThreadPoolExecutor(1) as other:  # Arrow compresses without holding the interpreter
        encoded = other.submit(encode_segment, table)
        models = tables_of(enumerate(entries, job.first), bytes.fromhex(job.key))
        evidence = _write(Path(job.evidence) / job.file, encoded.result(), job.tag, disk)
        is_right = other.submit(holds_rows, Path(evidence.scratch), table)
        tables = []
        for model, rows in models.items():
            path = Path(job.analysis) / folder_name(model) / job.file
            if not path.parent.exists():
                path.parent.mkdir(mode=0o700, parents=True)
                disk.sync(path.parent.parent)
            tables.append(_write(path, encode_table(rows, model, job.file, evidence.sha256), job.tag, disk))
        if not is_right.result():
            raise Tampered(f"the disk gave back other bytes than were written to {evidence.scratch}")
    return Closed(job.first, job.count, evidence, tuple(tables))


def _write(path: Path, data: bytes, tag: str, disk: Disk) -> Written:
    scratch = path.with_suffix(f".{tag}.new")
    disk.write(scratch, 0, data)
    disk.sync(scratch)
    digest = sha256(data).hexdigest()
    if sha256(scratch.read_bytes()).hexdigest() != digest:
        raise Tampered(f"the disk gave back other bytes than were written to {scratch}")
    return Written(str(scratch), str(path), digest)


def main() -> None:
    """Serve jobs, a line of JSON each, until standard input ends."""
    disk = Disk()
    gc.disable()  # the objects of a job are many and hold no circles
    for line in sys.stdin:
        answer: dict[str, object]
        try:
            answer = {"closed": asdict(write_pair(Job(**json.loads(line)), disk))}
        except OSError as error:
            answer = {"errno": error.errno, "error": str(error.strerror)}
        except Tampered as error:
            answer = {"tampered": str(error)}
        except Exception as error:  # noqa: BLE001  # a worker's loop: the other process says it in a sentence
            answer = {"errno": None, "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)  # noqa: T201  # the other process reads it


if __name__ == "__main__":
    main()
