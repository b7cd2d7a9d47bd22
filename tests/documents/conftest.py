"""Records made once for all tests of this room: drawing and signing are the dear part."""

from __future__ import annotations

import dataclasses

import pytest

from documents.draw import unsigned
from documents.sign import sign
from documents.trust import Trust
from tests.documents import auction_samples, ledger, pki, samples

SIGNED_AT = samples.T + 960_000
NOW = samples.T + 86_400_000
SLOTS = {
    "notice": ("centre", "tenderer"),
    "opening": ("centre", "host", "opening_witness", "supervisor"),
    "transcript": ("centre", "supervisor"),
    "confirmation": ("centre", "winner"),
}


@pytest.fixture(scope="session")
def world() -> pki.Pki:
    return pki.build()


@pytest.fixture(scope="session")
def log() -> ledger.Log:
    return ledger.Log(f"{samples.CENTRE}/ledger/k3f7q2")


@pytest.fixture(scope="session")
def trust(world, log) -> Trust:
    return Trust((world.root, world.tsa_certificate, *log.certificates(world)))


def sealed(
    world: pki.Pki, facts, slots=("centre",), *, at=SIGNED_AT, centre=None, stamp=None
) -> bytes:
    """Draw, finish and sign in one go."""
    ready = unsigned(facts, slots)
    people = {"host": world.host}
    who = [
        (centre or world.centre)
        if slot == "centre"
        else dataclasses.replace(people.get(slot, world.supervisor), slot=slot)
        for slot in slots
    ]
    return sign(ready.pdf, ready.fields, who, stamp or world.tsa(at).stamp, ready.purpose, at)


@pytest.fixture(scope="session")
def records(world) -> dict[str, bytes]:
    """One signed record of each kind."""
    made = {kind: auction_samples.BY_KIND[kind]() for kind in SLOTS}
    return {kind: sealed(world, facts, SLOTS[kind]) for kind, facts in made.items()}


@pytest.fixture
def pdf_file(tmp_path):
    """A function that lays bytes into a file for outside tools."""

    def lay(data: bytes, name: str = "record.pdf"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return lay
