"""Backup and restore: one archive of a home, and a copy that can never pass for a continuation.

`write_backup` reads the database in one snapshot while the centre serves, then the blobs that the
snapshot may name (a blob is durable before any row names it), then the keys. The archive holds
private keys and personal data: it is for its owner only, and belongs under lock. Logins, half-done
uploads and remembered answers are not history and stay behind.

`restore` builds a home beside its place, verifies everything, and moves it in at the end. The
restored ledger gets a new log_id, said by a leaf that names the previous origin and size, so two
copies of one home can never sign two histories of one log. It refuses checkpoints seen outside
that its leaves contradict; one larger than the backup means that acknowledged events are lost, which
somebody must accept in so many words, and the leaf then says so.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import tarfile
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec
from sqlalchemy import LargeBinary, func, insert, select

from crypto.canonical import canonical
from crypto.encoding import b64, unb64
from crypto.tlog import checkpoint as checkpoints
from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.merkle import Tree
from trading.ground.blobs import CHUNK, Blobs
from trading.ground.ca import read_log_key
from trading.ground.database import open_database, open_snapshot
from trading.ground.journal import Journal
from trading.ground.ledger import GENESIS, STREAM, Ledger, LedgerContradicted, births
from trading.ground.problems import Conflict, Invalid
from trading.ground.tables import METADATA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Table

    from trading.ground.clock import Clock
    from trading.ground.database import Database
    from trading.ground.settings import Settings

LEFT_BEHIND: Final = frozenset({"session", "upload", "answer"})
BATCH: Final = 1_000
MAX_MANIFEST: Final = 64 * 1024 * 1024

_MEMBER = re.compile(
    r"manifest\.json|checkpoint|keys/[a-z.]{1,40}|tables/[a-z]{1,40}\.jsonl|blobs/blob_[a-z2-7]{26}"
)
_HASH = re.compile(rb"[0-9a-f]{64}")


def write_backup(settings: Settings, target: Path, clock: Clock) -> dict[str, Any]:
    """Write one archive of a home, served or not, and return its manifest.

    Args:
        settings: of the home.
        target: path of the archive; appears only when it is whole and durable.
        clock: dates it.

    Raises:
        Conflict: the target exists.
        StorageFailed: the database cannot be read.
    """
    if target.exists():
        raise Conflict("backup-exists", "备份文件已存在", "Choose another name for the archive.")
    fresh = target.with_name(target.name + ".part")
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(file, "wb") as output, tarfile.open(fileobj=output, mode="w") as archive:
            manifest = _Writer(archive, settings, clock.now()).write()
            output.flush()
            os.fsync(output.fileno())
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    fresh.rename(target)
    return manifest


class _Manifest(msgspec.Struct):
    v: int
    purpose: str
    centre: str
    origin: str
    size: int
    root: str
    files: dict[str, dict[str, Any]]


class _Writer:
    """One archive being written."""

    def __init__(self, archive: tarfile.TarFile, settings: Settings, now: int) -> None:
        self._archive = archive
        self._settings = settings
        self._now = now
        self._files: dict[str, dict[str, Any]] = {}
        self._tree = Tree()
        self._hashes: set[bytes] = set()  # every SHA-256 that history names
        self._log_id = ""
        self._position = 0

    def write(self) -> dict[str, Any]:
        home, centre = self._settings.home, self._settings.centre
        with open_snapshot(self._settings.database_url) as connection:
            for table in METADATA.sorted_tables:
                if table.name not in LEFT_BEHIND:
                    self._spool(f"tables/{table.name}.jsonl", self._rows(connection, table))
        for place in sorted((home / "blobs" / "1").iterdir()):
            self._blob(place.name)
        keys = {path.name: path.read_bytes() for path in sorted((home / "keys").glob("*.pem"))}
        for name, content in keys.items():
            self._spool(f"keys/{name}", iter([content]))
        origin = f"{centre}/ledger/{self._log_id}"
        head = Checkpoint(origin, self._tree.size, self._tree.root())
        key = read_log_key(home / "keys")
        self._spool("checkpoint", iter([checkpoints.sign(head, key)]))
        manifest = {
            "v": 1, "purpose": "backup", "centre": centre, "at": self._now, "origin": origin,
            "size": head.size, "root": b64(head.root), "position": self._position,
            "files": self._files,
        }  # fmt: skip
        self._add("manifest.json", io.BytesIO(canonical(manifest)), len(canonical(manifest)))
        return manifest

    def _rows(self, connection: Connection, table: Table) -> Iterator[bytes]:
        query = select(table).order_by(*table.primary_key.columns)
        with connection.execution_options(yield_per=BATCH).execute(query) as result:
            for row in result.mappings():
                if table.name == "journal":
                    self._look(row["stream"], row["body"].encode())
                    self._position = row["position"]
                yield msgspec.json.encode(dict(row)) + b"\n"

    def _look(self, stream: str, body: bytes) -> None:
        self._hashes.update(_HASH.findall(body))
        if stream == STREAM:
            self._tree.add(body)
        elif stream == GENESIS:
            self._log_id = msgspec.json.decode(body)["log_id"]

    def _blob(self, name: str) -> None:
        """Take the copy that history knows by its hash; of an orphan, any copy."""
        copies = [place / name for place in sorted((self._settings.home / "blobs").iterdir())]
        copies = [copy for copy in copies if copy.parent.name.isdigit() and copy.exists()]
        if not copies:  # removed since we listed it, so nothing names it
            return
        chosen = next((copy for copy in copies if _digest(copy) in self._hashes), copies[0])
        with chosen.open("rb") as file:
            hashing = _Hashing(file)
            size = os.fstat(file.fileno()).st_size
            self._add(f"blobs/{name}", hashing, size)
        sha256 = hashing.digest.hexdigest()
        self._files[f"blobs/{name}"] = {"sha256": sha256, "size": size}

    def _spool(self, name: str, parts: Iterator[bytes]) -> None:
        # A tar header states the size, so a member is gathered beside the archive first.
        spool = self._settings.home / "backup.spool"
        digest = hashlib.sha256()
        with spool.open("w+b") as file:
            spool.unlink()
            for part in parts:
                digest.update(part)
                file.write(part)
            size = file.tell()
            file.seek(0)
            self._add(name, file, size)
        self._files[name] = {"sha256": digest.hexdigest(), "size": size}

    def _add(self, name: str, file: Any, size: int) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = size, 0o600, self._now // 1000
        self._archive.addfile(member, file)


class _Hashing:
    """A file that is hashed as it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        part = self._file.read(size)
        self.digest.update(part)
        return part


