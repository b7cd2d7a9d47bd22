"""A dossier of a sealed-bid opening, re-derived: from the tender file to the last line of the record.

Each step has its own check, `opening.…`, in the order in which things happened. What custodians judged at the
opening is judged again here by the very same rules (`bidding.release.judge`) from the same leaves, so that an auditor
need not believe that they did.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from bidding.model import CloseList, KeyAssign
from bidding.opening import Phase
from bidding.opening.state import ENDED
from bidding.release.closing import WINDOW_MS, WITNESSES
from clients import tenders
from clients.auditor import (
    answers,
    custody,
    hall_receipts,
    handed,
    headings,
    outcome,
    powers,
    published,
    replies,
    rows,
)
from clients.auditor.checklist import AuditError, Check, Checklist, NotChecked, must
from clients.auditor.issued import Register
from clients.auditor.papers import notice_again, opening_again
from clients.auditor.section import Section
from crypto import statement
from crypto.age.stanzas import recipient_text
from documents.model import NoticeFacts, OpeningFacts
from trading.ground.clock import beijing

if TYPE_CHECKING:
    from bidding.model import Check as Judged
    from clients.auditor.evidence import Evidence
    from clients.auditor.keys import Keys

RULE: Final = {
    "key-context": "密钥为本标段本用途而生 · the key was made for this section and purpose",
    "head-signed": "日志签署检查点 · the log signed the checkpoint",
    "run-complete": "条目折叠为检查点之根 · the leaves fold to the checkpoint",
    "one-history": "日志未签两份历史 · the log is not shown to have signed two histories",
    "key-assigned": "密钥唯一指定给本标段 · this key was assigned to this section, once",
    "close-listed": "截止名单唯一 · the ledger holds one close list",
    "deadline-agreed": "开标时间只经双签推迟 · T is the announced one, moved only later and by two",
    "closing-checkpoint": "截止检查点恰含末一时段 · the closing checkpoint just holds the last slot",
    "acts-signed": "每一行为均有签名与归属证明 · every act is signed, and possession proved",
    "slots-walked": "逐秒承诺相符无缺 · seed and entries give every slot's commitment, gapless",
    "no-duplicates": "密文无重复 · no encapsulation or file stands twice",
    "list-exact": "截止名单即全部有效投标 · the list is exactly the live bids",
    "enough-bidders": "投标人不少于规定家数 · there are enough distinct bidders",
    "order-kept": "控制价、浮动点、名单先于解锁 · price, draw and names precede every partial",
}
"""The release rule's lines that an auditor can judge; those of a custodian's own memory are not."""
TITLES: Final = {
    "tender": "招标文件由中心签发，公钥有仪式证书 · the tender file and its key certificate hold",
    "certificate": "仪式证书给出收件公钥 · the ceremony's certificate gives the recipient",
    "custodians": "密钥托管人均已预先登记 · every custodian's keys were pinned beforehand",
    "leaves": "存证条目连续无缺 · the run of ledger leaves has no gap",
    "notice": "公告由事件重算一致 · the notice follows from the events",
    **RULE,
    "issued": "签名密钥登记在册 · each act's key had been issued to its bidder",
    "rows": "每行事件均有所核 · every row is of a kind that is checked, and none follows the record",
    "receipts": "发出的回执与拒收凭证成立 · receipts and refusals handed out hold, in this log",
    "hall": "开标流程逐步重演一致 · the hall replays by its rules",
    "heads": "大厅链头随时存证 · the hall's chain entered the ledger as it went",
    "confirmations": "投标人确认均有签名 · bidders signed what was read out",
    "delegations": "代理人均有本单位签署的委托 · who acted for a bidder was entitled to",
    "versions": "投标所依招标文件版本属实 · bids name a tender file of this section, receipts say which",
    "published": "公布的名单与浮动点属实 · published bidders and float points are those of acts and notice",
    "draw": "浮动点由中心以外的单位共同抽取 · others than the centre took part in the float draw",
    "witnessed": "截止检查点及时联署 · witnesses cosigned the closing checkpoint in time",
    "firm": "见证足数 · all but n − t witnesses have cosigned",
    "releases": "托管人应答及证明成立 · custodians' answers are signed and proved",
    "named": "应答结论与证明一致 · who answered wrongly is named, and nobody else",
    "combined": "部分解密合成一致 · partials combine to the values in the ledger",
    "disclosed": "投标人交出的文件密钥与承诺、声明一致 · file keys are those their bidders pledged and signed for",
    "results": "开启结果与名单一致 · results are those of the close list, as imported",
    "record": "开标记录由事件重算一致 · the opening record follows from the events",
    "copies": "包内单列文件与事件一致 · files shown by themselves repeat the events",
}
_ENDED: Final = frozenset({Phase.FAILED_FEWER_THAN_3, Phase.FAILED_QUORUM, Phase.TERMINATED})
_UNOPENED: Final = frozenset({"enough-bidders", "order-kept"})
_EVER: Final = 1 << 53


def check(section: Section, prefix: str) -> tuple[Check, ...]:
    """Audit one section's opening; return the checks in their order.

    Args:
        section: its evidence.
        prefix: stands before every check's id.
    """
    todo = Checklist(prefix, TITLES)
    todo.check("tender", partial(_tender, section))
    todo.check("certificate", partial(_certificate, section))
    todo.check(
        "custodians",
        lambda: custody.pinned(section.tender, section.keys),
        needs=["certificate"],
    )
    todo.check("leaves", partial(_leaves, section))
    todo.check(
        "notice", partial(_notice, section), needs=["certificate", "leaves"], essential=False
    )
    ended = next((r.kind for r in section.rows if r.kind in {"failed_too_few", "terminated"}), "")
    judge = _Judge(section)
    for id_ in RULE:
        if not (ended and id_ in _UNOPENED):
            todo.check(id_, partial(judge.line, id_), needs=["certificate", "leaves"])
    todo.check("issued", partial(_issued, section), needs=["leaves"])
    todo.check("receipts", partial(handed.check_receipts, section), needs=["leaves"])
    todo.check("rows", partial(rows.check, section))
    todo.check("hall", partial(_hall, section), needs=["certificate", "leaves"])
    todo.check("heads", partial(hall_receipts.heads, section), needs=["leaves"])
    todo.check("confirmations", partial(answers.check, section), needs=["hall"])
    todo.check("delegations", partial(powers.check, section), needs=["leaves"])
    todo.check("versions", partial(powers.versions, section))
    # What an opening that ended before its end never had, cannot be wanted of it.
    reached = not (todo.holds("hall") and section.state.phase in _ENDED)
    listed = ["leaves", "close-listed"]
    todo.check("witnessed", partial(_witnessed, section), needs=listed, essential=reached)
    todo.check("firm", partial(_firm, section), needs=listed, essential=False)
    if reached:
        todo.check("published", partial(published.check, section), needs=listed)
        drawn = [*listed, "issued", "order-kept"]
        todo.check("draw", partial(published.shared, section), needs=drawn, essential=False)
        todo.check("releases", partial(_releases, section), needs=["certificate", "close-listed"])
        todo.check("named", partial(replies.check, section), needs=["releases", "hall"])
        if any(row.kind == "quorum_missed" for row in section.rows):
            todo.check("disclosed", partial(outcome.disclosed, section), needs=["hall"])
        else:
            todo.check("combined", partial(outcome.combined, section), needs=["releases"])
        todo.check("results", partial(outcome.results, section), needs=["hall", "close-listed"])
    todo.check("record", partial(_record, section), needs=["hall", "leaves"])
    todo.check("copies", partial(handed.check_copies, section), needs=["certificate", "leaves"])
    return todo.checks


def read(evidence: Evidence, keys: Keys, section: str, at: int) -> Section:
    """Return a section's evidence, arguments as `Section`."""
    return Section(evidence, keys, section, at)


