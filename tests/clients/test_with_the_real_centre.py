"""Our clients before the real services: ceremony, sealing, handing in, witnessing, release, opening."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

from bidding.model import TenderFile
from clients import handing_in, sealing
from clients import trust as trust_file
from clients.custodian import card, handed, roster
from clients.custodian.ceremony import SHARE, keep_share, load_share
from clients.custodian.home import Home, Identity
from clients.custodian.roster import Roster
from clients.custodian.serve import Custodian
from clients.errors import ClientError
from clients.sdk.session import login
from clients.sdk.wire import Answer
from clients.sdk.wire import Centre as Wire
from clients.tenders import check
from crypto.p256 import Secret
from documents.trust import Trust
from tests.bidding.centre import CENTRE_KEY, Bidder
from tests.bidding.centre import Centre as Room
from tests.clients.scene import self_signed
from tests.trading.world import CENTRE, ORIGIN
from trading.model import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from clients.sdk.wire import Body


class Loop:
    """The wire's Transport into the application of this process; time passes while it answers."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def send(self, method: str, path: str, headers: Mapping[str, str], body: Body) -> Answer:
        content = (
            b"".join(body) if isinstance(body, Iterable) and not isinstance(body, bytes) else body
        )
        request = self._room.client.request(method, path, content=content, headers=dict(headers))
        waits = method == "POST" and path.endswith(("submissions", "withdrawals"))
        answer = self._room.live(request) if waits else self._room.runner.run(request)
        return Answer(answer.status_code, dict(answer.headers), answer.content)

    def close(self) -> None:
        return


class Staffed(Room):
    """The real centre with our custodians' homes."""

    def __init__(self, home: Path) -> None:
        self.folder = home.parent
        self.homes: list[Home] = []
        super().__init__(home)

    def custodians(self, count: int = 3) -> list[str]:
        for number in range(len(self.homes) + 1, count + 1):
            identity = Identity(
                role=card.CUSTODIAN, centre=CENTRE, organisation=f"托管单位{number}"
            )
            home = Home.create(
                self.folder / f"c{number}",
                identity,
                "pass",
                now=self.clock.now(),
                work=1,
                secret=bytes([number]) * 32,
            )
            self.homes.append(home)
            self.carry("custodian.register", {"card": dict(home.card().signed)})
        return [home.keys.name for home in self.homes]

    def meet(self) -> None:
        """Everybody joins and serves."""
        self.custodians()
        body = roster.build(
            CENTRE,
            CENTRE_KEY.public,
            self.one(Role.SUPERVISOR).key.public,
            self.ground.ledger.vkey,
            [home.card().signed for home in self.homes],
            [],
        )
        self.roster = Roster.from_json(body)
        self.lines: list[str] = []
        self.staff = [
            Custodian(home, self.roster, Wire(Loop(self), ORIGIN), self.clock, self.lines.append)
            for home in self.homes
        ]

    def ceremony_round(self) -> None:
        if not self.homes or not hasattr(self, "staff"):
            self.meet()
        for each in self.staff:
            each.step()

    def pem(self) -> str:
        return self_signed(CENTRE_KEY, CENTRE) + "".join(
            (home.path / "certificates.pem").read_text() for home in self.homes
        )

    def bid(self, number: int, price: str, supersedes: str = "") -> tuple[Bidder, Path]:
        """Seals a bid as `seal` does."""
        bidder = self.bidder(number)
        folder = self.folder / f"bidder-{number}{'-2' * bool(supersedes)}"
        folder.mkdir()
        (folder / "投标函.pdf").write_bytes(price.encode() * 5000)
        (folder / "trust.pem").write_text(self.pem())
        signed = self.get(f"/sections/{self.section}/tender.json")
        tender = check(signed, trust_file.read(folder / "trust.pem"))
        summary = sealing.Summary(
            bidder=bidder.who.organisation,
            parties=(bidder.who.organisation,),
            values={"total_price": price},
        )
        sealed = folder / "BID.age"
        sealing.seal(
            tender,
            summary,
            bidder.who.key,
            [folder / "投标函.pdf"],
            sealed,
            supersedes=supersedes,
            threads=1,
        )
        return bidder, sealed

    def wire(self, bidder: Bidder) -> Wire:
        made = Wire(Loop(self), ORIGIN)
        login(made, bidder.who.key, CENTRE)
        return made

    def hand(self, bidder: Bidder, sealed: Path) -> handing_in.Handed:
        return handing_in.submit(
            self.wire(bidder),
            sealed,
            bidder.who.key,
            trust=Trust.from_pem(self.pem().encode()),
            clock=self.clock,
            progress=lambda *_: None,
        )


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Staffed]:
    with Staffed(tmp_path / "home") as made:
        made.first_people()
        yield made
        for home in made.homes:
            home.close()


