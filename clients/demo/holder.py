"""One land holder as a process of its own: commands come as lines on standard input, answers go as lines to output.

{"do": "enter"} → {"paddle": …}   {"do": "bid", "amount": "20"} → the answer
{"do": "send", "amount": "80"} → {"sent": key}, unanswered   {"do": "settle"} → enters again, sends it again, the answer
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, Final

from clients.sdk.hall import HallSeat, Offer
from clients.sdk.session import login
from clients.sdk.wire import Centre, WireError
from crypto.signature import SigningKey

AGAIN_SECONDS: Final = 0.1
GIVE_UP_SECONDS: Final = 60


class Holder:
    """A holder's client.

    Args:
        told: centre, server, lot, key (PEM file), until.
    """

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told
        self._key = SigningKey.from_pem(Path(told["key"]).read_bytes())
        self._centre = Centre.at(told["server"])
        login(self._centre, self._key, told["centre"])
        self._seat = HallSeat(self._centre, told["centre"], told["lot"], self._key, told["until"])
        self._waiting: Offer | None = None

    def act(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Do one command."""
        match asked["do"]:
            case "enter":
                self._seat.enter()
                return {"paddle": self._seat.paddle}
            case "bid":
                self._waiting = self._seat.make(asked["amount"])
                try:
                    self._seat.send(self._waiting)
                    return self._seat.answer(self._waiting)
                except WireError:  # the centre was restarted: the same offer again, by its key
                    return self._settle()
            case "send":
                self._waiting = self._seat.make(asked["amount"])
                self._seat.send(self._waiting)
                return {"sent": self._waiting.key}
            case _:
                return self._settle()

    def _settle(self) -> dict[str, Any]:
        """After a cut: the same offer under the same key, until there is an answer."""
        assert self._waiting is not None
        end = time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                self._seat.close()
                self._seat.enter()
                self._seat.send(self._waiting)
                return self._seat.answer(self._waiting)
            except WireError:
                if time.monotonic() > end:
                    raise
                time.sleep(AGAIN_SECONDS)


def main() -> None:
    """Serve the lines of standard input."""
    holder = Holder(json.loads(sys.stdin.readline()))
    for line in sys.stdin:
        print(json.dumps(holder.act(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
