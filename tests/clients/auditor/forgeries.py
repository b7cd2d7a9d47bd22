"""Forgeries of an opening's dossier, each with the checks that must fail: those and no others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bidding.rules.draw import draw
from crypto import statement
from crypto.canonical import canonical, parse
from crypto.encoding import b64, unb64
from crypto.p256 import G, Point
from crypto.signature import SigningKey
from crypto.tlog.merkle import Tree, leaf_hash
from documents.model import NoticeFacts, OpeningFacts
from tests.bidding.centre import CENTRE, CENTRE_KEY
from tests.clients.auditor.forge import SEED

if TYPE_CHECKING:
    from tests.clients.auditor.forge import Forge

STRANGER = SigningKey.from_scalar(31337)


def flip(text: str) -> str:
    """Another base64 or hex text of the same length."""
    return ("B" if text[0] == "A" else "A") + text[1:]


def resign(file: dict[str, Any], key: SigningKey = CENTRE_KEY, **changes: Any) -> dict[str, Any]:
    head = ("v", "suite", "purpose", "centre")
    body = {k: v for k, v in file["statement"].items() if k not in head}
    return statement.sign(key, file["statement"]["purpose"], CENTRE, body | changes)


def _line(row: dict[str, Any]) -> dict[str, Any]:
    return row["body"]["lines"][0]


def _published(leaf: dict[str, Any]) -> None:
    leaf["bidders"][0], leaf["bidders"][1] = leaf["bidders"][1], leaf["bidders"][0]


def _dh(leaf: dict[str, Any]) -> None:
    point = Point.parse(unb64(leaf["bids"][0]["dh"]))
    leaf["bids"][0]["dh"] = b64((point + G).compressed())


def _other_key(row: dict[str, Any]) -> dict[str, Any]:
    file = row["body"]["file"]
    custodians = [dict(one) for one in file["statement"]["custodians"]]
    custodians[0]["key"] = b64(STRANGER.public)
    return resign(file, custodians=custodians)


def _nth(forge: Forge, kind: str, number: int) -> int:
    return [i for i, data in enumerate(forge.whole) if f'"kind":"{kind}"'.encode() in data][number]


def _redraw(forge: Forge, reveals: list[dict[str, Any]]) -> Forge:
    """Whatever the nonces give, drawn by the rule, in the ledger and in the hall."""
    nonces = {one["statement"]["party"]: one["statement"]["nonce"] for one in reveals}

    def edit(leaf: dict[str, Any]) -> None:
        leaf["reveals"] = sorted(reveals, key=lambda one: str(one["statement"]["party"]))
        leaf["value"] = draw(forge.made.section, leaf["points"], nonces)

    forge.leaf("float_result", edit)
    value = parse(forge.whole[_nth(forge, "float_result", 0)])["value"]
    forge.paper(OpeningFacts, float_point=value)
    return forge.event("float_drawn", lambda row: row["body"].update(value=value))


def _revealed(forge: Forge) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = parse(forge.whole[_nth(forge, "float_result", 0)])["reveals"]
    return found


def _invent_party(forge: Forge, party: str, *, told: bool) -> Forge:
    """In the second commitment's place stands one of a party that the centre invented."""
    index = _nth(forge, "float_commit", 1)
    leaf = parse(forge.whole[index])
    parties = leaf["signed"]["statement"]["parties"] + ([party] if told else [])
    forged = resign(leaf["signed"], STRANGER, party=party, parties=parties)
    forge.whole[index] = canonical(leaf | {"signed": forged})
    forge.event("float_committed", lambda row: row["body"].update(party=party, signed=forged), 1)
    centre, other = sorted(_revealed(forge), key=lambda one: one["statement"]["party"] != "centre")
    return _redraw(forge, [centre, resign(other, STRANGER, party=party)])


def _drop_commitment(forge: Forge) -> Forge:
    """The second party's commitment goes out of the ledger, and its nonce out of the draw."""
    index = _nth(forge, "float_commit", 1)
    forge.whole[index] = canonical({"v": 1, "centre": CENTRE, "kind": "other"})
    return _redraw(forge, _centres(forge))


def _centres(forge: Forge) -> list[dict[str, Any]]:
    return [one for one in _revealed(forge) if one["statement"]["party"] == "centre"]


def _drop_leaf(forge: Forge, number: int) -> Forge:
    lines = forge.folder.files["data/ledger/leaves.jsonl"].splitlines(keepends=True)
    del lines[-number]
    forge.folder.files["data/ledger/leaves.jsonl"] = b"".join(lines)
    return forge


def _second_list(forge: Forge) -> Forge:
    forge.whole.append(next(leaf for leaf in forge.whole if b'"kind":"close_list"' in leaf))
    return forge.relog()


