"""What takes two signatures, and what follows when the custodians' quorum fails.

An order of two: the supervisor signs a statement at its own desk, an operator brings it, the centre
signs the very same. The answer holds both and is what `custodian take FILE` accepts, so that an order
reaches custodians also when the centre keeps it from the log.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Path, Request

from bidding.model import MalformedError
from bidding.service import BiddingService
from bidding.service.hall_receipts import HallReceipts
from crypto import statement
from trading.access import PUBLIC, Rule, actor
from trading.model import CENTRE_STAFF, Actor, Bidders, Role, Scope

BASE: Final = "/api/v1"
_BIDDER: Final = Bidders(Scope.CONFIRM)
_SUPERVISOR: Final = frozenset({Role.SUPERVISOR})

ACCESS: Final = (
    Rule(
        "POST",
        f"{BASE}/sections/{{section}}/postponements",
        CENTRE_STAFF,
        "推迟开标；须监督人签名，中心同签",
        phases="截止前",
    ),
    Rule(
        "POST",
        f"{BASE}/sections/{{section}}/terminations",
        CENTRE_STAFF,
        "终止，托管人不再应答；须监督人签名，中心同签",
    ),
    Rule(
        "POST",
        f"{BASE}/sections/{{section}}/supplements",
        CENTRE_STAFF,
        "补充名单：未列原因已消除者；须监督人签名，中心同签",
        phases="解锁中",
    ),
    Rule(
        "POST",
        f"{BASE}/sections/{{section}}/quorum-failures",
        CENTRE_STAFF,
        "宣布托管失效；须监督人签名，中心同签",
        phases="解锁时限后，导入前",
    ),
    Rule(
        "POST",
        f"{BASE}/sections/{{section}}/late-witnesses",
        _SUPERVISOR,
        "停机后准许逾时联署",
        phases="截止后，应答前",
    ),
    Rule(
        "POST",
        f"{BASE}/sections/{{section}}/reconciliations",
        CENTRE_STAFF,
        "核对双史后继续；须监督人签名，中心同签",
    ),
    Rule("GET", f"{BASE}/openings/{{section}}/failure", PUBLIC, "托管失效后的承诺与交出情况"),
    Rule(
        "POST",
        f"{BASE}/openings/{{section}}/pledges",
        _BIDDER,
        "承诺交出文件密钥；须递交时的密钥签名",
        phases="托管失效后",
        own=True,
    ),
    Rule(
        "POST",
        f"{BASE}/openings/{{section}}/file-keys",
        _BIDDER,
        "交出文件密钥；须递交时的密钥签名",
        phases="全部承诺后",
        own=True,
    ),
    Rule("POST", f"{BASE}/custody/recoveries", PUBLIC, "托管人取回本人先前所言；须其签名"),
    Rule("GET", f"{BASE}/custody/drill", PUBLIC, "自检所用演练公钥，不属任何标段"),
    # It rehearses sealing and handing in, for no section: whoever may submit may try whether it works.
    Rule(
        "POST",
        f"{BASE}/custody/drill",
        Bidders(Scope.SUBMIT),
        "投标人自检：密封试件，即时开启，不留存",
    ),
    Rule("GET", f"{BASE}/custody/board", PUBLIC, "托管人状态；开标前一日起标红"),
)

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}$")]
Json = Annotated[dict[str, Any], Body()]
Who = Annotated[Actor, Depends(actor)]
Order = Callable[[Actor, str, dict[str, Any], int], Awaitable[dict[str, Any]]]


def add(made: APIRouter, service: BiddingService, receipts: HallReceipts) -> None:
    """Add these routes to the room's; `receipts` signs those of pledges and file keys."""
    _orders(made, service)
    _failure(made, service, receipts)

    @made.get("/custody/drill", tags=["custody"])
    async def drill() -> dict[str, Any]:
        """Show the key that a self-test seals a dummy to; it is of no section."""
        return await service.drill.show()

    @made.post("/custody/drill", tags=["custody"])
    async def test(body: Json, who: Who) -> dict[str, Any]:
        """Open a bidder's dummy at once and say what was in it: {"sealed": base64}. Nothing is kept."""
        sealed = body.get("sealed")
        if not isinstance(sealed, str) or len(body) != 1:
            raise MalformedError("malformed", "内容格式不正确", 'Send {"sealed": base64}.')
        return await service.drill.open(who, sealed)

    @made.post("/custody/recoveries", tags=["custody"])
    async def recovery(request: Request, body: Json) -> dict[str, Any]:
        """Give a custodian whose home was lost its own words: a signed Recovery, a minute old at most."""
        return await service.custody.recovery(body, _now(request, service))

    @made.get("/custody/board", tags=["custody"])
    async def board(request: Request) -> dict[str, Any]:
        """Say which custodians are awake, and which would be missed at the hour."""
        return await service.board.show(_now(request, service))


