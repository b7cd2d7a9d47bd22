"""Every record is a theorem of the journal: recomputed from rows alone, and refused when a row was touched."""

import asyncio
import copy
import json
from pathlib import Path
from typing import Any

import pytest

from auction.record import (
    ReceiptError,
    audit,
    confirmation_facts,
    rows_from_json,
    transcript_facts,
    verify_receipt,
)
from auction.replay.book import JournalError
from auction.writer.receipts import row_json
from crypto.canonical import canonical
from documents.model import Heading
from tests.auction.stage import CENTRE, LISTING_RULES, QUOTA_RULES, Stage
from trading.ground.chain import Row, link

HEADING = Heading(
    centre=CENTRE, centre_name="中山市公共资源交易中心", ruleset="演示", number="ZS-1", issued_at=1, ledger_origin="o",
    ledger_size=1, ledger_root="00",
)  # fmt: skip
TOLD: dict[str, Any] = {}


def told(
    tmp_path: Path, rules: dict[str, Any], offers: list[tuple[int, str]], holders: bool
) -> list[Any]:
    """Play an auction to its end; give the public transcript and the answers, through JSON and back."""

    async def run() -> list[Any]:
        stage = await Stage(tmp_path).start()
        try:
            lot, desks = await (stage.quota(rules) if holders else stage.listed(rules))
            answers = [await desks[n].bid(amount) for n, amount in offers]
            await desks[0].answer(desks[1].bidder.offer(lot, desks[0].paddle, "999"))  # forged
            await stage.business("target.suspended", {"target": "lot_0", "reason": "断电"})
            await stage.at(20_000)
            await stage.business("target.resumed", {"target": "lot_0"})
            await stage.at(900_000)
            await desks[0].bid("500")  # late: after the result
            rows = [row_json(row) for row in stage.service.rows(lot)]
            return json.loads(json.dumps([rows, answers, stage.key.public.hex()]))
        finally:
            await stage.stop()

    return asyncio.run(run())


