"""What people fill in: strict forms, unknown members refused, amounts as decimal strings.

`read(Form, value)` turns a signed body into a form or into one refusal that names the member.
"""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from trading.ground.money import FEN, parse_amount
from trading.ground.problems import Problem
from trading.model import MalformedError, Possession
from trading.model.texts import name, prose

F = TypeVar("F", bound="Form")

MAX_MS = 253_402_300_799_999
MAX_TEXT = 6000  # characters of an addendum or an answer
MAX_FILE_NAME = 255  # bytes


def _name(value: str) -> str:
    try:
        return name(value, "text")
    except Problem as problem:
        raise ValueError(problem.detail) from problem


def _prose(value: str) -> str:
    try:
        return prose(value, "text")
    except Problem as problem:
        raise ValueError(problem.detail) from problem


def _long(value: str) -> str:
    try:
        return prose(value, "text", MAX_TEXT)
    except Problem as problem:
        raise ValueError(problem.detail) from problem


def _file_name(value: str) -> str:
    if len(_name(value).encode()) > MAX_FILE_NAME or set(value) & set('/\\:*?"<>|'):
        msg = 'a file name has no path and none of / \\ : * ? " < > |, and up to 255 bytes'
        raise ValueError(msg)
    return value


def _amount(value: str) -> str:
    try:
        parse_amount(value, FEN)
    except Problem as problem:
        raise ValueError(problem.detail) from problem
    return value


Name = Annotated[str, AfterValidator(_name)]
NameOrNone = Annotated[str, AfterValidator(lambda v: _name(v) if v else v)]
Prose = Annotated[str, AfterValidator(_prose)]
ProseOrNone = Annotated[str, AfterValidator(lambda v: _prose(v) if v else v)]
LongProse = Annotated[str, AfterValidator(_long)]
FileName = Annotated[str, AfterValidator(_file_name)]
Amount = Annotated[str, AfterValidator(_amount)]
Ident = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}$")]
Code = Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?$")]
Hex32 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Ms = Annotated[int, Field(ge=0, le=MAX_MS)]
Percent = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]?)\.[0-9]{2}$")]
JsonObject = dict[str, JsonValue]


class Form(BaseModel):
    """The base: strict types, no further members, frozen."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class SignedForm(Form):
    """A signed statement as it comes over HTTP."""

    statement: JsonObject
    key: str = Field(max_length=64)
    signature: str = Field(max_length=128)


class SummaryFieldForm(Form):
    """One field of the bid summary 开标一览表."""

    name: Code
    title: Name
    kind: Literal["amount", "integer", "text"]
    unit: NameOrNone = ""


class CustodyForm(Form):
    """Custodians by id, t of n, window in seconds, remedy 补救方案."""

    custodians: list[Ident] = Field(min_length=2, max_length=32)
    threshold: int = Field(ge=2, le=32)
    window_s: int = Field(ge=1, le=7 * 86_400)
    remedy: Prose


class SectionForm(Form):
    """A section 标段 as it is registered."""

    name: Name
    control_price: Amount | None
    control_price_note: ProseOrNone = ""
    deposit: Amount
    duration_days_max: int | None = Field(default=None, ge=1, le=36_500)
    deadline: Ms
    minimum: int = Field(ge=1, le=1000)
    custody: CustodyForm
    proof_of_possession: Possession = Field(default=Possession.REQUIRED, strict=False)
    float_points: list[Percent] = Field(default_factory=list, max_length=64)
    summary_fields: list[SummaryFieldForm] = Field(min_length=1, max_length=64)


class TenderForm(Form):
    """`tender.create`: a project, its tender and sections. `tenderer`, `agent`: credit codes."""

    name: Name
    tenderer: str = Field(max_length=18)
    agent: str = Field(default="", max_length=18)
    sector: Name
    regime: Literal["works", "procurement"]
    deal_code_class: str = Field(default="", pattern=r"^([A-Z][0-9]{2})?$")
    method: Name
    evaluation: Name
    place: Name
    documents_from: Ms
    documents_to: Ms
    sections: list[SectionForm] = Field(min_length=1, max_length=100)


class LotForm(Form):
    """A lot 宗地/标的. `holder`: credit code of the land-use-right holder, or empty."""

    name: Name
    holder: str = Field(default="", max_length=18)
    deposit: Amount
    details: JsonObject = Field(default_factory=dict)


class SessionForm(Form):
    """`session.create`: an auction session, its lots, and rules that the auction reads."""

    name: Name
    opens_at: Ms
    listing_ends_at: Ms | None = None
    rules: JsonObject
    lots: list[LotForm] = Field(min_length=1, max_length=200)


class TargetForm(Form):
    """An act upon one thing, with its reason."""

    target: Ident
    reason: Prose


class TenderTarget(Form):
    """`tender.publish`."""

    tender: Ident


class SessionTarget(Form):
    """`session.publish`."""

    session: Ident


class EnrolmentTarget(Form):
    """`key.issue`."""

    enrolment: Ident


class RevocationForm(Form):
    """`key.revoke`."""

    key_id: str = Field(pattern=r"^[0-9a-f]{16}$")
    reason: Prose


class CardForm(Form):
    """`custodian.register`, `witness.register`: a signed card and, if there is one, a certificate."""

    card: SignedForm
    certificate: str = Field(default="", max_length=16_384)


class ReleaseForm(Form):
    """`deposit.release`."""

    deposits: list[Ident] = Field(min_length=1, max_length=1000)
    reason: Prose


class AddendumForm(Form):
    """`section.amend`. `postponement`: the supervisor's signed one, where T moves."""

    section: Ident
    title: Name
    text: LongProse
    affects_bids: bool
    documents: list[Ident] = Field(default_factory=list, max_length=64)
    deadline: Ms | None = None
    postponement: SignedForm | None = None


