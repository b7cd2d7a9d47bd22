"""Uploads: offsets are the key, nothing half is kept, and an interrupted one goes on from its last durable byte."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bidding.centre import Bidder, Centre
from tests.bidding.handed_in import refusal
from trading.ground.problems import StorageFull


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
