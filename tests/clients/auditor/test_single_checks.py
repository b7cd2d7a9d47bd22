"""Checks of an auditor behind which another stands: each is asked alone, so that none can go unnoticed.

A forged dossier fails at the first check that sees the forgery. What a later one would have said, it does not show.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bidding.model import Opened
from clients.auditor import custody, opening, outcome, replies
from clients.auditor.checklist import AuditError
from clients.auditor.evidence import Evidence
from clients.auditor.keys import Keys
from crypto.encoding import b64
from documents.bag import Directory
from documents.trust import Trust
from tests.clients.auditor.forgeries import STRANGER

if TYPE_CHECKING:
    from collections.abc import Callable

    from bidding.model import TenderFile
    from clients.auditor.section import Section
    from tests.clients.auditor.opening_world import Made
    from trading.ground.chain import Row


@pytest.fixture(scope="session")
def section(opened: Made) -> Section:
    keys = Keys(Trust.from_pem(opened.trust.read_bytes()))
    evidence = Evidence(Directory(opened.public), opened.at)
    return opening.read(evidence, keys, opened.section, opened.at)


def released(section: Section, **other: Any) -> custody.Answers:
    """The custodians' own signed answers, held against a question; `other` bends the question."""
    asked = other.pop("asked", section.asked)
    tender = replace(section.tender, **other.pop("tender", {}))
    close_list = other.pop("close_list", section.close_digest)
    said = [(row.body["signed"], asked) for row in section.releases()]
    return custody.releases(said, tender, section.group, section.centre, close_list)


