"""An opening is re-derived step by step; every step has a forgery that it and it alone finds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from clients.auditor import opening
from clients.auditor.inputs import report
from clients.auditor.keys import Keys
from documents.model import OpeningFacts
from documents.trust import Trust
from tests.clients.auditor.forge import COSIGNED, SEED, Forge
from tests.clients.auditor.forgeries import FORGERIES

if TYPE_CHECKING:
    from tests.clients.auditor.opening_world import Made


@pytest.fixture(scope="session")
def keys(opened: Made) -> Keys:
    return Keys(Trust.from_pem(opened.trust.read_bytes()))


def test_both_renditions_are_valid(opened: Made, keys: Keys) -> None:
    for bag, last in ((opened.public, "opening.reopened"), (opened.full, "opening.bid.")):
        found = report(bag, keys, opened.at)
        assert found.verdict == "valid", [c for c in found.checks if c.status != "ok"]
        assert found.checks[-1].id.startswith(last)
        made = opening.TITLES.keys() - {"disclosed"}  # of a failed quorum, instead of `combined`
        assert {f"opening.{name}" for name in made} <= {c.id for c in found.checks}


def test_a_damaged_bid_is_shown_to_be_its_sealers_fault(opened: Made, keys: Keys) -> None:
    found = report(opened.full, keys, opened.at)
    told = next(c for c in found.checks if c.id.endswith(opened.names["c"]))
    assert told.status == "ok"
    assert "package-malformed" in told.detail
    assert "deemed_revoked" in told.detail


def test_without_pinned_keys_the_verdict_is_incomplete_and_nothing_fails(opened: Made) -> None:
    found = report(opened.public, Keys(), opened.at)
    assert found.verdict == "incomplete"
    assert not [c.id for c in found.checks if c.status == "failed"]
    done = {c.id for c in found.checks if c.status == "ok"}
    assert {"opening.certificate", "opening.slots-walked", "opening.combined"} <= done


def test_pinned_keys_of_another_centre_do_not_fit(opened: Made, keys: Keys) -> None:
    others = [a for a in keys.trust.anchors if "custodian" not in a.subject.rfc4514_string()]
    found = report(opened.public, Keys(Trust(tuple(others))), opened.at)
    assert found.verdict == "invalid"
    failed = {c.id for c in found.checks if c.status == "failed"}
    assert {"opening.tender", "opening.custodians"} <= failed


def test_the_forger_without_a_forgery_passes(opened: Made, keys: Keys) -> None:
    """Control: rewriting and signing everything anew is not what makes the others fail."""
    for forge in (Forge(opened), Forge(opened, full=True)):
        forge.events(lambda values: None).relog()
        assert forge.failed(keys) == set()
        assert forge.undone() == set()


@pytest.mark.parametrize("story", FORGERIES)
def test_a_forgery_fails_where_it_was_made(story: str, opened: Made, keys: Keys) -> None:
    bend, expected = FORGERIES[story]
    forge = bend(Forge(opened))
    assert forge.failed(keys) == expected, [c for c in forge.checks if c.status == "failed"]


def test_a_summary_read_out_otherwise_than_sealed_is_found_in_the_full_dossier(
    opened: Made, keys: Keys
) -> None:
    forge = Forge(opened, full=True).event(
        "imported",
        lambda r: r["body"]["outcomes"][0]["summary"].update(total_price="1.00"),
    )
    assert forge.failed(keys) == {f"bid.{opened.names['a']}", "record", "confirmations"}


@pytest.mark.parametrize("at", [0, 60, 150, 300, -1])
def test_a_changed_sealed_file_is_not_the_one_handed_in(at: int, opened: Made, keys: Keys) -> None:
    forge = Forge(opened, full=True)
    name = f"data/bids/{opened.names['b']}/bid.age"
    data = bytearray(forge.folder.files[name])
    data[at] ^= 1
    forge.folder.files[name] = bytes(data)
    assert forge.failed(keys) == {f"bid.{opened.names['b']}"}


def test_an_opened_package_that_is_another_one_is_found(opened: Made, keys: Keys) -> None:
    forge = Forge(opened, full=True)
    one, two = (f"data/bids/{opened.names[who]}/bid.tar" for who in "ab")
    forge.folder.files[one] = forge.folder.files[two]
    assert forge.failed(keys) == {f"bid.{opened.names['a']}"}


def test_a_bid_called_damaged_that_opens_is_found(opened: Made, keys: Keys) -> None:
    def bend(leaf: dict[str, Any]) -> None:
        leaf["bids"][0].update(result="payload-damaged", manifest="")

    forge = Forge(opened, full=True).leaf("opened", bend)

    def bend_hall(values: list[dict[str, Any]]) -> None:
        imported = next(value for value in values if value["kind"] == "imported")
        bent = imported["body"]["outcomes"][0]
        bent.update(code="payload-damaged", manifest="")
        place = next(n for n, value in enumerate(values) if value["kind"] == "decided")
        made_up = {
            **values[place],
            "body": {**values[place]["body"], "submission": bent["submission"]},
        }
        values.insert(place, made_up)  # or the hall could not have been sealed

    forge.events(bend_hall)
    failed = forge.failed(keys)
    assert f"bid.{opened.names['a']}" in failed


def test_too_few_cosignatures_in_time_leave_the_audit_incomplete(opened: Made, keys: Keys) -> None:
    forge = Forge(opened).unwitnessed().paper(OpeningFacts, cosignatures=0)
    assert forge.failed(keys) == set()
    assert forge.undone() == {"witnessed"}


def test_a_missing_seed_leaves_the_audit_incomplete(opened: Made, keys: Keys) -> None:
    forge = Forge(opened).file(SEED, lambda said: said.pop("seed"))
    assert forge.failed(keys) == set()
    assert "slots-walked" in forge.undone()


def test_a_witness_that_signed_two_histories_is_seen(opened: Made, keys: Keys) -> None:
    forge = Forge(opened).leaf("control_price", lambda leaf: leaf.update(value="1.00"))
    old = Forge(opened)
    forge.folder.files[COSIGNED] = old.folder.files[COSIGNED]
    assert "witnessed" in forge.failed(keys)


def test_the_logs_own_signature_is_checked(opened: Made, keys: Keys) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    forge = Forge(replace(opened, log=Ed25519PrivateKey.generate())).relog()
    assert "head-signed" in forge.failed(keys)


def test_the_close_list_must_be_exact(opened: Made, keys: Keys) -> None:
    def shorten(leaf: dict[str, Any]) -> None:
        leaf["bids"].pop()

    forge = Forge(opened).leaf("close_list", shorten)
    assert {"list-exact", "hall"} <= forge.failed(keys)
    assert "releases" in forge.failed(keys)  # every answer names the list it answers


def test_a_deadline_that_nobody_moved_is_refused(opened: Made, keys: Keys) -> None:
    def later(leaf: dict[str, Any]) -> None:
        leaf.update(deadline=leaf["deadline"] + 1000, slot=leaf["slot"] + 1)

    failed = Forge(opened).leaf("close_list", later).failed(keys)
    assert {"deadline-agreed", "closing-checkpoint"} <= failed
