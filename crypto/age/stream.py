"""The payload of an age file: 64 KiB chunks of ChaCha20-Poly1305, by one or two threads.

Blocks of 16 chunks pass through two reused buffers per thread, so memory stays constant whatever
the size. With two threads each takes the next block whole: reading happens in turn, encryption
side by side (OpenSSL works outside the interpreter lock), writing in turn. Source: age.md,
"Payload" (STREAM).
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from crypto import hkdf
from crypto.encoding import Bytes
from crypto.errors import AuthenticationError, FormatError

CHUNK_BYTES: Final = 64 * 1024
TAG_BYTES: Final = 16
NONCE_BYTES: Final = 16
CHUNKS_PER_BLOCK: Final = 16
"""1 MiB: large enough that a system call costs nothing, small enough to stay in the cache."""

_SEALED_CHUNK: Final = CHUNK_BYTES + TAG_BYTES
_PLAIN_BLOCK: Final = CHUNKS_PER_BLOCK * CHUNK_BYTES
_SEALED_BLOCK: Final = CHUNKS_PER_BLOCK * _SEALED_CHUNK

Write = Callable[[memoryview], object]
"""Takes all bytes it is given before it returns; the buffer is reused afterwards."""


class Source(Protocol):
    """What a payload is read from: a binary file, buffered or not.

    It is read by one thread at a time, with two workers not always by the same.
    """

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill some of `buffer`, return how much; 0 at the end."""
        ...


class IterableSource:
    """Makes a source of byte strings that a generator produces, e.g. a tar as it is built."""

    def __init__(self, parts: Iterable[Bytes]) -> None:
        """Read `parts` one after the other; empty ones are allowed."""
        self._parts: Iterator[Bytes] = iter(parts)
        self._rest = memoryview(b"")

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill some of `buffer` from the current part; 0 when the parts are used up."""
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = memoryview(part).cast("B")
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def payload_key(file_key: bytes, nonce: bytes) -> bytes:
    """Return the 32-byte key of the payload."""
    return hkdf.derive(file_key, nonce, b"payload")


def encrypt_payload(
    source: Source, file_key: bytes, nonce: bytes, write: Write, threads: int = 1
) -> None:
    """Encrypt everything `source` holds.

    Args:
        source: the plaintext.
        file_key: 16 bytes.
        nonce: 16 fresh random bytes; this function writes them first.
        write: takes the payload in order.
        threads: 1 (all in the calling thread) or 2.
    """
    aead = ChaCha20Poly1305(payload_key(file_key, nonce))
    write(memoryview(nonce))

    def work(index: int, data: memoryview, last: bool, out: memoryview) -> int:
        done = 0
        # An empty payload is one empty final chunk; no other chunk is empty.
        for number, start in enumerate(range(0, max(len(data), 1), CHUNK_BYTES)):
            chunk = data[start : start + CHUNK_BYTES]
            final = last and start + CHUNK_BYTES >= len(data)
            place = out[done : done + len(chunk) + TAG_BYTES]
            done += aead.encrypt_into(
                _nonce(index * CHUNKS_PER_BLOCK + number, final), chunk, None, place
            )
        return done

    _run(source, work, write, _PLAIN_BLOCK, _SEALED_BLOCK, threads)


def decrypt_payload(source: Source, file_key: bytes, write: Write, threads: int = 1) -> None:
    """Decrypt a payload; what was written is only to be believed once this returns.

    Args:
        source: stands at the payload's nonce, right behind the header.
        file_key: 16 bytes.
        write: takes the plaintext in order, chunks that are authentic each by itself; whether the
            file is whole is known only at the end.
        threads: 1 or 2.

    Raises:
        FormatError: the payload is shorter than its nonce.
        AuthenticationError: a chunk was changed, moved, cut off or added.
    """
    aead = ChaCha20Poly1305(payload_key(file_key, read_nonce(source)))

    def work(index: int, data: memoryview, last: bool, out: memoryview) -> int:
        done = 0
        for number, start in enumerate(range(0, max(len(data), 1), _SEALED_CHUNK)):
            chunk = data[start : start + _SEALED_CHUNK]
            final = last and start + _SEALED_CHUNK >= len(data)
            position = index * CHUNKS_PER_BLOCK + number
            _check_length(len(chunk), position)
            place = out[done : done + len(chunk) - TAG_BYTES]
            try:
                done += aead.decrypt_into(_nonce(position, final), chunk, None, place)
            except InvalidTag as error:
                raise _broken(position) from error
        return done

    _run(source, work, write, _SEALED_BLOCK, _PLAIN_BLOCK, threads)


class PayloadReader:
    """Plaintext as a stream of byte strings of at most 64 KiB.

    `verified` turns true after the last chunk: only then is the file known to be whole, and only
    then may anything of it be acted on.
    """

    def __init__(self, source: Source, file_key: bytes) -> None:
        """Stand at the payload's nonce, right behind the header."""
        self._source = source
        self._file_key = file_key
        self.verified = False

    def __iter__(self) -> Iterator[bytes]:
        """Yield the chunks in order, once.

        Raises:
            FormatError, AuthenticationError: as `decrypt_payload`.
        """
        aead = ChaCha20Poly1305(payload_key(self._file_key, read_nonce(self._source)))
        blocks = _Blocks(self._source, _SEALED_CHUNK)
        buffer = bytearray(_SEALED_CHUNK + 1)
        last = False
        position = 0
        while not last:
            size, last = blocks.fill(buffer)
            _check_length(size, position)
            try:
                chunk = aead.decrypt(_nonce(position, last), memoryview(buffer)[:size], None)
            except InvalidTag as error:
                raise _broken(position) from error
            position += 1
            if chunk:
                yield chunk
        self.verified = True


