"""Step 4: the opening. One custodian is killed before it, one has an altered share; the hall goes on and names them."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Final

from bidding.model import Decision
from clients.custodian.ceremony import SHARE, load_share
from clients.custodian.home import Home
from clients.demo import draw
from clients.demo import sentences as say
from clients.demo.setting_up import passphrase, start
from clients.demo.stage import Told, must, tell
from clients.demo.world import CENTRE, World, case
from clients.sdk.opening import OpeningSeat
from crypto import statement
from crypto.p256 import N, Secret

if TYPE_CHECKING:
    from clients.demo.bids import Bidder

KILLED: Final = 5
ALTERED: Final = 4
UNLOCK_SECONDS: Final = 60
RECORD_SECONDS: Final = 60


def before(world: World) -> Told:
    """Kill one custodian; alter the share in another one's home, with its own passphrase."""
    world.cast.kill(f"custodian-{KILLED}")
    home = world.custodians[ALTERED - 1]
    world.cast.stop(f"custodian-{ALTERED}")
    ceremony = world.facts["section"]["file"]["statement"]["ceremony"]
    with Home.open(home, passphrase(home).read_text("utf-8").strip()) as opened:
        other = (int.from_bytes(load_share(opened, ceremony).to_bytes(), "big") + 1) % N
        sealed = opened.keys.seal(
            f"share {ceremony}", Secret.parse(other.to_bytes(32, "big")).to_bytes()
        )
    memory = sqlite3.connect(home / "state.sqlite")
    with memory:  # what was said stays said, by a trigger: whoever owns the home can drop that too
        for (name,) in memory.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            memory.execute(f"DROP TRIGGER {name}")
        memory.execute(
            "UPDATE said SET content = ? WHERE kind = ? AND subject = ?", (sealed, SHARE, ceremony)
        )
    memory.close()
    start(world, "custodian", home)
    must(world.clock.now() < world.facts["deadline"], "T came before they were harmed: too slow")
    return tell(say.HARMED, killed=KILLED, altered=ALTERED)


def unlock(world: World) -> Told:
    """The list closes by the rule, custodians answer by theirs, the bids open all at once."""
    draw.reveal(world)
    hall = world.until("the bids are imported", lambda: _imported(world), UNLOCK_SECONDS)
    expected, names = case("water")["expected"], case("water")["custodians"]["organisations"]
    status = {one["organisation"]: one["status"] for one in hall["custody"]["custodians"]}
    wrong = [name for name, said in status.items() if said == "wrong"]
    must(wrong == [names[ALTERED - 1]], f"wrong answers are not attributed: {status}")
    must(
        status[names[KILLED - 1]] in {"waiting", "silent"},
        f"the killed custodian answered: {status}",
    )
    must(
        sum(said == "answered" for said in status.values()) == 3,
        f"not three right answers: {status}",
    )
    must(hall["opened"] == expected["opened"], f"{hall['opened']} bids opened")
    took = world.clock.now() - world.facts["deadline"]
    return tell(
        say.UNLOCKED,
        opened=hall["opened"],
        counted=hall["counted"],
        took=f"{took / 1000:.1f}",
        wrong=wrong[0],
    )


def _imported(world: World) -> dict[str, Any] | None:
    hall = world.centre().call("GET", f"/openings/{world.facts['section']['section']}")
    must(not hall["phase"].startswith("failed"), f"the opening failed: {hall['phase']}")
    return dict(hall) if hall["reading"] else None


