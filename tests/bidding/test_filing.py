"""Dossiers of sections: what they hold, what the public one must not, and that no crash loses or doubles one."""

import asyncio
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bagit
import pytest

from clients.auditor.inputs import report
from clients.auditor.keys import Keys
from documents.bag import parse_event
from documents.model import OpeningFacts
from documents.paper import check
from documents.trust import NOTHING, Trust
from documents.verify import Directory, verify_dossier
from tests.bidding.amending import moved
from tests.bidding.office import Office
from tests.documents import pki
from trading.ground.problems import StorageFailed

NAME = "岐江市公共资源交易中心"
PERSON = "欧阳喆"  # everybody who enrols in the tests is called so


@pytest.fixture(scope="module")
def root() -> pki.Pki:
    return pki.build()


@dataclass
class Filed:
    """A filed section."""

    home: Path
    section: str
    keys: Keys
    at: int
    sealed: dict[str, bytes]
    withdrawn: bytes
    late: bytes

    def bag(self, rendition: str) -> Path:
        return self.home / "dossiers" / f"{self.section}-{rendition}.bag"


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory, root: pki.Pki) -> Filed:
    """Four bids, one damaged inside, one withdrawn; a late one; a custodian that lies; witnesses alive."""
    home = tmp_path_factory.mktemp("filing") / "home"
    with Office(home, centre_name=NAME) as office:
        office.first_people()
        office.set_up(minimum=3)
        office.filer._wait_s = 20
        bids = {"a": office.hand_in(1, "46382715.40"), "b": office.hand_in(2, "47105600.00")}
        assert moved(office, 5_000).status_code == 200  # an addendum: a later T, a second notice
        bids["c"] = office.hand_in(3, "45998800.88", damage=True)
        gone = office.hand_in(4, "46200000.00")
        assert office.withdraw(gone).status_code == 201
        late = office.bidder(5)
        office.seal(late, "45000000.00")
        office.send_file(late)
        office.until(office.deadline)
        assert office.submit(late).status_code == 410
        office.sealed()
        office.awaited(lambda: "opening" in office.bidding.room.shelf.books[office.section].records)
        assert office.shelf.subjects() == []  # it waits for the witnesses
        office.cosign()
        office.filed()
        assert office.shelf.subjects() == [office.section]
        return Filed(
            home,
            office.section,
            Keys(Trust.from_pem(office.trust(root))),
            office.clock.now() + 1000,
            {
                one.receipts[-1]["statement"]["entry"]["id"]: one.file.read_bytes()
                for one in bids.values()
                if one.file
            },
            gone.file.read_bytes() if gone.file else b"",
            late.file.read_bytes() if late.file else b"",
        )


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("rendition", ["public", "full"])
def test_both_renditions_are_whole_and_proved(filed: Filed, rendition: str) -> None:
    folder = filed.bag(rendition)
    found = verify_dossier(str(folder), Directory(folder), filed.keys.trust, filed.at)
    assert found.verdict == "valid", found
    assert [one.status for one in found.checks if one.id == "bag.witnesses"] == ["ok"]
    assert bagit.Bag(str(folder)).is_valid()


@pytest.mark.parametrize("rendition", ["public", "full"])
def test_the_auditor_derives_the_opening_again_from_the_dossier_alone(
    filed: Filed, rendition: str
) -> None:
    found = report(filed.bag(rendition), filed.keys, filed.at)
    wrong = [one for one in found.checks if one.status != "ok" and one.essential]
    assert not wrong, wrong
    (notice,) = [one for one in found.checks if one.id.endswith("notice")]
    assert notice.status == "ok", notice
    assert len(notice.detail.split(", ")) == 2, notice  # the notice and its second version
    assert found.verdict == "valid"
    firm = next(one for one in found.checks if one.id == "opening.firm")
    assert firm.status == "ok", firm


def test_the_public_rendition_holds_neither_ciphertext_nor_plaintext(filed: Filed) -> None:
    public, full = files(filed.bag("public")), files(filed.bag("full"))
    assert {name.rpartition("/")[2] for name in full.keys() - public.keys()} == {
        "bid.age",
        "bid.tar",
    }
    everything, more = b"".join(public.values()), b"".join(full.values())
    assert all(
        sealed[-64:] in more for sealed in filed.sealed.values()
    )  # the search finds what is there
    for sealed in (*filed.sealed.values(), filed.withdrawn, filed.late):
        assert sealed[-64:] not in everything
        assert sealed[:200] not in everything
    for name, content in full.items():
        if name.endswith("bid.tar"):
            assert content[512:700] not in everything


def test_the_full_rendition_holds_what_was_received_and_what_was_in_it(filed: Filed) -> None:
    full = files(filed.bag("full"))
    names = {name.split("/")[2] for name in full if name.startswith("data/bids/")}
    assert names == set(filed.sealed)
    for bid, sealed in filed.sealed.items():
        assert full[f"data/bids/{bid}/bid.age"] == sealed
        said = json.loads(full[f"data/bids/{bid}/bid.json"])
        opened = said["opened"]["result"] == "opened"
        assert (f"data/bids/{bid}/bid.tar" in full) is opened
        assert {"receipt.json", "submission.json"} <= {
            name.rpartition("/")[2] for name in full if bid in name
        }
    assert sum(name.endswith("bid.tar") for name in full) == 2


