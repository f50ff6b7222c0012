"""Fitted boosted trees as tables over codes: the same answers, several times sooner.

Every input of a surrogate is one of few codes, so what a node decides is known for each code beforehand. A tree of at
most 16 leaves is then a table per input: for each code the leaves that it leaves open, as bits (QuickScorer, Lucchese
et al. 2015, drawn out to codes). The bits that all inputs leave open are one leaf. Four trees share a 64-bit number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from andon.telemetry.plan import Codes

LEAVES_MAX = 16
"""Leaves of a tree that its part of a number can hold."""
ABREAST = 4
"""Trees that share a number."""
PAIR_CODES_MAX = 1 << 11
"""Two inputs share a table up to so many pairs of codes: one look instead of two, and it stays in the cache."""
ROWS_AT_ONCE = 1 << 13
"""Rows whose places stay in the processor's cache while all trees look at them."""

Float = npt.NDArray[np.float64]
Masks = npt.NDArray[np.uint64]
_OPEN = np.uint64((1 << LEAVES_MAX) - 1)
_ALL_OPEN = np.uint64((1 << 64) - 1)
_LEAF = np.zeros(1 << LEAVES_MAX, dtype=np.uint8)
_LEAF[1 << np.arange(LEAVES_MAX)] = np.arange(LEAVES_MAX)


@dataclass(frozen=True)
class _Abreast:
    """A few trees: their leaves, those that each code of an input leaves open, and the values `(trees, leaves)`."""

    leaves: np.uint64
    tables: dict[int, Masks]
    values: Float

    def paired(self, pairs: "Sequence[_Pair]") -> "_Abreast":
        """The same with a table per pair of inputs, by the place of the pair."""
        tables = {place: pair.of(self.tables) for place, pair in enumerate(pairs)}
        return _Abreast(
            self.leaves, {place: masks for place, masks in tables.items() if masks is not None}, self.values
        )


@dataclass(frozen=True)
class _Pair:
    """One or two inputs that are looked at together, and how many codes each has."""

    inputs: tuple[int, ...]
    sizes: tuple[int, ...]

    def of(self, tables: dict[int, Masks]) -> Masks | None:
        """For each pair of codes the leaves that both leave open; None where no tree asks for either."""
        if not any(each in tables for each in self.inputs):
            return None
        of_each = [
            tables.get(each, np.full(size, _ALL_OPEN)) for each, size in zip(self.inputs, self.sizes, strict=True)
        ]
        return of_each[0] if len(of_each) == 1 else (of_each[0][:, np.newaxis] & of_each[1]).reshape(-1)

    def places(self, codes: Sequence[Codes]) -> npt.NDArray[np.intp]:
        """The place of each row in the tables."""
        first = codes[self.inputs[0]].astype(np.intp)
        return first if len(self.inputs) == 1 else first * self.sizes[1] + codes[self.inputs[1]]

    @classmethod
    def all(cls, sizes: Sequence[int]) -> "tuple[_Pair, ...]":
        """All inputs, the smallest with the largest that it may share a table with."""
        left = sorted(range(len(sizes)), key=lambda each: sizes[each])
        pairs = []
        while left:
            large = left.pop()
            fits = bool(left) and sizes[large] * sizes[left[0]] <= PAIR_CODES_MAX
            inputs = (large, left.pop(0)) if fits else (large,)
            pairs.append(cls(inputs, tuple(sizes[each] for each in inputs)))
        return tuple(pairs)


