"""Names and words as banks write them: accents, case, order and titles do not count."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ledger.currency.bank.latin import latin

_TITLES = frozenset((
    "m", "mr", "mrs", "ms", "mme", "mle", "mlle", "melle", "mm", "dr", "me", "monsieur", "madame", "mademoiselle",
    "ou", "et", "and", "sarl", "sas", "sasu", "sa", "eurl", "ei", "eirl", "scop", "scic", "sci", "snc", "gaec", "earl",
    "asso", "association",
))  # fmt: skip
_CASH_IN = ("versement especes", "remise especes", "depot especes", "vers especes", "cash deposit")
WORDS = {
    "charge": ("frais", "commission", "commissions", "cotisation", "cotis", "tenue de compte", "agios", "abonnement",
               "interets debiteurs", "fees", "charges"),
    "membership": ("adhesion", "adhesions", "cotisation", "cotis", "don", "subvention", "membership", "donation"),
    "cash in": _CASH_IN,
    "deposit": (*_CASH_IN, "versement", "versements", "verst", "depot", "depots", "deposit"),
    "cheque": ("cheque", "cheques", "chq", "chqs", "check"),
    "cash out": ("retrait", "especes", "dab", "withdrawal"),
}  # fmt: skip
"""Phrases by what they tell; banks write them without accents, or are read so."""
_MOST_ALIKE = 3
"""A part of a name that fits more members than this says nothing."""


def in_order(text: str) -> list[str]:
    """The words of a text: lower case, without accents, letters and digits only."""
    return re.findall(r"[a-z0-9]+", latin(text).lower())


def said(text: str, what: str) -> str | None:
    """The first of the words for something that a text has."""
    there = f" {' '.join(in_order(text))} "
    return next((phrase for phrase in WORDS[what] if f" {phrase} " in there), None)


def begins(text: str, what: str) -> bool:
    """Whether a text begins with a word for something, as what a bank calls it does."""
    there = f"{' '.join(in_order(text))} "
    return any(there.startswith(f"{phrase} ") for phrase in WORDS[what])


def words(text: str) -> frozenset[str]:
    """The words of a name, without titles and legal forms; all of them where it has no others."""
    every = frozenset(in_order(text))
    return every - _TITLES or every


class Names:
    """Members by the words of their names."""

    def __init__(self, names: Mapping[int, str]) -> None:
        self._names = names
        self._words = {account: words(name) for account, name in names.items()}
        self._by_word: dict[str, set[int]] = {}
        for account, found in self._words.items():
            for word in found:
                self._by_word.setdefault(word, set()).add(account)

    def __contains__(self, account: object) -> bool:
        return account in self._names

    def name(self, account: int) -> str:
        """The name of a member; the account's number where it is not known."""
        return self._names.get(account, f"{account:016x}")

    def all_in(self, text: str, *, at_least: int = 1) -> set[int]:
        """Members all of whose name, of `at_least` so many words, is in the text; the longer name where one has two."""
        there = words(text)
        fit = {
            account
            for account in self._with(there)
            if len(self._words[account]) >= at_least and self._words[account] <= there
        }
        return {one for one in fit if not any(self._words[one] < self._words[other] for other in fit)}

    def part_of(self, text: str) -> set[int]:
        """Members in whose name all words of the text are; none where those are many."""
        there = words(text)
        fit = {account for account in self._with(there) if there <= self._words[account]}
        return fit if len(fit) <= _MOST_ALIKE else set()

    def _with(self, there: frozenset[str]) -> set[int]:
        return set().union(*(self._by_word.get(word, ()) for word in there))
