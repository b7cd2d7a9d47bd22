"""The ground as a whole: opened in order, closed in order, and silent about what bidders do."""

import asyncio
import os
import sqlite3

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from trading.ground import health
from trading.ground.chain import Draft
from trading.ground.clock import ClockHealth, FrozenClock
from trading.ground.database import HomeInUse
from trading.ground.ground import open_ground
from trading.ground.http import Edge, install_handlers
from trading.ground.journal import DEAD_WRITER
from trading.ground.problems import StorageFailed

NINE = 1_795_482_000_000


def test_a_ground_opens_twice_in_turn_and_not_at_once(settings):
    async def story():
        ground = await open_ground(settings, FrozenClock(NINE))
        with pytest.raises(HomeInUse):
            await open_ground(settings, FrozenClock(NINE))
        ground.start()
        await ground.close()
        again = await open_ground(settings, FrozenClock(NINE))
        await again.close()
        return ground.ledger.log_id == again.ledger.log_id

    assert asyncio.run(story())


def test_after_a_restart_the_clock_is_not_before_the_last_row(lite_settings):
    async def story():
        ground = await open_ground(lite_settings, FrozenClock(NINE))
        await ground.journal.append(Draft("a", "k", {}, NINE + 5_000))
        await ground.close()
        clock = FrozenClock(NINE - 60_000)
        again = await open_ground(lite_settings, clock)
        await again.close()
        return clock.now()

    assert asyncio.run(story()) == NINE + 5_000


def test_a_home_that_does_not_open_is_left_free(lite_settings):
    other = lite_settings.model_copy(update={"centre": "elsewhere"})

    async def story():
        await (await open_ground(lite_settings, FrozenClock(NINE))).close()
        with pytest.raises(Exception, match="another centre"):
            await open_ground(other, FrozenClock(NINE))
        await (await open_ground(lite_settings, FrozenClock(NINE))).close()

    asyncio.run(story())


def test_health_is_the_same_bytes_for_three_and_for_thirty_bidders(tmp_path, lite_settings):
    def answers(home, bidders):
        async def story():
            ground = await open_ground(
                lite_settings.model_copy(update={"home": home}), FrozenClock(NINE)
            )
            for number in range(bidders):
                await ground.journal.append(Draft(f"section:{number}", "submitted", {}, NINE))
                ground.blobs.put(b"x" * 1000)
            app = FastAPI()
            app.include_router(health.router(ground.clock, ground.journal))
            install_handlers(app, ground.clock)
            asgi = Edge(app, ground.clock)
            seen = []
            with TestClient(asgi) as client:
                for path in ("/healthz", "/readyz", "/metrics", "/api/v1/time"):
                    answer = client.get(path)
                    assert answer.status_code == 200
                    seen.append((answer.content, sorted(answer.headers.items())))
            await ground.close()
            return seen

        return asyncio.run(story())

    assert answers(tmp_path / "three", 3) == answers(tmp_path / "thirty", 30)


@pytest.mark.parametrize(
    ("offset", "demanded", "clock", "beginnings"),
    [(None, False, "unknown", "go"), (None, True, "unknown", "wait"), (100, True, "fit", "go"), (-101, False, "unfit", "wait")],
)  # fmt: skip
def test_a_centre_is_ready_by_any_clock_and_says_what_waits_for_it(
    lite_settings, offset, demanded, clock, beginnings
):
    class Told(FrozenClock):
        def health(self):
            return ClockHealth(offset, must_be_known=demanded)

    async def story():
        ground = await open_ground(lite_settings, Told(NINE))
        app = FastAPI()
        app.include_router(health.router(ground.clock, ground.journal))
        with TestClient(app) as client:
            answers = [client.get(path) for path in ("/readyz", "/api/v1/time", "/metrics")]
        await ground.close()
        return answers

    ready, time, metrics = asyncio.run(story())
    assert ready.status_code == 200
    assert ready.json() == {
        "status": "ready", "clock": clock, "clock_offset_ms": offset, "beginnings": beginnings,
    }  # fmt: skip
    assert time.json()["clock"] == clock
    assert f"kaibiao_clock_known {float(offset is not None)}" in metrics.text
    assert f"kaibiao_clock_fit {float(beginnings == 'go')}" in metrics.text


def test_when_the_journal_stops_the_centre_is_alive_and_not_ready(lite_settings):
    async def story():
        ground = await open_ground(lite_settings, FrozenClock(NINE))
        app = FastAPI()
        app.include_router(health.router(ground.clock, ground.journal))
        install_handlers(app, ground.clock)
        asgi = Edge(app, ground.clock)
        with TestClient(asgi) as client:
            before = client.get("/readyz").status_code
            ground.journal.close()
            after = client.get("/readyz")
            alive = client.get("/healthz").status_code
            metrics = client.get("/metrics").text
        await ground.close()
        return (
            before,
            after.status_code,
            after.json()["type"],
            alive,
            "kaibiao_ready 0.0" in metrics,
        )

    assert asyncio.run(story()) == (200, 503, "urn:kaibiao:problem:storage-failed", 200, True)


def test_a_journal_that_stops_is_reloaded_and_services_hear_of_both(lite_settings):
    async def story():
        ground = await open_ground(lite_settings, FrozenClock(NINE))
        heard = []
        ground.start()
        ground.journal.on_stop(lambda: heard.append("stop"))
        resumed = asyncio.Event()
        ground.journal.on_resume(lambda: (heard.append("resume"), resumed.set()))
        real = ground.journal._commit

        def fail_once(_items):
            ground.journal._commit = real
            raise OSError

        ground.journal._commit = fail_once
        with pytest.raises(StorageFailed):
            await ground.journal.append(Draft("a", "k", {}, NINE))
        await asyncio.wait_for(resumed.wait(), 5)
        rows = await ground.journal.append(Draft("a", "k", {}, NINE))
        await ground.journal.reload()  # nothing to do
        await ground.close()
        with pytest.raises(StorageFailed):
            await ground.journal.reload()
        return heard, rows[0].seq

    assert asyncio.run(story()) == (["stop", "resume"], 1)


def test_a_history_found_broken_at_a_reload_ends_the_process(lite_settings):
    async def story():
        ground = await open_ground(lite_settings, FrozenClock(NINE))
        ground.start()
        with sqlite3.connect(lite_settings.home / "kaibiao.db") as connection:
            connection.execute("DROP TRIGGER journal_no_UPDATE")
            connection.execute("UPDATE journal SET at = 0 WHERE position = 1")

        def fail(_items):
            raise OSError

        ground.journal._commit = fail
        with pytest.raises(StorageFailed):
            await ground.journal.append(Draft("a", "k", {}, NINE))
        await asyncio.sleep(30)

    child = os.fork()
    if child == 0:
        try:
            asyncio.run(story())
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == DEAD_WRITER
