"""Settings are read once, frozen, and refuse a demonstration in a live centre."""

import pytest
from pydantic import ValidationError

from trading.ground.settings import Settings


def test_variables_of_the_environment_are_read(monkeypatch, tmp_path):
    monkeypatch.setenv("KAIBIAO_HOME", str(tmp_path))
    monkeypatch.setenv("KAIBIAO_CENTRE", "wuzhou")
    settings = Settings()
    assert settings.centre == "wuzhou"
    assert settings.database_url == f"sqlite:///{tmp_path}/kaibiao.db"


def test_settings_are_frozen():
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize("given", [{"centre": "wuzhou"}, {"ruleset": "西岭市"}])
def test_a_live_centre_refuses_the_demonstration(given):
    with pytest.raises(ValidationError, match="live centre"):
        Settings(live=True, **given)


@pytest.mark.parametrize(
    ("given", "demanded"), [({}, True), ({"clock": "known"}, True), ({"clock": "any"}, False)]
)
def test_a_live_centre_begins_by_a_known_clock_unless_it_says_otherwise(given, demanded):
    live = Settings(live=True, centre="wuzhou", ruleset="西岭市", **given)
    assert live.clock_must_be_known is demanded
    assert Settings(**given).clock_must_be_known is (given.get("clock") == "known")


@pytest.mark.parametrize("centre", ["", "-a", "A", "a b", "中心", "a" * 33, "a\n"])
def test_a_centre_id_is_a_plain_word(centre):
    with pytest.raises(ValidationError):
        Settings(centre=centre)
