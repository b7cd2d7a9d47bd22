"""One participant must not be able to spoil a record for all, by whatever it writes where writing is allowed."""

import asyncio

import pytest

from crypto import statement
from tests.acceptance.hostile.whole import Bidder, Whole
from tests.trading.world import CENTRE
from trading.model import Role

WILD = "唱标有误😀\u202e\u200b𠮷㑇\U000e0001 <b>&amp;</b> <para>"


def object_(whole: Whole, bidder: Bidder, text: str) -> int:
    body = {"section": whole.section, "bidder": bidder.who.organisation, "text": text, "files": []}
    signed = statement.sign(bidder.who.key, "objection", CENTRE, body)
    return whole.post(f"/openings/{whole.section}/objections", signed, bidder.who).status_code


def recorded(whole: Whole) -> bool:
    """Whether the opening's signed record comes, in half a minute."""

    async def go() -> bool:
        for _ in range(3_000):
            if "opening" in whole.bidding.room.shelf.books[whole.section].records:
                return True
            await asyncio.sleep(0.01)
        return False

    return bool(whole.runner.run(go()))


@pytest.mark.parametrize("text", [WILD, "😀" * 4_000, "\n" * 4_000], ids=["wild", "emoji", "lines"])
def test_an_objection_of_any_text_ends_in_a_signed_record(whole: Whole, text: str) -> None:
    whole.set_up(minimum=3)
    for number in (101, 102, 103):
        whole.hand_in(number, f"4{number}0000.00")
    whole.until(whole.deadline)
    whole.cosign()
    for keeper in ("custodian-1", "custodian-2"):
        assert whole.release(keeper).json()["status"] == "answered"
    assert whole.pace("read_all").status_code == 200
    assert whole.pace("confirm").status_code == 200
    bidder = whole.bidders["投标单位101"]
    taken = object_(whole, bidder, text)
    assert taken in (201, 422)
    if taken == 201:
        answer = {"bidder": bidder.who.organisation, "text": text, "files": []}
        path = f"/openings/{whole.section}/answers"
        assert whole.post(path, answer, whole.one(Role.OPERATOR)).status_code in (201, 422)
        answer["text"] = "与开标一览表一致"
        whole.post(path, answer, whole.one(Role.OPERATOR))
    whole.until(whole.clock.now() + 61_000)
    assert whole.pace("seal").status_code == 200
    assert recorded(whole)


def test_bidders_of_any_name_end_in_a_signed_record(whole: Whole) -> None:
    whole.set_up(minimum=3)
    for number, name in enumerate(("公司😀𠮷", "<b>甲</b>&" + "𬍛" * 480, "W" * 500), 101):
        bidder = whole.bidder(number, name)
        whole.seal(bidder, f"4{number}0000.00")
        whole.send_file(bidder)
        assert whole.submit(bidder).status_code == 201
    whole.until(whole.deadline)
    whole.cosign()
    for keeper in ("custodian-1", "custodian-2"):
        whole.release(keeper)
    for step in ("read_all", "confirm"):
        assert whole.pace(step).status_code == 200
    whole.until(whole.clock.now() + 61_000)
    assert whole.pace("seal").status_code == 200
    assert recorded(whole)
