"""The keys of private texts: one file, a key for each subject; forgetting a key erases all that it sealed."""

import os
import secrets
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from andon.base.errors import Tampered, Unavailable

NONCE_BYTES = 12
KEY_BYTES = 32
AHEAD_MAX: Final = 10_000
TABLES: Final = (
    "create table if not exists keys(key_id text primary key, key blob not null) without rowid",
    "create table if not exists forgotten(name text primary key, times integer not null) without rowid",
)


class Keyring:
    """AES-256-GCM under a key per name, in a SQLite file of mode 600.

    A name whose key was forgotten gets another one for what comes later, under another id, so that what was erased
    stays erased: an id that was forgotten is never given again.

    One connection is kept: to open one for each text, and to close it, which moves the write-ahead log into the file,
    was a third of what a signal cost. What the disk or the file refuses is Unavailable.

    Keys that are made ahead, for names that nobody else knows yet, are remembered until they are used.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._turn = path, threading.Lock()
        self._ahead: dict[str, bytes] = {}
        with self._reached():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._base = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            weakref.finalize(self, self._base.close)
            for statement in ("pragma journal_mode=wal", "pragma synchronous=full", "pragma secure_delete=on", *TABLES):
                self._base.execute(statement).close()

    def seal(self, name: str, text: bytes, place: bytes) -> tuple[str, bytes]:
        """The id of the key that sealed it, with nonce and ciphertext.

        `place` is bound, so that a text cannot be moved to another.
        """
        nonce = secrets.token_bytes(NONCE_BYTES)
        ahead = self._ahead.pop(name, None)
        key_id, key = self._key(name) if ahead is None else (name, ahead)
        return key_id, nonce + AESGCM(key).encrypt(nonce, text, place)

    def open(self, key_id: str, sealed: bytes, place: bytes) -> bytes | None:
        """The text; None when its key was forgotten."""
        with self._open() as base:
            found = base.execute("select key from keys where key_id = ?", (key_id,)).fetchone()
        if found is None:
            return None
        try:
            return AESGCM(found[0]).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
        except InvalidTag:
            raise Tampered(f"the text at {place.decode()} of the table journal_payload was changed") from None

    def forget(self, name: str) -> None:
        """Erase the key of a name, and with it every text under it so far; that it was erased stays known."""
        self._ahead.pop(name, None)
        with self._open() as base:
            with self._transaction(base):
                base.execute("delete from keys where key_id = ?", (_id(name, _times(base, name)),))
                base.execute(
                    "insert into forgotten values (?, 1) on conflict (name) do update set times = times + 1", (name,)
                )
            base.execute("pragma wal_checkpoint(truncate)").close()

    def make(self, names: Sequence[str]) -> None:
        """Make keys that will be needed, durable together; those that are there stay."""
        wanted = [name for name in names if name not in self._ahead]
        if not wanted:
            return
        with self._open() as base, self._transaction(base):
            for name in wanted:
                self._made(base, name)

    def make_ahead(self, names: Sequence[str]) -> None:
        """Make keys of names that nobody else knows, so that whoever begins such a stream waits for none."""
        with self._open() as base, self._transaction(base):
            made = {name: self._made(base, name)[1] for name in names}
        self._ahead |= made
        for name in list(self._ahead)[:-AHEAD_MAX]:  # of names that were given away and not used; the file has them
            self._ahead.pop(name, None)

    def _key(self, name: str) -> tuple[str, bytes]:
        """The key of a name and its id, made where there is none."""
        with self._open() as base:
            key_id = _id(name, _times(base, name))
            found = base.execute("select key from keys where key_id = ?", (key_id,)).fetchone()
            if found is not None:
                return key_id, found[0]
            with self._transaction(base):  # another process may forget or make it meanwhile: look again
                return self._made(base, name)

    @staticmethod
    def _made(base: sqlite3.Connection, name: str) -> tuple[str, bytes]:
        key_id = _id(name, _times(base, name))
        base.execute("insert or ignore into keys values (?, ?)", (key_id, secrets.token_bytes(KEY_BYTES)))
        [key] = base.execute("select key from keys where key_id = ?", (key_id,)).fetchone()
        return key_id, key

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._turn, self._reached():
            yield self._base

    @staticmethod
    @contextmanager
    def _transaction(base: sqlite3.Connection) -> Iterator[None]:
        base.execute("begin immediate")
        with base:  # commits, or rolls back
            yield

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise Unavailable(
                f"the keys in {self._path} cannot be used: {why}; mend the disk or the file's permissions, or restore"
                " it from a backup"
            ) from None


def _id(name: str, times: int) -> str:
    """The id of a name's key after it was forgotten so many times; no name holds the separator that joins them."""
    return f"{name}\x1f{times}" if times else name


def _times(base: sqlite3.Connection, name: str) -> int:
    found = base.execute("select times from forgotten where name = ?", (name,)).fetchone()
    return 0 if found is None else int(found[0])
