"""The reserve report: what is out against what backs it, each account against its bank's last statement."""

from ledger.currency.reserve.model import (
    FULL,
    THRESHOLD,
    AccountState,
    Explained,
    Identity,
    Month,
    Reserve,
    Why,
    Year,
)
from ledger.currency.reserve.report import Gathered, Keeper, bound_for, explained, issuers, report

__all__ = [
    "FULL",
    "THRESHOLD",
    "AccountState",
    "Explained",
    "Gathered",
    "Identity",
    "Keeper",
    "Month",
    "Reserve",
    "Why",
    "Year",
    "bound_for",
    "explained",
    "issuers",
    "report",
]
