"""What each role can get out of a centre by asking: every GET of the access table, and the first frames of every socket."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from trading.model import LOGIN

if TYPE_CHECKING:
    from tests.acceptance.hostile.whole import Whole
    from tests.trading.world import Someone


def addresses(whole: Whole) -> list[str]:
    """Every GET address, filled with what exists, and some that tell of one section."""
    item = whole.service.section(whole.section)
    real = {
        "section": whole.section, "section_id": whole.section, "subject": whole.section,
        "tender_id": item.tender, "tender": item.tender, "ceremony": item.key.ceremony if item.key else "x",
        "record": item.notice or "x", "act": "bid_" + "a" * 26, "upload": "upl_" + "a" * 26,
        "size": str(whole.ground.ledger.size), "name": "base.css", "path": "base.css",
    }  # fmt: skip
    table = whole.get("/access")["rows"]
    found = [
        re.sub(r"\{(\w+)(:\w+)?\}", lambda m: real.get(m[1], "x"), row["path"])
        for row in table
        if row["method"] == "GET"
    ]
    size = whole.ground.ledger.size
    found = [address for address in found if not address.endswith("/ledger/leaves")]
    found += [
        f"/api/v1/ledger/leaves?from={start}&to={min(start + 1000, size)}"
        for start in range(0, size, 1000)
    ]
    found += [
        f"/api/v1/ledger/inclusion?index=0&size={size}", f"/api/v1/ledger/consistency?from=1&to={size}",
        f"/api/v1/deposits?target={whole.section}", f"/api/v1/records?subject={whole.section}",
        *(f"/api/v1/custody/tasks?custodian={keeper}" for keeper in whole.keepers),
    ]  # fmt: skip
    return sorted(set(found))


def watchers(whole: Whole) -> dict[str, Someone | None]:
    """Nobody, and somebody of every role; the bidder is one that has not bid."""
    return {"public": None, **{role.value: whole.one(role) for role in sorted(LOGIN)}}


def answers(whole: Whole) -> dict[tuple[str, str], bytes]:
    """(role, address) → status, headers and body."""
    found = {}
    for name, who in watchers(whole).items():
        headers = {"authorization": f"Bearer {who.token}"} if who else {}
        for address in addresses(whole):
            answer = whole.runner.run(whole.client.get(address, headers=headers))
            head = f"{answer.status_code} {sorted(answer.headers.items())}\n"
            found[name, address] = head.encode() + answer.content
    return found


def socket_frames(whole: Whole) -> dict[str, bytes]:
    """Address of a hall → what a watcher gets at once."""
    halls = [f"/api/v1/openings/{whole.section}/live"]
    return {path: whole.runner.run(frames(whole.served, path)) for path in halls}


async def frames(app: Any, path: str) -> bytes:
    """Open a socket in this process, take what comes in a moment, and go."""
    said: list[bytes] = []
    greeted, gone = asyncio.Event(), asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not said:
            said.append(b"")
            return {"type": "websocket.connect"}
        await gone.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            said.append((message.get("text") or "").encode() + (message.get("bytes") or b""))
            greeted.set()

    scope = {
        "type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": [],
        "scheme": "ws", "root_path": "", "subprotocols": ["kaibiao.v1"], "client": ("test", 1), "state": {},
        "server": ("centre.test", 80), "http_version": "1.1", "extensions": {"websocket.http.response": {}},
    }  # fmt: skip
    task = asyncio.ensure_future(app(scope, receive, send))
    await asyncio.wait_for(greeted.wait(), 10)
    gone.set()
    await asyncio.wait_for(task, 10)
    return b"\n".join(said)
