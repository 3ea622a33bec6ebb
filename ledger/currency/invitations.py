"""What a join code is for, for whoever has it and did not use it yet: which door it opens, and whether it opens any.

Telling it uses nothing up. Whoever guesses is slowed down where codes are taken, as in joining.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import select

from ledger.currency import seals
from ledger.currency.errors import CurrencyError
from ledger.currency.join_codes import code_hash, plain_code
from ledger.currency.tables import INVITE, PARTY
from ledger.currency.told import tell, word
from ledger.currency.town import Town


class Invitation(NamedTuple):
    """A code that joins one device, to whom and in which role."""

    role: str
    name: str


def find(town: Town, code: str) -> Invitation | None:
    """What an unused code is for, however it was typed; None where it is mistyped, used or expired."""
    query = (
        select(INVITE, PARTY.c.name, PARTY.c.closed_at)
        .join(PARTY, PARTY.c.id == INVITE.c.party)
        .where(INVITE.c.code_hash == code_hash(plain_code(code)), INVITE.c.used_by.is_(None))
    )
    with town.reading() as connection:
        row = connection.execute(query).first()
    if row is None or row.closed_at is not None or row.expires_at < town.now():
        return None
    if not seals.is_right(row.seal, seals.of_invite(town.key, row._mapping)):
        return None
    return Invitation(row.role, row.name)


def require(town: Town, code: str, roles: Collection[str]) -> None:
    """Raise `CurrencyError` where the code is good, and for none of these roles: join_code_elsewhere."""
    found = find(town, code)
    if found is not None and found.role not in roles:
        raise CurrencyError(
            "join_code_elsewhere",
            tell(
                "this code makes a device of {name} as {role}, which this one is not to be; it was not used, "
                "and is good where it belongs",
                name=found.name,
                role=word(found.role),
            ),
        )
