"""Bugs beside other programs: copies, books that are only read, journals, codes, names, the hour that ends a day."""

from __future__ import annotations

from tests.bugs import Bug, bug

STILL, COPYING, SEALED = "ledger/core/still.py", "ledger/core/copying.py", "ledger/currency/audit/sealed.py"
HLEDGER, BEANCOUNT = "ledger/currency/accounts/hledger.py", "ledger/currency/accounts/beancount.py"
BACKUP = "tests/api/test_backup.py -k "
JOURNALS = "tests/currency/accounts/test_journals.py -k "
FEC_CHECK = "tests/currency/accounts/test_fec_check.py -k "
DAY = "tests/merchants/test_day.py -k "
LINKS, EPC = "tests/currency/test_links.py -k ", "tests/currency/bank/test_epc.py -k "

BUGS: tuple[Bug, ...] = (
    # Copies.
    bug("beside: a copy begins anew at each commit", BACKUP + "commits_all_the_time",
        COPYING, 'reader.execute("VACUUM INTO ?", (str(draft),))',
        "with pysqlite3.connect(draft) as made:\n                reader.backup(made, pages=50, sleep=0.001)"),
    bug("beside: a copy takes another's place", BACKUP + "nobodys_place",
        COPYING, "if into.exists():\n        raise StoreError", "if False:\n        raise StoreError",
        COPYING, "os.link(draft, into)", "draft.rename(into)"),
    bug("beside: a copy is without the heads", BACKUP + "what_a_copy_is",
        "api/commands/backup.py", "if written is not None:\n        _write", "if False:\n        _write"),
    bug("beside: a copy of old tables is refused", BACKUP + "of_before",
        "api/commands/backup.py", "made = copy(sqlite_path(place), file)",
        "from api.home import open_town\n    open_town(home, read_only=True).book.close()\n"
        "    made = copy(sqlite_path(place), file)"),
    bug("beside: a file is whole once the server ended", BACKUP + "newest_entries",
        COPYING, "return not busy and frames == brought", "return True"),
    # Reading only.
    bug("beside: a reader leaves its files", BACKUP + "enough_to_read",
        STILL, "if self._was_alone and wal.exists()", "if False and wal.exists()"),
    bug("beside: a medium that cannot be written is not read", BACKUP + "'medium and closed'",
        STILL, '("&immutable=1" if immutable else "")', '""'),
    bug("beside: what a crash left is not read", BACKUP + "'medium and crashed'",
        STILL, "if holds_entries(path) and not", "if False and not"),
    bug("beside: seals are forged to whoever has the public key", BACKUP + "enough_to_read",
        SEALED, "if not can_tell(town):", "if False:"),
    bug("beside: any public key will do", BACKUP + "another_public_key",
        "api/home.py", "if noted.key != town.key.public.hex():",
        "if home.key.exists() and noted.key != town.key.public.hex():"),
    # Journals.
    bug("beside: two years count the opening twice in hledger", JOURNALS + "together_are_one",
        HLEDGER, "if books.next_day is not None and handed_on:", "if False:"),
    bug("beside: two years count the opening twice in beancount", JOURNALS + "together_are_one",
        BEANCOUNT, "if books.next_day is not None and (handed_on", "if False and (handed_on"),
    bug("beside: a year that goes on is closed", JOURNALS + "goes_on",
        "ledger/currency/accounts/entries.py", "timedelta(days=1) if over else None", "timedelta(days=1)"),
    bug("beside: a journal is in the order of the log", JOURNALS + "'in_time and hledger'",
        "ledger/currency/accounts/by_day.py", "ORDER BY day, n", "ORDER BY n"),
    bug("beside: months end behind all entries", JOURNALS + "'accept_them and hledger'",
        HLEDGER, "while waiting and day > waiting[0][0].isoformat():", "while False:"),
    bug("beside: results are asserted by year", JOURNALS + "'accept_them and ledger_cli'",
        "ledger/currency/accounts/monthly.py",
        "for account in sorted(moved) if not _adds_up(account)]", "for account in sorted(moved)]"),
    bug("beside: each year opens its accounts", JOURNALS + "'accept_them and bean_check'",
        BEANCOUNT, "{start} note {shown[account]} {_quoted(_label(account))}", "{start} open {shown[account]} EUR"),
    # Codes.
    bug("beside: accents in a transfer's code", EPC + "byte_for_byte",
        "ledger/currency/bank/epc.py", "return ascii_text(text)", "return text"),
    bug("beside: a name may grow too long for its code", EPC + "written_fits",
        "ledger/currency/bank/epc.py", "empty=False)[:MAX_NAME]", "empty=False)"),
    bug("beside: links are all capitals", LINKS + "stays_at_version_8",
        "ledger/currency/links.py", "(origin if bits <= _VERSION_8 else origin.upper())", "origin.upper()"),
    bug("beside: small letters make a code larger", LINKS + "stays_at_version_8",
        "ledger/currency/links.py", "(origin if bits <= _VERSION_8 else origin.upper())", "origin"),
    bug("beside: a link in small letters is none", LINKS + "any_case",
        "ledger/currency/links.py", "path = in_capitals(text[found.end() :])", "path = text[found.end() :]"),
    bug("beside: a dotless letter is a capital", LINKS + "refusals",
        "ledger/currency/links.py", "return text.upper() if text.isascii() else text", "return text.upper()"),
    bug("beside: a code without colours is for light terminals", "tests/merchants/test_codes.py -k is_dark",
        "merchants/screens.py", 'else "dark"', 'else "light"'),
    bug("beside: a page knows no link in small letters", "tests/merchants/test_pages.py -k small_letters",
        "merchants/pages.py", 'for letter in "Pp")', 'for letter in "P")'),
    bug("beside: a picture has no size", "tests/merchants/test_codes.py -k svg_is_crisp",
        "merchants/codes.py", 'width="{8 * size}" height="{8 * size}" ', ""),
    # A database that is lost.
    bug("beside: a lost database says that nothing was posted", "tests/api/test_lost_database.py -k claims_nothing",
        "ledger/core/postgres_driver.py", "no database to work with (", "nothing was posted ("),
    bug("beside: a lost answer has no way on", "tests/api/test_lost_database.py -k after_a_commit",
        "api/commands/failures.py", ". Do the same again later to learn what became of it.", ""),
    # Names.
    bug("beside: two blanks make another name", "tests/api/test_cli_parties.py -k however",
        "ledger/currency/text.py", '" ".join(name.translate(_APOSTROPHES).split())', "name.translate(_APOSTROPHES)"),
    bug("beside: an accent of two characters makes another name", "tests/api/test_cli_parties.py -k however",
        "ledger/currency/text.py", 'return unicodedata.normalize("NFC", " ".join', 'return str("" + " ".join'),
    bug("beside: another apostrophe makes another name", "tests/api/test_cli_parties.py -k however",
        "ledger/currency/text.py", "name.translate(_APOSTROPHES).split()", "name.split()"),
    bug("beside: a person's name is taken twice", "tests/api/test_cli_parties.py -k two_of_one_name",
        "ledger/currency/naming.py", "again is None and kind", "kind"),
    # The FEC.
    bug("beside: an old closed year gets new numbers", "tests/currency/accounts/test_closing.py -k auxiliary",
        "ledger/currency/accounts/fec.py", "if account.auxiliary and form > 1", "if account.auxiliary"),
    bug("beside: auxiliary numbers begin with nothing", "tests/currency/accounts/test_entries.py",
        "ledger/currency/accounts/fec.py", "return account.number + account.auxiliary", "return account.auxiliary"),
    bug("beside: a credit with a side is a debit", FEC_CHECK + "other_forms",
        "ledger/currency/accounts/fec_check.py", "return (amount, 0) if side > 0 else (0, amount)", "return amount, 0"),
    bug("beside: the fields of payments are not known", FEC_CHECK + "other_forms",
        "ledger/currency/accounts/fec_check.py", "for more in (0, 3, 4)]", "for more in (0,)]"),
    bug("beside: the day of a payment is not looked at", FEC_CHECK + "other_forms",
        "ledger/currency/accounts/fec_check.py", "places = (3, 9, 14, 15, 18)", "places = (3, 9, 14, 15)"),
    # A night.
    bug("beside: a till's day begins at midnight", DAY + "night",
        "merchants/statement.py", "town.charter.till_day_start(now)", "town.charter.local_day_start(now)"),
    bug("beside: limits begin with the till's day", DAY + "night",
        "merchants/desk.py", "self.town.charter.local_day_start(now)", "self.town.charter.till_day_start(now)"),
    bug("beside: a day has 24 hours", DAY + "'clocks or one_day'",
        "ledger/currency/charter/model.py", "return day, self._moment(day, self.day_begins)",
        "return day, self._moment(day) + self.day_begins * 3_600_000_000"),
)  # fmt: skip
