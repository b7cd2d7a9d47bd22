"""Whoever holds the centre's signed paper shows that a dossier leaves something out."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from clients.auditor import beside
from clients.auditor.evidence import EVENTS
from clients.auditor.inputs import report, reports
from clients.auditor.keys import Keys
from crypto.canonical import canonical
from documents.bag import event_line, event_lines, parse_event
from documents.trust import Trust
from tests.bidding.centre import CENTRE
from tests.clients.auditor.auction_world import CENTRE as HOUSE
from trading.ground.chain import ZERO, Row, link

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.auditor.auction_world import Played
    from tests.clients.auditor.opening_world import Made


@pytest.fixture
def keys(opened: Made) -> Keys:
    return Keys(Trust.from_pem(opened.trust.read_bytes()))


def put(folder: Path, name: str, signed: dict[str, Any]) -> Path:
    path = folder / name
    path.write_bytes(canonical(signed))
    return path


def without(bag: Path, target: Path, drop: Any, centre: str) -> Path:
    """A copy of a dossier without a row, chained anew."""
    shutil.copytree(bag, target)
    rows = [parse_event(line) for line in event_lines((bag / EVENTS).read_bytes())]
    chain, lines = ZERO, []
    kept = [row for row in rows if not drop(row)]
    assert len(kept) == len(rows) - 1
    for seq, row in enumerate(kept, 1):
        chain = link(chain, centre, row.stream, seq, row.at, row.kind, canonical(row.body))
        lines.append(event_line(Row(*row[:2], seq, *row[3:6], chain)))
    (target / EVENTS).write_bytes(b"".join(lines))
    return target


def test_a_dossier_tells_of_every_paper_in_hand(tmp_path: Path, opened: Made, keys: Keys) -> None:
    """Whichever stands first; what is about something else is not asked for."""
    papers = [put(tmp_path, f"{n}.json", one) for n, one in enumerate(opened.receipts)]
    papers.append(put(tmp_path, "late.json", opened.refusal))
    *files, bag = reports([*papers, opened.public], keys, opened.at)
    assert {one.verdict for one in (*files, bag)} == {"valid"}
    told = bag.checks[-1]
    assert (told.id, told.detail) == ("beside.told", f"{len(papers)} of {len(papers)}")
    alone = next(iter(reports([opened.public], keys, opened.at)))
    assert alone == report(opened.public, keys, opened.at)


@pytest.mark.parametrize("kind", ["refused", "receipt"])
def test_a_refusal_or_receipt_left_out_is_found(
    kind: str, tmp_path: Path, opened: Made, keys: Keys
) -> None:
    signed = opened.refusal if kind == "refused" else opened.receipts[0]
    paper = put(tmp_path, "paper.json", signed)
    member = "refusal" if kind == "refused" else "receipt"
    bag = without(
        opened.public,
        tmp_path / "x.bag",
        lambda row: row.kind == kind and row.body[member] == signed,
        CENTRE,
    )
    held = beside.read(report(paper, keys, opened.at), paper)
    assert held is not None
    told = [check.status for check in beside.check(bag, [held])]
    assert told == ["failed"]
    assert [check.status for check in beside.check(opened.public, [held])] == ["ok"]


def test_an_offer_left_out_is_found_by_its_receipt(tmp_path: Path, played: Played) -> None:
    keys = Keys(Trust.from_pem(played.trust.read_bytes()))
    receipt = next(one for one in played.receipts if one["row"]["kind"] == "auction.decided")
    paper = put(tmp_path, "offer.json", receipt)
    held = beside.read(report(paper, keys, played.at), paper)
    assert held is not None
    bag = without(
        played.public, tmp_path / "x.bag", lambda row: row.seq == receipt["row"]["seq"], HOUSE
    )
    assert [check.status for check in beside.check(bag, [held])] == ["failed"]
    assert [check.status for check in beside.check(played.public, [held])] == ["ok"]


def test_a_forged_paper_accuses_nobody(tmp_path: Path, opened: Made, keys: Keys) -> None:
    paper = put(
        tmp_path, "x.json", {**opened.refusal, "signature": opened.receipts[0]["signature"]}
    )
    found = report(paper, keys, opened.at)
    assert (found.verdict, beside.read(found, paper)) == ("invalid", None)
    assert list(beside.check(tmp_path, [])) == []
