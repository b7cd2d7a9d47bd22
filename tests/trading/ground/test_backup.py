"""A backup is one archive taken while serving; a restored home never passes for a continuation."""

import asyncio
import io
import tarfile

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto.encoding import unb64
from crypto.tlog import checkpoint as checkpoints
from crypto.tlog import cosignature, note
from trading.ground.backup import restore, write_backup
from trading.ground.chain import Draft
from trading.ground.clock import FrozenClock
from trading.ground.ground import open_ground
from trading.ground.ledger import LedgerContradicted
from trading.ground.problems import Conflict, Invalid
from trading.ground.settings import Settings
from trading.ground.tables import SessionRow

NINE = 1_795_482_000_000
SUPERVISOR = Ed25519PrivateKey.from_private_bytes(b"s" * 32)


def run(coroutine):
    return asyncio.run(coroutine)


async def fill(ground, leaves=5):
    """A little of everything."""
    blob = ground.blobs.put(b"bid" * 1000)
    kept = await ground.private.put("per_a", "name", "张三")
    await ground.journal.append(Draft("section:x", "submitted", {"sha256": blob.sha256}, NINE))
    await ground.ledger.register_witness(note.vkey("supervisor", SUPERVISOR, 4), "supervisor", NINE)
    for number in range(leaves):
        await ground.ledger.add("note", {"n": number}, NINE)
    signed = ground.ledger.checkpoint()
    await ground.ledger.add_cosignature(cosignature.add(signed, SUPERVISOR, "supervisor", 7))
    await ground.outbox.put("k", "notice", "per_a", {"n": 1})
    with ground.database.session() as session:
        session.add(
            SessionRow(token_sha256="t", person="p", key="k", created_at=1, seen_at=1, expires_at=2)
        )
    return blob, kept, signed


@pytest.fixture
def home(settings, tmp_path):
    """Settings of a source home in a folder of its own."""
    return settings.model_copy(update={"home": tmp_path / "source"})


def elsewhere(home, tmp_path, name="restored"):
    return home.model_copy(update={"home": tmp_path / name, "database": ""})


async def with_backup(home, tmp_path):
    ground = await open_ground(home, FrozenClock(NINE))
    facts = await fill(ground)
    manifest = await asyncio.to_thread(write_backup, home, tmp_path / "backup.tar", ground.clock)
    rows = list(ground.journal.rows())
    later = await after(ground)
    await ground.close()
    return facts, manifest, rows, later


async def after(ground):
    """What happens after the backup was taken."""
    await ground.ledger.add("note", {"n": "later"}, NINE)
    return ground.ledger.checkpoint()


def test_everything_that_is_history_comes_back_under_a_new_log(home, tmp_path):
    async def story():
        (blob, kept, signed), manifest, rows, _ = await with_backup(home, tmp_path)
        target = elsewhere(home, tmp_path)
        born = await restore(tmp_path / "backup.tar", target, FrozenClock(NINE + 1000), [signed])
        ground = await open_ground(target, FrozenClock(NINE + 2000))
        ledger = ground.ledger
        assert list(ground.journal.rows())[:-2] == rows
        assert ground.blobs.read(blob) == b"bid" * 1000
        assert ground.blobs.verified(blob)
        assert ground.private.get(kept.ref) == "张三"
        assert set(ledger.witnesses) == {"supervisor"}
        with ground.database.reader() as session:
            assert session.get(SessionRow, "t") is None  # logins stay behind
        # the new log continues the old leaves and says so
        old = checkpoints.parse(note.Note.parse(signed).text)
        assert ledger.origin != old.origin == born["previous"]
        assert (born["size"], born["lost"]) == (manifest["size"], 0)
        assert ledger.root(born["size"]) == unb64(born["root"]) == old.root
        ledger.check_seen(signed)
        ledger.check_seen(ledger.checkpoint())
        assert await ground.outbox.deliver() >= 0
        await ground.outbox.put("k2", "notice", "per_a", {})  # counters go on
        signed_again = cosignature.add(ledger.checkpoint(), SUPERVISOR, "supervisor", 8)
        assert await ledger.add_cosignature(signed_again) == 1
        await ground.close()

    run(story())


