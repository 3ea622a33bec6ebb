"""One party that wants to stop all others: hundreds of devices, sessions, screens, keys; and nobody else waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import event as events
from sqlalchemy import func, select, text

from ledger.core import schema, sqlite
from ledger.currency import caps, named, parties, proofs
from ledger.currency.errors import CurrencyError
from ledger.currency.keys import PrivateKey, key_id
from ledger.currency.parties import Party
from ledger.currency.sessions import Session, Sessions
from ledger.currency.tables import DEVICE_KEY, KEY_NAME, SESSION
from ledger.currency.town import Town
from merchants import asked
from merchants.desk import Desk, Submission, Taken
from tests import towns
from tests.served import Cast, cast, one_time, served
from tests.towns import Member


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    url = request.getfixturevalue("fresh_postgres") if request.param == "postgres" else None
    made = towns.found(tmp_path / "home", database_url=url)
    yield made
    made.book.close()


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Town]:
    """A town on SQLite, where the database is not what it is about."""
    made = towns.found(tmp_path / "lite")
    yield made
    made.book.close()


@pytest.fixture
def people(lite: Town) -> Cast:
    return cast(lite)


def joined(town: Town, party: Party, role: str, name: str) -> str:
    """Join a device; the code of what refused it, or ""."""
    try:
        towns.join(town, party, role, name)
    except CurrencyError as error:
        return error.code
    return ""


def count(town: Town, table: Any, *where: Any) -> int:
    with town.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one())


# Keys.


@pytest.mark.parametrize(("kind", "role", "most"), [("person", "member", 20), ("association", "auditor", 50)])
def test_a_party_has_so_many_live_keys(town: Town, kind: str, role: str, most: int) -> None:
    party, other = parties.admit(town, kind, "Alice"), parties.admit(town, kind, "Bob")
    for number in range(most):
        towns.clock(town).forward(600)  # never too many in an hour
        assert not joined(town, party, role, f"device {number}")
    head = town.book.head()
    assert joined(town, party, role, "one more") == "keys_too_many"
    assert town.book.head() == head and not parties.find_device(town, towns.key_of("one more").public)
    parties.revoke(town, parties.device(town, towns.key_of("device 3").public))
    assert not joined(town, party, role, "one more")
    assert joined(town, party, role, "yet one more") == "keys_too_many"
    assert not joined(town, other, role, "another's")


def test_so_many_join_in_an_hour(town: Town) -> None:
    """Revoking makes room for another key, and not for a storm of them."""
    shop = parties.admit(town, "shop", "Boulangerie")
    towns.join(town, shop, "owner", "the owner's")
    towns.clock(town).forward(1_800)
    for number in range(19):
        assert not joined(town, shop, "cashier", f"till {number}")
        parties.revoke(town, parties.device(town, towns.key_of(f"till {number}").public))
    assert joined(town, shop, "cashier", "till 19") == "joins_too_many"
    towns.clock(town).forward(1_801)  # the owner's was an hour ago
    assert not joined(town, shop, "cashier", "till 20")
    assert joined(town, shop, "cashier", "till 21") == "joins_too_many"


def test_three_hundred_at_once(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them found room when it looked; the commit looks again. A code that was refused is good later."""
    alice = towns.member(town, "person", "Alice").party
    keys = [towns.key_of(f"device {number}") for number in range(300)]
    monkeypatch.setattr(parties, "MAX_OPEN_INVITES", 300)
    codes = [parties.invite(town, alice, "member") for _ in keys]

    def join(number: int) -> str:
        try:
            parties.join(town, codes[number], keys[number].public, "x")
        except CurrencyError as error:
            return error.code
        return ""

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(join, range(300)))
    assert answers.count("") == 19 and set(answers) == {"", "keys_too_many"}
    assert count(town, DEVICE_KEY, DEVICE_KEY.c.revoked_at.is_(None)) == 20
    late = answers.index("keys_too_many")
    parties.revoke(town, parties.device(town, keys[answers.index("")].public))
    towns.clock(town).forward(3_599)
    assert join(late) == "joins_too_many"
    towns.clock(town).forward(2)
    assert join(late) == ""


