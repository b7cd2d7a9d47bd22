"""Journal rows → the facts of notice and opening record. Pure: the same rows give the same paper.

What a record says of acts, answers and results comes from the section's rows and ledger leaves
alone; `Setting` adds the names that people read (tender, parties, officials), which are facts of the
trading floor. An auditor with the dossier's rows recomputes the record and compares.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bidding.model import CloseList, PublishedBidders, TenderFile
from bidding.opening import Bid, Event, State, begin, companion, evolve
from bidding.opening.silence import answer
from bidding.opening.words import EXCLUDED, cause, outcome, unlock_mode
from bidding.rules.versions import changes, remark
from crypto.canonical import canonical
from crypto.encoding import sha256_hex, unb64
from documents.model import (
    Confirmation,
    Exclusion,
    Heading,
    NoticeChange,
    NoticeCustodian,
    NoticeDocument,
    NoticeFacts,
    Objection,
    Official,
    OpeningFacts,
    OpeningRow,
    Party,
    Pause,
    Reconvening,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bidding.rules.versions import Row

LATE_UPLOADS = (
    "投标截止前未完成传输的投标文件不予受理；截止前已完成递交的前一版本仍然有效。"
    "时间以本中心收到最后一个字节的时刻为准，恰在截止时刻到达者为迟到。"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The names around a section.

    Attributes:
        parties: organisation id → (name, credit code); `people`: person id → name, of those who decided
            and of delegates.
        control_price, bid_deposit: decimal strings of 元.
        unlock_mode: in words, as the tender document states it.
    """

    heading: Heading
    centre: str
    deal_code: str
    sector: str
    tenderer: str
    agent: str
    method: str
    evaluation: str
    place: str
    control_price: str
    control_price_note: str
    bid_deposit: str
    duration_days_max: int | None
    float_points: tuple[str, ...]
    published_at: int
    parties: Mapping[str, tuple[str, str]]
    officials: tuple[Official, ...] = ()
    rules: tuple[str, ...] = ()
    documents: tuple[NoticeDocument, ...] = ()
    people: Mapping[str, str] = field(default_factory=dict)


def tender_of(rows: Iterable[Row]) -> TenderFile:
    """Return the newest tender file of a section's rows.

    Raises:
        BiddingError: the rows hold none that fits.
    """
    statement: Mapping[str, Any] = {}
    for row in rows:
        if row.kind in {"bids_opened", "refiled"}:
            statement = row.body["file"]["statement"]
    head = ("v", "suite", "purpose", "centre")
    return TenderFile.from_body({k: v for k, v in statement.items() if k not in head})


def notice_facts(rows: Iterable[Row], setting: Setting) -> NoticeFacts:
    """Return the facts of the tender notice 招标公告 of one section.

    Args:
        rows: of the section's stream, in order.
        setting: the names around it.
    """
    known = list(rows)
    tender = tender_of(known)
    return NoticeFacts(
        heading=setting.heading,
        tender=tender.tender,
        tender_name=tender.name,
        section=tender.section,
        section_name=tender.section_name,
        deal_code=setting.deal_code,
        sector=setting.sector,
        tenderer=setting.tenderer,
        agent=setting.agent,
        method=setting.method,
        evaluation=setting.evaluation,
        control_price=setting.control_price,
        control_price_note=setting.control_price_note,
        bid_deposit=setting.bid_deposit,
        duration_days_max=setting.duration_days_max,
        document_version=tender.version,
        place=setting.place,
        deadline=tender.deadline,
        minimum_bidders=tender.minimum_bidders,
        float_points=setting.float_points,
        recipient=tender.recipient,
        custodians=tuple(
            NoticeCustodian(
                index=index,
                organisation=one.organisation,
                fingerprint=sha256_hex(unb64(one.host_key)),
            )
            for index, one in enumerate(tender.custodians, 1)
        ),
        threshold=tender.t,
        unlock_window_s=tender.unlock_window_s,
        remedy=tender.remedy,
        proof_of_possession=tender.proof_of_possession,
        summary_fields=tuple(field.title for field in tender.summary_fields),
        certificate_digest=sha256_hex(canonical(dict(tender.certificate))),
        published_at=setting.published_at,
        late_uploads=LATE_UPLOADS,
        rules=setting.rules,
        documents=setting.documents,
        changes=changes(known),
    )


