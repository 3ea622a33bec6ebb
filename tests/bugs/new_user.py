"""Bugs that somebody meets who is new to it: a figure, a sentence or a door that says what is not so."""

from __future__ import annotations

from tests.bugs import bug

SIGNED = "tests/currency/bank/test_payouts_signed.py"
APPROVAL = "ledger/currency/bank/payouts/approval.py"
BATCHES = "ledger/currency/bank/payouts/batches.py"
TILL = "tests/journeys/test_new_user.py"
REPORT = "tests/merchants/test_reserve.py"
STATIC = "merchants/static/"

BUGS = (
    bug("signatures: a treasurer who goes is struck out of what had left", f"{SIGNED} -k what_left",
        APPROVAL, "is_live(file.ended)]", "is_live(None)]"),
    bug("signatures: a file leaves once more by keys that were revoked", f"{SIGNED} -k what_left",
        BATCHES, "[file._replace(fetched=None)]", "[file]"),
    bug("signatures: what was withdrawn is signed by keys that ended since", f"{SIGNED} -k what_left",
        "ledger/currency/bank/payouts/noted.py", "for one in (self.fetched, self.withdrawn)",
        "for one in (self.fetched,)"),
    bug("till: nobody says that a code is payable after it was cancelled", f"{TILL} -k cancelled",
        STATIC + "till/code.js", "if (this.isOpen && this.#left() > 0) {", "if (false) {"),
    bug("till: a dialog closes over what was said in it", f"{TILL} -k confirmed",
        STATIC + "toasts.js", 'document.addEventListener("close", settle, true);', ""),
    bug("till: the second of two payments hides the first", f"{TILL} -k at_once",
        STATIC + "till/paid.js", "if (this.isOpen && !again) this.#keep();", ""),
    bug("till: a line that died unseen stands for half a minute", f"{TILL} -k nobody_looked",
        STATIC + "live.js", "if (this.heard && Date.now() - this.heard > FRESH) {", "if (false) {"),
    bug("till: whether a key can be kept is tried with the code", f"{TILL} -k lost_to",
        STATIC + "device.js", "if ((await kept(trial)) !== undefined) await keep(trial, made);", "",
        STATIC + "device.js", "(await kept(trial)) ?? made;", "made;"),
    bug("till: a page too many hangs", f"{TILL} -k too_many",
        STATIC + "device.js", 'return (await hasRoom()) ? null : "too-many";', "return null;"),
    bug("reserve: coverage is a ratio to something else than it stands beside", f"{REPORT} -k stands_beside",
        "merchants/reserve/shown.py", "backing=euros(report.backing),", "backing=euros(report.guarantee),"),
    bug("codes: one is burnt at the wrong door", "tests/api/test_access_keys.py -k wrong_door",
        "api/routes/devices.py", "if body.roles is not None:", "if False:"),
    bug("codes: one that is good is no longer found where it belongs", "tests/api/test_access_keys.py -k wrong_door",
        "ledger/currency/invitations.py", "found.role not in roles:", "found.role:"),
    bug("codes: a page says whose a used code was", "tests/merchants/test_pages.py -k join_link",
        "ledger/currency/invitations.py", ", INVITE.c.used_by.is_(None))", ")"),
    bug("codes: one that has run out looks good", "tests/merchants/test_pages.py -k join_link",
        "ledger/currency/invitations.py", " or row.expires_at < town.now()", ""),
    bug("codes: guesses at the page of a link are free", "tests/api/test_access_keys.py -k looking",
        "merchants/pages.py", "                self.guesses.count(address)", "                pass"),
    bug("init: a wrong answer is found out after the last question", "tests/api/test_cli_init.py -k said_at_once",
        "api/commands/asking.py", "        question.rule(answers, said)", "        pass"),
    bug("init: a pipe is read although the flags say all", "tests/api/test_cli_init.py -k pipe_alone",
        "api/commands/founding.py", "if sys.stdin.isatty() or _missing(answers):", "if True:"),
    bug("init: leads to a code that makes the till an owner", "tests/api/test_cli_parties.py -k comes_next",
        "api/commands/founding.py", 'du coin" --role cashier\'', 'du coin"\''),
    bug("accounts: a year is closed for ever without a word", "tests/api/test_cli_accounts.py -k asked_for",
        "api/commands/accounts.py", "if not period.closing and not yes:", "if False:"),
    bug("accounts: an earlier year is called later", "tests/currency/accounts/test_closing.py -k in_order",
        "ledger/currency/accounts/export.py", "if period.end < closed[0].start:", "if False:"),
    bug("notices: nobody is left when some are", "tests/api/test_cli_mandates.py -k at_the_machine",
        "api/commands/mandates.py", "notices.waiting(town, found.month) if again else 0", "0"),
    bug("names: an accent sorts behind z", "tests/api/test_cli_parties.py -k french_sorts",
        "ledger/currency/parties.py", "key=lambda party: alphabetical(party.name))",
        "key=lambda party: party.name.casefold())"),
    bug("names: a page calls its key otherwise than commands do", f"{TILL} -k one_name",
        STATIC + "device.js", "return this.publicHex.slice(0, SHOWN);", "return hex(this.keyId);"),
    bug("notices: a notice has no words of its own", "tests/api/test_cli_check.py -k has_its_words",
        "ledger/currency/audit/bank_tables.py", "came to owe euros while it held", "owed euros while it held"),
    bug("notices: cents are shown to people", "tests/api/test_cli_check.py -k euros_and_names",
        "api/commands/noticed.py", "_CENTS = re.compile(r\"(-?", "_CENTS = re.compile(r\"(no"),
    bug("refusals: French is said beside English", "tests/test_told.py -k french_alone",
        "ledger/currency/told.py", "if isinstance(detail, Told):", "if False:"),
    bug("refusals: a day is one of programs in French", "tests/test_told.py -k days_and_sums",
        "ledger/currency/told.py", "isinstance(fact, date)", "isinstance(fact, bytes)"),
    bug("refusals: a sum is one of programs in French", "tests/test_told.py -k days_and_sums",
        "ledger/currency/told.py", "isinstance(fact, Cents)", "isinstance(fact, bytes)"),
)  # fmt: skip
