"""The routes of every day: uploads, bids, ceremonies, custody.

Custodians have no session: what they post is a signed statement that the service judges, and what they
read is public after T. `Departures` belongs right inside the edge: between a submission's arrival stamp and
its take-off nothing may wait.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Request, Response
from starlette.requests import ClientDisconnect

from bidding.api.clarifications import ATTACHES
from bidding.model import MalformedError
from bidding.service import BiddingService
from bidding.service.trees import Flight
from bidding.service.uploads import ALGORITHMS, EXPIRES_MS
from trading.access import PUBLIC, Rule, actor
from trading.api.shapes import PROBLEMS
from trading.ground.clock import rfc3339
from trading.ground.problems import Kind
from trading.model import CENTRE_STAFF, Actor, Bidders, Scope

BASE: Final = "/api/v1"
TUS: Final = "1.0.0"
TUS_PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {**PROBLEMS[400], "description": meaning}
    for status, meaning in (
        (412, "不支持的 tus 版本"),
        (415, "内容类型不符"),
        (460, "校验和不符（tus 1.0）"),
    )
}
_SUBMIT: Final = Bidders(Scope.SUBMIT)
_UPLOADS: Final = Bidders(Scope.SUBMIT, *ATTACHES)

ACCESS: Final = (
    Rule("OPTIONS", f"{BASE}/uploads", PUBLIC, "tus 能力"),
    Rule("POST", f"{BASE}/uploads", _UPLOADS, "创建上传：投标人的密文，招标文件，异议与答复的附件"),
    Rule("GET", f"{BASE}/uploads/{{upload}}", _UPLOADS, "上传进度", own=True),
    Rule("PATCH", f"{BASE}/uploads/{{upload}}", _UPLOADS, "续传", own=True),
    Rule("DELETE", f"{BASE}/uploads/{{upload}}", _UPLOADS, "放弃上传；已被引用者不可", own=True),
    Rule(
        "POST",
        f"{BASE}/sections/{{section}}/submissions",
        _SUBMIT,
        "递交投标；另验签名、归属证明与截止",
        phases="接收投标",
        own=True,
    ),
    Rule(
        "POST",
        f"{BASE}/sections/{{section}}/withdrawals",
        _SUBMIT,
        "撤回投标；须递交时的密钥签名",
        phases="接收投标",
        own=True,
    ),
    Rule("GET", f"{BASE}/sections/{{section}}/submissions/me", _SUBMIT, "本单位投标", own=True),
    Rule("GET", f"{BASE}/sections/{{section}}/receipts/{{act}}", _SUBMIT, "本单位回执", own=True),
    Rule("POST", f"{BASE}/sections/{{section}}/ceremony", CENTRE_STAFF, "启动密钥仪式"),
    Rule("GET", f"{BASE}/custody/tasks", PUBLIC, "托管人待办；截止前人人相同"),
    Rule("GET", f"{BASE}/custody/ceremonies/{{ceremony}}", PUBLIC, "密钥仪式公开状态"),
    Rule("POST", f"{BASE}/custody/ceremonies/{{ceremony}}/messages", PUBLIC, "托管人签名消息"),
    Rule(
        "GET", f"{BASE}/custody/sections/{{section}}/release-request", PUBLIC, "释放请求", "截止后"
    ),
    Rule(
        "POST", f"{BASE}/custody/sections/{{section}}/partials", PUBLIC, "托管人签名应答", "截止后"
    ),
)

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}$")]
Json = Annotated[dict[str, Any], Body()]
Who = Annotated[Actor, Depends(actor)]


def router(service: BiddingService) -> APIRouter:
    """Return the routes of this room."""
    made = APIRouter(prefix=BASE, responses=PROBLEMS)
    _uploads(made, service)
    _bids(made, service)
    _custody(made, service)
    return made


def _now(request: Request, service: BiddingService) -> int:
    stamp = getattr(request.state, "arrival", None)
    return stamp if isinstance(stamp, int) else service.room.clock.now()


def _uploads(made: APIRouter, service: BiddingService) -> None:
    desk = service.uploads

    @made.options("/uploads", status_code=204, tags=["uploads"])
    async def abilities() -> Response:
        """Say what this tus server can do."""
        return Response(
            status_code=204,
            headers={
                "Tus-Resumable": TUS,
                "Tus-Version": TUS,
                "Tus-Extension": "creation,checksum,expiration,termination",
                "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
                "Tus-Max-Size": str(2 << 30),
            },
        )

    @made.post(
        "/uploads",
        status_code=201,
        response_class=Response,  # empty: all that tus says stands in headers
        tags=["uploads"],
        responses=TUS_PROBLEMS,
    )
    async def create(
        request: Request,
        who: Who,
        upload_length: Annotated[int, Header(ge=0, le=1 << 53)],
        tus_resumable: Annotated[str, Header()] = TUS,
    ) -> Response:
        """Begin an upload of `Upload-Length` bytes (tus creation)."""
        _version(tus_resumable)
        now = _now(request, service)
        upload = await desk.create(who.organisation, upload_length, now)
        headers = {
            "Location": f"{BASE}/uploads/{upload.id}",
            "Tus-Resumable": TUS,
            "Upload-Offset": "0",
            "Upload-Expires": _http_date(now + EXPIRES_MS),
        }
        return Response(status_code=201, headers=headers)

    def told(upload: str, who: Actor) -> dict[str, str]:
        found = desk.find(upload, who.organisation)
        return {
            "Tus-Resumable": TUS,
            "Upload-Offset": str(found.offset),
            "Upload-Length": str(found.length),
            "Upload-Expires": _http_date(found.expires_at),
            "Cache-Control": "no-store",
        }

    @made.head("/uploads/{upload}", status_code=200, response_class=Response, tags=["uploads"])
    async def offset(upload: Id, who: Who) -> Response:
        """Say how many bytes are durable (tus)."""
        return Response(headers=told(upload, who))

    @made.get("/uploads/{upload}", tags=["uploads"])
    async def progress(upload: Id, who: Who) -> dict[str, Any]:
        """Say how far an upload is."""
        found = desk.find(upload, who.organisation)
        return {"upload": found.id, "offset": found.offset, "length": found.length}

    @made.patch("/uploads/{upload}", status_code=204, tags=["uploads"], responses=TUS_PROBLEMS)
    async def append(
        request: Request,
        upload: Id,
        who: Who,
        upload_offset: Annotated[int, Header(ge=0, le=1 << 53)],
        content_type: Annotated[str, Header()] = "",
        upload_checksum: Annotated[str, Header()] = "",
        tus_resumable: Annotated[str, Header()] = TUS,
    ) -> Response:
        """Append bytes at `Upload-Offset` (tus); what arrived before a cut stays."""
        _version(tus_resumable)
        if content_type != "application/offset+octet-stream":
            raise MalformedError(
                "upload-content-type", "内容类型不符", "Send application/offset+octet-stream.",
                kind=Kind.UNSUPPORTED,
            )  # fmt: skip
        try:
            found = await desk.append(
                upload, who.organisation, upload_offset, request.stream(), upload_checksum
            )
        except ClientDisconnect:
            return Response(status_code=204)  # nobody reads it; what arrived is kept
        headers = {"Tus-Resumable": TUS, "Upload-Offset": str(found.offset)}
        return Response(status_code=204, headers=headers)

    @made.delete("/uploads/{upload}", status_code=204, tags=["uploads"])
    async def end(upload: Id, who: Who) -> Response:
        """Give an upload up (tus termination)."""
        await desk.end(upload, who.organisation)
        return Response(status_code=204, headers={"Tus-Resumable": TUS})


def _bids(made: APIRouter, service: BiddingService) -> None:
    async def flight(request: Request) -> AsyncIterator[Flight]:
        one = getattr(request.state, "flight", None)
        if one is None:
            one = service.intake.depart(_now(request, service))
        try:
            yield one
        finally:
            one.land()

    @made.post("/sections/{section}/submissions", status_code=201, tags=["bids"])
    async def submit(
        in_time: Annotated[Flight, Depends(flight)], section: Id, body: Json, who: Who
    ) -> dict[str, Any]:
        """Hand in a sealed bid; answered with the receipt once its slot is in the ledger."""
        return await service.intake.submit(who, section, body, in_time)

    @made.post("/sections/{section}/withdrawals", status_code=201, tags=["bids"])
    async def withdraw(
        in_time: Annotated[Flight, Depends(flight)], section: Id, body: Json, who: Who
    ) -> dict[str, Any]:
        """Withdraw the bid that counts 撤回."""
        return await service.intake.withdraw(who, section, body, in_time)

    @made.get("/sections/{section}/submissions/me", tags=["bids"])
    async def mine(section: Id, who: Who) -> dict[str, Any]:
        """List one's own acts and say which bid counts."""
        return service.intake.own(who, section)

    @made.get("/sections/{section}/receipts/{act}", tags=["bids"])
    async def receipt(section: Id, act: Id, who: Who) -> dict[str, Any]:
        """Return the first receipt of one's own act."""
        return await service.intake.receipt(who, section, act)

    @made.post("/sections/{section}/ceremony", status_code=201, tags=["custody"])
    async def begin(request: Request, section: Id, body: Json, who: Who) -> dict[str, Any]:
        """Begin the key ceremony; {"use": "live" or "rehearsal"}."""
        use = body.get("use", "live")
        if use not in ("live", "rehearsal"):  # a tuple: what comes may have no hash
            raise MalformedError("malformed", "内容格式不正确", "use is live or rehearsal.")
        now = _now(request, service)
        return {"ceremony": await service.ceremonies.begin(section, use, now), "by": who.person}


