"""Step 5: the plot-ratio session. Six holders offer from processes of their own; the centre is killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from auction.record import verify_receipt
from clients.demo import sentences as say
from clients.demo.processes import FRONT_DOOR
from clients.demo.setting_up import code, statement_key
from clients.demo.stage import Told, must, tell
from clients.demo.world import CENTRE, World, case, write_private
from clients.sdk.acts import command
from crypto.canonical import canonical
from trading.ground.clock import rfc3339

if TYPE_CHECKING:
    from pathlib import Path

OPENS_IN_MS: Final = 3_000
LISTING_MS: Final = 2_000
EXTEND_S: Final = 4
KILL_AT: Final = "80"
"""The offer that is under way when the centre is killed."""

HOUR_MS: Final = 3_600_000
RECORD_SECONDS: Final = 60


@dataclass
class Holder:
    """A land holder's process, spoken to line by line."""

    name: str
    process: subprocess.Popen[str]

    def ask(self, **asked: Any) -> dict[str, Any]:
        """One command and its answer."""
        self.tell(**asked)
        return self.hear()

    def tell(self, **asked: Any) -> None:
        """One command; the answer is heard later."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """The next answer."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        must(line, f"{self.name} ended")
        return dict(json.loads(line))


def announce(world: World) -> Told:
    """Holders enrol, the session is registered and published by two people, deposits are declared."""
    told = case("quota")
    for number, parcel in enumerate(told["parcels"], 1):
        world.join(
            f"holder-{parcel['holder']}",
            name=f"代理人{number}",
            organisation=parcel["holder"],
            credit_code=code(100 + number),
            role="bidder",
        )
    opens = (world.clock.now() + OPENS_IN_MS) // 1000 * 1000
    starts = opens + LISTING_MS
    rules = {
        "scale": 2,
        "unit": "元/㎡",
        "increment": told["increment"],
        "listing": {"opens_at": rfc3339(opens), "closes_at": rfc3339(starts)},
        "timed": {"starts_at": rfc3339(starts), "extend_s": EXTEND_S, "entry_rule": "always"},
        "quota": {"slots": told["slots"], "raise_base": told["raise_base"]},
        "outage_min_s": 0,
    }
    lots = [
        {
            "name": f"{parcel['id']} {parcel['holder']}",
            "holder": world.people[f"holder-{parcel['holder']}"].credit_code,
            "deposit": parcel["deposit"],
            "details": {
                name: value for name, value in parcel.items() if name not in {"holder", "deposit"}
            },
        }
        for parcel in told["parcels"]
    ]
    desk = world.desk()
    form = {
        "name": told["title"] + " " + told["session"],
        "opens_at": opens,
        "listing_ends_at": starts,
        "rules": rules,
        "lots": lots,
    }
    made = desk.act("session.create", form)
    desk.act("session.publish", {"session": made["session"]})
    for parcel, lot in zip(told["parcels"], made["lots"], strict=True):
        who = world.people[f"holder-{parcel['holder']}"]
        body = {"target": lot, "form": "paid", "amount": parcel["deposit"]}
        form = {
            "statement": command(who.key, "deposit", CENTRE, body, world.clock),
            "reference": f"TD-{parcel['id']}",
        }
        who.centre.call("POST", "/deposits", form)
        who.centre.close()
    world.facts |= {"session": made["session"], "opens": opens, "starts": starts}
    ahead = opens - world.clock.now()
    return tell(say.ANNOUNCED, lots=len(lots), slots=told["slots"], ahead=f"{ahead / 1000:.1f}")


def run(world: World) -> Told:
    """The script of the worked example, offer by offer; SIGKILL while one is under way."""
    told = case("quota")
    holders = {f"P{n}": _start(world, parcel) for n, parcel in enumerate(told["parcels"], 1)}
    answers: list[dict[str, Any]] = []
    try:
        paddles = {name: holder.ask(do="enter")["paddle"] for name, holder in holders.items()}
        must(len(set(paddles.values())) == len(paddles), "two holders have one paddle")
        world.sleep_until(world.facts["opens"])
        for line in told["script"]:
            answers.append(_offer(world, holders[line["by"]], line))
            got = "ok" if answers[-1]["ok"] else answers[-1]["code"]
            must(
                got == line["expect"],
                f"{line['by']} {line['amount']}: {got}, expected {line['expect']}",
            )
    finally:
        for holder in holders.values():
            holder.process.kill()
            holder.process.wait()
    world.facts["answers"] = answers
    accepted = sum(answer["ok"] for answer in answers)
    return tell(say.OFFERED, accepted=accepted, refused=len(answers) - accepted)


