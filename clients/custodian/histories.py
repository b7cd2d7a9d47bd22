"""Two histories of one log: proved where it can be, kept, handed on.

A log or witness that signs two histories gives itself away to whoever holds both notes. What a custodian or witness
was shown it keeps in its own memory and brings to the centre, which must publish it; a file of it lies in the home, to
be given to the supervisor by another way. While it stands unanswered no release comes out (release-v1, `one-history`).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from clients.files import write_json
from clients.sdk import ledger
from clients.sdk.wire import RefusedError, WireError
from crypto.canonical import canonical, parse
from crypto.errors import CryptoError
from crypto.tlog.evidence import Evidence, accuse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clients.custodian.home import Home
    from clients.custodian.roster import Roster
    from clients.custodian.state import State
    from clients.sdk.wire import Centre

EVIDENCE: Final = "evidence"


def kept(state: State) -> list[dict[str, Any]]:
    """Everything kept, JSON."""
    return [dict(parse(text)) for text in state.all_said(EVIDENCE).values()]


def learn(
    state: State, roster: Roster, values: Iterable[Mapping[str, Any]], now: int
) -> list[Evidence]:
    """Keeps what proves something about the pinned log or a pinned witness; the first about each key.

    Returns:
        The evidence that proves something, known before or not.
    """
    accused = {each["key"] for each in kept(state)}
    known = {roster.ledger, *roster.notes()}
    origin = roster.ledger.partition("+")[0]
    found = []
    for value in values:
        try:
            one = Evidence.from_json(value)
            first, _ = one.verify()
        except CryptoError:
            continue  # it proves nothing
        if one.key not in known or first.origin != origin:
            continue
        found.append(one)
        if one.key not in accused:
            accused.add(one.key)
            state.say(EVIDENCE, one.digest, canonical(one.to_json()), now)
    return found


def prove(centre: Centre, log: str, mine: bytes, theirs: bytes, size: int) -> Evidence | None:
    """Shows that the log has signed both notes' histories, if it can be shown.

    Args:
        centre: asked for its checkpoint of the size of ours: two roots of one size need no proof.
        log: the log's verifier key.
        mine: the checkpoint last cosigned, as the log signed it.
        theirs: what it shows now.
        size: of `mine`.
    """
    shown = [theirs]
    with suppress(RefusedError, WireError):  # if it will not say, nothing more can be shown
        shown.append(ledger.checkpoint_of(centre, size))
    for other in shown:
        try:
            found = accuse(log, mine, other)
        except CryptoError:
            continue  # not both by this log
        if found is not None:
            return found.plain()
    return None


def hand_on(home: Home, centre: Centre, found: Evidence, now: int) -> str:
    """Keeps evidence, writes it beside, and brings it to the centre; says where the file lies."""
    home.state.say(EVIDENCE, found.digest, canonical(found.to_json()), now)
    path = home.path / f"evidence-{found.digest[:16]}.json"
    write_json(path, found.to_json())
    with suppress(RefusedError, WireError):  # whoever shows two histories may well refuse
        ledger.accuse(centre, found.to_json())
    return str(path)
