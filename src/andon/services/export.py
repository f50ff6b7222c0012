"""Export: hand out what a seal holds, with proofs, custody and the program that checks it."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from andon.base.errors import Tampered
from andon.evidence.bundle import (
    Selection,
    Sink,
    Tree,
    header_chunks,
    manifest,
    payload_chunks,
    sample_chunks,
    select,
)
from andon.evidence.custody import Act, Custody
from andon.evidence.hold import HOLD_KINDS, Hold, get_hold, holds_of
from andon.ledger.checkpoint import Verifier
from andon.ledger.entry import Entry, check_payload, parse_header
from andon.ledger.log import Log
from andon.ledger.proof import broken_tree

CUSTODY = ("hold", "release", "export")
PINNED_BYTES_MAX = 64 << 20
"""What a seal pinned goes along up to this size; of larger files the bundle has the SHA-256."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What a bundle holds."""

    entries: int
    first: int
    end: int
    size: int


@dataclass(frozen=True, slots=True)
class Export:
    """Writes bundles from one log; `verify` and `readme` are the texts that go along."""

    log: Log
    verifier: Verifier
    now: Callable[[], datetime]
    chance: Callable[[int], bytes]
    custody: Custody
    verify: bytes
    readme: str
    read: Callable[[str], Iterator[bytes]]
    """Reads what a seal pinned by its SHA-256, and fails where it is not that."""

    def export(self, seal_id: str, sink: Sink, file: str, *, redact: bool) -> Exported:
        """Write the bundle of a seal; the export is itself an entry.

        Args:
            seal_id: which seal.
            sink: where the members go.
            file: what the bundle is called, for its README.
            redact: leave the payloads of events out; their commitments stay.
        """
        hold = get_hold(holds_of(self.log.of_kinds(HOLD_KINDS)), seal_id)
        selection = select(hold, self.log.headers())
        header = {"kind": "export", "id": seal_id, "at": f"{self.now():%Y-%m-%dT%H:%M:%S.%fZ}", "redacted": redact}
        data = {"seal_id": seal_id, "export_id": self.chance(8).hex(), "redacted": redact}
        self.custody.enter(lambda _: Act("seal_exported", seal_id, header, {"file": file}, data, {"file": file}))
        point, note = self.log.checkpoint()
        self._write(sink, hold, selection, note, file, redact=redact)
        return Exported(len(selection.chosen), selection.first, selection.end, point.size)

    def _write(self, sink: Sink, hold: Hold, selection: Selection, note: bytes, file: str, *, redact: bool) -> None:
        point = self.verifier.open(note)
        tree = Tree(selection, self.log.nodes(), point.size)

        def rows() -> Iterator[tuple[int, Entry]]:
            return self.log.read(selection.first)

        def is_shown(seq: int) -> bool:
            return not redact or seq == hold.seq

        members = {
            "README.txt": iter([self._readme(hold, file, redact=redact)]),
            "checkpoint": iter([note]),
            **{name: iter([data]) for name, data in self.verifier.parts(note).items()},
            "leaves.bin": tree.leaf_chunks(self.log.headers(selection.first)),
            "headers.bin": header_chunks(selection, self.log.headers(selection.first), is_shown),
            "proof.bin": self._proof(tree, point.root, selection),
            "payloads.bin": payload_chunks(selection, rows(), is_shown),
            "samples.txt": sample_chunks(selection, rows(), is_shown),
            "custody.jsonl": self._custody(hold.id),
            "verify.py": iter([self.verify]),
        }
        if "scan" in (facts := self._facts(hold)):
            members["scan.json"] = iter([json.dumps(facts["scan"], indent=2, ensure_ascii=False).encode()])
        left_out = []
        for name, pin in sorted(facts.get("pinned", {}).items()):
            if pin["bytes"] <= PINNED_BYTES_MAX:
                members[name] = self.read(pin["sha256"])
            else:
                left_out.append(name)
                for _ in self.read(pin["sha256"]):  # it is too large to go along, but it has to be there
                    pass
        members["pinned.json"] = iter([_pinned(facts.get("pinned", {}), left_out)])
        files = {name: sink.add(name, chunks) for name, chunks in members.items()}
        is_hidden = any(size and not is_shown(seq) for seq, size in selection.chosen.items())
        redacted = ["payload"] if is_hidden else []
        content = json.dumps(manifest(selection, hold, self.verifier.vkey(), redacted, files), indent=2)
        sink.add("manifest.json", [content.encode()])

    def _proof(self, tree: Tree, root: bytes, selection: Selection) -> Iterator[bytes]:
        if tree.root() != root:
            raise broken_tree(self.log, f"the entries {selection.first} to {selection.end - 1}")
        yield tree.proof()

    def _facts(self, hold: Hold) -> dict[str, Any]:
        """What the hold's own payload says."""
        entry = next(entry for _, entry in self.log.read(hold.seq))
        try:
            check_payload(entry)
        except Tampered as error:
            raise Tampered(f"entry {hold.seq}: {error}") from None
        facts: dict[str, Any] = json.loads(entry.payload)
        return facts

    def _custody(self, seal_id: str) -> Iterator[bytes]:
        for seq, entry in self.log.of_kinds(CUSTODY):
            fields = parse_header(entry.header)
            if fields["id"] == seal_id:
                yield json.dumps({"seq": seq, "header": fields}).encode() + b"\n"

    def _readme(self, hold: Hold, file: str, *, redact: bool) -> bytes:
        return self.readme.format(
            model_id=hold.model_id,
            since=hold.since or "the beginning",
            until=hold.until or "now",
            reason=hold.reason,
            seal_id=hold.id,
            seal_seq=hold.seq,
            origin=self.verifier.name,
            at=f"{self.now():%Y-%m-%d %H:%M:%S} UTC",
            payloads=_REDACTED if redact else "included",
            file=file,
            vkey=self.verifier.vkey(),
        ).encode()


_REDACTED: Final = """left out. What the seal pinned (the scan, profiles, charts, a model's files) is
         here as it was pinned, and names values that columns had"""


def _pinned(pinned: Mapping[str, Mapping[str, object]], left_out: Collection[str]) -> bytes:
    told = {name: {**pin, "in_bundle": name not in left_out} for name, pin in sorted(pinned.items())}
    return json.dumps(told, indent=2).encode()
