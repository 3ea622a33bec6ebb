"""A PostgreSQL database for the demo: made empty for each run, and only if it is the demo's own.

The demo leaves a table of its own in it; a database that holds anything without that mark is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

import ledger.currency.tables  # noqa: F401 -- so that METADATA knows them
from api.commands.console import CliError, Exit, _
from ledger.core.schema import VERSION_TABLE
from ledger.core.tables import METADATA

MARK = "patard_demo"
LOCK = 0x7061_7461_7265
"""Held while a demo runs on the database."""
_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"


@contextmanager
def emptied(url: str) -> Iterator[None]:
    """The demo's database, empty, and for this demo alone until the context is left. Raises `CliError`."""
    plain = "postgresql://" + url.split("://", 1)[1]
    try:
        connection = psycopg.connect(plain, autocommit=True, connect_timeout=10)
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        told = _("The database of PATARD_DATABASE_URL does not answer: {reason}")
        raise CliError(Exit.UNUSABLE, "database_unusable", told.format(reason=reason)) from None
    with connection:
        free = connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
        if not free or not free[0]:
            raise CliError(Exit.UNUSABLE, "demo_running", _("A demo runs on this database already: end it first."))
        _empty(connection)
        yield


def _empty(connection: psycopg.Connection) -> None:
    """Drop what an earlier demo made; refuse a database that holds anything else."""
    found = {str(row[0]) for row in connection.execute(_TABLES)}
    if found and MARK not in found:
        told = _(
            "The database of PATARD_DATABASE_URL holds tables that are not a demo's ({names}): give it an empty one."
        )
        names = ", ".join(sorted(found)[:4])
        raise CliError(Exit.UNUSABLE, "not_a_demo", told.format(names=names))
    with connection.transaction():
        connection.execute("DROP VIEW IF EXISTS entry")
        for name in (*METADATA.tables, VERSION_TABLE):
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(sql.Identifier(name)))
        connection.execute("DROP FUNCTION IF EXISTS refuse_change() CASCADE")
        connection.execute(sql.SQL("CREATE TABLE IF NOT EXISTS {} (made_at timestamptz)").format(sql.Identifier(MARK)))
        connection.execute(sql.SQL("INSERT INTO {} VALUES (now())").format(sql.Identifier(MARK)))
