"""Whole age files: encrypt for recipients, decrypt with identities or a known file key.

Functions that name a target path leave it whole and authentic or not at all. Functions that write
to a stream say when what they wrote may be believed: after they returned.
"""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

from crypto.age.armor import ArmorWriter, dearmor
from crypto.age.header import FILE_KEY_BYTES, Header, read_header
from crypto.age.output import whole_file
from crypto.age.stanzas import Identity, Recipient, check_mixture
from crypto.age.stream import NONCE_BYTES, Source, Write, decrypt_payload, encrypt_payload
from crypto.encoding import Bytes
from crypto.errors import NoMatchError
from crypto.random import token


def encrypt(
    source: Source,
    write: Callable[[Bytes], object],
    recipients: Sequence[Recipient],
    *,
    armor: bool = False,
    threads: int = 1,
) -> None:
    """Encrypt a stream for recipients.

    Args:
        source: the plaintext.
        write: takes the age file in order.
        recipients: at least one; a passphrase stands alone.
        armor: write the text form.
        threads: 1 or 2.

    Raises:
        FormatError: a passphrase beside another recipient, or a recipient that is no key.
    """
    if not recipients:
        raise ValueError("an age file has at least one recipient")
    file_key = token(FILE_KEY_BYTES)
    stanzas = [recipient.wrap(file_key) for recipient in recipients]
    check_mixture(stanzas)
    text = ArmorWriter(write) if armor else None
    put = text.write if text else write
    put(Header.make(stanzas, file_key).raw)
    encrypt_payload(source, file_key, token(NONCE_BYTES), put, threads)
    if text:
        text.close()


def decrypt(
    source: io.BufferedReader, write: Write, identities: Sequence[Identity], *, threads: int = 1
) -> None:
    """Decrypt an age file, armored or not; what was written counts only once this returns.

    Args:
        source: a buffered binary file.
        write: takes the plaintext in order.
        identities: whoever may open it.
        threads: 1 or 2.

    Raises:
        FormatError: armor, header or stanza break the rules.
        NoMatchError: no stanza is for these identities.
        AuthenticationError: the header or the payload was changed.
    """
    plain = dearmor(source)
    header = read_header(plain)
    file_key = unwrap(header, identities)
    decrypt_payload(plain, file_key, write, threads)


def unwrap(header: Header, identities: Sequence[Identity]) -> bytes:
    """Return a file's key, the header MAC checked.

    Raises:
        FormatError, NoMatchError, AuthenticationError: as `decrypt`.
    """
    check_mixture(header.stanzas)
    for identity in identities:
        file_key = identity.unwrap(header.stanzas)
        if file_key is not None:
            header.check_mac(file_key)
            return file_key
    raise NoMatchError("the file is sealed for other keys than those at hand")


def encrypt_file(
    source: Path,
    target: Path,
    recipients: Sequence[Recipient],
    *,
    armor: bool = False,
    threads: int = 2,
) -> None:
    """Encrypt one file into another, which appears only when whole.

    Raises:
        FormatError: as `encrypt`.
        OSError: a file cannot be read or written.
    """
    with source.open("rb", buffering=0) as plain, whole_file(target) as out:
        encrypt(plain, out.write, recipients, armor=armor, threads=threads)


def decrypt_file(
    source: Path, target: Path, identities: Sequence[Identity], *, threads: int = 2
) -> None:
    """Decrypt one file into another, which appears only when whole and authentic.

    Raises:
        FormatError, NoMatchError, AuthenticationError: as `decrypt`.
        OSError: a file cannot be read or written.
    """
    with source.open("rb") as sealed, whole_file(target) as out:
        decrypt(sealed, out.write, identities, threads=threads)


def encrypt_bytes(
    plaintext: bytes, recipients: Sequence[Recipient], *, armor: bool = False
) -> bytes:
    """Encrypt something small, e.g. a custodian's secret under a passphrase."""
    out = io.BytesIO()
    encrypt(io.BytesIO(plaintext), out.write, recipients, armor=armor)
    return out.getvalue()


def decrypt_bytes(data: bytes, identities: Sequence[Identity]) -> bytes:
    """Decrypt something small.

    Raises:
        FormatError, NoMatchError, AuthenticationError: as `decrypt`.
    """
    out = io.BytesIO()
    decrypt(io.BufferedReader(io.BytesIO(data)), out.write, identities)
    return out.getvalue()


def open_payload(source: Source, file_key: bytes, write: Write, *, threads: int = 1) -> None:
    """Decrypt what stands behind a header that was read and whose MAC was checked.

    Raises:
        FormatError, AuthenticationError: as `decrypt_payload`.
    """
    decrypt_payload(source, file_key, write, threads)


def open_file(source: Path, target: Path, file_key: bytes, *, threads: int = 2) -> Header:
    """Open a binary age file with its file key; the target appears only when whole and authentic.

    Args:
        source: the sealed file.
        target: where the plaintext is to appear.
        file_key: 16 bytes, from the custodians' value or disclosed by the sealer.
        threads: 1 or 2.

    Returns:
        The header, its MAC checked.

    Raises:
        FormatError: header or payload break the rules.
        AuthenticationError: the key is another, or something was changed.
        OSError: a file cannot be read or written.
    """
    with source.open("rb") as sealed, whole_file(target) as out:
        header = read_header(sealed)
        header.check_mac(file_key)
        decrypt_payload(sealed, file_key, out.write, threads)
        return header
