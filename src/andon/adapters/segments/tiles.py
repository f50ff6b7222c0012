"""Tiles: the hashes of the closed part of the tree, one flat file per level (C2SP tlog-tiles laid end to end)."""

from collections.abc import Sequence
from pathlib import Path

from andon.adapters.segments.disk import Disk
from andon.base.errors import Tampered
from andon.ledger.merkle import HASH_BYTES, Frontier, root_over, subtrees

WIDTH_BITS = 8
WIDTH = 1 << WIDTH_BITS


class Tiles:
    """Level `L` holds the hashes of the subtrees of 256**L leaves, in order."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder, self._disk = folder, disk

    def path(self, level: int) -> Path:
        """The file of a level."""
        return self._folder / f"{level}.bin"

    def extend(self, size: int, rows: Sequence[Sequence[bytes]]) -> None:
        """Add the complete subtrees (of each level from 0 up) that follow a tree of `size`; durable on return.

        What a crash left behind them is overwritten.
        """
        for level, row in enumerate(rows[::WIDTH_BITS]):
            if not row:
                continue
            path, count = self.path(level), size >> level * WIDTH_BITS
            if count and (not path.exists() or path.stat().st_size < count * HASH_BYTES):
                raise Tampered(f"{path} is shorter than the {count} hashes of the closed segments")
            self._disk.write(path, count * HASH_BYTES, b"".join(row))
            self._disk.sync(path)
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
        return root_over(self.read(tile, index << rest, 1 << rest))

    def require_sound(self, size: int) -> None:
        """Compare each complete tile with the hash over it, in a tree of `size`; it reads all of them.

        Raises:
            Tampered: two of them contradict each other.
        """
        level, count = 0, size
        while count >= WIDTH:
            for index, above in enumerate(self.read(level + 1, 0, count // WIDTH)):
                if root_over(self.read(level, index * WIDTH, WIDTH)) != above:
                    first, entries = index << WIDTH_BITS * (level + 1), 1 << WIDTH_BITS * (level + 1)
                    raise Tampered(
                        f"{self.path(level)} is damaged in its hashes {index * WIDTH} to {(index + 1) * WIDTH - 1}, or"
                        f" {self.path(level + 1).name} in its hash {index}, of the entries {first} to"
                        f" {first + entries - 1}: restore both from a copy"
                    )
            level, count = level + 1, count // WIDTH


class OpenTree:
    """The tree over all entries: nodes of the closed ones from tiles, the others in memory until they are closed."""

    def __init__(self, tiles: Tiles, closed: int) -> None:
        """Go on from a tree of `closed` entries that the tiles hold."""
        self._tiles, self.closed = tiles, closed
        self._frontier = Frontier((level, tiles.node(level, index)) for level, index in subtrees(0, closed))
        self._rows: list[list[bytes]] = []

    @property
    def size(self) -> int:
        return self._frontier.size

    def root(self) -> bytes:
        """The root over all entries."""
        return self._frontier.root()

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add leaves."""
        for level, row in enumerate(self._frontier.extend(leaves)):
            if level == len(self._rows):
                self._rows.append([])
            self._rows[level].extend(row)

    def close(self, count: int) -> None:
        """Move the first so many entries to the tiles; durable on return."""
        end = self.closed + count
        done = [row[: (end >> level) - (self.closed >> level)] for level, row in enumerate(self._rows)]
        self._tiles.extend(self.closed, done)
        for level, row in enumerate(done):
            del self._rows[level][: len(row)]
        self.closed = end

    def node(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree of 2**level leaves."""
        if (index + 1) << level <= self.closed:
            return self._tiles.node(level, index)
        return self._rows[level][index - (self.closed >> level)]
