"""The seam with the installed uvicorn: a hall takes the transport over, a bidder's words come at once, and where
either cannot be, the framework's own way still works. Fails clearly where an update moved what we hold on to."""

import asyncio
import inspect
import json
from contextlib import suppress

import pytest
from fastapi import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from tests.trading.ground.test_live import NINE, open_client, story_of, take, until
from trading.ground import live as live_module
from trading.ground.sockets import Socket, socket_of
from trading.ground.watcher import CHATTER, Watcher


def masked(payload, opcode=Opcode.TEXT, **more):
    return Frame(opcode, payload, **more).serialize(mask=True)


async def raw(address, path="/live", early=None):
    """A socket after its handshake; `early` is sent before the server has answered."""
    host, port = address.removeprefix("ws://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    if early is not None:
        await asyncio.wait_for(early.asked.wait(), 5)
        writer.write(early.sent)
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def heard(reader):
    """The next frame of the server: opcode and payload."""
    head = await asyncio.wait_for(reader.readexactly(2), 5)
    size = head[1]
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2), "big")
    return head[0] & 15, await reader.readexactly(size)


async def gone(writer):
    writer.close()
    with suppress(ConnectionError):  # the server was first
        await writer.wait_closed()


def lines(hall):
    return hall.hub._topic("hall").readers()


def test_uvicorn_still_has_what_the_seam_holds_on_to():
    text = inspect.getsource(WebSocketsSansIOProtocol)
    for held in ("self.transport", "self.conn", "self.queue", "self.connections", "self.frames: list[bytes]",
                 "self.curr_msg_data_type", "self.close_sent", "self.handshake_complete", "def stop_keepalive",
                 "def send_receive_event_to_app", "self.transport.close()"):  # fmt: skip
        assert held in text, f"uvicorn has changed: {held} is gone; see trading/ground/sockets.py"
    assert inspect.signature(Socket.hand_over).return_annotation == "bool"


def test_a_watchers_request_leaves_nothing_behind():
    async def story(hall, address):
        async with open_client(address) as client:
            await take(client)
            (line,) = lines(hall)
            await asyncio.sleep(0)
            left = {task for task in asyncio.all_tasks() if "run_asgi" in repr(task)}
            hall.add(3)
            (delta,) = await take(client)
        await until(lambda: not lines(hall))
        return type(line), left, delta["set"], hasattr(line, "__dict__")

    kind, left, told, loose = story_of(story)
    assert kind is Watcher
    assert not left
    assert told == {"total": 3}
    assert not loose  # slots only: ten thousand of them


class Early:
    """A client that speaks before it is answered, and a route that waits until it has."""

    def __init__(self, hall, sent):
        self.sent = sent
        self.asked = asyncio.Event()

        @hall.app.websocket("/late")
        async def late(websocket: WebSocket):
            self.asked.set()
            await until(lambda: socket_of(websocket.scope).queue.qsize() > 1)
            await hall.hub.attend(websocket, "hall")


def test_who_speaks_before_the_answer_is_served_by_the_framework_and_hears_the_same():
    async def story(hall, address):
        early = Early(hall, masked(b'{"type":"probe","t0":7}'))
        reader, writer = await raw(address, "/late", early)
        first, second = await heard(reader), await heard(reader)
        kinds = [type(line).__name__ for line in lines(hall)]
        hall.add(4)
        third = await heard(reader)
        await gone(writer)
        return [json.loads(frame[1]) for frame in (first, second, third)], kinds

    told, kinds = story_of(story)
    assert kinds == ["DirectLine"]
    assert [message["type"] for message in told] == ["snapshot", "probe", "delta"]


def test_with_deflate_every_connection_has_its_own_bytes_and_its_own_queue():
    async def story(hall, address):
        async with connect(address + "/live", compression="deflate") as client:
            await take(client)
            kinds = [type(line).__name__ for line in lines(hall)]
            hall.add(5)
            (delta,) = await take(client)
            return kinds, delta["set"]

    assert story_of(story, ws_per_message_deflate=True) == (["QueuedLine"], {"total": 5})


def test_pings_are_answered_and_a_message_in_parts_is_one():
    async def story(_hall, address):
        reader, writer = await raw(address)
        await heard(reader)
        writer.write(masked(b"are you there", Opcode.PING))
        pong = await heard(reader)
        writer.write(masked(b'{"type":"pro', fin=False) + masked(b"x", Opcode.PING))
        writer.write(masked(b'be","t0":9}', Opcode.CONT))
        answers = [await heard(reader), await heard(reader)]
        for byte in masked(b'{"type":"probe","t0":10}'):  # and one that comes byte by byte
            writer.write(bytes([byte]))
            await writer.drain()
        answers.append(await heard(reader))
        await gone(writer)
        return pong, answers

    pong, (ping, first, second) = story_of(story)
    assert pong == (Opcode.PONG, b"are you there")
    assert ping == (Opcode.PONG, b"x")
    assert json.loads(first[1]) == {"type": "probe", "t0": 9, "server_now": NINE}
    assert json.loads(second[1])["t0"] == 10


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\x81\x01x", 1002),
        (masked(b"x", Opcode.CONT), 1002),
        (masked(b"x", fin=False) + masked(b"y"), 1002),
        (masked(b"\xff\xfe"), 1007),
        (masked(b"x" * 4097), 1009),
        (masked(b"x" * 4000, fin=False) + masked(b"x" * 4000, Opcode.CONT), 1009),
        (masked(b"{}") * (CHATTER + 1), 1008),
        (masked(b"\x03\xe8", Opcode.CLOSE), 1000),
    ],
    ids=[
        "unmasked",
        "part of nothing",
        "within another",
        "no UTF-8",
        "long",
        "long in parts",
        "chatter",
        "close",
    ],
)
def test_what_a_watcher_may_not_say_closes_its_socket_with_the_code_of_the_rfc(sent, code):
    async def story(hall, address):
        reader, writer = await raw(address)
        await heard(reader)
        writer.write(sent)
        opcode, payload = await heard(reader)
        writer.write(masked(payload, Opcode.CLOSE))
        assert opcode == Opcode.CLOSE
        assert await asyncio.wait_for(reader.read(), 5) == b""
        await gone(writer)
        await until(lambda: not lines(hall))
        return int.from_bytes(payload[:2], "big")

    assert story_of(story) == code


def test_who_does_not_answer_pings_is_cut_off_and_who_does_stays(monkeypatch):
    monkeypatch.setattr(live_module, "BEAT_SECONDS", 0.1)

    async def story(hall, address):
        reader, writer = await raw(address)  # reads, answers nothing
        async with open_client(address) as client:
            await take(client)
            await until(lambda: len(lines(hall)) == 2)
            await asyncio.wait_for(reader.read(), 5)
            await until(lambda: len(lines(hall)) == 1)
            for _ in range(50):  # beats of the one that answers by itself
                hall.add(1)
                await take(client)
            await gone(writer)
            return len(lines(hall))

    assert story_of(story) == 1


def test_a_stopping_server_tells_watchers_that_it_restarts():
    async def story(hall, address):
        client = await open_client(address)
        await take(client)
        (line,) = lines(hall)
        line.shutdown()
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(client.recv(), 5)
        return client.close_code

    assert story_of(story) == 1012
