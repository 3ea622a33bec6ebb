"""What `check` says, as people read it: accounts by number and name, euros, and notices in the user's language.

Programs get the text as it is (`--json`): hex digits and cents.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

from api.commands.console import LANG, N_, _, euros
from ledger.core.ids import account_text
from ledger.currency.audit.story import Notice
from ledger.currency.money import format_cents
from ledger.i18n import format_day

FORMS = (
    N_("key {key} became {role}, of nobody in particular; the {office}'s key {by} invited it"),
    N_("key {key} became {role}, said to be held by account {account}; the {office}'s key {by} invited it"),
    N_("key {key} became {role} of account {account}, which had one; invited at the machine"),
    N_("key {key} became {role} of account {account}, which had one; invited with key {by}"),
    N_("key {key} of the association said where account {account} is paid"),
    N_("account {account} came to owe euros while it held {amount} in units"),
    N_("{amount} units were imported for {name}, to be spent, by a currency at work"),
    N_("{amount} of account {account} was moved by an import at the machine: its holder signed nothing"),
    N_("from before the log held hashes of texts: {told}. Whoever may write to the database can change them, and "
       "nobody sees it"),
    N_("up to here, what the association did is of before it was signed: who did it rests on the names alone"),
    N_("the charter changed: {changed}"),
    N_("statement {number} of {name} corrected earlier ones; what went: {went}; what came: {came} (cents)"),
    N_("the last statement of {name} is of {day}, {days} days ago: what the bank has since then nobody knows; "
       "import a newer one"),
    N_("{amount} went out with the line {line}: "
       "a treasurer, or somebody at the machine, placed it as paid to account {account}, which was not owed it"
       ", and neither the bank nor that member's own key says so"),
    N_("{amount} went out with the line {line}: "
       "a treasurer, or somebody at the machine, placed it as a top-up of account {account} that went back"
       ", and neither the bank nor that member's own key says so"),
    N_("{amount} went out with the line {line}: "
       "a treasurer, or somebody at the machine, placed it as monthly top-ups of account {account} that went back"
       ", and neither the bank nor that member's own key says so"),
    N_("{amount} went out with the line {line}: "
       "a treasurer, or somebody at the machine, placed it as monthly top-ups of several members that went back"
       ", and neither the bank nor that member's own key says so"),
    N_("{amount} went out with the line {line}: by the rules of before, an operator had account {account} pay for it"
       ", and neither the bank nor that member's own key says so"),
    N_("{amount} went out with the line {line}: by the rules of before, an operator had several members pay for it"
       ", and neither the bank nor that member's own key says so"),
    N_("{amount} went out with the line {line}: a treasurer, or somebody at the machine, placed it as euros given back "
       "that had come before, and the bank does not say so"),
    N_("{amount} of the line {line}: a treasurer, or somebody at the machine, placed it as between two accounts of the "
       "reserve, and the bank names none of them"),
    N_("{amount} of the line {line}: a treasurer, or somebody at the machine, placed it as cash of a box, and the bank "
       "does not call it so"),
    N_("{amount} of the line {line}: a treasurer, or somebody at the machine, placed it as something else than the "
       "euros of the members whose reference it carries"),
    N_("{amount} of the line {line}: a treasurer, or somebody at the machine, placed it as a payout that came back, "
       "and the bank does not say so"),
    N_("{amount} came with the line {line} while cash lay in the box, and may be that cash, whose units were given: a "
       "treasurer, or somebody at the machine, placed it for account {account}"),
    N_("{amount} came with the line {line} while cash lay in the box, and may be that cash, whose units were given: a "
       "treasurer, or somebody at the machine, placed it as something else"),
    N_("{amount} were typed as a slip of cash for account {account}, and may be what the line {line} brought it "
       "before: a treasurer, or somebody at the machine, said that it is other cash"),
    N_("the texts of statement {number} of {name} were erased: what its lines said, and whose they were, nobody can "
       "tell"),
    N_("no statement of {name} was ever imported: what is on it rests on the word of whoever typed it; import its "
       "statements"),
    N_("the statements of {name} were withdrawn, and none came since: what the bank has nobody knows; import the true "
       "ones"),
    N_("since then issuers have units of {imported} cents out beside {circulation} cents in circulation, and the "
       "guarantee is {guarantee} cents"),
    N_("since then the reserve lacks {short} cents of the guarantee of {guarantee} cents: members owe {due} cents, for "
       "euros that went back to their banks after the units had been spent, or that were paid to them and not owed"),
    N_("the charter gave the reserve account {name} another IBAN, or none"),
    N_("somebody at the machine said that the clock is right: it had {clock}, after an entry of {before}"),
)  # fmt: skip
"""The sentences of the audit's notices."""
TEXTS = (N_("names of parties"), N_("bank details"), N_("statements that do not say whose they are"), N_("statements"),
         N_("memos of payments"))  # fmt: skip
ROLES = (N_("cashier"), N_("owner"), N_("member"), N_("operator"), N_("treasurer"), N_("auditor"))


def role_name(role: str) -> str:
    """A role in the user's language."""
    return _(role) if role in ROLES else role


_WORDS = {"told": TEXTS, "role": ROLES, "office": ROLES}
ACCOUNT = re.compile(r"account ([0-9a-f]{16})\b")
_CENTS = re.compile(r"(-?[0-9]+) cents?\b")


def notice(one: Notice, names: Mapping[str, str]) -> str:
    """A notice; `names` are those of the accounts (16 hex digits) that it tells of."""
    values = {name: _value(name, value, names) for name, value in one.values.items()}
    return _people(_(one.form).format(**values) if values else _(one.form), names, _, LANG)


def finding(text: str, names: Mapping[str, str]) -> str:
    """What was found, which is English, with its accounts and cents as people write them."""
    return _people(text, names, str, "en")


def _people(text: str, names: Mapping[str, str], words: Callable[[str], str], lang: str) -> str:
    told = ACCOUNT.sub(lambda found: words("account {account}").format(account=_account(found[1], names)), text)
    return _CENTS.sub(lambda found: format_cents(int(found[1]), lang, "€"), told)


def _value(name: str, value: str | int, names: Mapping[str, str]) -> str:
    if name == "account":
        return _account(f"{value:016x}", names)
    if name == "amount":
        return euros(int(value))
    if name == "day":
        return format_day(date.fromisoformat(str(value)), LANG)
    told = str(value)
    for words in _WORDS.get(name, ()):
        told = told.replace(words, _(words))
    return told


def _account(digits: str, names: Mapping[str, str]) -> str:
    number = int(digits, 16)
    if not 0 < number < 2**63:  # what somebody wrote there is no account
        return digits
    return f"{account_text(number)} ({names[digits]})" if digits in names else account_text(number)
