"""How `check` reads a book: every row as the database holds it, from one snapshot, with no way to write.

Apart from the stores on purpose, so that a bug in how a store reads cannot hide what it wrote. SQLite is told
`query_only` and PostgreSQL `READ ONLY`: even a mistake in here could change nothing. A store without a database
behind it (memory) is read through its own `reading()`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread
from typing import Any, Protocol, TypeAlias

from sqlalchemy import Engine

from ledger.core.snapshot import Snapshot, snapshot
from ledger.core.store import Reading, Store

Row: TypeAlias = "tuple[Any, ...]"
"""A row as it lies there. Nothing is known of its types: the book may be damaged."""

CHUNK = 2_000
LOG = "seq, id, at, corrects, leaf, record"
TRANSFER = (
    "place, debit, credit, amount, debit_after, credit_after, debit_previous, credit_previous, debit_jump, credit_jump"
)
ACCOUNT = "number, unit, normal, floor, ceiling, cover, opened, closed, debits, credits, last, spine"
HEAD = "one, seq, at, frontier, root"

FIXED = "number, unit, normal, floor, ceiling, cover, opened"
UNIQUE_ID = ("log", "unique id")
GUARDS = frozenset(
    {
        ("log", "update"),
        ("log", "delete"),
        ("transfer", "update"),
        ("transfer", "delete"),
        ("account", f"update of {FIXED}"),
        ("account", "delete"),
        ("head", "delete"),
        ("signed_head", "update"),
        ("signed_head", "delete"),
        UNIQUE_ID,
    }
)
"""What the database itself must refuse: (table, event). PostgreSQL has TRUNCATE besides."""
VIEWS = frozenset({"entry"})
"""The views that the versions make; nothing here reads them."""
TRUNCATE = frozenset((table, "truncate") for table, _ in GUARDS)


class Rows(Protocol):
    """One snapshot of a book's rows. Every method may raise whatever a damaged database makes its driver raise."""

    def head(self) -> list[Row]:
        """Every row of the head table, in the order of `HEAD`."""
        ...

    def log(self) -> Iterator[Row]:
        """The log by seq, in the order of `LOG`."""
        ...

    def transfers(self) -> Iterator[Row]:
        """The transfers by place, in the order of `TRANSFER`."""
        ...

    def accounts(self) -> Iterator[Row]:
        """The accounts by number, in the order of `ACCOUNT`."""
        ...

    def find(self, id_: bytes) -> Row | None:
        """seq and record of the log entry with that id."""
        ...

    def id_of(self, seq: int) -> bytes | None:
        """The id of the log entry `seq`."""
        ...

    def repeated(self) -> Iterable[Row]:
        """Each id that more than one log entry has, with the greatest seq among them. Uses no index over ids."""
        ...

    def missing(self) -> Iterable[tuple[str, str]]:
        """Those of `GUARDS` that are not in place."""
        ...

    def foreign(self) -> Iterable[str]:
        """What would have the database do more than it is told, or show something else: triggers that are no guards of
        ours, views and, on PostgreSQL, rules and policies."""
        ...

    def damage(self) -> Callable[[], list[str] | None]:
        """Begin the database's own test of its file and indexes: what waits for it and gives what it says.

        None where there is no such test.
        """
        ...


@contextmanager
def rows_of(store: Store | Engine) -> Iterator[Rows]:
    """A snapshot of the book in `store`, or in the database of an engine, that nothing can be written through.

    A store that is a snapshot already is read as it is.
    """
    engine = store if isinstance(store, Engine) else getattr(store, "engine", None)
    if isinstance(store, Snapshot):
        yield _rows(store)
    elif engine is None:
        with store.reading() as reading:  # type: ignore[union-attr]  # an Engine is one of the above
            yield _ReadingRows(reading)
    else:
        with snapshot(engine) as moment:
            yield _rows(moment)


def _rows(moment: Snapshot) -> Rows:
    return _SqliteRows(moment) if moment.is_sqlite else _PostgresRows(moment.driver)


# A trigger counts when this is all of it: no WHEN that lets something through, nothing but the refusal.
_SQLITE_GUARD = re.compile(
    r"create trigger \w+ before (delete|update(?: of [a-z_, ]+)?) on (\w+) "
    r"begin select raise\(abort, '[^']*'\); end",
    re.IGNORECASE,
)
_POSTGRES_GUARD = re.compile(
    r"create trigger \w+ before ([a-z_, ]+) on (?:\w+\.)?(\w+) for each statement "
    r"execute function (?:\w+\.)?refuse_change\(\)",
    re.IGNORECASE,
)
_SCHEMA = "SELECT relnamespace FROM pg_class WHERE oid = 'log'::regclass"
_POSTGRES_REFUSAL = re.compile(r"begin raise exception [^;]*; end;?", re.IGNORECASE)


