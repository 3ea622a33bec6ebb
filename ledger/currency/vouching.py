"""Whose key is whose, where two people sign: on whose word a key is somebody's, and which two do not count together.

Pure, over what the log says of keys: the desk reads those that a file needs from the log (`persons`), the audit gathers
them on its way through it, and both ask here. Entry numbers tell what came before what.

A key is known to be a person's if its note names the person, and the machine invited it, or somebody else whose key is
known did and the person's own key as a member, or a second treasurer whose key is known, confirmed it since.

Two keys count as two people's unless they are of one person; or the person of one invited the other, or whoever did,
up to the machine; or one person alone may be behind both. That is whoever brought both in: a key as a member is no
word against it, for whoever keeps the wallets of two members confirms with both. It ends with the word of a second
treasurer whom that person did not bring in, and with an invitation made at the machine.

Books of before judge by the older rule (`older`), by which a holder's own key as a member was such a word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

MEMBER, TREASURER = "member", "treasurer"
Hands = frozenset[int] | None
"""Persons, by account, each of whom alone may be behind a key; None is anybody."""


class Word(NamedTuple):
    """Entry `seq` of the log: the key `by` confirmed whose a key is."""

    seq: int
    by: bytes


@dataclass(slots=True)
class Held:
    """A key as the log has it: since entry `seq` it acts for `account`, until entry `until` (None: still).

    `person` is the account of whoever holds it, where its note says so. `by` is the key that invited it; None is the
    machine, and a key that there is none of, such as b"", says nothing.
    """

    seq: int
    account: int
    role: str
    person: int | None
    by: bytes | None
    until: int | None = None
    words: list[Word] = field(default_factory=list)

    @property
    def holder(self) -> int | None:
        """Whose it is said to be: a member's key is the member's own."""
        return self.account if self.role == MEMBER else self.person

    def is_own(self, other: Held) -> bool:
        """Whether `other` is a key as a member of the person who is said to hold this one."""
        return other.role == MEMBER and other.account == self.person


def behind(keys: Mapping[bytes, Held], wanted: Iterable[bytes]) -> dict[bytes, Held]:
    """Those of `keys` that are wanted, and all on whose word they are somebody's."""
    found: dict[bytes, Held] = {}
    left = [raw for raw in wanted if raw in keys]
    while left:
        raw = left.pop()
        if raw not in found:
            found[raw] = keys[raw]
            vouching = [keys[raw].by, *(word.by for word in keys[raw].words)]
            left += [by for by in vouching if by is not None and by in keys]
    return found


def together(
    keys: Mapping[bytes, Held], by: str, others: Collection[str], before: int, *, older: bool = False
) -> set[str]:
    """Of these keys (hex), `by` and those in one hand with it, as it was known before that entry of the log."""
    if set(others) <= {by}:
        return {by}
    raws = {text: bytes.fromhex(text) for text in {by, *others}}
    people = People(behind(keys, raws.values()), before, older=older)
    return {by} | {text for text, raw in raws.items() if people.in_one_hand(raws[by], raw)}


