"""Bugs by which somebody takes from a member without the member's word."""

from __future__ import annotations

from tests.bugs import bug

WENT, CHARGED = "ledger/currency/bank/went.py", "ledger/currency/audit/charged.py"
IMPORTS = "tests/threats/test_one_euro_imports.py -k "
DEBITS = "tests/currency/bank/test_debits_audit.py -k tables_that_were_changed"
UNREADABLE = "tests/threats/test_rows_unreadable.py -k "
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
    bug("import: takes from members", IMPORTS + "no_members_units",
        "ledger/currency/import_accounts.py", "if at_work and not payer.issuer and", "if False and"),
    bug("import: takes of what a member was brought since", IMPORTS + "no_members_units",
        "ledger/currency/import_accounts.py", "return target.by_hand or self.work.moved(target.number)",
        "return target.by_hand"),
    bug("import: nobody is told whose units were moved on", IMPORTS + "only_imports_moved",
        "ledger/currency/audit/cover.py", "if t.debit in story.holders and t.debit not in story.uncovered:",
        "if False:"),
    bug("import: the commit does not look again at members", IMPORTS + "topped_up_while",
        "ledger/currency/import_accounts.py", "return at_work and any(", "return False and any("),
    bug("import: check lets it take from members", IMPORTS + "no_members_units",
        "ledger/currency/audit/kinds.py", "if theirs and story.began and story.rules.guarded:", "if False:"),
    bug("import: check does not know by lines that a currency works", IMPORTS + "no_members_units",
        "ledger/currency/audit/cover.py", "self.story.began |= ", "_ = "),
    bug("import: who waits is only in the tables", IMPORTS + "what_the_log_says",
        "ledger/currency/audit/walk.py", "if self.cover.knows_held else", "if False else"),
    bug("import: who was covered waits on", IMPORTS + "follow_each_other",
        "ledger/currency/audit/cover.py", "                story.uncovered.clear()", "                pass"),
    bug("import: who waits for nothing is said to have paid", IMPORTS + "follow_each_other",
        "ledger/currency/audit/cover.py", "elif self.imported and transaction.kind", "elif transaction.kind",
        "ledger/currency/audit/plain.py", "(self._cover.imported and payer in story.uncovered)",
        "payer in story.uncovered"),
    bug("debits: a text that is gone says nothing", "tests/threats/test_gate.py -k 'row_29 and gone'",
        "ledger/currency/audit/debit_tables.py", "    yield from _gone(story, ", "    _ = (story, "),
    bug("debits: nobody signed is as good as on paper", DEBITS,
        "ledger/currency/audit/debit_tables.py", " and row.version not in mandate.by_device", ""),
    bug("debits: an IBAN that was blanked is erased", DEBITS,
        "ledger/currency/audit/debit_tables.py", "    if erased and stands is not None:", "    if stands is not None:"),
    bug("debits: of who left nothing may be erased", "tests/currency/bank/test_debits_audit.py -k who_has_left",
        "ledger/currency/audit/debit_tables.py", "if mandate.account not in story.closed and not", "if not"),
    bug("check: one row that cannot be read hides all others", UNREADABLE + "hides_nothing",
        "ledger/currency/audit/bank_tables.py", "            except ValueError as error:",
        "            except ZeroDivisionError as error:"),
    bug("check: what stands in a column ends it", UNREADABLE + "whatever",
        "ledger/currency/audit/walk.py", "except (ValueError, TypeError, LookupError, AttributeError) as",
        "except ZeroDivisionError as"),
    bug("check: half a signature is one on paper", UNREADABLE + "half_there",
        "ledger/currency/audit/debit_tables.py", "row.signature is None and row.version", "row.version"),
    bug("check: what nobody foresaw hides what was found", "tests/api/test_cli_check.py -k go_on",
        "api/commands/checking.py", 'if report.ok and failures.told(came)[1] != "internal":', "if report.ok:"),
    bug("charged: older books are judged by it too", DEBT + "before_the_charter",
        "ledger/currency/audit/placings.py", "line.amount < 0 and story.rules.guarded:", "line.amount < 0:"),
)  # fmt: skip
