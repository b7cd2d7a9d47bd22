"""Checks a letter of qualification on paper: the page says what the signed letter inside says. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crypto.canonical import parse
from documents.checks import Check, run
from documents.model import DocumentError

if TYPE_CHECKING:
    from documents.model.qualification import QualificationFacts

PURPOSE = "qualification"
_SAME = ("lot", "title", "paddle", "parcel", "deposit", "deposit_amount", "deposit_at", "rules")


def check_page(facts: QualificationFacts) -> Check:
    """Hold the page against the letter in it, which has checks of its own (form and signature)."""
    title = "纸面与所附确认书一致 · the page says what the letter inside says"
    return run("slip.page", title, lambda: _page(facts))


def _page(facts: QualificationFacts) -> str:
    said = parse(facts.letter.encode())["statement"]
    wanted = {
        "purpose": (PURPOSE, said["purpose"]),
        "centre": (facts.heading.centre, said["centre"]),
        "name": (facts.holder.name, said["name"]),
        "credit_code": (facts.holder.credit_code, said["credit_code"]),
        "preemption": (facts.preemption, said.get("preemption", "")),
        **{name: (getattr(facts, name), said[name]) for name in _SAME},
    }
    wrong = [name for name, (shown, signed) in wanted.items() if shown != signed]
    if wrong:
        raise DocumentError(f"the page differs from the letter in it: {', '.join(wrong)}")
    return f"paddle {facts.paddle} of {facts.lot}: {facts.holder.name}"
