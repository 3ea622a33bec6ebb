"""Whose key is whose: what vouches for a key, which two do not count together, and that one person is never two."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.currency.vouching import Held, People, Word, together

ASSOCIATION, ALICE, BOB, CAROL, DAN = 1, 11, 12, 13, 14


class Log:
    """Keys as the log tells them, an entry at a time."""

    def __init__(self) -> None:
        self.keys: dict[bytes, Held] = {}
        self.seq = 0

    def next(self) -> int:
        self.seq += 1
        return self.seq

    def treasurer(self, name: str, person: int | None, by: str | None = None, role: str = "treasurer") -> bytes:
        """A key of the office, invited with the key `by` (None: at the machine)."""
        self.keys[name.encode()] = Held(self.next(), ASSOCIATION, role, person, by.encode() if by else None)
        return name.encode()

    def member(self, name: str, account: int, by: str | None = None) -> bytes:
        self.keys[name.encode()] = Held(self.next(), account, "member", None, by.encode() if by else None)
        return name.encode()

    def confirm(self, name: str, by: str) -> None:
        self.keys[name.encode()].words.append(Word(self.next(), by.encode()))

    def revoke(self, name: str) -> None:
        self.keys[name.encode()].until = self.next()

    def people(self, before: int | None = None) -> People:
        return People(self.keys, before or self.seq + 1)


def test_the_machine_says_whose_a_key_is() -> None:
    log = Log()
    alice, phone, nobody = log.treasurer("a", ALICE), log.treasurer("phone", ALICE), log.treasurer("n", None)
    bob = log.treasurer("b", BOB)
    people = log.people()
    assert [people.is_known(key) for key in (alice, phone, nobody, bob)] == [True, True, False, True]
    assert (people.conflict(alice, bob), people.conflict(alice, phone)) == ("", "person")
    assert [people.count(keys, 2) for keys in ([], [alice], [alice, phone, nobody], [phone, bob])] == [0, 1, 1, 2]
    assert [people.count(keys, 1) for keys in ([], [nobody], [alice, bob])] == [0, 1, 1]
    assert log.people(before=1).count([alice, bob], 2) == 0


def test_what_one_person_does_with_many_keys_counts_together() -> None:
    log = Log()
    treasurer, nameless = log.treasurer("t", ALICE), log.treasurer("n", None)
    bob, carol, dan = (log.treasurer(name, who, by="t") for name, who in (("b", BOB), ("c", CAROL), ("d", DAN)))
    unnamed = log.treasurer("u", None, by="d")
    log.member("bob", BOB)
    log.member("carol", CAROL)
    people = log.people()
    # Nobody confirmed whose they are: the treasurer answers for all that she invited, and that they did.
    assert [people.answers(key) for key in (bob, dan, unnamed, nameless)] == [treasurer, treasurer, treasurer, nameless]
    assert people.in_one_hand(bob, carol) and people.in_one_hand(unnamed, treasurer)
    assert not people.in_one_hand(bob, nameless)
    log.confirm("b", by="bob")
    log.confirm("c", by="carol")
    people = log.people()
    assert not any(people.in_one_hand(*pair) for pair in ((bob, carol), (bob, dan), (bob, treasurer)))
    # With a key as a member that she invited, she would be behind the one that it confirms.
    log.treasurer("e", 15, by="t")
    log.member("eve", 15, by="t")
    log.confirm("e", by="eve")
    assert log.people().is_known(b"e") and log.people().in_one_hand(b"e", treasurer)
    keys = [key.hex() for key in (bob, carol, dan, unnamed)]
    assert together(log.keys, dan.hex(), keys, log.seq + 1) == {dan.hex(), unnamed.hex()}
    assert together(log.keys, bob.hex(), keys, log.seq + 1) == {bob.hex()}


@pytest.mark.parametrize(
    ("confirms", "known"),
    [("own", True), ("revoked", False), ("another member", False), ("second treasurer", True), ("inviter", False),
     ("inviter's phone", False), ("unknown treasurer", False), ("", False)],
)  # fmt: skip
def test_who_confirms_a_key_that_one_person_invited(confirms: str, known: bool) -> None:
    log = Log()
    log.treasurer("a", ALICE)
    log.treasurer("c", CAROL)
    log.treasurer("a2", ALICE)
    log.treasurer("n", None)
    log.member("mb", BOB)
    log.member("md", DAN)
    bob = log.treasurer("b", BOB, by="a")
    if confirms == "revoked":
        log.revoke("mb")
    by = {"own": "mb", "revoked": "mb", "another member": "md", "second treasurer": "c", "inviter": "a",
          "inviter's phone": "a2", "unknown treasurer": "n"}.get(confirms)  # fmt: skip
    if by:
        log.confirm("b", by)
    people = log.people()
    assert people.is_known(bob) is known
    if known:
        # Whoever brought it in is no second person beside it; anybody else is.
        assert people.conflict(bob, b"a") == people.conflict(b"a2", bob) == "invited"
        assert (people.conflict(bob, b"c") == "") is (confirms == "own")
        assert not log.people(before=log.seq).is_known(bob)


def test_what_rests_on_somebody_unknown_is_unknown() -> None:
    log = Log()
    log.treasurer("n", None)
    log.member("mb", BOB)
    log.member("mc", CAROL)
    log.treasurer("b", BOB, by="n")
    log.confirm("b", "mb")
    log.treasurer("c", CAROL, by="b")
    log.confirm("c", "mc")
    log.treasurer("d", DAN, by="nobody's")
    assert [log.people().is_known(key) for key in (b"n", b"b", b"c", b"d")] == [False] * 4


def test_whoever_invited_the_inviter_is_no_second_person_either() -> None:
    log = Log()
    log.treasurer("a", ALICE)
    log.member("mb", BOB)
    log.member("mc", CAROL)
    log.treasurer("b", BOB, by="a")
    log.confirm("b", "mb")
    log.treasurer("c", CAROL, by="b")
    log.confirm("c", "mc")
    assert log.people().conflict(b"c", b"a") == "invited"
    assert log.people().count([b"a", b"b", b"c"], 2) == 1
    log.treasurer("d", DAN)
    assert log.people().count([b"c", b"d"], 2) == 2


def test_two_invented_people_are_one_person_s_word() -> None:
    log = Log()
    log.treasurer("a", ALICE)
    for name, account in (("b", BOB), ("c", CAROL)):
        log.member(f"m{name}", account, by="a")
        log.treasurer(name, account, by="a")
        log.confirm(name, f"m{name}")
    people = log.people()
    assert people.is_known(b"b") and people.is_known(b"c")
    assert people.conflict(b"b", b"c") == "word" and people.count([b"a", b"b", b"c"], 2) == 1


def test_a_key_does_not_vouch_for_itself_by_a_detour() -> None:
    log = Log()
    log.treasurer("a", ALICE)
    log.treasurer("b", BOB, by="a")
    log.treasurer("t", CAROL, by="b")
    log.confirm("b", "t")
    log.confirm("t", "b")
    assert not log.people().is_known(b"b") and not log.people().is_known(b"t")
    # Nor by a member's key that it invited itself: that is still on one person's word.
    log.member("mb", BOB, by="b")
    log.confirm("b", "mb")
    log.member("mc", CAROL, by="b")
    log.treasurer("c", CAROL, by="a")
    log.confirm("c", "mc")
    assert log.people().conflict(b"b", b"c") and log.people().count([b"a", b"b", b"c", b"t"], 2) == 1


def test_a_chain_of_thousands_is_no_trouble() -> None:
    log = Log()
    log.treasurer("a", ALICE)
    log.member("m0", BOB, by="a")
    for number in range(1, 3_000):
        log.member(f"m{number}", BOB, by=f"m{number - 1}")
    log.treasurer("b", BOB, by="a")
    log.confirm("b", "m2999")
    log.treasurer("d", DAN)
    people = log.people()
    assert people.conflict(b"b", b"d") == "" and people.conflict(b"a", b"b") == "invited"


STEPS = st.lists(
    st.tuples(st.sampled_from(["treasurer", "operator", "member", "confirm", "revoke", "invent"]), st.integers(0, 30),
              st.integers(0, 30), st.sampled_from([None, ALICE, BOB, CAROL, DAN])),
    max_size=24,
)  # fmt: skip


@settings(max_examples=400)
@given(steps=STEPS, keys=st.sampled_from([("a",), ("a", "a2"), ("a", "o"), ("a", "n"), ("a", "ma"), ("a", "n", "ma")]))
def test_one_person_alone_is_never_two(steps: list[tuple[str, int, int, Any]], keys: tuple[str, ...]) -> None:
    """Whatever Alice does with every key that she has or makes, beside people who do nothing."""
    log = Log()
    log.treasurer("b", BOB)
    log.member("mb", BOB)
    log.member("mc", CAROL)
    start = {
        "a": lambda: log.treasurer("a", ALICE), "a2": lambda: log.treasurer("a2", ALICE),
        "o": lambda: log.treasurer("o", ALICE, role="operator"), "n": lambda: log.treasurer("n", None, role="operator"),
        "ma": lambda: log.member("ma", ALICE),
    }  # fmt: skip
    hers = [start[name]().decode() for name in keys]
    for what, one, other, person in steps:
        by, name = hers[one % len(hers)], f"k{log.seq}"
        role = log.keys[by.encode()].role
        if what in ("treasurer", "operator") and role in ("treasurer", "operator"):
            hers.append(log.treasurer(name, person, by=by, role=what).decode())
        elif what == "invent" and role != "member":
            # The likeliest in one go: somebody made up, whose own key confirms the one for the office.
            own, office = log.member(f"m{name}", person or DAN, by=by), log.treasurer(name, person or DAN, by=by)
            hers += [own.decode(), office.decode()]
            log.confirm(name, f"m{name}")
        elif what == "member" and role != "member":
            hers.append(log.member(name, person or DAN, by=by).decode())
        elif what == "member":
            hers.append(log.member(name, log.keys[by.encode()].account, by=by).decode())
        elif what == "confirm":
            log.confirm(hers[other % len(hers)], by)
        elif what == "revoke":
            log.revoke(by)
    signers = [name.encode() for name in hers if log.keys[name.encode()].role == "treasurer"]
    assert log.people().count(signers, 2) < 2