def test_a_file_that_was_taken_back_or_came_late_is_handed_to_nobody(filed: Filed) -> None:
    everything = b"".join(files(filed.bag("full")).values())
    assert filed.withdrawn[-64:] not in everything
    assert filed.late[-64:] not in everything


def test_no_persons_name_stands_in_a_dossier_beside_the_printed_records(filed: Filed) -> None:
    record = check(files(filed.bag("public"))["data/records/opening.pdf"], NOTHING, filed.at)[0]
    assert isinstance(record.facts, OpeningFacts)
    assert PERSON in {one.name for one in record.facts.officials}  # printed: they were on duty
    for name, content in files(filed.bag("full")).items():
        assert PERSON.encode() not in content, name
        assert json.dumps(PERSON)[1:-1].encode() not in content, name


def test_the_custody_files_are_those_of_the_opening(filed: Filed) -> None:
    custody = filed.bag("public") / "data" / "custody"
    assert {path.relative_to(custody).as_posix() for path in custody.rglob("*.json")} == {
        "tender.json", "certificate.json", "seed.json", "key_assign.json", "close_list.json", "control_price.json",
        "float_result.json", "published_bidders.json", "opened.json", "answers/1.json", "answers/2.json",
        "answers/3.json",
    }  # fmt: skip
    rows = (filed.bag("public") / "data" / "events.jsonl").read_bytes().splitlines()
    assert {parse_event(line).stream for line in rows} == {f"bidding/{filed.section}"}


def test_sealed_files_are_linked_not_copied(filed: Filed) -> None:
    kept = {path.stat().st_ino for path in (filed.home / "blobs").rglob("blob_*")}
    for bid in filed.sealed:
        assert (filed.bag("full") / "data" / "bids" / bid / "bid.age").stat().st_ino in kept


def test_a_crash_between_record_and_dossier_leaves_it_to_the_next_start(
    tmp_path: Path, root: pki.Pki
) -> None:
    with Office(tmp_path / "home", centre_name=NAME) as office:
        office.first_people()
        office.set_up(minimum=3)
        for number in (1, 2, 3):
            office.hand_in(number, f"4638271{number}.40")
        office.shelf.put = _killed  # type: ignore[method-assign]
        office.sealed()
        office.filed()
        assert office.shelf.subjects() == []
        assert len(office.documents.all(office.section)) == 2  # notice and record
        shutil.rmtree(
            office.settings.home / "opened"
        )  # as after a restore: backups hold sealed files
        office.restart()
        office.filed()
        assert office.shelf.subjects() == [office.section]
        trust = Keys(Trust.from_pem(office.trust(root)))
        folder = office.settings.home / "dossiers" / f"{office.section}-full.bag"
        assert len(list(folder.rglob("bid.tar"))) == 3
        assert report(folder, trust, office.clock.now() + 1000).verdict == "valid"
        before = folder.stat().st_mtime_ns
        office.restart()
        office.filed()
        assert folder.stat().st_mtime_ns == before


def test_a_crash_after_the_record_was_issued_issues_no_second_one(tmp_path: Path) -> None:
    with Office(tmp_path / "home", centre_name=NAME) as office:
        office.first_people()
        office.set_up(minimum=3)
        office.hand_in(1, "46382715.40")  # too few: the record comes with the close
        append = office.bidding.room.append

        async def dying(section: str, *events: Any, **more: Any) -> Any:
            if events[0][0] == "record_issued":
                raise StorageFailed
            return await append(section, *events, **more)

        office.bidding.room.append = dying  # type: ignore[method-assign]
        office.until(office.deadline + 20)
        office.awaited(lambda: len(office.documents.all(office.section)) == 2)
        office.runner.run(asyncio.sleep(0.01))
        assert office.shelf.subjects() == []
        office.restart()
        office.filed()
        assert [one.kind for one in office.documents.all(office.section)] == ["notice", "opening"]
        assert office.shelf.subjects() == [office.section]


def test_an_opening_that_failed_is_filed_without_any_bid(tmp_path: Path, root: pki.Pki) -> None:
    with Office(tmp_path / "home", centre_name=NAME) as office:
        office.first_people()
        office.set_up(minimum=3)
        office.hand_in(1, "46382715.40")
        office.until(office.deadline + 20)
        office.filed()
        trust = Keys(Trust.from_pem(office.trust(root)))
        folder = office.settings.home / "dossiers" / f"{office.section}-full.bag"
        assert not list(folder.rglob("bid.*"))
        found = report(folder, trust, office.clock.now() + 1000)
        assert not [one for one in found.checks if one.status == "failed"], found


def _killed(_contents: Any) -> Any:
    raise OSError(28, "No space left on device")