class _Judge:
    """The release rule, evaluated once for all its lines."""

    def __init__(self, section: Section) -> None:
        self._section = section
        self._judged: dict[str, Judged] = {}

    def line(self, id_: str) -> str:
        """Return the detail of one line, or raise as it stands."""
        if not self._judged:
            self._judged = {line.id: line for line in self._section.judged()}
        line = self._judged[id_]
        if line.status == "failed":
            raise AuditError(line.detail)
        if line.status == "not_checked":
            raise NotChecked(line.detail)
        return line.detail


def _tender(section: Section) -> str:
    """Check every tender file like a sealer does, with the pinned keys."""
    section.keys.need()
    told = ""
    for signed in section.files:
        try:
            held = tenders.check(signed, section.keys.sealer())
        except tenders.TenderRefusedError as error:
            last = error.checks[-1]
            raise AuditError(f"{last.id}: {last.detail}") from error
        told = section.keys.signed_by_centre(statement.signer(signed), section.centre)
        told += f"; {held.tender.recipient}, {held.group.t} of {held.group.n}"
    return told


def _certificate(section: Section) -> str:
    """Check the certificate's own proofs and signatures; compare key and recipient."""
    certified = recipient_text(section.group.recipient)
    must(
        section.tender.recipient == certified,
        f"the tender prints {section.tender.recipient}, the custodians certified {certified}",
    )
    return f"{certified}, not before {beijing(section.group.key_context.earliest)} 北京时间"


def _notice(section: Section) -> str:
    """Compute the notice from the events again."""
    found = [
        one for one in section.evidence.records_of(NoticeFacts) if one[1].section == section.id
    ]
    if not found:
        raise NotChecked("the dossier holds no notice of this section")
    for name, facts in found:
        notice_again(name, facts, section.rows, section.centre)
        headings.check(section, name, facts.heading, facts.published_at)
    return ", ".join(name.rpartition("/")[2] for name, _ in found)