@dataclass(frozen=True)
class Foliage:
    """Trees that add up, as tables; `start` is what the sum begins with."""

    start: float
    pairs: tuple[_Pair, ...]
    groups: tuple[_Abreast, ...]

    @classmethod
    def of(cls, trees: Any, sizes: Sequence[int], known: Sequence[int]) -> "tuple[Foliage, ...] | None":
        """The sums of a fitted ensemble of scikit-learn's histogram trees: one per class; one for two, or for a number.

        None where the library keeps its trees otherwise than this knows how to read.

        Args:
            trees: the fitted ensemble.
            sizes: how many codes each input has.
            known: from this code on, an input counts as missing.
        """
        try:
            encoded = _encoded(trees, sizes, known)
            chains = list(zip(*trees._predictors, strict=True))  # noqa: SLF001  # no public way to the nodes
            starts = np.ravel(trees._baseline_prediction)  # noqa: SLF001
            pairs = _Pair.all(sizes)
            return tuple(
                cls(float(start), pairs, tuple(each.paired(pairs) for each in _groups(chain, encoded)))
                for start, chain in zip(starts, chains, strict=True)
            )
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            return None

    def sums(self, codes: Sequence[Codes]) -> Float:
        """The sum over all trees for each row, added in the order of the library's own, so equal to the last bit."""
        total = np.full(len(codes[0]), self.start)
        for first in range(0, len(total), ROWS_AT_ONCE):
            part = slice(first, first + ROWS_AT_ONCE)
            some_codes = [each[part] for each in codes]
            places = [pair.places(some_codes) for pair in self.pairs]
            for some in self.groups:
                still_open = np.full(len(places[0]), some.leaves)
                for name, masks in some.tables.items():
                    still_open &= masks.take(places[name])
                leaves = _LEAF.take(still_open.astype("<u8", copy=False).view("<u2")).reshape(-1, ABREAST)
                for place, of_tree in enumerate(some.values):
                    total[part] += of_tree.take(leaves[:, place])
        return total


def _encoded(trees: Any, sizes: Sequence[int], known: Sequence[int]) -> list[tuple[int, Float]]:
    """For each of the library's inputs, which of ours it is, and the value that each code of ours has there."""
    rows = np.arange(max(sizes))[:, np.newaxis]
    table = np.where(rows < np.asarray(known), rows, np.nan).astype(np.float64)
    prepared, order = table, list(range(len(sizes)))
    if trees._preprocessor is not None:  # noqa: SLF001
        prepared = trees._preprocessor.transform(table)  # noqa: SLF001
        first = trees.is_categorical_
        order = [*np.flatnonzero(first).tolist(), *np.flatnonzero(~first).tolist()]
    return [(name, prepared[: sizes[name], place]) for place, name in enumerate(order)]


def _groups(chain: Sequence[Any], encoded: Sequence[tuple[int, Float]]) -> Iterator[_Abreast]:
    for first in range(0, len(chain), ABREAST):
        some = chain[first : first + ABREAST]
        tables: dict[int, Masks] = {}
        values, every = np.zeros((len(some), LEAVES_MAX)), 0
        for place, tree in enumerate(some):
            shift = np.uint64(LEAVES_MAX * place)
            leaves = _leaves(tree.nodes, 0)
            every |= ((1 << len(leaves)) - 1) << (LEAVES_MAX * place)
            values[place, : len(leaves)] = tree.nodes["value"][leaves]
            for name, closed in _closed(tree, leaves, encoded):
                masks = tables.setdefault(name, np.full(len(closed), _ALL_OPEN))
                masks &= ~(closed << shift)
        yield _Abreast(np.uint64(every), tables, values)


def _leaves(nodes: npt.NDArray[np.void], at: int) -> list[int]:
    """The leaves below a node, from left to right."""
    node = nodes[at]
    if node["is_leaf"]:
        return [at]
    found = [*_leaves(nodes, int(node["left"])), *_leaves(nodes, int(node["right"]))]
    if len(found) > LEAVES_MAX:
        raise ValueError(f"a tree of more than {LEAVES_MAX} leaves")
    return found


def _closed(tree: Any, leaves: list[int], encoded: Sequence[tuple[int, Float]]) -> Iterator[tuple[int, Masks]]:
    """For each node, its input and the leaves that each code of it closes."""
    place = {leaf: np.uint64(1 << n) for n, leaf in enumerate(leaves)}
    for at in np.flatnonzero(tree.nodes["is_leaf"] == 0):
        node = tree.nodes[at]
        name, values = encoded[int(node["feature_idx"])]
        below = [sum(place[leaf] for leaf in _leaves(tree.nodes, int(node[side]))) for side in ("left", "right")]
        yield name, np.where(_goes_left(tree, node, values), np.uint64(below[1]), np.uint64(below[0])) & _OPEN


def _goes_left(tree: Any, node: Any, values: Float) -> npt.NDArray[np.bool_]:
    missing = np.isnan(values)
    if node["is_categorical"]:
        code = np.where(missing, 0, values).astype(np.int64)
        words = tree.raw_left_cat_bitsets[int(node["bitset_idx"])]
        left = (words[code // 32] >> (code % 32).astype(np.uint32)) & 1 == 1
    else:
        left = np.where(missing, 0.0, values) <= node["num_threshold"]
    return np.where(missing, bool(node["missing_go_to_left"]), left)
