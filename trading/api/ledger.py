"""The ledger 存证日志 over HTTP: anybody reads it, witnesses hand in cosignatures.

A cosignature proves itself by its key, so that handing one in needs no session. Byte strings are base64 in JSON;
checkpoints are served as the signed notes they are (C2SP tlog-checkpoint).
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from crypto.encoding import b64
from trading.access import PUBLIC, Rule
from trading.api.shapes import PROBLEMS
from trading.ground.contradictions import Published
from trading.ground.ledger import MAX_LEAVES, Ledger

MAX_INDEX: Final = (1 << 53) - 1
NOTE: Final = "text/plain; charset=utf-8"

ACCESS: Final = (
    Rule("GET", "/api/v1/ledger/checkpoint", PUBLIC, "最新检查点"),
    Rule("GET", "/api/v1/ledger/checkpoints/{size}", PUBLIC, "某一大小的检查点及其联署"),
    Rule("GET", "/api/v1/ledger/leaves", PUBLIC, "存证日志条目"),
    Rule("GET", "/api/v1/ledger/inclusion", PUBLIC, "包含证明"),
    Rule("GET", "/api/v1/ledger/consistency", PUBLIC, "一致性证明"),
    Rule("POST", "/api/v1/ledger/cosignatures", PUBLIC, "见证人联署；凭其公钥自证"),
    Rule("GET", "/api/v1/ledger/evidence", PUBLIC, "已公布的双史证据"),
    Rule("POST", "/api/v1/ledger/evidence", PUBLIC, "举出双史证据；凭签名自证"),
)

Place = Annotated[int, Query(ge=0, le=MAX_INDEX)]
Start = Annotated[int, Query(alias="from", ge=0, le=MAX_INDEX)]
End = Annotated[int, Query(alias="to", ge=0, le=MAX_INDEX)]


class Leaves(BaseModel):
    """Leaves in their order, canonical bytes in base64; at most 1,000."""

    leaves: list[str]


class Proof(BaseModel):
    """Hashes of an RFC 6962 proof, base64."""

    proof: list[str]


class Cosigned(BaseModel):
    """A checkpoint note with one cosignature or more."""

    model_config = ConfigDict(extra="forbid", strict=True)

    note: str


class Taken(BaseModel):
    """How many cosignature lines were new."""

    new: int


class Brought(BaseModel):
    """Evidence that one key has signed two histories, as `crypto.tlog.evidence` writes it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    evidence: dict[str, Any]


class Shown(BaseModel):
    """Evidence in the ledger: index of its leaf, its SHA-256, name of the accused key, itself."""

    index: int
    sha256: str
    accused: str
    evidence: dict[str, Any]


class Histories(BaseModel):
    """Published evidence of two histories, oldest first; none is the rule."""

    evidence: list[Shown]


def router(ledger: Ledger) -> APIRouter:
    """Build the routes, under `/api/v1/ledger`."""
    made = APIRouter(prefix="/api/v1/ledger", tags=["ledger"], responses=PROBLEMS)

    @made.get("/checkpoint", response_class=Response, responses={200: {"content": {NOTE: {}}}})
    async def checkpoint() -> Response:
        """Return the newest checkpoint, signed by the log."""
        return Response(ledger.checkpoint(), media_type=NOTE)

    @made.get(
        "/checkpoints/{size}", response_class=Response, responses={200: {"content": {NOTE: {}}}}
    )
    async def cosigned(size: Annotated[int, Path(ge=0, le=MAX_INDEX)]) -> Response:
        """Return the checkpoint of a size with the cosignatures that came for it."""
        return Response(ledger.cosigned(size), media_type=NOTE)

    @made.get("/leaves")
    async def leaves(start: Start, end: End) -> Leaves:
        """Return leaves `[from, to)`; fewer where the ledger ends or above 1,000."""
        return Leaves(
            leaves=[b64(leaf) for leaf in ledger.leaves(start, min(end, start + MAX_LEAVES))]
        )

    @made.get("/inclusion")
    async def inclusion(index: Place, size: Place) -> Proof:
        """Prove that a leaf stands in the tree of a size."""
        return Proof(proof=[b64(step) for step in ledger.inclusion(index, size)])

    @made.get("/consistency")
    async def consistency(start: Start, end: End) -> Proof:
        """Prove that the tree of size `from` begins the tree of size `to`."""
        return Proof(proof=[b64(step) for step in ledger.consistency(start, end)])

    @made.post("/cosignatures")
    async def cosign(request: Request, body: Cosigned) -> Taken:
        """Take a checkpoint that witnesses have cosigned."""
        return Taken(new=await ledger.add_cosignature(body.note.encode(), _arrival(request)))

    @made.get("/evidence")
    async def evidence() -> Histories:
        """Return what is published of two histories signed by one key."""
        return _histories(ledger.evidence())

    @made.post("/evidence", status_code=201)
    async def accuse(request: Request, body: Brought) -> Histories:
        """Publish evidence that one key has signed two histories; verified first."""
        return _histories(await ledger.publish_evidence(body.evidence, _arrival(request)))

    return made


def _histories(found: list[Published]) -> Histories:
    return Histories(
        evidence=[
            Shown(index=one.index, sha256=one.sha256, accused=one.accused, evidence=one.evidence)
            for one in found
        ]
    )


def _arrival(request: Request) -> int:
    stamp = getattr(request.state, "arrival", 0)
    return stamp if isinstance(stamp, int) else 0
