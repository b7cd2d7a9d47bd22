"""The RuleSets of the checkout, read as the service reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

import trading
from trading.model import Regime, RuleSet
from trading.rules.loading import read_calendar, read_rulesets

FOLDER = Path(trading.__file__).parent / "rulesets"


@pytest.fixture(scope="session")
def rulesets() -> list[RuleSet]:
    calendar = read_calendar(p.read_text() for p in sorted(FOLDER.glob("calendar-*.json")))
    files = [p for p in sorted(FOLDER.glob("*.json")) if not p.name.startswith("calendar-")]
    return [r for p in files for r in read_rulesets(p.read_text(), calendar)]


@pytest.fixture(scope="session")
def works(rulesets: list[RuleSet]) -> RuleSet:
    return next(r for r in rulesets if r.live and r.regime is Regime.WORKS)


@pytest.fixture(scope="session")
def procurement(rulesets: list[RuleSet]) -> RuleSet:
    return next(r for r in rulesets if r.live and r.regime is Regime.PROCUREMENT)


@pytest.fixture(scope="session")
def land(rulesets: list[RuleSet]) -> RuleSet:
    return next(r for r in rulesets if r.live and r.regime is Regime.LAND)
