"""What the centre handed out, held against what happened: receipts, refusals, and the copies that lie in the bag.

A dossier shows people single files (the close list, a custodian's answers, a bid's evidence) beside the events and
leaves that they were taken from. A verifier believes the events; so that people may believe the files, they must be
the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from clients.auditor import receipts
from clients.auditor.checklist import NotChecked, must
from clients.auditor.evidence import CUSTODY
from clients.auditor.section import ACTS, FILES
from crypto import statement
from crypto.canonical import canonical, parse
from documents.bag import PLAIN, SEALED

if TYPE_CHECKING:
    from clients.auditor.section import Section
    from trading.ground.chain import Row

BIDS: Final = "data/bids/"


def check_receipts(section: Section) -> str:
    """Check every receipt and refusal that was handed out, and that its leaf is the one in this run.

    Raises:
        AuditError: with the act and the check that fails.
    """
    told = {"receipt": 0, "refused": 0}
    acts = {row.body["entry"]["id"]: row.body for row in section.rows if row.kind in ACTS}
    deadline = 0
    for row in section.rows:
        if row.kind in FILES:
            deadline = row.body["file"]["statement"]["deadline"]
        if row.kind not in told:
            continue
        signed = row.body["receipt" if row.kind == "receipt" else "refusal"]
        where = f"row {row.seq}, {row.kind} {row.body.get('id', '')}".rstrip()
        for check in receipts.check(canonical(signed), section.keys, section.at):
            must(check.status != "failed", f"{where}: {check.id}: {check.detail}")
        if row.kind == "receipt":
            _same_act(section, signed["statement"], acts, row.body["id"], where)
            _same_log(section, signed["statement"], where)
        else:
            _same_refusal(section, row, deadline, where)
        told[row.kind] += 1
    return f"{told['receipt']} receipts, {told['refused']} refusals"


def _same_act(
    section: Section, said: dict[str, Any], acts: dict[str, Any], id_: str, where: str
) -> None:
    """A receipt says of its act what the act says: the tree proves the entry, nothing else of it."""
    must(id_ in acts, f"{where}: no act {id_} is among the events")
    signed = acts[id_]["signed"]["statement"]
    file = signed if "sha256" in signed else acts[signed["submission"]]["signed"]["statement"]
    wanted = {
        "tender": section.tender.tender,
        "section": section.id,
        "bidder": signed["bidder"],
        "sha256": file["sha256"],
        "size": signed.get("size", 0),
        "entry": acts[id_]["entry"],
        "index": acts[id_]["index"],
    }
    for name, value in wanted.items():
        must(said.get(name) == value, f"{where}: its {name} is {said.get(name)}, the act's {value}")


def _same_refusal(section: Section, row: Row, deadline: int, where: str) -> None:
    """A refusal holds the bidder against the T that was in force then, and is about what was refused."""
    said = row.body["refusal"]["statement"]
    wanted = {
        "tender": section.tender.tender,
        "section": section.id,
        "statement": row.body["statement"],
        "deadline": deadline,
        "arrival": row.at,
    }
    for name, value in wanted.items():
        must(said[name] == value, f"{where}: its {name} is {said[name]}, the events say {value}")
    act = row.body.get("act")
    if act is None:
        raise NotChecked(f"{where}: the signed words that were refused are not here")
    body = statement.verify(act, purpose=act["statement"]["purpose"], centre=section.centre)
    must(statement.digest(act).hex() == said["statement"], f"{where}: it is of another statement")
    must(
        body["section"] == section.id
        and body.get("parties", [body["bidder"]]) == row.body["parties"],
        f"{where}: the record blames {', '.join(row.body['parties'])}, {body['bidder']} had signed",
    )


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
    bids = _bids(section)
    wanted = _custody(section) | bids
    held = {
        name
        for name in section.evidence.names
        if name.startswith((CUSTODY, BIDS)) and not name.endswith((SEALED, PLAIN))
    }
    for name in sorted(held):
        must(name in wanted, f"{name} repeats nothing of the events and leaves")
        value = parse(section.evidence.read(name))
        must(value == wanted[name], f"{name} says something else than the events and leaves")
    missing = sorted(bids.keys() - held)
    must(not missing, f"{', '.join(missing[:3])} is not in the dossier")
    return f"{len(held)} files"


def _custody(section: Section) -> dict[str, Any]:
    """What each file of custody/ repeats, whole: nobody signs these files, so no member of them is free."""
    head = {"v": 1, "centre": section.centre, "section": section.id}
    found: dict[str, Any] = {
        f"{CUSTODY}{kind}.json": {"index": index, "leaf": leaf}
        for kind, (index, leaf) in section.named.items()
    }
    found[f"{CUSTODY}tender.json"] = section.files[-1]
    found[f"{CUSTODY}certificate.json"] = dict(section.tender.certificate)
    found[f"{CUSTODY}seed.json"] = {**head, "seed": section.seed}
    for index, one in enumerate(section.tender.custodians, 1):
        said = [
            row.body["signed"]
            for row in section.rows
            if row.kind == "release" and row.body["custodian"] == one.custodian
        ]
        found[f"{CUSTODY}answers/{index}.json"] = {
            **head, "custodian": one.custodian, "index": index, "statements": said,
        }  # fmt: skip
    return found


def _bids(section: Section) -> dict[str, Any]:
    """What the files of each bid that was put up for opening repeat, whole."""
    found: dict[str, Any] = {}
    opened = {
        bid["submission"]: bid
        for kind in ("opened", "disclosed")
        for bid in section.named.get(kind, (0, {"bids": ()}))[1]["bids"]
    }
    for row in section.rows:
        if row.kind in ACTS and row.body["entry"]["id"] in opened:
            entry, signed = row.body["entry"], row.body["signed"]
            said = signed["statement"]
            folder = f"{BIDS}{entry['id']}/"
            found[f"{folder}submission.json"] = signed
            found[f"{folder}bid.json"] = {
                "v": 1,
                "centre": section.centre,
                "section": section.id,
                "purpose": "bid-evidence",
                "submission": entry["id"],
                "entry": entry,
                "index": row.body["index"],
                "possession": row.body.get("possession", ""),
                **{name: said.get(name) for name in ("bidder", "sha256", "size", "encapsulation")},
                "opened": opened[entry["id"]],
            }
        elif row.kind == "receipt" and row.body["id"] in opened:
            found[f"{BIDS}{row.body['id']}/receipt.json"] = row.body["receipt"]
    return found
