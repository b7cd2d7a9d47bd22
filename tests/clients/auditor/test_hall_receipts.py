"""What bidders keep of a hall shows whatever a centre leaves out of its dossier or record, and nothing where it is honest."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from bidding.model.hall import HallHead, HallReceipt
from clients.auditor import beside, hall_receipts
from clients.auditor.checklist import AuditError, NotChecked
from clients.auditor.evidence import Evidence
from clients.auditor.inputs import report, reports
from clients.auditor.keys import Keys
from clients.auditor.section import Section
from clients.custodian.card import STATEMENT_OU
from crypto import statement
from crypto.canonical import parse
from crypto.signature import SigningKey
from documents.bag import Directory
from documents.model import OpeningFacts
from documents.trust import Trust
from tests.bidding.centre import CENTRE, CENTRE_KEY
from tests.bidding.office import Office
from tests.clients.auditor.certificates import Maker
from tests.clients.auditor.forgeries import resign
from tests.clients.auditor.opening_world import NAME
from tests.clients.auditor.test_beside import put, without
from tests.clients.auditor.test_endings import audit, detail, not_ok
from tests.clients.auditor.test_meeting import held

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.documents.pki import Pki
    from tests.trading.world import Someone


class Keeping(Office):
    """Whoever acts keeps the receipt; somebody in the hall asks for its signed state after every act."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.kept: list[dict[str, Any]] = []

    def call(self, method: str, path: str, *given: Any, **more: Any) -> httpx.Response:
        return self.keep(method, path, super().call(method, path, *given, **more))

    def post(self, path: str, body: Any, who: Someone | None = None) -> httpx.Response:
        return self.keep("POST", path, super().post(path, body, who))

    def keep(self, method: str, path: str, answer: httpx.Response) -> httpx.Response:
        if path.startswith("/openings/") and method == "POST" and answer.status_code == 201:
            if "receipt" in answer.json():
                self.kept.append(answer.json()["receipt"])
            state = super().call("GET", f"/openings/{self.section}/head")
            if state.status_code == 200:
                self.kept.append(state.json())
        return answer


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keeping]:
    with Keeping(tmp_path_factory.mktemp("kept") / "home", centre_name=NAME) as made:
        held(made)
        made.awaited(lambda: "opening" in made.bidding.room.shelf.books[made.section].records)
        made.cosign()
        made.filed()
        yield made


@pytest.fixture(scope="module")
def keys(office: Keeping, authority: Pki) -> Keys:
    return Keys(Trust.from_pem(office.trust(authority)))


def bag(office: Keeping) -> Path:
    return office.settings.home / "dossiers" / f"{office.section}-public.bag"


def said(office: Keeping, act: str) -> dict[str, Any]:
    return next(one for one in office.kept if one["statement"].get("act") == act)


def paused(office: Keeping) -> dict[str, Any]:
    return next(one for one in office.kept if one["statement"].get("paused"))


def test_every_act_has_its_receipt_and_the_dossier_and_the_record_tell_of_it(
    tmp_path: Path, office: Keeping, keys: Keys, authority: Pki
) -> None:
    found = audit(office, authority, "public")
    assert not_ok(found) == {}
    assert detail(found, "opening.heads").split(" ")[0] not in {"0", ""}
    acts = [one["statement"]["act"] for one in office.kept if "act" in one["statement"]]
    assert acts == ["signed_in"] * 2 + ["said"] * 2 + ["objected"] + ["confirmed"] * 2
    for one in office.kept:
        secret = one["statement"].get("act") == "signed_in"
        assert (one["statement"]["chain"] == "", one["statement"]["seq"] == 0) == (secret, secret)
    papers = [put(tmp_path, f"{n:02}.json", one) for n, one in enumerate(office.kept)]
    (record,) = [p for p in (bag(office) / "data/records").glob("*.pdf") if not _notice(p, office)]
    *alone, paper, dossier = reports(
        [*papers, record, bag(office)], keys, office.clock.now() + 1000
    )
    assert {one.verdict for one in (*alone, paper, dossier)} == {"valid"}
    assert (dossier.checks[-1].id, dossier.checks[-1].status) == ("beside.told", "ok")
    assert dossier.checks[-1].detail.startswith(f"{len(papers)} of {len(papers)}")
    told = [one.status for one in paper.checks if one.id == "beside.told"]
    assert len(told) == len(papers)
    assert "failed" not in told
    assert told.count("not_checked") == 2  # messages stand in no record


