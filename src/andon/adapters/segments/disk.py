"""What the log does to a disk: every write, fsync and rename passes here, so that a test can record and replay them."""

import os
from pathlib import Path


def files_in(folder: Path, suffix: str) -> list[Path]:
    """The files of a folder whose names end so, in order; none where the folder is not there.

    `Path.glob` would also find none in a folder that may not be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == suffix)
    except FileNotFoundError:
        return []


class Disk:
    """The real file system. Names are absolute paths.

    The file that was appended to last stays open: a second descriptor might not hear of an error of the first one.
    """

    _tail: tuple[Path, int] | None = None

    def append(self, path: Path, data: bytes) -> None:
        """Write at the end; durable only after `sync`."""
        if self._tail is None or self._tail[0] != path:
            self.close()
            self._tail = path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._write(self._tail[1], data)

    def write(self, path: Path, offset: int, data: bytes) -> None:
        """Write at an offset and cut the file after it; durable only after `sync`."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.ftruncate(descriptor, offset)
            os.lseek(descriptor, offset, os.SEEK_SET)
            self._write(descriptor, data)
        finally:
            os.close(descriptor)

    def sync(self, path: Path) -> None:
        """Make what was written to a file durable."""
        if self._tail is not None and self._tail[0] == path:
            os.fdatasync(self._tail[1])
            return
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Let go of the file that was appended to."""
        if self._tail is not None:
            os.close(self._tail[1])
            self._tail = None

    def rename(self, source: Path, target: Path) -> None:
        """Move over another file at once; durable after `sync` of the folder."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        path.unlink()

    def replace(self, path: Path, data: bytes) -> None:
        """Put content in the place of a file, whole or not at all, and durably."""
        scratch = path.with_name(f".{path.name}.new")
        self.write(scratch, 0, data)
        self.sync(scratch)
        self.rename(scratch, path)
        self.sync(path.parent)

    @staticmethod
    def _write(descriptor: int, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
