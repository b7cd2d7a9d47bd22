"""Reading the log 存证日志, and taking nothing of it on trust."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from clients.errors import ClientError
from clients.sdk import sentences as say
from crypto.encoding import unb64
from crypto.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clients.sdk.wire import Centre

LEAVES_AT_ONCE: Final = 2_000


def checkpoint(centre: Centre) -> bytes:
    """The newest checkpoint, a signed note, as the centre serves it."""
    return centre.raw("GET", "/ledger/checkpoint").body


def checkpoint_of(centre: Centre, size: int) -> bytes:
    """The checkpoint of a size with the cosignatures that came for it."""
    return centre.raw("GET", f"/ledger/checkpoints/{size}").body


def evidence(centre: Centre) -> list[dict[str, Any]]:
    """What the centre has published of two histories, `crypto.tlog.evidence` as JSON; not yet verified.

    Raises:
        ClientError: the answer has another form.
    """
    answer = centre.call("GET", "/ledger/evidence")
    try:
        return [dict(one["evidence"]) for one in answer["evidence"]]
    except (TypeError, KeyError, ValueError) as error:
        raise ClientError(say.NO_EVIDENCE()) from error


def accuse(centre: Centre, value: dict[str, Any]) -> None:
    """Brings evidence that one key has signed two histories; the centre publishes it."""
    centre.call("POST", "/ledger/evidence", {"evidence": value})


def consistency(centre: Centre, start: int, end: int) -> list[bytes]:
    """A proof that the tree of ``end`` leaves grew out of that of ``start``; not yet verified."""
    answer = centre.call("GET", "/ledger/consistency", query={"from": start, "to": end})
    return _hashes(answer, "proof")


def inclusion(centre: Centre, index: int, size: int) -> list[bytes]:
    """A proof that a leaf stands in the tree of ``size``; not yet verified."""
    answer = centre.call("GET", "/ledger/inclusion", query={"index": index, "size": size})
    return _hashes(answer, "proof")


def leaves(centre: Centre, start: int, end: int) -> Iterator[bytes]:
    """The leaves [start, end), their bytes as the ledger holds them, in pieces of 2,000.

    Raises:
        ClientError: the centre gave fewer than it was asked for.
    """
    while start < end:
        stop = min(end, start + LEAVES_AT_ONCE)
        answer = centre.call("GET", "/ledger/leaves", query={"from": start, "to": stop})
        part = _hashes(answer, "leaves")
        if not 0 < len(part) <= stop - start:
            raise ClientError(say.LEAVES_SHORT(count=len(part), start=start, stop=stop))
        yield from part
        start += len(part)


def cosign(centre: Centre, note: bytes) -> None:
    """Hands in a checkpoint with one's own cosignature."""
    centre.call("POST", "/ledger/cosignatures", {"note": note.decode()})


def _hashes(answer: Any, name: str) -> list[bytes]:
    """A list of byte strings in base64, under a name or bare."""
    items = answer.get(name) if isinstance(answer, dict) else answer
    try:
        return [unb64(item) for item in items or ()]
    except (TypeError, FormatError) as error:
        raise ClientError(say.NO_LIST(name=name)) from error
