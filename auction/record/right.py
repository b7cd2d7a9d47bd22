"""优先购买权 in the record: what rows must say of it, and what paper says. Pure.

The rows name who holds the right when the result opens it. An auditor asks more than whether the engine agrees: that
nobody holds it whom neither the notice names nor the rules let prove it, and that nobody whom the notice names was
admitted in time and left without it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from auction import engine
from auction.model import Do, Outcome, Winner
from auction.replay.book import Book, JournalError
from auction.replay.rights import NOTICE, PROOF, Right, open_to_rights
from trading.ground.chain import Row
from trading.ground.clock import beijing

BASES = {NOTICE: "公告载明", PROOF: "申请时证明，经认定"}


def in_time(book: Book, row: Row) -> bool:
    """Say whether a row admits a seat while rights still enter; the book is folded up to it."""
    admits = row.kind == "auction.admitted"
    return admits and open_to_rights(engine.advance(book.live, row.at)[0])


def held(book: Book) -> list[Right]:
    """Give the rights that the rows have opened, in the order in which they entered."""
    opened = (book.disclosed.get(closed["commitment"]) for closed in book.rights.values())
    return [Right.from_text(known.value) for known in opened if known is not None]


def check_rights(book: Book, row: Row, admitted: Sequence[str]) -> None:
    """Hold the rights of an auction against its notice.

    Args:
        book: with identities and rights opened.
        row: the result.
        admitted: paddles admitted while rights still entered.

    Raises:
        JournalError: somebody holds a right whom the rules do not give it, or lacks one.
    """
    said = book.rules.get("preemption")
    rights = held(book)
    if len(rights) != len(book.rights):
        raise JournalError(row.seq, "a right of first refusal stays closed")
    if not said:
        if rights:
            raise JournalError(row.seq, "a right of first refusal that the rules do not know")
        return
    named = {holder["credit_code"] for holder in said["holders"]}
    for right in rights:
        by_notice = right.basis == NOTICE and book.seats[right.paddle].credit_code in named
        if not by_notice and not (right.basis == PROOF and said["proved"]):
            raise JournalError(row.seq, f"{right.paddle} holds a right that nothing gives it")
    for paddle in admitted:
        if book.seats[paddle].credit_code in named and paddle not in book.rights:
            raise JournalError(
                row.seq, f"{paddle}, whom the notice names, was left without its right"
            )


def paper_lines(
    book: Book, outcome: Outcome, spoken: Sequence[tuple[str, Do, int]]
) -> dict[str, str]:
    """Say on paper what the rules gave, who held the right and what became of it.

    Args:
        book: with identities and rights opened.
        outcome: the result.
        spoken: paddle, MATCH or DECLINE, instant, of every accepted one.
    """
    said: Mapping[str, Any] | None = book.rules.get("preemption")
    if not said:
        return {}
    who = "、".join(holder["name"] for holder in said["holders"])
    gives = [f"公告载明：{who}"] if who else []
    gives += ["可于申请时证明"] if said["proved"] else []
    lines = {"优先购买权": "；".join([*gives, f"行使期 {said['window_s']} 秒"])}
    rights = held(book)
    if not rights:
        return lines | {"优先购买权人": "限时竞价开始前无人以此取得竞买资格"}
    lines["优先购买权人"] = "；".join(
        f"{right.paddle} 号牌（{book.seats[right.paddle].name}，{BASES[right.basis]}），"
        f"承诺值 {book.rights[right.paddle]['commitment']}，已随结果公开"
        for right in rights
    )
    words = {Do.MATCH: "行使", Do.DECLINE: "放弃"}
    acts = [f"{beijing(at)} {paddle} 号牌{words[do]}" for paddle, do, at in spoken]
    silent = [r.paddle for r in rights if r.paddle not in {paddle for paddle, _, _ in spoken}]
    if book.live.matching is None:
        acts = ["未进入行使期"]
    elif silent and not (outcome.winners and acts and acts[-1].endswith("行使")):
        acts.append(f"{'、'.join(silent)} 号牌期内未行使")
    return lines | {"优先购买权行使": "；".join(acts)}


def sentence(book: Book, winner: Winner, spoken: Sequence[tuple[str, Do, int]]) -> str:
    """Say for a deal confirmation that its winner matched the price; "" where it did not."""
    at = next((at for who, do, at in spoken if (who, do) == (winner.bidder, Do.MATCH)), None)
    if at is None or book.live.matching is None:
        return ""
    right = next(one for one in held(book) if one.paddle == winner.bidder)
    return (
        f"竞得人享有优先购买权（{BASES[right.basis]}），于 {beijing(at)} 以与 {book.live.matching.bidder} 号牌"
        f"相同的价格行使；权利承诺值 {book.rights[winner.bidder]['commitment']}，已随结果公开。"
    )
