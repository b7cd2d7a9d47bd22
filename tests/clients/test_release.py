"""A custodian answers at T and for what the log holds; asked otherwise it refuses by a named check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bidding.model import Postponement, Release, ReleaseRefusal, Termination
from clients.custodian import handed
from clients.custodian.ceremony import SHARE, certificate_of, keep_birth, keep_share, load_share
from clients.errors import ClientError
from crypto import statement, threshold
from crypto.encoding import unb64
from crypto.p256 import Point, Secret
from tests.clients import scene
from tests.clients.opening_scene import Opening, two_signed
from tests.clients.team import Team
from trading.ground.clock import FrozenClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    """Two of five custodians, with the usual ceremony behind them."""
    made = Team(tmp_path, 2)
    certificate, shares = scene.ready()
    from crypto.canonical import canonical

    for home, share in zip(made.homes, shares, strict=False):
        home.state.say("certificate", "cer_a", canonical(certificate.to_json()), 1)
        keep_share(home, "cer_a", share.secret, 1)
    made.centre.log.add({"v": 1, "kind": "born"})
    made.clock.set(scene.T0 - 6000)
    for each in made.people:
        each.step()
    yield made
    made.close()


def opening(team: Team, **changed: Any) -> Opening:
    others = scene.custodians()[2:4]
    certificate = certificate_of(team.homes[0], "cer_a")
    return Opening(team.centre, certificate, others, **changed)


def ask(team: Team, at: int = scene.T0 + 1000, **changed: Any) -> dict[str, Any]:
    """Puts the request up and lets the first custodian look at it once."""
    made = opening(team, **changed)
    made.ask()
    team.clock.set(at)
    team.people[0].step()
    assert team.centre.partials, team.lines
    return team.centre.partials[-1]


def refusal(signed: dict[str, Any]) -> str:
    body = statement.verify(signed, purpose="release_refusal", centre=scene.CENTRE)
    return ReleaseRefusal.from_body(body).check


def test_at_the_hour_a_custodian_answers_with_partials_that_anybody_can_check(team: Team) -> None:
    signed = ask(team)
    body = statement.verify(
        signed, purpose="release", centre=scene.CENTRE, key=team.homes[0].keys.statement.public
    )
    said = Release.from_body(body)
    group = scene.ready()[1][0].group
    points = [Point.parse(unb64(text)) for text in said.encapsulations]
    partials = [Point.parse(unb64(text)) for text in said.partials]
    assert len(points) == 3
    threshold.check_partial(group.share(said.index), points, partials, unb64(said.proof))
    team.people[0].step()
    assert team.centre.partials[-1] == signed


def test_t_itself_is_the_first_instant(team: Team) -> None:
    signed = ask(team, scene.T0)
    assert signed["statement"]["purpose"] == "release"


def test_a_custodian_asked_a_millisecond_early_refuses(team: Team) -> None:
    assert refusal(ask(team, scene.T0 - 1)) == "time-reached"


def test_an_earlier_t_than_the_keys_own_is_refused(team: Team) -> None:
    earlier = scene.T0 - 60_000
    assert refusal(ask(team, earliest=earlier, deadline=earlier)) == "key-assigned"


def test_an_earlier_t_in_the_list_alone_is_refused(team: Team) -> None:
    assert refusal(ask(team, listed_deadline=scene.T0 - 60_000)) == "deadline-agreed"


def test_a_key_assigned_a_second_time_is_refused(team: Team) -> None:
    assert refusal(ask(team, assign_twice=True)) == "key-assigned"


def test_bids_taken_under_an_earlier_assignment_cannot_be_left_out(team: Team) -> None:
    """The centre takes bids, then assigns the key anew and shows the run from there, without one of them."""
    opening(team).write()
    made = opening(team)
    request = made.write(("org_a", "org_b", "org_d"))
    assert request.start > team.centre.log.leaves.index(
        next(leaf for leaf in team.centre.log.leaves if b'"kind":"slot"' in leaf)
    )
    team.centre.requests["sec_a"] = request.to_body()
    team.clock.set(scene.T0 + 1000)
    team.people[0].step()
    assert refusal(team.centre.partials[-1]) == "key-assigned"


def test_a_run_begins_with_what_was_cosigned_before_there_was_a_key(team: Team) -> None:
    for number in range(6):  # 7 leaves: three full subtrees
        team.centre.log.add({"v": 1, "kind": f"before {number}"})
    team.people[0].step()
    size, content = team.homes[0].state.mark("checkpoint")
    keep_birth(team.homes[0], "cer_a", size, content[:32], 1)
    made = opening(team)
    made.ask()
    assert made.start > size == 7
    team.clock.set(scene.T0 + 1000)
    team.people[0].step()
    assert team.centre.partials[-1]["statement"]["purpose"] == "release"
    assert ("GET", "/ledger/leaves") in [(m, p.partition("?")[0]) for m, p in team.centre.calls]


def test_a_live_key_asked_for_a_rehearsal_is_refused(team: Team) -> None:
    made = opening(team)
    body = made.write().to_body()
    team.centre.requests["sec_a"] = {**body, "use": "rehearsal"}
    team.clock.set(scene.T0 + 1000)
    team.people[0].step()
    assert refusal(team.centre.partials[-1]) == "key-context"


def test_a_list_that_leaves_out_a_bid_is_refused(team: Team) -> None:
    assert refusal(ask(team, omit="org_b")) == "list-exact"


def test_cosignatures_stamped_before_t_or_long_after_do_not_count(team: Team) -> None:
    opening(team, stamp=scene.T0 - 1000).ask()
    team.clock.set(scene.T0 + 1000)
    team.people[0].step()
    assert team.centre.partials == []  # the others get a moment
    team.clock.set(scene.T0 + 7000)
    team.people[0].step()
    assert refusal(team.centre.partials[-1]) == "witnessed"


def test_a_clock_set_back_gets_a_refusal_that_says_so(team: Team) -> None:
    made = opening(team)
    made.ask()
    team.people[0].clock = FrozenClock(scene.T0 - 3_600_000)
    team.people[0].step()
    assert refusal(team.centre.partials[-1]) == "clock-forward"
    # and an hour later, by the same clock, nothing has changed for the worse
    team.people[0].clock = FrozenClock(scene.T0 + 1000)
    team.people[0].step()
    assert team.centre.partials[-1]["statement"]["purpose"] == "release"


def test_a_hold_is_a_veto_until_it_is_lifted(team: Team) -> None:
    state = team.homes[0].state
    handed.put_on_hold(state, "sec_a", "court order", scene.T0)
    assert refusal(ask(team)) == "not-held"
    handed.put_on_hold(state, "sec_a", None, scene.T0)
    team.people[0].step()
    assert team.centre.partials[-1]["statement"]["purpose"] == "release"


def postponement(**changed: Any) -> Postponement:
    base = {
        "tender": "ten_a",
        "section": "sec_a",
        "previous": scene.T0,
        "deadline": scene.T0 + 60_000,
        "reason": "系统故障",
        "at": scene.T0 - 60_000,
    }
    return Postponement(**{**base, **changed})


def test_a_postponement_handed_over_directly_binds_although_the_log_hides_it(team: Team) -> None:
    state = team.homes[0].state
    taken = handed.accept(state, team.roster, two_signed(postponement()), scene.T0)
    assert taken == ("postponement", "sec_a")
    assert refusal(ask(team)) == "deadline-agreed"


def test_a_termination_handed_over_ends_the_section(team: Team) -> None:
    ended = Termination(tender="ten_a", section="sec_a", reason="终止", at=scene.T0)
    handed.accept(team.homes[0].state, team.roster, two_signed(ended), scene.T0)
    assert refusal(ask(team)) == "deadline-agreed"


def test_what_only_one_signed_or_moves_t_earlier_is_not_taken(team: Team) -> None:
    state = team.homes[0].state
    both = two_signed(postponement())
    for wrong in (
        {"centre": both["centre"], "supervisor": both["centre"]},
        {"centre": both["supervisor"], "supervisor": both["supervisor"]},
        {**both, "supervisor": two_signed(postponement(reason="别的"))["supervisor"]},
        two_signed(postponement(deadline=scene.T0 - 60_000)),
        {"centre": {}, "supervisor": {}},
        [],
    ):
        with pytest.raises(ClientError):
            handed.accept(state, team.roster, wrong, scene.T0)
    assert state.all_said("handed") == {}


def test_a_forked_log_with_an_earlier_assignment_gets_no_partial(team: Team) -> None:
    """The custodian has cosigned another history than the one it is shown now."""
    from tests.clients.fake_centre import Log

    team.centre.log = Log()
    team.centre.log.add({"v": 1, "kind": "another birth"})
    assert refusal(ask(team)) == "log-consistent"


def test_a_share_altered_in_its_home_gives_an_answer_that_names_its_custodian(team: Team) -> None:
    home = team.homes[0]
    honest = load_share(home, "cer_a")
    home.state.unsay(SHARE, "cer_a")
    keep_share(home, "cer_a", Secret(honest.scalar + 1), 2)
    said = Release.from_body(statement.verify(ask(team), purpose="release", centre=scene.CENTRE))
    group = scene.ready()[1][0].group
    points = [Point.parse(unb64(text)) for text in said.encapsulations]
    partials = [Point.parse(unb64(text)) for text in said.partials]
    with pytest.raises(threshold.WrongAnswerError) as caught:
        threshold.check_partial(group.share(1), points, partials, unb64(said.proof), 1)
    assert caught.value.index == 1
    report = handed.rehearsal(home, team.roster, "http://127.0.0.1:9", scene.T0)
    assert report["shares"]["cer_a"] == "does not fit its verification share"
    assert not report["ready"]
