"""Who may do what in the composed centre: the whole table by hand, and other people's things with two identities.

The cells are written from reliability.md §4 and domain.md §1.8, not from the code. A route that is not here fails the
test: whoever adds one says here who may use it.
"""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from crypto import statement
from tests.acceptance.hostile.whole import LISTING, Whole
from tests.bidding.drawing import commit
from tests.trading.world import CENTRE
from tests.web.site import WEB
from trading.access import POWER
from trading.model import LOGIN, Role, code_for_tests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.trading.world import Someone

ALL = "everybody"
LOGGED = "whoever is logged in"
STAFF = "operator reviewer"
WATCH = "operator reviewer supervisor"
ACTS = "operator reviewer supervisor tenderer agent"
DRAWS = "supervisor tenderer agent"
HOSTS = "operator reviewer tenderer agent"

API = {
    # What anybody may read: notices, the ledger, halls, results.
    "GET /centre": ALL,
    "GET /access": ALL,
    "GET /roster": ALL,
    "GET /time": ALL,
    "GET /openapi.json": ALL,
    "GET /tenders": ALL,
    "GET /tenders/{tender_id}": ALL,
    "GET /sections/{section_id}/tender.json": ALL,
    "GET /sections/{section_id}/announcement": ALL,
    "GET /sections/{section_id}/documents/{document_id}": ALL,
    "GET /auctions": ALL,
    "GET /auctions/{session_id}": ALL,
    "GET /ledger/checkpoint": ALL,
    "GET /ledger/checkpoints/{size}": ALL,
    "GET /ledger/leaves": ALL,
    "GET /ledger/inclusion": ALL,
    "GET /ledger/consistency": ALL,
    "GET /records": ALL,
    "GET /records/{record}.pdf": ALL,
    "GET /records/{record}.proof.json": ALL,
    "GET /dossiers": ALL,
    "GET /dossiers/{subject}.zip": ALL,
    "GET /openings": ALL,
    "GET /openings/{section}": ALL,
    "GET /openings/{section}/evidence": ALL,
    "GET /openings/{section}/head": ALL,
    "GET /openings/{section}/failure": ALL,
    "WS /openings/{section}/live": ALL,
    "GET /lots": ALL,
    "GET /lots/{lot}": ALL,
    "GET /lots/{lot}/transcript": ALL,
    "WS /lots/{lot}/live": ALL,
    # Whoever has no session: logging in, enrolling, custodians and witnesses, who prove themselves by signature.
    "POST /session/challenge": ALL,
    "POST /session": ALL,
    "POST /enrolments": ALL,
    "GET /enrolments/{enrolment_id}": ALL,
    "POST /ledger/cosignatures": ALL,
    "GET /ledger/evidence": ALL,
    "POST /ledger/evidence": ALL,
    "GET /custody/tasks": ALL,
    "POST /custody/recoveries": ALL,
    "GET /custody/drill": ALL,
    "GET /custody/board": ALL,
    "GET /custody/ceremonies/{ceremony}": ALL,
    "POST /custody/ceremonies/{ceremony}/messages": ALL,
    "GET /custody/sections/{section}/release-request": ALL,
    "POST /custody/sections/{section}/partials": ALL,
    "OPTIONS /uploads": ALL,
    # One's own session, organisation and keys.
    "DELETE /session": LOGGED,
    "POST /session/ticket": LOGGED,
    "GET /organisations/me": LOGGED,
    "POST /keys/revocation": LOGGED,
    # 投标人/竞买人: own upload and withdrawal, own receipt, own confirmation, own offers.
    "POST /custody/drill": "bidder delegate",
    "POST /sections/{section_id}/questions": "bidder delegate",
    "POST /sections/{section_id}/objections": "bidder delegate",
    "POST /sections/{section}/submissions": "bidder delegate",
    "POST /sections/{section}/withdrawals": "bidder delegate",
    "GET /sections/{section}/submissions/me": "bidder delegate",
    "GET /sections/{section}/receipts/{act}": "bidder delegate",
    "GET /sections/{section}/receipts/{act}.pdf": "bidder delegate",
    "POST /openings/{section}/sign-in": "bidder delegate",
    "GET /openings/{section}/mine": "bidder delegate",
    "POST /openings/{section}/confirmations": "bidder delegate",
    "POST /openings/{section}/objections": "bidder delegate",
    "POST /openings/{section}/pledges": "bidder delegate",
    "POST /openings/{section}/file-keys": "bidder delegate",
    "POST /delegations": "bidder",
    "POST /delegations/revocation": "bidder",
    "GET /delegations": "bidder",
    "POST /deposits": "bidder",
    "GET /deposits/me": "bidder",
    "GET /lots/{lot}/participation": "bidder delegate",
    "GET /lots/{lot}/qualification": "bidder delegate",
    "GET /lots/{lot}/qualification.pdf": "bidder delegate",
    "POST /lots/{lot}/application": "bidder delegate",
    "WS /lots/{lot}/bid": "bidder delegate",
    # Uploads of one's own: sealed bids, tender documents. 招标人/代理: tender data, answers to all; no list, no count.
    "POST /uploads": "bidder delegate tenderer agent operator",
    "GET /uploads/{upload}": "bidder delegate tenderer agent operator",
    "PATCH /uploads/{upload}": "bidder delegate tenderer agent operator",
    "DELETE /uploads/{upload}": "bidder delegate tenderer agent operator",
    "POST /sections/{section}/documents": "tenderer agent operator",
    "GET /sections/{section_id}/questions": "tenderer agent",
    "POST /sections/{section_id}/questions/{question_id}/answer": "tenderer agent",
    "POST /sections/{section_id}/objections/{objection_id}/answer": "tenderer agent",
    # 中心经办, 复核: draft and approve; the supervisor confirms and may suspend; tenderer and agent their own projects.
    "GET /enrolments": STAFF,
    "POST /sections/{section}/ceremony": STAFF,
    "POST /sections/{section}/postponements": STAFF,
    "POST /sections/{section}/terminations": STAFF,
    "POST /sections/{section}/supplements": STAFF,
    "POST /sections/{section}/quorum-failures": STAFF,
    "POST /sections/{section}/reconciliations": STAFF,
    "POST /lots/{lot}/reserve": STAFF,
    "POST /proposals": ACTS,
    "GET /proposals": ACTS,
    "POST /proposals/{proposal_id}/confirm": "operator reviewer supervisor tenderer",
    "POST /suspensions": WATCH,
    "GET /deposits": WATCH,
    "POST /openings/{section}/phase": HOSTS,
    "POST /openings/{section}/answers": HOSTS,
    "GET /openings/{section}/desk": ACTS,
    "POST /openings/{section}/messages": f"bidder delegate {ACTS}",
    "POST /openings/{section}/mutes": HOSTS,
    "POST /openings/{section}/identity-notes": HOSTS,
    "POST /openings/{section}/reconvenings": STAFF,
    "GET /openings/{section}/files/{sha256}": f"auditor bidder delegate {ACTS}",
    "GET /openings/{section}/float": DRAWS,
    "POST /openings/{section}/float/commitments": DRAWS,
    "POST /openings/{section}/float/reveals": DRAWS,
    # 行政监督, 审计: late witnesses, the decision about a failure, the full dossier.
    "POST /sections/{section}/late-witnesses": "supervisor",
    "POST /openings/{section}/decisions": "supervisor tenderer",
    "GET /dossiers/{subject}/full.zip": "supervisor auditor tenderer",
}  # fmt: skip
PAGES = {"GET /", "GET /access", "GET /section/{section}", "GET /custody", "GET /open/{section}", "GET /auction/{lot}", "GET /records", "GET /static.json",
         "GET /static/{name:path}", "GET /i18n/{language}.json", "GET /healthz", "GET /readyz", "GET /metrics"}  # fmt: skip

