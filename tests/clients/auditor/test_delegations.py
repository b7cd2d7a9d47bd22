"""Who acted for a bidder was entitled to: a delegate's acts are derived again, and a planted one is found offline.

One bidder acts by a delegate throughout: it signs in, bids, and confirms what was read out; the delegation is taken
back before the end. A second tender file stands when the last bid arrives.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from clients.auditor import opening
from clients.auditor.keys import Keys
from crypto import statement
from crypto.canonical import canonical, parse
from crypto.encoding import b64
from documents.model import OpeningFacts
from documents.trust import Trust
from tests.bidding.amending import amend
from tests.bidding.centre import Bidder
from tests.bidding.office import Office
from tests.clients.auditor.forge import Forge
from tests.clients.auditor.forgeries import resign
from tests.clients.auditor.opening_world import NAME, Made
from tests.trading.world import CENTRE
from trading.model import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crypto.signature import SigningKey
    from tests.documents.pki import Pki

SIGNERS: dict[str, SigningKey] = {}


def empower(office: Office, **changes: Any) -> None:
    bidder, delegate = office.one(Role.BIDDER), office.one(Role.DELEGATE)
    said = {
        "person": delegate.person, "scopes": ["submit", "confirm"], "until": office.deadline + 600_000,
        "targets": [office.section], **changes,
    }  # fmt: skip
    signed = office.signed(bidder, "delegation", **said)
    answer = office.call("POST", "/delegations", signed, bidder)
    assert answer.status_code == 201, answer.text
    office.login(delegate)


def told(office: Office) -> tuple[dict[str, Any], dict[str, Any]]:
    """The story; returns the receipts of the bids that came before and after the addendum."""
    office.first_people()
    office.filer._wait_s = 20
    office.set_up(minimum=3)
    principal, delegate = office.one(Role.BIDDER), office.one(Role.DELEGATE)
    SIGNERS.update(bidder=principal.key, delegate=delegate.key)
    empower(office)
    path = f"/openings/{office.section}/sign-in"
    assert office.call("POST", path, {}, delegate).status_code == 201
    agent = Bidder(delegate, "委托代理人")
    office.seal(agent, "46382715.40")
    office.send_file(agent)
    assert office.submit(agent).status_code == 201
    assert amend(office).status_code == 200
    others = [office.hand_in(n, price) for n, price in ((11, "47105600.00"), (12, "45998800.88"))]
    office.until(office.deadline + 20)
    office.cosign()
    for keeper in ("custodian-1", "custodian-2"):
        assert office.release(keeper).json()["status"] == "answered"
    assert office.pace("read_all").status_code == 200
    assert office.pace("confirm").status_code == 200
    assert office.confirm_reading(agent).status_code == 201
    revoked = office.signed(principal, "delegation_revocation", person=delegate.person)
    answer = office.call("POST", "/delegations/revocation", revoked, principal)
    assert answer.status_code == 204
    book = office.bidding.room.book(office.section)
    office.awaited(lambda: all(power.ended for power in book.powers.values()))
    office.until(office.clock.now() + 61_000)
    assert office.pace("seal").status_code == 200
    office.awaited(lambda: "opening" in book.records)
    office.cosign()
    office.filed()
    return agent.receipts[-1], others[-1].receipts[-1]


@pytest.fixture(scope="module")
def story(
    tmp_path_factory: pytest.TempPathFactory, authority: Pki
) -> Iterator[tuple[Made, Keys, tuple[dict[str, Any], dict[str, Any]]]]:
    folder = tmp_path_factory.mktemp("delegated")
    with Office(folder / "home", centre_name=NAME) as office:
        receipts = told(office)
        keys = Keys(Trust.from_pem(office.trust(authority)))
        bags, ledger = office.settings.home / "dossiers", office.ground.ledger
        yield (
            Made(
                trust=folder / "none",
                public=bags / f"{office.section}-public.bag",
                full=bags / f"{office.section}-full.bag",
                receipts=[],
                withdrawn={},
                refusal={},
                section=office.section,
                at=office.clock.now() + 1000,
                names={},
                log=ledger._key,
                origin=ledger.origin,
                leaves=[ledger.leaf(index) for index in range(ledger.size)],
                notes={keeper.id: keeper.note for keeper in office.keepers.values()},
            ),
            keys,
            receipts,
        )


def lines(forge: Forge, keys: Keys) -> dict[str, str]:
    section = opening.read(forge.evidence(), keys, forge.made.section, forge.made.at)
    return {check.id: check.detail for check in opening.check(section, "o") if check.status == "ok"}


def test_a_delegates_acts_follow_from_the_delegation_that_the_ledger_opens(story: Any) -> None:
    made, keys, (early, late) = story
    forge = Forge(made)
    assert forge.failed(keys) == set()
    assert forge.undone() == set()
    found = lines(forge, keys)
    assert "sign_in, submission, confirmation" in found["o.delegations"]
    assert found["o.versions"] == "2 versions, 0 bids came for one that was overtaken"
    facts = next(one for one in forge.records.values() if isinstance(one, OpeningFacts))
    assert facts.rows[0].delegates == ("欧阳喆",)
    assert facts.rows[0].remark == "按第 1 版招标文件编制，其后另有补遗"
    assert [row.delegates for row in facts.rows[1:]] == [(), ()]
    versions = [(r["statement"]["version"], r["statement"]["newest"]) for r in (early, late)]
    assert versions == [(1, 1), (2, 2)]
    leaves = [parse(leaf) for leaf in made.leaves if b'"kind":"delegations"' in leaf]
    assert [bool(line["ended"]) for leaf in leaves for line in leaf["delegations"]] == [False, True]
    kinds = [parse(leaf)["kind"] for leaf in made.leaves]
    assert kinds.index("delegations") > kinds.index("published_bidders")  # and none before


def signed_again(signed: dict[str, Any], key: str, **changes: Any) -> dict[str, Any]:
    head = ("v", "suite", "purpose", "centre")
    body = {k: v for k, v in signed["statement"].items() if k not in head}
    return statement.sign(SIGNERS[key], signed["statement"]["purpose"], CENTRE, body | changes)


def regrant(forge: Forge, key: str = "bidder", **changes: Any) -> Forge:
    """A centre and a bidder that write the delegation anew, with rows and leaves that fit it."""

    def rows(values: list[dict[str, Any]]) -> None:
        kept, ended = (
            next(v for v in values if v["kind"] == kind)
            for kind in ("delegation_kept", "delegation_ended")
        )
        kept["body"]["signed"] = signed_again(kept["body"]["signed"], key, **changes)
        kept["body"]["arrival"] = kept["body"]["signed"]["statement"]["at"]
        digest = statement.digest(kept["body"]["signed"]).hex()
        kept["body"]["granted"] = ended["body"]["granted"] = digest
        for value in values:
            if value["body"].get("entry", {}).get("delegation"):
                value["body"]["entry"]["delegation"] = digest
        forge.leaf("delegations", lambda leaf: leaf["delegations"][0].update(granted=digest))

    return forge.events(rows)


def unkept(forge: Forge) -> Forge:
    """The delegate bid and nobody had given it anything: the centre took its bid all the same."""

    def rows(values: list[dict[str, Any]]) -> None:
        values[:] = [v for v in values if not v["kind"].startswith("delegation_")]

    forge.events(rows)
    return forge.leaf("delegations", lambda leaf: leaf["delegations"].clear())


def leaf_of_key(forge: Forge, **changes: Any) -> Forge:
    """The log issued the delegate's key as something else, or to somebody else."""
    key = b64(SIGNERS["delegate"].public)
    for index, data in enumerate(forge.whole):
        value = parse(data)
        if value["kind"] == "key_issued" and value["key"] == key:
            forge.whole[index] = canonical(value | changes)
    return forge.relog()


