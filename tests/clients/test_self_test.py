"""The bidder's self-test: its own side whole, opened by the centre alone, and in no way of any bid."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from clients import self_test
from clients.errors import ClientError
from clients.sdk.wire import Answer, RefusedError
from clients.sdk.wire import Centre as Wire
from crypto.certificate import SuccessCertificate, verify_certificate
from crypto.encoding import b64, unb64
from tests.bidding.test_quorum import code
from tests.clients import scene
from tests.clients.test_with_the_real_centre import Loop, Staffed
from tests.trading.world import ORIGIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clients.sdk.wire import Body
    from tests.bidding.centre import Bidder


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staffed]:
    with Staffed(tmp_path_factory.mktemp("self-test") / "home") as made:
        made.first_people()
        made.set_up(minimum=3)
        yield made
        for home in made.homes:
            home.close()


class Watching(Loop):
    """Remembers what was sent, and may change what is answered."""

    def __init__(self, room: Staffed) -> None:
        super().__init__(room)
        self.sent: list[bytes] = []
        self.change: dict[str, Any] = {}

    def send(self, method: str, path: str, headers: Mapping[str, str], body: Body) -> Answer:
        self.sent.append(body if isinstance(body, bytes) else b"")
        answer = super().send(method, path, headers, body)
        if path.endswith("/drill") and method == "GET" and self.change:
            told = {**json.loads(answer.body), **self.change}
            return Answer(answer.status, answer.headers, json.dumps(told).encode())
        return answer


def at_home(centre: Staffed, number: int = 1) -> tuple[Wire, Bidder, Watching]:
    from clients.sdk.session import login
    from tests.trading.world import CENTRE

    bidder, transport = centre.bidder(number), Watching(centre)
    wire = Wire(transport, ORIGIN)
    login(wire, bidder.who.key, CENTRE)
    return wire, bidder, transport


def test_a_dummy_is_sealed_and_opened_at_once_and_leaves_no_trace(centre: Staffed) -> None:
    wire, bidder, transport = at_home(centre)
    journal, ledger = centre.ground.journal, centre.ground.ledger
    before = {name: journal.head(name) for name in journal.streams if name != "ledger"}
    leaves, files = ledger.size, sorted(centre.settings.home.rglob("*.age"))
    tested = self_test.run(wire, bidder.who.key)
    assert tested.bidder == bidder.who.organisation
    assert tested.sealed > self_test.DUMMY_BYTES
    assert {name: journal.head(name) for name in journal.streams if name != "ledger"} == before
    kinds = [json.loads(leaf)["kind"] for leaf in ledger.leaves(leaves, ledger.size)]
    assert set(kinds) <= {"slot"}
    assert sorted(centre.settings.home.rglob("*.age")) == files
    for home in centre.homes:
        assert centre.get(f"/custody/tasks?custodian={home.keys.name}")["tasks"] == []
    assert len(transport.sent) > 0


def test_the_drill_key_opens_nothing_of_a_section_and_a_section_takes_nothing_sealed_to_it(
    centre: Staffed,
) -> None:
    told = centre.get("/custody/drill")
    assert told == centre.get("/custody/drill")
    certificate = SuccessCertificate.from_json(told["certificate"])
    with pytest.raises(Exception, match="none of those pinned"):
        verify_certificate(certificate, {home.keys.host.public for home in centre.homes})
    assert told["recipient"] != centre.tender_file()["recipient"]
    # A bid sealed to it is refused at submission.
    bidder = centre.bidder(2)
    honest = centre.get

    def bent(path: str, *who: Any) -> Any:
        said = honest(path, *who)
        if path.endswith("/tender.json"):
            said["statement"]["recipient"] = told["recipient"]
        return said

    centre.get = bent  # type: ignore[method-assign]
    centre.seal(bidder, "100.00")
    centre.get = honest  # type: ignore[method-assign]
    centre.send_file(bidder)
    refused = centre.submit(bidder)
    assert refused.status_code in {409, 422}, refused.text
    assert "recipient" in code(refused)
    # And no release is asked or given for it.
    path = "/custody/sections/drill/release-request"
    assert centre.call("GET", path).status_code == 404
    assert b"drill" not in b"".join(centre.ground.ledger.leaves(0, centre.ground.ledger.size))


def test_no_release_path_takes_the_drill_key(centre: Staffed) -> None:
    """Even a custodian that were talked into judging by it has no share, and the key is of another use."""
    from bidding.release import decide

    told = centre.get("/custody/drill")
    hosts = _hosts(told)
    group = verify_certificate(SuccessCertificate.from_json(told["certificate"]), hosts)
    from tests.bidding.release_scene import Scene

    view, request, leaves = Scene().build()
    from dataclasses import replace

    verdict = decide(replace(view, group=group), request, leaves)
    assert verdict.refusal is not None
    assert verdict.refusal.id == "key-context"
    assert group.key_context.purpose == "rehearsal"


def _hosts(told: dict[str, Any]) -> set[bytes]:
    from crypto.cocktail_wire import Transcript

    transcript = Transcript.from_bytes(unb64(told["certificate"]["transcript"]))
    return {point.compressed() for point in transcript.roster}


def test_a_live_or_uncertified_key_shown_for_a_drill_is_not_sealed_to(centre: Staffed) -> None:
    tender = centre.tender_file()
    wire, bidder, transport = at_home(centre)
    for change, words in (
        ({"certificate": tender["certificate"], "recipient": tender["recipient"]}, "a section's"),
        ({"recipient": tender["recipient"]}, "another than its ceremony"),
        ({"certificate": {"v": 1}}, "no drill key"),
        ({"certificate": None}, "no drill key"),
    ):
        transport.change, transport.sent = change, []
        with pytest.raises(ClientError, match=words):
            self_test.run(wire, bidder.who.key)
        assert not any(b'"sealed"' in body for body in transport.sent)


@pytest.mark.parametrize(
    ("sealed", "wanted"),
    [("", "header-malformed"), ("!", "malformed"), (b64(bytes(41 * 1024)), "malformed"), (7, "malformed")],
)  # fmt: skip
def test_what_is_no_dummy_is_refused_with_the_code_of_a_bid(
    centre: Staffed, sealed: Any, wanted: str
) -> None:
    who = centre.bidder(1).who
    assert code(centre.post("/custody/drill", {"sealed": sealed}, who)) == wanted


def test_a_dummy_signed_by_another_key_or_damaged_fails_as_a_bid_would(centre: Staffed) -> None:
    wire, bidder, _ = at_home(centre)
    other = centre.bidder(2)
    with pytest.raises(RefusedError) as refused:
        self_test.run(wire, other.who.key)
    assert refused.value.code == "package-signature"
    told = centre.get("/custody/drill")
    dummy = self_test._seal(
        told, self_test.drill_key(told), bidder.who.key, bidder.who.organisation, b"x" * 100
    )
    damaged = dummy[:-1] + bytes([dummy[-1] ^ 1])
    answer = centre.post("/custody/drill", {"sealed": b64(damaged)}, bidder.who)
    assert code(answer) == "payload-damaged"
    assert centre.post("/custody/drill", {"sealed": b64(dummy)}, bidder.who).status_code == 200


def test_a_drill_of_another_section_is_none() -> None:
    from crypto.age import recipient_text

    certificate, shares = scene.ready()
    told = {
        "certificate": certificate.to_json(),
        "recipient": recipient_text(shares[0].group.recipient),
    }
    with pytest.raises(ClientError, match="a section's key"):
        self_test.drill_key(told)
