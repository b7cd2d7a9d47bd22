"""Pages: Jinja2 templates, one catalogue of words, static files with their hash in the address.

The templates and static files lie in `clients/web`; `main` passes that folder down, so that no floor below imports a
client. No inline script, no foreign origin: the content security policy of `http.py` holds for every page.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from trading.ground.clock import beijing
from trading.ground.problems import NotFound, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from trading.ground.clock import Clock
    from trading.ground.settings import Settings

LANGUAGES: Final = ("zh-CN", "en")
MEDIA: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".toml": "text/plain; charset=utf-8",
}


class Pages:
    """Renders pages and serves what they load.

    Args:
        folder: holds `templates/`, `static/`, `i18n/catalogue.json` (`{key: [zh, en]}`) and
            `i18n/access.json` (`{zh: en}`: what the access table prints).
        settings: names the centre and its rule set.
        clock: first value of the server clock shown on a page.
    """

    def __init__(self, folder: Path, settings: Settings, clock: Clock) -> None:
        self._static = (folder / "static").resolve()
        self._settings = settings
        self._clock = clock
        catalogue: dict[str, list[str]] = json.loads(
            (folder / "i18n" / "catalogue.json").read_text(encoding="utf-8")
        )
        self._words = {
            language: {key: pair[index] for key, pair in catalogue.items()}
            for index, language in enumerate(LANGUAGES)
        }
        self._english: dict[str, str] = json.loads(
            (folder / "i18n" / "access.json").read_text(encoding="utf-8")
        )
        self._files = {
            path.relative_to(self._static).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self._static.rglob("*"))
            if path.is_file()
        }
        self._tellers: dict[str, Callable[[str], Any]] = {}
        self._templates = Environment(
            loader=FileSystemLoader(folder / "templates"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def tell(self, topic: str, teller: Callable[[str], Any]) -> None:
        """Let a room above tell pages below what only it knows: `teller(id)`, None for a stranger's id.

        So the portal, on a low floor, can show how far an opening is without importing it.
        """
        self._tellers[topic] = teller

    def ask(self, topic: str, about: str) -> Any:
        """Ask the room that tells of a topic; None where nobody does or it knows nothing."""
        teller = self._tellers.get(topic)
        return teller(about) if teller is not None else None

    def language(self, request: Request) -> str:
        """Chinese unless `?lang=en` or the browser asks for English first."""
        asked = request.query_params.get("lang") or request.headers.get("accept-language", "")
        return "en" if asked.strip().lower().startswith("en") else "zh-CN"

    def word(self, language: str, key: str, **facts: object) -> str:
        """One entry of the catalogue, its `{names}` filled in."""
        return self._words[language][key].format(**facts)

    def english(self, chinese: str) -> str:
        """The English of a text that the access table has in Chinese; empty where there is none."""
        return self._english.get(chinese, "")

    def problem(self, request: Request, problem: Problem) -> HTMLResponse:
        """Render a refusal as a page for people, with its own status; programs ask under `/api`."""
        page = self.render(request, "problem.html", problem=problem)
        page.status_code = problem.status
        return page

    def render(self, request: Request, template: str, **facts: Any) -> HTMLResponse:
        """Render a template; what a page must know and does not get is an error, never a blank."""
        language = self.language(request)
        asked = request.query_params.get("lang") is not None
        other = "en" if language == "zh-CN" else "zh-CN"

        def translate(key: str, **names: object) -> str:
            return self.word(language, key, **names)

        text = self._templates.get_template(template).render(
            lang=language,
            t=translate,
            static=self.address,
            link=lambda path: f"{path}?lang={language}" if asked else path,
            other=f"{request.url.path}?lang={other}",
            centre=self._settings.centre,
            centre_name=self._settings.centre_name,
            ruleset=self._settings.ruleset,
            server_clock=beijing(self._clock.now())[11:19],
            server_date=beijing(self._clock.now())[:10],
            **({"here": ""} | facts),
        )
        return HTMLResponse(text, headers={"cache-control": "no-cache"})

    def address(self, name: str) -> str:
        """The address of a static file; its hash is published at `/static.json`."""
        return f"/static/{name}" if name in self._files else "/static/missing"

    def router(self) -> APIRouter:
        """Routes of static files, words and the list of their hashes."""
        router = APIRouter(include_in_schema=False)

        @router.get("/static.json")
        def hashes() -> JSONResponse:
            """SHA-256 of every static file: what a browser runs can be compared with it."""
            return JSONResponse(self._files)

        @router.get("/static/{name:path}")
        def static(name: str) -> FileResponse:
            if name not in self._files:
                raise NotFound("no-such-file", "没有这个文件", "There is no such static file.")
            return FileResponse(
                self._static / name,
                media_type=MEDIA.get(Path(name).suffix, "application/octet-stream"),
                headers={"cache-control": "no-cache", "etag": f'"{self._files[name]}"'},
            )

        @router.get("/i18n/{language}.json")
        def words(language: str) -> JSONResponse:
            if language not in self._words:
                raise NotFound("no-such-language", "没有这种语言", "Languages: zh-CN, en.")
            return JSONResponse(self._words[language], headers={"cache-control": "no-cache"})

        return router
