"""Sessions and invitations in the tables that the server did not make: their seals are not the currency's."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from ledger.currency import seals
from ledger.currency.audit.story import Problem
from ledger.currency.keys import PublicHalf
from ledger.currency.tables import INVITE, SESSION
from ledger.currency.town import Town


def can_tell(town: Town) -> bool:
    """Whether seals can be looked at: their secret follows from the currency's key, and not from its public half."""
    return not isinstance(town.key, PublicHalf)


def against(town: Town) -> Iterator[Problem]:
    """Rows that somebody else wrote. They open nothing, and tell that the database was written to."""
    if not can_tell(town):
        return
    with town.reading() as connection:
        for row in connection.execute(select(SESSION).order_by(SESSION.c.token_hash)):
            if not seals.is_right(row.seal, seals.of_session(town.key, row.token_hash, row.key, row.expires_at)):
                yield (
                    "session_forged",
                    f"a session of key {row.key.hex()[:16]} stands in the tables, and the server did not open it",
                )
        waiting = select(INVITE).where(INVITE.c.used_by.is_(None)).order_by(INVITE.c.code_hash)
        for row in connection.execute(waiting):
            if not seals.is_right(row.seal, seals.of_invite(town.key, row._mapping)):
                yield (
                    "invite_forged",
                    f"a join code for a {row.role} stands in the tables, and the server did not make it",
                )
