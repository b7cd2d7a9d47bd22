"""The load generator's bidders look at the hall: once overtaken, they do not offer below the price for ever."""

import re
import shutil
import socket
import struct
import subprocess

import pytest

from clients.bench import native
from clients.bench.arena import frame

LINES = 4
EACH = 6


def plan(path):
    """Messages that say their number: message n of line l is offer n * LINES + l."""
    parts = [struct.pack("<I", LINES)]
    for line in range(LINES):
        messages = [frame(b'{"n":%d}' % (turn * LINES + line)) for turn in range(EACH)]
        head = b"GET / HTTP/1.1\r\n\r\n", frame(b'{"line":%d}' % line)
        parts += [struct.pack("<I", len(part)) + part for part in head]
        parts.append(struct.pack("<I", EACH))
        parts += [struct.pack("<I", len(part)) + part for part in messages]
    path.write_bytes(b"".join(parts))
    return path


class Desk:
    """One bidder's socket, on the centre's side."""

    def __init__(self, server):
        self.socket, _ = server.accept()
        self.socket.settimeout(20)
        while not self.socket.recv(4096).endswith(b"\r\n\r\n"):
            continue
        self.socket.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        self.number = self.hear()

    def hear(self):
        return int(re.search(rb":(\d+)", self.socket.recv(4096)).group(1))

    def tell(self, text):
        self.socket.sendall(bytes((0x81, len(text))) + text)


@pytest.mark.skipif(
    shutil.which("cc") is None and shutil.which("gcc") is None, reason="no compiler"
)
def test_amounts_rise_whatever_the_order_of_the_answers(tmp_path):
    load = native.load(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        command = [
            load,
            "bid",
            "127.0.0.1",
            str(server.getsockname()[1]),
            plan(tmp_path / "plan"),
            "9",
            "0",
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            desks = sorted((Desk(server) for _ in range(LINES)), key=lambda desk: desk.number)
            for desk in desks:
                desk.tell(b'{"type":"entered"}')
            heard = [desk.hear() for desk in desks]
            for line in (2, 3, 0, 1, 1, 0):  # 0 and 1 are overtaken; later they change places
                desks[line].tell(b'{"ok":true}')
                heard.append(desks[line].hear())
            for desk in desks:
                desk.socket.close()
            child.wait(20)
    assert heard == [0, 1, 2, 3, 6, 7, 8, 9, 13, 16]
