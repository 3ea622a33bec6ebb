"""The 37 edits of the database that were tried on the first book: who notices each, in which sentence.

`EXPECTED` says it for every row; the docs print it (`tests.threats.table`). Hashes, root, balances and pointers are
made right wherever whoever has every right on the database can: what is left cannot be made right without a key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ledger.core.ids import derived_id
from ledger.core.model import Account, Instruction, Note, Opening, Side, Transaction, Transfer
from ledger.core.record import Record
from ledger.currency import conversion, heads_file, join_codes, parties
from ledger.currency.audit.walk import audit
from ledger.currency.chart import EUR
from ledger.currency.errors import CurrencyError
from ledger.currency.imported import issuer_number
from ledger.currency.sessions import Sessions, _hash
from ledger.currency.tables import INVITE, SESSION
from tests import towns
from tests.threats import table
from tests.threats.expected import EDITS, EXPECTED, GATE, WITNESSES, fits
from tests.threats.scene import OTHER_IBAN, Scene, answer, copy_of, live, opened
from tests.towns import CASH, key_of

UNIT = "PATARD"


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lived") / "home"
    live(folder)
    return folder


@pytest.fixture
def scene(lived: Path, tmp_path: Path) -> Iterator[Scene]:
    with opened(copy_of(lived, tmp_path / "home")) as made:
        yield made


Edit = Callable[[Scene], None]
ROWS: dict[int, Edit] = {}


def row(number: int) -> Callable[[Edit], Edit]:
    def add(edit: Edit) -> Edit:
        ROWS[number] = edit
        return edit

    return add


def kind(name: str, **evidence: str) -> Callable[[Instruction], bool]:
    """Holds of entries of that kind whose evidence says these."""
    said = evidence.items()
    return lambda one: isinstance(one, Transaction) and one.kind == name and said <= one.evidence.items()


def transaction(scene: Scene, place: int) -> Transaction:
    found = scene.forger.records()[place].instruction
    assert isinstance(found, Transaction)
    return found


def more(transaction: Transaction, cents: int) -> Transaction:
    """The same, of another amount."""
    moved = tuple(Transfer(t.debit, t.credit, t.amount + cents, t.unit) for t in transaction.transfers)
    return replace(transaction, transfers=moved)


def issued(scene: Scene, slip: str, amount: int, by: str) -> Transaction:
    """A conversion as the office would have made it."""
    chart = scene.town.chart
    return Transaction(
        conversion.conversion_id(scene.town, CASH, slip), "conversion",
        (Transfer(chart.circulation, scene.bob.account, amount, UNIT),
         Transfer(chart.reserve[CASH], chart.guarantee, amount, EUR)),
        evidence={"by": by, "reference": slip, "reserve": f"{chart.reserve[CASH]:016x}"},
    )  # fmt: skip


@row(1)
def _(scene: Scene) -> None:
    place = scene.forger.find(kind("payment"))
    scene.forger.replace(place, more(transaction(scene, place), 100))


@row(2)
def _(scene: Scene) -> None:
    place = scene.forger.find(kind("conversion", reference="S1"))
    scene.forger.replace(place, more(transaction(scene, place), 10_000))


@row(3)
def _(scene: Scene) -> None:
    scene.forger.rewrite(scene.forger.records()[:-1])


@row(4)
def _(scene: Scene) -> None:
    place = scene.forger.find(kind("payment")) - 1
    old = transaction(scene, place)
    scene.forger.replace(place, Note(old.id, "remark", {"text": "nothing"}))


@row(5)
def _(scene: Scene) -> None:
    records = scene.forger.records()
    last = scene.forger.find(kind("payment"))
    first = last - 1
    swapped = [records[last], records[first]]
    for place, one in zip((first, last), swapped, strict=True):
        records[place] = one._replace(at=records[place].at)
    scene.forger.rewrite(records)


@row(6)
def _(scene: Scene) -> None:
    scene.forger.append(issued(scene, "S-9999", 1_000_000, "console"))


@row(7)
def _(scene: Scene) -> None:
    scene.forger.append(issued(scene, "S-9999", 1_000_000, scene.treasurer.public.hex()))


@row(8)
def _(scene: Scene) -> None:
    place = scene.forger.find(kind("conversion", reference="S1"))
    scene.forger.replace(place, replace(transaction(scene, place), booked_on=date(2024, 12, 31)))


@row(9)
def _(scene: Scene) -> None:
    place = scene.forger.find(kind("refund"))
    records = scene.forger.records()
    scene.forger.replace(place, transaction(scene, place), at=records[place - 1].at + 1_000)


@row(10)
def _(scene: Scene) -> None:
    scene.forger.sql("UPDATE device_key SET key = ? WHERE key = ?", key_of("thief").public, scene.alice.key.public)


def _key_of_a_thief(scene: Scene, **by: str) -> Note:
    key = key_of("thief").public
    scene.forger.sql(
        "INSERT INTO device_key SELECT ?, party, role, 'phone', ?, NULL FROM device_key WHERE key = ?",
        key, scene.town.book.head().at + 1, scene.alice.key.public,
    )  # fmt: skip
    evidence = {"account": f"{scene.alice.account:016x}", "key": key.hex(), "role": "member", **by}
    return Note(derived_id("patard/key", "key_added", key), "key_added", evidence)


@row(11)
def _(scene: Scene) -> None:
    scene.forger.append(_key_of_a_thief(scene, by="console"))
    thief = scene.alice._replace(key=key_of("thief"))
    towns.pay(scene.town, thief, scene.shop, 100)


@row(12)
def _(scene: Scene) -> None:
    scene.forger.append(_key_of_a_thief(scene))


@row(14)
def _(scene: Scene) -> None:
    scene.forger.sql("UPDATE party SET name = 'Chez Mallory' WHERE id = ?", scene.shop.party.id)


@row(15)
def _(scene: Scene) -> None:
    scene.forger.sql("UPDATE bank_details SET iban = ? WHERE party = ?", OTHER_IBAN, scene.shop.party.id)


@row(16)
def _(scene: Scene) -> None:
    scene.forger.sql(
        "UPDATE bank_line SET name = 'MALLORY', iban = ?, text = 'salaire' WHERE amount = 5000", OTHER_IBAN
    )


@row(17)
def _(scene: Scene) -> None:
    scene.forger.sql("UPDATE bank_line SET amount = 701 WHERE amount = 700")


@row(18)
def _(scene: Scene) -> None:
    scene.forger.sql("UPDATE bank_statement SET closing = closing + 1")


@row(24)
def _(scene: Scene) -> None:
    records = scene.forger.records()
    made = issued(scene, "S-9999", 1_000, "console")
    scene.forger.rewrite([*records[:-1], records[-1]._replace(instruction=made)])


@row(25)
def _(scene: Scene) -> None:
    expires = scene.town.now() + 3_600_000_000
    scene.forger.sql(
        "INSERT INTO session VALUES (?, ?, ?, ?)", _hash("stolen"), scene.treasurer.public, expires, b"x" * 32
    )


@row(26)
def _(scene: Scene) -> None:
    code = join_codes.code_hash("MALLORY001")
    expires = scene.town.now() + 3_600_000_000
    scene.forger.sql(
        "INSERT INTO invite (code_hash, party, role, expires_at, made_by, seal) "
        "VALUES (?, ?, 'treasurer', ?, 'console', ?)",
        code, scene.office.id, expires, b"x" * 32,
    )  # fmt: skip


@row(28)
def _(scene: Scene) -> None:
    scene.forger.sql("UPDATE memo SET text = 'Table 3'")


@row(31)
def _(scene: Scene) -> None:
    moved = (Transfer(scene.alice.account, scene.shop.account, 100, UNIT),)
    scene.forger.append(
        Transaction(derived_id("patard/import", b"1"), "import", moved, evidence={"at": "x", "kind": "x"})
    )


@row(32)
def _(scene: Scene) -> None:
    network = scene.town.charter.network
    issuer = Account(issuer_number(network, "mint"), UNIT, Side.CREDIT, floor=None)
    minted = (Transfer(issuer.number, scene.bob.account, 100_000, UNIT),)
    scene.forger.append(
        Opening(derived_id("patard/import/issuer", network, "mint"), issuer, evidence={"issuer": 1}),
        Transaction(derived_id("patard/import", b"2"), "import", minted, evidence={"at": "x", "kind": "x"}),
    )


@row(33)
def _(scene: Scene) -> None:
    scene.forger.sql("UPDATE key_person SET person = ?", scene.bob.account)


@row(34)
def _(scene: Scene) -> None:
    scene.forger.without_triggers()


@row(35)
def _(scene: Scene) -> None:
    place = scene.forger.find(kind("refund"))
    old = transaction(scene, place)
    scene.forger.replace(place, replace(old, evidence={**old.evidence, "key": scene.tills[1].public.hex()}))


@row(36)
def _(scene: Scene) -> None:
    chart = scene.town.chart
    gone = Transfer(chart.operations, chart.reserve[CASH], 100, EUR)
    scene.forger.append(Transaction(scene.town.new_id(), "misc", (gone,)))


@row(37)
def _(scene: Scene) -> None:
    records: list[Record] = []
    for one in scene.forger.records():
        i = one.instruction
        if isinstance(i, Transaction) and i.evidence.get("by") not in (None, "console"):
            one = one._replace(instruction=replace(i, evidence={**i.evidence, "by": "console"}))
        records.append(one)
    scene.forger.rewrite(records)


def charter(scene: Scene, old: str, new: str) -> None:
    text = scene.home.charter.read_text()
    assert old in text
    scene.home.charter.write_text(text.replace(old, new))


def noticed(number: int, said: list[str]) -> None:
    pattern = fits(EXPECTED[number][1])
    assert any(pattern.fullmatch(one) for one in said), said


# --- the table -------------------------------------------------------------------------------------------


def test_the_town_that_lived_is_clean(scene: Scene) -> None:
    assert scene.said() == []


def test_every_edit_is_told() -> None:
    assert list(EDITS) == list(range(1, 38))
    assert EXPECTED.keys() == EDITS.keys() and not ROWS.keys() & GATE
    assert ROWS.keys() | GATE | {13, 22, 23, 24} >= EDITS.keys()


def test_the_docs_say_the_same() -> None:
    assert table.FILE.read_text(encoding="utf-8") == table.table(), "run: python -m tests.threats.table"


@pytest.mark.parametrize("number", [n for n in ROWS if n in EXPECTED])
def test_what_check_says(scene: Scene, number: int) -> None:
    ROWS[number](scene)
    said = scene.said()
    noticed(number, said)
    # Everything else was made right: the engine finds nothing in the book, but for triggers that are gone.
    engine = ("leaf_differs", "head_differs", "transfer_", "balance_differs", "chain_differs", "account_", "seq_gap",
              "record_malformed", "log_differs", "at_not_growing")  # fmt: skip
    assert not [one for one in said if one.startswith(engine)], said


@pytest.mark.parametrize("number", sorted(WITNESSES))
def test_what_only_witnesses_tell(scene: Scene, number: int) -> None:
    """Before the next head is signed, or where the folder can be written to as well: a root noted elsewhere does."""
    head = scene.town.book.head()
    ROWS[number](scene)
    scene.forger.sql("DELETE FROM signed_head")
    assert scene.said(heads=False) == []
    told = [one.code for one in audit(scene.town, roots={head.seq: head.root}).findings]
    assert told in (["root_differs"], ["log_put_back"])


def test_row_13_an_older_copy(lived: Path, tmp_path: Path) -> None:
    folder = copy_of(lived, tmp_path / "home")
    old = (folder / "book.db").read_bytes()
    with opened(folder) as scene:
        towns.pay(scene.town, scene.alice, scene.shop, 100)
        heads_file.record(scene.town, scene.home.heads)
    (folder / "book.db").write_bytes(old)
    for left in folder.glob("book.db-*"):
        left.unlink()
    with opened(folder) as scene:
        noticed(13, scene.said())
        # It goes on, and no head is signed that the file contradicts.
        towns.pay(scene.town, scene.alice, scene.shop, 50)
        trouble = heads_file.record(scene.town, scene.home.heads)
        assert trouble is not None and trouble.code == "log_put_back"
        noticed(24, scene.said())


@pytest.mark.parametrize(
    ("number", "old", "new"),
    [(22, 'per_payment = "500.00"', 'per_payment = "700.00"'),
     (23, "reconversion_fee_bp = 500", "reconversion_fee_bp = 100")],
)  # fmt: skip
def test_charter_toml(lived: Path, tmp_path: Path, number: int, old: str, new: str) -> None:
    folder = copy_of(lived, tmp_path / "home")
    with opened(folder) as scene:
        charter(scene, old, new)
    with opened(folder, read_only=True) as scene:
        noticed(number, scene.said())


def test_row_25_the_desk_refuses(scene: Scene) -> None:
    ROWS[25](scene)
    with pytest.raises(CurrencyError) as caught:
        Sessions(scene.town).find("stolen")
    assert caught.value.code == "session_missing"
    with scene.town.reading() as connection:
        assert connection.execute(SESSION.select()).first() is not None


def test_row_26_the_desk_refuses(scene: Scene) -> None:
    ROWS[26](scene)
    with scene.town.reading() as connection:
        assert connection.execute(INVITE.select().where(INVITE.c.used_by.is_(None))).first() is not None
    with pytest.raises(CurrencyError) as caught:
        parties.join(scene.town, "MALLORY001", key_of("mallory").public, "PC")
    assert caught.value.code == "join_code_invalid"


def test_two_receipts_of_one_size_never_contradict_the_heads(scene: Scene) -> None:
    from ledger.currency import heads

    receipt = answer(scene.town, scene.alice, scene.shop, scene.tills[0], 100, "Pain").receipt
    towns.pay(scene.town, scene.bob, scene.shop, 100)
    then = heads.at_size(scene.town, receipt.size)
    assert (then.size, then.root) == (receipt.size, receipt.root)
    assert scene.said() == []
