"""Critical acts: what takes two people, who may propose and who may confirm.

Two different persons, in different roles, with different keys; both signatures stand in one
journal event; a proposal expires after ten minutes (reliability.md §4, four eyes). Suspending
takes one person, resuming two. This table is data: rooms above add their own rows to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from trading.model.identity import CENTRE_STAFF, Actor, Role

PROPOSAL_MS: Final = 10 * 60_000  # four eyes: expires in 10 min
ENROLMENT_MS: Final = 7 * 86_400_000  # a request nobody issued is forgotten after a week
FRESH_MS: Final = 60_000  # a signed command is taken within a minute of its own `at`

_SUPERVISED: Final = CENTRE_STAFF | {Role.SUPERVISOR}


@dataclass(frozen=True, slots=True)
class Act:
    """One kind of critical act.

    Attributes:
        name: as in `key.issue`.
        event: journal kind written when it is carried, as `key.issued`.
        title: Chinese, for tables and pages.
        proposers: roles that may propose.
        confirmers: roles that may confirm; never the proposer's own role.
        source: where the demand for two people comes from.
    """

    name: str
    event: str
    title: str
    proposers: frozenset[Role]
    confirmers: frozenset[Role]
    source: str = "reliability.md §4"


ACTS: Final[tuple[Act, ...]] = (
    Act("key.issue", "key.issued", "签发证书", CENTRE_STAFF, CENTRE_STAFF),
    Act("key.revoke", "key.revoked", "吊销证书", _SUPERVISED, _SUPERVISED),
    Act("custodian.register", "custodian.registered", "登记密钥托管人", CENTRE_STAFF, _SUPERVISED),
    Act("witness.register", "witness.registered", "登记日志见证人", CENTRE_STAFF, _SUPERVISED),
    Act(
        "tender.create",
        "tender.created",
        "进场登记",
        frozenset({Role.TENDERER, Role.AGENT, Role.OPERATOR}),
        frozenset({Role.TENDERER, Role.OPERATOR, Role.REVIEWER}),
    ),
    Act("tender.publish", "tender.published", "发布招标公告", CENTRE_STAFF, CENTRE_STAFF),
    Act(
        "section.amend",
        "section.amended",
        "发布补遗（澄清修改）",
        frozenset({Role.TENDERER, Role.AGENT, Role.OPERATOR}),
        _SUPERVISED,
        "招标投标法 23; 实施条例 21; 87号令 27; reliability.md §4",
    ),
    Act(
        "tender.terminate",
        "tender.terminated",
        "终止招标",
        CENTRE_STAFF | {Role.TENDERER},
        _SUPERVISED,
    ),
    Act("session.create", "session.created", "竞价场次登记", CENTRE_STAFF, CENTRE_STAFF),
    Act("session.publish", "session.published", "发布竞价公告", CENTRE_STAFF, CENTRE_STAFF),
    Act("session.terminate", "session.terminated", "终止竞价", CENTRE_STAFF, _SUPERVISED),
    Act("target.resume", "target.resumed", "恢复交易", _SUPERVISED, _SUPERVISED),
    Act("deposit.release", "deposit.released", "退还保证金", CENTRE_STAFF, CENTRE_STAFF),
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """An act that one person has signed and a second one must.

    Attributes:
        statement: the proposer's signed statement (purpose `proposal`), as received.
        digest: hex of SHA-256 over the canonical signed statement: what the second one signs.
        by: who proposed.
        expires_at: ms UTC; an instant exactly then is too late.
    """

    id: str
    act: str
    body: Mapping[str, Any]
    statement: Mapping[str, Any]
    digest: str
    by: Actor
    at: int
    expires_at: int
