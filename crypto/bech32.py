"""Bech32 (BIP 173) without its length limit: the text form of age keys.

The checksum finds any one to four wrong characters in a short text, so a recipient copied from
paper is either right or refused.
"""

from typing import Final

from crypto.errors import FormatError

MAX_CHARACTERS: Final = 8192
"""Longer texts are refused unread; age's longest key has about 2,000 characters."""

_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES: Final = {character: value for value, character in enumerate(_ALPHABET)}
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_LENGTH: Final = 6


def encode(hrp: str, data: bytes) -> str:
    """Return the Bech32 text of `data`.

    Args:
        hrp: human-readable part, all lower or all upper case; the text takes its case.
        data: the payload bytes.

    Raises:
        FormatError: the human-readable part is empty, mixed or not printable ASCII.
    """
    _check_prefix(hrp)
    lower = hrp.lower()
    values = _regroup(data, 8, 5, pad=True)
    remainder = _polymod([*_spread(lower), *values, *[0] * _CHECKSUM_LENGTH]) ^ 1
    check = [remainder >> 5 * (5 - i) & 31 for i in range(_CHECKSUM_LENGTH)]
    text = f"{lower}1{''.join(_ALPHABET[value] for value in [*values, *check])}"
    return text.upper() if hrp != lower else text


def decode(text: str) -> tuple[str, bytes]:
    """Read a Bech32 text.

    Returns:
        The human-readable part in the case it had, and the payload.

    Raises:
        FormatError: mixed case, foreign characters, wrong checksum, non-zero padding bits, too
            long or too short.
    """
    if len(text) > MAX_CHARACTERS:
        raise FormatError("the key text is too long")
    hrp, separator, tail = text.rpartition("1")
    if not separator or len(tail) < _CHECKSUM_LENGTH:
        raise FormatError("the key text is not Bech32")
    _check_prefix(hrp)
    if text not in (text.lower(), text.upper()):
        raise FormatError("the key text mixes upper and lower case")
    try:
        values = [_VALUES[character] for character in tail.lower()]
    except KeyError as error:
        raise FormatError("the key text holds a character that Bech32 does not use") from error
    if _polymod([*_spread(hrp.lower()), *values]) != 1:
        raise FormatError("the key text's checksum is wrong: a character was mistyped")
    return hrp, bytes(_regroup(values[:-_CHECKSUM_LENGTH], 5, 8, pad=False))


def _check_prefix(hrp: str) -> None:
    if not hrp or any(not "!" <= character <= "~" for character in hrp):
        raise FormatError("the prefix of a key text is printable ASCII")
    if hrp not in (hrp.lower(), hrp.upper()):
        raise FormatError("the prefix of a key text mixes upper and lower case")


def _spread(hrp: str) -> list[int]:
    codes = [ord(character) for character in hrp]
    return [*[code >> 5 for code in codes], 0, *[code & 31 for code in codes]]


def _polymod(values: list[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            if top >> bit & 1:
                checksum ^= generator
    return checksum


def _regroup(values: bytes | list[int], width: int, new_width: int, *, pad: bool) -> list[int]:
    """Cut a bit string anew; without padding, left-over bits must be few and zero."""
    accumulator = bits = 0
    groups: list[int] = []
    for value in values:
        accumulator = (accumulator << width | value) & 0xFFF
        bits += width
        while bits >= new_width:
            bits -= new_width
            groups.append(accumulator >> bits & (1 << new_width) - 1)
    rest = accumulator & (1 << bits) - 1
    if pad:
        if bits:
            groups.append(rest << new_width - bits)
    elif bits >= width or rest:
        raise FormatError("the key text's last bits are not zero")
    return groups