def test_what_there_was_before_stays(lite: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = towns.member(lite, "person", "Alice")
    for number in range(4):
        towns.join(lite, alice.party, "member", f"device {number}")
    monkeypatch.setattr(caps, "OTHERS", caps.Caps(2, 2, 2))
    bob = towns.member(lite, "person", "Bob")
    device = towns.key_of("device 3")
    towns.take(lite, towns.order(lite, _funded(lite, alice), bob.account, 5, key=device))
    opened(Sessions(lite), device)
    assert joined(lite, alice.party, "member", "one more") == "keys_too_many"


def _funded(town: Town, member: Member) -> Member:
    from ledger.currency import conversion

    conversion.convert(town, member.party, 1_000, reserve=towns.BANK, reference="FUNDS")
    return member


# Sessions.


def opened(made: Sessions, key: PrivateKey) -> Session:
    challenge, _ = made.challenge()
    return made.open(key.public, challenge, proofs.sign_session(key, made.town.charter.network, challenge))


def good(made: Sessions, tokens: Sequence[str]) -> list[bool]:
    """Which of them stand, one by one and all at once."""
    found = []
    for token in tokens:
        try:
            made.find(token)
            found.append(True)
        except CurrencyError as error:
            assert error.code == "session_missing"
            found.append(False)
    assert {token for token, stands in zip(tokens, found, strict=True) if stands} == made.standing(tokens)
    return found


@pytest.mark.parametrize("still", [False, True])
def test_the_oldest_session_of_a_device_ends(town: Town, still: bool) -> None:
    made = Sessions(town)
    alice, bob = towns.member(town, "person", "Alice"), towns.member(town, "person", "Bob")
    bobs = opened(made, bob.key).token
    tokens = []
    for _ in range(11):
        if not still:
            towns.clock(town).forward(1)
        tokens.append(opened(made, alice.key).token)
    stands = good(made, tokens)
    assert stands.count(True) == 8 and stands[-1] and good(made, [bobs]) == [True]
    assert still or stands == [False] * 3 + [True] * 8
    assert count(town, SESSION, SESSION.c.key == alice.key.public) == 8


def test_the_oldest_session_of_a_party_ends(town: Town) -> None:
    made = Sessions(town)
    shop, bob = towns.member(town, "shop", "Boulangerie"), towns.member(town, "person", "Bob")
    bobs = opened(made, bob.key).token
    tills = [towns.join(town, shop.party, "cashier", f"till {number}") for number in range(8)]
    tokens = []
    for _ in range(6):
        for till in tills:
            towns.clock(town).forward(1)
            tokens.append(opened(made, till).token)
    assert good(made, tokens) == [False] * 8 + [True] * 40
    assert good(made, [bobs]) == [True]


# Requests: one till among very many keys.


def test_only_the_keys_that_are_named_are_looked_at(town: Town) -> None:
    """A payee with a thousand keys costs the desk what one with a single key does."""
    shop = towns.member(town, "shop", "Boulangerie")
    other = towns.member(town, "shop", "Librairie")
    alice = _funded(town, towns.member(town, "person", "Alice"))
    till = towns.join(town, shop.party, "cashier", "till")
    with town.book.store.writing() as store:
        for number in range(1_000):
            key = towns.key_of(f"old {number}").public
            row = {"key": key, "party": shop.party.id, "role": "cashier", "label": "x", "added_at": 1, "revoked_at": 2}
            store.connection.execute(DEVICE_KEY.insert(), row)
            named.add(store.connection, shop.account, key)
    request = one_time(town, shop, 250, key=till)
    with town.reading() as connection:
        found = named.find(connection, [alice.key.public], [(shop.account, request.request.key_id)])
        assert {one.key for one in found} == {alice.key.public, till.public}
        # Another's key, named as if it were this one's, is not found under its name.
        assert named.find(connection, [], [(other.account, request.request.key_id)]) == []
    from tests.served import answer

    [taken] = Desk(town).take([Submission(answer(town, alice, request), request)])
    assert isinstance(taken, Taken)
    assert asked.look(town, request).state is asked.State.PAID
    old = one_time(town, shop, 250, key=towns.key_of("old 3"))
    [refused] = Desk(town).take([Submission(answer(town, alice, old), old)])
    assert isinstance(refused, CurrencyError) and refused.code == "request_signature_invalid"


def test_keys_of_before_are_found_by_their_names(tmp_path: Path) -> None:
    """The upgrade of a book fills the names in."""
    engine = sqlite.open_engine(tmp_path / "old.db")
    keys = [towns.key_of(f"key {number}").public for number in range(1_500)]
    # Only these tables are of interest: not the log in which the account was opened.
    events.listen(engine, "connect", lambda driver, _record: driver.execute("PRAGMA foreign_keys = OFF"))
    with engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(schema.MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        connection.execute(text("INSERT INTO party VALUES (x'00112233445566778899aabbccddeeff','shop','B',1,NULL)"))
        connection.execute(text("INSERT INTO holding VALUES (4711, x'00112233445566778899aabbccddeeff')"))
        query = "INSERT INTO device_key VALUES (:key, x'00112233445566778899aabbccddeeff', 'owner', 'x', 1, NULL)"
        connection.execute(text(query), [{"key": key} for key in keys])
        connection.commit()
    engine.dispose()
    schema.upgrade(engine)
    with engine.connect() as connection:
        rows = connection.execute(select(KEY_NAME.c.id, KEY_NAME.c.account, KEY_NAME.c.key)).all()
        assert {tuple(row) for row in rows} == {(key_id(key), 4711, key) for key in keys}
        assert [one.key for one in named.find(connection, [], [(4711, key_id(keys[7]))])] == [keys[7]]
    engine.dispose()


# Uploads.


def test_imports_keep_counts(lite: Town, people: Cast) -> None:
    """Fifty files of a hundred thousand lines each would not fit into memory."""
    import gc

    from ledger.currency.bank.statement import BankLine, Statement
    from tests.api.test_bank import camt, finished, upload

    def kept() -> list[object]:
        gc.collect()
        return [one for one in gc.get_objects() if isinstance(one, (BankLine, Statement))]

    others = {id(one) for one in kept()}  # of tests that ran before in this process
    with served(lite) as api:
        office = api.session(people.operator)
        lines = [(100 + number, f"line {number}") for number in range(50)]
        made = upload(api, office, camt(*lines, opening=200_000), name="releve.xml", opening="true")
        assert made.status_code == 201, made.text
        told = finished(api, office, made.json()["id"])
        assert told["statements"][0]["lines"] == told["statements"][0]["new"] - 1 == 50
        assert told["statements"][0]["closing_cents"] == 200_000 + sum(cents for cents, _ in lines)
        assert [one for one in kept() if id(one) not in others] == []
