"""What goes over the wire: strict requests, declared answers, problems.

Every instant is integer ms UTC, every amount a decimal string in 元.
"""

from typing import Annotated, Any, Final

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from trading.ground.problems import MEDIA_TYPE
from trading.service.forms import Form, SignedForm


class Answer(BaseModel):
    """The base of answers: exactly the declared members."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ProblemDocument(BaseModel):
    """A refusal (RFC 9457): what happened, whose move it is, what to do."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    server_time: str
    rule: str = ""


PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {
        "description": meaning,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
        # Named once a route, so that the schema is there; each further naming costs every start.
        **({"model": ProblemDocument} if status == 400 else {}),
    }
    for status, meaning in (
        (400, "请求无法解析"),
        (401, "未登录或签名不成立"),
        (403, "无权进行"),
        (404, "没有该对象"),
        (408, "请求传输过慢"),
        (409, "当前状态不允许"),
        (410, "时限已过"),
        (413, "请求过大"),
        (422, "内容不合要求"),
        (429, "请求过多"),
        (503, "暂不可用"),
        (507, "存储空间不足"),
    )
}


def arrival(request: Request) -> int:
    """Dependency: the arrival stamp of the request's last body byte, ms UTC."""
    stamp: int = request.state.arrival
    return stamp


Arrival = Annotated[int, Depends(arrival)]


class ChallengeRequest(Form):
    """`key`: the public key, 33 bytes in base64."""

    key: str = Field(min_length=44, max_length=44, pattern=r"^[A-Za-z0-9+/]{44}$")


class ChallengeAnswer(Answer):
    """Sign `challenge` and `origin` with purpose `login`; compare the origin with your address."""

    challenge: str
    origin: str
    expires_at: int


class SessionAnswer(Answer):
    """`token` goes into `Authorization: Bearer`; it is shown once."""

    token: str
    expires_at: int
    person: str
    organisation: str
    role: str
    key_id: str


class TicketAnswer(Answer):
    """`ticket` goes once into the subprotocol `ticket.<ticket>` of one socket."""

    ticket: str
    expires_at: int


class EnrolmentRequest(Form):
    """A request for a key; `statement` has purpose `key_enrolment`."""

    statement: SignedForm
    person_name: str = Field(min_length=1, max_length=100)
    certificate: str = Field(default="", max_length=16_384)
    invitation: str = Field(default="", pattern=r"^([A-Z2-7]{32})?$")


class EnrolmentAnswer(Answer):
    """`status`: waiting or issued; the rest is empty while waiting."""

    enrolment: str
    status: str
    key_id: str = ""
    person: str = ""
    organisation: str = ""
    certificate: str = ""
    issued_at_index: int | None = None


class WaitingEnrolment(Answer):
    """What the two people who issue a key must compare."""

    enrolment: str
    organisation_name: str
    credit_code: str
    test: bool
    person: str
    person_name: str
    role: str
    key: str
    key_id: str
    at: int


class OrganisationView(Answer):
    """An organisation as others may see it."""

    id: str
    name: str
    credit_code: str
    test: bool


class KeyView(Answer):
    """A key of one's own organisation, every issuance shown."""

    key_id: str
    person: str
    role: str
    certificate: str
    issued_at_index: int
    revoked_at_index: int | None


class PersonView(Answer):
    """A person of one's own organisation."""

    id: str
    name: str


class OwnOrganisation(Answer):
    """One's own organisation."""

    organisation: OrganisationView
    people: list[PersonView]
    keys: list[KeyView]


class ProposalView(Answer):
    """A waiting critical act; `digest` is what the second person signs."""

    proposal: str
    act: str
    title: str
    body: dict[str, JsonValue]
    digest: str
    by_person: str
    by_role: str
    at: int
    expires_at: int


class ActResult(Answer):
    """What a carried act did."""

    proposal: str
    act: str
    result: dict[str, JsonValue]


class CentreView(Answer):
    """Who this centre is, by which keys, rules and clock."""

    id: str
    name: str
    live: bool
    ruleset: str
    software: str
    server_time: int
    certificates: dict[str, str]
    ledger_origin: str
    ledger_vkey: str


class CustodianView(Answer):
    """A registered custodian; compare the fingerprint outside this system."""

    custodian: str
    organisation: str
    fingerprint: str
    card: dict[str, JsonValue]
    certificates: list[str]
    registered_at_index: int


class WitnessView(Answer):
    """A registered log witness that holds no share."""

    witness: str
    organisation: str
    fingerprint: str
    card: dict[str, JsonValue]
    certificates: list[str]
    registered_at_index: int


class Roster(Answer):
    """Custodians and witnesses."""

    custodians: list[CustodianView]
    witnesses: list[WitnessView]


class SectionLine(Answer):
    """A section in a list."""

    id: str
    name: str
    deadline: int
    stage: str
    suspended: bool


class TenderLine(Answer):
    """A tender in the public list: nothing of bids or bidders."""

    id: str
    name: str
    tenderer: str
    sector: str
    regime: str
    method: str
    stage: str
    published_at: int | None
    sections: list[SectionLine]


class SectionCustodian(Answer):
    """A custodian as a section names it."""

    custodian: str
    organisation: str
    fingerprint: str


class SummaryFieldView(Answer):
    """One field of the bid summary 开标一览表."""

    name: str
    title: str
    kind: str
    unit: str


class SectionView(Answer):
    """A section, whole. `tender_file` is what `seal --tender` takes."""

    id: str
    tender: str
    name: str
    stage: str
    suspended: bool
    control_price: str | None
    control_price_note: str
    deposit: str
    duration_days_max: int | None
    deadline: int
    minimum: int
    custodians: list[SectionCustodian]
    threshold: int
    window_s: int
    remedy: str
    proof_of_possession: str
    float_points: list[str]
    summary_fields: list[SummaryFieldView]
    recipient: str
    ceremony: str
    notice: str
    tender_file: dict[str, JsonValue] | None


class TenderView(Answer):
    """A tender, whole."""

    id: str
    project: str
    name: str
    tenderer: str
    agent: str
    sector: str
    regime: str
    deal_code_class: str
    method: str
    evaluation: str
    place: str
    documents_from: int
    documents_to: int
    document_version: int
    ruleset: list[str]
    stage: str
    published_at: int | None
    sections: list[SectionView]


class LotView(Answer):
    """A lot; `holder` is an organisation id, in quota sessions."""

    id: str
    name: str
    holder: str
    deposit: str
    details: dict[str, JsonValue]
    stage: str
    suspended: bool


class AuctionView(Answer):
    """An auction session."""

    id: str
    name: str
    opens_at: int
    listing_ends_at: int | None
    rules: dict[str, JsonValue]
    ruleset: list[str]
    stage: str
    published_at: int | None
    lots: list[LotView]


class DepositRequest(Form):
    """`statement` has purpose `deposit`; `reference` is the bank's or guarantor's number."""

    statement: SignedForm
    reference: str = Field(min_length=1, max_length=200)


class DepositView(Answer):
    """A deposit 保证金."""

    id: str
    target: str
    organisation: str
    form: str
    amount: str
    at: int
    released_at: int | None


class Row(Answer):
    """A row of the access table."""

    method: str
    path: str
    roles: list[str]
    phases: str
    own: bool
    note: str


class ActRow(Answer):
    """A row of the table of critical acts."""

    act: str
    title: str
    proposers: list[str]
    confirmers: list[str]
    source: str


class AccessTable(Answer):
    """Who may do what: the table that the gate enforces, and what takes two people."""

    rows: list[Row]
    acts: list[ActRow]
