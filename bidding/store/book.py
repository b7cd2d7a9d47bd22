"""One section's book: a fold of its journal stream and of the ledger leaves about it.

`Shelf` holds all books. Books are rebuilt from the journal at start and follow it afterwards;
nothing else changes them, so that no table can disagree with the journal.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from bidding.model import Entry, KeyAssign, TenderFile
from bidding.opening import Event, State, begin, evolve
from bidding.rules.bids import Act, live
from bidding.rules.outside import read_act
from bidding.rules.versions import Edition
from crypto.encoding import unb64
from crypto.statement import digest
from trading.ground.blobs import Blob

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trading.ground.chain import Row

PREFIX: Final = "bidding/"
LEDGER: Final = "ledger"


def stream_of(section: str) -> str:
    """Return the journal stream of a section."""
    return PREFIX + section


@dataclass(slots=True)
class Ceremony:
    """A key ceremony as the centre sees it: messages handed on, nothing of a key.

    Attributes:
        context: context bytes; `custodians`: ids in roster order.
        rounds: round → custodian → signed message.
        state: running, done or failed; `blame` says why, and by whom.
    """

    id: str
    section: str
    context: bytes
    custodians: tuple[str, ...]
    rounds: dict[int, dict[str, dict[str, Any]]] = field(default_factory=dict)
    state: str = "running"
    blame: str = ""
    certificate: dict[str, Any] | None = None

    def complete(self, round_: int) -> bool:
        """Say whether everybody's message of a round is in."""
        return len(self.rounds.get(round_, {})) == len(self.custodians)

    def messages(self, round_: int) -> list[dict[str, Any]]:
        """Return the signed messages of a complete round, in roster order."""
        found = self.rounds.get(round_, {})
        return [found[custodian] for custodian in self.custodians]


@dataclass(frozen=True, slots=True)
class Keyed:
    """The section has a key and takes bids until T.

    Attributes:
        tender: the tender file's content; `file` its signed form.
        seed_ref: where the private table keeps the section's seed.
        confirm_ms: length of the confirmation window.
        first_slot: the first slot in which it commits.
    """

    tender: TenderFile
    file: dict[str, Any]
    seed_ref: str
    confirm_ms: int
    first_slot: int


@dataclass(frozen=True, slots=True)
class Kept:
    """An accepted act with everything that was kept of it. `index`: its place in the tree."""

    act: Act
    entry: Entry
    index: int
    signed: dict[str, Any]
    possession: str
    blob: Blob | None


@dataclass(frozen=True, slots=True)
class Power:
    """A delegation by which somebody acted here. `ended`: digest of what ended it early, or ""."""

    bidder: str
    person: str
    ended: str = ""


