"""The opening hall as everybody sees it: a public snapshot, and a delta for each event.

The same bytes for all. Before T nothing in it depends on bids: `counted` is null, there are no
rows, and signing in makes no event. What a role sees besides is asked for apart (`service.meeting`).
Messages have a list of their own, so that talk never pushes what happened out of the feed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bidding.model import PublishedBidders
from bidding.opening import Phase, State
from bidding.opening.lines import NOTHING, content, touched
from bidding.opening.lines import said as said_of
from bidding.opening.meeting import OPEN as TALKS
from bidding.opening.state import ENDED
from trading.ground.clock import beijing

if TYPE_CHECKING:
    from bidding.service import BiddingService
    from bidding.store import Book
    from trading.ground.chain import Row

STEPS: Final = (
    ("bidding", "接收投标", "Bidding", (Phase.BIDDING,)),
    ("closed", "截止", "Closed", (Phase.CLOSED, Phase.CONTROL_PRICE, Phase.FLOAT_DRAW)),
    ("published", "公布投标人", "Bidders published", (Phase.BIDDERS_PUBLISHED,)),
    ("unlocking", "解锁与解密", "Unlocking", (Phase.UNLOCKING, Phase.PLEDGING, Phase.DISCLOSING)),
    ("reading_out", "唱标", "Reading out", (Phase.IMPORTED, Phase.READING_OUT)),
    ("confirming", "确认与异议", "Confirming", (Phase.CONFIRMING,)),
    ("sealed", "签署开标记录", "Record sealed", (Phase.SEALED,)),
)
_PUBLIC: Final = frozenset(
    {Phase.CLOSED, Phase.CONTROL_PRICE, Phase.FLOAT_DRAW, Phase.FAILED_FEWER_THAN_3}
)
_HIDDEN: Final = _PUBLIC | {Phase.BIDDING}
# Journal kind → what the feed says; what is not here makes no line of its own.
_SAYS: Final = {
    "moved": ("开标时间推迟", "The opening time moves later"),
    "closed": ("投标截止，投标名单已存证", "Closed; the close list is in the ledger"),
    "failed_too_few": ("投标人少于法定数，不予解密", "Too few bidders; nothing is opened"),
    "price_stated": ("公布最高投标限价", "The control price is published"),
    "float_drawn": ("浮动点已抽取", "The float point is drawn"),
    "published": ("公布投标人名单", "The bidders are published"),
    "unlock_begun": ("开始解锁，等待托管人应答", "Unlocking begins; custodians are asked"),
    "imported": ("全部投标文件同时导入", "All bids are imported at once"),
    "reading_begun": ("开始唱标", "Reading out begins"),
    "confirming_begun": ("开始确认开标记录", "Confirmation begins"),
    "paused": ("开标中止", "Paused"),
    "resumed": ("开标恢复", "Resumed"),
    "sealed": ("开标记录签署，开标结束", "The record is sealed; the opening ends"),
    "terminated": ("招标终止", "Terminated"),
    "supplemented": ("补充名单：未列原因已消除", "Excluded bids are put back"),
    "quorum_missed": (
        "宣布托管失效，请投标人承诺交出本人文件密钥",
        "The quorum failed; bidders are asked to pledge their own file keys",
    ),
    "disclosing_begun": (
        "全部投标人已承诺，开始交出文件密钥",
        "All have pledged; file keys are handed over",
    ),
    "pledges_missing": ("未全部承诺，不予解密", "Not all have pledged; nothing is opened"),
    "decided": ("对未解密投标作出认定", "A bid that did not open is decided"),
    "meeting_ended": ("复会结束", "The meeting after the record is over"),
}
_OF_A_BID: Final = {
    "read": ("唱标", "is read out"),
    "confirmed": ("确认无异议", "confirms"),
    "objected": ("提出异议", "objects"),
    "objection_answered": ("异议已答复", "has its objection answered"),
    "pledged": ("承诺交出文件密钥", "pledges its file key"),
    "disclosed": ("已交出文件密钥", "has handed over its file key"),
    "identity_noted": ("身份核验例外", "has an exception of identity"),
}
_MUTED: Final = {"muted": ("禁言", "muted"), "unmuted": ("解除禁言", "may speak again")}
NEWEST: Final = 200  # events and messages that a snapshot holds
_ANSWERS: Final = {
    "answered": ("已应答，证明有效", "answered, proof holds"),
    "late": ("逾时应答，证明有效", "answered late, proof holds"),
    "wrong": ("应答错误，证明不成立", "answered wrongly, proof fails"),
    "refused": ("依规拒绝", "refused by its rule"),
}


class Halls:
    """Opens a topic per section and publishes every change of its opening."""

    def __init__(self, service: BiddingService) -> None:
        self._service = service
        self._feeds: dict[str, list[dict[str, Any]]] = {}
        self._talk: dict[str, list[dict[str, Any]]] = {}
        self._shown: dict[str, dict[str, Any]] = {}
        service.watchers.append(self._follow)

    def topic(self, section: str) -> str:
        """Return the section's topic, opened.

        Raises:
            UnknownError: there is no such section, or its notice is not published yet.
        """
        book = self._service.room.announced(section)
        name = f"opening:{section}"
        if section not in self._shown:
            lines = [
                line for kind, body, at in book.events if (line := self._line(book, kind, body, at))
            ]
            self._feeds[section] = [line for line in lines if line["kind"] != "said"]
            self._talk[section] = [line for line in lines if line["kind"] == "said"]
            self._shown[section] = self._state(book)
            self._service.room.hub.open(name, lambda: self.snapshot(section))
        return name

    def snapshot(self, section: str) -> dict[str, Any]:
        """Return the public state of an opening, with its feed; errors as `topic`."""
        book = self._service.room.announced(section)
        self.topic(section)
        feed, talk = self._feeds[section][-NEWEST:], self._talk[section][-NEWEST:]
        return {**self._state(book), "feed": feed, "messages": talk}

    def all(self) -> list[dict[str, Any]]:
        """List every section whose notice is published, newest deadline first.

        A section has its key before its notice; whoever read of it here would know of a tender that is not public.
        """
        trading = self._service.room.trading
        found = [
            {
                "section": section,
                "tender": book.keyed.tender.tender,
                "name": book.keyed.tender.name,
                "section_name": book.keyed.tender.section_name,
                "deadline": book.deadline,
                "phase": str(book.opening.phase),
                "record": book.records.get("opening", ""),
            }
            for section, book in self._service.room.shelf.books.items()
            if book.keyed is not None
            and book.opening is not None
            and trading.tender(book.keyed.tender.tender).published_at is not None
        ]
        return sorted(found, key=lambda one: -int(str(one["deadline"])))

    def _follow(self, book: Book, row: Row) -> None:
        if book.section not in self._shown:
            return
        assert book.opening is not None
        if row.kind == "signed_in" and book.opening.phase in _HIDDEN:
            return  # who comes would tell who bids
        line = self._line(book, row.kind, dict(row.body), row.at)
        state, before = self._state(book), self._shown[book.section]
        changed = {name: value for name, value in state.items() if before.get(name) != value}
        if line is not None:
            (self._talk if line["kind"] == "said" else self._feeds)[book.section].append(line)
        if line is not None or changed:
            self._shown[book.section] = state
            lean = touched(changed, before)
            self._service.room.hub.publish(f"opening:{book.section}", line, row.at, lean)

    def _line(self, book: Book, kind: str, body: dict[str, Any], at: int) -> dict[str, Any] | None:
        more: dict[str, Any] = {}
        if kind in _SAYS:
            zh, en = _SAYS[kind]
            if kind == "paused":
                zh, en = f"{zh}：{body['reason']}", f"{en}: {body['reason']}"
        elif kind == "said":
            zh = en = body["text"]
            who = self._service.room.name(body["speaker"])
            more = {"no": body["no"], "who": who, "part": body["part"]}
        elif kind in _MUTED:
            zh, en = _MUTED[kind]
            who = self._service.room.name(body["bidder"]) if body["bidder"] else ""
            zh, en = (
                f"{who or '全体投标人'} {zh}：{body['reason']}",
                f"{who or 'All bidders'} {en}: {body['reason']}",
            )
        elif kind == "reconvening_set":
            when = beijing(body["at"])[:19]
            zh, en = (
                f"定于 {when} 复会：{body['reason']}",
                f"Reconvenes at {when}: {body['reason']}",
            )
        elif kind == "answered":
            zh, en = _ANSWERS[body["status"]]
            who = self._organisation(book, body["custodian"])
            zh, en = f"{who} {zh}", f"{who} {en}"
        elif kind in _OF_A_BID:
            assert book.opening is not None
            bid = book.opening.bids[body["submission"]]
            who = self._service.room.name(bid.line.bidder)
            zh, en = (f"{who} {words}" for words in _OF_A_BID[kind])
            said = body["text"] if kind == "identity_noted" else said_of(kind, bid)
            zh, en = (f"{zh}：{said}", f"{en}: {said}") if said else (zh, en)
        else:
            return None
        return {"t": at, "zh": zh, "en": en, "kind": kind, **more}

    def _organisation(self, book: Book, custodian: str) -> str:
        assert book.keyed is not None
        for one in book.keyed.tender.custodians:
            if one.custodian == custodian:
                return one.organisation
        return custodian

    def _state(self, book: Book) -> dict[str, Any]:
        opening = book.opening
        assert opening is not None
        assert book.keyed is not None
        tender = book.keyed.tender
        closed = opening.phase is not Phase.BIDDING
        windows = {
            Phase.UNLOCKING: opening.unlock,
            Phase.PLEDGING: opening.pledge,
            Phase.DISCLOSING: opening.disclose,
            Phase.CONFIRMING: opening.confirm,
        }
        window = windows.get(opening.phase) if opening.paused is None else None
        read = [bid for bid in opening.bids.values() if bid.read_at is not None]
        imported = any(phase is Phase.IMPORTED for phase, _ in opening.phases)
        return {
            "section": book.section,
            "name": tender.name,
            "section_name": tender.section_name,
            "phase": str(opening.phase),
            "paused": opening.paused is not None,
            "pause_reason": opening.pauses[-1][2] if opening.paused is not None else "",
            "reconvene": opening.reconvene,
            "muted": [one.bidder for one in opening.mutings if one.until is None],
            "talks": opening.phase in TALKS,
            "phases": _steps(opening),
            "deadline": opening.deadline,
            "ends_at": window.end if window is not None else None,
            "counted": len(opening.bids) if closed else None,
            "opened": sum(bid.result in {"opened", "remedied"} for bid in opening.bids.values()),
            "custody": {
                "t": tender.t,
                "n": tender.n,
                "custodians": [
                    {
                        "index": index,
                        "id": one.custodian,
                        "organisation": one.organisation,
                        "status": self._status(book, one.custodian),
                        "at": reply.at if (reply := opening.replies.get(one.custodian)) else None,
                    }
                    for index, one in enumerate(tender.custodians, 1)
                ],
            },
            "control_price": opening.price,
            "float_point": opening.point,
            "rows": self._rows(book) if closed else [],
            "read": len(read),
            "reading": self._service.reading(book) if imported else "",
            "record": book.records.get("opening", ""),
        }

    def _status(self, book: Book, custodian: str) -> str:
        assert book.opening is not None
        reply = book.opening.replies.get(custodian)
        if reply is None:
            if book.opening.phase in {Phase.SEALED, Phase.FAILED_QUORUM}:
                return "silent"
            return "unasked" if book.opening.phase in ENDED else "waiting"
        return "answered" if reply.status == "late" else reply.status

    def _rows(self, book: Book) -> list[dict[str, Any]]:
        """Names from the moment they are published; a bid's content from when it is read out."""
        found = book.leaf(PublishedBidders.PURPOSE)
        assert book.opening is not None
        if found is None or book.opening.phase in _PUBLIC:
            return []
        published = PublishedBidders.from_leaf(found[1], book.centre).bidders
        bids = book.opening.bids  # those listed, and those that a supplement put back
        listed = [line for line in published if line.submission in bids]
        rows = []
        for number, line in enumerate(listed, 1):
            bid = bids[line.submission]
            rows.append(
                {
                    "no": number,
                    "submission": line.submission,
                    "bidder": "、".join(line.names) or line.bidder,
                    "bidder_id": line.bidder,
                    "submitted_at": line.arrival,
                    "deposit": line.deposit,
                    "sha256": book.kept[line.submission].act.sha256,
                    "signed_in_at": book.opening.sign_ins.get(line.bidder),
                    **content(book.opening, bid),
                }
            )
        for line in published:
            if line.submission not in bids:
                number = len(rows) + 1
                rows.append(
                    {
                        "no": number,
                        "submission": line.submission,
                        "bidder": "、".join(line.names) or line.bidder,
                        "bidder_id": line.bidder,
                        "submitted_at": line.arrival,
                        "deposit": line.deposit,
                        "sha256": "",
                        "signed_in_at": None,
                        **NOTHING,
                        "status": line.status,
                    }
                )
        return rows


def _steps(opening: State) -> list[dict[str, Any]]:
    """The bar of steps; `at` is when a step began, ms UTC, None for one that has not (yet) begun."""
    began = dict(reversed(opening.phases))
    here, ended = opening.phase, opening.phase in ENDED
    bar = []
    for id_, zh, en, phases in STEPS:
        at = min((began[phase] for phase in phases if phase in began), default=None)
        now = here in phases and not ended
        done = not now and (at is not None or id_ == "bidding")
        bar.append({"id": id_, "zh": zh, "en": en, "at": at, "state": _PLACES[now, done]})
    return bar


_PLACES: Final = {(True, False): "now", (False, True): "done", (False, False): "todo"}
