"""The verbs of a failed quorum and of orders: what leaves home when, and what is signed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from clients import order
from clients.disclose import Discloser, read_secret
from clients.errors import ClientError
from clients.sdk.wire import RefusedError
from crypto import statement
from crypto.encoding import b64
from tests.bidding.centre import Bidder, Centre
from tests.bidding.test_quorum import after_the_window, failed
from tests.bidding.test_run import read_out, three
from tests.trading.world import CENTRE

RUN = CliRunner()


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    with Centre(tmp_path / "home") as made:
        made.first_people()
        three(made)
        made.until(made.deadline)
        made.cosign()
        yield made


class Wire:
    """A `clients.sdk.wire.Centre` whose other end is in this process; remembers what was sent."""

    def __init__(self, centre: Centre, bidder: Bidder) -> None:
        self.centre, self.bidder = centre, bidder
        self.sent: list[str] = []

    def call(self, method: str, path: str, body: Any = None) -> Any:
        self.sent.append(json.dumps(body))
        if method == "POST":
            answer = self.centre.post(path, body, self.bidder.who)
        else:
            answer = self.centre.call(method, path, body, self.bidder.who)
        if answer.status_code >= 400:
            raise RefusedError(answer.status_code, answer.json())
        return answer.json()


def at_home(centre: Centre, number: int) -> tuple[Discloser, Wire]:
    bidder = centre.bidders[f"投标单位{number}"]
    secret = {"section": centre.section, "centre": CENTRE, "file_key": b64(bidder.file_key)}
    wire = Wire(centre, bidder)
    return Discloser(wire, bidder.who.key, secret, centre.settings.home), wire


def test_no_key_leaves_home_before_a_failure_nor_before_all_have_pledged(centre: Centre) -> None:
    homes = [at_home(centre, number) for number in (1, 2, 3)]
    with pytest.raises(RefusedError) as refused:
        homes[0][0].step()
    assert refused.value.code == "quorum-not-failed"
    after_the_window(centre)
    assert failed(centre).status_code == 201
    for discloser, _ in homes[:2]:
        assert discloser.step()["phase"] == "pledging"
    keys = [b64(centre.bidders[f"投标单位{n}"].file_key) for n in (1, 2, 3)]
    for (_, wire), key in zip(homes, keys, strict=True):
        assert key not in "".join(wire.sent)
    assert homes[2][0].step()["phase"] == "disclosing"  # pledges last, hands over at once
    assert keys[2] in "".join(homes[2][1].sent)
    homes[0][0].step()
    last = homes[1][0].step()
    kept = {path.name.split("-")[1] for path in centre.settings.home.glob("*.hall.json")}
    assert kept == {"pledged", "disclosed"}  # every step's receipt stays with its bidder
    assert last["phase"] == "reading_out"
    assert homes[1][0].step()["disclosed"] == last["disclosed"]  # again changes nothing
    assert read_out(centre) == ["46382715.40", "47105600.00", "45998800.88"]


@pytest.mark.parametrize("text", ["{}", "[]", '{"v": 1, "purpose": "file_key"}', "no json"])
def test_another_file_is_not_taken_for_a_secret(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.secret.json"
    path.write_text(text)
    with pytest.raises(ClientError):
        read_secret(path)


def signed(tmp_path: Path, key: Path, *arguments: str) -> tuple[int, Path]:
    out = tmp_path / "order.json"
    base = ["--section", "sec_a", "--reason", "依规", "--centre", CENTRE, "--key", str(key)]
    done = RUN.invoke(order.group, ["sign", *arguments, *base, "-o", str(out), "--json"])
    return done.exit_code, out


@pytest.fixture
def key(tmp_path: Path) -> Path:
    from crypto.signature import SigningKey

    path = tmp_path / "supervisor.pem"
    path.write_bytes(SigningKey.from_scalar(5).to_pem().encode())
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        ("termination", "--tender", "ten_a"),
        ("supplement", "--close-list", "0" * 64, "--submission", "bid_a", "--submission", "bid_b"),
        ("quorum-failure", "--close-list", "0" * 64),
        ("late-witness", "--closing-size", "9", "--closing-root", "0" * 64),
        ("postponement", "--tender", "t", "--previous", "1000", "--deadline", "2000"),
    ],
)
def test_an_order_is_signed_offline(tmp_path: Path, key: Path, arguments: tuple[str, ...]) -> None:
    code, out = signed(tmp_path, key, *arguments)
    assert code == 0
    made = json.loads(out.read_text())["supervisor"]
    purpose = arguments[0].replace("-", "_")
    assert statement.verify(made, purpose=purpose, centre=CENTRE)["section"] == "sec_a"


@pytest.mark.parametrize(
    "arguments",
    [
        ("supplement", "--close-list", "0" * 64),
        ("termination", "--tender", "ten_a", "--close-list", "0" * 64),
        ("quorum-failure", "--close-list", "short"),
        ("amnesty",),
        ("postponement", "--tender", "t", "--previous", "1000", "--deadline", "2001"),
    ],
)
def test_an_order_with_the_wrong_fields_is_wrong_usage(
    tmp_path: Path, key: Path, arguments: tuple[str, ...]
) -> None:
    code, out = signed(tmp_path, key, *arguments)
    assert code == 2
    assert not out.exists()
