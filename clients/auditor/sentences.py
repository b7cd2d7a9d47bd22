"""What `verify` tells people of a check: Chinese first, English second.

A check's `detail` is one string, English, and part of the contract (`contract/cli.md`); machines read it. For people
the same is said in Chinese before it: `HOLDS` and `LACKS` have both languages of what is said most, and find the facts of an
English detail by its own form. A detail that is only names and numbers needs no translation. Of a failure that has no
line here the Chinese sentence names what does not hold; the English one beside it says where.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from clients.errors import Sentence

if TYPE_CHECKING:
    from documents.checks import Check

FAILED: Final = "“{title}”一项不成立，请勿采信；可向出具方核对，或告知监督部门"
UNDONE: Final = "“{title}”一项未能核验"
BETWEEN: Final = " · "
_COUNT: Final = r"\d+"
_COUNTS: Final = frozenset("abikmntw") | {"size", "slot"}  # facts that are numbers

HOLDS: Final = (
    # a record on paper
    Sentence("格式无误", "in exact form"),
    Sentence("签名 {n} 个：{names}", "{n} signatures: {names}"),
    Sentence("共 {n} 字节，其中 {m} 字节为末一签名自身", "{n} bytes, {m} of them the last signature's own container"),
    Sentence("RSA 与 SHA-256，证书写在签名之内（PAdES）", "RSA over SHA-256, certificate named in the signature (PAdES)"),
    Sentence("{who}（开发用时间戳机构）", "{who} (development authority)"),
    Sentence("此后只加了签名", "only signatures were added"),
    Sentence("记录 {number}，规则 {rules}，SHA-256 见后", "{number}, rules {rules}, SHA-256 {hash}"),
    Sentence("存证第 {i} 条，日志共 {n} 条，{w} 位见证人已联署", "leaf {i} of {n}, cosigned by {w} witnesses"),
    # a dossier
    Sentence("{n} 个文件，{m} 字节", "{n} files, {m} bytes"),
    Sentence("完整版，{n} 份投标", "full, {n} bids"),
    Sentence("公开版，{n} 份投标", "public, {n} bids"),
    Sentence("{what}，签名 {n} 个，有效", "{what}, {n} signatures, valid"),
    Sentence("{n} 条存证均在 {size} 条的检查点之下", "{n} leaves under the checkpoint of {size}"),
    Sentence("事件 {n} 条，事件流 {m} 条", "{n} events of {m} streams"),
    Sentence("证书 {n} 张，其中 {m} 张不在您的可信证书之列；只信您自己的", "{n} certificates, {m} of them not among yours; believe your own only"),
    Sentence("记录 {n} 份", "{n} records"),
    # an opening
    Sentence("密钥 {key}，{t}/{n} 开启", "key {key}, {t} of {n}"),
    Sentence("收件公钥 {key}，不早于 {at}", "{key}, not before {at}"),
    Sentence("托管人 {n} 位，{t} 位即可开启", "{n} custodians, {t} of them open"),
    Sentence("存证第 {a} 至 {b} 条", "leaves {a} to {b}"),
    Sentence("份额第 {i} 份，共 {n} 份，用途 {purpose}", "share {i} of {n}, {purpose}"),
    Sentence("长度 {size}，时段 {slot}", "size {size}, slot {slot}"),
    Sentence("长度 {size}", "size {size}"),
    Sentence("存证 {n} 条", "{n} leaves"),
    Sentence("无人被指", "nobody is accused"),
    Sentence("存证第 {i} 条，投标 {n} 份", "leaf {i}, {n} bids"),
    Sentence("存证第 {i} 条，日志共 {n} 条", "leaf {i} of {n}"),
    Sentence("存证第 {i} 条", "leaf {i}"),
    Sentence("行为 {n} 项，浮动点承诺 {m} 项", "{n} acts, {m} commitments to the draw"),
    Sentence("行为 {n} 项", "{n} acts"),
    Sentence("时段 {n} 个", "{n} slots"),
    Sentence("递交 {n} 份", "{n} submissions"),
    Sentence("列入 {n} 份，排除 {m} 份", "{n} listed, {m} excluded"),
    Sentence("{n} 家，至少须 {m} 家", "{n} of at least {m}"),
    Sentence("存证第 {list} 条", "leaves {list}"),
    Sentence("回执 {n} 份，拒收凭证 {m} 份", "{n} receipts, {m} refusals"),
    Sentence("共 {n} 行，记录止于第 {m} 行", "{n} rows, the record ends with row {m}"),
    Sentence("事件 {n} 条，现为 {phase}", "{n} events, now {phase}"),
    Sentence("链头 {n} 个，自第 {m} 行起", "{n} heads from row {m} on"),
    Sentence("均为投标人自己的密钥", "bidders' own keys only"),
    Sentence("共 {n} 版，按旧版递交的投标 {m} 份", "{n} versions, {m} bids came for one that was overtaken"),
    Sentence("见证人 {n} 位，共 {m} 位，满 {k} 位即足数", "{n} of {m} witnesses, {k} make it firm"),
    Sentence("公布 {n} 行，抽取依公告所列 {m} 个浮动点", "{n} lines, drawn from {m} points as announced"),
    Sentence("应答成立者 {right}；不成立者 {wrong}", "right: {right}; wrong: {wrong}"),
    Sentence("{n} 个值由 {who} 合成；经证明有误者 {wrong}", "{n} values from {who}; wrong by proof: {wrong}"),
    Sentence("投标 {n} 份，未能开启 {m} 份：{what}", "{n} bids, {m} not opened {what}"),
    Sentence("{n} 个文件，清单 {hash}", "{n} files, manifest {hash}"),
    Sentence("{n} 个文件", "{n} files"),
    Sentence("{what}；任何人凭同样证据可得同样结论：{status}", "{what} The same evidence shows it to anybody: {status}"),
    Sentence("{n} 份，共 {m} 份", "{n} of {m}"),
    # an auction
    Sentence("{who}，最早在结果后 {n} 秒", "{who}, the first {n} s after the result"),
    Sentence("指令 {n} 条，拒绝 {m} 条；{what}", "{n} commands, {m} refused; {what}"),
    Sentence("时段 {n} 个，到第 {m} 行；存证到第 {i} 条", "{n} slots, up to row {m}; leaves to {i}"),
    Sentence("{n} 份，竞得者 {who}", "{n} for {who}"),
    Sentence("规则中没有此项", "the rules know none"),
    Sentence("规则中没有此项", "the rules have none"),
    # receipts
    Sentence("到达 {at} 毫秒 UTC，{n} 毫秒后签发", "arrived at {at} ms UTC, issued {n} ms later"),
    Sentence("{code}：到达 {at} 毫秒 UTC，截止 {t}", "{code}: arrived at {at} ms UTC, deadline {t}"),
    Sentence("开标时刻 {at}", "T = {at}"),
    Sentence("递交 {id}，时段 {slot}", "submission {id} in slot {slot}"),
    Sentence("撤回 {id}，时段 {slot}", "withdrawal {id} in slot {slot}"),
    Sentence("时段 {slot}，存证第 {i} 条", "slot {slot}, leaf {i}"),
    Sentence("到达 {at}，截止后 {n} 毫秒", "arrived {at}, {n} ms after the deadline"),
    Sentence("{row}，到达 {at}，链 {head}", "{row}, arrived {at}, chain {head}"),
    Sentence("报价 {amount}，号牌 {paddle}", "bid {amount} by {paddle}"),
    Sentence("标段 {section}：{who} 于 {at} 确认", "confirmed by {who} in {section} at {at}"),
    Sentence("标段 {section}：{who} 于 {at} 提出异议", "objected by {who} in {section} at {at}"),
)  # fmt: skip
"""Of a check that holds; the longer form of two that would both fit stands first."""

LACKS: Final = (
    Sentence("签发与吊销均为存证条目，可在归档包或中心查看", "issuing and withdrawing keys are entries of the ledger; a dossier or the centre shows them"),
    Sentence("包中没有 {name}", "{name} is not in the dossier"),
    Sentence("密文只在完整版中：有了公开的证明，人人都能开启", "sealed files are in the full dossier only: with public proofs anybody could open them"),
    Sentence("包中存证没有该竞价的时段", "the dossier's leaves hold no slot of this auction"),
    Sentence("包中没有该竞价的过程记录", "the dossier holds no transcript of this auction"),
    Sentence("包中没有该竞价的成交确认书", "the dossier holds no deal confirmation of this auction"),
    Sentence("规则中只有加盐承诺，保留价仍不公开", "a salted commitment stands in the rules; the reserve itself stays closed"),
    Sentence("给出的底单都与规则中的承诺不符", "no slip that was given fits the commitment in the rules"),
    Sentence("尚未见证：没有登记在册的见证人联署结果", "not yet witnessed 尚未见证: no pinned witness cosigned the result"),
    Sentence("尚未见证；之后的联署可在中心的存证日志中查看", "not yet witnessed; the centre's ledger shows later cosignatures"),
    Sentence("链头是否进入存证日志，见归档包", "that the chain's head entered the ledger stands in the dossier"),
    Sentence("报价暂不公开，或该行没有报价", "the offer is closed for now, or the row has none"),
    Sentence("未给可信证书；请用 --trust FILE 给出", "no trusted certificates were given (--trust FILE)"),
    Sentence("可信证书中没有日志 {origin} 的公钥", "the key of the log {origin} is not in the trust file"),
    Sentence("签署声明的密钥不在可信证书之列，请勿采信", "the statement is signed by a key that the trust file does not hold"),
    Sentence("声明不是规范格式，可能被改动", "the statement is not in canonical form"),
    Sentence("请与标段的归档包一并核验：verify DOSSIER RECEIPT", "give the section's dossier beside it: verify DOSSIER RECEIPT"),
    Sentence("须先通过 {check}", "it needs {check}"),
    Sentence("声明无法读取", "the statement could not be read"),
)  # fmt: skip
"""Of one that fails or could not be done; never mixed with the others, so that no failure reads like a success."""


@cache
def _form(english: str) -> re.Pattern[str]:
    """The form of a detail: its words as they are, its facts as named groups."""
    parts = re.split(r"\{(\w+)\}", english)
    return re.compile(
        "".join(
            f"(?P<{part}>{_COUNT if part in _COUNTS else '.+?'})" if i % 2 else re.escape(part)
            for i, part in enumerate(parts)
        ),
        re.DOTALL,
    )


def chinese(check: Check) -> str:
    """Return the Chinese sentence of a check's detail; "" where it is only names and numbers."""
    for sentence in HOLDS if check.status == "ok" else LACKS:
        found = _form(sentence.en).fullmatch(check.detail)
        if found:
            return sentence.zh.format(**found.groupdict())
    if check.status == "ok":
        return ""
    title = check.title.partition(BETWEEN)[0]
    return (FAILED if check.status == "failed" else UNDONE).format(title=title)


def told(check: Check) -> str:
    """Return what people are told of a check: both languages, Chinese first; "" of one that says nothing."""
    zh = chinese(check)
    return BETWEEN.join(part for part in (zh, check.detail) if part)