def test_a_backup_taken_under_load_is_one_moment(home, tmp_path):
    async def story():
        ground = await open_ground(home, FrozenClock(NINE))
        await fill(ground)
        stop = False

        async def load():
            number = 0
            while not stop:
                draft = Draft("section:x", "noted", {"n": number}, NINE)
                await ground.journal.append(draft, ground.ledger.draft("note", {"n": number}, NINE))
                number += 1
            return number

        task = asyncio.create_task(load())
        manifest = await asyncio.to_thread(write_backup, home, tmp_path / "b.tar", ground.clock)
        stop = True
        assert await task > 0
        rows = list(ground.journal.rows())
        assert manifest["position"] <= len(rows)
        await ground.close()
        target = elsewhere(home, tmp_path)
        await restore(tmp_path / "b.tar", target, FrozenClock(NINE))
        restored = await open_ground(target, FrozenClock(NINE))
        assert list(restored.journal.rows())[:-2] == rows[: manifest["position"]]
        await restored.close()

    run(story())


def test_a_restore_refuses_a_checkpoint_that_its_leaves_contradict(home, tmp_path):
    async def story():
        *_, later = await with_backup(home, tmp_path)
        target = elsewhere(home, tmp_path)
        archive = tmp_path / "backup.tar"
        with pytest.raises(LedgerContradicted, match="missing"):
            await restore(archive, target, FrozenClock(NINE), [later])
        assert not target.home.exists()
        # another root at a size that the archive has: two histories, accepted by nobody
        key = (await open_and_close(home)).ca.log_key()
        head = checkpoints.parse(note.Note.parse(later).text)
        forged = checkpoints.sign(checkpoints.Checkpoint(head.origin, 3, b"\1" * 32), key)
        for accept in (False, True):
            with pytest.raises(LedgerContradicted, match="another leaf"):
                await restore(archive, target, FrozenClock(NINE), [forged], accept_loss=accept)
        with pytest.raises(Invalid):
            await restore(archive, target, FrozenClock(NINE), [b"junk"])
        assert list(tmp_path.glob("*.restoring")) == []
        return (
            await restore(archive, target, FrozenClock(NINE), [later], accept_loss=True),
            later,
            target,
        )

    async def open_and_close(home):
        ground = await open_ground(home, FrozenClock(NINE))
        await ground.close()
        return ground

    born, later, target = run(story())
    assert born["lost"] == 1

    async def afterwards():  # a declared loss is known for good, and no more than it
        ground = await open_ground(target, FrozenClock(NINE))
        for number in range(5):
            await ground.ledger.add("note", {"n": f"other {number}"}, NINE)
        ground.ledger.check_seen(later)
        head = checkpoints.parse(note.Note.parse(later).text)
        beyond = checkpoints.sign(
            checkpoints.Checkpoint(head.origin, head.size + 1, b"\1" * 32), ground.ca.log_key()
        )
        with pytest.raises(LedgerContradicted):
            ground.ledger.check_seen(beyond)
        await ground.close()

    run(afterwards())


def test_two_restores_of_one_archive_are_two_logs(home, tmp_path):
    async def story():
        await with_backup(home, tmp_path)
        origins = []
        for name in ("one", "two"):
            target = elsewhere(home, tmp_path, name)
            born = await restore(tmp_path / "backup.tar", target, FrozenClock(NINE))
            origins.append(born["origin"])
        return origins

    one, two = run(story())
    assert one != two


def test_a_restored_home_can_be_backed_up_and_restored_again(home, tmp_path):
    async def story():
        (_, _, signed), *_ = await with_backup(home, tmp_path)
        first = elsewhere(home, tmp_path, "one")
        await restore(tmp_path / "backup.tar", first, FrozenClock(NINE))
        ground = await open_ground(first, FrozenClock(NINE))
        second_signed = await after(ground)
        write_backup(first, tmp_path / "second.tar", FrozenClock(NINE))
        await ground.close()
        target = elsewhere(home, tmp_path, "two")
        await restore(tmp_path / "second.tar", target, FrozenClock(NINE), [signed, second_signed])

    run(story())


def test_sqlite_moves_to_postgresql(lite_settings, postgres_url, tmp_path):
    async def story():
        source = lite_settings.model_copy(update={"home": tmp_path / "source"})
        *_, rows, _ = await with_backup(source, tmp_path)
        target = source.model_copy(update={"home": tmp_path / "pg", "database": postgres_url})
        await restore(tmp_path / "backup.tar", target, FrozenClock(NINE))
        ground = await open_ground(target, FrozenClock(NINE))
        assert list(ground.journal.rows())[:-2] == rows
        await ground.outbox.put("k2", "notice", "per_a", {})
        await ground.close()
        again = target.model_copy(update={"home": tmp_path / "pg2"})
        with pytest.raises(Conflict, match="database-filled"):
            await restore(tmp_path / "backup.tar", again, FrozenClock(NINE))

    run(story())


