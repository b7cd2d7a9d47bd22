"""The routes of the hall 开标大厅: watching it, leading it, taking part in it."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Path, Request, WebSocket
from fastapi.responses import FileResponse
from pydantic import Field

from bidding.hall import Halls
from bidding.model import FileEntry
from bidding.model.hall import FLOAT_COMMITTED, SIGNED_IN
from bidding.service import BiddingService
from bidding.service.hall_receipts import SAID, HallReceipts
from crypto import statement
from trading.access import PUBLIC, WS, Rule, actor
from trading.model import CENTRE_STAFF, Actor, Bidders, Role, Scope
from trading.service.forms import Form, Hex32, Ident, Prose

BASE: Final = "/api/v1"
_CONFIRM: Final = Bidders(Scope.CONFIRM)
_OBJECT: Final = Bidders(Scope.OBJECT)
_HOST: Final = CENTRE_STAFF | {Role.AGENT, Role.TENDERER}
_DECIDES: Final = frozenset({Role.SUPERVISOR, Role.TENDERER})
_DRAWS: Final = frozenset({Role.TENDERER, Role.AGENT, Role.SUPERVISOR})
_SPEAKS: Final = Bidders(Scope.CONFIRM, *_HOST, Role.SUPERVISOR)
_WATCHES: Final = _HOST | {Role.SUPERVISOR}
_FILES: Final = Bidders(Scope.CONFIRM, *_HOST, Role.SUPERVISOR, Role.AUDITOR)


ACCESS: Final = (
    Rule("GET", f"{BASE}/openings", PUBLIC, "开标列表；公告发布后列出"),
    Rule("GET", f"{BASE}/openings/{{section}}", PUBLIC, "开标大厅快照；公告发布后"),
    Rule(WS, f"{BASE}/openings/{{section}}/live", PUBLIC, "开标大厅直播"),
    Rule("GET", f"{BASE}/openings/{{section}}/head", PUBLIC, "大厅实况，中心签名", "公布投标人后"),
    Rule("GET", f"{BASE}/openings/{{section}}/evidence", PUBLIC, "可复核的证据", "导入后"),
    Rule("POST", f"{BASE}/openings/{{section}}/sign-in", _CONFIRM, "签到；截止前他人不可见"),
    Rule("GET", f"{BASE}/openings/{{section}}/mine", _CONFIRM, "本单位在大厅中的状态", own=True),
    Rule(
        "GET",
        f"{BASE}/openings/{{section}}/desk",
        _WATCHES,
        "主持席与监督席，限本项目",
        "公布投标人后",
    ),
    Rule("POST", f"{BASE}/openings/{{section}}/phase", _HOST, "推进大厅，限本项目", "唱标起"),
    Rule(
        "POST",
        f"{BASE}/openings/{{section}}/messages",
        _SPEAKS,
        "大厅发言，限本项目或名单内",
        "公布投标人后",
    ),
    Rule(
        "POST",
        f"{BASE}/openings/{{section}}/mutes",
        _HOST,
        "禁言与解除，限本项目；不限制确认与异议",
        "公布投标人后",
    ),
    Rule(
        "POST",
        f"{BASE}/openings/{{section}}/identity-notes",
        _HOST,
        "身份核验例外，限本项目",
        "公布投标人后",
    ),
    Rule(
        "POST",
        f"{BASE}/openings/{{section}}/reconvenings",
        CENTRE_STAFF,
        "复会时间；须监督人签名，中心同签",
        "中止中或记录签署后",
    ),
    Rule(
        "POST",
        f"{BASE}/openings/{{section}}/confirmations",
        _CONFIRM,
        "确认无异议",
        "确认",
        own=True,
    ),
    Rule(
        "POST",
        f"{BASE}/openings/{{section}}/objections",
        _OBJECT,
        "提出异议，可附文件",
        "确认",
        own=True,
    ),
    Rule(
        "POST",
        f"{BASE}/openings/{{section}}/answers",
        _HOST,
        "答复异议，可附文件，限本项目",
        "确认",
    ),
    Rule(
        "GET",
        f"{BASE}/openings/{{section}}/files/{{sha256}}",
        _FILES,
        "异议与答复的附件，限本场参与人",
        "确认起",
    ),
    Rule(
        "POST",
        f"{BASE}/openings/{{section}}/decisions",
        _DECIDES,
        "认定失败原因，限本项目",
        "导入后",
    ),
    Rule("GET", f"{BASE}/openings/{{section}}/float", _DRAWS, "浮动点承诺方与已作承诺，限本项目"),
    Rule("POST", f"{BASE}/openings/{{section}}/float/commitments", _DRAWS, "浮动点承诺", "截止前"),
    Rule("POST", f"{BASE}/openings/{{section}}/float/reveals", _DRAWS, "浮动点揭示", "截止后"),
)

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}$")]
Json = Annotated[dict[str, Any], Body()]
Who = Annotated[Actor, Depends(actor)]


class PhaseForm(Form):
    """`action`: read_next, read_all, confirm (begin confirming), seal or end_meeting."""

    action: str = Field(max_length=40)


class FileForm(Form):
    """A file uploaded before, by its hash."""

    name: str = Field(min_length=1, max_length=500)
    size: int = Field(ge=0, le=1 << 53)
    sha256: Hex32


class AnswerForm(Form):
    """The answer to the objection of `bidder`."""

    bidder: Ident
    text: str = Field(min_length=1, max_length=4000)
    files: list[FileForm] = Field(default=[], max_length=10)


class MessageForm(Form):
    """What is said to everybody in the hall."""

    text: Annotated[Prose, Field(max_length=500)]


class MuteForm(Form):
    """`bidder`: organisation id, or "" for all bidders; `muted` false lets them speak again."""

    bidder: str = Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9_.:-]{0,79})?$")
    muted: bool
    reason: Annotated[Prose, Field(max_length=500)]


class NoteForm(Form):
    """身份核验例外: what did not fit, and why it was let pass or not."""

    bidder: Ident
    text: Annotated[Prose, Field(max_length=500)]


class OrderForm(Form):
    """A statement that the supervisor signed and another person brings."""

    supervisor: dict[str, Any]


def add(made: APIRouter, service: BiddingService) -> HallReceipts:
    """Add these routes to the room's; return who signs the receipts of acts in the hall."""
    halls, receipts = Halls(service), HallReceipts(service.room)
    _watching(made, service, halls, receipts)
    _leading(made, service, halls)
    _drawing(made, service, receipts)
    _taking_part(made, service, receipts)
    return receipts


