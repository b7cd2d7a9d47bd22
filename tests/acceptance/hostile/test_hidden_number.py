"""The hidden number (招标投标法 22): before T nobody can tell three bidders from thirty by asking.

Two centres enrol the same thirty bidders at the same instants; in one three of them bid, in the other all
thirty do, and some of those replace or withdraw. Then every role asks for everything it may ask for: pages, API,
ledger, custodians' tasks, metrics, the hall and its socket. The accounts must be equal byte by byte.

Normalised is only what is random by design, each by a mark of its own kind and length, so that a longer list or
text still differs: ids (three letters, an underscore, 26 characters), key ids and digests (hex of 16, 32 or 64),
base64 of 20 bytes and more (keys, signatures, proofs), age recipients (`age1tag1…`), the numbers of records, and,
whatever their length, certificates and the notice's PDF with its size (DER lengths of signatures differ by a
byte or two). Ledger leaves are decoded before. Times are not normalised: both run on one frozen clock.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from bidding.hall import Halls
from tests.acceptance.hostile.accounts import answers, socket_frames
from tests.acceptance.hostile.whole import Whole
from tests.bidding.centre import Bidder
from tests.databases import ADDRESS, fresh_database
from trading.model import Role, code_for_tests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.trading.world import Someone

MANY, FEW = 30, 3
RANDOM = (
    (re.compile(rb"\bZB[0-9]{8}-[A-Z2-7]{8}\b"), "number"),
    (re.compile(rb"\('content-length', '[0-9]+'\), "), "length"),
    (re.compile(rb"%PDF-.*%%EOF\s*", re.DOTALL), "pdf"),
    (re.compile(rb'"size":[0-9]+,"facts"'), "pdf"),
    (re.compile(rb" download>PDF <small>[0-9]+ KB</small>"), "pdf"),  # the same size, on the page
    (re.compile(rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\\n]+-----END CERTIFICATE-----(\\n)?"), "pem"),
    (re.compile(rb"\b[a-z]{3}_[a-z2-7]{26}\b"), "id"),
    (re.compile(rb"age1tag1[a-z0-9]{20,}"), "recipient"),
    (re.compile(rb"(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{16})(?![0-9a-f])"), "hex"),
    # Eight of them also come by chance inside base64, which is one word.
    (re.compile(rb"(?<![0-9A-Za-z+/])[0-9a-f]{8}(?![0-9A-Za-z+/=])"), "hex"),
    (re.compile(rb"[A-Za-z0-9+/]{26,}={0,2}"), "base64"),
)  # fmt: skip


def normal(account: bytes) -> bytes:
    """An account with random parts marked by kind and length."""
    for pattern, kind in RANDOM:
        fixed = kind in ("pem", "pdf", "length")
        account = pattern.sub(
            lambda m, kind=kind, fixed=fixed: f"<{kind}{'' if fixed else len(m[0])}>".encode(),
            account,
        )
    return account


def bid(whole: Whole, count: int) -> None:
    """Thirty enrol; `count` of them bid at one instant; of thirty, five replace and five withdraw.

    One of thirty has a delegate sign in and bid for it, and takes the delegation back.

    Three questions are asked, of three bidders by one of them, of thirty by three.
    """
    for number in range(1, MANY + 1):
        whole.bidder(100 + number)
    for number in range(3):
        asker = whole.bidder(101 + (number if count == MANY else 0)).who
        asked = {"text": "抗渗等级是多少？"}
        path = f"/sections/{whole.section}/questions"
        assert whole.call("POST", path, asked, asker).status_code == 204
    chosen = [whole.bidder(100 + number) for number in range(1, count + 1)]
    principal = chosen[0]
    person = whole.hire(Role.DELEGATE, code_for_tests(101), principal.name)
    if count == MANY:
        chosen[0] = delegated(whole, principal, person)
    for number, bidder in enumerate(chosen):
        whole.seal(bidder, f"4{number:02}00000.00")
        whole.send_file(bidder)

    async def together() -> None:
        path = f"/api/v1/sections/{whole.section}/submissions"
        sent = [
            whole.client.post(
                path,
                json={**bidder.submission, "upload": bidder.upload},
                headers={"authorization": f"Bearer {bidder.who.token}"},
            )
            for bidder in chosen
        ]
        for bidder, answer in zip(chosen, await asyncio.gather(*sent), strict=True):
            assert answer.status_code == 201, answer.text
            bidder.receipts.append(answer.json())

    whole.live(together())
    if count == MANY:
        taken = whole.signed(principal.who, "delegation_revocation", person=person.person)
        path = "/delegations/revocation"
        assert whole.call("POST", path, taken, principal.who).status_code == 204
    for bidder in chosen[10:15]:
        whole.withdraw(bidder)
        path = f"/openings/{whole.section}/sign-in"
        assert whole.call("POST", path, {}, bidder.who).status_code == 201


def delegated(whole: Whole, principal: Bidder, person: Someone) -> Bidder:
    """Let a person of a bidder act for it, and sign in."""
    said = {
        "person": person.person, "scopes": ["submit", "confirm"], "until": whole.deadline + 1,
        "targets": [whole.section],
    }  # fmt: skip
    signed = whole.signed(principal.who, "delegation", **said)
    assert whole.call("POST", "/delegations", signed, principal.who).status_code == 201
    whole.login(person)
    path = f"/openings/{whole.section}/sign-in"
    assert whole.call("POST", path, {}, person).status_code == 201
    return Bidder(person, principal.name)


def accounts(whole: Whole) -> dict[str, bytes]:
    """Who asked what → the normalised account."""
    whole.until(whole.deadline - 2000)
    said = {f"{role} {address}": text for (role, address), text in answers(whole).items()}
    said |= {f"socket {address}": text for address, text in socket_frames(whole).items()}
    for place in [place for place in said if "/ledger/leaves?" in place]:
        head, _, body = said[place].partition(b"\n")
        leaves = json.loads(body)["leaves"]
        said[place] = b"\n".join([head, *(base64.b64decode(leaf) for leaf in leaves)])
    found: dict[str, bytes] = {}
    for place, text in said.items():
        name = normal(place.encode()).decode()
        found[name] = found.get(name, b"") + normal(text)
    return found


def difference(place: str, few: dict[str, bytes], many: dict[str, bytes]) -> str:
    """Where two accounts part, for whoever reads the failure."""
    one, other = few[place], many[place]
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    return f"{place} at {at}: {one[at - 60 : at + 60]!r} / {other[at - 60 : at + 60]!r}"


@pytest.fixture(scope="module")
def centres(
    tmp_path_factory: pytest.TempPathFactory, stored_by_all: str, request: pytest.FixtureRequest
) -> Iterator[tuple[Whole, Whole]]:
    """One centre with three bidders and one with thirty, each with a database of its own."""
    made, left = [], ExitStack()
    for count in (FEW, MANY):
        if made and stored_by_all == "postgres":
            url = left.enter_context(fresh_database(request.getfixturevalue("postgres")))
            left.enter_context(pytest.MonkeyPatch.context()).setenv(ADDRESS, url)
        whole = Whole(tmp_path_factory.mktemp(f"centre{count}") / "home")
        whole.first_people()
        whole.set_up(minimum=3, deadline=whole.clock.now() // 1000 * 1000 + 60_000)
        whole.noticed()  # first: the paper takes a worker's time and may not race for a leaf
        whole.everybody()
        bid(whole, count)
        made.append(whole)
    yield made[0], made[1]
    for whole in made:
        whole.close()
        whole.runner.close()
    left.close()


def test_every_role_sees_equal_bytes_for_three_and_for_thirty(
    centres: tuple[Whole, Whole],
) -> None:
    few, many = (accounts(whole) for whole in centres)
    assert set(few) == set(many)
    assert len(few) > 200
    differences = [difference(place, few, many) for place in few if few[place] != many[place]]
    assert not differences, "\n".join(differences)


def test_a_planted_counter_is_found(
    centres: tuple[Whole, Whole], monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = Halls.snapshot

    def counting(self: Halls, section: str) -> object:
        said = snapshot(self, section)
        return {**said, "uploads": len(self._service.room.book(section).kept)}

    monkeypatch.setattr(Halls, "snapshot", counting)
    few, many = (accounts(whole) for whole in centres)
    assert [place for place in few if few[place] != many[place]]
