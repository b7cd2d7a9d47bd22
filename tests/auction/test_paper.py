"""Paper and dossier of auctions: each record once, whatever crashes and whenever, and a dossier that an auditor accepts."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import bagit
import pytest

from auction.record import confirmation_facts, transcript_facts
from clients.auditor.inputs import report
from clients.auditor.keys import Keys
from documents.bag import parse_event
from documents.model import ConfirmationFacts, TranscriptFacts
from documents.paper import check as check_paper
from documents.verify import NOTHING, Directory, verify_dossier
from tests.auction.house import WITNESS, House, crashed, kinds
from tests.auction.stage import CENTRE, LISTING_RULES, NOON, QUOTA_RULES
from trading.ground.problems import StorageFailed

Play = Callable[[House], Awaitable[Any]]
YEAR = 365 * 86_400_000


def play(home: Path, act: Play, now: int = NOON, **more: Any) -> Any:
    async def run() -> Any:
        house = await House(home, now, **more).start()
        try:
            return await act(house)
        finally:
            await house.stop()

    return asyncio.run(run())


async def sold(house: House) -> str:
    """A quota session of three parcels and two slots, run to its end."""
    lot, desks = await house.quota(QUOTA_RULES)
    for number, amount in ((0, "20"), (1, "20"), (2, "20"), (2, "40")):
        assert (await desks[number].bid(amount))["ok"]
    await house.later(100_000)
    return lot


def facts_of(pdf: bytes) -> Any:
    return check_paper(pdf, NOTHING, NOON + YEAR)[0].facts


def test_a_result_brings_a_transcript_and_a_confirmation_for_each_winner(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        lot = await sold(house)
        await house.paper.idle()
        assert kinds(house, lot) == ["transcript", "confirmation", "confirmation"]
        made = [facts_of(await house.documents.pdf(one.record)) for one in house.documents.all(lot)]
        transcript, first, second = made
        assert isinstance(transcript, TranscriptFacts)
        assert isinstance(first, ConfirmationFacts)
        rows = house.service.rows(lot)
        assert transcript == transcript_facts(rows, transcript.heading, transcript.officials)
        headings = [first.heading, second.heading]
        again = confirmation_facts(
            rows,
            lambda place: headings[place - 1],
            transcript_number=transcript.heading.number,
            conditions=first.conditions,
        )
        assert again == [first, second]
        assert len({one.heading.number for one in made}) == 3

    play(tmp_path, act)


def test_no_winner_no_confirmation(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        lot, _ = await house.listed(LISTING_RULES)
        await house.later(100_000)
        await house.paper.idle()
        assert kinds(house, lot) == ["transcript"]

    play(tmp_path, act)


def test_the_conditions_are_those_of_the_notice_where_it_has_some(tmp_path: Path) -> None:
    said = ["十日内签约。", "逾期视为放弃。"]

    async def act(house: House) -> None:
        paper: Any = house.paper
        announced = {"mode": "quota", "parcels": [{"id": "L1"}, {"id": "L2", "conditions": said}]}
        assert paper._conditions_of(announced) == said
        announced["parcels"][1]["conditions"] = [1]
        assert len(paper._conditions_of(announced)) == 3

    play(tmp_path, act)


def test_a_crash_between_two_records_leaves_the_rest_to_the_next_start(tmp_path: Path) -> None:
    async def act(house: House) -> str:
        issue, count = house.documents.issue, 0

        async def once(*facts: Any, **more: Any) -> Any:
            nonlocal count
            count += 1
            if count == 3:
                crashed(house)
                await asyncio.sleep(0)
            return await issue(*facts, **more)

        house.documents.issue = once  # type: ignore[method-assign]
        lot = await sold(house)
        await asyncio.gather(house.paper.idle(), return_exceptions=True)
        assert kinds(house, lot) == ["transcript", "confirmation"]
        assert house.shelf.subjects() == []
        return lot

    async def again(house: House) -> list[str]:
        await house.paper.idle()
        return [one.number for one in house.documents.all("ses_1")]

    assert play(tmp_path, act) == "ses_1"
    numbers = play(tmp_path, again, NOON + 1_000_000)
    assert len(numbers) == len(set(numbers)) == 3
    assert play(tmp_path, again, NOON + 2_000_000) == numbers  # and nothing twice


def test_what_a_stopped_journal_refused_is_issued_when_it_goes_on(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        issue = house.documents.issue

        async def refused(*_facts: Any, **_more: Any) -> Any:
            raise StorageFailed

        house.documents.issue = refused  # type: ignore[method-assign]
        lot = await sold(house)
        await house.paper.idle()
        assert kinds(house, lot) == []
        house.documents.issue = issue  # type: ignore[method-assign]
        paper: Any = house.paper
        paper._resume()
        await paper._resuming
        await house.paper.idle()
        assert len(kinds(house, lot)) == 3

    play(tmp_path, act)


def test_the_loop_turns_while_paper_is_made(tmp_path: Path) -> None:
    async def act(house: House) -> int:
        lot = await sold(house)
        assert len(kinds(house, lot)) < 3
        turns = 0
        task = asyncio.ensure_future(house.paper.idle())
        while not task.done():
            await asyncio.sleep(0)
            turns += 1
        return turns

    assert play(tmp_path, act) > 20


# The dossier.


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A home with a filed session, witnessed, and what a verifier has pinned."""
    home = tmp_path_factory.mktemp("filed")

    async def act(house: House) -> Any:
        await house.witness()
        lot = await sold(house)
        await house.paper.idle()
        await house.later(house.clock.now() - NOON + 1000)
        await house.cosign()
        await house.filer.idle()
        assert house.shelf.subjects() == [lot]
        return house.trust()

    return home, play(home, act, wait_s=20)


