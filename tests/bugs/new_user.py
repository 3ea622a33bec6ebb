"""Bugs that somebody meets who is new to it: a figure, a sentence or a door that says what is not so."""

from __future__ import annotations

from tests.bugs import bug

SIGNED = "tests/currency/bank/test_payouts_signed.py"
APPROVAL = "ledger/currency/bank/payouts/approval.py"
BATCHES = "ledger/currency/bank/payouts/batches.py"

BUGS = (
    bug("signatures: a treasurer who goes is struck out of what had left", f"{SIGNED} -k what_left",
        APPROVAL, "is_live(file.ended)]", "is_live(None)]"),
    bug("signatures: a file leaves once more by keys that were revoked", f"{SIGNED} -k what_left",
        BATCHES, "[file._replace(fetched=None)]", "[file]"),
    bug("signatures: what was withdrawn is signed by keys that ended since", f"{SIGNED} -k what_left",
        "ledger/currency/bank/payouts/noted.py", "for one in (self.fetched, self.withdrawn)",
        "for one in (self.fetched,)"),
)  # fmt: skip
