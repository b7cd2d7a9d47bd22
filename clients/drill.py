"""`drill`: rehearse a key ceremony and an opening offline, with any age tool as the sealer.

The same mathematics as in a section's real life, without a centre: n custodians hold a ceremony, each keeps a
folder of its own, and any t of them open a file sealed to the recipient. A folder holds what a custodian of the
real thing would back up, and nothing else::

    DIR/recipient.txt                  age1tag1…, one line: give it to any age tool
    DIR/custodian-3/host.secret        its one secret, 64 hexadecimal characters
    DIR/custodian-3/certificate.json   what all custodians signed: the key and its terms
    DIR/custodian-3/bundle.bin         the encrypted shares it was sent, bound by the certificate

Its share is stored nowhere; it is recomputed for each opening.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - typer reads the annotations when it runs
from typing import TYPE_CHECKING, Annotated, Final, Self

import typer

from clients import sentences as say
from clients.errors import ClientError, UsageError
from clients.files import check_target
from clients.verbs import show, verb
from crypto.cocktail_wire import MAX_PARTICIPANTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crypto.certificate import SuccessCertificate
    from crypto.cocktail import Share

app = typer.Typer(no_args_is_help=True, help="演练 rehearse ceremony and opening, offline")

RECIPIENT: Final = "recipient.txt"
HOST: Final = "host.secret"
CERTIFICATE: Final = "certificate.json"
BUNDLE: Final = "bundle.bin"
CENTRE: Final = "drill"
"""Centre and section in the context of a drill's key: no real centre's sealer would take it."""

JsonOption = Annotated[bool, typer.Option("--json", help="输出一个 JSON one JSON object")]


@app.command()
@verb
def keys(
    out: Annotated[
        Path,
        typer.Option("--out", help="存放密钥的新文件夹 folder to make the keys in", metavar="DIR"),
    ],
    n: Annotated[
        int, typer.Option("--n", min=1, max=MAX_PARTICIPANTS, help="托管人数 custodians")
    ] = 5,
    t: Annotated[
        int, typer.Option("--t", min=1, max=MAX_PARTICIPANTS, help="几人可开启 who open")
    ] = 3,
    as_json: JsonOption = False,
) -> None:
    """演练密钥仪式：n 位托管人，任意 t 位可开启 Hold a key ceremony among n custodians, any t of whom open."""
    from clients.files import write_durably
    from crypto.age.stanzas import recipient_text
    from crypto.canonical import canonical

    if t > n:
        raise UsageError(say.NEVER_OPENS(t=t, n=n))
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(say.FOLDER_NOT_EMPTY(out=out))
    made, shares = hold(n, t)
    group = shares[0].group
    out.mkdir(parents=True, exist_ok=True)
    for number, folder in enumerate(made, 1):
        path = out / f"custodian-{number}"
        path.mkdir(mode=0o700)
        write_durably(path / HOST, folder.secret.hex().encode() + b"\n", 0o600)
        write_durably(path / CERTIFICATE, canonical(folder.certificate.to_json()) + b"\n")
        write_durably(path / BUNDLE, folder.bundle, 0o600)
    recipient = recipient_text(group.public.compressed())
    write_durably(out / RECIPIENT, f"{recipient}\n".encode())
    fingerprint = made[0].certificate.sha256().hex()
    show(
        {"recipient": recipient, "n": n, "t": t, "ceremony": fingerprint, "out": str(out)},
        as_json=as_json,
        text=(
            f"{recipient}\n演练密钥已生成，任意 {t} 人可开启 · {n} custodians in {out}, any {t} open\n"
            f"仪式指纹 ceremony fingerprint: {fingerprint}"
        ),
    )


@app.command("open")
@verb
def open_(
    source: Annotated[Path, typer.Argument(metavar="IN.age", help="密封文件 the sealed file")],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="内容写到哪里 where its content goes")
    ],
    keys: Annotated[
        Path,
        typer.Option("--keys", help="`keys` 生成的文件夹 folder made by `keys`", metavar="DIR"),
    ],
    use: Annotated[str, typer.Option("--use", help="托管人序号 custodians, e.g. 1,3,5")],
    as_json: JsonOption = False,
) -> None:
    """演练开启：由若干托管人打开一个 age 文件 Open an age file with some of the custodians; OUT appears only if it is whole and authentic."""
    from crypto.age.file import decrypt_file
    from crypto.age.stanzas import P256TagIdentity, parse_recipient

    numbers = parse_numbers(use)
    for path in (source, keys / RECIPIENT, *(keys / f"custodian-{each}" for each in numbers)):
        if not path.exists():
            raise UsageError(say.NO_SUCH_PATH(path=path))
    check_target(target)
    if target.exists() and target.samefile(source):
        raise UsageError(say.WOULD_OVERWRITE())
    recipient = parse_recipient((keys / RECIPIENT).read_text("utf-8", "replace").strip())
    shares = [load_share(keys / f"custodian-{each}", each, recipient) for each in numbers]
    decrypt_file(source, target, [P256TagIdentity(recipient, Exchange(shares))])
    show(
        {"out": str(target), "bytes": target.stat().st_size, "used": numbers},
        as_json=as_json,
        text=f"{target}: 已开启，证明全部核验 · opened by custodians {use}, every proof checked",
    )


@dataclass(frozen=True, slots=True)
class Folder:
    """What one custodian of a drill keeps.

    Attributes:
        secret: its host secret, 32 bytes.
        certificate: the ceremony's success certificate.
        bundle: the encrypted shares it was sent.
    """

    secret: bytes
    certificate: SuccessCertificate
    bundle: bytes

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a folder strictly: what was written is accepted, and not one byte else.

        Raises:
            FormatError: a file is not in its form.
            OSError: a file is missing.
        """
        from crypto.canonical import canonical, parse
        from crypto.certificate import SuccessCertificate
        from crypto.errors import FormatError

        text = (path / HOST).read_bytes()
        try:
            secret = bytes.fromhex(text.decode("ascii"))
        except ValueError as error:
            raise FormatError(f"{HOST} is not 64 hexadecimal characters") from error
        if text != secret.hex().encode() + b"\n":
            raise FormatError(f"{HOST} is not one line in lower case")
        written = (path / CERTIFICATE).read_bytes()
        certificate = SuccessCertificate.from_json(parse(written))
        if written != canonical(certificate.to_json()) + b"\n":
            raise FormatError(f"{CERTIFICATE} is not in its canonical form")
        return cls(secret, certificate, (path / BUNDLE).read_bytes())


