"""Submissions over HTTP: abuse cases of the intake as they read after the design; uploads have their own file."""

import asyncio
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from bidding.model import Entry
from bidding.rules import outside
from crypto import possession
from crypto.age import parse_recipient, wrap_p256tag
from crypto.age.header import Header
from crypto.canonical import canonical
from crypto.encoding import b64, unb64
from crypto.p256 import G, Point
from crypto.section_tree import slot_commitment
from crypto.signature import SigningKey
from tests.bidding.centre import Bidder, Centre
from tests.bidding.handed_in import read, refusal, resign, root_of
from tests.trading.world import CENTRE
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
    root = root_of(said["index"], other.to_bytes(CENTRE), path)
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
