"""RFC 6962 trees: outside verdicts, and every proof of every small tree."""

import json
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import FormatError, ProofError
from crypto.tlog import merkle
from crypto.tlog.fold import frontier_before, frontier_of
from crypto.tlog.merkle import (
    Tree,
    all_proofs,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from tests.places import vectors

FOLDER = vectors("merkle")


def cases(kind: str):
    files = sorted(path for path in (FOLDER / kind).rglob("*") if path.is_file())
    return [
        pytest.param(json.loads(path.read_bytes()), id=str(path.relative_to(FOLDER / kind)))
        for path in files
    ]


def decode(case: dict, key: str) -> bytes:
    return b64decode(case.get(key) or "")


def proof(case: dict) -> list[bytes]:
    return [b64decode(each) for each in case.get("proof") or []]


def test_there_are_as_many_outside_cases_as_their_readme_says():
    assert len(cases("inclusion")) == len(cases("consistency")) == 49
    everything = [each.values[0] for kind in ("inclusion", "consistency") for each in cases(kind)]
    assert sum(not case["wantErr"] for case in everything) == 7


@pytest.mark.parametrize("case", cases("inclusion"))
def test_inclusion_verdicts_are_those_of_others(case):
    arguments = (
        case["leafIdx"],
        case["treeSize"],
        decode(case, "leafHash"),
        proof(case),
        decode(case, "root"),
    )
    if case["wantErr"]:
        with pytest.raises(ProofError):
            verify_inclusion(*arguments)
    else:
        verify_inclusion(*arguments)


@pytest.mark.parametrize("case", cases("consistency"))
def test_consistency_verdicts_are_those_of_others(case):
    arguments = (
        case["size1"],
        case["size2"],
        proof(case),
        decode(case, "root1"),
        decode(case, "root2"),
    )
    if case["wantErr"]:
        with pytest.raises(ProofError):
            verify_consistency(*arguments)
    else:
        verify_consistency(*arguments)


def plain_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1 word for word, as the judge of the incremental tree."""
    if not leaves:
        return merkle.EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return node_hash(plain_root(leaves[:k]), plain_root(leaves[k:]))


LEAVES = [leaf_hash(str(i).encode()) for i in range(70)]
TREE = Tree.of(LEAVES)


def test_every_root_of_every_size_is_the_plain_recursion():
    for size in range(len(LEAVES) + 1):
        assert TREE.root(size) == plain_root(LEAVES[:size])


def test_every_inclusion_proof_of_every_small_tree_holds_and_only_there():
    for size in range(1, 35):
        root = TREE.root(size)
        for index in range(size):
            path = TREE.inclusion_proof(index, size)
            verify_inclusion(index, size, LEAVES[index], path, root)
            with pytest.raises(ProofError):
                verify_inclusion((index + 1) % size, size, LEAVES[index], path, TREE.root(size + 1))
            with pytest.raises(ProofError):
                verify_inclusion(index, size, LEAVES[index + 1], path, root)


def test_all_proofs_at_once_are_those_of_each_leaf_for_every_small_tree():
    for size in range(70):
        leaves = [leaf_hash(b"%d" % n) for n in range(size)]
        tree = Tree.of(leaves)
        root, paths = all_proofs(leaves)
        assert root == tree.root()
        assert paths == [tree.inclusion_proof(index) for index in range(size)]


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=300), st.data())
def test_a_proof_made_with_all_others_holds_for_its_own_leaf_only(contents, data):
    leaves = [leaf_hash(each) for each in contents]
    root, paths = all_proofs(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    assert paths[index] == Tree.of(leaves).inclusion_proof(index)
    verify_inclusion(index, len(leaves), leaves[index], paths[index], root)
    with pytest.raises(ProofError):
        verify_inclusion(index, len(leaves), leaf_hash(b"another"), paths[index], root)


def test_every_consistency_proof_of_every_small_tree_holds_and_only_there():
    for size in range(1, 35):
        for old in range(1, size + 1):
            path = TREE.consistency_proof(old, size)
            verify_consistency(old, size, path, TREE.root(old), TREE.root(size))
            with pytest.raises(ProofError):
                verify_consistency(old, size, path, TREE.root(old - 1), TREE.root(size))
            with pytest.raises(ProofError):
                verify_consistency(old, size, path, TREE.root(old), TREE.root(size + 1))
        assert TREE.consistency_proof(0, size) == []


@given(st.integers(1, 2**40), st.integers(0, 2**40), st.lists(st.binary(max_size=33), max_size=50))
def test_random_proofs_never_hold_nor_fail_otherwise(size, index, path):
    with pytest.raises(ProofError):
        verify_inclusion(index, size, bytes(32), path, b"\x01" * 32)
    with pytest.raises(ProofError):
        verify_consistency(index, size, path, bytes(32), b"\x01" * 32)


@given(st.integers(2, 70), st.data())
def test_a_changed_leaf_is_never_consistent_with_what_was_signed(size, data):
    old = data.draw(st.integers(1, size - 1))
    at = data.draw(st.integers(0, old - 1))
    forged = Tree.of([*LEAVES[:at], leaf_hash(b"forged"), *LEAVES[at + 1 : size]])
    path = forged.consistency_proof(old)
    verify_consistency(old, size, path, forged.root(old), forged.root())
    with pytest.raises(ProofError):
        verify_consistency(old, size, path, TREE.root(old), forged.root())


def test_sizes_and_indices_out_of_range_are_refused():
    for call in (
        lambda: TREE.root(71),
        lambda: TREE.root(-1),
        lambda: TREE.inclusion_proof(3, 3),
        lambda: TREE.inclusion_proof(-1, 3),
        lambda: TREE.consistency_proof(5, 4),
        lambda: TREE.hash_at(0, 70),
        lambda: TREE.hash_at(9, 0),
        lambda: TREE.hash_at(0, -1),
        lambda: Tree().append(b"short"),
    ):
        with pytest.raises(FormatError):
            call()
    assert Tree().root() == merkle.EMPTY_ROOT
    assert Tree().add(b"a") == 0


@pytest.mark.parametrize("size", range(2, 34))
def test_the_frontier_of_an_earlier_tree_follows_from_its_root_and_a_proof(size: int) -> None:
    leaves = [bytes([n]) for n in range(size)]
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)
    for old in range(1, size):
        proof = tree.consistency_proof(old)
        edge = frontier_before(old, size, proof, tree.root(old))
        assert edge == frontier_of(leaves[:old])
        if old & (old - 1):  # of a full tree the root itself is the frontier
            with pytest.raises(ProofError):
                frontier_before(old, size, proof, tree.root(size))
            with pytest.raises(ProofError):
                frontier_before(old, size, [], tree.root(old))