def _notice(path: Path, office: Keeping) -> bool:
    facts = Evidence(Directory(bag(office)), office.clock.now()).records
    return not isinstance(facts[f"data/records/{path.name}"], OpeningFacts)


@pytest.mark.parametrize("act", ["signed_in", "said", "objected", "confirmed", "paused"])
def test_an_act_left_out_is_found_by_whoever_holds_a_receipt(
    act: str, tmp_path: Path, office: Keeping, keys: Keys
) -> None:
    """The whole chain is made anew without it, so that every hash fits."""
    signed = paused(office) if act == "paused" else said(office, act)
    kept = signed["statement"]
    paper = put(tmp_path, "kept.json", signed)
    one = beside.read(report(paper, keys, office.clock.now() + 1000), paper)
    assert one is not None

    def it(row: Any) -> bool:
        if act == "paused":
            return bool(row.kind == "paused")
        who = {row.body.get("bidder"), row.body.get("speaker"), row.body.get("statement")}
        return row.kind == act and row.at == kept["arrival"] and bool(
            who & {kept["organisation"], kept["said"]}
        )  # fmt: skip

    bent = without(bag(office), tmp_path / "x.bag", it, CENTRE)
    (told,) = beside.check(bent, [one])
    assert (told.status, told.id) == ("failed", "beside.told")
    assert [check.status for check in beside.check(bag(office), [one])] == ["ok"]
    section = Section(Evidence(Directory(bent), 1 << 50), keys, office.section, 1 << 50)
    if act in {"said", "paused"}:  # a head followed within the slot, others only the record binds
        with pytest.raises(AuditError, match=r"is another than the ledger was told|not told"):
            hall_receipts.heads(section)


def test_a_record_that_tells_otherwise_is_found(office: Keeping) -> None:
    (facts,) = (
        one
        for one in Evidence(Directory(bag(office)), 1 << 50).records.values()
        if isinstance(one, OpeningFacts)
    )
    for signed, bent in (
        (said(office, "objected"), replace(facts, confirmations=facts.confirmations[1:])),
        (said(office, "confirmed"), replace(facts, confirmations=())),
        (paused(office), replace(facts, pauses=())),
    ):
        kept = hall_receipts.read(signed)
        assert hall_receipts.told_on_paper(facts, kept)
        with pytest.raises(AuditError):
            hall_receipts.told_on_paper(bent, kept)
    came = hall_receipts.read(said(office, "signed_in"))
    assert hall_receipts.told_on_paper(facts, came)
    with pytest.raises(NotChecked):
        hall_receipts.told_on_paper(replace(facts, sign_ins=()), came)
    answer = hall_receipts.read(said(office, "confirmed"))
    assert isinstance(answer, HallReceipt)
    last = replace(answer, seq=facts.last_seq, chain="00" * 32)
    with pytest.raises(AuditError, match="another history"):
        hall_receipts.told_on_paper(facts, last)
    assert not hall_receipts.told_on_paper(facts, replace(answer, seq=facts.last_seq + 1))


def test_a_state_that_the_events_do_not_give_is_found(office: Keeping) -> None:
    """A centre that signs one thing to those in the hall, and journals another."""
    rows = Evidence(Directory(bag(office)), 1 << 50).streams[f"bidding/{office.section}"]
    state: Any = hall_receipts.read(paused(office))
    assert hall_receipts.told_in(rows, state, CENTRE)
    for bent in (replace(state, paused=0), replace(state, phase="confirming")):
        with pytest.raises(AuditError, match="by the events"):
            hall_receipts.told_in(rows, bent, CENTRE)
    assert not hall_receipts.told_in(rows, replace(state, seq=len(rows) + 1), CENTRE)


