"""Behind the signature: well-signed statements of the right person, each member in turn made hostile.

What only looks at signatures stops a stranger; a dishonest bidder, custodian or clerk signs as well as anybody. Every
member of every statement takes every value of the dictionary; answers are refusals (or, where the value happens to be
lawful, success), never a fault, and nothing that stops a listener.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crypto import statement
from crypto.encoding import b64
from crypto.errors import FormatError
from tests.acceptance.hostile.payloads import VALUES
from tests.acceptance.hostile.whole import LISTING, Whole
from tests.trading.world import CENTRE, Someone, nonce
from trading.model import Role, code_for_tests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ZERO = "0" * 64
PLEDGE = {"submission": "bid_x", "failure": ZERO}
DISCLOSURE = {**PLEDGE, "file_key": b64(bytes(16))}
ORDERS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("supplements", "supplement", {"close_list": ZERO, "submissions": ["bid_x"]}),
    ("quorum-failures", "quorum_failure", {"close_list": ZERO}),
    ("terminations", "termination", {"tender": "ten_x"}),
)
DECLARED = {200, 201, 202, 204, 400, 401, 403, 404, 409, 410, 413, 422, 429}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, stored_by_all: str) -> Iterator[Whole]:
    """A section with three bids, an auction, and a hurt-free clock."""
    with Whole(tmp_path_factory.mktemp("signed") / "home") as made:
        made.first_people()
        made.set_up(minimum=3)
        made.session(LISTING, ahead=600_000)
        made.everybody()
        for number in (101, 102, 103):
            made.hand_in(number, f"4{number}0000.00")
        yield made


def attack(
    whole: Whole,
    send: Callable[[dict[str, Any]], tuple[str, Any, Someone | None]],
    body: dict[str, Any],
) -> int:
    """Replace each member by each value, drop it, add one; returns how many were refused."""
    refused = 0
    for name in (*body, "surplus"):
        for value in (*VALUES, KeyError):
            if name == "surplus" and value is KeyError:
                continue  # nothing hostile would be left
            hostile = {k: v for k, v in body.items() if k != name}
            if value is not KeyError:
                hostile[name] = value
            try:
                path, sent, who = send(hostile)
            except FormatError:
                continue  # has no canonical form: nobody can sign it
            answer = whole.call("POST", path, sent, who)
            what = (path, name, str(value)[:80], answer.text[:300])
            assert answer.status_code in DECLARED, what
            assert ":unforeseen" not in answer.text, what
            refused += answer.status_code >= 400
            if answer.status_code == 429:
                relax(whole)
    return refused


def relax(whole: Whole) -> None:
    """Let waiting proposals expire; everybody logs in again."""
    whole.clock.advance(600_000)
    for someone in (*whole.people.values(), *(b.who for b in whole.bidders.values())):
        whole.login(someone)


def fresh(whole: Whole, body: dict[str, Any]) -> dict[str, Any]:
    return {"nonce": nonce(), "at": whole.clock.now(), **body}


def test_statements_about_the_documents(whole: Whole) -> None:
    """Addenda, tender documents, questions, objections and their answers: every member made hostile."""
    section, owner = whole.section, whole.one(Role.TENDERER)
    bidder = whole.bidders["投标单位101"].who
    base = f"/sections/{section}"

    def said(who: Someone, purpose: str, path: str, wrap: bool = False) -> Any:
        def send(body: dict[str, Any]) -> Any:
            signed = statement.sign(who.key, purpose, CENTRE, fresh(whole, body))
            return path, {"statement": signed, "upload": "upl_x"} if wrap else signed, who

        return send

    def amendment(body: dict[str, Any]) -> Any:
        whole.service.state.proposals.clear()  # no wait for room: T of this section must not pass
        act = {"act": "section.amend", "body": body}
        return said(owner, "proposal", "/proposals")(act)

    addendum = {
        "section": section, "title": "补遗", "text": "x", "affects_bids": False, "documents": [],
        "deadline": None, "postponement": None,
    }  # fmt: skip
    answer = {"section": section, "text": "x", "addendum": 0}
    assert attack(whole, amendment, addendum) > 100
    for purpose, path, who, body, wrap in (
        ("document", "documents", owner, {"section": section, "name": "a", "sha256": ZERO, "size": 1}, True),
        ("document_objection", "objections", bidder, {"section": section, "text": "x"}, False),
        ("answer", "questions/que_x/answer", owner, {**answer, "question": "que_x", "affects_bids": False}, False),
        ("objection_answer", "objections/obj_x/answer", owner, {**answer, "objection": "obj_x"}, False),
    ):  # fmt: skip
        assert attack(whole, said(who, purpose, f"{base}/{path}", wrap), body) > 50, purpose

    def question(body: dict[str, Any]) -> Any:
        whole.service.enquiries._asked.clear()
        return f"{base}/questions", body, bidder

    assert attack(whole, question, {"text": "x"}) > 20
    shown = whole.get(f"{base}/announcement")
    assert shown["version"] == 1
    for one in shown["objections"]:  # lawful texts are lawful objections: they hold the opening
        body = {**answer, "objection": one["id"]}
        path, sent, who = said(owner, "objection_answer", f"{base}/objections/{one['id']}/answer")(
            body
        )
        assert whole.call("POST", path, sent, who).status_code == 204


def test_statements_of_the_centres_own_business(whole: Whole) -> None:
    operator, supervisor = whole.one(Role.OPERATOR), whole.one(Role.SUPERVISOR)
    bidder = whole.bidders["投标单位101"].who

    def command(who: Someone, purpose: str, path: str) -> Any:
        def send(body: dict[str, Any]) -> Any:
            signed = statement.sign(who.key, purpose, CENTRE, fresh(whole, body))
            return path, signed, who

        return send

    def deposit(body: dict[str, Any]) -> Any:
        signed = statement.sign(bidder.key, "deposit", CENTRE, fresh(whole, body))
        return "/deposits", {"statement": signed, "reference": "x"}, bidder

    def enrolment(body: dict[str, Any]) -> Any:
        signed = statement.sign(bidder.key, "key_enrolment", CENTRE, body)
        return "/enrolments", {"statement": signed, "person_name": "甲"}, None

    def card(body: dict[str, Any]) -> Any:
        signed = statement.sign(bidder.key, "enrolment", CENTRE, body)
        act = {"act": "custodian.register", "body": {"card": signed}}
        return command(operator, "proposal", "/proposals")(act)

    held = {"target": "sec_x", "reason": "x"}
    acts = {
        "key.revoke": {"key_id": "0" * 16, "reason": "x"},
        "key.issue": {"enrolment": "enr_x"},
        "tender.publish": {"tender": "ten_x"},
        "session.publish": {"session": "ses_x"},
        "target.resume": held,
        "deposit.release": {"deposits": ["dep_x"], "reason": "x"},
        "session.terminate": held,
    }
    for act, body in acts.items():

        def propose(hostile: dict[str, Any], act: str = act) -> Any:
            return command(operator, "proposal", "/proposals")({"act": act, "body": hostile})

        assert attack(whole, propose, body) > 50
    assert attack(whole, command(supervisor, "suspension", "/suspensions"), held) > 50
    assert (
        attack(
            whole,
            command(bidder, "key_revocation", "/keys/revocation"),
            {"key_id": "0" * 16, "reason": "x"},
        )
        > 50
    )
    assert (
        attack(whole, command(operator, "proposal", "/proposals"), {"act": "key.issue", "body": {}})
        > 50
    )
    assert attack(whole, deposit, {"target": whole.section, "form": "paid", "amount": "1.00"}) > 50
    form = {"organisation": "甲", "credit_code": code_for_tests(90), "role": "bidder", "person": ""}
    assert attack(whole, enrolment, form) > 50
    keeper = whole.keepers["custodian-1"].card(1)["statement"]
    names = ("custodian", "organisation", "key", "host_key", "witness")
    assert attack(whole, card, {name: keeper[name] for name in names}) > 50
    assert (
        attack(
            whole,
            command(operator, "confirmation", "/proposals/pro_x/confirm"),
            {"proposal": "x", "digest": "x"},
        )
        > 50
    )


def test_statements_about_bids_and_openings(whole: Whole) -> None:
    bidder = whole.bidders["投标单位102"]
    who, keeper = bidder.who, whole.keepers["custodian-1"]
    section, supervisor = f"/sections/{whole.section}", whole.one(Role.SUPERVISOR)
    outer = {"v", "suite", "purpose", "centre"}
    told = {k: v for k, v in bidder.submission["submission"]["statement"].items() if k not in outer}

    def submission(body: dict[str, Any]) -> Any:
        signed = statement.sign(who.key, "submission", CENTRE, body)
        sent = {**bidder.submission, "submission": signed, "upload": bidder.upload}
        return f"{section}/submissions", sent, who

    def plain(path: str, purpose: str, someone: Someone, wrap: str = "") -> Any:
        def send(body: dict[str, Any]) -> Any:
            signed = statement.sign(someone.key, purpose, CENTRE, body)
            return path, {wrap: signed} if wrap else signed, someone

        return send

    def custodian(path: str, purpose: str) -> Any:
        return lambda body: (path, statement.sign(keeper.key, purpose, CENTRE, body), None)

    # A submission with a lawful change would wait for its slot: those are refused for the file that differs.
    assert attack(whole, submission, {**told, "sha256": "0" * 64}) > 300
    taken = {
        "tender": told["tender"],
        "section": whole.section,
        "bidder": who.organisation,
        "submission": "bid_x",
    }
    assert (
        attack(whole, plain(f"{section}/withdrawals", "withdrawal", who, "withdrawal"), taken) > 100
    )
    later = {
        "tender": told["tender"], "section": whole.section, "previous": whole.deadline,
        "deadline": whole.deadline, "reason": "补遗", "at": whole.clock.now(),
    }  # fmt: skip
    operator = whole.one(Role.OPERATOR)

    def order(path: str, purpose: str) -> Any:
        def send(body: dict[str, Any]) -> Any:
            signed = statement.sign(supervisor.key, purpose, CENTRE, body)
            return f"{section}/{path}", {"supervisor": signed}, operator

        return send

    assert attack(whole, order("postponements", "postponement"), later) > 100
    seen = {"section": whole.section, "evidence": ["0" * 64], "reason": "核对", "at": 1}
    assert attack(whole, order("reconciliations", "reconciliation"), seen) > 50
    lost = {"custodian": keeper.id, "at": 1}
    assert attack(whole, custodian("/custody/recoveries", "recovery"), lost) > 30
    message = {"ceremony": "cer_x", "custodian": keeper.id, "round": 1, "message": "AAAA"}
    ceremony = whole.service.section(whole.section).key.ceremony  # type: ignore[union-attr]
    path = f"/custody/ceremonies/{ceremony}/messages"
    assert (
        attack(whole, custodian(path, "ceremony_message"), {**message, "ceremony": ceremony}) > 100
    )
    for purpose in ("release", "release_refusal"):
        body = {
            "section": whole.section, "custodian": keeper.id, "ceremony": ceremony, "index": 1, "check": "x",
            "close_list": "0" * 64, "encapsulations": [], "partials": [], "proof": b64(bytes(64)),
            "head_size": 1, "head_root": "0" * 64, "detail": "x", "at": 1,
        }  # fmt: skip
        path = f"/custody{section}/partials"
        assert attack(whole, custodian(path, purpose), body) > 200
    opening = f"/openings/{whole.section}"
    for path, purpose, body in (
        ("confirmations", "confirmation", {"reading": "0" * 64}),
        (
            "objections",
            "objection",
            {"text": "x", "files": [{"name": "x", "size": 1, "sha256": ZERO}]},
        ),
        ("pledges", "disclosure_pledge", PLEDGE),
        ("file-keys", "disclosure", DISCLOSURE),
    ):
        whole_body = {"section": whole.section, "bidder": who.organisation, **body}
        assert attack(whole, plain(f"{opening}/{path}", purpose, who), whole_body) > 50
    decision = {
        "section": whole.section,
        "submission": "bid_x",
        "verdict": "deemed_revoked",
        "reason": "x",
    }
    assert attack(whole, plain(f"{opening}/decisions", "decision", supervisor), decision) > 50
    # After all that the three bids are what they were, and open.
    whole.until(whole.deadline)
    whole.cosign()
    for name in ("custodian-1", "custodian-2"):
        assert whole.release(name).json()["status"] == "answered"
    assert whole.pace("read_all").status_code == 200
    assert [row["price"] for row in whole.hall()["rows"]] == [
        f"4{n}0000.00" for n in (101, 102, 103)
    ]
    # And in the opened hall again.
    assert whole.pace("confirm").status_code == 200
    late = {"section": whole.section, "bidder": who.organisation}
    assert (
        attack(
            whole,
            plain(f"{opening}/confirmations", "confirmation", who),
            {**late, "reading": "0" * 64},
        )
        > 50
    )
    assert (
        attack(
            whole,
            plain(f"{opening}/objections", "objection", who),
            {**late, "text": "x" * 4_001, "files": [{"name": "x", "size": 1, "sha256": ZERO}]},
        )
        > 50
    )
    assert attack(whole, plain(f"{opening}/decisions", "decision", supervisor), decision) > 50

    def reconvening(body: dict[str, Any]) -> Any:
        signed = statement.sign(supervisor.key, "reconvening", CENTRE, body)
        return f"{opening}/reconvenings", {"supervisor": signed}, operator

    date = {"section": whole.section, "time": whole.clock.now() + 60_000, "reason": "x", "at": 1}
    assert attack(whole, reconvening, date) > 50
    # Orders of two last: one that happens to be lawful ends the section.
    for path, purpose, body in ORDERS:
        every = {"section": whole.section, "reason": "x", "at": whole.clock.now()}
        assert attack(whole, order(path, purpose), {**every, **body}) > 100
    late_witness = {"closing_size": 1, "closing_root": ZERO, "reason": "x", "at": whole.clock.now()}
    path = f"{section}/late-witnesses"
    said = {"section": whole.section, **late_witness}
    assert attack(whole, plain(path, "late_witness", supervisor), said) > 100
