"""What the centre handed out, held against what happened: receipts, refusals, and the copies that lie in the bag.

A dossier shows people single files (the close list, a custodian's answers, a bid's evidence) beside the events and
leaves that they were taken from. A verifier believes the events; so that people may believe the files, they must be
the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from clients.auditor import receipts
from clients.auditor.checklist import must
from clients.auditor.evidence import CUSTODY
from clients.auditor.section import ACTS
from crypto.canonical import canonical, parse

if TYPE_CHECKING:
    from clients.auditor.section import Section

BIDS: Final = "data/bids/"


def check_receipts(section: Section) -> str:
    """Check every receipt and refusal that was handed out, and that its leaf is the one in this run.

    Raises:
        AuditError: with the act and the check that fails.
    """
    told = {"receipt": 0, "refused": 0}
    for row in section.rows:
        if row.kind not in told:
            continue
        signed = row.body["receipt" if row.kind == "receipt" else "refusal"]
        where = f"row {row.seq}, {row.kind} {row.body.get('id', '')}".rstrip()
        for check in receipts.check(canonical(signed), section.keys, section.at):
            must(check.status != "failed", f"{where}: {check.id}: {check.detail}")
        if row.kind == "receipt":
            _same_log(section, signed["statement"], where)
        told[row.kind] += 1
    return f"{told['receipt']} receipts, {told['refused']} refusals"


def _same_log(section: Section, said: dict[str, Any], where: str) -> None:
    place = said["leaf_index"] - section.leaves.start
    held = section.leaves.leaves[place] if 0 <= place < len(section.leaves.leaves) else b""
    must(
        held == said["leaf"].encode(),
        f"{where}: leaf {said['leaf_index']} of the ledger is another than in the receipt",
    )


def check_copies(section: Section) -> str:
    """Compare the files under custody/ and bids/ with the events and leaves they repeat.

    Raises:
        AuditError: with the file that says something else.
    """
    wanted = _custody(section) | _bids(section)
    compared = 0
    for name in sorted(section.evidence.names & wanted.keys()):
        value = parse(section.evidence.read(name))
        must(_covers(value, wanted[name]), f"{name} says something else than the events and leaves")
        compared += 1
    return f"{compared} files"


def _covers(value: Any, wanted: Any) -> bool:
    """Say whether a file repeats what is known; of an object, further members are its own."""
    if isinstance(wanted, dict) and isinstance(value, dict):
        return all(value.get(name) == known for name, known in wanted.items())
    return bool(value == wanted)


def _custody(section: Section) -> dict[str, Any]:
    found: dict[str, Any] = {
        f"{CUSTODY}{kind}.json": {"index": index, "leaf": leaf}
        for kind, (index, leaf) in section.named.items()
    }
    found[f"{CUSTODY}tender.json"] = section.files[-1]
    found[f"{CUSTODY}certificate.json"] = dict(section.tender.certificate)
    for index, one in enumerate(section.tender.custodians, 1):
        said = [
            row.body["signed"]
            for row in section.rows
            if row.kind == "release" and row.body["custodian"] == one.custodian
        ]
        found[f"{CUSTODY}answers/{index}.json"] = {
            "section": section.id, "custodian": one.custodian, "index": index, "statements": said,
        }  # fmt: skip
    return found


def _bids(section: Section) -> dict[str, Any]:
    found: dict[str, Any] = {}
    opened = {
        bid["submission"]: bid for bid in section.named.get("opened", (0, {"bids": ()}))[1]["bids"]
    }
    for row in section.rows:
        if row.kind in ACTS:
            entry, signed = row.body["entry"], row.body["signed"]
            said = signed["statement"]
            folder = f"{BIDS}{entry['id']}/"
            found[f"{folder}submission.json"] = signed
            found[f"{folder}bid.json"] = {
                "section": section.id,
                "submission": entry["id"],
                "entry": entry,
                "index": row.body["index"],
                "possession": row.body.get("possession", ""),
                **{name: said.get(name) for name in ("bidder", "sha256", "size", "encapsulation")},
                "opened": opened.get(entry["id"]),
            }
        elif row.kind == "receipt":
            found[f"{BIDS}{row.body['id']}/receipt.json"] = row.body["receipt"]
    return found
