"""Step 1: the centre, its people, custodians and witness; a key ceremony; the tender notice on paper."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from clients.custodian.card import read as read_card
from clients.custodian.roster import Roster, build
from clients.demo import sentences as say
from clients.demo.stage import Told, must, tell
from clients.demo.world import CENTRE, World, case

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence
    from pathlib import Path

POLL_MS: Final = 150
STAFF_CODE: Final = "12440000MB2C00011X"
LEAST_AHEAD_MS: Final = 8_000
DRAW_MS: Final = 2_000
REHEARSAL_MS: Final = 60_000
CEREMONY_SECONDS: Final = 60
ONLOOKER: Final = "见证机构（审计处）"


def people(world: World) -> Told:
    """Centre, staff, supervisor, tenderer; custodians and a witness as processes of their own."""
    world.start_centre()
    codes = json.loads((world.home / "first-run.json").read_text("utf-8"))["invitations"]
    staff = {"organisation": "演示公共资源交易中心", "credit_code": code(1)}
    world.join("operator", name="王珺", role="operator", invitation=codes["operator"], **staff)
    world.join("reviewer", name="陈昇", role="reviewer", invitation=codes["reviewer"], **staff)
    watch = {"organisation": "水务行政监督处", "credit_code": code(2)}
    world.join(
        "supervisor", name="赟立", role="supervisor", invitation=codes["supervisor"], **watch
    )
    told = case("water")["tender"]
    world.join(
        "tenderer", name="李喆", role="tenderer", organisation=told["tenderer"], credit_code=code(3)
    )
    world.join("agent", name="何堃", role="agent", organisation=told["agent"], credit_code=code(4))
    custodians(world)
    return tell(say.PEOPLE, n=len(world.custodians), people=len(world.people))


def code(number: int) -> str:
    """A test credit code, flagged as such by the centre."""
    from trading.model import code_for_tests

    return code_for_tests(900 + number)


def custodians(world: World) -> None:
    """Homes made, cards registered by two people, rosters compared, processes started."""
    names = case("water")["custodians"]["organisations"]
    homes = [world.keep / "custodians" / str(number) for number in range(1, len(names) + 1)]
    onlooker = world.keep / "witness"
    jobs = [("custodian", home, name) for home, name in zip(homes, names, strict=True)]
    jobs.append(("witness", onlooker, ONLOOKER))
    started = world.clock.now()
    _init(world, *jobs[0])
    world.facts["start_ms"] = world.clock.now() - started
    with ThreadPoolExecutor(len(jobs)) as pool:
        list(pool.map(lambda job: _init(world, *job), jobs[1:]))
    world.custodians = homes
    world.facts["onlooker"] = onlooker
    for role, home, _ in jobs:
        card = json.loads((home / "card.json").read_text("utf-8"))
        certificate = (home / "certificates.pem").read_text("utf-8")
        first = certificate.split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
        world.desk("supervisor").act(f"{role}.register", {"card": card, "certificate": first})
    roster = _roster(world, homes, onlooker)
    fingerprint = Roster.from_json(json.loads(roster.read_text("utf-8"))).fingerprint
    with ThreadPoolExecutor(len(jobs)) as pool:
        list(pool.map(lambda job: _join(world, job[0], job[1], roster, fingerprint), jobs))
    for role, home, _ in jobs:
        start(world, role, home)
    write_trust(world, [home for _, home, _ in jobs])


def _init(world: World, role: str, home: Path, name: str) -> None:
    home.parent.mkdir(parents=True, exist_ok=True)
    _told(
        world.cast.run(
            role, role, "init", "--home", str(home), "--centre", CENTRE, "--organisation", name,
            "--passphrase-file", str(passphrase(home)), "--json",
        )
    )  # fmt: skip


def _join(world: World, role: str, home: Path, roster: Path, fingerprint: str) -> None:
    _told(
        world.cast.run(
            role, "custodian", "join", "--home", str(home), "--roster", str(roster), "--server", world.server,
            "--fingerprint", fingerprint, "--passphrase-file", str(passphrase(home)), "--json",
        )
    )  # fmt: skip


def _told(done: subprocess.CompletedProcess[str]) -> None:
    must(
        done.returncode == 0, f"{done.args[2:5]} ended with {done.returncode}: {done.stderr[-600:]}"
    )


def passphrase(home: Path) -> Path:
    """Where the passphrase of a home lies, outside of it."""
    return home.with_name(f"{home.name}.passphrase")


def start(world: World, role: str, home: Path) -> None:
    """Start the process of a custodian or witness."""
    world.cast.start(
        f"{role}-{home.name}", role, "serve", "--home", str(home),
        "--passphrase-file", str(passphrase(home)), "--interval-ms", str(POLL_MS),
    )  # fmt: skip


def _roster(world: World, homes: Sequence[Path], onlooker: Path) -> Path:
    """The roster that everybody pins; its fingerprint is what people read to each other."""
    about = world.centre().about()
    body = build(
        CENTRE,
        statement_key(about["certificates"]["statements"]),
        world.people["supervisor"].key.public,
        about["ledger_vkey"],
        [json.loads((home / "card.json").read_text("utf-8")) for home in homes],
        [json.loads((onlooker / "card.json").read_text("utf-8"))],
    )
    path = world.keep / "roster.json"
    path.write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")
    return path


def statement_key(pem: str) -> bytes:
    """The P-256 key of a certificate, 33 bytes."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = x509.load_pem_x509_certificate(pem.encode()).public_key()
    return public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def write_trust(world: World, homes: Sequence[Path]) -> None:
    """`trust.pem`: one certificate per key of centre, log, time-stamp authority, supervisor, custodians, witnesses."""
    about = world.centre().about()
    parts = list(about["certificates"].values())
    parts.append(world.facts["certificates"]["supervisor"])
    parts += [(home / "certificates.pem").read_text("utf-8") for home in homes]
    world.trust.write_text("".join(part.strip() + "\n" for part in parts), encoding="utf-8")


