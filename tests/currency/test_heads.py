"""Signed heads: signed once a size, told for any size, kept in two places, and held against the log."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text

from ledger.core import tree
from ledger.currency import heads, heads_file, parties, proofs
from ledger.currency.audit.walk import audit
from ledger.currency.errors import CurrencyError
from ledger.currency.heads import SignedHead
from ledger.currency.town import Town
from tests import towns


def grow(town: Town, count: int = 1) -> None:
    for _ in range(count):
        parties.admit(town, "person", "Alice")


def leaves(town: Town) -> list[bytes]:
    with town.book.store.reading() as store:
        return [row.leaf for row in store.log(0, 100_000)]


def right(town: Town, head: SignedHead) -> None:
    peaks: list[bytes] = []
    tree.append(peaks, 0, leaves(town)[: head.size])
    assert head.root == tree.root(peaks)
    proofs.verify_head(town.charter.network, town.key.public, *head)


def found(town: Town, path: Path | None = None, **roots: object) -> list[str]:
    return [one.code for one in audit(town, heads=path, **roots).findings]  # type: ignore[arg-type]


def test_any_size_is_told_and_signed(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "STEP", 5)
    grow(town, 9)
    made = heads.keep(town)
    size = town.book.head().seq
    # Never more than STEP between two, however long nobody signed.
    sizes = [0, *(one.size for one in made)]
    assert sizes[-1] == size and all(0 < b - a <= 5 for a, b in pairwise(sizes))
    for one in [*made, *(heads.at_size(town, number) for number in range(1, size + 1)), heads.newest(town)]:
        right(town, one)
    assert heads.at_size(town, size) == heads.newest(town) == heads.kept(town)
    assert heads.keep(town) == []
    for beyond in (0, size + 1, 2**53):
        with pytest.raises(CurrencyError) as caught:
            heads.at_size(town, beyond)
        assert caught.value.code == "log_shorter"


def test_heads_on_postgres(tmp_path: Path, fresh_postgres: str) -> None:
    town = towns.found(tmp_path / "home", database_url=fresh_postgres)
    grow(town, 3)
    path = tmp_path / "heads"
    assert heads_file.record(town, path) is None
    right(town, heads.at_size(town, 2))
    assert found(town, path) == []
    for change in ("UPDATE signed_head SET at = 1", "DELETE FROM signed_head", "TRUNCATE signed_head"):
        with pytest.raises(Exception, match="append-only"), town.engine.begin() as connection:
            connection.execute(text(change))
    town.book.close()


def test_the_table_is_append_only(town: Town) -> None:
    heads.keep(town)
    for change in ("UPDATE signed_head SET at = 1", "DELETE FROM signed_head"):
        with pytest.raises(Exception, match="append-only"), town.engine.begin() as connection:
            connection.execute(text(change))


def test_the_file_has_what_the_table_has(town: Town, tmp_path: Path) -> None:
    path = tmp_path / "heads"
    for _ in range(3):
        grow(town)
        assert heads_file.record(town, path) is None
    assert heads_file.record(town, path) is None  # nothing new
    written, wrong = heads_file.read(path)
    assert (len(written), wrong, written[-1]) == (3, [], heads.kept(town))
    assert path.stat().st_mode & 0o777 == 0o600
    assert found(town, path) == []


def test_a_line_that_was_cut_off_is_not_gone_on_with(town: Town, tmp_path: Path) -> None:
    path = tmp_path / "heads"
    heads_file.record(town, path)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40])
    grow(town)
    assert heads_file.record(town, path) is None
    assert len(heads_file.read(path)[0]) == 2 and heads_file.read(path)[1] == []
    assert found(town, path) == []
    path.write_bytes(path.read_bytes() + b"nonsense\n")
    assert found(town, path) == ["head_forged"]


def test_a_file_that_cannot_be_written_is_told_and_made_up_for(town: Town, tmp_path: Path) -> None:
    path = tmp_path / "away" / "heads"
    trouble = heads_file.record(town, path)
    assert trouble is not None and trouble.code == "heads_unwritable"
    path.parent.mkdir()
    assert heads_file.record(town, path) is None
    assert heads_file.read(path)[0] == [heads.kept(town)]


def test_the_file_is_thinned(town: Town, tmp_path: Path) -> None:
    path, hour = tmp_path / "heads", 3_600
    for _ in range(4 * 26):
        grow(town)
        heads_file.record(town, path)
        towns.clock(town).forward(hour / 4)
    towns.clock(town).forward(40 * 24 * hour)
    for _ in range(3):
        grow(town)
        heads_file.record(town, path)
    kept = heads_file.read(path)[0]
    # Two days of a month ago, one head each, and all of today.
    assert len({one.at // heads_file.DAY_US for one in kept[:-3]}) == len(kept) - 3 <= 3
    assert [one.size for one in kept] == sorted(one.size for one in kept)
    assert found(town, path) == []


def test_hours_within_a_month() -> None:
    now = 1_750_000_000_000_000
    day = [SignedHead(n, now - 86_400_000_000 - n * 60_000_000, bytes(32), bytes(64)) for n in range(1, 181)]
    lines = [heads_file._text(one).rstrip("\n") for one in reversed(day)]
    assert 3 <= len(heads_file.thinned([*lines, "nonsense"], now)) - 1 <= 4
    assert heads_file.thinned(lines, now - 86_400_000_000) == lines


def test_heads_that_somebody_else_signed(town: Town, tmp_path: Path) -> None:
    grow(town)
    head = heads.newest(town)
    other = towns.key_of("thief")
    forged = proofs.sign_head(other, town.charter.network, head.size, head.at, head.root)
    path = tmp_path / "heads"
    heads_file.append(path, [head._replace(signature=forged)])
    assert found(town, path) == ["head_forged", "head_removed"]


def test_roots_that_were_noted_elsewhere(town: Town) -> None:
    grow(town, 2)
    size = town.book.head().seq
    roots = {number: heads.at_size(town, number).root for number in (1, size - 1, size)}
    assert found(town, roots=roots) == []
    assert found(town, roots={**roots, 1: bytes(32)}) == ["root_differs"]
    assert found(town, roots={**roots, size + 1: bytes(32)}) == ["log_put_back"]
