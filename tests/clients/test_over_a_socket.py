"""The verbs of orders and disclosure as people use them: the command line, a real socket, a served centre."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer import Typer
from typer.testing import CliRunner

from clients import order
from clients.custodian import card, roster
from clients.custodian import cli as custodian
from clients.custodian.home import Home, Identity
from clients.custodian.release import HANDED
from clients.disclose import disclose
from clients.sealing import KEEP_SHUT
from crypto.encoding import b64
from crypto.tlog.evidence import Evidence
from tests.bidding.centre import CENTRE_KEY, Bidder
from tests.bidding.test_quorum import after_the_window, close_list, lose
from tests.bidding.test_two_histories import forged
from tests.clients.team import WORK
from tests.trading.world import CENTRE
from tests.web.site import Rooms, Site, opening
from trading.model import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result

RUN = CliRunner()
ROOT = Path(__file__).parents[2]


class Desks:
    """The people of one centre, each with a key file and nothing else, and the address."""

    def __init__(self, folder: Path, rooms: Rooms, site: Site) -> None:
        self.folder, self.rooms, self.site = folder, rooms, site

    def do(self, job: Any) -> Any:
        return self.site.turns.do(job)

    def key(self, who: Role | Bidder) -> Path:
        someone = self.do(lambda: self.rooms.one(who)) if isinstance(who, Role) else who.who
        path = self.folder / f"{someone.organisation}.pem"
        path.write_text(someone.key.to_pem())
        return path

    def order(self, kind: str, *fields: str, by: Role = Role.OPERATOR) -> tuple[Result, Path]:
        """`order sign` at the supervisor's desk, `order send` at another."""
        signed, both = self.folder / f"{kind}.json", self.folder / f"{kind}.both.json"
        made = RUN.invoke(
            order.group,
            [
                "sign", kind, "--section", self.rooms.section, "--reason", "依规", "--centre", CENTRE,
                "--key", str(self.key(Role.SUPERVISOR)), "-o", str(signed), *fields,
            ],
        )  # fmt: skip
        assert made.exit_code == 0, made.output
        arguments = ["send", str(signed), "--server", self.site.base, "--key", str(self.key(by))]
        return RUN.invoke(order.group, [*arguments, "-o", str(both), "--json"]), both

    def secret(self, bidder: Bidder) -> Path:
        """`BID.secret.json` as `seal` leaves it."""
        said = bidder.submission["submission"]["statement"]
        told = {
            "v": 1, "purpose": "file_key", "centre": CENTRE, "warning": KEEP_SHUT,
            "file_key": b64(bidder.file_key),
            **{name: said[name] for name in ("tender", "section", "sha256", "encapsulation")},
        }  # fmt: skip
        path = self.folder / f"{bidder.who.organisation}.secret.json"
        path.write_text(json.dumps(told))
        return path

    def disclose(self, bidder: Bidder) -> Result:
        app = Typer(pretty_exceptions_enable=False)
        app.command()(disclose)
        secret, key = str(self.secret(bidder)), str(self.key(bidder))
        return RUN.invoke(app, [secret, "--server", self.site.base, "--key", key, "--json"])


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Desks]:
    with opening(tmp_path / "home") as (rooms, site):
        yield Desks(tmp_path, rooms, site)


def test_a_postponement_is_signed_sent_and_taken_by_a_custodian_from_the_same_file(
    desks: Desks,
) -> None:
    rooms = desks.rooms
    before = rooms.deadline
    fields = (
        *("--tender", desks.do(rooms.tender_file)["tender"]),
        *("--previous", str(before), "--deadline", str(before + 60_000)),
    )
    sent, both = desks.order("postponement", *fields)
    assert sent.exit_code == 0, sent.output
    assert rooms.deadline == before + 60_000
    home = custodians_home(desks)
    taken = RUN.invoke(custodian.group, ["take", str(both), "--home", str(home), "--json"])
    assert json.loads(taken.stdout) == {"taken": "postponement", "section": rooms.section}
    with custodian.visit(home) as memory:
        assert [json.loads(text) for text in memory.all_said(HANDED).values()] == [
            json.loads(both.read_text())
        ]
    again, _ = desks.order("postponement", *fields)  # the T that it moves from has gone
    assert again.exit_code == 1
    assert "Traceback" not in again.output


def custodians_home(desks: Desks) -> Path:
    """A home that has joined this centre."""
    path = desks.folder / "custodian"
    identity = Identity(role=card.CUSTODIAN, centre=CENTRE, organisation="公证处")
    with Home.create(path, identity, "pass", now=1, work=WORK) as home:
        body = roster.build(
            CENTRE,
            CENTRE_KEY.public,
            desks.do(lambda: desks.rooms.one(Role.SUPERVISOR)).key.public,
            desks.rooms.ground.ledger.vkey,
            [home.card().signed],
            [],
        )
        custodian.pin(home, roster.Roster.from_json(body), desks.site.base)
    return path


