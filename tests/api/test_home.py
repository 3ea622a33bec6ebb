"""The folder of a currency: made once, completed after a crash, and refused where its parts do not belong together."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from api import home as homes
from api.home import Home, HomeError, found_home, home_of, open_town, read_key, write_private
from ledger.core.store import StoreError
from ledger.currency import chartered, conversion, parties, reserve
from ledger.currency.charter import Charter, CharterError, ReserveAccount, ReserveKind
from ledger.currency.keys import PrivateKey
from tests import towns
from tests.towns import BANK, CASH, Clock, Entropy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A home that was founded and closed."""
    towns.found(tmp_path / "home").book.close()
    return tmp_path / "home"


def refused(code: str, call, *args, **kwargs) -> HomeError:
    with pytest.raises(HomeError) as caught:
        call(*args, **kwargs).book.close()
    assert caught.value.code == code, caught.value
    return caught.value


def rewrite(folder: Path, before: str, after: str) -> None:
    path = folder / "charter.toml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_a_new_home(tmp_path: Path) -> None:
    town = towns.found(tmp_path / "deep" / "home")
    folder = tmp_path / "deep" / "home"
    assert sorted(p.name for p in folder.iterdir() if "book.db-" not in p.name) == [
        "book.db",
        "charter.toml",
        "currency.key",
        "machine.key",
    ]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "currency.key").stat().st_mode) == 0o600
    assert bytes.fromhex((folder / "currency.key").read_text()) == town.key.seed()
    assert Charter.load(folder / "charter.toml") == town.charter == towns.charter()
    rules = chartered.latest(town)
    assert rules is not None and (rules.version, rules.code, rules.reserve) == (1, "PATARD", (BANK, CASH))
    town.book.close()


def test_opened_again_it_is_the_same(folder: Path) -> None:
    first = open_town(folder)
    head = first.book.head()
    first.book.close()
    second = open_town(folder, read_only=True)
    assert second.book.head() == head
    with pytest.raises(StoreError):
        parties.admit(second, "person", "Alice")
    second.book.close()


def test_a_home_that_is_not_there(tmp_path: Path) -> None:
    assert "patard init" in refused("home_missing", open_town, tmp_path / "none").detail
    assert not (tmp_path / "none").exists()


def test_the_environment_names_home_and_database(tmp_path: Path) -> None:
    assert home_of({}) == Home(Path("patard-home"))
    given = home_of({"PATARD_HOME": str(tmp_path), "PATARD_DATABASE_URL": "postgresql://x/y"})
    assert given == Home(tmp_path, "postgresql://x/y") and given.database() == "postgresql://x/y"
    assert home_of({}, tmp_path).database() == str(tmp_path / "book.db")
    write_private(tmp_path / "database.url", "postgresql://a/b\n")
    assert home_of({}, tmp_path).database() == "postgresql://a/b"


# --- the key ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o601])
def test_a_key_that_others_may_read(folder: Path, mode: int) -> None:
    (folder / "currency.key").chmod(mode)
    assert "chmod 600" in refused("key_exposed", open_town, folder).detail


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "ab" * 33, "é" * 64])
def test_a_key_that_is_none(folder: Path, text: str) -> None:
    (folder / "currency.key").write_text(text)
    refused("key_broken", open_town, folder)


def test_a_key_that_is_gone_or_another(folder: Path) -> None:
    (folder / "currency.key").unlink()
    assert "backup" in refused("key_missing", open_town, folder).detail
    write_private(folder / "currency.key", "11" * 32 + "\n")
    refused("key_changed", open_town, folder)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "currency.key"

    def broken(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="No space"):
        write_private(path, "11" * 32)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    write_private(path, "11" * 32)
    with pytest.raises(FileExistsError):
        write_private(path, "22" * 32)
    assert path.read_text() == "11" * 32 and len(list(tmp_path.iterdir())) == 1


def test_a_file_system_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(source: object, target: object) -> None:
        if Path(str(target)).exists():
            raise FileExistsError
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    write_private(tmp_path / "currency.key", "11" * 32)
    assert read_key(tmp_path / "currency.key").seed() == bytes.fromhex("11" * 32)
    with pytest.raises(FileExistsError):
        write_private(tmp_path / "currency.key", "22" * 32)


# --- the charter against the book ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "before", "after", "hint"),
    [
        ("charter_network_changed", "5a1e0c7d", "5a1e0c7e", 'network = "5a1e0c7d"'),
        ("charter_code_changed", 'code = "PATARD"', 'code = "DOUBLON"', 'code = "PATARD"'),
        ("charter_reserve_removed", f'name = "{CASH}"', 'name = "Coffre"', f'name = "{CASH}"'),
    ],
)
def test_what_a_charter_cannot_change(folder: Path, code: str, before: str, after: str, hint: str) -> None:
    rewrite(folder, before, after)
    for read_only in (False, True):
        assert hint in refused(code, open_town, folder, read_only=read_only).detail
    rewrite(folder, after, before)
    open_town(folder).book.close()


