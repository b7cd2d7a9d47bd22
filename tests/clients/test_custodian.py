"""A custodian against a centre that may lie: ceremonies, witnessing, and nothing said twice differently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from clients.custodian import card, roster
from clients.custodian.ceremony import Ceremonies, Task, certificate_of, load_share
from clients.custodian.cosigner import Cosigner, ForkError
from clients.custodian.home import Home
from clients.custodian.keys import Keys
from clients.custodian.roster import Roster
from clients.custodian.state import ClockWentBackError, State
from clients.errors import ClientError, UnfitError, UsageError
from clients.sdk.wire import Centre
from crypto.certificate import verify_certificate
from crypto.errors import CeremonyError
from crypto.tlog import checkpoint, cosignature
from tests.clients import scene
from tests.clients.fake_centre import Log
from tests.clients.team import Team, make_home
from trading.ground.clock import FrozenClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    made = Team(tmp_path)
    made.centre.log.add({"v": 1, "kind": "born"})
    yield made
    made.close()


def test_five_custodians_make_a_key_and_each_keeps_its_share(team: Team) -> None:
    team.centre.hold_ceremony(scene.context(scene.custodians()))
    for _ in range(3):
        team.step()
    certificates = {certificate_of(home, "cer_a") for home in team.homes}
    assert len(certificates) == 1, team.lines
    group = verify_certificate(certificates.pop(), team.roster.hosts().keys())
    for index, home in enumerate(team.homes, 1):
        assert load_share(home, "cer_a").public() == group.share(index)
        # The nonce of the ceremony is erased with its end.
        assert home.state.said("ceremony", "cer_a") is None


def test_a_finished_ceremony_asked_again_says_the_same_and_begins_nothing(team: Team) -> None:
    told = scene.context(scene.custodians())
    team.centre.hold_ceremony(told)
    team.step()
    home = team.homes[0]
    first = team.centre.messages["cer_a"][1][home.keys.name]
    team.step()
    team.step()
    again = Ceremonies(home, team.roster)
    task = Task(ceremony="cer_a", round=1, context=told.to_bytes(), messages=())
    assert again.answer(task, team.clock.now()) == first
    assert home.state.said("ceremony", "cer_a") is None


def test_a_second_transcript_of_one_ceremony_is_never_signed(team: Team) -> None:
    told = scene.context(scene.custodians())
    team.centre.hold_ceremony(told)
    team.step()
    team.step()
    home = team.homes[0]
    signed = team.centre.messages["cer_a"][2][home.keys.name]
    other = {name: dict(each) for name, each in team.centre.messages["cer_a"][1].items()}
    names = [key.name for key in scene.custodians()]
    forged = [other[name] for name in names]
    forged[1], forged[2] = forged[2], forged[1]
    task = Task(ceremony="cer_a", round=2, context=told.to_bytes(), messages=tuple(forged))
    assert Ceremonies(home, team.roster).answer(task, team.clock.now()) == signed


def ceremony_refusal(team: Team, told: Any) -> str:
    ceremonies = Ceremonies(team.homes[0], team.roster)
    task = Task(ceremony="cer_a", round=1, context=told.to_bytes(), messages=())
    with pytest.raises(ClientError) as caught:
        ceremonies.answer(task, team.clock.now())
    return str(caught.value)


def test_a_ceremony_with_a_stranger_in_it_is_refused(team: Team) -> None:
    keys = (*scene.custodians()[:4], Keys(bytes([77]) * 32))
    assert "not pinned" in ceremony_refusal(team, scene.context(keys))


def test_a_ceremony_of_another_centre_or_id_or_past_time_is_refused(team: Team) -> None:
    keys = scene.custodians()
    assert "another centre" in ceremony_refusal(team, scene.context(keys, centre="elsewhere"))
    assert "another centre" in ceremony_refusal(team, scene.context(keys, ceremony="cer_b"))
    past = scene.context(keys, earliest=scene.BORN - 1000)
    assert "past" in ceremony_refusal(team, past)
    odd = scene.context(keys, earliest=scene.T0 + 1)
    assert "slot boundary" in ceremony_refusal(team, odd)


def test_a_first_message_altered_under_way_stops_the_ceremony(team: Team) -> None:
    told = scene.context(scene.custodians())
    team.centre.hold_ceremony(told)
    team.step()
    names = [key.name for key in scene.custodians()]
    messages = [team.centre.messages["cer_a"][1][name] for name in names]
    task = Task(
        ceremony="cer_a", round=2, context=told.to_bytes(), messages=(messages[1], *messages[1:])
    )
    with pytest.raises(Exception, match="signed by another key"):
        Ceremonies(team.homes[0], team.roster).answer(task, team.clock.now())
    lost = Ceremonies(team.homes[1], team.roster)
    team.homes[1].state.unsay("ceremony", "cer_a")
    task = Task(ceremony="cer_a", round=2, context=told.to_bytes(), messages=tuple(messages))
    with pytest.raises(CeremonyError, match="another first message"):
        lost.answer(task, team.clock.now())


# --- witnessing ------------------------------------------------------------------------------


def test_a_witness_cosigns_a_growing_log_with_its_own_time(team: Team) -> None:
    team.step()
    team.centre.log.add({"v": 1, "kind": "more"})
    team.step()
    keys = [each.keys.witness for each in team.homes]
    last = team.centre.log.cosigned[-1]
    (seen,) = cosignature.verify(last, keys)
    assert seen.timestamp == team.clock.now() // 1000
    assert checkpoint.open_checkpoint(last, team.centre.log.vkey).size == 2
    assert len(team.centre.log.cosigned) == 10


def test_an_unchanged_log_is_cosigned_again_only_after_a_while(team: Team) -> None:
    for _ in range(11):
        team.step()
    assert len(team.centre.log.cosigned) == 10
    last = team.centre.log.cosigned[-1]
    (seen,) = cosignature.verify(last, [each.keys.witness for each in team.homes])
    assert seen.timestamp == scene.BORN // 1000 + 11


def fork(log: Log, *leaves: str) -> Log:
    other = Log()
    for leaf in leaves:
        other.add({"v": 1, "kind": leaf})
    return other


@pytest.mark.parametrize(
    "leaves", [("other",), ("born",), (), ("other", "leaves", "than", "before")]
)
def test_a_log_with_another_history_gets_no_cosignature(
    team: Team, leaves: tuple[str, ...]
) -> None:
    team.centre.log.add({"v": 1, "kind": "second"})
    home = team.homes[0]
    witness = Cosigner(home, team.roster.ledger)
    assert witness.step(Centre(team.centre), team.clock.now())
    team.centre.log = fork(team.centre.log, *leaves)
    if leaves:
        with pytest.raises(ForkError):
            Cosigner(home, team.roster.ledger).step(Centre(team.centre), team.clock.now())
        assert home.state.all_said("contradiction")
    else:
        assert not witness.step(Centre(team.centre), team.clock.now())
    assert team.centre.log.cosigned == []


def test_two_histories_shown_to_two_witnesses_are_both_cosigned_but_by_nobody_twice(
    team: Team,
) -> None:
    one, two = team.homes[0], team.homes[1]
    Cosigner(one, team.roster.ledger).step(Centre(team.centre), team.clock.now())
    mine = team.centre.log.cosigned[-1]
    team.centre.log = fork(team.centre.log, "other", "history")
    Cosigner(two, team.roster.ledger).step(Centre(team.centre), team.clock.now())
    theirs = team.centre.log.cosigned[-1]
    with pytest.raises(ForkError):
        Cosigner(one, team.roster.ledger).step(Centre(team.centre), team.clock.now())
    assert len(cosignature.verify(mine, [one.keys.witness, two.keys.witness])) == 1
    assert len(cosignature.verify(theirs, [one.keys.witness, two.keys.witness])) == 1


def test_a_checkpoint_of_a_stranger_is_not_cosigned(team: Team) -> None:
    team.centre.log.key = team.homes[0].keys.note
    team.step()
    assert team.centre.log.cosigned == []
    assert any("none of the known keys" in line for line in team.lines)


# --- home and memory -------------------------------------------------------------------------


def test_a_home_opens_with_its_passphrase_only_and_for_one_process_only(tmp_path: Path) -> None:
    home = make_home(tmp_path, 1)
    with pytest.raises(UnfitError, match="another process"):
        Home.open(home.path, "pass")
    home.close()
    with pytest.raises(ClientError, match="does not open"):
        Home.open(home.path, "word")
    with Home.open(home.path, "pass") as again:
        assert again.keys.name == home.keys.name
        assert again.card().fingerprint == home.card().fingerprint
    with pytest.raises(UsageError, match="never overwritten"):
        make_home(tmp_path, 1)
    with pytest.raises(UsageError, match="no home"):
        Home.open(tmp_path / "nowhere", "pass")


def test_the_host_secret_is_nowhere_in_the_home_in_clear(tmp_path: Path) -> None:
    with make_home(tmp_path, 3) as home:
        share = home.keys.seal("x", b"a secret share" * 2)
        home.state.say("share", "x", share, 1)
        assert home.keys.unseal("x", share) == b"a secret share" * 2
        with pytest.raises(ClientError, match="does not fit"):
            home.keys.unseal("y", share)
    for path in home.path.iterdir():
        data = path.read_bytes()
        assert home.keys.secret not in data
        assert home.keys.secret.hex().encode() not in data
        assert b"a secret share" not in data


def test_what_was_said_stays_said_and_marks_only_go_forward(tmp_path: Path) -> None:
    state = State(tmp_path / "state.sqlite")
    assert state.say("round1", "cer", b"one", 1) == b"one"
    assert state.say("round1", "cer", b"two", 2) == b"one"
    state.advance("clock", 5_000)
    with pytest.raises(ClientError):
        state.advance("clock", 4_999)
    state.advance("checkpoint", 3, b"root")
    state.advance("checkpoint", 3, b"root")
    with pytest.raises(ClientError):
        state.advance("checkpoint", 3, b"other")
    with pytest.raises(ClockWentBackError):
        state.see_time(4_000)
    state.close()


def test_a_clock_that_went_back_stops_witnessing_until_it_has_caught_up(team: Team) -> None:
    team.step()
    count = len(team.centre.log.cosigned)
    team.centre.log.add({"v": 1, "kind": "more"})
    team.clock = FrozenClock(scene.BORN - 3_600_000)
    for each in team.people:
        each.clock = team.clock
    team.step()
    assert len(team.centre.log.cosigned) == count
    assert any("less than it has shown before" in line for line in team.lines)


def test_a_roster_with_one_organisation_twice_is_refused() -> None:
    log = Log()
    one = card.make(scene.custodians()[0], scene.CENTRE, "公证处", card.CUSTODIAN)
    two = card.make(scene.custodians()[1], scene.CENTRE, "公证处", card.CUSTODIAN)
    keys = scene.centre_key().public, scene.supervisor_key().public
    with pytest.raises(ClientError, match="no one holds two shares"):
        Roster.from_json(roster.build(scene.CENTRE, *keys, log.vkey, [one, two], []))
    with pytest.raises(ClientError, match="two people"):
        Roster.from_json(roster.build(scene.CENTRE, keys[0], keys[0], log.vkey, [one], []))
    two["statement"]["organisation"] = "税务局"
    with pytest.raises(ClientError, match="no card"):
        Roster.from_json(roster.build(scene.CENTRE, *keys, log.vkey, [one, two], []))


def test_a_centre_that_answers_nonsense_is_reported_and_outlived(team: Team) -> None:
    team.centre.requests["sec_a"] = {"section": "sec_a"}
    team.centre.tasks = lambda _: ["x", {"kind": "ceremony"}, {"kind": "release"}]  # type: ignore[assignment, list-item, return-value]
    team.step()
    assert any("malformed" in line for line in team.lines)
