"""The signed directory and the pictures: what anybody may ask for costs the server little."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from api.directory import MAX_SECONDS, Directory
from ledger.core.ids import account_text
from ledger.currency import named, parties, proofs
from ledger.currency.keys import PrivateKey
from ledger.currency.parties import DeviceKey, Party
from merchants import codes
from tests import towns
from tests.served import Cast, Served, is_problem, one_time, shown


def listed(api: Served) -> dict[str, Any]:
    """The directory's content by account, its signature held."""
    answer = api.client.get("/v1/directory").json()
    content = answer["content"].encode()
    proofs.verify_directory(api.town.charter.network, api.town.key.public, content, bytes.fromhex(answer["signature"]))
    return {party["account"]: party for party in json.loads(content)["parties"]}


def test_each_party_has_its_own_live_keys(api: Served, people: Cast) -> None:
    lone = parties.admit(api.town, "public_body", "Mairie")
    found = listed(api)
    assert sorted(found) == sorted([shown(people.shop), shown(people.office), shown(lone)])
    keys = {people.shop.key.public.hex(), people.cashier.public.hex()}
    assert set(found[shown(people.shop)]["keys"]) == keys
    assert found[shown(lone)]["keys"] == []
    one = json.loads(api.client.get(f"/v1/directory/{shown(people.shop)}").json()["content"])
    assert one["parties"] == [found[shown(people.shop)]]


def test_it_is_signed_once_until_the_log_grows_or_a_minute_passes(
    api: Served, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed: list[int] = []
    whole = proofs.sign_directory

    def sign(key: PrivateKey, network: bytes, content: bytes) -> bytes:
        signed.append(1)
        return whole(key, network, content)

    monkeypatch.setattr(proofs, "sign_directory", sign)
    for _ in range(3):
        listed(api)
    assert len(signed) == 1
    towns.clock(api.town).forward(MAX_SECONDS)
    listed(api)
    assert len(signed) == 2


def test_every_change_of_it_is_seen_at_once(api: Served, people: Cast) -> None:
    till = towns.join(api.town, people.shop.party, "cashier", "Caisse 2")
    assert till.public.hex() in listed(api)[shown(people.shop)]["keys"]
    parties.revoke(api.town, parties.device(api.town, till.public))
    assert till.public.hex() not in listed(api)[shown(people.shop)]["keys"]
    new = towns.member(api.town, "shop", "Épicerie")
    assert listed(api)[shown(new)]["keys"] == [new.key.public.hex()]
    parties.close(api.town, new.party)
    assert shown(new) not in listed(api)


def test_its_work_grows_with_the_parties_not_their_square(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    many = Counted(Party(bytes(16), "shop", f"Shop {n}", n + 1, 0, None) for n in range(8_000))
    keys = {party.account: [party.account.to_bytes(32)] * 2 for party in many}
    monkeypatch.setattr(parties, "every", lambda *args, **more: many)
    monkeypatch.setattr(named, "acting_keys", lambda *args: keys)
    monkeypatch.setattr(parties, "devices", _never)
    answer = json.loads(json.loads(Directory(api.town).listed())["content"])
    assert many.walked < 10  # once for each of them, it took a minute
    assert answer["parties"][7_999]["account"] == account_text(8_000)


class Counted(list[Party]):
    """Counts how often somebody goes through it."""

    walked = 0

    def __iter__(self) -> Iterator[Party]:
        self.walked += 1
        return super().__iter__()


def _never(*args: object) -> list[DeviceKey]:
    raise AssertionError("one statement for all keys")


@pytest.mark.parametrize("form", ["svg", "png"])
def test_only_a_request_of_somebody_here_is_drawn(
    api: Served, people: Cast, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    whole = codes.modules

    def modules(text: str) -> tuple[tuple[bool, ...], ...]:
        drawn.append(text)
        return whole(text)

    monkeypatch.setattr(codes, "modules", modules)
    forged = one_time(api.town, people.shop, 1, key=towns.key_of("a stranger's"))
    others = one_time(api.town, people.shop, 1, key=people.bob.key)
    nobody = one_time(api.town, people.shop._replace(party=people.shop.party._replace(account=4711)), 1)
    for signed in (forged, others, nobody):
        assert api.client.get(f"/P/{signed.text}.{form}").status_code == 404
    assert not drawn
    genuine = one_time(api.town, people.shop, 1, key=people.cashier)
    assert [api.client.get(f"/P/{genuine.text}.{form}").status_code for _ in range(3)] == [200] * 3
    assert len(drawn) <= 1  # kept, once drawn


def test_one_party_that_is_none(api: Served) -> None:
    is_problem(api.client.get(f"/v1/directory/{account_text(4711)}"), "not_found")
