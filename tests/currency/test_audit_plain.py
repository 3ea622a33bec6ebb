"""What is told of a plain payment from its bytes is what the judges of all entries say of it: the same, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import orjson
import pytest

from ledger.currency import conversion
from ledger.currency.audit.signatures import Signatures, Signed
from ledger.currency.audit.story import Importing, Story
from ledger.currency.audit.walk import _Run
from ledger.currency.town import Town
from tests import towns
from tests.towns import CASH

Body = dict[str, Any]


class _Kept:
    """Signatures that are kept instead of verified."""

    def __init__(self) -> None:
        self.added: list[tuple[int, bytes, Signed]] = []

    def add(self, seq: int, id_: bytes, signed: Signed) -> None:
        self.added.append((seq, id_, signed))


@pytest.fixture
def last(town: Town) -> bytes:
    """The record of a payment, the last of two, that nothing is wrong with."""
    alice, shop = towns.member(town, "person", "Alice"), towns.member(town, "shop", "Boulangerie")
    conversion.convert(town, alice.party, 10_000, reserve=CASH, reference="S1")
    towns.pay(town, alice, shop, 500)
    towns.pay(town, alice, shop, 700)
    return _log(town)[-1][2]


def _log(town: Town) -> list[tuple[int, bytes, bytes]]:
    with town.book.store.reading() as store:
        return [(row.seq, row.id, row.record) for row in store.log(0, 1_000)]


def _told(town: Town, data: bytes, before: Callable[[Story], object], *, plainly: bool) -> tuple[object, bool]:
    """What comes of the entry `data`, in place of the last of the log; and whether it was taken for a plain payment."""
    kept = _Kept()
    run = _Run(town, cast("Signatures", kept))
    *others, (seq, id_, _) = _log(town)
    for other in others:
        run.entry(*other)
    before(run.story)
    taken: list[Signed | None] = []
    ask = run.plain.signed

    def signed(data: bytes) -> Signed | None:
        taken.append(ask(data) if plainly else None)
        return taken[-1]

    run.plain.signed = signed  # type: ignore[method-assign]
    run.entry(seq, id_, data)
    story = run.story
    came = (run.findings, run.orders, kept.added, story.day, story.began, story.is_import, story.importing is None,
            story.notices, run.cover.held, run.cover.issued)  # fmt: skip
    return came, taken[0] is not None


def _nothing(_: object) -> None:
    pass


def _written(data: bytes, change: Callable[[Body], object]) -> bytes:
    body = orjson.loads(data)
    change(body)
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def _order(start: int, put: str) -> Callable[[Body], object]:
    """Other hex in the order, from byte `start` on."""

    def change(body: Body) -> None:
        order = body["evidence"]["order"]
        body["evidence"]["order"] = order[: 2 * start] + put + order[2 * start + len(put) :]

    return change


def _both(start: int, put: str, key: Callable[[Body], object]) -> Callable[[Body], object]:
    """The same in the order and in the record: they agree."""

    def change(body: Body) -> None:
        _order(start, put)(body)
        key(body)

    return change


def test_a_plain_payment_is_taken_for_one(town: Town, last: bytes) -> None:
    quick, plain = _told(town, last, _nothing, plainly=True)
    slow, _ = _told(town, last, _nothing, plainly=False)
    assert plain
    assert quick == slow


CHANGES: dict[str, Callable[[Body], object]] = {
    "another amount": lambda body: body["transfers"][0].__setitem__(2, 701),
    "no amount": _both(38, "00000000", lambda body: body["transfers"][0].__setitem__(2, 0)),
    "another payee": lambda body: body["transfers"][0].__setitem__(1, "0" * 15 + "9"),
    "another payer": lambda body: body["transfers"][0].__setitem__(0, "0" * 15 + "9"),
    "a payee who is no member": _both(
        30, "0" * 15 + "9", lambda body: body["transfers"][0].__setitem__(1, "0" * 15 + "9")
    ),
    "a payer who is no member": _both(
        22, "0" * 15 + "9", lambda body: body["transfers"][0].__setitem__(0, "0" * 15 + "9")
    ),
    "to oneself": lambda body: _both(
        30, body["transfers"][0][0], lambda body: body["transfers"][0].__setitem__(1, body["transfers"][0][0])
    )(body),
    "another unit": lambda body: body["transfers"][0].__setitem__(3, "EUR"),
    "two transfers": lambda body: body["transfers"].append(body["transfers"][0]),
    "another id": lambda body: body.__setitem__("id", "1" * 32),
    "no id": _both(6, "0" * 32, lambda body: body.__setitem__("id", "0" * 32)),
    "late": lambda body: body.__setitem__("at", body["at"] + 10**12),
    "at the last moment": lambda body: body.__setitem__(
        "at", int(body["evidence"]["order"][100:108], 16) * 1_000_000 + 999_999
    ),
    "a second late": lambda body: body.__setitem__(
        "at", int(body["evidence"]["order"][100:108], 16) * 1_000_000 + 1_000_000
    ),
    "before there was time": lambda body: body.__setitem__("at", 1),
    "for another day": lambda body: body.__setitem__("booked_on", "2025-01-01"),
    "a correction": lambda body: body.__setitem__("corrects", "1" * 32),
    "more evidence": lambda body: body["evidence"].__setitem__("memo", "x"),
    "no key": lambda body: body["evidence"].pop("key"),
    "another key": lambda body: body["evidence"].__setitem__("key", "1" * 64),
    "a short signature": lambda body: body["evidence"].__setitem__("signature", "1" * 126),
    "another signature": lambda body: body["evidence"].__setitem__("signature", "1" * 128),
    "capitals": lambda body: body["evidence"].__setitem__("order", body["evidence"]["order"].upper()),
    "another tag": _order(0, "01"),
    "another network": _order(1, "ffffffff"),
    "another purpose": _order(5, "02"),
    "an order with a reference": _order(54, "1" * 32),
    "an order of another unit": _order(42, "4555520000000000"),
    "an order that never ended": _order(50, "00000000"),
    "another kind": lambda body: body.__setitem__("kind", "refund"),
    "a short salt": lambda body: body.__setitem__("salt", "11"),
    "another version": lambda body: body.__setitem__("v", 2),
    "another place": lambda body: body.__setitem__("seq", 10**15),
}


@pytest.mark.parametrize("what", CHANGES)
def test_another_record_is_judged_as_ever(town: Town, last: bytes, what: str) -> None:
    data = _written(last, CHANGES[what])
    assert data != last
    assert _told(town, data, _nothing, plainly=True)[0] == _told(town, data, _nothing, plainly=False)[0]


@pytest.mark.parametrize("data", [b"", b"{}", cast("bytes", "text"), cast("bytes", None)])
def test_what_is_no_record_is_none(town: Town, last: bytes, data: bytes) -> None:
    run = _Run(town, cast("Signatures", _Kept()))
    assert run.plain.signed(data) is None
    assert run.plain.signed(last + b"\n") is None
    assert run.plain.signed(b" " + last) is None


def _payer(story: Story) -> int:
    return next(number for number, kind in story.holders.items() if kind == "person")


def _shop(story: Story) -> int:
    return next(number for number, kind in story.holders.items() if kind == "shop")


def _ruled(**limits: Any) -> Callable[[Story], object]:
    def change(story: Story) -> None:
        story.rules = story.rules._replace(**limits)

    return change


def _keys(**values: object) -> Callable[[Story], object]:
    def change(story: Story) -> None:
        for key in story.keys.values():
            for name, value in values.items():
                setattr(key, name, value)

    return change


STORIES: dict[str, Callable[[Story], object]] = {
    "revoked": _keys(revoked_at=1),
    "a till": _keys(role="cashier"),
    "of somebody else": _keys(account=9),
    "a limit of one payment": _ruled(per_payment=699),
    "just within it": _ruled(per_payment=700),
    "a limit of one day": _ruled(per_day=1_199),
    "just within that": _ruled(per_day=1_200),
    "no time zone": lambda story: setattr(story, "rules", story.rules._replace(timezone=None, per_day=1)),
    "not covered": lambda story: story.uncovered.add(_payer(story)),
    "in an import": lambda story: setattr(story, "importing", Importing(2, "")),
    "an import that ended": lambda story: setattr(story, "is_import", True),
    "a stranger pays": lambda story: story.holders.pop(_payer(story)),
    "a stranger is paid": lambda story: story.holders.pop(_shop(story)),
    "from an issuer": lambda story: story.issuers.add(_payer(story)),
    "to an issuer": lambda story: story.issuers.add(_shop(story)),
    "the first payment": lambda story: setattr(story, "began", False),
}


@pytest.mark.parametrize("what", STORIES)
def test_another_story_is_judged_as_ever(town: Town, last: bytes, what: str) -> None:
    before = STORIES[what]
    assert _told(town, last, before, plainly=True)[0] == _told(town, last, before, plainly=False)[0]


def test_an_account_that_cannot_be_is_judged_as_ever(town: Town, last: bytes) -> None:
    """A key that was noted for account 0, which is no account: order and record agree, and neither can be."""
    nobody = _both(22, "0" * 16, lambda body: body["transfers"][0].__setitem__(0, "0" * 16))
    data, before = _written(last, nobody), _keys(account=0)
    assert _told(town, data, before, plainly=True)[0] == _told(town, data, before, plainly=False)[0]
