"""Frames as RFC 6455 has them: ours are read by a peer's parser, a peer's are read by ours, bytes are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame as TheirFrame
from websockets.frames import Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from trading.ground.frames import CLOSE, PING, TEXT, FrameError, closing, control, frame, read

LIMIT = 4096


def peer():
    return ClientProtocol(parse_uri("ws://x/"), state=State.OPEN, max_size=None)


def read_by_a_peer(data):
    client = peer()
    client.receive_data(data)
    (event,) = client.events_received()
    return event


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 200_000])
def test_our_text_frames_are_what_a_peer_reads(size):
    assert read_by_a_peer(frame(b"x" * size)) == TheirFrame(Opcode.TEXT, b"x" * size)


def test_our_control_frames_are_what_a_peer_reads():
    assert read_by_a_peer(control(PING, b"abc")) == TheirFrame(Opcode.PING, b"abc")
    client = peer()
    client.receive_data(closing(4008, "慢" * 100))
    assert client.close_rcvd.code == 4008


@given(st.binary(max_size=LIMIT), st.sampled_from([Opcode.TEXT, Opcode.BINARY]), st.binary())
def test_a_peers_frames_are_read_whole_and_only_whole(payload, opcode, behind):
    data = TheirFrame(opcode, payload).serialize(mask=True)
    found = read(b"??" + data + behind, 2, LIMIT)
    assert (found.opcode, found.final, found.payload) == (int(opcode), True, payload)
    assert found.end == 2 + len(data)
    for cut in {0, 1, 2, 3, 5, len(data) - 1}:
        if cut < len(data):
            assert read(data[:cut], 0, LIMIT) is None


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"\x81\x01x", 1002),  # not masked
        (b"\xc1\x80", 1002),  # a reserved bit: deflate, which was not agreed
        (b"\x83\x80", 1002),  # an opcode that does not exist
        (b"\x09\x80", 1002),  # a ping in parts
        (b"\x89\xfe\x00\x7e", 1002),  # a ping that is long
        (b"\x81\xfe\x10\x01", 1009),  # 4,097 bytes, said before they come
        (b"\x81\xff" + b"\xff" * 8, 1009),
    ],
)
def test_what_is_no_frame_or_too_long_is_refused_at_its_head(head, code):
    with pytest.raises(FrameError) as caught:
        read(head, 0, LIMIT)
    assert caught.value.code == code


@given(st.binary(max_size=64))
def test_no_bytes_make_the_reader_fail_otherwise(data):
    try:
        found = read(data, 0, LIMIT)
    except FrameError:
        return
    assert found is None or found.opcode in {0, TEXT, 2, CLOSE, PING, 10}
