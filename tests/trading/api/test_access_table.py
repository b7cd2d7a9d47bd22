"""The complete cross product of the access table: every route, every role, nobody.

The expected cells are written by hand from reliability.md §4 and domain.md §1.8, not derived from
the code: bidder (own things), tenderer and agent (tender data), operator and reviewer (draft,
approve), supervisor (watch, suspend, confirm), auditor (public and ledger), three separated
admins (no business data), custodians and witnesses (no login at all).
"""

import pytest

from tests.trading.world import Someone, World
from trading.api import ACCESS
from trading.model import Role

EVERYBODY = "everybody"
LOGGED_IN = {
    "bidder", "delegate", "tenderer", "agent", "operator", "reviewer", "supervisor", "auditor",
    "system_admin", "security_admin", "audit_admin",
}  # fmt: skip

EXPECTED: dict[tuple[str, str], str | set[str]] = {
    ("GET", "/api/v1/centre"): EVERYBODY,
    ("GET", "/api/v1/access"): EVERYBODY,
    ("GET", "/api/v1/roster"): EVERYBODY,
    ("GET", "/api/v1/tenders"): EVERYBODY,
    ("GET", "/api/v1/tenders/{tender_id}"): EVERYBODY,
    ("GET", "/api/v1/sections/{section_id}/tender.json"): EVERYBODY,
    ("GET", "/api/v1/sections/{section_id}/announcement"): EVERYBODY,
    ("GET", "/api/v1/sections/{section_id}/documents/{document_id}"): EVERYBODY,
    ("POST", "/api/v1/sections/{section_id}/questions"): {"bidder", "delegate"},
    ("GET", "/api/v1/sections/{section_id}/questions"): {"tenderer", "agent"},
    ("POST", "/api/v1/sections/{section_id}/questions/{question_id}/answer"): {"tenderer", "agent"},
    ("POST", "/api/v1/sections/{section_id}/objections"): {"bidder", "delegate"},
    ("POST", "/api/v1/sections/{section_id}/objections/{objection_id}/answer"): {
        "tenderer", "agent",
    },
    ("GET", "/api/v1/auctions"): EVERYBODY,
    ("GET", "/api/v1/auctions/{session_id}"): EVERYBODY,
    ("POST", "/api/v1/session/challenge"): EVERYBODY,
    ("POST", "/api/v1/session"): EVERYBODY,
    ("DELETE", "/api/v1/session"): LOGGED_IN,
    ("POST", "/api/v1/session/ticket"): LOGGED_IN,
    ("POST", "/api/v1/enrolments"): EVERYBODY,
    ("GET", "/api/v1/enrolments"): {"operator", "reviewer"},
    ("GET", "/api/v1/enrolments/{enrolment_id}"): EVERYBODY,
    ("GET", "/api/v1/organisations/me"): LOGGED_IN,
    ("POST", "/api/v1/keys/revocation"): LOGGED_IN,
    ("POST", "/api/v1/proposals"): {"operator", "reviewer", "supervisor", "tenderer", "agent"},
    ("GET", "/api/v1/proposals"): {"operator", "reviewer", "supervisor", "tenderer", "agent"},
    ("POST", "/api/v1/proposals/{proposal_id}/confirm"): {
        "operator", "reviewer", "supervisor", "tenderer",
    },
    ("POST", "/api/v1/suspensions"): {"operator", "reviewer", "supervisor"},
    ("POST", "/api/v1/delegations"): {"bidder"},
    ("POST", "/api/v1/delegations/revocation"): {"bidder"},
    ("GET", "/api/v1/delegations"): {"bidder"},
    ("POST", "/api/v1/deposits"): {"bidder"},
    ("GET", "/api/v1/deposits/me"): {"bidder"},
    ("GET", "/api/v1/deposits"): {"operator", "reviewer", "supervisor"},
}  # fmt: skip


def test_every_row_has_its_expected_cells() -> None:
    assert {(r.method, r.path) for r in ACCESS} == set(EXPECTED)


@pytest.mark.parametrize("route", EXPECTED, ids=" ".join)
def test_nobody_and_every_role_meet_what_the_table_says(
    world: World, everybody: dict[Role, Someone], route: tuple[str, str]
) -> None:
    method, path = route
    path = path.removeprefix("/api/v1").replace("{", "").replace("}", "")
    allowed = EXPECTED[route]

    def verdict(who: Someone | None) -> str:
        answer = world.call(method, path, {} if method == "POST" else None, who)
        if not answer.headers.get("content-type", "").startswith("application/problem"):
            return "passed"
        code: str = answer.json()["type"].removeprefix("urn:kaibiao:problem:")
        return code if code in ("login-needed", "role-not-allowed") else "passed"

    assert verdict(None) == ("passed" if allowed == EVERYBODY else "login-needed")
    for role, someone in everybody.items():
        expected = "passed" if allowed == EVERYBODY or role in allowed else "role-not-allowed"
        assert verdict(someone) == expected, role
        if method == "DELETE":
            world.login(someone)


def test_a_token_that_is_none_is_like_nobody(world: World) -> None:
    for token in ("", "x", "\x7f", "A" * 43, "A" * 5000):
        answer = world.call("GET", "/organisations/me", authorization=f"Bearer {token}")
        assert answer.status_code == 401


def test_the_printed_table_is_the_enforced_one(world: World) -> None:
    table = world.get("/access")
    rows = {(r["method"], r["path"]): r["roles"] for r in table["rows"]}
    assert set(rows) == set(EXPECTED)
    for route, cells in EXPECTED.items():
        assert rows[route] == (["public"] if cells == EVERYBODY else sorted(cells))
    assert {a["act"] for a in table["acts"]} == {
        "key.issue", "key.revoke", "custodian.register", "witness.register",
        "tender.create", "tender.publish", "tender.terminate", "section.amend",
        "session.create", "session.publish", "session.terminate",
        "target.resume", "deposit.release",
    }  # fmt: skip
