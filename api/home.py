"""The folder of a currency: its charter, its signing key, its book; made once, opened by every command.

    PATARD_HOME/            (default ./patard-home, mode 0700)
      charter.toml          the rules, to be read and changed by people
      currency.key          the seed of the signing key, 64 hex digits, mode 0600
      currency.pub          its public half, 64 hex digits: enough for whoever only reads, where currency.key is not
      machine.key           the same of the key that signs what is done at this machine; made where it is missing
      book.db               the book, on SQLite
      database.url          the address of the book instead, on PostgreSQL, mode 0600
      heads                 what the currency signed of its log, one line a head

The environment's PATARD_DATABASE_URL goes before both. Opening holds the charter against the book, so that nobody
works with the charter of one currency on the book of another.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from ledger.core import still
from ledger.core.book import Book, microseconds
from ledger.core.clock import ClockDiffers, Watch
from ledger.core.clock import steady as steady_clock
from ledger.core.opening import is_postgres, open_book, sqlite_path
from ledger.core.store import StoreError
from ledger.currency import chartered, heads_file
from ledger.currency.bank import details
from ledger.currency.charter import Charter, CharterError
from ledger.currency.errors import CurrencyError
from ledger.currency.keys import KEY_BYTES, PrivateKey, PublicHalf
from ledger.currency.told import tell
from ledger.currency.town import Town

HOME = "PATARD_HOME"
DATABASE_URL = "PATARD_DATABASE_URL"
DEFAULT_HOME = "patard-home"

Clock = Callable[[], int]
Entropy = Callable[[int], bytes]


class HomeError(CurrencyError):
    """The folder cannot be used as it is. `code` is stable; `detail` says what to do."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where the things of one currency lie. `given_url` goes before what the folder says."""

    folder: Path
    given_url: str | None = None

    @property
    def charter(self) -> Path:
        return self.folder / "charter.toml"

    @property
    def key(self) -> Path:
        return self.folder / "currency.key"

    @property
    def public(self) -> Path:
        return self.folder / "currency.pub"

    @property
    def machine(self) -> Path:
        return self.folder / "machine.key"

    @property
    def url_file(self) -> Path:
        return self.folder / "database.url"

    @property
    def book(self) -> Path:
        return self.folder / "book.db"

    @property
    def heads(self) -> Path:
        return self.folder / heads_file.NAME

    def signing_key(self, *, read_only: bool = False) -> PrivateKey:
        """The currency's key; of who only reads, its public half is enough. Raises what `read_key` raises."""
        if read_only and not self.key.exists():
            if self.public.exists():
                return _public_key(self.public)
            raise HomeError("key_missing", tell(
                "no key is in this folder. Whoever only looks or checks needs the public one alone: write it, 64 hex "
                "digits (`public key` of `patard backup`), into {public}. Whoever writes puts {path} back from the "
                "backup", public=self.public, path=self.key,
            ))  # fmt: skip
        return read_key(self.key)

    def zone(self) -> str:
        """The currency's time zone; UTC where the charter cannot be read, as beside a book that is broken."""
        try:
            return Charter.load(self.charter).timezone
        except CharterError:
            return "UTC"

    def is_writable(self) -> bool:
        """Whether the book can be written here, and what is written can be signed."""
        place = self.database()
        return self.key.exists() and (is_postgres(place) or still.is_writable(sqlite_path(place)))

    def database(self) -> str:
        """Where the book is: a PostgreSQL URL or the path of an SQLite file."""
        if self.given_url:
            return self.given_url
        if self.url_file.exists():
            return _private(self.url_file).strip()
        return str(self.book)


def home_of(environ: Mapping[str, str] = os.environ, folder: Path | str | None = None) -> Home:
    """The home that the environment names, or the one in `folder`."""
    return Home(Path(folder or environ.get(HOME) or DEFAULT_HOME), environ.get(DATABASE_URL) or None)


