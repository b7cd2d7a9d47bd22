"""COCKTAIL-DKG against all outside vectors, byte for byte, from their seed on."""

import hashlib
import json

import pytest

from crypto import cocktail, schnorr, xaes
from crypto import cocktail_wire as wire
from crypto.cocktail import SuccessCertificate, verify_certificate
from crypto.p256 import N, Secret
from tests.places import vectors

DATA = json.loads((vectors("cocktail-dkg") / "cocktail-dkg-p256-sha256.json").read_bytes())
VECTORS = DATA["vectors"]
HEX = bytes.fromhex


def expand(label: str, v: dict, counter: bytes = b"") -> Secret:
    """Derive a secret of the vectors from their seed (Appendix B; the stream adds a counter)."""
    numbers = v["t"].to_bytes(4, "little") + v["n"].to_bytes(4, "little")
    data = HEX(DATA["seed"]) + DATA["ciphersuite"].encode() + numbers + label.encode() + counter
    return Secret(int.from_bytes(hashlib.sha256(data).digest()) % N)


def statics(v: dict) -> list[Secret]:
    return [Secret.parse(HEX(key)) for key in v["config"]["static_secret_keys"]]


def first_messages(v: dict) -> list[wire.Round1]:
    """Compute all first messages of a vector from its seed alone."""
    keys = statics(v)
    roster = [key.public() for key in keys]
    result = []
    for i, key in enumerate(keys, 1):
        stream = [
            expand(f"round1_participant_{i}", v, c.to_bytes(8, "little")) for c in range(v["t"] + 1)
        ]
        payloads = [HEX(v["payloads"][i - 1])] * v["n"] if "payloads" in v else ()
        result.append(
            cocktail.first_message(
                key, roster, HEX(v["context"]), stream[:-1], stream[-1], payloads
            )
        )
    return result


def transcript_of(v: dict, messages: list[wire.Round1]) -> wire.Transcript:
    roster = [key.public() for key in statics(v)]
    extension = HEX(v["extension"])
    return cocktail.transcribe(HEX(v["context"]), v["t"], roster, messages, extension)


each_vector = pytest.mark.parametrize("v", VECTORS, ids=["2/3", "3/5", "7/14", "payload"])


@each_vector
def test_setup_and_first_messages_are_the_vectors(v):
    for i, (secret, public) in enumerate(
        zip(statics(v), v["config"]["static_public_keys"], strict=True), 1
    ):
        assert secret.scalar == expand(f"static_secret_key_{i}", v).scalar
        assert secret.public().compressed().hex() == public
    for message, want in zip(first_messages(v), v["round1"], strict=True):
        assert [point.compressed().hex() for point in message.commitment] == want["vss_commitment"]
        assert message.ephemeral.compressed().hex() == want["ephemeral_public_key"]
        assert message.proof.hex() == want["pop"]
        assert [each.hex() for each in message.ciphertexts] == want["encrypted_shares"]
        parsed = wire.Round1.from_bytes(message.to_bytes(), v["n"], v["t"])
        assert parsed == message


@each_vector
def test_every_intermediate_value_of_the_proofs_is_the_vectors(v):
    for message, want in zip(first_messages(v), v["round1"], strict=True):
        steps = want["pop_intermediate"]
        signed = wire.proof_message(HEX(v["context"]), message.commitment, message.ephemeral)
        assert signed.hex() == steps["message"]
        nonce = schnorr.hash_to_scalar(HEX(steps["nonce_input"]))
        assert nonce.to_bytes(32).hex() == steps["nonce"]
        assert Secret(nonce).public().compressed().hex() == steps["nonce_commitment"]
        challenge = schnorr.hash_to_scalar(HEX(steps["challenge_input"]))
        assert challenge.to_bytes(32).hex() == steps["challenge"]


@each_vector
def test_second_and_third_round_are_the_vectors(v):
    messages = first_messages(v)
    transcript = transcript_of(v, messages)
    assert hashlib.sha256(transcript.to_bytes()).hexdigest() == v["round3"]["transcript_hash"]
    assert wire.Transcript.from_bytes(transcript.to_bytes()) == transcript
    signatures = []
    for i, key in enumerate(statics(v), 1):
        addressed = [each.ciphertexts[i - 1] for each in messages]
        share = cocktail.open_shares(key, i, transcript, addressed)
        assert share.to_bytes(32).hex() == v["round2"][i - 1]["secret_share"]
        signatures.append(schnorr.sign(key, transcript.to_bytes()))
    assert [each.hex() for each in signatures] == [
        each["signature"] for each in v["round3"]["signatures"]
    ]
    certificate = SuccessCertificate(transcript.to_bytes(), tuple(signatures))
    pinned = {HEX(key) for key in v["config"]["static_public_keys"]}
    group = verify_certificate(certificate, pinned, HEX(v["context"]))
    assert group.public.compressed().hex() == v["group_public_key"]
    assert [share.compressed().hex() for share in group.shares] == [
        each["verification_share"] for each in v["round2"]
    ]


@pytest.mark.parametrize("v", [v for v in VECTORS if "recovery" in v])
def test_recovery_gives_the_vectors_share(v):
    want = v["recovery"]
    i = want["participant_id"]
    key = statics(v)[i - 1]
    transcript = transcript_of(v, first_messages(v))
    bundle = wire.bundle_to_bytes([HEX(each) for each in want["ciphertexts"]])
    ciphertexts = wire.bundle_from_bytes(bundle, v["n"])
    share = cocktail.open_shares(key, i, transcript, ciphertexts)
    assert share.to_bytes(32).hex() == want["recovered_secret_share"]
    assert Secret(share).public().compressed().hex() == want["recovered_verification_share"]


@pytest.mark.parametrize("v", [v for v in VECTORS if "payloads" in v])
def test_payloads_arrive_and_their_hash_is_the_extension(v):
    messages = first_messages(v)
    key = statics(v)[0]
    parts = [v["n"].to_bytes(8, "little")]
    for sender, message in enumerate(messages):
        peer = statics(v)[sender].public()
        products = key.mul(message.ephemeral), key.mul(peer)
        secrets = cocktail.share_key(
            *products, message.ephemeral, peer, key.public(), HEX(v["context"])
        )
        payload = xaes.decrypt(*secrets, message.ciphertexts[0])[32:]
        assert payload.hex() == v["payloads"][sender]
        parts += [len(payload).to_bytes(8, "little"), payload]
    assert hashlib.sha256(b"".join(parts)).hexdigest() == v["extension"]