class People:
    """Who is who, as it was known before the entry `before` of the log; by the `older` rule, or that of now."""

    def __init__(self, keys: Mapping[bytes, Held], before: int, *, older: bool = False) -> None:
        self._keys = {raw: key for raw, key in keys.items() if key.seq < before}
        self._before, self._older = before, older
        self._hands = self._in_hand()
        self._known = self._found()

    def is_known(self, raw: bytes) -> bool:
        """Whether this key counts as the one of the person whom its note names."""
        return raw in self._known

    def conflict(self, one: bytes, other: bytes) -> str:
        """Why these keys, both known, are not two people's: person, invited or word; "" where they are."""
        mine, theirs = self._keys[one].person, self._keys[other].person
        if mine == theirs:
            return "person"
        if mine in self._sponsors(other) or theirs in self._sponsors(one):
            return "invited"
        return "word" if self.same_behind(one, other) else ""

    def same_behind(self, one: bytes, other: bytes) -> bool:
        """Whether one person alone may be behind both keys. Behind one of nobody in particular may be anybody."""
        first, second = self._hands.get(one), self._hands.get(other)
        return first is None or second is None or bool(first & second)

    def answers(self, raw: bytes) -> bytes:
        """The key that answers for what this one does: itself where it is known; else that of whoever invited it."""
        seen = set[bytes]()
        while raw not in seen and not self.is_known(raw):
            seen.add(raw)
            key = self._keys.get(raw)
            if key is None or key.by not in self._keys:
                break
            raw = key.by
        return raw

    def in_one_hand(self, one: bytes, other: bytes) -> bool:
        """Whether one person answers for both keys, or may be behind both: what a person may do in a day counts so.

        So whom one person brought in count with them, until somebody else vouched for them.
        """
        first, second = self.answers(one), self.answers(other)
        if first == second or not (self.is_known(first) and self.is_known(second)):
            return first == second
        return self._keys[first].person == self._keys[second].person or self.same_behind(first, second)

    def count(self, signers: Iterable[bytes], people: int) -> int:
        """Of `people` who have to sign, how many have: the most of these keys that count together, or as many.

        One signature needs no name: any of `signers` will do.
        """
        keys = sorted(set(signers))
        if people < 2:
            return min(len(keys), people)
        known = [raw for raw in keys if self.is_known(raw)]
        for size in range(min(people, len(known)), 1, -1):
            if any(
                all(not self.conflict(*pair) for pair in combinations(group, 2)) for group in combinations(known, size)
            ):
                return size
        return min(len(known), 1)

    def _words(self, key: Held) -> list[Word]:
        """What confirmed it: each by a key that may, and acted then."""
        found = []
        for word in key.words:
            by = self._keys.get(word.by)
            if by is None or not (key.is_own(by) or by.role == TREASURER):
                continue
            if by.seq < word.seq < self._before and (by.until is None or word.seq <= by.until):
                found.append(word)
        return found

    def _found(self) -> set[bytes]:
        """The keys that are known: no more than follow from those that are, so nobody is known in a circle."""
        known: set[bytes] = set()
        named = {raw: key for raw, key in self._keys.items() if key.person is not None}
        while more := {raw for raw, key in named.items() if raw not in known and self._stands(key, known)}:
            known |= more
        return known

    def _stands(self, key: Held, known: set[bytes]) -> bool:
        if key.by is None:
            return True
        if key.by not in known:
            return False
        inviter = self._keys[key.by]
        if inviter.person == key.person:
            return False
        for word in self._words(key):
            by = self._keys[word.by]
            if key.is_own(by):
                return True
            second = word.by in known and by.role == inviter.role == TREASURER and by.person != inviter.person
            if second:
                return True
        return False

    def _sponsors(self, raw: bytes) -> set[int | None]:
        """The persons of the keys that invited it, of those that invited them, and so on until the machine."""
        found: set[int | None] = set()
        seen, left = {raw}, [raw]
        while left:
            key = self._keys.get(left.pop())
            if key is None or key.by is None:
                continue
            seconded = [word.by for word in self._words(key) if not key.is_own(self._keys[word.by])]
            for by in (key.by, *seconded):
                if by not in seen and by in self._keys:
                    seen.add(by)
                    left.append(by)
                    found.add(self._keys[by].person)
        return found

    def _in_hand(self) -> dict[bytes, Hands]:
        """Who alone may be behind each key: its holder, and whoever had in hand all that vouched for it, when it did.

        In the order of the log, so that a key cannot vouch for what it rests on itself.
        """
        said: list[tuple[int, bytes, bytes | None]] = []
        for raw, key in self._keys.items():
            said.append((key.seq, raw, key.by))
            words = [word for word in self._words(key) if self._older or not key.is_own(self._keys[word.by])]
            said += [(word.seq, raw, word.by) for word in words]
        vouching: dict[bytes, Hands] = {}
        hands: dict[bytes, Hands] = {}
        for _seq, raw, by in sorted(said, key=lambda one: one[0]):
            behind: Hands = frozenset() if by is None else hands.get(by)
            if raw in vouching:
                before = vouching[raw]
                behind = before if behind is None else behind if before is None else before & behind
            vouching[raw] = behind
            holder = self._keys[raw].holder
            hands[raw] = None if behind is None or holder is None else behind | {holder}
        return hands