def open_town(
    home: Home | Path | str,
    database_url: str | None = None,
    *,
    read_only: bool = False,
    upgrade: bool = False,
    alone: bool = False,
    clock: Clock = microseconds,
    steady: Clock | None = None,
    entropy: Entropy = os.urandom,
    as_it_is: bool = False,
) -> Town:
    """The currency whose things lie in `home`. `upgrade` brings the tables of an older book up to date, `alone` has it
    for one server.

    With `read_only` the database connection itself cannot write; `as_it_is` posts nothing by itself, not even a charter
    that changed. The clock is held against the book and against `steady`; one that is handed in is believed, unless a
    `steady` is too. Raises `HomeError` (home_missing, key_missing,
    key_exposed, key_broken, charter_network_changed, charter_code_changed, charter_reserve_removed,
    charter_not_applied, key_changed), `CharterError` and `StoreError` (no_book, database_unusable, ...).
    """
    home = home if isinstance(home, Home) else Home(Path(home))
    if not home.charter.exists():
        raise HomeError("home_missing", tell(
            "there is no currency in {folder}: `patard init` makes one, or set {variable} to the folder of yours",
            folder=home.folder, variable=HOME,
        ))  # fmt: skip
    charter = Charter.load(home.charter)
    key = home.signing_key(read_only=read_only)
    watch = _watch(charter, clock, steady)
    book, engine = _open(database_url or home.database(), read_only, upgrade, clock, entropy, watch, alone)
    try:
        town = Town(charter, book, key, engine, _machine(home, read_only, entropy))
        _fits(town, home, read_only, as_it_is)
    except BaseException:
        book.close()
        raise
    return town


def found_home(
    home: Home | Path | str,
    charter: Charter,
    database_url: str | None = None,
    *,
    key: PrivateKey | None = None,
    lang: str = "fr",
    clock: Clock = microseconds,
    steady: Clock | None = None,
    entropy: Entropy = os.urandom,
) -> Town:
    """Make a currency in `home`: key, charter file, book with the currency's own accounts.

    What an interrupted run left is completed. `database_url` is kept in the folder. Raises `HomeError` (home_exists,
    book_exists) and what `open_town` raises.
    """
    home = home if isinstance(home, Home) else Home(Path(home))
    url = database_url or home.given_url
    home.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if home.charter.exists() and Charter.load(home.charter) != charter:
        raise HomeError("home_exists", tell(
            "{folder} holds a currency already; choose another folder with {variable}",
            folder=home.folder, variable=HOME,
        ))  # fmt: skip
    book, engine = _open(url or str(home.book), False, True, clock, entropy, _watch(charter, clock, steady))
    try:
        if book.head().seq and not _same_town(book, charter, home):
            raise HomeError("book_exists", tell(
                "{book} holds the book of a currency already; use an empty one",
                book=_shown(url) if url else home.book,
            ))  # fmt: skip
        # The key before the book: a book that names a key which nobody has could never be used.
        if not home.key.exists():
            write_private(home.key, (key or PrivateKey.from_seed(entropy(KEY_BYTES))).seed().hex() + "\n")
        if not home.charter.exists():
            _write(home.charter, charter.dumps(lang), 0o644)
        if url and not home.url_file.exists():
            write_private(home.url_file, url + "\n")
        town = Town(charter, book, read_key(home.key), engine, _machine(home, False, entropy))
        # First of all, so that the first entry of a log says whose it is.
        chartered.keep(town, chartered.latest(town))
        town.found()
    except BaseException:
        book.close()
        raise
    return town


def _machine(home: Home, read_only: bool, entropy: Entropy) -> PrivateKey | None:
    """The machine's key; a new one where there is none, unless nothing may be written."""
    if not home.machine.exists():
        if read_only:
            return None
        write_private(home.machine, PrivateKey.from_seed(entropy(KEY_BYTES)).seed().hex() + "\n")
    return read_key(home.machine)


def _same_town(book: Book, charter: Charter, home: Home) -> bool:
    """Whether the book was begun by an earlier run for this charter and the key in the folder."""
    first = chartered.rules_in(book.find(chartered.note_id(charter.network, 1)))
    return first is not None and home.key.exists() and first.key == read_key(home.key).public.hex()


def _watch(charter: Charter, clock: Clock, steady: Clock | None) -> Watch | None:
    """What holds the machine's clock against the book."""
    if steady is None and clock is not microseconds:
        return None
    return Watch(charter.network, steady or steady_clock)


def _open(
    place: str, read_only: bool, upgrade: bool, clock: Clock, entropy: Entropy, watch: Watch | None,
    alone: bool = False,
) -> tuple[Book, Engine]:  # fmt: skip
    book = open_book(
        place, read_only=read_only, upgrade=upgrade, alone=alone, clock=clock, entropy=entropy, watch=watch
    )
    store: Any = book.store  # every store but that in memory has an engine, and that one is no home's
    return book, store.engine


