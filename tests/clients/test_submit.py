"""Handing in: a cut line, a lost answer, a second run, a late bid, a receipt for other bytes."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from clients import handing_in, sealing
from clients import trust as trust_file
from clients.errors import ClientError
from clients.overtaken import overtaken
from clients.sdk import uploads
from clients.sdk.session import login
from clients.sdk.wire import Centre, RefusedError, WireError
from clients.sealing import Summary
from clients.submit import SKEW_MS
from clients.tenders import check
from documents.checks import Report
from documents.receipt import check as check_paper
from documents.trust import Trust
from tests.clients import scene
from tests.clients.fake_bids import BidCentre, log_certificate, statement_of
from trading.ground.clock import FrozenClock

if TYPE_CHECKING:
    from pathlib import Path


class Desk:
    """A bidder with a sealed bid, and a centre."""

    def __init__(self, folder: Path, size: int = 3 * uploads.BLOCK) -> None:
        made = scene.desk(folder, sizes=(size,))
        pinned = trust_file.read(made.trust)
        tender = check(json.loads(made.tender.read_text()), pinned)
        summary = Summary(
            bidder="org_a",
            parties=("org_a",),
            values={"total_price": "46382715.40", "duration_days": "340"},
        )
        self.sealed = folder / "BID.age"
        sealing.seal(tender, summary, scene.bidder_key(), made.files, self.sealed)
        self.fake = BidCentre()
        self.trust = Trust.from_pem((scene.trust_pem() + log_certificate(self.fake)).encode())
        self.clock = FrozenClock(scene.BORN + 3_600_000)
        self.seen: list[int] = []

    def submit(self) -> handing_in.Handed:
        centre = Centre(self.fake, "http://centre.test")
        centre.login = lambda again: login(again, scene.bidder_key(), scene.CENTRE)
        login(centre, scene.bidder_key(), scene.CENTRE)
        return handing_in.submit(
            centre,
            self.sealed,
            scene.bidder_key(),
            trust=self.trust,
            clock=self.clock,
            progress=lambda done, _: self.seen.append(done),
        )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_bid_is_handed_in_once_and_its_receipt_holds_offline(desk: Desk) -> None:
    handed = desk.submit()
    assert bytes(desk.fake.files["upl_0"]) == desk.sealed.read_bytes()
    assert {each.status for each in handed.checks if each.essential} == {"ok"}
    assert desk.seen[-1] == desk.sealed.stat().st_size
    report = Report("", check_paper(handed.path.read_bytes(), desk.trust, desk.clock.now()))
    assert report.verdict == "valid"
    again = desk.submit()
    assert again.receipt == handed.receipt
    assert len(desk.fake.files) == 1
    assert len(desk.fake.receipts) == 1


def test_who_bids_for_an_older_version_is_told_before_and_by_the_receipt(desk: Desk) -> None:
    centre = Centre(desk.fake, "http://centre.test")
    assert overtaken(centre, "sec_a", 1) == ""
    desk.fake.version = 3
    assert "version 1 was overtaken by version 3" in overtaken(centre, "sec_a", 1)
    handed = desk.submit()  # a word, no refusal
    assert (handed.receipt.version, handed.receipt.newest) == (1, 3)
    assert overtaken(centre, "sec_unknown", 1) == ""


@pytest.mark.parametrize("days", [-1, 1])
def test_u8_a_clients_clock_a_day_off_changes_nothing_and_is_told(desk: Desk, days: int) -> None:
    desk.clock = FrozenClock(scene.BORN + 3_600_000 + days * 86_400_000)
    handed = desk.submit()
    assert {each.status for each in handed.checks if each.essential} == {"ok"}
    assert desk.fake.receipts  # taken by its arrival at the centre
    issued = handed.receipt.issued
    assert handed.skew == issued - desk.clock.now()
    assert abs(handed.skew) > SKEW_MS


def test_a_cut_upload_goes_on_where_the_server_stands(desk: Desk) -> None:
    desk.fake.cut_after = uploads.BLOCK + 1
    desk.submit()
    assert desk.fake.patched == desk.sealed.stat().st_size
    assert bytes(desk.fake.files["upl_0"]) == desk.sealed.read_bytes()


def test_a_run_that_was_ended_goes_on_in_the_next(desk: Desk, monkeypatch: Any) -> None:
    desk.fake.cut_after = uploads.BLOCK + 1
    monkeypatch.setattr(uploads, "TRIES", 1)
    monkeypatch.setattr(uploads.send, "__kwdefaults__", {"piece": None, "tries": 1})
    with pytest.raises(WireError):
        desk.submit()
    desk.submit()
    assert desk.fake.patched == desk.sealed.stat().st_size
    assert len(desk.fake.files) == 1


def test_a_lost_answer_is_got_again_and_nothing_is_doubled(desk: Desk) -> None:
    desk.fake.lose_answer = True
    with pytest.raises(ClientError, match="nothing is lost"):
        desk.submit()
    handed = desk.submit()
    assert handed.receipt.entry.id == "act_0"
    assert len(desk.fake.receipts) == 1


def test_a_session_that_ends_is_opened_again(desk: Desk) -> None:
    class Forgetful(BidCentre):
        forgot = False

        def send(self, method: str, path: str, headers: Any, body: Any) -> Any:
            from clients.sdk.wire import Answer

            if path.endswith("/submissions") and not self.forgot:
                self.forgot = True
                return Answer(401, {}, b"{}")
            return super().send(method, path, headers, body)

    desk.fake = Forgetful()
    desk.trust = Trust.from_pem((scene.trust_pem() + log_certificate(desk.fake)).encode())
    desk.submit()
    assert desk.fake.tokens == 2


def test_a_late_bid_leaves_the_signed_refusal_beside_it(desk: Desk) -> None:
    desk.fake.late = True
    with pytest.raises(handing_in.RefusedBidError, match="bid-deadline-passed"):
        desk.submit()
    kept = statement_of(desk.sealed.with_suffix(".refusal.json"))
    assert kept["statement"]["arrival"] == scene.T0 + 20
    report = Report(
        "",
        check_paper(
            desk.sealed.with_suffix(".refusal.json").read_bytes(), desk.trust, scene.T0 + 60_000
        ),
    )
    assert report.verdict == "valid"


@pytest.mark.parametrize(
    "lie",
    [
        {"sha256": "0" * 64},
        {"size": 1},
        {"salt": "00" * 32},
        {"index": 1},
        {"leaf_index": 0},
        {"issued": 1},
    ],
)
def test_a_receipt_that_does_not_fit_is_said_to_be_wrong_and_kept(
    desk: Desk, lie: dict[str, Any]
) -> None:
    desk.fake.lie = lie
    with pytest.raises(ClientError):
        desk.submit()
    assert desk.sealed.with_suffix(".receipt.json").is_file()


def test_a_file_changed_after_sealing_is_not_sent(desk: Desk) -> None:
    data = bytearray(desk.sealed.read_bytes())
    data[-1] ^= 1
    desk.sealed.write_bytes(data)
    with pytest.raises(ClientError, match="changed since it was sealed"):
        desk.submit()
    assert desk.fake.files == {}


def test_another_key_or_another_bids_submission_is_refused(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="no submission signed by this key"):
        handing_in.read_submission(desk.sealed, scene.centre_key())
    other = tmp_path / "other"
    other.mkdir()
    second = Desk(other)
    second.sealed.write_bytes(desk.sealed.read_bytes())
    with pytest.raises(ClientError, match="is not the file"):
        handing_in.read_submission(second.sealed, scene.bidder_key())


def test_a_withdrawal_names_the_submission_and_gets_a_receipt(desk: Desk) -> None:
    handed = desk.submit()
    centre = Centre(desk.fake, "http://centre.test")
    login(centre, scene.bidder_key(), scene.CENTRE)
    gone = handing_in.withdraw(
        centre, handed.path, scene.bidder_key(), trust=desk.trust, clock=desk.clock
    )
    assert gone.receipt.entry.kind == "withdrawal"
    assert gone.receipt.entry.replaces == handed.receipt.entry.id
    assert gone.path.name == "BID.receipt.withdrawal.json"


# --- the wire over real sockets --------------------------------------------------------------


class Plain(BaseHTTPRequestHandler):
    """Answers with what it was asked; closes the connection after each third request."""

    protocol_version = "HTTP/1.1"
    count = 0

    def do_GET(self) -> None:
        Plain.count += 1
        status = 404 if self.path.endswith("missing") else 200
        body = json.dumps({"path": self.path, "type": "urn:kaibiao:problem:gone-away"}).encode()
        if self.path.endswith("page"):
            body = b"<html>"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if Plain.count % 3 == 0:
            self.close_connection = True  # without saying so: the client finds out by itself

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def server() -> Any:
    http = ThreadingHTTPServer(("127.0.0.1", 0), Plain)
    thread = Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{http.server_address[1]}"
    http.shutdown()
    http.server_close()
    thread.join()


def test_a_connection_is_kept_and_opened_again_when_the_server_has_closed_it(server: str) -> None:
    centre = Centre.at(server)
    for n in range(8):
        assert centre.call("GET", "/thing", query={"n": n})["path"] == f"/api/v1/thing?n={n}"
    with pytest.raises(RefusedError) as caught:
        centre.call("GET", "/missing")
    assert (caught.value.status, caught.value.code) == (404, "gone-away")
    with pytest.raises(WireError, match="not JSON"):
        centre.call("GET", "/page")
    centre.close()


def test_no_server_is_an_incomplete_end_and_no_address_is_said() -> None:
    with pytest.raises(WireError, match="does not answer") as caught:
        Centre.at("http://127.0.0.1:9").about()
    assert caught.value.exit_code == 3
    with pytest.raises(WireError, match="no http"):
        Centre.at("ftp://x")


def test_a_source_that_becomes_shorter_is_found_out(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"abc")
    with pytest.raises(ClientError, match="became shorter"):
        list(uploads._blocks(file, 0, 10))
    assert b"".join(uploads._blocks(file, 1, 3)) == b"bc"