def test_a_charter_that_is_wrong(folder: Path) -> None:
    rewrite(folder, "reconversion_fee_bp = 500", "reconversion_fee_bp = 50000")
    with pytest.raises(CharterError):
        open_town(folder)


def test_what_a_charter_may_change_is_noted_once(folder: Path) -> None:
    rewrite(folder, "reconversion_fee_bp = 500", "reconversion_fee_bp = 300")
    open_town(folder, read_only=True).book.close()
    for _ in range(2):
        town = open_town(folder, clock=Clock())
        rules = chartered.latest(town)
        assert rules is not None and (rules.version, rules.fee_bp) == (2, 300)
        town.book.close()
    rewrite(folder, "reconversion_fee_bp = 300", "reconversion_fee_bp = 500")
    town = open_town(folder, clock=Clock())
    rules = chartered.latest(town)
    assert rules is not None and (rules.version, rules.fee_bp) == (3, 500)
    town.book.close()


def test_name_symbol_limits_and_address_are_no_matter_of_the_log(folder: Path) -> None:
    town = open_town(folder)
    head = town.book.head()
    town.book.close()
    rewrite(folder, 'name = "Le Patard"', 'name = "Le Nouveau Patard"')
    rewrite(folder, "pay.example.org", "new.example.org")
    town = open_town(folder)
    assert town.book.head() == head and town.charter.name == "Le Nouveau Patard"
    town.book.close()


def test_a_new_reserve_account_is_opened(folder: Path) -> None:
    with (folder / "charter.toml").open("a") as file:
        file.write('\n[[reserve]]\nname = "Deuxième banque"\nkind = "bank"\n')
    refused("charter_not_applied", open_town, folder, read_only=True)
    town = open_town(folder, clock=Clock())
    alice = parties.admit(town, "person", "Alice")
    conversion.convert(town, alice, 100, reserve="Deuxième banque", reference="V1")
    assert reserve.report(town).covered and len(reserve.report(town).banks) == 3
    town.book.close()
    open_town(folder, read_only=True).book.close()


# --- founding --------------------------------------------------------------------------------------------


def test_a_home_is_founded_once(folder: Path) -> None:
    refused("home_exists", found_home, folder, towns.charter(network=b"other"[:4]))
    found_home(folder, towns.charter(), clock=Clock()).book.close()


def test_a_book_of_another_currency(tmp_path: Path, folder: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (folder / "book.db").rename(other / "book.db")
    refused("book_exists", found_home, other, towns.charter(network=b"abcd"))
    refused("book_exists", found_home, other, towns.charter())


@pytest.mark.parametrize("after", ["currency.key", "charter.toml", "book"])
def test_founding_that_was_interrupted_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    folder = tmp_path / "home"
    write, keep = homes._write, chartered.keep

    class Crash(Exception):
        pass

    def writing(path: Path, text: str, mode: int) -> None:
        write(path, text, mode)
        if path.name == after:
            raise Crash

    def keeping(*args: object) -> None:
        keep(*args)  # type: ignore[arg-type]
        if after == "book":
            raise Crash

    monkeypatch.setattr(homes, "_write", writing)
    monkeypatch.setattr(chartered, "keep", keeping)
    with pytest.raises(Crash):
        found_home(folder, towns.charter(), clock=Clock(), entropy=Entropy())
    monkeypatch.undo()
    if after == "charter.toml":
        with pytest.raises(StoreError) as caught:
            open_town(folder)
        assert caught.value.code == "no_book"
    town = found_home(folder, towns.charter(), clock=Clock(), entropy=Entropy("again"))
    assert reserve.report(town).covered
    town.book.close()
    open_town(folder).book.close()


def test_a_key_of_ones_own(tmp_path: Path) -> None:
    key = PrivateKey.from_seed(bytes(range(32)))
    town = found_home(tmp_path / "home", towns.charter(), key=key)
    assert town.key.public == key.public
    town.book.close()


def test_on_postgresql_the_folder_remembers_the_address(tmp_path: Path, fresh_postgres: str) -> None:
    folder = tmp_path / "home"
    town = found_home(folder, towns.charter(), fresh_postgres)
    root = town.book.head().root
    town.book.close()
    assert stat.S_IMODE((folder / "database.url").stat().st_mode) == 0o600
    assert not (folder / "book.db").exists()
    for read_only in (True, False):
        again = open_town(folder, read_only=read_only)
        assert again.book.head().root == root
        again.book.close()
    other = towns.charter(reserve=(ReserveAccount(name="X", kind=ReserveKind.BANK),), network=b"abcd")
    error = refused("book_exists", found_home, tmp_path / "second", other, fresh_postgres)
    assert "postgresql" in error.detail