def test_a_receipt_by_another_key_or_with_another_field_is_none(
    tmp_path: Path, office: Keeping, keys: Keys
) -> None:
    at = office.clock.now() + 1000
    good = said(office, "objected")
    body = {
        k: v for k, v in good["statement"].items() if k not in {"v", "suite", "purpose", "centre"}
    }
    bidder = office.bidders["投标单位1"].who.key
    for name, signed in (
        ("bidder", statement.sign(bidder, "hall_receipt", CENTRE, body)),
        ("field", statement.sign(CENTRE_KEY, "hall_receipt", CENTRE, {**body, "more": 1})),
        ("future", statement.sign(CENTRE_KEY, "hall_receipt", CENTRE, body | {"arrival": at + 1})),
    ):
        assert report(put(tmp_path, f"{name}.json", signed), keys, at).verdict == "invalid", name
    assert report(put(tmp_path, "good.json", good), keys, at).verdict == "valid"


def test_heads_enter_the_ledger_from_the_publication_on_and_not_before(
    office: Keeping, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = Evidence(Directory(bag(office)), 1 << 50).streams[f"bidding/{office.section}"]
    published = next(row.seq for row in rows if row.kind == "published")
    leaves = [row.body for row in office.ground.journal.rows("ledger", kind=HallHead.PURPOSE)]
    assert leaves
    assert all(leaf["seq"] >= published for leaf in leaves)
    # A centre that tells the ledger nothing while the hall goes on is found.
    section = Section(Evidence(Directory(bag(office)), 1 << 50), keys, office.section, 1 << 50)
    bent = replace(
        section.leaves,
        leaves=tuple(
            leaf for leaf in section.leaves.leaves if parse(leaf)["kind"] != HallHead.PURPOSE
        ),
    )
    section.__dict__["leaves"] = bent
    monkeypatch.setattr(hall_receipts, "LATE_MS", 1000)  # the pause lasts three seconds
    with pytest.raises(AuditError, match="the ledger was not told"):
        hall_receipts.heads(section)


def test_a_hall_receipt_by_another_pinned_key_is_none_of_the_centres(
    tmp_path: Path, office: Keeping, authority: Pki
) -> None:
    """Its signature holds and its key is pinned: only its issuer is another (docs/spec/audit-v1.md)."""
    made, stranger = Maker(authority), SigningKey.from_scalar(31337)
    made.statement("custodian-9", stranger.public, STATEMENT_OU)
    keys = Keys(Trust.from_pem(office.trust(authority) + made.pem.encode()))
    forged = resign(said(office, "objected"), stranger)
    found = report(put(tmp_path, "kept.json", forged), keys, office.clock.now() + 1000)
    assert {check.id for check in found.checks if check.status == "failed"} == {"hall.issuer"}


def test_a_receipt_is_of_its_own_row_and_history(office: Keeping) -> None:
    """Each thing that a receipt says of its act is compared with the row, and so is the chain up to it."""
    rows = Evidence(Directory(bag(office)), 1 << 50).streams[f"bidding/{office.section}"]
    kept: Any = hall_receipts.read(said(office, "objected"))
    assert hall_receipts.told_in(rows, kept, CENTRE)
    for bent, told in (
        (replace(kept, chain="00" * 32), "another history than was signed"),
        (replace(kept, said="ab" * 32), f"row {kept.seq} is a objected"),
        (replace(kept, arrival=kept.arrival - 1), f"row {kept.seq} is a objected"),
        (replace(kept, act="confirmed"), f"row {kept.seq} is a objected"),
        (replace(kept, act="float_committed"), "no such row"),
    ):
        with pytest.raises(AuditError, match=told):
            hall_receipts.told_in(rows, bent, CENTRE)


def test_heads_go_forward_and_begin_with_the_publication(office: Keeping, keys: Keys) -> None:
    """A head that goes back hides rows; one before the publication would tell how many had come."""
    section = Section(Evidence(Directory(bag(office)), 1 << 50), keys, office.section, 1 << 50)
    leaves = section.about(HallHead.PURPOSE)
    early = {**leaves[0], "seq": 1, "chain": section.rows[0].chain.hex()}
    for bent, told in (([*leaves, leaves[0]], "goes back"), ([early, *leaves], "was told before")):
        other: Any = SimpleNamespace(
            rows=section.rows, centre=section.centre, about=lambda _, bent=bent: bent
        )
        with pytest.raises(AuditError, match=told):
            hall_receipts.heads(other)
