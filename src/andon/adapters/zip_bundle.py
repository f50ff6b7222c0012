"""A bundle as a zip file: written beside its place, moved there when it is whole."""

import os
import secrets
import zipfile
from collections.abc import Iterable
from errno import EEXIST
from hashlib import sha256
from pathlib import Path
from typing import Self

BEGINNING = (2000, 1, 1, 0, 0, 0)
CHUNK_BYTES = 1 << 20
LEVEL = 1
HASHES = frozenset({"leaves.bin", "proof.bin"})
"""Members that no method makes smaller."""


class ZipBundle:
    """Members of a zip; leaving with an error leaves nothing behind."""

    def __init__(self, path: Path) -> None:
        if path.exists() and not path.is_file():  # moved there, it would take the place of what others write to
            raise OSError(EEXIST, "it is a device or a pipe, or a folder", str(path))
        self._path, self._scratch = path, path.with_name(f".andon.{secrets.token_hex(8)}")
        self._zip = zipfile.ZipFile(self._scratch, "x", zipfile.ZIP_DEFLATED)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            self._zip.close()
            if kind is None:
                with self._scratch.open("rb") as file:
                    os.fsync(file.fileno())
                self._scratch.replace(self._path)
        finally:  # the end of the zip is written when it is closed, which a full disk refuses
            self._scratch.unlink(missing_ok=True)

    def add(self, name: str, chunks: Iterable[bytes]) -> str:
        """Write a member; returns its SHA-256."""
        digest, waiting, size = sha256(), list[bytes](), 0
        info = zipfile.ZipInfo(name, BEGINNING)
        info.compress_type = zipfile.ZIP_STORED if name in HASHES else zipfile.ZIP_DEFLATED
        info._compresslevel = LEVEL  # type: ignore[attr-defined]  # noqa: SLF001  # an info of one's own forgets the zip's
        with self._zip.open(info, "w", force_zip64=True) as member:
            for chunk in chunks:
                waiting.append(chunk)
                size += len(chunk)
                if size >= CHUNK_BYTES:
                    digest.update(data := b"".join(waiting))
                    member.write(data)
                    waiting, size = [], 0
            digest.update(data := b"".join(waiting))
            member.write(data)
        return digest.hexdigest()
