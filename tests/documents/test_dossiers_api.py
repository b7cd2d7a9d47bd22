"""Dossiers over HTTP: the public one is everybody's, the full one the tenderer's, the supervisor's and the auditor's."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from documents import api, dossiers
from documents.dossiers import zip_answer
from documents.shelf import Shelf
from tests.trading.world import ORIGIN, Someone, World
from trading.access import guard
from trading.ground.http import Edge, install_handlers
from trading.model import Role, code_for_tests

BIG = bytes(range(256)) * 12_000  # three pieces


class Library(World):
    """A centre with one tender and one session, both filed."""

    def open(self) -> None:
        super().open()
        self.shelf = Shelf(self.settings.home / "dossiers")
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        app.include_router(api.router(cast("Any", None), self.shelf))
        app.include_router(dossiers.router(self.shelf, lambda: self.service.state))
        install_handlers(app, self.clock)
        gate = guard(app, (*api.ACCESS, *dossiers.ACCESS), self.service.sessions, self.clock)
        transport = httpx.ASGITransport(Edge(gate, self.clock), raise_app_exceptions=False)
        self.reading = httpx.AsyncClient(transport=transport, base_url=ORIGIN)

    def close(self) -> None:
        self.runner.run(self.reading.aclose())
        super().close()

    def put(self, subject: str) -> None:
        for rendition in ("public", "full"):
            folder = self.settings.home / "dossiers" / f"{subject}-{rendition}.bag" / "data"
            folder.mkdir(parents=True)
            (folder.parent / "bagit.txt").write_text(rendition)
            (folder / "big").write_bytes(BIG)

    def read(self, path: str, who: Someone | None = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {who.token}"} if who else {}
        return self.runner.run(self.reading.get(f"/api/v1/dossiers{path}", headers=headers))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("library")) as made:
        made.first_people()
        section = made.carry("tender.create", made.tender_form())["sections"][0]
        made.put(section)
        made.put("ses_1")
        made.section = section  # type: ignore[attr-defined]
        yield made


def section_of(library: Library) -> str:
    return cast("Any", library).section


def content(answer: httpx.Response) -> dict[str, bytes]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def test_everybody_sees_which_dossiers_there_are(library: Library) -> None:
    answer = library.read("")
    assert answer.json() == {"v": 1, "dossiers": sorted([section_of(library), "ses_1"])}


def test_everybody_has_the_public_rendition(library: Library) -> None:
    assert content(library.read("/ses_1.zip")) == {
        "ses_1-public.bag/bagit.txt": b"public",
        "ses_1-public.bag/data/big": BIG,
    }


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.AUDITOR, Role.TENDERER])
def test_tenderer_supervisor_and_auditor_have_the_full_rendition(
    library: Library, role: Role
) -> None:
    section = section_of(library)
    found = content(library.read(f"/{section}/full.zip", library.one(role)))
    assert found[f"{section}-full.bag/bagit.txt"] == b"full"


def test_another_tenderer_does_not(library: Library) -> None:
    other = library.hire(Role.TENDERER, code_for_tests(77), "另一招标人")
    section = section_of(library)
    assert code(library.read(f"/{section}/full.zip", other)) == (403, "dossier-foreign")
    mine = library.one(Role.TENDERER)  # a session has no tenderer: it is nobody's own
    assert code(library.read("/ses_1/full.zip", mine)) == (403, "dossier-foreign")


@pytest.mark.parametrize("role", [Role.BIDDER, Role.OPERATOR, Role.REVIEWER, Role.AGENT])
def test_nobody_else_has_the_full_rendition(library: Library, role: Role) -> None:
    answer = library.read(f"/{section_of(library)}/full.zip", library.one(role))
    assert code(answer) == (403, "role-not-allowed")


def test_without_a_login_there_is_no_full_rendition(library: Library) -> None:
    assert code(library.read(f"/{section_of(library)}/full.zip")) == (401, "login-needed")


@pytest.mark.parametrize("subject", ["sec_2", "ses_1-full", "..", "ses_1-public.bag"])
def test_what_is_not_there_is_not_found(library: Library, subject: str) -> None:
    supervisor = library.one(Role.SUPERVISOR)
    assert library.read(f"/{subject}.zip").status_code == 404
    assert library.read(f"/{subject}/full.zip", supervisor).status_code == 404


def test_a_zip_is_made_while_it_is_sent(tmp_path: Path) -> None:
    folder = tmp_path / "x-public.bag"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / name).write_bytes(bytes(3 << 20))
    pieces = Shelf(tmp_path).public_zip("x")
    sizes = [len(next(pieces)) for _ in range(4)]
    (folder / "c").write_bytes(b"changed meanwhile")  # not read yet
    assert max(sizes) < 2 << 20
    rest = b"".join(pieces)
    assert b"changed meanwhile" in rest


async def _gone(content: Iterator[bytes]) -> None:
    body = zip_answer(content, "x.zip").body_iterator
    async for _ in body:
        break
    await cast("Any", body).aclose()


def test_files_are_closed_when_the_reader_goes_away(library: Library) -> None:
    pieces = library.shelf.public_zip("ses_1")
    library.runner.run(_gone(pieces))
    assert next(pieces, None) is None
