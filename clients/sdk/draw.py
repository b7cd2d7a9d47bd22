"""A party to the float draw 浮动点: bound to a nonce of its own before T, revealed after the close.

The nonce is made here and stays in a file of its owner's until T has passed by the owner's own clock: whoever had all
nonces before would know the value before the prices are shut.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from bidding.model import BiddingError, FloatCommitment, FloatReveal
from bidding.model.hall import FLOAT_COMMITTED
from bidding.rules.draw import CENTRE_PARTY, bound, commitment
from clients.errors import ClientError, IncompleteError, UnfitError
from clients.files import read_json, write_json
from clients.sdk import sentences as say
from clients.sdk.opening import taken
from crypto import statement
from crypto.errors import CryptoError
from crypto.random import token

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from clients.sdk.wire import Centre
    from crypto.signature import SigningKey
    from trading.ground.clock import Clock

KIND: Final = "float-nonce"
OTHERS: Final = 0o077
"""Permission bits of everybody but the owner."""


def promise(
    centre: Centre,
    centre_id: str,
    key: SigningKey,
    section: str,
    file: Path,
    pinned: Collection[bytes] = (),
) -> dict[str, Any]:
    """Make a nonce and the signed commitment to it, and keep both; where the file is there already, read it.

    Nothing is sent: the file lies on the disk, readable by its owner only, before anybody is told.

    Args:
        centre: with a session of the party's.
        centre_id: id of the centre.
        key: the party's key.
        section: id.
        file: where the nonce is kept.
        pinned: the centre's statement keys, 33 bytes each; without them its key is not compared.

    Raises:
        ClientError: the centre's own commitment does not hold or does not name this party; or the file is another's.
    """
    if file.exists():
        return kept(file, key, section)
    shown = centre.call("GET", f"/openings/{section}/float")
    mine = str(centre.call("GET", "/organisations/me")["organisation"]["id"])
    try:
        placed = list(shown["commitments"])
        known = bound(placed, section, str(placed[0]["statement"]["ceremony"]), centre_id)
        first = known[CENTRE_PARTY]
    except (BiddingError, KeyError, IndexError, TypeError) as error:
        raise ClientError(say.NO_DRAW(section=section, error=error)) from error
    if pinned and first.key not in pinned:
        raise ClientError(say.NOT_THE_CENTRES_KEY(purpose=FloatCommitment.PURPOSE))
    if mine not in first.said.parties:
        raise ClientError(say.NO_PARTY(section=section))
    if mine in known:
        raise ClientError(say.BOUND_ALREADY(section=section))
    nonce = token(32)
    said = FloatCommitment(
        section=section,
        ceremony=first.said.ceremony,
        party=mine,
        digest=commitment(nonce),
        parties=first.said.parties,
    )
    made = {
        "v": 1,
        "kind": KIND,
        "nonce": nonce.hex(),
        "deadline": int(shown["deadline"]),
        "commitment": statement.sign(key, said.PURPOSE, centre_id, said.to_body()),
    }
    write_json(file, made, 0o600)
    return made


def kept(file: Path, key: SigningKey, section: str = "") -> dict[str, Any]:
    """Read a nonce's file: it is this key's, and its nonce is the one committed to.

    Raises:
        UnfitError: others than its owner may read it.
        ClientError: it is no such file, another key's, or of another section than asked for.
    """
    if file.is_file() and os.name == "posix" and file.stat().st_mode & OTHERS:
        raise UnfitError(say.NONCE_OPEN(file=file))
    made = read_json(file)
    try:
        signed = made["commitment"]
        said = _said(signed)
        fits = made["kind"] == KIND and type(made["deadline"]) is int
        fits = fits and commitment(bytes.fromhex(made["nonce"])) == said.digest
        signer = statement.signer(signed)
    except (BiddingError, CryptoError, KeyError, TypeError, ValueError) as error:
        raise ClientError(say.NO_NONCE(file=file)) from error
    if not fits or signer != key.public or section not in {"", said.section}:
        raise ClientError(say.NO_NONCE(file=file))
    return dict(made)


def commit(
    centre: Centre, made: Mapping[str, Any], folder: Path, pinned: Collection[bytes] = ()
) -> Path:
    """Hand in the commitment; the same again is fine. Return the path of the centre's receipt, checked and kept.

    Raises:
        RefusedError: T has come, or the party has committed to another nonce.
    """
    signed = made["commitment"]
    said, name = _said(signed), str(signed["statement"]["centre"])
    answer = centre.call("POST", f"/openings/{said.section}/float/commitments", signed)
    wanted = (said.section, said.party, FLOAT_COMMITTED, statement.digest(signed).hex())
    return taken(answer, wanted, name, folder, pinned)


def check_due(centre: Centre, made: Mapping[str, Any], clock: Clock) -> None:
    """Check that the nonce may leave its owner's hands: T has passed by the own clock, and the list is closed.

    T is the later one of what was shown at the commitment and what is shown now: it moves only later.

    Raises:
        IncompleteError: not yet.
    """
    hall = centre.call("GET", f"/openings/{_said(made['commitment']).section}")
    due = max(int(made["deadline"]), int(hall["deadline"]))
    if clock.now() < due or hall["phase"] == "bidding":
        raise IncompleteError(say.NOT_DUE())


def reveal(centre: Centre, key: SigningKey, made: Mapping[str, Any]) -> FloatReveal:
    """Reveal the nonce; `check_due` comes before. The same again is fine.

    Raises:
        RefusedError: it is not the time.
    """
    said, name = _said(made["commitment"]), str(made["commitment"]["statement"]["centre"])
    told = FloatReveal(
        section=said.section, ceremony=said.ceremony, party=said.party, nonce=str(made["nonce"])
    )
    signed = statement.sign(key, told.PURPOSE, name, told.to_body())
    centre.call("POST", f"/openings/{said.section}/float/reveals", signed)
    return told


def _said(signed: Mapping[str, Any]) -> FloatCommitment:
    name = str(signed["statement"]["centre"])
    return FloatCommitment.from_body(
        statement.verify(signed, purpose=FloatCommitment.PURPOSE, centre=name)
    )
