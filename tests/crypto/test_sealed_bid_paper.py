"""The example in docs/spec/sealed-bid-v1.md is true, and other languages can read the same bid."""

import io
import json
import re
import tarfile

import pytest

from crypto import possession, statement
from crypto.age.file import decrypt_bytes
from crypto.age.header import read_header
from crypto.age.stanzas import P256TagIdentity, check_tag
from crypto.canonical import canonical
from crypto.encoding import b64
from tests.crypto.age.keys import exchange
from tests.crypto.sealed_bid_example import (
    BIDDER,
    CENTRE,
    EPHEMERAL,
    FILE_KEY,
    LETTER,
    NONCE,
    SECTION,
    Example,
)
from tests.places import REPOSITORY

PAPER = (REPOSITORY / "docs" / "spec" / "sealed-bid-v1.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"```(\w+)\n(.*?)```", PAPER, re.DOTALL))
VECTOR = REPOSITORY / "tests" / "vectors" / "sealed-bid-v1.json"


@pytest.fixture(scope="module")
def example():
    return Example()


def scalar(key):
    return key.private.private_numbers().private_value.to_bytes(32)


def test_the_paper_shows_the_bid_byte_for_byte(example):
    assert BLOCKS["recipient"] == example.recipient + "\n"
    assert BLOCKS["header"] == example.header.decode()
    assert json.loads(BLOCKS["submission"]) == example.submission
    assert BLOCKS["possession"] == b64(example.proof) + "\n"
    with tarfile.open(fileobj=io.BytesIO(example.package)) as tar:
        listed = [f"{m.name} {m.size} bytes of content at offset {m.offset_data}" for m in tar]
        manifest = tar.extractfile("manifest.json").read()
    listed.append(f"then two zero blocks; {len(example.package)} bytes in all")
    assert [" ".join(line.split()) for line in BLOCKS["listing"].splitlines()] == listed
    assert canonical(json.loads(BLOCKS["manifest"])) == manifest
    assert f"first {len(example.header)} bytes are text" in PAPER
    assert f"{len(example.sealed) - len(example.header):,} bytes of nonce" in PAPER


def test_the_shown_bid_opens_and_everything_about_it_holds(example):
    header = read_header(io.BytesIO(example.sealed))
    bid = header.bid_stanza()
    check_tag(bid, SECTION.public65)
    identity = P256TagIdentity(SECTION.public65, lambda enc: exchange(enc, SECTION))
    assert decrypt_bytes(example.sealed, [identity]) == example.package
    said = statement.verify(
        example.submission, purpose="submission", centre=CENTRE, key=BIDDER.public
    )
    assert said["encapsulation"] == b64(bid.enc)
    possession.check(bid.enc, canonical(example.submission["statement"]), example.proof)


def test_other_languages_read_the_same_bid(example):
    expected = {
        "about": "docs/spec/sealed-bid-v1.md, made again with these secrets; base64 and hex",
        "section_secret": scalar(SECTION).hex(),
        "bidder_secret": scalar(BIDDER).hex(),
        "ephemeral_secret": scalar(EPHEMERAL).hex(),
        "file_key": FILE_KEY.hex(),
        "nonce": NONCE.hex(),
        "centre": CENTRE,
        "recipient": example.recipient,
        "file": {"name": "投标函.txt", "content": b64(LETTER)},
        "package": b64(example.package),
        "header": example.header.decode(),
        "sealed": b64(example.sealed),
        "submission": example.submission,
        "possession": b64(example.proof),
    }
    assert json.loads(VECTOR.read_text("utf-8")) == expected