def _plain(sql: str) -> str:
    return re.sub(r"\s+", " ", sql.replace('"', "")).strip()


class _SqliteRows:
    """See `Rows`."""

    def __init__(self, moment: Snapshot) -> None:
        self._driver, self._engine = moment.driver, moment.connection.engine

    def head(self) -> list[Row]:
        return list(self._driver.execute(f"SELECT {HEAD} FROM head LIMIT 9").fetchall())

    def log(self) -> Iterator[Row]:
        return self._stream(f"SELECT {LOG} FROM log ORDER BY seq")

    def transfers(self) -> Iterator[Row]:
        return self._stream(f"SELECT {TRANSFER} FROM transfer ORDER BY place")

    def accounts(self) -> Iterator[Row]:
        # As bytes: text that is not UTF-8 would stop the driver instead of being reported.
        return self._stream(f"SELECT {ACCOUNT.replace('unit', 'CAST(unit AS BLOB)')} FROM account ORDER BY number")

    def find(self, id_: bytes) -> Row | None:
        row: Row | None = self._driver.execute("SELECT seq, record FROM log WHERE id = ?", (id_,)).fetchone()
        return row

    def id_of(self, seq: int) -> bytes | None:
        row = self._driver.execute("SELECT id FROM log WHERE seq = ?", (seq,)).fetchone()
        return row[0] if row else None

    def repeated(self) -> Iterator[Row]:
        # The plus keeps the index over ids out of it: it is one of the things that may be damaged.
        return self._stream("SELECT id, max(seq) FROM log NOT INDEXED GROUP BY +id HAVING count(*) > 1")

    def missing(self) -> Iterable[tuple[str, str]]:
        found = {guard for _name, guard in self._triggers()}
        for name, unique, partial in self._driver.execute(
            "SELECT name, \"unique\", partial FROM pragma_index_list('log')"
        ).fetchall():
            columns = self._driver.execute("SELECT name FROM pragma_index_info(?)", (name,)).fetchall()
            if unique and not partial and columns == [("id",)]:
                found.add(UNIQUE_ID)
        return GUARDS - found

    def foreign(self) -> Iterable[str]:
        yield from (f"trigger {name}" for name, guard in self._triggers() if guard not in GUARDS)
        for (name,) in self._driver.execute("SELECT name FROM sqlite_schema WHERE type = 'view'").fetchall():
            if name not in VIEWS:
                yield f"view {name}"

    def _triggers(self) -> Iterator[tuple[str, tuple[str, str]]]:
        """The triggers, each with what it refuses: table and event, both "" where it does anything else."""
        query = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name"
        for name, sql in self._driver.execute(query).fetchall():
            match = _SQLITE_GUARD.fullmatch(_plain(str(sql)))
            yield name, (match[2].lower(), match[1].lower()) if match else ("", "")

    def damage(self) -> Callable[[], list[str]]:
        # It takes as long as reading all of the log: a thread does it meanwhile, over a connection of its own. Whoever
        # gives the check up does not wait for it.
        found: Future[list[str]] = Future()
        Thread(target=self._test, args=(found,), daemon=True).start()
        return found.result

    def _test(self, found: Future[list[str]]) -> None:
        try:
            with snapshot(self._engine) as moment:
                said = [str(row[0]) for row in moment.driver.execute("PRAGMA integrity_check(20)").fetchall()]
            found.set_result([] if said == ["ok"] else said)
        except Exception as error:
            found.set_exception(error)

    def _stream(self, sql: str) -> Iterator[Row]:
        cursor = self._driver.execute(sql)
        while rows := cursor.fetchmany(CHUNK):
            yield from rows


