"""Ids that stand twice in a file of any length, found in little memory.

Each id goes into one of 64 temporary files by its last bits; in the end one file after the other is sorted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from types import TracebackType

BUCKETS = 64
_ENTRY = 24
_BUFFER = 1 << 15


class Seen:
    """Remembers 16-byte ids and the lines they stood in; use as a context manager."""

    def __init__(self) -> None:
        self._files = [tempfile.TemporaryFile() for _ in range(BUCKETS)]  # noqa: SIM115 -- closed in __exit__
        self._buffers = [bytearray() for _ in range(BUCKETS)]

    def add(self, id_: bytes, line: int) -> None:
        """Remember that `id_` stands in `line`."""
        which = id_[-1] % BUCKETS
        buffer = self._buffers[which]
        buffer += id_ + line.to_bytes(8)
        if len(buffer) >= _BUFFER:
            self._files[which].write(buffer)
            buffer.clear()

    def repeated(self) -> Iterator[tuple[int, int]]:
        """Each line whose id stood before, with the first line of that id; in no particular order."""
        for file, buffer in zip(self._files, self._buffers, strict=True):
            file.write(buffer)
            buffer.clear()
            file.seek(0)
            data = file.read()
            entries = sorted(data[at : at + _ENTRY] for at in range(0, len(data), _ENTRY))
            first = b""
            for entry in entries:
                if entry[:16] == first[:16]:
                    yield int.from_bytes(entry[16:]), int.from_bytes(first[16:])
                else:
                    first = entry

    def __enter__(self) -> Seen:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files:
            file.close()
