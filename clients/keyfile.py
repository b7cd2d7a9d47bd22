"""A person's or organisation's signing key, out of a PEM file, asking for its passphrase if it has one."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Final

from clients import sentences as say
from clients.errors import ClientError, UsageError
from clients.files import read_bounded
from crypto.errors import FormatError
from crypto.signature import SigningKey

if TYPE_CHECKING:
    from pathlib import Path


MAX_KEY: Final = 1 << 20
"""Bytes of a PEM file or a passphrase file."""


def read_passphrase(file: Path | None, prompt: str) -> str:
    """A passphrase from a file's first line, or typed on the terminal.

    Raises:
        UsageError: no such file, an empty line, or no terminal to ask on.
    """
    if file is not None:
        try:
            line = read_bounded(file, MAX_KEY, "passphrase file").decode().split("\n", 1)[0]
        except UnicodeDecodeError as error:
            raise UsageError(say.NO_TEXT(file=file)) from error
        if not line:
            raise UsageError(say.EMPTY_LINE(file=file))
        return line
    if not sys.stdin.isatty():
        raise UsageError(say.NO_TERMINAL())
    return getpass.getpass(f"{prompt}: ")


def read_key(path: Path, passphrase_file: Path | None = None) -> SigningKey:
    """Reads a P-256 key; an encrypted one wants its passphrase.

    Raises:
        UsageError: no such file, or no way to ask for the passphrase.
        ClientError: no P-256 key in PEM, or the passphrase does not fit.
    """
    pem = read_bounded(path, MAX_KEY, "key file")
    encrypted = b"ENCRYPTED" in pem
    passphrase = read_passphrase(passphrase_file, f"passphrase of {path}") if encrypted else None
    try:
        return SigningKey.from_pem(pem, passphrase)
    except FormatError as error:
        raise ClientError(say.NO_KEY(path=path, error=error)) from error
