"""Log proofs, tiles and evidence of two histories."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import CryptoError, FormatError, ProofError, SignatureError
from crypto.tlog import checkpoint, cosignature, evidence, note, tiles
from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.evidence import Evidence, accuse
from crypto.tlog.merkle import Tree, leaf_hash
from crypto.tlog.proof import LogProof
from crypto.tlog.tiles import Tile

LOG = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
WITNESS = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)
ORIGIN = "kaibiao.example/ledger/1"
LOG_KEY = note.vkey(ORIGIN, LOG)
WITNESS_KEY = note.vkey("witness", WITNESS, note.COSIGNATURE)
LEAVES = [leaf_hash(bytes([i])) for i in range(20)]


def signed(tree: Tree, size: int | None = None, origin: str = ORIGIN) -> bytes:
    size = tree.size if size is None else size
    data = checkpoint.sign(Checkpoint(origin, size, tree.root(size)), LOG)
    return cosignature.add(data, WITNESS, "witness", 1_800_000_000)


@given(st.integers(1, 20), st.data(), st.none() | st.binary(max_size=40))
def test_a_log_proof_proves_its_leaf_and_no_other(size, data, extra):
    index = data.draw(st.integers(0, size - 1))
    tree = Tree.of(LEAVES)
    path = tuple(tree.inclusion_proof(index, size))
    proof = LogProof(index, path, signed(tree, size), extra)
    assert LogProof.parse(proof.to_bytes()) == proof
    assert proof.verify(LEAVES[index], LOG_KEY).size == size
    assert len(cosignature.verify(proof.checkpoint, [WITNESS_KEY])) == 1
    with pytest.raises(ProofError):
        proof.verify(leaf_hash(b"other"), LOG_KEY)
    with pytest.raises(SignatureError):
        proof.verify(LEAVES[index], note.vkey(ORIGIN, WITNESS))


def test_a_log_proof_reads_as_its_specification_shows_it():
    tree = Tree.of(LEAVES[:2])
    text = LogProof(0, (LEAVES[1],), signed(tree), b"salt").to_bytes().decode()
    lines = text.split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra c2FsdA==", "index 0"]
    assert lines[4:7] == ["", ORIGIN, "2"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"@v1", b"@v2"),
        (b"index 1", b"index 01"),
        (b"index 1", b"index -1"),
        (b"index 1", b"Index 1"),
        (b"index 1\n", b""),
        (b"index 1\n", b"index 1\nextra AAAA\n"),
        (b"index 1\n", b"index 1\nAAAA\n"),
        (b"\n\n", b"\n"),
        (b"extra c2FsdA==", b"extra c2FsdA"),
        (b"c2sp", b"\xff2sp"),
        (b"index 1\n", b"index 1\n" + b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 64),
    ],
)
def test_what_is_no_log_proof_is_refused(old, new):
    tree = Tree.of(LEAVES[:3])
    data = LogProof(1, tuple(tree.inclusion_proof(1)), signed(tree), b"salt").to_bytes()
    assert old in data
    with pytest.raises(FormatError):
        LogProof.parse(data.replace(old, new))


@given(st.binary(max_size=300))
def test_random_log_proofs_never_fail_otherwise(data):
    for text in (data, b"c2sp.org/tlog-proof@v1\n" + data):
        with pytest.raises(CryptoError):
            LogProof.parse(text)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(1, 0, 17), "tile/1/000.p/17"),
        (Tile(None, 1_000, 255), "tile/entries/x001/000.p/255"),
        (Tile(63, 999_999, 1), "tile/63/x999/999.p/1"),
    ],
)
def test_tile_paths_are_written_as_specified(tile, path):
    assert tile.path == path
    assert Tile.parse(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "", "tile", "tile/0", "tile/0/0", "tile/0/0000", "tile/00/000", "tile/0/x000/000",
        "tile/0/001/000", "tile/0/x001/x000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/",
        "tile/0/000.p/01", "tile/64/000", "tile/-1/000", "tile/0/000/", "/tile/0/000",
        "tile/0/../000", "tile/data/000", "tile/0/\u0661\u0661\u0661", "entries/0/000",
    ],
)  # fmt: skip
def test_what_is_no_tile_path_is_refused(path):
    with pytest.raises(FormatError):
        Tile.parse(path)


def test_the_tiles_of_seventy_thousand_leaves_are_those_of_the_specification():
    found = list(tiles.tiles_of(70_000))
    level = [[tile for tile in found if tile.level == number] for number in (None, 0, 1, 2, 3)]
    assert [len(each) for each in level] == [274, 274, 2, 1, 0]
    assert [each[-1].width for each in level[:4]] == [112, 112, 17, 1]
    assert list(tiles.tiles_of(256)) == [Tile(None, 0), Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles.tiles_of(0)) == []


@given(st.integers(1, 700))
def test_all_tiles_of_a_tree_can_be_written_and_give_its_root(size):
    tree = Tree.of(leaf_hash(i.to_bytes(2)) for i in range(size))
    hashes = []
    for tile in tiles.tiles_of(size):
        if tile.level is not None:
            found = tiles.split_hashes(tiles.tile_bytes(tree, tile))
            assert len(found) == tile.width
            hashes += found if tile.level == 0 else []
    assert Tree.of(hashes).root() == tree.root()


def test_malformed_tiles_and_bundles_are_refused():
    tree = Tree.of(LEAVES)
    for call in (
        lambda: tiles.tile_bytes(tree, Tile(None, 0, 20)),
        lambda: tiles.tile_bytes(tree, Tile(0, 0, 21)),
        lambda: tiles.split_hashes(b""),
        lambda: tiles.split_hashes(bytes(33)),
        lambda: tiles.split_hashes(bytes(32 * 257)),
        lambda: tiles.split_bundle(b""),
        lambda: tiles.split_bundle(b"\x00"),
        lambda: tiles.split_bundle(b"\x00\x02a"),
        lambda: tiles.split_bundle(bytes(2 * 257)),
        lambda: tiles.bundle_bytes([]),
        lambda: tiles.bundle_bytes([bytes(65_536)]),
    ):
        with pytest.raises(FormatError):
            call()


@given(st.integers(1, 20), st.integers(1, 20), st.data())
def test_two_histories_of_one_key_are_proved_and_one_history_never(a, b, data):
    honest = Tree.of(LEAVES)
    at = data.draw(st.integers(0, 19))
    forked = Tree.of([*LEAVES[:at], leaf_hash(b"forged"), *LEAVES[at + 1 :]])
    for key in (WITNESS_KEY, LOG_KEY):
        assert accuse(key, signed(honest, a), signed(honest, b), (honest, honest)) is None
        found = accuse(key, signed(honest, a), signed(forked, b), (honest, forked))
        if at >= min(a, b):
            assert found is None
            continue
        again = Evidence.from_json(json.loads(json.dumps(found.to_json())))
        first, second = again.verify()
        assert (first.size, second.size) == (a, b)


def test_an_innocent_key_cannot_be_accused():
    honest, forked = Tree.of(LEAVES), Tree.of([*LEAVES[:3], leaf_hash(b"x"), *LEAVES[4:]])
    first, second = signed(honest), signed(forked)
    found = accuse(WITNESS_KEY, first, second)
    assert found == Evidence(WITNESS_KEY, first, second)
    other = Ed25519PrivateKey.from_private_bytes(b"\x03" * 32)
    with pytest.raises(SignatureError):
        Evidence(note.vkey("other", other, note.COSIGNATURE), first, second).verify()
    with pytest.raises(ProofError):
        Evidence(WITNESS_KEY, first, first).verify()
    with pytest.raises(ProofError):
        Evidence(WITNESS_KEY, first, signed(forked, 19)).verify()
    place = evidence.Place(LEAVES[5], tuple(honest.inclusion_proof(5)))
    with pytest.raises(ProofError, match="same leaf"):
        Evidence(WITNESS_KEY, first, first, 5, (place, place)).verify()
    with pytest.raises(ProofError):
        Evidence(WITNESS_KEY, first, second, 5, (place, place)).verify()
    head = Checkpoint("another/log", 20, forked.root())
    foreign = cosignature.add(checkpoint.sign(head, LOG), WITNESS, "witness", 1)
    assert accuse(WITNESS_KEY, first, foreign) is None
    with pytest.raises(ProofError, match="different logs"):
        Evidence(WITNESS_KEY, first, foreign).verify()


def test_leaves_that_are_not_the_signed_ones_prove_nothing():
    honest, forked = Tree.of(LEAVES), Tree.of([leaf_hash(b"x"), *LEAVES[1:]])
    with pytest.raises(ProofError, match="not those"):
        accuse(WITNESS_KEY, signed(honest, 5), signed(honest, 9), (honest, forked))
    assert accuse(WITNESS_KEY, signed(honest, 5), signed(forked, 9)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"v": True},
        {"key": 5},
        {"index": "5"},
        {"index": True},
        {"places": []},
        {"places": [1, 2]},
    ],
)
def test_malformed_evidence_is_refused(changes):
    tree = Tree.of(LEAVES)
    value = Evidence(WITNESS_KEY, signed(tree), signed(tree)).to_json()
    with pytest.raises(FormatError):
        Evidence.from_json(value | changes)
    with pytest.raises(FormatError):
        Evidence.from_json([])
