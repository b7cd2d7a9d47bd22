"""Notes, checkpoints and cosignatures: what Tessera and Sunlight made, and what must not pass."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import CryptoError, FormatError, SignatureError
from crypto.tlog import checkpoint, cosignature, merkle, note, tiles
from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.note import Note, VerifierKey
from tests.places import vectors

FOLDER = vectors("tlog")
TESSERA = FOLDER / "tessera-log"
SUNLIGHT = FOLDER / "sunlight-witness"
LOG = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
WITNESS = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)
ORIGIN = "kaibiao.example/ledger/1"
LOG_KEY = note.vkey(ORIGIN, LOG)
WITNESS_KEY = note.vkey("witness.example/w1", WITNESS, note.COSIGNATURE)
HEAD = Checkpoint(ORIGIN, 7, merkle.leaf_hash(b"root"))
SIGNED = checkpoint.sign(HEAD, LOG)


@pytest.mark.parametrize("name", ["checkpoint", *(f"checkpoint.{i}" for i in range(16))])
def test_tesseras_checkpoints_verify_and_fit_their_tiles(name):
    key = (TESSERA / "vkey.txt").read_text().strip()
    data = (TESSERA / name).read_bytes()
    head = checkpoint.open_checkpoint(data, key)
    assert Note.parse(data).to_bytes() == data
    assert head.to_bytes() == Note.parse(data).text
    if head.size:
        hashes = tiles.split_hashes((TESSERA / f"tile/0/000.p/{head.size}").read_bytes())
        bundle = (TESSERA / f"tile/entries/000.p/{head.size}").read_bytes()
        entries = tiles.split_bundle(bundle)
        assert [merkle.leaf_hash(entry) for entry in entries] == hashes
        assert tiles.bundle_bytes(entries) == bundle
        tree = merkle.Tree.of(hashes)
        assert tree.root() == head.root
        assert tiles.tile_bytes(tree, tiles.Tile(0, 0, head.size)) == b"".join(hashes)


def sunlight_cosigned():
    for path in sorted(SUNLIGHT.rglob("*.v0.json")):
        (key,) = json.loads(path.read_bytes())["verifier_keys"]
        for file in sorted(path.parent.glob("*/checkpoint")):
            yield pytest.param(key, file.read_bytes(), id=path.parent.name)


@pytest.mark.parametrize(("key", "data"), list(sunlight_cosigned()))
def test_sunlights_cosignatures_verify(key, data):
    (cosigned,) = cosignature.verify(data, [key])
    assert str(cosigned.key) == key
    assert cosigned.timestamp > 1_700_000_000
    assert checkpoint.parse(Note.parse(data).text).size == 300
    later = data.replace(b"\n300\n", b"\n301\n")
    with pytest.raises(SignatureError):
        cosignature.verify(later, [key])


def test_there_are_three_outside_cosignatures():
    assert len(list(sunlight_cosigned())) == 3


def test_sunlights_tiles_give_the_signed_root():
    (folder,) = (SUNLIGHT / "witness/mirror").glob("000*/tile")
    hashes = [
        digest
        for path in ("0/000", "0/001.p/44")
        for digest in tiles.split_hashes((folder / path).read_bytes())
    ]
    tree = merkle.Tree.of(hashes)
    data = (folder.parent / "checkpoint").read_bytes()
    assert tree.root() == checkpoint.parse(Note.parse(data).text).root
    assert tiles.tile_bytes(tree, tiles.Tile(1, 0, 1)) == (folder / "1/000.p/1").read_bytes()


def test_an_unknown_type_of_signature_is_ignored_not_verified():
    data = (SUNLIGHT / "tree/checkpoint").read_bytes()
    with pytest.raises(SignatureError, match="none of the known"):
        note.verify(data, LOG_KEY)


@given(st.integers(0, len(SIGNED) * 8 - 1))
def test_one_flipped_bit_in_a_checkpoint_is_refused(bit):
    data = bytearray(SIGNED)
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises(CryptoError):
        checkpoint.open_checkpoint(bytes(data), LOG_KEY)


def test_a_checkpoint_with_cosignatures_is_read_by_log_and_witness_keys():
    both = cosignature.add(SIGNED, WITNESS, "witness.example/w1", 1_800_000_000)
    later = cosignature.add(SIGNED, WITNESS, "witness.example/w1", 1_800_000_060)
    assert checkpoint.open_checkpoint(both, LOG_KEY) == HEAD
    merged = cosignature.merge([both, later, both])
    times = [each.timestamp for each in cosignature.verify(merged, [WITNESS_KEY])]
    assert times == [1_800_000_000, 1_800_000_060]
    assert len(Note.parse(merged).signatures) == 3
    assert cosignature.verify(SIGNED, [WITNESS_KEY]) == []
    other = checkpoint.sign(Checkpoint(ORIGIN, 8, HEAD.root), LOG)
    with pytest.raises(FormatError):
        cosignature.merge([both, other])


def test_a_cosignatures_time_and_text_are_signed():
    both = Note.parse(cosignature.add(SIGNED, WITNESS, "witness.example/w1", 1_800_000_000))
    line = both.signatures[1]
    moved = note.Signature(line.name, line.key_id, (1_799_999_999).to_bytes(8) + line.data[8:])
    with pytest.raises(SignatureError):
        cosignature.verify(Note(both.text, (moved,)).to_bytes(), [WITNESS_KEY])
    for data in (bytes(8) + line.data[8:], line.data[:-1], b"\xff" * 8 + line.data[8:]):
        spoilt = note.Signature(line.name, line.key_id, data)
        with pytest.raises(SignatureError):
            cosignature.verify(Note(both.text, (spoilt,)).to_bytes(), [WITNESS_KEY])
    with pytest.raises(FormatError):
        cosignature.add(SIGNED, WITNESS, "witness.example/w1", 0)


def test_a_plain_signature_is_no_cosignature_and_the_other_way_round():
    plain = note.vkey("witness.example/w1", WITNESS)
    cosigned = cosignature.add(SIGNED, WITNESS, "witness.example/w1", 1_800_000_000)
    with pytest.raises(SignatureError):
        note.verify(cosigned, plain)
    with pytest.raises(SignatureError):
        note.verify(cosigned, WITNESS_KEY)
    assert cosignature.verify(cosigned, [plain]) == []


def test_a_failing_signature_of_a_known_key_spoils_the_note_even_beside_a_good_one():
    good = note.sign(b"text\n", LOG, "a.example")
    parsed = Note.parse(good)
    bad = note.Signature("a.example", parsed.signatures[0].key_id, bytes(64))
    data = Note(parsed.text, (parsed.signatures[0], bad)).to_bytes()
    with pytest.raises(SignatureError):
        note.verify(data, note.vkey("a.example", LOG))
    stranger = note.Signature("b.example", b"abcd", b"whatever")
    data = Note(parsed.text, (stranger, parsed.signatures[0])).to_bytes()
    assert note.verify(data, note.vkey("a.example", LOG)) == b"text\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text\n",
        b"text\n\n",
        "text\n\n— a AAAAAAAA".encode(),
        "text\n\n— a AAAA\n".encode(),
        "text\n\n— a  AAAAAAAA\n".encode(),
        "text\n\n—a AAAAAAAA\n".encode(),
        b"text\n\n- a AAAAAAAA\n",
        "text\n\n— a+b AAAAAAAA\n".encode(),
        "text\n\n— a\u00a0b AAAAAAAA\n".encode(),
        "te\txt\n\n— a AAAAAAAA\n".encode(),
        "text\r\n\n— a AAAAAAAA\n".encode(),
        b"te\xffxt\n\n\xe2\x80\x94 a AAAAAAAA\n",
        "text\n\n— a AAAAAAAA\n\n".encode(),
        b"text\n\n" + "— a AAAAAAAA\n".encode() * 65,
        b"x" * 70_000,
    ],
)
def test_what_is_no_note_is_refused(data):
    with pytest.raises(FormatError):
        Note.parse(data)


def test_a_note_may_have_empty_lines_in_its_text():
    text = b"one\n\ntwo\n"
    assert note.verify(note.sign(text, LOG, "a"), note.vkey("a", LOG)) == text
    for bad in (b"", b"no newline", b"tab\there\n", b"\xff\n"):
        with pytest.raises(FormatError):
            note.sign(bad, LOG, "a")


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_random_notes_never_fail_otherwise(data):
    try:
        assert Note.parse(data).to_bytes() == data
    except FormatError:
        return


def test_a_verifier_key_has_one_form_and_knows_its_id():
    assert str(VerifierKey.parse(LOG_KEY)) == LOG_KEY
    name, key_id, material = LOG_KEY.split("+", 2)
    for bad in (
        "",
        name,
        f"{name}+{key_id}",
        f"{name}+{key_id}+",
        f"{name}+00000000+{material}",
        f"{name}+{key_id.upper()}+{material}" if key_id.upper() != key_id else "x",
        f"other+{key_id}+{material}",
        f"{name}+{key_id}+{material}=",
        f"{name} +{key_id}+{material}",
    ):
        with pytest.raises(FormatError):
            VerifierKey.parse(bad)
    for name, public, kind in (("a", bytes(32), 2), ("a", bytes(31), 1), ("", bytes(32), 1)):
        with pytest.raises(FormatError):
            VerifierKey(name, public, kind)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"origin\n7\n",
        b"origin\n07\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        b"origin\n-7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        b"origin\n 7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        b"origin\n9223372036854775808\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        b"origin\n7\nAAAA\n",
        b"\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        b"origin\n0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        b"origin\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nextension\n",
        b"or\xffigin\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "origin\n\u0667\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n".encode(),
    ],
)
def test_what_is_no_checkpoint_is_refused(text):
    with pytest.raises(FormatError):
        checkpoint.parse(text)
    assert checkpoint.parse(b"origin\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n").size == 7


def test_a_checkpoint_of_another_log_is_not_taken_for_ours():
    foreign = note.sign(Checkpoint("other.example/log", 7, HEAD.root).to_bytes(), LOG, ORIGIN)
    with pytest.raises(FormatError, match=r"other\.example"):
        checkpoint.open_checkpoint(foreign, LOG_KEY)
