"""What a bidder holds in hand proves itself, and nothing else passes for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.auditor import receipts
from clients.auditor.keys import Keys
from crypto import statement
from crypto.canonical import canonical, parse
from crypto.signature import SigningKey
from documents.checks import Report
from documents.trust import Trust
from tests.bidding.centre import CENTRE, CENTRE_KEY
from tests.clients.auditor import auction_world

if TYPE_CHECKING:
    from tests.clients.auditor.auction_world import Played
    from tests.clients.auditor.opening_world import Made

STRANGER = SigningKey.from_scalar(31337)


@pytest.fixture(scope="session")
def keys(opened: Made) -> Keys:
    return Keys(Trust.from_pem(opened.trust.read_bytes()))


@pytest.fixture(scope="session")
def hall_keys(played: Played) -> Keys:
    return Keys(Trust.from_pem(played.trust.read_bytes()))


def check(value: Any, keys: Keys, at: int) -> Report:
    data = value if isinstance(value, bytes) else canonical(value)
    return Report("receipt.json", receipts.check(data, keys, at))


def failed(report: Report) -> set[str]:
    return {check.id for check in report.checks if check.status == "failed"}


def resign(signed: dict[str, Any], key: SigningKey = CENTRE_KEY, **changes: Any) -> dict[str, Any]:
    """Let the centre sign other words with its true key."""
    head = ("v", "suite", "purpose", "centre")
    body = {k: v for k, v in signed["statement"].items() if k not in head}
    return statement.sign(key, signed["statement"]["purpose"], CENTRE, body | changes)


def test_every_receipt_is_valid(opened: Made, keys: Keys) -> None:
    for one in (*opened.receipts, opened.withdrawn):
        found = check(one, keys, opened.at)
        assert found.verdict == "valid", found.checks
        assert {f"receipt.{name}" for name in receipts.RECEIPT} <= {c.id for c in found.checks}


def test_a_refusal_is_valid_and_states_the_arrival(opened: Made, keys: Keys) -> None:
    found = check(opened.refusal, keys, opened.at)
    assert found.verdict == "valid", found.checks
    told = next(c for c in found.checks if c.id == "refusal.arrival")
    assert "20 ms after the deadline" in told.detail


def test_without_pinned_keys_it_is_incomplete(opened: Made) -> None:
    for one in (opened.receipts[0], opened.refusal):
        found = check(one, Keys(), opened.at)
        assert found.verdict == "incomplete", found.checks


def _entry(signed: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**signed["statement"]["entry"], **changes}


def _leaf(signed: dict[str, Any], **changes: Any) -> str:
    return canonical(parse(signed["statement"]["leaf"]) | changes).decode()


FORGERIES: dict[str, tuple[Any, set[str]]] = {
    "signed by a custodian-to-be": (lambda r: resign(r, STRANGER), {"slip.signature"}),
    "an earlier arrival": (
        lambda r: resign(r, entry=_entry(r, arrival=r["statement"]["entry"]["arrival"] - 1)),
        {"slip.tree"},
    ),
    "another id": (lambda r: resign(r, entry=_entry(r, id="bid_x")), {"slip.tree"}),
    "another place": (lambda r: resign(r, index=r["statement"]["index"] ^ 1), {"slip.tree"}),
    "a place beyond the tree": (lambda r: resign(r, index=4096), {"slip.tree"}),
    "another salt": (lambda r: resign(r, salt="00" * 32), {"slip.tree"}),
    "another section": (lambda r: resign(r, section="sec_x"), {"slip.tree"}),
    "another slot in the leaf": (
        lambda r: resign(r, leaf=_leaf(r, slot=r["statement"]["entry"]["slot"] + 1)),
        {"slip.log", "receipt.slot"},
    ),
    "a leaf that is not in the log": (
        lambda r: resign(r, leaf=_leaf(r, lots={"x": "00"})),
        {"slip.log"},
    ),
    "another index in the log": (
        lambda r: resign(r, leaf_index=r["statement"]["leaf_index"] - 1),
        {"slip.log"},
    ),
    "issued before the slot was over": (
        lambda r: resign(r, issued=r["statement"]["entry"]["slot"] * 1000 + 999),
        {"receipt.slot"},
    ),
    "issued in the future": (
        lambda r: resign(r, issued=r["statement"]["issued"] + 10**12),
        {"slip.times"},
    ),
    "a field too many": (lambda r: resign(r, more=1), {"receipt.fields"}),
}


@pytest.mark.parametrize("story", FORGERIES)
def test_a_forged_receipt_fails_where_it_was_forged(story: str, opened: Made, keys: Keys) -> None:
    bend, expected = FORGERIES[story]
    found = check(bend(opened.receipts[0]), keys, opened.at)
    assert expected <= failed(found), found.checks
    assert found.verdict == "invalid"


def test_a_receipt_signed_by_a_trusted_custodian_is_none_of_the_centres(
    opened: Made, authority: Any
) -> None:
    from clients.custodian.card import STATEMENT_OU
    from tests.clients.auditor.certificates import Maker

    made = Maker(authority)
    made.statement("custodian-9", STRANGER.public, STATEMENT_OU)
    pem = opened.trust.read_bytes() + made.pem.encode()
    for signed, issuer in ((opened.receipts[0], "receipt"), (opened.refusal, "refusal")):
        found = check(resign(signed, STRANGER), Keys(Trust.from_pem(pem)), opened.at)
        assert failed(found) == {f"{issuer}.issuer"}


def test_a_receipt_of_another_log_is_not_followed(opened: Made, keys: Keys) -> None:
    note = opened.receipts[0]["statement"]["checkpoint"]
    forged = resign(opened.receipts[0], checkpoint=note.replace("/ledger/", "/lodger/"))
    found = check(forged, keys, opened.at)
    assert found.verdict == "invalid"
    assert "receipt.origin" in failed(found)


def test_a_refusal_as_late_that_came_in_time_is_refused(opened: Made, keys: Keys) -> None:
    forged = resign(opened.refusal, arrival=opened.refusal["statement"]["deadline"] - 1)
    assert failed(check(forged, keys, opened.at)) == {"refusal.arrival"}


@given(st.data())
def test_any_flipped_bit_of_a_receipt_is_found(opened: Made, keys: Keys, data: Any) -> None:
    signed = data.draw(st.sampled_from([*opened.receipts, opened.withdrawn, opened.refusal]))
    whole = bytearray(canonical(signed))
    at = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[at // 8] ^= 1 << at % 8
    assert check(bytes(whole), keys, opened.at).verdict == "invalid"


def test_every_offers_receipt_is_valid(played: Played, hall_keys: Keys) -> None:
    assert len(played.receipts) == len(auction_world.OFFERS)
    for one in played.receipts:
        found = check(one, hall_keys, played.at)
        assert found.verdict == "valid", found.checks
        assert [c.id for c in found.checks] == [f"offer.{name}" for name in receipts.OFFER]


def test_an_offers_receipt_without_pinned_keys_is_incomplete(played: Played) -> None:
    assert check(played.receipts[0], Keys(), played.at).verdict == "incomplete"


OFFER_FORGERIES: dict[str, tuple[Any, str]] = {
    "another amount": (
        lambda r: r["row"]["body"]["content"].update(amount="99"),
        "offer.proof",
    ),
    "another arrival": (lambda r: r["row"].update(at=r["row"]["at"] - 1), "offer.proof"),
    "another verdict": (lambda r: r["row"]["body"]["verdict"].update(seq=9), "offer.proof"),
    "another chain hash": (lambda r: r["row"].update(chain="00" * 32), "offer.proof"),
    "another centre": (lambda r: r.update(centre="other"), "offer.proof"),
    "another root": (lambda r: r["head"]["statement"].update(root="00" * 32), "offer.proof"),
    "a member too many": (lambda r: r.update(more=1), "offer.proof"),
    "another version": (lambda r: r.update(v=2), "offer.proof"),
}


@pytest.mark.parametrize("story", OFFER_FORGERIES)
def test_a_forged_offers_receipt_fails(story: str, played: Played, hall_keys: Keys) -> None:
    bend, expected = OFFER_FORGERIES[story]
    forged = parse(canonical(played.receipts[0]))
    bend(forged)
    found = check(forged, hall_keys, played.at)
    assert failed(found) == {expected}, found.checks


def test_an_offers_receipt_has_one_byte_form(played: Played, hall_keys: Keys) -> None:
    """RFC 8785: a space more says nothing else, and is no longer the receipt that was handed out."""
    spaced = canonical(played.receipts[0]).replace(b":", b": ", 1)
    assert failed(check(spaced, hall_keys, played.at)) == {"offer.form"}


def test_a_head_signed_by_somebody_else_is_not_the_centres(played: Played, hall_keys: Keys) -> None:
    forged = parse(canonical(played.receipts[0]))
    said = {k: forged["head"]["statement"][k] for k in ("root", "size", "at")}
    forged["head"] = statement.sign(STRANGER, "batch_head", auction_world.CENTRE, said)
    assert failed(check(forged, hall_keys, played.at)) == {"offer.issuer"}


def test_a_head_signed_before_the_arrival_is_refused(played: Played, hall_keys: Keys) -> None:
    forged = parse(canonical(played.receipts[0]))
    said = {k: forged["head"]["statement"][k] for k in ("root", "size", "at")}
    said["at"] = forged["row"]["at"] - 1
    key = auction_world.CENTRE_KEY
    forged["head"] = statement.sign(key, "batch_head", auction_world.CENTRE, said)
    assert failed(check(forged, hall_keys, played.at)) == {"offer.issuer"}


def test_a_row_that_says_other_things_than_the_offer_is_found(
    played: Played, hall_keys: Keys
) -> None:
    """The centre signs a row whose amount is not the one in the bidder's own text."""
    from crypto.tlog.merkle import Tree, leaf_hash

    forged = parse(canonical(played.receipts[0]))
    forged["row"]["body"]["content"]["amount"] = "99"
    root = Tree.of([leaf_hash(canonical(forged["row"]))]).root().hex()
    said = {"root": root, "size": 1, "at": forged["head"]["statement"]["at"]}
    key = auction_world.CENTRE_KEY
    forged["head"] = statement.sign(key, "batch_head", auction_world.CENTRE, said)
    forged |= {"index": 0, "path": []}
    assert failed(check(forged, hall_keys, played.at)) == {"offer.offer"}


