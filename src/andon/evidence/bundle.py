"""A bundle: the entries of a case, and the proof that the log holds them. Layout: docs/ledger-format.md."""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

import msgspec

from andon.base.errors import Tampered
from andon.evidence.hold import Hold
from andon.ledger.entry import ENTRY_BYTES_MAX, SALT_BYTES, Entry, commitment
from andon.ledger.merkle import Frontier, NodeAt, leaf_hashes, subtrees

SAMPLES = 20
FORMAT = "andon.bundle/1"
T = TypeVar("T")
BLOCK = 4_096
PAYLOAD_BYTES_MAX = (1 << 32) - 1 - SALT_BYTES
PROVEN = ("leaves.bin", "headers.bin", "payloads.bin", "proof.bin")
"""Members that need no hash in the manifest: the tree and the commitments prove them."""


class Sink(Protocol):
    """Where members go, one after the other; whole or not at all."""

    def add(self, name: str, chunks: Iterable[bytes]) -> str:
        """Write a member; returns its SHA-256 in hexadecimal."""
        ...


@dataclass(frozen=True, slots=True)
class Selection:
    """The entries that belong to a case, all within `[first, end)`: number → bytes of salt and payload."""

    first: int
    end: int
    chosen: Mapping[int, int]


class _Head(msgspec.Struct, frozen=True, gc=False):
    id: str = ""
    ts: str | None = None
    model_id: str | None = None
    n: int = 0
    c: str | None = None


_decode: Final = msgspec.json.Decoder(_Head).decode


def _head(seq: int, header: bytes) -> _Head:
    try:
        head = _decode(header)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise _no_header(seq) from None
    if not 0 <= head.n <= PAYLOAD_BYTES_MAX:
        raise _no_header(seq)
    return head


def _no_header(seq: int) -> Tampered:
    return Tampered(f"entry {seq}: its header is not one of this log; restore the file that holds it from a copy")


def select(hold: Hold, headers: Iterable[tuple[int, bytes]]) -> Selection:
    """What a hold covers: its events, what is said later of their ids, and the hold itself."""
    chosen, ids = dict[int, int](), set[str]()
    for seq, header in headers:
        head = _head(seq, header)
        is_covered = head.ts is not None and head.model_id == hold.model_id and hold.covers(hold.model_id, head.ts)
        if is_covered:
            ids.add(head.id)
        if is_covered or seq == hold.seq or (head.ts is not None and head.model_id == hold.model_id and head.id in ids):
            chosen[seq] = head.n + SALT_BYTES if head.n else 0
    return Selection(min(chosen), max(chosen) + 1, chosen)


class Tree:
    """The tree that a bundle's leaves and proof make, followed while they are written."""

    def __init__(self, selection: Selection, nodes: NodeAt, size: int) -> None:
        """Begin with what stands before the selection, in a log of `size`."""
        self._selection = selection
        parts = ((0, selection.first), (selection.end, size))
        self._before, self._after = ([(level, nodes(level, at)) for level, at in subtrees(*part)] for part in parts)
        self._frontier = Frontier(self._before)

    def leaf_chunks(self, headers: Iterable[tuple[int, bytes]]) -> Iterator[bytes]:
        """`leaves.bin`."""
        for _, block in _blocks(self._selection, headers):
            leaves = leaf_hashes(block)
            self._frontier.extend(leaves)
            yield b"".join(leaves)

    def root(self) -> bytes:
        """The root that a verifier will come to, once all leaves are written."""
        for level, node in self._after:
            self._frontier.push(node, level)
        return self._frontier.root()

    def proof(self) -> bytes:
        """`proof.bin`."""
        return b"".join(node for _, node in (*self._before, *self._after))


def header_chunks(
    selection: Selection, headers: Iterable[tuple[int, bytes]], is_shown: Callable[[int], bool]
) -> Iterator[bytes]:
    """`headers.bin`: of each block the lengths of the headers, those of the payloads, the headers."""

    def shown(seq: int, header: bytes) -> tuple[bytes, int]:
        size = selection.chosen.get(seq)
        if size is not None and len(header) > ENTRY_BYTES_MAX:
            raise _no_header(seq)
        return (b"", 0) if size is None else (header, size if is_shown(seq) else 0)

    for _, block in _blocks(selection, ((seq, shown(seq, header)) for seq, header in headers)):
        parts, sizes = zip(*block, strict=True)
        yield struct.pack(f">{len(block)}H{len(block)}I", *map(len, parts), *sizes) + b"".join(parts)


def payload_chunks(
    selection: Selection, entries: Iterable[tuple[int, Entry]], is_shown: Callable[[int], bool]
) -> Iterator[bytes]:
    """`payloads.bin`.

    Raises:
        Tampered: a payload is not the one that its header commits to.
    """
    for seq, entry in entries:
        if seq >= selection.end:
            return
        if seq in selection.chosen and is_shown(seq):
            if not _is_whole(entry, _head(seq, entry.header)):
                raise Tampered(f"entry {seq}: the payload is not the one that the header commits to")
            yield entry.salt + entry.payload


def _is_whole(entry: Entry, head: _Head) -> bool:
    """Whether salt and payload are those that a header commits to: none, where it commits to none."""
    if head.c is None or not head.n:
        return head.c is None and not head.n and not entry.salt and not entry.payload
    is_sized = len(entry.payload) == head.n and len(entry.salt) == SALT_BYTES
    return is_sized and commitment(entry.salt, entry.payload) == head.c


def _blocks(selection: Selection, items: Iterable[tuple[int, T]]) -> Iterator[tuple[int, list[T]]]:
    """What is said of each entry in blocks that end at multiples of 4,096, with the number of the first."""
    block: list[T] = []
    for seq, item in items:
        if seq >= selection.end:
            break
        block.append(item)
        if (seq + 1) % BLOCK == 0:
            yield seq + 1 - len(block), block
            block = []
    if block:
        yield selection.end - len(block), block


def sample_chunks(
    selection: Selection, entries: Iterable[tuple[int, Entry]], is_shown: Callable[[int], bool]
) -> Iterator[bytes]:
    """`samples.txt`."""
    shown = 0
    for seq, entry in entries:
        if shown == SAMPLES or seq >= selection.end:
            return
        if seq in selection.chosen:
            shown += 1
            payload = entry.payload if is_shown(seq) else b"(left out)"
            yield b"entry %d\n  header   %b\n  payload  %b\n\n" % (seq, entry.header, payload)


def manifest(
    selection: Selection, hold: Hold, vkey: str, redacted: Iterable[str], files: Mapping[str, str]
) -> dict[str, Any]:
    """`manifest.json`."""
    return {
        "format": FORMAT,
        "vkey": vkey,
        "first": selection.first,
        "end": selection.end,
        "seal": hold.seq,
        "redacted": sorted(redacted),
        "files": {name: digest for name, digest in sorted(files.items()) if name not in PROVEN},
    }
