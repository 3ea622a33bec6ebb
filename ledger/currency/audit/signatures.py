"""Signatures that the audit has met, verified by as many processes as there are processors.

A signature costs more than all else that is done for a payment. Threads of one process are of no use here: each would
wait for the interpreter after every single one. So the walk through the log hands signatures over in chunks, to
processes that run this module and know nothing else (`python -m ledger.currency.audit.signatures`); how many chunks
are on their way is bounded, and so is the memory, whatever the size of the book. A log with few signatures is not worth
the start of a process.
"""

from __future__ import annotations

import fcntl
import marshal
import os
import select
import signal
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from nacl._sodium import ffi, lib

from ledger.currency.keys import KEY_BYTES, SIGNATURE_BYTES, verify

CHUNK = 256
"""Signatures handed over at once: some 15 ms of work, 50 kB."""
AHEAD = 16
"""Chunks that one process may have before it, so that it never waits for the next."""
PIPE = 1 << 20
"""Bytes of a pipe that holds all of them: else whoever hands one over waits until another was taken out."""
WORTH = 8
"""Chunks from which on processes are started."""
MOST_WORKERS = 4
"""Processes that verify as fast as one walks through the log."""

_LENGTH = struct.Struct("<I")
_OPENED = ffi.new("unsigned char[]", 1_024)
_OPENED_LENGTH = ffi.new("unsigned long long *")
"""Where libsodium puts the message of a signature that is right. Nobody looks."""


class Signed(NamedTuple):
    """A signature that somebody must have made: what a judge yields of it. `code` and `text` say so where it is wrong.

    `key` signed exactly `message`, domain and all; whether it was allowed to is the judge's to say.
    """

    key: bytes
    signature: bytes
    message: bytes
    code: str
    text: str


class Wrong(NamedTuple):
    """A signature that is not right. `number` counts signatures as they were handed in."""

    number: int
    seq: int
    id: bytes
    code: str
    text: str


_Job = tuple[bytes, bytes, bytes]
"""Key, signature and message."""


class _Chunk(NamedTuple):
    """Signatures to verify, from number `first` on, and for each the entry it is of (seq and id), code and text."""

    first: int
    jobs: list[_Job]
    places: list[tuple[int, bytes, str, str]]

    def judged(self, wrong: Iterable[int]) -> Iterator[Wrong]:
        return (Wrong(self.first + index, *self.places[index]) for index in wrong)

    def next(self) -> _Chunk:
        return _Chunk(self.first + len(self.jobs), [], [])


class Signatures:
    """Takes signatures in, and gives those that are wrong once they are known; none is kept longer.

    `workers` processes at the most (None: as many as make sense here, 0: none).
    """

    def __init__(self, workers: int | None = None) -> None:
        processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._most = (min(processors, MOST_WORKERS) if processors > 1 else 0) if workers is None else workers
        self._workers: list[_Worker] = []
        self._chunk = _Chunk(0, [], [])
        self._waiting: deque[_Chunk] = deque()
        self._wrong: list[Wrong] = []

    def __enter__(self) -> Signatures:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.end()
        self._workers.clear()

    def add(self, seq: int, id_: bytes, signed: Signed) -> None:
        """Have a signature of the entry `seq` verified."""
        chunk = self._chunk
        key, signature, message, code, text = signed
        chunk.jobs.append((key, signature, message))
        chunk.places.append((seq, id_, code, text))
        if len(chunk.jobs) == CHUNK:
            self._waiting.append(chunk)
            self._chunk = chunk.next()
            self._hand_over()

    def wrong(self) -> list[Wrong]:
        """Those found since the last call, in no order."""
        found, self._wrong = self._wrong, []
        return found

    def finish(self) -> None:
        """Wait until every signature is verified."""
        self._waiting.append(self._chunk)
        self._chunk = self._chunk.next()
        while self._waiting and self._workers:
            self._send(self._waiting.popleft())
        while self._waiting:
            self._do(self._waiting.popleft())
        while any(worker.chunks for worker in self._workers):
            self._collect(None)

    def _hand_over(self) -> None:
        if not self._most:
            self._do(self._waiting.popleft())
            return
        if not self._workers:
            if len(self._waiting) < WORTH:
                return
            self._workers = [_Worker() for _ in range(self._most)]
        while self._waiting and self._workers:
            self._send(self._waiting.popleft())

    def _do(self, chunk: _Chunk) -> None:
        self._wrong += chunk.judged(wrong_of(chunk.jobs))

    def _send(self, chunk: _Chunk) -> None:
        """Give a chunk to whoever has the least to do, once somebody has room for it."""
        self._collect(0)
        while True:
            worker = min(self._workers, key=lambda one: len(one.chunks), default=None)
            if worker is None:
                self._do(chunk)
                return
            if len(worker.chunks) < AHEAD:
                break
            self._collect(None)
        if not worker.send(chunk):
            self._bury(worker)

    def _collect(self, seconds: float | None) -> None:
        """Take the answers that are there; wait for one so long (None: until there is one)."""
        busy = {worker.answers: worker for worker in self._workers if worker.chunks}
        for answers in select.select(list(busy), [], [], seconds)[0] if busy else ():
            worker = busy[answers]
            chunk, wrong = worker.chunks[0], worker.receive()
            if wrong is None:
                self._bury(worker)
            else:
                worker.chunks.popleft()
                self._wrong += chunk.judged(wrong)

    def _bury(self, worker: _Worker) -> None:
        """A process that died (its memory was wanted elsewhere, say) leaves its work to this one."""
        self._workers.remove(worker)
        worker.end()
        while worker.chunks:
            self._do(worker.chunks.popleft())
        if not self._workers:
            self._most = 0