def _start(world: World, parcel: dict[str, Any]) -> Holder:
    who = world.people[f"holder-{parcel['holder']}"]
    folder = world.keep / "holders"
    folder.mkdir(exist_ok=True)
    key = folder / f"{parcel['id']}.pem"
    write_private(key, who.key.to_pem().encode())
    with (world.cast.logs / f"holder-{parcel['id']}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "clients.demo.holder"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=FRONT_DOOR.parent,
        )  # fmt: skip
    holder = Holder(parcel["holder"], process)
    holder.tell(
        centre=CENTRE, server=world.server, lot=world.facts["session"], key=str(key),
        until=world.clock.now() + HOUR_MS,
    )  # fmt: skip
    return holder


def _offer(world: World, holder: Holder, line: dict[str, Any]) -> dict[str, Any]:
    """One line of the script at its time: in its phase, or after the end where it must be late."""
    if line["phase"] == "TIMED" and world.clock.now() < world.facts["starts"]:
        world.sleep_until(world.facts["starts"])
    if line["expect"] == "CLOSED":
        world.until("the end of the session", lambda: _hall(world)["outcome"], 60)
    if line["amount"] == KILL_AT:
        return _killed_under_way(world, holder, line)
    return holder.ask(do="bid", amount=line["amount"])


def _killed_under_way(world: World, holder: Holder, line: dict[str, Any]) -> dict[str, Any]:
    """The offer leaves, the centre stands still and is killed, comes back, and answers by the client's key."""
    process = world.cast.running["centre"]
    os.kill(process.pid, signal.SIGSTOP)  # so that the offer is surely unanswered
    sent = holder.ask(do="send", amount=line["amount"])
    world.cast.kill("centre")
    world.start_centre()
    answer = holder.ask(do="settle")
    must(answer["key"] == sent["sent"], "another key was answered")
    must(answer["ok"], f"the session ended while the centre was down: {answer}")
    return answer


def _hall(world: World) -> dict[str, Any]:
    return dict(world.centre().call("GET", f"/lots/{world.facts['session']}")["state"])


def result(world: World) -> Told:
    """Winners and payable amounts as worked; every acknowledgement stands in the transcript; the papers are signed."""
    told, session = case("quota"), world.facts["session"]
    shown = world.centre().call("GET", f"/lots/{session}/transcript")
    rows = {row["chain"]: row for row in shown["rows"]}
    key = statement_key(world.centre().about()["certificates"]["statements"])
    for number, answer in enumerate(world.facts["answers"], 1):
        row = verify_receipt(answer["receipt"], centre=CENTRE, key=key)
        must(row.chain.hex() in rows, f"answer {number} is not in the transcript")
        _keep(world.out / "receipts" / f"offer-{number:02}.json", answer["receipt"])
    outages = [row for row in shown["rows"] if row["body"].get("do") == "suspend"]
    must(len(outages) == 1, f"{len(outages)} outages instead of one")
    outcome = _hall(world)["outcome"]
    winners = [
        {name: one[name] for name in ("parcel", "amount", "payable")} for one in outcome["winners"]
    ]
    must(winners == told["expected"]["winners"], f"other winners: {winners}")
    total = sum(int(one["payable"].replace(".", "")) for one in winners)
    must(f"{total // 100}.{total % 100:02}" == told["expected"]["total"], f"another total: {total}")
    records = world.until(
        "transcript and confirmations", lambda: _records(world, session), RECORD_SECONDS
    )
    world.stage.facts["auction"] = {
        "session": session,
        "winners": winners,
        "records": [one["number"] for one in records],
    }
    return tell(
        say.RESULT,
        won=len(winners),
        lots=len(told["parcels"]),
        total=told["expected"]["total"],
        letters=len(records) - 1,
    )


def _keep(path: Path, receipt: dict[str, Any]) -> None:
    path.write_bytes(canonical(receipt) + b"\n")


def _records(world: World, session: str) -> list[dict[str, Any]] | None:
    shown = world.centre().call("GET", "/records", query={"subject": session})["records"]
    kinds = [one["type"] for one in shown]
    done = kinds.count("transcript") == 1 and kinds.count("confirmation") == len(
        case("quota")["expected"]["winners"]
    )
    return shown if done else None
