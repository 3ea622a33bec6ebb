"""The statement: every way of reading it sums, pages join without a gap, and nothing in it steers a terminal."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from ledger.currency.town import Town
from tests import towns
from tests.served import Cast
from tests.wallet_cli.conftest import Run, balance, bill, join_shop, number
from tests.wallet_cli.network import Network
from wallet_cli.errors import Exit, WalletError
from wallet_cli.history import moment
from wallet_cli.home import Settings
from wallet_cli.words import clean


@pytest.fixture
def busy(wallet: Run, town: Town, people: Cast) -> list[int]:
    """Sixty payments of Alice's, some given back; the changes, oldest first."""
    changes = [100_000]
    for n in range(1, 61):
        id = towns.pay(town, people.alice, people.shop, n)
        changes.append(-n)
        if n % 7 == 0:
            towns.refund(town, people.shop, people.alice, n // 2, id)
            changes.append(n // 2)
    return changes


def rows(text: str, separator: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter=separator))


def test_csv_sums(wallet: Run, town: Town, people: Cast, busy: list[int]) -> None:
    ran = wallet("history", "--csv")
    assert ran.code == 0
    found = rows(ran.out)
    assert [int(row["change_cents"]) for row in found] == busy
    assert sum(busy) == balance(town, people.alice) == int(found[-1]["balance_cents"])
    running = 0
    for row in found:
        running += int(row["change_cents"])
        assert int(row["balance_cents"]) == running
        assert row["change"] == f"{'-' if row['change_cents'][0] == '-' else ''}{_decimal(row['change_cents'])}"
    assert [row["kind"] for row in found[:2]] == ["conversion", "payment"]
    assert found[1]["counterparty"] == "Boulangerie" and found[1]["counterparty_account"] == number(people.shop)


def _decimal(cents: str) -> str:
    digits = cents.lstrip("-").rjust(3, "0")
    return f"{digits[:-2]}.{digits[-2:]}"


def test_a_part_in_csv_begins_with_its_opening_balance(wallet: Run, busy: list[int]) -> None:
    first, *found = rows(wallet("history", "--csv", "--limit", "5").out)
    assert (first["kind"], first["change"], first["change_cents"], first["id"]) == ("opening_balance", "", "", "")
    running = int(first["balance_cents"])
    for row in found:
        running += int(row["change_cents"])
        assert int(row["balance_cents"]) == running
    assert running == sum(busy)


def test_csv_for_a_french_spreadsheet(wallet: Run, busy: list[int]) -> None:
    found = rows(wallet("history", "--csv", "--separator", ";").out, ";")
    assert found[0]["change"] == "1000,00"
    assert found[1]["change"] == "-0,01"
    assert wallet("history", "--csv", "--separator", "|").code == Exit.USAGE
    assert wallet("history", "--csv", "--json").code == Exit.USAGE


def test_pages_join_without_a_gap(wallet: Run, busy: list[int]) -> None:
    whole = wallet("history", "--all", "--json").json
    assert [e["change_cents"] for e in reversed(whole["entries"])] == busy
    assert (whole["next_cursor"], whole["adds_up"]) == (None, True)
    assert (whole["opening_balance_cents"], whole["closing_balance_cents"]) == (0, sum(busy))
    found = []
    cursor: tuple[str, ...] = ()
    while True:
        page = wallet("history", "--json", "--limit", "13", *cursor).json
        found += page["entries"]
        assert (
            page["opening_balance_cents"] + sum(e["change_cents"] for e in page["entries"])
            == (page["closing_balance_cents"])
        )
        if page["next_cursor"] is None:
            break
        assert len(page["entries"]) == 13
        cursor = ("--cursor", page["next_cursor"])
    assert found == whole["entries"]
    assert len(wallet("history", "--json").json["entries"]) == 20
    assert wallet("history", "--cursor", "nonsense", "--json").error["code"] == "cursor_malformed"


def test_an_entry_in_json(wallet: Run, town: Town, people: Cast) -> None:
    join_shop(town, people, wallet)
    id = wallet("pay", bill(town, people, 1_000, label="Pain"), "--yes", "--json").json["id"]
    wallet("refund", id, "--amount", "4", "--yes", home="shop")
    back, paid, start = wallet("history", "--json").json["entries"]
    shop = {"account": number(people.shop), "name": "Boulangerie", "kind": "shop"}
    assert paid == {
        "id": id, "seq": paid["seq"], "at": paid["at"], "booked_on": None, "kind": "payment", "change_cents": -1_000,
        "balance_cents": 99_000, "counterparty": shop, "memo": "Pain", "reference": None, "corrects": None,
    }  # fmt: skip
    assert (back["kind"], back["corrects"], back["change_cents"], back["counterparty"]) == ("refund", id, 400, shop)
    assert (start["kind"], start["counterparty"]) == ("conversion", None)
    shown = wallet("history").out
    assert "Boulangerie · Pain" in shown and id[-8:] in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_since_and_until(wallet: Run, busy: list[int]) -> None:
    entries = wallet("history", "--all", "--json").json["entries"]
    at = entries[10]["at"]
    after = wallet("history", "--all", "--json", "--since", at).json["entries"]
    before = wallet("history", "--all", "--json", "--until", at).json["entries"]
    assert after == entries[:11]
    assert before == entries[10:]
    today, tomorrow = (f"{datetime.now(UTC) + timedelta(days=n):%Y-%m-%d}" for n in (-1, 2))
    assert wallet("history", "--all", "--json", "--since", today, "--until", tomorrow).json["entries"] == entries
    assert wallet("history", "--json", "--until", "2020-01-01").json["entries"] == []
    assert wallet("history", "--until", "01/01/2020").code == 0
    assert wallet("history", "--json", "--since", "yesterday").error["code"] == "time_malformed"


SETTINGS = Settings("", "00" * 4, "00" * 32, "PATARD", "", "", "Europe/Paris", "", "", True, "")


@pytest.mark.parametrize(
    ("text", "end", "expected"),
    [
        ("2026-11-23", False, "2026-11-22T23:00:00+00:00"),
        ("2026-11-23", True, "2026-11-23T22:59:59.999999+00:00"),
        ("23/11/2026", False, "2026-11-22T23:00:00+00:00"),
        ("3/1/2026", False, "2026-01-02T23:00:00+00:00"),
        ("2026-03-29", True, "2026-03-29T21:59:59.999999+00:00"),  # the day that has 23 hours
        ("2026-10-25", True, "2026-10-25T22:59:59.999999+00:00"),  # and the one that has 25
        ("2026-11-23T10:00:00Z", True, "2026-11-23T10:00:00+00:00"),
        ("2026-11-23T10:00:00+01:00", False, "2026-11-23T09:00:00+00:00"),
        ("2026-11-23T10:00", False, "2026-11-23T09:00:00+00:00"),
    ],
)
def test_moments(text: str, end: bool, expected: str) -> None:
    found = moment(text, SETTINGS, end=end)
    assert found is not None and found.isoformat() == expected


@pytest.mark.parametrize("text", ["", "23/13/2026", "2026-02-30", "hier", "2026", "9999-12-31T23:59:59-23:59"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(WalletError):
        moment(text, SETTINGS, end=True)


def test_a_statement_that_does_not_add_up_is_told(wallet: Run, network: Network, busy: list[int]) -> None:
    def lies(network: Network, request: httpx.Request) -> httpx.Response:
        answer = network.inner.handle_request(request)
        answer.read()
        body = answer.json()
        del body["entries"][3:4]
        return httpx.Response(200, json=body)

    network.fail("/v1/accounts/", lies)
    for command in (("history",), ("history", "--json"), ("history", "--csv")):
        ran = wallet(*command)
        assert ran.code == Exit.UNTRUSTED
    assert wallet("history", "--json").json["adds_up"] is False


def test_names_cannot_steer_the_terminal(wallet: Run, network: Network, busy: list[int]) -> None:
    evil = "\x1b[2J\x1b]0;owned\x07Boul\u202eange\r\nrie [red]:smile:"

    def named(network: Network, request: httpx.Request) -> httpx.Response:
        answer = network.inner.handle_request(request)
        answer.read()
        body = answer.json()
        for entry in body["entries"]:
            entry["memo"] = "=cmd()"
            if entry["counterparty"]:
                entry["counterparty"]["name"] = evil
        return httpx.Response(200, json=body)

    network.fail("/v1/accounts/", named)
    shown = wallet("history").out
    assert "[red]:smile:" in shown.replace("\n", " ")
    for ran in (wallet("history"), wallet("history", "--json"), wallet("history", "--csv")):
        assert not {"\x1b", "\x07", "\u202e"} & set(ran.out)
    assert {row["memo"] for row in rows(wallet("history", "--csv").out)} == {"'=cmd()"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Épicerie", "Épicerie"),
        ("a\nb", "a b"),
        ("a\x1b[31mb", "a[31mb"),
        ("a\u200bb", "ab"),
        ("x" * 500, "x" * 199 + "…"),
    ],
)
def test_clean(text: str, shown: str) -> None:
    assert clean(text) == shown
