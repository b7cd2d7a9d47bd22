"""Cases of the abuse catalogue that no other test names: U8, U15, U18, E1, E8, E9, E12 (docs/cases.md)."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bidding.service.uploads import MAX_OPEN
from bidding.store import stream_of
from crypto.signature import key_id
from tests.bidding.centre import Centre
from tests.bidding.keeper import Keeper
from tests.bidding.test_quorum import code
from tests.bidding.test_run import read_out, restart, three
from trading.model import Role

PRICES = ["46382715.40", "47105600.00", "45998800.88"]


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    with Centre(tmp_path / "home") as made:
        made.first_people()
        yield made


def test_u18_whoever_holds_uploads_open_is_bounded_and_holds_nobody_else_up(
    centre: Centre,
) -> None:
    centre.set_up(minimum=3)
    slow, other = centre.bidder(1), centre.bidder(2)

    def begin(who: Any) -> Any:
        return centre.raw("POST", "/uploads", who, **{"Upload-Length": "100"})

    async def at_once(count: int) -> list[Any]:
        headers = {
            "authorization": f"Bearer {slow.who.token}",
            "Tus-Resumable": "1.0.0",
            "Upload-Length": "100",
        }
        return await asyncio.gather(
            *(centre.client.post("/api/v1/uploads", headers=headers) for _ in range(count))
        )

    centre.seal(slow, PRICES[0])
    centre.send_file(slow)  # whole, and nothing names it: it counts, for it takes room
    begun = centre.runner.run(at_once(MAX_OPEN))
    held = [one for one in begun if one.status_code == 201]
    assert len(held) == MAX_OPEN - 1
    refused = begin(slow.who)
    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:kaibiao:problem:uploads-too-many"
    assert begin(other.who).status_code == 201
    given_up = held[0].headers["location"].rsplit("/", 1)[1]
    assert centre.raw("DELETE", f"/uploads/{given_up}", slow.who).status_code == 204
    assert begin(slow.who).status_code == 201


def test_u15_two_versions_from_two_devices_at_once_are_put_in_order_and_the_last_counts(
    centre: Centre,
) -> None:
    centre.set_up(minimum=3)
    bidder = centre.hand_in(1, PRICES[0])
    first = bidder.receipts[0]["statement"]["entry"]["id"]
    bodies = []
    for price in ("40000000.00", "41000000.00"):
        centre.seal(bidder, price, supersedes=first)
        upload = centre.send_file(bidder)
        bodies.append({**bidder.submission, "upload": upload})
    path = f"/api/v1/sections/{centre.section}/submissions"
    headers = {"authorization": f"Bearer {bidder.who.token}"}

    async def both() -> list[Any]:
        return await asyncio.gather(
            *(centre.client.post(path, json=body, headers=headers) for body in bodies)
        )

    answers = centre.live(both())
    assert {answer.status_code for answer in answers} == {201}  # both have a receipt
    mine = centre.get(f"/sections/{centre.section}/submissions/me", bidder.who)
    ids = [act["id"] for act in mine["acts"]]
    assert len(ids) == 3
    assert [act["replaces"] for act in mine["acts"]] == ["", *ids[:2]]  # a total order
    assert mine["counts"] == ids[2]
    assert {answer.json()["statement"]["entry"]["id"] for answer in answers} == set(ids[1:])


def test_e1_with_one_custodian_gone_the_others_open_in_time(centre: Centre) -> None:
    three(centre)
    witness = Keeper(4)  # a log witness without a share: custodian-2 neither witnesses nor answers
    ledger = centre.ground.ledger
    centre.runner.run(ledger.register_witness(witness.vkey, "auditor", centre.clock.now()))
    centre.keepers[witness.id] = witness
    centre.until(centre.deadline)
    centre.cosign("custodian-1", "custodian-3", witness.id)
    for id_ in ("custodian-1", "custodian-3"):
        answer = centre.release(id_)
        assert answer.json()["status"] == "answered", centre.keepers[id_].verdict
    assert read_out(centre) == PRICES
    silent = next(one for one in centre.hall()["custody"]["custodians"] if one["index"] == 2)
    assert silent["status"] in {"waiting", "silent"}


def test_e8_openings_driven_at_once_and_answers_at_once_give_one_result(centre: Centre) -> None:
    three(centre)
    centre.until(centre.deadline)
    centre.cosign()
    request = centre.request()
    posts = [centre.answer_of(id_, *request) for id_ in ("custodian-1", "custodian-3")]
    path = f"/api/v1/custody/sections/{centre.section}/partials"

    async def everything() -> None:
        section = centre.section
        await asyncio.gather(
            *(centre.client.post(path, json=body) for body in posts * 3),
            *(centre.bidding.run.drive(section) for _ in range(5)),
        )

    centre.live(everything())
    kinds = [row.kind for row in centre.ground.journal.rows(stream_of(centre.section))]
    for once in ("closed", "price_stated", "float_drawn", "published", "unlock_begun", "imported"):
        assert kinds.count(once) == 1, once
    assert len(centre.bidding.room.book(centre.section).leaves["opened"]) == 1
    assert read_out(centre) == PRICES


def test_e9_a_custodians_keys_changed_between_seal_and_opening_leave_the_old_share_usable(
    centre: Centre,
) -> None:
    three(centre)
    new = Keeper(9)
    centre.carry("custodian.register", {"card": new.card(9)})  # for later sections
    centre.until(centre.deadline)
    centre.cosign()
    assert centre.release("custodian-1").json()["status"] == "answered"
    # The new keys hold no share of this section: nothing signed by them is an answer here.
    request = centre.request()
    posed = centre.answer_of("custodian-3", *request, speaker=new)
    refused = centre.call("POST", f"/custody/sections/{centre.section}/partials", posed)
    assert code(refused) == "custodian-unknown"
    assert centre.release("custodian-3").json()["status"] == "answered"
    assert read_out(centre) == PRICES


def test_e12_a_bidders_key_revoked_during_the_opening_changes_nothing_of_its_bid(
    centre: Centre,
) -> None:
    three(centre)
    key = centre.bidders["投标单位1"].who.key
    centre.until(centre.deadline)
    centre.carry("key.revoke", {"key_id": key_id(key.public), "reason": "离职"})
    restart_but(centre, "投标单位1")
    centre.cosign()
    for id_ in ("custodian-1", "custodian-3"):
        answer = centre.release(id_)
        assert answer.json()["status"] == "answered", centre.keepers[id_].verdict
    assert read_out(centre) == PRICES


def restart_but(centre: Centre, name: str) -> None:
    """A restart; who has no key any more logs in no more."""
    out = centre.bidders.pop(name)
    restart(centre)
    centre.bidders[name] = out


def test_e15_nothing_critical_is_done_by_one_person(centre: Centre) -> None:
    """Extend, end, declare: each wants the supervisor's signature and another who brings it."""
    from crypto import statement
    from tests.trading.world import CENTRE

    three(centre)
    supervisor, operator = centre.one(Role.SUPERVISOR), centre.one(Role.OPERATOR)
    now, tender = centre.clock.now(), centre.tender_file()["tender"]
    said = {"section": centre.section, "reason": "依规", "at": now, "tender": tender}
    later = {**said, "previous": centre.deadline, "deadline": centre.deadline + 60_000}
    for path, purpose, body in (
        ("postponements", "postponement", later),
        ("terminations", "termination", said),
    ):
        where = f"/sections/{centre.section}/{path}"
        alone = statement.sign(operator.key, purpose, CENTRE, body)
        assert code(centre.post(where, {"supervisor": alone}, operator)) == f"{purpose}-signer"
        signed = statement.sign(supervisor.key, purpose, CENTRE, body)
        assert centre.post(where, {"supervisor": signed}, supervisor).status_code == 403
    for act in ("read_next", "confirm", "seal"):
        assert centre.pace(act).status_code == 409  # the host opens nothing: the rule does
    assert centre.hall()["phase"] == "bidding"
