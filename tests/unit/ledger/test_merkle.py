"""The tree of RFC 6962, against pymerkle and by its laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from andon.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    node_hash,
    range_root,
    root_from_inclusion,
    subtrees,
)


def leaves_of(size):
    return [leaf_hash(b"entry %d" % i) for i in range(size)]


def root_of(leaves):
    frontier = Frontier()
    for leaf in leaves:
        frontier.push(leaf)
    return frontier.root()


def at_of(leaves):
    return lambda level, index: root_of(leaves[index << level : (index + 1) << level])


def test_the_same_roots_as_pymerkle():
    tree, frontier = InmemoryTree(algorithm="sha256"), Frontier()
    assert frontier.root() == EMPTY_ROOT
    for i in range(300):
        tree.append_entry(b"entry %d" % i)
        frontier.push(leaf_hash(b"entry %d" % i))
        assert frontier.root() == tree.get_root()


@given(st.integers(1, 130), st.data())
def test_inclusion_is_proven_and_nothing_else_is(size, data):
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    root, proof = root_of(leaves), inclusion_proof(at_of(leaves), index, size)
    assert root_from_inclusion(leaves[index], index, size, proof) == root
    assert root_from_inclusion(leaf_hash(b"other"), index, size, proof) != root
    assert root_from_inclusion(leaves[index], index, size, [*proof, proof[-1] if proof else root]) is None
    assert root_from_inclusion(leaves[index], size, size, proof) is None
    if proof:
        assert root_from_inclusion(leaves[index], index, size, proof[:-1]) is None
        wrong = [bytes(32), *proof[1:]]
        assert root_from_inclusion(leaves[index], index, size, wrong) != root


@given(st.integers(1, 130), st.data())
def test_consistency_is_proven_and_nothing_else_is(size, data):
    old = data.draw(st.integers(1, size))
    leaves = leaves_of(size)
    first, second = root_of(leaves[:old]), root_of(leaves)
    proof = consistency_proof(at_of(leaves), old, size)
    assert is_consistent((old, first), (size, second), proof)
    assert not is_consistent((old, bytes(32)), (size, second), proof)
    assert not is_consistent((old, first), (size, bytes(32)), proof)
    assert not is_consistent((old, first), (size, second), [*proof, bytes(32)])
    assert old == size or not is_consistent((size, second), (old, first), proof)


@given(st.integers(0, 70), st.integers(0, 70), st.integers(0, 70))
def test_any_cut_pushes_to_the_same_root(a, b, c):
    first, middle, end = sorted((a, b, c))
    leaves, frontier = leaves_of(end), Frontier()
    for level, index in subtrees(0, first):
        frontier.push(at_of(leaves)(level, index), level)
    for leaf in leaves[first:middle]:
        frontier.push(leaf)
    for level, index in subtrees(middle, end):
        frontier.push(at_of(leaves)(level, index), level)
    assert frontier.root() == root_of(leaves)


def test_a_node_is_no_leaf():
    left, right = leaves_of(2)
    assert leaf_hash(left + right) != node_hash(left, right)
    assert range_root(at_of([left, right]), 0, 2) == node_hash(left, right)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 2)])
def test_no_proof_outside_the_tree(index, size):
    with pytest.raises(ValueError, match="is not in a tree"):
        inclusion_proof(at_of([]), index, size)
