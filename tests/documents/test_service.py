import asyncio
import dataclasses
import io
import zipfile
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from fastapi import FastAPI

from documents import api
from documents.model import DocumentError
from documents.service import DocumentService
from documents.shelf import Shelf
from documents.signer import signer
from documents.timestamp import DevelopmentTsa
from documents.trust import Trust
from documents.verify import verify_record
from tests.documents import auction_samples, pki, samples
from tests.documents.conftest import NOW, SIGNED_AT
from trading.access import Access
from trading.ground.clock import FrozenClock
from trading.ground.ground import open_ground
from trading.ground.problems import NotFound
from trading.ground.settings import Settings


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path, centre=samples.CENTRE)


def on(settings, world, story):
    """Run a story on a home, opened and closed around it."""

    async def run():
        ground = await open_ground(settings, FrozenClock(SIGNED_AT))
        try:
            with ThreadPoolExecutor(1) as workers:
                service = DocumentService(
                    ground.journal, ground.ledger, ground.database, ground.blobs,
                    world.tsa(SIGNED_AT).stamp, world.centre, workers,
                )  # fmt: skip
                return await story(ground, service)
        finally:
            await ground.close()

    return asyncio.run(run())


def test_an_issued_record_is_signed_kept_and_in_the_ledger(settings, world):
    async def story(ground, service):
        supervisor = dataclasses.replace(world.supervisor, slot="supervisor")
        one = await service.issue(
            samples.opening(), at=SIGNED_AT, subject="sec_1", signers=[supervisor]
        )
        pdf = await service.pdf(one.record)
        proof = service.proof(one.record)
        assert proof.leaf["sha256"] == one.blob.sha256
        assert (one.kind, one.signatures, one.number) == ("opening", 2, "KB-2026-0117-KB")
        log = pki.certificate(
            ground.ledger.origin, log_key(ground), world.root.subject, world.root_key
        )
        return verify_record("r.pdf", pdf, Trust((world.root, log)), NOW, proof.to_bytes())

    report = on(settings, world, story)
    assert report.verdict == "valid", report


def log_key(ground):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from crypto.tlog.note import VerifierKey

    return Ed25519PublicKey.from_public_bytes(VerifierKey.parse(ground.ledger.vkey).public)


def test_a_restarted_centre_knows_what_it_issued(settings, world):
    async def issue(_ground, service):
        return [
            await service.issue(facts, at=SIGNED_AT, subject=subject)
            for facts, subject in (
                (samples.notice(), "sec_1"),
                (auction_samples.confirmation(), "lot_1"),
            )
        ]

    async def look(ground, service):
        with ground.database.session() as session:
            from sqlmodel import delete

            from trading.ground.tables import RecordRow

            session.exec(delete(RecordRow))
        return service.all(), service.all("lot_1"), await service.pdf(service.all()[0].record)

    async def again(_ground, service):
        return service.all()

    made = on(settings, world, issue)
    known, about_lot, pdf = on(settings, world, look)
    assert known == made
    assert about_lot == made[1:]
    assert pdf.startswith(b"%PDF-")
    assert on(settings, world, again) == made  # the emptied table was rebuilt from the journal


def test_a_record_that_cannot_be_drawn_is_not_issued(settings, world):
    async def story(ground, service):
        size = ground.ledger.size
        facts = (
            auction_samples.confirmation()
        )  # what the centre itself writes is not printed as a code point
        heading = dataclasses.replace(facts.heading, ruleset="\ue000规则")
        facts = dataclasses.replace(facts, heading=heading)
        with pytest.raises(DocumentError, match=r"U\+E000"):
            await service.issue(facts, at=SIGNED_AT, subject="lot_1")
        assert (ground.ledger.size, service.all()) == (size, [])

    on(settings, world, story)


