"""Checks of an auditor behind which another stands: each is asked alone, so that none can go unnoticed.

A forged dossier fails at the first check that sees the forgery. What a later one would have said, it does not show.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bidding.model import Opened
from clients.auditor import custody, opening
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
