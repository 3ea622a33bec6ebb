"""Sentences that keep what they were made of: said in English here, and in another language by whoever shows them."""

from __future__ import annotations

from datetime import date
from typing import Self

from ledger.currency.errors import ERRORS
from ledger.currency.money import Cents, format_cents
from ledger.i18n import Translator, format_day

__all__ = ["Cents", "Told", "detail_of", "tell", "why"]


class Told(str):
    """A sentence in English. `text` is the one without what is particular to it, `facts` what that is.

    Sums are `Cents`, days are dates, several of something a tuple, and a fact may be a sentence itself: each is written
    as the language does, which a text that was made of them before could not be.
    """

    text: str
    facts: dict[str, object]

    def __new__(cls, text: str, facts: dict[str, object]) -> Self:
        made = super().__new__(cls, text.format(**{name: _written(fact, None) for name, fact in facts.items()}))
        made.text, made.facts = text, facts
        return made

    def in_words(self, translate: Translator) -> str:
        """The sentence in another language, and its facts as that writes them."""
        facts = {name: _written(fact, translate) for name, fact in self.facts.items()}
        return translate(self.text).format(**facts)


def tell(text: str, **facts: object) -> Told:
    """A sentence; `text` names its facts in braces, and is what catalogs translate."""
    return Told(text, facts)


def word(text: str) -> Told:
    """A word of the program's own (a role, a kind of party) as a fact: catalogs translate it."""
    return Told(text, {})


def detail_of(error: Exception) -> str:
    """What an error says, with its facts where it knows them."""
    text, facts = getattr(error, "text", None), getattr(error, "facts", None)
    if isinstance(text, str) and isinstance(facts, dict):  # of the engine, which has no sentences of this kind
        return Told(text, facts)
    detail = getattr(error, "detail", None)
    return detail if isinstance(detail, str) else str(error)


def why(code: str, detail: str, words: Translator) -> str:
    """Why something was refused, in the language of `words`.

    A `detail` that does not know its facts is English and the engine's, with numbers of accounts as it writes them: in
    another language the meaning of `code` says it.
    """
    if isinstance(detail, Told):
        return detail.in_words(words)
    return words(ERRORS[code][1]) if words.lang != "en" and code in ERRORS else detail


def _written(fact: object, words: Translator | None) -> object:
    """A fact as the language of `words` writes it; without any, as programs do."""
    if isinstance(fact, tuple):
        stop = "; " if words is None or words.lang == "en" else " ; "
        between = stop if any(isinstance(one, Told) and " " in one for one in fact) else ", "
        return between.join(str(_written(one, words)) for one in fact)
    if words is None or words.lang == "en":
        return fact
    if isinstance(fact, Told):
        return fact.in_words(words)
    if isinstance(fact, Cents):
        return format_cents(fact, words.lang)
    return format_day(fact, words.lang) if isinstance(fact, date) else fact
