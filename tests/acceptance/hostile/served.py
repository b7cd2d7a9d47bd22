"""The composed centre behind its real server, in a thread of this process, on the system clock."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import httpx
import uvicorn

import main
from tests.acceptance.hostile.whole import Whole
from trading.ground.clock import SystemClock
from trading.ground.heads import Heads
from trading.ground.sockets import Socket


class Served(Whole):
    """Speaks real HTTP to itself; everything else is as in `Whole`, but for time, which passes."""

    def open(self) -> None:
        """Serve the home on a free port of the loopback."""
        self.clock: Any = SystemClock()
        # With the protocol named, or asyncio leaves Nagle on and every answer waits for 40 ms.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)))
        with self.noted():
            self._thread.start()
            assert ready.wait(60)
        self.taken()
        self.client = httpx.AsyncClient(base_url=f"http://{self.address}", timeout=30)

    async def _serve(self, ready: threading.Event) -> None:
        async with main.centre(self.settings, self.clock) as app:
            config = uvicorn.Config(
                app, lifespan="off", log_config=None, access_log=False, server_header=False,
                http=Heads, ws=Socket, ws_per_message_deflate=False,
                ws_max_size=main.WS_MAX_BYTES, timeout_graceful_shutdown=1,
            )  # fmt: skip
            self._server = uvicorn.Server(config)
            ready.set()
            await self._server.serve([self._socket])

    def close(self) -> None:
        """End the server."""
        self.runner.run(self.client.aclose())
        self._server.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive()

    def live(self, work: Any, seconds: int = 4) -> Any:
        """Time passes by itself here."""
        return self.runner.run(work)

    async def settle(self) -> None:
        """Let what is on its way arrive."""
        await asyncio.sleep(0.1)
