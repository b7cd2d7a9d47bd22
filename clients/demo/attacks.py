"""Step 3: attacks that must fail, and the control that shows they would succeed with one share more."""

from __future__ import annotations

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from bidding.model import ReleaseRefusal
from clients import sealing, tenders
from clients import trust as pinned
from clients.custodian.ceremony import certificate_of, load_share
from clients.custodian.home import Home
from clients.demo import sentences as say
from clients.demo.attack import open_with, sealed_files
from clients.demo.false_centre import FalseCentre
from clients.demo.setting_up import POLL_MS, passphrase
from clients.demo.stage import Told, must, refused, tell
from clients.demo.world import CENTRE, World
from crypto import statement
from crypto.certificate import verify_certificate
from crypto.encoding import unb64
from crypto.errors import AuthenticationError

if TYPE_CHECKING:
    from pathlib import Path

    from clients.demo.bids import Bidder
    from crypto.certificate import GroupKey
    from crypto.p256 import Secret

ANSWER_SECONDS: Final = 20
MINUTE_MS: Final = 60_000


def with_two_shares(world: World) -> Told:
    """All files of the centre's home and the unlocked shares of two custodians open no bid."""
    stolen = _copies(world, (1, 2, 3))
    section, rehearsal = world.facts["section"], world.facts["rehearsal"]
    group, shares = _shares(stolen, section)
    two = {index: shares[index] for index in list(shares)[:2]}
    found = list(sealed_files(world.home))
    must(found, "no sealed bid lies in the centre's home: the attack would prove nothing")
    out = world.keep / "attack.tar"
    for sealed in found:
        with refused(AuthenticationError):
            open_with(sealed, out, group, two)
        must(not out.exists(), "something came out")
    control = _rehearsal_bid(world, rehearsal)
    practice, those = _shares(stolen, rehearsal)
    with refused(AuthenticationError):
        open_with(control, out, practice, {index: those[index] for index in list(those)[:2]})
    open_with(control, out, practice, those)
    must(out.exists(), "the control did not open: the attack's failure proves nothing")
    out.unlink()
    return tell(say.TWO_SHARES, n=len(found))


def too_early(world: World) -> Told:
    """A centre that forges its ledger asks a custodian before T, and with an earlier T: both refused."""
    section = world.facts["section"]
    ceremony = section["file"]["statement"]["ceremony"]
    deadline = world.facts["deadline"]
    claims = {"early": deadline, "an earlier T": deadline - MINUTE_MS}
    with ThreadPoolExecutor(len(claims)) as pool:
        said = dict(
            zip(
                claims,
                pool.map(
                    lambda claim: _ask(world, section["section"], ceremony, *claim), claims.items()
                ),
                strict=True,
            )
        )
    must(
        said == {"early": "time-reached", "an earlier T": "deadline-agreed"},
        f"refused otherwise: {said}",
    )
    return tell(say.TOO_EARLY, early=said["early"], earlier=said["an earlier T"])


def _ask(world: World, section: str, ceremony: str, name: str, claimed: int) -> str:
    """Let a copy of a custodian run against a centre that lies; returns the check by which it refuses."""
    original = world.custodians[3]
    home = _copy(world, original, f"asked {name}".replace(" ", "-"))
    with FalseCentre(world.server, world.home, section, ceremony, claimed) as false:
        world.cast.start(
            home.name, "custodian", "serve", "--home", str(home), "--server", false.address,
            "--passphrase-file", str(passphrase(original)), "--interval-ms", str(POLL_MS),
        )  # fmt: skip
        world.until("a custodian's answer", partial(bool, false.answers), ANSWER_SECONDS)
        world.cast.stop(home.name)
    body = statement.verify(false.answers[0], purpose=ReleaseRefusal.PURPOSE, centre=CENTRE)
    return str(body["check"])


def _copies(world: World, numbers: tuple[int, ...]) -> list[Home]:
    homes = []
    for number in numbers:
        original = world.custodians[number - 1]
        copy = _copy(world, original, f"stolen-{number}")
        homes.append(Home.open(copy, passphrase(original).read_text("utf-8").strip()))
    return homes


def _copy(world: World, original: Path, name: str) -> Path:
    """A consistent copy of a home whose process is running."""
    copy = world.keep / name
    shutil.copytree(original, copy, ignore=shutil.ignore_patterns("state.sqlite*", "lock"))
    source = sqlite3.connect(f"file:{original / 'state.sqlite'}?mode=ro", uri=True)
    target = sqlite3.connect(copy / "state.sqlite")
    source.backup(target)
    target.close()
    source.close()
    return copy


def _shares(homes: list[Home], one: dict[str, Any]) -> tuple[GroupKey, dict[int, Secret]]:
    """The section's public key and the shares that these homes hold of it."""
    told = one["file"]["statement"]
    ceremony = told["ceremony"]
    certificate = certificate_of(homes[0], ceremony)
    hosts = {unb64(one["host_key"]) for one in told["custodians"]}
    group = verify_certificate(certificate, hosts)
    return group, {
        group.index_of(home.keys.host.public): load_share(home, ceremony) for home in homes
    }


def _rehearsal_bid(world: World, rehearsal: dict[str, Any]) -> Path:
    bidder: Bidder = world.facts["bidders"]["early"]
    target = world.keep / "rehearsal.age"
    checked = tenders.check(rehearsal["file"], pinned.read(world.trust))
    sealing.seal(checked, bidder.summary, bidder.who.key, bidder.files[:1], target)
    return target
