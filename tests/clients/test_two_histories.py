"""A log that shows two histories to two witnesses gives itself away, and no partial comes out afterwards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from bidding.model import Reconciliation, ReleaseRefusal
from clients.auditor import command
from clients.custodian import handed, histories
from clients.custodian.cosigner import Cosigner, ForkError
from clients.errors import ClientError
from clients.sdk.wire import Centre
from crypto import statement
from crypto.tlog import cosignature, merkle
from crypto.tlog.checkpoint import Checkpoint, sign
from crypto.tlog.evidence import Evidence, Place
from crypto.tlog.note import vkey
from tests.clients import scene
from tests.clients.auditor.certificates import Maker
from tests.clients.fake_centre import ORIGIN, Log
from tests.clients.opening_scene import Opening, two_signed
from tests.clients.team import Team
from tests.documents.pki import build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    """Two custodians with their shares, who have witnessed a log of two leaves."""
    from clients.custodian.ceremony import keep_share
    from crypto.canonical import canonical

    made = Team(tmp_path, 2)
    certificate, shares = scene.ready()
    for home, share in zip(made.homes, shares, strict=False):
        home.state.say("certificate", "cer_a", canonical(certificate.to_json()), 1)
        keep_share(home, "cer_a", share.secret, 1)
    for kind in ("born", "second"):
        made.centre.log.add({"v": 1, "kind": kind})
    yield made
    made.close()


def other_history(*kinds: str) -> Log:
    log = Log()
    for kind in kinds:
        log.add({"v": 1, "kind": kind})
    return log


def show(team: Team, log: Log, number: int) -> None:
    """One custodian or witness is shown a log."""
    team.centre.log = log
    Cosigner(team.homes[number], team.roster.ledger).step(Centre(team.centre), team.clock.now())


def caught(team: Team) -> Log:
    """Two histories are shown to two witnesses; then the first is shown the second one's. The honest log."""
    honest, forged = team.centre.log, other_history("born", "forged", "third")
    show(team, honest, 0)
    show(team, forged, 1)
    with pytest.raises(ForkError, match="the proof lies in"):
        show(team, forged, 0)
    return honest


def test_two_histories_shown_to_two_witnesses_are_proved_kept_and_brought(team: Team) -> None:
    caught(team)
    (brought,) = team.centre.evidence
    first, second = Evidence.from_json(brought).verify()
    assert (first.size, second.size) == (2, 2)
    assert brought["key"] == team.roster.ledger
    assert histories.kept(team.homes[0].state) == [brought]
    (file,) = team.homes[0].path.glob("evidence-*.json")
    assert json.loads(file.read_text()) == brought


def test_verify_checks_the_file_against_the_pinned_log_and_refuses_a_false_one(
    team: Team, tmp_path: Path
) -> None:
    caught(team)
    (file,) = team.homes[0].path.glob("evidence-*.json")
    trust, stranger = tmp_path / "trust.pem", tmp_path / "stranger.pem"
    for path, key in ((trust, team.centre.log.key), (stranger, team.homes[0].keys.note)):
        made = Maker(build())
        made.note(ORIGIN, key.public_key().public_bytes_raw())
        path.write_text(made.pem)
    runner, app = CliRunner(), _app()

    def verdict(path: Path, *options: str) -> tuple[int, str]:
        result = runner.invoke(app, [str(path), "--json", *options])
        return result.exit_code, json.loads(result.stdout)["verdict"]

    assert verdict(file, "--trust", str(trust)) == (0, "valid")
    assert verdict(file, "--trust", str(stranger)) == (1, "invalid")
    assert verdict(file) == (3, "incomplete")
    value = json.loads(file.read_text())
    false = tmp_path / "false.json"
    false.write_text(json.dumps({**value, "second": value["first"]}))
    assert verdict(false, "--trust", str(trust)) == (1, "invalid")


def _app() -> Any:
    import typer

    app = typer.Typer()
    app.command()(command.verify)
    return app


def refusal(team: Team) -> str:
    team.people[0].step()
    signed = team.centre.partials[-1]
    if signed["statement"]["purpose"] == "release":
        return ""
    body = statement.verify(signed, purpose="release_refusal", centre=scene.CENTRE)
    return ReleaseRefusal.from_body(body).check


def reconciliation(team: Team, section: str = "sec_a") -> dict[str, Any]:
    known = histories.kept(team.homes[0].state)
    digests = tuple(Evidence.from_json(each).digest for each in known)
    return two_signed(
        Reconciliation(section=section, evidence=digests, reason="已核对", at=scene.T0)
    )


