"""Reading an SQLite book without a trace: on a medium that cannot be written, and with no file left beside it.

A reader of a WAL book makes `-wal` and `-shm` where there are none, and cannot take them away again. So what was not
there before is taken away once nobody has the book open. Where nothing can be written and no `-wal` lies there, the
file is read as one that never changes. A `-wal` that a crash left belongs to the book, and reading it would make a
`-shm`: such a book is read in a copy, in the folder for temporary files.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pysqlite3


class Still:
    """How the book in the file `path` is read. `uri` opens it; `close`, once nobody reads, leaves all as it was."""

    def __init__(self, path: Path) -> None:
        self._path = path = path.absolute()
        self._copy: TemporaryDirectory[str] | None = None
        self._was_alone = not beside(path, "-wal").exists()
        immutable = self._was_alone and not is_writable(path)
        if holds_entries(path) and not beside(path, "-shm").exists():
            path = self._copied()
        self.uri = f"{path.as_uri()}?mode=ro" + ("&immutable=1" if immutable else "")

    def _copied(self) -> Path:
        """The book and its `-wal` in a folder for temporary files; the book itself where somebody just opened it."""
        self._copy = TemporaryDirectory(prefix="patard-read-", ignore_cleanup_errors=True)
        made = Path(self._copy.name) / self._path.name
        for file, into in ((self._path, made), (beside(self._path, "-wal"), beside(made, "-wal"))):
            shutil.copyfile(file, into)
        if not beside(self._path, "-shm").exists():
            return made
        self._copy.cleanup()
        self._copy = None
        return self._path

    def close(self) -> None:
        """Take away what reading made."""
        if self._copy is not None:
            self._copy.cleanup()
            self._copy = None
        wal = beside(self._path, "-wal")
        if self._was_alone and wal.exists() and not holds_entries(self._path):
            # SQLite takes both files away itself, under its locks, when the last who may write closes the book.
            try:
                last = pysqlite3.connect(f"{self._path.as_uri()}?mode=rw", uri=True)
                try:
                    last.execute("SELECT count(*) FROM sqlite_schema").fetchall()
                finally:
                    last.close()
            except pysqlite3.Error:
                pass  # it may be read and not written; that was looked at before


def beside(path: Path, suffix: str) -> Path:
    """The file that SQLite keeps beside the book: `suffix` is -wal or -shm."""
    return path.with_name(path.name + suffix)


def holds_entries(path: Path) -> bool:
    """Whether a `-wal` beside the book may hold what the book itself has not."""
    try:
        return beside(path, "-wal").stat().st_size > 0
    except FileNotFoundError:
        return False


def is_writable(path: Path) -> bool:
    """Whether this process may write the book, and files beside it."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
