"""The file of signed heads beside the book, which who may write to the database cannot reach.

One line a head: size, at (us), root and signature in hex, with a blank between. Lines are only ever added, and on the
disk before anybody is told; once a day what is older than a day is thinned to one an hour, and what is older than a
month to one a day, in a new file that takes the place of the old.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ledger.currency import heads
from ledger.currency.errors import CurrencyError
from ledger.currency.heads import SignedHead
from ledger.currency.town import Town

NAME = "heads"
DAY_US = 86_400_000_000
HOUR_US = DAY_US // 24
_LINE = re.compile(r"([1-9][0-9]{0,18}) ([1-9][0-9]{0,18}) ([0-9a-f]{64}) ([0-9a-f]{128})", re.ASCII)


class Trouble(NamedTuple):
    """Why the head was not signed or not written down: `code` is log_put_back or heads_unwritable.

    `size` is that of the last head that was written down, `reason` what the system said.
    """

    code: str
    detail: str
    size: int = 0
    reason: str = ""


def record(town: Town, path: Path | None) -> Trouble | None:
    """Sign the end of the log, if it grew, and write it down in the table and in the file at `path`.

    Nothing is signed that would contradict the file: a book that was put back to an older copy gets no new heads.
    """
    try:
        last = _last(path) if path is not None else None
        if last is not None and (trouble := _put_back(town, last)) is not None:
            return trouble
        made = heads.keep(town)
        if path is not None:
            # What an earlier try could not write is made up for.
            kept = heads.kept(town)
            append(path, made or ([kept] if kept is not None else []))
    except OSError as error:
        reason = error.strerror or str(error)
        return Trouble("heads_unwritable", f"{path} cannot be written: {reason}", reason=reason)
    return None


def _put_back(town: Town, last: SignedHead) -> Trouble | None:
    """Whether the log is another than the one whose head was written down last."""
    try:
        if heads.at_size(town, last.size).root == last.root:
            return None
    except CurrencyError:  # log_shorter
        pass
    return Trouble(
        "log_put_back",
        f"the log is not the one of which the currency signed {last.size} entries with root {last.root.hex()[:16]}: it "
        "was put back to an older copy, or changed; no more heads are signed. `patard check` says more; keep the file "
        f"{NAME}, and move it away only if you put the copy back yourself",
        last.size,
    )


def read(path: Path) -> tuple[list[SignedHead], list[int]]:
    """The heads in a file, in its order, and the numbers (from 1) of lines that are none. No file: no heads.

    A last line without its end was being written when the machine stopped, and counts for nothing.
    """
    found: list[SignedHead] = []
    wrong: list[int] = []
    for number, line in enumerate(_lines(path), 1):
        head = _head_of(line)
        if head is None:
            wrong.append(number)
        else:
            found.append(head)
    return found, wrong


def append(path: Path, new: Iterable[SignedHead]) -> None:
    """Add those heads that are larger than the last in the file. Raises `OSError`."""
    with _locked(path) as handle:
        text = _lines(path)
        last = next((head for line in reversed(text) if (head := _head_of(line)) is not None), None)
        fresh = [head for head in new if last is None or head.size > last.size]
        if not fresh:
            return
        os.ftruncate(handle, sum(len(_bytes(line)) + 1 for line in text))  # what was cut off is not gone on with
        os.lseek(handle, 0, os.SEEK_END)
        _write(handle, "".join(map(_text, fresh)))
        if last is not None and last.at // DAY_US != fresh[-1].at // DAY_US:
            _replace(path, text + [_text(head).rstrip("\n") for head in fresh], fresh[-1].at)


def thinned(lines: Iterable[str], now: int) -> list[str]:
    """The lines that are kept at the moment `now` (us): all of a day, then the last of each hour, then of each day.

    What is no head is kept, for `check` to find.
    """
    kept: dict[object, str] = {}
    for number, line in enumerate(lines):
        head = _head_of(line)
        age = now - head.at if head is not None else 0
        if head is None or age <= DAY_US:
            kept[number] = line
            continue
        span = HOUR_US if age <= 30 * DAY_US else DAY_US
        place = (span, head.at // span)
        kept.pop(place, None)  # so that the last one stands in its own place
        kept[place] = line
    return list(kept.values())


def _last(path: Path) -> SignedHead | None:
    return next((head for line in reversed(_lines(path)) if (head := _head_of(line)) is not None), None)


def _lines(path: Path) -> list[str]:
    """The whole lines of the file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    return [line.decode("utf-8", "surrogateescape") for line in data.split(b"\n")[:-1]]


def _bytes(line: str) -> bytes:
    return line.encode("utf-8", "surrogateescape")


def _head_of(line: str) -> SignedHead | None:
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    return SignedHead(int(match[1]), int(match[2]), bytes.fromhex(match[3]), bytes.fromhex(match[4]))


def _text(head: SignedHead) -> str:
    return f"{head.size} {head.at} {head.root.hex()} {head.signature.hex()}\n"


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The open file, held against other processes; made where there is none."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if _is_at(handle, path):
                yield handle
                return
        finally:
            os.close(handle)


def _is_at(handle: int, path: Path) -> bool:
    """Whether the file is still the one at `path`: somebody may have thinned it while this waited."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _write(handle: int, text: str) -> None:
    data = _bytes(text)
    while data:
        data = data[os.write(handle, data) :]
    os.fsync(handle)


def _replace(path: Path, lines: list[str], now: int) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        _write(handle, "".join(f"{line}\n" for line in thinned(lines, now)))
        draft.replace(path)
    finally:
        os.close(handle)
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
