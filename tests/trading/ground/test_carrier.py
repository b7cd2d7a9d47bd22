"""Two threads write to a watcher's socket: order, no gaps, no byte of a frame lost, and never another's socket."""

import asyncio
import json
import os
import socket
import threading

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.ground.test_live import Hall, open_client, served, stalled, take, until
from trading.ground import live as live_module
from trading.ground.carrier import Carrier
from trading.ground.frames import frame
from trading.ground.live import CATCH_UP, CHUNK, Topic
from trading.ground.watcher import Watcher

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Keeper:
    def __init__(self):
        self.lost = []

    def heard(self, line, text):
        pass

    def unsubscribe(self, line):
        self.lost.append(line)


class Buffered(asyncio.Transport):
    """A transport as asyncio has them: it writes at once, and keeps what its socket does not take."""

    def __init__(self, end, secure=False):
        super().__init__({"socket": end, "sslcontext": object() if secure else None})
        self.end = end
        self.kept = b""

    def write(self, data):
        self.kept += data
        self.flush()

    def flush(self):
        try:
            self.kept = self.kept[self.end.send(self.kept) :] if self.kept else b""
        except BlockingIOError:
            return

    def get_write_buffer_size(self):
        return len(self.kept)

    def is_closing(self):
        return False


class Pair:
    """A watcher on a socket with small buffers, and the reader at its other end."""

    def __init__(self, kind=Watcher, secure=False):
        mine, self.reader = socket.socketpair()
        mine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        mine.setblocking(False)
        self.reader.setblocking(False)
        self.transport = Buffered(mine, secure)
        self.line = kind(Keeper())
        self.line.inherit(self.transport, set())
        self.seq = 0
        self.frames = {}
        self.got = b""

    def publish(self, size):
        """The next delta, and who lacks what of the last few."""
        framed = frame(b'{"seq":%d,"p":"%s"}' % (self.seq + 1, b"p" * size))
        self.frames = {seq: lacks + framed for seq, lacks in self.frames.items()}
        self.frames[self.seq] = framed
        self.seq += 1

    def carry(self):
        return self.line.take(self.frames, self.seq)

    def by_the_loop(self):
        lacks = self.frames.get(self.line.seq)
        if lacks and self.line.seq == self.seq - 1 and self.line.pass_on(lacks):
            self.line.seq = self.seq

    def read(self, size):
        try:
            self.got += self.reader.recv(size)
        except BlockingIOError:
            return

    def drain(self):
        before = None
        while before != (len(self.got), self.transport.kept):
            before = (len(self.got), self.transport.kept)
            self.line.settle()
            self.transport.flush()
            self.read(1 << 20)

    def end(self):
        self.transport.end.close()
        self.reader.close()


def messages(data):
    """Whole messages of a server's byte stream; fails where a frame begins inside another."""
    found, at = [], 0
    while at < len(data):
        assert data[at] in (0x81, 0x89), "no frame begins here"
        size, at = data[at + 1], at + 2
        if size == 126:
            size, at = int.from_bytes(data[at : at + 2], "big"), at + 2
        assert at + size <= len(data), "the end of a frame is missing"
        if data[at : at + size]:
            found.append(json.loads(data[at : at + size]))
        at += size
    return found


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.integers(0, 9_000)),
        st.tuples(st.just("carry"), st.just(0)),
        st.tuples(st.just("by_the_loop"), st.just(0)),
        st.tuples(st.just("probe"), st.integers(0, 3_000)),
        st.tuples(st.just("read"), st.integers(1, 20_000)),
        st.tuples(st.just("settle"), st.just(0)),
        st.tuples(st.just("flush"), st.just(0)),
        st.tuples(st.just("beat"), st.just(0)),
    ),
    max_size=60,
)


def told(steps, kind=Watcher):
    """What the reader has in the end, and the seq that the watcher then has."""
    pair = Pair(kind)
    try:
        for step, number in steps:
            if step == "probe":
                pair.line.write(b'{"probe":"%s"}' % (b"x" * number))
            elif step == "beat":
                pair.line._fresh = True
                pair.line.beat()
            elif step == "settle":
                pair.line.settle()
            elif step == "flush":
                pair.transport.flush()
            else:
                getattr(pair, step)(*([number] if step in ("publish", "read") else []))
        pair.drain()
        return messages(pair.got), pair.line.seq
    finally:
        pair.end()


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_whoever_writes_a_reader_gets_whole_frames_in_order_and_without_gaps(steps):
    heard, seq = told(steps)
    seqs = [message["seq"] for message in heard if "seq" in message]
    assert seqs == list(range(1, seq + 1))
    assert sum("probe" in message for message in heard) == sum(kind == "probe" for kind, _ in steps)


class Hasty(Watcher):
    """One that forgets that the end of a frame is owed when the loop writes."""

    __slots__ = ()

    def _put(self, data):
        self._transport.write(data)


def test_the_harness_finds_a_watcher_that_forgets_what_it_owes():
    steps = [("publish", 9_000), ("publish", 9_000), ("publish", 9_000), ("carry", 0), ("probe", 5)]
    heard, seq = told(steps)
    assert (len(heard), seq) == (4, 3)
    with pytest.raises((AssertionError, ValueError)):
        told(steps, Hasty)


def test_what_waits_in_the_transport_is_never_passed_by_the_carrier():
    pair = Pair()
    pair.line.write(b'{"probe":"%s"}' % (b"x" * 30_000))
    pair.publish(10)
    assert pair.transport.kept
    assert not pair.carry()
    pair.drain()
    assert pair.carry()
    pair.end()


