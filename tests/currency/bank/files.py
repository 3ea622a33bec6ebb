"""The bank files of `samples/`, and what to do to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.currency.bank.formats.read import read
from ledger.currency.bank.statement import Statement, StatementError

SAMPLES = Path(__file__).parent / "samples"
NAMES = sorted(path.name for path in SAMPLES.iterdir() if path.name.startswith(("camt", "cfonb", "ofx")))


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def changed(data: bytes, *edits: tuple[str, str]) -> bytes:
    """A file with texts replaced; each must be in it."""
    for old, new in edits:
        assert old.encode() in data, old
        data = data.replace(old.encode(), new.encode())
    return data


def one(data: bytes) -> Statement:
    """The only statement of a file."""
    (statement,) = read(data)
    return statement


def refusal(data: bytes) -> StatementError:
    """Why a file is refused; every refusal says what is wrong and what to do."""
    with pytest.raises(StatementError) as caught:
        read(data)
    error = caught.value
    assert len(error.detail) > 30 and error.detail in str(error)
    return error
