"""A whole opening on a frozen clock, with its records on paper and its dossier as the centre itself files them.

Stories: a opens; b replaced its bid and opens; c is damaged inside; d withdrew; e was late; custodian 2 lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.bidding.drawing import commit, reveal
from tests.bidding.office import Office
from trading.model import Role

if TYPE_CHECKING:
    from pathlib import Path

    from tests.documents.pki import Pki

NAME = "岐江市公共资源交易中心"


@dataclass
class Made:
    """What a demo would leave: trust file, two bags, receipts, a refusal; and keys for forgers.

    `log` and `notes` are the private keys of the log and of all witnesses, `leaves` the ledger.
    """

    trust: Path
    public: Path
    full: Path
    receipts: list[dict[str, Any]]
    withdrawn: dict[str, Any]
    refusal: dict[str, Any]
    section: str
    at: int
    names: dict[str, str]
    log: Any
    origin: str
    leaves: list[bytes]
    notes: dict[str, Any]


def make(folder: Path, pki: Pki) -> Made:
    with Office(folder / "home", centre_name=NAME) as office:
        office.first_people()
        office.filer._wait_s = 20
        return _tell(office, folder, pki)


def _tell(office: Office, folder: Path, pki: Pki) -> Made:
    section = office.set_up(minimum=3)
    tenderer = office.one(Role.TENDERER)
    assert commit(office, tenderer).status_code == 201  # a second party to the float draw
    a = office.hand_in(1, "46382715.40")
    b = office.hand_in(2, "47105600.00")
    office.seal(b, "47000000.00", supersedes=b.receipts[-1]["statement"]["entry"]["id"])
    office.send_file(b)
    assert office.submit(b).status_code == 201
    c = office.hand_in(3, "45998800.88", damage=True)
    d = office.hand_in(4, "46200000.00")
    gone = office.withdraw(d).json()
    late = office.bidder(5)
    office.seal(late, "45000000.00")
    office.send_file(late)
    office.until(office.deadline + 20)
    refused = office.submit(late).json()["refusal"]
    assert reveal(office, tenderer).status_code == 201
    office.cosign()
    assert office.release("custodian-1").json()["status"] == "answered"
    office.keepers["custodian-2"].lies = True
    assert office.release("custodian-2").json()["status"] == "wrong"
    assert office.release("custodian-3").json()["status"] == "answered"
    assert office.pace("read_all").status_code == 200
    assert office.decided() == 1
    assert office.pace("confirm").status_code == 200
    assert office.confirm_reading(a).status_code == 201
    office.until(office.clock.now() + 61_000)
    assert office.pace("seal").status_code == 200
    office.awaited(lambda: "opening" in office.bidding.room.shelf.books[section].records)
    office.cosign()
    office.filed()
    trust = folder / "trust.pem"
    trust.write_bytes(office.trust(pki))
    bags = office.settings.home / "dossiers"
    ledger = office.ground.ledger
    return Made(
        trust=trust,
        public=bags / f"{section}-public.bag",
        full=bags / f"{section}-full.bag",
        receipts=[one for who in (a, b, c, d) for one in who.receipts],
        withdrawn=gone,
        refusal=refused,
        section=section,
        at=office.clock.now() + 1000,
        names={
            story: who.receipts[-1]["statement"]["entry"]["id"]
            for story, who in (("a", a), ("b", b), ("c", c))
        },
        log=ledger._key,
        origin=ledger.origin,
        leaves=[ledger.leaf(index) for index in range(ledger.size)],
        notes={keeper.id: keeper.note for keeper in office.keepers.values()},
    )
