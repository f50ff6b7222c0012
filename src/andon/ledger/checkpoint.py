"""Checkpoints as C2SP signed notes: origin, size, root; Ed25519 (c2sp.org/signed-note, c2sp.org/tlog-checkpoint)."""

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from andon.base.errors import Tampered

ALGORITHM: Final = b"\x01"
SIGNATURES_MAX: Final = 16
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_NAME = re.compile(r"[^\s+]+")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The first `size` entries of the log `origin` have this Merkle root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Verifier:
    """The public key of a log."""

    name: str
    key: bytes

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name, newline, algorithm, key)."""
        return sha256(self.name.encode() + b"\n" + ALGORITHM + self.key).digest()[:4]

    def vkey(self) -> str:
        """`name+keyid+key`, as C2SP writes it."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ALGORITHM + self.key).decode()}"

    def open(self, note: bytes) -> Checkpoint:
        """The checkpoint that a note holds.

        Raises:
            Tampered: the note is not well formed, or this key did not sign it.
        """
        text, signatures = _split(note)
        mine = [line for line in signatures if line[0] == self.name and line[1][:4] == self.key_id]
        if not mine:
            others = ", ".join(f"{name} (key {raw[:4].hex()})" for name, raw in signatures)
            raise Tampered(f"the checkpoint is signed by {others}, not by {self.name} (key {self.key_id.hex()})")
        if len(mine) != 1:
            raise Tampered(f"the checkpoint has {len(mine)} signatures of {self.name}, not one")
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(mine[0][1][4:], text.encode())
        except InvalidSignature:
            raise Tampered(f"the signature of {self.name} on the checkpoint does not fit its text") from None
        return _parse(text)

    def parts(self, note: bytes) -> dict[str, bytes]:
        """What openssl needs to check a note: the text that is signed, the signature, the key."""
        text, signatures = _split(note)
        (mine,) = (raw for name, raw in signatures if name == self.name and raw[:4] == self.key_id)
        pem = Ed25519PublicKey.from_public_bytes(self.key).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return {"checkpoint.text": text.encode(), "checkpoint.sig": mine[4:], "key.pem": pem}


class Signer:
    """The private key of a log."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = Verifier(name, self._key.public_key().public_bytes_raw())

    def sign(self, checkpoint: Checkpoint) -> bytes:
        """The note."""
        text = checkpoint.text()
        line = base64.b64encode(self.verifier.key_id + self._key.sign(text.encode())).decode()
        return f"{text}\n\u2014 {self.verifier.name} {line}\n".encode()


def parse_vkey(text: str) -> Verifier:
    """A verifier from its `name+keyid+key`.

    Raises:
        Tampered: it is not one, or its key id does not fit.
    """
    try:
        name, key_id, key = text.strip().split("+", 2)
        raw = base64.b64decode(key, validate=True)
    except (ValueError, binascii.Error):
        raise Tampered("this is no verifier key: it looks like name+0123abcd+AbC=") from None
    found = Verifier(name, raw[1:])
    if raw[:1] != ALGORITHM or len(raw) != 33 or found.key_id.hex() != key_id:  # noqa: PLR2004
        raise Tampered(f"the verifier key of {name} is damaged: its key id does not fit its key")
    return found


def _split(note: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    try:
        whole = note.decode("utf-8")
    except UnicodeDecodeError:
        raise Tampered("the checkpoint is not UTF-8") from None
    if any(ord(c) < 32 and c != "\n" for c in whole):  # noqa: PLR2004  # control characters
        raise Tampered("the checkpoint holds a control character")
    body, gap, tail = whole.rpartition("\n\n")
    lines = tail.split("\n")
    if not gap or lines[-1] != "" or not 1 <= len(lines) - 1 <= SIGNATURES_MAX:
        raise Tampered("the checkpoint is not a signed note of 1 to 16 signatures")
    return body + "\n", [_signature(line) for line in lines[:-1]]


def _signature(line: str) -> tuple[str, bytes]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "\u2014" or not _NAME.fullmatch(parts[1]):  # noqa: PLR2004
        raise Tampered("a signature line of the checkpoint is damaged")
    return parts[1], _base64(parts[2])


def _base64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise Tampered("the checkpoint holds damaged base64") from None
    if base64.b64encode(raw).decode() != text:
        raise Tampered("the checkpoint holds base64 that is not canonical")
    return raw


def _parse(text: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) != 4 or not lines[0] or not _NUMBER.fullmatch(lines[1]):  # noqa: PLR2004
        raise Tampered("the checkpoint does not hold origin, size and root")
    root = _base64(lines[2])
    if len(root) != 32:  # noqa: PLR2004
        raise Tampered("the root of the checkpoint is not 32 bytes")
    return Checkpoint(lines[0], int(lines[1]), root)
