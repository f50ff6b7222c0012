"""The twin of a ledger in memory: the same answers, by the plain definitions."""

from collections.abc import Collection, Iterator, Sequence

from andon.ledger.checkpoint import Checkpoint, Signer
from andon.ledger.entry import Entry, parse_header
from andon.ledger.merkle import Frontier, NodeAt, leaf_hash


class MemoryLedger:
    """Entries in a list."""

    def __init__(self, signer: Signer) -> None:
        self.signer, self.first, self._entries = signer, 0, list[Entry]()

    @property
    def size(self) -> int:
        return len(self._entries)

    def append(self, entries: Sequence[Entry]) -> int:
        first = self.size
        self._entries.extend(entries)
        return first

    def prune(self, entry: Entry) -> int:
        self.first = parse_header(entry.header)["end"]
        return self.append([entry])

    def checkpoint(self) -> tuple[Checkpoint, bytes]:
        found = Checkpoint(self.signer.verifier.name, self.size, self._root(0, self.size))
        return found, self.signer.sign(found)

    def nodes(self) -> NodeAt:
        return lambda level, index: self._root(index << level, (index + 1) << level)

    def require_sound_tree(self) -> None:
        """Nothing is stored that could contradict."""

    def read(self, first: int = 0) -> Iterator[tuple[int, Entry]]:
        return ((seq, entry) for seq, entry in enumerate(list(self._entries)) if seq >= max(first, self.first))

    def headers(self, first: int = 0) -> Iterator[tuple[int, bytes]]:
        return ((seq, entry.header) for seq, entry in self.read(first))

    def find(self, name: str) -> tuple[int, Entry] | None:
        return next(((seq, each) for seq, each in self.read() if parse_header(each.header).get("id") == name), None)

    def of_kinds(self, kinds: Collection[str], first: int = 0) -> Iterator[tuple[int, Entry]]:
        return ((seq, entry) for seq, entry in self.read(first) if parse_header(entry.header)["kind"] in kinds)

    def _root(self, start: int, end: int) -> bytes:
        frontier = Frontier()
        for entry in self._entries[start:end]:
            frontier.push(leaf_hash(entry.header))
        return frontier.root()
