"""Lines with days outside of their statement, and corrections: what is known twice, what is swallowed, who may."""

from __future__ import annotations

from tests.bugs import bug

BANK = "ledger/currency/bank/"
AUDIT = "ledger/currency/audit/bank_tables.py"
CORRECTED = "tests/threats/test_corrected.py"
OFF = "tests/currency/bank/test_off_dated.py"
ANY = "tests/currency/bank/test_aligned.py"

BUGS = (
    bug("aligned: days tell, whatever references say", f"{OFF} -k 'come_again or something'",
        BANK + "aligning.py", "told = _told(statement, timeline)", "told: dict[int, Known] = {}"),
    bug("aligned: a line twice in any files", f"{ANY} -k 'test_off_dated_lines'",
        BANK + "aligning.py", "told = _told(statement, timeline)", "told: dict[int, Known] = {}",
        BANK + "aligning.py", "tries = [found for found in tries if not _leaves_out(found, statement, lines, others)]",
        "pass",
        BANK + "aligning.py", "    pairs = [(line, found.paired[id(line)])",
        "    return False\n    pairs = [(line, found.paired[id(line)])"),
    bug("aligned: a correction of what comes to nothing passes for known", "tests/currency/bank/test_taking.py -k away",
        BANK + "aligning.py", "if corrected and min(tries, key=_changes).before != tries[0].before:", "if False:"),
    bug("aligned: a correction from the day before is none", "tests/currency/bank/test_taking.py -k away",
        BANK + "aligning.py", "        if statement.first == begins:\n", "        if True:\n"),
    bug("aligned: what follows is all new", f"{OFF} -k ahead_dated",
        BANK + "aligning.py", "        return Aligned(lines, [])", "        return Aligned(list(statement.lines), [])"),
    bug("aligned: what follows may come to something known", f"{OFF} -k ahead_dated",
        BANK + "aligning.py", "if sum(known.amount for known in told.values()) or ", "if "),
    bug("aligned: a doubt is new", f"{OFF} -k in_doubt",
        BANK + "aligning.py", "    pairs = [(line, found.paired[id(line)])",
        "    return False\n    pairs = [(line, found.paired[id(line)])"),
    bug("aligned: other texts are other lines", "tests/currency/bank/test_taking.py -k sums_to_nothing",
        BANK + "aligning.py", "if not is_other(one, line)), None)", "if reads_the_same(one, line)), None)"),
    bug("aligned: under a day outside, any line is the known one", f"{OFF} -k 'none_is_swallowed and ahead'",
        BANK + "aligning.py", "off = [one for _line, one in guessed if one.is_off]", "off: list[Known] = []"),
    bug("aligned: what says that it is another is the known one", f"{OFF} -k 'none_is_swallowed and within'",
        BANK + "aligning.py", "if not one.is_off and _is_renamed(one, line, statement)]", "if False]"),
    bug("aligned: in doubt is what balances tell apart", f"{OFF} -k others_of_that_day",
        BANK + "aligning.py", "        if 0 in with_it or len(sums) > MAX_SUMS:", "        if True:",
        BANK + "aligning.py", "    if not amounts or min(every := amounts + free) > 0 or max(every) < 0:",
        "    if not amounts:"),
    bug("aligned: texts win over orders", f"{OFF} -k third_statement",
        BANK + "known.py", "    if is_other(known, line):", "    if False:",
        BANK + "known.py", "\n    return not _other_order(known, line)", "\n    return True"),
    bug("aligned: another order in its place", f"{OFF} -k in_its_place",
        BANK + "known.py", "\n    return not _other_order(known, line)", "\n    return True"),
    bug("aligned: a format that cuts an order's id names another", f"{OFF} -k in_its_place",
        BANK + "reference.py", "return both and not (one.startswith(other) or other.startswith(one))",
        "return both and one != other"),
    bug("aligned: a bank's reference is one line's", f"{OFF} -k under_one_reference",
        BANK + "known.py", "== known.bank_ref and not _other_order(known, line)", "== known.bank_ref"),
    bug("aligned: days long past are not looked at", f"{OFF} -k older_than",
        BANK + "taking.py", "_LINE.booked_on.in_(self.older)", "_LINE.booked_on.in_(())"),
    bug("corrected: an operator's hand on the past", f"{CORRECTED} -k others_follow",
        BANK + "correcting.py", "return any(first > day for first, _last in covered)", "return False"),
    bug("corrected: only what goes is a correction", f"{CORRECTED} -k others_follow",
        BANK + "aligning.py", "sorted(told_now | {known.day for known in best.missing})",
        "sorted({known.day for known in best.missing})"),
    bug("corrected: what somebody placed", f"{CORRECTED} -k decided_about",
        BANK + "correcting.py", "row.placed_seq is not None or ", ""),
    bug("corrected: what somebody put back", f"{CORRECTED} -k decided_about",
        BANK + "correcting.py", " or town.book.find(back_id(row.id, 0)) is not None", ""),
    bug("corrected: nobody is told", f"{CORRECTED} -k last_days",
        AUDIT, "    _corrections(story, kept)\n", ""),
    bug("corrected: nobody is told of what only came", f"{CORRECTED} -k only_come",
        AUDIT, "if not gone[note.id] and not late:", "if not gone[note.id]:"),
    bug("corrected: that it waited in suspense is not told", f"{CORRECTED} -k last_days",
        AUDIT, "{in_suspense if waits else ''}", ""),
)  # fmt: skip
