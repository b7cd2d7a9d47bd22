"""A whole centre in one process for tests: real journal, real HTTP surface, a frozen clock.

Everything goes through the ASGI application as `main` builds it: edge, gate, router.
"""

import asyncio
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from crypto.encoding import b64
from crypto.signature import SigningKey
from crypto.statement import digest, sign
from crypto.tlog.note import COSIGNATURE, VerifierKey
from trading.access import guard
from trading.api import ACCESS, router
from trading.ground.clock import FrozenClock
from trading.ground.ground import Ground, open_ground
from trading.ground.http import Edge, install_handlers
from trading.ground.settings import Settings
from trading.model import Role, SectionKey, code_for_tests
from trading.service import TradingService

CENTRE = "test-centre"
ORIGIN = "http://centre.test"
START = 1_763_000_000_000 + 32_000_000_000  # a Saturday of November 2026, ms UTC
CODES = {
    "centre": code_for_tests(9001),
    "supervision": code_for_tests(9002),
    "tenderer": code_for_tests(9003),
    "agent": code_for_tests(9004),
    "audit": code_for_tests(9005),
}
_numbers = itertools.count()


@dataclass
class Someone:
    """A person with a key and, once logged in, a token."""

    key: SigningKey
    role: Role
    token: str = ""
    organisation: str = ""
    person: str = ""


def nonce() -> str:
    return f"nonce-{next(_numbers):012d}"


