"""Canaries (reliability.md E13): before T nothing of a sealed bid is anywhere but under its seal.

A small tender runs to a second before T with a price, a file name, a text, file keys, shares and host secrets that
occur nowhere else. Then everything is searched that somebody could read: every file of the home, every row of a
database elsewhere, every line of the log at its most talkative, every answer of every role, refusals too. The
custodians and bidders of this test live in the same process, so that its memory is no evidence; the real ones are
processes of their own.
"""

from __future__ import annotations

import base64
import logging
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import create_engine, inspect, select, table, text

import tests.bidding.centre as room
from tests.acceptance.hostile.accounts import answers, socket_frames
from tests.acceptance.hostile.whole import Whole
from trading.model import Role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crypto.age import Sealed
    from crypto.signature import SigningKey

PRICES = ("48123987.65", "47654321.09", "46987123.45")
NAME = "金丝雀投标单位"
FILE = "投标函.pdf"


def forms(secret: bytes) -> dict[str, bytes]:
    """How a byte string could have been written down: raw, hex, base64 at each of three offsets."""
    found: dict[str, bytes] = {
        "raw": secret,
        "hex": secret.hex().encode(),
        "HEX": secret.hex().upper().encode(),
    }
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + secret)
        found[f"base64+{shift}"] = text[4 if shift else 0 : len(text) // 4 * 4 - 4]
    if len(secret) == 32:
        found["decimal"] = str(int.from_bytes(secret)).encode()
    return found


def scalar(key: SigningKey) -> bytes:
    """The secret number of a key, 32 bytes."""
    loaded = serialization.load_pem_private_key(key.to_pem().encode(), None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    return loaded.private_numbers().private_value.to_bytes(32)


class Nest:
    """What must not be found, and where it was looked for."""

    def __init__(self) -> None:
        self.secrets: dict[str, bytes] = {}
        self.places: dict[str, bytes] = {}

    def hide(self, name: str, secret: bytes) -> None:
        assert len(secret) >= 8
        self.secrets[name] = secret

    def look(self, place: str, content: bytes | str) -> None:
        self.places[place] = content if isinstance(content, bytes) else content.encode()

    def found(self) -> list[tuple[str, str, str]]:
        wanted = [(n, f, v) for n, secret in self.secrets.items() for f, v in forms(secret).items()]
        return [
            (place, name, form)
            for place, content in self.places.items()
            for name, form, value in wanted
            if value in content
        ]


@pytest.fixture
def nest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: str
) -> Iterator[tuple[Whole, Nest, list[str]]]:
    """A tender a second before T, and all that is secret of it."""
    nest = Nest()
    lines: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record) + repr(record.args))

    ear = Ear()
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    logging.getLogger().addHandler(ear)
    seal = room.seal_stream

    def sealing(*given: Any, **named: Any) -> Sealed:
        sealed = seal(*given, **named)
        nest.hide(f"file key {len(nest.secrets)}", sealed.file_key)
        nest.hide(f"ephemeral {len(nest.secrets)}", scalar(sealed.ephemeral))
        return sealed

    monkeypatch.setattr(room, "seal_stream", sealing)
    made = Whole(tmp_path / "home")
    made.first_people()
    made.set_up(minimum=3)
    for number, price in enumerate(PRICES, 1):
        bidder = made.bidder(100 + number)
        made.seal(bidder, price)
        outside = tmp_path / f"{number}.age"
        bidder.file = bidder.file.rename(outside)  # a bidder's own disk is no part of the centre
        made.send_file(bidder)
        assert made.submit(bidder).status_code == 201
        made.withdraw(bidder) if number == 3 else None
        nest.hide(f"price {number}", price.encode())
        nest.hide(f"text {number}", f"{bidder.name} {price}".encode())
    made.until(made.deadline - 1000)
    nest.hide("file name", FILE.encode())
    for keeper in made.keepers.values():
        # The seed has no public name on purpose.
        nest.hide(f"host secret {keeper.id}", keeper.host._seed)
        nest.hide(f"share {keeper.id}", keeper.share.secret.scalar.to_bytes(32))
        nest.hide(f"custodian key {keeper.id}", scalar(keeper.key))
    yield made, nest, lines
    logging.getLogger().removeHandler(ear)
    made.close()
    made.runner.close()


def stored_rows(url: str) -> Iterator[tuple[str, bytes]]:
    """Every row of every table of a server's database, each under a name of its own."""
    engine = create_engine(url)
    with engine.connect() as connection:
        for name in inspect(engine).get_table_names():
            for number, row in enumerate(
                connection.execute(select(text("*")).select_from(table(name)))
            ):
                parts = (
                    bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode() for v in row
                )
                yield f"{name} {number}", b"\n".join(parts)
    engine.dispose()


def search(whole: Whole, nest: Nest, lines: list[str]) -> None:
    for path in sorted(whole.settings.home.rglob("*")):
        if path.is_file():
            nest.look(f"file {path.relative_to(whole.settings.home)}", path.read_bytes())
            nest.look(f"name {path.name}", path.name)
    if not whole.settings.database_url.startswith("sqlite"):
        for table, row in stored_rows(whole.settings.database_url):
            nest.look(f"table {table}", row)
    for (role, address), answer in answers(whole).items():
        nest.look(f"answer {role} {address}", answer)
    for address, frame in socket_frames(whole).items():
        nest.look(f"socket {address}", frame)
    nest.look("log", "\n".join(lines))


def test_no_canary_is_found_before_t_and_a_planted_one_is(
    nest: tuple[Whole, Nest, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, hidden, lines = nest
    whole.submit(whole.bidders["投标单位101"])  # again, and refusals of many kinds
    whole.post(f"/sections/{whole.section}/submissions", {}, whole.one(Role.BIDDER))
    whole.call("GET", f"/openings/{whole.section}/evidence")
    assert found(whole, hidden, lines) == set()
    assert len(hidden.secrets) == 3 * 4 + 1 + 3 * 3
    assert len(hidden.places) > 150
    assert any(place.startswith("file blobs") for place in hidden.places)
    assert {"file kaibiao.db", "table journal 0"} & hidden.places.keys()

    # The other half: each leak that is planted is found, and by its place.
    whole.settings.home.joinpath("core").write_bytes(
        b"..." + hidden.secrets["host secret custodian-1"] + b"..."
    )
    assert found(whole, hidden, lines) == {("file core", "host secret custodian-1")}
    whole.settings.home.joinpath("core").unlink()
    logging.getLogger("trading").info("a price: %s", PRICES[0])
    assert found(whole, hidden, lines) == {("log", "price 1")}
    lines.clear()
    with monkeypatch.context() as patch:
        patch.setattr("bidding.hall.Halls.snapshot", lambda *_: {"hint": PRICES[1]})
        assert {name for _, name in found(whole, hidden, lines)} == {"price 2"}
    note = base64.b64encode(b"x" + hidden.secrets["share custodian-2"]).decode()
    whole.runner.run(whole.ground.private.put("org_x", "note", note))
    assert {name for _, name in found(whole, hidden, lines)} == {"share custodian-2"}


def found(whole: Whole, hidden: Nest, lines: list[str]) -> set[tuple[str, str]]:
    """Search anew: (place, secret)."""
    hidden.places.clear()
    search(whole, hidden, lines)
    return {(place, name) for place, name, _ in hidden.found()}
