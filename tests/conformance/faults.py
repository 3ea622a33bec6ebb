"""Statements that fail on purpose: each in its turn, once before the database did it and once after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pysqlite3
import pytest


class Fault(RuntimeError):
    """What a failing statement raises here."""


class Plan:
    """Which of the statements that the writing connection sends fails, counted from 0, and when."""

    def __init__(self) -> None:
        self.count = 0
        self.fail_at: int | None = None
        self.persisted = False
        self.sent: list[str] = []

    def arm(self, at: int | None, persisted: bool) -> None:
        self.count, self.fail_at, self.persisted, self.sent = 0, at, persisted, []

    def run(self, sql: Any, do: Any) -> Any:
        mine, self.count = self.count, self.count + 1
        self.sent.append(str(sql))
        if mine == self.fail_at and not self.persisted:
            raise Fault(f"before {sql}")
        done = do()
        if mine == self.fail_at:
            raise Fault(f"after {sql}")
        return done


@contextmanager
def planned(monkeypatch: pytest.MonkeyPatch, kind: str) -> Iterator[Plan]:
    """Every statement of connections made from now on goes through a plan."""
    plan = Plan()
    with monkeypatch.context() as patch:
        if kind == "sqlite":
            _plan_sqlite(patch, plan)
        else:
            _plan_postgres(patch, plan)
        yield plan


def _plan_sqlite(patch: pytest.MonkeyPatch, plan: Plan) -> None:
    class Cursor(pysqlite3.Cursor):  # type: ignore[misc]
        def execute(self, sql: str, *parameters: Any) -> Any:
            return plan.run(sql, lambda: super(Cursor, self).execute(sql, *parameters))

        def executemany(self, sql: str, *parameters: Any) -> Any:
            return plan.run(sql, lambda: super(Cursor, self).executemany(sql, *parameters))

    class Connection(pysqlite3.Connection):  # type: ignore[misc]
        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

    connect = pysqlite3.connect
    patch.setattr(pysqlite3, "connect", lambda *a, **k: connect(*a, factory=Connection, **k))


def _plan_postgres(patch: pytest.MonkeyPatch, plan: Plan) -> None:
    execute = psycopg.Cursor.execute

    def run(self: Any, query: Any, *parameters: Any, **more: Any) -> Any:
        return plan.run(query, lambda: execute(self, query, *parameters, **more))

    patch.setattr(psycopg.Cursor, "execute", run)