class World:
    """One centre. Use as a context manager; `restart` closes and opens the same home."""

    def __init__(self, home: Path, **settings: Any) -> None:
        self.settings = Settings(home=home, centre=CENTRE, **settings)
        self.clock = FrozenClock(START)
        self.people: dict[str, Someone] = {}
        self.runner = asyncio.Runner()
        self.open()

    def open(self) -> None:
        self.ground: Ground = self.runner.run(open_ground(self.settings, self.clock))
        self.service = TradingService(self.ground)
        try:
            self.runner.run(self.service.start())
        except BaseException:
            self.runner.run(self.ground.close())
            self.runner.close()
            raise
        self.app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        self.app.include_router(router(self.service))
        install_handlers(self.app, self.clock)
        gate = guard(self.app, ACCESS, self.service.sessions, self.clock)
        transport = httpx.ASGITransport(Edge(gate, self.clock), raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url=ORIGIN)

    def close(self) -> None:
        self.runner.run(self.client.aclose())
        self.runner.run(self.ground.close())

    def restart(self) -> None:
        self.close()
        self.open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
        self.runner.close()

    # Speaking HTTP.

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        who: Someone | None = None,
        **headers: str,
    ) -> httpx.Response:
        if who is not None:
            headers["authorization"] = f"Bearer {who.token}"
        return self.runner.run(
            self.client.request(method, f"/api/v1{path}", json=body, headers=headers)
        )

    def get(self, path: str, who: Someone | None = None) -> Any:
        answer = self.call("GET", path, who=who)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def signed(self, who: Someone, purpose: str, **body: Any) -> dict[str, Any]:
        fresh = {"nonce": nonce(), "at": self.clock.now()}
        return sign(who.key, purpose, CENTRE, fresh | body)

    # People.

    def invitation(self, role: Role) -> str:
        text = (self.settings.home / "first-run.json").read_text(encoding="utf-8")
        code: str = json.loads(text)["invitations"][role]
        return code

    def enrol(
        self,
        key: SigningKey,
        role: str,
        code: str,
        organisation: str = "某单位",
        **more: Any,
    ) -> httpx.Response:
        card = {"organisation": organisation, "credit_code": code, "role": role, "person": ""}
        card |= {"person": more.pop("person", "")}
        body = {
            "statement": sign(key, "key_enrolment", CENTRE, card),
            "person_name": "欧阳喆",
        }
        return self.call("POST", "/enrolments", body | more)

    def login(self, who: Someone) -> httpx.Response:
        asked = self.call("POST", "/session/challenge", {"key": b64(who.key.public)}).json()
        said = {"challenge": asked["challenge"], "origin": asked["origin"]}
        answer = self.call("POST", "/session", sign(who.key, "login", CENTRE, said))
        if answer.status_code == 201:
            found = answer.json()
            who.token = found["token"]
            who.organisation, who.person = found["organisation"], found["person"]
        return answer

    def first_people(self) -> None:
        """The first operator, reviewer and supervisor, by their invitations."""
        for role, organisation in (
            (Role.OPERATOR, "centre"),
            (Role.REVIEWER, "centre"),
            (Role.SUPERVISOR, "supervision"),
        ):
            someone = Someone(SigningKey.generate(), role)
            answer = self.enrol(
                someone.key,
                role,
                CODES[organisation],
                organisation,
                invitation=self.invitation(role),
            )
            assert answer.json()["status"] == "issued", answer.text
            assert self.login(someone).status_code == 201
            self.people[role] = someone

    def hire(self, role: Role, code: str, organisation: str) -> Someone:
        """Enrol somebody and have the key issued by two people."""
        someone = Someone(SigningKey.generate(), role)
        asked = self.enrol(someone.key, role, code, organisation)
        assert asked.status_code == 201, asked.text
        self.carry("key.issue", {"enrolment": asked.json()["enrolment"]})
        assert self.login(someone).status_code == 201
        return someone

    def one(self, role: Role) -> Someone:
        """Somebody of a role, hired at need."""
        if role not in self.people:
            places = {
                Role.TENDERER: "tenderer",
                Role.AGENT: "agent",
                Role.AUDITOR: "audit",
            }
            place = places.get(role, "centre")
            code = CODES[place]
            if role in (Role.BIDDER, Role.DELEGATE):
                code, place = code_for_tests(1), "广东恒𣲗水利建设集团有限公司"
            self.people[role] = self.hire(role, code, place)
        return self.people[role]

    # Acts.

    def propose(self, who: Someone, act: str, body: Mapping[str, Any]) -> httpx.Response:
        signed = self.signed(who, "proposal", act=act, body=dict(body))
        return self.call("POST", "/proposals", signed, who)

    def confirm(self, who: Someone, proposal: Mapping[str, Any]) -> httpx.Response:
        said = {"proposal": proposal["proposal"], "digest": proposal["digest"]}
        signed = self.signed(who, "confirmation", **said)
        return self.call("POST", f"/proposals/{proposal['proposal']}/confirm", signed, who)

    def carry(
        self,
        act: str,
        body: Mapping[str, Any],
        first: Role = Role.OPERATOR,
        second: Role = Role.REVIEWER,
    ) -> dict[str, Any]:
        proposed = self.propose(self.one(first), act, body)
        assert proposed.status_code == 201, proposed.text
        done = self.confirm(self.one(second), proposed.json())
        assert done.status_code == 200, done.text
        result: dict[str, Any] = done.json()["result"]
        return result

    def custodian(self, number: int) -> dict[str, Any]:
        """A custodian's signed card with keys of its own."""
        key, host = SigningKey.generate(), SigningKey.generate()
        body = {
            "custodian": f"custodian-{number}",
            "organisation": f"托管单位{number}",
            "key": b64(key.public),
            "host_key": b64(host.public),
            "witness": vkey(f"custodian-{number}"),
        }
        return sign(key, "enrolment", CENTRE, body)

    def custodians(self, count: int = 3) -> list[str]:
        for number in range(len(self.service.state.custodians) + 1, count + 1):
            self.carry("custodian.register", {"card": self.custodian(number)})
        return [f"custodian-{n}" for n in range(1, count + 1)]

    def tender_form(self, **section: Any) -> dict[str, Any]:
        """A lawful form under 演示; T is ten seconds ahead on a whole second."""
        self.one(Role.TENDERER)
        now = self.clock.now() // 1000 * 1000
        form = {
            "name": "施工标段",
            "control_price": "48650000.00",
            "deposit": "800000.00",
            "duration_days_max": 365,
            "deadline": now + 10_000,
            "minimum": 3,
            "custody": {
                "custodians": self.custodians(),
                "threshold": 2,
                "window_s": 600,
                "remedy": "不足两名托管人应答时，依本文件由投标人披露文件密钥。",
            },
            "float_points": ["0.25", "0.50"],
            "summary_fields": [
                {"name": "total_price", "title": "投标总价", "kind": "amount", "unit": "元"}
            ],
        }
        return {
            "name": "石岐河东排渠整治工程（二期）施工",
            "tenderer": CODES["tenderer"],
            "sector": "水利",
            "regime": "works",
            "deal_code_class": "A02",
            "method": "公开招标",
            "evaluation": "综合评分法",
            "place": "不见面开标大厅",
            "documents_from": now,
            "documents_to": now + 5_000,
            "sections": [form | section],
        }

    def key_up(self, section: str) -> None:
        """What `bidding` does after the ceremony."""
        item = self.service.section(section)
        key = SectionKey("age1tag1" + "q" * 20, "cer_x", {"n": 3}, item.deadline, item.minimum)
        self.runner.run(self.service.assign_key(section, key))
        self.runner.run(self.service.file_tender(section, {"statement": {"section": section}}))

    def announced(self, **section: Any) -> tuple[str, str]:
        """A published tender with one section; returns both ids."""
        made = self.carry("tender.create", self.tender_form(**section))
        self.key_up(made["sections"][0])
        self.carry("tender.publish", {"tender": made["tender"]})
        return made["tender"], made["sections"][0]

    def auction(self, holder: str = "") -> tuple[str, str]:
        """A published session with one lot; returns both ids."""
        form = {
            "name": "R22-01",
            "opens_at": self.clock.now() + 5_000,
            "rules": {"slots": 5, "increment": "20"},
            "lots": [
                {
                    "name": "L1",
                    "holder": holder,
                    "deposit": "1200000.00",
                    "details": {"added_gfa": "10000.00"},
                }
            ],
        }
        made = self.carry("session.create", form)
        self.carry("session.publish", {"session": made["session"]})
        return made["session"], made["lots"][0]

    def deposit(self, who: Someone, target: str, amount: str = "800000.00") -> httpx.Response:
        said = {"target": target, "form": "paid", "amount": amount}
        body = {"statement": self.signed(who, "deposit", **said), "reference": "回单-001"}
        return self.call("POST", "/deposits", body, who)


def vkey(name: str) -> str:
    """The verifier key text of a fresh log witness."""
    public = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    return str(VerifierKey(name, public, COSIGNATURE))


def digest_of(signed: Mapping[str, Any]) -> str:
    return digest(signed).hex()
