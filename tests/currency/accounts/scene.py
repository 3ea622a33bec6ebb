"""A town in which everything happened that its accounts can show, and its accounts as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from ledger.core.ids import account_text, derived_id, uuid7
from ledger.core.model import Account, Opening, Side, Transaction, Transfer
from ledger.currency import conversion, parties
from ledger.currency.accounts import export
from ledger.currency.accounts.entries import Entry
from ledger.currency.accounts.fec import COLUMNS
from ledger.currency.chart import EUR
from ledger.currency.charter import Bookkeeping, Charter
from ledger.currency.imported import import_id, issuer_number, open_reserve
from ledger.currency.town import Town
from tests import towns
from tests.towns import BANK, CASH, Member

UNIT = "PATARD"
SIREN = "123456782"
DAY = 86_400


def charter(**changes: Any) -> Charter:
    """A charter whose FEC has a name."""
    return towns.charter(bookkeeping=Bookkeeping(siren=SIREN, **changes))


def days(town: Town, count: float) -> None:
    """Let days pass."""
    towns.clock(town).forward(count * DAY)


def move(
    town: Town, kind: str, *moves: tuple[int, int, int, str], booked_on: date | None = None,
    evidence: dict[str, str | int] | None = None,
) -> bytes:  # fmt: skip
    """Post a transaction of any kind, as (debit, credit, cents, unit)."""
    made = transaction(town.new_id(), kind, *moves)
    return town.post(replace(made, booked_on=booked_on, evidence=evidence or {})).id


def transaction(id_: bytes, kind: str, *moves: tuple[int, int, int, str]) -> Transaction:
    """A transaction of any kind, as (debit, credit, cents, unit)."""
    return Transaction(id_, kind, tuple(Transfer(*move) for move in moves))


def mint(town: Town, account: int, cents: int) -> int:
    """Units as an import makes them, out of an issuer's account; that account."""
    network = town.charter.network
    issuer = Account(issuer_number(network, "asso"), UNIT, Side.CREDIT, floor=None)
    town.post(Opening(derived_id("patard/import/issuer", network, "asso"), issuer, evidence={"issuer": 1}))
    town.post(
        Transaction(
            import_id(network, str(cents)), "import", (Transfer(issuer.number, account, cents, UNIT),),
            evidence={"kind": "issue"},
        )
    )  # fmt: skip
    return issuer.number


def cast(town: Town) -> tuple[Member, Member]:
    """Alice and a bakery."""
    return towns.member(town, "person", "Alice Martin"), towns.member(town, "shop", "Boulangerie")


def work(town: Town, alice: Member, shop: Member, tag: str = "") -> None:
    """What a town does without a bank's files, in one day: 11 entries."""
    today = town.charter.local_date(town.now())
    conversion.convert(town, alice.party, 30_000, reserve=CASH, reference=f"S{tag}1")
    wrong = conversion.convert(town, alice.party, 1_000, reserve=CASH, reference=f"S{tag}2").id
    conversion.correct(town, wrong)
    conversion.convert(town, alice.party, 20_000, reserve=BANK, reference=f"V{tag}1", booked_on=today)
    payment = towns.pay(town, alice, shop, 9_000)
    towns.refund(town, shop, alice, 1_000, payment)
    conversion.accept(town, conversion.find_asked(town, towns.ask_back(town, shop, 3_000)))
    conversion.refuse(town, conversion.find_asked(town, towns.ask_back(town, shop, 500)))
    towns.ask_back(town, shop, 700)


def live(town: Town, alice: Member, shop: Member, tag: str = "") -> None:
    """Every kind of thing at least once, in one day; those of the bank as bare as the accounts see them."""
    work(town, alice, shop, tag)
    chart = town.chart
    bank, cash = chart.reserve[BANK], chart.reserve[CASH]
    today = town.charter.local_date(town.now())
    move(
        town,
        "bank_suspense",
        (bank, chart.suspense, 4_200, EUR),
        booked_on=today,
        evidence={"reference": f"20250615/4200/{tag}1", "line": "0" * 32},
    )
    move(town, "suspense_placed", (chart.suspense, chart.guarantee, 4_200, EUR),
         (chart.circulation, alice.account, 4_200, UNIT))  # fmt: skip
    move(town, "bank_collection", (chart.circulation, chart.maturing, 2_500, UNIT), (bank, chart.guarantee, 2_500, EUR))
    move(town, "collection_matured", (chart.maturing, alice.account, 2_500, UNIT))
    move(town, "bank_return", (alice.account, chart.circulation, 600, UNIT), (chart.guarantee, bank, 600, EUR),
         (chart.claims, bank, 300, EUR))  # fmt: skip
    move(town, "bank_transit", (chart.transit, cash, 5_000, EUR), booked_on=today)
    move(town, "bank_transit", (bank, chart.transit, 5_000, EUR), booked_on=today)
    move(town, "bank_payout", (chart.payouts, bank, 2_850, EUR))
    move(town, "fees_moved_out", (chart.income, bank, 100, EUR))
    move(town, "reserve_strengthened", (bank, chart.guarantee, 1_500, EUR))


def moved_in(town: Town, alice: Member) -> None:
    """The history of a currency that moved in, and a part of its euros."""
    holder = parties.admit(town, "association", "Les Amis")
    mint(town, holder.account, 8_000)
    open_reserve(town, BANK, 5_000, "OUVERTURE")


def entries(town: Town, year: str | None = None, **options: Any) -> Iterator[Entry]:
    """The entries of a business year."""
    return export.read(town, year, **options).entries()


def text(town: Town, form: str, year: str | None = None, *, only: str | None = None, names: bool = False) -> str:
    """The accounts of a business year in one of the forms."""
    pieces: list[bytes] = []
    export.write(export.read(town, year, names=names), form, pieces.append, only=only, names=names)
    return b"".join(pieces).decode()


def rows(fec: str) -> list[dict[str, str]]:
    """The lines of a FEC."""
    return [dict(zip(COLUMNS, line.split("\t"), strict=True)) for line in fec.split("\r\n")[1:-1]]


def balances(fec: str) -> Counter[tuple[str, str]]:
    """Debits less credits, in cents, by account and what makes an auxiliary of it."""
    found: Counter[tuple[str, str]] = Counter()
    for row in rows(fec):
        debit, credit = (int(row[side].replace(",", "")) for side in ("Debit", "Credit"))
        assert row["CompAuxNum"].startswith(row["CompteNum"] if row["CompAuxNum"] else "")
        found[row["CompteNum"], row["CompAuxNum"].removeprefix(row["CompteNum"])] += debit - credit
    return found


def held(town: Town, account: int) -> tuple[str, str]:
    """Where the accounts show what a ledger account of units holds."""
    return "46881", account_text(account)


def fixed_id(number: int) -> bytes:
    """An id that is the same in every run."""
    return uuid7(towns.START, number.to_bytes(10, "big"))
