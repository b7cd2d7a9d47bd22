"""A dossier's evidence, read once: events by stream, leaves in order, notes, custody files, facts of records.

`documents.bag` has checked that the bag is whole and each leaf and record proved; here the same files become what
the pure files of bidding and auction work on. The layout is docs/spec/dossier-v1.md.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

from clients.auditor.checklist import AuditError, NotChecked, must
from crypto.canonical import canonical, parse
from crypto.encoding import unb64
from crypto.errors import CryptoError
from crypto.tlog.note import Note
from documents import paper
from documents.bag import PLAIN, SEALED, event_lines, parse_event
from documents.folder import read_whole
from documents.trust import NOTHING
from trading.ground.chain import ZERO, Row, verify_row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from documents.bag import Folder
    from documents.model import Facts

F = TypeVar("F", bound="Facts")

EVENTS: Final = "data/events.jsonl"
LEAVES: Final = "data/ledger/leaves.jsonl"
CHECKPOINT: Final = "data/ledger/checkpoint"
INFO: Final = "bag-info.txt"
CUSTODY: Final = "data/custody/"
RECORDS: Final = "data/records/"


class Evidence:
    """What a dossier holds; every property raises for what cannot be read, and is read once.

    Args:
        folder: the bag.
        at: time of the check, ms UTC.
    """

    def __init__(self, folder: Folder, at: int) -> None:
        self._folder = folder
        self._at = at

    @cached_property
    def names(self) -> frozenset[str]:
        """All paths of the bag."""
        return frozenset(self._folder.names())

    def read(self, name: str) -> bytes:
        """Return a file whole.

        Raises:
            NotChecked: it is not there.
        """
        if name not in self.names:
            raise NotChecked(f"{name} is not in the dossier")
        with self._folder.open(name) as file:
            return read_whole(file, name)

    def open(self, name: str) -> BinaryIO:
        """Open a file of the bag."""
        return self._folder.open(name)

    @cached_property
    def info(self) -> dict[str, str]:
        """Fields of bag-info.txt."""
        lines = self.read(INFO).decode().splitlines()
        return dict(line.split(": ", 1) for line in lines if ": " in line)

    @property
    def centre(self) -> str:
        """Id of the centre."""
        found = self.info.get("Kaibiao-Centre", "")
        must(found, "bag-info.txt names no centre")
        return found

    @cached_property
    def streams(self) -> dict[str, list[Row]]:
        """Events by stream, each stream gapless from its first row, its chain checked.

        Raises:
            AuditError: with stream and number of the first row that does not follow.
        """
        found: dict[str, list[Row]] = {}
        for number, line in enumerate(event_lines(self.read(EVENTS)), 1):
            row = parse_event(line)
            rows = found.setdefault(row.stream, [])
            before = rows[-1].chain if rows else ZERO
            if row.seq != len(rows) + 1 or not verify_row(row, before, self.centre):
                raise AuditError(
                    f"{EVENTS} line {number}: row {row.seq} of {row.stream} does not follow"
                )
            rows.append(row)
        return found

    @cached_property
    def leaves(self) -> list[tuple[int, bytes, list[bytes]]]:
        """Index, canonical bytes and inclusion path of every leaf of the dossier, by index.

        A leaf that the dossier proves by folding has no path (docs/spec/dossier-v1.md §2).
        """
        found = []
        for line in self.read(LEAVES).splitlines():
            value = parse(line)
            path = [unb64(node) for node in value.get("path", ())]
            found.append((value["index"], canonical(value["leaf"]), path))
        return found

    @cached_property
    def checkpoint(self) -> bytes:
        """The note that all leaves are proved under."""
        return self.read(CHECKPOINT)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Every signed note of the dossier, as text: the checkpoint and those of the custody files."""
        texts = [self.checkpoint.decode()]
        for name in sorted(self.names):
            if name.startswith(("data/ledger/", CUSTODY)) and name not in {CHECKPOINT, LEAVES}:
                texts += _notes_in(self.read(name))
        return tuple(dict.fromkeys(texts))

    @cached_property
    def seeds(self) -> tuple[str, ...]:
        """Every section seed among the custody files, hex."""
        found = []
        for name in sorted(self.names):
            if name.startswith(CUSTODY):
                value = _json(self.read(name))
                if isinstance(value, dict) and isinstance(value.get("seed"), str):
                    found.append(value["seed"])
        return tuple(found)

    @cached_property
    def records(self) -> dict[str, Facts]:
        """Facts of every record by path; a record that cannot be read has failed elsewhere."""
        found: dict[str, Facts] = {}
        for name in sorted(self.names):
            if name.startswith(RECORDS) and name.endswith(".pdf"):
                facts = paper.check(self.read(name), NOTHING, self._at)[0].facts
                if facts is not None:
                    found[name] = facts
        return found

    def records_of(self, kind: type[F]) -> list[tuple[str, F]]:
        """Return the records of one kind, with their paths."""
        return [(name, facts) for name, facts in self.records.items() if isinstance(facts, kind)]

    def sealed(self, submission: str) -> str | None:
        """Return the path of a bid's sealed file, None in a public rendition."""
        name = f"data/bids/{submission}/{SEALED}"
        return name if name in self.names else None

    def plain(self, submission: str) -> str | None:
        """Return the path of a bid's opened package, None without one."""
        name = f"data/bids/{submission}/{PLAIN}"
        return name if name in self.names else None


def _json(data: bytes) -> Any:
    try:
        return parse(data)
    except CryptoError:
        return None  # not every custody file is JSON


def _notes_in(data: bytes) -> Iterator[str]:
    value = _json(data)
    if isinstance(value, dict):
        texts = [*value.get("cosigned", ()), value.get("head"), value.get("checkpoint")]
    elif isinstance(value, list):
        texts = value
    else:
        texts = [data.decode("utf-8", "replace")]
    for text in texts:
        if isinstance(text, str):
            try:
                Note.parse(text.encode())
            except CryptoError:
                continue  # some other text
            yield text