class _PostgresRows:
    """See `Rows`. Server-side cursors, so that neither side holds a table in memory."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self._named = 0

    def head(self) -> list[Row]:
        return self._all(f"SELECT {HEAD} FROM head LIMIT 9")

    def log(self) -> Iterator[Row]:
        return self._stream(f"SELECT {LOG} FROM log ORDER BY seq")

    def transfers(self) -> Iterator[Row]:
        return self._stream(f"SELECT {TRANSFER} FROM transfer ORDER BY place")

    def accounts(self) -> Iterator[Row]:
        return self._stream(
            f"SELECT {ACCOUNT.replace('unit', 'convert_to(unit, $$UTF8$$)')} FROM account ORDER BY number"
        )

    def find(self, id_: bytes) -> Row | None:
        found = self._all("SELECT seq, record FROM log WHERE id = %b", (id_,))
        return found[0] if found else None

    def id_of(self, seq: int) -> bytes | None:
        found = self._all("SELECT id FROM log WHERE seq = %b", (seq,))
        return found[0][0] if found else None

    def repeated(self) -> Iterator[Row]:
        # The concatenation keeps the index over ids out of it: it is one of the things that may be damaged.
        return self._stream("SELECT id || ''::bytea, max(seq) FROM log GROUP BY 1 HAVING count(*) > 1")

    def missing(self) -> Iterable[tuple[str, str]]:
        found = {guard for _name, enabled, guards in self._triggers() for guard in guards if enabled in "OA"}
        unique = self._all(
            "SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
            "WHERE i.indrelid = 'log'::regclass AND i.indisunique AND i.indisvalid AND i.indpred IS NULL "
            "AND i.indnkeyatts = 1 AND a.attname = 'id'"
        )
        if unique:
            found.add(UNIQUE_ID)
        return (GUARDS | TRUNCATE) - found

    def foreign(self) -> Iterable[str]:
        for name, _enabled, guards in self._triggers():
            if not guards or not guards <= GUARDS | TRUNCATE:
                yield f"trigger {name}"
        here = f"WHERE c.relnamespace = ({_SCHEMA})"
        for kind, sql in (
            ("view", f"SELECT c.relname FROM pg_class c {here} AND c.relkind IN ('v', 'm')"),
            ("rule", f"SELECT r.rulename FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class {here} "
                     "AND r.rulename <> '_RETURN'"),
            ("policy", f"SELECT p.polname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid {here}"),
        ):  # fmt: skip
            yield from (f"{kind} {name}" for (name,) in self._all(f"{sql} ORDER BY 1") if name not in VIEWS)

    def _triggers(self) -> Iterator[tuple[str, str, set[tuple[str, str]]]]:
        """The triggers of every table beside the log: name, whether it is enabled, what it refuses (table, event)."""
        for name, enabled, definition, body in self._all(
            "SELECT t.tgname, t.tgenabled::text, pg_get_triggerdef(t.oid), p.prosrc FROM pg_trigger t "
            "JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_class c ON c.oid = t.tgrelid "
            f"WHERE NOT t.tgisinternal AND c.relnamespace = ({_SCHEMA}) ORDER BY t.tgname"
        ):
            match = _POSTGRES_GUARD.fullmatch(_plain(definition))
            is_guard = match is not None and _POSTGRES_REFUSAL.fullmatch(_plain(body)) is not None
            events = match[1].lower().split(" or ") if match is not None and is_guard else []
            yield name, enabled, {(match[2].lower(), event) for event in events} if match is not None else set()

    def damage(self) -> Callable[[], None]:
        return lambda: None  # amcheck and pg_checksums need rights that an auditor does not have

    def _all(self, sql: str, parameters: Any = None) -> list[Row]:
        with self._driver.cursor(binary=True) as cursor:
            return list(cursor.execute(sql, parameters).fetchall())

    def _stream(self, sql: str) -> Iterator[Row]:
        self._named += 1
        with self._driver.cursor(f"check_{self._named}", binary=True) as cursor:
            cursor.execute(sql)
            while rows := cursor.fetchmany(CHUNK):
                yield from rows


class _ReadingRows:
    """Rows through a store's own reading: for a store that has no database, as the one in memory."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def head(self) -> list[Row]:
        return [(1, *self._reading.head())]

    def log(self) -> Iterator[Row]:
        after = 0
        while rows := self._reading.log(after, CHUNK):
            yield from rows
            after = rows[-1].seq

    def transfers(self) -> Iterator[Row]:
        after = 0
        while rows := self._reading.transfers(after, CHUNK):
            yield from rows
            after = rows[-1].place

    def accounts(self) -> Iterator[Row]:
        after = 0
        while states := self._reading.all_accounts(after, CHUNK):
            for s in states:
                yield (s.number, s.unit.encode(), s.normal, s.floor, s.ceiling, s.cover, s.opened, s.closed,
                       s.debits, s.credits, s.last, s.spine)  # fmt: skip
            after = states[-1].number

    def find(self, id_: bytes) -> Row | None:
        row = self._reading.find(id_)
        return (row.seq, row.record) if row else None

    def id_of(self, seq: int) -> bytes | None:
        row = self._reading.entries([seq]).get(seq)
        return row.id if row else None

    def repeated(self) -> Iterator[Row]:
        seen: set[bytes] = set()
        for row in self.log():
            if row[1] in seen:
                yield row[1], row[0]
            seen.add(row[1])

    def missing(self) -> Iterable[tuple[str, str]]:
        return ()

    def foreign(self) -> Iterable[str]:
        return ()

    def damage(self) -> Callable[[], None]:
        return lambda: None
