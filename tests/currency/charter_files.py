"""Charters as files, short and full, and what is wrong in one."""

from __future__ import annotations

import pytest

from ledger.currency.charter import Charter, CharterError

IBAN = "FR7630006000011234567890189"
MINIMAL = """code = "PATARD"
name = "Le Patard"
symbol = "P"
network = "5a1e0c7d"
reconversion_fee_bp = 500
public_url = "https://pay.example.org"
[[reserve]]
name = "Banque coopérative"
kind = "bank"
"""
FULL = """# The rules
code = "MLC2"
name = "Monnaie d'ici"
symbol = "€₤"
network = "00FFab01"
decimals = 2
timezone = "Indian/Reunion"
public_url = "https://Pay.Example.org:443/"
reconversion_fee_bp = 0
reconversion_by = ["shop", "association"]

[limits]
per_payment = "500.00"
per_day = "1 000"
session_hours = 24
request_seconds = 600

[[reserve]]
name = "Banque"
kind = "bank"
iban = "fr76 3000 6000 0112 3456 7890 189"

[[reserve]]
name = "Caisse"
kind = "cash"
"""


def problems(text: str) -> list[tuple[int | None, str, str]]:
    with pytest.raises(CharterError) as caught:
        Charter.loads(text)
    return [(problem.line, problem.key, problem.reason) for problem in caught.value.problems]


def the_problem(text: str) -> tuple[int | None, str, str]:
    found = problems(text)
    assert len(found) == 1, found
    return found[0]
