"""Signatures are verified by other processes: what is found, and in which order, is the same as without them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from hashlib import sha512

import pytest
from sqlalchemy import text

from ledger.core.model import Refused, Transaction, Transfer
from ledger.currency import conversion
from ledger.currency.audit import registry, signatures, walk
from ledger.currency.audit.signatures import Signatures, Signed, is_right, wrong_of
from ledger.currency.audit.story import Story
from ledger.currency.audit.walk import MOST_FINDINGS, Audit, audit
from ledger.currency.keys import PrivateKey, verify
from ledger.currency.messages import ORDER_DOMAIN, SignedOrder
from ledger.currency.town import Town
from tests import towns
from tests.currency.wrongs import UNIT, signed_transaction
from tests.towns import CASH, Member, key_of

ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of the curve's main group (RFC 8032)."""


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few signatures are worth a process."""
    monkeypatch.setattr(signatures, "CHUNK", 3)
    monkeypatch.setattr(signatures, "WORTH", 2)
    monkeypatch.setattr(walk, "PAGE", 7)


@pytest.fixture
def people(town: Town) -> tuple[Member, Member]:
    alice, shop = towns.member(town, "person", "Alice"), towns.member(town, "shop", "Boulangerie")
    conversion.convert(town, alice.party, 1_000_000, reserve=CASH, reference="S1")
    return alice, shop


def honest(town: Town, alice: Member, shop: Member) -> Transaction:
    return signed_transaction(towns.order(town, alice, shop.account, 100))


def forged(town: Town, alice: Member, shop: Member) -> Transaction:
    made = towns.order(town, alice, shop.account, 100).order
    return signed_transaction(
        SignedOrder(made, alice.key.public, key_of("thief").sign(ORDER_DOMAIN + made.body()))
    )  # fmt: skip


def changed(town: Town, alice: Member, shop: Member) -> Transaction:
    """Another amount than was signed, and signed by nobody besides: two findings at one entry."""
    more = (Transfer(alice.account, shop.account, 101, UNIT),)
    return signed_transaction(
        SignedOrder(towns.order(town, alice, shop.account, 100).order, alice.key.public, bytes(64)), transfers=more
    )  # fmt: skip


def unsigned(town: Town, alice: Member, shop: Member) -> Transaction:
    return Transaction(town.new_id(), "payment", (Transfer(alice.account, shop.account, 100, UNIT),))


Kind = Callable[[Town, Member, Member], Transaction]


def posted(town: Town, people: tuple[Member, Member], *kinds: Kind) -> None:
    answers = town.book.post([kind(town, *people) for kind in kinds]).answers
    assert not any(isinstance(answer, Refused) for answer in answers)


def the_same(town: Town) -> Audit:
    """What is found without processes, which is what is found with one, two and three."""
    alone = audit(town, workers=0)
    for workers in (1, 2, 3):
        assert audit(town, workers=workers) == alone
    return alone


DAMAGES: dict[str, list[Kind]] = {
    "none": [honest] * 20,
    "one forged": [*[honest] * 12, forged, *[honest] * 12],
    "the last one": [*[honest] * 12, forged],
    "all sorts": [honest, forged, changed, unsigned] * 12,
    "more than are listed": [*[honest] * 5, *[changed, forged, honest, unsigned] * 60],
}


@pytest.mark.parametrize("name", DAMAGES)
def test_the_same_is_found(town: Town, people: tuple[Member, Member], name: str) -> None:
    kinds = DAMAGES[name]
    posted(town, people, *kinds)
    with town.engine.connect() as connection:
        connection.execute(text("UPDATE device_key SET revoked_at = 1"))
        connection.commit()
    done = the_same(town)
    wrong: dict[Kind, int] = {forged: 1, changed: 2, unsigned: 1}
    tables = 2
    assert done.total == sum(wrong.get(kind, 0) for kind in kinds) + tables
    assert len(done.findings) == min(done.total, MOST_FINDINGS)
    assert done.orders == len(kinds) - kinds.count(unsigned)
    seqs = [finding.seq or sys.maxsize for finding in done.findings]
    assert seqs == sorted(seqs)


def test_two_findings_at_one_entry_keep_their_order(town: Town, people: tuple[Member, Member]) -> None:
    posted(town, people, *[honest] * 8, changed)
    assert [finding.code for finding in the_same(town).findings] == ["order_differs", "signature_invalid"]


def test_the_first_are_listed_whoever_is_quicker(town: Town, people: tuple[Member, Member]) -> None:
    posted(town, people, *[forged] * (MOST_FINDINGS + 50))
    done = the_same(town)
    assert done.total == MOST_FINDINGS + 50
    first = done.findings[0].seq
    assert [finding.seq for finding in done.findings] == list(range(first, first + MOST_FINDINGS))


def test_processes_that_cannot_start_are_done_without(
    town: Town, people: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    posted(town, people, *DAMAGES["all sorts"])
    alone = audit(town, workers=0)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert audit(town, workers=2) == alone


def test_processes_that_are_killed_leave_no_gap(
    town: Town, people: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    posted(town, people, *DAMAGES["all sorts"])
    alone = audit(town, workers=0)
    send, sent = signatures._Worker.send, []

    def and_kill(worker: signatures._Worker, chunk: signatures._Chunk) -> bool:
        sent.append(worker)
        if sent.count(worker) == 2:
            os.kill(worker._process.pid, signal.SIGKILL)
        return send(worker, chunk)

    monkeypatch.setattr(signatures._Worker, "send", and_kill)
    assert audit(town, workers=2) == alone
    assert len(set(sent)) == 2


def test_nothing_is_left_behind(town: Town, people: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch) -> None:
    """An audit that is given up ends its processes."""
    made: list[signatures._Worker] = []
    start = signatures._Worker.__init__

    def kept(worker: signatures._Worker) -> None:
        start(worker)
        made.append(worker)

    monkeypatch.setattr(signatures._Worker, "__init__", kept)
    posted(town, people, *[honest] * 30)
    course = walk.steps(town, workers=2)
    while len(made) < 2:
        next(course)
    course.close()
    assert all(worker._process.returncode is not None for worker in made)


def test_any_judge_may_ask_for_a_signature(
    town: Town, people: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    key, right = key_of("office"), b"what was done"

    def judge(story: Story, record: object, note: object) -> object:
        yield Signed(key.public, key.sign(right), right, "act_unsigned", "never said")
        yield Signed(key.public, key.sign(right), b"another thing", "act_unsigned", "nobody signed that this was done")

    posted(town, people, *[honest] * 8)
    monkeypatch.setitem(registry.NOTES, "key_revoked", judge)
    from ledger.currency import parties

    towns.join(town, people[0].party, "member", "another")
    parties.revoke(town, parties.device(town, people[0].key.public))
    found = [finding for finding in the_same(town).findings if finding.seq]
    assert [(one.code, one.text) for one in found] == [("act_unsigned", "nobody signed that this was done")]


# --- libsodium and OpenSSL ---------------------------------------------------------------------------------


RIGHT = {"right", "R is the neutral point", "right, and long"}


def odd_signatures() -> list[tuple[str, bytes, bytes, bytes]]:
    """Name, key, signature and message of what two libraries could judge differently."""
    seed, message = bytes(range(32)), b"patard"
    key = PrivateKey.from_seed(seed)
    good = key.sign(message)
    scalar = int.from_bytes(sha512(seed).digest()[:32], "little") & (2**254 - 8) | 2**254
    nothing = (1).to_bytes(32, "little")  # the neutral point, as R: whoever made this drew no nonce
    digest = int.from_bytes(sha512(nothing + key.public + message).digest(), "little")
    large = int.from_bytes(good[32:], "little") + ORDER
    return [
        ("right", key.public, good, message),
        ("of another message", key.public, good, b"other"),
        ("by another key", key_of("thief").public, good, message),
        ("R is the neutral point", key.public, nothing + (digest * scalar % ORDER).to_bytes(32, "little"), message),
        ("S is larger than it must be", key.public, good[:32] + large.to_bytes(32, "little"), message),
        ("the neutral key", nothing, nothing + bytes(32), message),
        ("a key that is no point", b"\x02" + bytes(31), good, message),
        ("a key written too large", b"\xff" * 32, good, message),
        ("a short key", key.public[:31], good, message),
        ("a long key", key.public + b"\0", good, message),
        ("a short signature", key.public, good[:63], message),
        ("a long signature", key.public, good + b"\0", message),
        ("nothing", b"", b"", b""),
        ("right, and long", key.public, key.sign(message * 1_000), message * 1_000),
        ("long, of another message", key.public, key.sign(message * 1_000), message * 1_001),
    ]


@pytest.mark.parametrize("odd", odd_signatures(), ids=lambda odd: odd[0])
def test_the_desk_has_the_last_word(odd: tuple[str, bytes, bytes, bytes]) -> None:
    name, *job = odd
    assert is_right(*job) == verify(*job) == (name in RIGHT)


def test_which_are_wrong() -> None:
    jobs = [(key, signature, message) for _, key, signature, message in odd_signatures()]
    assert wrong_of(jobs) == [1, 2, *range(4, 13), 14]
    with Signatures(workers=1) as many:
        for seq, job in enumerate(jobs):
            many.add(seq, bytes(16), Signed(*job, "wrong", "wrong"))
        many.finish()
        assert sorted(one.seq for one in many.wrong()) == wrong_of(jobs)
        assert many.wrong() == []
