"""The demo's steps in their order, and what is shown when all is done."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

from clients.demo import attacks, bids, draw, evidence, opening, session, setting_up
from clients.demo import sentences as say
from clients.demo.processes import Cast
from clients.demo.stage import Stage, tell
from clients.demo.world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from clients.demo.stage import Told

STEPS: Final[tuple[tuple[str, Callable[[World], Told]], ...]] = (
    ("1.1 中心、托管人、见证人 centre, custodians, witness", setting_up.people),
    ("1.2 投标人与试封 bidders, and a measured trial", bids.enrol),
    ("1.3 密钥仪式与公告 key ceremony and notice", setting_up.tender),
    ("1.4 浮动点承诺 the float draw, committed to", draw.commit),
    ("2.1 密封递交 sealed bids and receipts", bids.act),
    ("3.1 全盘文件加两份份额 the whole disk and two shares", attacks.with_two_shares),
    ("3.2 提前索取 custodians asked too early", attacks.too_early),
    ("4.1 一人被杀、一份被改 one custodian killed, one share altered", opening.before),
    ("2.2 迟到 20 毫秒 a bid 20 ms late", bids.late),
    ("4.2 截止、解锁 close and unlock", opening.unlock),
    ("4.3 唱标、确认、开标记录 reading-out and record", opening.read_out),
    ("5.1 竞价公告 the session announced", session.announce),
    ("5.2 报价与断电 offers, and a kill in the middle", session.run),
    ("5.3 成交与确认书 result and confirmations", session.result),
    ("6.1 记录、归档包、回执 records, dossiers, receipts", evidence.gather),
    ("6.2 离线核验 verified offline", evidence.verify),
    ("6.3 改动一个字节 one byte flipped", evidence.flip),
)


def perform(out: Path, *, headless: bool, fast: bool, seed: int, debug: bool) -> bool:
    """Run the demo; say whether every step went as it must.

    A step that fails ends the run: what follows would only repeat its failure.

    Args:
        out: an empty folder.
        headless: end when done; otherwise the centre keeps running until Ctrl-C.
        fast: smaller files, shortest windows.
        seed: of the bids' content.
        debug: show tracebacks.
    """
    # SIGTERM ends the demo as Ctrl-C does, so that none of its processes is left behind.
    # Not what SIGINT does here: a shell starts what runs in its background with SIGINT ignored.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stage = Stage(headless=headless, debug=debug)
    keep = out / "homes"
    with Cast(keep / "logs") as cast:
        world = World(out=out, stage=stage, cast=cast, fast=fast, seed=seed, keep=keep)
        for name, act in STEPS:
            if not stage.step(name, lambda act=act: act(world)):  # type: ignore[misc]
                for dead in cast.died():
                    stage.say(tell(say.ENDED, name=dead, words=cast.last_words(dead)))
                break
        done = len(stage.steps) == len(STEPS)
        stage.write_summary(out / "summary.json")
        print(
            f"{'全部如期 all as it must be' if done and stage.ok else '未通过 failed'}: {out / 'summary.json'}",
            flush=True,
        )
        if done and stage.ok and not headless:
            _keep_serving(world)
    return done and stage.ok


def _keep_serving(world: World) -> None:
    """Print where to look, and serve until Ctrl-C."""
    section, lot = world.facts["section"]["section"], world.facts["session"]
    for label, place in (
        ("门户 portal", "/"),
        ("开标大厅 opening hall", f"/open/{section}"),
        ("竞价大厅 auction hall", f"/auction/{lot}"),
        ("记录 records", "/records"),
    ):
        print(f"  {label}: {world.server}{place}", flush=True)
    print("  Ctrl-C 结束 ends it", flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        print(flush=True)