async def restore(
    archive: Path,
    settings: Settings,
    clock: Clock,
    seen: list[bytes] | None = None,
    *,
    accept_loss: bool = False,
) -> dict[str, Any]:
    """Restore an archive into a home that does not exist yet; return the new log's first words.

    Args:
        archive: what `write_backup` wrote.
        settings: of the home to make; its centre must be the archive's.
        clock: dates the restore.
        seen: checkpoints of this log known outside (witnesses, receipts, bidders).
        accept_loss: go on although `seen` shows events that the archive does not have.

    Raises:
        Conflict: there is a home or a filled database already, or the archive is another centre's.
        Invalid: the archive is not whole, or `seen` holds no checkpoint of this log.
        LedgerContradicted: `seen` contradicts the archive.
        ChainBroken: the archive's history is not the one that was written.
    """
    home = settings.home
    if home.exists() and any(home.iterdir()):
        raise Conflict(
            "home-exists", "目标目录不为空", "Restore into a home that is empty or absent."
        )
    building = home.with_name(home.name + ".restoring")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(mode=0o700, parents=True)
    try:
        manifest = _extract(archive, building, settings.centre)
        url = settings.database or f"sqlite:///{building / 'kaibiao.db'}"
        database = open_database(url, building)
        try:
            _load(database, building / "tables")
            born = await _rebirth(
                database, building, settings, clock, manifest, seen or [], accept_loss
            )
        finally:
            database.close()
        shutil.rmtree(building / "tables")
        (building / "checkpoint.backup").unlink()
        (building / "manifest.json").unlink()
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    if home.exists():
        home.rmdir()
    os.sync()  # all of it, before the home appears under its name
    building.rename(home)
    return born


