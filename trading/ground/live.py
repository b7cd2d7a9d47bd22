"""Live halls: a snapshot, then gapless deltas, the same bytes for everybody.

    {"type":"snapshot","log_id":L,"seq":n,"server_now":ms,"state":{…}}
    {"type":"delta","seq":n+1,"t":ms,"event":{…},"set":{…},"add":{…},"server_now":ms}

`seq` counts a topic's deltas without gaps; `log_id` names the count, so that a restarted or restored
centre never passes for a continuation. A client resumes with `?since=L:n` and gets the deltas after
n, or a snapshot when they are no longer in the ring. `set` holds the members of the state that
changed, `add` what came to the end of a list that would be long to send whole; `event` is the
sentence for the feed.

**Why nothing here waits for a reader.** A sequential `await send` stops for everybody once one
socket's buffers are full, and a queue with a task per watcher costs four times the CPU (engine.md
§2). Without deflate a server's frame is the same bytes on every connection, so an event is framed
once and given to each socket directly, of a large hall by a thread (`carrier.py`), else by the loop:
neither waits, and `get_write_buffer_size` tells who does not read. Such a line is skipped above 64 KiB and brought up
to date by one snapshot when it has drained (a hall is state, so conflation loses nothing); above
256 KiB, or after 10 s, it is closed with 4008 and resumes by `seq`.

A watcher passes edge, gate and router like every request; then its transport is handed over to a
`Watcher` (`watcher.py`), and nothing of the request is kept. Where that cannot be (a test client,
another server) each line has a bounded queue and a task instead.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.websockets import WebSocketDisconnect

from trading.ground.carrier import REST_SECONDS, RESTS, Carrier
from trading.ground.frames import TOO_BIG, frame
from trading.ground.lines import CONGESTED, SLOW, Line, open_line
from trading.ground.problems import NotFound
from trading.ground.pulse import PARTS, Pulse
from trading.ground.sockets import socket_of
from trading.ground.watcher import MAX_INCOMING, POLICY, Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fastapi import WebSocket

    from trading.ground.clock import Clock

SUBPROTOCOL: Final = "kaibiao.v1"
RING: Final = 1_024  # deltas kept per topic; older clients get a snapshot
CHUNK: Final = 40
"""Sockets served before the loop does other work: some 0.5 ms. A hall with more of them has the carrier."""

TURNS: Final = 4
"""Turns of the loop between chunks: an offer needs as many until the journal has it, and an idle one costs 10 µs."""

CATCH_UP: Final = 8
"""How many deltas a watcher may lack for the carrier to bring them; who lacks more is the loop's."""

SLOW_MS: Final = 10_000
SWEEP_SECONDS: Final = 1  # between two looks after those who were behind
BEAT_SECONDS: Final = 20  # between two pings of one line
MAX_CHATTER: Final = 120  # messages a minute of a watcher whose transport we do not have

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode


class Topic:
    """One stream of a hall: its count, its ring and its lines. Made by `Hub.open`."""

    def __init__(self, name: str, log_id: str, seq: int, snapshot: Callable[[], Any]) -> None:
        self.name = name
        self.log_id = log_id
        self.seq = seq
        self.ring: deque[bytes] = deque(maxlen=RING)
        self.lines: dict[Line, None] = {}
        self._snapshot = snapshot
        self._state: bytes | None = None

    def replace(self, snapshot: Callable[[], Any]) -> None:
        """Take the state from another provider from now on."""
        self._snapshot = snapshot
        self._state = None

    def readers(self) -> tuple[Line, ...]:
        """All lines, in the order of their coming."""
        return tuple(self.lines)

    def add(self, frame: bytes) -> None:
        """Append the next delta."""
        self.seq += 1
        self.ring.append(frame)
        self._state = None

    def after(self, seq: int) -> list[bytes] | None:
        """Deltas after `seq`, or None when the ring no longer has them all."""
        missing = self.seq - seq
        if not 0 <= missing <= len(self.ring):
            return None
        start = len(self.ring) - missing
        return [self.ring[index] for index in range(start, len(self.ring))]

    def missing(self) -> dict[int, bytes]:
        """For the seq of a line that lacks a few deltas only: those deltas, framed."""
        lacks, framed, seq = {}, b"", self.seq
        for delta in islice(reversed(self.ring), CATCH_UP):
            framed, seq = frame(delta) + framed, seq - 1
            if len(framed) > CONGESTED:
                break
            lacks[seq] = framed
        return lacks

    def snapshot(self, now: int) -> bytes:
        """The state now; encoded once between two deltas, however many ask."""
        if self._state is None:
            self._state = _encode(self._snapshot())
        return b'{"type":"snapshot","log_id":%s,"seq":%d,"server_now":%d,"state":%s}' % (
            _encode(self.log_id),
            self.seq,
            now,
            self._state,
        )


