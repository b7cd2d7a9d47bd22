"""What is said of a section between its notice and its opening: documents, addenda, questions, objections.

All of it is public once it counts, but for who asked and who objected. A question holds nobody's
name anywhere, not even here; an objection its organisation, which views keep closed until T.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """A tender document 招标文件 of a section, kept as bytes that its hash names.

    Attributes:
        name: as published; one line.
        size: bytes.
        blob: random name in the content store.
        version: of the tender documents with which it came; 0 while no addendum has named it.
    """

    id: str
    name: str
    sha256: str
    size: int
    blob: str
    version: int = 0


@dataclass(frozen=True, slots=True)
class Addendum:
    """An addendum 补遗/澄清修改 or a postponement 延期: what makes the next version of the notice.

    Attributes:
        version: that it makes; the notice itself is version 1.
        affects: whether it can affect how bids are made (实施条例 21).
        documents: ids of documents that came with it.
        previous, deadline: T before and after it, ms UTC; equal if it stays.
    """

    version: int
    title: str
    text: str
    affects: bool
    documents: tuple[str, ...]
    previous: int
    deadline: int
    at: int


@dataclass(frozen=True, slots=True)
class Question:
    """A question 答疑. Who asked is kept nowhere. `addendum`: version that settled it, or 0."""

    id: str
    section: str
    text: str
    answer: str = ""
    answered_at: int | None = None
    addendum: int = 0


@dataclass(frozen=True, slots=True)
class DocumentObjection:
    """An objection 异议 to the documents, before the opening.

    Attributes:
        organisation: who objected; shown to nobody before T.
        holds: whether the procedure is held until it is answered (实施条例 22).
        answer_by: last instant for the answer, exclusive, ms UTC.
    """

    id: str
    section: str
    organisation: str
    text: str
    at: int
    holds: bool
    answer_by: int
    answer: str = ""
    answered_at: int | None = None
    addendum: int = 0


@dataclass(frozen=True, slots=True)
class Announcement:
    """Everything of one section; ids lead into the state's dictionaries.

    Attributes:
        addenda: in order; the n-th makes version n + 1.
        on_paper: newest version of the notice that is a signed PDF.
        open: objections that hold and are not answered yet.
    """

    documents: tuple[Document, ...] = ()
    addenda: tuple[Addendum, ...] = ()
    questions: tuple[str, ...] = ()
    objections: tuple[str, ...] = ()
    on_paper: int = 0
    open: tuple[str, ...] = ()

    @property
    def version(self) -> int:
        """Version of the tender documents in force."""
        return len(self.addenda) + 1

    @property
    def held(self) -> bool:
        """Whether an objection holds the procedure."""
        return bool(self.open)

    def published(self, upto: int | None = None) -> tuple[Document, ...]:
        """Documents that are out, those of a version and the ones before it only, if one is given."""
        last = self.version if upto is None else upto
        return tuple(d for d in self.documents if 0 < d.version <= last)
