"""The ledger: rebuilt from the journal, proved by RFC 6962, signed once per size, cosigned by witnesses."""

import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from crypto.canonical import canonical
from crypto.tlog import checkpoint as checkpoints
from crypto.tlog import cosignature, note
from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.merkle import leaf_hash, verify_consistency, verify_inclusion
from trading.ground.chain import Draft
from trading.ground.clock import FrozenClock
from trading.ground.database import open_database
from trading.ground.ground import open_ground
from trading.ground.ledger import LedgerContradicted
from trading.ground.problems import Conflict, Invalid, NotFound
from trading.ground.settings import Settings

NINE = 1_795_482_000_000
SUPERVISOR = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
AUDITOR = Ed25519PrivateKey.from_private_bytes(b"a" * 32)


def on(settings, story):
    """Run a story on a home, opened and closed around it."""

    async def run():
        ground = await open_ground(settings, FrozenClock(NINE))
        try:
            return await story(ground)
        finally:
            await ground.close()

    return asyncio.run(run())


def vkey(name, key, kind=note.COSIGNATURE):
    return note.vkey(name, key, kind)


def test_a_leaf_is_the_canonical_body_of_its_row(settings):
    async def story(ground):
        index = await ground.ledger.add("record", {"sha256": "ab"}, NINE)
        assert ground.ledger.leaf(index) == canonical(
            {"v": 1, "centre": "wuzhou", "kind": "record", "sha256": "ab"}
        )
        born = ground.ledger.leaf(0)
        assert ground.ledger.origin.encode() in born
        assert ground.ledger.origin == f"wuzhou/ledger/{ground.ledger.log_id}"
        return index

    assert on(settings, story) == 1


def test_proofs_and_checkpoints_verify_with_the_public_functions_alone(settings):
    async def story(ground):
        ledger = ground.ledger
        for number in range(20):
            await ledger.add("note", {"n": number}, NINE)
        key = ledger.vkey
        for size in range(1, ledger.size + 1):
            opened = checkpoints.open_checkpoint(ledger.checkpoint(size), key)
            assert opened == Checkpoint(ledger.origin, size, ledger.root(size))
            for index in range(size):
                digest = leaf_hash(ledger.leaf(index))
                verify_inclusion(index, size, digest, ledger.inclusion(index, size), opened.root)
            for old in range(1, size):
                proof = ledger.consistency(old, size)
                verify_consistency(old, size, proof, ledger.root(old), opened.root)
        return list(ledger.leaves(0, 10**9))

    assert len(on(settings, story)) == 21


def test_a_reopened_home_has_the_same_ledger_and_log(settings):
    async def before(ground):
        await ground.ledger.add("note", {"n": 1}, NINE)
        return ground.ledger.checkpoint(), ground.ledger.vkey

    async def after(ground):
        return ground.ledger.checkpoint(), ground.ledger.vkey

    assert on(settings, before) == on(settings, after)


def test_a_size_is_signed_once_whatever_came_after(lite_settings):
    async def story(ground):
        first = ground.ledger.checkpoint()
        size = ground.ledger.size
        for number in range(5):
            await ground.ledger.add("note", {"n": number}, NINE)
            ground.ledger.checkpoint()
        return first, ground.ledger.checkpoint(size)

    first, again = on(lite_settings, story)
    assert first == again


def test_a_leaf_may_be_appended_together_with_other_events(lite_settings):
    async def story(ground):
        draft = ground.ledger.draft("closed", {"section": "sec_x"}, NINE)
        rows = await ground.journal.append(Draft("section:x", "closed", {}, NINE), draft)
        assert rows[1].position == rows[0].position + 1
        return ground.ledger.leaf(ground.ledger.size - 1)

    assert b'"kind":"closed"' in on(lite_settings, story)


def test_what_is_not_there_is_not_found(lite_settings):
    async def story(ground):
        ledger = ground.ledger
        asks = [
            lambda: ledger.leaf(1), lambda: ledger.leaf(-1), lambda: ledger.root(2),
            lambda: ledger.checkpoint(2), lambda: ledger.inclusion(1), lambda: ledger.inclusion(0, 5),
            lambda: ledger.consistency(2, 1), lambda: ledger.consistency(0, 9), lambda: ledger.cosigned(3),
        ]  # fmt: skip
        for ask in asks:
            with pytest.raises(NotFound):
                ask()
        return list(ledger.leaves(5, 2))

    assert on(lite_settings, story) == []


