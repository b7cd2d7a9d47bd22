"""A scenario in, its result out: the auction as a plain function from JSON to JSON.

Auditors and outside checks run an auction here without a server, a clock or a database.
Source: contract/auction/README.md.
"""

import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from auction import engine
from auction.model import (
    Accepted,
    BadRulesError,
    Command,
    Do,
    Entered,
    Outcome,
    Refused,
    Rules,
    ScenarioError,
    SecondItem,
)
from auction.rules import parse_rules
from auction.rules.form import (
    Doubled,
    array,
    bidder_id,
    choice,
    fields,
    instant,
    rfc3339,
    text,
)
from trading.ground.money import FEN, format_amount

_LOT = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Scenario:
    """An auction and its script: each command with its arrival stamp, ms UTC."""

    rules: Rules
    commands: tuple[tuple[int, Command], ...]
    until: int | None


def decode(data: bytes) -> Any:
    """Decode strict JSON: UTF-8, no NaN; numbers stay exact, doubled names are kept as `Doubled`.

    Values may be of any depth and length: the amount of an offer is whatever arrived.

    Raises:
        ScenarioError: the bytes are not JSON.
    """
    try:
        written = data.decode()
        try:
            return json.loads(
                written,
                object_pairs_hook=_object,
                parse_int=_number,
                parse_float=_number,
                parse_constant=_no_constant,
            )
        except RecursionError:
            return _Deep(written).decode()
    except ValueError as error:  # bad UTF-8 and bad JSON are both
        raise ScenarioError(f"not JSON in UTF-8: {error}") from error


def parse_scenario(raw: Any) -> Scenario:
    """Read a scenario.

    Raises:
        ScenarioError: the schema refuses it.
        BadRulesError: its rule set contradicts itself.
    """
    names = ("kind", "lot", "rules", "bidders", "commands")
    raw = fields(raw, "scenario", names, ("title", "until"))
    choice(raw["kind"], "kind", "auction")
    if _LOT.fullmatch(text(raw["lot"], "lot")) is None:
        raise ScenarioError("lot: not an id of a lot")
    text(raw.get("title", ""), "title")
    bidders = [bidder_id(who, "bidders") for who in array(raw["bidders"], "bidders")]
    scripted = array(raw["commands"], "commands")
    commands = tuple(_command(item, f"commands[{n}]") for n, item in enumerate(scripted))
    until = None if raw.get("until") is None else instant(raw["until"], "until")
    return Scenario(parse_rules(raw["rules"], raw["lot"], bidders), commands, until)


def run(scenario: Scenario) -> dict[str, Any]:
    """Run a scenario.

    Returns:
        The result object of the contract.

    Raises:
        ScenarioError: one of its instants lies outside the years 0000 to 9999.
    """
    state = engine.begin(scenario.rules)
    results: list[dict[str, Any]] = []
    entered: list[Entered] = []
    for at, command in scenario.commands:
        state, events = engine.apply(state, command, at)
        entered += [event for event in events if isinstance(event, Entered)]
        results += [verdict_json(event) for event in events if not isinstance(event, Entered)]
    if scenario.until is not None:
        state, more = engine.advance(state, scenario.until)
        entered += more
    return {
        "kind": "auction",
        "results": results,
        "phases": [{"phase": item.phase.value, "at": rfc3339(item.at)} for item in entered],
        "outcome": outcome_json(scenario.rules, state.outcome),
    }


def replay(data: bytes) -> dict[str, Any]:
    """Run a scenario file.

    Args:
        data: its bytes.

    Returns:
        The result object, or `{"kind": "auction", "error": "BAD_RULES"}`.

    Raises:
        ScenarioError: the file does not have the form of the contract.
    """
    try:
        return run(parse_scenario(decode(data)))
    except BadRulesError:
        return {"kind": "auction", "error": "BAD_RULES"}


def verdict_json(verdict: Accepted | Refused) -> dict[str, Any]:
    """Write a verdict as an item of `results`."""
    if isinstance(verdict, Refused):
        return {"ok": False, "code": verdict.code.value}
    ends_at = None if verdict.ends_at is None else rfc3339(verdict.ends_at)
    return {"ok": True, "seq": verdict.seq, "ends_at": ends_at}