def _fits(town: Town, home: Home, read_only: bool, as_it_is: bool) -> None:
    """Refuse a charter or key that is not the book's; put a charter that changed within its rights into the log."""
    charter, book = town.charter, town.book
    with book.store.reading() as store:
        rows = store.log(0, 1)
        own = [*town.chart.own().values(), *town.chart.reserve.values()]
        there = store.accounts(own)
    missing = [number for number in own if number not in there]
    if not rows:
        raise StoreError("no_book", "the book is empty: `patard init` founds the currency in it")
    noted = chartered.rules_in(book.find(rows[0].id))
    if noted is not None and noted.network != charter.network:
        raise HomeError("charter_network_changed", tell(
            "this book is of the network {network}: put back network = \"{network}\" in {charter} (it cannot change: "
            "every order and code names it)", network=noted.network.hex(), charter=home.charter,
        ))  # fmt: skip
    noted = chartered.latest(town)
    if noted is not None:
        if noted.code != charter.code:
            raise HomeError("charter_code_changed", tell(
                "this book counts {code}: put back code = \"{code}\" in {charter} (name and symbol may change, the "
                "code may not)", code=noted.code, charter=home.charter,
            ))  # fmt: skip
        for name in noted.reserve:
            if name not in town.chart.reserve:
                raise HomeError("charter_reserve_removed", tell(
                    "the reserve account \"{name}\" is in the books: put back its [[reserve]] with name = \"{name}\" "
                    "in {charter} (an account that is no longer used may stay, empty)", name=name, charter=home.charter,
                ))  # fmt: skip
        if noted.key != town.key.public.hex():
            raise HomeError("key_changed", tell(
                "{path} is not the key of this book (its public half is {key}...): put back the right one from "
                "your backup", path=_key_file(home), key=noted.key[:16],
            ))  # fmt: skip
    if as_it_is:
        return
    if not read_only:
        try:
            if chartered.keep(town, noted).says_all and noted is not None and not noted.says_all:
                details.take_in(town)  # an older book: from here on the log holds hashes
        except ClockDiffers:
            # Nothing can be posted, by this charter or another, until the clock was looked at; the book can be read.
            chartered.hold(town, noted._replace(version=noted.version - 1) if noted else None)
            if missing:
                raise
        if missing:
            town.found()
    elif missing:
        raise HomeError("charter_not_applied", tell(
            "the charter, or this program, has a new account; `patard reserve` opens it in the book"
        ))  # fmt: skip


# --- files -----------------------------------------------------------------------------------------------


def read_key(path: Path) -> PrivateKey:
    """The signing key in a file of 64 hex digits. Raises `HomeError`: key_missing, key_exposed, key_broken."""
    text = _private(path).strip()
    try:
        return PrivateKey.from_seed(bytes.fromhex(text))
    except ValueError:
        raise HomeError(
            "key_broken", tell("{path} does not hold 64 hex digits; put it back from your backup, unchanged", path=path)
        ) from None


def _key_file(home: Home) -> Path:
    return home.key if home.key.exists() else home.public


def _public_key(path: Path) -> PublicHalf:
    try:
        return PublicHalf(bytes.fromhex(path.read_text("ascii").strip()))
    except (ValueError, OSError):
        raise HomeError(
            "key_broken", tell("{path} does not hold the 64 hex digits of a public key", path=path)
        ) from None


def write_private(path: Path, text: str) -> None:
    """Write a new file that only its owner can read. Raises `FileExistsError`, never overwrites."""
    _write(path, text, 0o600)


def _private(path: Path) -> str:
    """The text of a file that nobody else may read."""
    try:
        mode = path.stat().st_mode
        if stat.S_IMODE(mode) & 0o077:
            raise HomeError("key_exposed", tell("others may read {path}, which is secret: chmod 600 {path}", path=path))
        return path.read_text("ascii")
    except FileNotFoundError:
        raise HomeError("key_missing", tell(
            "{path} is missing; put it back from your backup (check, reserve and accounts export need its public half "
            "alone, in currency.pub)", path=path,
        )) from None  # fmt: skip
    except UnicodeDecodeError:
        raise HomeError("key_broken", tell("{path} is damaged; put it back from your backup", path=path)) from None
    except OSError as error:
        raise HomeError(
            "key_missing", tell("{path} cannot be read: {error}", path=path, error=error.strerror)
        ) from None


def _write(path: Path, text: str, mode: int) -> None:
    """All of the file or none of it, on the disk before this returns."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # unlike a rename, it never replaces what is there
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            if path.exists():
                raise FileExistsError(str(path)) from None
            draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _shown(url: str) -> str:
    """A database's address without the password."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "the database"
