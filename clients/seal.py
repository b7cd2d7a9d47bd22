"""The verbs ``seal`` and ``pack``: a bid packed and sealed on the bidder's own machine, without network.

`tenders` decides whether the tender file may be believed, `sealing` does the work; here only the words.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from clients import sentences as say
from clients.errors import ClientError, UsageError
from clients.files import check_target
from clients.verbs import show, verb

FilesArgument = Annotated[
    list[Path], typer.Argument(help="投标文件，按次序 the files, in their order")
]
TenderOption = Annotated[Path | None, typer.Option("--tender", help="招标文件 tender.json")]
TrustOption = Annotated[
    Path | None, typer.Option("--trust", help="事先认定的密钥 pinned keys, trust.pem")
]
KeyOption = Annotated[
    Path | None, typer.Option("--key", help="投标人签名密钥 the bidder's signing key, PEM")
]
SummaryOption = Annotated[
    Path | None, typer.Option("--summary", help="who bids, and the bid summary 开标一览表, JSON")
]
PassphraseOption = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="加密密钥的口令文件 of an encrypted key, first line"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="输出一个 JSON one JSON object")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inputs:
    """What `seal` and `pack` read before they begin."""

    tender: Any
    summary: Any
    key: Any


def _inputs(
    tender: Path | None,
    trust: Path | None,
    key: Path | None,
    summary: Path | None,
    passphrase_file: Path | None,
) -> _Inputs:
    """Reads and checks everything a bid needs.

    Raises:
        UsageError: one of the four is not given.
        TenderRefusedError: the tender file is not to be believed.
    """
    if tender is None or trust is None or key is None or summary is None:
        raise UsageError(say.FOUR_NEEDED())
    from clients import keyfile, sealing, tenders
    from clients import trust as trust_file
    from clients.files import read_json

    checked = tenders.check(read_json(tender), trust_file.read(trust))
    if checked.tender.use == "rehearsal":
        print(
            "这是演练，密封给它的不是投标 · a rehearsal; what is sealed to it is no bid",
            file=sys.stderr,
        )
    return _Inputs(
        tender=checked,
        summary=sealing.read_summary(summary),
        key=keyfile.read_key(key, passphrase_file),
    )


def _total(files: list[Path]) -> int:
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise UsageError(say.NO_FILE(path=missing[0]))
    return sum(file.stat().st_size for file in files)


@verb
def seal(
    files: FilesArgument,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="密封结果 the sealed file, BID.age")
    ],
    tender: TenderOption = None,
    trust: TrustOption = None,
    key: KeyOption = None,
    summary: SummaryOption = None,
    supersedes: Annotated[
        Path | None,
        typer.Option(
            "--supersedes", help="被替换投标的回执 receipt of the bid that this one replaces"
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", help="密封单个文件，收件人不核验 seal one plain file to age1tag1…, unchecked"
        ),
    ] = None,
    passphrase_file: PassphraseOption = None,
    threads: Annotated[int, typer.Option(min=1, max=2, help="线程数 1 or 2")] = 2,
    server: Annotated[
        str | None,
        typer.Option(
            "--server",
            help="向中心查询是否最新版本 ask this centre whether tender.json is the newest",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """离线打包并密封投标；--to 只密封单个文件 Pack and seal a bid offline; or seal one plain file to a recipient with --to."""
    from clients import sealing
    from clients.progress import bar

    if to is not None:
        if tender or trust or key or summary or supersedes or server or len(files) != 1:
            raise UsageError(say.ONE_FILE())
        _seal_plain(files[0], to, output, threads=threads, as_json=as_json)
        return
    _free(output)
    given = _inputs(tender, trust, key, summary, passphrase_file)
    before = sealing.superseded(supersedes, given.tender.tender.section)
    if server is not None:
        _newest(server, given.tender.tender)
    with bar("seal", _total(files), quiet=as_json) as progress:
        submission = sealing.seal(
            given.tender,
            given.summary,
            given.key,
            files,
            output,
            supersedes=before,
            progress=progress,
            threads=threads,
        )
    said = submission["submission"]["statement"]
    show(
        {
            "sealed": str(output),
            "submission": str(sealing.submission_path(output)),
            "secret": str(sealing.secret_path(output)),
            "sha256": said["sha256"],
            "size": said["size"],
            "section": said["section"],
            "version": said["version"],
            "recipient": said["recipient"],
            "checks": [each.to_json() for each in given.tender.checks],
        },
        as_json=as_json,
        text=_told(given, output, said),
    )


def _newest(server: str, tender: Any) -> None:
    """Warns where the centre shows a later tender file."""
    from clients.overtaken import overtaken
    from clients.sdk.wire import Centre

    centre = Centre.at(server)
    older = overtaken(centre, tender.section, tender.version)
    centre.close()
    if older:
        print(f"注意 warning: {older}", file=sys.stderr)


def _free(output: Path) -> None:
    """Refuses an output that cannot be made, and one whose bid was handed in: its secret is the only one."""
    check_target(output)
    if output.with_name(f"{output.name.removesuffix('.age')}.receipt.json").exists():
        raise UsageError(say.HANDED_IN(output=output))


def _told(given: _Inputs, output: Path, said: dict[str, Any]) -> str:
    from trading.ground.clock import beijing

    lines = [f"  {check.title}: {check.detail}" for check in given.tender.checks]
    return "\n".join(
        [
            "招标文件核验通过 the tender file holds:",
            *lines,
            f"已密封 sealed: {output}, {said['size']} bytes, SHA-256 {said['sha256']}",
            f"招标文件版本 made for tender file version: {said['version']}",
            f"请在此前递交 hand in before: {beijing(given.tender.tender.deadline)} 北京时间, submit {output}",
            "请自行保管 .secret.json，托管失效时才用 keep it to yourself; nobody needs it unless the custodians fail",
        ]
    )


def _seal_plain(source: Path, to: str, target: Path, *, threads: int, as_json: bool) -> None:
    from crypto.age import parse_recipient, seal_file
    from crypto.errors import FormatError

    check_target(target)
    if not source.is_file():
        raise UsageError(say.NO_FILE(path=source))
    try:
        recipient = parse_recipient(to)
    except FormatError as error:
        raise UsageError(say.NO_RECIPIENT(error=error)) from error
    print(
        "注意 warning: 收件人未经核验，造出它的人可能立即读到文件 · nobody vouches for this recipient; "
        "whoever made it may read the file at once",
        file=sys.stderr,
    )
    sealed = seal_file(source, target, recipient, threads=threads)
    show(
        {
            "sealed": str(target),
            "sha256": sealed.sha256,
            "size": sealed.size,
            "recipient": to,
            "recipient_checked": False,
        },
        as_json=as_json,
        text=f"已密封 sealed: {target}, {sealed.size} bytes, SHA-256 {sealed.sha256}",
    )


@verb
def pack(
    files: FilesArgument,
    output: Annotated[Path, typer.Option("-o", "--output", help="打包结果 the package, BID.tar")],
    tender: TenderOption = None,
    trust: TrustOption = None,
    key: KeyOption = None,
    summary: SummaryOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """只打包不密封，供免交持有证明时用通用 age 工具密封 Pack a bid without sealing it, for a stock age tool where the tender waives the proof."""
    from clients import sealing
    from clients.progress import bar

    check_target(output)
    given = _inputs(tender, trust, key, summary, passphrase_file)
    if given.tender.tender.proof_of_possession != "waived":
        raise ClientError(say.PROOF_WANTED())
    with bar("pack", _total(files), quiet=as_json) as progress:
        size = sealing.write_package(
            given.tender, given.summary, given.key, files, output, progress
        )
    recipient = given.tender.tender.recipient
    show(
        {"package": str(output), "size": size, "recipient": recipient},
        as_json=as_json,
        text=f"已打包 packed: {output}, {size} bytes\n接着 now: age -r {recipient} -o BID.age {output}",
    )