def outcome_json(rules: Rules, outcome: Outcome | None) -> dict[str, Any]:
    """Write the outcome; None is OPEN."""
    if outcome is None:
        return {"status": "OPEN", "reason": None, "closed_at": None, "winners": []}
    second = rules.on_cap.ladder.scale if isinstance(rules.on_cap, SecondItem) else 0
    return {
        "status": outcome.status.value,
        "reason": outcome.reason and outcome.reason.value,
        "closed_at": rfc3339(outcome.closed_at),
        "winners": [
            {
                "bidder": won.bidder,
                "parcel": won.parcel,
                "amount": format_amount(won.amount, rules.price.scale),
                "second_item": None if won.second is None else format_amount(won.second, second),
                "payable": None if won.payable is None else format_amount(won.payable, FEN),
            }
            for won in outcome.winners
        ],
    }


def _command(raw: Any, place: str) -> tuple[int, Command]:
    raw = fields(raw, place, ("at", "by", "do"), ("amount", "commit", "nonce"))
    command = Command(
        by=bidder_id(raw["by"], f"{place}.by"),
        do=Do(choice(raw["do"], f"{place}.do", *Do)),
        amount=raw.get("amount"),
        commit=raw.get("commit"),
        nonce=raw.get("nonce"),
    )
    return instant(raw["at"], f"{place}.at"), command


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    return members if len(members) == len(pairs) else Doubled(members)


def _number(digits: str) -> Any:
    """Keep a number exact; one too long or too large to be any number of ours stays a `Decimal`."""
    if len(digits) < 19 and digits.lstrip("-").isdecimal():
        return int(digits)
    try:
        return Decimal(digits)
    except InvalidOperation:  # an exponent beyond all bounds
        return Decimal("NaN")


def _no_constant(name: str) -> NoReturn:
    raise ScenarioError(f"{name} is not JSON")


_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_STRINGS = json.JSONDecoder()
_WORDS = {"true": True, "false": False, "null": None}


class _Deep:
    """Decodes JSON nested deeper than the interpreter's stack, with a stack of its own."""

    def __init__(self, written: str) -> None:
        self.written = written
        self.at = 0
        self.open: list[tuple[list[str] | None, list[Any]]] = []  # names, None in arrays; values

    def decode(self) -> Any:
        """Decode the whole text. Raises `ValueError` where it is not JSON."""
        while True:
            value, complete = self._value()
            while complete:
                if not self.open:
                    self._peek("")
                    return value
                value, complete = self._attach(value)

    def _value(self) -> tuple[Any, bool]:
        """Read a value, or the opening of one: then it is not complete."""
        start = self._peek()
        if start in ("[", "{"):
            self.at += 1
            self.open.append((None if start == "[" else [], []))
            if self._peek() == ("]" if start == "[" else "}"):
                return self._close(), True
            self._name()
            return None, False
        if start == '"':
            return self._string(), True
        for word, value in _WORDS.items():
            if self.written.startswith(word, self.at):
                self.at += len(word)
                return value, True
        number = _NUMBER.match(self.written, self.at)
        if number is None:
            raise ValueError(f"no value at character {self.at}")
        self.at = number.end()
        return _number(number[0]), True

    def _attach(self, value: Any) -> tuple[Any, bool]:
        """Put a complete value into the open container; give the container where that closes it."""
        names, values = self.open[-1]
        values.append(value)
        if self._peek(",]" if names is None else ",}") == ",":
            self.at += 1
            self._name()
            return None, False
        return self._close(), True

    def _close(self) -> Any:
        self.at += 1
        names, values = self.open.pop()
        return values if names is None else _object(list(zip(names, values, strict=True)))

    def _name(self) -> None:
        names, _ = self.open[-1]
        if names is not None:
            self._peek('"')
            names.append(self._string())
            self._peek(":")
            self.at += 1

    def _string(self) -> str:
        value, self.at = _STRINGS.raw_decode(self.written, self.at)
        return str(value)

    def _peek(self, expected: str | None = None) -> str:
        """Skip white space and give the next character; "" is the end of the text."""
        space = _SPACE.match(self.written, self.at)
        self.at = space.end() if space else self.at
        found = self.written[self.at : self.at + 1]
        if expected is not None and (found not in expected or (expected and not found)):
            raise ValueError(f"{expected or 'the end'!r} expected at character {self.at}")
        return found