def _now(request: Request, service: BiddingService) -> int:
    stamp = getattr(request.state, "arrival", None)
    return stamp if isinstance(stamp, int) else service.room.clock.now()


def _watching(
    made: APIRouter, service: BiddingService, halls: Halls, receipts: HallReceipts
) -> None:
    @made.get("/openings", tags=["openings"])
    async def openings() -> list[dict[str, Any]]:
        """List sections whose notice is published, newest deadline first."""
        return halls.all()

    @made.get("/openings/{section}", tags=["openings"])
    async def snapshot(section: Id) -> dict[str, Any]:
        """Return the hall's public state."""
        return halls.snapshot(section)

    @made.get("/openings/{section}/head", tags=["openings"])
    async def head(section: Id) -> dict[str, Any]:
        """Return what the hall shows now, signed: phase, pause and head of its chain; anybody may keep it."""
        return receipts.state(section)

    @made.websocket("/openings/{section}/live")
    async def live(websocket: WebSocket, section: str, since: str | None = None) -> None:
        """Watch the hall: a snapshot, then deltas."""
        await service.room.hub.attend(websocket, halls.topic(section), since)

    @made.get("/openings/{section}/evidence", tags=["openings"])
    async def evidence(section: Id) -> dict[str, Any]:
        """Return what re-checks the opening: list, entries, answers, proofs, results."""
        return service.evidence(section)


def _leading(made: APIRouter, service: BiddingService, halls: Halls) -> None:
    async def concerned(section: Id, who: Who) -> Actor:
        service.check_concern(who, section)
        return who

    Concerned = Annotated[Actor, Depends(concerned)]  # noqa: N806 (a type)

    @made.get("/openings/{section}/desk", tags=["openings"])
    async def desk(section: Id, who: Concerned) -> dict[str, Any]:
        """Return what host and supervisor work with, once the bidders are published."""
        return {"seat": who.role.value, **service.meeting.desk(section)}

    @made.post("/openings/{section}/phase", tags=["openings"])
    async def phase(
        request: Request, section: Id, body: PhaseForm, who: Concerned
    ) -> dict[str, Any]:
        """Pace the hall."""
        await service.act(section, body.action, _now(request, service))
        return {"by": who.person, **halls.snapshot(section)}

    @made.post("/openings/{section}/mutes", status_code=201, tags=["openings"])
    async def mute(request: Request, section: Id, body: MuteForm, who: Concerned) -> dict[str, Any]:
        """Mute a bidder or all of them, or let them speak again; objections are never muted."""
        await service.meeting.mute(
            who, section, body.bidder, body.muted, body.reason, _now(request, service)
        )
        return {"section": section, "bidder": body.bidder, "muted": body.muted}

    @made.post("/openings/{section}/identity-notes", status_code=201, tags=["openings"])
    async def note(request: Request, section: Id, body: NoteForm, who: Concerned) -> dict[str, Any]:
        """Note what did not fit about a bidder's delegate."""
        await service.meeting.note_identity(
            who, section, body.bidder, body.text, _now(request, service)
        )
        return {"section": section, "by": who.person}

    @made.post("/openings/{section}/reconvenings", status_code=201, tags=["openings"])
    async def reconvene(request: Request, section: Id, body: OrderForm, who: Who) -> dict[str, Any]:
        """Set when a paused hall goes on or a sealed one meets again: a Reconvening; the centre signs the same."""
        return await service.meeting.reconvene(
            who, section, body.supervisor, _now(request, service)
        )

    @made.post("/openings/{section}/answers", status_code=201, tags=["openings"])
    async def answer(
        request: Request, section: Id, body: AnswerForm, who: Concerned
    ) -> dict[str, Any]:
        """Answer an objection."""
        files = [FileEntry(name=one.name, size=one.size, sha256=one.sha256) for one in body.files]
        await service.answer_objection(
            who, section, body.bidder, body.text, _now(request, service), files
        )
        return {"section": section, "by": who.person}

    @made.get("/openings/{section}/files/{sha256}", tags=["openings"], response_class=FileResponse)
    async def file(
        section: Id, sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")], who: Concerned
    ) -> FileResponse:
        """Return a file of an objection or answer, under a name that the server made."""
        path = await service.meeting.file(who, section, sha256)
        return FileResponse(
            path,
            media_type="application/octet-stream",
            filename=f"{sha256[:16]}.bin",
            headers={"Cache-Control": "private, no-store"},
        )

    @made.post("/openings/{section}/decisions", status_code=201, tags=["openings"])
    async def decide(request: Request, section: Id, body: Json, who: Concerned) -> dict[str, Any]:
        """Take a signed Decision about a bid that did not open."""
        await service.decide(who, section, body, _now(request, service))
        return {"section": section, "by": who.person}


