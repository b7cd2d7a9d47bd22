"""The one error family of this floor.

A caller that catches `CryptoError` has caught every way in which input made by others can be
wrong. The classes below it say whose fault it is, never which byte of a secret was wrong.
"""


class CryptoError(Exception):
    """Something made by others does not hold; the sentence says what, and whose move it is."""


class FormatError(CryptoError):
    """The bytes are not of the promised form: grammar, length, encoding or bounds."""


class AuthenticationError(CryptoError):
    """The form is right, yet a key does not fit or the content was changed."""


class NoMatchError(AuthenticationError):
    """No stanza of this age file is for the keys at hand; the file may be perfectly sound."""


class SignatureError(CryptoError):
    """A signature, a signer's key or the purpose of a statement does not hold."""


class ProofError(CryptoError):
    """A proof (inclusion, consistency, equality of logarithms, possession) does not hold."""


class CeremonyError(CryptoError):
    """A key ceremony cannot go on: a message is missing, foreign, contradictory or false."""