class DocumentForm(Form):
    """A tender document that was uploaded, as whoever attaches it signs for it."""

    section: Ident
    name: FileName
    sha256: Hex32
    size: int = Field(ge=1, le=1 << 40)


class QuestionForm(Form):
    """A question about the documents; nothing of it says who asks."""

    text: Prose


class AnswerForm(Form):
    """The tenderer's answer to a question. `addendum`: the version that settles it, or 0."""

    section: Ident
    question: Ident
    text: LongProse
    affects_bids: bool
    addendum: int = Field(default=0, ge=0, le=10_000)


class ObjectionForm(Form):
    """An objection 异议 to the documents."""

    section: Ident
    text: LongProse


class ObjectionAnswerForm(Form):
    """The tenderer's answer to an objection. `addendum`: the version that settles it, or 0."""

    section: Ident
    objection: Ident
    text: LongProse
    addendum: int = Field(default=0, ge=0, le=10_000)


class DelegationForm(Form):
    """A bidder lets a person of its own act for it in some scopes, until an instant.

    `targets`: sections, sessions or lots; none: all.
    """

    person: Ident
    scopes: list[Literal["submit", "confirm", "object", "offer"]] = Field(
        min_length=1, max_length=4
    )
    until: Ms
    targets: list[Ident] = Field(default_factory=list, max_length=100)


class DelegationTarget(Form):
    """A person whose delegation is taken back."""

    person: Ident


class DepositForm(Form):
    """A bidder declares its deposit for a section or lot."""

    target: Ident
    form: Literal["paid", "e_guarantee"]
    amount: Amount


class CustodianCard(Form):
    """What a custodian says of itself (purpose `enrolment`)."""

    custodian: Ident
    organisation: Name
    key: str
    host_key: str
    witness: str = Field(max_length=500)


class WitnessCard(Form):
    """What a log witness says of itself (purpose `witness_enrolment`)."""

    witness: Ident
    organisation: Name
    key: str
    vkey: str = Field(max_length=500)


class EnrolmentCard(Form):
    """What a person's key says of itself (purpose `key_enrolment`): proof of possession."""

    organisation: Name
    credit_code: str = Field(max_length=18)
    role: str = Field(max_length=32)
    person: str = Field(default="", max_length=64)


def read(form: type[F], value: Any) -> F:
    """Read a form.

    Raises:
        MalformedError: with the first member that does not fit.
    """
    try:
        return form.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise MalformedError(
            "form-malformed",
            "表单内容不正确",
            f"{where}: {first['msg']}. {error.error_count()} member(s) do not fit.",
            member=where,
        ) from error