def _drawing(made: APIRouter, service: BiddingService, receipts: HallReceipts) -> None:
    async def concerned(section: Id, who: Who) -> Actor:
        service.check_concern(who, section)
        return who

    Concerned = Annotated[Actor, Depends(concerned)]  # noqa: N806 (a type)

    @made.get("/openings/{section}/float", tags=["openings"], dependencies=[Depends(concerned)])
    async def draw(section: Id) -> dict[str, Any]:
        """Return what one needs to take part in the float draw: T, the points, the commitments so far, the centre's first."""
        return service.floats.shown(section)

    @made.post("/openings/{section}/float/commitments", status_code=201, tags=["openings"])
    async def commit(request: Request, section: Id, body: Json, who: Concerned) -> dict[str, Any]:
        """Bind oneself to a nonce for the float draw: a signed FloatCommitment; answered with a hall receipt."""
        await service.floats.commit(who, section, body, _now(request, service))
        said = statement.digest(body).hex()
        receipt = receipts.of(section, FLOAT_COMMITTED, who.organisation, said)
        return {"section": section, "party": who.organisation, "receipt": receipt}

    @made.post("/openings/{section}/float/reveals", status_code=201, tags=["openings"])
    async def reveal(request: Request, section: Id, body: Json, who: Concerned) -> dict[str, Any]:
        """Reveal that nonce: a FloatReveal signed by the key that committed."""
        await service.floats.reveal(section, body, _now(request, service))
        return {"section": section, "party": who.organisation}


def _taking_part(made: APIRouter, service: BiddingService, receipts: HallReceipts) -> None:
    @made.post("/openings/{section}/sign-in", status_code=201, tags=["openings"])
    async def sign_in(request: Request, section: Id, who: Who) -> dict[str, Any]:
        """Come into the hall 签到; answered with a receipt that tells of nobody else."""
        await service.sign_in(who, section, _now(request, service))
        return {"section": section, "receipt": receipts.of(section, SIGNED_IN, who.organisation)}

    async def speaker(section: Id, who: Who) -> Actor:
        service.check_concern(who, section)
        return who

    @made.post("/openings/{section}/messages", status_code=201, tags=["openings"])
    async def say(
        request: Request, section: Id, body: MessageForm, who: Annotated[Actor, Depends(speaker)]
    ) -> dict[str, Any]:
        """Speak to everybody in the hall; from the publication of the bidders on."""
        number = await service.meeting.say(who, section, body.text, _now(request, service))
        receipt = receipts.of(section, SAID, who.organisation, str(number))
        return {"section": section, "no": number, "receipt": receipt}

    @made.get("/openings/{section}/mine", tags=["openings"])
    async def mine(request: Request, section: Id, who: Who) -> dict[str, Any]:
        """Say where one's own organisation stands in the hall."""
        book = service.room.announced(section)
        reading = service.reading(book)
        return service.meeting.mine(who, section, reading, _now(request, service))

    def of(kind: str, section: str, who: Actor, signed: dict[str, Any]) -> dict[str, Any]:
        return receipts.of(section, kind, who.organisation, statement.digest(signed).hex())

    @made.post("/openings/{section}/confirmations", status_code=201, tags=["openings"])
    async def confirm(request: Request, section: Id, body: Json, who: Who) -> dict[str, Any]:
        """Take a signed Confirmation 无异议."""
        await service.confirm(who, section, body, _now(request, service))
        return {
            "section": section,
            "answer": "confirmed",
            "receipt": of("confirmed", section, who, body),
        }

    @made.post("/openings/{section}/objections", status_code=201, tags=["openings"])
    async def object_(request: Request, section: Id, body: Json, who: Who) -> dict[str, Any]:
        """Take a signed Objection 异议; its files are uploaded before."""
        await service.object(who, section, body, _now(request, service))
        return {
            "section": section,
            "answer": "objected",
            "receipt": of("objected", section, who, body),
        }
