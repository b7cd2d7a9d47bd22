"""自检 self-test: a bidder seals a dummy to a key whose shares the centre itself holds, and sees it opened at once.

It rehearses the bidder's side whole (key, packing, sealing, the way here) and none of the custodians': they see nothing
of it. The key is born for rehearsal, of a section that does not exist, lives in memory only and is assigned to nothing:
no custodian holds a share of it, no ledger names it, no sealer takes it for a tender's. Nothing of a test is kept.
"""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any, Final

from bidding.model import MalformedError, SummaryField
from bidding.package import Expected, Unpacked, unseal
from crypto.age.header import read_header
from crypto.age.stanzas import recipient_text
from crypto.certificate import KeyContext
from crypto.cocktail import HostKey, Participant, Share
from crypto.encoding import unb64
from crypto.errors import CryptoError
from crypto.p256 import Point
from crypto.random import token
from crypto.threshold import check_partial, combine, dh_x, partial
from trading.ground.ids import new_id

if TYPE_CHECKING:
    from crypto.certificate import GroupKey, SuccessCertificate
    from trading.model import Actor

DRILL: Final = "drill"
"""Stands where a tender and a section would: no id of ours has this form."""
FIELDS: Final = (
    SummaryField(name="total_price", title="投标总价", kind="amount", unit="元"),
)  # fmt: skip
CUSTODIANS: Final = 3
THRESHOLD: Final = 2
MAX_BYTES: Final = 40 * 1024


class Drill:
    """The centre's drill key; made when first asked for, anew in every process.

    Args:
        centre: id of the centre.
    """

    def __init__(self, centre: str) -> None:
        self._centre = centre
        self._turn = asyncio.Lock()
        self._made: tuple[SuccessCertificate, list[Share]] | None = None

    async def show(self) -> dict[str, Any]:
        """Return what a client seals a dummy to."""
        certificate, shares = await self._key()
        return {
            "centre": self._centre,
            "tender": DRILL,
            "section": DRILL,
            "recipient": recipient_text(_group(shares).recipient),
            "certificate": certificate.to_json(),
            "summary_fields": [field.to_body() for field in FIELDS],
            "max_bytes": MAX_BYTES,
        }

    async def open(self, who: Actor, sealed: str) -> dict[str, Any]:
        """Open a dummy as a bid is opened at the hour, and say what was in it.

        Args:
            who: the bidder whose key must have signed the package.
            sealed: the age file, base64.

        Raises:
            PackageError: with the code that a bid would have failed with.
            MalformedError: `malformed`: no base64, or more than `MAX_BYTES`.
        """
        try:
            data = unb64(sealed)
        except CryptoError as error:
            raise _malformed() from error
        if len(data) > MAX_BYTES:
            raise _malformed()
        _, shares = await self._key()
        found = await asyncio.to_thread(self._opened, who, data, shares)
        return {
            "opened": True,
            "manifest": found.manifest_sha256,
            "files": [file.to_body() for file in found.manifest.files],
            "summary": dict(found.summary),
        }

    async def _key(self) -> tuple[SuccessCertificate, list[Share]]:
        async with self._turn:
            if self._made is None:
                self._made = await asyncio.to_thread(_ceremony, self._centre)
            return self._made

    def _opened(self, who: Actor, data: bytes, shares: list[Share]) -> Unpacked:
        expected = Expected(
            centre=self._centre,
            tender=DRILL,
            section=DRILL,
            bidder=who.organisation,
            parties=(who.organisation,),
            key=who.public,
            fields=FIELDS,
        )
        recipient = _group(shares).recipient
        return unseal(io.BytesIO(data), recipient, _combined(data, shares), expected, _Nowhere())


class _Nowhere:
    """A sink: nothing of a dummy is kept."""

    def begin(self, name: str, size: int) -> None:
        """A file begins."""

    def write(self, data: memoryview) -> None:
        """Forget it."""

    def end(self) -> None:
        """A file ends."""


def _ceremony(centre: str) -> tuple[SuccessCertificate, list[Share]]:
    """A real ceremony among hosts that the centre plays all, for once."""
    hosts = [HostKey(token(32)) for _ in range(CUSTODIANS)]
    roster = tuple(host.public for host in hosts)
    context = KeyContext(
        centre=centre,
        section=DRILL,
        ceremony=new_id("cer"),
        purpose="rehearsal",
        earliest=0,
        minimum=1,
        custodians=roster,
        t=THRESHOLD,
    ).to_bytes()
    people = [Participant(host, n, roster, THRESHOLD, context) for n, host in enumerate(hosts, 1)]
    first = [person.round1() for person in people]
    signatures = [person.round2(first) for person in people]
    ended = [person.finish(signatures) for person in people]
    return ended[0][0], [share for _, share in ended]


def _combined(data: bytes, shares: list[Share]) -> bytes:
    """The Diffie-Hellman value by two proved answers; of no bid's header, what opens nothing."""
    try:
        points = [Point.parse(read_header(io.BytesIO(data)).bid_stanza().enc)]
    except CryptoError:
        return bytes(32)  # `unseal` says what is wrong with the header
    answers = {}
    for share in shares[:THRESHOLD]:
        answer, proof = partial(share.secret, points)
        check_partial(share.group.share(share.index), points, answer, proof, share.index)
        answers[share.index] = answer
    return dh_x(combine(answers, THRESHOLD)[0])


def _group(shares: list[Share]) -> GroupKey:
    return shares[0].group


def _malformed() -> MalformedError:
    return MalformedError(
        "malformed",
        "内容格式不正确",
        f'Send {{"sealed": the dummy in base64, at most {MAX_BYTES} bytes}}.',
    )