@dataclass(frozen=True, slots=True)
class Exchange:
    """Asks custodians for the Diffie-Hellman value of one encapsulation.

    Attributes:
        shares: of the custodians used, t or more.
    """

    shares: list[Share]

    def __call__(self, encapsulation: bytes) -> bytes:
        """Collect partial decryptions, check all their proofs, combine.

        Raises:
            ProofError: fewer than t custodians, or one's answer is wrong; the sentence names it.
        """
        from crypto import threshold
        from crypto.p256 import Point

        group = self.shares[0].group
        points = [Point.parse(encapsulation)]
        partials = {}
        for share in self.shares:
            answer, proof = threshold.partial(share.secret, points)
            threshold.check_partial(group.share(share.index), points, answer, proof, share.index)
            partials[share.index] = answer
        return threshold.dh_x(threshold.combine(partials, group.t)[0])


def hold(n: int, t: int) -> tuple[list[Folder], list[Share]]:
    """Hold a ceremony: n participants who exchange nothing but the messages of the protocol.

    Args:
        n: custodians.
        t: how many of them open.

    Returns:
        what each is to keep, and the shares they came to, both in roster order.
    """
    from crypto.cocktail import HostKey, KeyContext, Participant, share_bundle
    from crypto.random import token

    secrets = [token(32) for _ in range(n)]
    hosts = [HostKey(secret) for secret in secrets]
    roster = [host.public for host in hosts]
    context = KeyContext(
        centre=CENTRE,
        section=CENTRE,
        ceremony=token(16).hex(),
        purpose="rehearsal",
        earliest=0,
        minimum=1,
        custodians=tuple(roster),
        t=t,
    ).to_bytes()
    people = [Participant(host, i, roster, t, context) for i, host in enumerate(hosts, 1)]
    messages = [person.round1() for person in people]
    signatures = [person.round2(messages) for person in people]
    results = [person.finish(signatures) for person in people]
    folders = [
        Folder(secret, certificate, share_bundle(messages, number, t))
        for number, (secret, (certificate, _)) in enumerate(zip(secrets, results, strict=True), 1)
    ]
    return folders, [share for _, share in results]


def load_share(path: Path, number: int, recipient: bytes) -> Share:
    """Recompute a custodian's share from its folder.

    Args:
        path: the folder.
        number: whose it must be, from 1.
        recipient: the key that all folders must be of, 65 bytes.

    Raises:
        ClientError: the folder was altered or belongs to another; it is named.
    """
    from crypto.cocktail import HostKey, recover
    from crypto.errors import CryptoError

    try:
        folder = Folder.load(path)
        share = recover(HostKey(folder.secret), folder.certificate, folder.bundle)
    except (CryptoError, OSError) as error:
        raise ClientError(say.SHARE_BROKEN(number=number, path=path, error=error)) from error
    if share.index != number or share.group.recipient != recipient:
        raise ClientError(say.SHARE_OF_ANOTHER(number=number, path=path))
    return share


def parse_numbers(text: str) -> list[int]:
    """Read custodians' numbers, e.g. ``1,3,5``.

    Raises:
        UsageError: not numbers from 1 with commas between, each once.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 4 for part in parts):
        raise UsageError(say.USE_NUMBERS())
    numbers = _distinct(int(part) for part in parts)
    if numbers[0] < 1:
        raise UsageError(say.FROM_ONE())
    return numbers


def _distinct(numbers: Iterable[int]) -> list[int]:
    ordered = sorted(numbers)
    if len(set(ordered)) != len(ordered):
        raise UsageError(say.TWICE_IN_USE())
    return ordered
