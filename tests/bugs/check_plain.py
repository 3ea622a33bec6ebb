"""Bugs of the check's way past its judges: payments taken for plain that are not."""

from __future__ import annotations

from tests.bugs import Bug, bug

PLAIN = "ledger/currency/audit/plain.py"
SEEN = "tests/currency/test_audit_plain.py -k "

BUGS: tuple[Bug, ...] = (
    bug("plain: another amount than was signed", SEEN + "another_record",
        PLAIN, "amount != int(moved)", "False"),
    bug("plain: another id than was signed", SEEN + "another_record",
        PLAIN, r'"id":"\4"', '"id":"[0-9a-f]{32}"'),
    bug("plain: another payer and payee than were signed", SEEN + "another_record",
        PLAIN, r'\["\5","\6",', '\\["[0-9a-f]{16}","[0-9a-f]{16}",'),
    bug("plain: no id", SEEN + "another_record",
        PLAIN, "or id_ == _NO_ID", ""),
    bug("plain: a payment to oneself", SEEN + "another_record",
        PLAIN, "or payer == payee", ""),
    bug("plain: an order that had expired", SEEN + "another_record",
        PLAIN, "moment // 1_000_000 <= expires", "moment // 1_000_000 <= expires + 1"),
    bug("plain: another network's order", SEEN + "another_record",
        PLAIN, "02%b01(", "02.{8}01(", PLAIN, "% (network, unit.ljust", "% (unit.ljust"),
    bug("plain: a key that nobody registered for the payer", SEEN + "another_story",
        PLAIN, "or key.account != payer", ""),
    bug("plain: a revoked key", SEEN + "another_story",
        PLAIN, "or key.revoked_at is not None", ""),
    bug("plain: a till that pays", SEEN + "another_story",
        PLAIN, "or key.role not in parties.SPEND", ""),
    bug("plain: a payer without a party", SEEN + "cannot_be",
        PLAIN, "or payer not in holders", ""),
    bug("plain: a payee without a party", SEEN + "another_story",
        PLAIN, "or payee not in holders", ""),
    bug("plain: units without euros behind them", SEEN + "another_story",
        PLAIN, "or (self._cover.imported and payer in story.uncovered)", ""),
    bug("plain: an import is not counted down", SEEN + "another_story",
        PLAIN, "or story.importing is not None", ""),
    bug("plain: more than a payment may be", SEEN + "another_story",
        PLAIN, "amount > rules.per_payment", "False"),
    bug("plain: more than a day may have", SEEN + "another_story",
        PLAIN, "total > rules.per_day", "False"),
    bug("plain: what was paid on a day is not remembered", SEEN + "plain_payment",
        PLAIN, "spent[payer] = total", "pass"),
    bug("plain: an issuer's units are not followed", SEEN + "another_story",
        PLAIN, "or self._cover.counts(payer)", ""),
    bug("plain: nothing is", SEEN + "plain_payment",
        PLAIN, "if found is None:", "if True:"),
    bug("plain: the signature is not verified", "tests/currency/test_audit.py -k somebody_else_signed",
        "ledger/currency/audit/walk.py", "self.signatures.add(seq, id_, payment)", "pass"),
)  # fmt: skip
