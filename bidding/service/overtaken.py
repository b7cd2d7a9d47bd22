"""Whoever has a live bid is told when the tender file that it was made for has a later version: an outbox message.

It is told when the addendum is durable, and again at start for what a crash left out: a message's key makes it once.
Nothing else of the centre shows that a message left; who can count the files of the outbox holds the server's disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bidding.opening import Phase
from trading.ground.clock import beijing

if TYPE_CHECKING:
    from bidding.service.room import Room
    from bidding.store import Book

KIND: Final = "tender_changed"


async def tell(room: Room, book: Book) -> None:
    """Queue a message for each live bid that was made for an older version, once for each version."""
    if book.keyed is None or book.opening is None or book.opening.phase is not Phase.BIDDING:
        return
    tender = book.keyed.tender
    for act in book.live():
        made = book.kept[act.id].signed["statement"]["version"]
        if made >= tender.version:
            continue
        body = {
            "section": book.section,
            "tender_name": tender.name,
            "section_name": tender.section_name,
            "submission": act.id,
            "version": made,
            "newest": tender.version,
            "deadline": tender.deadline,
            "text": (
                f"{tender.section_name}：贵单位按第 {made} 版招标文件递交的投标之后，已发布第 {tender.version} 版，"
                f"截止时间 {beijing(tender.deadline)[:19]}。请阅补遗；原投标仍然有效，截止前可以替换。"
                "The tender file has changed after your bid; it stands, and may be replaced before the deadline."
            ),
        }
        key = f"{KIND}/{book.section}/{tender.version}/{act.id}"
        await room.outbox.put(key, KIND, act.bidder, body)