def ended_before(forge: Forge) -> Forge:
    """The revocation had come before the confirmation, and the centre took the confirmation."""

    def rows(values: list[dict[str, Any]]) -> None:
        ended = next(v for v in values if v["kind"] == "delegation_ended")
        values.remove(ended)
        place = next(n for n, v in enumerate(values) if v["kind"] == "confirmed")
        values.insert(place, ended)

    return forge.events(rows)


def without_remark(forge: Forge) -> Forge:
    facts = next(one for one in forge.records.values() if isinstance(one, OpeningFacts))
    rows = (replace(facts.rows[0], remark=""), *facts.rows[1:])
    return forge.paper(OpeningFacts, rows=rows)


COMMITTED = {"delegations", "slots-walked", "receipts"}  # the act's slot binds the delegation
PLANTED: dict[str, tuple[Callable[[Forge], Forge], set[str]]] = {
    "nobody gave the delegate anything": (unkept, {"delegations", "record", "heads"}),
    "it was given another scope": (lambda f: regrant(f, scopes=["offer"]), COMMITTED),
    "it was given another section": (lambda f: regrant(f, targets=["sec_other"]), COMMITTED),
    "it was over before the bid": (lambda f: regrant(f, until=1), COMMITTED),
    "it is written after the bid": (
        lambda f: regrant(f, at=f.made.at - 1000),
        COMMITTED,
    ),
    "the delegate delegated itself": (lambda f: regrant(f, "delegate"), {"delegations"}),
    "it had been taken back": (ended_before, {"delegations"}),
    "its end is kept from the ledger": (
        lambda f: f.leaf("delegations", lambda leaf: leaf["delegations"][0].update(ended="")),
        {"delegations"},
    ),
    "the ledger opens it as another's": (
        lambda f: f.leaf("delegations", lambda leaf: leaf["delegations"][0].update(person="per_x")),
        {"delegations"},
    ),
    "somebody else's key signed in": (
        lambda f: f.event("signed_in_by", lambda r: r["body"].update(bidder="org_x")),
        {"delegations"},
    ),
    "its key was a tenderer's": (
        lambda f: leaf_of_key(f, role="tenderer"),
        {"delegations", "closing-checkpoint"},  # the close list had named the other history
    ),
    "its key was another bidder's": (
        lambda f: leaf_of_key(f, organisation="org_x"),
        {"delegations", "issued", "closing-checkpoint"},
    ),
    "a bid names a delegation that it does not need": (
        lambda f: f.event(
            "submission", lambda r: r["body"]["entry"].update(delegation="ab" * 32), 1
        ),
        COMMITTED,
    ),
    "a receipt calls an outdated bid a new one": (
        lambda f: f.event(
            "receipt",
            lambda r: r["body"].update(receipt=resign(r["body"]["receipt"], version=2)),
        ),
        {"versions"},
    ),
    "the record keeps the older version to itself": (without_remark, {"record"}),
}


@pytest.mark.parametrize("plan", PLANTED)
def test_a_planted_act_is_found(plan: str, story: Any) -> None:
    made, keys, _ = story
    bend, expected = PLANTED[plan]
    forge = bend(Forge(made))
    assert forge.failed(keys) == expected, [c for c in forge.checks if c.status == "failed"]
