"""Proof of possession: whoever submits a bid knows the ephemeral key of its encapsulation.

Threshold HPKE alone is malleable: who sees another's E may send E, E + δG or aE as a bid of its
own and, once that is opened, read the other's. So the submission is signed by the ephemeral key
too. Plain ECDSA would not do: from a signature (r, s) under E one computes a key aE + bG under
which (r, s') signs another text. With E itself hashed into the text that key would have to be
known before it is computed. (Assumption: ECDSA in the generic group and random oracle model.)
"""

from typing import Final

from crypto.errors import FormatError, ProofError, SignatureError
from crypto.hpke import load_point
from crypto.signature import SigningKey
from crypto.signature import verify as verify_signature

PREFIX: Final = b"kaibiao/possession/v1\n"


def prove(ephemeral: SigningKey, statement: bytes) -> bytes:
    """Sign the submission with the key that made the encapsulation.

    Args:
        ephemeral: the key kept by sealing.
        statement: canonical JSON of the submission's statement, without the prefix under which the
            bidder signs it (docs/spec/sealed-bid-v1.md §4.3).

    Returns:
        64 bytes r‖s.
    """
    return ephemeral.sign(PREFIX + ephemeral.public65 + statement)


def check(enc65: bytes, statement: bytes, proof: bytes) -> None:
    """Check a proof; returning means it holds.

    Args:
        enc65: the encapsulation out of the bid's own stanza, never out of the statement alone.
        statement: as in `prove`.
        proof: 64 bytes.

    Raises:
        FormatError: the encapsulation is not a point on P-256.
        ProofError: the submitter has not shown to know the encapsulation's secret.
    """
    load_point(enc65)
    compressed = bytes([2 + (enc65[64] & 1)]) + enc65[1:33]
    try:
        verify_signature(compressed, PREFIX + enc65 + statement, proof)
    except (SignatureError, FormatError) as error:
        raise ProofError(
            "the proof of possession does not hold: the submitter does not know this bid's key"
        ) from error