def _custody(made: APIRouter, service: BiddingService) -> None:
    @made.get("/custody/tasks", tags=["custody"])
    async def tasks(custodian: Annotated[str, Query(max_length=80)]) -> dict[str, Any]:
        """Say what a custodian is asked for now."""
        now = service.room.clock.now()
        wanted = service.ceremonies.tasks(custodian) + service.custody.tasks(custodian)
        return {"server_time": now, "tasks": wanted}

    @made.get("/custody/ceremonies/{ceremony}", tags=["custody"])
    async def ceremony(ceremony: Id) -> dict[str, Any]:
        """Return a ceremony's public state."""
        return service.ceremonies.show(ceremony)

    @made.post("/custody/ceremonies/{ceremony}/messages", status_code=202, tags=["custody"])
    async def message(request: Request, ceremony: Id, body: Json) -> dict[str, Any]:
        """Take a custodian's signed message of one round."""
        await service.ceremonies.message(ceremony, body, _now(request, service))
        return {"ceremony": ceremony}

    @made.get("/custody/sections/{section}/release-request", tags=["custody"])
    async def request_(
        section: Id, since: Annotated[int, Query(ge=0, le=1 << 53)] = 0
    ) -> dict[str, Any]:
        """Return everything a custodian needs but the ledger leaves."""
        return await service.custody.request(section, since)

    @made.post("/custody/sections/{section}/partials", status_code=201, tags=["custody"])
    async def partials(request: Request, section: Id, body: Json) -> dict[str, Any]:
        """Take a custodian's signed release or refusal."""
        return await service.custody.answer(section, body, _now(request, service))


def _version(header: str) -> None:
    if header != TUS:
        raise MalformedError(
            "tus-version", "不支持的上传协议版本", f"This server speaks tus {TUS}.",
            kind=Kind.PRECONDITION,
        )  # fmt: skip


def _http_date(ms: int) -> str:
    """Return an HTTP date (RFC 9110 §5.6.7), which tus wants in Upload-Expires."""
    text = rfc3339(ms)
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
    names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][ms // 86_400_000 % 7]
    return f"{weekday}, {day:02} {names[month - 1]} {year} {text[11:19]} GMT"
