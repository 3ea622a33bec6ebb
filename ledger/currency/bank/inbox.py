"""A folder into which the bank's files are put: each is taken once, and moved to `taken` or `refused`.

A refused file lies beside a text that says why. A file that is still being written is left for the next look: it is
taken when its size and time have stood still for a while.

Each file stands for itself: whatever one of them is (no statement, a name or a day that nobody foresaw, gone meanwhile,
not to be moved), the others are taken. Only the database's own trouble leaves a file where it is, for the next look.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from ledger.core.store import StoreError
from ledger.currency.bank import booking, taking
from ledger.currency.bank.booking import Booked
from ledger.currency.bank.formats.fields import plain
from ledger.currency.bank.formats.read import read_file
from ledger.currency.bank.mandates.rejecting import KIND as DEBITS
from ledger.currency.bank.payouts import answers
from ledger.currency.bank.payouts.index import REJECTED
from ledger.currency.bank.statement import StatementError
from ledger.currency.conversion import CONSOLE
from ledger.currency.errors import CurrencyError
from ledger.currency.told import detail_of, tell
from ledger.currency.town import Town

LOGGER = logging.getLogger("patard")
FOLDER = "inbox"
SECONDS = 5.0
"""Between two looks."""
SETTLED = 2.0
"""Seconds for which a file must not have changed."""
NOTHING = Booked({}, [])


class Arrived(NamedTuple):
    """A file that was looked at. `refusal` is None when it was taken; `file` is its name as it can be shown."""

    file: str
    refusal: str | None
    booked: Booked


class Inbox:
    """One folder, looked at again and again. What could not be moved is not taken up again until it changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stays: dict[Path, tuple[int, int]] = {}
        """Size and time of the files that stay where they are."""

    def take_all(self, town: Town, *, by: str = CONSOLE, settled: float = SETTLED) -> Iterator[Arrived]:
        """Take what lies in the folder, the oldest statement first, and book. Gives each file with what became of it.

        Raises `StoreError`, or what the database raises, once all files were looked at.
        """
        trouble: Exception | None = None
        statements: list[tuple[date, Path]] = []
        for path in self._files(settled):
            try:
                report = answers.read_file(path)
                if report is None:
                    # Read again when its turn comes: a folder's statements are too much to hold at once.
                    statements.append((min(one.first for one in read_file(path)), path))
                    continue
                yield self._answered(town, path, report, by)
            except (StoreError, SQLAlchemyError) as error:
                trouble = error
            except Exception as error:
                yield from self._refuse(path, error)
        for _first, path in sorted(statements, key=lambda item: (item[0], item[1].name)):
            try:
                taking.take(town, read_file(path), file=shown(path), by=by)
            except (StoreError, SQLAlchemyError) as error:
                trouble = error
                continue
            except Exception as error:
                yield from self._refuse(path, error)
                continue
            try:
                booked = booking.book(town, by=by)
            except Exception as error:
                # It was taken, and a look that comes after this one takes it again, which changes nothing, and books.
                trouble = error
                continue
            # Moved last: a run that is stopped before takes the file again, which changes nothing.
            yield Arrived(shown(path), self._move(path, "taken", ""), booked)
        if trouble is not None:
            raise trouble

    def _files(self, settled: float) -> list[Path]:
        now = time.time()
        found: list[Path] = []
        stays, self._stays = self._stays, {}
        for path in sorted(self.folder.iterdir()):
            try:
                state = path.stat()
                is_file = path.is_file()
            except OSError:
                continue  # it vanished meanwhile, or is a link to nowhere
            if not is_file or path.name.startswith(".") or now - state.st_mtime < settled:
                continue
            if stays.get(path) == (state.st_size, state.st_mtime_ns):
                self._stays[path] = stays[path]
            else:
                found.append(path)
        return found

    def _answered(self, town: Town, path: Path, report: answers.Report, by: str) -> Arrived:
        """Take the bank's answer to a file of payouts; what a person has to see to stands beside it."""
        done = answers.take(town, report, by=by)
        kinds = {REJECTED: len(done.undone), DEBITS: len(done.debits)}
        booked = Booked({kind: count for kind, count in kinds.items() if count}, [])
        told = "\n".join(f"{one.reference}: {one.detail}" for one in done.left)
        stays = self._move(path, "refused" if told else "taken", told)
        return Arrived(shown(path), told or stays, booked)

    def _refuse(self, path: Path, error: Exception) -> Iterator[Arrived]:
        """Move a file to the refused ones, with the reason; nothing where it is not there any more."""
        if isinstance(error, CurrencyError) and error.code == "busy":
            return  # Somebody else takes a statement of this account right now: the next look is soon.
        if not path.exists():
            return
        if isinstance(error, (StatementError, CurrencyError)):
            code = error.code
        else:
            LOGGER.error("the inbox: %s", shown(path), exc_info=error)
            code = f"internal: {type(error).__name__}"
        stays = self._move(path, "refused", f"{code}: {error}")
        why = error.told if isinstance(error, StatementError) else detail_of(error)
        yield Arrived(shown(path), why if stays is None else tell("{why}; {stays}", why=why, stays=stays), NOTHING)

    def _move(self, path: Path, into: str, why: str) -> str | None:
        """Move a file into a folder beside it, `why` in a text beside that. What hinders it, for a person; else None.

        Another file of the same name there stays.
        """
        try:
            folder = path.parent / into
            folder.mkdir(exist_ok=True)
            target, count = folder / path.name, 1
            while target.exists():
                count += 1
                target = folder / f"{path.stem}-{count}{path.suffix}"
            path.rename(target)
            if why:
                target.with_name(f"{target.name}.txt").write_text(f"{why}\n", encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None  # somebody else moved it
        except OSError as error:
            if not path.exists():
                return None  # it was moved, and its name is too long for the text beside it
            state = path.stat()
            self._stays[path] = (state.st_size, state.st_mtime_ns)
            return tell(
                "it cannot be moved to {into}: {error}; it stays, and is looked at again when it changes",
                into=into, error=error.strerror,
            )  # fmt: skip
        return None


def shown(path: Path) -> str:
    """A file's name as text: what is not UTF-8, or does not print, is a blank."""
    return plain(path.name) or "?"


def take_all(town: Town, folder: Path, *, by: str = CONSOLE, settled: float = SETTLED) -> Iterator[Arrived]:
    """One look at `folder`: see `Inbox.take_all`."""
    return Inbox(folder).take_all(town, by=by, settled=settled)
