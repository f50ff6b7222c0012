"""A store of files by their SHA-256: what a seal pins and the ledger does not hold, such as models and charts."""

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from andon.base.errors import BadInput, Full, Tampered, Unavailable

CHUNK_BYTES = 1 << 20
SCRATCH = ".new"


class NewArtifact:
    """Content that comes in parts; nobody finds it before it is kept."""

    def __init__(self, folder: Path) -> None:
        with _room(folder):
            if not folder.exists():
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _sync(folder.parent)
            self._file = NamedTemporaryFile(dir=folder, prefix=".", suffix=SCRATCH, delete=False)  # noqa: SIM115  # keep, drop
        self._folder, self._digest, self._size = folder, sha256(), 0

    def write(self, chunk: bytes) -> None:
        """Take the next part.

        Raises:
            Full: the disk has no room.
        """
        self._digest.update(chunk)
        self._size += len(chunk)
        with _room(self._folder):
            self._file.write(chunk)

    def keep(self) -> tuple[str, int]:
        """Make it durable; returns its SHA-256 and size.

        Raises:
            Full: the disk has no room.
        """
        name = self._digest.hexdigest()
        with _room(self._folder):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            Path(self._file.name).replace(self._folder / name)
            _sync(self._folder)
        return name, self._size

    def drop(self) -> None:
        """Forget what was written, unless it was kept."""
        with suppress(OSError):  # what a full disk did not take is flushed here once more
            self._file.close()
        Path(self._file.name).unlink(missing_ok=True)


class ArtifactStore:
    """Files in a folder, each named by what it holds, so that a file that was changed is known by its name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self) -> NewArtifact:
        """Content to come in parts."""
        return NewArtifact(self._folder)

    def put(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        """Keep content, durably, and read it back; returns its SHA-256 and size.

        Raises:
            Full: the disk has no room.
            Tampered: the disk gave back something else.
        """
        new = self.begin()
        with ExitStack() as stack:
            stack.callback(new.drop)
            for chunk in chunks:
                new.write(chunk)
            name, size = new.keep()
        self.check(name)
        return name, size

    def check(self, name: str) -> None:
        """Read content through.

        Raises:
            Tampered: as `read`.
        """
        for _ in self.read(name):
            pass

    def holds(self, name: str) -> bool:
        """Whether there is content of this name."""
        return (self._folder / name).exists()

    def remove(self, name: str) -> None:
        """Remove content; what is not there stays so."""
        with _room(self._folder):
            (self._folder / name).unlink(missing_ok=True)

    def list_names(self, before: datetime) -> list[str]:
        """What was kept before a time; what was begun before it and never kept is removed."""
        found = []
        for path in self._folder.glob("*") if self._folder.exists() else ():
            with _room(self._folder), suppress(FileNotFoundError):  # another process removes too
                if path.stat().st_mtime >= before.timestamp():
                    continue
                if path.name.endswith(SCRATCH):
                    path.unlink()
                else:
                    found.append(path.name)
        return found

    def pin(self, members: Mapping[str, bytes]) -> dict[str, Any]:
        """Keep content; what a seal says of each: SHA-256 and bytes."""
        kept = {name: self.put([data]) for name, data in members.items()}
        return {name: {"sha256": digest, "bytes": size} for name, (digest, size) in kept.items()}

    def pin_files(self, files: Mapping[str, Path]) -> dict[str, Any]:
        """Keep files; each is read back before this returns."""
        found = {}
        for name, path in files.items():
            try:
                with path.open("rb") as file:
                    digest, size = self.put(iter(partial(file.read, CHUNK_BYTES), b""))
            except OSError as error:
                raise BadInput(f"cannot pin {path} as {name}: {error.strerror}; mend its path") from None
            found[name] = {"sha256": digest, "bytes": size}
        return found

    def read(self, name: str) -> Iterator[bytes]:
        """The content of a SHA-256, checked while it is read.

        Raises:
            Tampered: it is missing, or not what its name says.
        """
        path, digest = self._folder / name, sha256()
        try:
            with path.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    digest.update(chunk)
                    yield chunk
        except FileNotFoundError:
            raise Tampered(f"{path} is missing, and an entry names it: restore it from a copy") from None
        if digest.hexdigest() != name:
            raise Tampered(f"{path} is not what was kept: restore it from a copy")


def _sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _room(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Full(f"no room is left for {folder}: make room; nothing acknowledged is lost") from None
        raise Unavailable(f"{folder} cannot be written: {error.strerror}; mend the disk or its permissions") from None
