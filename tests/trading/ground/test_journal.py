"""The journal: atomic, durable, in order, chained; and it stops at the first storage error."""

import asyncio
import hashlib
import os

import pytest
from sqlalchemy import text

from crypto.canonical import canonical
from trading.ground.chain import LABEL, ZERO, verify_row
from trading.ground.database import open_database
from trading.ground.journal import DEAD_WRITER, ChainBroken, Draft, Journal, Row
from trading.ground.problems import Invalid, StorageFailed

NINE = 1_795_482_000_000


def draft(stream="a", number=0, **more):
    return Draft(stream, "noted", {"n": number, **more}, NINE + number)


def test_an_append_gives_rows_with_their_places_and_chains(database):
    async def story():
        journal = Journal(database, "wuzhou")
        first = await journal.append(draft("a"), draft("b"), draft("a", 1))
        second = await journal.append(draft("b", 2))
        journal.close()
        return first + second

    rows = asyncio.run(story())
    assert [(r.position, r.stream, r.seq) for r in rows] == [
        (1, "a", 1), (2, "b", 1), (3, "a", 2), (4, "b", 2),
    ]  # fmt: skip
    # the formula of the specification, written out once more
    previous = {"a": ZERO, "b": ZERO}
    for row in rows:
        signed = {
            "v": 1, "centre": "wuzhou", "stream": row.stream, "seq": row.seq,
            "at": row.at, "kind": row.kind, "body": row.body,
        }  # fmt: skip
        want = hashlib.sha256(LABEL + previous[row.stream] + canonical(signed)).digest()
        assert row.chain == want
        assert verify_row(row, previous[row.stream], "wuzhou")
        assert not verify_row(row, previous[row.stream], "elsewhere")
        previous[row.stream] = row.chain


def test_a_journal_is_busy_until_whoever_waited_has_gone_on(database):
    async def story():
        journal, seen = Journal(database, "wuzhou"), []
        done = journal.append_nowait([draft()])
        done.add_done_callback(lambda _: seen.append(journal.busy))
        seen += [journal.busy, await done and journal.busy]
        await asyncio.sleep(0)
        seen.append(journal.busy)
        journal.close()
        return seen

    assert asyncio.run(story()) == [True, True, True, False]


def test_a_reopened_journal_goes_on_where_it_stopped(database):
    async def story():
        journal = Journal(database, "wuzhou")
        before = await journal.append(draft(), draft(number=1, 文="价格", e="\x1f\u2028😀"))
        journal.close()
        again = Journal(database, "wuzhou")
        assert again.position == 2
        assert again.head("a") == (2, before[-1].chain)
        assert list(again.rows()) == before
        assert list(again.rows("a", after_position=1)) == before[1:]
        assert list(again.texts("a")) == [canonical(row.body) for row in before]
        after = await again.append(draft(number=2))
        again.close()
        return after

    assert asyncio.run(story())[0].seq == 3


def test_rows_are_read_of_one_stream_after_a_place_or_of_one_kind(database):
    async def story():
        journal = Journal(database, "wuzhou")
        kinds = ("noted", "ended", "noted")
        await journal.append(*(Draft("a", kind, {}, NINE) for kind in kinds), draft("b"))
        journal.close()
        return journal

    journal = asyncio.run(story())
    assert [row.position for row in journal.rows("a")] == [1, 2, 3]
    assert [row.position for row in journal.rows("a", after_seq=1)] == [2, 3]
    assert [row.position for row in journal.rows("a", kind="ended")] == [2]
    assert [row.position for row in journal.rows(kind="noted", after_position=1)] == [3, 4]


def test_concurrent_appends_share_commits_and_stay_whole(database):
    async def story():
        journal = Journal(database, "wuzhou")
        commits = 0
        real = journal._commit

        def counted(items):
            nonlocal commits
            commits += 1
            return real(items)

        journal._commit = counted
        parts = await asyncio.gather(
            *(journal.append(draft("a", n), draft("b", n), draft("a", n)) for n in range(200))
        )
        journal.close()
        return commits, parts

    commits, parts = asyncio.run(story())
    assert commits < 100
    for n, rows in enumerate(parts):  # contiguous, and in the order of the calls
        assert [row.position for row in rows] == [3 * n + 1, 3 * n + 2, 3 * n + 3]


