"""A party to the float draw with our client before the real centre: its nonce stays home until the close."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from bidding.model import FloatResult
from clients.auditor import hall_receipts, published
from clients.auditor.checklist import NotChecked
from clients.errors import ClientError, IncompleteError, UnfitError
from clients.files import read_json
from clients.sdk import draw
from clients.sdk.session import login
from clients.sdk.wire import Centre as Wire
from crypto.signature import SigningKey
from tests.bidding.centre import CENTRE_KEY, Centre
from tests.bidding.test_run import three
from tests.clients.test_with_the_real_centre import Loop
from tests.trading.world import CENTRE, ORIGIN
from trading.model import Role

if TYPE_CHECKING:
    from pathlib import Path


def test_a_nonce_is_kept_shut_receipted_and_revealed_only_after_the_close(tmp_path: Path) -> None:
    with Centre(tmp_path / "home") as centre:
        centre.first_people()
        who = centre.one(Role.SUPERVISOR)
        three(centre)
        wire, file, pinned = (
            Wire(Loop(centre), ORIGIN),
            tmp_path / "nonce.json",
            (CENTRE_KEY.public,),
        )
        login(wire, who.key, CENTRE)
        made = draw.promise(wire, CENTRE, who.key, centre.section, file, pinned)
        assert file.stat().st_mode & 0o777 == 0o600
        kept = draw.promise(wire, CENTRE, who.key, centre.section, file, pinned)  # run again
        assert kept == made
        first = draw.commit(wire, made, tmp_path, pinned)
        assert draw.commit(wire, made, tmp_path, pinned) == first
        with pytest.raises(ClientError, match="本单位"):  # not a second nonce
            draw.promise(wire, CENTRE, who.key, centre.section, tmp_path / "other.json", pinned)
        stranger = (SigningKey.generate().public,)
        with pytest.raises(ClientError, match="不在事先认定"):
            draw.promise(wire, CENTRE, who.key, centre.section, tmp_path / "other.json", stranger)
        with pytest.raises(IncompleteError, match="没有离开本机"):
            draw.check_due(wire, made, centre.clock)

        receipt = hall_receipts.read(read_json(first))
        assert (receipt.seq, receipt.chain) == (0, "")  # it does not tell how many have bid
        rows = list(centre.bidding.room.journal.rows(f"bidding/{centre.section}"))
        assert hall_receipts.told_in(rows, receipt, CENTRE)
        without = [row for row in rows if row.body.get("party") != who.organisation]
        with pytest.raises(ClientError, match="no such row"):
            hall_receipts.told_in(without, receipt, CENTRE)

        file.chmod(0o644)
        with pytest.raises(UnfitError, match="他人可读"):
            draw.kept(file, who.key)
        file.chmod(0o600)
        with pytest.raises(ClientError, match="不是此密钥"):
            draw.kept(file, SigningKey.generate())

        centre.until(centre.deadline)
        centre.cosign()
        login(wire, who.key, CENTRE)
        draw.check_due(wire, made, centre.clock)
        draw.reveal(wire, who.key, draw.kept(file, who.key))
        assert centre.bidding.room.book(centre.section).leaf("float_result") is not None


def test_a_draw_by_the_centre_alone_is_shown_as_such() -> None:
    def drawn(*parties: str) -> Any:
        reveals = tuple({"statement": {"party": party}} for party in parties)
        result = FloatResult(section="sec_a", points=("0.25",), reveals=reveals, value="0.25")
        return SimpleNamespace(leaf=lambda _: result)

    assert published.shared(drawn("centre", "org_a")) == "0.25 by centre, org_a"
    with pytest.raises(NotChecked, match="the centre alone"):
        published.shared(drawn("centre"))
