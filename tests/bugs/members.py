"""Bugs by which somebody takes from a member without the member's word."""

from __future__ import annotations

from tests.bugs import bug

WENT, CHARGED = "ledger/currency/bank/went.py", "ledger/currency/audit/charged.py"
DEBT = "tests/threats/test_whose_debt.py -k "

BUGS = (
    bug("charged: an operator's word is enough", DEBT + "operators_word",
        WENT, "evidence.get(\"as\") not in CHARGING or is_treasurer(town, by)", "True"),
    bug("charged: debits are nobody's", DEBT + "monthly", WENT, '"returned", "debits")', '"returned")'),
    bug("charged: any IBAN is the member's", DEBT + "is_paid",
        WENT, 'line.iban != "" and line.iban in ibans', 'line.iban != ""'),
    bug("charged: check believes the desk", DEBT + "did_not_ask", CHARGED, "            if one.is_operators:",
        "            if False:"),
    bug("charged: texts that were erased say that it was wrong", DEBT + "did_not_ask",
        CHARGED, "line.statement in salts if hashed else has_texts(line)", "True"),
    bug("charged: nobody is told", DEBT + "check_names_it",
        CHARGED, "                story.notices.append(_notice(one, line))", "                pass"),
    bug("charged: older books are judged by it too", DEBT + "before_the_charter",
        "ledger/currency/audit/placings.py", "line.amount < 0 and story.rules.guarded:", "line.amount < 0:"),
)  # fmt: skip
