"""Bugs by which tables, triggers or views would be believed that somebody without a key wrote."""

from __future__ import annotations

from tests.bugs import Bug, bug

BELIEVED, PROVEN = "tests/threats/test_tables_believed.py", "tests/currency/bank/test_payouts_proven.py"
CHECK = "tests/core/test_check.py"
ROWS, AUDIT, PAYOUTS = "ledger/core/check_rows.py", "ledger/currency/audit/", "ledger/currency/bank/payouts/"
SUSPENSE = "ledger/currency/bank/suspense.py"
RESERVE = "ledger/currency/reserve/lines.py"
GATE, SEEN, SAID = PAYOUTS + "proven.py", AUDIT + "seen.py", "-k 'sqlite and {}'"

BUGS: tuple[Bug, ...] = (
    # The database.
    bug("a trigger of somebody else's stays unseen", f"{CHECK} -k none_of_ours",
        ROWS, 'yield from (f"trigger {name}" for name, guard in self._triggers() if guard not in GUARDS)', "pass"),
    bug("a trigger passes for a guard by its table", f"{CHECK} -k none_of_ours",
        ROWS, "for name, guard in self._triggers() if guard not in GUARDS)",
        "for name, guard in self._triggers() if not guard[0])"),
    bug("a view of somebody else's stays unseen", f"{CHECK} -k none_of_ours",
        ROWS, "            if name not in VIEWS:\n", "            if False:\n"),
    bug("signed heads lose their triggers unseen", f"{CHECK} -k missing_or_lamed",
        ROWS, '        ("signed_head", "delete"),\n', ""),
    # What people decide by.
    bug("texts: the list shows what was changed", f"{BELIEVED} -k 'nobody_decides and shown'",
        SUSPENSE, "    unaltered.require(town, *found)\n", "",
        SUSPENSE, "    unaltered.require(town, line)\n", ""),
    bug("texts: a line is placed by what was changed", f"{BELIEVED} -k 'nobody_decides and placed'",
        SUSPENSE, "        unaltered.require(town, *(each for", "        False and unaltered.require(town, *(each for"),
    bug("texts: the other line of a pair may say anything", f"{BELIEVED} -k a_pair_is_not",
        SUSPENSE, ", *(o for _e, _d, o in steps if o))", ")",
        SUSPENSE, "*(each for each, _decision, _other in steps)", "one"),
    bug("texts: what was erased may be decided by", f"{BELIEVED} -k erased_nobody_decides",
        "ledger/currency/bank/unaltered.py", "if same and id_ in salts and says(", "if same and says("),
    bug("texts: nobody is told that they were erased", f"{BELIEVED} -k erased_nobody_decides",
        AUDIT + "texts.py", "    if salt is None and note.content:\n", "    if False:\n"),
    # What is ordered.
    bug("an IBAN in a table is paid to", f"{PROVEN} -k 'not_ordered and IBAN'",
        GATE, 'said_so.get("hash") == salted.salted(salted.DETAILS, salt, [row.iban, row.holder])', "True"),
    bug("a name in a table is paid to", f"{PROVEN} -k 'not_ordered and name'",
        GATE, 'made.evidence["name"] == salted.salted(salted.NAME, salt, [name])', "True"),
    bug("holder and sum in a table are paid", f"{PROVEN} -k 'not_ordered and account'",
        GATE, "if found.get(payout.seq) != right or", "if"),
    bug("a payout's reference in a table is sent", f"{PROVEN} -k 'not_ordered and reference'",
        GATE, "or payout.reference != payout_reference(town.charter.network, right.id):", "or False:"),
    bug("what the log paid is ordered again", f"{PROVEN} -k paid_is_not_ordered",
        GATE, "settled(connection, found.values()) | elsewhere(", "elsewhere("),
    bug("what a file orders is ordered again", f"{PROVEN} -k in_a_file_is_not",
        GATE, ' | elsewhere(town, connection, places, b"")', ""),
    bug("what was put back is never due again", f"{PROVEN} -k put_back",
        GATE, "if entry not in back for place", "for place"),
    # What leaves.
    bug("a file to another account leaves", f"{PROVEN} -k another_account",
        GATE, "if goes is None or not goes.is_proven or (one.iban", "if False and (one.iban"),
    bug("a file from before a shop moved stays", f"{PROVEN} -k moved_since",
        GATE, "if goes is not None and goes.seq > file.seq:", "if False:"),
    bug("a file that pays once more leaves", f"{PROVEN} -k 'pays_twice or while_the_file'",
        GATE, "    if gone := settled(connection, owed(town, connection, file.places).values()):",
        "    if gone := set[int]():"),
    bug("two files that order one payout leave", f"{PROVEN} -k pays_twice",
        GATE, "    if elsewhere(town, connection, file.places, file.id):", "    if False:"),
    bug("a file of another sum leaves", f"{PROVEN} -k of_another_sum",
        GATE, "(one.end_to_end, one.amount) for one in transfers", "(one.end_to_end, right[one.end_to_end].amount) for one in transfers"),  # noqa: E501
    bug("a file leaves whose shop has no row", f"{PROVEN} -k no_row",
        GATE, "        if account in accounts\n", "        if False\n",
        GATE, "if goes is None or not goes.is_proven or (one.iban", "if goes is not None and (one.iban"),
    bug("an account is known by a file that one person signed", f"{PROVEN} -k by_one_person",
        PAYOUTS + "contents.py", "or file.fetched is None or file.people < people:", "or file.fetched is None:"),
    bug("an account is known that the office set just now", f"{PROVEN} -k set_by_the_office",
        PAYOUTS + "contents.py", "key.account == holder or moments", "True or moments"),
    bug("an account is known that is not the shop's any more", f"{PROVEN} -k any_more",
        PAYOUTS + "contents.py", "or not goes.is_proven or goes.iban != iban:", "or not goes.is_proven:"),
    bug("who of the office says an IBAN is told nobody", f"{PROVEN} -k set_by_the_office",
        AUDIT + "kinds.py", "if key is not None and key.account != account and hashed is not None:", "if False:"),
    # What is found.
    bug("a file to another account is not found", f"{PROVEN} -k another_account",
        AUDIT + "payout_tables.py", "right not in (None, (one.iban, one.name)):", "False:"),
    bug("names of an erased file may change", f"{PROVEN} -k erased_file",
        AUDIT + "payout_tables.py", "if salt is None or salted(ORDERS, salt, texts) != file.to:", "if False:"),
    bug("a payout's reference may change", f"{PROVEN} -k each_column",
        AUDIT + "payout_tables.py", "owed.amount, payout_reference(network, owed.id))", "owed.amount, row.reference)"),
    bug("who fetched a file may change", f"{PROVEN} -k each_column",
        AUDIT + "payout_tables.py", "if acts != (", "if False and acts != ("),
    bug("when a statement was taken a table says", f"{BELIEVED} {SAID.format('log_says')}",
        RESERVE, "select(LOG.c.id, LOG.c.seq, LOG.c.at)", 'select(LOG.c.id, LOG.c.seq, _STATEMENT.taken_at.label("at"))',  # noqa: E501
        RESERVE, "_STATEMENT.reserve == found.number, LOG.c.at >", "_STATEMENT.reserve == found.number, _STATEMENT.taken_at >"),  # noqa: E501
    bug("columns of statements may change", f"{BELIEVED} {SAID.format('each_column')}",
        AUDIT + "bank_tables.py", "if told != right or note.bank_number not in (None, row.bank_number):", "if False:"),
    bug("the bank's number of a statement may change", f"{BELIEVED} {SAID.format('each_column')}",
        AUDIT + "bank_tables.py", "if told != right or note.bank_number not in (None, row.bank_number):",
        "if told != right:"),
    bug("the index of the banks' references may change", f"{BELIEVED} {SAID.format('index_of')}",
        AUDIT + "texts.py", '(squeezed(reference or "") or None) != text', "False"),
    bug("bank details may go", f"{BELIEVED} {SAID.format('are_gone')}",
        AUDIT + "texts.py", "if hashed is not None and account not in there:", "if False:"),
    # What booking saw.
    bug("units for whom a line does not name", f"{BELIEVED} {SAID.format('another_member')}",
        SEEN, "if one.state.holder not in named:\n            return \"it does not", "if False:\n            return \"it does not"),  # noqa: E501
    bug("units for one of two whom a line names", f"{BELIEVED} {SAID.format('one_of_two')}",
        SEEN, "if len(named) > 1 else", "if False else"),
    bug("who left still counts as named", f"{BELIEVED} {SAID.format('who_left')}",
        SEEN, "if self.story.is_member(account, seq)", "if True"),
    bug("who leaves later never was named", f"{BELIEVED} {SAID.format('leaves_later')}",
        SEEN, "if self.story.is_member(account, seq)", "if account not in self.story.closed"),
    bug("who left meanwhile is named", f"{BELIEVED} {SAID.format('leaves_while')}",
        "ledger/currency/bank/booking.py", "if by_name and not self", "if False and not self"),
    bug("what parts say is not looked for again", f"{BELIEVED} {SAID.format('parts_name')}",
        SEEN, "recall(line, self.named(seq))", "recall(line._replace(parts=()), self.named(seq))"),
    bug("a line known to be another member's", f"{BELIEVED} {SAID.format('typed_conversion')}",
        SEEN, "if named_in(one.line, self._named(one)) not in (None, one.state.holder):", "if False:"),
    bug("a line known by another reference", f"{BELIEVED} {SAID.format('typed_conversion')}",
        SEEN, "squeezed(typed.reference) != squeezed(one.line.bank_ref):", "False:"),
    bug("transit to a stranger", f"{BELIEVED} {SAID.format('stranger')}",
        SEEN, 'return "" if hashed and hashed in self.story.ibans else', 'return "" if hashed else'),
    bug("a return by nothing that a line says", f"{BELIEVED} {SAID.format('takes_no_top_up')}",
        SEEN, "if self.texts.right(one.line, this, one.state.beside, one.state.seq) >= SURE:", "if True:"),
    bug("whose a top-up is that came back once", f"{BELIEVED} {SAID.format('put_back_whose')}",
        SEEN, "Candidate(original, one.state.holder)",
        "Candidate(original, self.story.lines.known[original.id].holder)"),
    bug("payouts that a line does not name", f"{PROVEN} -k swapped",
        SEEN, 'return "" if is_right else', 'return "" if True else'),
    bug("debits that a line does not name", f"{BELIEVED} {SAID.format('no_debits')}",
        SEEN, "if not ours & named:", "if False:"),
    bug("texts that were erased are found to say nothing", f"{BELIEVED} {SAID.format('erased')}",
        SEEN, "note.content is None or not has_texts(line):", "note.content is None:"),
)  # fmt: skip