def _now(request: Request, service: BiddingService) -> int:
    stamp = getattr(request.state, "arrival", None)
    return stamp if isinstance(stamp, int) else service.room.clock.now()


def _orders(made: APIRouter, service: BiddingService) -> None:
    async def both(
        act: Order, section: str, body: dict[str, Any], who: Actor, now: int
    ) -> dict[str, Any]:
        signed = body.get("supervisor")
        if not isinstance(signed, dict) or len(body) != 1:
            raise MalformedError("malformed", "内容格式不正确", 'Send {"supervisor": signed}.')
        return await act(who, section, signed, now)

    @made.post("/sections/{section}/postponements", status_code=201, tags=["custody"])
    async def postpone(request: Request, section: Id, body: Json, who: Who) -> dict[str, Any]:
        """Move T later: {"supervisor": signed Postponement}; the centre signs the same."""
        return await both(service.orders.postpone, section, body, who, _now(request, service))

    @made.post("/sections/{section}/terminations", status_code=201, tags=["custody"])
    async def terminate(request: Request, section: Id, body: Json, who: Who) -> dict[str, Any]:
        """End a section for good: {"supervisor": signed Termination}; the centre signs the same."""
        return await both(service.orders.terminate, section, body, who, _now(request, service))

    @made.post("/sections/{section}/supplements", status_code=201, tags=["custody"])
    async def supplement(request: Request, section: Id, body: Json, who: Who) -> dict[str, Any]:
        """Put excluded bids back: {"supervisor": signed Supplement}; the centre signs the same."""
        return await both(service.orders.supplement, section, body, who, _now(request, service))

    @made.post("/sections/{section}/quorum-failures", status_code=201, tags=["custody"])
    async def fail(request: Request, section: Id, body: Json, who: Who) -> dict[str, Any]:
        """End release for the key: {"supervisor": signed QuorumFailure}; the centre signs the same."""
        return await both(service.orders.miss_quorum, section, body, who, _now(request, service))

    @made.post("/sections/{section}/reconciliations", status_code=201, tags=["custody"])
    async def reconcile(request: Request, section: Id, body: Json, who: Who) -> dict[str, Any]:
        """Answer evidence of two histories: {"supervisor": signed Reconciliation}; the centre signs the same."""
        return await both(service.orders.reconcile, section, body, who, _now(request, service))

    @made.post("/sections/{section}/late-witnesses", status_code=201, tags=["custody"])
    async def late(request: Request, section: Id, body: Json, who: Who) -> dict[str, Any]:
        """Let cosignatures after the minute count: a LateWitness signed by the supervisor."""
        await service.orders.late_witness(who, section, body, _now(request, service))
        return {"section": section, "by": who.person}


def _failure(made: APIRouter, service: BiddingService, receipts: HallReceipts) -> None:
    @made.get("/openings/{section}/failure", tags=["openings"])
    async def failure(section: Id) -> dict[str, Any]:
        """Say what a bidder signs after a quorum failure, and how far pledges and keys are."""
        return service.disclosures.show(section)

    @made.post("/openings/{section}/pledges", status_code=201, tags=["openings"])
    async def pledge(request: Request, section: Id, body: Json, who: Who) -> dict[str, Any]:
        """Take a signed Pledge."""
        shown = await service.disclosures.pledge(who, section, body, _now(request, service))
        digest = statement.digest(body).hex()
        return {**shown, "receipt": receipts.of(section, "pledged", who.organisation, digest)}

    @made.post("/openings/{section}/file-keys", status_code=201, tags=["openings"])
    async def disclose(request: Request, section: Id, body: Json, who: Who) -> dict[str, Any]:
        """Take a signed Disclosure whose key fits the header."""
        shown = await service.disclosures.disclose(who, section, body, _now(request, service))
        digest = statement.digest(body).hex()
        return {**shown, "receipt": receipts.of(section, "disclosed", who.organisation, digest)}
