"""Files of incidents, sealed: parts under a key of the file, in a store that names what it holds by its digest."""

from collections.abc import Collection, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Final, Protocol

from andon.base.errors import NotFound, Tampered
from andon.incident.attachment import Incoming, Kept

OVERHEAD_BYTES: Final = 28
"""Of a sealed part: its nonce and its tag."""


class New(Protocol):
    """Stored content that comes in parts."""

    def write(self, chunk: bytes) -> None: ...
    def keep(self) -> tuple[str, int]: ...
    def drop(self) -> None: ...


class Store(Protocol):
    """Keeps content by its digest; `read` gives parts of `part_bytes`, the last one shorter."""

    def begin(self) -> New: ...
    def check(self, name: str) -> None: ...
    def read(self, name: str) -> Iterator[bytes]: ...
    def holds(self, name: str) -> bool: ...
    def remove(self, name: str) -> None: ...
    def list_names(self, before: datetime) -> Collection[str]: ...


class Keys(Protocol):
    """Seals texts under a key per name that can be forgotten."""

    def seal(self, name: str, text: bytes, place: bytes) -> tuple[str, bytes]: ...
    def open(self, key_id: str, sealed: bytes, place: bytes) -> bytes | None: ...
    def forget(self, name: str) -> None: ...


class SealedIncoming:
    """Content on its way into the vault, of which one part is held in memory at most."""

    def __init__(self, file: str, new: New, keys: Keys, part_bytes: int) -> None:
        self._file, self._new, self._keys, self._part_bytes = file, new, keys, part_bytes
        self._held, self._digest, self._size, self._parts = bytearray(), sha256(), 0, 0

    def write(self, part: bytes) -> None:
        """Take the next part."""
        self._digest.update(part)
        self._size += len(part)
        self._held += part
        while len(self._held) >= self._part_bytes:
            self._seal(bytes(self._held[: self._part_bytes]))
            del self._held[: self._part_bytes]

    def keep(self) -> Kept:
        """Make it durable; one part at least, so that two empty files are not the same one."""
        if self._held or not self._parts:
            self._seal(bytes(self._held))
        stored, _ = self._new.keep()
        return Kept(self._file, stored, self._size, self._digest.hexdigest())

    def drop(self) -> None:
        """Forget what was written, unless it was kept."""
        self._new.drop()

    def _seal(self, part: bytes) -> None:
        _, sealed = self._keys.seal(self._file, part, _place(self._file, self._parts))
        self._new.write(sealed)
        self._parts += 1


class SealedVault:
    """A store whose content is sealed.

    A file has a key of its own, used once: forgetting it erases the file from every copy of the store too. The parts
    are bound to their file and their order; that none is missing is what the store's digest says.
    """

    def __init__(self, store: Store, keys: Keys, part_bytes: int) -> None:
        """`part_bytes`: how much the store reads at once."""
        self._store, self._keys, self._part_bytes = store, keys, part_bytes - OVERHEAD_BYTES

    def begin(self, file: str) -> Incoming:
        """Content to come, under the key of a file."""
        return SealedIncoming(file, self._store.begin(), self._keys, self._part_bytes)

    def check(self, stored: str) -> None:
        """Whether stored content is what was kept."""
        self._store.check(stored)

    def read(self, file: str, stored: str) -> Iterator[bytes]:
        """The content in parts."""
        for number, sealed in enumerate(self._store.read(stored)):
            try:
                part = self._keys.open(file, sealed, _place(file, number))
            except Tampered:
                raise Tampered(f"part {number} of {file} is not what was kept: restore it from a copy") from None
            if part is None:
                raise NotFound(f"{file} was erased meanwhile: the timeline says when and why")
            yield part

    def holds(self, stored: str) -> bool:
        """Whether content is still there."""
        return self._store.holds(stored)

    def destroy(self, file: str, stored: str) -> None:
        """Forget the key, then the content."""
        if file:
            self._keys.forget(file)
        self._store.remove(stored)

    def list_stored(self, before: datetime) -> Collection[str]:
        """What was stored before a time."""
        return self._store.list_names(before)


def _place(file: str, number: int) -> bytes:
    return f"{file}:{number}".encode()
