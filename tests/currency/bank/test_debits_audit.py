"""The audit of monthly top-ups: each planted wrong is found, and named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import select, text, update

from ledger.core.ids import derived_id
from ledger.core.model import Note, Transaction, Transfer
from ledger.core.tables import METADATA
from ledger.currency import parties, proofs
from ledger.currency.audit.walk import audit
from ledger.currency.bank.mandates import collecting, model, notices, register, release, review
from ledger.currency.bank.mandates.files import Collection
from ledger.currency.bank.mandates.index import RELEASED as KIND
from ledger.currency.bank.mandates.index import Item
from ledger.currency.bank.mandates.text import Content, mandate_text
from ledger.currency.bank.reference import line_reference
from ledger.currency.bank.taking import line_id
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.monthly import (
    DUE,
    MONTH,
    RELEASED,
    SIGNED,
    batch,
    brought,
    collected,
    debit,
    iban,
    items,
    sign,
    until,
)
from tests.currency.bank.scene import bring, line, opened, statement
from tests.towns import BANK, Member


class Scene(NamedTuple):
    """Alice signed with her device, Bob and Chloé on paper; Chloé's debit came back, the others' mature."""

    town: Town
    alice: Member
    file: Collection
    debits: list[Item]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with opened(tmp_path / "home") as town:
        alice = towns.member(town, "person", "Alice")
        said, id_ = model.terms(town), town.new_id()
        shown = mandate_text("fr", said, Content(id_, "Alice", iban(1), 3_000, 1, SIGNED))
        signature = register.Signature(alice.key.public, proofs.sign_mandate(alice.key, said.network, shown), "fr")
        asks = {"id": id_.hex(), "iban": iban(1), "amount_cents": 3_000, "signed_on": SIGNED.isoformat()}
        register.sign(
            towns.acting(town, alice.key, "POST /v1/mandates", **asks), alice.party, iban=iban(1), amount=3_000,
            signed_on=SIGNED, id_=id_, signature=signature, by=alice.key.public.hex(),
        )  # fmt: skip
        for name in ("Bob", "Chloé"):
            sign(town, name)
        file = collected(town)
        back = debit(items(town)[2], sign=-1, reason="AC04")
        bring(town, statement([batch(file), back]))
        review.review(town)
        yield Scene(town, alice, file, items(town))


def finds(scene: Scene, *codes: str) -> None:
    found = audit(scene.town)
    assert {finding.code for finding in found.findings} == set(codes), found.findings


def change(scene: Scene, sql: str) -> None:
    """Somebody changes the tables."""
    with scene.town.book.store.writing() as store:
        store.connection.execute(text(sql))


def forge(scene: Scene, one: Item, id_: bytes | None = None, to: int | None = None, amount: int | None = None) -> bytes:
    """Units of a debit are released by hand."""
    town = scene.town
    transfer = Transfer(town.chart.maturing, to or one.account, amount or one.amount, town.charter.code)
    evidence = {"by": "console", "debit": f"{one.file}:{one.number}", "reference": MONTH}
    return town.post(Transaction(id_ or release.release_id(one.id), KIND, (transfer,), evidence=evidence)).id


def test_all_that_happens_to_a_mandate_is_clean(scene: Scene) -> None:
    town = scene.town
    finds(scene)
    [suspended] = [one for one in model.every(town) if one.state == "suspended"]
    review.resume(town, suspended)
    alice = model.live(town, scene.alice.account)
    assert alice is not None
    register.change(town, alice, 4_000, version=2, signed_on=SIGNED + timedelta(days=22))
    notices.give(town, "2025-08")
    until(town, RELEASED - timedelta(days=40))
    second, _new = collecting.collect(town)
    collecting.fetch(town, second)
    third, _new = collecting.collect(town, month=collecting.withdraw(town, second, fetched_too=True).month)
    assert (third.total, third.attempt) == (10_000, 2)
    until(town, RELEASED)
    assert release.release(town, towns.sure(town)).debits == 2
    towns.pay(town, scene.alice, towns.member(town, "shop", "Épicerie"), 2_000)
    brought(town, line(9_000, "autre", RELEASED), debit(scene.debits[0], RELEASED, -1))
    register.end(town, alice)
    finds(scene)


@pytest.mark.parametrize(
    ("wrong", "codes"),
    [
        (lambda s: forge(s, s.debits[0]), ["release_early"]),
        (lambda s: (forward(s), forge(s, s.debits[2])), ["release_shape", "maturing_unexplained"]),
        (
            lambda s: (mature(s), bring_more(s), forge(s, s.debits[0], b"twice".ljust(16))),
            ["release_shape", "id_not_derived", "maturing_unexplained"],
        ),
        (
            lambda s: (forward(s), forge(s, s.debits[0], to=s.debits[1].account)),
            ["release_shape"],
        ),
        (
            lambda s: (forward(s), forge(s, s.debits[0], amount=3_100)),
            ["release_shape", "maturing_unexplained"],
        ),
    ],
    ids=["early", "of one that came back", "twice", "to another", "too much"],
)  # fmt: skip
def test_units_that_are_released_wrongly(scene: Scene, wrong: Callable[[Scene], object], codes: list[str]) -> None:
    wrong(scene)
    found = {finding.code for finding in audit(scene.town).findings}
    assert found - {"debit_unlogged"} == set(codes)


def forward(scene: Scene) -> date:
    """The delay is over; the day."""
    until(scene.town, RELEASED)
    return RELEASED


def mature(scene: Scene) -> date:
    """The delay is over, and what came in time is released; the day."""
    day = forward(scene)
    assert release.release(scene.town, towns.sure(scene.town)).debits == 2
    return day


def bring_more(scene: Scene) -> Collection:
    """Units that mature, of the next month for which there is time."""
    town = scene.town
    told = notices.give(town)
    until(town, told.last_day + timedelta(days=1))
    file, _new = collecting.collect(town, month=told.month)
    until(town, file.collect_on)
    bring(town, statement([batch(file)], town.book.balance(town.chart.reserve[BANK])))
    return file


CHANGES: list[tuple[str, set[str]]] = [
    ("UPDATE collection_item SET amount = 9000 WHERE number = 1", {"collection_differs", "debit_unknown"}),
    ("UPDATE collection_item SET released_seq = 1 WHERE number = 1", {"debit_unlogged"}),
    ("UPDATE collection_item SET unpaid_by = NULL WHERE number = 3", {"debit_unlogged"}),
    ("UPDATE collection SET file = x'00'", {"collection_file_changed"}),
    ("UPDATE collection SET withdrawn_at = 1", {"debit_unlogged"}),
    ("UPDATE mandate SET amount = 9000", {"mandate_unlogged"}),
    ("UPDATE mandate SET suspended_by = NULL", {"mandate_unlogged"}),
    ("UPDATE mandate_version SET text = 'other'", {"mandate_text_changed"}),
    ("UPDATE mandate_version SET signature = zeroblob(64) WHERE signature IS NOT NULL", {"mandate_text_changed"}),
    ("UPDATE mandate_notice SET amount = 9000", {"notices_differ", "collection_untold"}),
    ("UPDATE mandate_version SET text = '', salt = zeroblob(16)", {"mandate_text_gone"}),
    ("UPDATE mandate_version SET key = NULL, signature = NULL WHERE key IS NOT NULL", {"mandate_text_changed"}),
    ("UPDATE collection SET file = x''", set()),
    ("UPDATE mandate SET iban = ''", {"mandate_differs"}),
    ("UPDATE mandate SET holder = ''", {"mandate_differs"}),
]
"""What somebody does to the tables, and what is found then. A file can be erased."""


def test_tables_that_were_changed(scene: Scene) -> None:
    for sql, codes in CHANGES:
        table = METADATA.tables[sql.split()[1]]
        keys = list(table.primary_key)
        with scene.town.reading() as connection:
            before = connection.execute(select(table)).mappings().all()
        change(scene, sql)
        found = {finding.code for finding in audit(scene.town).findings}
        assert codes <= found and bool(found) == bool(codes), (sql, found)
        with scene.town.book.store.writing() as store:
            for row in before:
                its = [key == row[key] for key in keys]
                store.connection.execute(update(table).where(*its).values(dict(row)))
    finds(scene)


def test_of_who_has_left_what_was_signed_may_be_erased(tmp_path: Path) -> None:
    with opened(tmp_path / "left") as town:
        party, mandate = sign(town, "Fanny")
        register.end(town, mandate)
        parties.close(town, party)
        with town.engine.begin() as connection:
            connection.execute(text("UPDATE mandate_version SET text = '', salt = zeroblob(16)"))
            connection.execute(text("UPDATE mandate SET iban = '', holder = ''"))
        assert audit(town).clean


def test_a_mandate_that_nobody_signed(scene: Scene) -> None:
    town = scene.town
    party = towns.member(town, "person", "Denis")
    stranger = towns.member(town, "person", "Étienne")
    id_ = town.new_id()
    said: dict[str, str | int] = {"amount": 9_000, "version": 1, "signed_on": "2025-06-15", "hash": "0" * 64}
    named = model.naming(id_, "XXXXXXXXXX", party.account, stranger.key.public.hex())
    town.post(Note(derived_id("patard/mandate-signed", id_), model.SIGNED, {**named, **said}))
    finds(scene, "role_insufficient", "id_not_derived", "mandate_missing", "mandate_text_gone")


def test_a_line_that_moves_more_than_its_debits(scene: Scene) -> None:
    town = scene.town
    chart, unit = town.chart, town.charter.code
    reference = line_reference(DUE, 9_100, 7)
    reserve = chart.reserve[BANK]
    moved = (
        Transfer(chart.circulation, chart.maturing, 9_100, unit),
        Transfer(reserve, chart.guarantee, 9_100, "EUR"),
    )
    evidence = {"by": "console", "reserve": f"{reserve:016x}", "reference": reference, "items": "1:1-3"}
    town.post(Transaction(line_id(chart.network, BANK, reference), "bank_collection", moved, DUE, evidence=evidence))
    found = {finding.code for finding in audit(town).findings}
    assert {"debit_twice", "debit_shape", "maturing_unexplained"} <= found