def test_listeners_see_every_row_in_order_before_the_append_returns(database):
    async def story():
        journal = Journal(database, "wuzhou")
        seen: list[Row] = []
        journal.listen(seen.append)

        async def one(n):
            rows = await journal.append(draft("a", n), draft("b", n))
            assert seen[rows[-1].position - 1] == rows[-1]
            assert journal.position >= rows[-1].position

        await asyncio.gather(*(one(n) for n in range(50)))
        journal.close()
        return seen

    seen = asyncio.run(story())
    assert [row.position for row in seen] == list(range(1, 101))


def test_a_pipeline_may_queue_without_waiting(lite):
    async def story():
        journal = Journal(lite, "wuzhou")
        futures = [journal.append_nowait([draft(number=n)]) for n in range(10)]
        assert await journal.append_nowait([]) == []
        rows = [(await future)[0] for future in futures]
        journal.close()
        return rows

    assert [row.body["n"] for row in asyncio.run(story())] == list(range(10))


@pytest.mark.parametrize(
    "bad",
    [
        Draft("A b", "k", {}, 1), Draft("a", "", {}, 1), Draft("a", "k\n", {}, 1),
        Draft("a", "k", [], 1), Draft("a", "k", {"x": float("nan")}, 1), Draft("a", "k", {1: 2}, 1),
        Draft("a", "k", {"x": "\ud800"}, 1), Draft("a", "k", {}, -1), Draft("a", "k", {}, 1.0),
        Draft("a", "k", {}, True), Draft("a", "k", {"x": 2**53}, 1), Draft("a", "k", {"x": object()}, 1), Draft("a", "k", {"x": [{"y": 0.5}]}, 1),
    ],
    ids=range(13),
)  # fmt: skip
def test_a_malformed_draft_is_refused_and_the_journal_goes_on(lite, bad):
    async def story():
        journal = Journal(lite, "wuzhou")
        with pytest.raises(Invalid):
            await journal.append(draft(), bad)
        rows = await journal.append(draft())
        journal.close()
        return rows

    assert asyncio.run(story())[0].position == 1


