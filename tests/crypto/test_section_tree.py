"""The hidden-number tree: receipts hold, omissions show, and paths tell nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import section_tree
from crypto.errors import FormatError, ProofError
from crypto.section_tree import DEPTH, PLACES, SectionTree, audit, verify_path

SEED = b"\x07" * 32
# place → entry, and the slot in which it was put
acts = st.dictionaries(
    st.integers(0, PLACES - 1), st.tuples(st.integers(1, 5), st.binary(max_size=20)), max_size=12
)


def grown(entries: dict[int, tuple[int, bytes]]) -> SectionTree:
    tree = SectionTree(SEED)
    for index, (slot, entry) in sorted(entries.items(), key=lambda item: item[1][0]):
        tree.put(index, entry, slot)
    return tree


@settings(max_examples=25)
@given(acts)
def test_receipts_of_every_slot_hold_under_its_root(entries):
    tree = SectionTree(SEED)
    for slot in range(1, 6):
        mine = {index: entry for index, (s, entry) in entries.items() if s == slot}
        for index, entry in mine.items():
            tree.put(index, entry, slot)
        for index, entry in mine.items():
            path = tree.path(index)
            verify_path(tree.root(), index, entry, path)
            with pytest.raises(ProofError):
                verify_path(tree.root(), index, entry + b"x", path)
            with pytest.raises(ProofError):
                verify_path(tree.root(), index ^ 1, entry, path)
            with pytest.raises(ProofError):
                verify_path(tree.root(), index, entry, path[::-1])
    audit(SEED, entries, tree.root())


@settings(max_examples=25)
@given(acts.filter(bool), st.data())
def test_an_act_left_out_added_moved_or_altered_shows_at_the_close(entries, data):
    root = grown(entries).root()
    index = data.draw(st.sampled_from(sorted(entries)))
    slot, entry = entries[index]
    rest = {place: act for place, act in entries.items() if place != index}
    free = next(place for place in range(PLACES) if place not in entries)
    for forged in (
        rest,
        entries | {free: (6, b"late")},
        rest | {free: (slot, entry)},
        rest | {index: (slot, entry + b"x")},
    ):
        with pytest.raises(ProofError):
            audit(SEED, forged, root)
    with pytest.raises(ProofError):
        audit(b"\x08" * 32, entries, root)
    audit(SEED, entries, root)


@settings(max_examples=15)
@given(acts, acts)
def test_two_receipts_never_share_a_sibling_so_they_tell_of_nobody_else(before, between):
    """One bidder, two receipts: whatever others did in between, all its siblings look new."""
    mine, again = 100, 101
    first = {i: act for i, act in before.items() if i not in {mine, again}}
    later = {i: (s + 10, e) for i, (s, e) in between.items() if i not in {mine, again, *first}}
    tree = grown(first)
    tree.put(mine, b"mine", 6)
    one = tree.path(mine)
    for index, (slot, entry) in sorted(later.items(), key=lambda item: item[1][0]):
        tree.put(index, entry, slot)
    tree.put(again, b"again", 20)
    two = tree.path(again)
    assert not set(one) & set(two)


def test_neighbours_in_one_slot_see_hashes_only():
    tree = SectionTree(SEED)
    tree.put(4, b"a", 9)
    tree.put(5, b"b", 9)
    assert tree.path(4)[0] == section_tree.entry_hash(5, b"b")
    assert tree.path(4)[1:] == tree.path(5)[1:]
    assert len(tree.path(4)) == DEPTH
    assert all(len(digest) == 32 for digest in tree.path(4))


def test_a_path_is_given_only_in_its_slot():
    tree = SectionTree(SEED)
    tree.put(4, b"a", 9)
    tree.put(7, b"b", 10)
    for index in (4, 5, -1, PLACES):
        with pytest.raises(FormatError):
            tree.path(index)


def test_the_root_stays_until_the_next_act_and_the_commitment_does_not():
    tree = SectionTree(SEED)
    empty = tree.root()
    tree.put(4, b"a", 9)
    root = tree.root()
    assert root == tree.root() != empty
    salts = [section_tree.slot_salt(SEED, slot) for slot in range(9, 12)]
    commitments = {section_tree.slot_commitment(salt, root) for salt in salts}
    assert len(commitments) == 3


def test_places_are_pseudorandom_and_free():
    tree = SectionTree(SEED)
    places = []
    for number in range(300):
        place = tree.place(str(number).encode())
        tree.put(place, b"entry", 1)
        places.append(place)
    assert len(set(places)) == 300
    assert max(places) - min(places) > PLACES // 2
    assert SectionTree(SEED).place(b"0") == places[0] != SectionTree(bytes(32)).place(b"0")


def test_a_full_section_takes_no_more():
    tree = SectionTree(SEED)
    for index in range(PLACES):
        tree.put(index, b"", 1)
    with pytest.raises(FormatError):
        tree.place(b"one more")


def test_places_are_never_overwritten_and_slots_never_go_back():
    tree = SectionTree(SEED)
    tree.put(4, b"a", 9)
    for index, slot in ((4, 10), (5, 8), (-1, 9), (PLACES, 9)):
        with pytest.raises(FormatError):
            tree.put(index, b"b", slot)
    with pytest.raises(FormatError):
        SectionTree(b"short")


@pytest.mark.parametrize(
    ("index", "path"),
    [(PLACES, [bytes(32)] * DEPTH), (-1, [bytes(32)] * DEPTH), (0, [bytes(32)] * 11),
     (0, [bytes(32)] * 13), (0, [bytes(31)] * DEPTH), (0, [])],
)  # fmt: skip
def test_a_malformed_path_is_refused(index, path):
    with pytest.raises(ProofError):
        verify_path(bytes(32), index, b"", path)