def tender(world: World) -> Told:
    """Registration, ceremony, notice; T lies as far ahead as the measured trial demands."""
    told = case("water")
    started = world.clock.now()
    rehearsal = _keyed(world, told, _slot(started + REHEARSAL_MS), "rehearsal")
    took = world.clock.now() - started
    deadline = 0
    # T stands in the key's context, so it is chosen before the ceremony. What comes between bids and T (two attacks,
    # two custodians harmed) takes about as long as two ceremonies.
    for patience in (4, 6, 10):
        ahead = max(LEAST_AHEAD_MS, world.facts["trial_ms"]) + DRAW_MS + patience * took
        deadline = _slot(world.clock.now() + ahead)
        section = _keyed(world, told, deadline, "live")
        if deadline - world.clock.now() > LEAST_AHEAD_MS + took // 4:
            break
    world.desk().act("tender.publish", {"tender": section["tender"]})
    must(deadline - world.clock.now() >= LEAST_AHEAD_MS, "T is less than 8 s after the notice")
    world.facts |= {"section": section, "rehearsal": rehearsal, "deadline": deadline}
    recipient = section["file"]["statement"]["recipient"]
    (world.keep / "tender.json").write_text(
        json.dumps(section["file"], ensure_ascii=False), "utf-8"
    )
    notice = world.until(
        "the signed notice", lambda: _records(world, section["section"], "notice"), 20
    )
    world.stage.facts["tender"] = {
        "tender": section["tender"],
        "section": section["section"],
        "recipient": recipient,
    }
    ahead = deadline - world.clock.now()
    return tell(
        say.TENDER,
        key=recipient[:20],
        number=notice[0]["number"],
        ahead=f"{ahead / 1000:.1f}",
    )


def _slot(ms: int) -> int:
    """The next slot boundary: T lies on one."""
    return ms // 1000 * 1000 + 1000


def _keyed(world: World, told: dict[str, Any], deadline: int, use: str) -> dict[str, Any]:
    """A registered section with the key that a ceremony made for it."""
    name = told["tender"]["name"] if use == "live" else "演练：" + told["tender"]["name"]
    one = _register(world, told, deadline, name)
    world.people["operator"].centre.call(
        "POST", f"/sections/{one['section']}/ceremony", {"use": use}
    )
    one["file"] = world.until("the key ceremony", lambda: _file(world, one), CEREMONY_SECONDS)
    return one


def _register(world: World, told: dict[str, Any], deadline: int, name: str) -> dict[str, Any]:
    """进场登记 by two people."""
    section = told["section"]
    now = world.clock.now()
    cards = [_card_id(home) for home in world.custodians]
    titles = {
        "total_price": ("投标总价", "amount", "元"), "duration_days": ("工期", "integer", "日历天"),
        "quality": ("质量", "text", ""), "project_manager": ("项目负责人", "text", ""),
        "authorised_representative": ("委托代理人", "text", ""),
    }  # fmt: skip
    form = {
        "name": name,
        "tenderer": world.people["tenderer"].credit_code,
        "agent": world.people["agent"].credit_code,
        "sector": told["tender"]["sector"],
        "regime": "works",
        "deal_code_class": told["tender"]["deal_code_class"],
        "method": told["tender"]["method"],
        "evaluation": told["tender"]["evaluation"],
        "place": "不见面开标大厅",
        "documents_from": now,
        "documents_to": deadline - 1000,
        "sections": [
            {
                "name": section["name"],
                "control_price": section["control_price"],
                "deposit": section["bid_deposit"],
                "duration_days_max": section["duration_days_max"],
                "deadline": deadline,
                "minimum": section["minimum_bidders"],
                "custody": {
                    "custodians": cards,
                    "threshold": told["custodians"]["t"],
                    "window_s": section["unlock_window_min"] * 60,
                    "remedy": section["remedy"],
                },
                "proof_of_possession": section["proof_of_possession"],
                "float_points": section["float_points"],
                "summary_fields": [
                    dict(
                        zip(("name", "title", "kind", "unit"), (field, *titles[field]), strict=True)
                    )
                    for field in section["summary_fields"]
                ],
            }
        ],
    }
    done = world.desk().act("tender.create", form)
    return {"tender": done["tender"], "section": done["sections"][0]}


def _card_id(home: Path) -> str:
    return read_card(json.loads((home / "card.json").read_text("utf-8")), CENTRE).id


def _file(world: World, one: dict[str, Any]) -> dict[str, Any] | None:
    shown = world.people["operator"].centre.call("GET", f"/tenders/{one['tender']}")
    file: dict[str, Any] | None = shown["sections"][0]["tender_file"]
    return file


def _records(world: World, subject: str, kind: str) -> list[dict[str, Any]]:
    shown = world.centre().call("GET", "/records", query={"subject": subject})["records"]
    return [one for one in shown if one["type"] == kind]
