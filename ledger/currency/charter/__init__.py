"""The charter of a currency: its rules, in a TOML file (`model`), and how it is read (`reading`, `rules`)."""

from ledger.currency.charter.model import Charter
from ledger.currency.charter.parts import BankRules, Bookkeeping, Limits, MandateRules, ReserveAccount
from ledger.currency.charter.problems import CharterError, Problem
from ledger.currency.charter.rules import Agents, PartyKind, ReserveKind

__all__ = [
    "Agents",
    "BankRules",
    "Bookkeeping",
    "Charter",
    "CharterError",
    "Limits",
    "MandateRules",
    "PartyKind",
    "Problem",
    "ReserveAccount",
    "ReserveKind",
]
