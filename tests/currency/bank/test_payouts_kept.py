"""Payouts in the database: on both of them; and reconversions from before there were payouts are owed as well."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, insert, select

from ledger.core import schema, sqlite
from ledger.core.tables import ACCOUNT, LOG
from ledger.currency import conversion, proofs
from ledger.currency.audit.walk import audit
from ledger.currency.bank.payouts import contents, owed
from ledger.currency.bank.payouts.tables import PAYOUT
from ledger.currency.town import Town
from ledger.currency.wire import MessageError
from tests import towns
from tests.currency.bank.paying import BROUGHT, accept, credit, debit, refuse, sent, settle
from tests.currency.bank.scene import DAY, bring, line, opened, statement

NEXT = DAY + timedelta(days=1)


@pytest.mark.postgres
def test_on_postgresql(tmp_path: Path, fresh_postgres: str) -> None:
    with opened(tmp_path / "home", fresh_postgres) as town:
        paying = settle(town)
        first, second, third = (accept(town, shop, 100_000 * n) for n, shop in enumerate(paying.shops, 1))
        batch = sent(paying)
        assert (batch.people, batch.state, len(batch.signatures)) == (2, "fetched", 2)
        assert [one.is_new for one in contents.transfers_of(town, batch.id)] == [True] * 3
        for key in (paying.alice, paying.bob):
            refuse(town, second, key)
        whole = line(-first.amount - third.amount, "VIR", NEXT, end_to_end=batch.message)
        bring(town, statement([whole, credit(third, NEXT), debit(first, NEXT)], 3 * BROUGHT))
        assert [one.payout.reference for one in owed.due(town)] == []
        assert [town.book.balance(shop.account) for shop in paying.shops] == [BROUGHT - 100_000, BROUGHT, BROUGHT]
        assert {one.code for one in audit(town).findings} == {"reserve_short"}  # the second payment of the first


def test_reconversions_from_before_there_were_payouts_are_owed(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as town:
        paying = settle(town)
        for shop in paying.shops:
            accept(town, shop, 10_000)
        asked = [towns.ask_back(town, shop, 5_000) for shop in paying.shops[:2]]
        conversion.refuse(town, conversion.find_asked(town, asked[0]))
        old = sqlite.open_engine(tmp_path / "old.db")
        with old.connect() as connection:
            upgrade(connection, "0004")
            copy(town, connection)
            connection.commit()
        schema.upgrade(old)
        columns = (PAYOUT.c.reconversion, PAYOUT.c.seq, PAYOUT.c.holder, PAYOUT.c.units, PAYOUT.c.amount,
                   PAYOUT.c.reference)  # fmt: skip
        query = select(*columns).order_by(PAYOUT.c.seq)
        with old.connect() as before, town.reading() as now:
            assert before.execute(query).all() == now.execute(query).all() != []
        old.dispose()


def upgrade(connection: Connection, version: str) -> None:
    """Make the tables of an older version."""
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, version)


def copy(town: Town, connection: Connection) -> None:
    """The accounts and the log of a town, as they are; what names others comes after those."""
    with town.reading() as source:
        for table, order in ((ACCOUNT, (ACCOUNT.c.cover.is_not(None), ACCOUNT.c.opened)), (LOG, (LOG.c.seq,))):
            rows: list[dict[str, Any]] = [dict(row._mapping) for row in source.execute(select(table).order_by(*order))]
            for row in rows:
                connection.execute(insert(table).values(row))


def test_what_is_signed_is_these_bytes() -> None:
    """Whoever signs in another language (a browser) makes the same."""
    message = proofs.payouts_message(bytes.fromhex("5a1e0c7d"), bytes(range(16)), bytes(range(32)), 123_456_789, 3)
    assert message.hex() == (
        b"patard/payouts/1\0".hex() + "5a1e0c7d" + bytes(range(16)).hex() + bytes(range(32)).hex()
        + "00000000075bcd15" + "00000003"
    )  # fmt: skip
    key = towns.key_of("treasurer")
    signature = proofs.sign_payouts(key, bytes(4), bytes(16), bytes(32), 1, 1)
    proofs.verify_payouts(bytes(4), key.public, bytes(16), bytes(32), 1, 1, signature)


@pytest.mark.parametrize(
    "wrong", [{"total": 0}, {"total": True}, {"count": 0}, {"count": 2**32}, {"batch": bytes(15)}, {"sha256": b""},
              {"network": bytes(5)}],
)  # fmt: skip
def test_what_cannot_be_signed(wrong: dict[str, Any]) -> None:
    what: dict[str, Any] = {"network": bytes(4), "batch": bytes(16), "sha256": bytes(32), "total": 1, "count": 1}
    with pytest.raises(MessageError):
        proofs.payouts_message(**{**what, **wrong})