@pytest.fixture(scope="module")
def quota(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    offers = [(0, "20"), (1, "20"), (2, "10"), (2, "20"), (2, "40")]
    return told(tmp_path_factory.mktemp("quota"), QUOTA_RULES, offers, holders=True)


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    rules = {
        **LISTING_RULES,
        "unit": "万元",
        "price_cap": "150",
        "on_cap": {"kind": "one_shot", "wait_s": 0, "ask_s": 1, "quote_s": 1},
    }
    rules["preemption"] = None
    return told(
        tmp_path_factory.mktemp("listing"),
        {**rules, "price_cap": None, "on_cap": None},
        [(0, "100"), (1, "110"), (0, "130")],
        holders=False,
    )


def test_an_auditor_recomputes_the_session_from_its_rows(quota: list[Any]) -> None:
    rows = rows_from_json(quota[0])
    found = audit(rows, CENTRE)
    assert found.book.outcome is not None
    assert found.book.outcome["event"] == "DEAL_CONFIRMED"
    assert len(found.delegations) == 3
    assert found.not_checked == ()


def test_the_transcript_holds_every_offer_accepted_or_refused(quota: list[Any]) -> None:
    facts = transcript_facts(rows_from_json(quota[0]), HEADING)
    assert [line.result for line in facts.offers] == [
        "ACCEPTED", "ACCEPTED", "BELOW_MIN_NEXT", "ACCEPTED", "ACCEPTED", "BAD_SIGNATURE",
    ]  # fmt: skip
    assert [(w.parcel, w.payable, w.floor_price) for w in facts.winners] == [
        ("L3", "1240000.00", "1240"),
        ("L1", "1220000.00", "1220"),
    ]
    assert facts.total_payable == "2460000.00"
    assert [(o.cause, (o.resumed_at or 0) - o.suspended_at) for o in facts.outages] == [
        ("断电", 10_000)
    ]
    assert [rank.status for rank in facts.ranking] == ["won", "won", "lost"]
    assert type(facts).from_json(json.loads(canonical(facts.to_json()))) == facts


def test_the_same_rows_give_the_same_bytes(quota: list[Any], listing: list[Any]) -> None:
    for rows in (quota[0], listing[0]):
        first, second = (
            canonical(transcript_facts(rows_from_json(rows), HEADING).to_json()) for _ in range(2)
        )
        assert first == second


def test_each_winner_gets_a_confirmation_with_the_contract_forming_instant(
    quota: list[Any],
) -> None:
    rows = rows_from_json(quota[0])
    made = confirmation_facts(
        rows, lambda _: HEADING, transcript_number="ZS-1", conditions=["十日内签约"]
    )
    assert [(facts.parcel, facts.payable, facts.winning_seq) for facts in made] == [
        ("L3", "1240000.00", 4),
        ("L1", "1220000.00", 1),
    ]
    assert made[0].payable_capital == "壹佰贰拾肆万元整"
    assert {facts.deal_at for facts in made} == {transcript_facts(rows, HEADING).closed_at}
    for facts in made:
        assert type(facts).from_json(json.loads(canonical(facts.to_json()))) == facts


def test_a_listed_lot_names_its_bidders_only_after_the_result(listing: list[Any]) -> None:
    facts = transcript_facts(rows_from_json(listing[0]), HEADING)
    assert facts.winners[0].holder == "石岐实业"
    assert facts.winners[0].payable == "1300000.00"
    assert {line.holder for line in facts.offers} == {"石岐实业", "东𬍛制衣"}


def test_receipts_verify_offline_and_stand_in_the_transcript(quota: list[Any]) -> None:
    rows, answers, key = quota
    for answer in answers:
        row = verify_receipt(answer["receipt"], centre=CENTRE, key=bytes.fromhex(key))
        assert row_json(row) in rows


def flips(value: Any) -> list[Any]:
    """Every version of a JSON value in which one leaf is another."""
    if isinstance(value, dict):
        found: list[Any] = [{k: v for k, v in value.items() if k != gone} for gone in value]
        return found + [{**value, name: other} for name in value for other in flips(value[name])]
    if isinstance(value, list):
        return [
            [*value[:n], other, *value[n + 1 :]]
            for n in range(len(value))
            for other in flips(value[n])
        ]
    if isinstance(value, bool) or value is None:
        return [not value]
    if isinstance(value, int):
        return [value + 1, str(value)]
    swapped = value[:-1] + ("0" if value[-1:] != "0" else "1")
    return [swapped, None]


def test_a_receipt_changed_anywhere_is_refused(quota: list[Any]) -> None:
    _, answers, key = quota
    changed = flips(answers[0]["receipt"])
    assert len(changed) > 60
    for receipt in changed:
        with pytest.raises(ReceiptError):
            verify_receipt(receipt, centre=CENTRE, key=bytes.fromhex(key))


def rechained(rows: list[dict[str, Any]]) -> list[Row]:
    """What a dishonest centre would do: change a row and compute every chain hash anew."""
    previous, made = bytes(32), []
    for row in rows:
        text = canonical(row["body"])
        previous = link(previous, CENTRE, row["stream"], row["seq"], row["at"], row["kind"], text)
        made.append(
            Row(0, row["stream"], row["seq"], row["at"], row["kind"], row["body"], previous)
        )
    return made


def test_a_row_changed_or_taken_out_breaks_the_chain(quota: list[Any]) -> None:
    rows = rows_from_json(quota[0])
    for n in range(len(rows)):
        with pytest.raises(JournalError):
            audit([*rows[:n], rows[n]._replace(at=rows[n].at + 1), *rows[n + 1 :]], CENTRE)
        if n < len(rows) - 1:
            with pytest.raises(JournalError):
                audit(rows[:n] + rows[n + 1 :], CENTRE)


LIES = ["verdict", "amount", "at", "winner", "drop", "deposit", "phase", "key"]


@pytest.mark.parametrize("lie", LIES)
def test_a_centre_that_rewrites_its_rows_is_caught_though_the_chain_holds(
    quota: list[Any], lie: str
) -> None:
    rows = copy.deepcopy(quota[0])
    decided = [
        row for row in rows if row["kind"] == "auction.decided" and row["body"]["do"] == "bid"
    ]
    result = next(row for row in rows if row["kind"] == "auction.result")
    last = decided[4]
    match lie:
        case "verdict":
            last["body"]["verdict"] = {"ok": False, "code": "BELOW_MIN_NEXT"}
        case "amount":
            last["body"]["content"]["amount"] = "60"
        case "at":
            last["at"] -= 1000
        case "winner":
            result["body"]["outcome"]["winners"].reverse()
        case "drop":
            rows.remove(last)
            for n, row in enumerate(rows, 1):
                row["seq"] = n
        case "deposit":
            result["body"]["deposits_released"] = []
        case "phase":
            next(row for row in rows if row["kind"] == "auction.advanced")["body"]["entered"].pop()
        case "key":
            entered = next(row for row in rows if row["kind"] == "auction.entered")
            entered["body"]["delegate"] = "02" + "11" * 32
    with pytest.raises(JournalError):
        audit(rechained(rows), CENTRE)


def test_the_harness_accepts_what_was_not_changed(quota: list[Any]) -> None:
    audit(rechained(copy.deepcopy(quota[0])), CENTRE)