QUESTIONS: dict[str, Callable[[Section], dict[str, Any]]] = {
    "another close list": lambda s: {"close_list": "ab" * 32},
    "another section": lambda s: {"tender": {"section": "sec_x"}},
    "another key": lambda s: {"tender": {"ceremony": "cer_x"}},
    "another order": lambda s: {"asked": s.asked[::-1]},
    "one bid more": lambda s: {"asked": (*s.asked, s.asked[0])},
    "another's place": lambda s: {"tender": {"custodians": s.tender.custodians[::-1]}},
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_true_answer_to_another_question_is_none(question: str, section: Section) -> None:
    """A custodian's answer opens bids; signed for one list, it must not pass for another (design.md §2, release)."""
    assert released(section).right
    with pytest.raises(AuditError, match="answers another section, key, list or order"):
        released(section, **QUESTIONS[question](section))


LEAVES: dict[str, tuple[Callable[[Opened], dict[str, Any]], str]] = {
    "fewer than t": (
        lambda leaf: {"custodians": leaf.custodians[1:], "releases": leaf.releases[1:]},
        "are needed",
    ),
    "another answer": (
        lambda leaf: {"releases": ("ab" * 32, *leaf.releases[1:])},
        "names another answer of",
    ),
    "a liar": (
        lambda leaf: {"custodians": (leaf.wrong[0], *leaf.custodians[1:])},
        "no right answer of it",
    ),
    "a liar unnamed": (lambda leaf: {"wrong": ()}, "the proofs say"),
}


@pytest.mark.parametrize("story", LEAVES)
def test_the_ledger_names_just_the_answers_that_opened(story: str, section: Section) -> None:
    """Who opened, with which signed answers, and who lied: each by itself (RFC 9497 proofs decide)."""
    bend, told = LEAVES[story]
    leaf: Opened = section.leaf(Opened)
    answers = section.answers(before="imported")
    assert custody.combined(answers, leaf, section.tender, section.asked)
    with pytest.raises(AuditError, match=told):
        custody.combined(answers, replace(leaf, **bend(leaf)), section.tender, section.asked)


@pytest.mark.parametrize(("name", "told"), [("host_key", "the host key"), ("key", "^the key")])
def test_a_custodian_is_who_was_pinned_with_both_its_keys(
    name: str, told: str, section: Section
) -> None:
    """A host key of the centre's own in the ceremony would let the centre open every bid before T."""

    def with_stranger(tender: TenderFile) -> TenderFile:
        first = replace(tender.custodians[0], **{name: b64(STRANGER.public)})
        return replace(tender, custodians=(first, *tender.custodians[1:]))

    assert custody.pinned(section.tender, section.keys)
    with pytest.raises(AuditError, match=told):
        custody.pinned(with_stranger(section.tender), section.keys)


def bent(opened: Made, section: Section, edit: Callable[[Row], Row]) -> Section:
    """The same dossier with other rows; nothing of what was computed is kept."""
    evidence = Evidence(Directory(opened.public), opened.at)
    stream = f"bidding/{section.id}"
    evidence.__dict__["streams"] = {stream: [edit(row) for row in section.rows]}
    return opening.read(evidence, section.keys, section.id, opened.at)


def test_a_custodians_word_counts_for_itself_only(opened: Made, section: Section) -> None:
    """A true signature under another custodian's name: that one has not spoken."""

    def renamed(row: Row) -> Row:
        if row.kind != "release" or row.body["custodian"] != "custodian-1":
            return row
        return row._replace(body={**row.body, "custodian": "custodian-x"})

    other = bent(opened, section, renamed)
    with pytest.raises(AuditError, match="is no custodian of this section"):
        replies._signed(other)
    first = replace(section.tender.custodians[0], custodian="custodian-x")
    held = (first, *section.tender.custodians[1:])
    other.__dict__["tender"] = replace(section.tender, custodians=held)
    with pytest.raises(AuditError, match="custodian-x did not say this"):
        replies._signed(other)


@pytest.mark.parametrize(
    ("status", "detail", "told"),
    [
        ("answered", "time-reached: too early", "it refused"),
        ("wrong", "time-reached: too early", "it refused"),
        ("refused", "list-exact: a bid is missing", "refused for another reason"),
    ],
)
def test_a_refusal_is_told_with_its_own_reason(
    status: str, detail: str, told: str, section: Section
) -> None:
    """The reason is the custodian's signed word; a hall that tells another hides what it refused for."""
    said = {"purpose": "release_refusal", "check": "time-reached", "detail": "too early"}
    signed = {"ab": ("custodian-1", {"statement": said})}
    row = next(row for row in section.rows if row.kind == "answered")
    body = {"custodian": "custodian-1", "digest": "ab"}
    true = {**body, "status": "refused", "detail": "time-reached: too early"}
    replies._line(section, row._replace(body=true), signed)
    with pytest.raises(AuditError, match=told):
        line = {**body, "status": status, "detail": detail}
        replies._line(section, row._replace(body=line), signed)


def test_an_answer_is_no_refusal(section: Section) -> None:
    """Who answered is not to be called one that refused."""
    signed = replies._signed(section)
    row = next(row for row in section.rows if row.kind == "answered")
    replies._line(section, row, signed)
    with pytest.raises(AuditError, match="is said to have refused, it answered"):
        replies._line(section, row._replace(body={**row.body, "status": "refused"}), signed)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sha256": "ab" * 32}, "opened as another than was listed"),
        ({"encapsulation": "other"}, "opened as another than was listed"),
        ({"result": "payload-damaged"}, "imported another result"),
        ({"manifest": "ab" * 32}, "imported another result"),
    ],
)
def test_a_result_is_that_of_the_bid_as_listed_and_imported(
    change: dict[str, str], told: str, section: Section, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger's result of each bid, the close list and the hall say one thing."""
    leaf: Opened = section.leaf(Opened)
    assert outcome.results(section)
    other = replace(leaf, bids=(replace(leaf.bids[0], **change), *leaf.bids[1:]))
    monkeypatch.setattr(outcome, "leaf_of", lambda _: other)
    with pytest.raises(AuditError, match=told):
        outcome.results(section)


def test_no_listed_bid_stays_unopened(section: Section, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bid that is left out of the opening is a bid suppressed (实施条例 Art. 36: all that came in time)."""
    leaf: Opened = section.leaf(Opened)
    monkeypatch.setattr(outcome, "leaf_of", lambda _: replace(leaf, bids=leaf.bids[1:]))
    with pytest.raises(AuditError, match="listed and never opened"):
        outcome.results(section)
