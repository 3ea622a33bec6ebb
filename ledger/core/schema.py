"""The database's tables and their version: make them, bring them up to date, refuse to work on others.

One line of versions serves the whole program, whichever room a table belongs to: `ledger/migrations/versions/`,
run by Alembic. To add tables or columns:

1. write them as SQLModel tables (`ledger/currency/tables.py`, say), STRICT on SQLite, with names on their CHECKs;
2. add `NNNN_what.py` with the next number as `revision` and the last one as `down_revision`, and spell the
   operations out with `op.create_table` and the like: a version must not change when the program does;
3. run `tests/core/test_schema.py`: it compares what the versions make with what the tables say, on both databases.

The engine's own tables are only ever added to. There is no way down: a book that has to go back comes from
its backup.
"""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from ledger.core.store import StoreError

MIGRATIONS = Path(__file__).parents[1] / "migrations"
VERSION_TABLE = "alembic_version"
ADVISORY_LOCK = 0x7061_7461_7264
"""PostgreSQL's name for "somebody is changing the tables" ("patard" as a number)."""


def versions() -> list[str]:
    """Every version this program knows, oldest first."""
    return sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))


def current(connection: Connection) -> str | None:
    """The version of the tables in this database, or None when it holds no book."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    return found


def require_current(engine: Engine) -> None:
    """Raise `StoreError` unless the tables are those of this program: no_book, book_too_old, book_too_new."""
    with engine.connect() as connection:
        found = current(connection)
    known = versions()
    if found is None:
        raise StoreError("no_book", "there is no book in this database yet: `patard init` makes one")
    _refuse_newer(found, known)
    if found != known[-1]:
        raise StoreError(
            "book_too_old",
            "the book's tables are of version {found}, this program needs {known}: make a backup, then "
            "start `patard serve` once, which brings them up to date",
            found=found,
            known=known[-1],
        )


def upgrade(engine: Engine) -> None:
    """Make the tables, or bring them up to this program's version; nothing happens when they are.

    All of it is one database transaction, and safe when several processes start at once: the first does it, the
    others wait and find it done. Raises `StoreError` (book_too_new) for a book of a newer program.
    """
    with engine.connect() as connection:
        found = current(connection)
    known = versions()
    if found == known[-1]:
        return
    with engine.connect() as connection:
        # The lock comes before Alembic reads the version, and goes with the transaction.
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
        try:
            found = current(connection)
            if found is not None:
                _refuse_newer(found, known)
            if found != known[-1]:
                _run(connection)
            connection.commit()
        except BaseException:
            connection.rollback()
            raise


def _refuse_newer(found: str, known: list[str]) -> None:
    if found not in known:
        raise StoreError(
            "book_too_new",
            "the book's tables are of version {found}, this program knows {known}: install the newer program",
            found=found,
            known=known[-1],
        )


def _run(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(stdout=StringIO())
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


ENGINE_TABLES = ("account", "log", "transfer", "head")


def grants(role: str, others: list[str]) -> list[str]:
    """The PostgreSQL rights that `role` needs to run a book and no more, as SQL; `others` are the other tables.

    It may append to the log and move balances; it may not change or delete what was posted, nor take away the
    triggers that refuse it, because it owns nothing. `role` and `others` come quoted where they need it.
    """
    given = [
        f"GRANT SELECT, INSERT ON account, log, transfer TO {role}",
        f"GRANT UPDATE (closed, debits, credits, last, spine) ON account TO {role}",
        f"GRANT SELECT, UPDATE (seq, at, frontier, root) ON head TO {role}",
        f"GRANT SELECT ON entry, {VERSION_TABLE} TO {role}",
    ]
    return given + [f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {role}" for table in others]


def grant(engine: Engine, role: str) -> None:
    """Give `role`, which must exist, its rights (see `grants`). Run it as the owner, again after each upgrade.

    A town that wants this makes two roles: the owner, which runs upgrades, and the one in the server's settings:

        CREATE ROLE patard_app LOGIN PASSWORD '...';
    """
    with engine.begin() as connection:
        if connection.dialect.name != "postgresql":
            raise StoreError("no_roles", "only PostgreSQL has roles; a SQLite book is guarded by its file's rights")
        quote = connection.dialect.identifier_preparer.quote
        names = inspect(connection).get_table_names()
        others = [quote(name) for name in names if name not in (*ENGINE_TABLES, VERSION_TABLE)]
        for statement in grants(quote(role), others):
            connection.exec_driver_sql(statement)
