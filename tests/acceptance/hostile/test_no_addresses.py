"""Nobody can make the server call an address: no form takes one, and the server holds no client."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.acceptance.hostile.whole import Whole

ROOT = Path(__file__).parents[3]
WORDS = ("url", "uri", "callback", "webhook", "href", "logo", "endpoint", "ocsp")
# What imports a client is the clients' floor; of the centre's own floors the stamping authority's adapter would be one.
CENTRE = ("trading", "bidding", "auction", "documents", "crypto")
CLIENTS = ("httpx", "requests", "urllib.request", "http.client", "aiohttp", "websockets.client")


def members(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every named member of every form in an OpenAPI description."""
    for form in schema["components"]["schemas"].values():
        yield from form.get("properties", {}).items()


def addresses(schema: dict[str, Any]) -> list[str]:
    """Members that are, or are named like, an address."""
    return [
        name
        for name, form in members(schema)
        if form.get("format") in {"uri", "url"} or any(word in name.lower() for word in WORDS)
    ]


def test_no_form_takes_an_address(whole: Whole) -> None:
    schema = whole.get("/openapi.json")
    assert len(list(members(schema))) > 100
    assert not addresses(schema)
    planted = {"callback_url": {"type": "string"}}
    schema["components"]["schemas"]["Planted"] = {"properties": planted}
    assert addresses(schema) == ["callback_url"]  # control


def test_the_server_imports_no_http_client() -> None:
    named = [
        f"{file.relative_to(ROOT)}: {line.strip()}"
        for floor in CENTRE
        for file in (ROOT / floor).rglob("*.py")
        for line in file.read_text().splitlines()
        if line.strip().startswith(("import ", "from ")) and line.split()[1].startswith(CLIENTS)
    ]
    assert not named
