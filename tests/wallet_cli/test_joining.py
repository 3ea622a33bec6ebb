"""Joining over a bad line: a key that may be registered is never thrown away."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from ledger.currency import parties
from ledger.currency.town import Town
from tests.served import Cast
from tests.wallet_cli.conftest import Run, invite
from tests.wallet_cli.network import Fault, Network, lost_answer, lost_request, problem
from wallet_cli.errors import Exit

INVALID = problem(404, "join_code_invalid")


def once_then(first: Fault, then: Fault) -> Fault:
    """`first` happens to the first request, `then` to those after it."""
    left = [first]

    def fault(network: Network, request: httpx.Request) -> httpx.Response:
        return (left.pop() if left else then)(network, request)

    return fault


@pytest.mark.parametrize("first", [lost_answer, lost_request])
def test_a_key_outlives_a_refusal_that_follows_a_silence(
    wallet: Run, town: Town, people: Cast, network: Network, tmp_path: Path, first: Fault
) -> None:
    """In one command: its first try got no answer, its second one was refused while the first was under way."""
    code = invite(town, people.bob.party, "member")
    network.fail("/v1/joins", once_then(first, INVALID))
    ran = wallet("join", code, "--server", "http://127.0.0.1", "--json", home="bob")
    assert (ran.code, ran.error["code"]) == (Exit.REFUSED, "join_code_invalid")
    assert ran.error["kept"] == str(tmp_path / "bob" / "key.json")
    assert "again" in ran.error["message"] or "relancez" in ran.error["message"]
    key = (tmp_path / "bob" / "key.json").read_bytes()
    network.heal()
    assert wallet("join", code, home="bob").code == 0
    assert (tmp_path / "bob" / "key.json").read_bytes() == key
    assert len(parties.devices(town, people.bob.party)) == 2


def test_a_key_outlives_the_refusal_of_a_later_command(
    wallet: Run, town: Town, people: Cast, network: Network, tmp_path: Path
) -> None:
    code = invite(town, people.bob.party, "member")
    network.fail("/v1/joins", lost_answer)
    assert wallet("join", code, "--server", "http://127.0.0.1", home="bob").code == Exit.UNREACHABLE
    network.heal()
    network.fail("/v1/joins", INVALID)
    key = (tmp_path / "bob" / "key.json").read_bytes()
    assert wallet("join", "AAAAA-AAAAA", home="bob").code == Exit.REFUSED
    assert wallet("balance", home="bob").code == Exit.NOT_JOINED
    network.heal()
    assert wallet("join", "AAAAA-AAAAA", home="bob").code == 0  # the code that was begun with is tried first
    assert (tmp_path / "bob" / "key.json").read_bytes() == key


def test_a_key_that_another_code_registered_is_set_aside(
    wallet: Run, town: Town, people: Cast, network: Network, tmp_path: Path
) -> None:
    code = invite(town, people.bob.party, "member")
    network.fail("/v1/joins", once_then(lost_request, problem(409, "key_taken")))
    ran = wallet("join", code, "--server", "http://127.0.0.1", "--json", home="bob")
    assert (ran.code, ran.error["code"]) == (Exit.REFUSED, "key_taken")
    assert len(list((tmp_path / "bob").glob("key.json.*.old"))) == 1
    network.heal()
    assert wallet("join", code, "--server", "http://127.0.0.1", home="bob").code == 0