def test_the_loop_keeps_turning_while_a_record_is_drawn(settings, world):
    async def story(_ground, service):
        turns = 0
        task = asyncio.create_task(
            service.issue(auction_samples.transcript(), at=SIGNED_AT, subject="lot_1")
        )
        while not task.done():
            await asyncio.sleep(0)
            turns += 1
        await task
        return turns

    assert on(settings, world, story) > 20


def test_records_are_listed_and_handed_out_over_http(settings, world):
    async def story(_ground, service):
        app = FastAPI(openapi_url=None)
        app.include_router(api.router(service, Shelf(settings.home / "dossiers")))
        Access(api.ACCESS).check(app)
        one = await service.issue(samples.notice(), at=SIGNED_AT, subject="sec_1")
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://centre") as client:
            listed = (await client.get("/api/v1/records", params={"subject": "sec_1"})).json()
            pdf = await client.get(f"/api/v1/records/{one.record}.pdf")
            proof = await client.get(f"/api/v1/records/{one.record}.proof.json")
            with pytest.raises(NotFound):
                await client.get("/api/v1/records/rec_none.pdf")
        assert [item["record"] for item in listed["records"]] == [one.record]
        assert "blob" not in listed["records"][0]
        assert pdf.headers["content-type"] == "application/pdf"
        assert pdf.headers["etag"] == f'"{one.blob.sha256}"'
        assert proof.json()["leaf"]["record"] == one.record

    on(settings, world, story)


def test_the_centres_own_authority_makes_what_a_record_needs(settings):
    """Sealing and time-stamp certificates as the embedded authority issues them, its root the only trust."""

    async def story(ground):
        seal, stamps = ground.ca.sealing(), ground.ca.timestamp()
        name = settings.centre_name
        facts = auction_samples.confirmation()
        facts = dataclasses.replace(
            facts, heading=dataclasses.replace(facts.heading, centre_name=name)
        )
        tsa = DevelopmentTsa(stamps.certificate, stamps.key, ground.clock.now)
        with ThreadPoolExecutor(1) as workers:
            service = DocumentService(
                ground.journal, ground.ledger, ground.database, ground.blobs,
                tsa.stamp, signer("centre", name, seal.certificate, seal.key), workers,
            )  # fmt: skip
            one = await service.issue(facts, at=ground.clock.now(), subject="lot_1")
        log = ground.ca.log_certificate(ground.ledger.origin)
        trust = Trust((ground.ca.root, log))
        proof = service.proof(one.record).to_bytes()
        return verify_record("r.pdf", await service.pdf(one.record), trust, NOW, proof)

    async def run():
        ground = await open_ground(settings, FrozenClock(SIGNED_AT))
        try:
            return await story(ground)
        finally:
            await ground.close()

    report = asyncio.run(run())
    assert report.verdict == "valid", report


def test_a_public_dossier_is_handed_out_as_zip_and_nothing_else_is(tmp_path):
    shelf = Shelf(tmp_path / "dossiers")
    assert shelf.subjects() == []
    for rendition in ("public", "full"):
        bag = tmp_path / "dossiers" / f"sec_1-{rendition}.bag"
        bag.mkdir(parents=True)
        (bag / "bagit.txt").write_text(rendition)
    assert shelf.subjects() == ["sec_1"]
    with zipfile.ZipFile(io.BytesIO(b"".join(shelf.public_zip("sec_1")))) as archive:
        assert archive.namelist() == ["sec_1-public.bag/bagit.txt"]
        assert archive.read("sec_1-public.bag/bagit.txt") == b"public"
    for name in ("sec_2", "../dossiers/sec_1", "sec_1-full", ""):
        with pytest.raises(NotFound):
            shelf.public_zip(name)


def test_dossiers_are_listed_over_http(settings, world):
    async def story(_ground, service):
        app = FastAPI(openapi_url=None)
        app.include_router(api.router(service, Shelf(settings.home / "dossiers")))
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://centre") as client:
            assert (await client.get("/api/v1/dossiers")).json() == {"v": 1, "dossiers": []}

    on(settings, world, story)