def test_two_homes_have_two_logs(tmp_path):
    async def log_id(ground):
        return ground.ledger.log_id

    one, two = (on(Settings(home=tmp_path / n, centre="wuzhou"), log_id) for n in ("1", "2"))
    assert one != two


def test_an_old_copy_of_the_database_does_not_open_under_the_homes_memory(lite_settings):
    home = lite_settings.home

    async def some(ground):
        await ground.ledger.add("note", {}, NINE)
        ground.ledger.checkpoint()

    on(lite_settings, some)
    old = (home / "kaibiao.db").read_bytes()
    on(lite_settings, some)
    newer = (home / "kaibiao.db").read_bytes()
    (home / "kaibiao.db").write_bytes(old)
    with pytest.raises(LedgerContradicted, match="missing"):
        on(lite_settings, some)
    (home / "kaibiao.db").write_bytes(newer)  # control
    on(lite_settings, some)


def test_an_older_checkpoint_asked_for_after_a_restart_does_not_shrink_the_memory(lite_settings):
    home = lite_settings.home

    async def grown(ground):
        await ground.ledger.add("note", {}, NINE)
        ground.ledger.checkpoint()

    async def old_one(ground):
        return ground.ledger.checkpoint(1)

    on(lite_settings, grown)
    before = {path: path.read_bytes() for path in home.rglob("*checkpoint*") if path.is_file()}
    assert before
    old = on(lite_settings, old_one)
    assert {path: path.read_bytes() for path in before} == before
    assert old not in before.values()


def test_a_rewritten_history_does_not_open_even_when_its_chain_is_recomputed(lite_settings):
    home = lite_settings.home
    born = []

    async def some(ground):
        born.extend(ground.journal.rows())
        await ground.ledger.add("note", {"who": "real"}, NINE)
        ground.ledger.checkpoint()

    on(lite_settings, some)
    (home / "kaibiao.db").unlink()

    async def forge():
        from trading.ground.journal import Journal

        database = open_database(lite_settings.database_url)
        journal = Journal(database, "wuzhou")
        for row in born:
            await journal.append(Draft(row.stream, row.kind, row.body, row.at))
        await journal.append(
            Draft(
                "ledger",
                "note",
                {"v": 1, "centre": "wuzhou", "kind": "note", "who": "forged"},
                NINE,
            )
        )
        journal.close()
        database.close()

    asyncio.run(forge())
    with pytest.raises(LedgerContradicted, match="another leaf"):
        on(lite_settings, some)


def test_registered_witnesses_cosign_and_their_lines_are_served(settings):
    async def story(ground):
        ledger = ground.ledger
        await ledger.register_witness(vkey("supervisor", SUPERVISOR), "supervisor", NINE)
        size, bare = ledger.size, ledger.checkpoint()
        one = cosignature.add(bare, SUPERVISOR, "supervisor", 1_795_482_000)
        both = cosignature.add(one, AUDITOR, "auditor", 1_795_482_001)
        assert await ledger.add_cosignature(both) == 1  # the auditor is not registered
        assert await ledger.add_cosignature(one) == 0  # known already
        await ledger.register_witness(vkey("auditor", AUDITOR), "auditor", NINE)
        assert await ledger.add_cosignature(both) == 1
        cosigned = ledger.cosigned(size)
        assert len(cosignature.verify(cosigned, ledger.witnesses.values())) == 2
        assert note.verify(cosigned, ledger.vkey) == note.Note.parse(bare).text
        assert ledger.cosigned_sizes(0) == [size] == ledger.cosigned_sizes(size)
        assert ledger.cosigned_sizes(size + 1) == []
        return cosigned, size

    cosigned, size = on(settings, story)

    async def later(ground):
        assert set(ground.ledger.witnesses) == {"supervisor", "auditor"}
        return ground.ledger.cosigned(size)

    assert on(settings, later) == cosigned


