"""An entry: a small JSON header that commits to its payload. The leaf is over the header's exact bytes."""

import base64
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from andon.base.errors import Tampered

VERSION: Final = 1
ENTRY_BYTES_MAX: Final = 65_535
SALT_BYTES: Final = 16
CONTROL_KINDS: Final = frozenset({"hold", "release", "export", "recovery", "segment_close", "clock_step"})
"""Kinds that Andon itself writes; the others are events of a model."""


_CONTROL: Final = re.compile(rb'"kind":"(?:' + "|".join(sorted(CONTROL_KINDS)).encode() + rb')"')


@dataclass(frozen=True, slots=True)
class Entry:
    """What is appended.

    Attributes:
        header: the bytes under the leaf.
        salt: 16 random bytes that key the commitment; empty where there is no payload.
        payload: the event as it came; empty where there is none.
    """

    header: bytes
    salt: bytes = b""
    payload: bytes = b""


def commitment(salt: bytes, payload: bytes) -> str:
    """HMAC-SHA256(salt, payload) in base64url without padding."""
    return base64.urlsafe_b64encode(hmac.digest(salt, payload, "sha256")).rstrip(b"=").decode()


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


def is_control(header: bytes) -> bool:
    """Whether Andon itself wrote an entry; a quote inside a JSON string is escaped, so no event can look like one."""
    return _CONTROL.search(header) is not None


def check_payload(entry: Entry) -> None:
    """Compare a payload with what the header committed to.

    Raises:
        Tampered: they differ.
    """
    fields = parse_header(entry.header)
    if "c" not in fields:
        if entry.payload:
            raise Tampered("there is a payload where the header commits to none")
        return
    if len(entry.salt) != SALT_BYTES or commitment(entry.salt, entry.payload) != fields["c"]:
        raise Tampered("the payload is not the one that the header commits to")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found