def test_a_slow_watcher_and_one_that_is_closing_are_left_to_the_loop():
    pair = Pair()
    pair.publish(10)
    pair.line.slow_since = 0
    assert not pair.carry()
    pair.line.bring([b"{}"], 0)
    pair.line._say_close(1012)
    assert not pair.carry()
    pair.end()


def test_under_tls_the_carrier_has_no_file_to_write_to():
    pair = Pair(secure=True)
    pair.publish(10)
    assert not pair.carry()
    pair.by_the_loop()
    assert pair.line.seq == 1
    pair.end()


def test_a_topic_tells_what_those_lack_who_lack_little():
    topic = Topic("hall", "log_a", 0, dict)
    assert topic.missing() == {}
    for number in range(CATCH_UP + 3):
        topic.add(b"%d" % number)
    lacks = topic.missing()
    assert sorted(lacks) == list(range(topic.seq - CATCH_UP, topic.seq))
    for seq, framed in lacks.items():
        assert framed == b"".join(frame(delta) for delta in topic.after(seq))
    topic.add(b"x" * 70_000)
    assert topic.missing() == {}  # that much is the loop's


async def connected():
    """A watcher on a transport of the running loop, with the reader's end."""
    mine, reader = socket.socketpair()
    reader.setblocking(False)
    mine.setblocking(False)
    line = Watcher(Keeper())
    transport, _ = await asyncio.get_running_loop().create_connection(lambda: line, sock=mine)
    line.inherit(transport, set())
    return line, reader


@pytest.mark.parametrize("loop", LOOPS)
def test_a_lost_connection_is_forgotten_before_its_file_is_closed(loop):
    async def story():
        line, reader = await connected()
        number, seen = line._file, []
        line._keeper.unsubscribe = lambda gone: seen.append((os.fstat(number).st_ino, gone._file))
        inode = os.fstat(number).st_ino
        line._transport.abort()
        await until(lambda: seen)
        reader.close()
        return [(found == inode, file) for found, file in seen], line.take({0: b"x"}, 1)

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        assert runner.run(story()) == ([(True, -1)], False)


def test_a_closing_connection_waits_for_the_write_that_is_in_its_socket():
    async def story():
        line, reader = await connected()
        line._lock.acquire()  # as the carrier does for one write
        threading.Timer(0.05, line._lock.release).start()
        line.connection_lost(None)
        reader.close()
        return line._file

    assert asyncio.run(story()) == -1


@pytest.mark.parametrize("loop", LOOPS)
def test_a_hall_tells_everybody_everything_while_watchers_come_go_talk_and_sleep(loop, monkeypatch):
    monkeypatch.setattr(live_module, "CHUNK", 2)

    async def listen(address, since, last):
        async with open_client(address, f"/live?since={since}") as client:
            seqs, asked = [], None
            while not seqs or seqs[-1] < last:
                if len(seqs) % 4 == 0 and asked != len(seqs):  # once: who talks too much is closed
                    asked = len(seqs)
                    await client.send('{"type":"probe","t0":1}')
                (said,) = await take(client)
                if said["type"] != "probe":
                    seqs.append(said["seq"])
            return seqs

    async def story():
        hall = Hall()
        async with served(hall) as address:
            for _ in range(3):
                hall.add(1)
            sleeper = await stalled(address)
            readers = [asyncio.create_task(listen(address, "log_a:3", 83)) for _ in range(6)]
            await until(lambda: len(hall.hub._topic("hall").readers()) == 7)
            for number in range(80):
                hall.add(1, "p" * (number * 100))
                if number % 8 == 0:  # one comes and goes at once
                    async with open_client(address) as guest:
                        await take(guest)
                await asyncio.sleep(0)
            heard = await asyncio.gather(*readers)
            sleeper.close()
            return heard

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        assert runner.run(story()) == [list(range(4, 84))] * 6


def test_the_carrier_ends_within_a_round_and_can_begin_again():
    async def story():
        line, reader = await connected()
        entered = threading.Event()

        def busy():
            entered.set()
            return False

        carrier = Carrier(busy)
        lines = [line] * 200_000
        round_ = asyncio.ensure_future(carrier.carry(lines, {0: b"x"}, 1))
        await until(entered.is_set)
        carrier.close()
        left = await round_
        again = await carrier.carry(lines[:5], {1: b"y"}, 2)
        carrier.close()
        got = reader.recv(10)
        reader.close()
        return len(left) < len(lines), len(again), got

    assert asyncio.run(story()) == (True, 4, b"xy")


def test_more_watchers_than_a_chunk_are_served_by_the_thread():
    async def story():
        hall, names = Hall(), set()
        was = Watcher.take

        def noted(line, frames, seq):
            names.add(threading.current_thread().name)
            return was(line, frames, seq)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Watcher, "take", noted)
            async with served(hall) as address:
                opened = await asyncio.gather(*(open_client(address) for _ in range(CHUNK + 1)))
                await asyncio.gather(*(take(client) for client in opened))
                hall.add(1)
                deltas = await asyncio.gather(*(take(client) for client in opened))
                await asyncio.gather(*(client.close() for client in opened))
        return {name.rpartition("_")[0] for name in names}, {d["seq"] for (d,) in deltas}

    assert asyncio.run(story()) == ({"hub-carrier"}, {1})
