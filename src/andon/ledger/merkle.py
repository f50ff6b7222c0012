"""The Merkle tree of RFC 6962, section 2.1: SHA-256, leaves prefixed 0x00, interior nodes 0x01.

A node is named `(level, index)`: the hash over the leaves `[index << level, (index + 1) << level)`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
HASH_BYTES = 32

NodeAt = Callable[[int, int], bytes]
"""The hash of a complete subtree: `(level, index)`."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry as a leaf."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an interior node."""
    return sha256(b"\x01" + left + right).digest()


def subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The fewest complete subtrees that cover the leaves `[start, end)`, left to right."""
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        yield level, start >> level
        start += 1 << level


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """The hash of each entry as a leaf."""
    return [sha256(b"\x00" + entry).digest() for entry in entries]


class Frontier:
    """A compact range: the roots of the complete subtrees of a tree that grows to the right, at most 64."""

    def __init__(self, peaks: Iterable[tuple[int, bytes]] = ()) -> None:
        """Start from peaks `(level, hash)`."""
        self._peaks = dict(peaks)
        self.size = sum(1 << level for level in self._peaks)

    def push(self, leaf: bytes, level: int = 0) -> None:
        """Add a leaf, or a complete subtree that stands at a multiple of its own size."""
        self.size += 1 << level
        peaks = self._peaks
        while level in peaks:
            leaf = node_hash(peaks.pop(level), leaf)
            level += 1
        peaks[level] = leaf

    def extend(self, leaves: Sequence[bytes]) -> list[list[bytes]]:
        """Add leaves; returns the complete subtrees that came to be, of each level from 0 up, left to right."""
        rows, row, level = [], list(leaves), 0
        self.size += len(row)
        while row:
            rows.append(row)
            if level in self._peaks:
                row = [self._peaks.pop(level), *row]
            if len(row) % 2:
                self._peaks[level] = row[-1]
            row = [sha256(b"\x01" + a + b).digest() for a, b in zip(row[::2], row[1::2], strict=False)]
            level += 1
        return rows

    def root(self) -> bytes:
        """The root over all that was pushed."""
        if not self._peaks:
            return EMPTY_ROOT
        levels = sorted(self._peaks)
        root = self._peaks[levels[0]]
        for level in levels[1:]:
            root = node_hash(self._peaks[level], root)
        return root


def root_over(leaves: Sequence[bytes]) -> bytes:
    """The root over leaves."""
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()


def range_root(at: NodeAt, start: int, end: int) -> bytes:
    """The hash over the leaves `[start, end)` as a subtree of its own (RFC 6962: MTH of the list)."""
    if start == end:
        return EMPTY_ROOT
    peaks = [at(level, index) for level, index in subtrees(start, end)]
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def inclusion_proof(at: NodeAt, index: int, size: int) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962, 2.1.1, from the leaf upwards."""
    if not 0 <= index < size:
        raise ValueError(f"entry {index} is not in a tree of {size}")
    start, end, path = 0, size, []
    while end - start > 1:
        split = start + (1 << ((end - start - 1).bit_length() - 1))
        if index < split:
            path.append((split, end))
            end = split
        else:
            path.append((start, split))
            start = split
    return [range_root(at, first, last) for first, last in reversed(path)]


def consistency_proof(at: NodeAt, old: int, size: int) -> list[bytes]:
    """PROOF(old, D[size]) of RFC 6962, 2.1.2."""
    if not 0 < old <= size:
        raise ValueError(f"a tree of {old} is no beginning of a tree of {size}")
    start, end, path, is_whole = 0, size, [], True
    while old < end:
        split = start + (1 << ((end - start - 1).bit_length() - 1))
        if old <= split:
            path.append((split, end))
            end = split
        else:
            path.append((start, split))
            start, is_whole = split, False
    if not is_whole:
        path.append((start, end))
    return [range_root(at, first, last) for first, last in reversed(path)]


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that a proof leads to (RFC 9162, 2.1.3.2); None for a proof of the wrong length."""
    if not 0 <= index < size:
        return None
    node, last, root = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return None
        if node & 1 or node == last:
            root = node_hash(step, root)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            root = node_hash(root, step)
        node, last = node >> 1, last >> 1
    return root if last == 0 else None


def is_consistent(old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes]) -> bool:
    """Whether the tree `new` (size, root) begins with the tree `old` (RFC 9162, 2.1.4.2)."""
    (first, first_root), (second, second_root) = old, new
    if first == second:
        return first_root == second_root and not proof
    if first == 0:
        return first_root == EMPTY_ROOT and not proof
    if first > second:
        return False
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    return bool(path) and _roots(path, first - 1, second - 1) == (first_root, second_root)


def _roots(path: Sequence[bytes], node: int, last: int) -> tuple[bytes, bytes] | None:
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for step in path[1:]:
        if last == 0:
            return None
        if node & 1 or node == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, step)
        node, last = node >> 1, last >> 1
    return (old, new) if last == 0 else None