class Hub:
    """All live topics of this process; used only in its event loop.

    Args:
        clock: the server time that every message carries.
        log_id: names the counts of this process; a fresh random text at each start, since the
            deltas themselves are not kept.
        busy: whether something more urgent than a broadcast is on its way: a commit, for which a
            bidder waits.
    """

    def __init__(self, clock: Clock, log_id: str, busy: Callable[[], bool] = lambda: False) -> None:
        self._clock = clock
        self._log_id = log_id
        self._busy = busy
        self._carrier = Carrier(busy)
        self._topics: dict[str, Topic] = {}
        self._changed: dict[Topic, None] = {}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._count = 0
        self._pulse = Pulse()
        self._behind: dict[Line, None] = {}
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._limit = soft * 9 // 10  # the rest belongs to bidders, files and the database

    def open(self, name: str, snapshot: Callable[[], Any]) -> Topic:
        """Open a topic, or replace the snapshot of an open one.

        Args:
            name: as `opening:sec_…`.
            snapshot: gives the public state now, JSON values only; must agree with what has been
                published at that moment.
        """
        if name in self._topics:
            topic = self._topics[name]
            topic.replace(snapshot)
        else:
            topic = self._topics[name] = Topic(name, self._log_id, 0, snapshot)
        return topic

    def publish(
        self,
        name: str,
        event: dict[str, Any] | None,
        t: int,
        set: dict[str, Any] | None = None,  # noqa: A002 (the member's name on the wire)
        add: dict[str, list[Any]] | None = None,
    ) -> int:
        """Send a delta to everybody on a topic; only what is in the journal may be published.

        Args:
            name: an open topic.
            event: what happened, for the feed; may be None.
            t: when, ms UTC.
            set: members of the state with their new values; may be None.
            add: members that are lists, with what is new at their ends; may be None.

        Returns:
            The delta's seq. It never waits; delivery follows in chunks.
        """
        topic = self._topic(name)
        message: dict[str, Any] = {"type": "delta", "seq": topic.seq + 1, "t": t}
        if event is not None:
            message["event"] = event
        if set is not None:
            message["set"] = set
        if add:
            message["add"] = add
        message["server_now"] = self._clock.now()
        topic.add(_encode(message))
        if topic.lines:
            self._changed[topic] = None
            self._wake.set()
        return topic.seq

    async def attend(self, websocket: WebSocket, name: str, since: str | None = None) -> None:
        """Accept a watcher; it is served until it leaves, mostly without the caller.

        A probe `{"type":"probe","t0":…}` is answered with the server time; anything else that a
        watcher sends is ignored, within bounds.

        Args:
            websocket: not yet accepted; the subprotocol is chosen if the client offers it.
            name: an open topic.
            since: `L:n` of a client that resumes.

        Raises:
            NotFound: no such topic.
        """
        topic = self._topic(name)
        offered = websocket.scope.get("subprotocols") or []
        try:
            await websocket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        except WebSocketDisconnect:
            return
        if self._count >= self._limit:
            await websocket.close(1013, "too many watchers")  # the client tries again later
            return
        socket, watcher = socket_of(websocket.scope), Watcher(self)
        if socket is not None and socket.hand_over(watcher):
            self._begin(topic, watcher, since)
            return
        line = open_line(websocket)
        self._begin(topic, line, since)
        try:
            await self._listen(websocket, line)
        finally:
            self.unsubscribe(line)

    def heard(self, line: Line, text: str) -> None:
        """Answer a probe; what else a watcher says is nothing to us."""
        try:
            probe = msgspec.json.decode(text)
        except msgspec.DecodeError:
            return
        if isinstance(probe, dict) and probe.get("type") == "probe":
            t0 = probe.get("t0")
            if type(t0) is int:
                line.write(_encode({"type": "probe", "t0": t0, "server_now": self._clock.now()}))

    def unsubscribe(self, line: Line) -> None:
        """Take a line off its topic; calling it twice is fine."""
        if line in line.topic.lines:
            del line.topic.lines[line]
            self._pulse.dismiss(line)
            self._count -= 1
        self._behind.pop(line, None)
        line.stop()

    async def close(self) -> None:
        """End all tasks and lines (1012: the service restarts)."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._carrier.close()
        self._tasks = []
        for topic in self._topics.values():
            for line in topic.readers():
                await line.end(1012, "restart")
                self.unsubscribe(line)

    def _topic(self, name: str) -> Topic:
        if name not in self._topics:
            raise NotFound("hall-unknown", "没有这个直播频道", "There is no such live channel.")
        return self._topics[name]

    def _begin(self, topic: Topic, line: Line, since: str | None) -> None:
        """Put a line on a topic, with what it lacks."""
        frames = None
        log_id, _, seq = (since or "").rpartition(":")
        if log_id == topic.log_id and seq.isascii() and seq.isdigit() and len(seq) < 16:
            frames = topic.after(int(seq))
        for message in [topic.snapshot(self._clock.now())] if frames is None else frames:
            line.write(message)
        line.topic, line.seq = topic, topic.seq
        self._pulse.enrol(line)
        topic.lines[line] = None
        self._count += 1
        if not self._tasks:
            loop = asyncio.get_running_loop()
            self._tasks = [
                loop.create_task(self._broadcast(), name="hub-broadcast"),
                loop.create_task(self._sweep(), name="hub-sweep"),
                loop.create_task(self._beat(), name="hub-beat"),
            ]

    async def _listen(self, websocket: WebSocket, line: Line) -> None:
        """Take what a watcher says whose transport we do not have."""
        budget, minute = MAX_CHATTER, self._clock.now() // 60_000
        while (message := await websocket.receive())["type"] == "websocket.receive":
            text = message.get("text") or ""
            if (now := self._clock.now() // 60_000) != minute:
                budget, minute = MAX_CHATTER, now
            budget -= 1
            if len(text) > MAX_INCOMING or budget < 0:
                await line.end(POLICY if budget < 0 else TOO_BIG, "nothing to send here")
                return
            self.heard(line, text)

    async def _broadcast(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._changed:
                topic = next(iter(self._changed))
                del self._changed[topic]
                await self._serve(topic)

    async def _serve(self, topic: Topic) -> None:
        """Bring all lines up to date: many by the carrier, the others with a turn of the loop after each few."""
        lines: Sequence[Line] = topic.readers()
        rests = RESTS
        if len(lines) > CHUNK:
            lines = await self._carrier.carry(lines, topic.missing(), topic.seq)
        for first in range(0, len(lines), CHUNK):
            seq, framed = topic.seq, frame(topic.ring[-1])
            for line in lines[first : first + CHUNK]:
                # Nearly all lack only the last delta, and have read what came before.
                if line.seq == seq - 1 and line.slow_since is None and line.pass_on(framed):
                    line.seq = seq
                elif line.seq < seq:
                    self._bring_up(topic, line)
            for _ in range(TURNS):
                await asyncio.sleep(0)
            while rests and self._busy():
                rests -= 1
                await asyncio.sleep(REST_SECONDS)

    def _bring_up(self, topic: Topic, line: Line) -> None:
        now = self._clock.now()
        if line.gone:
            self.unsubscribe(line)
            return
        if line.congested():
            line.slow_since = line.slow_since or now
            self._behind[line] = None
            if line.hopeless() or now - line.slow_since > SLOW_MS:
                _log.info("slow watcher closed")
                line.abort(SLOW)
                self.unsubscribe(line)
            return
        frames = None if line.slow_since is not None else topic.after(line.seq)
        line.bring([topic.snapshot(now)] if frames is None else frames, topic.seq)

    async def _sweep(self) -> None:
        """Once a second look after the lines that were behind."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for number, line in enumerate(tuple(self._behind), 1):
                if line.slow_since is not None and line in self._behind:
                    self._bring_up(line.topic, line)
                if line.slow_since is None:
                    self._behind.pop(line, None)
                if number % CHUNK == 0:
                    await asyncio.sleep(0)

    async def _beat(self) -> None:
        """Ping those whose turn it is, and forget who has gone."""
        while True:
            await asyncio.sleep(BEAT_SECONDS / PARTS)
            for line in self._pulse.next():
                if line.gone:
                    self.unsubscribe(line)
                else:
                    line.beat()
