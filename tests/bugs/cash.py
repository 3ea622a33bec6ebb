"""Bugs by which cash would be counted twice: as units of a slip, and as euros that a bank brings."""

from __future__ import annotations

from tests.bugs import Bug, bug

BANK, AUDIT = "ledger/currency/bank/", "ledger/currency/audit/"
IN_CASH = "tests/threats/test_euros_in_cash.py"

BUGS: tuple[Bug, ...] = (
    bug("cash: ages", f"{IN_CASH} -k 'not_age and sqlite'",
        BANK + "typed.py", "there = look(town, connection) if may_be_in else Boxes()", "there = Boxes()"),
    bug("cash: of a member is no longer theirs", f"{IN_CASH} -k 'of_others and sqlite'",
        BANK + "boxes.py", "return is_deposit(line) or self.comes_to(line.amount, holders)",
        "return self.comes_to(line.amount, holders)"),
    bug("cash: only what the bank says was paid in", f"{IN_CASH} -k 'of_others and sqlite'",
        BANK + "boxes.py", "return amount in self.sums or not", "return not"),
    bug("cash: slips are paid in one by one", f"{IN_CASH} -k 'of_others and sqlite'",
        BANK + "boxes.py", "sums.update((held, *amounts, *accumulate(amounts)))", "sums.update((held, *amounts))"),
    bug("cash: a slip is open though its box was empty", f"{IN_CASH} -k 'no_reason and sqlite'",
        BANK + "boxes.py", "                return row.place >> 8", "                return 0"),
    bug("cash: a slip that was taken back is open", f"{IN_CASH} -k 'of_others and sqlite'",
        BANK + "boxes.py", "_TYPED.line.is_(None), _TYPED.corrected_seq.is_(None)", "_TYPED.line.is_(None)"),
    bug("cash: a deposit is what was typed under its number", f"{IN_CASH} -k 'typed_ahead and sqlite'",
        BANK + "typed.py", "if line.amount < 0 or not text or self.boxes.may_be(line):",
        "if line.amount < 0 or not text:"),
    bug("cash: a slip comes after its deposit", f"{IN_CASH} -k 'long_after and sqlite'",
        BANK + "ahead.py", "        _require_other_cash(town, connection, asked, day)\n", "        pass\n"),
    bug("cash: no treasurer knows of other cash", f"{IN_CASH} -k 'long_after and sqlite'",
        BANK + "ahead.py", "        if is_treasurer(town, asked.by):\n", "        if False:\n"),
)  # fmt: skip
