"""The groups of the write-ahead log: what one fsync makes durable. Byte layout: docs/ledger-format.md."""

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate, pairwise

from andon.ledger.entry import SALT_BYTES, Entry
from andon.ledger.merkle import leaf_hashes

MAGIC = b"EVG1"
_HEAD = struct.Struct(">4sQII32s")  # magic, first seq, entries, body bytes, hash of the group before
_CRC = struct.Struct(">I")
_LENGTHS = struct.calcsize(">HI")  # of a header and of a payload


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that became durable together, their leaves, and where the next group starts in the file."""

    first: int
    entries: tuple[Entry, ...]
    leaves: tuple[bytes, ...]
    previous: bytes
    hash: bytes
    end: int


def start_hash(origin: str, first: int, root: bytes) -> bytes:
    """What the first group of a file names as the group before it: the tree that it goes on from."""
    return sha256(b"andon-wal/1\n" + origin.encode() + b"\n" + first.to_bytes(8, "big") + root).digest()


def encode_group(
    first: int, entries: Sequence[Entry], leaves: Sequence[bytes], previous: bytes
) -> tuple[tuple[bytes, bytes], bytes]:
    """The bytes of a group in two parts, and its hash: over head, lengths and leaves, since these say all the rest."""
    headers, payloads = [entry.header for entry in entries], [entry.payload for entry in entries]
    salts = b"".join([entry.salt for entry in entries])
    count = len(headers)
    lengths = struct.pack(f">{count}H{count}I", *map(len, headers), *map(len, payloads))
    size = len(lengths) + sum(map(len, headers)) + len(salts) + sum(map(len, payloads))
    head = _HEAD.pack(MAGIC, first, count, size, previous) + lengths
    whole = b"".join([head, *headers, salts, *payloads])
    return (whole, _CRC.pack(zlib.crc32(whole))), _chained(head, leaves)


def decode_group(data: bytes, offset: int) -> Group | None:
    """The group at an offset; None where there is no whole, undamaged group."""
    if len(data) - offset < _HEAD.size + _CRC.size:
        return None
    magic, first, count, length, previous = _HEAD.unpack_from(data, offset)
    body, end = offset + _HEAD.size, offset + _HEAD.size + length
    if magic != MAGIC or end + _CRC.size > len(data):
        return None
    if zlib.crc32(memoryview(data)[offset:end]) != _CRC.unpack_from(data, end)[0]:
        return None
    entries = _entries(data, body, end, count)
    if entries is None:
        return None
    leaves = leaf_hashes(entry.header for entry in entries)
    digest = _chained(data[offset : body + count * _LENGTHS], leaves)
    return Group(first, tuple(entries), tuple(leaves), previous, digest, end + _CRC.size)


def find_group(data: bytes, offset: int, first_min: int) -> int | None:
    """Where the next whole group of entries from `first_min` on stands, if there is any."""
    while (offset := data.find(MAGIC, offset)) >= 0:
        group = decode_group(data, offset)
        if group is not None and group.first >= first_min:
            return offset
        offset += 1
    return None


def _chained(head: bytes, leaves: Sequence[bytes]) -> bytes:
    return sha256(head + b"".join(leaves)).digest()


def _entries(data: bytes, at: int, end: int, count: int) -> list[Entry] | None:
    if at + count * _LENGTHS > end:
        return None
    lengths = struct.unpack_from(f">{count}H{count}I", data, at)
    salt_lengths = [SALT_BYTES if length else 0 for length in lengths[count:]]
    at += count * _LENGTHS
    columns = []
    for column in (lengths[:count], salt_lengths, lengths[count:]):
        columns.append(_cut(data, at, column))
        at += sum(column)
    return list(map(Entry, *columns)) if at == end else None


def _cut(data: bytes, at: int, lengths: Iterable[int]) -> list[bytes]:
    return [data[start:stop] for start, stop in pairwise(accumulate(lengths, initial=at))]
