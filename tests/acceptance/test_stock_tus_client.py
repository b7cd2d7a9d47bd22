"""A stock tus client (tuspy) uploads a sealed bid over a real connection, is cut, and goes on where the centre stands."""

from __future__ import annotations

import io
import socket
import threading
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed
from tusclient.storage.filestorage import FileStorage

from tests.acceptance.hostile.served import Served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bidding.centre import Bidder

CUT = 1_500_000  # bytes that get through before the line is cut
CHUNK = 1 << 20


class Content(io.BytesIO):
    """A file's bytes; the client closes what it is given and goes on reading it."""

    def close(self) -> None:
        """Stay open."""


class Line:
    """A line to the centre that is cut once, after so many bytes of what the client sends."""

    def __init__(self, address: str, budget: int | None) -> None:
        host, _, port = address.partition(":")
        self._target = (host, int(port))
        self.budget = budget
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/api/v1/uploads"
        self._ends = [self._listening]
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def close(self) -> None:
        """Hang up everywhere."""
        for end in self._ends:
            with suppress(OSError):  # it is shut already
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(20)
        for end in self._ends:
            end.close()

    def _start(self, target: Any, *given: Any) -> None:
        self._threads.append(threading.Thread(target=target, args=given, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            self._ends += [client, server]
            self._start(self._carry, client, server, True)
            self._start(self._carry, server, client, False)

    def _carry(self, source: socket.socket, target: socket.socket, sending: bool) -> None:
        try:
            while data := source.recv(65_536):
                if sending and self.budget is not None:
                    data, self.budget = data[: self.budget], self.budget - len(data)
                    if self.budget <= 0:
                        self.budget = None
                        target.sendall(data)
                        break
                target.sendall(data)
        except OSError:
            pass  # the other half has hung up
        for end in (source, target):
            with suppress(OSError):  # it is closed already
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, stored_by_all: str) -> Iterator[Served]:
    """A centre that takes bids, behind its real server."""
    with Served(tmp_path_factory.mktemp("tus") / "home") as made:
        made.first_people()
        made.set_up(deadline=made.clock.now() // 1000 * 1000 + 3_600_000)
        yield made


def client(url: str, bidder: Bidder) -> TusClient:
    return TusClient(url, headers={"Authorization": f"Bearer {bidder.who.token}"})


def settled(served: Served, bidder: Bidder, arrived: int) -> None:
    """Wait until the centre has heard that the line is cut, and holds at least so many bytes."""
    within = time.monotonic() + 60
    desk = served.bidding.uploads
    while desk.find(bidder.upload, bidder.who.organisation).offset < arrived:
        assert time.monotonic() < within


@pytest.mark.parametrize("checksum", [False, True])
def test_a_bid_is_uploaded_cut_resumed_and_submitted(
    served: Served, tmp_path: Path, checksum: bool
) -> None:
    bidder = served.seal(served.bidder(1 + checksum), "46382715.40", times=120_000)
    assert bidder.file is not None
    size = bidder.file.stat().st_size
    assert size > CUT + CHUNK
    storage = FileStorage(str(tmp_path / "known.json"))
    line = Line(served.address, CUT)
    with closing(storage), closing(line):
        file = Content(bidder.file.read_bytes())
        how: dict[str, Any] = {
            "file_stream": file, "chunk_size": CHUNK, "upload_checksum": checksum,
            "store_url": True, "url_storage": storage, "retry_delay": 0,
        }  # fmt: skip
        cut = client(line.url, bidder).uploader(**how)
        with pytest.raises((TusCommunicationError, TusUploadFailed)):
            cut.upload()
        bidder.upload = cut.url.rsplit("/", 1)[1]
        # With a checksum a chunk is taken whole or not at all; without one, what arrived stays.
        settled(served, bidder, CHUNK if checksum else CHUNK + 1)
        # As in another process: from what it stored.
        again = client(line.url, bidder).uploader(**how, retries=5)
        assert again.url == cut.url
        assert CHUNK <= again.offset < size
        assert (again.offset == CHUNK) == checksum
        again.upload()
        assert again.offset == size
    answer = served.post(
        f"/sections/{served.section}/submissions",
        {**bidder.submission, "upload": bidder.upload},
        bidder.who,
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["statement"]["size"] == size
    kept = served.bidding.room.keyed(served.section).kept[answer.json()["statement"]["entry"]["id"]]
    assert kept.blob is not None
    assert served.ground.blobs.read(kept.blob) == bidder.file.read_bytes()


def test_another_bidder_cannot_go_on_with_it(served: Served, tmp_path: Path) -> None:
    bidder, other = served.seal(served.bidder(3), "1.00"), served.bidder(4)
    assert bidder.file is not None
    url = f"http://{served.address}/api/v1/uploads"
    file = Content(bidder.file.read_bytes())
    uploader = client(url, bidder).uploader(file_stream=file, chunk_size=1000)
    uploader.upload(stop_at=1000)
    with pytest.raises(TusCommunicationError):
        client(url, other).uploader(file_stream=file, url=uploader.url)
