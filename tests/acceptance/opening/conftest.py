"""A composed centre for each scenario: in process, or behind a real server and a real socket, its clock frozen."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
import pytest
import uvicorn

import main
from tests.acceptance.hostile.whole import Whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Loopback(Whole):
    """Everything that is asked goes over a socket of the loopback; the server runs in the same loop."""

    def open(self) -> None:
        """Compose it, then serve it on a free port."""
        super().open()
        self.runner.run(self.client.aclose())
        # With the protocol named, or asyncio leaves Nagle on and every answer waits for 40 ms.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.runner.run(self._serve())
        self.client = httpx.AsyncClient(base_url=f"http://{self.address}", timeout=30)

    async def _serve(self) -> None:
        config = uvicorn.Config(
            self.served, lifespan="off", log_config=None, access_log=False, server_header=False,
            ws="websockets-sansio", ws_per_message_deflate=False, ws_max_size=main.WS_MAX_BYTES,
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._serving = asyncio.ensure_future(self._server.serve([self._socket]))
        async with asyncio.timeout(20):
            while not self._server.started:  # noqa: ASYNC110 (uvicorn tells nobody)
                await asyncio.sleep(0.005)

    def close(self) -> None:
        """End the server, then the centre."""

        async def end() -> None:
            self._server.should_exit = True
            with suppress(asyncio.CancelledError):
                await self._serving

        self.runner.run(end())
        super().close()


@pytest.fixture
def whole(tmp_path: Path, stored: str) -> Iterator[Whole]:
    with Whole(tmp_path / "home") as made:
        assert made.ground.database.sqlite == (stored == "sqlite")
        made.first_people()
        yield made


@pytest.fixture
def loopback(tmp_path: Path, stored: str) -> Iterator[Loopback]:
    with Loopback(tmp_path / "home") as made:
        made.first_people()
        yield made