def test_a_waiter_that_gives_up_does_not_undo_its_rows(lite):
    async def story():
        journal = Journal(lite, "wuzhou")
        task = asyncio.create_task(journal.append(draft()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await journal.append(draft(number=1))
        journal.close()
        return [row.body["n"] for row in journal.rows()]

    assert asyncio.run(story()) == [0, 1]


TAMPERINGS = {
    "body": "UPDATE journal SET body = '{\"n\":9}' WHERE position = 3",
    "instant": "UPDATE journal SET at = at + 1 WHERE position = 3",
    "kind": "UPDATE journal SET kind = 'other' WHERE position = 3",
    "unlawful kind": "UPDATE journal SET kind = 'x y' WHERE position = 3",
    "stream": "UPDATE journal SET stream = 'b' WHERE position = 5",
    "row gone": "DELETE FROM journal WHERE position = 3",
    "last chain": "UPDATE journal SET chain = (SELECT chain FROM journal WHERE position = 4) WHERE position = 5",
    "two exchanged": "UPDATE journal SET seq = CASE seq WHEN 2 THEN 103 WHEN 3 THEN 102 ELSE seq END",
    "spaces in the text": "UPDATE journal SET body = replace(body, ':', ': ') WHERE position = 3",
}


def five_rows(lite):
    async def story():
        journal = Journal(lite, "wuzhou")
        await journal.append(*(draft(number=n) for n in range(5)))
        journal.close()

    asyncio.run(story())


def tamper(path, statement):
    """What a database administrator can do: the triggers are gone for them."""
    import sqlite3

    with sqlite3.connect(path) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'"):
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("what", TAMPERINGS)
def test_a_tampered_journal_is_found_at_open(lite, tmp_path, what):
    five_rows(lite)
    tamper(tmp_path / "kaibiao.db", TAMPERINGS[what])
    with pytest.raises(ChainBroken):
        Journal(lite, "wuzhou")


def test_control_an_untouched_journal_opens_even_without_its_triggers(lite, tmp_path):
    five_rows(lite)
    tamper(tmp_path / "kaibiao.db", "SELECT 1")
    assert Journal(lite, "wuzhou").position == 5


def test_a_home_of_another_centre_is_refused(lite):
    five_rows(lite)
    with pytest.raises(ChainBroken, match="another centre"):
        Journal(lite, "elsewhere")


def test_the_first_storage_error_stops_the_journal_until_it_is_reloaded(database):
    async def story():
        journal = Journal(database, "wuzhou")
        seen, stops = [], []
        journal.listen(seen.append)
        journal.on_stop(lambda: stops.append(journal.position))
        await journal.append(draft())
        with database.session() as session:  # somebody else writes: our next place is taken
            session.execute(
                text(
                    "INSERT INTO journal (position, stream, seq, at, kind, body, chain) VALUES"
                    " (2, 'foreign', 1, 0, 'k', '{}', :chain)"
                ),
                {"chain": bytes(32)},
            )
        results = await asyncio.gather(
            *(journal.append(draft(number=n)) for n in range(20)), return_exceptions=True
        )
        assert all(isinstance(result, StorageFailed) for result in results)
        assert all(result.__cause__ is not None for result in results)
        assert journal.stopped
        with pytest.raises(StorageFailed):
            await journal.append(draft())
        assert stops == [1]
        with pytest.raises(ChainBroken):
            await journal.reload()
        journal.close()
        return [row.position for row in seen]

    assert asyncio.run(story()) == [1]


def test_after_a_reload_listeners_see_what_was_in_doubt_and_the_journal_resumes(lite):
    async def story():
        journal = Journal(lite, "wuzhou")
        seen = []
        journal.listen(seen.append)
        real = journal._commit

        def committed_but_the_answer_was_lost(items):
            real(items)
            raise OSError("input/output error")

        await journal.append(draft())
        journal._commit = committed_but_the_answer_was_lost
        with pytest.raises(StorageFailed):
            await journal.append(draft(number=1))
        assert [row.body["n"] for row in seen] == [0]
        journal._commit = real
        await journal.reload()
        assert [row.body["n"] for row in seen] == [0, 1]
        await journal.append(draft(number=2))
        journal.close()
        return [row.body["n"] for row in seen]

    assert asyncio.run(story()) == [0, 1, 2]


def in_child(story) -> int:
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(story())
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_dead_writer_ends_the_process(tmp_path):
    async def story():
        journal = Journal(open_database(f"sqlite:///{tmp_path}/kaibiao.db"), "wuzhou")
        journal._commit = lambda _items: 1 // 0
        await journal.append(draft())

    assert in_child(story) == DEAD_WRITER


def test_a_listener_that_fails_ends_the_process(tmp_path):
    async def story():
        journal = Journal(open_database(f"sqlite:///{tmp_path}/kaibiao.db"), "wuzhou")
        journal.listen(lambda _row: 1 // 0)
        await journal.append(draft())

    assert in_child(story) == DEAD_WRITER
    control = open_database(f"sqlite:///{tmp_path}/kaibiao.db")
    assert Journal(control, "wuzhou").position == 1  # the row itself is durable
    control.close()


def test_after_closing_what_was_queued_is_written_and_nothing_more(lite):
    async def story():
        journal = Journal(lite, "wuzhou")
        futures = [journal.append_nowait([draft(number=n)]) for n in range(5)]
        journal.close()
        rows = [(await future)[0] for future in futures]
        with pytest.raises(StorageFailed):
            await journal.append(draft())
        return rows

    assert len(asyncio.run(story())) == 5
