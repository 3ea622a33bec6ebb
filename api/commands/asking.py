"""The questions of `patard init`: each answer is held against the charter's own rule before the next is asked.

At a terminal a wrong one is asked for again. Lines from a pipe are taken in the same order; a wrong one ends it there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from api.commands.console import CONSOLE, LANG, N_, CliError, Exit, _
from ledger.currency.charter import ibans, rules
from ledger.currency.told import tell

if TYPE_CHECKING:
    from api.commands.founding import Answers

TRIAL_URL = "http://127.0.0.1:8000"
NO_BOX = "-"


class Question(NamedTuple):
    """What is asked, of which answer; `right` says what one may be, and `before` is said first."""

    text: str
    default: Callable[[Answers], str]
    rule: Callable[[Answers, str], Any]
    right: str
    before: str = ""


def _of(rule: Callable[[object], object]) -> Callable[[Answers, str], object]:
    """A rule of the charter as one of an answer."""
    return lambda answers, text: rule(text)


def _fee(answers: Answers, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= 10_000):
        raise rules.Wrong(tell("write a whole number, such as 500 for 5 %"))
    return int(text)


def _bank(answers: Answers, text: str) -> None:
    name, colon, iban = text.partition(":")
    rules.name(name.strip())
    if colon:
        ibans.iban(iban.strip())


def _box(answers: Answers, text: str) -> None:
    taken = [bank.partition(":")[0].strip() for bank in answers.banks]
    if text != NO_BOX and rules.name(text) in taken:
        raise rules.Wrong(tell("the bank account has this name already"))


NAME = N_("1 to 60 letters, digits and signs.")
QUESTIONS = {
    "name": Question(N_("Name of the currency:"), lambda a: "Le Patard", _of(rules.name), NAME),
    "code": Question(
        N_("Short name in the books, capitals and digits:"), lambda a: "PATARD", _of(rules.code),
        N_("2 to 8 capitals A to Z and digits, a letter first, and not EUR."),
    ),
    "symbol": Question(
        N_("What stands beside an amount:"), lambda a: (a.code or "")[:1], _of(rules.symbol),
        N_("1 to 4 letters or currency signs."),
    ),
    "public_url": Question(
        N_("Address of the server, as phones see it:"), lambda a: TRIAL_URL, _of(rules.public_url),
        N_("https:// and a name of {most} characters at most, without a path\n(http:// on 127.0.0.1 only)."),
        N_("The address stands in every code that a till shows. Behind https:// it has {most}\ncharacters at most: "
           "with a longer one phones can no longer read the codes."),
    ),
    "fee_bp": Question(
        N_("Cost of changing back, in hundredths of a percent (500 is 5 %):"), lambda a: "0", _fee,
        N_("Write a whole number, such as 500 for 5 %."),
    ),
    "banks": Question(
        N_("Bank account of the reserve, NAME or NAME:IBAN:"), lambda a: "Banque", _bank,
        N_("A name, or a name, a colon and a whole IBAN."),
    ),
    "cash": Question(
        N_("Cash box of the reserve (- for none):"), lambda a: "Caisse", _box,
        N_("Another name than that of the bank account, or -."),
    ),
    "association": Question(
        N_("Name of the association:"), lambda a: f"Association {a.name}", _of(rules.name), NAME
    ),
}  # fmt: skip


def ask(answers: Answers) -> None:
    """Ask for what no flag says. Raises `CliError` (USAGE) where an answer in a pipe is wrong."""
    listed = bool(answers.banks or answers.cash)
    for name, question in QUESTIONS.items():
        if (name in ("banks", "cash") and listed) or getattr(answers, name) not in (None, "", []):
            continue
        said = _typed(answers, question) if sys.stdin.isatty() else _piped(answers, question)
        if said is None:
            return  # the pipe has ended; what is needed and is not there is named by whoever asked
        if name == "cash":
            answers.cash = [] if said == NO_BOX else [said]
        else:
            value = int(said) if name == "fee_bp" else [said] if name == "banks" else said
            setattr(answers, name, value)


def _typed(answers: Answers, question: Question) -> str:
    if question.before:
        CONSOLE.note(_(question.before).format(most=rules.MAX_HOST))
    while True:
        said = CONSOLE.ask(_(question.text), question.default(answers))
        wrong = _wrong(answers, question, said)
        if not wrong:
            return said
        CONSOLE.note(wrong)


def _piped(answers: Answers, question: Question) -> str | None:
    line = sys.stdin.readline()
    if not line:
        return None
    said = line.strip() or question.default(answers)
    if wrong := _wrong(answers, question, said):
        raise CliError(Exit.USAGE, "usage", f"{_(question.text)} {said!r}: {wrong}")
    return said


def _wrong(answers: Answers, question: Question, said: str) -> str:
    """What is wrong with an answer, "" for nothing."""
    try:
        question.rule(answers, said)
    except rules.Wrong as error:
        right = _(question.right).format(most=rules.MAX_HOST)
        return f"{error.reason}. {right}" if LANG == "en" else right  # which is short enough for a terminal
    return ""
