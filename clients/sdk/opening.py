"""A bidder in an opening hall: its acts, and what the centre signs for each, checked at once and kept in a folder.

`verify DOSSIER FOLDER/*.hall.json --trust FILE` holds them against the dossier later: what they tell and it does not
was left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bidding.model import Confirmation, Objection
from bidding.model.hall import SIGNED_IN, HallReceipt, HallState
from clients.errors import ClientError
from clients.files import write_durably
from clients.sdk import sentences as say
from crypto import statement
from crypto.canonical import canonical
from crypto.encoding import sha256_hex
from crypto.errors import CryptoError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from bidding.model import FileEntry
    from clients.sdk.wire import Centre
    from crypto.signature import SigningKey

ENDING: Final = ".hall.json"
_HEAD: Final = ("v", "suite", "purpose", "centre")


class OpeningSeat:
    """One bidder's seat in one opening.

    Args:
        centre: with a session of the bidder.
        centre_id: id of the centre.
        section: its id.
        bidder: id of the bidder's organisation.
        key: the bidder's certified key.
        folder: where receipts are kept.
        pinned: the centre's statement keys, 33 bytes each; without them a receipt's key is not compared.
    """

    def __init__(
        self,
        centre: Centre,
        centre_id: str,
        section: str,
        bidder: str,
        key: SigningKey,
        folder: Path,
        pinned: Collection[bytes] = (),
    ) -> None:
        self._centre = centre
        self._centre_id = centre_id
        self._section = section
        self._bidder = bidder
        self._key = key
        self._folder = folder
        self._pinned = pinned

    def sign_in(self) -> Path:
        """签到; its receipt tells of nobody else."""
        return self._act("sign-in", {}, SIGNED_IN, "")

    def say(self, text: str) -> Path:
        """发言 to everybody in the hall."""
        return self._act("messages", {"text": text}, "said", sha256_hex(text.encode()))

    def confirm(self, reading: str) -> Path:
        """确认无异议; `reading` is the digest that the hall shows."""
        said = Confirmation(section=self._section, bidder=self._bidder, reading=reading)
        return self._sign("confirmations", said, "confirmed")

    def object_to(self, text: str, files: tuple[FileEntry, ...] = ()) -> Path:
        """提出异议, with files that were uploaded before."""
        said = Objection(section=self._section, bidder=self._bidder, text=text, files=files)
        return self._sign("objections", said, "objected")

    def state(self) -> Path:
        """Keep what the hall shows now, signed: its phase, a pause, the head of its chain."""
        signed = self._centre.call("GET", f"/openings/{self._section}/head")
        said = HallState.from_body(
            body_of(signed, HallState.PURPOSE, self._centre_id, self._pinned)
        )
        if said.section != self._section:
            raise ClientError(say.STATE_OF_ANOTHER(section=said.section))
        return keep(self._folder, self._section, f"state-{said.seq}-{said.at}", signed)

    def _sign(self, place: str, said: Confirmation | Objection, act: str) -> Path:
        signed = statement.sign(self._key, said.PURPOSE, self._centre_id, said.to_body())
        return self._act(place, signed, act, statement.digest(signed).hex())

    def _act(self, place: str, body: Mapping[str, Any], act: str, said: str) -> Path:
        answer = self._centre.call("POST", f"/openings/{self._section}/{place}", body)
        wanted = (self._section, self._bidder, act, said)
        return taken(answer, wanted, self._centre_id, self._folder, self._pinned)


def taken(
    answer: Mapping[str, Any],
    wanted: tuple[str, str, str, str],
    centre_id: str,
    folder: Path,
    pinned: Collection[bytes] = (),
) -> Path:
    """Check the receipt in an answer and keep it; also one that is wrong, as evidence.

    Args:
        answer: of the centre.
        wanted: section, organisation, act and digest that the receipt must name.
        centre_id: id of the centre.
        folder: where it goes.
        pinned: as for `OpeningSeat`.

    Raises:
        ClientError: there is none, or it is of another act.
    """
    signed = answer.get("receipt")
    if not isinstance(signed, dict):
        raise ClientError(say.NO_RECEIPT_OF_ACT())
    section, organisation, act, _ = wanted
    path = keep(folder, section, f"{act}-{organisation}-{_arrival(signed)}", signed)
    said = HallReceipt.from_body(body_of(signed, HallReceipt.PURPOSE, centre_id, pinned))
    if (said.section, said.organisation, said.act, said.said) != wanted:
        raise ClientError(say.RECEIPT_OF_ANOTHER_ACT(path=path))
    return path


def keep(folder: Path, section: str, name: str, signed: Mapping[str, Any]) -> Path:
    """Write a signed statement in canonical form; return its path."""
    path = folder / f"{section}-{name}{ENDING}"
    write_durably(path, canonical(dict(signed)) + b"\n")
    return path


def body_of(
    signed: Mapping[str, Any], purpose: str, centre_id: str, pinned: Collection[bytes]
) -> dict[str, Any]:
    """Return what the centre signed.

    Raises:
        ClientError: form, signature, purpose or centre do not hold, or another key has signed.
    """
    try:
        statement.verify(signed, purpose=purpose, centre=centre_id)
        signer = statement.signer(signed)
    except CryptoError as error:
        raise ClientError(say.SIGNED_WRONGLY(error=error)) from error
    if pinned and signer not in pinned:
        raise ClientError(say.NOT_THE_CENTRES_KEY(purpose=purpose))
    return {name: value for name, value in signed["statement"].items() if name not in _HEAD}


def _arrival(signed: Mapping[str, Any]) -> int:
    said = signed.get("statement")
    at = said.get("arrival") if isinstance(said, dict) else None
    return at if type(at) is int else 0
