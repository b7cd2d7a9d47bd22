"""The fold: rows of others are passed over, the first release counts, leaves may come later."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crypto.encoding import b64
from trading.model import Deposit, DepositForm, Key, Organisation, Person, Role, State, evolve, fold
from trading.model.codec import to_json

PUBLIC = b"\x02" + bytes(32)
KEY = Key("k" * 16, PUBLIC, "per_a", "org_a", Role.BIDDER, "PEM")


@dataclass(frozen=True)
class Row:
    stream: str
    seq: int
    at: int
    kind: str
    body: dict[str, Any] = field(default_factory=dict)


ISSUED = Row(
    "trading",
    1,
    1000,
    "key.issued",
    {
        "enrolment": "enr_a",
        "invitation": "",
        "organisation": to_json(Organisation("org_a", "甲", "x", test=True)),
        "person": to_json(Person("per_a", "org_a", "prv_a", "00")),
        "key": to_json(KEY),
    },
)
LEAF = Row("ledger", 8, 1000, "key_issued", {"key": b64(PUBLIC), "key_id": KEY.key_id})
REVOKED = Row("ledger", 9, 2000, "key_revoked", {"key": b64(PUBLIC), "key_id": KEY.key_id})
TAKEN = Row(
    "trading",
    2,
    1500,
    "deposit.recorded",
    {"deposit": to_json(Deposit("dep_a", "lot_a", "org_a", DepositForm.PAID, 100, "prv_b", 1500))},
)


def release(at: int, **more: str) -> Row:
    return Row("trading", 3, at, "deposit.released", {"deposits": ["dep_a"], **more})


def test_a_leaf_gives_its_key_the_index_of_the_leaf() -> None:
    state = fold([ISSUED, LEAF])
    assert state.keys[PUBLIC].issued_at_index == 7
    assert state.people["per_a"].key_ids == (KEY.key_id,)
    assert state.issued == {"enr_a": PUBLIC}
    assert fold([ISSUED, TAKEN, LEAF]) == fold([ISSUED, LEAF, TAKEN])


def test_a_key_is_revoked_once() -> None:
    later = Row("ledger", 20, 3000, "key_revoked", REVOKED.body)
    assert fold([ISSUED, LEAF, REVOKED, later]).keys[PUBLIC].revoked_at_index == 8


def test_the_first_release_of_a_deposit_is_the_one_that_counts() -> None:
    by_rule = release(2000, by_rule="auction.result", lot="lot_a")
    state = fold([TAKEN, by_rule, release(3000)])
    assert state.deposits["dep_a"].released_at == 2000


NAMES = st.sampled_from(["trading", "ledger", "auction/lot_a", "bidding", "x"])
KINDS = st.text("abcdefgh._", min_size=1, max_size=12)


@given(st.lists(st.builds(Row, NAMES, st.integers(1, 99), st.just(1000), KINDS), max_size=20))
def test_rows_of_other_rooms_and_unknown_kinds_change_nothing(rows: list[Row]) -> None:
    state = fold([ISSUED, LEAF])
    for row in rows:
        evolve(state, row)
    assert state == fold([ISSUED, LEAF])
    assert state != State()
