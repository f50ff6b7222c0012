"""The port to a log; its guarantee: what `append` returned for is durable, and under every later checkpoint."""

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from andon.ledger.checkpoint import Checkpoint
from andon.ledger.entry import Entry
from andon.ledger.merkle import NodeAt


class Log(Protocol):
    """An append-only log with one writer."""

    @property
    def size(self) -> int:
        """How many entries are durable."""
        ...

    def append(self, entries: Sequence[Entry]) -> int:
        """Make entries durable; returns the number of the first."""
        ...

    def prune(self, entry: Entry) -> int:
        """Append an entry `retention_delete`, then delete the entries before the `end` that it says; the tree stays.

        Returns its number.
        """
        ...

    def checkpoint(self) -> tuple[Checkpoint, bytes]:
        """Sign and store a checkpoint over all entries; returns it and its note."""
        ...

    def nodes(self) -> NodeAt:
        """The nodes of the tree over all entries."""
        ...

    def require_sound_tree(self) -> None:
        """Look at all nodes, when a proof does not lead to the root.

        Raises:
            Tampered: some contradict each other; the text says where they are kept.
        """
        ...

    def read(self, first: int = 0) -> Iterator[tuple[int, Entry]]:
        """The entries from `first` on."""
        ...

    def headers(self, first: int = 0) -> Iterator[tuple[int, bytes]]:
        """The headers of the entries from `first` on."""
        ...

    def find(self, name: str) -> tuple[int, Entry] | None:
        """The first entry whose header has this id; None where none has. It does not read all of them."""
        ...

    def of_kinds(self, kinds: Collection[str], first: int = 0) -> Iterator[tuple[int, Entry]]:
        """The entries of some kinds, of which there are few, in order; from `first` on."""
        ...
