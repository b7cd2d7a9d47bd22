"""What a path holds and which checklist it gets; what the others need is not even loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clients.auditor import receipts
from clients.errors import ClientError, UsageError
from clients.files import read_bounded
from documents.checks import Check, Report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from auction.replay.closed import Disclosure
    from clients.auditor.beside import InHand
    from clients.auditor.keys import Keys
    from documents.trust import Trust

MAX_FILE: Final = 256 << 20
"""Bytes; a record of 300 bidders has some hundred KiB, and sealed bids lie in bags only."""


def reports(
    paths: Sequence[Path], keys: Keys, at: int, slips: Sequence[Disclosure] = ()
) -> Iterator[Report]:
    """Check several inputs, in their order; a dossier or an opening record also against the receipts beside it.

    Arguments and errors as `report`.
    """
    files = {path: report(path, keys, at, slips) for path in paths if not path.is_dir()}
    held: list[InHand] = []
    records = [path for path in files if path.name.endswith(".pdf")]
    if len(files) < len(set(paths)) or (records and len(files) > len(records)):
        from clients.auditor import beside

        found = (beside.read(one, path) for path, one in files.items())
        held = [one for one in found if one is not None]
    for path in paths:
        if path in files:
            one = files[path]
            yield (
                one.also(beside.check_record(path.read_bytes(), held))
                if held and path in records
                else one
            )
            continue
        one = report(path, keys, at, slips)
        yield one.also(beside.check(path, held)) if held else one


def report(path: Path, keys: Keys, at: int, slips: Sequence[Disclosure] = ()) -> Report:
    """Check one input.

    Args:
        path: a file, or the folder of a bag.
        keys: pinned.
        at: time of the check, ms UTC.
        slips: of reserves, for whoever was given them.

    Raises:
        UsageError: there is no such path, or it cannot be read.
    """
    name = str(path)
    if path.is_dir():
        from clients.auditor import dossier

        return dossier.report(path, keys, at, slips)
    try:
        data = read_bounded(path, MAX_FILE, "record or receipt")
    except UsageError:
        raise
    except ClientError:
        return Report(name, (_too_large(),))
    if data.startswith(b"%PDF-") or name.endswith((".pdf", ".proof.json")):
        from documents import verify

        def inside(receipt: bytes, _trust: Trust, moment: int) -> tuple[Check, ...]:
            return receipts.check(receipt, keys, moment)

        return verify.verify_file(name, data, keys.trust, at, _proof_beside(path), inside)
    return Report(name, receipts.check(data, keys, at))


def _proof_beside(path: Path) -> bytes | None:
    """Return the proof that the ledger holds a record, if it lies beside the file."""
    from documents.verify import proof_name

    beside = path.with_name(proof_name(path.name))
    if beside == path or not beside.is_file():
        return None
    return read_bounded(beside, MAX_FILE, "record proof")


def _too_large() -> Check:
    detail = f"more than {MAX_FILE} bytes: no record or receipt"
    return Check("input", "可读 · readable", essential=True, status="failed", detail=detail)
