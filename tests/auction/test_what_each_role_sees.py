"""What auctions keep closed, by the bytes that each role receives (design.md §2).

Four readers: a watcher of the hall (every frame of its topic and the snapshot), a rival on its own socket, whoever
reads the ledger (chain heads), and whoever reads the public routes. Before its time a closed value is in nobody's
bytes; its own bidder alone has it back in its answer.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

import pytest

from tests.auction.stage import LISTING_RULES, QUOTA_RULES, Desk, Stage
from trading.ground.slots import slot_of

CAPPED = {**LISTING_RULES, "price_cap": "200"}


def play(home: Path, act: Callable[[Stage], Awaitable[None]]) -> None:
    async def run() -> None:
        stage = await Stage(home).start()
        await act(stage)
        await stage.stop()

    asyncio.run(run())


def seen(stage: Stage, lot: str, rival: Desk) -> dict[str, str]:
    """The bytes of every reader until now, as text."""
    stage.halls[lot].flush()
    topic = stage.hub._topics[f"lot:{lot}"]
    frames = [*topic.ring, topic.snapshot(stage.clock.now())]
    listed = [hall.state for hall in stage.halls.all()]
    book = stage.service.writer(lot).book
    routes = [listed, dict(book.rules), [dict(parcel) for parcel in book.parcels]]
    heads = stage.service.commitments(slot_of(stage.clock.now()))
    return {
        "watcher": b"".join(frames).decode(),
        "rival": json.dumps(rival.got, ensure_ascii=False),
        "ledger": json.dumps(heads),
        "routes": json.dumps(routes, ensure_ascii=False),
    }


def readers(views: dict[str, str], secret: str) -> set[str]:
    return {who for who, text in views.items() if secret in text}


def test_a_quote_shows_that_it_was_made_and_not_what_it_says(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        on_cap = {"kind": "one_shot", "wait_s": 0, "ask_s": 10, "quote_s": 10}
        lot, (a, b, rival) = await stage.listed({**CAPPED, "on_cap": on_cap})
        await a.bid("200")
        for desk in (a, b, rival):
            assert (await desk.bid(None, do="join"))["ok"]
        await stage.at(20_000)
        assert (await a.bid("237.77", do="quote"))["ok"]
        assert (await b.bid("241.13", do="quote"))["ok"]
        assert (await b.bid("199.99", do="quote"))[
            "code"
        ] == "ALREADY_QUOTED"  # refused, and closed too
        views = seen(stage, lot, rival)
        for secret in ("237.77", "241.13", "199.99"):
            assert readers(views, secret) == set()
        assert "237.77" in json.dumps(a.got)  # its own, with the salt that opens the commitment
        assert stage.hall(lot)["quoted"] == sorted([a.paddle, b.paddle])
        await stage.at(30_000)
        transcript = repr([row.body for row in stage.service.rows(lot)])
        assert all(secret in transcript for secret in ("237.77", "241.13", "199.99"))

    play(tmp_path, act)


def test_commits_come_when_asking_ends_and_nonces_when_revealing_ends(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        on_cap = {"kind": "lottery", "wait_s": 0, "ask_s": 10, "reveal_s": 10}
        lot, (a, b, rival) = await stage.listed({**CAPPED, "on_cap": on_cap})
        await a.bid("200")
        nonces = {a: "nonce-of-a-32-bytes", b: "nonce-of-b-32-bytes"}
        commits = {desk: sha256(nonce.encode()).hexdigest() for desk, nonce in nonces.items()}
        for desk, commit in commits.items():
            assert (await desk.bid(None, do="join", commit=commit))["ok"]
        for commit in commits.values():
            assert readers(seen(stage, lot, rival), commit) == set()
            assert commit not in repr(stage.service.rows(lot))
        await stage.at(20_000)
        assert all(commit in repr(stage.service.rows(lot)) for commit in commits.values())
        for desk, nonce in nonces.items():
            assert (await desk.bid(None, do="reveal", nonce=nonce))["ok"]
        for nonce in nonces.values():
            assert readers(seen(stage, lot, rival), nonce) == set()
            assert nonce not in repr(stage.service.rows(lot))
        await stage.at(30_000)
        assert all(nonce in repr(stage.service.rows(lot)) for nonce in nonces.values())

    play(tmp_path, act)


def test_who_sits_behind_a_paddle_is_nobodys_to_read_until_the_result(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, b, rival) = await stage.listed(LISTING_RULES)
        await a.bid("100")
        await b.bid("110")
        secrets = [
            text
            for desk in (a, b)
            for text in (desk.bidder.name, desk.bidder.organisation, desk.bidder.actor.key_id)
        ]
        secrets += [f"CODE{desk.bidder.actor.key_id}" for desk in (a, b)]
        views = seen(stage, lot, rival)
        for secret in secrets:
            assert readers(views, f'"{secret}') == set()
            assert readers(views, f'{secret}"') == set()
        assert readers(views, a.bidder.name) == set()
        assert readers(views, a.paddle) >= {"watcher", "routes"}  # the pseudonym is what they see
        assert a.paddle not in views["rival"]  # not even that on a rival's own channel
        await stage.at(100_000)
        assert "watcher" in readers(seen(stage, lot, rival), b.bidder.name)  # the winner's, now

    play(tmp_path, act)


def test_in_a_quota_session_the_notice_maps_parcels_to_holders_for_everybody(
    tmp_path: Path,
) -> None:
    async def act(stage: Stage) -> None:
        session, (a, _, rival) = await stage.quota(QUOTA_RULES)
        await a.bid("20")
        views = seen(stage, session, rival)
        assert readers(views, a.bidder.name) >= {"watcher", "routes"}
        assert a.bidder.name not in views["rival"]
        assert stage.hall(session)["standing"][0]["holder"] == a.bidder.name

    play(tmp_path, act)


def test_the_harness_finds_a_value_that_a_hall_gives_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: were quotes not among what is closed, the watcher would read one."""
    monkeypatch.setattr("auction.writer.lot.CLOSES", {})

    async def act(stage: Stage) -> None:
        on_cap = {"kind": "one_shot", "wait_s": 0, "ask_s": 10, "quote_s": 10}
        lot, (a, b, rival) = await stage.listed({**CAPPED, "on_cap": on_cap})
        await a.bid("200")
        for desk in (a, b):
            assert (await desk.bid(None, do="join"))["ok"]
        await stage.at(20_000)
        assert (await a.bid("237.77", do="quote"))["ok"]
        assert readers(seen(stage, lot, rival), "237.77") == {"watcher", "routes"}

    play(tmp_path, act)


def test_a_seat_is_told_to_its_own_organisation_alone(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        lot, desks = await stage.listed(LISTING_RULES)
        paddles = {desk.paddle for desk in desks}
        assert len(paddles) == len(desks)
        for desk in desks:
            seat = stage.service.seat_of(lot, desk.bidder.organisation)
            assert seat is not None
            assert seat.paddle == desk.paddle
            others = json.dumps(desk.got)
            assert not any(paddle in others for paddle in paddles - {desk.paddle})
        assert stage.service.seat_of(lot, "org_5") is None

    play(tmp_path, act)
