"""What a sealer checks before it seals: the tender file against keys pinned beforehand.

The tender file comes from the centre, and the centre may want to read bids early: it may print a recipient of
its own, a ceremony of its own making, or a time earlier than the one everybody believes. So each statement
of the file is held against the ceremony's success certificate, which all custodians signed, and the
custodians' keys are looked up in ``trust.pem``, never in the file itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bidding.model import Check, TenderFile, failed, passed
from clients import pinned_log
from clients.errors import ClientError
from crypto import statement
from crypto.age.stanzas import parse_recipient, recipient_text
from crypto.cocktail import GroupKey, SuccessCertificate, verify_certificate
from crypto.encoding import unb64
from crypto.errors import CryptoError
from crypto.signature import key_id
from trading.ground.clock import beijing
from trading.ground.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clients.trust import Trust

TITLES: Final = {
    "tender-form": "the tender file is one of version 1",
    "tender-signature": "a pinned key of the centre signed the tender file",
    "custodians-pinned": "every key of the ceremony is a custodian's that was pinned beforehand",
    "certificate": "all custodians signed the ceremony's success certificate",
    "one-share-each": "no organisation holds two shares",
    "key-context": "the key was made for this centre, section, purpose and threshold",
    "opening-time": "the tender's opening time is not before the one the custodians agreed to",
    "recipient": "the printed recipient is the certified key",
}


class TenderRefusedError(ClientError):
    """The tender file is not to be believed; nothing was sealed.

    Attributes:
        checks: all checks made, the last one failed.
    """

    def __init__(self, checks: tuple[Check, ...]) -> None:
        self.checks = checks
        last = checks[-1]
        super().__init__(f"{last.id}: {last.detail} Nothing was sealed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedTender:
    """A tender file that held.

    Attributes:
        centre: id of the centre.
        tender: what it says; ``signed`` the statement itself.
        group: the certified key; ``recipient`` the same as 65 bytes.
        checks: what was checked.
    """

    centre: str
    tender: TenderFile
    signed: Mapping[str, Any]
    group: GroupKey
    checks: tuple[Check, ...]

    @property
    def recipient(self) -> bytes:
        """The certified key, 65 bytes."""
        return self.group.recipient


class _Checks:
    """A list of checks that ends at the first failure."""

    def __init__(self) -> None:
        self.done: list[Check] = []

    def ok(self, id_: str, detail: str = "") -> None:
        self.done.append(passed(id_, TITLES[id_], detail))

    def take(self, made: tuple[Check, ...]) -> None:
        for one in made:
            self.done.append(one)
            if one.status == "failed":
                raise TenderRefusedError(tuple(self.done))

    def fail(self, id_: str, detail: str) -> TenderRefusedError:
        self.done.append(failed(id_, TITLES[id_], detail))
        return TenderRefusedError(tuple(self.done))


def check(signed: Any, trust: Trust) -> CheckedTender:
    """Holds a tender file against pinned keys.

    Args:
        signed: the parsed ``tender.json``.
        trust: pinned keys.

    Raises:
        TenderRefusedError: with the first check that failed.
    """
    checks = _Checks()
    centre, tender = _read(signed, trust, checks)
    group = _certified(tender, trust, checks)
    _same_context(centre, tender, group, checks)
    certified = recipient_text(group.recipient)
    if tender.recipient != certified or parse_recipient(tender.recipient) != group.recipient:
        raise checks.fail(
            "recipient",
            f"The tender prints {tender.recipient}, the custodians certified {certified}.",
        )
    checks.ok("recipient", certified)
    checks.take(pinned_log.check(tender, centre, trust))
    return CheckedTender(
        centre=centre, tender=tender, signed=signed, group=group, checks=tuple(checks.done)
    )


def _read(signed: Any, trust: Trust, checks: _Checks) -> tuple[str, TenderFile]:
    try:
        key = statement.signer(signed)
        centre = str(signed["statement"].get("centre", ""))
        body = statement.verify(signed, purpose=TenderFile.PURPOSE, centre=centre)
        tender = TenderFile.from_body(body)
    except (CryptoError, Problem) as error:
        raise checks.fail("tender-form", f"It cannot be read: {error}.") from error
    checks.ok("tender-form", f"{tender.tender}, {tender.section}, version {tender.version}")
    speakers = trust.speakers(centre)
    if key not in speakers:
        raise checks.fail(
            "tender-signature",
            f"It is signed by key {key_id(key)}, which the trust file does not hold for {centre}.",
        )
    checks.ok("tender-signature", f"key {key_id(key)} of {speakers[key].name}")
    return centre, tender


def _certified(tender: TenderFile, trust: Trust, checks: _Checks) -> GroupKey:
    hosts = trust.hosts()
    unknown = [each for each in tender.custodians if unb64(each.host_key) not in hosts]
    if unknown:
        raise checks.fail(
            "custodians-pinned",
            f"The host key of {unknown[0].organisation} ({unknown[0].custodian}) is none of the "
            f"{len(hosts)} custodian keys pinned beforehand: key not in roster.",
        )
    try:
        certificate = SuccessCertificate.from_json(tender.certificate)
        group = verify_certificate(certificate, hosts.keys())
    except CryptoError as error:
        which = "custodians-pinned" if "pinned" in str(error) else "certificate"
        raise checks.fail(which, f"The ceremony does not hold: {error}.") from error
    checks.ok("custodians-pinned", f"{group.n} of {group.n}")
    checks.ok("certificate", f"{group.n} signatures over {certificate.sha256().hex()[:16]}…")
    organisations = [hosts[point.compressed()].organisation for point in group.transcript.roster]
    if len(set(organisations)) != len(organisations):
        raise checks.fail("one-share-each", "One organisation stands behind two host keys.")
    checks.ok("one-share-each", "、".join(organisations))
    return group


def _same_context(centre: str, tender: TenderFile, group: GroupKey, checks: _Checks) -> None:
    try:
        certified, printed = group.key_context, tender.context(centre)
    except CryptoError as error:
        raise checks.fail("key-context", f"The key's context cannot be read: {error}.") from error
    if certified.earliest != tender.earliest_t or tender.deadline < certified.earliest:
        raise checks.fail(
            "opening-time",
            f"T differs: the custodians agreed to no opening before {beijing(certified.earliest)}, "
            f"the tender says {beijing(tender.earliest_t)} and {beijing(tender.deadline)}.",
        )
    for field in ("centre", "section", "ceremony", "purpose", "minimum", "t", "custodians"):
        if getattr(certified, field) != getattr(printed, field):
            raise checks.fail(
                "key-context",
                f"Context differs in {field}: this key was made for "
                f"{_words(getattr(certified, field))}, the tender says "
                f"{_words(getattr(printed, field))}.",
            )
    if (tender.n, tender.t) != (group.n, group.t):
        raise checks.fail(
            "key-context",
            f"The tender says {tender.t} of {tender.n} custodians, the key is {group.t} of {group.n}.",
        )
    checks.ok("key-context", f"{certified.purpose}, {group.t} of {group.n}, {certified.section}")
    checks.ok("opening-time", f"not before {beijing(certified.earliest)} 北京时间")


def _words(value: object) -> str:
    if isinstance(value, tuple):
        return f"the roster {', '.join(key_id(item) for item in value)}"
    return repr(value)
