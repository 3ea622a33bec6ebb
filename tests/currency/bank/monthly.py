"""A town whose members top up by direct debit, and what its bank makes of that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import insert

from ledger.core.ids import derived_id
from ledger.core.model import Note, Opening
from ledger.currency import parties, salted
from ledger.currency.bank import taking
from ledger.currency.bank.booking import Booked
from ledger.currency.bank.mandates import collecting, index, model, notices, register
from ledger.currency.bank.mandates.files import Collection
from ledger.currency.bank.mandates.index import Item
from ledger.currency.bank.mandates.model import Mandate
from ledger.currency.bank.mandates.tables import COLLECTION_ITEM, MANDATE, MANDATE_VERSION
from ledger.currency.bank.mandates.text import Content, mandate_reference, mandate_text
from ledger.currency.bank.statement import BankLine, LineKind
from ledger.currency.charter.ibans import rib_key
from ledger.currency.parties import Party
from ledger.currency.tables import HOLDING, PARTY, SALT
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import bring, line, statement
from tests.towns import BANK

SIGNED = date(2025, 6, 15)
"""The day on which the clock of `towns` begins: members can still be told of July's debits, due on Monday the 7th."""
MONTH, DUE = "2025-07", date(2025, 7, 7)
RELEASED = DUE + timedelta(days=56)


def iban(number: int) -> str:
    """A French IBAN, another one for each number."""
    account = f"30006000010{number:010d}"
    return f"FR76{account}{rib_key(account)}"


def sign(town: Town, who: str | Party, amount: int = 3_000, number: int = 0) -> tuple[Party, Mandate]:
    """A member, a new one of that name, who signed a mandate on paper."""
    party = parties.admit(town, "person", who) if isinstance(who, str) else who
    made, _new = register.sign(town, party, iban=iban(number or party.account % 10**9), amount=amount, signed_on=SIGNED)
    return party, made


def until(town: Town, day: date) -> None:
    """It becomes that day."""
    clock = towns.clock(town)
    clock.forward((day - town.charter.local_date(clock())).days * 86_400)
    assert town.charter.local_date(clock()) == day


def collected(town: Town, day: date = DUE) -> Collection:
    """The file of July, announced and ordered in time; then it is `day`."""
    notices.give(town)
    until(town, max(date(2025, 6, 24), town.charter.local_date(town.now())))
    made, new = collecting.collect(town)
    assert new and made.month == MONTH and made.collect_on == DUE
    until(town, day)
    return made


def batch(made: Collection, **more: Any) -> BankLine:
    """The file as a bank brings it: as one sum."""
    values = {"kind": LineKind.DEBIT, "end_to_end": made.message, "text": "REMISE PRELEVEMENTS", **more}
    return line(made.total, day=made.collect_on, **values)


def debit(item: Item, day: date = DUE, sign: int = 1, **more: Any) -> BankLine:
    """One debit as a bank brings it, or (`sign` -1) takes it back."""
    kind = LineKind.DEBIT if sign > 0 else LineKind.RETURN
    return line(sign * item.amount, day=day, **{"kind": kind, "end_to_end": item.reference, **more})


def brought(town: Town, *lines: BankLine) -> Booked:
    """The next statement of the bank has these lines: it begins where and when the last one ended."""
    before = taking.statements(town)
    first = min(one.booked_on for one in lines)
    if before:
        first = min(first, date.fromisoformat(before[-1].last) + timedelta(days=1))
    opening = before[-1].closing if before else town.book.balance(town.chart.reserve[BANK])
    return bring(town, statement(lines, opening, first=first))


def items(town: Town, *where: Any) -> list[Item]:
    """Every debit as it stands."""
    with town.reading() as connection:
        return index.items(connection, *where)


def item_of(town: Town, mandate: Mandate) -> Item:
    """The latest debit of a mandate."""
    return items(town, COLLECTION_ITEM.c.mandate == mandate.id)[-1]


def states(town: Town) -> dict[str, int]:
    """How many debits are in which state."""
    found: dict[str, int] = {}
    for one in items(town):
        found[one.state] = found.get(one.state, 0) + 1
    return found


def signed_by_many(town: Town, amounts: Sequence[int]) -> list[Mandate]:
    """As many members with a mandate on paper, in one commit: what `sign` would take minutes for."""
    rows: dict[Any, list[dict[str, Any]]] = {PARTY: [], HOLDING: [], SALT: [], MANDATE: [], MANDATE_VERSION: []}
    notes: list[Opening | Note] = []
    terms = model.terms(town)
    for number, amount in enumerate(amounts, 1):
        party, mandate, salt = town.new_id(), town.new_id(), bytes(16)
        content = Content(mandate, f"Membre {number:04d}", iban(number), amount, 1, SIGNED)
        text = mandate_text("fr", terms, content)
        account = parties.holding(town.charter.network, party, town.charter.code)
        reference = mandate_reference(town.charter.network, mandate)
        said: dict[str, str | int] = {"amount": amount, "version": 1, "signed_on": SIGNED.isoformat()}
        named = model.naming(mandate, reference, account.number, "console")
        told: dict[str, str | int] = {**named, **said, "hash": sha256(salt + text.encode()).hexdigest()}
        hashed = salted.party_evidence("person", f"Membre {number:04d}", salt)
        notes.append(Opening(party, account, evidence={"by": "console", **hashed}))
        notes.append(Note(derived_id("patard/mandate-signed", mandate), model.SIGNED, told))
        rows[PARTY].append({"id": party, "kind": "person", "name": f"Membre {number:04d}"})
        rows[HOLDING].append({"account": account.number, "party": party})
        rows[SALT].append({"id": party, "salt": salt})
        rows[MANDATE].append(
            {"id": mandate, "account": account.number, "reference": reference, "iban": iban(number),
             "holder": f"Membre {number:04d}", "suspended_why": "", "resumed_after": 0, **said}
        )  # fmt: skip
        rows[MANDATE_VERSION].append({"mandate": mandate, "text": text, "salt": salt, **said})

    def also(connection: Any, answers: Any) -> None:
        for place, party_row in enumerate(rows[PARTY]):
            party_row["admitted_at"] = answers[2 * place].at
            for table in (MANDATE, MANDATE_VERSION):
                rows[table][place]["seq"] = answers[2 * place + 1].seq
        for table, found in rows.items():
            connection.execute(insert(table), found)

    town.post_all(notes, also)
    return model.every(town)
