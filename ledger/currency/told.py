"""Sentences that keep what they were made of: said in English here, and in another language by whoever shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self


class Told(str):
    """A sentence in English. `text` is the one without what is particular to it, `facts` what that is."""

    text: str
    facts: dict[str, object]

    def __new__(cls, text: str, facts: dict[str, object]) -> Self:
        made = super().__new__(cls, text.format(**facts))
        made.text, made.facts = text, facts
        return made

    def in_words(self, translate: Callable[[str], str]) -> str:
        """The sentence in another language; facts that are sentences themselves, too."""
        facts = {
            name: fact.in_words(translate) if isinstance(fact, Told) else fact for name, fact in self.facts.items()
        }
        return translate(self.text).format(**facts)


def tell(text: str, **facts: object) -> Told:
    """A sentence; `text` names its facts in braces, and is what catalogs translate."""
    return Told(text, facts)
