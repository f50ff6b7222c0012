"""Tiles: the hashes of the closed part of the tree, one flat file per level (C2SP tlog-tiles laid end to end)."""

from pathlib import Path

from andon.adapters.segments.disk import Disk
from andon.base.errors import Tampered
from andon.ledger.merkle import HASH_BYTES, Frontier, NodeAt, node_hash

WIDTH_BITS = 8
WIDTH = 1 << WIDTH_BITS


class Tiles:
    """Level `L` holds the hashes of the subtrees of 256**L leaves, in order."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder, self._disk = folder, disk

    def path(self, level: int) -> Path:
        """The file of a level."""
        return self._folder / f"{level}.bin"

    def extend(self, size: int, leaves: list[bytes]) -> None:
        """Add leaves to a tree of `size`, overwriting what a crash left behind it; durable on return."""
        hashes, count, level = leaves, size, 0
        while hashes:
            path = self.path(level)
            if count and (not path.exists() or path.stat().st_size < count * HASH_BYTES):
                raise Tampered(f"{path} is shorter than the {count} hashes of the closed segments")
            self._disk.write(path, count * HASH_BYTES, b"".join(hashes))
            self._disk.sync(path)
            begun = count % WIDTH
            row = [*self.read(level, count - begun, begun), *hashes]
            hashes = [_over(row[at : at + WIDTH]) for at in range(0, len(row) - WIDTH + 1, WIDTH)]
            count, level = count >> WIDTH_BITS, level + 1
        self._disk.sync(self._folder)

    def read(self, level: int, first: int, count: int) -> list[bytes]:
        """Some hashes of a level."""
        if not count:
            return []
        path = self.path(level)
        try:
            with path.open("rb") as file:
                file.seek(first * HASH_BYTES)
                data = file.read(count * HASH_BYTES)
        except FileNotFoundError:
            raise Tampered(f"{path} is missing: restore it from a copy of the log") from None
        if len(data) != count * HASH_BYTES:
            raise Tampered(f"{path} ends before hash {first + count}")
        return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]

    def node(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree of 2**level leaves."""
        tile, rest = divmod(level, WIDTH_BITS)
        return _over(self.read(tile, index << rest, 1 << rest))


def tree_of(tiles: Tiles, closed: int, leaves: list[bytes], known: dict[tuple[int, int], bytes]) -> NodeAt:
    """Nodes of the whole tree: those below `closed` from tiles, the others over the leaves held in memory.

    `known` remembers nodes over many open leaves; a complete subtree never changes.
    """

    def at(level: int, index: int) -> bytes:
        first, end = index << level, (index + 1) << level
        if end <= closed:
            return tiles.node(level, index)
        if level <= WIDTH_BITS and first >= closed:
            return _over(leaves[first - closed : end - closed])
        found = known.get((level, index))
        if found is None:
            found = known[level, index] = node_hash(at(level - 1, 2 * index), at(level - 1, 2 * index + 1))
        return found

    return at


def _over(hashes: list[bytes]) -> bytes:
    frontier = Frontier()
    for each in hashes:
        frontier.push(each)
    return frontier.root()
