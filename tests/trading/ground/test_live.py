"""A live hall: one snapshot, gapless deltas, the same bytes for all, and nobody waits for a slow reader."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager

import pytest
import uvicorn
from fastapi import FastAPI, WebSocket
from starlette.testclient import TestClient
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from trading.ground import carrier as carrier_module
from trading.ground import live as live_module
from trading.ground.clock import FrozenClock
from trading.ground.http import Edge
from trading.ground.lines import QueuedLine
from trading.ground.live import CHUNK, RING, Hub
from trading.ground.sockets import Socket
from trading.ground.watcher import Watcher

NINE = 1_795_482_000_000


class Hall:
    """A hall of one number, as a room would keep it."""

    def __init__(self):
        self.clock = FrozenClock(NINE)
        self.hub = Hub(self.clock, "log_a")
        self.total = 0
        self.hub.open("hall", lambda: {"total": self.total, "padding": self.padding})
        self.padding = ""
        app = FastAPI()

        @app.websocket("/live")
        async def live(websocket: WebSocket, since: str | None = None):
            await self.hub.attend(websocket, "hall", since)

        self.app = app

    def add(self, number, padding=""):
        self.total += number
        return self.hub.publish(
            "hall", {"added": number, "p": padding}, self.clock.now(), {"total": self.total}
        )


@asynccontextmanager
async def served(hall, **options):
    """The hall behind a real uvicorn on loopback, in this event loop."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        Edge(hall.app, hall.clock), lifespan="off", log_level="critical", ws=Socket,
        **{"ws_per_message_deflate": False, **options},
    )  # fmt: skip
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 (uvicorn offers a flag, no event)
        await asyncio.sleep(0.005)
    try:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        await hall.hub.close()
        server.should_exit = True
        await task
        listener.close()


def open_client(address, path="/live"):
    return connect(
        address + path, subprotocols=["kaibiao.v1"], compression=None, max_size=None, max_queue=None
    )


async def take(client, count=1):
    return [json.loads(await asyncio.wait_for(client.recv(), 5)) for _ in range(count)]


def story_of(story, **options):
    async def run():
        hall = Hall()
        async with served(hall, **options) as address:
            return await story(hall, address)

    return asyncio.run(run())


def test_a_watcher_gets_a_snapshot_and_then_gapless_deltas():
    async def story(hall, address):
        hall.add(5)
        async with open_client(address) as client:
            assert client.subprotocol == "kaibiao.v1"
            (first,) = await take(client)
            for number in (1, 2, 3):
                hall.add(number)
            return first, await take(client, 3)

    first, deltas = story_of(story)
    assert first == {
        "type": "snapshot", "log_id": "log_a", "seq": 1, "server_now": NINE,
        "state": {"total": 5, "padding": ""},
    }  # fmt: skip
    assert [delta["seq"] for delta in deltas] == [2, 3, 4]
    assert deltas[-1] == {
        "type": "delta", "seq": 4, "t": NINE, "event": {"added": 3, "p": ""},
        "set": {"total": 11}, "server_now": NINE,
    }  # fmt: skip


def test_all_watchers_get_the_same_bytes_directly_on_their_transports():
    async def story(hall, address):
        async with open_client(address) as one, open_client(address) as two:
            await take(one)
            await take(two)
            assert all(isinstance(line, Watcher) for line in hall.hub._topic("hall").readers())
            hall.add(7)
            return await one.recv(decode=False), await two.recv(decode=False)

    one, two = story_of(story)
    assert one == two


def test_a_client_resumes_by_seq_or_gets_a_snapshot():
    async def story(hall, address):
        for number in range(10):
            hall.add(number)
        answers = []
        for since in ("log_a:7", "log_a:10", "log_a:11", "log_b:7", "log_a:-1", "log_a:x", "log_a:", "x" * 100,
                      "log_a:" + "9" * 400):  # fmt: skip
            async with open_client(address, f"/live?since={since}") as client:
                hall.add(0)
                (answer,) = await take(client)
                answers.append((answer["type"], answer["seq"]))
        return answers

    answers = story_of(story)
    assert answers[0] == ("delta", 8)
    assert answers[1] in {("delta", 11), ("delta", 12)}  # nothing missed but what came since
    assert answers[2] == ("delta", 12) or answers[2][0] == "snapshot"
    assert {kind for kind, _ in answers[3:]} == {"snapshot"}


def test_who_is_away_longer_than_the_ring_gets_a_snapshot():
    async def story(hall, address):
        for _ in range(RING + 5):
            hall.add(1)
        async with open_client(address, "/live?since=log_a:4") as client:
            (old,) = await take(client)
        async with open_client(address, "/live?since=log_a:5") as client:
            (within,) = await take(client)
        return old["type"], within["type"], within["seq"]

    assert story_of(story) == ("snapshot", "delta", 6)


def test_a_probe_is_answered_and_other_words_are_ignored():
    async def story(_hall, address):
        async with open_client(address) as client:
            await take(client)
            for text in (
                "",
                "{",
                "[]",
                '{"type":"probe"}',
                '{"type":"probe","t0":1.5}',
                "null",
                "9" * 100,
            ):
                await client.send(text)
            await client.send(b"\xff")
            await client.send('{"type":"probe","t0":42}')
            return await take(client)

    assert story_of(story) == [{"type": "probe", "t0": 42, "server_now": NINE}]


@pytest.mark.parametrize(("flood", "code"), [(["x" * 5000], 1009), (["{}"] * 200, 1008)])
def test_a_watcher_that_talks_too_much_is_closed(flood, code):
    async def story(hall, address):
        async with open_client(address) as client:
            await take(client)
            with pytest.raises(ConnectionClosed):
                for text in flood:
                    await client.send(text)
                while True:
                    await asyncio.wait_for(client.recv(), 5)
            await asyncio.sleep(0)
            return client.close_code

    assert story_of(story) == code


