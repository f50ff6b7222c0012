"""The groups of the write-ahead log: what one fsync makes durable. Byte layout: docs/ledger-format.md."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate, pairwise

from isal.isal_zlib import crc32

from andon.ledger.entry import SALT_BYTES, Entry
from andon.ledger.merkle import leaf_hashes

MAGIC = b"EVG1"
_HEAD = struct.Struct(">4sQII32s")  # magic, first seq, entries, body bytes, hash of the group before
_CRC = struct.Struct(">I")
_LENGTHS = struct.calcsize(">HI")  # of a header and of a payload
HEAD_BYTES = _HEAD.size
Block = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that became durable together, as they stand in the file.

    Attributes:
        first: the number of the first entry.
        headers: one each.
        sizes: of the payloads, in bytes.
        blocks: all headers, all salts, all payloads; views of what the group was read from.
        leaves: one each.
        previous, hash: of the group before, and its own.
        end: where the next group starts.
    """

    first: int
    headers: list[bytes]
    sizes: tuple[int, ...]
    blocks: tuple[Block, Block, Block]
    leaves: list[bytes]
    previous: bytes
    hash: bytes
    end: int

    def entries(self) -> list[Entry]:
        """The entries."""
        salts, payloads = map(bytes, self.blocks[1:])
        cuts = cut(salts, [SALT_BYTES if size else 0 for size in self.sizes])
        return list(map(Entry, self.headers, cuts, cut(payloads, self.sizes)))


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
    return (whole, _CRC.pack(crc32(whole))), _chained(head, leaves)


def group_bytes(head: bytes) -> int:
    """How long the group is that begins with these bytes, `HEAD_BYTES` of them."""
    return _HEAD.size + int(_HEAD.unpack(head)[3]) + _CRC.size


def decode_group(data: bytes, offset: int) -> Group | None:
    """The group at an offset; None where there is no whole, undamaged group."""
    if len(data) - offset < _HEAD.size + _CRC.size:
        return None
    magic, first, count, length, previous = _HEAD.unpack_from(data, offset)
    body, end = offset + _HEAD.size, offset + _HEAD.size + length
    at = body + count * _LENGTHS
    if magic != MAGIC or end + _CRC.size > len(data) or at > end:
        return None
    view = memoryview(data)
    if crc32(view[offset:end]) != _CRC.unpack_from(data, end)[0]:
        return None
    lengths = struct.unpack_from(f">{count}H{count}I", data, body)
    sizes = lengths[count:]
    ends = list(accumulate((sum(lengths[:count]), SALT_BYTES * (count - sizes.count(0)), sum(sizes)), initial=at))
    if ends[-1] != end:
        return None
    blocks = view[at : ends[1]], view[ends[1] : ends[2]], view[ends[2] : end]
    headers = cut(data[at : ends[1]], lengths[:count])
    leaves = leaf_hashes(headers)
    digest = _chained(data[offset:at], leaves)
    return Group(first, headers, sizes, blocks, leaves, previous, digest, end + _CRC.size)


def merged(groups: Sequence[Group]) -> Group:
    """Groups that follow each other as one; its hash is that of the last."""
    if len(groups) == 1:
        return groups[0]
    headers, leaves = ([each for group in groups for each in getattr(group, name)] for name in ("headers", "leaves"))
    sizes = tuple(size for group in groups for size in group.sizes)
    first, second, third = (b"".join(each) for each in zip(*(group.blocks for group in groups), strict=True))
    blocks = first, second, third
    return Group(groups[0].first, headers, sizes, blocks, leaves, groups[0].previous, groups[-1].hash, groups[-1].end)


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


def cut(block: bytes, lengths: Iterable[int]) -> list[bytes]:
    """A block as pieces of these lengths."""
    return [block[start:stop] for start, stop in pairwise(accumulate(lengths, initial=0))]