def _without_withdrawn(values: list[dict[str, Any]]) -> None:
    gone = next(value for value in values if value["kind"] == "withdrawal")
    ended = gone["body"]["entry"]["replaces"]
    drop = {ended, gone["body"]["entry"]["id"]}
    values[:] = [value for value in values if value["body"].get("entry", {}).get("id") not in drop]


def _read_twice(values: list[dict[str, Any]]) -> None:
    place = next(n for n, value in enumerate(values) if value["kind"] == "read")
    values.insert(place, dict(values[place]))


def _confirm_other(values: list[dict[str, Any]]) -> None:
    kept = next(value for value in values if value["kind"] == "statement_kept")
    confirmed = next(value for value in values if value["kind"] == "confirmed")
    kept["body"]["signed"] = resign(kept["body"]["signed"], STRANGER, reading="ab" * 32)
    confirmed["body"]["statement"] = statement.digest(kept["body"]["signed"]).hex()


def _other_receipt(forge: Forge) -> Forge:
    one, two = (f"data/bids/{forge.made.names[who]}/receipt.json" for who in "ab")
    forge.folder.files[one] = forge.folder.files[two]
    forge.bent.add(one)
    return forge


def _other_history(forge: Forge, row: dict[str, Any]) -> dict[str, Any]:
    """The log signs a second tree, in which the slot's leaf says one thing more."""
    receipt = row["body"]["receipt"]
    said = receipt["statement"]
    index = said["leaf_index"]
    size = int(said["checkpoint"].splitlines()[1])
    leaf = canonical(parse(said["leaf"]) | {"lots": {"lot_x": "00" * 32}})
    leaves = [*forge.whole[:index], leaf, *forge.whole[index + 1 : size]]
    tree = Tree.of(map(leaf_hash, leaves))
    note = forge.note(said["checkpoint"].encode(), tree)
    return resign(
        receipt,
        leaf=leaf.decode(),
        inclusion=[node.hex() for node in tree.inclusion_proof(index)],
        checkpoint=note.decode(),
    )


def _bend_release(row: dict[str, Any]) -> None:
    said = row["body"]["signed"]["statement"]
    said["partials"][0] = said["partials"][1]


def _price(forge: Forge) -> Forge:
    facts = next(f for f in forge.records.values() if isinstance(f, OpeningFacts))
    rows = (replace(facts.rows[0], total_price="46382715.41"), *facts.rows[1:])
    return forge.paper(OpeningFacts, rows=rows)


def _heading(forge: Forge, kind: type[Any]) -> Any:
    facts = next(f for f in forge.records.values() if isinstance(f, kind))
    return replace(facts.heading, ledger_root="00" * 32)


