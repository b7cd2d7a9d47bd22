"""The verbs as people and scripts call them: exit codes, JSON, small and quick starts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from clients import doctor, witness
from clients.custodian import roster
from clients.custodian.cli import group
from clients.custodian.roster import Roster
from tests.clients import scene
from tests.clients.fake_centre import Log
from tests.clients.opening_scene import two_signed
from tests.clients.test_release import postponement

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("fastapi", "starlette", "sqlalchemy", "sqlmodel", "reportlab", "pyhanko", "uvicorn")


def run(app: Any, *arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two custodians and a witness with homes, and a roster of them."""
    cards = []
    for name, app in (("c1", group), ("c2", group), ("w1", witness.group)):
        made = run(
            app,
            *("init", "--home", str(tmp_path / name), "--centre", scene.CENTRE),
            *("--organisation", f"单位{name}", "--passphrase-file", str(tmp_path / f"{name}.pass")),
            "--json",
        )
        assert made.exit_code == 0, made.output
        cards.append(json.loads((tmp_path / name / "card.json").read_text()))
        assert json.loads(made.stdout)["fingerprint"].count(" ") == 7
    keys = scene.centre_key().public, scene.supervisor_key().public
    body = roster.build(scene.CENTRE, *keys, Log().vkey, cards[:2], cards[2:])
    (tmp_path / "roster.json").write_text(json.dumps(body))
    return tmp_path


def join(folder: Path, name: str, fingerprint: str) -> Any:
    return run(
        group,
        *("join", "--home", str(folder / name), "--roster", str(folder / "roster.json")),
        *("--server", "http://127.0.0.1:9", "--fingerprint", fingerprint),
        *("--passphrase-file", str(folder / f"{name}.pass")),
    )


def fingerprint(folder: Path) -> str:
    return Roster.from_json(json.loads((folder / "roster.json").read_text())).fingerprint


def test_custodians_join_by_the_fingerprint_read_to_them_and_not_by_another(two: Path) -> None:
    assert join(two, "c1", "0" * 32).exit_code == 1
    assert not (two / "c1" / "roster.json").exists()
    assert join(two, "c1", fingerprint(two)).exit_code == 0
    body = json.loads((two / "roster.json").read_text())
    body["witnesses"] = []
    (two / "roster.json").write_text(json.dumps(body))
    assert join(two, "w1", fingerprint(two)).exit_code == 1  # its own card is not in it


def test_without_a_terminal_fingerprints_must_be_given(two: Path) -> None:
    asked = run(
        group,
        *("join", "--home", str(two / "c1"), "--roster", str(two / "roster.json")),
        *("--server", "http://x", "--passphrase-file", str(two / "c1.pass"), "--json"),
    )
    assert asked.exit_code == 2


def test_hold_and_take_work_beside_a_running_process(two: Path) -> None:
    join(two, "c1", fingerprint(two))
    home = ("--home", str(two / "c1"))
    from clients.custodian.cli import open_home

    with open_home(two / "c1", two / "c1.pass") as running:
        assert run(group, "hold", "sec_a", *home, "--reason", "法院").exit_code == 0
        assert running.state.said("hold", "sec_a") == "法院".encode()
        assert run(group, "hold", "sec_a", *home, "--lift").exit_code == 0
        assert running.state.said("hold", "sec_a") is None
        both = two / "postponement.json"
        both.write_text(json.dumps(two_signed(postponement())))
        taken = run(group, "take", str(both), *home, "--json")
        assert json.loads(taken.stdout) == {"taken": "postponement", "section": "sec_a"}
        both.write_text("{}")
        assert run(group, "take", str(both), *home).exit_code == 1
        assert run(group, "take", str(two / "none.json"), *home).exit_code == 2
        # The process itself has the home for itself.
        blocked = run(group, "rehearse", *home, "--passphrase-file", str(two / "c1.pass"))
        assert blocked.exit_code == 4