@given(st.data())
def test_any_flipped_bit_of_an_offers_receipt_is_found(
    played: Played, hall_keys: Keys, data: Any
) -> None:
    whole = bytearray(canonical(data.draw(st.sampled_from(played.receipts))))
    at = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[at // 8] ^= 1 << at % 8
    assert check(bytes(whole), hall_keys, played.at).verdict == "invalid"


@given(st.binary(max_size=300))
def test_any_bytes_end_in_a_verdict(keys: Keys, data: bytes) -> None:
    assert check(data, keys, 0).verdict in {"invalid", "incomplete"}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["statement", "purpose", "row", "head", "centre", "key", "x"]),
                inner,
            )
        ),
    )
)
def test_any_json_ends_in_a_verdict(keys: Keys, value: Any) -> None:
    import json

    data = json.dumps(value).encode()
    assert check(data, keys, 0).verdict in {"invalid", "incomplete"}


@pytest.mark.parametrize("purpose", ["receipt", "refusal", "offer_receipt"])
def test_a_receipt_of_any_shape_ends_in_a_verdict(purpose: str, keys: Keys) -> None:
    shapes: list[Any] = [
        {"purpose": purpose},
        {"purpose": purpose, "statement": {}},
        {"statement": {"purpose": purpose}},
        {"statement": {"purpose": purpose, "centre": 5}, "key": "", "signature": ""},
        {"statement": {"purpose": purpose, "centre": "c"}, "key": [], "signature": {}},
        {"purpose": purpose, "head": 1, "row": [], "centre": None},
    ]
    for shape in shapes:
        assert check(shape, keys, 0).verdict == "invalid", shape
