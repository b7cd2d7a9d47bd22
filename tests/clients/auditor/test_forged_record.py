"""A centre that forges everything it has keys for, and draws the record anew so that all of it agrees.

`test_opening` bends one thing and leaves the rest. Here the forger also computes the opening record again from its
forged rows: what then still shows is only what the signatures of others, and the ledger, bind.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bidding.opening.companion import reading
from bidding.record import Setting, opening_facts
from clients.auditor import opening, papers
from clients.auditor.keys import Keys
from crypto import statement
from crypto.canonical import canonical, parse
from documents.model import NoticeFacts, OpeningFacts
from documents.trust import Trust
from tests.bidding.centre import CENTRE, CENTRE_KEY
from tests.clients.auditor.forge import Forge
from tests.clients.auditor.forgeries import STRANGER, resign

if TYPE_CHECKING:
    from collections.abc import Callable

    from clients.auditor.section import Section
    from tests.clients.auditor.opening_world import Made

Values = list[dict[str, Any]]


@pytest.fixture(scope="session")
def keys(opened: Made) -> Keys:
    return Keys(Trust.from_pem(opened.trust.read_bytes()))


class Author(Forge):
    """A forger that draws the record anew."""

    keys: Keys

    def section(self) -> Section:
        return opening.read(self.evidence(), self.keys, self.made.section, self.made.at)

    def facts(self, kind: type[Any] = OpeningFacts) -> Any:
        return next(facts for facts in self.records.values() if isinstance(facts, kind))

    def redraw(self, last: int = 0) -> Author:
        """Compute the opening record again, from the rows up to number `last`."""
        section, facts = self.section(), self.facts()
        rows = section.rows[: last or facts.last_seq]
        setting = Setting(
            heading=facts.heading, centre=CENTRE, deal_code=facts.deal_code, sector="",
            tenderer=facts.tenderer, agent=facts.agent, method=facts.method, evaluation="",
            place=facts.place, control_price=facts.control_price, control_price_note="",
            bid_deposit="", duration_days_max=None, float_points=(), published_at=0,
            parties=papers._parties(facts, rows, section.named, CENTRE),
            officials=facts.officials,
        )  # fmt: skip
        again = opening_facts(
            rows, section.named, setting, cosignatures=facts.cosignatures,
            chain=(rows[-1].chain.hex(), rows[-1].seq),
        )  # fmt: skip
        for name, known in self.records.items():
            if isinstance(known, OpeningFacts):
                self.records[name] = again
        return self

    def heading(self, kind: type[Any] = OpeningFacts, **changes: Any) -> Author:
        self.paper(kind, heading=replace(self.facts(kind).heading, **changes))
        return self

    def insert(self, after: str, *rows: tuple[str, dict[str, Any]]) -> Author:
        """Put rows behind the last one of a kind, at its instant."""

        def edit(values: Values) -> None:
            place = max(n for n, value in enumerate(values) if value["kind"] == after)
            like = values[place]
            values[place + 1 : place + 1] = [
                {**like, "kind": kind, "body": body, "position": 0} for kind, body in rows
            ]

        self.events(edit)
        return self

    def drop(self, kind: str, of: str = "") -> Author:
        """Take a row out."""

        def edit(values: Values) -> None:
            values.remove(
                next(
                    value
                    for value in values
                    if value["kind"] == kind and value["body"].get("custodian", "") == of
                )
            )

        self.events(edit)
        return self


def before_its_end(forge: Author) -> None:
    begun = next(row.seq for row in forge.section().rows if row.kind == "confirming_begun")
    forge.redraw(begun)


def confirmed_by_a_stranger(forge: Author) -> None:
    confirmed()(forge)


def confirmed(**other: str) -> Callable[[Author], None]:
    """Nobody's key confirms for a bidder; with `other` words even nobody's word is a false one."""

    def bend(forge: Author) -> None:
        section = forge.section()
        bid = section.state.bids[forge.made.names["b"]]
        read = reading(section.id, section.state)
        body = {"section": section.id, "bidder": bid.line.bidder, "reading": read, **other}
        signed = statement.sign(STRANGER, "confirmation", CENTRE, body)
        said = {
            "submission": bid.line.submission,
            "statement": statement.digest(signed).hex(),
        }
        forge.insert("statement_kept", ("confirmed", said), ("statement_kept", {"signed": signed}))
        forge.redraw()

    return bend


def decided(key: Any, **other: str) -> Callable[[Author], None]:
    def bend(forge: Author) -> None:
        said = {"submission": forge.made.names["c"], "verdict": "deemed_withdrawn", "reason": "x"}
        body = {"section": forge.made.section, "at": 1, **said, **other}
        signed = statement.sign(key, "decision", CENTRE, body)
        # Nobody has confirmed a reading with this verdict in it.
        forge.drop("confirmed").drop("decided").drop("statement_kept")
        word = {"by": "per_x", "role": "supervisor", "statement": statement.digest(signed).hex()}
        rows = ("decided", {**said, **word}), ("statement_kept", {"signed": signed})
        forge.insert("imported", *rows).redraw()

    return bend


def called_a_refusal(forge: Author) -> None:
    forge.drop("release", "custodian-2")
    forge.event(
        "answered",
        lambda row: row["body"].update(
            status="refused", detail="time-reached: too early", digest="ab" * 32
        ),
        1,
    )
    forge.leaf("opened", lambda leaf: leaf.update(wrong=[]))
    forge.redraw()


def receipt(**changes: Any) -> Callable[[Author], Any]:
    return lambda forge: forge.event(
        "receipt",
        lambda row: row["body"].update(receipt=resign(row["body"]["receipt"], **changes)),
    )


def refusal(edit: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Author], None]:
    def bend(forge: Author) -> None:
        def change(row: dict[str, Any]) -> None:
            signed = row["body"]["refusal"]
            row["body"]["refusal"] = resign(signed, **edit(signed["statement"]))

        forge.event("refused", change)
        forge.redraw()

    return bend


def an_earlier_deadline(forge: Author) -> None:
    """A bid that came in time is refused against a deadline that nobody was told."""

    def edit(row: dict[str, Any]) -> None:
        said = row["body"]["refusal"]["statement"]
        row["at"] = said["deadline"] - 50_000
        row["body"]["refusal"] = resign(
            row["body"]["refusal"], deadline=said["deadline"] - 60_000, arrival=row["at"]
        )

    forge.event("refused", edit)
    forge.redraw()


def later(values: Values, since: str) -> None:
    """A second later from a row on, with every window."""
    place = next(n for n, value in enumerate(values) if value["kind"] == since)
    for value in values[place:]:
        value["at"] += 1000
        if "end" in value["body"]:
            value["body"]["end"] += 1000


def told_a_later_deadline(forge: Author) -> None:
    """Bidders hold a tender file with a later T than the ledger's; they come too late and never know why."""

    def edit(row: dict[str, Any]) -> None:
        file = row["body"]["file"]
        row["body"]["file"] = resign(file, deadline=file["statement"]["deadline"] + 1000)

    forge.event("bids_opened", edit)
    forge.events(lambda values: later(values, "closed"))
    forge.paper(NoticeFacts, deadline=forge.facts(NoticeFacts).deadline + 1000)
    forge.redraw()


