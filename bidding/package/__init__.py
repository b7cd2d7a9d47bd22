"""A bid's inside: an uncompressed tar with one byte form, its signed manifest last.

`tar` the bytes of a header · `summary` the bid summary 开标一览表 by the section's definition ·
`pack` writes in one pass · `unpack` reads in one pass and trusts nothing until all of it fits ·
`unseal` opens the sealed file around it and names the first thing that is wrong.
Specification: docs/spec/sealed-bid-v1.md.
"""

from bidding.package.pack import Source, pack
from bidding.package.summary import check_summary
from bidding.package.tar import MANIFEST, check_name
from bidding.package.unpack import Expected, Sink, Unpacked, Unpacker
from bidding.package.unseal import unseal, unseal_disclosed

__all__ = [
    "MANIFEST",
    "Expected",
    "Sink",
    "Source",
    "Unpacked",
    "Unpacker",
    "check_name",
    "check_summary",
    "pack",
    "unseal",
    "unseal_disclosed",
]