def test_one_bad_replica_does_not_reach_the_archive(lite_settings, tmp_path):
    async def story():
        source = lite_settings.model_copy(update={"home": tmp_path / "source"})
        ground = await open_ground(source, FrozenClock(NINE))
        blob, *_ = await fill(ground)
        (source.home / "blobs" / "1" / blob.name).write_bytes(b"rot")
        write_backup(source, tmp_path / "b.tar", FrozenClock(NINE))
        await ground.close()
        target = elsewhere(source, tmp_path)
        await restore(tmp_path / "b.tar", target, FrozenClock(NINE))
        restored = await open_ground(target, FrozenClock(NINE))
        assert restored.blobs.read(blob) == b"bid" * 1000
        await restored.close()

    run(story())


def rewrite(archive, change):
    """The archive again, its members changed by `change(name, content) -> (name, content) | None`."""
    output = io.BytesIO()
    with tarfile.open(archive) as source, tarfile.open(fileobj=output, mode="w") as target:
        for member in source:
            kept = change(member.name, source.extractfile(member).read())
            if kept is not None:
                member.name, content = kept
                member.size = len(content)
                target.addfile(member, io.BytesIO(content))
    archive.write_bytes(output.getvalue())


def flip(name):
    return lambda n, c: (n, bytes([c[0] ^ 1]) + c[1:] if n == name or n.startswith(name) else c)


CHANGES = {
    "journal flipped": flip("tables/journal"),
    "private flipped": flip("tables/private"),
    "blob flipped": flip("blobs/"),
    "key flipped": flip("keys/log"),
    "manifest flipped": flip("manifest.json"),
    "checkpoint flipped": flip("checkpoint"),
    "blob missing": lambda n, c: None if n.startswith("blobs/") else (n, c),
    "manifest missing": lambda n, c: None if n == "manifest.json" else (n, c),
    "climbing out": lambda n, c: (n.replace("keys/", "../keys/"), c),
    "absolute": lambda n, c: ("/" + n, c),
}


@pytest.mark.parametrize("what", [*CHANGES, "cut", "empty", "absent", "control"])
def test_a_changed_archive_restores_nothing(lite_settings, tmp_path, what):
    async def story():
        source = lite_settings.model_copy(update={"home": tmp_path / "source"})
        await with_backup(source, tmp_path)
        archive = tmp_path / "backup.tar"
        match what:
            case "cut":
                archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
            case "empty":
                archive.write_bytes(b"")
            case "absent":
                archive.unlink()
            case "control":
                rewrite(archive, lambda n, c: (n, c))
            case _:
                rewrite(archive, CHANGES[what])
        target = elsewhere(source, tmp_path)
        if what == "control":
            await restore(archive, target, FrozenClock(NINE))
            return
        with pytest.raises(Invalid):
            await restore(archive, target, FrozenClock(NINE))
        assert not target.home.exists()
        assert {path.name for path in tmp_path.iterdir()} <= {"source", "backup.tar"}

    run(story())


def test_a_backup_with_a_rewritten_manifest_still_meets_the_chain(lite_settings, tmp_path):
    """Whoever recomputes the hashes of the archive meets the log's signature."""
    import hashlib

    from crypto.canonical import canonical, parse

    async def story():
        source = lite_settings.model_copy(update={"home": tmp_path / "source"})
        await with_backup(source, tmp_path)
        archive = tmp_path / "backup.tar"
        changed = {}

        def change(name, content):
            if name == "tables/private.jsonl":
                content = content.replace("张三".encode(), "李四".encode())
                changed[name] = {
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "size": len(content),
                }
            if name == "manifest.json":
                manifest = parse(content)
                manifest["files"].update(changed)
                manifest["size"] -= 1
                content = canonical(manifest)
            return name, content

        rewrite(archive, change)
        with pytest.raises(Invalid, match="ledger"):
            await restore(archive, elsewhere(source, tmp_path), FrozenClock(NINE))

    run(story())


def test_nothing_is_overwritten(lite_settings, tmp_path):
    async def story():
        source = lite_settings.model_copy(update={"home": tmp_path / "source"})
        await with_backup(source, tmp_path)
        archive = tmp_path / "backup.tar"
        with pytest.raises(Conflict, match="backup-exists"):
            write_backup(source, archive, FrozenClock(NINE))
        with pytest.raises(Conflict, match="home-exists"):
            await restore(archive, source, FrozenClock(NINE))
        other = elsewhere(source, tmp_path).model_copy(update={"centre": "elsewhere"})
        with pytest.raises(Conflict, match="another"):
            await restore(archive, other, FrozenClock(NINE))
        assert archive.stat().st_mode & 0o777 == 0o600

    run(story())


def test_settings_of_the_tests_are_plain(lite_settings):
    assert isinstance(lite_settings, Settings)
