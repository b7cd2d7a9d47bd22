"""Evidence of two histories at the centre: proved before it is published, then in everybody's way until answered."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crypto.tlog import checkpoint, cosignature
from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.evidence import Evidence
from tests.bidding.centre import Centre
from tests.bidding.test_quorum import code, order
from tests.bidding.test_run import read_out, restart, three


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    with Centre(tmp_path / "home") as made:
        made.first_people()
        three(made)
        yield made


def forged(centre: Centre, keeper: str = "", size: int = 0) -> bytes:
    """A checkpoint of another history, signed by the real log key, cosigned by a custodian."""
    ledger = centre.ground.ledger
    head = Checkpoint(ledger.origin, size or ledger.size, bytes([7]) * 32)
    signed = checkpoint.sign(head, centre.ground.ca.log_key())
    if keeper:
        one = centre.keepers[keeper]
        signed = cosignature.add(signed, one.note, one.id, centre.clock.now() // 1000)
    return signed


REFUSALS = {"evidence-proves-nothing", "malformed", "text-half-pair"}


def published(centre: Centre) -> list[dict[str, Any]]:
    return list(centre.get("/ledger/evidence")["evidence"])


def bring(centre: Centre, value: Any) -> Any:
    text = json.dumps({"evidence": value})  # in ASCII: lone surrogates travel too
    headers = {"content-type": "application/json"}
    path = "/api/v1/ledger/evidence"
    return centre.runner.run(centre.client.request("POST", path, content=text, headers=headers))


def test_a_cosignature_on_another_history_is_published_as_evidence_against_the_log(
    centre: Centre,
) -> None:
    assert published(centre) == []
    note = forged(centre, "custodian-1").decode()
    answer = centre.call("POST", "/ledger/cosignatures", {"note": note})
    assert code(answer) == "checkpoint-contradicts"
    (shown,) = published(centre)
    assert shown["accused"] == centre.ground.ledger.origin
    found = Evidence.from_json(shown["evidence"])
    found.verify()
    assert found.digest == shown["sha256"]
    assert shown["sha256"].encode() in centre.ground.ledger.leaf(shown["index"])
    size = centre.ground.ledger.size
    again = centre.call("POST", "/ledger/cosignatures", {"note": note})
    assert code(again) == "checkpoint-contradicts"
    restart(centre)
    assert published(centre) == [shown]
    assert centre.ground.ledger.size >= size


def test_a_witness_that_cosigned_both_is_accused_beside_the_log(centre: Centre) -> None:
    centre.cosign("custodian-1")
    size = centre.ground.ledger.size
    cosigned = centre.ground.ledger.cosigned(size)
    key = centre.keepers["custodian-1"].vkey
    found = Evidence(key, cosigned, forged(centre, "custodian-1", size))
    answer = bring(centre, found.to_json())
    assert answer.status_code == 201, answer.text
    accused = {one["accused"] for one in published(centre)}
    assert accused == {"custodian-1", centre.ground.ledger.origin}
    assert next(one["evidence"]["key"] for one in answer.json()["evidence"]) == key
    leaves = len(published(centre))
    assert bring(centre, found.to_json()).status_code == 201
    assert len(published(centre)) == leaves


def test_what_proves_nothing_is_not_published(centre: Centre) -> None:
    ledger = centre.ground.ledger
    mine, theirs = ledger.checkpoint(), forged(centre)
    stranger = centre.keepers["custodian-1"].vkey.replace("custodian-1", "custodian-9")
    for value in (
        {},
        Evidence(ledger.vkey, mine, mine).to_json(),
        Evidence(centre.keepers["custodian-1"].vkey, mine, theirs).to_json(),
        {**Evidence(ledger.vkey, mine, theirs).to_json(), "key": stranger},
        {**Evidence(ledger.vkey, mine, theirs).to_json(), "v": 2},
    ):
        assert code(bring(centre, value)) == "evidence-proves-nothing"
    assert published(centre) == []


def test_no_partial_comes_out_while_evidence_stands_and_two_people_end_that(
    centre: Centre,
) -> None:
    centre.until(centre.deadline)
    centre.cosign()
    ledger = centre.ground.ledger
    found = Evidence(ledger.vkey, ledger.checkpoint(), forged(centre))
    assert bring(centre, found.to_json()).status_code == 201
    for id_ in ("custodian-1", "custodian-2"):
        assert centre.release(id_).json()["status"] == "refused"
        assert centre.keepers[id_].verdict.refusal.id == "one-history"
    (shown,) = published(centre)
    wrong = order(centre, "reconciliations", "reconciliation", evidence=["0" * 64])
    assert code(wrong) == "evidence-unknown"
    answer = order(centre, "reconciliations", "reconciliation", evidence=[shown["sha256"]])
    assert answer.status_code == 201, answer.text
    restart(centre)
    for id_ in ("custodian-1", "custodian-2"):
        assert centre.release(id_).json()["status"] == "answered"
    assert read_out(centre) == ["46382715.40", "47105600.00", "45998800.88"]


def test_hostile_evidence_is_refused_and_breaks_nothing(centre: Centre) -> None:
    ledger = centre.ground.ledger
    good = Evidence(ledger.vkey, ledger.checkpoint(), forged(centre)).to_json()
    place = {"leaf_hash": "", "path": [""]}
    for changed in (
        {"key": "\ud800"},
        {"first": "\ud800"},
        {"first": 7},
        {"index": 1 << 60, "places": [place, place]},
        {"index": -1, "places": [place, place]},
        {"index": True, "places": [place, place]},
        {"index": 0, "places": [{}, []]},
        {"places": {}},
    ):
        assert code(bring(centre, {**good, **changed})) in REFUSALS
    assert published(centre) == []
    assert bring(centre, good).status_code == 201  # control
