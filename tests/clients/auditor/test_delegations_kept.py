"""What a section keeps of a delegation 委托书: each line of it is asked alone, signed anew, so that no hash tells first.

A delegation lets one person bid for another's money. Behind every check here stands a second one, of a digest that
would not fit; a centre with the bidder's friend at hand makes it fit.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from bidding.model import Delegations
from bidding.model.leaf import DelegationLine
from clients.auditor import powers
from clients.auditor.checklist import AuditError, NotChecked
from clients.auditor.issued import Holder
from crypto import statement
from crypto.errors import SignatureError
from crypto.signature import SigningKey
from tests.bidding.centre import CENTRE
from trading.ground.chain import ZERO, Row

if TYPE_CHECKING:
    from collections.abc import Callable

BIDDER, DELEGATE, RIVAL = (SigningKey.from_scalar(number) for number in (41, 42, 43))
HOLDERS = {
    BIDDER.public: Holder("org_a", "per_head", "bidder"),
    DELEGATE.public: Holder("org_a", "per_d", "delegate"),
    RIVAL.public: Holder("org_r", "per_r", "bidder"),
}
AT = 1_000_000


def word(
    purpose: str = "delegation", key: SigningKey = BIDDER, at: int = AT, **said: Any
) -> dict[str, Any]:
    body = {"person": "per_d", "scopes": ["submit"], "until": AT * 2, "targets": [], "at": at}
    return statement.sign(key, purpose, CENTRE, body | said)


def digest(signed: dict[str, Any]) -> str:
    return statement.digest(signed).hex()


def kept(signed: dict[str, Any], **more: Any) -> tuple[str, dict[str, Any]]:
    body = {"granted": digest(signed), "bidder": "org_a", "signed": signed, "arrival": AT}
    return "delegation_kept", body | more


def ended(given: dict[str, Any], signed: dict[str, Any], **more: Any) -> tuple[str, dict[str, Any]]:
    body = {"granted": digest(given), "ended": digest(signed), "signed": signed, "arrival": AT}
    return "delegation_ended", body | more


def read(*told: tuple[str, dict[str, Any]]) -> dict[str, powers.Power]:
    rows = [Row(n, "s", n, AT, kind, body, ZERO) for n, (kind, body) in enumerate(told, 1)]
    register: Any = SimpleNamespace(whose=HOLDERS.get)
    section: Any = SimpleNamespace(rows=rows, centre=CENTRE)
    return powers._kept(section, register)


GIVEN, TAKEN = word(), word("delegation_revocation")


def test_a_delegation_and_its_end_are_kept() -> None:
    """Control: nothing bent, nothing refused; a minute between signing and arrival is the utmost."""
    (power,) = read(kept(GIVEN), ended(GIVEN, TAKEN)).values()
    assert (power.bidder, power.digest) == ("org_a", digest(GIVEN))
    assert power.ended is not None
    assert read(kept(GIVEN, arrival=AT + powers.GRACE_MS))


BENT: dict[str, tuple[Callable[[], Any], str]] = {
    "another than it says": (
        lambda: read(kept(GIVEN, granted="ab" * 32)),
        "is another than it says",
    ),
    "kept twice": (lambda: read(kept(GIVEN), kept(GIVEN)), "is kept twice"),
    "ended and never kept": (lambda: read(ended(GIVEN, TAKEN)), "was never kept"),
    "ended twice": (
        lambda: read(kept(GIVEN), ended(GIVEN, TAKEN), ended(GIVEN, TAKEN)),
        "had ended before",
    ),
    "ended by another word": (
        lambda: read(kept(GIVEN), ended(GIVEN, TAKEN, ended="ab" * 32)),
        "ended by another word",
    ),
    "ended by a word about somebody else": (
        lambda: read(
            kept(GIVEN), ended(GIVEN, word("delegation_revocation", person="per_other"))
        ),
        "about another person",
    ),
    "written long after it came": (
        lambda: read(kept(GIVEN, arrival=AT - powers.GRACE_MS - 1)),
        "is said to have arrived",
    ),
    "given by a revocation": (lambda: read(kept(TAKEN)), "gives and takes no power"),
    "given by a rival": (lambda: read(kept(word(key=RIVAL))), "not by org_a's own"),
    "given by the delegate": (lambda: read(kept(word(key=DELEGATE))), "not by org_a's own"),
    "taken back by a rival": (
        lambda: read(kept(GIVEN), ended(GIVEN, word("delegation_revocation", RIVAL))),
        "not by org_a's own",
    ),
}  # fmt: skip


@pytest.mark.parametrize("story", BENT)
def test_a_bent_delegation_is_named(story: str) -> None:
    """docs/spec/audit-v1.md, delegations: a delegate acts by a word that the bidder's own key signed, until it is taken back."""
    bend, told = BENT[story]
    with pytest.raises(AuditError, match=told):
        bend()


