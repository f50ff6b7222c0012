"""A bundle: the entries of a case, and the proof that the log holds them. Layout: docs/ledger-format.md."""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

import msgspec

from andon.evidence.hold import Hold
from andon.ledger.entry import SALT_BYTES, Entry
from andon.ledger.merkle import NodeAt, leaf_hashes, subtrees

SAMPLES = 20
FORMAT = "andon.bundle/1"
T = TypeVar("T")
BLOCK = 4_096
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


_decode: Final = msgspec.json.Decoder(_Head).decode


def select(hold: Hold, headers: Iterable[tuple[int, bytes]]) -> Selection:
    """What a hold covers: its events, what is said later of their ids, and the hold itself."""
    chosen, ids = dict[int, int](), set[str]()
    for seq, header in headers:
        head = _decode(header)
        is_covered = head.ts is not None and head.model_id == hold.model_id and hold.covers(hold.model_id, head.ts)
        if is_covered:
            ids.add(head.id)
        if is_covered or seq == hold.seq or (head.ts is not None and head.model_id == hold.model_id and head.id in ids):
            chosen[seq] = head.n + SALT_BYTES if head.n else 0
    return Selection(min(chosen), max(chosen) + 1, chosen)


def leaf_chunks(selection: Selection, headers: Iterable[tuple[int, bytes]]) -> Iterator[bytes]:
    """`leaves.bin`."""
    for _, block in _blocks(selection, headers):
        yield b"".join(leaf_hashes(block))


def header_chunks(
    selection: Selection, headers: Iterable[tuple[int, bytes]], is_shown: Callable[[int], bool]
) -> Iterator[bytes]:
    """`headers.bin`: of each block the lengths of the headers, those of the payloads, the headers."""

    def shown(seq: int, header: bytes) -> tuple[bytes, int]:
        size = selection.chosen.get(seq)
        return (b"", 0) if size is None else (header, size if is_shown(seq) else 0)

    for _, block in _blocks(selection, ((seq, shown(seq, header)) for seq, header in headers)):
        parts, sizes = zip(*block, strict=True)
        yield struct.pack(f">{len(block)}H{len(block)}I", *map(len, parts), *sizes) + b"".join(parts)


def proof_chunks(selection: Selection, nodes: NodeAt, size: int) -> Iterator[bytes]:
    """`proof.bin`."""
    for start, end in ((0, selection.first), (selection.end, size)):
        yield from (nodes(level, index) for level, index in subtrees(start, end))


def payload_chunks(
    selection: Selection, entries: Iterable[tuple[int, Entry]], is_shown: Callable[[int], bool]
) -> Iterator[bytes]:
    """`payloads.bin`."""
    for seq, entry in entries:
        if seq >= selection.end:
            return
        if seq in selection.chosen and is_shown(seq):
            yield entry.salt + entry.payload


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