def test_a_witness_that_repeats_itself_fills_no_table(lite_settings):
    async def story(ground):
        ledger = ground.ledger
        await ledger.register_witness(vkey("supervisor", SUPERVISOR), "supervisor", NINE)
        added = 0
        for second in range(20):
            signed = cosignature.add(
                ledger.checkpoint(), SUPERVISOR, "supervisor", 1_795_482_000 + second
            )
            added += await ledger.add_cosignature(signed)
        return added

    assert on(lite_settings, story) == 8


def test_a_retired_witness_counts_no_more_but_its_old_lines_stand(lite_settings):
    async def story(ground):
        ledger = ground.ledger
        await ledger.register_witness(vkey("supervisor", SUPERVISOR), "supervisor", NINE)
        size = ledger.size
        await ledger.add_cosignature(
            cosignature.add(ledger.checkpoint(), SUPERVISOR, "supervisor", 1)
        )
        with pytest.raises(Conflict):
            await ledger.register_witness(vkey("supervisor", AUDITOR), "supervisor", NINE)
        await ledger.retire_witness("supervisor", NINE)
        with pytest.raises(NotFound):
            await ledger.retire_witness("supervisor", NINE)
        with pytest.raises(Invalid):
            await ledger.add_cosignature(
                cosignature.add(ledger.checkpoint(), SUPERVISOR, "supervisor", 2)
            )
        await ledger.register_witness(vkey("supervisor", AUDITOR), "supervisor", NINE)
        return note.Note.parse(ledger.cosigned(size)).signatures

    assert len(on(lite_settings, story)) == 2


def test_false_cosignatures_are_refused(lite_settings):
    async def story(ground):
        ledger = ground.ledger
        await ledger.register_witness(vkey("supervisor", SUPERVISOR), "supervisor", NINE)
        bare = ledger.checkpoint()
        good = cosignature.add(bare, SUPERVISOR, "supervisor", 1_795_482_000)
        forged = cosignature.add(bare, AUDITOR, "supervisor", 1_795_482_000)
        elsewhere = checkpoints.sign(
            Checkpoint("wuzhou/ledger/0", 1, b"\0" * 32), Ed25519PrivateKey.generate()
        )
        broken = bytearray(good)
        broken[-10] ^= 1
        for bad in (
            b"",
            bare,
            forged,
            bytes(broken),
            cosignature.add(elsewhere, SUPERVISOR, "supervisor", 1),
        ):
            with pytest.raises(Invalid):
                await ledger.add_cosignature(bad)
        return await ledger.add_cosignature(good)  # control

    assert on(lite_settings, story) == 1


def test_a_cosigned_checkpoint_of_another_history_is_evidence(lite_settings):
    async def story(ground):
        ledger = ground.ledger
        await ledger.register_witness(vkey("supervisor", SUPERVISOR), "supervisor", NINE)
        for size, root in ((ledger.size, b"\1" * 32), (ledger.size + 1, b"\1" * 32)):
            other = checkpoints.sign(Checkpoint(ledger.origin, size, root), ground.ca.log_key())
            with pytest.raises(Conflict) as refusal:
                await ledger.add_cosignature(cosignature.add(other, SUPERVISOR, "supervisor", 1))
            assert refusal.value.code == "checkpoint-contradicts"
            with pytest.raises(LedgerContradicted):
                ledger.check_seen(other)
        ledger.check_seen(ledger.checkpoint())

    on(lite_settings, story)


@pytest.mark.parametrize("bad", ["", "x", "a+b+c", vkey("log", SUPERVISOR, note.ED25519)])
def test_only_cosignature_keys_are_registered(lite_settings, bad):
    async def story(ground):
        with pytest.raises(Invalid):
            await ground.ledger.register_witness(bad, "supervisor", NINE)

    on(lite_settings, story)


@hypothesis_settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300))
def test_no_foreign_bytes_make_the_ledger_fall(tmp_path_factory, data):
    async def story(ground):
        with pytest.raises((Invalid, Conflict)):
            await ground.ledger.add_cosignature(data)
        with pytest.raises(Invalid):
            ground.ledger.check_seen(data)

    on(Settings(home=tmp_path_factory.mktemp("h"), centre="wuzhou"), story)
