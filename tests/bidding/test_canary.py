"""No price, file key or share is anywhere in a centre's home, logs or answers before the opening."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto.encoding import b64
from tests.bidding.centre import Centre
from tests.bidding.test_run import three
from trading.model import Role

PRICES = ("46382715.40", "47105600.00", "45998800.88")


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    with Centre(tmp_path / "home") as made:
        made.first_people()
        yield made


def secrets(centre: Centre) -> dict[str, bytes]:
    """What nobody may find, in every form in which it could be written down by accident."""
    wanted: dict[str, bytes] = {f"price {price}": price.encode() for price in PRICES}
    wanted |= {f"price in fen {price}": price.replace(".", "").encode() for price in PRICES}
    raw = {f"file key of {one.name}": one.file_key for one in centre.bidders.values()}
    for keeper in centre.keepers.values():
        raw[f"share of {keeper.id}"] = keeper.share.secret.scalar.to_bytes(32)
    for name, value in raw.items():
        wanted |= {name: value, f"{name}, hex": value.hex().encode()}
        wanted[f"{name}, base64"] = b64(value).encode()
        wanted[f"{name}, decimal"] = str(int.from_bytes(value)).encode()
    return wanted


def leaks(centre: Centre, *texts: bytes) -> set[str]:
    """Names of the secrets found in any file of the home or in the texts given."""
    own = {one.file for one in centre.bidders.values()}  # sealed at the bidder's, for the test only
    files = [path for path in centre.settings.home.rglob("*") if path.is_file() and path not in own]
    assert any(path.name.startswith("kaibiao") or path.suffix for path in files)
    found = set()
    for data in (*(path.read_bytes() for path in files), *texts):
        found |= {name for name, value in secrets(centre).items() if value in data}
    return found


def answers(centre: Centre) -> bytes:
    """Everything that is shown or refused about the section, as its bytes."""
    paths = [
        f"/openings/{centre.section}", "/openings", f"/openings/{centre.section}/evidence",
        f"/openings/{centre.section}/failure", f"/custody/sections/{centre.section}/release-request",
        "/custody/tasks?custodian=custodian-1", f"/sections/{centre.section}/tender.json",
        f"/ledger/leaves?from=0&to={centre.ground.ledger.size}", "/custody/board", "/nowhere",
    ]  # fmt: skip
    staff = centre.one(Role.OPERATOR)
    return b"".join(centre.call("GET", path, None, staff).content for path in paths)


def test_before_the_opening_no_secret_is_anywhere_and_afterwards_prices_are(
    centre: Centre, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    three(centre)
    centre.seal(centre.bidder(4), "44000000.00")
    centre.bidder(4).submission["possession"] = b64(bytes(64))
    centre.send_file(centre.bidder(4))
    refused = centre.submit(centre.bidder(4))
    assert refused.status_code == 422
    seen = answers(centre) + refused.content + caplog.text.encode()
    assert leaks(centre, seen) == set()
    centre.until(centre.deadline)
    centre.cosign()
    assert centre.release("custodian-1").json()["status"] == "answered"
    assert leaks(centre, answers(centre) + caplog.text.encode()) == set()  # t − 1 answers: nothing
    centre.release("custodian-2")
    centre.pace("read_all")
    assert leaks(centre, answers(centre)) >= {f"price {price}" for price in PRICES}  # control


@pytest.mark.parametrize("what", ["price 46382715.40", "share of custodian-1, hex"])
def test_a_planted_leak_is_found(centre: Centre, what: str) -> None:
    three(centre)
    value = secrets(centre)[what]
    (centre.settings.home / "debug.log").write_bytes(b"opened early: " + value + b"\n")
    assert leaks(centre) == {what}
