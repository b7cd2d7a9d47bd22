"""The verbs ``submit`` and ``withdraw``: the bidder's own words to a running centre."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from clients import sentences as say
from clients.errors import UsageError
from clients.verbs import show, verb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clients.handing_in import Handed

SKEW_MS = 60_000
"""From here on a client's clock is said to be wrong; its own time decides nothing (reliability.md U8)."""
ServerOption = Annotated[str, typer.Option("--server", help="交易中心地址 address of the centre")]
KeyOption = Annotated[
    Path, typer.Option("--key", help="投标人签名密钥 the bidder's signing key, PEM")
]
TrustOption = Annotated[
    Path | None,
    typer.Option("--trust", help="事先认定的密钥 pinned keys; without it those the centre shows"),
]
PassphraseOption = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="加密密钥的口令文件 of an encrypted key, first line"),
]
PdfOption = Annotated[
    bool, typer.Option("--pdf", help="另要签章 PDF 回执 the receipt as a signed PDF, too")
]
JsonOption = Annotated[bool, typer.Option("--json", help="输出一个 JSON one JSON object")]


@verb
def submit(
    sealed: Annotated[
        Path, typer.Argument(metavar="BID.age", help="旁边须有投标声明 with BID.submission.json")
    ],
    server: ServerOption,
    key: KeyOption,
    trust: TrustOption = None,
    tender: Annotated[
        Path | None,
        typer.Option(
            "--tender", help="仅用于免交持有证明 only where the proof is waived: tender.json"
        ),
    ] = None,
    summary: Annotated[
        Path | None,
        typer.Option(
            "--summary", help="仅用于免交持有证明 only where the proof is waived: SUMMARY.json"
        ),
    ] = None,
    supersedes: Annotated[
        Path | None,
        typer.Option(
            "--supersedes", help="仅用于免交持有证明 only where the proof is waived: a receipt"
        ),
    ] = None,
    passphrase_file: PassphraseOption = None,
    pdf: PdfOption = False,
    as_json: JsonOption = False,
) -> None:
    """上传并递交，带回回执；中断后再运行即续传 Upload a sealed bid, submit it, bring home the receipt. Run again, it goes on."""
    from clients import handing_in, keyfile, sealing
    from clients.files import read_json
    from clients.overtaken import overtaken
    from clients.progress import bar
    from clients.sdk.session import login
    from clients.sdk.wire import Centre
    from trading.ground.clock import SystemClock

    if not sealed.is_file():
        raise UsageError(say.NO_FILE(path=sealed))
    signing = keyfile.read_key(key, passphrase_file)
    pinned = _pinned(trust)
    told = None
    if tender is not None and summary is not None:
        told = _waived(sealed, tender, trust, signing, summary, supersedes)
        centre_id = str(told["submission"]["statement"]["centre"])
    else:
        centre_id = handing_in.read_submission(sealed, signing)[2]
    centre = Centre.at(server)
    centre.login = lambda again: login(again, signing, centre_id)
    login(centre, signing, centre_id)
    aim = (told or read_json(sealing.submission_path(sealed)))["submission"]["statement"]
    if older := overtaken(centre, aim["section"], aim["version"]):
        print(f"注意 warning: {older}", file=sys.stderr)
    size = sealed.stat().st_size
    done = [0]
    with bar("upload", size, quiet=as_json) as advance:

        def progress(at: int, _total: int) -> None:
            advance(at - done[0])
            done[0] = at

        handed = handing_in.submit(
            centre,
            sealed,
            signing,
            trust=pinned,
            clock=SystemClock(),
            progress=progress,
            told=told,
        )
    paper = handing_in.keep_paper(centre, handed, pinned, SystemClock()) if pdf else None
    centre.close()
    _show(handed, "submitted", pinned=pinned is not None, as_json=as_json, paper=paper)


