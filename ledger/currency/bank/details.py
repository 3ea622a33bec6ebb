"""Where a party is paid: its IBAN. Personal, so it stands in a table and can be erased.

The log holds a salted hash of it (`salted`), so that nobody changes where a shop is paid but by saying so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select

from ledger.core.model import Note, Posted
from ledger.currency import salted
from ledger.currency.bank.latin import latin
from ledger.currency.charter import ibans
from ledger.currency.conversion import CONSOLE
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import Party
from ledger.currency.tables import BANK_DETAILS, HOLDING
from ledger.currency.text import TextError, clean_text
from ledger.currency.told import tell
from ledger.currency.town import Town

KIND = "bank_details"
"""Kind of the note that says where a party is paid, as a hash; without one, that it is forgotten."""
MAX_HOLDER = 70
"""Characters of a name that banks carry."""
_AT_ONCE = 1_000
_DETAILS = BANK_DETAILS.c


class Details(NamedTuple):
    """An IBAN without spaces, and its holder's name ("": the party's own). `set_at` is microseconds since the epoch."""

    iban: str
    holder: str
    set_at: int
    set_by: str


def put(town: Town, party: Party, iban: str, holder: str = "", *, by: str = CONSOLE) -> Details:
    """From now on `party` is paid there. What was ordered before goes where it was ordered to.

    `holder` is the account's holder as the bank knows it ("": the party's own name): banks hold it against the IBAN.
    Raises `CurrencyError` as `given` does.
    """
    plain, name = given(town, party, iban, holder)
    salt, made = town.book.entropy(salted.SALT_BYTES), Details(plain, name, town.now(), by)

    def also(connection: Connection, posted: Posted) -> None:
        _forget(connection, party)
        connection.execute(insert(BANK_DETAILS).values(party=party.id, **made._asdict()))
        salted.keep(connection, salted.details_id(party.id), salt)

    told = {"hash": salted.salted(salted.DETAILS, salt, [plain, name])}
    town.post(Note(town.new_id(), KIND, {"account": f"{party.account:016x}", "by": by, **told}), also)
    return made


def given(town: Town, party: Party, iban: str, holder: str) -> tuple[str, str]:
    """Somebody else's account as it was typed, in the one form in which it is kept: IBAN, and holder ("": the party).

    Raises `CurrencyError`: iban_wrong, iban_check, iban_outside, iban_own, text_malformed.
    """
    try:
        plain = ibans.iban(iban)
    except ibans.IbanWrong as wrong:
        raise CurrencyError(wrong.code, wrong.reason) from None
    if any(plain == account.iban for account in town.charter.reserve):
        raise CurrencyError(
            "iban_own", tell("this is an account of the reserve itself; give that of {name}", name=party.name)
        )
    try:
        name = clean_text(holder, max_chars=MAX_HOLDER) if holder else ""
    except TextError as error:
        raise CurrencyError("text_malformed", error.detail) from error
    if not any(char.isalnum() for char in latin(name or party.name)):
        raise CurrencyError("text_malformed", tell(
            "no bank can write this name: give the holder's in Latin letters, as the bank knows it"
        ))  # fmt: skip
    return plain, name


def take_in(town: Town) -> None:
    """Say in the log, as hashes, where parties are paid who said so before the log held such."""
    query = select(BANK_DETAILS.c.party, HOLDING.c.account, _DETAILS.iban, _DETAILS.holder).join(
        HOLDING, HOLDING.c.party == BANK_DETAILS.c.party
    )
    with town.reading() as connection:
        rows = connection.execute(query.order_by(HOLDING.c.account)).all()
    for start in range(0, len(rows), _AT_ONCE):
        _take_in(town, rows[start : start + _AT_ONCE])


def _take_in(town: Town, rows: Sequence[Any]) -> None:
    made = [(row.party, town.book.entropy(salted.SALT_BYTES), row) for row in rows]

    def also(connection: Connection, answers: list[Posted]) -> None:
        for party, salt, _row in made:
            salted.keep(connection, salted.details_id(party), salt)

    notes = [
        Note(town.new_id(), KIND, {
            "account": f"{row.account:016x}", "by": CONSOLE,
            "hash": salted.salted(salted.DETAILS, salt, [row.iban, row.holder]),
        })
        for _party, salt, row in made
    ]  # fmt: skip
    town.post_all(notes, also)


def erase(town: Town, party: Party, *, by: str = CONSOLE) -> None:
    """Forget where a party is paid."""
    if find(town, party) is None:
        return

    def also(connection: Connection, posted: Posted) -> None:
        _forget(connection, party)

    town.post(Note(town.new_id(), KIND, {"account": f"{party.account:016x}", "by": by}), also)


def _forget(connection: Connection, party: Party) -> None:
    """The row with its salt: what the log holds of it says nothing from then on."""
    connection.execute(delete(BANK_DETAILS).where(_DETAILS.party == party.id))
    salted.drop(connection, salted.details_id(party.id))


def find(town: Town, party: Party) -> Details | None:
    """Where a party is paid; None where it did not say so."""
    query = select(_DETAILS.iban, _DETAILS.holder, _DETAILS.set_at, _DETAILS.set_by).where(_DETAILS.party == party.id)
    with town.reading() as connection:
        row = connection.execute(query).first()
    return Details(*row) if row else None


def by_account(connection: Connection, accounts: set[int]) -> dict[int, Details]:
    """Where the parties that hold those accounts are paid, by account; those who did not say so are not in it."""
    query = (
        select(HOLDING.c.account, _DETAILS.iban, _DETAILS.holder, _DETAILS.set_at, _DETAILS.set_by)
        .join(HOLDING, HOLDING.c.party == BANK_DETAILS.c.party)
        .where(HOLDING.c.account.in_(sorted(accounts)))
    )
    return {row[0]: Details(*row[1:]) for row in connection.execute(query)}
