"""Checks a receipt offline: the row it speaks of was durable when the centre signed for it."""

from collections.abc import Mapping
from typing import Any

from auction.model import AuctionError
from auction.record.audit import rows_from_json
from crypto.canonical import canonical
from crypto.encoding import unb64
from crypto.errors import CryptoError
from crypto.statement import SUITE, verify
from crypto.tlog.merkle import leaf_hash, verify_inclusion
from trading.ground.chain import Row

PURPOSE = "batch_head"

_FORM = {"v", "purpose", "suite", "centre", "row", "index", "path", "head"}


class ReceiptError(AuctionError):
    """A receipt that does not hold; the check that failed is named."""

    def __init__(self, check: str) -> None:
        super().__init__("receipt-invalid", "报价回执验证不通过", check)


def verify_receipt(receipt: Any, *, centre: str, key: bytes) -> Row:
    """Check an offer's receipt.

    1. its form, version, purpose and suite; 2. the centre; 3. the signed head, by the centre's key;
    4. the row's path to the root of that head.

    Args:
        receipt: as parsed from JSON.
        centre: id of the centre.
        key: the centre's statement key, 33 bytes.

    Returns:
        The row that the centre has signed for; position 0.

    Raises:
        ReceiptError: the check that failed.
    """
    if not isinstance(receipt, Mapping) or set(receipt) != _FORM:  # 1
        raise ReceiptError("1: not the members of a receipt")
    version = receipt["v"]  # True is equal to 1, and is none
    said = (type(version), version, receipt["purpose"], receipt["suite"])
    if said != (int, 1, "offer_receipt", SUITE):
        raise ReceiptError("1: another version, purpose or suite")
    if receipt["centre"] != centre:  # 2
        raise ReceiptError("2: of another centre")
    try:
        head = verify(receipt["head"], purpose=PURPOSE, centre=centre, key=key)  # 3
        root, size = bytes.fromhex(head["root"]), head["size"]
        path = [unb64(node) for node in receipt["path"]]
        leaf = leaf_hash(canonical(receipt["row"]))
        verify_inclusion(receipt["index"], size, leaf, path, root)  # 4
        (row,) = rows_from_json([receipt["row"]])
    except (CryptoError, AuctionError, KeyError, TypeError, ValueError) as error:
        raise ReceiptError("3, 4: head or path does not hold") from error
    return row
