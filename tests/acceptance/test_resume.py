"""After a storage error everything goes on by itself: what could not be taken up at once is tried again."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.hostile.whole import LISTING, Whole
from tests.acceptance.test_both_databases import Hand, woken
from tests.bidding.office import Office
from trading.ground.problems import StorageFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def whole(tmp_path: Path, stored: str) -> Iterator[Whole]:
    with Whole(tmp_path / "home") as made:
        made.first_people()
        yield made


def failing_once(journal: Any, of: Callable[[Any], bool]) -> None:
    """Let the next commit with a draft of a kind meet an input/output error."""
    real = journal._commit

    def commit(items: Any) -> Any:
        if any(of(draft) for item in items for draft in item.drafts):
            journal._commit = real
            raise OSError(5, "Input/output error")
        return real(items)

    journal._commit = commit


def test_auctions_that_cannot_be_recovered_at_once_are_tried_again_until_they_stand(
    whole: Whole,
) -> None:
    _, (lot,) = whole.session(LISTING)
    who = whole.bidder(1).who
    assert whole.deposit(who, lot, "100.00").status_code == 201
    whole.clock.advance(20_000)
    whole.runner.run(woken(whole))
    hand = Hand(whole, lot, who)
    real, tries = whole.auctions.start, []

    async def start() -> None:
        tries.append(whole.clock.now())
        if len(tries) < 4:
            raise StorageFailed("The journal cannot be read.")
        await real()

    whole.auctions.start = start  # type: ignore[method-assign]
    failing_once(whole.ground.journal, lambda draft: draft.kind == "auction.decided")
    assert hand.bid("100.00")["type"] == "problem"
    for _ in range(40):
        if len(tries) == 4:
            break
        whole.clock.advance(1_000)
        whole.runner.run(woken(whole))
    assert len(tries) == 4
    gaps = [after - before for before, after in pairwise(tries)]
    assert gaps == sorted(gaps)
    assert gaps[-1] > gaps[0]  # later and later
    assert whole.call("GET", "/centre").status_code == 200
    assert Hand(whole, lot, who).bid("100.00")["ok"]


def test_a_record_that_a_storage_error_kept_back_is_issued_when_the_journal_goes_on(
    tmp_path: Path,
) -> None:
    with Office(tmp_path / "home") as office:
        office.first_people()
        office.set_up()
        for number, price in ((1, "46382715.40"), (2, "47105600.00"), (3, "45998800.88")):
            office.hand_in(number, price)
        office.ground.journal.on_resume(office.bidding.resume)  # as `main` does
        failing_once(
            office.ground.journal,
            lambda draft: draft.kind == "record" and draft.body["type"] == "opening",
        )
        office.sealed()
        office.awaited(lambda: office.ground.journal.stopped)
        office.runner.run(office.ground.journal.reload())
        office.filed()
        issued = [one.kind for one in office.documents.all(office.section)]
        assert issued.count("opening") == 1


def test_a_receipt_that_a_storage_error_kept_back_is_made_when_the_journal_goes_on(
    tmp_path: Path,
) -> None:
    with Office(tmp_path / "home") as office:
        office.first_people()
        office.set_up(deadline=office.clock.now() // 1000 * 1000 + 60_000)
        office.ground.journal.on_resume(office.bidding.resume)
        bidder = office.seal(office.bidder(1), "46382715.40")
        office.send_file(bidder)
        failing_once(office.ground.journal, lambda draft: draft.kind == "receipt")
        refused = office.submit(bidder)
        assert refused.status_code == 503
        assert "not acknowledged" in refused.json()["detail"]
        office.runner.run(office.ground.journal.reload())
        book = office.bidding.room.keyed(office.section)
        office.awaited(lambda: len(book.receipts) == 1)
        again = office.submit(bidder)
        assert again.status_code == 201
        assert again.json() == next(iter(book.receipts.values()))
        assert len(book.kept) == 1


def test_while_the_database_is_away_the_centre_is_alive_and_not_ready_and_acknowledges_nothing(
    tmp_path: Path, postgres: Any, postgres_url: str
) -> None:
    def codes(whole: Whole) -> tuple[int, int]:
        """Of `/healthz` and `/readyz`."""
        alive, ready = (
            whole.runner.run(whole.client.get(path)).status_code for path in ("/healthz", "/readyz")
        )
        return alive, ready

    with Whole(tmp_path / "home", database=postgres_url) as whole:
        whole.first_people()
        section = whole.set_up(deadline=whole.clock.now() // 1000 * 1000 + 600_000)
        bidder = whole.seal(whole.bidder(1), "46382715.40")
        whole.send_file(bidder)
        assert codes(whole) == (200, 200)
        postgres.stop()
        refused = whole.submit(bidder)
        assert refused.status_code == 503
        assert "acknowledged" in refused.text
        whole.clock.advance(1_000)
        whole.runner.run(stopped(whole))
        assert codes(whole) == (200, 503)
        postgres.ensure_postgres_running()
        for _ in range(20):
            if not whole.ground.journal.stopped:
                break
            whole.clock.advance(2_000)
            whole.runner.run(woken(whole))
        assert codes(whole) == (200, 200)
        assert whole.submit(bidder).status_code == 201
        kept = whole.bidding.room.keyed(section).kept
        assert len(kept) == 1


async def stopped(whole: Whole) -> None:
    """Let the journal meet what has happened to its database."""
    with pytest.raises(StorageFailed):
        await whole.ground.ledger.add("note", {"about": "nothing"}, whole.clock.now())
    await whole.settle()