class _Worker:
    """A process that verifies, and the chunks that it has not answered yet."""

    def __init__(self) -> None:
        root = str(Path(__file__).resolve().parents[3])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ledger.currency.audit.signatures"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, bufsize=0, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )  # fmt: skip
        assert self._process.stdin is not None and self._process.stdout is not None
        self._questions: IO[bytes] = self._process.stdin
        self.answers: IO[bytes] = self._process.stdout
        _widen(self._questions)
        self.chunks: deque[_Chunk] = deque()

    def send(self, chunk: _Chunk) -> bool:
        """Hand a chunk over; whether somebody was there to take it."""
        self.chunks.append(chunk)
        data = memoryview(_framed(marshal.dumps(chunk.jobs)))
        try:
            while data:
                data = data[self._questions.write(data) :]
        except OSError:
            return False
        return True

    def receive(self) -> list[int] | None:
        """The answer to the oldest chunk: which of its signatures are wrong. None where there is nobody any more."""
        data = _read(self.answers)
        return None if data is None else marshal.loads(data)

    def end(self) -> None:
        """Let the process go."""
        self._questions.close()
        self._process.kill()
        self._process.wait()
        self.answers.close()


def wrong_of(jobs: Sequence[_Job]) -> list[int]:
    """Which of these signatures are not right."""
    return [index for index, job in enumerate(jobs) if not is_right(*job)]


def is_right(key: bytes, signature: bytes, message: bytes) -> bool:
    """What `keys.verify` says, in half the time where it says yes.

    libsodium takes nothing that OpenSSL and the rules for keys do not take, and refuses some things more: so its yes
    counts, and after its no they are asked.
    """
    if len(key) == KEY_BYTES and len(signature) == SIGNATURE_BYTES:
        # Past PyNaCl's own function, which copies the message three times and takes an eighth longer for it.
        signed = signature + message
        opened = _OPENED if len(signed) <= len(_OPENED) else ffi.new("unsigned char[]", len(signed))
        if lib.crypto_sign_open(opened, _OPENED_LENGTH, signed, len(signed), key) == 0:
            return True
    return verify(key, signature, message)


def _widen(pipe: IO[bytes]) -> None:
    """Let a pipe hold `PIPE` bytes where the system lets us; a narrow one is slower and does as well."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        try:
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE)
        except OSError:
            pass  # this user has wide pipes enough


def _framed(data: bytes) -> bytes:
    return _LENGTH.pack(len(data)) + data


def _read(stream: IO[bytes]) -> bytes | None:
    """A frame; None at the end of the stream."""
    head = _exactly(stream, _LENGTH.size)
    return None if head is None else _exactly(stream, _LENGTH.unpack(head)[0])


def _exactly(stream: IO[bytes], size: int) -> bytes | None:
    data = b""
    while len(data) < size:
        more = stream.read(size - len(data))
        if not more:
            return None
        data += more
    return data


def main() -> None:
    """Answer chunks until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asked decides when it is over
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    while (data := _read(questions)) is not None:
        answers.write(_framed(marshal.dumps(wrong_of(marshal.loads(data)))))
        answers.flush()


if __name__ == "__main__":
    main()
