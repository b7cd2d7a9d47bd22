"""What an auditor finds about 优先购买权: a right withheld, given by nothing, or given too late, and the opened commitment."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from auction.record import audit
from auction.replay.book import JournalError
from auction.replay.rights import Right
from auction.service import business
from auction.service.admissions import Admissions
from auction.writer import LotWriter
from clients.auditor.inputs import report
from clients.auditor.keys import Keys
from documents.trust import NOTHING
from tests.auction.house import House
from tests.auction.preemption import (
    PROVED,
    RULES,
    SOLD,
    contested,
    fixed_paddles,
    line,
    play,
    recognised,
)
from tests.auction.stage import CENTRE, NOON, Stage
from tests.auction.test_paper import facts_of

HOUR = 3_600_000


@pytest.fixture(autouse=True)
def _drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    fixed_paddles(monkeypatch)


def rows_with(home: Path, rules: dict[str, Any] = RULES) -> list[Any]:
    async def act(stage: Stage) -> list[Any]:
        await contested(stage, rules)
        await stage.at(400_000)
        return stage.service.rows("lot_0")

    return list(play(home, act))


def test_a_holder_that_was_left_without_its_right_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Admissions, "_entitle", lambda *_: None)
    with pytest.raises(JournalError, match="left without its right"):
        audit(rows_with(tmp_path), CENTRE)


@pytest.mark.parametrize(
    ("basis", "rules"), [("notice", RULES), ("proof", RULES), ("notice", PROVED)]
)
def test_a_right_that_nothing_gives_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, basis: str, rules: dict[str, Any]
) -> None:
    """The centre favours its friend, who is bidder 0."""
    real = Admissions._entitle

    def favouring(self: Admissions, writer: LotWriter, deposit: Any, row: Any) -> None:
        seat = business.seat_with(writer.book, deposit.id)
        if deposit.organisation == "org_0" and seat is not None:
            writer.entitle(Right(seat.paddle, basis), row.at, row.position)
        else:
            real(self, writer, deposit, row)

    monkeypatch.setattr(Admissions, "_entitle", favouring)
    with pytest.raises(JournalError, match="a right that nothing gives it"):
        audit(rows_with(tmp_path, rules), CENTRE)


def test_a_right_given_to_who_has_seen_the_price_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(stage: Stage) -> list[Any]:
        lot, desks = await stage.listed(PROVED)
        assert (await desks[0].bid("100"))["ok"]
        with monkeypatch.context() as planted:
            for module in ("auction.writer.lot", "auction.replay.book"):
                planted.setattr(f"{module}.open_to_rights", lambda _: True)
            await recognised(stage, desks[2].bidder)
        await stage.at(400_000)
        return stage.service.rows(lot)

    rows = play(tmp_path, act)
    assert any(row.kind == "auction.entitled" for row in rows)
    with pytest.raises(JournalError, match="after timed bidding began"):
        audit(rows, CENTRE)


def test_record_dossier_and_auditor_say_the_same_and_show_the_opened_commitment(
    tmp_path: Path,
) -> None:
    async def run() -> tuple[str, Any, str]:
        house = await House(tmp_path).start()
        desks = await contested(house)
        assert (await desks[2].bid(None, do="match"))["ok"]
        await house.later(SOLD + 1_000)
        await house.filed()
        (closed,) = house.service.writer("lot_0").book.rights.values()
        made = [
            facts_of(await house.documents.pdf(one.record)) for one in house.documents.all("lot_0")
        ]
        await house.stop()
        return closed["commitment"], made, desks[2].bidder.name

    commitment, (transcript, confirmed), name = asyncio.run(run())
    assert commitment in line(transcript, "优先购买权人")
    assert (confirmed.holder, commitment in confirmed.conditions[-1]) == (name, True)
    found = report(tmp_path / "dossiers" / "lot_0-public.bag", Keys(NOTHING), NOON + HOUR)
    said = {one.id: one for one in found.checks}
    for check in ("replay", "transcript", "confirmations", "preemption"):
        assert said[f"auction.{check}"].status == "ok", said
    assert commitment in said["auction.preemption"].detail
