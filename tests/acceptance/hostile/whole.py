"""The whole centre as `main` composes it, in one process on a frozen clock: every room, page, socket and paper.

`main.centre` gives an application and keeps its services to itself. The tests that attack it from outside need a
few of them to let time pass and to look into; they are noted while they are made, nothing in them is replaced.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import httpx

import main
from auction.service import AuctionService
from bidding.service import BiddingService
from crypto.encoding import b64, unb64
from crypto.signature import SigningKey
from tests.bidding.centre import Bidder, Centre
from tests.trading.world import CENTRE, CODES, ORIGIN, Someone
from trading.ground import ground as ground_module
from trading.ground.clock import rfc3339
from trading.model import LOGIN, Role, code_for_tests
from trading.service import TradingService

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bidding.release import CustodianView
    from tests.bidding.keeper import Keeper
    from trading.ground.settings import Settings

QUOTA: dict[str, Any] = {
    "increment": "20",
    "unit": "元/㎡",
    "quota": {"slots": 2},
    "outage_min_s": 0,
}
LISTING: dict[str, Any] = {"start_price": "100.00", "increment": "10.00", "outage_min_s": 0}


class Whole(Centre):
    """A composed centre. Use as a context manager, as `Centre`."""

    def open(self) -> None:
        """Compose it on the home; what a restart does too."""
        with self.noted():
            self._centre = main.centre(self.settings, self.clock)
            self.served = self.runner.run(self._centre.__aenter__())
        self.taken()
        transport = httpx.ASGITransport(self.served, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url=ORIGIN, timeout=None)

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note the services that `main` makes inside this block."""
        self._made: dict[type, Any] = {}

        def noting(kind: type) -> Any:
            init = kind.__init__  # type: ignore[misc]

            def note(made: Any, *given: Any, **named: Any) -> None:
                self._made[kind] = made
                init(made, *given, **named)

            return patch.object(kind, "__init__", note)

        async def opened(settings: Settings, clock: Any) -> Any:
            self.ground = await real(settings, clock)
            return self.ground

        real = ground_module.open_ground
        with ExitStack() as stack:
            stack.enter_context(patch.object(ground_module, "open_ground", opened))
            for kind in (TradingService, BiddingService, AuctionService):
                stack.enter_context(noting(kind))
            yield

    def taken(self) -> None:
        """Keep what was noted."""
        self.service = self._made[TradingService]
        self.bidding = self._made[BiddingService]
        self.auctions = self._made[AuctionService]
        self.statements = SigningKey(self.ground.ca.statements().key)

    def close(self) -> None:
        """Take it apart in order."""
        self.runner.run(self.client.aclose())
        self.runner.run(self._centre.__aexit__(None, None, None))

    def again(self) -> None:
        """Close and open the same home; everybody logs in again."""
        self.restart()
        for someone in (*self.people.values(), *(b.who for b in self.bidders.values())):
            self.login(someone)

    def view(self, keeper: Keeper, **changes: Any) -> CustodianView:
        """What a custodian sees, with the composed centre's own key."""
        return super().view(
            keeper, **({"centre_keys": frozenset({self.statements.public})} | changes)
        )

    # Parties and things.

    def everybody(self) -> dict[Role, Someone]:
        """Somebody of every role that can log in."""
        return {role: self.one(role) for role in sorted(LOGIN)}

    def other(self, role: Role) -> Someone:
        """A second person of a role in another organisation (a second code of the same body for staff)."""
        name = f"{role.value}-other"
        if name not in self.people:
            code = code_for_tests(8000 + sorted(Role).index(role))
            if role in (Role.OPERATOR, Role.REVIEWER):
                code = CODES["centre"]
            self.people[name] = self.hire(role, code, f"另一单位{role.value}")
        return self.people[name]

    def session(
        self, rules: dict[str, Any], holders: tuple[str, ...] = ("",), ahead: int = 20_000
    ) -> tuple[str, list[str]]:
        """A published session; `holders` are credit codes, one lot each. Returns its id and the lots'."""
        opens = self.clock.now() // 1000 * 1000 + ahead
        timed = {"starts_at": rfc3339(opens), "extend_s": 60, "entry_rule": "always"}
        facts = {"added_gfa": "1000", "start_floor_price": "1200", "base_far": "1.5"}
        form = {
            "name": "容积率上网竞价",
            "opens_at": opens,
            "rules": {**rules, "timed": timed},
            "lots": [
                {
                    "name": f"L{n + 1}",
                    "holder": holder,
                    "deposit": "100.00",
                    "details": {"id": f"L{n + 1}", **(facts if holder else {})},
                }
                for n, holder in enumerate(holders)
            ],
        }
        made = self.carry("session.create", form)
        self.carry("session.publish", {"session": made["session"]})
        self.runner.run(self.settle())
        return made["session"], made["lots"]

    def noticed(self) -> None:
        """Wait until the notice is on paper, which takes a worker as long as it takes."""

        async def go() -> None:
            async with asyncio.timeout(60):
                while not self.service.section(self.section).notice:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

        self.runner.run(go())

    def suspend(self, who: Someone, target: str) -> httpx.Response:
        """An emergency suspension by one person."""
        signed = self.signed(who, "suspension", target=target, reason="系统故障")
        answer = self.call("POST", "/suspensions", signed, who)
        self.runner.run(self.settle())
        return answer

    def resume(self, target: str) -> httpx.Response:
        """A resumption by two; the answer of the first refused step, or of the second."""
        body = {"target": target, "reason": "故障已排除"}
        proposed = self.propose(self.one(Role.OPERATOR), "target.resume", body)
        if proposed.status_code != 201:
            return proposed
        answer = self.confirm(self.one(Role.SUPERVISOR), proposed.json())
        self.runner.run(self.settle())
        return answer


__all__ = ["CENTRE", "LISTING", "QUOTA", "Bidder", "Whole", "b64", "unb64"]
