"""Batched proofs of equal logarithms: RFC 9497's vectors and what must not pass."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import dleq
from crypto.errors import FormatError, ProofError
from crypto.p256 import INFINITY, G, N, Point, Secret
from tests.places import vectors

DATA = json.loads((vectors("rfc9497") / "voprf-p256-sha256.json").read_bytes())
CASES = [(suite, case) for suite in DATA[1:] for case in suite["vectors"]]
scalars = st.integers(2, N - 2)


def read(text: str) -> list[Point]:
    return [Point.parse(bytes.fromhex(each)) for each in text.split(",")]


@pytest.mark.parametrize(("suite", "case"), CASES, ids=range(len(CASES)))
def test_the_vectors_of_rfc_9497(suite, case):
    context = b"OPRFV1-" + bytes([suite["mode"]]) + b"-P256-SHA256"
    secret = Secret(int(suite["skSm"], 16))
    blinded, evaluated = read(case["BlindedElement"]), read(case["EvaluationElement"])
    assert secret.public() == read(suite["pkSm"])[0]
    if suite["mode"] == 2:  # the partially oblivious mode tweaks the key and swaps the sides
        info = bytes.fromhex(case["Info"])
        framed = b"Info" + len(info).to_bytes(2) + info
        tweak = dleq.hash_to_scalar(framed, b"HashToScalar-" + context)
        secret = Secret((secret.scalar + tweak) % N)
        blinded, evaluated = evaluated, blinded
    assert secret.mul_many(blinded) == evaluated
    nonce = Secret(int(case["Proof"]["r"], 16))
    proof = dleq.prove(secret, blinded, evaluated, context=context, nonce=nonce)
    assert proof.hex() == case["Proof"]["proof"]
    dleq.verify(secret.public(), blinded, evaluated, proof, context=context)
    with pytest.raises(ProofError):
        dleq.verify(secret.public(), blinded, evaluated, proof)


@settings(max_examples=30)
@given(scalars, st.lists(scalars, min_size=1, max_size=6), st.data())
def test_a_proof_covers_every_product_in_its_place(k, logs, data):
    secret = Secret(k)
    points = [Secret(log).public() for log in logs]
    products = secret.mul_many(points)
    proof = dleq.prove(secret, points, products)
    assert proof == dleq.prove(secret, points, products)
    dleq.verify(secret.public(), points, products, proof)

    at = data.draw(st.integers(0, len(points) - 1))
    wrong = list(products)
    wrong[at] += G
    with pytest.raises(ProofError):
        dleq.verify(secret.public(), points, wrong, proof)
    with pytest.raises(ProofError):  # even a dishonest prover finds no proof for it
        dleq.verify(secret.public(), points, wrong, dleq.prove(secret, points, wrong))
    with pytest.raises(ProofError):
        dleq.verify(secret.public() + G, points, products, proof)
    bit = data.draw(st.integers(0, 511))
    bent = bytearray(proof)
    bent[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ProofError):
        dleq.verify(secret.public(), points, products, bytes(bent))
    if len(set(logs)) > 1:
        with pytest.raises(ProofError):
            dleq.verify(secret.public(), points[1:] + points[:1], products, proof)


def test_errors_that_cancel_out_in_a_plain_sum_are_found():
    secret = Secret(77)
    points = [Secret(3).public(), Secret(4).public()]
    first, second = secret.mul_many(points)
    products = [first + G, second - G]
    with pytest.raises(ProofError):
        dleq.verify(secret.public(), points, products, dleq.prove(secret, points, products))


def test_one_proof_is_none_for_another_context():
    secret, points = Secret(77), [Secret(3).public()]
    products = secret.mul_many(points)
    proof = dleq.prove(secret, points, products, context=b"other")
    dleq.verify(secret.public(), points, products, proof, context=b"other")
    with pytest.raises(ProofError):
        dleq.verify(secret.public(), points, products, proof)


@pytest.mark.parametrize("proof", [b"", bytes(63), bytes(65), bytes(64), b"\xff" * 64])
def test_a_malformed_proof_is_refused(proof):
    secret, points = Secret(77), [Secret(3).public()]
    with pytest.raises(ProofError):
        dleq.verify(secret.public(), points, secret.mul_many(points), proof)


def test_empty_and_uneven_batches_are_refused():
    secret, points = Secret(77), [Secret(3).public()]
    for left, right in (([], []), (points, []), ([], points)):
        with pytest.raises(FormatError):
            dleq.prove(secret, left, right)
        with pytest.raises(FormatError):
            dleq.verify(secret.public(), left, right, bytes(64))
    with pytest.raises(FormatError):
        dleq.verify(secret.public(), [INFINITY], [INFINITY], bytes(64))
