"""Uploads and submissions over HTTP: abuse cases U1 to U17 as they read after the design, and the deadline ±1 ms."""

import asyncio
import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bidding.model import Entry, Receipt, Submission
from bidding.rules import outside
from crypto import possession, statement
from crypto.age import parse_recipient, wrap_p256tag
from crypto.age.header import Header
from crypto.canonical import canonical
from crypto.encoding import b64, unb64
from crypto.p256 import G, Point
from crypto.section_tree import slot_commitment, verify_path
from crypto.signature import SigningKey
from crypto.tlog import checkpoint, note
from crypto.tlog.merkle import leaf_hash, verify_inclusion
from tests.bidding.centre import CENTRE_KEY, Bidder, Centre
from tests.trading.world import CENTRE
from trading.ground.problems import StorageFull
from trading.model.identity import MAX_PARTIES


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """One section that stays open for an hour; each test takes a bidder of its own."""
    with Centre(tmp_path_factory.mktemp("home")) as made:
        made.first_people()
        made.set_up(deadline=made.clock.now() // 1000 * 1000 + 3_600_000)
        yield made


@pytest.fixture
def bidder(centre: Centre) -> Bidder:
    number = len(centre.bidders) + 1
    return centre.seal(centre.bidder(number), f"{40_000_000 + number}.00")


def read(receipt: dict[str, Any], bidder: Bidder | None = None) -> Receipt:
    """Check a receipt as its holder can, offline, from pinned keys alone."""
    body = statement.verify(receipt, purpose="receipt", centre=CENTRE, key=CENTRE_KEY.public)
    said = Receipt.from_body(body)
    path = [bytes.fromhex(node) for node in said.path]
    leaf = said.leaf.encode()
    from crypto.canonical import parse

    commitment = bytes.fromhex(parse(leaf)["sections"][said.section])
    entry = said.entry.to_bytes(CENTRE)
    # The root is not in the receipt: it follows from entry and path.
    root = _root(said.index, entry, path)
    verify_path(root, said.index, entry, path)
    assert slot_commitment(bytes.fromhex(said.salt), root) == commitment
    head = checkpoint.parse(note.Note.parse(said.checkpoint.encode()).text)
    verify_inclusion(
        said.leaf_index, head.size, leaf_hash(leaf),
        [bytes.fromhex(node) for node in said.inclusion], head.root,
    )  # fmt: skip
    return said


def _root(index: int, entry: bytes, path: list[bytes]) -> bytes:
    from hashlib import sha256

    from crypto.section_tree import entry_hash

    digest = entry_hash(index, entry)
    for level, sibling in enumerate(path):
        pair = sibling + digest if index >> level & 1 else digest + sibling
        digest = sha256(b"\x01" + pair).digest()
    return digest


def refusal(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    problem: dict[str, Any] = answer.json()
    assert problem["type"] == f"urn:kaibiao:problem:{code}", problem
    assert answer.headers["content-type"] == "application/problem+json"
    return problem


def resign(made: Bidder, key: SigningKey | None = None, **changes: Any) -> dict[str, Any]:
    """The submission with other content, honestly signed; its possession proof no longer fits."""
    body = made.submission["submission"]["statement"]
    kept = {k: v for k, v in body.items() if k not in ("v", "suite", "purpose", "centre")}
    said = replace(Submission.from_body(kept), **changes)
    signed = statement.sign(key or made.who.key, "submission", CENTRE, said.to_body())
    return {"submission": signed, "possession": made.submission["possession"]}


def test_a_receipt_proves_offline_that_the_bid_is_in(centre: Centre, bidder: Bidder) -> None:
    centre.send_file(bidder)
    assert centre.submit(bidder).status_code == 201
    said = read(bidder.receipts[0])
    assert said.bidder == bidder.who.organisation
    assert said.sha256 == hashlib.sha256(bidder.file.read_bytes()).hexdigest()
    assert said.entry.slot == said.entry.arrival // 1000


def test_a_receipt_altered_anywhere_does_not_hold(centre: Centre, bidder: Bidder) -> None:
    centre.send_file(bidder)
    centre.submit(bidder)
    said = bidder.receipts[0]["statement"]
    other = Entry.from_body({**said["entry"], "arrival": said["entry"]["arrival"] - 1})
    path = [bytes.fromhex(node) for node in said["path"]]
    root = _root(said["index"], other.to_bytes(CENTRE), path)
    from crypto.canonical import parse

    commitment = parse(said["leaf"])["sections"][centre.section]
    assert slot_commitment(bytes.fromhex(said["salt"]), root).hex() != commitment


def test_u14_the_identical_statement_again_gets_its_first_receipt(
    centre: Centre, bidder: Bidder
) -> None:
    centre.send_file(bidder)
    first = centre.submit(bidder)
    again = centre.submit(bidder)
    assert again.status_code == 201
    assert again.content == first.content
    act = bidder.receipts[0]["statement"]["entry"]["id"]
    assert centre.get(f"/sections/{centre.section}/receipts/{act}", bidder.who) == first.json()


def test_twice_at_the_same_moment_is_once(centre: Centre, bidder: Bidder) -> None:
    centre.send_file(bidder)
    body = {**bidder.submission, "upload": bidder.upload}
    path = f"/api/v1/sections/{centre.section}/submissions"
    headers = {"authorization": f"Bearer {bidder.who.token}"}

    async def twice() -> list[Any]:
        posts = (centre.client.post(path, json=body, headers=headers) for _ in range(3))
        return await asyncio.gather(*posts)

    answers = centre.live(twice())
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    mine = centre.get(f"/sections/{centre.section}/submissions/me", bidder.who)
    assert len(mine["acts"]) == 1


def test_one_bidder_cannot_fill_the_sections_tree(
    centre: Centre, bidder: Bidder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bidding.rules.bids.MAX_ACTS", 3)
    centre.send_file(bidder)
    assert centre.submit(bidder).status_code == 201
    for price, status in (("40100000.00", 201), ("40200000.00", 409)):
        centre.seal(bidder, price, supersedes=bidder.receipts[-1]["statement"]["entry"]["id"])
        centre.send_file(bidder)
        assert centre.submit(bidder).status_code == status
    assert centre.withdraw(bidder).status_code == 201  # there is always room for that


@pytest.mark.parametrize(
    ("members", "code"),
    [
        (("org_nobody",), "parties-unknown"),
        (("self",), "parties-malformed"),
        (tuple(f"org_{n}" for n in range(16)), "parties-malformed"),
    ],
    ids=["unknown", "twice", "seventeen"],
)
def test_a_consortium_is_a_few_different_organisations_that_are_known(
    centre: Centre, bidder: Bidder, members: tuple[str, ...], code: str
) -> None:
    assert outside.MAX_PARTIES == MAX_PARTIES
    centre.send_file(bidder)
    own = bidder.who.organisation
    bidder.submission = resign(
        bidder, parties=(own, *(own if one == "self" else one for one in members))
    )
    refusal(centre.submit(bidder), 422, code)


def test_u1_every_truncation_is_no_bid(centre: Centre, bidder: Bidder) -> None:
    data = bidder.file.read_bytes()
    made = centre.raw("POST", "/uploads", bidder.who, **{"Upload-Length": str(len(data))})
    bidder.upload = made.headers["location"].rsplit("/", 1)[1]
    for end in (0, 1, 100, len(data) - 1):
        held = centre.raw("HEAD", f"/uploads/{bidder.upload}", bidder.who)
        offset = int(held.headers["upload-offset"])
        assert centre.patch(bidder, offset, data[offset:end]).status_code == 204
        refusal(centre.submit(bidder), 409, "upload-incomplete")
    assert centre.patch(bidder, len(data) - 1, data[-1:]).status_code == 204
    assert centre.submit(bidder).status_code == 201


def test_u1_a_shorter_file_under_its_own_length_is_refused(centre: Centre, bidder: Bidder) -> None:
    whole = bidder.file.read_bytes()
    bidder.file.write_bytes(whole[:-1])
    centre.send_file(bidder)
    refusal(centre.submit(bidder), 422, "file-differs")


@pytest.mark.parametrize("at", [0, 30, 150, 250, -1])
def test_u2_one_bit_flipped_is_refused_before_a_receipt(
    centre: Centre, bidder: Bidder, at: int
) -> None:
    data = bytearray(bidder.file.read_bytes())
    data[at] ^= 1
    bidder.file.write_bytes(bytes(data))
    centre.send_file(bidder)
    refusal(centre.submit(bidder), 422, "file-differs")


def test_u3_a_file_mixed_from_two_uploads_is_refused(centre: Centre, bidder: Bidder) -> None:
    other = centre.seal(centre.bidder(len(centre.bidders) + 1), "41000000.00")
    one, two = bidder.file.read_bytes(), other.file.read_bytes()
    bidder.file.write_bytes(one[:300] + two[300 : len(one)])
    centre.send_file(bidder)
    refusal(centre.submit(bidder), 422, "file-differs")


def test_u4_anothers_submission_and_file_are_refused(centre: Centre, bidder: Bidder) -> None:
    victim = centre.hand_in(len(centre.bidders) + 1, "41000001.00")
    bidder.file = victim.file
    centre.send_file(bidder)
    bidder.submission = victim.submission
    answer = centre.submit(bidder)
    # The very statement again: its first receipt goes only to whoever it belongs to.
    assert answer.status_code == 403, answer.text
    mine = {"bidder": bidder.who.organisation, "parties": (bidder.who.organisation,)}
    bidder.submission = resign(victim, bidder.who.key, **mine)
    refusal(centre.submit(bidder), 422, "possession-invalid")


def test_a_malleated_encapsulation_is_refused(centre: Centre, bidder: Bidder) -> None:
    """E + δG with a proof by δ alone, E of another with any proof: nobody proves what he did not make."""
    said = bidder.submission["submission"]["statement"]
    enc = unb64(said["encapsulation"])
    delta = SigningKey.from_scalar(5)
    moved = (Point.parse(enc) + 5 * G).uncompressed()
    data = bidder.file.read_bytes()
    recipient = parse_recipient(said["recipient"])
    stanza, _ = wrap_p256tag(bytes(16), recipient)
    from crypto.age.stanzas import p256tag_tag
    from crypto.encoding import b64raw

    arguments = (b64raw(p256tag_tag(moved, recipient)), b64raw(moved))
    header = Header.make([type(stanza)(stanza.type, arguments, stanza.body)], bytes(16)).raw
    bidder.file.write_bytes(header + data[len(header) :])
    sha = hashlib.sha256(bidder.file.read_bytes()).hexdigest()
    form = resign(bidder, encapsulation=b64(moved), sha256=sha)
    try:
        proof = possession.prove(delta, canonical(form["submission"]["statement"]))
    except ValueError:
        proof = bytes(64)
    bidder.submission = {**form, "possession": b64(proof)}
    centre.send_file(bidder)
    refusal(centre.submit(bidder), 422, "possession-invalid")


def test_u5_a_bid_for_another_section_is_refused(centre: Centre, bidder: Bidder) -> None:
    centre.send_file(bidder)
    good = bidder.submission
    bidder.submission = resign(bidder, section="sec_" + "a" * 26)
    refusal(centre.submit(bidder), 422, "statement-foreign-section")
    bidder.submission = resign(bidder, tender="ten_" + "a" * 26)
    refusal(centre.submit(bidder), 422, "statement-foreign-section")
    bidder.submission = good
    assert centre.submit(bidder).status_code == 201


def test_u12_another_recipient_is_refused_by_its_tag_and_by_name(
    centre: Centre, bidder: Bidder
) -> None:
    from crypto.age import recipient_text

    other = SigningKey.generate()
    centre.send_file(bidder)
    bidder.submission = resign(bidder, recipient=recipient_text(other.public))
    refusal(centre.submit(bidder), 422, "recipient-foreign")


def test_u10_an_unencrypted_upload_is_refused_with_a_prompt(centre: Centre, bidder: Bidder) -> None:
    bidder.file.write_bytes(b"%PDF-1.7 plain")
    sha = hashlib.sha256(b"%PDF-1.7 plain").hexdigest()
    bidder.submission = resign(bidder, sha256=sha, size=14)
    centre.send_file(bidder)
    problem = refusal(centre.submit(bidder), 422, "header-malformed")
    assert problem["rule"] == "电子招标投标办法 26"


def test_an_empty_or_huge_upload_is_refused_at_once(centre: Centre, bidder: Bidder) -> None:
    for length in ("0", str((2 << 30) + 1), str(10 << 30)):
        made = centre.raw("POST", "/uploads", bidder.who, **{"Upload-Length": length})
        refusal(made, 413, "upload-too-large")
    for length in ("-1", "x", "1e3", "9" * 40):
        made = centre.raw("POST", "/uploads", bidder.who, **{"Upload-Length": length})
        assert made.status_code == 422


def test_more_bytes_than_said_are_refused_and_cost_nothing(centre: Centre, bidder: Bidder) -> None:
    made = centre.raw("POST", "/uploads", bidder.who, **{"Upload-Length": "10"})
    bidder.upload = made.headers["location"].rsplit("/", 1)[1]
    refusal(centre.patch(bidder, 0, bytes(11)), 413, "upload-too-long")
    assert centre.patch(bidder, 0, bytes(10)).status_code in {204, 409}


def test_offsets_are_the_key_and_a_wrong_one_is_told_the_right_one(
    centre: Centre, bidder: Bidder
) -> None:
    made = centre.raw("POST", "/uploads", bidder.who, **{"Upload-Length": "100"})
    bidder.upload = made.headers["location"].rsplit("/", 1)[1]
    assert centre.patch(bidder, 0, bytes(40)).headers["upload-offset"] == "40"
    assert refusal(centre.patch(bidder, 0, bytes(40)), 409, "upload-offset")["offset"] == 40
    assert refusal(centre.patch(bidder, 41, bytes(4)), 409, "upload-offset")["offset"] == 40
    held = centre.raw("HEAD", f"/uploads/{bidder.upload}", bidder.who)
    assert held.headers["upload-offset"] == "40"
    assert held.headers["cache-control"] == "no-store"


def test_a_wrong_checksum_keeps_nothing(centre: Centre, bidder: Bidder) -> None:
    made = centre.raw("POST", "/uploads", bidder.who, **{"Upload-Length": "100"})
    bidder.upload = made.headers["location"].rsplit("/", 1)[1]
    digest = base64.b64encode(hashlib.sha256(bytes(40)).digest()).decode()
    wrong = centre.patch(bidder, 0, b"\x01" * 40, **{"Upload-Checksum": f"sha256 {digest}"})
    assert wrong.status_code == 460  # tus checksum extension
    right = centre.patch(bidder, 0, bytes(40), **{"Upload-Checksum": f"sha256 {digest}"})
    assert right.headers["upload-offset"] == "40"
    odd = centre.patch(bidder, 40, bytes(4), **{"Upload-Checksum": "crc32 AAAA"})
    assert odd.status_code == 400


def test_another_organisation_does_not_see_an_upload(centre: Centre, bidder: Bidder) -> None:
    centre.send_file(bidder)
    other = centre.bidder(len(centre.bidders) + 1)
    for method in ("HEAD", "GET", "DELETE"):
        answer = centre.raw(method, f"/uploads/{bidder.upload}", other.who)
        assert answer.status_code == 404
    other.upload = bidder.upload
    assert centre.patch(other, 0, b"x").status_code == 404


def test_an_upload_can_be_given_up_until_a_submission_names_it(
    centre: Centre, bidder: Bidder
) -> None:
    upload = centre.send_file(bidder)
    assert centre.raw("DELETE", f"/uploads/{upload}", bidder.who).status_code == 204
    assert centre.raw("HEAD", f"/uploads/{upload}", bidder.who).status_code == 404
    upload = centre.send_file(bidder)
    assert centre.submit(bidder).status_code == 201
    refusal(centre.raw("DELETE", f"/uploads/{upload}", bidder.who), 409, "upload-used")


def test_u16_an_upload_goes_on_after_the_server_was_restarted(tmp_path: Path) -> None:
    with Centre(tmp_path / "home") as made:
        made.first_people()
        made.set_up()
        bidder = made.seal(made.bidder(1), "46382715.40")
        data = bidder.file.read_bytes()
        begun = made.raw("POST", "/uploads", bidder.who, **{"Upload-Length": str(len(data))})
        bidder.upload = begun.headers["location"].rsplit("/", 1)[1]
        made.patch(bidder, 0, data[:1000])
        made.restart()
        made.login(bidder.who)
        held = made.raw("HEAD", f"/uploads/{bidder.upload}", bidder.who)
        assert held.headers["upload-offset"] == "1000"
        made.patch(bidder, 1000, data[1000:])
        assert made.submit(bidder).status_code == 201
        first = bidder.receipts[0]
        made.restart()
        made.login(bidder.who)
        assert made.submit(bidder).json() == first


def test_u20_a_full_disk_keeps_nothing_half(
    centre: Centre, bidder: Bidder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bidding.service import uploads

    made = centre.raw("POST", "/uploads", bidder.who, **{"Upload-Length": "100"})
    bidder.upload = made.headers["location"].rsplit("/", 1)[1]

    def full(_file: int, _parts: list[bytes]) -> None:
        raise StorageFull

    with monkeypatch.context() as patch:
        patch.setattr(uploads, "_put", full)
        assert centre.patch(bidder, 0, bytes(50)).status_code == 507
    held = centre.raw("HEAD", f"/uploads/{bidder.upload}", bidder.who)
    assert held.headers["upload-offset"] == "0"
    assert centre.patch(bidder, 0, bytes(50)).headers["upload-offset"] == "50"


def test_a_second_bid_names_the_one_it_replaces(centre: Centre, bidder: Bidder) -> None:
    centre.send_file(bidder)
    centre.submit(bidder)
    first = bidder.receipts[0]["statement"]["entry"]["id"]
    centre.seal(bidder, "39999999.00")
    centre.send_file(bidder)
    assert refusal(centre.submit(bidder), 409, "bid-exists")["current"] == first
    centre.seal(bidder, "39999998.00", supersedes=first)
    centre.send_file(bidder)
    assert centre.submit(bidder).status_code == 201
    mine = centre.get(f"/sections/{centre.section}/submissions/me", bidder.who)
    assert mine["counts"] == bidder.receipts[1]["statement"]["entry"]["id"]
    assert mine["acts"][1]["replaces"] == first


def test_withdrawing_is_by_the_key_that_submitted_and_only_once(
    centre: Centre, bidder: Bidder
) -> None:
    centre.send_file(bidder)
    centre.submit(bidder)
    stranger = centre.bidder(len(centre.bidders) + 1)
    stranger.receipts = bidder.receipts
    refusal(centre.withdraw(stranger), 409, "bid-unknown")
    gone = centre.withdraw(bidder)
    assert gone.status_code == 201, gone.text
    assert read(gone.json()).entry.kind == "withdrawal"
    assert centre.withdraw(bidder).json() == gone.json()
    mine = centre.get(f"/sections/{centre.section}/submissions/me", bidder.who)
    assert mine["counts"] == ""


@pytest.mark.parametrize(
    "body",
    [{}, {"submission": 1, "possession": "", "upload": "x"}, {"submission": {}, "possession": None},
     {"submission": {}, "possession": "", "upload": "x"}, {"submission": {"statement": {}}},
     {"submission": {"statement": {"v": 1}, "key": "", "signature": ""}, "possession": "!", "upload": "x"}],
)  # fmt: skip
def test_u21_malformed_forms_are_refused_plainly(centre: Centre, bidder: Bidder, body: Any) -> None:
    answer = centre.post(f"/sections/{centre.section}/submissions", body, bidder.who)
    assert answer.status_code == 422, answer.text


def test_u21_a_deeply_nested_statement_is_refused(centre: Centre, bidder: Bidder) -> None:
    deep: Any = "x"
    for _ in range(200):
        deep = [deep]
    form = {"submission": {"statement": {"a": deep}, "key": "", "signature": ""}}
    body = {**form, "possession": "", "upload": "x"}
    answer = centre.post(f"/sections/{centre.section}/submissions", body, bidder.who)
    assert answer.status_code == 422


def test_somebody_without_a_session_is_asked_to_log_in(centre: Centre) -> None:
    answer = centre.post(f"/sections/{centre.section}/submissions", {})
    assert answer.status_code == 401


def test_an_act_takes_off_before_anything_behind_the_edge_may_wait(centre: Centre) -> None:
    """The gate and the idempotency table stand between stamp and handler; the slot waits for them."""
    from bidding.api import Departures

    intake = centre.bidding.intake
    arrival = centre.clock.now()
    seen: list[bool] = []

    async def slow(scope: Any, _receive: Any, _send: Any) -> None:
        await asyncio.sleep(0)
        seen.append(intake.ready(arrival // 1000))
        assert ("flight" in scope["state"]) != seen[-1]

    async def go(path: str) -> None:
        scope = {"type": "http", "path": path, "state": {"arrival": arrival}}
        await Departures(slow, intake)(scope, None, None)  # type: ignore[arg-type]

    section = centre.section
    for path in ("submissions", "withdrawals", "submissions/me"):
        centre.runner.run(go(f"/api/v1/sections/{section}/{path}"))
        assert intake.ready(arrival // 1000)
    assert seen == [False, False, True]
