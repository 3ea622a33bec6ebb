"""`patard init`: from a few answers to a currency that can be served."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from api.commands import asking
from api.commands.console import CONSOLE, LANG, CliError, Exit, _
from api.commands.members import invited
from api.commands.opened import sign_head
from api.home import Home, HomeError, found_home, home_of, open_town
from ledger.core.ids import account_text
from ledger.core.store import StoreError
from ledger.currency import parties
from ledger.currency.charter import Charter
from ledger.currency.town import Town


@dataclass
class Answers:
    """What the flags of `patard init` say; None and empty where they say nothing."""

    code: str | None
    name: str | None
    symbol: str | None
    public_url: str | None
    fee_bp: int | None
    banks: list[str]
    cash: list[str]
    timezone: str
    association: str | None
    reconversion_by: str
    per_payment: str | None
    per_day: str | None
    network: str | None


def init(answers: Answers) -> None:
    """Make a currency in the folder of the environment, and say what comes next."""
    home = home_of()
    if home.charter.exists():
        charter = _completing(home)
    else:
        _ask(answers)
        charter = Charter.loads(_text(answers), _("the answers given"))
    town = found_home(home, charter, lang=LANG)
    try:
        association = _association(town, answers)
        code, link = invited(town, association, "operator")
        sign_head(town, home)
    finally:
        town.book.close()
    folder = home.folder
    CONSOLE.say(_("{name} is founded in {folder}.").format(name=charter.name, folder=folder))
    CONSOLE.facts(
        {
            _("charter"): _("{file} (its rules: read them, change them)").format(file=home.charter),
            _("key"): _("{file} (keep a copy in a safe place)").format(file=home.key),
            _("association"): f"{association.name}, {account_text(association.account)}",
            _("operator's code"): f"{code}  {link}",
        }
    )
    CONSOLE.say()
    CONSOLE.say(_("Next:"))
    prefix = f"PATARD_HOME={folder} " if folder != Home(folder=type(folder)("patard-home")).folder else ""
    for command in (
        "patard serve",
        f"wallet join {code} --server {charter.public_url}",
        'patard party add shop "Boulangerie du coin"',
        'patard invite "Boulangerie du coin" --role cashier',
    ):
        CONSOLE.say(f"  {prefix if command.startswith('patard') else ''}{command}")
    CONSOLE.give(
        {
            "home": str(folder), "code": charter.code, "network": charter.network.hex(), "key": town.key.public.hex(),
            "public_url": charter.public_url, "association": account_text(association.account), "join_code": code,
            "join_link": link,
        }
    )  # fmt: skip


def _completing(home: Home) -> Charter:
    """The charter of a folder that an earlier run left half made, or that somebody wrote by hand."""
    charter = Charter.load(home.charter)
    try:
        open_town(home, read_only=True).book.close()
    except (HomeError, StoreError) as error:
        if error.code not in ("no_book", "key_missing"):
            raise
        return charter
    told = _("{folder} holds a currency already, {name}; set PATARD_HOME to another folder for a second one.")
    raise HomeError("home_exists", told.format(folder=home.folder, name=charter.name))


def _association(town: Town, answers: Answers) -> parties.Party:
    found = parties.every(town, kinds=frozenset({"association"}), open_only=True)
    return found[0] if found else parties.admit(town, "association", answers.association or town.charter.name)


def _ask(answers: Answers) -> None:
    """Ask for what no flag says, or name the flags where nobody can be asked."""
    if sys.stdin.isatty() or _missing(answers):
        asking.ask(answers)
    if missing := _missing(answers):
        told = _("Nobody can be asked here; add {flags}. `patard init --help` explains them.")
        raise CliError(Exit.USAGE, "usage", told.format(flags=", ".join(missing)))
    answers.symbol = answers.symbol or (answers.code or "")[:1]
    answers.public_url = answers.public_url or asking.TRIAL_URL


def _missing(answers: Answers) -> list[str]:
    """The flags of what a currency cannot do without, and nobody said."""
    needed = {"--code": answers.code, "--name": answers.name, _("--bank or --cash"): answers.banks or answers.cash}
    return [flag for flag, value in needed.items() if not value]


def _text(answers: Answers) -> str:
    """The charter file that the answers make; whatever is wrong in it is said by the reader of all charters."""
    lines = [
        f"code = {_quoted(answers.code or '')}",
        f"name = {_quoted(answers.name or '')}",
        f"symbol = {_quoted(answers.symbol or '')}",
        f"network = {_quoted(answers.network or os.urandom(4).hex())}",
        f"timezone = {_quoted(answers.timezone)}",
        f"public_url = {_quoted(answers.public_url or '')}",
        f"reconversion_fee_bp = {answers.fee_bp or 0}",
        f"reconversion_by = [{', '.join(_quoted(kind.strip()) for kind in answers.reconversion_by.split(','))}]",
    ]
    limits = {"per_payment": answers.per_payment, "per_day": answers.per_day}
    if any(limits.values()):
        lines += ["[limits]", *(f"{name} = {_quoted(value)}" for name, value in limits.items() if value)]
    for text in answers.banks:
        name, _colon, iban = text.partition(":")
        lines += ["[[reserve]]", f"name = {_quoted(name.strip())}", 'kind = "bank"']
        lines += [f"iban = {_quoted(iban.strip())}"] if iban.strip() else []
    for name in answers.cash:
        lines += ["[[reserve]]", f"name = {_quoted(name)}", 'kind = "cash"']
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    import json

    # What JSON writes for text is TOML too, but for one control character, which no value may have anyway.
    return json.dumps(text.replace("\x7f", "\0"), ensure_ascii=False)