def test_a_delegation_that_nobody_signed_is_none() -> None:
    """The digest leaves the signature out: only the signature check sees another's signature."""
    with pytest.raises(SignatureError):
        read(kept({**GIVEN, "signature": word(at=AT + 1)["signature"]}))


def test_a_delegation_by_an_unknown_key_leaves_the_audit_incomplete() -> None:
    """Nobody's word cannot be disproved, only left unproved."""
    with pytest.raises(NotChecked, match="to whom key"):
        read(kept(word(key=SigningKey.from_scalar(44))))


def entitled(power: powers.Power) -> None:
    act = powers.Act(power.row, "submission", "org_a", DELEGATE.public, AT + 1, power.digest)
    register: Any = SimpleNamespace(whose=HOLDERS.get)
    section: Any = SimpleNamespace(id="sec_a")
    powers._entitled(section, register, {power.digest: power}, act)


def test_a_delegation_of_one_bidder_carries_no_act_of_another() -> None:
    """The same person may hold a rival's delegation: a bid for org_a by it is nobody's word for org_a."""
    (power,) = read(kept(GIVEN)).values()
    entitled(power)
    power.bidder = "org_r"
    with pytest.raises(AuditError, match="by a delegation of org_r"):
        entitled(power)


def test_no_delegation_is_opened_before_the_bidders_are_published() -> None:
    """A leaf before the publication tells who takes part (招标投标法 Art. 22)."""
    line = DelegationLine(granted=digest(GIVEN), bidder="org_a", person="per_d", ended="")
    leaf = Delegations(section="sec_a", delegations=(line,)).to_leaf(CENTRE)
    named = {"published_bidders": (1, {})}
    section: Any = SimpleNamespace(about=lambda _: [leaf], named=named, centre=CENTRE)
    powers._opened(section, read(kept(GIVEN)))
    section.named = {}
    with pytest.raises(AuditError, match="no bidder is published"):
        powers._opened(section, read(kept(GIVEN)))


def test_every_sign_in_says_by_which_key_it_came() -> None:
    """A sign-in is not signed: without its key nobody can ask who came."""
    came, by = (
        Row(n, "s", n, AT, kind, {"bidder": "org_a"}, ZERO)
        for n, kind in enumerate(("signed_in", "signed_in_by"), 1)
    )
    both: Any = SimpleNamespace(rows=[came, by])
    powers._signed_in(both)
    for lone in (came, by):
        one: Any = SimpleNamespace(rows=[lone])
        with pytest.raises(AuditError, match="a sign-in without its key"):
            powers._signed_in(one)


def test_a_bid_is_sealed_for_a_tender_file_of_this_section() -> None:
    """A bid made for a file that nobody issued here answers to other terms."""
    file = statement.sign(BIDDER, "tender", CENTRE, {"version": 1})
    opened = Row(1, "s", 1, AT, "bids_opened", {"file": file}, ZERO)

    def bid(tender_file: str) -> Any:
        entry = {"id": "bid_a", "kind": "submission", "arrival": AT + 1}
        said = {"statement": {"version": 1, "tender_file": tender_file}}
        row = Row(2, "s", 2, AT + 1, "submission", {"entry": entry, "signed": said}, ZERO)
        return SimpleNamespace(rows=[opened, row])

    assert powers.versions(bid(digest(file))).startswith("1 versions, 0 bids")
    with pytest.raises(AuditError, match="of a tender file that is none here"):
        powers.versions(bid("ab" * 32))
