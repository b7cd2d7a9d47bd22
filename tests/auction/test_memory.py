"""Snapshots: a restart from one is a restart from all rows; one that does not fit is left alone."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auction import store
from auction.replay.book import Book
from auction.service import loading
from auction.service.loading import Remembering, load
from auction.writer import lot, memory
from auction.writer.memory import Memory, Remembered
from tests.auction.stage import LISTING_RULES, QUOTA_RULES, Desk, Stage
from trading.ground.slots import SLOT_MS

ONE_SHOT = {
    **LISTING_RULES,
    "price_cap": "150",
    "on_cap": {"kind": "one_shot", "wait_s": 0, "ask_s": 5, "quote_s": 5},
}


def remembering(home: Path, every: int = 1) -> Any:
    """A stage whose service keeps snapshots, after so many rows."""
    lot.REMEMBER_EVERY = every
    stage = Stage(home)
    stage.service._memory = Memory(home / "auctions")
    stage.service._remembering = Remembering(stage.service._memory)
    return stage


def full(stage: Stage) -> tuple[dict[str, loading.Folded], store.Loaded]:
    """What a fold of every row, each judged again, comes to."""
    return load(stage.journal, stage.service._private, Memory(None))


def quick(stage: Stage) -> tuple[dict[str, loading.Folded], store.Loaded]:
    """What the snapshots and the rows behind them come to."""
    return load(stage.journal, stage.service._private, stage.service._memory)


def assert_alike(stage: Stage) -> int:
    """Hold one against the other; give the rows that the quick way has not folded."""
    (mine, _), (theirs, _) = quick(stage), full(stage)
    assert mine.keys() == theirs.keys()
    saved = 0
    for name, one in mine.items():
        other = theirs[name]
        assert one.book == other.book
        assert one.newest == other.newest
        assert one.heard._durable == other.heard._durable
        last = stage.journal.last_at // SLOT_MS
        for slot in range(last - 3, last + 3):
            assert one.heads.as_of(slot) == other.heads.as_of(slot)
        saved += other.fresh - one.fresh
    return saved


@pytest.fixture(autouse=True)
def _restored():
    before = lot.REMEMBER_EVERY
    yield
    lot.REMEMBER_EVERY = before


Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["bid", "low", "join", "quote", "again", "garbage", "wait", "suspend"]),
        st.integers(0, 2),
        st.integers(1, 4),
    ),
    max_size=12,
)


async def walk(stage: Stage, rules: dict[str, Any], steps: list[Step]) -> None:
    """An auction in which anything may happen."""
    quota = "quota" in rules
    name, desks = await (stage.quota(rules) if quota else stage.listed(rules))
    now, said = 10_000, ""
    for what, who, how in steps:
        desk = desks[who]
        leading = stage.service.writer(name).book.live
        best = leading.leader.amount if leading.leader else 100
        if what == "wait":
            now += how * 2_000
            await stage.at(now)
        elif what == "suspend":
            kind = "target.suspended" if leading.suspended_at == 0 else "target.resumed"
            await stage.business(kind, {"target": name, "reason": "test"})
        elif what == "again" and said:
            desk.say(said)
        elif what == "garbage":
            desk.say("{" * how)
        else:
            do = {"bid": "bid", "low": "bid"}.get(what, what)
            amount = str(best + 10 * how) if what in ("bid", "quote") else "1"
            said = desk.bidder.offer(name, desk.paddle, amount, do)
            desk.say(said)
        await stage.quiet()


@pytest.mark.parametrize(
    "rules", [LISTING_RULES, QUOTA_RULES, ONE_SHOT], ids=["listing", "quota", "cap"]
)
@given(steps=STEPS, every=st.integers(1, 5))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_snapshot_and_the_rows_behind_it_are_all_rows(
    tmp_path_factory: pytest.TempPathFactory, rules: dict[str, Any], steps: list[Step], every: int
) -> None:
    async def act() -> None:
        stage = await remembering(tmp_path_factory.mktemp("home"), every).start()
        await walk(stage, rules, steps)
        await asyncio.gather(*stage.service._remembering._tasks.values())
        assert assert_alike(stage) > 0
        await stage.stop()

    asyncio.run(act())


async def history(home: Path) -> Stage:
    """A listed lot with five offers and a snapshot of all of it."""
    stage = await remembering(home).start()
    _, desks = await stage.listed(LISTING_RULES)
    for number, desk in enumerate((*desks, *desks[:2])):
        # One that is due while another is being kept is left out, however long the disk takes.
        await asyncio.gather(*stage.service._remembering._tasks.values())
        await desk.bid(str(100 + 10 * number))
    await asyncio.gather(*stage.service._remembering._tasks.values())
    return stage


def test_a_fitting_snapshot_spares_all_rows_before_it(tmp_path: Path) -> None:
    async def act() -> None:
        stage = await history(tmp_path)
        assert assert_alike(stage) == stage.service.writer("lot_0").book.seq
        await stage.stop()

    asyncio.run(act())


def test_after_a_restart_from_a_snapshot_an_offer_gets_its_first_answer(tmp_path: Path) -> None:
    async def act() -> None:
        stage = await history(tmp_path)
        seat = stage.service.seat_of("lot_0", stage.bidders[0].organisation)
        assert seat is not None
        a: Any = next(one for one in stage.service.desks if one.paddle == seat.paddle)
        text = stage.bidders[0].offer("lot_0", a.paddle, "200")
        first: list[Any] = []
        a._send = lambda message: first.append(msgspec.json.decode(message))
        a.receive(text, stage.clock.now())
        await stage.quiet()
        await stage.stop()
        again = remembering(tmp_path)
        again.clock.not_before(stage.clock.now())
        await again.start()
        assert quick(again)[0]["lot_0"].fresh < 4  # the outage's rows
        desk = Desk(again, "lot_0", again.bidders[0])
        answer = await desk.answer(text)
        assert (answer["ok"], answer["seq"], answer["arrival"]) == (
            first[0]["ok"], first[0]["seq"], first[0]["arrival"],
        )  # fmt: skip
        await again.stop()

    asyncio.run(act())


def torn(data: bytes) -> bytes:
    return data[:-100]


def flipped(data: bytes) -> bytes:
    return data[:90] + bytes([data[90] ^ 1]) + data[91:]


def emptied(_: bytes) -> bytes:
    return b""


def shifted(data: bytes) -> bytes:
    return b"x" + data


@pytest.mark.parametrize("spoil", [torn, flipped, emptied, shifted])
def test_a_spoilt_snapshot_is_left_alone(tmp_path: Path, spoil: Any) -> None:
    async def act() -> None:
        stage = await history(tmp_path)
        (path,) = (tmp_path / "auctions").iterdir()
        path.write_bytes(spoil(path.read_bytes()))
        assert assert_alike(stage) == 0
        await stage.stop()

    asyncio.run(act())


WRONG = {
    "of another chain": {"chain": bytes(32)},
    "ahead of the journal": {"seq": 1_000},
    "of the row before": {"seq": 3},
    "of no row": {"seq": 0},
    "of another lot": {"lot": "lot_9"},
    "with rules that are none": {"rules": {}},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_a_well_sealed_snapshot_that_does_not_fit_is_left_alone(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    async def act() -> None:
        stage = await history(tmp_path)
        keep(stage, replace(quick(stage)[0]["lot_0"].book, **changes))
        assert assert_alike(stage) == 0
        await stage.stop()

    asyncio.run(act())


def test_a_snapshot_of_another_form_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act() -> None:
        stage = await history(tmp_path)
        monkeypatch.setattr(memory, "FORM", memory.FORM + 1)
        assert assert_alike(stage) == 0
        await stage.stop()

    asyncio.run(act())


def test_with_its_closing_key_a_snapshot_is_erased(tmp_path: Path) -> None:
    async def act() -> None:
        stage = await history(tmp_path)
        assert stage.service._memory.recall("lot_0", bytes(32), lambda _: None) is None  # type: ignore[arg-type, return-value]
        await stage.stop()

    asyncio.run(act())


def test_control_what_fits_is_believed(tmp_path: Path) -> None:
    """The comparison above would see a snapshot that says something else."""

    async def act() -> None:
        stage = await history(tmp_path)
        keep(stage, replace(quick(stage)[0]["lot_0"].book, extensions=77))
        with pytest.raises(AssertionError):
            assert_alike(stage)
        await stage.stop()

    asyncio.run(act())


def keep(stage: Stage, book: Book) -> None:
    """Put a book in place of the snapshot of the lot."""
    one = quick(stage)[0]["lot_0"]
    stage.service._memory.keep("lot_0", one.key, Remembered(book, one.heads, one.heard).to_bytes())