@verb
def withdraw(
    receipt: Annotated[
        Path, typer.Argument(metavar="RECEIPT", help="要撤回的投标的回执 of the bid to withdraw")
    ],
    server: ServerOption,
    key: KeyOption,
    trust: TrustOption = None,
    passphrase_file: PassphraseOption = None,
    pdf: PdfOption = False,
    as_json: JsonOption = False,
) -> None:
    """Withdraw a bid before the deadline 撤回, with the key that submitted it."""
    from clients import handing_in, keyfile
    from clients.sdk.session import login
    from clients.sdk.wire import Centre
    from trading.ground.clock import SystemClock

    signing = keyfile.read_key(key, passphrase_file)
    pinned = _pinned(trust)
    centre = Centre.at(server)
    login(centre, signing)
    handed = handing_in.withdraw(centre, receipt, signing, trust=pinned, clock=SystemClock())
    paper = handing_in.keep_paper(centre, handed, pinned, SystemClock()) if pdf else None
    centre.close()
    _show(handed, "withdrawn", pinned=pinned is not None, as_json=as_json, paper=paper)


def _pinned(trust: Path | None) -> Any:
    """The pinned certificates, or None."""
    if trust is None:
        return None
    from documents.trust import Trust

    if not trust.is_file():
        raise UsageError(say.NO_FILE(path=trust))
    return Trust.from_pem(trust.read_bytes())


def _waived(
    sealed: Path,
    tender: Path,
    trust: Path | None,
    key: Any,
    summary: Path,
    supersedes: Path | None,
) -> dict[str, Any]:
    """Makes the submission of a package that a stock age tool sealed, where the tender allows it."""
    from clients import handing_in, sealing, tenders
    from clients import trust as trust_file
    from clients.files import read_json
    from crypto.encoding import b64

    if trust is None:
        raise UsageError(say.TRUST_NEEDED())
    checked = tenders.check(read_json(tender), trust_file.read(trust))
    if checked.tender.proof_of_possession != "waived":
        raise UsageError(say.SEAL_WITH_SEAL())
    signed = sealing.sign_submission(
        checked,
        sealing.read_summary(summary),
        key,
        b64(sealing.encapsulation_of(sealed)),
        handing_in.digest_of(sealed),
        sealed.stat().st_size,
        sealing.superseded(supersedes, checked.tender.section),
    )
    return {"submission": signed, "possession": ""}


def _show(
    handed: Handed, what: str, *, pinned: bool, as_json: bool, paper: Path | None = None
) -> None:
    said = handed.receipt
    show(
        {
            what: said.entry.id,
            "section": said.section,
            "arrival": said.entry.arrival,
            "slot": said.entry.slot,
            "sha256": said.sha256,
            "version": said.version,
            "newest": said.newest,
            "receipt": str(handed.path),
            "paper": str(paper) if paper else None,
            "keys_pinned": pinned,
            "checks": [check.to_json() for check in handed.checks],
        },
        as_json=as_json,
        text="\n".join(_lines(handed, what, pinned=pinned, paper=paper)),
    )


DONE: Final = {"submitted": "已递交", "withdrawn": "已撤回"}


def _lines(handed: Handed, what: str, *, pinned: bool, paper: Path | None) -> Iterator[str]:
    """What a bidder is told, Chinese first: what was taken and when, where its receipt lies, what to mind."""
    from trading.ground.clock import beijing

    said = handed.receipt
    yield f"{DONE[what]} {what}: {said.entry.id}, 到达 arrived {beijing(said.entry.arrival)} 北京时间"
    yield f"回执成立 receipt holds: {handed.path}；任何机器可核验 check it anywhere: verify --trust"
    yield f"招标文件版本 sealed for tender file version: {said.version}"
    if said.newest > said.version:
        yield f"其后另有补遗 overtaken by version {said.newest}"
    if paper:
        yield f"纸质 on paper: {paper}"
    if abs(handed.skew) > SKEW_MS:
        seconds = abs(handed.skew) // 1000
        zh, en = ("慢", "behind") if handed.skew > 0 else ("快", "ahead")
        yield (
            f"本机时钟{zh} {seconds} 秒，不影响结果，以中心时钟为准 · this machine's clock is {seconds} s {en}; "
            "it decides nothing, the centre's does"
        )
    if not pinned:
        yield "所用密钥由中心出示，建议用 --trust 事先认定 · its keys are those the centre shows; pin them with --trust"
