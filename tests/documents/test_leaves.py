"""Leaves of a dossier: a run without paths is proved as strictly as leaves that have one each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.canonical import canonical
from crypto.encoding import b64
from crypto.errors import CryptoError
from crypto.tlog.fold import Fold, frontier
from crypto.tlog.merkle import Tree
from documents.leaves import Leaves
from documents.model import DocumentError

DATA = [{"slot": number} for number in range(40)]


def lines(size, alone, start):
    """Lines of a tree of `size`: some early leaves by their paths, then the run from `start`."""
    tree = Tree()
    for leaf in DATA[:size]:
        tree.add(canonical(leaf))
    found = []
    for index in sorted({one for one in alone if one < start} | set(range(start, size))):
        line = {"index": index, "leaf": DATA[index]}
        if index <= start:
            line["path"] = [b64(node) for node in tree.inclusion_proof(index)]
        found.append(line)
    return tree.root(), found


def checked(size, root, found):
    """Check them and return their number."""
    leaves = Leaves(size, root)
    for line in found:
        leaves.add(canonical(line) + b"\n")
    return leaves.end()


@st.composite
def cases(draw):
    size = draw(st.integers(1, len(DATA)))
    start = draw(st.integers(0, size - 1))
    return (size, *lines(size, draw(st.sets(st.integers(0, size))), start))


@given(cases())
def test_what_stands_in_the_tree_is_taken(case):
    size, root, found = case
    assert checked(size, root, found) == len(found)


@given(cases(), st.data())
def test_a_leaf_dropped_changed_moved_or_doubled_is_found(case, data):
    size, root, found = case
    at = data.draw(st.integers(0, len(found) - 1))
    broken = [dict(line) for line in found]
    how = data.draw(st.sampled_from(["drop", "change", "double", "pathless"]))
    if how == "drop":
        if "path" in broken[at] and (at + 1 == len(broken) or "path" in broken[at + 1]):
            return  # an early leaf by itself may be absent: its path proves what is there, no more
        del broken[at]
        if all("path" in line for line in broken):
            return  # no run is left; whoever needs one asks for it by its ends
    elif how == "change":
        broken[at]["leaf"] = {"slot": -1}
    elif how == "double":
        broken.insert(at, broken[at])
    else:
        if broken[at].pop("path", None) is None or at == 0:
            return
        if "path" not in broken[at - 1] or broken[at - 1]["index"] + 1 == broken[at]["index"]:
            return  # proved by folding on the one before it: allowed
    with pytest.raises((DocumentError, CryptoError)):
        checked(size, root, broken)


def test_a_path_may_not_come_back_inside_the_run():
    root, found = lines(9, set(), 3)
    tree = Tree()
    for leaf in DATA[:9]:
        tree.add(canonical(leaf))
    found[4]["path"] = [b64(node) for node in tree.inclusion_proof(found[4]["index"])]
    with pytest.raises(DocumentError, match="line 5"):
        checked(9, root, found)


def test_a_line_must_be_canonical_and_end():
    root, (line, *_) = lines(1, set(), 0)
    for wrong in (canonical(line), canonical(line) + b" \n", b"[]\n", b'{"index":true}\n'):
        with pytest.raises(DocumentError):
            Leaves(1, root).add(wrong)


@given(st.integers(1, 200), st.data())
def test_the_frontier_on_a_path_is_that_of_the_leaves_before_it(size, data):
    index = data.draw(st.integers(0, size - 1))
    tree, fold = Tree(), Fold()
    for number in range(size):
        if number < index:
            fold.add(number.to_bytes(2))
        tree.add(number.to_bytes(2))
    assert frontier(index, size, tree.inclusion_proof(index)) == fold.frontier()
    for number in range(index, size):
        fold.add(number.to_bytes(2))
    assert fold.root() == tree.root()