def test_rehearse_says_what_is_missing(two: Path) -> None:
    join(two, "c1", fingerprint(two))
    told = run(
        group,
        *("rehearse", "--home", str(two / "c1"), "--passphrase-file", str(two / "c1.pass")),
        "--json",
    )
    assert told.exit_code == 1
    report = json.loads(told.stdout)
    assert not report["ready"]
    assert report["centre"].startswith("not reached")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["serve", "--home", "nowhere"], 2),
        (["hold", "sec_a", "--home", "nowhere"], 2),
        (["recover", "--home", "x", "--host", "y"], 2),
        (["init", "--home", "x"], 2),
    ],
)
def test_wrong_usage_ends_with_two(arguments: list[str], code: int) -> None:
    assert run(group, *arguments).exit_code == code


def test_a_wrong_passphrase_ends_with_one_and_without_traceback(two: Path) -> None:
    (two / "wrong").write_text("not this\n")
    told = run(
        group, "rehearse", "--home", str(two / "c1"), "--passphrase-file", str(two / "wrong")
    )
    assert told.exit_code == 1
    assert "Traceback" not in told.output


def test_doctor_tells_what_is_there_in_json() -> None:
    from typer import Typer

    app = Typer()
    app.command()(doctor.doctor)
    told = run(app, "--json")
    assert told.exit_code == 0
    report = json.loads(told.stdout)
    assert report["fit"]
    assert {"Python", "durable database", "age"} <= {each["name"] for each in report["findings"]}
    assert "This machine is fit." in run(app).stdout


def loaded(statement: str) -> list[str]:
    told = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys, json; print(json.dumps([*sys.modules]))"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return list(json.loads(told.stdout))


@pytest.mark.parametrize(
    "statement",
    [
        "import clients.seal, clients.sealing, clients.tenders, clients.trust",
        "import clients.submit, clients.handing_in, documents.receipt",
        "import clients.custodian.cli, clients.custodian.serve, clients.custodian.handed",
        "import clients.witness, clients.doctor",
    ],
)
def test_a_bidders_and_a_custodians_machine_load_no_server(statement: str) -> None:
    modules = set(loaded(statement))
    assert modules.isdisjoint(HEAVY)
    assert "asyncio" not in modules


def test_a_custodian_starts_stays_and_ends_when_told(two: Path) -> None:
    join(two, "c1", fingerprint(two))
    arguments = ["serve", "--home", str(two / "c1"), "--passphrase-file", str(two / "c1.pass")]
    code = f"from clients.custodian.cli import group; group({arguments!r})"
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    first = process.stderr.readline()
    assert "serves" in first
    used = Path(f"/proc/{process.pid}/status").read_text()
    resident = next(int(line.split()[1]) for line in used.splitlines() if "VmRSS" in line)
    assert resident < 80 * 1024, used
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(20) == 0
    process.stderr.close()


def test_sealing_takes_little_memory(tmp_path: Path) -> None:
    desk = scene.desk(tmp_path, sizes=())
    big = tmp_path / "big.bin"
    with big.open("wb") as file:
        file.truncate(256 << 20)
    arguments = [*desk.options(), str(big), "-o", str(tmp_path / "BID.age"), "--json"]
    code = (
        "import typer\nfrom clients.seal import seal\napp = typer.Typer()\n"
        f"app.command()(seal)\ntry:\n    app({arguments!r})\nexcept SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "print(*[line.split()[1] for line in open('/proc/self/status') if 'VmHWM' in line])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(told.stdout.splitlines()[-1]) <= 64 * 1024


def test_doctor_with_a_centre_wants_a_key_too_and_says_when_there_is_no_centre(
    tmp_path: Path,
) -> None:
    from typer import Typer

    from tests.clients import scene

    app = Typer()
    app.command()(doctor.doctor)
    assert run(app, "--centre", "http://127.0.0.1:9").exit_code == 2
    key = tmp_path / "key.pem"
    key.write_text(scene.bidder_key().to_pem())
    told = run(app, "--centre", "http://127.0.0.1:9", "--key", str(key), "--json")
    assert told.exit_code == 4
    (found,) = [f for f in json.loads(told.stdout)["findings"] if "自检" in f["name"]]
    assert not found["ok"]
    assert "does not answer" in found["detail"]