def test_after_a_declared_failure_three_bidders_disclose_each_from_its_own_machine(
    desks: Desks,
) -> None:
    rooms = desks.rooms
    bidders = [rooms.bidders[f"投标单位{n}"] for n in (1, 2, 3)]
    early = desks.disclose(bidders[0])
    assert early.exit_code == 1
    assert "quorum-not-failed" in early.output
    desks.do(lambda: rooms.until(rooms.deadline))
    desks.do(rooms.cosign)
    too_soon, _ = desks.order("quorum-failure", "--close-list", desks.do(lambda: close_list(rooms)))
    assert too_soon.exit_code == 1
    assert "unlock-window-open" in too_soon.output
    desks.do(lambda: after_the_window(rooms))
    sent, both = desks.order("quorum-failure", "--close-list", desks.do(lambda: close_list(rooms)))
    assert sent.exit_code == 0, sent.output
    assert json.loads(both.read_text()).keys() == {"centre", "supervisor"}
    for bidder in bidders[:2]:
        told = desks.disclose(bidder)
        assert told.exit_code == 3, told.output  # pledged; the key has not left the machine
        assert "has not left this machine" in told.output
    assert desks.disclose(bidders[2]).exit_code == 0
    assert desks.disclose(bidders[0]).exit_code == 0
    last = subprocess.run(  # through the front door, as a process of its own
        [
            sys.executable, "main.py", "disclose", str(desks.secret(bidders[1])), "--json",
            "--server", desks.site.base, "--key", str(desks.key(bidders[1])),
        ],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert last.returncode == 0, last.stderr
    assert json.loads(last.stdout)["section"] == rooms.section
    assert desks.do(rooms.hall)["phase"] == "reading_out"
    assert desks.disclose(bidders[1]).exit_code == 0  # again changes nothing


def test_supplement_late_witness_reconciliation_and_termination_travel_the_same_way(
    desks: Desks,
) -> None:
    rooms = desks.rooms
    fourth = desks.do(lambda: rooms.hand_in(4, "44000000.00"))
    copies = desks.do(lambda: lose(rooms, fourth))
    desks.do(lambda: rooms.until(rooms.deadline))
    _, closing = rooms.bidding.room.book(rooms.section).leaf("close_list")
    where = (
        "--closing-size",
        str(closing["closing_size"]),
        "--closing-root",
        closing["closing_root"],
    )
    assert desks.order("late-witness", *where)[0].exit_code == 1  # an operator may not
    late, both = desks.order("late-witness", *where, by=Role.SUPERVISOR)
    assert late.exit_code == 0, late.output
    assert not both.exists()  # one signature: nothing to hand over
    entry = fourth.receipts[-1]["statement"]["entry"]["id"]
    digest = desks.do(lambda: close_list(rooms))
    back = ("--close-list", digest, "--submission", entry)
    assert "reason-not-mended" in desks.order("supplement", *back)[0].output
    copies[0].write_bytes(fourth.file.read_bytes())
    assert desks.order("supplement", *back)[0].exit_code == 0
    ledger = rooms.ground.ledger
    found = Evidence(ledger.vkey, ledger.checkpoint(), forged(rooms))
    unknown, _ = desks.order("reconciliation", "--evidence", found.digest)
    assert "evidence-unknown" in unknown.output
    desks.do(lambda: rooms.runner.run(ledger.publish_evidence(found.to_json(), rooms.clock.now())))
    named = desks.order("reconciliation", "--evidence", found.plain().digest)[0]
    assert named.exit_code == 0, named.output
    tender = desks.do(rooms.tender_file)["tender"]
    ended, both = desks.order("termination", "--tender", tender)
    assert ended.exit_code == 0, ended.output
    assert desks.do(rooms.hall)["phase"] == "terminated"
    told = json.loads(both.read_text())
    assert told["centre"]["statement"] == told["supervisor"]["statement"]


def test_doctor_makes_the_self_test_with_the_served_centre(desks: Desks) -> None:
    from clients import doctor

    bidder = desks.rooms.bidders["投标单位1"]
    app = Typer()
    app.command()(doctor.doctor)
    arguments = ["--centre", desks.site.base, "--key", str(desks.key(bidder)), "--json"]
    told = json.loads(RUN.invoke(app, arguments).stdout)
    (found,) = [one for one in told["findings"] if "自检" in one["name"]]
    assert found["ok"], found
    assert bidder.who.organisation in found["detail"]
