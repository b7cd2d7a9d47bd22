"""The little DER (X.690) that signatures need: write tag-length-value, read it back strictly."""

from __future__ import annotations

from documents.model import DocumentError

INTEGER, OCTETS, OID, SEQUENCE, SET = 0x02, 0x04, 0x06, 0x30, 0x31


def tlv(tag: int, *parts: bytes) -> bytes:
    """Return tag, shortest length and value."""
    value = b"".join(parts)
    size = len(value)
    if size < 0x80:
        return bytes((tag, size)) + value
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + value


def integer(value: int) -> bytes:
    """Return a non-negative INTEGER."""
    return tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    body = bytearray()
    for arc in (40 * first + second, *rest):
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.append(arc & 0x7F | 0x80)
        body += bytes(reversed(digits))
    return tlv(OID, bytes(body))


class Reader:
    """Reads the members of one DER value in order; every method raises DocumentError on anything but strict DER."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def more(self) -> bool:
        """Say whether a member is left."""
        return self._at < len(self._data)

    def peek(self) -> int:
        """Return the tag of the next member, -1 when there is none."""
        return self._data[self._at] if self.more() else -1

    def raw(self, tag: int) -> bytes:
        """Return the next member whole, which must have this tag."""
        start = self._at
        self.take(tag)
        return self._data[start : self._at]

    def take(self, tag: int) -> bytes:
        """Return the value of the next member, which must have this tag."""
        data, at = self._data, self._at
        if at + 2 > len(data) or data[at] != tag:
            raise DocumentError(f"a DER value with tag {tag:#04x} was expected")
        size, at = data[at + 1], at + 2
        if size >= 0x80:
            count = size & 0x7F
            size = int.from_bytes(data[at : at + count], "big")
            at += count
            if not 1 <= count <= 4 or size < 0x80 or size >> (8 * (count - 1)) == 0:
                raise DocumentError("a DER length is not in its shortest form")
        if at + size > len(data):
            raise DocumentError("a DER value runs past its end")
        self._at = at + size
        return data[at : at + size]

    def enter(self, tag: int) -> Reader:
        """Return a reader of the next member's own members."""
        return Reader(self.take(tag))

    def only(self, tag: int) -> Reader:
        """Return a reader of the next member, which must also be the last."""
        inner = self.enter(tag)
        if self.more():
            raise DocumentError("something follows where a DER value must end")
        return inner

    def all(self, tag: int) -> list[bytes]:
        """Return all remaining members, each of this tag."""
        members = []
        while self.more():
            members.append(self.raw(tag))
        return members