def test_public_and_full_dossier_pass_every_check(filed: tuple[Path, Any]) -> None:
    home, trust = filed
    for rendition in ("public", "full"):
        folder = home / "dossiers" / f"ses_1-{rendition}.bag"
        found = verify_dossier(str(folder), Directory(folder), trust, NOON + YEAR)
        assert found.verdict == "valid", found
        assert WITNESS in next(one.detail for one in found.checks if one.id == "bag.witnesses")
        assert bagit.Bag(str(folder)).is_valid()


def test_the_auditor_derives_the_session_again_from_its_dossier(filed: tuple[Path, Any]) -> None:
    home, trust = filed
    found = report(home / "dossiers" / "ses_1-public.bag", Keys(trust), NOON + YEAR)
    wrong = [one for one in found.checks if one.essential and one.status != "ok"]
    # The stage's bidders have keys that no leaf issues; an auditor cannot say whose they are.
    assert [one.id for one in wrong] == ["auction.delegations"], wrong
    assert wrong[0].status == "not_checked"


def test_the_dossier_holds_every_slot_from_the_announcement_to_the_result(
    filed: tuple[Path, Any],
) -> None:
    folder = filed[0] / "dossiers" / "ses_1-public.bag" / "data"
    rows = [parse_event(line) for line in (folder / "events.jsonl").read_bytes().splitlines()]
    leaves = (folder / "ledger" / "leaves.jsonl").read_text().splitlines()
    assert {row.stream for row in rows} == {"lot:ses_1"}
    result = next(row for row in rows if row.kind == "auction.result")
    slots = [line for line in leaves if '"kind":"slot"' in line]
    assert any(result.chain.hex() in line for line in slots)
    assert len(slots) > 60  # it ran for more than a minute, and none is left out


def test_what_the_centre_keeps_to_itself_is_in_no_dossier(filed: tuple[Path, Any]) -> None:
    everything = b"".join(
        path.read_bytes() for path in (filed[0] / "dossiers").rglob("*") if path.is_file()
    )
    for key in (filed[0] / "keys").glob("*.key.pem"):
        assert key.read_bytes() not in everything
    assert b"PRIVATE KEY" not in everything


def test_without_witnesses_the_dossier_is_written_all_the_same(tmp_path: Path) -> None:
    async def act(house: House) -> Any:
        await sold(house)
        await house.filed()
        return house.trust()

    trust = play(tmp_path, act)
    folder = tmp_path / "dossiers" / "ses_1-public.bag"
    found = verify_dossier(str(folder), Directory(folder), trust, NOON + YEAR)
    assert found.verdict == "valid"
    assert "not_checked" in [one.status for one in found.checks if one.id == "bag.witnesses"]


def test_a_crash_before_the_dossier_leaves_it_to_the_next_start(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        def full(_contents: Any) -> Any:
            raise OSError(28, "No space left on device")

        house.shelf.put = full  # type: ignore[method-assign]
        await sold(house)
        await house.filed()
        assert len(kinds(house, "ses_1")) == 3
        assert house.shelf.subjects() == []
        # What a kill in the middle leaves: a scratch folder, and a full rendition without its public one.
        (tmp_path / "dossiers" / ".writing-x" / "full").mkdir(parents=True)
        (tmp_path / "dossiers" / "ses_1-full.bag").mkdir()

    async def again(house: House) -> Any:
        await house.filed()
        assert house.shelf.subjects() == ["ses_1"]
        return house.trust()

    play(tmp_path, act)
    trust = play(tmp_path, again, NOON + 1_000_000)
    assert not list((tmp_path / "dossiers").glob(".writing-*"))
    for rendition in ("public", "full"):
        folder = tmp_path / "dossiers" / f"ses_1-{rendition}.bag"
        assert verify_dossier("", Directory(folder), trust, NOON + YEAR).verdict == "valid"
    before = (tmp_path / "dossiers" / "ses_1-public.bag").stat().st_mtime_ns
    play(tmp_path, again, NOON + 2_000_000)  # and once is enough
    assert (tmp_path / "dossiers" / "ses_1-public.bag").stat().st_mtime_ns == before
    assert CENTRE in (tmp_path / "dossiers" / "ses_1-public.bag" / "bag-info.txt").read_text()
