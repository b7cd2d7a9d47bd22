"""Small parts that decide: whose key may speak, the frontier in a path, where two papers differ."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from clients.auditor import auction, hall_receipts, opening, receipts, run
from clients.auditor.checklist import AuditError, Checklist, NotChecked
from clients.auditor.keys import Keys
from clients.auditor.papers import difference
from clients.custodian.card import HOST_OU, STATEMENT_OU
from crypto.signature import SigningKey
from crypto.tlog.fold import frontier_of
from crypto.tlog.merkle import Tree
from documents.trust import Trust
from tests.clients.auditor.certificates import Maker

if TYPE_CHECKING:
    from tests.documents.pki import Pki

CENTRE, SUPERVISOR, CUSTODIAN, HOST, OTHER = (
    SigningKey.from_scalar(number).public for number in range(11, 16)
)


def keys_of(authority: Pki, *named: tuple[str, bytes, str]) -> Keys:
    made = Maker(authority)
    made.add(authority.root)
    for name, public, unit in named:
        made.statement(name, public, unit)
    return Keys(Trust.from_pem(made.pem.encode()))


EVERYBODY = (
    ("水务行政监督处", SUPERVISOR, ""),
    ("cus_a", CUSTODIAN, STATEMENT_OU),
    ("cus_a", HOST, HOST_OU),
)


@pytest.mark.parametrize("name", ["demo", "岐江市公共资源交易中心 声明签名"])
def test_the_centres_key_is_told_by_its_certificate(authority: Pki, name: str) -> None:
    keys = keys_of(authority, (name, CENTRE, ""), *EVERYBODY)
    assert keys.centres("demo") == {CENTRE}
    assert keys.supervisors("demo") == {SUPERVISOR}
    assert keys.hosts == {HOST}
    assert set(keys.statements) == {CENTRE, SUPERVISOR, CUSTODIAN}
    for stranger in (SUPERVISOR, CUSTODIAN, HOST, OTHER):
        with pytest.raises(AuditError):
            keys.signed_by_centre(stranger, "demo")


def test_without_a_mark_centre_and_supervisor_are_not_told_apart(authority: Pki) -> None:
    keys = keys_of(authority, ("某中心", CENTRE, ""), *EVERYBODY)
    assert keys.centres("demo") == {CENTRE, SUPERVISOR}
    with pytest.raises(AuditError):
        keys.signed_by_centre(CUSTODIAN, "demo")


def test_an_authoritys_own_key_signs_no_statement(authority: Pki) -> None:
    assert not keys_of(authority).statements


def test_nothing_pinned_is_not_the_same_as_another_key_pinned(authority: Pki) -> None:
    with pytest.raises(NotChecked):
        Keys().signed_by_centre(CENTRE, "demo")
    with pytest.raises(NotChecked):
        Keys().log_of(b"x\n0\nAA==\n\n")


def test_a_log_is_no_witness_of_another_log(authority: Pki) -> None:
    made = Maker(authority)
    for name in ("demo/ledger/one", "demo/ledger/two", "notary"):
        made.issue(name, Ed25519PrivateKey.generate().public_key())
    keys = Keys(Trust.from_pem(made.pem.encode()))
    log = keys.trust.log("demo/ledger/two")
    assert [key.name for key in keys.witnesses(log)] == ["notary"]


@given(st.data())
def test_a_leafs_path_holds_the_frontier_before_it(data: Any) -> None:
    size = data.draw(st.integers(1, 70))
    index = data.draw(st.integers(0, size - 1))
    leaves = [number.to_bytes(2) for number in range(size)]
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)
    found = run.frontier(index, size, tree.inclusion_proof(index))
    assert found == frontier_of(leaves[:index])
    folded = run.LeafRun(index, found, tuple(leaves[index:]))
    assert folded.roots(range(index, size + 1)) == {
        end: tree.root(end) for end in range(index, size + 1)
    }


def test_the_first_difference_of_two_papers_is_named() -> None:
    one = {"rows": [{"price": "1"}, {"price": "2"}], "n": 1}
    assert difference(one, {**one, "rows": [{"price": "1"}, {"price": "3"}]}, "") == (
        "rows[1].price", "2", "3",
    )  # fmt: skip
    assert difference(one, {**one, "rows": [{"price": "1"}]}, "") == ("the length of rows", 2, 1)


def test_a_check_says_what_it_lacks_and_never_raises() -> None:
    todo = Checklist("x", {"a": "A", "b": "B", "c": "C"})

    def broken() -> str:
        raise RecursionError

    assert not todo.check("a", broken)
    assert not todo.check("b", lambda: "fine", needs=["a"])
    assert todo.check("c", lambda: "fine")
    assert [check.status for check in todo.checks] == ["failed", "not_checked", "ok"]
    assert todo.checks[1].detail == "it needs x.a"


def test_the_paper_names_every_check_and_no_other() -> None:
    text = (Path(__file__).parents[3] / "docs" / "spec" / "audit-v1.md").read_text("utf-8")
    named = set(re.findall(r"`([a-z][a-z-]*)`", text))
    first, *_, last = opening.RULE
    assert (first, last) == ("key-context", "order-kept")  # the paper gives the first and the last
    known = {*opening.TITLES, *auction.TITLES}
    for titles in (receipts.RECEIPT, receipts.REFUSAL, receipts.OFFER, hall_receipts.TITLES):
        known |= set(titles)
    assert known - set(opening.RULE) <= named
    prefixes = {"receipt", "refusal", "offer"}
    others = {"checks", "verify", "incomplete", "reopened"}
    assert named - prefixes - others - known == set()