FORGERIES: dict[str, tuple[Any, set[str]]] = {
    "the tender file is signed by somebody else": (
        lambda f: f.event(
            "bids_opened", lambda r: r["body"].update(file=resign(r["body"]["file"], STRANGER))
        ),
        {"tender"},
    ),
    "the tender prints another recipient": (
        lambda f: f.event(
            "bids_opened",
            lambda r: r["body"].update(
                file=resign(r["body"]["file"], recipient="age1tag1" + "q" * 60)
            ),
        ),
        {"tender", "certificate", "versions"},
    ),
    "the tender names a time before the custodians agreed to": (
        lambda f: f.event(
            "bids_opened",
            lambda r: r["body"].update(
                file=resign(
                    r["body"]["file"],
                    earliest_t=r["body"]["file"]["statement"]["earliest_t"] - 1000,
                )
            ),
        ),
        {"tender", "certificate", "versions"},
    ),
    "a custodian's statement key is exchanged": (
        lambda f: f.event("bids_opened", lambda r: r["body"].update(file=_other_key(r))),
        {"custodians", "releases", "versions"},
    ),
    "the notice prints another window": (
        lambda f: f.paper(NoticeFacts, unlock_window_s=7),
        {"notice"},
    ),
    "a leaf is left out": (
        lambda f: _drop_leaf(f, 5),
        {"leaves"},
    ),
    "a second close list": (
        _second_list,
        {"close-listed"},
    ),
    "the seed is another": (
        lambda f: f.file(SEED, lambda r: r.update(seed="00" * 32)),
        {"key-assigned"},
    ),
    "a proof of possession is exchanged": (
        lambda f: f.event(
            "submission", lambda r: r["body"].update(possession=flip(r["body"]["possession"]))
        ),
        {"acts-signed"},
    ),
    "a submission and its withdrawal are left out": (
        lambda f: f.events(_without_withdrawn),
        {"slots-walked", "published", "receipts", "record"},
    ),
    "an act's arrival is moved": (
        lambda f: f.event(
            "submission",
            lambda r: r["body"]["entry"].update(arrival=r["body"]["entry"]["arrival"] - 1),
            1,
        ),
        {"slots-walked", "receipts", "record"},
    ),
    "the hall lists another arrival": (
        lambda f: f.event("closed", lambda r: _line(r).update(arrival=_line(r)["arrival"] - 1)),
        {"hall"},
    ),
    "the hall lists another bidder": (
        lambda f: f.event("closed", lambda r: _line(r).update(bidder="org_x")),
        {"hall"},
    ),
    "the published bidders stand in another order": (
        lambda f: f.leaf("published_bidders", _published),
        {"order-kept"},
    ),
    "a published line names another bidder": (
        lambda f: f.leaf("published_bidders", lambda leaf: leaf["bidders"][1].update(bidder="x")),
        {"published"},
    ),
    "a published line has another arrival": (
        lambda f: f.leaf("published_bidders", lambda leaf: leaf["bidders"][1].update(arrival=1)),
        {"published"},
    ),
    "a published line has another credit code": (
        lambda f: f.leaf(
            "published_bidders",
            lambda leaf: leaf["bidders"][1].update(credit_codes=["91440000MA4W0001XX"]),
        ),
        {"published", "record"},
    ),
    "a withdrawn bid is left out of what is published": (
        lambda f: f.leaf("published_bidders", lambda leaf: leaf["bidders"].pop()),
        {"published"},
    ),
    "the float was drawn from other points than announced": (
        lambda f: f.leaf("float_result", lambda leaf: leaf.update(points=[leaf["value"]])),
        {"published"},
    ),
    # What lies before the close cannot be changed but that the closing root changes, which custodians signed for.
    "a party to the draw is invented": (
        lambda f: _invent_party(f, "org_invented", told=False),
        {"order-kept", "closing-checkpoint"},
    ),
    "a party to the draw is invented, and named by itself only": (
        lambda f: _invent_party(f, "org_invented", told=True),
        {"order-kept", "closing-checkpoint"},
    ),
    "the draw leaves a commitment out": (
        lambda f: _redraw(f, _centres(f)),
        {"order-kept"},
    ),
    "a commitment to the draw is dropped from the ledger": (
        _drop_commitment,
        {"issued", "closing-checkpoint"},
    ),
    "a confirmation comes after its window": (
        lambda f: f.event("confirmed", lambda r: r.update(at=r["at"] + 120_000)),
        {"hall", "heads"},
    ),
    "a bid is read out twice": (
        lambda f: f.events(_read_twice),
        {"hall"},
    ),
    "the control price in the hall is another": (
        lambda f: f.event("price_stated", lambda r: r["body"].update(value="1.00")),
        {"hall"},
    ),
    "a confirmation is signed over something else": (
        lambda f: f.events(_confirm_other),
        {"confirmations", "record"},
    ),
    "a partial decryption is exchanged in the signed answer": (
        lambda f: f.event("release", _bend_release),
        {"releases"},
    ),
    "the liar is said to have answered rightly": (
        lambda f: f.event("answered", lambda r: r["body"].update(status="answered"), 1),
        {"named", "record"},
    ),
    "the ledger holds another combined value": (
        lambda f: f.leaf("opened", _dh),
        {"combined"},
    ),
    "the ledger calls an honest custodian wrong": (
        lambda f: f.leaf("opened", lambda leaf: leaf.update(wrong=["custodian-1"])),
        {"combined"},
    ),
    "the hall imported another manifest": (
        lambda f: f.event(
            "imported", lambda r: r["body"]["outcomes"][0].update(manifest="00" * 32)
        ),
        {"results"},
    ),
    "a receipt is signed by somebody else": (
        lambda f: f.event(
            "receipt", lambda r: r["body"].update(receipt=resign(r["body"]["receipt"], STRANGER))
        ),
        {"receipts"},
    ),
    "a receipt is of another history of the log": (
        lambda f: f.event("receipt", lambda r: r["body"].update(receipt=_other_history(f, r))),
        {"receipts"},
    ),
    "the close list shown is another than the one in the ledger": (
        lambda f: f.file(
            "data/custody/close_list.json", lambda said: said["leaf"]["bids"].reverse()
        ),
        {"copies"},
    ),
    "a custodian's answer is not shown": (
        lambda f: f.file("data/custody/answers/2.json", lambda said: said["statements"].clear()),
        {"copies"},
    ),
    "a bid's evidence names another result": (
        lambda f: f.file(
            f"data/bids/{f.made.names['c']}/bid.json",
            lambda said: said["opened"].update(result="opened"),
        ),
        {"copies"},
    ),
    "a receipt shown is another bid's": (_other_receipt, {"copies"}),
    "the record prints another price": (
        _price,
        {"record"},
    ),
    "the record names another root": (
        lambda f: f.paper(OpeningFacts, heading=_heading(f, OpeningFacts)),
        {"record"},
    ),
    "the record claims a cosignature too many": (
        lambda f: f.paper(OpeningFacts, cosignatures=4),
        {"record"},
    ),
}
