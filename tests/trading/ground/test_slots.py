"""Slots: one leaf a second while anything is live, gapless, also over an outage."""

import asyncio
import json

import pytest

from trading.ground.clock import FrozenClock, SystemClock
from trading.ground.ground import open_ground
from trading.ground.problems import Conflict, StorageFailed
from trading.ground.settings import Settings
from trading.ground.slots import slot_end, slot_of

NINE = 1_795_482_000_000
S = slot_of(NINE)


class Section:
    """A section that is live in `[first, last]` and commits to the slot's own number."""

    def __init__(self, name="sec_a", first=S, last=S + 10**6):
        self.name, self.first, self.last = name, first, last
        self.asked = []
        self.busy = set()

    def commitments(self, slot):
        self.asked.append(slot)
        return {self.name: f"{slot:064x}"} if self.first <= slot <= self.last else {}

    def ready(self, slot):
        return slot not in self.busy


def on(home, story, clock=None):
    async def run():
        ground = await open_ground(Settings(home=home, centre="wuzhou"), clock or FrozenClock(NINE))
        try:
            return await story(ground)
        finally:
            await ground.close()

    return asyncio.run(run())


def leaves(ground):
    found = [json.loads(leaf) for leaf in ground.ledger.leaves(0, ground.ledger.size)]
    return [leaf for leaf in found if leaf["kind"] == "slot"]


def test_every_slot_that_is_over_has_one_leaf_with_all_that_is_live(tmp_path):
    async def story(ground):
        ground.slots.register(Section("sec_a"), "sections")
        ground.slots.register(Section("sec_b", S + 1, S + 1), "sections")
        ground.slots.register(Section("lot_a", S + 2), "lots")
        ground.clock.advance(999)
        await ground.slots.catch_up()
        assert leaves(ground) == []
        ground.clock.advance(1)
        await ground.slots.catch_up()
        assert len(leaves(ground)) == 1
        ground.clock.advance(2500)
        await ground.slots.catch_up()
        return leaves(ground)

    first, second, third = on(tmp_path, story)
    assert first == {
        "v": 1, "centre": "wuzhou", "kind": "slot", "slot": S,
        "sections": {"sec_a": f"{S:064x}"}, "lots": {},
    }  # fmt: skip
    assert set(second["sections"]) == {"sec_a", "sec_b"}
    assert third["lots"] == {"lot_a": f"{S + 2:064x}"}


def test_a_slot_waits_for_what_is_still_on_its_way(tmp_path):
    async def story(ground):
        section = Section()
        section.busy.add(S)
        ground.slots.register(section, "sections")
        ground.clock.advance(3000)
        task = asyncio.create_task(ground.slots.catch_up())
        await asyncio.sleep(0.02)
        assert leaves(ground) == []
        section.busy.clear()
        await task
        return [leaf["slot"] for leaf in leaves(ground)]

    assert on(tmp_path, story) == [S, S + 1, S + 2]


def test_who_waits_for_a_slot_gets_its_index_even_when_it_is_past(tmp_path):
    async def story(ground):
        ground.slots.register(Section(), "sections")
        waiting = asyncio.create_task(ground.slots.wait(S + 1))
        await asyncio.sleep(0)
        ground.clock.advance(2000)
        await ground.slots.catch_up()
        index = await waiting
        assert await ground.slots.wait(S + 1) == index
        assert ground.slots.index(S + 2) is None
        assert ground.slots.last == S + 1
        return json.loads(ground.ledger.leaf(index))["slot"]

    assert on(tmp_path, story) == S + 1


def test_in_an_idle_slot_there_is_nothing_to_wait_for(tmp_path):
    async def story(ground):
        ground.slots.register(Section(first=S + 5), "sections")
        waiting = asyncio.create_task(ground.slots.wait(S + 1))
        await asyncio.sleep(0)
        ground.clock.advance(7000)
        await ground.slots.catch_up()
        with pytest.raises(Conflict):
            await waiting
        with pytest.raises(Conflict):
            await ground.slots.wait(S + 2)
        return [leaf["slot"] for leaf in leaves(ground)]

    assert on(tmp_path, story) == [S + 5, S + 6]


def test_slots_missed_in_an_outage_are_written_late_in_order_with_the_same_content(tmp_path):
    async def before(ground):
        ground.slots.register(Section(), "sections")
        ground.clock.advance(3000)
        await ground.slots.catch_up()

    async def after(ground):
        section = Section()
        ground.slots.register(section, "sections")
        await ground.slots.catch_up()
        assert section.asked == list(range(S + 3, S + 600))
        return leaves(ground)

    on(tmp_path, before)
    found = on(tmp_path, after, FrozenClock(NINE + 600_000))
    assert [leaf["slot"] for leaf in found] == list(range(S, S + 600))
    assert all(leaf["sections"]["sec_a"] == f"{leaf['slot']:064x}" for leaf in found)


