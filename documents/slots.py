"""Who signs a record and where on its page: plain facts, for those who draw and for those who only sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from documents.model import DocumentError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Slot:
    """Room for one signature.

    Attributes:
        name: name of the signature field, also the key under which a signer is given (centre, supervisor …).
        zh: what the page calls the signer.
        en: the same in English.
    """

    name: str
    zh: str
    en: str


CENTRE = Slot("centre", "交易中心（盖章）", "Trading centre")
SLOTS = {
    slot.name: slot
    for slot in (
        CENTRE,
        Slot("supervisor", "监督部门", "Supervisor"),
        Slot("host", "主持人", "Host"),
        Slot("opening_witness", "监标人", "Opening witness"),
        Slot("recorder", "记录人", "Recorder"),
        Slot("tenderer", "招标人", "Tenderer"),
        Slot("winner", "竞得人", "Winner"),
    )
}


@dataclass(frozen=True, slots=True)
class Field:
    """Where a slot came to lie: page from 0, box (left, bottom, right, top) in points."""

    name: str
    page: int
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A finished file waiting for its signatures; `purpose` is what the centre's seal will say."""

    pdf: bytes
    fields: tuple[Field, ...]
    title: str
    purpose: str


def slots_of(names: Sequence[str]) -> tuple[Slot, ...]:
    """Return the slots by name, the centre's last: its seal closes the record.

    Raises:
        DocumentError: for an unknown name or one given twice.
    """
    unknown = [name for name in names if name not in SLOTS]
    if unknown or len(set(names)) != len(names) or "centre" not in names:
        raise DocumentError(f"these cannot be the signers of a record: {', '.join(names)}")
    return (*(SLOTS[name] for name in names if name != "centre"), CENTRE)
