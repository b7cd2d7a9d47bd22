"""The verb: exit codes, one JSON object a line, a verdict for whatever is given, and nothing loaded that it needs not."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner

from clients.auditor.command import verify
from crypto.canonical import canonical
from trading.ground.clock import rfc3339

if TYPE_CHECKING:
    from tests.clients.auditor.auction_world import Played
    from tests.clients.auditor.opening_world import Made

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def left(tmp_path_factory: pytest.TempPathFactory, opened: Made, played: Played) -> Path:
    """A folder as `demo --out` leaves it, of the opening."""
    out = tmp_path_factory.mktemp("out")
    (out / "records").mkdir()
    (out / "receipts").mkdir()
    shutil.copytree(opened.public.parent, out / "dossiers")
    for path in sorted((opened.public / "data" / "records").iterdir()):
        shutil.copy(path, out / "records" / path.name)
    for number, one in enumerate((*opened.receipts, opened.withdrawn, opened.refusal)):
        (out / "receipts" / f"{number}.json").write_bytes(canonical(one) + b"\n")
    shutil.copy(opened.trust, out / "trust.pem")
    return out


def run(*arguments: object, at: int | None = None) -> Any:
    app = typer.Typer()
    app.command()(verify)
    more = [] if at is None else ["--at", rfc3339(at)]
    return CliRunner().invoke(app, [*map(str, arguments), *more])


def verdicts(result: Any) -> dict[str, str]:
    found = [json.loads(line) for line in result.stdout.splitlines()]
    return {one["path"]: one["verdict"] for one in found}


def inputs(out: Path) -> list[Path]:
    return [
        *sorted((out / "records").glob("*.pdf")),
        *sorted((out / "dossiers").glob("*.bag")),
        *sorted((out / "receipts").iterdir()),
    ]


def test_everything_a_demo_leaves_is_valid(left: Path, opened: Made) -> None:
    result = run(*inputs(left), "--trust", left / "trust.pem", "--json", at=opened.at)
    assert result.exit_code == 0, result.stdout
    assert set(verdicts(result).values()) == {"valid"}
    assert len(verdicts(result)) == 2 + 2 + 7
    for line in result.stdout.splitlines():
        one = json.loads(line)
        assert set(one) == {"path", "verdict", "checks"}
        for check in one["checks"]:
            assert set(check) == {"id", "title", "essential", "status", "detail"}
            assert check["status"] in {"ok", "failed", "not_checked"}


def test_without_a_trust_file_it_is_incomplete(left: Path, opened: Made) -> None:
    for path in inputs(left):
        result = run(path, "--json", at=opened.at)
        assert result.exit_code == 3, result.stdout
        assert verdicts(result) == {str(path): "incomplete"}


def test_a_trust_file_of_strangers_makes_it_invalid(
    left: Path, opened: Made, played: Played
) -> None:
    for path in inputs(left)[:5]:
        assert run(path, "--trust", played.trust, at=opened.at).exit_code == 1


def test_one_invalid_input_beats_incomplete_ones(left: Path, opened: Made, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_bytes(b"{}")
    receipt = left / "receipts" / "0.json"
    assert run(receipt, bad, at=opened.at).exit_code == 1
    assert run(bad, receipt, at=opened.at).exit_code == 1
    assert run(receipt, receipt, at=opened.at).exit_code == 3


def test_a_path_that_is_not_there_is_wrong_usage(tmp_path: Path, left: Path) -> None:
    result = run(left / "receipts" / "0.json", tmp_path / "nothing.pdf")
    assert result.exit_code == 2
    assert "nothing.pdf" in result.output
    assert run(left / "receipts" / "0.json", "--trust", tmp_path / "none.pem").exit_code == 2
    assert run(left / "receipts" / "0.json", "--trust", left / "receipts/0.json").exit_code == 2
    assert run(left / "receipts" / "0.json", "--at", "yesterday").exit_code == 2
    assert run().exit_code == 2


def test_people_are_told_the_verdict_first_in_chinese_and_the_place_of_a_failure(
    left: Path, opened: Made, tmp_path: Path
) -> None:
    good = run(left / "receipts" / "0.json", "--trust", left / "trust.pem", at=opened.at)
    assert "有效 VALID" in good.stdout
    copy = tmp_path / "bag"
    shutil.copytree(opened.public, copy)
    events = copy / "data" / "events.jsonl"
    lines = events.read_bytes().splitlines(keepends=True)
    events.write_bytes(b"".join(lines[:9] + lines[10:]))
    bad = run(copy, "--trust", left / "trust.pem", at=opened.at)
    assert bad.exit_code == 1
    assert "无效 INVALID" in bad.stdout
    assert "data/events.jsonl" in bad.stdout


def test_time_can_be_set_back_before_anything_was_signed(left: Path, opened: Made) -> None:
    early = opened.at - 10**9
    for path in inputs(left)[:5]:
        assert run(path, "--trust", left / "trust.pem", at=early).exit_code == 1


def test_nothing_ends_in_a_traceback(left: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    deep = tmp_path / "deep"
    (deep / "data").mkdir(parents=True)
    (deep / "bagit.txt").write_bytes(b"\xff\xfe")
    (deep / "data" / "events.jsonl").write_bytes(b"[" * 100_000)
    (deep / "bag-info.txt").write_bytes(b"Kaibiao-Centre: x\n")
    linked = tmp_path / "linked"
    shutil.copytree(left / "dossiers", linked / "d")
    bag = next((linked / "d").glob("*public.bag"))
    (bag / "data" / "VERIFY.md").unlink()
    (bag / "data" / "VERIFY.md").symlink_to("/etc/passwd")
    files = {
        "zero.pdf": b"",
        "zero.json": b"",
        "x.proof.json": b"{}",
        "half.pdf": next((left / "records").glob("*.pdf")).read_bytes()[:5000],
        "nested.json": b"[" * 200_000,
        "numbers.json": b'{"statement":{"purpose":"receipt","centre":1e999}}',
        "bytes.bin": bytes(range(256)) * 4,
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    for path in (*map(tmp_path.joinpath, files), tmp_path / "empty", deep, bag):
        result = run(path, "--trust", left / "trust.pem", "--json")
        assert result.exit_code == 1, (path, result.output)
        assert not isinstance(result.exception, Exception), path
        assert verdicts(result) == {str(path): "invalid"}


def _flips(folder: Path, seed: int) -> list[tuple[str, int]]:
    """For every file of a folder one random place, as name and offset."""
    chance = random.Random(seed)
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return [(name, chance.randrange((folder / name).stat().st_size)) for name in files]


@pytest.mark.parametrize("rendition", ["public", "full"])
def test_a_flipped_byte_in_any_file_of_a_dossier_is_found_and_its_file_named(
    rendition: str, opened: Made, tmp_path: Path
) -> None:
    from clients.auditor.inputs import report
    from clients.auditor.keys import Keys
    from documents.trust import Trust

    keys = Keys(Trust.from_pem(opened.trust.read_bytes()))
    copy = tmp_path / "copy.bag"
    shutil.copytree(getattr(opened, rendition), copy)
    flips = _flips(copy, seed=7)
    if rendition == "full":  # the rest is the same in both
        flips = [flip for flip in flips if not (opened.public / flip[0]).exists()]
        assert len(flips) == 5  # three sealed files, two opened packages
    for name, at in flips:
        path = copy / name
        good = path.read_bytes()
        data = bytearray(good)
        data[at] ^= 1 << at % 8
        path.unlink()  # the writer may have linked it
        path.write_bytes(bytes(data))
        found = report(copy, keys, opened.at)
        assert found.verdict == "invalid", (name, at)
        told = " ".join(check.detail for check in found.checks if check.status == "failed")
        assert name.rpartition("/")[2] in told or name.startswith("tagmanifest"), (name, told)
        path.write_bytes(good)
    assert report(copy, keys, opened.at).verdict == "valid"


def test_a_flipped_byte_in_a_record_is_found(left: Path, opened: Made) -> None:
    from clients.auditor.inputs import report
    from clients.auditor.keys import Keys
    from documents.trust import Trust

    keys = Keys(Trust.from_pem(opened.trust.read_bytes()))
    for name, at in [flip for seed in range(8) for flip in _flips(left / "records", seed)]:
        path = left / "records" / name
        good = path.read_bytes()
        data = bytearray(good)
        data[at] ^= 1 << at % 8
        path.write_bytes(bytes(data))
        pdf = path if name.endswith(".pdf") else path.with_name(name.replace(".proof.json", ".pdf"))
        verdict = report(pdf, keys, opened.at).verdict
        path.write_bytes(good)
        # One witness's line that nobody can read is one witness fewer, of whom there are enough.
        line = good[:at].rpartition(b"\\n")[2] + good[at:].partition(b"\\n")[0]
        assert verdict == "invalid" or b" custodian-" in line, (name, at)


@pytest.mark.parametrize("change", ["extra", "missing", "renamed"])
def test_a_file_too_many_or_too_few_is_found(change: str, opened: Made, tmp_path: Path) -> None:
    copy = tmp_path / "copy.bag"
    shutil.copytree(opened.public, copy)
    if change == "extra":
        (copy / "data" / "note.txt").write_text("hello")
    elif change == "missing":
        (copy / "data" / "trust.json").unlink()
    else:
        (copy / "data" / "trust.json").rename(copy / "data" / "truth.json")
    result = run(copy, "--trust", opened.trust, "--json", at=opened.at)
    assert result.exit_code == 1
    assert "bag.form" in result.stdout


HEAVY = (
    "fastapi",
    "starlette",
    "sqlmodel",
    "sqlalchemy",
    "alembic",
    "uvicorn",
    "reportlab",
    "httpx",
)


def test_it_loads_no_server_no_database_and_no_drawing(left: Path, opened: Made) -> None:
    """And opens no socket: in a process of its own, where either would raise."""
    code = f"""
import sys, socket
def no_network(*a, **k): raise AssertionError("the auditor asked the network")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = no_network
sys.argv = ["verify", *{[str(p) for p in inputs(left)]!r}, "--trust", {str(left / "trust.pem")!r},
            "--at", {rfc3339(opened.at)!r}]
from clients.auditor.command import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
loaded = sorted(set({HEAVY!r}) & {{name.partition(".")[0] for name in sys.modules}})
assert not loaded, loaded
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def test_a_receipt_alone_needs_no_pdf_library(left: Path, opened: Made) -> None:
    code = f"""
import sys
sys.argv = ["verify", {str(left / "receipts" / "0.json")!r}, "--trust", {str(left / "trust.pem")!r},
            "--at", {rfc3339(opened.at)!r}]
from clients.auditor.command import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
assert "pyhanko" not in sys.modules, "pyhanko"
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
