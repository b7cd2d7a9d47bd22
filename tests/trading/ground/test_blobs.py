"""Blobs are whole, twice, and a corrupt copy is mended before anybody is blamed."""

import errno
import hashlib
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.ground import blobs as blobs_module
from trading.ground.blobs import Blob, Blobs, CorruptBlob
from trading.ground.ids import new_id
from trading.ground.problems import Invalid, StorageFailed, StorageFull

CONTENT = bytes(range(256)) * 9_000  # more than two chunks


@pytest.fixture
def store(tmp_path):
    return Blobs(tmp_path / "blobs")


def copies(tmp_path, blob):
    return [tmp_path / "blobs" / place / blob.name for place in ("1", "2")]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=3000), max_size=8))
def test_what_is_put_is_read(tmp_path_factory, parts):
    store = Blobs(tmp_path_factory.mktemp("blobs"))
    blob = store.put(parts)
    content = b"".join(parts)
    assert store.read(blob) == content == b"".join(store.chunks(blob))
    assert blob.size == len(content)
    assert store.verified(blob).read_bytes() == content


def test_every_copy_is_kept_for_its_owner_only(store, tmp_path):
    blob = store.put(CONTENT)
    for copy in copies(tmp_path, blob):
        assert copy.read_bytes() == CONTENT
        assert copy.stat().st_mode & 0o777 == 0o600


def test_an_upload_is_adopted_without_a_third_copy(store, tmp_path):
    upload = tmp_path / "upload"
    upload.write_bytes(CONTENT)
    blob = store.adopt(upload)
    assert not upload.exists()
    assert store.read(blob) == CONTENT
    assert store.names() == {blob.name}


@pytest.mark.parametrize("hurt", ["flip", "cut", "gone", "longer"])
@pytest.mark.parametrize("which", [0, 1])
def test_one_bad_copy_is_replaced_from_the_other(store, tmp_path, hurt, which):
    blob = store.put(CONTENT)
    damage(copies(tmp_path, blob)[which], hurt)
    assert store.read(blob) == CONTENT
    assert store.verified(blob).read_bytes() == CONTENT
    assert all(copy.read_bytes() == CONTENT for copy in copies(tmp_path, blob))


def damage(path, how):
    match how:
        case "flip":
            with path.open("r+b") as file:
                file.seek(1_500_000)
                file.write(b"\xff\xfe")
        case "cut":
            os.truncate(path, 17)
        case "gone":
            path.unlink()
        case "longer":
            with path.open("ab") as file:
                file.write(b"x")


@pytest.mark.parametrize("hurt", ["flip", "cut", "gone", "longer"])
def test_when_no_copy_is_whole_the_centre_says_so(store, tmp_path, hurt):
    blob = store.put(CONTENT)
    for copy in copies(tmp_path, blob):
        damage(copy, hurt)
    for attempt in (store.verified, store.read, lambda b: list(store.chunks(b))):
        with pytest.raises(CorruptBlob):
            attempt(blob)


def test_a_stream_of_a_corrupt_copy_ends_in_an_error_not_in_silence(store, tmp_path):
    blob = store.put(CONTENT)
    damage(copies(tmp_path, blob)[0], "flip")
    with pytest.raises(CorruptBlob):
        list(store.chunks(blob))
    store.verified(blob)
    assert b"".join(store.chunks(blob)) == CONTENT


def test_a_failed_write_leaves_nothing(store, tmp_path):
    with pytest.raises(KeyError), store.writer() as writer:
        writer.write(b"half")
        raise KeyError
    assert store.names() == set()
    assert list((tmp_path / "blobs" / "arriving").iterdir()) == []


def test_what_a_killed_process_left_half_written_is_cleared_at_start(store, tmp_path):
    writer = store.writer()
    writer.write(b"half")
    Blobs(tmp_path / "blobs")
    assert list((tmp_path / "blobs" / "arriving").iterdir()) == []
    os.close(writer._file)


@pytest.mark.parametrize(
    ("number", "family"), [(errno.ENOSPC, StorageFull), (errno.EIO, StorageFailed)]
)
@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_disk_that_refuses_is_a_problem_and_leaves_nothing(
    store, tmp_path, monkeypatch, number, family, call
):
    def refuse(*_arguments):
        raise OSError(number, "refused")

    monkeypatch.setattr(blobs_module.os, call, refuse)
    with pytest.raises(family):
        store.put(CONTENT)
    monkeypatch.undo()
    assert store.names() == set()
    assert list((tmp_path / "blobs" / "arriving").iterdir()) == []


def test_a_full_disk_while_copying_leaves_the_upload_to_be_tried_again(
    store, tmp_path, monkeypatch
):
    upload = tmp_path / "upload"
    upload.write_bytes(CONTENT)
    real, calls = os.write, []

    def full_at_the_second(file, data):
        calls.append(file)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "full")
        return real(file, data)

    monkeypatch.setattr(blobs_module.os, "write", full_at_the_second)
    with pytest.raises(StorageFull):
        store.adopt(upload)
    monkeypatch.undo()
    assert store.names() == set()
    assert store.read(store.adopt(upload)) == CONTENT


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "blob_", "blob_\0", "1/2"])
def test_only_names_of_ours_reach_the_file_system(store, name):
    with pytest.raises(Invalid):
        store.read(Blob(name, "0" * 64, 0))


def test_a_removed_blob_is_gone(store):
    blob = store.put(b"x")
    store.remove(blob.name)
    store.remove(blob.name)
    assert store.names() == set()
    with pytest.raises(CorruptBlob):
        store.read(blob)


def test_names_are_not_in_order_of_arrival(store):
    names = [store.put(b"x").name for _ in range(20)]
    assert names != sorted(names)
    assert new_id("blob")[:5] == names[0][:5]


NAME = "blob_" + "a" * 26


def test_an_adoption_that_a_crash_cut_is_asked_for_again_and_gives_one_blob(
    store, tmp_path, monkeypatch
):
    """At each call that reaches the disk: what was left is used or replaced, never another name."""
    upload = tmp_path / "upload"

    class Killed(BaseException):
        pass

    def killing(real, left):
        def call(*arguments):
            left[0] -= 1
            if not left[0]:
                raise Killed
            return real(*arguments)

        return call

    for number in range(1, 12):
        upload.write_bytes(CONTENT)
        left = [number]
        with monkeypatch.context() as patched:
            for place, name in ((os, "fsync"), (os, "write"), (os, "open"), (Path, "rename")):
                patched.setattr(place, name, killing(getattr(place, name), left))
            with suppress(Killed):
                store.adopt(upload, NAME)
        again = store.adopt(upload, NAME)
        assert again == (NAME, hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
        assert [copy.read_bytes() for copy in copies(tmp_path, again)] == [CONTENT, CONTENT]
        assert store.names() == {NAME}
        assert not upload.exists()
        store.remove(NAME)
