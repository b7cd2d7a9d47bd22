"""Every verdict of the community's age test kit but those of the hybrid type."""

import hashlib
import io
import zlib
from dataclasses import dataclass, field

import pytest

from crypto.age.armor import ArmorReader
from crypto.age.file import decrypt, unwrap
from crypto.age.header import read_header
from crypto.age.stanzas import ScryptIdentity, X25519Identity
from crypto.age.stream import PayloadReader
from crypto.errors import AuthenticationError, CryptoError, FormatError, NoMatchError
from tests.places import vectors

FOLDER = vectors("age")
NAMES = sorted(path.name for path in FOLDER.iterdir() if "hybrid" not in path.name)
KNOWN = {
    "expect",
    "payload",
    "file key",
    "identity",
    "passphrase",
    "comment",
    "armored",
    "compressed",
}
ERRORS = {
    "header failure": FormatError,
    "armor failure": FormatError,
    "HMAC failure": AuthenticationError,
    "payload failure": CryptoError,
    "no match": NoMatchError,
}


@dataclass
class Vector:
    expect: str = ""
    payload: str = ""
    identities: list = field(default_factory=list)
    armored: bool = False
    data: bytes = b""


def load(name):
    head, _, data = (FOLDER / name).read_bytes().partition(b"\n\n")
    vector = Vector(data=data)
    for line in head.decode().splitlines():
        key, value = line.split(": ", 1)
        assert key in KNOWN, f"{name} has a key this harness does not know: {key}"
        if key == "identity":
            vector.identities.append(X25519Identity.parse(value))
        elif key == "passphrase":
            vector.identities.append(ScryptIdentity(value))
        elif key == "armored":
            vector.armored = True
        elif key == "compressed":
            vector.data = zlib.decompress(data)
        elif key in {"expect", "payload"}:
            setattr(vector, key, value)
    return vector


def source(vector):
    reader = io.BufferedReader(io.BytesIO(vector.data))
    return io.BufferedReader(ArmorReader(reader)) if vector.armored else reader


def judge(vector, opening):
    """The verdict of one way of opening: the hash of the plaintext, or the error's class."""
    try:
        return hashlib.sha256(opening(vector)).hexdigest()
    except CryptoError as error:
        return error


def by_threads(threads):
    def opening(vector):
        out = io.BytesIO()
        decrypt(source(vector), out.write, vector.identities, threads=threads)
        return out.getvalue()

    return opening


def by_reader(vector):
    file = source(vector)
    reader = PayloadReader(file, unwrap(read_header(file), vector.identities))
    plaintext = b"".join(reader)
    assert reader.verified
    return plaintext


@pytest.mark.parametrize("opening", [by_threads(1), by_threads(2), by_reader], ids=["1", "2", "r"])
@pytest.mark.parametrize("name", NAMES)
def test_verdict(name, opening):
    vector = load(name)
    verdict = judge(vector, opening)
    if vector.expect == "success":
        assert verdict == vector.payload
    else:
        assert isinstance(verdict, ERRORS[vector.expect])
        assert isinstance(verdict, NoMatchError) == (vector.expect == "no match")


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name.startswith("armor") and "scrypt" not in name]
)
def test_armored_files_need_not_be_announced(name):
    vector = load(name)
    announced = judge(vector, by_threads(1))
    vector.armored = False
    assert type(judge(vector, by_threads(1))) is type(announced)


def test_the_kit_is_whole_and_this_harness_can_fail():
    assert len(list(FOLDER.iterdir())) == 143
    vector = load("x25519")
    vector.data = vector.data[:-1] + bytes([vector.data[-1] ^ 1])
    assert isinstance(judge(vector, by_threads(1)), AuthenticationError)