def prepare(centre: Staffed) -> list[tuple[Bidder, Path]]:
    centre.set_up(minimum=3)
    bids = [
        centre.bid(1, "46382715.40"),
        centre.bid(2, "47105600.00"),
        centre.bid(3, "45998800.88"),
    ]
    for bidder, sealed in bids:
        centre.hand(bidder, sealed)
    return bids


def test_a_section_from_its_key_to_its_opening_with_one_custodian_lying(centre: Staffed) -> None:
    bids = prepare(centre)
    first = bids[1][0], bids[1][1].with_suffix(".receipt.json")
    again, sealed = centre.bid(2, "47000000.00", sealing.superseded(first[1], centre.section))
    handed_in = centre.hand(again, sealed)
    assert centre.hand(again, sealed).receipt == handed_in.receipt
    bidder, sealed = centre.bid(4, "46200000.00")
    receipt = centre.hand(bidder, sealed).path
    gone = handing_in.withdraw(
        centre.wire(bidder),
        receipt,
        bidder.who.key,
        trust=Trust.from_pem(centre.pem().encode()),
        clock=centre.clock,
    )
    assert gone.receipt.entry.kind == "withdrawal"
    late, sealed = centre.bid(5, "45000000.00")

    ceremony = TenderFile.from_body(
        {
            k: v
            for k, v in centre.tender_file().items()
            if k not in {"v", "suite", "purpose", "centre"}
        }
    ).ceremony
    liar = centre.homes[1]
    honest = load_share(liar, ceremony)
    liar.state.unsay(SHARE, ceremony)
    keep_share(liar, ceremony, Secret(honest.scalar + 1), centre.clock.now())

    for each in centre.staff:
        each.step()
    centre.until(centre.deadline + 20)
    with pytest.raises(handing_in.RefusedBidError, match="bid-deadline-passed"):
        centre.hand(late, sealed)
    for _ in range(3):
        for each in centre.staff:
            each.step()
        centre.until(centre.clock.now() + 500)
    hall = centre.hall()
    assert hall["phase"] == "reading_out", centre.lines
    assert centre.pace("read_all").status_code == 200
    rows = {row["bidder"]: row["price"] for row in centre.hall()["rows"]}
    assert rows == {
        "投标单位1": "46382715.40",
        "投标单位2": "47000000.00",
        "投标单位3": "45998800.88",
        "投标单位4": "",
    }
    releases = [line for line in centre.lines if "partial decryptions released" in line]
    assert len(releases) == 3
    leaves = b"".join(centre.ground.ledger.leaves(0, centre.ground.ledger.size))
    assert b'"status":"wrong"' in leaves


def test_two_holds_keep_a_section_shut_until_they_are_lifted(centre: Staffed) -> None:
    prepare(centre)
    hold = handed.put_on_hold
    for home in centre.homes[:2]:
        hold(home.state, centre.section, "法院裁定", centre.clock.now())
    centre.until(centre.deadline + 20)
    for _ in range(2):
        for each in centre.staff:
            each.step()
    assert centre.hall()["phase"] == "unlocking"
    assert sum("refused, not-held" in line for line in centre.lines) == 2
    for home in centre.homes[:2]:
        hold(home.state, centre.section, None, centre.clock.now())
    for each in centre.staff:
        each.step()
    assert centre.hall()["phase"] == "reading_out", centre.lines


def test_a_custodian_asked_before_the_hour_says_nothing_because_the_centre_has_nothing(
    centre: Staffed,
) -> None:
    prepare(centre)
    with pytest.raises(ClientError, match="too-early"):
        centre.staff[0].releases.answer(centre.staff[0].centre, centre.section, centre.clock.now())