def opening_facts(
    rows: Iterable[Row],
    leaves: Mapping[str, tuple[int, Mapping[str, Any]]],
    setting: Setting,
    *,
    cosignatures: int,
    chain: tuple[str, int],
) -> OpeningFacts:
    """Return the facts of the opening record 开标记录表; also of an opening that failed.

    Args:
        rows: of the section's stream, in order.
        leaves: leaf kind → (index, body) of the section's ledger leaves.
        setting: the names around it.
        cosignatures: witnesses that cosigned the closing checkpoint or a later one in time.
        chain: chain hash (hex) and seq of the last row.
    """
    known = list(rows)
    tender = tender_of(known)
    state = _folded(known, tender)
    _, close_body = leaves[CloseList.PURPOSE]
    closing = CloseList.from_leaf(dict(close_body), setting.centre)
    deposits: dict[str, str] = {}
    if PublishedBidders.PURPOSE in leaves:
        _, named = leaves[PublishedBidders.PURPOSE]
        published = PublishedBidders.from_leaf(dict(named), setting.centre)
        deposits = {line.submission: line.deposit for line in published.bidders}
    acts, made, acted = _acts(known), changes(known), companion.delegates(known)
    imported = next((row.at for row in known if row.kind == "imported"), None)

    def name(bidder: str) -> str:
        return _name(setting, bidder)

    def person(id_: str) -> str:
        return setting.people.get(id_, id_)

    return OpeningFacts(
        heading=setting.heading,
        tender=tender.tender,
        tender_name=tender.name,
        section=tender.section,
        section_name=tender.section_name,
        deal_code=setting.deal_code,
        tenderer=setting.tenderer,
        agent=setting.agent,
        method=setting.method,
        control_price=state.price,
        float_point=state.point,
        opened_at=closing.deadline,
        place=setting.place,
        document_version=tender.version,
        unlock_mode=unlock_mode(state, tender.n, tender.t),
        threshold=tender.t,
        custody=companion.custody(state, tender),
        outcome=outcome(state),
        rows=tuple(
            _row(
                number,
                bid,
                acts[bid.line.submission],
                deposits,
                imported,
                setting,
                state,
                made,
                tuple(map(person, acted.get(bid.line.bidder, ()))),
            )
            for number, bid in enumerate(_readable(state), 1)
        ),
        excluded=_excluded(known, acts, state, setting),
        confirmations=tuple(
            Confirmation(
                bidder=_name(setting, bid.line.bidder),
                answer=answer(state, bid),
                at=bid.answered_at,
                statement=bid.statement,
            )
            for bid in _readable(state)
        ),
        objections=tuple(
            Objection(
                bidder=_name(setting, bid.line.bidder),
                raised_at=bid.answered_at or 0,
                text=bid.text,
                answered_at=bid.replied_at,
                answer=bid.reply,
                files=companion.attached(bid.files),
                answer_files=companion.attached(bid.reply_files),
            )
            for bid in _readable(state)
            if bid.answer == "objected"
        ),
        pauses=tuple(Pause(since=a, until=b, reason=why) for a, b, why in state.pauses),
        reconvenings=tuple(
            Reconvening(set_at=a, at=b, reason=why) for a, b, why in state.reconvenings
        ),
        sign_ins=companion.sign_ins(state, _readable(state), name),
        deliveries=companion.deliveries(known, outcome(state), name),
        decisions=companion.decisions(_readable(state), name, person),
        identity=companion.identity(state, name),
        mutings=companion.mutings(state, name),
        messages=state.messages,
        regime=str(state.terms.regime),
        officials=setting.officials,
        close_list_digest=sha256_hex(canonical(dict(close_body))),
        closing_size=closing.closing_size,
        closing_root=closing.closing_root,
        cosignatures=cosignatures,
        chain_head=chain[0],
        last_seq=chain[1],
    )


def _folded(rows: list[Row], tender: TenderFile) -> State:
    opened = next(row for row in rows if row.kind == "bids_opened")
    first = opened.body["file"]["statement"]["deadline"]
    state = replace(begin(tender, opened.body), deadline=first)
    for row in rows:
        state = evolve(state, Event(row.kind, dict(row.body)), row.at)
    return state


