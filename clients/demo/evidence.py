"""Step 6: records, dossiers and receipts on a table, verified offline; then one byte is flipped, and it shows."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, Final

from clients.demo import sentences as say
from clients.demo.stage import Told, must, tell

if TYPE_CHECKING:
    from pathlib import Path

    from clients.demo.world import World

DOSSIER_SECONDS: Final = 90
RENDITIONS: Final = ("public", "full")


def gather(world: World) -> Told:
    """What `--out` promises: signed PDF records with their proofs, both renditions of both dossiers, receipts."""
    centre = world.centre()
    subjects = {world.facts["section"]["section"], world.facts["session"]}

    def written() -> bool:
        listed = centre.call("GET", "/dossiers")["dossiers"]
        return subjects <= {one if isinstance(one, str) else one["subject"] for one in listed}

    world.until("both dossiers", written, DOSSIER_SECONDS)
    records = world.out / "records"
    records.mkdir()
    for one in centre.call("GET", "/records")["records"]:
        name = f"{one['type']}-{one['number']}"
        for ending in ("pdf", "proof.json"):
            answer = centre.raw("GET", f"/records/{one['record']}.{ending}")
            (records / f"{name}.{ending}").write_bytes(answer.body)
    bags = world.out / "dossiers"
    bags.mkdir()
    for subject in sorted(subjects):
        for rendition in RENDITIONS:
            name = f"{subject}-{rendition}.bag"
            shutil.copytree(world.home / "dossiers" / name, bags / name)
    return tell(
        say.GATHERED,
        records=len(list(records.glob("*.pdf"))),
        dossiers=len(list(bags.iterdir())),
        receipts=len(list((world.out / "receipts").iterdir())),
    )


def verify(world: World) -> Told:
    """`verify` over everything, as anybody would call it: exit status 0, and valid JSON."""
    paths = _paths(world.out)
    done = world.cast.run(
        "verify", "verify", *map(str, paths), "--trust", str(world.trust), "--json"
    )
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    bad = [one for one in reports if one["verdict"] != "valid"]
    must(not bad, f"not valid: {[(one['path'][-60:], _why(one)) for one in bad][:3]}")
    must(done.returncode == 0, f"verify ended with {done.returncode}: {done.stderr[-500:]}")
    must(len(reports) == len(paths), f"{len(reports)} reports for {len(paths)} paths")
    checks = sum(len(one["checks"]) for one in reports)
    _blame(world, reports)
    return tell(say.VERIFIED, paths=len(paths), checks=checks)


def _blame(world: World, reports: list[dict[str, Any]]) -> None:
    """The full dossier decides whose fault the damaged bid is, from the sealed file and public proofs."""
    full = next(
        one
        for one in reports
        if one["path"].endswith(f"{world.facts['section']['section']}-full.bag")
    )
    told = [
        check
        for check in full["checks"]
        if "deemed_revoked" in check["detail"] or "damaged" in check["detail"]
    ]
    must(told, "the full dossier does not say why the damaged bid did not open")


def _paths(folder: Path) -> list[Path]:
    return [
        *sorted((folder / "records").glob("*.pdf")),
        *sorted((folder / "dossiers").iterdir()),
        *sorted((folder / "receipts").iterdir()),
    ]


def _why(one: dict[str, Any]) -> str:
    return "; ".join(
        f"{c['id']}: {c['detail']}" for c in one["checks"] if c["status"] != "ok" and c["essential"]
    )[:400]


def flip(world: World) -> Told:
    """One byte in a copy of a record, of a receipt and of a dossier: exit status 1, and the place is named."""
    copy = world.keep / "tampered"
    record = min((world.out / "records").glob("opening-*.pdf"))
    receipt = min((world.out / "receipts").iterdir())
    bag = next(
        one
        for one in sorted((world.out / "dossiers").iterdir())
        if one.name.endswith("-public.bag")
    )
    copy.mkdir()
    shutil.copy(record, copy)
    shutil.copy(record.with_suffix(".proof.json"), copy)
    shutil.copy(receipt, copy)
    shutil.copytree(bag, copy / bag.name)
    inside = next(path for path in sorted((copy / bag.name / "data").rglob("*")) if path.is_file())
    places = []
    for path, target in (
        (copy / record.name, copy / record.name),
        (copy / receipt.name, copy / receipt.name),
        (inside, copy / bag.name),
    ):
        _flip(path)
        done = world.cast.run(
            "verify", "verify", str(target), "--trust", str(world.trust), "--json"
        )
        must(done.returncode == 1, f"{path.name}: a flipped byte ended with {done.returncode}")
        (report,) = (json.loads(line) for line in done.stdout.splitlines())
        must(report["verdict"] == "invalid", f"{path.name}: {report['verdict']}")
        places.append(
            next(check["id"] for check in report["checks"] if check["status"] == "failed")
        )
    return tell(say.FLIPPED, places=", ".join(places))


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