def asked(team: Team, honest: Log) -> None:
    """The centre goes on with the honest history and asks for partials."""
    team.centre.log = honest
    team.clock.set(scene.T0 - 6000)
    team.people[0].step()
    certificate, _ = scene.ready()
    Opening(team.centre, certificate, scene.custodians()[2:4]).ask()
    team.clock.set(scene.T0 + 1000)


def test_who_saw_two_histories_releases_nothing_until_two_have_reconciled_them(team: Team) -> None:
    honest = caught(team)
    asked(team, honest)
    assert refusal(team) == "one-history"
    state = team.homes[0].state
    other = reconciliation(team, "sec_b")
    assert handed.accept(state, team.roster, other, scene.T0)[0] == "reconciliation"
    team.clock.advance(10_000)
    assert refusal(team) == "one-history"
    handed.accept(state, team.roster, reconciliation(team), scene.T0)
    assert refusal(team) == ""


def test_evidence_handed_over_directly_counts_although_the_centre_shows_none(team: Team) -> None:
    honest = caught(team)
    brought = team.centre.evidence.pop()
    team.homes[0].state.unsay(histories.EVIDENCE, Evidence.from_json(brought).digest)
    asked(team, honest)
    accused = handed.accept(team.homes[0].state, team.roster, brought, scene.T0)
    assert accused == ("evidence", ORIGIN)
    assert refusal(team) == "one-history"


def test_what_the_centre_publishes_of_two_histories_is_learnt_before_an_answer(team: Team) -> None:
    honest = caught(team)
    (brought,) = team.centre.evidence
    team.homes[0].state.unsay(histories.EVIDENCE, Evidence.from_json(brought).digest)
    asked(team, honest)
    assert refusal(team) == "one-history"
    assert histories.kept(team.homes[0].state) == [brought]


def test_whoever_serves_says_that_two_histories_were_proved(team: Team) -> None:
    honest = caught(team)
    team.centre.log = honest
    other = team.people[0]
    (brought,) = team.centre.evidence
    other.home.state.unsay(histories.EVIDENCE, Evidence.from_json(brought).digest)
    other.step()
    other.step()
    told = [line for line in team.lines if "has signed two histories" in line]
    assert len(told) == 1
    assert ORIGIN in told[0]
    assert histories.kept(other.home.state) == [brought]


def test_false_evidence_stops_nothing(team: Team) -> None:
    honest = team.centre.log
    show(team, honest, 0)
    note = honest.checkpoint()
    team.centre.evidence = [
        Evidence(team.roster.ledger, note, note).to_json(),
        {"v": 1},
        elsewhere().to_json(),
    ]
    asked(team, honest)
    assert refusal(team) == ""
    assert histories.kept(team.homes[0].state) == []
    for false in team.centre.evidence[:1]:
        with pytest.raises(ClientError, match="proves nothing"):
            handed.accept(team.homes[0].state, team.roster, false, scene.T0)


def elsewhere() -> Evidence:
    """The same log key has signed two histories, but under another origin, which nobody pinned."""
    key = Log().key
    notes = [sign(Checkpoint("elsewhere/ledger/1", 2, bytes([n]) * 32), key) for n in (1, 2)]
    return Evidence(vkey("elsewhere/ledger/1", key), *notes)


def test_a_witness_that_cosigned_two_histories_is_proved_by_one_differing_leaf(team: Team) -> None:
    """Two notes of different sizes: each leaf is shown in its own tree."""
    keys = scene.custodians()[2]
    honest, forged = team.centre.log, other_history("born", "forged", "third")
    notes = [
        cosignature.add(log.checkpoint(), keys.note, keys.name, 7 + n)
        for n, log in enumerate((honest, forged))
    ]
    places = [
        Place(merkle.leaf_hash(log.leaves[1]), tuple(log.tree.inclusion_proof(1, log.tree.size)))
        for log in (honest, forged)
    ]
    found = Evidence(keys.witness, notes[0], notes[1], 1, (places[0], places[1]))
    state = team.homes[0].state
    assert handed.accept(state, team.roster, found.to_json(), 1) == ("evidence", keys.name)
    # It accuses a witness, not the log: the witness is not counted any more, two others are enough.
    show(team, honest, 0)
    certificate, _ = scene.ready()
    team.centre.log = honest
    Opening(team.centre, certificate, scene.custodians()[1:3]).ask()
    team.clock.set(scene.T0 + 1000)
    team.people[0].step()
    team.clock.set(scene.T0 + 7000)
    assert refusal(team) == "witnessed"
    team.centre.requests.clear()
