"""A home that was lost comes back with its words, or not at all: no other answer, no other history."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from clients.custodian import card, handed, histories
from clients.custodian.ceremony import SHARE, load_share
from clients.custodian.cosigner import Cosigner, ForkError
from clients.custodian.home import Home, Identity
from clients.custodian.recovery import Recovered, recover_all
from clients.custodian.serve import Custodian
from clients.errors import ClientError
from clients.sdk.wire import Answer
from clients.sdk.wire import Centre as Wire
from crypto.tlog import cosignature
from tests.clients import scene
from tests.clients.fake_centre import Log
from tests.clients.team import Team, make_home
from tests.clients.test_with_the_real_centre import Loop, Staffed, prepare
from tests.trading.world import CENTRE, ORIGIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from clients.sdk.wire import Body


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Staffed]:
    with Staffed(tmp_path / "home") as made:
        made.first_people()
        yield made
        for home in made.homes:
            home.close()


class Hiding(Loop):
    """A centre that forgets a custodian's answers when it asks for them."""

    def send(self, method: str, path: str, headers: Mapping[str, str], body: Body) -> Answer:
        answer = super().send(method, path, headers, body)
        if path.endswith("/recoveries"):
            told = {**json.loads(answer.body), "answers": []}
            return Answer(answer.status, answer.headers, json.dumps(told).encode())
        return answer


def at_the_hour(centre: Staffed) -> dict[str, Any]:
    """The first custodian answers and its home is lost; its signed answer."""
    prepare(centre)
    for each in centre.staff:
        each.step()
    centre.until(centre.deadline + 20)
    for each in centre.staff:
        each.cosigner.step(each.centre, centre.clock.now())
    first = centre.staff[0]
    first.step()
    (signed,) = first.home.state.all_said("release").values()
    return dict(json.loads(signed))


def remade(centre: Staffed, transport: Loop) -> tuple[Home, Recovered]:
    lost = centre.homes[0]
    identity = Identity(role=card.CUSTODIAN, centre=CENTRE, organisation="托管单位1")
    home = Home.create(
        centre.folder / "again", identity, "pass", now=centre.clock.now(), work=1,
        secret=lost.keys.secret,
    )  # fmt: skip
    return home, recover_all(home, centre.roster, Wire(transport, ORIGIN), centre.clock.now())


def test_a_lost_home_comes_back_with_its_shares_and_gives_the_identical_answer(
    centre: Staffed,
) -> None:
    signed = at_the_hour(centre)
    home, found = remade(centre, Loop(centre))
    with home:
        assert (found.shares, found.answers, found.held) == (1, 1, ())
        (ceremony,) = home.state.all_said(SHARE)
        lost = centre.homes[0]
        assert load_share(home, ceremony).scalar == load_share(lost, ceremony).scalar
        assert home.state.all_said("ceremony-round-1") == lost.state.all_said("ceremony-round-1")
        assert home.state.mark("clock")[0] >= lost.state.mark("clock")[0] // 1000 * 1000
        again = Custodian(home, centre.roster, Wire(Loop(centre), ORIGIN), centre.clock, print)
        assert again.cosigner.last()[0] == found.size
        answer, _ = again.releases.answer(again.centre, centre.section, centre.clock.now())
        assert answer == signed


def test_an_answer_that_the_centre_will_not_show_holds_the_section(centre: Staffed) -> None:
    signed = at_the_hour(centre)
    home, found = remade(centre, Hiding(centre))
    with home:
        assert (found.answers, found.held) == (0, (centre.section,))
        again = Custodian(home, centre.roster, Wire(Loop(centre), ORIGIN), centre.clock, print)
        answer, verdict = again.releases.answer(again.centre, centre.section, centre.clock.now())
        assert answer["statement"]["purpose"] == "release_refusal"
        assert verdict.refusal is not None
        assert verdict.refusal.id == "not-held"
        # Its people may lift that: then it can only be the same list and the same points.
        handed.put_on_hold(home.state, centre.section, None, centre.clock.now())
        answer, _ = again.releases.answer(again.centre, centre.section, centre.clock.now())
        for name in ("close_list", "encapsulations", "partials", "proof"):
            assert answer["statement"][name] == signed["statement"][name]


def test_without_two_others_awake_nothing_is_recovered(centre: Staffed) -> None:
    at_the_hour(centre)
    centre.until(centre.clock.now() + 61_000)
    with pytest.raises(ClientError, match="0 other witnesses"):
        remade(centre, Loop(centre))


