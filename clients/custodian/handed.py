"""What reaches a custodian past the centre's network: postponements handed over, its own veto, a rehearsal.

A postponement, termination, supplement, quorum failure or reconciliation counts when centre and supervisor both signed
the very same body. Evidence of two histories counts by itself.
The centre could keep it from the log; handed to a custodian directly it stands all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bidding.model import (
    BiddingError,
    Postponement,
    QuorumFailure,
    Reconciliation,
    Supplement,
    Termination,
)
from bidding.release import TwoSigned
from clients.custodian import histories
from clients.custodian import sentences as say
from clients.custodian.ceremony import CERTIFICATE, SHARE, load_share
from clients.custodian.release import HANDED, HOLD
from clients.errors import ClientError
from clients.sdk.wire import Centre, WireError
from crypto import statement, threshold
from crypto.canonical import canonical, parse
from crypto.certificate import SuccessCertificate, verify_certificate
from crypto.encoding import sha256_hex
from crypto.errors import CryptoError
from crypto.p256 import Point
from crypto.signature import SigningKey

if TYPE_CHECKING:
    from clients.custodian.home import Home
    from clients.custodian.roster import Roster
    from clients.custodian.state import State
    from crypto.certificate import GroupKey

KINDS: Final = (Postponement, Termination, Supplement, QuorumFailure, Reconciliation)


def accept(state: State, roster: Roster, value: Any, now: int) -> tuple[str, str]:
    """Takes a statement of two.

    Args:
        state: the custodian's memory.
        roster: whose keys count.
        value: ``{"centre": signed, "supervisor": signed}``.
        now: own clock, ms UTC.

    Evidence of two histories (`crypto.tlog.evidence`) needs nobody's signature but those it shows.

    Returns:
        What it is (its purpose) and the section it is about; of evidence, whom it accuses.

    Raises:
        ClientError: not both signed, not the same body, or none of the kinds.
    """
    if isinstance(value, dict) and "first" in value:
        proved = histories.learn(state, roster, [value], now)
        if not proved:
            raise ClientError(say.PROVES_NOTHING())
        return histories.EVIDENCE, proved[0].key.partition("+")[0]
    try:
        both = TwoSigned.from_body(value)
        purpose = str(both.centre["statement"]["purpose"])
        kinds = [kind for kind in KINDS if purpose == kind.PURPOSE]
        if not kinds:
            raise ClientError(say.NOT_HANDED_OVER(purpose=purpose))
        bodies = [
            statement.verify(signed, purpose=purpose, centre=roster.centre, key=key)
            for signed, key in (
                (both.centre, roster.centre_key),
                (both.supervisor, roster.supervisor_key),
            )
        ]
        said = kinds[0].from_body(bodies[0])
    except (BiddingError, CryptoError, KeyError, TypeError) as error:
        raise ClientError(say.NOT_BOTH_SIGNED(error=error)) from error
    if bodies[0] != bodies[1]:
        raise ClientError(say.SIGNED_DIFFERENTLY())
    if isinstance(said, Postponement) and said.deadline <= said.previous:
        raise ClientError(say.NEVER_EARLIER())
    content = canonical(both.to_body())
    state.say(HANDED, sha256_hex(content), content, now)
    return purpose, said.section


def put_on_hold(state: State, section: str, reason: str | None, now: int) -> None:
    """Holds a section for a reason, or lifts the hold when there is none."""
    state.unsay(HOLD, section)
    if reason is not None:
        state.say(HOLD, section, reason.encode(), now)


def rehearsal(home: Home, roster: Roster, server: str, now: int) -> dict[str, Any]:
    """Tries everything that will be needed at the hour, without touching a live bid.

    A share of a live key is only held against its verification share; a key born for rehearsal also
    answers for a fresh encapsulation, and the answer is checked as the opener will check it.

    Returns:
        ``ready``, and what was found for each share and for the centre's clock.
    """
    shares = {}
    for ceremony in sorted(home.state.all_said(SHARE)):
        kept = home.state.said(CERTIFICATE, ceremony)
        if kept is None:
            shares[ceremony] = "no certificate"
            continue
        certificate = SuccessCertificate.from_json(parse(kept))
        group = verify_certificate(certificate, roster.hosts().keys())
        shares[ceremony] = _try_share(home, ceremony, group)
    try:
        about = Centre.at(server, timeout=5).about()
        reached = f"server time {about.get('server_time', 'unknown')}"
    except (WireError, ClientError) as error:
        reached = f"not reached: {error}"
    home.state.advance("clock", max(now, home.state.mark("clock")[0]))
    fine = all(found.startswith("fits") for found in shares.values())
    return {
        "ready": fine and not reached.startswith("not reached"),
        "id": home.keys.name,
        "shares": shares,
        "centre": reached,
    }


def _try_share(home: Home, ceremony: str, group: GroupKey) -> str:
    share = load_share(home, ceremony)
    index = group.index_of(home.keys.host.public)
    context = group.key_context
    if share.public() != group.share(index):
        return "does not fit its verification share"
    if context.purpose == "rehearsal":
        points = [Point.parse(SigningKey.generate().public65)]
        partials, proof = threshold.partial(share, points)
        threshold.check_partial(group.share(index), points, partials, proof, index)
        return f"fits, and answered a rehearsal: {index} of {group.n}, section {context.section}"
    return f"fits: {index} of {group.n}, section {context.section}"
