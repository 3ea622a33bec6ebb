"""Files that a crash cannot spoil: written whole or not at all, for the owner's eyes only, behind one lock.

A file is written beside its place, flushed to the disk, and renamed; then the folder is flushed, so that the new
name itself survives a power cut. `kill -9` at any moment leaves the old file or the new one, and perhaps a `.tmp`,
which the next command that holds the lock removes.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wallet_cli.errors import Exit, WalletError
from wallet_cli.words import _

LOCK_SECONDS = 5.0
_MAX_FILE = 1_000_000


def make_folder(path: Path) -> None:
    """Make a folder that only its owner may enter; close one that stands open to others."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_mode & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise unusable(path, error) from error


def write(path: Path, data: bytes, *, overwrite: bool = True) -> None:
    """Put `data` at `path` with mode 0600, durably. With `overwrite` off, an existing file is left: FileExistsError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(data)
                out.flush()
                os.fsync(handle)
            if overwrite:
                temporary.replace(path)
            else:
                os.link(temporary, path)  # unlike a rename, this fails where something stands
        finally:
            temporary.unlink(missing_ok=True)
        flush_folder(path.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise unusable(path, error) from error


def flush_folder(path: Path) -> None:
    """Make the names in a folder survive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Remove a file durably; one that is gone already is fine."""
    try:
        path.unlink(missing_ok=True)
        flush_folder(path.parent)
    except OSError as error:
        raise unusable(path, error) from error


def set_aside(path: Path) -> None:
    """Give a file another name, so that its place is free and nothing is lost."""
    try:
        path.rename(path.with_name(f"{path.name}.{time.strftime('%Y%m%d%H%M%S')}.old"))
        flush_folder(path.parent)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise unusable(path, error) from error


def write_json(path: Path, value: Any, *, overwrite: bool = True) -> None:
    """`write` for a JSON value, readable for whoever looks into the folder."""
    write(path, json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n", overwrite=overwrite)


def read(path: Path) -> bytes | None:
    """The file's bytes, None where there is no file."""
    try:
        with path.open("rb") as source:
            return source.read(_MAX_FILE)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable(path, error) from error


def read_json(path: Path) -> Any:
    """The file's JSON value, None where there is no file."""
    data = read(path)
    if data is None:
        return None
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise damaged(path) from error


def damaged(path: Path) -> WalletError:
    """The error for a file that is not what this program wrote."""
    text = _("{path} is damaged. Restore it from a backup, or ask the association for a new join code.")
    return WalletError(Exit.FILES, "file_damaged", text.format(path=path))


def unusable(path: Path, error: OSError) -> WalletError:
    """The error for a file that cannot be read or written."""
    text = _("{path} cannot be used: {reason}.").format(path=path, reason=error.strerror or error)
    return WalletError(Exit.FILES, "file_unusable", text)


@contextmanager
def locked(folder: Path, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold the wallet of `folder` alone; the system lets go of it when this process ends, however it ends.

    Raises `WalletError` (LOCKED) when another command holds it for longer than `seconds`.
    """
    path = folder / "lock"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unusable(path, error) from error
    try:
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise _taken(handle) from None
                time.sleep(0.05)
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)


def _taken(handle: int) -> WalletError:
    holder = os.pread(handle, 20, 0).decode("ascii", "replace") or "?"
    text = _("Another wallet command (process {pid}) is at work in this folder. Try again when it has ended.")
    return WalletError(Exit.LOCKED, "wallet_locked", text.format(pid=holder))