def test_a_home_killed_before_its_first_slot_owes_it(tmp_path):
    async def before(_ground):
        pass

    async def after(ground):
        ground.slots.register(Section(), "sections")
        await ground.slots.catch_up()
        return [leaf["slot"] for leaf in leaves(ground)]

    on(tmp_path, before)
    assert on(tmp_path, after, FrozenClock(NINE + 2000)) == [S, S + 1]


def test_idle_weeks_are_leapt_over_when_the_source_says_so(tmp_path):
    async def story(ground):
        section = Section(first=S + 10**6, last=S + 10**6)
        section.next_live = lambda slot: section.first if slot <= section.first else None
        ground.slots.register(section, "sections")
        ground.clock.advance((10**6 + 500) * 1000)
        await ground.slots.catch_up()
        assert len(section.asked) < 10
        return [leaf["slot"] for leaf in leaves(ground)]

    assert on(tmp_path, story) == [S + 10**6]


def test_each_leaf_stands_alone_in_its_append_and_is_provable_at_its_own_checkpoint(tmp_path):
    async def story(ground):
        ground.slots.register(Section(), "sections")
        ground.clock.advance(5000)
        await ground.slots.catch_up()
        indexes = [ground.slots.index(S + n) for n in range(5)]
        assert indexes == [1, 2, 3, 4, 5]
        for index in indexes:
            ground.ledger.inclusion(index, index + 1)
            ground.ledger.checkpoint(index + 1)

    on(tmp_path, story)


def test_when_the_journal_stops_who_waits_is_told_and_after_the_reload_no_slot_is_missing(tmp_path):
    async def story(ground):
        ground.slots.register(Section(), "sections")
        real = ground.journal._commit

        def lost_answer(items):
            real(items)
            raise OSError

        ground.journal._commit = lost_answer
        waiting = asyncio.create_task(ground.slots.wait(S + 1))
        await asyncio.sleep(0)
        ground.clock.advance(2000)
        ground.slots.start()
        with pytest.raises(StorageFailed):
            await waiting
        ground.journal._commit = real
        await ground.journal.reload()
        ground.clock.advance(2000)
        await ground.slots.catch_up()
        return [leaf["slot"] for leaf in leaves(ground)]

    assert on(tmp_path, story) == [S, S + 1, S + 2, S + 3]


def test_the_task_writes_slots_by_the_real_clock(tmp_path):
    async def story(ground):
        now = slot_of(ground.clock.now())
        ground.slots.register(Section(first=0), "sections")
        ground.slots.start()
        index = await asyncio.wait_for(ground.slots.wait(now), 5)
        assert ground.clock.now() >= slot_end(now)
        return json.loads(ground.ledger.leaf(index))["slot"] == now

    assert on(tmp_path, story, SystemClock())


def test_whoever_asks_while_a_leaf_is_on_its_way_to_the_disk_waits_for_it(tmp_path):
    """A receipt was once refused with “nothing was live” between the decision and the fsync."""

    async def story(ground):
        ground.slots.register(Section(), "sections")
        ground.clock.advance(1000)
        real = ground.journal.append_nowait
        asked, decided = [], asyncio.Event()

        def append_nowait(drafts):
            future = real(drafts)
            asked.append(asyncio.ensure_future(ground.slots.wait(S)))  # right behind the decision
            decided.set()
            return future

        ground.journal.append_nowait = append_nowait

        async def ask_in_between():
            await decided.wait()
            return await ground.slots.wait(S)

        between = asyncio.create_task(ask_in_between())
        await ground.slots.catch_up()
        return await between, await asked[0], ground.slots.index(S)

    assert len(set(on(tmp_path, story))) == 1


def test_a_slot_whose_leaf_is_under_way_is_waited_for_though_later_ones_are_idle(tmp_path):
    """After an outage over T the last slot of a section is written late, and the next one is idle."""

    async def story(ground):
        ground.slots.register(Section(last=S + 2), "sections")
        waiting = asyncio.create_task(ground.slots.wait(S + 2))
        await asyncio.sleep(0)
        ground.clock.advance(10_000)
        await ground.slots.catch_up()
        return await waiting == ground.slots.index(S + 2)

    assert on(tmp_path, story)
