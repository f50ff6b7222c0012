"""An entry: a small JSON header that commits to its payload. The leaf is over the header's exact bytes."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec
import orjson

from andon.base.errors import Tampered

VERSION: Final = 1
ENTRY_BYTES_MAX: Final = 65_535
SALT_BYTES: Final = 16
CONTROL_KINDS: Final = frozenset(
    {"hold", "release", "export", "recovery", "segment_close", "clock_step", "retention_delete"}
)
"""Kinds that Andon itself writes; the others are events of a model."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """What is appended; a struct of msgspec, since it is made for every event.

    Attributes:
        header: the bytes under the leaf.
        salt: 16 random bytes that key the commitment; empty where there is no payload.
        payload: the event as it came; empty where there is none.
    """

    header: bytes
    salt: bytes = b""
    payload: bytes = b""


class EventHeader(msgspec.Struct, frozen=True, gc=False):
    """The header of a model's event, its keys in the order of their names; encoded as by `make_entry`."""

    at: str
    c: str
    id: str
    kind: str
    model_id: str
    model_version: str | msgspec.UnsetType
    n: int
    ts: str
    v: int


def commitment(salt: bytes, payload: bytes) -> str:
    """SHA-256(0x02, salt, payload) in base64url without padding; 0x00 and 0x01 begin what the tree hashes."""
    return base64.urlsafe_b64encode(sha256(b"\x02" + salt + payload).digest()).rstrip(b"=").decode()


def commitments(salts: Sequence[bytes], payloads: Sequence[bytes]) -> list[str]:
    """The commitment of each payload.

    A digest and a zero byte make 33 bytes, so that one call encodes all of them: 44 characters each, the last unused.
    """
    digests = [sha256(b"\x02%b%b" % each).digest() for each in zip(salts, payloads, strict=True)]
    text = binascii.b2a_base64(b"\0".join([*digests, b""]), newline=False).translate(_URLSAFE).decode()
    return [text[at : at + 43] for at in range(0, len(text), 44)]


_URLSAFE: Final = bytes.maketrans(b"+/", b"-_")


def make_entry(header: Mapping[str, Any], salt: bytes = b"", payload: bytes = b"") -> Entry:
    """An entry from its header's fields; the commitment is added.

    Args:
        header: strings, whole numbers, booleans, null, lists and objects of them; no floats.
        salt: fresh randomness, 16 bytes, when there is a payload.
        payload: any bytes.
    """
    fields = {"v": VERSION, **header}
    if payload:
        fields |= {"c": commitment(salt, payload), "n": len(payload)}
    encoded = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
    if len(encoded) > ENTRY_BYTES_MAX:
        raise ValueError(f"a header of {len(encoded)} bytes is over {ENTRY_BYTES_MAX}")
    return Entry(encoded, salt, payload)


def parse_header(encoded: bytes) -> dict[str, Any]:
    """The fields of a header; duplicate keys are refused, since two readers could read them differently."""
    try:
        fields = json.loads(encoded, object_pairs_hook=_once)
    except ValueError:
        raise Tampered("an entry's header is not JSON with each key once") from None
    if not isinstance(fields, dict) or fields.get("v") != VERSION:
        raise Tampered(f"an entry's header is not of version {VERSION}")
    return fields


def kinds_pattern(kinds: Iterable[str]) -> str:
    """A regular expression for headers of these kinds; a quote inside a JSON string is escaped, so no text looks so."""
    return f'"kind":"(?:{"|".join(sorted(kinds))})"'


def check_payload(entry: Entry) -> dict[str, Any]:
    """Compare a payload with what the header committed to; returns the header's fields.

    Raises:
        Tampered: they differ.
    """
    fields = parse_header(entry.header)
    if "c" not in fields:
        if entry.payload:
            raise Tampered("there is a payload where the header commits to none")
    elif len(entry.salt) != SALT_BYTES or commitment(entry.salt, entry.payload) != fields["c"]:
        raise Tampered("the payload is not the one that the header commits to")
    return fields


def is_committed(entry: Entry) -> bool:
    """Whether an entry's payload is the one that its header commits to."""
    try:
        check_payload(entry)
    except Tampered:
        return False
    return True


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found
