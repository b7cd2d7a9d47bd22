"""The attack that must fail: everything on the centre's disk, and the shares of two custodians.

The same lines open a bid when a third share is added, which the demo does with a rehearsal bid: so the attack fails
for want of a share and not for want of skill.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crypto.age import open_file, read_header, unwrap_p256tag
from crypto.errors import CryptoError
from crypto.p256 import Point
from crypto.threshold import combine, dh_x, partial

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from crypto.certificate import GroupKey
    from crypto.p256 import Secret


def open_with(sealed: Path, target: Path, group: GroupKey, shares: Mapping[int, Secret]) -> None:
    """Open an age file with the shares at hand, however many they are.

    Args:
        sealed: the age file.
        target: where the package goes.
        group: the section's public key.
        shares: custodian's number → its share, unlocked.

    Raises:
        AuthenticationError: the shares do not make the key.
    """
    with sealed.open("rb") as file:
        stanza = read_header(file).bid_stanza()
    encapsulation = Point.parse(stanza.enc)
    answers = {index: partial(share, [encapsulation])[0] for index, share in shares.items()}
    (shared,) = combine(answers, len(answers))
    file_key = unwrap_p256tag(stanza, group.public.uncompressed(), dh_x(shared))
    open_file(sealed, target, file_key)


def sealed_files(home: Path) -> Iterator[Path]:
    """Every file on a disk that is an age file with a bid's stanza, whatever its name."""
    for path in sorted(home.rglob("*")):
        if not path.is_file():
            continue
        with path.open("rb") as file:
            if file.read(21) != b"age-encryption.org/v1":
                continue
            file.seek(0)
            try:
                read_header(file).bid_stanza()
            except CryptoError:
                continue  # an age file of another kind: the host's own secrets
        yield path
