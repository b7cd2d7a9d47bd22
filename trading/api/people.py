"""Login, enrolment, one's own organisation, one's own keys."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response, status

from crypto.encoding import unb64
from crypto.errors import CryptoError
from trading.access import PUBLIC, Rule, actor
from trading.api import views
from trading.api.shapes import (
    Arrival,
    ChallengeAnswer,
    ChallengeRequest,
    EnrolmentAnswer,
    EnrolmentRequest,
    OwnOrganisation,
    SessionAnswer,
    TicketAnswer,
    WaitingEnrolment,
)
from trading.model import CENTRE_STAFF, LOGIN, Actor, ForbiddenError, Key, MalformedError
from trading.service import Login, TradingService
from trading.service.forms import SignedForm

ACCESS: Final = (
    Rule("POST", "/api/v1/session/challenge", PUBLIC, "登录挑战，60 秒，一次有效"),
    Rule("POST", "/api/v1/session", PUBLIC, "凭签名挑战登录；由登录服务核验签名"),
    Rule("DELETE", "/api/v1/session", LOGIN, "退出登录"),
    Rule("POST", "/api/v1/session/ticket", LOGIN, "一次性实时连接票据，30 秒"),
    Rule("POST", "/api/v1/enrolments", PUBLIC, "登记申请；凭私钥持有证明"),
    Rule("GET", "/api/v1/enrolments", CENTRE_STAFF, "待签发的登记申请"),
    Rule("GET", "/api/v1/enrolments/{enrolment_id}", PUBLIC, "登记结果；编号随机，知者可查"),
    Rule("GET", "/api/v1/organisations/me", LOGIN, "本单位及其全部证书", own=True),
    Rule("POST", "/api/v1/keys/revocation", LOGIN, "自行吊销本人密钥，即时生效", own=True),
)

TOKENS: Final = frozenset({"/api/v1/session", "/api/v1/session/ticket"})
"""Paths that answer with a secret; nothing keeps those answers."""

Who = Annotated[Actor, Depends(actor)]


def current(request: Request) -> Login:
    """Dependency: the open session; the gate has put it there."""
    login: Login = request.state.login
    return login


CurrentLogin = Annotated[Login, Depends(current)]


def add(router: APIRouter, service: TradingService) -> None:
    """Add the routes of this file to a router."""

    @router.post("/session/challenge")
    async def challenge(body: ChallengeRequest, request: Request) -> ChallengeAnswer:
        """Ask for a challenge; whoever asks gets one, known or not."""
        made = service.sessions.challenge(_key(body.key), origin_of(request, service))
        return ChallengeAnswer(challenge=made.text, origin=made.origin, expires_at=made.expires_at)

    @router.post("/session", status_code=status.HTTP_201_CREATED)
    async def login(body: SignedForm, request: Request, at: Arrival) -> SessionAnswer:
        """Log in with a signed challenge (purpose `login`: challenge, origin)."""
        token, session = await service.sessions.open(
            body.model_dump(), origin_of(request, service), at
        )
        who = session.actor
        return SessionAnswer(
            token=token,
            expires_at=session.stored.expires_at,
            person=who.person,
            organisation=who.organisation,
            role=who.role,
            key_id=who.key_id,
        )

    @router.delete("/session", status_code=status.HTTP_204_NO_CONTENT)
    async def logout(session: CurrentLogin) -> Response:
        """Log out; open sockets of this session are cut."""
        await service.sessions.close(session)
        return Response(status_code=status.HTTP_204_NO_CONTENT)

    @router.post("/session/ticket", status_code=status.HTTP_201_CREATED)
    async def ticket(session: CurrentLogin) -> TicketAnswer:
        """Make a one-time ticket for one socket, for browsers, which cannot set headers there."""
        text, expires_at = service.sessions.ticket(session)
        return TicketAnswer(ticket=text, expires_at=expires_at)

    @router.post("/enrolments", status_code=status.HTTP_201_CREATED)
    async def enrol(body: EnrolmentRequest, at: Arrival) -> EnrolmentAnswer:
        """Ask for a key; with an invitation code of `first-run.json` it is issued at once."""
        enrolment, key = await service.enrolments.enrol(
            body.statement.model_dump(),
            person_name=body.person_name,
            certificate=body.certificate,
            invitation=body.invitation,
            arrival=at,
        )
        return _enrolment(enrolment, key)

    @router.get("/enrolments")
    async def enrolments() -> list[WaitingEnrolment]:
        """List who waits for a key."""
        return [views.waiting(service, e) for e in service.state.enrolments.values()]

    @router.get("/enrolments/{enrolment_id}")
    async def enrolment(enrolment_id: str) -> EnrolmentAnswer:
        """Say what became of an enrolment."""
        _, key = service.enrolments.status(enrolment_id)
        return _enrolment(enrolment_id, key)

    @router.get("/organisations/me")
    async def organisation(who: Who) -> OwnOrganisation:
        """Show one's own organisation with every key ever issued to it."""
        return views.own_organisation(service, who.organisation)

    @router.post("/keys/revocation", status_code=status.HTTP_204_NO_CONTENT)
    async def revoke(body: SignedForm, who: Who, at: Arrival) -> Response:
        """Give up one's own key (purpose `key_revocation`: key_id, reason, nonce, at)."""
        await service.enrolments.revoke_own(who, body.model_dump(), at)
        return Response(status_code=status.HTTP_204_NO_CONTENT)


def origin_of(request: Request, service: TradingService) -> str:
    """The address the client came to, as browsers write origins.

    Raises:
        ForbiddenError: the centre has a list of its origins and this is none of them.
    """
    origin = f"{request.url.scheme}://{request.headers.get('host', '')}"
    allowed = service.settings.origins
    if allowed and origin not in allowed:
        raise ForbiddenError(
            "origin-foreign", "请求来源不被允许", "Come to one of the centre's own addresses."
        )
    return origin


def _enrolment(enrolment: str, key: Key | None) -> EnrolmentAnswer:
    if key is None:
        return EnrolmentAnswer(enrolment=enrolment, status="waiting")
    return EnrolmentAnswer(
        enrolment=enrolment,
        status="issued",
        key_id=key.key_id,
        person=key.person,
        organisation=key.organisation,
        certificate=key.certificate,
        issued_at_index=key.issued_at_index,
    )


def _key(text: str) -> bytes:
    try:
        return unb64(text)
    except CryptoError as error:
        raise MalformedError(
            "key-malformed", "公钥格式不正确", "Write the 33 bytes of the key in base64."
        ) from error
