"""The spool: events as numbered lines in files, until the server has them on its disk.

A line is written to its file before the call returns, so it outlives the process; with `sync` it outlives a power cut.
The number of a line is its place: a file's name is the number of its first line. After a restart what is left is sent
under the same numbers, so that the server knows what it has already; then a new epoch begins, so that the server
refuses whoever still sends in the old one, as a copy of the spool or of the machine would.
"""

import contextlib
import fcntl
import json
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from andon_sdk.errors import SpoolFull, Unsafe

FILE_BYTES = 4 << 20
REJECTED = "rejected.ndjson"
PLACE = "place.json"
LOCK = "lock"


@dataclass(frozen=True)
class Lines:
    """Lines that follow each other; one that was rejected is empty and keeps its number.

    Attributes:
        first: the number of the first.
        lines: the lines.
        after: where the next line stands: file and offset.
        size: bytes in the files.
    """

    first: int
    lines: tuple[bytes, ...]
    after: tuple[int, int]
    size: int

    @property
    def end(self) -> int:
        """The number after the last."""
        return self.first + len(self.lines)


class Spool:
    """One producer's lines in a folder; one process at a time."""

    def __init__(self, folder: Path, bytes_max: int, *, sync: bool = False) -> None:
        self.folder, self.producer = folder, folder.name
        self._bytes_max, self._sync = bytes_max, sync
        self._changed = threading.Condition()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _locked(folder / LOCK)
        self._rejected: set[int] = _rejected_numbers(folder)
        is_restart, (self.epoch, self._base) = (folder / PLACE).exists(), _read_place(folder)
        self._descriptor = -1
        self._recover()
        self._left_end = self.next if is_restart else -1
        self._turn_epoch()

    # Writing

    def append(self, line: bytes, wait_seconds: float) -> int:
        """Write a line; returns its number.

        Raises:
            SpoolFull: there was no room for so long.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self.waiting_bytes + len(line) < self._bytes_max, wait_seconds):
                waiting = f"{self.waiting_bytes:,} bytes of events wait for the server"
                raise SpoolFull(f"{waiting}: see why it does not take them (`trouble`), or give a larger spool")
            if self._current_bytes >= FILE_BYTES:
                self._open(self.next)
            os.write(self._descriptor, line + b"\n")
            if self._sync:
                os.fdatasync(self._descriptor)
            self._current_bytes += len(line) + 1
            self.waiting_bytes += len(line) + 1
            self.next += 1
            self._changed.notify_all()
            return self.next - 1

    # Sending

    def wait(self, seconds: float) -> bool:
        """Wait for a line to send; whether there is one."""
        with self._changed:
            return self._changed.wait_for(lambda: self.acked < self.next, seconds)

    def wait_until_sent(self, number: int, seconds: float) -> bool:
        """Wait until all lines before a number are sent; whether they are."""
        with self._changed:
            return self._changed.wait_for(lambda: self.acked >= number, seconds)

    def wake(self) -> None:
        """Let whoever waits look again."""
        with self._changed:
            self._changed.notify_all()

    def take(self, lines_max: int, bytes_max: int) -> Lines:
        """The next lines to send; only one thread takes."""
        with self._changed:
            end = min(self.next, self.acked + lines_max)
            if self.acked < self._left_end:
                end = min(end, self._left_end)
        file_first, offset = self._at
        found: list[bytes] = []
        size = 0
        while self.acked + len(found) < end and (size < bytes_max or not found):
            with (self.folder / _name(file_first)).open("rb") as file:
                file.seek(offset)
                while self.acked + len(found) < end and (size < bytes_max or not found):
                    line = file.readline()
                    if not line:
                        break
                    size, offset = size + len(line), offset + len(line)
                    found.append(b"" if self.acked + len(found) in self._rejected else line[:-1])
            if self.acked + len(found) < end and size < bytes_max:
                file_first, offset = self.acked + len(found), 0
        return Lines(self.acked, tuple(found), (file_first, offset), size)

    def done(self, lines: Lines) -> None:
        """Lines are on the server's disk: forget them."""
        with self._changed:
            self.acked, self._at = lines.end, lines.after
            self.waiting_bytes -= lines.size
            for first in self._files():
                if first < self._at[0]:
                    (self.folder / _name(first)).unlink()
            self._rejected = {number for number in self._rejected if number >= self.acked}
            self._turn_epoch()
            self._changed.notify_all()

    def reject(self, number: int, line: bytes, reason: str) -> None:
        """Put a line aside with the reason; its number stays, as a hole."""
        note = {"number": number, "reason": reason, "event": line.decode("utf-8", "replace")}
        with (self.folder / REJECTED).open("a", encoding="utf-8") as file:
            file.write(json.dumps(note, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._rejected.add(number)

    # Numbers as the server counts them

    def first_of(self, lines: Lines) -> int:
        """The number of the first line in this epoch."""
        return lines.first - self._base

    def new_epoch(self) -> None:
        """Count anew from the first line that is not sent, as the server does not know this producer's numbers."""
        self.epoch, self._base, self._left_end = max(self.epoch + 1, int(time.time())), self.acked, -1
        _write_place(self.folder, self.epoch, self._base)

    def _turn_epoch(self) -> None:
        """Begin a new epoch once nothing is left of what a process before this one wrote."""
        if 0 <= self._left_end <= self.acked:
            self.new_epoch()

    def close(self) -> None:
        """Let go of the folder; where nothing is left in it, it is removed."""
        with self._changed:
            os.close(self._descriptor)
            if self.acked == self.next and not (self.folder / REJECTED).exists():
                for path in self.folder.iterdir():
                    path.unlink()
                with contextlib.suppress(OSError):
                    self.folder.rmdir()
            os.close(self._lock)

    # Files

    def _files(self) -> list[int]:
        return sorted(int(path.stem) for path in self.folder.glob("*.ndjson") if path.stem.isdigit())

    def _recover(self) -> None:
        files = self._files()
        self.acked = self.next = files[0] if files else self._base
        self.waiting_bytes, self._at = 0, (self.acked, 0)
        for first in files:
            path = self.folder / _name(first)
            data = path.read_bytes()
            whole = data.rfind(b"\n") + 1
            if whole < len(data):  # torn by a power cut: nobody was told that it is kept
                self.reject(-1, data[whole:], "half a line, left by a crash")
                os.truncate(path, whole)
            self.waiting_bytes += whole
            self.next = first + data.count(b"\n")
            if self.acked < self._base <= self.next:  # what stands before the epoch's begin was sent in an older one
                self._skip(data, first)
        if self.next < self._base:  # a power cut took lines that were sent before the epoch began, or all of them
            for first in files:
                (self.folder / _name(first)).unlink()
            self.acked = self.next = self._base
            self.waiting_bytes, self._at, files = 0, (self._base, 0), []
        self._open(files[-1] if files else self.next)

    def _skip(self, data: bytes, first: int) -> None:
        offset = 0
        for _ in range(self._base - first):
            offset = data.index(b"\n", offset) + 1
        before = sum((self.folder / _name(each)).stat().st_size for each in self._files() if each < first)
        self.waiting_bytes -= before + offset
        self.acked, self._at = self._base, (first, offset)

    def _open(self, first: int) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        path = self.folder / _name(first)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._current_bytes = path.stat().st_size


def folders_in(root: Path) -> list[Path]:
    """The spools of all producers."""
    return sorted(path for path in root.iterdir() if (path / LOCK).exists()) if root.is_dir() else []


def _name(first: int) -> str:
    return f"{first:020d}.ndjson"


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise Unsafe(f"another process uses the spool {path.parent}") from None
    return descriptor


def _rejected_numbers(folder: Path) -> set[int]:
    path = folder / REJECTED
    if not path.exists():
        return set()
    found = set()
    for line in path.read_text(encoding="utf-8").split("\n"):
        with contextlib.suppress(ValueError, KeyError):
            found.add(int(json.loads(line)["number"]))
    return found


def _read_place(folder: Path) -> tuple[int, int]:
    """The epoch, and the number of its first line."""
    path = folder / PLACE
    if path.exists():
        with contextlib.suppress(ValueError):
            place = json.loads(path.read_text())
            return place["epoch"], place["base"]
    return _write_place(folder, int(time.time()), 0)


def _write_place(folder: Path, epoch: int, base: int) -> tuple[int, int]:
    place = {"epoch": epoch, "base": base}
    scratch = folder / f"{PLACE}.new"
    with scratch.open("w") as file:
        json.dump(place, file)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(folder / PLACE)
    return epoch, base