def _readable(state: State) -> list[Bid]:
    """Bids as read out; of a failed opening nothing was opened and nothing is read."""
    return list(state.bids.values()) if outcome(state) == "opened" else []


def _acts(rows: list[Row]) -> dict[str, dict[str, Any]]:
    acts = {}
    for row in rows:
        if row.kind in {"submission", "withdrawal"}:
            entry = row.body["entry"]
            acts[entry["id"]] = {**entry, "said": row.body["signed"]["statement"]}
    return acts


def _row(
    number: int,
    bid: Bid,
    act: dict[str, Any],
    deposits: dict[str, str],
    imported: int | None,
    setting: Setting,
    state: State,
    made: tuple[NoticeChange, ...],
    delegates: tuple[str, ...],
) -> OpeningRow:
    summary = bid.summary
    days = summary.get("duration_days", "")
    opened = bid.opened
    return OpeningRow(
        no=number,
        bidder=_parties(setting, act["said"]["parties"]),
        credit_code=setting.parties.get(bid.line.bidder, ("", ""))[1],
        submitted_at=bid.line.arrival,
        file_sha256=act["said"]["sha256"],
        deposit=deposits.get(bid.line.submission, "unpaid"),
        unlock=bid.result or "undetermined",
        unlocked_at=imported if opened else None,
        total_price=summary.get("total_price", ""),
        duration_days=int(days) if days else None,
        quality=summary.get("quality", ""),
        project_manager=summary.get("project_manager", ""),
        representative=summary.get("authorised_representative", ""),
        delegates=delegates,
        signed_in_at=state.sign_ins.get(bid.line.bidder),
        confirmation=answer(state, bid),
        remark="；".join(
            filter(
                None,
                (
                    "" if opened else cause(bid),
                    remark(made, act["said"]["version"]),
                    companion.other_delegate(
                        summary.get("authorised_representative", ""), delegates
                    ),
                ),
            )
        ),
    )


def _late(said: dict[str, Any]) -> str:
    past = said["arrival"] - said["deadline"]
    return f"迟到：最后一个字节晚于截止 {past} 毫秒到达；此前完整递交的投标有效"


def _excluded(
    rows: list[Row], acts: dict[str, dict[str, Any]], state: State, setting: Setting
) -> tuple[Exclusion, ...]:
    found = []
    for act in acts.values():
        if not act["replaces"]:
            continue
        withdrawn = act["kind"] == "withdrawal"
        old = acts[act["replaces"]]
        found.append(
            Exclusion(
                bidder=_parties(setting, old["said"]["parties"]),
                status="withdrawn" if withdrawn else "superseded",
                at=act["arrival"],
                cause="投标人在截止前撤回" if withdrawn else "投标人在截止前以新版本替换",
                evidence=act["statement"],
            )
        )
    found += [
        Exclusion(
            bidder=_parties(setting, row.body["parties"]),
            status="refused",
            at=row.body["refusal"]["statement"]["arrival"],
            cause=_late(row.body["refusal"]["statement"]),
            evidence=row.body["statement"],
        )
        for row in rows
        if row.kind == "refused"
    ]
    found += [
        Exclusion(
            bidder=_parties(setting, acts[bid.line.submission]["said"]["parties"]),
            status="failed",
            at=bid.line.arrival,
            cause=cause(bid),
            evidence=acts[bid.line.submission]["statement"],
        )
        for bid in _readable(state)
        if not bid.opened
    ]
    found += [
        Exclusion(
            bidder=_parties(setting, acts[id_]["said"]["parties"]),
            status="failed",
            at=line.arrival,
            cause=EXCLUDED,
            evidence=acts[id_]["statement"],
        )
        for id_, line in state.excluded.items()
    ]
    return tuple(found)


def _parties(setting: Setting, ids: Iterable[str]) -> tuple[Party, ...]:
    named = [setting.parties.get(id_, (id_, "")) for id_ in ids]
    return tuple(
        Party(name=name, credit_code=code, role="member" if number else "lead")
        for number, (name, code) in enumerate(named)
    )


def _name(setting: Setting, bidder: str) -> str:
    return setting.parties.get(bidder, (bidder, ""))[0]
