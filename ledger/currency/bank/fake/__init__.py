"""A bank to try things out with: in memory, the same in every run, and as careless with texts as the real ones.

It keeps our accounts (`bank`), takes the files that `pain` writes and answers them (`orders`, `answers`), rejects,
returns and delays what it is told to (`Fate`), and makes statements of any days in each format that banks offer
(`camt`, `cfonb`, `ofx`). Nothing in it reads what `formats` reads, so that neither can be wrong alone. It has no
clock: every call says its day.
"""

from __future__ import annotations

from ledger.currency.bank.fake.answers import Answer, Rejected
from ledger.currency.bank.fake.bank import FakeBank, Format, accounts_of
from ledger.currency.bank.fake.days import later
from ledger.currency.bank.fake.entries import Account, Entry, Manners
from ledger.currency.bank.fake.fates import Fate, Fates
from ledger.currency.bank.fake.orders import OrderFile, OrderRefused, read_orders

__all__ = [
    "Account", "Answer", "Entry", "FakeBank", "Fate", "Fates", "Format", "Manners", "OrderFile", "OrderRefused",
    "Rejected", "accounts_of", "later", "read_orders",
]  # fmt: skip
