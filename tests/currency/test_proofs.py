"""Proofs of joining, of a session, and the directory's signature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ledger.currency import proofs
from ledger.currency.keys import PrivateKey
from ledger.currency.messages import MessageError
from tests.vectors import messages as load_vectors

VECTORS = load_vectors()
SEEDS = {key["name"]: bytes.fromhex(key["seed"]) for key in VECTORS["keys"]}
NETWORK = b"pata"
KEY = PrivateKey.from_seed(SEEDS["wallet"])
OTHER = PrivateKey.from_seed(SEEDS["till"])


@pytest.mark.parametrize("vector", VECTORS["proofs"], ids=lambda vector: str(vector["kind"]))
def test_proof_vectors(vector: dict[str, Any]) -> None:
    key = PrivateKey.from_seed(SEEDS[vector["key"]])
    network, signature = bytes.fromhex(vector["network"]), bytes.fromhex(vector["signature"])
    if vector["kind"] == "join":
        assert proofs.join_message(network, key.public, vector["code"]).hex() == vector["message"]
        assert proofs.sign_join(key, network, vector["code"]) == signature
        proofs.verify_join(network, key.public, vector["code"], signature)
    elif vector["kind"] == "session":
        challenge = bytes.fromhex(vector["challenge"])
        assert proofs.session_message(network, key.public, challenge).hex() == vector["message"]
        assert proofs.sign_session(key, network, challenge) == signature
        proofs.verify_session(network, key.public, challenge, signature)
    elif vector["kind"] == "payouts":
        file = (bytes.fromhex(vector["batch"]), bytes.fromhex(vector["sha256"]), vector["total"], vector["count"])
        assert proofs.payouts_message(network, *file).hex() == vector["message"]
        assert proofs.sign_payouts(key, network, *file) == signature
        proofs.verify_payouts(network, key.public, *file, signature)
    elif vector["kind"] == "head":
        head = (int(vector["size"]), int(vector["at"]), bytes.fromhex(vector["root"]))
        assert proofs.head_message(network, *head).hex() == vector["message"]
        assert proofs.sign_head(key, network, *head) == signature
        proofs.verify_head(network, key.public, *head, signature)
    else:
        content = bytes.fromhex(vector["content"])
        assert proofs.directory_message(network, content).hex() == vector["message"]
        assert proofs.sign_directory(key, network, content) == signature
        proofs.verify_directory(network, key.public, content, signature)


def test_layouts_by_hand() -> None:
    assert proofs.join_message(NETWORK, KEY.public, "ABC") == b"patard/join/1\0pata" + KEY.public + b"ABC"
    challenge = bytes(range(32))
    assert proofs.session_message(NETWORK, KEY.public, challenge) == b"patard/session/1\0pata" + KEY.public + challenge
    assert proofs.directory_message(NETWORK, b"{}") == b"patard/directory/1\0pata{}"


def _code(function: Any, *arguments: Any) -> str:
    with pytest.raises(MessageError) as error:
        function(*arguments)
    return error.value.code


def test_anything_else_is_refused() -> None:
    challenge = bytes(32)
    join, session = proofs.sign_join(KEY, NETWORK, "ABC"), proofs.sign_session(KEY, NETWORK, challenge)
    listed = proofs.sign_directory(KEY, NETWORK, b"{}")
    head = (7, 1_750_000_000_000_000, bytes(range(32)))
    cases: tuple[tuple[Callable[..., None], tuple[Any, ...], bytes], ...] = (
        (proofs.verify_join, (NETWORK, KEY.public, "ABC"), join),
        (proofs.verify_session, (NETWORK, KEY.public, challenge), session),
        (proofs.verify_directory, (NETWORK, KEY.public, b"{}"), listed),
        (proofs.verify_head, (NETWORK, KEY.public, *head), proofs.sign_head(KEY, NETWORK, *head)),
    )
    for function, right, signature in cases:
        function(*right, signature)
        others: tuple[Any, ...] = (
            b"town",
            OTHER.public,
            {"ABC": "ABD", challenge: b"\1" * 32, b"{}": b"{} ", 7: 8}[right[2]],
        )
        for place, other in enumerate(others):
            wrong = (*right[:place], other, *right[place + 1 :])
            assert _code(function, *wrong, signature) == "signature_invalid"
        for bit in range(512):
            flipped = (int.from_bytes(signature, "big") ^ 1 << bit).to_bytes(64, "big")
            assert _code(function, *right, flipped) == "signature_invalid"
        for short in (b"", signature[:-1], signature + b"\0"):
            assert _code(function, *right, short) == "signature_invalid"
    # One kind is not another.
    assert _code(proofs.verify_session, NETWORK, KEY.public, challenge, join) == "signature_invalid"


def test_a_weak_key_cannot_join_even_with_a_forgery() -> None:
    for weak in (b"\x01" + bytes(31), bytes(32)):
        assert _code(proofs.verify_join, NETWORK, weak, "ABC", weak + bytes(32)) == "key_weak"
    assert _code(proofs.verify_join, NETWORK, b"\xff" * 32, "ABC", bytes(64)) == "key_malformed"


def test_sizes() -> None:
    for code in ("", "x" * 65, "é"):
        assert _code(proofs.join_message, NETWORK, KEY.public, code) == "message_malformed"
    assert _code(proofs.session_message, NETWORK, KEY.public, bytes(31)) == "message_malformed"
    assert _code(proofs.session_message, NETWORK, KEY.public[:-1], bytes(32)) == "message_malformed"
    assert _code(proofs.directory_message, b"pat", b"") == "message_malformed"
