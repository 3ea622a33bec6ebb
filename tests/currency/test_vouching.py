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

    def people(self, before: int | None = None, *, older: bool = False) -> People:
        return People(self.keys, before or self.seq + 1, older=older)


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
    pairs = ((bob, carol), (bob, dan), (bob, treasurer))
    # Their own keys as members may be hers as well: by the rule of before, they were not.
    assert all(log.people().in_one_hand(*pair) for pair in pairs)
    assert not any(log.people(older=True).in_one_hand(*pair) for pair in pairs)
    log.treasurer("s", 16)
    log.confirm("b", by="s")
    assert not any(log.people().in_one_hand(*pair) for pair in pairs)
    assert log.people().in_one_hand(carol, treasurer)
    # With a key as a member that she invited, she would be behind the one that it confirms.
    log.treasurer("e", 15, by="t")
    log.member("eve", 15, by="t")
    log.confirm("e", by="eve")
    assert log.people().is_known(b"e") and log.people().in_one_hand(b"e", treasurer)
    keys = [key.hex() for key in (bob, carol, dan, unnamed)]
    assert together(log.keys, dan.hex(), keys, log.seq + 1) == {carol.hex(), dan.hex(), unnamed.hex()}
    assert together(log.keys, dan.hex(), keys, log.seq + 1, older=True) == {dan.hex(), unnamed.hex()}
    assert together(log.keys, bob.hex(), keys, log.seq + 1) == {bob.hex()}
    assert together(log.keys, carol.hex(), keys, log.seq + 1) == {carol.hex(), dan.hex(), unnamed.hex()}
    assert together(log.keys, carol.hex(), keys, log.seq + 1, older=True) == {carol.hex()}


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


def brought_in(log: Log) -> tuple[bytes, bytes]:
    """Two people who keep wallets of their own, or so it looks; Alice makes both of them treasurers."""
    log.treasurer("a", ALICE)
    for name, account in (("b", BOB), ("c", CAROL)):
        log.member(f"m{name}", account)
        log.treasurer(name, account, by="a")
        log.confirm(name, f"m{name}")
    return b"b", b"c"


def test_two_whom_one_person_brought_in_are_no_two_people() -> None:
    log = Log()
    bob, carol = brought_in(log)
    people = log.people()
    assert people.is_known(bob) and people.is_known(carol)
    assert people.conflict(bob, carol) == "word" and people.count([b"a", bob, carol], 2) == 1
    assert people.in_one_hand(bob, carol) and people.in_one_hand(bob, b"a")
    # What was ordered before the rule goes on by the one of then.
    assert log.people(older=True).conflict(bob, carol) == "" and log.people(older=True).count([bob, carol], 2) == 2


@pytest.mark.parametrize(
    ("who", "free"),
    [("by the machine", True), ("whom she brought in", False), ("whom one brought in whom she did", False),
     ("of nobody in particular", False), ("herself, at the machine", False), ("at another time", False)],
)  # fmt: skip
def test_who_says_that_one_of_them_is_another(who: str, free: bool) -> None:
    """A second treasurer whom she did not bring in; one word for one of the two is enough."""
    log = Log()
    bob, carol = brought_in(log)
    log.treasurer("x", 15, by="a")
    log.member("mx", 15)
    log.confirm("x", "mx")
    makes = {
        "by the machine": lambda: log.treasurer("d", DAN), "whom she brought in": lambda: log.treasurer("d", DAN, "a"),
        "whom one brought in whom she did": lambda: log.treasurer("d", DAN, "x"),
        "of nobody in particular": lambda: log.treasurer("d", None),
        "herself, at the machine": lambda: log.treasurer("d", ALICE),
        "at another time": lambda: log.treasurer("d", DAN),
    }  # fmt: skip
    makes[who]()
    if log.keys[b"d"].by is not None:
        log.member("md", DAN)
        log.confirm("d", "md")
    log.confirm("b", "d")
    before = log.seq if who == "at another time" else None
    assert (log.people(before).conflict(bob, carol) == "") is free
    assert log.people(before).in_one_hand(bob, carol) is not free


def test_a_small_association_is_not_locked_out() -> None:
    """Whom the machine invited sign with each other, and with anybody whom the other did not bring in."""
    log = Log()
    alice, dan = log.treasurer("a", ALICE), log.treasurer("d", DAN)
    log.member("mb", BOB)
    bob = log.treasurer("b", BOB, by="a")
    log.confirm("b", "mb")
    people = log.people()
    assert [people.count(pair, 2) for pair in ((alice, dan), (bob, dan), (alice, bob))] == [2, 2, 1]
    # With a third whom Alice brings in: a word of Dan's for one of them, and the two sign without her.
    log.member("mc", CAROL)
    carol = log.treasurer("c", CAROL, by="a")
    log.confirm("c", "mc")
    assert log.people().count([bob, carol], 2) == 1
    log.confirm("c", "d")
    assert log.people().count([bob, carol], 2) == 2


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
    st.tuples(st.sampled_from(["treasurer", "operator", "member", "confirm", "revoke", "invent", "bring"]),
              st.integers(0, 30),
              st.integers(0, 30), st.sampled_from([None, ALICE, BOB, CAROL, DAN])),
    max_size=24,
)  # fmt: skip


@settings(max_examples=400)
@given(
    steps=STEPS,
    keys=st.sampled_from(
        [("a",), ("a", "a2"), ("a", "o"), ("a", "n"), ("a", "ma"), ("a", "n", "ma"), ("a", "w1", "w2"),
         ("a", "n", "w1", "w2")]
    ),
)  # fmt: skip
def test_one_person_alone_is_never_two(steps: list[tuple[str, int, int, Any]], keys: tuple[str, ...]) -> None:
    """Whatever Alice does with every key that she has or makes, beside people who do nothing.

    The wallets w1 and w2 are hers too: an honest operator admitted their holders, whom nobody else has ever seen.
    """
    log = Log()
    log.treasurer("b", BOB)
    log.member("mb", BOB)
    log.member("mc", CAROL)
    log.treasurer("honest", 17, role="operator")
    start = {
        "a": lambda: log.treasurer("a", ALICE), "a2": lambda: log.treasurer("a2", ALICE),
        "o": lambda: log.treasurer("o", ALICE, role="operator"), "n": lambda: log.treasurer("n", None, role="operator"),
        "ma": lambda: log.member("ma", ALICE),
        "w1": lambda: log.member("w1", 18, by="honest"), "w2": lambda: log.member("w2", 19),
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
        elif what == "bring" and role != "member":
            # Somebody who has a wallet becomes a treasurer, and confirms it.
            wallets = [key for key in hers if log.keys[key.encode()].role == "member"]
            if wallets:
                wallet = wallets[other % len(wallets)]
                hers.append(log.treasurer(name, log.keys[wallet.encode()].account, by=by).decode())
                log.confirm(name, wallet)
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
