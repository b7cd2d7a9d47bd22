"""Who may hold which key, and which two people may do a critical act together."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from trading.model import (
    CENTRE_STAFF,
    EXCLUSIVE,
    FRESH_MS,
    LOGIN,
    OUTSIDE,
    SEPARATED_ADMINS,
    Act,
    Actor,
    ConflictError,
    ForbiddenError,
    LoginError,
    MalformedError,
    Role,
    State,
    UnlawfulError,
)

# Organisations with a key of the left-hand kind may have none of the right-hand kind.
_APART: Final = (
    (
        CENTRE_STAFF | SEPARATED_ADMINS,
        frozenset({Role.BIDDER, Role.DELEGATE}),
    ),  # 电子办法 23: may not bid here
    (CENTRE_STAFF, frozenset({Role.SUPERVISOR, Role.AUDITOR})),
    (frozenset({Role.SUPERVISOR, Role.AUDITOR}), frozenset({Role.BIDDER, Role.DELEGATE})),
)
_NONCE: Final = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)


def check_role(
    state: State, *, organisation: str, person: str, role: Role, test: bool, live: bool
) -> None:
    """Check that an organisation and a person may have a key of a role.

    Args:
        state: who holds what now.
        organisation: id, or "" for one not known yet.
        person: id, or "" for one not known yet.
        role: what the key would act as.
        test: whether the organisation's code is a test code.
        live: whether the centre does real business.

    Raises:
        UnlawfulError: the roles are exclusive, or a test code in a live centre.
        MalformedError: custodians and witnesses are registered by their card.

    Source: reliability.md §4 (三员, four eyes); 电子招标投标办法 23.
    """
    if test and live:
        raise UnlawfulError(
            "test-code-in-live-centre",
            "正式系统不接受测试代码",
            "The credit code is of the test series; give the organisation's own.",
            rule="GB 32100-2015",
        )
    if role not in LOGIN:
        raise MalformedError(
            "role-by-card",
            "该角色须凭身份卡登记",
            "Custodians and witnesses present a signed card; the centre registers it.",
        )
    held = {key.role for key in state.keys.values() if key.live and key.person == person}
    if role in EXCLUSIVE and held & (EXCLUSIVE - {role}):
        raise UnlawfulError(
            "roles-exclusive",
            "角色互斥",
            f"This person already acts as {', '.join(sorted(held))}; another person must take "
            f"the role {role}.",
            rule="reliability.md §4",
        )
    present = {
        key.role for key in state.keys.values() if key.live and key.organisation == organisation
    }
    for left, right in _APART:
        if (role in left and present & right) or (role in right and present & left):
            raise UnlawfulError(
                "organisation-roles-exclusive",
                "单位角色互斥",
                f"This organisation acts as {', '.join(sorted(present))} and may not act as "
                f"{role} as well.",
                rule="电子招标投标办法 23; reliability.md §4",
            )


def may_bring_certificate(role: Role) -> bool:
    """Whether a key of this role may bring a certificate from elsewhere (design §2, Identity)."""
    return role in OUTSIDE


def check_proposer(act: Act, actor: Actor) -> None:
    """Check that an actor may propose an act.

    Raises:
        ForbiddenError: its role may not.
    """
    if actor.role not in act.proposers:
        raise ForbiddenError(
            "act-not-yours",
            "无权提出该操作",
            f"{act.name} is proposed by {_names(act.proposers)}.",
            rule=act.source,
        )


def check_pair(act: Act, proposer: Actor, confirmer: Actor) -> None:
    """Check that a second person may confirm what a first one proposed.

    Raises:
        ForbiddenError: the second one's role may not, or person, role or key is the same.

    Source: reliability.md §4 (two different persons, roles and certificates).
    """
    if confirmer.role not in act.confirmers:
        raise ForbiddenError(
            "act-not-yours",
            "无权确认该操作",
            f"{act.name} is confirmed by {_names(act.confirmers)}.",
            rule=act.source,
        )
    if (
        confirmer.person == proposer.person
        or confirmer.key_id == proposer.key_id
        or confirmer.role == proposer.role
    ):
        raise ForbiddenError(
            "four-eyes",
            "须由另一人以另一角色复核",
            "The second signature must come from another person, in another role, with another "
            "key than the first.",
            rule=act.source,
        )


def check_fresh(state: State, body: Mapping[str, Any], arrival: int) -> None:
    """Check that a signed command was made for now and is taken for the first time.

    Args:
        state: knows the nonces of the last ten minutes.
        body: has `nonce` (16 to 64 characters of base64url) and `at` (ms UTC).
        arrival: stamp of the request, ms UTC.

    Raises:
        MalformedError: one of the two is missing or of another form.
        LoginError: `at` is more than a minute away from the arrival.
        ConflictError: the nonce was used before.
    """
    nonce, at = body.get("nonce"), body.get("at")
    if not isinstance(nonce, str) or not _NONCE.fullmatch(nonce) or type(at) is not int:
        raise MalformedError(
            "command-malformed",
            "签名指令格式不正确",
            "A signed command has nonce (16 to 64 characters of base64url) and at (ms UTC).",
        )
    if abs(arrival - at) > FRESH_MS:
        raise LoginError(
            "command-stale",
            "签名指令已过时",
            f"It was signed for another time; set at to the server's time (within "
            f"{FRESH_MS // 1000} s) and sign again.",
        )
    if nonce in state.nonces:
        raise ConflictError(
            "command-repeated",
            "签名指令已被受理",
            "A command with this nonce was taken already; sign a new one if it is meant twice.",
        )


def _names(roles: Iterable[Role]) -> str:
    return ", ".join(sorted(roles))
