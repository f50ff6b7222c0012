"""A bundle: the entries of a case, and the proof that the log holds them. Layout: docs/ledger-format.md."""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from andon.evidence.hold import Hold
from andon.ledger.entry import Entry, parse_header
from andon.ledger.merkle import NodeAt, leaf_hash, subtrees

SAMPLES = 20
FORMAT = "andon.bundle/1"
_LENGTH = struct.Struct(">I")


class Sink(Protocol):
    """Where members go, one after the other; whole or not at all."""

    def add(self, name: str, chunks: Iterable[bytes]) -> str:
        """Write a member; returns its SHA-256 in hexadecimal."""
        ...


@dataclass(frozen=True, slots=True)
class Selection:
    """The numbers of the entries that belong to a case, all within `[first, end)`."""

    first: int
    end: int
    chosen: frozenset[int]


def select(hold: Hold, entries: Iterable[tuple[int, Entry]]) -> Selection:
    """What a hold covers: its events, what is said later of their ids, and the hold itself."""
    chosen, ids = {hold.seq}, set[str]()
    for seq, entry in entries:
        fields = parse_header(entry.header)
        if "ts" not in fields or fields.get("model_id") != hold.model_id:
            continue
        if hold.covers(hold.model_id, fields["ts"]):
            ids.add(fields["id"])
            chosen.add(seq)
        elif fields["id"] in ids:
            chosen.add(seq)
    return Selection(min(chosen), max(chosen) + 1, frozenset(chosen))


def range_chunks(selection: Selection, entries: Iterable[tuple[int, Entry]]) -> Iterator[bytes]:
    """`range.bin`."""
    for seq, entry in entries:
        if seq >= selection.end:
            return
        if seq in selection.chosen:
            yield b"\x01" + leaf_hash(entry.header) + _LENGTH.pack(len(entry.header)) + entry.header
        else:
            yield b"\x00" + leaf_hash(entry.header)


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
        if seq not in selection.chosen or not entry.payload:
            continue
        if is_shown(seq):
            yield _LENGTH.pack(len(entry.salt) + len(entry.payload)) + entry.salt + entry.payload
        else:
            yield _LENGTH.pack(0)


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
        "files": dict(sorted(files.items())),
    }