def read_nonce(source: Source) -> bytes:
    """Read the 16 bytes behind the header.

    Raises:
        FormatError: there are fewer.
    """
    nonce = bytearray(NONCE_BYTES)
    if _fill(source, memoryview(nonce)) < NONCE_BYTES:
        raise FormatError("the age file ends within its payload's nonce")
    return bytes(nonce)


def _nonce(position: int, final: bool) -> bytes:
    """11 bytes of chunk counter, one byte that marks the last chunk."""
    return (position << 8 | final).to_bytes(12)


def _check_length(size: int, position: int) -> None:
    # A chunk that holds nothing but its tag is right only as the whole of an empty payload.
    if size < TAG_BYTES or (size == TAG_BYTES and position > 0):
        raise AuthenticationError(f"the payload is cut off or continued at chunk {position}")


def _broken(position: int) -> AuthenticationError:
    return AuthenticationError(
        f"chunk {position} of the payload is not authentic: the file was changed, cut off or "
        "continued, or the key is another"
    )


def _fill(source: Source, target: memoryview) -> int:
    done = 0
    while done < len(target):
        size = source.readinto(target[done:])
        if not size:
            break
        done += size
    return done


class _Blocks:
    """Cuts a source into blocks and knows of each whether it is the last.

    That takes one byte of the next block, which is carried over to it.
    """

    def __init__(self, source: Source, block: int) -> None:
        self._source = source
        self._block = block
        self._carry = b""

    def fill(self, buffer: bytearray) -> tuple[int, bool]:
        """Fill `buffer`, one byte longer than a block; return the block's size and if it is last."""
        view = memoryview(buffer)
        start = len(self._carry)
        view[:start] = self._carry
        size = start + _fill(self._source, view[start:])
        if size <= self._block:
            return size, True
        self._carry = bytes(view[self._block :])
        return self._block, False


Work = Callable[[int, memoryview, bool, memoryview], int]
"""(index of block, its bytes, is it the last, room for the result) → size of the result."""


def _run(
    source: Source, work: Work, write: Write, block: int, out_block: int, threads: int
) -> None:
    if threads not in (1, 2):
        raise ValueError("a payload is worked on by one or two threads")
    line = _Line(_Blocks(source, block), work, write, block + 1, out_block)
    helpers = [threading.Thread(target=line.run, name="age") for _ in range(threads - 1)]
    for helper in helpers:
        helper.start()
    try:
        line.run()
    finally:
        for helper in helpers:
            helper.join()
    line.raise_failure()


class _Line:
    """One payload under work; every thread runs `run` until the source is empty or one failed."""

    def __init__(
        self, blocks: _Blocks, work: Work, write: Write, in_bytes: int, out_bytes: int
    ) -> None:
        self._blocks, self._work, self._write = blocks, work, write
        self._in_bytes, self._out_bytes = in_bytes, out_bytes
        self._reading = threading.Lock()
        self._next = 0
        self._ended = False
        self._turn = threading.Condition()
        self._written = 0
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Take blocks until none is left; a failure is kept for `raise_failure`."""
        try:
            inbox, outbox = bytearray(self._in_bytes), memoryview(bytearray(self._out_bytes))
            while (block := self._take(inbox)) is not None:
                index, size, last = block
                done = self._work(index, memoryview(inbox)[:size], last, outbox)
                self._put(index, outbox[:done])
        except BaseException as failure:  # noqa: BLE001 - it is raised in the calling thread
            with self._turn:
                self._failure = self._failure or failure
                self._turn.notify_all()

    def raise_failure(self) -> None:
        """Raise what went wrong first, in whichever thread."""
        if self._failure is not None:
            raise self._failure

    def _take(self, inbox: bytearray) -> tuple[int, int, bool] | None:
        with self._reading:
            if self._ended or self._failure is not None:
                return None
            size, last = self._blocks.fill(inbox)
            index, self._next, self._ended = self._next, self._next + 1, last
            return index, size, last

    def _put(self, index: int, data: memoryview) -> None:
        with self._turn:
            self._turn.wait_for(lambda: self._written == index or self._failure is not None)
            if self._failure is not None:
                return
        # Nobody else writes until this block's number is passed on.
        self._write(data)
        with self._turn:
            self._written += 1
            self._turn.notify_all()
