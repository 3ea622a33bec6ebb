"""Bugs by which the bank takes another member's top-up back than the one that it recalls."""

from __future__ import annotations

from tests.bugs import bug

RECALLED, TOPUPS = "ledger/currency/bank/recalled.py", "ledger/currency/bank/topups.py"
SEEN = "ledger/currency/audit/seen.py"
RECALL = "tests/threats/test_whose_recall.py -k '{} and sqlite'"

BUGS = (
    bug("recall: the latest is taken, not the likeliest", RECALL.format("most_that_is"),
        RECALLED, "this < most or not this[0]", "best or not this[0]"),
    bug("recall: debits of that account are not asked", RECALL.format("a_debit_of"),
        TOPUPS, " or may_be_debit(connection, said_back, one):", ":"),
    bug("recall: a debit of that account speaks against what is named", RECALL.format("a_debit_of"),
        TOPUPS, "    if back.names(one) or not back.line.iban:\n", "    if not back.line.iban:\n"),
    bug("recall: another account says nothing", RECALL.format("contradicts"),
        RECALLED, "if line.iban and there.iban and line.iban != there.iban:", "if False:"),
    bug("recall: another order says nothing", RECALL.format("contradicts"),
        RECALLED, "if other_order(line.end_to_end, there.end_to_end):", "if False:"),
    bug("recall: another member says nothing", RECALL.format("contradicts"),
        RECALLED, "return elses and not self._same_order(one)", "return False"),
    bug("recall: of two that are as likely one is taken", RECALL.format("as_likely"),
        RECALLED, "return best[0] if len({one.holder for one in best}) == 1 else None",
        "return best[0] if best else None"),
    bug("recall: what waits is not asked", RECALL.format("what_waits"),
        TOPUPS, "by_person = (_LINE.became == SUSPENSE) | _LINE.holder.is_(None)", "by_person = _LINE.amount == 0"),
    bug("recall: what a person placed is not asked", RECALL.format("keeps_one"),
        TOPUPS, "by_person = (_LINE.became == SUSPENSE) | _LINE.holder.is_(None)",
        "by_person = (_LINE.became == SUSPENSE) & _LINE.placed_seq.is_(None)"),
    bug("recall: what was placed as a member's names nobody else", RECALL.format("keeps_one"),
        RECALLED, "return theirs if one.holder is None else theirs | {one.holder}",
        "return theirs if one.holder is None else {one.holder}"),
    bug("recall: all that came of that sum is read", RECALL.format("with_a_sign"),
        TOPUPS, "or_(by_person, *signs),", "brought_units() | by_person,"),
    bug("recall: a member's own reference is no sign", RECALL.format("with_a_sign"),
        TOPUPS, "[_LINE.holder == back.member] if back.member is not None else []", "[]"),
    bug("recall: an order is no sign", RECALL.format("with_a_sign"),
        TOPUPS, "[_LINE.end_to_end == line.end_to_end] if names_order(line.end_to_end) else []", "[]"),
    bug("recall: what waits names nobody", RECALL.format("what_waits"),
        RECALLED, "theirs = self.named((*one.line.said,", "theirs = set() and self.named((*one.line.said,"),
    bug("recall: an order is a reference like another", RECALL.format("of_that_order"),
        RECALLED, "this = (self.right(one), self._same_order(one))", "this = (self.right(one), False)"),
    bug("recall: the commit does not look again", RECALL.format("in_between"),
        TOPUPS, "if found is None or found.id != id_:", "if False:"),
    bug("recall: check looks at one line alone", RECALL.format("all_that_came"),
        SEEN, "if beside is not None:", "if False:"),
    bug("recall: older books are judged by it too", "tests/threats/test_whose_recall.py -k before_is",
        "ledger/currency/audit/bank.py", "beside(story, line) if story.rules.guarded > 1 else None",
        "beside(story, line)"),
)  # fmt: skip
