"""`replay` keeps contract/auction: the worked examples, the form of results, the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from auction.replay import replay
from clients.replay import command
from tests.places import SHARED
from tests.properties.auction_scripts import scenario

CONTRACT = SHARED / "contract" / "auction"
EXAMPLES = sorted(path for path in CONTRACT.glob("examples/*.json") if "expected" not in path.name)

app = typer.Typer()
app.command()(command)


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, [*arguments, "--json"])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_worked_example_gives_its_expected_result(path: Path) -> None:
    expected = json.loads(path.with_suffix(".expected.json").read_text())
    assert replay(path.read_bytes()) == expected


def test_several_files_give_one_line_each_in_their_order(shared: Path) -> None:
    result = run(*map(str, EXAMPLES))
    expected = [json.loads(path.with_suffix(".expected.json").read_text()) for path in EXAMPLES]
    assert [json.loads(line) for line in result.stdout.splitlines()] == expected
    assert (result.exit_code, result.stderr) == (0, "")


def test_results_and_scripts_have_the_form_of_the_schemas(shared: Path) -> None:
    results = Draft202012Validator(json.loads((CONTRACT / "result.schema.json").read_text()))
    scripts = Draft202012Validator(json.loads((CONTRACT / "scenario.schema.json").read_text()))
    for seed in range(300):
        script = scenario(seed)
        scripts.validate(script)
        results.validate(replay(json.dumps(script).encode()))


def minimal(**changes: Any) -> bytes:
    script: dict[str, Any] = {
        "kind": "auction",
        "lot": "L",
        "rules": {
            "start_price": "1",
            "increment": "1",
            "timed": {"starts_at": "2026-01-01T00:00:00Z", "extend_s": 300},
        },
        "bidders": ["P1"],
        "commands": [],
    }
    return json.dumps(script | changes).encode()


def test_a_refused_file_is_told_on_standard_error_and_the_others_still_run(tmp_path: Path) -> None:
    good, bad, absurd = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "absurd.json"
    good.write_bytes(minimal())
    bad.write_bytes(minimal(extra=1))
    absurd.write_bytes(minimal(bidders=["P1", "P1"]))
    result = run(str(bad), str(good), str(absurd), str(tmp_path / "absent.json"), str(good))
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line.get("error", "none") for line in lines] == ["none", "BAD_RULES", "none"]
    assert lines[1] == {"kind": "auction", "error": "BAD_RULES"}
    assert "unknown field 'extra'" in result.stderr
    assert "absent.json" in result.stderr
    assert result.exit_code == 2


def test_bad_rules_alone_exit_with_2(tmp_path: Path) -> None:
    path = tmp_path / "absurd.json"
    path.write_bytes(minimal(bidders=["CENTRE"]))
    result = run(str(path))
    assert result.exit_code == 2
    assert result.stderr == ""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"\xff",
        b"\xef\xbb\xbf" + minimal(),
        minimal() + b"x",
        minimal().replace(b'"1"', b"NaN", 1),
        minimal().replace(b'"kind": "auction"', b'"kind": "auction", "kind": "auction"'),
        b"[" * 200_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"[" * 100_000 + b"]" * 99_999 + b"}",
    ],
)
def test_what_is_no_scenario_in_json_is_refused_without_a_traceback(
    tmp_path: Path, data: bytes
) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(data)
    result = run(str(path))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(str(path))
    assert len(result.stderr.splitlines()) == 1


NUMERALS = [
    "1", "-1", "1e3", "1E400", "1e99999999999999999999", "0.1", "true", "null", "[]", "{}", '"1e3"', '"１"', '"٣"', '"+1"',
    '"-0"', '"01"', '"1."', '".1"', '"1.001"', '"1 "', '" 1"', '"1\\n"', '"\\u0000"', '"\\ud800"', '"1_0"', '"0x1"',
    '"NaN"', '"Infinity"', '"-Infinity"', '""', '"1,000"', '"1\\u00a0"', '"²"', '"½"', '"1e0"', '"1.0.0"', '{"a":1,"a":2}',
    '"' + "9" * 16 + '"', '"' + "9" * 5000 + '"', "9" * 5000, "1." + "0" * 5000, '"1.' + "0" * 5000 + '"',
    "[" * 5000 + "]" * 5000, '{"":' * 5000 + "0" + "}" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("numeral", NUMERALS, ids=range(len(NUMERALS)))
def test_an_amount_may_be_any_json_value_and_is_refused(numeral: str) -> None:
    script = minimal(
        commands=[{"at": "2026-01-01T00:00:00Z", "by": "P1", "do": "bid", "amount": "@"}]
    )
    result = replay(script.replace(b'"@"', numeral.encode()))
    assert result["results"] == [{"ok": False, "code": "BAD_AMOUNT"}]


def test_a_nonce_that_is_no_text_opens_no_commitment() -> None:
    rules = {
        "start_price": "1",
        "increment": "1",
        "price_cap": "1",
        "timed": {"starts_at": "2026-01-01T00:00:00Z"},
        "on_cap": {"kind": "lottery", "wait_s": 0, "ask_s": 1, "reveal_s": 1},
    }
    commands = [
        {"at": "2026-01-01T00:00:00Z", "by": "P1", "do": "bid", "amount": "1"},
        {"at": "2026-01-01T00:00:00Z", "by": "P1", "do": "join", "commit": "0" * 64},
        {"at": "2026-01-01T00:00:00Z", "by": "P2", "do": "join", "commit": "0" * 64},
        {"at": "2026-01-01T00:00:01Z", "by": "P1", "do": "reveal", "nonce": "\ud800"},
        {"at": "2026-01-01T00:00:01Z", "by": "P1", "do": "reveal", "nonce": ["x"]},
        {"at": "2026-01-01T00:00:01Z", "by": "P1", "do": "reveal"},
    ]
    result = replay(minimal(rules=rules, bidders=["P1", "P2"], commands=commands))
    assert [answer.get("code") for answer in result["results"][3:]] == ["BAD_REVEAL"] * 3


def test_an_instant_beyond_the_year_9999_is_refused_and_never_misprinted() -> None:
    rules = {
        "start_price": "1",
        "increment": "1",
        "timed": {"starts_at": "9999-12-31T23:59:59Z", "extend_s": 10**12},
    }
    commands = [{"at": "9999-12-31T23:59:59.999Z", "by": "P1", "do": "bid", "amount": "1"}]
    with pytest.raises(Exception, match="years 0000 to 9999"):
        replay(minimal(rules=rules, commands=commands))


def hugely(field: str, number: str) -> bytes:
    """A small auction with one bid, in which a whole number is written with a huge exponent."""
    rules: dict[str, Any] = {"increment": "1", "timed": {"starts_at": "2026-01-01T00:00:00Z"}}
    if field == "slots":
        parcel = {"id": "L1", "holder": "P1", "added_gfa": "1", "start_floor_price": "1"}
        rules["quota"] = {"slots": "@", "parcels": [parcel]}
    else:
        rules["start_price"] = "1"
    if field == "freeze_s":
        opens, closes = "2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z"
        rules["listing"] = {"opens_at": opens, "closes_at": closes, "freeze_s": "@"}
    if field == "extend_s":
        rules["timed"]["extend_s"] = "@"
    if field == "scale":
        rules["scale"] = "@"
    commands = [{"at": "2026-01-01T00:00:00Z", "by": "P1", "do": "bid", "amount": "1"}]
    script = minimal(rules=rules, bidders=["P1"], commands=commands, until="2027-01-01T00:00:00Z")
    return script.replace(b'"@"', number.encode())


def test_a_whole_number_with_a_huge_exponent_is_read_at_once() -> None:
    assert replay(hugely("slots", "1e99999999"))["outcome"]["status"] == "SOLD"
    assert replay(hugely("slots", "-1e99999999")) == {"kind": "auction", "error": "BAD_RULES"}
    assert replay(hugely("freeze_s", "1e99999999")) == {"kind": "auction", "error": "BAD_RULES"}
    assert replay(hugely("freeze_s", "0e99999999"))["outcome"]["status"] == "UNSOLD"
    assert replay(hugely("scale", "20e-1"))["outcome"]["status"] == "SOLD"
    for field, number in [("scale", "1e99999999"), ("scale", "1e-99999999")]:
        with pytest.raises(Exception, match=r"rules\.scale"):
            replay(hugely(field, number))
    with pytest.raises(Exception, match="years 0000 to 9999"):
        replay(hugely("extend_s", "1e99999999"))


def test_a_parcels_name_cannot_steer_the_terminal_of_who_reads_the_result(tmp_path: Path) -> None:
    path = tmp_path / "odd.json"
    path.write_bytes(hugely("slots", "1").replace(b'"L1"', b'"\\ud800\\u001b[2J\\n"'))
    result = CliRunner().invoke(app, [str(path)])
    assert result.exit_code == 0
    assert "parcel '\\ud800\\x1b[2J\\n'" in result.stdout
    assert replay(path.read_bytes())["outcome"]["winners"][0]["parcel"] == "\ud800\x1b[2J\n"


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-03-12T10:00:00+08:00", "2026-03-12T02:00:00.000Z"),
        ("2026-03-12T02:00:00.1Z", "2026-03-12T02:00:00.100Z"),
        ("2026-03-11T20:30:00.01-05:30", "2026-03-12T02:00:00.010Z"),
        ("2024-02-29T23:59:59.999-00:01", "2024-03-01T00:00:59.999Z"),
        ("2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z"),
        ("0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00.000Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
    ],
)
def test_times_of_any_offset_are_written_in_utc(written: str, utc: str) -> None:
    rules = {"start_price": "1", "increment": "1", "timed": {"starts_at": written}}
    result = replay(minimal(rules=rules, until="9999-01-01T00:00:00Z"))
    assert result["phases"][0] == {"phase": "TIMED", "at": utc}


@pytest.mark.parametrize(
    "written",
    [
        "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-32T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T12:00:60Z", "2026-01-01T00:00:00",
        "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+00:60", "2026-01-01T00:00:00.0000Z", "2026-01-01 00:00:00Z",
        "2026-01-01t00:00:00Z", "2026-01-01T00:00:00Z\n", "２026-01-01T00:00:00Z", 0, None,
    ],
)  # fmt: skip
def test_what_is_no_instant_is_refused(written: Any) -> None:
    rules = {"start_price": "1", "increment": "1", "timed": {"starts_at": written}}
    with pytest.raises(Exception, match=r"timed\.starts_at"):
        replay(minimal(rules=rules))