ENGLISH: dict[str, str] = json.loads((WEB / "i18n/access.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, stored_by_all: str) -> Iterator[Whole]:
    """A centre with a section that takes bids, an auction, and two people of most roles."""
    with Whole(tmp_path_factory.mktemp("access") / "home") as made:
        made.first_people()
        made.set_up(minimum=3, deadline=made.clock.now() // 1000 * 1000 + 600_000)
        made.session(LISTING, ahead=600_000)
        made.everybody()
        yield made


def test_every_route_has_its_cells_and_every_cell_its_route(whole: Whole) -> None:
    printed = {f"{r['method']} {r['path']}": set(r["roles"]) for r in whole.get("/access")["rows"]}
    expected = {
        f"{name.split()[0]} /api/v1{name.split()[1]}": cells for name, cells in API.items()
    } | dict.fromkeys(PAGES, ALL)
    assert set(printed) == set(expected)
    for route, cells in expected.items():
        named = {ALL: {"public"}, LOGGED: {role.value for role in LOGIN}}
        assert printed[route] == named.get(cells, set(cells.split())), route


def test_every_text_of_the_printed_table_has_its_english_and_no_english_is_left_over(
    whole: Whole,
) -> None:
    table = whole.get("/access")
    printed = {act["title"] for act in table["acts"]}
    for row in table["rows"]:
        note, mark, power = row["note"].partition(POWER)
        printed |= {note, row["phases"], mark + power}
    assert printed - {""} == set(ENGLISH)
    assert all(ENGLISH.values())
    page = html.unescape(whole.runner.run(whole.client.get("/access")).text)
    assert [text for text in ENGLISH.values() if text not in page] == []


def verdict(whole: Whole, route: str, who: Someone | None) -> str:
    """What the gate says; `passed` where the handler is met, whatever that says."""
    method, path = route.split()
    path = re.sub(r"\{\w+\}", "x", path)
    answer = whole.call(method, path, {} if method == "POST" else None, who)
    if not answer.headers.get("content-type", "").startswith("application/problem"):
        return "passed"
    code: str = answer.json()["type"].rpartition(":")[2]
    return code if code in ("login-needed", "role-not-allowed") else "passed"


def test_the_whole_cross_product_is_what_the_cells_say(whole: Whole) -> None:
    people = whole.everybody()
    for route, cells in API.items():
        if route.startswith("WS") or route == "POST /keys/revocation":
            continue  # sockets: test_sockets.py
        assert verdict(whole, route, None) == ("passed" if cells == ALL else "login-needed"), route
        for role, someone in people.items():
            allowed = cells in (ALL, LOGGED) or role.value in cells.split()
            expected = "passed" if allowed else "role-not-allowed"
            assert verdict(whole, route, someone) == expected, (route, role)
            if route == "DELETE /session":
                whole.login(someone)


def test_the_three_administrators_reach_no_business(whole: Whole) -> None:
    for name, cells in API.items():
        if "admin" in cells:
            pytest.fail(f"{name}: a 三员 administrator has no business data")


# Other people's things (I1). For each: the owner reaches it, the other one of the same role does not.


def test_a_bidder_reaches_nothing_of_another_bidder(whole: Whole) -> None:
    mine, other = whole.hand_in(101, "46382715.40"), whole.bidder(102)
    act = mine.receipts[0]["statement"]["entry"]["id"]
    section = f"/sections/{whole.section}"
    assert whole.call("GET", f"{section}/receipts/{act}", who=mine.who).status_code == 200
    assert whole.call("GET", f"{section}/receipts/{act}", who=other.who).status_code in (404, 409)
    assert whole.call("GET", f"{section}/receipts/{act}.pdf", who=other.who).status_code == 409
    assert whole.get(f"{section}/submissions/me", other.who)["acts"] == []
    unknown = whole.call("GET", "/uploads/upl_" + "a" * 26, who=other.who)
    for method in ("GET", "HEAD", "DELETE"):
        theirs = whole.raw(method, f"/uploads/{mine.upload}", other.who)
        assert theirs.status_code == unknown.status_code == 404
    patch = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    theirs = whole.raw("PATCH", f"/uploads/{mine.upload}", other.who, b"x", **patch)
    assert theirs.status_code == 404
    body = {**mine.submission, "upload": mine.upload}
    stolen = whole.post(f"{section}/submissions", body, other.who)
    assert stolen.status_code in (403, 422)
    for key in (mine.who.key, other.who.key):  # a statement about the other's bid, by either key
        said = {
            "tender": whole.tender_file()["tender"], "section": whole.section,
            "bidder": mine.who.organisation, "submission": act,
        }  # fmt: skip
        signed = statement.sign(key, "withdrawal", CENTRE, said)
        refused = whole.post(f"{section}/withdrawals", {"withdrawal": signed}, other.who)
        assert refused.status_code in (403, 422), refused.text
    assert whole.get(f"{section}/submissions/me", mine.who)["counts"] == act
    assert whole.deposit(mine.who, whole.section).status_code == 201
    assert whole.get("/deposits/me", other.who) == []
    signed = whole.signed(
        mine.who, "deposit", target=whole.section, form="paid", amount="800000.00"
    )
    refused = whole.call("POST", "/deposits", {"statement": signed, "reference": "x"}, other.who)
    assert refused.status_code == 401
    key = next(iter(whole.get("/organisations/me", mine.who)["keys"]))["key_id"]
    said = whole.signed(other.who, "key_revocation", key_id=key, reason="x")
    assert whole.call("POST", "/keys/revocation", said, other.who).status_code in (403, 404)


def test_a_tenderer_or_agent_has_no_hand_in_anothers_opening(whole: Whole) -> None:
    """A company may be tenderer of one project and bidder in another: it must not lead the other's hall."""
    opening = f"/openings/{whole.section}"
    decision = {
        "section": whole.section, "submission": "bid_" + "a" * 26, "verdict": "deemed_revoked", "reason": "x",
    }  # fmt: skip
    for role in (Role.TENDERER, Role.AGENT):
        other = whole.other(role)
        asked: list[tuple[str, Any]] = [
            ("phase", {"action": "read_all"}),
            ("answers", {"bidder": "org_x", "text": "x"}),
            ("messages", {"text": "x"}),
            ("mutes", {"bidder": "", "muted": True, "reason": "x"}),
            ("identity-notes", {"bidder": "org_x", "text": "x"}),
            ("float/commitments", {"statement": {}}),
            ("float/reveals", {"statement": {}}),
        ]
        if role is Role.TENDERER:
            signed = statement.sign(other.key, "decision", CENTRE, decision)
            asked.append(("decisions", signed))
        for path, body in asked:
            refused = whole.call("POST", f"{opening}/{path}", body, other)
            assert refused.status_code == 403, (role, path, refused.text)
            assert refused.json()["type"].endswith(":section-foreign")
    own = commit(whole, whole.one(Role.TENDERER))
    assert own.status_code == 201, own.text


def test_a_tenderer_neither_sees_nor_confirms_what_concerns_another(whole: Whole) -> None:
    other = whole.other(Role.TENDERER)
    form = whole.tender_form()
    proposed = whole.propose(whole.one(Role.OPERATOR), "tender.create", form).json()
    owner = whole.one(Role.TENDERER)
    assert proposed["proposal"] in {p["proposal"] for p in whole.get("/proposals", owner)}
    assert proposed["proposal"] not in {p["proposal"] for p in whole.get("/proposals", other)}
    refused = whole.confirm(other, proposed)
    assert refused.status_code == 403, refused.text
    assert whole.confirm(owner, proposed).status_code == 200
    tender = whole.service.section(whole.section).tender
    body = {"target": tender, "reason": "项目取消"}
    refused = whole.propose(other, "tender.terminate", body)
    if refused.status_code == 201:
        assert whole.confirm(whole.one(Role.SUPERVISOR), refused.json()).status_code in (403, 409)
    assert whole.get(f"/tenders/{tender}")["stage"] != "terminated"


def test_drafts_are_seen_by_their_owners_only(whole: Whole) -> None:
    made = whole.carry("tender.create", whole.tender_form())
    path = f"/tenders/{made['tender']}"
    assert whole.call("GET", path, who=whole.one(Role.TENDERER)).status_code == 200
    for who in (None, whole.other(Role.TENDERER), whole.one(Role.BIDDER), whole.one(Role.AUDITOR)):
        assert whole.call("GET", path, who=who).status_code == 404
    hall = whole.call("GET", f"/openings/{made['sections'][0]}")
    assert hall.status_code in (404, 409)


def test_members_that_nobody_asked_for_are_refused(whole: Whole) -> None:
    """Mass assignment (I2): a role, a price, an owner slipped into a form."""
    bidder = whole.one(Role.BIDDER)
    extra = {"role": "supervisor", "organisation": "org_x", "price_final": "1"}
    card = {"organisation": "甲", "credit_code": code_for_tests(77), "role": "bidder", "person": ""}
    form = {
        "person_name": "甲",
        "statement": statement.sign(bidder.key, "key_enrolment", CENTRE, card),
    }
    for name, value in extra.items():
        assert whole.call("POST", "/enrolments", {**form, name: value}).status_code == 422
        more = statement.sign(bidder.key, "key_enrolment", CENTRE, {**card, "x" + name: value})
        assert whole.call("POST", "/enrolments", {**form, "statement": more}).status_code == 422
        said = whole.signed(
            bidder,
            "deposit",
            target=whole.section,
            form="paid",
            amount="800000.00",
            **{name: value},
        )
        sent = {"statement": said, "reference": "x"}
        assert whole.call("POST", "/deposits", sent, bidder).status_code == 422
        sent = {"submission": {}, "possession": "", "upload": "x", name: value}
        answer = whole.call("POST", f"/sections/{whole.section}/submissions", sent, bidder)
        assert answer.status_code == 422
    proposed = whole.tender_form()
    proposed["sections"][0] |= {"stage": "announced"}
    assert whole.propose(whole.one(Role.OPERATOR), "tender.create", proposed).status_code == 422
