"""The paper of the release rule says what the program does."""

import re
from pathlib import Path

from bidding.opening import propose
from bidding.release import ReleaseRequest, evaluate
from bidding.release.judge import RULES
from bidding.release.request import SealedEntry
from tests.bidding.release_scene import Scene

PAPER = (Path(__file__).parents[2] / "docs/spec/release-v1.md").read_text(encoding="utf-8")


def test_the_checklist_of_the_paper_is_the_programs_in_its_order() -> None:
    listed = re.findall(r"^\| (\d+) \| `([a-z-]+)` \|", PAPER, re.MULTILINE)
    assert [(int(n), id_) for n, id_ in listed] == [(n, rule.id) for n, rule in enumerate(RULES, 1)]


def test_the_fields_of_a_request_are_those_of_the_paper() -> None:
    table = PAPER.split("## 2.")[1].split("## 3.")[0]
    named = {
        name
        for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    view, request, leaves = Scene().build()
    assert named == set(request.to_body())
    assert ReleaseRequest.from_body(request.to_body()) == request
    assert all(isinstance(entry, SealedEntry) for entry in request.entries)
    assert len(evaluate(view, request, leaves)) == len(RULES)


def test_the_example_run_is_the_one_that_tests_judge() -> None:
    _, request, leaves = Scene().build()
    shown = PAPER.split("```leaves\n")[1].split("```")[0].splitlines()
    assert len(shown) == len(leaves)
    for line, leaf in zip(shown, leaves, strict=True):
        kind = line.split()[1]
        assert f'"kind":"{kind}"'.encode() in leaf
        for digits in re.findall(r"([0-9a-f]{12})…", line):
            assert digits.encode() in leaf
    assert int(shown[0].split()[0]) == request.start
    root = re.search(r'"head_root": "([0-9a-f]+)…', PAPER)
    assert root is not None
    from crypto.tlog import checkpoint, note

    head = checkpoint.parse(note.Note.parse(request.head.encode()).text)
    assert head.root.hex().startswith(root[1])


def test_the_causes_of_the_paper_are_the_proposed_ones() -> None:
    for code in (
        "header-mac",
        "stanza-damaged",
        "payload-damaged",
        "package-hash",
        "summary-value",
    ):
        assert propose(code) == "deemed_revoked"
    for code in ("stored-copy-corrupt", "server-fault", "quorum-missed"):
        assert propose(code) == "deemed_withdrawn"
    assert propose("new-code") == "undetermined"
