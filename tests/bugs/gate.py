"""Bugs of the last gate: what is shown, signed and fetched, and whose key is whose."""

from __future__ import annotations

from tests.bugs import Bug, bug

BANK, AUDIT = "ledger/currency/bank/", "ledger/currency/audit/"
VOUCHING, PERSONS, WALLET = "ledger/currency/vouching.py", "ledger/currency/persons.py", "wallet_cli/payouts.py"
GATE, PEOPLE = "tests/threats/test_gate.py -m 'not postgres' -k ", "tests/currency/test_vouching.py -k "
TWO = "tests/threats/test_gate_people.py -m 'not postgres' -k "

BUGS: tuple[Bug, ...] = (
    bug("gate: a note that is no signature counts", GATE + "that_is_none",
        BANK + "payouts/approval.py",
        "        proofs.verify_payouts(town.charter.network, raw, file.id, file.sha256, file.total, file.transfers, "
        "signature)\n", "        assert signature\n"),
    bug("gate: bytes that do not add up are signed", "tests/currency/bank/test_payouts_audit.py -k something_else",
        BANK + "payouts/contents.py", "if found is None or (len(found.transfers), found.total) != (file.transfers, "
        "file.total):", "if found is None:"),
    bug("gate: a file that was withdrawn leaves", GATE + "decides_nothing",
        BANK + "payouts/batches.py",
        'if file.withdrawn is not None:\n            raise CurrencyError("payouts_withdrawn", '
        'tell("this file was withdrawn; order', 'if file.number < 1:\n            raise CurrencyError('
        '"payouts_withdrawn", tell("this file was withdrawn; order'),
    bug("gate: never paid to before, by the rows of an old file", GATE + "row_21",
        BANK + "payouts/contents.py",
        "if files[row.batch].get(payout_reference(network, row.reconversion)) == row.iban and "
        "_was_paid(connection, row):", "if _was_paid(connection, row):"),
    bug("gate: paid before, by the rows of a payout", GATE + "somebody_else_was_paid",
        BANK + "payouts/contents.py", "== row.iban and _was_paid(connection, row):", "== row.iban:"),
    bug("gate: what is written back need not be the file", "tests/currency/bank/test_read_back.py",
        BANK + "pain_read.py", "    if again != data:", "    if not again:"),
    bug("gate: a mandate's text need not be one", "tests/currency/bank/test_read_back.py",
        BANK + "mandates/text.py", "return content if mandate_text(lang, terms, content) == text else None",
        "return content"),
    bug("gate: the columns of a mandate say whom to debit", GATE + "row_29",
        BANK + "mandates/proven.py", "        if content != Content(", "        if content is None and Content("),
    bug("gate: any text is the one that was signed", GATE + "row_29",
        BANK + "mandates/proven.py", ' or text_hash(salt, text) != told.get("hash"):', ":"),
    bug("gate: a later amount takes the account from a column", GATE + "row_29",
        BANK + "mandates/register.py", "        before = proven(town, connection, [mandate])[mandate.id]\n",
        "        before = Content(mandate.id, mandate.holder, mandate.iban, mandate.amount, mandate.version, "
        "mandate.signed_on)\n"),
    bug("gate: a collection may be changed", GATE + "row_30",
        BANK + "mandates/files.py", "if sha256(row).digest() != file.sha256 or digest(items) != file.digest:",
        "if not row:"),
    bug("gate: a month is collected again by an edit", GATE + "twice_by_an_edit",
        BANK + "mandates/files.py", "WITHDRAWN) is None:\n            return id_", "WITHDRAWN) is None and "
        "connection.execute(select(_COLLECTION.id).where(*stands(month))).first():\n            return id_"),
    bug("gate: the wallet signs another hash than it read", "tests/wallet_cli/test_payouts.py -k something_else",
        WALLET, "    if sha256(data).digest() != batch.sha256 or ", "    if "),
    bug("people: who invited the other is a second person", PEOPLE + "confirms",
        VOUCHING, "        if mine in self._sponsors(other) or theirs in self._sponsors(one):", "        if False:"),
    bug("people: alone with everything, she is two", PEOPLE + "alone",
        VOUCHING, 'return "word" if self._same_behind(one, other) else ""', 'return ""'),
    bug("people: one person's word is enough", PEOPLE + "confirms",
        VOUCHING, "                return True\n        return False",
        "                return True\n        return bool(key)"),
    bug("people: a circle vouches for itself", PEOPLE + "detour",
        VOUCHING, "second = word.by in known and by.role", "second = by.role"),
    bug("people: confirmed after the file was made", PEOPLE + "confirms",
        VOUCHING, "by.seq < word.seq < self._before", "by.seq < word.seq"),
    bug("people: a revoked key confirms", PEOPLE + "confirms",
        VOUCHING, "(by.until is None or word.seq <= by.until)", "word.seq"),
    bug("people: anybody confirms", TWO + "may_not_confirm",
        PERSONS, " or (by.role == MEMBER and by.account != found.person)", ""),
    bug("audit: who signed is not asked whom they brought in", TWO + "sign_as_two",
        AUDIT + "payouts.py", "    if story.machine_since is None or record.seq < story.machine_since:",
        "    if file.seq:"),
    bug("audit: any key confirms", TWO + "slipped_into_the_log",
        AUDIT + "holders.py", " or (own and not key.is_own(mine))", ""),
    bug("audit: the rows of a file's payouts are not looked at", GATE + "row_21",
        AUDIT + "payout_tables.py", '            "payout_order_changed", f"file', '            "notice", f"file'),
    bug("audit: whom a file of debits debits is not looked at", GATE + "debited_another",
        AUDIT + "debit_tables.py", "if content is not None and debited != ", "if content is None and debited != "),
    bug("audit: the columns of a mandate are not looked at", GATE + "row_29",
        AUDIT + "debit_tables.py", "    if (first.holder, first.iban) != named or told != named:", "    if not named:"),
)  # fmt: skip
