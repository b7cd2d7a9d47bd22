"""age v1 files (C2SP age.md): a strict reader, a strict writer, and the sealing of bids.

Layers, bottom up: `header` (grammar and MAC), `armor` (text form), `stanzas` (keys), `stream`
(payload), `output` (whole or not at all), `file` (general), `bid` (sealing a bid).
"""

from crypto.age.bid import Sealed, seal_file, seal_stream
from crypto.age.file import (
    decrypt,
    decrypt_bytes,
    decrypt_file,
    encrypt,
    encrypt_bytes,
    encrypt_file,
    open_file,
    open_payload,
    unwrap,
)
from crypto.age.header import Header, P256Tag, Stanza, read_header
from crypto.age.output import whole_file
from crypto.age.stanzas import (
    P256TagIdentity,
    P256TagRecipient,
    ScryptIdentity,
    ScryptRecipient,
    X25519Identity,
    X25519Recipient,
    check_tag,
    parse_recipient,
    recipient_text,
    unwrap_p256tag,
    wrap_p256tag,
)
from crypto.age.stream import IterableSource, PayloadReader

__all__ = [
    "Header",
    "IterableSource",
    "P256Tag",
    "P256TagIdentity",
    "P256TagRecipient",
    "PayloadReader",
    "ScryptIdentity",
    "ScryptRecipient",
    "Sealed",
    "Stanza",
    "X25519Identity",
    "X25519Recipient",
    "check_tag",
    "decrypt",
    "decrypt_bytes",
    "decrypt_file",
    "encrypt",
    "encrypt_bytes",
    "encrypt_file",
    "open_file",
    "open_payload",
    "parse_recipient",
    "read_header",
    "recipient_text",
    "seal_file",
    "seal_stream",
    "unwrap",
    "unwrap_p256tag",
    "whole_file",
    "wrap_p256tag",
]
