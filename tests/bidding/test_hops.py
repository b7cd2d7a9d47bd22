"""A bid's bytes at every hop: what the centre's disk does to them is never laid at the bidder's door.

    upload → content store (two copies) → submission → opening → dossier

What was signed is one SHA-256; a copy that differs is replaced from the other, and what differs before the signed
words have come is found by them. The opening's hop stands in `test_run.py` (U22), the backup's in its own tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bidding.centre import Centre
from tests.bidding.office import Office

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.bidding.centre import Bidder


def flipped(place: int) -> Callable[[Path], None]:
    def hurt(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[place] ^= 1
        path.write_bytes(data)

    return hurt


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def gone(path: Path) -> None:
    path.unlink()


HURTS = {
    "the magic": flipped(0),
    "the encapsulation": flipped(60),
    "the payload": flipped(-5),
    "cut": cut,
    "gone": gone,
}


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    with Centre(tmp_path_factory.mktemp("hops") / "home") as made:
        made.first_people()
        made.set_up(deadline=made.clock.now() // 1000 * 1000 + 3_600_000)
        yield made


def sent(centre: Centre) -> Bidder:
    number = len(centre.bidders) + 1
    bidder = centre.seal(centre.bidder(number), f"{40_000_000 + number}.00")
    centre.send_file(bidder)
    return bidder


def copies(centre: Centre, bidder: Bidder) -> list[Path]:
    name = bidder.upload.replace("upl_", "blob_")
    return [centre.settings.home / "blobs" / copy / name for copy in ("1", "2")]


@pytest.mark.parametrize("hurt", ["the magic", "the payload"])
def test_bytes_that_change_before_the_upload_is_whole_are_found_by_the_signed_hash(
    centre: Centre, hurt: str
) -> None:
    number = len(centre.bidders) + 1
    bidder = centre.seal(centre.bidder(number), f"{40_000_000 + number}.00")
    assert bidder.file is not None
    data = bidder.file.read_bytes()
    length = {"Upload-Length": str(len(data))}
    made = centre.raw("POST", "/uploads", bidder.who, **length)
    bidder.upload = made.headers["location"].rsplit("/", 1)[1]
    assert centre.patch(bidder, 0, data[:-1]).status_code == 204
    HURTS[hurt](centre.settings.home / "uploads" / bidder.upload)
    assert centre.patch(bidder, len(data) - 1, data[-1:]).status_code == 204
    answer = centre.submit(bidder)
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (422, "file-differs")
    centre.send_file(bidder)  # nothing was taken: it is sent again
    assert centre.submit(bidder).status_code == 201


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("hurt", HURTS)
def test_one_copy_hurt_before_the_submission_costs_the_bidder_nothing(
    centre: Centre, hurt: str, which: int
) -> None:
    bidder = sent(centre)
    HURTS[hurt](copies(centre, bidder)[which])
    assert centre.submit(bidder).status_code == 201
    entry = bidder.receipts[0]["statement"]["entry"]["id"]
    blob = centre.bidding.room.keyed(centre.section).kept[entry].blob
    assert blob is not None
    assert bidder.file is not None
    whole = bidder.file.read_bytes()
    assert centre.ground.blobs.verified(blob).read_bytes() == whole
    assert [copy.read_bytes() for copy in copies(centre, bidder)] == [whole, whole]


def test_no_copy_left_before_the_submission_is_the_centres_word_not_a_refusal(
    centre: Centre,
) -> None:
    bidder = sent(centre)
    for copy in copies(centre, bidder):
        copy.unlink()
    answer = centre.submit(bidder)
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (503, "blob-corrupt")
    centre.send_file(bidder)
    assert centre.submit(bidder).status_code == 201


def test_a_wrong_header_is_the_bidders_own_when_every_copy_has_it(centre: Centre) -> None:
    bidder, other = sent(centre), sent(centre)
    assert other.file is not None
    bidder.file = other.file  # it signed for one file and sends another's
    centre.send_file(bidder)
    assert centre.submit(bidder).status_code == 422


def test_a_copy_hurt_after_the_opening_is_mended_before_it_enters_the_dossier(
    tmp_path: Path,
) -> None:
    with Office(tmp_path / "home") as office:
        office.first_people()
        office.set_up()
        bids = [office.hand_in(n, f"{40_000_000 + n}.00") for n in (1, 2, 3)]
        issue = office.bidding.paper.opening

        async def hurt_first(book: object) -> str:
            for bidder in bids:
                HURTS["the payload"](copies(office, bidder)[0])
            return await issue(book)  # type: ignore[arg-type]

        office.bidding.paper.opening = hurt_first  # type: ignore[method-assign]
        office.sealed()
        office.filed()
        bag = office.settings.home / "dossiers" / f"{office.section}-full.bag"
        found = sorted(path.read_bytes() for path in bag.glob("data/bids/*/bid.age"))
        assert found == sorted(bidder.file.read_bytes() for bidder in bids if bidder.file)