@dataclass(slots=True)
class Book:
    """Everything known of one section in this room.

    Attributes:
        kept: accepted acts by id; `by_statement`: digest of a signed statement → act id.
        receipts: act id → signed receipt; `refusals`: digest → signed refusal; `late`: bidder → how many.
        leaves: leaf kind → (ledger index, body), in order.
        reveals: party → its signed nonce for the float draw; `float_refs`: of the centre's own, still closed.
        releases: custodian → its signed answers and refusals, in order.
        late_witness: signed words of the supervisor after an outage over T.
        opening: the hall's state, None before there is a key.
        events: (kind, body, at) of the hall, in order.
        files: SHA-256, hex → a file of an objection or its answer.
        powers: digest of a signed delegation → who acts by it for whom.
        editions: digest of a signed tender file → its version and since when it stands, in order.
    """

    section: str
    centre: str
    ceremonies: dict[str, Ceremony] = field(default_factory=dict)
    keyed: Keyed | None = None
    kept: dict[str, Kept] = field(default_factory=dict)
    by_statement: dict[str, str] = field(default_factory=dict)
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    refusals: dict[str, dict[str, Any]] = field(default_factory=dict)
    late: Counter[str] = field(default_factory=Counter)
    leaves: dict[str, list[tuple[int, dict[str, Any]]]] = field(default_factory=dict)
    reveals: dict[str, dict[str, Any]] = field(default_factory=dict)
    float_refs: dict[str, str] = field(default_factory=dict)
    releases: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    late_witness: list[dict[str, Any]] = field(default_factory=list)
    opening: State | None = None
    events: list[tuple[str, dict[str, Any], int]] = field(default_factory=list)
    records: dict[str, str] = field(default_factory=dict)
    files: dict[str, Blob] = field(default_factory=dict)
    editions: dict[str, Edition] = field(default_factory=dict)
    powers: dict[str, Power] = field(default_factory=dict)

    @property
    def acts(self) -> dict[str, Act]:
        """Accepted acts by id."""
        return {id_: kept.act for id_, kept in self.kept.items()}

    @property
    def deadline(self) -> int:
        """T, ms UTC; there is none before there is a key."""
        assert self.opening is not None
        return self.opening.deadline

    def live(self) -> list[Act]:
        """Return the bids that count now, in reading order."""
        return live(self.acts.values())

    def leaf(self, kind: str) -> tuple[int, dict[str, Any]] | None:
        """Return index and body of the section's first leaf of a kind."""
        found = self.leaves.get(kind)
        return found[0] if found else None

    def announced(self, purpose: str) -> tuple[int, dict[str, Any]] | None:
        """Return ledger index and body of the first statement by two of a purpose."""
        for index, body in self.leaves.get("announced", ()):
            said = body["statements"][0]["statement"]
            if said["purpose"] == purpose:
                return index, said
        return None

    def fold(self, kind: str, body: Mapping[str, Any], at: int) -> None:
        """Apply one row of the section's stream."""
        handler = getattr(self, f"_{kind}", None)
        if handler is not None:
            handler(body, at)
        elif self.opening is not None:
            state = evolve(self.opening, Event(kind, dict(body)), at)
            if state is not self.opening:
                self.opening = state
                self.events.append((kind, dict(body), at))

    def _ceremony_begun(self, body: Mapping[str, Any], _at: int) -> None:
        self.ceremonies[body["ceremony"]] = Ceremony(
            body["ceremony"], self.section, unb64(body["context"]), tuple(body["custodians"])
        )

    def _ceremony_message(self, body: Mapping[str, Any], _at: int) -> None:
        ceremony = self.ceremonies[body["ceremony"]]
        ceremony.rounds.setdefault(body["round"], {})[body["custodian"]] = body["signed"]

    def _ceremony_failed(self, body: Mapping[str, Any], _at: int) -> None:
        ceremony = self.ceremonies[body["ceremony"]]
        ceremony.state, ceremony.blame = "failed", body["reason"]

    def _ceremony_done(self, body: Mapping[str, Any], _at: int) -> None:
        ceremony = self.ceremonies[body["ceremony"]]
        ceremony.state, ceremony.certificate = "done", body["certificate"]

    def _bids_opened(self, body: Mapping[str, Any], at: int) -> None:
        statement = body["file"]["statement"]
        head = ("v", "suite", "purpose", "centre")
        tender = TenderFile.from_body({k: v for k, v in statement.items() if k not in head})
        self._edit(tender, body, at)
        self.keyed = Keyed(tender, body["file"], body["seed_ref"], body["confirm_ms"], at // 1000)
        self.opening = begin(tender, body)

    def _edit(self, tender: TenderFile, body: Mapping[str, Any], at: int) -> None:
        self.editions[digest(body["file"]).hex()] = Edition(tender.version, at)

    def _refiled(self, body: Mapping[str, Any], at: int) -> None:
        """The tender file was signed anew: an addendum, or T moved."""
        assert self.keyed is not None
        statement = body["file"]["statement"]
        head = ("v", "suite", "purpose", "centre")
        tender = TenderFile.from_body({k: v for k, v in statement.items() if k not in head})
        self._edit(tender, body, at)
        self.keyed = Keyed(
            tender, body["file"], self.keyed.seed_ref, self.keyed.confirm_ms, self.keyed.first_slot
        )

    def _submission(self, body: Mapping[str, Any], _at: int) -> None:
        self._keep(body, Blob(*body["blob"]))

    def _withdrawal(self, body: Mapping[str, Any], _at: int) -> None:
        self._keep(body, None)

    def _keep(self, body: Mapping[str, Any], blob: Blob | None) -> None:
        entry = Entry.from_body(body["entry"])
        act = read_act(entry, body["signed"], self.centre)
        self.kept[act.id] = Kept(
            act, entry, body["index"], body["signed"], body.get("possession", ""), blob
        )
        self.by_statement[act.statement] = act.id

    def _receipt(self, body: Mapping[str, Any], _at: int) -> None:
        self.receipts[body["id"]] = body["receipt"]

    def _refused(self, body: Mapping[str, Any], _at: int) -> None:
        self.refusals[body["statement"]] = body["refusal"]
        self.late[body["parties"][0]] += 1

    def _float_committed(self, body: Mapping[str, Any], _at: int) -> None:
        if body.get("ref"):
            self.float_refs[body["party"]] = body["ref"]

    def _float_revealed(self, body: Mapping[str, Any], _at: int) -> None:
        self.reveals[body["party"]] = body["signed"]

    def _delegation_kept(self, body: Mapping[str, Any], _at: int) -> None:
        person = body["signed"]["statement"]["person"]
        self.powers[body["granted"]] = Power(body["bidder"], person)

    def _delegation_ended(self, body: Mapping[str, Any], _at: int) -> None:
        known = self.powers[body["granted"]]
        self.powers[body["granted"]] = replace(known, ended=body["ended"])

    def _release(self, body: Mapping[str, Any], _at: int) -> None:
        self.releases.setdefault(body["custodian"], []).append(body["signed"])

    def _late_witness(self, body: Mapping[str, Any], _at: int) -> None:
        self.late_witness.append(body["signed"])

    def _files_kept(self, body: Mapping[str, Any], _at: int) -> None:
        for blob in body["blobs"]:
            self.files[Blob(*blob).sha256] = Blob(*blob)

    def _record_issued(self, body: Mapping[str, Any], _at: int) -> None:
        self.records[body["kind"]] = body["record"]


class Shelf:
    """All books, folded from the journal.

    Args:
        centre: the centre's id.
        rows: all rows so far of the streams that it follows, each stream in its order.
    """

    def __init__(self, centre: str, rows: Iterable[Row]) -> None:
        self._centre = centre
        self.books: dict[str, Book] = {}
        for row in rows:
            self.follow(row)

    @staticmethod
    def follows(stream: str) -> bool:
        """Say whether a stream's rows can belong to a book; the others need not be read."""
        return stream == LEDGER or stream.startswith(PREFIX)

    def book(self, section: str) -> Book:
        """Return a section's book, an empty one if nothing is in it yet."""
        return self.books.get(section) or Book(section, self._centre)

    def follow(self, row: Row) -> Book | None:
        """Take the next journal row; return the book it belongs to."""
        if row.stream.startswith(PREFIX):
            book = self._open(row.stream.removeprefix(PREFIX))
            book.fold(row.kind, row.body, row.at)
            return book
        if row.stream == LEDGER and row.kind in _KINDS:
            book = self._open(row.body["section"])
            book.leaves.setdefault(row.kind, []).append((row.seq - 1, dict(row.body)))
        return None

    def _open(self, section: str) -> Book:
        if section not in self.books:
            self.books[section] = Book(section, self._centre)
        return self.books[section]


_KINDS: Final = frozenset(
    {
        KeyAssign.PURPOSE,
        "announced",
        "close_list",
        "control_price",
        "float_commit",
        "float_result",
        "published_bidders",
        "release",
        "opened",
        "disclosed",
    }
)
