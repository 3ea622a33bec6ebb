"""Bugs of money that leaves: where it may go, what the bank answers, the days on which it goes."""

from __future__ import annotations

from tests.bugs import Bug, bug

IBANS, RULES = "ledger/currency/charter/ibans.py", "ledger/currency/charter/rules.py"
DETAILS, OWED = "ledger/currency/bank/details.py", "ledger/currency/bank/payouts/owed.py"
ANSWERS, PAYEES = "ledger/currency/bank/payouts/answers.py", "ledger/currency/bank/payouts/payees.py"
ROWS = "ledger/currency/import_rows.py"
TEST_IMPORTER = "tests/currency/test_importer.py -k "
LEAD, BATCHES = "ledger/currency/bank/lead.py", "ledger/currency/bank/payouts/batches.py"
TEST_LEAD = "tests/currency/bank/test_lead.py -k "
TEST_IBANS = "tests/currency/test_ibans.py -k "
UNDOING, AUDITED = "ledger/currency/bank/payouts/undoing.py", "ledger/currency/audit/payouts.py"
TEST_BACK = "tests/currency/bank/test_payouts_given_back.py -k "
TEST_PAYEES = "tests/currency/bank/test_payees.py -k "

BUGS: tuple[Bug, ...] = (
    # IBANs, by one rule at every door.
    bug("iban: check digits of one that no bank writes", TEST_IBANS + "no_bank_writes",
        IBANS, "if not 2 <= int(text[2:4]) <= 98:", "if False:"),
    bug("iban: Gibraltar is outside", TEST_IBANS + "every_country",
        IBANS, "FR GB GI GR", "FR GB GR"),
    bug("iban: North Macedonia is outside", TEST_IBANS + "every_country",
        IBANS, "ME MK MT", "ME MT"),
    bug("iban: all that has the form is inside", TEST_IBANS + "outside_sepa",
        IBANS, "if country not in SEPA:", "if False:"),
    bug("iban: Martinique has one of its own", TEST_IBANS + "overseas",
        IBANS, "if country in _FRENCH:", "if False:"),
    bug("iban: France has no key", TEST_IBANS + "french_key",
        IBANS, 'if country in ("FR", "MC") and', 'if country == "MC" and'),
    bug("iban: Monaco has no key", TEST_IBANS + "french_key",
        IBANS, 'if country in ("FR", "MC") and', 'if country == "FR" and'),
    bug("iban: the Belgian list of banks counts", TEST_IBANS + "every_country",
        IBANS, "registry.validate(text, check_country=False)", "registry.validate(text)"),
    bug("iban: thin spaces are characters", TEST_IBANS + "'between_groups or copied_like'",
        RULES, "char.isspace() or", 'char == " " or'),
    bug("iban: dashes are characters", TEST_IBANS + "'between_groups or copied_like'",
        RULES, 'category(char) in ("Pd", "Cf")', 'category(char) == "Cf"'),
    bug("iban: our own is mistyped", "tests/currency/bank/test_payouts.py tests/currency/bank/test_mandates.py -k "
        "'no_place or cannot_be'",
        DETAILS, '"iban_own"', '"iban_wrong"'),
    bug("iban: a file of before is none of ours", "tests/currency/bank/test_read_back.py -k of_before",
        "ledger/currency/bank/pain_read.py", "iban=ibans.iban_of_before", "iban=ibans.iban"),
    bug("iban: one of before holds up all others", "tests/currency/bank/test_payouts.py -k of_before",
        OWED, "_payable(there.iban)", "there.iban"),
    bug("iban: the wallet signs it with its hyphens", "tests/wallet_cli/test_monthly.py -k 'shown_before or wrongly'",
        "wallet_cli/monthly.py", "        return ibans.iban(typed)", "        return typed"),
    # Units that go back for a payout whose file left.
    bug("given back: one person's word is enough", TEST_BACK + "one_treasurer",
        UNDOING, "let_by(town, connection, file) > 1", "let_by(town, connection, file) > 2"),
    bug("given back: the bank's answer is no word but a proof", TEST_BACK + "banks_answer",
        UNDOING, "    if file is not None:\n        return", "    if file is not None and not report:\n        return",
        UNDOING, "if _waits(connection, town, payout, by) is not None:", "if False:"),
    bug("given back: a file that was withdrawn never left", TEST_BACK + "withdrawn",
        UNDOING, "if file.fetched and payout.seq in", "if file.fetched and not file.withdrawn and payout.seq in"),
    bug("given back: a word on one file is one on the next", TEST_BACK + "of_one_file",
        UNDOING, 'if (one["payout"], one["batch"]) == about', 'if one["payout"] == about[0]',
        UNDOING, "after=last.seq)", ")"),
    bug("given back: whoever signs twice is two", TEST_BACK + "of_one_person",
        UNDOING, "People(keys, _EVER).count(live, 2)", "len(live)"),
    bug("given back: a revoked key still speaks", TEST_BACK + "that_ended",
        UNDOING, "if raw in keys and keys[raw].until is None]", "if raw in keys]"),
    bug("given back: check asks nobody", TEST_BACK + "check_knows",
        AUDITED, "out.people > 1 and story.rules.by_file", "out.people > 2 and story.rules.by_file"),
    bug("given back: check asks it of books of before", TEST_BACK + "before_the_charter",
        AUDITED, "out.people > 1 and story.rules.by_file", "out.people > 1"),
    # What the bank finds of account holders.
    bug("payee: another holder is a rejection", TEST_PAYEES + "beside_each",
        ANSWERS, 'if node.value("TxSts") == REJECTED:', 'if node.value("TxSts") in (REJECTED, "RVNM"):'),
    bug("payee: nearly is the same", TEST_PAYEES + "beside_each",
        PAYEES, '"RVMC": Outcome.CLOSE', '"RVMC": Outcome.MATCH'),
    bug("payee: half of the name is shown", TEST_PAYEES + "beside_each",
        ANSWERS, 'why.each("AddtlInf")', 'why.each("AddtlInf")[:1]'),
    bug("payee: a remark is a name", TEST_PAYEES + "beside_each",
        ANSWERS, "if outcome is not Outcome.CLOSE:", "if False:"),
    bug("payee: whom a file with faults does not name is right", TEST_PAYEES + "nobody_knows",
        ANSWERS, "if report.all_match and not report.payees else {}", "if True else {}"),
    bug("payee: of another file too", TEST_PAYEES + "another_file",
        ANSWERS, "if payout is None or payout.reconversion not in ordered:", "if payout is None:",
        ANSWERS, "tuple((ordered[one], payee) for", "tuple((known[reference], payee) for"),
    bug("payee: what was told before goes too", TEST_PAYEES + "beside_each",
        PAYEES, "delete(PAYOUT_PAYEE).where(_PAYEE.batch == batch, _PAYEE.reconversion.in_(sorted(found)))",
        "delete(PAYOUT_PAYEE).where(_PAYEE.batch == batch)"),
    bug("payee: an answer of nothing gives units back", "tests/api/test_cli_payouts.py -k bank_and_back",
        "api/commands/bank.py", "        if one.undone:\n", "        if one.undone or not one.debits:\n"),
    bug("payee: banks take an address in free lines", TEST_PAYEES + "address",
        "ledger/currency/bank/fake/orders.py", "PstCd? TwnNm Ctry AdrLine? AdrLine?",
        "PstCd? TwnNm? Ctry? AdrLine? AdrLine? AdrLine?"),
    # What comes in from another system.
    bug("history: sep= is the header", TEST_IMPORTER + "says_the_delimiter",
        ROWS, "said = found[2]", "return header, before, said"),
    bug("history: what stands oftener is the delimiter", TEST_IMPORTER + "says_the_delimiter",
        ROWS, "said or max(", "max("),
    bug("history: lines are counted from the header", TEST_IMPORTER + "says_the_delimiter",
        ROWS, "line = before + reader.line_num + 1", "line = reader.line_num + 1"),
    bug("history: a mark hides the first line", TEST_IMPORTER + "says_the_delimiter",
        ROWS, "text.readline(100_000).lstrip(_BOM)", "text.readline(100_000)"),
    bug("history: an hour was never twice", TEST_IMPORTER + "twice_or_never",
        ROWS, 'return "at_twice" if is_there else "at_never"', 'return "" if is_there else "at_never"'),
    bug("history: an hour that was left out is one", TEST_IMPORTER + "twice_or_never",
        ROWS, 'return "at_twice" if is_there else "at_never"', 'return "at_twice"'),
    bug("history: an hour with its zone is in doubt too", TEST_IMPORTER + "twice_or_never",
        ROWS, "                    doubt = _doubt(at)\n",
        "                doubt = _doubt(at.astimezone(self.zone).replace(fold=0))\n"),
    bug("history: what stood is not named again", TEST_IMPORTER + "twice_or_never",
        "ledger/currency/importer.py", "            if row.doubt:", "            if row.doubt and id_ not in posted:"),
    # The days on which it goes.
    bug("lead: the hour of cut-off is none", TEST_LEAD + "'first_day or the_charters'",
        LEAD, "(now >= cutoff or not is_open(today))", "not is_open(today)"),
    bug("lead: at the hour itself it is in time", TEST_LEAD + "first_day",
        LEAD, "now >= cutoff", "now > cutoff"),
    bug("lead: a file of Sunday counts for Sunday", TEST_LEAD + "first_day",
        LEAD, "(now >= cutoff or not is_open(today))", "now >= cutoff"),
    bug("lead: days on which banks are closed count", TEST_LEAD + "first_day",
        LEAD, "        today = open_day(today + _DAY)\n    return", "        today += _DAY\n    return"),
    bug("lead: paid on a Sunday", TEST_LEAD + "banks_are_closed",
        BATCHES, "<= last or not is_open(requested_on):", "<= last:"),
    bug("lead: paid sooner than the bank can", TEST_LEAD + "the_charters",
        BATCHES, "if not first <= requested_on", "if not requested_on"),
    bug("lead: debits have that of payouts", TEST_LEAD + "of_their_own",
        LEAD, "    rules = town.charter.mandates\n", "    rules = town.charter.bank\n"),
    bug("lead: the file of debits does not ask the charter", TEST_LEAD + "of_their_own",
        "ledger/currency/bank/mandates/collecting.py", "max(due_on, debits_from(town))", "due_on"),
    bug("agents: the charter is not asked", TEST_LEAD + "agents_are",
        BATCHES, "bank.bic if by_bic else None", "bank.bic"),
    bug("agents: a device cannot read them back", TEST_LEAD + "agents_are",
        "ledger/currency/bank/pain_read.py", '"CdtrAgt/FinInstnId/Othr/Id"', '"CdtrAgt/FinInstnId/Other/Id"'),
)  # fmt: skip