def moved_in_the_hall(forge: Author) -> None:
    deadline = forge.section().tender.deadline
    forge.events(lambda values: later(values, "closed"))
    forge.insert("float_committed", ("moved", {"deadline": deadline + 1000, "reason": "x"}))
    forge.redraw()


def second_result(forge: Author) -> None:
    leaf = parse(next(leaf for leaf in forge.whole if b'"kind":"opened"' in leaf))
    forge.whole.append(canonical({**leaf, "bids": leaf["bids"][:1]}))
    forge.relog()


STORIES: dict[str, tuple[Callable[[Author], Any], set[str]]] = {
    "the record ends before bidders could object": (before_its_end, {"rows"}),
    "a confirmation is signed by nobody's key": (confirmed_by_a_stranger, set()),
    "a confirmation is of another section": (confirmed(section="sec_x"), {"confirmations"}),
    "a confirmation is another bidder's": (confirmed(bidder="org_x"), {"confirmations"}),
    "a decision is signed by nobody's key": (decided(STRANGER), set()),
    "a decision is of another section": (decided(STRANGER, section="sec_x"), {"confirmations"}),
    "a decision gave another verdict": (
        decided(STRANGER, verdict="remedied"),
        {"confirmations"},
    ),
    "a liar's answer is said to be a refusal": (called_a_refusal, {"named"}),
    "a custodian that answered is said to be silent": (
        lambda forge: forge.drop("answered", "custodian-2").redraw(),
        {"named"},
    ),
    "the key's leaf waives what the tender file demands": (
        lambda forge: forge.leaf(
            "key_assign", lambda leaf: leaf.update(proof_of_possession="waived")
        ),
        {"leaves"},
    ),
    "the ledger calls an honest answer wrong": (
        lambda forge: forge.leaf("release", lambda leaf: leaf.update(status="wrong")),
        {"named"},
    ),
    "the ledger names another answer": (
        lambda forge: forge.leaf("release", lambda leaf: leaf.update(sha256="ab" * 32)),
        {"named"},
    ),
    "a receipt names another file": (receipt(sha256="ab" * 32), {"receipts"}),
    "a receipt names another bidder": (receipt(bidder="org_x"), {"receipts"}),
    "a receipt names another tender": (receipt(tender="tnd_x"), {"receipts"}),
    "a receipt is put to another act": (
        lambda forge: forge.event("receipt", lambda row: row["body"].update(id="bid_x")),
        {"receipts"},
    ),
    "a bid in time is refused against an earlier deadline": (an_earlier_deadline, {"receipts"}),
    "a refusal is of another section": (refusal(lambda _: {"section": "sec_x"}), {"receipts"}),
    "a refusal is of another statement": (
        refusal(lambda _: {"statement": "ab" * 32}),
        {"receipts"},
    ),
    "another bidder is said to have been late": (
        lambda forge: forge.event(
            "refused", lambda row: row["body"].update(parties=["org_x"])
        ).redraw(),
        {"receipts"},
    ),
    "bidders were told a later deadline": (told_a_later_deadline, {"hall"}),
    "T is moved in the hall and by nobody": (moved_in_the_hall, {"hall"}),
    "the notice announced another control price": (
        lambda forge: forge.paper(NoticeFacts, control_price="99999999.00"),
        {"published"},
    ),
    "the ledger holds two results": (second_result, {"results"}),
    "a row is of a kind that nobody knows": (
        lambda forge: forge.insert("read", ("message", {"text": "x"})),
        {"rows"},
    ),
    "the record was issued before what it tells": (
        lambda forge: forge.heading(issued_at=1),
        {"record"},
    ),
    "the record names another log": (
        lambda forge: forge.heading(ledger_origin=f"{CENTRE}/ledger/other"),
        {"record"},
    ),
    "the record names a ledger that is not there yet": (
        lambda forge: forge.heading(ledger_size=99_999),
        {"record"},
    ),
    "the record names a ledger before the key": (
        lambda forge: forge.heading(ledger_size=1),
        {"record"},
    ),
    "the record is under other rules than the notice": (
        lambda forge: forge.heading(ruleset="国标"),
        {"record", "notice"},
    ),
}


