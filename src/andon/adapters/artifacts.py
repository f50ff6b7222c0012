"""A store of files by their SHA-256: what a seal pins and the ledger does not hold, such as models and charts."""

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from andon.base.errors import BadInput, Tampered

CHUNK_BYTES = 1 << 20


class ArtifactStore:
    """Files in a folder, each named by what it holds, so that a file that was changed is known by its name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        """Keep content, durably, and read it back; returns its SHA-256 and size.

        Raises:
            Tampered: the disk gave back something else.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest, size = sha256(), 0
        with NamedTemporaryFile(dir=self._folder, prefix=".", suffix=".new", delete=False) as file:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        name = digest.hexdigest()
        Path(file.name).replace(self._folder / name)
        descriptor = os.open(self._folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        for _ in self.read(name):
            pass
        return name, size

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
            raise Tampered(f"{path} is missing, and a seal pins it: restore it from a copy") from None
        if digest.hexdigest() != name:
            raise Tampered(f"{path} is not what was pinned: restore it from a copy")
