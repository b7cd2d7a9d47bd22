"""Custodians with homes of their own around one fake centre."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clients.custodian import card, roster
from clients.custodian.home import Home, Identity
from clients.custodian.keys import Keys
from clients.custodian.roster import Roster
from clients.custodian.serve import Custodian
from clients.sdk.wire import Centre
from tests.clients import scene
from tests.clients.fake_centre import FakeCentre, Log
from trading.ground.clock import FrozenClock

if TYPE_CHECKING:
    from pathlib import Path

WORK = 1  # scrypt's work factor decides nothing here


def make_home(folder: Path, n: int, role: str = card.CUSTODIAN) -> Home:
    organisation = (*scene.ORGANISATIONS, "审计局", "监督局")[n - 1]
    identity = Identity(role=role, centre=scene.CENTRE, organisation=organisation)
    secret = bytes([n]) * 32
    return Home.create(
        folder / f"home-{n}", identity, "pass", now=scene.BORN, work=WORK, secret=secret
    )


def make_roster(log: Log) -> Roster:
    cards = [
        card.make(key, scene.CENTRE, organisation, card.CUSTODIAN)
        for key, organisation in zip(scene.custodians(), scene.ORGANISATIONS, strict=True)
    ]
    witness = card.make(
        Keys(bytes([6]) * 32, witness_only=True), scene.CENTRE, "审计局", card.WITNESS
    )
    return Roster.from_json(
        roster.build(
            scene.CENTRE,
            scene.centre_key().public,
            scene.supervisor_key().public,
            log.vkey,
            cards,
            [witness],
        )
    )


class Team:
    """Up to five custodians and the centre between them."""

    def __init__(self, folder: Path, count: int = 5) -> None:
        self.centre = FakeCentre()
        self.clock = FrozenClock(scene.BORN)
        self.roster = make_roster(self.centre.log)
        self.lines: list[str] = []
        self.homes = [make_home(folder, n) for n in range(1, count + 1)]
        self.people = [self.custodian(home) for home in self.homes]

    def custodian(self, home: Home) -> Custodian:
        return Custodian(home, self.roster, Centre(self.centre), self.clock, self.lines.append)

    def step(self) -> None:
        self.clock.advance(1000)
        for each in self.people:
            each.step()

    def close(self) -> None:
        for home in self.homes:
            home.close()