def _leaves(section: Section) -> str:
    """Fold the leaves; the first of them demands the proof of possession that the tender files demand.

    Custodians judge by that leaf, bidders by the file: a waiver that stands in one only would let a variant of
    somebody's withdrawn bid be opened. Whatever else the leaf says, another check compares.
    """
    leaves = section.leaves
    assigned = section.leaf(KeyAssign).proof_of_possession
    for told in map(section.read_tender, section.files):
        must(
            told.proof_of_possession == assigned,
            f"the tender file says proof of possession {told.proof_of_possession}, the key's leaf {assigned}",
        )
    return f"leaves {leaves.start} to {leaves.end - 1}"


def _issued(section: Section) -> str:
    """Each act was signed by a key that the ledger had issued to its bidder by then."""
    register = Register(section.evidence)
    for sealed in section.entries:
        index = section.slots.get(sealed.entry.slot, section.leaves.end)
        said = sealed.signed["statement"]
        register.require(statement.signer(sealed.signed), str(said["bidder"]), index)
    drew = published.drew(section, register)
    return f"{len(section.entries)} acts, {drew} commitments to the draw"


def _witnessed(section: Section) -> str:
    """Every custodian that answered had two other witnesses, stamped within a minute of T."""
    deadline = section.leaf(CloseList).deadline
    names = section.cosigners(deadline, deadline + WINDOW_MS)
    for who in {row.body["custodian"] for row in section.releases()} or {""}:
        if len(names - {who}) < WITNESSES:
            raise NotChecked(
                f"not yet witnessed 尚未见证: {len(names)} pinned witnesses cosigned within "
                f"{WINDOW_MS // 1000} s of T; {WITNESSES} besides {who or 'a custodian'} are needed"
            )
    return ", ".join(sorted(names))


def _firm(section: Section) -> str:
    """Count all witnesses that cosigned the closing checkpoint or a later one, whenever."""
    tender, deadline = section.tender, section.leaf(CloseList).deadline
    names = section.cosigners(deadline, _EVER)
    total = len(tender.witnesses)
    wanted = total - (tender.n - tender.t)
    told = f"{len(names)} of {total} witnesses, {wanted} make it firm"
    if len(names) < wanted:
        raise NotChecked(f"not yet witnessed 尚未见证: {told}")
    return told


def _releases(section: Section) -> str:
    """Check every answer."""
    answers = section.answers()
    right = ", ".join(f"{index} {who}" for index, (who, _, _) in sorted(answers.right.items()))
    wrong = "".join(f"; wrong: {who} ({why})" for who, why in answers.wrong.items())
    return f"right: {right or 'nobody'}{wrong}"


def _hall(section: Section) -> str:
    """Replay the hall; compare what it was told with the ledger's leaves."""
    state = section.state
    if CloseList.PURPOSE in section.named:
        lines = [bid.submission for bid in section.leaf(CloseList).bids]
        back = {
            id_
            for row in section.rows
            if row.kind == "supplemented"
            for id_ in row.body["submissions"]
        }
        found = list(state.bids)
        must(
            lines == found[: len(lines)] and set(found[len(lines) :]) == back,
            "the hall lists other bids than the close list and its supplements",
        )
        closed = next(row for row in section.rows if row.kind == "closed")
        must(closed.body["digest"] == section.close_digest, "the hall names another close list")
        deadline = section.leaf(CloseList).deadline
        for where, at in (("hall", state.deadline), ("tender file", section.tender.deadline)):
            must(
                at == deadline,
                f"T is {beijing(at)} by the {where}, {beijing(deadline)} by the close list",
            )
        acts = {
            sealed.entry.id: (sealed.signed["statement"]["bidder"], sealed.entry.arrival)
            for sealed in section.entries
        }
        for id_, bid in state.bids.items():
            must(
                acts.get(id_) == (bid.line.bidder, bid.line.arrival),
                f"the hall lists {id_} with another bidder or arrival than it was handed in with",
            )
    for kind, said in (("control_price", state.price), ("float_result", state.point)):
        if kind in section.named:
            value = section.named[kind][1]["value"]
            must(value == said, f"the hall says {said!r}, the ledger's {kind} {value!r}")
    return f"{len(section.rows)} events, now {state.phase}"


def _record(section: Section) -> str:
    """Compute the opening record from the events again."""
    found = [
        one for one in section.evidence.records_of(OpeningFacts) if one[1].section == section.id
    ]
    if not found:
        raise NotChecked("the dossier holds no opening record of this section")
    for name, facts in found:
        seen = None
        if section.keys.given:
            seen = len(section.cosigners(facts.opened_at, facts.opened_at + WINDOW_MS))
        opening_again(name, facts, section.rows, section.named, section.centre, seen)
        must(
            section.state.phase in ENDED,
            f"{name} is of an opening that has not ended: {section.state.phase}",
        )
        told_at = max(row.at for row in section.rows[: facts.last_seq])
        headings.check(section, name, facts.heading, told_at)
    return ", ".join(name.rpartition("/")[2] for name, _ in found)