def test_only_the_custodian_itself_gets_its_words_and_only_just_now(centre: Staffed) -> None:
    from bidding.model import Recovery
    from crypto import statement

    prepare(centre)
    mine, other = centre.homes[0].keys, centre.homes[1].keys
    now = centre.clock.now()
    for key, at, code in (
        (other.statement, now, "statement-invalid"),
        (mine.statement, now - 60_001, "recovery-stale"),
        (mine.statement, now, ""),
    ):
        body = Recovery(custodian=mine.name, at=at).to_body()
        signed = statement.sign(key, "recovery", CENTRE, body)
        answer = centre.call("POST", "/custody/recoveries", signed)
        assert answer.status_code == (422 if code else 200), answer.text
        assert code in answer.text
    assert centre.call("POST", "/custody/recoveries", {}).status_code in {404, 422}


# --- before a centre that shows another history -------------------------------------------------


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    """Two custodians have cosigned a log of two leaves; the first one's home is lost."""
    made = Team(tmp_path, 2)
    for kind in ("born", "second"):
        made.centre.log.add({"v": 1, "kind": kind})
    made.step()
    made.homes[0].close()
    shutil.rmtree(made.homes[0].path)
    yield made
    made.homes[1].close()


def note(team: Team, log: Log, *numbers: int, ago: int = 0) -> str:
    signed = log.checkpoint()
    for number in numbers:
        keys = scene.custodians()[number - 1]
        stamp = team.clock.now() // 1000 - ago
        signed = cosignature.add(signed, keys.note, keys.name, stamp)
    return signed.decode()


def again(team: Team, tmp_path: Path) -> Home:
    home = make_home(tmp_path / "new", 1)
    try:
        recover_all(home, team.roster, Wire(team.centre), team.clock.now())
    except BaseException:
        home.close()
        raise
    return home


def forged() -> Log:
    log = Log()
    for kind in ("born", "forged", "third"):
        log.add({"v": 1, "kind": kind})
    return log


def test_a_recovered_home_cosigns_and_answers_on_no_forked_log(team: Team, tmp_path: Path) -> None:
    team.centre.cosigned = [note(team, team.centre.log, 1, 3, 4)]
    with again(team, tmp_path) as home:
        team.centre.log = forged()
        with pytest.raises(ForkError):
            Cosigner(home, team.roster.ledger).step(Wire(team.centre), team.clock.now())
        assert len(histories.kept(home.state)) == 1
        assert team.centre.log.cosigned == []


def test_a_forked_log_shown_to_a_home_that_comes_back_is_caught_by_its_own_cosignature(
    team: Team, tmp_path: Path
) -> None:
    honest = note(team, team.centre.log, 1)
    team.centre.log = forged()
    team.centre.cosigned = [honest, note(team, team.centre.log, 3, 4)]
    with pytest.raises(ForkError, match="the proof lies in"):
        again(team, tmp_path)
    assert len(team.centre.evidence) == 1


@pytest.mark.parametrize(
    ("numbers", "ago"), [((1,), 0), ((1, 3), 0), ((1, 3, 4), 61)], ids=["own", "one", "stale"]
)
def test_a_log_that_two_others_do_not_vouch_for_is_not_taken(
    team: Team, tmp_path: Path, numbers: tuple[int, ...], ago: int
) -> None:
    team.centre.cosigned = [note(team, team.centre.log, *numbers, ago=ago)]
    with pytest.raises(ClientError, match="other witnesses have stamped"):
        again(team, tmp_path)


def test_leaves_that_are_not_the_logs_are_not_read(team: Team, tmp_path: Path) -> None:
    team.centre.cosigned = [note(team, team.centre.log, 1, 3, 4)]
    team.centre.log.leaves[1] = b'{"kind":"another"}'
    with pytest.raises(ClientError, match="not those under"):
        again(team, tmp_path)


def test_a_recovery_that_fails_leaves_no_home_that_could_serve(team: Team, tmp_path: Path) -> None:
    from clients.custodian.cli import group

    backup = make_home(tmp_path / "backup", 1)
    backup.close()
    (tmp_path / "pass").write_text("pass\n")
    (tmp_path / "roster.json").write_text(json.dumps(dict(team.roster.body)))
    result = CliRunner().invoke(
        group,
        [
            "recover", "--home", str(tmp_path / "new"), "--host", str(backup.path / "host.age"),
            "--roster", str(tmp_path / "roster.json"), "--server", "http://127.0.0.1:9",
            "--fingerprint", team.roster.fingerprint, "--passphrase-file", str(tmp_path / "pass"),
        ],
    )  # fmt: skip
    assert result.exit_code == 3, result.output
    assert not (tmp_path / "new").exists()
