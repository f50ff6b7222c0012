"""Checks what the server proves: RFC 6962 inclusion and consistency, and the C2SP checkpoint over them."""

import base64
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from andon_sdk.errors import Forged


@dataclass(frozen=True)
class Checkpoint:
    """The first `size` entries of a log have this root; `is_signed`: the signature was checked."""

    origin: str
    size: int
    root: bytes
    is_signed: bool


def open_checkpoint(note: str, vkey: str) -> Checkpoint:
    """The checkpoint of a note; its signature is checked where the package `cryptography` is installed.

    Raises:
        Forged: it is damaged, or the key did not sign it.
    """
    body, gap, tail = note.rpartition("\n\n")
    lines = body.split("\n")
    if not gap or len(lines) != 3:  # noqa: PLR2004
        raise Forged("the checkpoint is damaged")
    try:
        found = Checkpoint(
            lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True), _signed(body + "\n", tail, vkey)
        )
    except ValueError:
        raise Forged("the checkpoint is damaged") from None
    if vkey.split("+", maxsplit=1)[0] != found.origin:
        raise Forged(f"the checkpoint is of {found.origin}, the key of {vkey.split('+', maxsplit=1)[0]}")
    return found


def check_inclusion(proof: Mapping[str, Any], line: bytes, vkey: str) -> Checkpoint:
    """Check that the log has a line that was sent, at the place that the proof says.

    Raises:
        Forged: it does not.
    """
    point = open_checkpoint(proof["checkpoint"], vkey)
    header = proof["header"].encode()
    promised = json.loads(header).get("c", "")
    opened = sha256(b"\x02" + bytes.fromhex(proof["salt"] or "") + line).digest()
    made = base64.urlsafe_b64encode(opened).rstrip(b"=").decode()
    if not hmac.compare_digest(promised, made):
        raise Forged(f"entry {proof['seq']} does not hold what was sent")
    root = _root(sha256(b"\x00" + header).digest(), proof["seq"], point.size, _steps(proof["proof"]))
    if root != point.root:
        raise Forged(f"the proof of entry {proof['seq']} does not lead to the root that is signed")
    return point


def check_growth(old: Checkpoint, new: Checkpoint, steps: Sequence[str]) -> None:
    """Check that a log only grew from one checkpoint to another.

    Raises:
        Forged: it was cut back or rewritten.
    """
    if new.size < old.size:
        raise Forged(f"the log was cut back from {old.size} entries to {new.size}")
    if new.size == old.size:
        if new.root != old.root:
            raise Forged(f"the log has another history of {new.size} entries than it had")
        return
    path = _steps(steps)
    if old.size & (old.size - 1) == 0:
        path.insert(0, old.root)
    if not path or _roots(path, old.size - 1, new.size - 1) != (old.root, new.root):
        raise Forged(f"the first {old.size} entries of the log are not what they were")


def _signed(text: str, tail: str, vkey: str) -> bool:
    name, key_id, key = vkey.split("+", 2)
    marks = [line.split(" ") for line in tail.split("\n") if line.startswith("\u2014 ")]
    mine = [base64.b64decode(mark[2]) for mark in marks if len(mark) == 3 and mark[1] == name]  # noqa: PLR2004
    mine = [mark for mark in mine if mark[:4].hex() == key_id]
    if len(mine) != 1:
        raise Forged(f"the checkpoint is not signed by {name}")
    try:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  # optional
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    except ImportError:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:]).verify(mine[0][4:], text.encode())
    except InvalidSignature:
        raise Forged(f"the signature of {name} does not fit the checkpoint") from None
    return True


def _steps(steps: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(step) for step in steps]


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _root(leaf: bytes, index: int, size: int, steps: Sequence[bytes]) -> bytes | None:
    """RFC 9162, 2.1.3.2."""
    if not 0 <= index < size:
        return None
    node, last, root = index, size - 1, leaf
    for step in steps:
        if last == 0:
            return None
        if node & 1 or node == last:
            root = _node(step, root)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            root = _node(root, step)
        node, last = node >> 1, last >> 1
    return root if last == 0 else None


def _roots(path: Sequence[bytes], node: int, last: int) -> tuple[bytes, bytes] | None:
    """RFC 9162, 2.1.4.2."""
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for step in path[1:]:
        if last == 0:
            return None
        if node & 1 or node == last:
            old, new = _node(step, old), _node(step, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = _node(new, step)
        node, last = node >> 1, last >> 1
    return (old, new) if last == 0 else None
