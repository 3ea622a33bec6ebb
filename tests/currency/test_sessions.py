"""Sessions: what a server remembers of used challenges is bounded, and strangers put nothing into it."""

from __future__ import annotations

import pytest

from ledger.currency import proofs, sessions
from ledger.currency.errors import CurrencyError
from ledger.currency.keys import PrivateKey
from ledger.currency.sessions import CHALLENGE_SECONDS, Session, Sessions
from ledger.currency.town import Town
from tests import towns


def opened(made: Sessions, key: PrivateKey, challenge: bytes | None = None) -> Session:
    challenge = challenge or made.challenge()[0]
    return made.open(key.public, challenge, proofs.sign_session(key, made.town.charter.network, challenge))


def test_a_stranger_is_not_remembered(town: Town) -> None:
    made = Sessions(town)
    for number in range(5):
        with pytest.raises(CurrencyError) as caught:
            opened(made, towns.key_of(f"stranger {number}"))
        assert caught.value.code == "key_unknown"
    assert not made._used


def test_a_used_challenge_is_remembered_as_long_as_it_is_good(town: Town) -> None:
    alice, made = towns.member(town, "person", "Alice"), Sessions(town)
    challenge, _ = made.challenge()
    opened(made, alice.key, challenge)
    for seconds in (0, CHALLENGE_SECONDS, 1):
        towns.clock(town).forward(seconds)
        with pytest.raises(CurrencyError) as caught:
            opened(made, alice.key, challenge)
        assert caught.value.code == "signature_invalid"
    opened(made, alice.key)
    assert len(made._used) == 1


def test_what_is_remembered_is_bounded(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_USED", 3)
    alice, made = towns.member(town, "person", "Alice"), Sessions(town)
    for _ in range(3):
        opened(made, alice.key)
    with pytest.raises(CurrencyError) as caught:
        opened(made, alice.key)
    assert caught.value.code == "busy"
    towns.clock(town).forward(CHALLENGE_SECONDS + 1)
    opened(made, alice.key)
    assert len(made._used) == 1
