import dataclasses
import shutil

import bagit
import pytest

from crypto.encoding import sha256_hex
from documents.dossier import Bid, Contents, Leaf, Record, write_both
from documents.model import DocumentError
from documents.trust import Trust
from documents.verify import Directory, verify_dossier
from tests.documents import samples
from tests.documents.conftest import NOW, sealed
from tests.documents.ledger import Log
from trading.ground.chain import ZERO, Draft, Row, encode, link

SEALED = b"age-encryption.org/v1\n" + bytes(5000)


def journal(*drafts: Draft) -> list[Row]:
    rows, heads = [], {}
    for position, draft in enumerate(drafts, 1):
        seq, before = heads.get(draft.stream, (0, ZERO))
        chain = link(
            before, samples.CENTRE, draft.stream, seq + 1, draft.at, draft.kind, encode(draft)
        )
        rows.append(Row(position, draft.stream, seq + 1, draft.at, draft.kind, draft.body, chain))
        heads[draft.stream] = (seq + 1, chain)
    return rows


@pytest.fixture(scope="module")
def contents(world) -> tuple[Contents, Trust]:
    log = Log(f"{samples.CENTRE}/ledger/dossier")
    rows = journal(
        Draft("section/sec_1", "announced", {"deadline": samples.T}, samples.T - 9),
        Draft("ledger", "slot", {"slot": 1}, samples.T),
        Draft("section/sec_1", "opened", {"bids": ["sub_1"]}, samples.T + 5),
        Draft("section/sec_1", "read_out", {}, samples.T + 6),
    )
    facts = dataclasses.replace(samples.opening(), chain_head=rows[-1].chain.hex(), last_seq=3)
    made = {"opening": sealed(world, facts), "notice": sealed(world, samples.notice())}
    indexes = {
        kind: log.add(
            "record", record=f"rec_{kind}", type=kind, sha256=sha256_hex(pdf), signatures=1
        )
        for kind, pdf in made.items()
    }
    log.add("slot", slot=2, sections={}, lots={})
    certificates = log.certificates(world)
    whole = Contents(
        subject="sec_1",
        centre=samples.CENTRE,
        centre_name="岐江市公共资源交易中心",
        made_at=samples.T + 86_400_000,
        records=[Record(kind, pdf, log.proof(indexes[kind])) for kind, pdf in made.items()],
        events=rows,
        leaves=[
            Leaf(index, log.leaves[index], log.tree.inclusion_proof(index) if index < 2 else None)
            for index in range(log.tree.size)
        ],
        checkpoint=log.checkpoint(),
        bids={
            "sub_1": Bid(
                {
                    "v": 1,
                    "purpose": "bid-evidence",
                    "centre": samples.CENTRE,
                    "sha256": sha256_hex(SEALED),
                },
                sealed=SEALED,
                plain=b"tar",
                proofs={"receipt.json": b"{}"},
            )
        },
        custody={"certificate.json": b"{}"},
        trust=(world.root, *certificates),
    )
    return whole, Trust((world.root, *certificates))


@pytest.fixture(scope="module")
def both(contents, tmp_path_factory):
    return write_both(contents[0], tmp_path_factory.mktemp("dossiers"))


@pytest.fixture
def copy(both, tmp_path):
    """A function that copies a rendition for spoiling."""

    def take(which: int = 1):
        return shutil.copytree(both[which], tmp_path / both[which].name)

    return take


def verdict(folder, trust):
    return verify_dossier(str(folder), Directory(folder), trust, NOW)


def failed(report) -> set[str]:
    return {check.id for check in report.checks if check.status == "failed"}


@pytest.mark.parametrize("which", [0, 1])
def test_both_renditions_are_valid_and_are_bags_to_others_too(both, contents, which):
    report = verdict(both[which], contents[1])
    assert report.verdict == "valid", report
    assert bagit.Bag(str(both[which])).is_valid()


def test_the_public_rendition_holds_nothing_that_opens_a_bid(both):
    public, full = ({p.name for p in folder.rglob("*") if p.is_file()} for folder in both)
    assert full - public == {"bid.age", "bid.tar"}
    everything = b"".join(path.read_bytes() for path in both[0].rglob("*") if path.is_file())
    assert SEALED not in everything


def test_without_trust_a_dossier_is_incomplete(both):
    from documents.verify import NOTHING

    assert verdict(both[1], NOTHING).verdict == "incomplete"


