"""The proof of possession, and the forgery that a plain ECDSA signature would allow."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from crypto import possession
from crypto.errors import CryptoError, ProofError
from crypto.signature import ORDER, SigningKey, verify

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
ALICE = SigningKey.from_scalar(0xA11CE)
STATEMENT = b'{"bidder":"alice"}'


def add(first, second):
    """Textbook affine addition of two different points; ints, for tests only."""
    (x1, y1), (x2, y2) = first, second
    slope = (y2 - y1) * pow(x2 - x1, -1, P) % P
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def double(point):
    x1, y1 = point
    slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, P) % P
    x = (slope * slope - 2 * x1) % P
    return x, (slope * (x1 - x) - y1) % P


def times(scalar, point):
    result = None
    for bit in f"{scalar:b}":
        result = result and double(result)
        if bit == "1":
            result = point if result is None else add(result, point)
    return result


def affine(point65):
    return int.from_bytes(point65[1:33]), int.from_bytes(point65[33:])


def uncompressed(point):
    return b"\4" + point[0].to_bytes(32) + point[1].to_bytes(32)


def compressed(point65):
    return bytes([2 + (point65[64] & 1)]) + point65[1:33]


def digest(message):
    return int.from_bytes(hashlib.sha256(message).digest()) % ORDER


def forge(enc, signature, alices, mallorys):
    """From Alice's signature on her text: another key aE + bG and a signature on Mallory's text.

    With R fixed, s is scaled so that the equation R = (z/s)·G + (r/s)·E is solved for a new E:
    keep r, choose s' = 2s; then E' = (s'·R − z'·G)/r, and R = (z·G + r·E)/s. Nobody needs the
    secret of E, and nobody knows that of E'.
    """
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    factor = 2
    # E' = factor·E + ((factor·z − z')/r)·G
    offset = (factor * digest(alices) - digest(mallorys)) * pow(r, -1, ORDER) % ORDER
    shifted = affine(SigningKey.from_scalar(offset).public65)
    forged = uncompressed(add(times(factor, affine(enc)), shifted))
    return forged, r.to_bytes(32) + (s * factor % ORDER).to_bytes(32)


def test_a_proof_holds_for_its_encapsulation_and_statement_only():
    proof = possession.prove(ALICE, STATEMENT)
    possession.check(ALICE.public65, STATEMENT, proof)
    with pytest.raises(ProofError):
        possession.check(ALICE.public65, b'{"bidder":"mallory"}', proof)
    with pytest.raises(ProofError):
        possession.check(SigningKey.from_scalar(5).public65, STATEMENT, proof)


def test_plain_ecdsa_would_be_forgeable():
    """The negative control: without E in the text, the forgery verifies."""
    mallorys = b'{"bidder":"mallory"}'
    plain = ALICE.sign(STATEMENT)
    forged_key, forged = forge(ALICE.public65, plain, STATEMENT, mallorys)
    verify(compressed(forged_key), mallorys, forged)
    assert forged_key != ALICE.public65


def test_our_proof_is_not_forgeable_that_way():
    mallorys = b'{"bidder":"mallory"}'
    proof = possession.prove(ALICE, STATEMENT)
    signed = possession.PREFIX + ALICE.public65 + STATEMENT
    # Mallory has to name E' before she can compute it; any guess she hashes in is not what comes.
    guess = SigningKey.from_scalar(99).public65
    forged_key, forged = forge(ALICE.public65, proof, signed, possession.PREFIX + guess + mallorys)
    verify(compressed(forged_key), possession.PREFIX + guess + mallorys, forged)  # plain: holds
    for key in (forged_key, guess, ALICE.public65):
        with pytest.raises(ProofError):
            possession.check(key, mallorys, forged)


def test_a_shifted_or_scaled_encapsulation_has_no_proof():
    proof = possession.prove(ALICE, STATEMENT)
    alice = affine(ALICE.public65)
    for variant in (add(alice, affine(SigningKey.from_scalar(3).public65)), times(3, alice)):
        with pytest.raises(ProofError):
            possession.check(uncompressed(variant), STATEMENT, proof)


def test_the_little_arithmetic_of_this_test_is_right():
    assert (
        uncompressed(times(0xA11CE, affine(SigningKey.from_scalar(1).public65))) == ALICE.public65
    )
    assert ALICE.private.curve.name == ec.SECP256R1().name


@given(st.binary(max_size=66), st.binary(max_size=66))
def test_random_bytes_raise_only_our_family(enc, proof):
    with pytest.raises(CryptoError):
        possession.check(enc, STATEMENT, proof)
    with pytest.raises(ProofError):
        possession.check(ALICE.public65, STATEMENT, proof)