def read_out(world: World) -> Told:
    """Reading-out in order, a decision on the damaged bid, confirmations, an objection and its answer, the record."""
    section = world.facts["section"]["section"]
    place = f"/openings/{section}"
    host = world.people["agent"].centre
    rows = _phase(host, place, "read_next")["rows"]
    while any(row["status"] == "sealed" for row in rows):
        rows = _phase(host, place, "read_next")["rows"]
    _check_rows(world, rows)
    damaged = next(row for row in rows if row["status"] == "deemed_revoked" or row["reason_zh"])
    _decide(world, section, damaged["submission"])
    hall = _phase(host, place, "confirm")
    _answers(world, section, hall["reading"])
    host.call(
        "POST",
        f"{place}/answers",
        {
            "bidder": _bidder(world, "replaces").who.id,
            "text": "经核对，开标一览表与投标文件一致，异议不成立。",
        },
    )
    world.until("the end of the confirmation window", lambda: _over(world, place), UNLOCK_SECONDS)
    _phase(host, place, "seal")
    record = world.until(
        "the signed opening record", lambda: _record(world, section), RECORD_SECONDS
    )
    final = world.centre().call("GET", place)
    said = {row["bidder"]: row["confirmation"] for row in final["rows"] if row["confirmation"]}
    world.stage.facts["tender"] |= {
        "opened": final["opened"],
        "rows": final["rows"],
        "record": record["record"],
    }
    return tell(say.READ_OUT, rows=len(rows), states=len(said), number=record["number"])


def _phase(host: Any, place: str, action: str) -> dict[str, Any]:
    return dict(host.call("POST", f"{place}/phase", {"action": action}))


def _check_rows(world: World, rows: list[dict[str, Any]]) -> None:
    expected = case("water")["expected"]
    count = {name: sum(row["status"] == name for row in rows) for name in ("opened", "withdrawn")}
    must(count["opened"] == expected["opened"], f"read out: {count}")
    must(count["withdrawn"] == expected["withdrawn"], f"withdrawn: {count}")
    priced = [row for row in rows if row["price"]]
    lowest = min(priced, key=lambda row: int(row["price"].replace(".", "")))
    must(
        (lowest["bidder"], lowest["price"])
        == (expected["lowest"]["bidder"], expected["lowest"]["total_price"]),
        f"the lowest is {lowest['bidder']} at {lowest['price']}",
    )
    listed = [row["submitted_at"] for row in rows if row["status"] != "withdrawn"]
    must(listed == sorted(listed), "not read out by the time of the counting submission")
    replaced = _bidder(world, "replaces")
    told = {row["bidder_id"]: row["sha256"] for row in rows}
    second = (replaced.folder / "second.age").read_bytes()
    import hashlib

    must(
        told[replaced.who.id] == hashlib.sha256(second).hexdigest(), "not the second version counts"
    )
    late = _bidder(world, "late")
    must(late.who.id not in told, "the late bid is on the list")


def _decide(world: World, section: str, submission: str) -> None:
    """The supervisor decides, by name and signature, that the damage is the bidder's own."""
    body = Decision(
        section=section,
        submission=submission,
        verdict="deemed_revoked",
        reason="解密值已由托管人证明正确，文件自身损坏，系投标人原因（办法第三十一条）",
        at=world.clock.now(),
    ).to_body()
    who = world.people["supervisor"]
    signed = statement.sign(who.key, Decision.PURPOSE, CENTRE, body)
    who.centre.call("POST", f"/openings/{section}/decisions", signed)


def _answers(world: World, section: str, reading: str) -> None:
    """Two bidders confirm, one objects; the absent one stays silent, which is no consent."""
    for acts in ("early", "by_hand"):
        _seat(world, section, acts).confirm(reading)
    seat = _seat(world, section, "replaces")
    seat.object_to("请核对本单位工期是否唱读有误。")
    seat.state()


def _seat(world: World, section: str, acts: str) -> OpeningSeat:
    """A bidder's seat; what the centre signs for its acts is kept beside the other receipts."""
    who = _bidder(world, acts).who
    folder = world.out / "receipts"
    return OpeningSeat(who.centre, CENTRE, section, who.id, who.key, folder)


def _bidder(world: World, acts: str) -> Bidder:
    bidder: Bidder = world.facts["bidders"][acts]
    return bidder


def _over(world: World, place: str) -> bool:
    hall = world.centre().call("GET", place)
    return hall["phase"] != "confirming" or bool(
        hall["ends_at"] and hall["ends_at"] <= world.clock.now()
    )


def _record(world: World, section: str) -> dict[str, Any] | None:
    shown = world.centre().call("GET", "/records", query={"subject": section})["records"]
    return next((one for one in shown if one["type"] == "opening"), None)