def every_file(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_flipped_byte_in_any_file_is_found_and_named(copy, contents):
    folder = copy()
    for path in every_file(folder):
        before = path.read_bytes()
        for position in {0, len(before) // 2, len(before) - 1}:
            changed = bytearray(before)
            changed[position] ^= 0x20  # a letter's case, among others
            path.write_bytes(changed)
            report = verdict(folder, contents[1])
            assert report.verdict == "invalid", (path.name, position)
            if path.parent.name != folder.name:
                assert path.name in report.checks[0].detail
        path.write_bytes(before)
    assert verdict(folder, contents[1]).verdict == "valid"


def add_file(folder):
    (folder / "data" / "more.txt").write_text("extra")


def add_tag(folder):
    (folder / "notes.txt").write_text("extra")


def add_link(folder):
    (folder / "data" / "link").symlink_to("VERIFY.md")


def add_folder(folder):
    (folder / "data" / "empty").mkdir()


def remove(folder):
    (folder / "data" / "custody" / "certificate.json").unlink()


def rename(folder):
    (folder / "data" / "events.jsonl").rename(folder / "data" / "event.jsonl")


def swap(folder):
    one, two = (
        folder / "data" / "records" / "notice.pdf",
        folder / "data" / "records" / "opening.pdf",
    )
    content = one.read_bytes(), two.read_bytes()
    one.write_bytes(content[1])
    two.write_bytes(content[0])


def reorder(folder):
    path = folder / "manifest-sha256.txt"
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))


@pytest.mark.parametrize(
    "spoil", [add_file, add_tag, add_link, add_folder, remove, rename, swap, reorder]
)
def test_a_bag_with_anything_extra_missing_or_moved_is_invalid(copy, contents, spoil):
    folder = copy()
    spoil(folder)
    assert verdict(folder, contents[1]).verdict == "invalid"


def written(contents, tmp_path, **changes):
    public, full = write_both(dataclasses.replace(contents[0], **changes), tmp_path / "d")
    return verdict(full, contents[1]), verdict(public, contents[1])


def test_a_well_formed_bag_with_a_broken_event_chain_is_invalid(contents, tmp_path):
    rows = [*contents[0].events]
    rows[2] = rows[2]._replace(body={"bids": ["sub_2"]})
    assert "bag.events" in failed(written(contents, tmp_path, events=rows)[0])


def test_events_that_end_before_the_record_are_found(contents, tmp_path):
    assert "bag.events" in failed(written(contents, tmp_path, events=contents[0].events[:-1])[0])


def test_a_sealed_file_that_was_not_the_one_received_is_found(contents, tmp_path):
    bid = dataclasses.replace(contents[0].bids["sub_1"], sealed=b"another")
    full, public = written(contents, tmp_path, bids={"sub_1": bid})
    assert failed(full) == {"bag.rendition"}
    assert public.verdict == "valid"


def test_a_full_rendition_without_the_sealed_file_is_found(contents, tmp_path):
    bid = dataclasses.replace(contents[0].bids["sub_1"], sealed=None)
    assert failed(written(contents, tmp_path, bids={"sub_1": bid})[0]) == {"bag.rendition"}


def test_a_leaf_that_is_not_in_the_log_is_found(contents, tmp_path):
    leaves = [*contents[0].leaves]
    leaves[2] = dataclasses.replace(leaves[2], leaf={**leaves[2].leaf, "slot": 3})
    assert "bag.ledger" in failed(written(contents, tmp_path, leaves=leaves)[0])


def test_a_record_with_the_proof_of_another_is_found(contents, tmp_path):
    one, two = contents[0].records
    swapped = [dataclasses.replace(one, proof=two.proof), dataclasses.replace(two, proof=one.proof)]
    found = failed(written(contents, tmp_path, records=swapped)[0])
    assert {"bag.record.opening.pdf", "bag.record.notice.pdf"} <= found


@pytest.mark.parametrize(
    "name",
    ["../escape", "/absolute", "a//b", "a/../b", "名", "a\nb", ".hidden", "annex/opening.pdf"],
)
def test_names_outside_the_layout_are_not_written(contents, tmp_path, name):
    with pytest.raises(DocumentError, match="no place"):
        write_both(dataclasses.replace(contents[0], more={name: b""}), tmp_path / "d")
    assert not [path for path in (tmp_path / "d").rglob("*") if path.is_file()]


def test_a_dossier_is_written_once(contents, tmp_path):
    write_both(contents[0], tmp_path)
    with pytest.raises(DocumentError, match="written once"):
        write_both(contents[0], tmp_path)


def test_what_is_no_bag_is_invalid(tmp_path, contents):
    (tmp_path / "x").write_text("nothing")
    assert verdict(tmp_path, contents[1]).verdict == "invalid"
