"""Parties to the float draw, as they commit and reveal by HTTP."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from bidding.model import FloatCommitment, FloatReveal
from crypto import statement
from tests.trading.world import CENTRE

if TYPE_CHECKING:
    import httpx

    from tests.bidding.centre import Centre
    from tests.trading.world import Someone


def nonce_of(who: Someone) -> bytes:
    return sha256(who.organisation.encode()).digest()


def commitment(centre: Centre, who: Someone, **bent: Any) -> dict[str, Any]:
    book = centre.bidding.room.keyed(centre.section)
    first = book.leaves["float_commit"][0][1]["signed"]["statement"]
    body = {
        "section": centre.section, "ceremony": first["ceremony"], "party": who.organisation,
        "digest": sha256(nonce_of(who)).hexdigest(), "parties": first["parties"],
    }  # fmt: skip
    return statement.sign(who.key, FloatCommitment.PURPOSE, CENTRE, body | bent)


def commit(centre: Centre, who: Someone, **bent: Any) -> httpx.Response:
    path = f"/openings/{centre.section}/float/commitments"
    return centre.post(path, commitment(centre, who, **bent), who)


def reveal(centre: Centre, who: Someone, **bent: Any) -> httpx.Response:
    said = commitment(centre, who)["statement"]
    body = {key: said[key] for key in ("section", "ceremony", "party")}
    body |= {"nonce": nonce_of(who).hex()} | bent
    signed = statement.sign(who.key, FloatReveal.PURPOSE, CENTRE, body)
    return centre.post(f"/openings/{centre.section}/float/reveals", signed, who)
