"""A section's key and tender file made on the spot, with everything a sealer and a custodian want."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bidding.model import Custodian, SummaryField, TenderFile
from bidding.model.tender import DEFAULT_LIMITS
from clients.custodian import card
from clients.custodian.keys import Keys
from clients.files import write_durably, write_json
from crypto import statement
from crypto.age.stanzas import recipient_text
from crypto.cocktail import KeyContext, Participant
from crypto.encoding import b64
from crypto.random import token
from crypto.signature import SigningKey

if TYPE_CHECKING:
    from pathlib import Path

    from crypto.certificate import SuccessCertificate
    from crypto.cocktail import GroupKey, Share

CENTRE: Final = "bench"
SECTION: Final = "sec_bench"
CEREMONY: Final = "cer_bench"
FIELDS: Final = (SummaryField(name="total_price", title="投标总价", kind="amount", unit="元"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Five custodians, their shares, and who else signs.

    Attributes:
        keys: of the custodians; ``shares`` of the section's key.
        certificate: of the ceremony.
        centre, supervisor, bidder: signing keys.
        deadline: T, ms UTC.
    """

    keys: tuple[Keys, ...]
    shares: tuple[Share, ...]
    certificate: SuccessCertificate
    centre: SigningKey
    supervisor: SigningKey
    bidder: SigningKey
    deadline: int

    @property
    def group(self) -> GroupKey:
        """The section's key."""
        return self.shares[0].group


def build(deadline: int, n: int = 5, t: int = 3) -> Stage:
    """Holds a ceremony.

    Args:
        deadline: T, ms UTC, on a slot boundary.
        n: custodians.
        t: how many open.
    """
    keys = tuple(Keys(token(32)) for _ in range(n))
    context = KeyContext(
        centre=CENTRE,
        section=SECTION,
        ceremony=CEREMONY,
        purpose="live",
        earliest=deadline,
        minimum=3,
        custodians=tuple(each.host.public for each in keys),
        t=t,
    )
    people = [
        Participant(each.host, index, context.custodians, t, context.to_bytes())
        for index, each in enumerate(keys, 1)
    ]
    messages = [each.round1() for each in people]
    signatures = [each.round2(messages) for each in people]
    ends = [each.finish(signatures) for each in people]
    return Stage(
        keys=keys,
        shares=tuple(share for _, share in ends),
        certificate=ends[0][0],
        centre=SigningKey.generate(),
        supervisor=SigningKey.generate(),
        bidder=SigningKey.generate(),
        deadline=deadline,
    )


def tender_file(stage: Stage) -> TenderFile:
    """The tender file of the stage's section."""
    return TenderFile(
        tender="ten_bench",
        section=SECTION,
        name="bench",
        section_name="bench",
        version=1,
        envelope="whole",
        use="live",
        recipient=recipient_text(stage.group.recipient),
        ceremony=CEREMONY,
        certificate=stage.certificate.to_json(),
        custodians=tuple(
            Custodian(
                custodian=each.name,
                organisation=f"custodian {index}",
                key=b64(each.statement.public),
                host_key=b64(each.host.public),
                witness=each.witness,
            )
            for index, each in enumerate(stage.keys, 1)
        ),
        n=stage.group.n,
        t=stage.group.t,
        earliest_t=stage.deadline,
        deadline=stage.deadline,
        minimum_bidders=3,
        proof_of_possession="required",
        unlock_window_s=1800,
        remedy="",
        summary_fields=FIELDS,
        limits=DEFAULT_LIMITS,
        ledger="bench/ledger/1",
        witnesses=(),
    )


def bidders_desk(stage: Stage, folder: Path) -> list[str]:
    """Writes tender, trust, key and summary into a folder; returns `seal`'s options for them."""
    signed = statement.sign(stage.centre, TenderFile.PURPOSE, CENTRE, tender_file(stage).to_body())
    write_json(folder / "tender.json", signed)
    pem = card.plain_certificate(stage.centre, CENTRE, stage.deadline) + "".join(
        card.certificates(each, f"custodian {index}", card.CUSTODIAN, stage.deadline)
        for index, each in enumerate(stage.keys, 1)
    )
    write_durably(folder / "trust.pem", pem.encode())
    write_durably(folder / "key.pem", stage.bidder.to_pem().encode(), 0o600)
    write_json(
        folder / "summary.json", {"bidder": "org_bench", "summary": {"total_price": "100.00"}}
    )
    return [
        *("--tender", str(folder / "tender.json"), "--trust", str(folder / "trust.pem")),
        *("--key", str(folder / "key.pem"), "--summary", str(folder / "summary.json")),
    ]