@pytest.mark.parametrize("story", STORIES)
def test_what_a_centre_with_all_its_keys_forges_is_found(
    story: str, opened: Made, keys: Keys
) -> None:
    bend, expected = STORIES[story]
    forge = Author(opened)
    forge.keys = keys
    bend(forge)
    found = forge.failed(keys)
    assert expected <= found, [c for c in forge.checks if c.status == "failed"]
    if not expected:  # nobody's word cannot be disproved; it can only be left unproved
        assert not found
        assert forge.undone() - {"delegations"} == {"confirmations"}


def test_who_bids_decides_about_no_bid(opened: Made, keys: Keys) -> None:
    """A bidder's key is in the ledger, and a centre might take its word about another's bid."""
    forge = Author(opened)
    forge.keys = keys
    known = next(parse(leaf) for leaf in forge.whole if b'"kind":"key_issued"' in leaf)
    bidder = forge.section().entries[0].signed["statement"]["bidder"]
    leaf = {**known, "key": statement.sign(STRANGER, "x", CENTRE, {})["key"]}
    forge.whole.append(canonical({**leaf, "organisation": bidder}))
    forge.relog()
    decided(STRANGER)(forge)
    assert "confirmations" in forge.failed(keys)


def test_the_author_without_a_forgery_passes(opened: Made, keys: Keys) -> None:
    """Control: drawing the record anew is not what makes the others fail."""
    forge = Author(opened)
    forge.keys = keys
    assert CENTRE_KEY.public in keys.centres(CENTRE)
    assert forge.redraw().failed(keys) == set()
    assert forge.undone() == set()


def test_an_invented_bidder_leaves_the_audit_incomplete(opened: Made, keys: Keys) -> None:
    """Whoever bids with a key that no leaf issues to anybody may be the centre itself."""
    forge = Author(opened)
    forge.keys = keys
    for index, data in enumerate(forge.whole):
        if b'"kind":"key_issued"' in data:
            other = statement.sign(STRANGER, "x", CENTRE, {})["key"]
            forge.whole[index] = canonical({**parse(data), "key": other})
    forge.relog()
    assert forge.failed(keys) == {"closing-checkpoint"}  # these leaves lie before it
    # `slots-walked` needs that checkpoint, `delegations` asks whose each key is
    assert forge.undone() == {"issued", "slots-walked", "delegations"}