async def _rebirth(
    database: Database, building: Path, settings: Settings, clock: Clock,
    manifest: dict[str, Any], seen: list[bytes], accept_loss: bool,
) -> dict[str, Any]:  # fmt: skip
    journal = Journal(database, settings.centre)
    key = read_log_key(building / "keys")
    ledger = Ledger(journal, database, key, building / "checkpoint.backup")
    size, root = ledger.size, b64(ledger.root())
    if (size, root, ledger.origin) != (manifest["size"], manifest["root"], manifest["origin"]):
        raise _broken("its ledger is not the one it names")
    lost = size
    for known in seen:
        try:
            ledger.check_seen(known)
        except LedgerContradicted as contradiction:
            if contradiction.facts["size"] <= size or not accept_loss:
                raise
            lost = max(lost, contradiction.facts["size"])
    told = {"previous": ledger.origin, "size": size, "root": root, "lost": lost - size}
    rows = await journal.append(*births(settings.centre, key, clock.now(), told))
    journal.close()
    return rows[1].body


def _extract(archive: Path, building: Path, centre: str) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    try:
        with tarfile.open(archive, mode="r:") as tar:
            for member in tar:
                if not member.isreg() or not _MEMBER.fullmatch(member.name) or member.name in found:
                    raise _broken("it has members that are none of ours")
                path = building / _place(member.name)
                path.parent.mkdir(mode=0o700, exist_ok=True, parents=True)
                source = tar.extractfile(member)
                assert source is not None
                found[member.name] = _copy(source, path)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise _broken("it cannot be read to its end") from error
    manifest = _manifest(building / "manifest.json")
    found.pop("manifest.json", None)
    if found != manifest["files"]:
        raise _broken("a member is missing, added or changed")
    if manifest["centre"] != centre:
        raise Conflict("backup-foreign", "备份属于另一中心", "The archive is another centre's.")
    Blobs(building / "blobs")
    for blob in (building / "blobs" / "1").iterdir():
        shutil.copyfile(blob, building / "blobs" / "2" / blob.name)
    return manifest


def _place(name: str) -> str:
    if name == "checkpoint":
        return "checkpoint.backup"
    return name.replace("blobs/", "blobs/1/")


def _copy(source: Any, path: Path) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as output:
        while part := source.read(CHUNK):
            digest.update(part)
            size += len(part)
            output.write(part)
        output.flush()
        os.fsync(output.fileno())
    return {"sha256": digest.hexdigest(), "size": size}


def _manifest(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_MANIFEST:
            raise _broken("its manifest is too large")
        parsed = msgspec.json.decode(path.read_bytes(), type=_Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise _broken("it has no manifest") from error
    if (parsed.v, parsed.purpose) != (1, "backup"):
        raise _broken("it is no backup of this version")
    return msgspec.structs.asdict(parsed)


def _load(database: Database, folder: Path) -> None:
    with database.session() as session:
        for table in METADATA.sorted_tables:
            path = folder / f"{table.name}.jsonl"
            if session.execute(select(func.count()).select_from(table)).scalar_one():
                raise Conflict(
                    "database-filled", "目标数据库不为空", "Restore into an empty database."
                )
            if not path.exists():
                continue
            binary = [c.name for c in table.columns if isinstance(c.type, LargeBinary)]
            for batch in _batches(path):
                for row in batch:
                    row.update({name: unb64(row[name]) for name in binary})
                session.execute(insert(table), batch)
            counter = table.autoincrement_column
            if counter is not None and not database.sqlite and path.stat().st_size:
                sequence = func.pg_get_serial_sequence(table.name, counter.name)
                highest = select(func.max(counter)).scalar_subquery()
                session.execute(select(func.setval(sequence, highest)))


def _batches(path: Path) -> Iterator[list[dict[str, Any]]]:
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    batch: list[dict[str, Any]] = []
    with path.open("rb") as file:
        for line in file:
            batch.append(decode(line))
            if len(batch) == BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().encode()


def _broken(reason: str) -> Invalid:
    return Invalid(
        "backup-broken", "备份不完整或被改动", f"This archive cannot be restored: {reason}."
    )
