"""The journal against a plain list: any interleaving of appends, failures, reloads and restarts."""

import asyncio
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.databases import fresh_database
from trading.ground.chain import ZERO, verify_row
from trading.ground.database import open_database
from trading.ground.journal import Draft, Journal
from trading.ground.problems import StorageFailed

CENTRE = "wuzhou"
texts = st.text(max_size=8).filter(lambda text: text.isascii() or text.encode("utf-8", "ignore"))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
bodies = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=6), values, max_size=4)
drafts = st.builds(
    Draft,
    st.sampled_from(["ledger", "section:sec_a", "lot:lot_b"]),
    st.sampled_from(["opened", "noted", "closed"]),
    bodies,
    st.integers(0, 2**42),
)
groups = st.lists(drafts, min_size=1, max_size=4)


class JournalMachine(RuleBasedStateMachine):
    """The model is what was acknowledged, in order; nothing of the journal's code is in it."""

    def __init__(self, server=None):
        super().__init__()
        self.server = server

    @initialize()
    def begin(self):
        self.loop = asyncio.new_event_loop()
        self.home = Path(tempfile.mkdtemp(prefix="kaibiao-model-"))
        self.stack = ExitStack()
        self.url = f"sqlite:///{self.home}/kaibiao.db"
        if self.server is not None:
            self.url = self.stack.enter_context(fresh_database(self.server))
        self.database = open_database(self.url, self.home)
        self.journal = Journal(self.database, CENTRE)
        self.model: list[Draft] = []
        self.seen: list = []
        self.journal.listen(self.seen.append)

    def run(self, coroutine):
        return self.loop.run_until_complete(coroutine)

    @rule(batch=st.lists(groups, min_size=1, max_size=4))
    def append_at_once(self, batch):
        async def story():
            return await asyncio.gather(*(self.journal.append(*group) for group in batch))

        for group, rows in zip(batch, self.run(story()), strict=True):
            assert [row.position for row in rows] == [
                len(self.model) + n + 1 for n in range(len(group))
            ]
            self.model += group

    @rule(group=groups, durable=st.booleans())
    def fail_and_reload(self, group, durable):
        real = self.journal._commit

        def failing(items):
            if durable:
                real(items)
            raise OSError

        async def story():
            self.journal._commit = failing
            try:
                await self.journal.append(*group)
            except StorageFailed:
                pass
            else:
                raise AssertionError("a failed commit was acknowledged")
            self.journal._commit = real
            await self.journal.reload()

        self.run(story())
        if durable:  # in doubt for the caller, settled by what is stored: all or nothing
            self.model += group

    @rule()
    def restart(self):
        self.journal.close()
        self.run(asyncio.sleep(0))
        self.database.close()
        self.database = open_database(self.url, self.home)
        self.journal = Journal(self.database, CENTRE)
        self.journal.listen(self.seen.append)

    @invariant()
    def what_is_stored_is_what_was_acknowledged(self):
        if not hasattr(self, "journal"):
            return
        rows = list(self.journal.rows())
        assert [Draft(row.stream, row.kind, row.body, row.at) for row in rows] == self.model
        assert rows == self.seen
        heads: dict = {}
        for position, row in enumerate(rows, 1):
            seq, chain = heads.get(row.stream, (0, ZERO))
            assert (row.position, row.seq) == (position, seq + 1)
            assert verify_row(row, chain, CENTRE)
            heads[row.stream] = (row.seq, row.chain)
        for stream, head in heads.items():
            assert self.journal.head(stream) == head

    def teardown(self):
        if hasattr(self, "journal"):
            self.journal.close()
            self.run(asyncio.sleep(0))
            self.database.close()
            self.stack.close()
            self.loop.close()
            shutil.rmtree(self.home)


TestJournal = JournalMachine.TestCase
TestJournal.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


@pytest.mark.parametrize("examples", [4, pytest.param(40, marks=pytest.mark.soak)])
def test_the_journal_on_postgresql(postgres, examples):
    run_state_machine_as_test(
        lambda: JournalMachine(postgres),
        settings=settings(max_examples=examples, stateful_step_count=25, deadline=None),
    )
