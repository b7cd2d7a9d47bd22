"""kill -9 at any moment loses, doubles and splits nothing that was acknowledged (this is no power cut).

Children fork from this warmed process, so that one round costs milliseconds. A child acknowledges, as
a server would, by a line on a pipe after its append has returned; the parent kills it, opens
the home again and compares: acknowledged ⊆ stored ⊆ acknowledged ∪ sent, whole groups, gapless.
"""

import asyncio
import os
import random
import signal

import pytest
from sqlalchemy import event

from trading.ground.database import open_database
from trading.ground.journal import Draft, Journal

ROUNDS = 25
GROUP = 3
CLIENTS = 8


def serve(place, pipe, first, *, honest=True, failpoint=None):
    """The child: eight clients append groups of three, each acknowledged when durable."""

    async def story():
        database = open_database(*place)
        journal = Journal(database, "wuzhou")
        if failpoint:
            failpoint(database, journal)

        async def client(number):
            count = first
            while True:
                name = f"{number}-{count}"
                group = [
                    Draft(f"s{number}", "noted", {"name": name, "n": n}, 1) for n in range(GROUP)
                ]
                if not honest:  # the control: acknowledge first, append afterwards
                    os.write(pipe, f"{name}\n".encode())
                await journal.append(*group)
                if honest:
                    os.write(pipe, f"{name}\n".encode())
                count += 1

        await asyncio.gather(*(client(number) for number in range(CLIENTS)))

    try:
        asyncio.run(story())
    finally:
        os._exit(1)


def child(place, **options):
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        serve(place, writing, **options)
    os.close(writing)
    return process, os.fdopen(reading, "rb")


def kill_after(process, reading, lines):
    """Names acknowledged before and until the kill; a line cut by it was not acknowledged."""
    with reading:
        before = [reading.readline() for _ in range(lines)]
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        names = b"".join(before) + reading.read()
    return set(names.decode().rpartition("\n")[0].split("\n"))


def kept(place):
    """Names of stored groups; that each is whole, consecutive and once is checked here."""
    database = open_database(*place)
    journal = Journal(database, "wuzhou")  # verifies chains and positions
    rows = list(journal.rows())
    database.close()
    names = [rows[start].body["name"] for start in range(0, len(rows), GROUP)]
    for start, name in zip(range(0, len(rows), GROUP), names, strict=True):
        assert [row.body for row in rows[start : start + GROUP]] == [
            {"name": name, "n": n} for n in range(GROUP)
        ]
    assert len(names) == len(set(names))
    return set(names)


def test_kill_9_at_a_random_moment_under_load(address):
    open_database(*address).close()
    generator = random.Random(20261124)
    acknowledged: set[str] = set()
    rounds = ROUNDS if address[0].startswith("sqlite") else ROUNDS // 3
    for number in range(rounds):
        process, reading = child(address, first=number * 1_000_000)
        acknowledged |= kill_after(process, reading, 1 + generator.randrange(200))
        assert acknowledged <= kept(address)
    assert len(acknowledged) > rounds * CLIENTS


def test_control_a_server_that_acknowledges_before_it_appends_is_caught(address):
    open_database(*address).close()
    for number in range(ROUNDS):
        process, reading = child(address, first=number * 1_000_000, honest=False)
        if not kill_after(process, reading, 1) <= kept(address):
            return
    raise AssertionError("the harness would not see a lost acknowledgement")


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def before_the_insert(_database, journal):
    journal._commit = lambda _items: die()


def before_the_commit(database, _journal):
    event.listen(database.engine, "commit", lambda _connection: die())


def after_the_commit(_database, journal):
    real = journal._commit

    def commit_and_die(items):
        real(items)
        die()

    journal._commit = commit_and_die


@pytest.mark.parametrize(
    ("failpoint", "lasting"),
    [(before_the_insert, 0), (before_the_commit, 0), (after_the_commit, 1)],
)
def test_kill_9_at_every_named_step_of_an_append(address, failpoint, lasting):
    open_database(*address).close()
    process, reading = child(address, first=0, failpoint=failpoint)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL
    with reading:
        assert reading.read() == b""  # nothing was acknowledged in any of them
    assert (len(kept(address)) > 0) == bool(lasting)
