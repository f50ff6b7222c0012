"""The keys of private texts: one file, one key each; forgetting a key erases all that it sealed."""

import os
import secrets
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from andon.base.errors import Tampered

NONCE_BYTES = 12
KEY_BYTES = 32


class Keyring:
    """AES-256-GCM under a key per name, in a SQLite file of mode 600.

    One connection is kept: to open one for each text, and to close it, which moves the write-ahead log into the file,
    was a third of what a signal cost.
    """

    def __init__(self, path: Path) -> None:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._turn = threading.Lock()
        self._base = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._base.close)
        for pragma in ("journal_mode=wal", "synchronous=full", "secure_delete=on"):
            self._base.execute(f"pragma {pragma}").close()
        with self._open() as base:
            base.execute("create table if not exists keys(key_id text primary key, key blob not null) without rowid")

    def seal(self, key_id: str, text: bytes, place: bytes) -> bytes:
        """Nonce and ciphertext; `place` is bound, so that a text cannot be moved to another."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(self._key(key_id)).encrypt(nonce, text, place)

    def open(self, key_id: str, sealed: bytes, place: bytes) -> bytes | None:
        """The text; None when its key was forgotten."""
        key = self._find(key_id)
        if key is None:
            return None
        try:
            return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
        except InvalidTag:
            raise Tampered(f"the text at {place.decode()} of the table journal_payload was changed") from None

    def forget(self, key_id: str) -> None:
        """Erase a key, and with it every text under it."""
        with self._open() as base:
            base.execute("delete from keys where key_id = ?", (key_id,))
            base.execute("pragma wal_checkpoint(truncate)")

    def _key(self, key_id: str) -> bytes:
        if (known := self._find(key_id)) is not None:
            return known
        self.make([key_id])
        made = self._find(key_id)
        assert made is not None  # noqa: S101  # nothing forgets a key that was made just now
        return made

    def _find(self, key_id: str) -> bytes | None:
        with self._open() as base:
            found = base.execute("select key from keys where key_id = ?", (key_id,)).fetchone()
        return None if found is None else found[0]

    def make(self, key_ids: Sequence[str]) -> None:
        """Make keys that will be needed, durable together; those that are there stay."""
        fresh = [(each, secrets.token_bytes(KEY_BYTES)) for each in key_ids]
        with self._open() as base:
            base.execute("begin immediate")
            try:
                base.executemany("insert or ignore into keys values (?, ?)", fresh)
            finally:
                base.execute("commit")

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._turn:
            yield self._base
