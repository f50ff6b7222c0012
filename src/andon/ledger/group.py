"""The groups of the write-ahead log: what one fsync makes durable. Byte layout: docs/ledger-format.md."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from andon.ledger.entry import Entry

MAGIC = b"EVG1"
_HEAD = struct.Struct(">4sQII32s")  # magic, first seq, entries, body bytes, hash of the group before
_CRC = struct.Struct(">I")
_ENTRY = struct.Struct(">HI")  # header bytes, payload bytes (with the salt in front)
SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that became durable together; `end` is where the next group starts in the file."""

    first: int
    entries: tuple[Entry, ...]
    previous: bytes
    hash: bytes
    end: int


def start_hash(origin: str, first: int, root: bytes) -> bytes:
    """What the first group of a file names as the group before it: the tree that it goes on from."""
    return sha256(b"andon-wal/1\n" + origin.encode() + b"\n" + first.to_bytes(8, "big") + root).digest()


def encode_group(first: int, entries: Sequence[Entry], previous: bytes) -> tuple[bytes, bytes]:
    """The bytes of a group, and its hash."""
    parts = []
    for entry in entries:
        parts += [_ENTRY.pack(len(entry.header), len(entry.salt) + len(entry.payload)), entry.header]
        parts += [entry.salt, entry.payload]
    body = b"".join(parts)
    whole = _HEAD.pack(MAGIC, first, len(entries), len(body), previous) + body
    return whole + _CRC.pack(zlib.crc32(whole)), sha256(whole).digest()


def decode_group(data: bytes, offset: int) -> Group | None:
    """The group at an offset; None where there is no whole, undamaged group."""
    if len(data) - offset < _HEAD.size + _CRC.size:
        return None
    magic, first, count, length, previous = _HEAD.unpack_from(data, offset)
    body, end = offset + _HEAD.size, offset + _HEAD.size + length
    if magic != MAGIC or end + _CRC.size > len(data):
        return None
    whole = memoryview(data)[offset:end]
    if zlib.crc32(whole) != _CRC.unpack_from(data, end)[0]:
        return None
    entries = _entries(data, body, end, count)
    if entries is None:
        return None
    return Group(first, entries, previous, sha256(whole).digest(), end + _CRC.size)


def find_group(data: bytes, offset: int, first_min: int) -> int | None:
    """Where the next whole group of entries from `first_min` on stands, if there is any."""
    while (offset := data.find(MAGIC, offset)) >= 0:
        group = decode_group(data, offset)
        if group is not None and group.first >= first_min:
            return offset
        offset += 1
    return None


def _entries(data: bytes, at: int, end: int, count: int) -> tuple[Entry, ...] | None:
    found = []
    for _ in range(count):
        if at + _ENTRY.size > end:
            return None
        header, payload = _ENTRY.unpack_from(data, at)
        at += _ENTRY.size
        middle, after = at + header, at + header + payload
        if after > end or 0 < payload < SALT_BYTES:
            return None
        salt = data[middle : min(middle + SALT_BYTES, after)]
        found.append(Entry(data[at:middle], salt, data[middle + len(salt) : after]))
        at = after
    return tuple(found) if at == end else None
