"""The outbox: every message leaves at least once, and is queued once."""

import asyncio
import json

from trading.ground.outbox import RETRY_MS, FileAdapter, Outbox
from trading.ground.timers import Timers


class Gateway:
    """A mail relay that can be down."""

    def __init__(self):
        self.down = False
        self.sent = []

    def send(self, message):
        if self.down:
            raise ConnectionRefusedError
        self.sent.append(message)


def story_of(database, clock, adapter, story):
    async def run():
        timers = Timers(clock)
        outbox = Outbox(database, clock, timers, adapter)
        try:
            return await story(outbox, timers)
        finally:
            await timers.close()

    return asyncio.run(run())


async def turn(clock, timers, ms=0):
    clock.advance(ms)
    timers.fire()
    await timers.settle()


def test_a_message_leaves_once_however_often_it_is_queued(database, clock):
    gateway = Gateway()

    async def story(outbox, timers):
        assert await outbox.put("k1", "receipt", "per_a", {"n": 1})
        assert not await outbox.put("k1", "receipt", "per_a", {"n": 2})
        await turn(clock, timers)
        await turn(clock, timers, 60_000)
        assert await outbox.deliver() == 0

    story_of(database, clock, gateway, story)
    assert [(m.key, m.recipient, m.body) for m in gateway.sent] == [("k1", "per_a", {"n": 1})]


def test_while_the_gateway_is_down_messages_wait_in_order(database, clock):
    gateway = Gateway()
    gateway.down = True

    async def story(outbox, timers):
        for n in range(3):
            await outbox.put(f"k{n}", "notice", "per_a", {"n": n})
        await turn(clock, timers)
        assert gateway.sent == []
        gateway.down = False
        await turn(clock, timers, RETRY_MS)

    story_of(database, clock, gateway, story)
    assert [message.body["n"] for message in gateway.sent] == [0, 1, 2]


def test_what_an_earlier_process_left_leaves_after_a_restart(database, clock):
    gateway = Gateway()
    gateway.down = True

    async def before(outbox, _timers):
        await outbox.put("k", "notice", "per_a", {})

    async def after(outbox, timers):
        gateway.down = False
        outbox.wake()
        await turn(clock, timers)

    story_of(database, clock, gateway, before)
    story_of(database, clock, gateway, after)
    assert len(gateway.sent) == 1


def test_the_file_adapter_writes_one_file_per_key(lite, clock, tmp_path):
    adapter = FileAdapter(tmp_path / "outbox")

    async def story(outbox, timers):
        await outbox.put("../../evil", "notice", "per_a", {"文": "本"})
        await turn(clock, timers)

    story_of(lite, clock, adapter, story)
    (file,) = (tmp_path / "outbox").iterdir()
    assert file.suffix == ".json"
    assert json.loads(file.read_bytes())["body"] == {"文": "本"}
