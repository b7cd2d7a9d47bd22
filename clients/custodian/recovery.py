"""A lost home made anew: shares from the host secret, and everything it must not contradict.

Shares come back from the host secret and what ceremonies left in public. What the old home had *said* comes back from
the log and from its own signatures, so that the new one can neither answer differently nor cosign another history:

1. two other witnesses have stamped, within a minute of now, a checkpoint that the log shown goes on from. They sign one
   history only, so this is it;
2. whatever this custodian itself had cosigned lies on it, else the log is caught;
3. each answer that the log says it gave is here with its own signature; where the centre cannot show one, the section is
   held, and nobody but its own people lift that.

What was only handed over (orders of two, holds) is in no log and must be handed over again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bidding.model import BiddingError, CeremonyMessage, Recovery, Release
from clients.custodian import histories
from clients.custodian import sentences as say
from clients.custodian.ceremony import ROUND, keep_birth, recover_share
from clients.custodian.cosigner import LAST, ForkError
from clients.custodian.handed import put_on_hold
from clients.custodian.release import ANSWERED, RELEASE, subject_of
from clients.errors import ClientError
from clients.sdk import ledger
from crypto import statement
from crypto.canonical import canonical, parse
from crypto.certificate import SuccessCertificate, verify_certificate
from crypto.cocktail import share_bundle
from crypto.encoding import sha256_hex, unb64
from crypto.errors import CryptoError, ProofError
from crypto.tlog import cosignature, merkle
from crypto.tlog.checkpoint import Checkpoint, open_checkpoint
from crypto.tlog.fold import Fold

if TYPE_CHECKING:
    from clients.custodian.home import Home
    from clients.custodian.roster import Roster
    from clients.sdk.wire import Centre

FRESH_MS: Final = 60_000
WITNESSES: Final = 2
LOST: Final = "the answer given before this home was lost could not be had back"


@dataclass(frozen=True, slots=True)
class Recovered:
    """What came back: number of shares, of own answers; sections held because an answer did not; log size."""

    shares: int
    answers: int
    held: tuple[str, ...]
    size: int


@dataclass(slots=True)
class _Log:
    """What the log says: ceremonies assigned, close lists by section, this custodian's answers by digest.

    `born`: ceremony → size and root of the log before its key was first assigned.
    """

    ceremonies: dict[str, str] = field(default_factory=dict)
    born: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)
    answered: dict[str, str] = field(default_factory=dict)


def recover_all(home: Home, roster: Roster, centre: Centre, now: int) -> Recovered:
    """Makes shares and memory anew.

    Args:
        home: fresh, with the old host secret.
        roster: the one that was joined, compared out of band.
        centre: shows the log; believed in nothing.
        now: own clock, ms UTC.

    Raises:
        ForkError: this custodian, or another witness, has cosigned another history than the one shown.
        ClientError: too few others have witnessed the log just now; a share or word does not hold.
    """
    asked = Recovery(custodian=home.keys.name, at=now)
    signed = statement.sign(
        home.keys.statement, Recovery.PURPOSE, home.identity.centre, asked.to_body()
    )
    given = centre.call("POST", "/custody/recoveries", signed)
    head = ledger.checkpoint(centre)
    tree = open_checkpoint(head, roster.ledger)
    own = _witnessed(home, roster, centre, given["cosigned"], head, now)
    log = _read(home, centre, tree)
    shares = _shares(home, roster, centre, log, now)
    if shares and own is None:
        raise ClientError(say.OWN_COSIGNATURE_MISSING())
    answers, held = _answers(home, given["answers"], log, now)
    for one in given["messages"]:
        body = _own(home, one, CeremonyMessage.PURPOSE)
        message = CeremonyMessage.from_body(body)
        home.state.say(ROUND.format(message.round), message.ceremony, canonical(one), now)
    histories.learn(home.state, roster, ledger.evidence(centre), now)
    home.state.advance("clock", max(now, own or 0))
    home.state.advance(LAST, tree.size, tree.root + head)
    return Recovered(shares, answers, held, tree.size)


def _witnessed(
    home: Home, roster: Roster, centre: Centre, notes: list[str], head: bytes, now: int
) -> int | None:
    """Checks that the head goes on from what witnesses cosigned; returns the own newest stamp, ms."""
    tree = open_checkpoint(head, roster.ledger)
    mine = home.card().witness
    fresh: set[str] = set()
    own: int | None = None
    for text in notes:
        note = text.encode()
        seen = cosignature.verify(note, roster.notes())
        if not seen:
            continue  # nobody of the roster has cosigned it
        point = open_checkpoint(note, roster.ledger)
        _goes_on(home, roster, centre, note, point, head, tree, now)
        for one in seen:
            stamp = one.timestamp * 1000
            if str(one.key) == mine:
                own = max(stamp, own or 0)
            elif abs(now - stamp) <= FRESH_MS:
                fresh.add(str(one.key))
    if len(fresh) < WITNESSES:
        raise ClientError(say.TOO_FEW_WITNESSES(fresh=len(fresh), needed=WITNESSES))
    return own


def _goes_on(
    home: Home,
    roster: Roster,
    centre: Centre,
    note: bytes,
    point: Checkpoint,
    head: bytes,
    tree: Checkpoint,
    now: int,
) -> None:
    longer = tree.size > point.size
    proof = ledger.consistency(centre, point.size, tree.size) if longer else []
    try:
        merkle.verify_consistency(point.size, tree.size, proof, point.root, tree.root)
    except ProofError as error:
        found = histories.prove(centre, roster.ledger, note, head, point.size)
        where = "tell the supervisor"
        if found is not None:
            where = f"the proof lies in {histories.hand_on(home, centre, found, now)}"
        raise ForkError(say.OTHER_HISTORY(size=point.size, error=error, where=where)) from error


def _read(home: Home, centre: Centre, tree: Checkpoint) -> _Log:
    """Reads the whole log once; its leaves fold to the head, so none is left out."""
    found, fold = _Log(), Fold(0, ())
    for data in ledger.leaves(centre, 0, tree.size):
        leaf = {} if b'"kind":"slot"' in data else parse(data)
        match leaf.get("kind"):
            case "key_assign":
                found.ceremonies[leaf["section"]] = leaf["ceremony"]
                found.born.setdefault(leaf["ceremony"], (fold.size, fold.root()))
            case "close_list":
                found.closed.setdefault(leaf["section"], sha256_hex(data))
            case "release" if leaf["custodian"] == home.keys.name:
                found.answered[leaf["sha256"]] = leaf["section"]
        fold.add(data)
    if fold.root() != tree.root:
        raise ClientError(say.OTHER_LEAVES())
    return found


def _shares(home: Home, roster: Roster, centre: Centre, log: _Log, now: int) -> int:
    count = 0
    for ceremony in log.ceremonies.values():
        remains = centre.call("GET", f"/custody/ceremonies/{ceremony}")
        certificate = SuccessCertificate.from_json(remains["certificate"])
        group = verify_certificate(certificate, roster.hosts().keys())
        host = home.keys.host.public
        if host not in group.key_context.custodians:
            continue
        first = [unb64(_message(signed)) for signed in remains["rounds"]["1"]]
        bundle = share_bundle(first, group.index_of(host), group.t)
        recover_share(home, ceremony, certificate, bundle, now)
        keep_birth(home, ceremony, *log.born[ceremony], now)
        count += 1
    return count


def _answers(
    home: Home, given: list[dict[str, Any]], log: _Log, now: int
) -> tuple[int, tuple[str, ...]]:
    """Keeps own answers again; holds the sections of those that the log tells of and nobody shows."""
    known = {statement.digest(signed).hex(): signed for signed in given}
    for signed in known.values():
        said = Release.from_body(_own(home, signed, Release.PURPOSE))
        home.state.say(ANSWERED, said.ceremony, said.close_list.encode(), now)
        home.state.say(RELEASE, subject_of(said), canonical(signed), now)
    held = []
    for digest, section in log.answered.items():
        if digest in known:
            continue
        ceremony, listed = log.ceremonies.get(section, ""), log.closed.get(section, "")
        home.state.say(ANSWERED, ceremony, listed.encode(), now)
        put_on_hold(home.state, section, LOST, now)
        held.append(section)
    return len(known), tuple(sorted(set(held)))


def _own(home: Home, signed: dict[str, Any], purpose: str) -> dict[str, Any]:
    """The body of one's own earlier statement.

    Raises:
        ClientError: it is not signed by this home's key.
    """
    try:
        return dict(
            statement.verify(
                signed,
                purpose=purpose,
                centre=home.identity.centre,
                key=home.keys.statement.public,
            )
        )
    except CryptoError as error:
        raise ClientError(say.NOT_SIGNED_HERE(purpose=purpose)) from error


def _message(signed: Any) -> str:
    """The DKG message inside a signed ceremony message; the certificate vouches for its content."""
    body = dict(signed["statement"])
    for name in ("v", "suite", "purpose", "centre"):
        body.pop(name, None)
    try:
        return CeremonyMessage.from_body(body).message
    except BiddingError as error:
        raise ClientError(say.REMAINS_MALFORMED(error=error)) from error
