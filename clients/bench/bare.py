"""``python -m clients.bench.bare PORT COUNT BYTES MESSAGES PACE_US``: nothing but the `websockets` library.

The yardstick of the hall: waits for COUNT watchers, prints "ready", and after a line on standard input
broadcasts each message of BYTES bytes. Prints "seq sent_ns", as ``load blast`` does.
"""

from __future__ import annotations

import asyncio
import sys
import time


async def serve(port: int, count: int, size: int, messages: int, pace_us: int) -> None:
    """Serves until all messages have gone out."""
    from websockets.asyncio.server import ServerConnection, broadcast
    from websockets.asyncio.server import serve as listen

    watchers: set[ServerConnection] = set()
    complete = asyncio.Event()

    async def watch(connection: ServerConnection) -> None:
        await connection.send("{}")
        watchers.add(connection)
        if len(watchers) == count:
            complete.set()
        await connection.wait_closed()

    async with listen(watch, "127.0.0.1", port, compression=None, ping_interval=None, backlog=4096):
        await complete.wait()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        for seq in range(1, messages + 1):
            text = f'{{"type":"delta","seq":{seq},'.ljust(size)
            print(seq, time.monotonic_ns(), flush=True)
            broadcast(watchers, text)
            await asyncio.sleep(pace_us / 1e6)


def main(arguments: list[str]) -> None:
    """Runs it on uvloop."""
    import uvloop

    uvloop.run(serve(*map(int, arguments)))


if __name__ == "__main__":
    main(sys.argv[1:])