async def stalled(address, path="/live"):
    """A watcher that completes the handshake and then never reads."""
    host, port = address.removeprefix("ws://").split(":")
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(reader, (host, int(port)))
    await loop.sock_sendall(
        reader,
        f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode(),
    )
    return reader


def by_the_loop(topic):
    """Take their sockets from the carrier, as TLS would."""
    for line in topic.readers():
        line._file = -1


async def until(condition):
    for _ in range(12_000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen")


def test_a_reader_that_does_not_read_delays_nobody_and_is_conflated_then_closed():
    async def story(hall, address):
        dead = await stalled(address)
        topic = hall.hub._topic("hall")
        await until(topic.readers)
        (slow,) = topic.readers()
        async with open_client(address) as client:
            await take(client)
            for number in range(1, 401):  # far more than kernel and transport buffers hold
                hall.add(1, "p" * 30_000)
                (delta,) = await take(client)
                assert delta["seq"] == number
            assert slow.slow_since is not None
            size = slow._transport.get_write_buffer_size()
            assert size <= 64 * 1024 + 40_000
            hall.clock.advance(9_000)
            hall.add(1)
            await take(client)
            assert slow in topic.readers()
            hall.clock.advance(2_000)
            hall.add(1)
            (last,) = await take(client)
            assert slow not in topic.readers()
            assert slow.gone
            dead.close()
            return last["seq"]

    assert story_of(story) == 402


def test_a_slow_reader_that_reads_again_is_brought_up_to_date_by_one_snapshot(monkeypatch):
    monkeypatch.setattr(live_module, "SWEEP_SECONDS", 0.02)

    async def story(hall, address):
        async with connect(
            address + "/live", compression=None, max_size=None, max_queue=1
        ) as client:
            (first,) = await take(client)
            topic = hall.hub._topic("hall")
            (line,) = topic.readers()
            while line.slow_since is None:
                hall.add(1, "p" * 30_000)
                await asyncio.sleep(0)
            for _ in range(50):
                hall.add(1)
            seqs, last = [first["seq"]], None
            while seqs[-1] < topic.seq:
                (last,) = await take(client)
                seqs.append(last["seq"])
            hall.add(1)
            (after,) = await take(client)
            return hall.total, seqs, last, after

    total, seqs, last, after = story_of(story)
    assert last["type"] == "snapshot"
    assert last["state"]["total"] == total - 1
    assert seqs[:-1] == list(range(len(seqs) - 1))  # every delta until it was conflated
    assert after["seq"] == seqs[-1] + 1


def test_the_loop_does_other_work_between_chunks_of_a_broadcast():
    async def story(hall, address):
        topic = hall.hub._topic("hall")
        clients = [open_client(address) for _ in range(CHUNK + 10)]
        opened = await asyncio.gather(*clients)
        await asyncio.gather(*(take(client) for client in opened))
        by_the_loop(topic)
        turns = []

        def look():
            behind = sum(line.seq < topic.seq for line in topic.readers())
            turns.append(behind)
            if behind:
                asyncio.get_running_loop().call_soon(look)

        hall.add(1)
        look()
        await asyncio.gather(*(take(client) for client in opened))
        await asyncio.gather(*(client.close() for client in opened))
        return turns

    assert 10 in story_of(story)  # the loop ran while ten were still to be served


@pytest.mark.parametrize(("carried", "asked"), [(True, 3), (False, 6)], ids=["carrier", "loop"])
def test_a_broadcast_stands_aside_for_a_commit_but_not_for_ever(monkeypatch, carried, asked):
    monkeypatch.setattr(live_module, "CHUNK", 1)
    monkeypatch.setattr(live_module, "RESTS", 3)
    monkeypatch.setattr(carrier_module, "RESTS", 3)

    async def story(hall, address):
        opened = await asyncio.gather(*(open_client(address) for _ in range(10)))
        await asyncio.gather(*(take(client) for client in opened))
        questions = []
        hall.hub._busy = hall.hub._carrier._busy = lambda: bool(questions.append(1)) or True
        if not carried:  # the carrier looks at every line too, and finds no file to write to
            by_the_loop(hall.hub._topic("hall"))
        hall.add(1)
        told = await asyncio.gather(*(take(client) for client in opened))
        await asyncio.gather(*(client.close() for client in opened))
        return len(questions), len(told)

    assert story_of(story) == (asked, 10)


def test_with_deflate_or_an_unknown_server_the_queued_line_says_the_same():
    hall = Hall()
    with TestClient(hall.app) as client, client.websocket_connect("/live") as websocket:
        assert websocket.receive_json()["seq"] == 0
        assert all(isinstance(line, QueuedLine) for line in hall.hub._topic("hall").readers())
        client.portal.call(hall.add, 3)
        client.portal.call(hall.add, 4)
        assert websocket.receive_json()["set"] == {"total": 3}
        assert websocket.receive_json()["set"] == {"total": 7}


def test_who_leaves_is_forgotten():
    async def story(hall, address):
        topic = hall.hub._topic("hall")
        async with open_client(address) as client:
            await take(client)
            assert len(topic.readers()) == 1
        await until(lambda: not topic.readers())
        hall.add(1)
        return hall.hub._count

    assert story_of(story) == 0


def test_at_nine_tenths_of_the_file_limit_new_watchers_are_asked_to_come_later():
    async def story(hall, address):
        hall.hub._limit = 1
        async with open_client(address) as client:
            await take(client)
            async with open_client(address) as second:
                with pytest.raises(ConnectionClosed):
                    await second.recv()
                return second.close_code

    assert story_of(story) == 1013
