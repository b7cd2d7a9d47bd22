import io
import threading
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.age.stream import (
    CHUNK_BYTES,
    CHUNKS_PER_BLOCK,
    IterableSource,
    PayloadReader,
    decrypt_payload,
    encrypt_payload,
)
from crypto.errors import AuthenticationError, CryptoError

KEY, NONCE = bytes(16), bytes(range(16))
BLOCK = CHUNKS_PER_BLOCK * CHUNK_BYTES
SEALED = CHUNK_BYTES + 16
# every border of a chunk and of a block, one byte below and one above
SIZES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES]
SIZES += [n * BLOCK + d for n in (1, 2, 3) for d in (-1, 0, 1)]
PATTERN = bytes(i * i % 251 for i in range(4 * BLOCK))


def encrypt(data, threads=1, source=None):
    out = io.BytesIO()
    encrypt_payload(source or io.BytesIO(data), KEY, NONCE, out.write, threads)
    return out.getvalue()


def decrypt(data, threads=1):
    out = io.BytesIO()
    decrypt_payload(io.BytesIO(data), KEY, out.write, threads)
    return out.getvalue()


@pytest.mark.parametrize("size", SIZES)
def test_one_thread_two_threads_and_the_reader_agree_at_every_border(size):
    data = PATTERN[:size]
    sealed = encrypt(data)
    assert encrypt(data, 2) == sealed
    assert len(sealed) == 16 + size + 16 * max(1, -(-size // CHUNK_BYTES))
    assert decrypt(sealed) == decrypt(sealed, 2) == data
    reader = PayloadReader(io.BytesIO(sealed), KEY)
    assert b"".join(reader) == data
    assert reader.verified


class Dribble:
    """A source that gives a few bytes at a time, as a pipe may."""

    def __init__(self, data, steps):
        self.file, self.steps, self.turn = io.BytesIO(data), steps, 0

    def readinto(self, buffer):
        self.turn += 1
        return self.file.readinto(buffer[: self.steps[self.turn % len(self.steps)]])


@given(st.lists(st.integers(1, 200_000), min_size=1, max_size=5), st.sampled_from([1, 2]))
@settings(max_examples=20)
def test_short_reads_change_nothing(steps, threads):
    data = PATTERN[: BLOCK + 12_345]
    steps = [max(step, 2000) for step in steps]
    assert encrypt(b"", threads, Dribble(data, steps)) == encrypt(data)


@given(st.lists(st.binary(max_size=50) | st.just(PATTERN[:70_000]), max_size=6))
@settings(max_examples=30)
def test_a_generator_serves_as_source(parts):
    assert encrypt(b"", 2, IterableSource(iter(parts))) == encrypt(b"".join(parts))


PAYLOAD = encrypt(PATTERN[: 2 * CHUNK_BYTES + 5])
CHUNKS = [
    PAYLOAD[16 : 16 + SEALED],
    PAYLOAD[16 + SEALED : 16 + 2 * SEALED],
    PAYLOAD[16 + 2 * SEALED :],
]
FIRST, SECOND, LAST = CHUNKS


@pytest.mark.parametrize(
    "chunks",
    [
        [],
        [FIRST],
        [FIRST, SECOND],
        [FIRST, LAST],
        [SECOND, FIRST, LAST],
        [FIRST, FIRST, SECOND, LAST],
        [FIRST, SECOND, LAST, LAST],
        [FIRST, SECOND, LAST, b"x"],
        [FIRST, SECOND, LAST[:-1]],
        [LAST],
        [encrypt(b"")[16:], FIRST],
        [FIRST, SECOND, LAST[:15]],
    ],
    ids=range(12),
)
@pytest.mark.parametrize("threads", [1, 2])
def test_cut_reordered_doubled_and_spliced_payloads_are_refused(chunks, threads):
    data = PAYLOAD[:16] + b"".join(chunks)
    with pytest.raises(AuthenticationError):
        decrypt(data, threads)
    reader = PayloadReader(io.BytesIO(data), KEY)
    with pytest.raises(AuthenticationError):
        list(reader)
    assert not reader.verified


def test_an_empty_last_chunk_behind_others_is_refused():
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    from crypto.age.stream import payload_key

    aead = ChaCha20Poly1305(payload_key(KEY, NONCE))
    full = aead.encrypt((0).to_bytes(12), PATTERN[:CHUNK_BYTES], None)
    empty = aead.encrypt((1 << 8 | 1).to_bytes(12), b"", None)
    with pytest.raises(AuthenticationError):
        decrypt(NONCE + full + empty)


@given(st.integers(0, len(PAYLOAD) - 1), st.integers(1, 255), st.sampled_from([1, 2]))
def test_one_changed_byte_anywhere_is_found(place, change, threads):
    data = bytearray(PAYLOAD)
    data[place] ^= change
    with pytest.raises(AuthenticationError):
        decrypt(bytes(data), threads)


@given(st.binary(max_size=100))
def test_random_bytes_raise_only_our_family(data):
    with pytest.raises(CryptoError):
        decrypt(data)
    with pytest.raises(CryptoError):
        list(PayloadReader(io.BytesIO(data), KEY))


class ExpectedError(Exception):
    pass


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("after", [0, 1, 5])
def test_an_error_of_the_source_or_the_sink_comes_out_and_no_thread_stays(threads, after):
    def parts():
        for _ in range(after):
            yield PATTERN[:BLOCK]
        raise ExpectedError

    with pytest.raises(ExpectedError):
        encrypt(b"", threads, IterableSource(parts()))

    written = []

    def write(data):
        if len(written) == after:
            raise ExpectedError
        written.append(len(data))

    with pytest.raises(ExpectedError):
        encrypt_payload(io.BytesIO(PATTERN * 2), KEY, NONCE, write, threads)
    assert [thread.name for thread in threading.enumerate() if thread.name == "age"] == []


def test_no_other_number_of_threads_is_taken():
    for threads in (0, 3):
        with pytest.raises(ValueError, match="one or two"):
            encrypt(b"", threads)


def test_memory_stays_constant():
    source = IterableSource(PATTERN[:BLOCK] for _ in range(60))
    tracemalloc.start()
    encrypt_payload(source, KEY, NONCE, len, 2)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 * BLOCK  # two threads, two buffers each, and the source's own part
