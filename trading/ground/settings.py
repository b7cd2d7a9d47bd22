"""Settings: read once, in `main`, from `KAIBIAO_…` variables and the command line; then frozen.

Passed down, never imported as a global. No secret stands in a setting: keys live in files of
the home that only its owner may read.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from trading.ground.problems import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

DEMO_RULESET: Final = "演示"  # printed on every record and refused by a live centre


class Settings(BaseSettings):
    """What one centre is and where it lives.

    Attributes:
        home: directory of database, blobs, keys; one process at a time owns it.
        host: address to listen on; loopback unless said otherwise.
        port: TCP port; 0 lets the system choose.
        database: SQLAlchemy URL; empty means SQLite in the home.
        centre: the centre's id, in everything that is signed or hashed.
        centre_name: the centre's name, for people.
        ruleset: name of the RuleSet 规则集 that new tenders get.
        live: a live centre refuses the 演示 rules, test codes and development authorities.
        origins: origins that browsers may speak from; empty means the server's own only.
        clock: `known`: no opening and no auction begins while nobody says how far off the machine's clock is; `any`:
            only a known error stops one. Empty means `known` for a live centre. `/readyz` tells what is known.
        offer_rate: messages a second that one seat of an auction may send for long; 0 takes the limit
            away, for benchmarks.
        log_level: as in `logging`.
    """

    model_config = SettingsConfigDict(env_prefix="KAIBIAO_", frozen=True, extra="forbid")

    home: Path = Path("kaibiao-home")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    database: str = ""
    centre: str = Field(default="demo-centre", pattern=r"^[a-z0-9][a-z0-9.-]{1,31}$")
    centre_name: str = Field(default="演示公共资源交易中心", min_length=1, max_length=500)
    ruleset: str = DEMO_RULESET
    live: bool = False
    origins: tuple[str, ...] = ()
    clock: Literal["", "known", "any"] = ""
    offer_rate: int = Field(default=5, ge=0, le=1000)
    log_level: str = Field(default="INFO", pattern=r"^(DEBUG|INFO|WARNING|ERROR|CRITICAL)$")

    @field_validator("database")
    @classmethod
    def _a_database_is_named_by_a_url(cls, url: str) -> str:
        if url and "://" not in url:
            msg = "a SQLAlchemy URL, as postgresql+psycopg://…"
            raise ValueError(msg)
        return url

    @model_validator(mode="after")
    def _a_live_centre_has_its_own_name_and_rules(self) -> Self:
        if self.live and self.ruleset == DEMO_RULESET:
            msg = "a live centre needs a RuleSet of its own: set KAIBIAO_RULESET"
            raise ValueError(msg)
        if self.live and self.centre == "demo-centre":
            msg = "a live centre needs its own id: set KAIBIAO_CENTRE"
            raise ValueError(msg)
        return self

    @property
    def clock_must_be_known(self) -> bool:
        """Whether a beginning waits while nothing is known of the clock."""
        return self.clock == "known" or (self.live and not self.clock)

    @property
    def database_url(self) -> str:
        """The URL to open: PostgreSQL as given, else SQLite in the home."""
        return self.database or f"sqlite:///{self.home / 'kaibiao.db'}"


def read_settings(given: Mapping[str, Any]) -> Settings:
    """Read the settings; what is given on the command line goes before the environment.

    Args:
        given: by name; None stands for what was not given.

    Raises:
        Unavailable: `settings-unfit`, naming the variable and never its value, which may hold a password.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False, include_context=False)[0]
        name = "_".join(str(part) for part in wrong["loc"]).upper()
        said = wrong["msg"].removeprefix("Value error, ")
        told = f"KAIBIAO_{name}: {said}." if name else f"{said}."
        raise Unavailable("settings-unfit", "设置不符", told) from error
