"""The demo's steps in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clients.demo import attacks, bids, evidence, opening, session, setting_up
from clients.demo.processes import Cast
from clients.demo.stage import Stage
from clients.demo.world import World

if TYPE_CHECKING:
    from pathlib import Path


def perform(out: Path, *, headless: bool, fast: bool, seed: int, debug: bool) -> bool:
    """Run the demo; say whether every step went as it must.

    Args:
        out: an empty folder.
        headless: end when done.
        fast: smaller files, shortest windows.
        seed: of the bids' content.
        debug: show tracebacks.
    """
    stage = Stage(headless=headless, debug=debug)
    keep = out / "homes"
    with Cast(keep / "logs") as cast:
        world = World(out=out, stage=stage, cast=cast, fast=fast, seed=seed, keep=keep)
        stage.step("1a people, custodians, witness", lambda: setting_up.people(world))
        stage.step("2a bidders", lambda: bids.enrol(world))
        stage.step("1b ceremony and notice", lambda: setting_up.tender(world))
        stage.step("2b sealed bids", lambda: bids.act(world))
        stage.step("3a two shares and the whole disk", lambda: attacks.with_two_shares(world))
        stage.step("3b custodians asked early", lambda: attacks.too_early(world))
        stage.step("4a custodians killed and altered", lambda: opening.before(world))
        stage.step("2c the late bid", lambda: bids.late(world))
        stage.step("4b unlock", lambda: opening.unlock(world))
        stage.step("4c reading-out and record", lambda: opening.read_out(world))
        stage.step("5a the session is announced", lambda: session.announce(world))
        stage.step("5b offers, and a kill in the middle", lambda: session.run(world))
        stage.step("5c result on paper", lambda: session.result(world))
        stage.step("6a records, dossiers, receipts", lambda: evidence.gather(world))
        stage.step("6b verify", lambda: evidence.verify(world))
        stage.step("6c a flipped byte", lambda: evidence.flip(world))
    stage.write_summary(out / "summary.json")
    return stage.ok
