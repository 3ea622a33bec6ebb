"""`patard demo`: a town with its currency on this machine, fresh each time, and six things to try with it.

Everything lies in one folder (`.demo`): the currency's home, a wallet that has joined, and `next.json` with the same
things for scripts. With PATARD_DATABASE_URL the book is in that PostgreSQL database, which must be empty or a demo's.
The town is told up to now, or to the evening of a stated day, and then it is the same in every run. What happens from
then on has the machine's clock.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from api.commands import serving
from api.commands.console import CONSOLE, CliError, Exit, _, money, shown_day
from api.commands.console import day as typed_day
from api.commands.members import invited
from api.demo import town as place
from api.demo import week, year
from api.home import DATABASE_URL, Home, found_home, open_town
from ledger.core.book import microseconds
from ledger.core.ids import account_text
from ledger.core.model import Head
from ledger.currency import clocked, join_codes, parties, reserve
from ledger.currency.bank.inbox import FOLDER
from ledger.currency.links import make_link
from ledger.currency.town import Town
from merchants import requests

HOST = "127.0.0.1"
MARK = ".patard-demo"
PASSPHRASE = "demo"
PAID = "4.20"
NEXT = "next.json"
FIRST_DAY, LAST_DAY = date(2002, 1, 1), date(2099, 12, 31)
"""Between which the last day lies, so that the year before it and the month after it are days of a book."""


@dataclass(frozen=True)
class Next:
    """The things to try, as they stand in `next.json`; where it all is, and the last day of the town's story."""

    url: str
    till_url: str
    pairing_code: str
    wallet_home: str
    wallet_passphrase: str
    balance_command: str
    pay_command: str
    owner_wallet_home: str
    owner_command: str
    reserve_command: str
    office_url: str
    office_code: str
    statement: str
    import_command: str
    log_size: int
    log_root: str
    day: str


def demo(port: int, folder: Path, day: str | None = None) -> None:
    """Run the demo until Ctrl-C; its town lives up to now, or to the evening of `day`.

    Raises `CliError`: port_busy, demo_running, not_a_demo, database_unusable, date_malformed, date_outside.
    """
    days = told_until(day)
    port = port or _free_port()
    serving.require_free(HOST, port)
    url = os.environ.get(DATABASE_URL)
    with _own(folder), _database(url):
        home = Home(folder / "home", url)
        public_url = f"http://{HOST}:{port}"
        _prose(_("Making a town, a year of its euros and a week of its life..."))
        made = make(home, public_url, days)
        town = open_town(home)
        try:
            _wallet(folder / "wallet", town, made, place.MEMBER, "member")
            _wallet(folder / "owner", town, made, place.SHOP, "owner")
            told = town.book.head()
            if clocked.state(town).wrong is not None:
                clocked.confirm(town)  # a stated day; from here on the machine's clock counts
            things = _next(folder, town, home, made, told)
            (folder / NEXT).write_text(json.dumps(things.__dict__, indent=2) + "\n", encoding="utf-8")
            town.book.store.hold(home.database())
            serving.run(town, HOST, port, lambda: _show(town, made, things), home.folder / FOLDER, home.heads)
        finally:
            town.book.close()
    CONSOLE.say()
    CONSOLE.say(_("The demo has ended."))


def told_until(day: str | None) -> place.Days:
    """The days of a town that ends in the evening of `day`, or now. Raises `CliError`: date_malformed, date_outside."""
    if day is None:
        return place.Days.now(microseconds())
    last = typed_day("--day", day)
    if not FIRST_DAY <= last <= LAST_DAY:
        told = _("--day: choose a day from {first} to {last}.").format(first=FIRST_DAY, last=LAST_DAY)
        raise CliError(Exit.USAGE, "date_outside", told)
    return place.Days.whole(last)


class Made(NamedTuple):
    """The town that was made: its life so far, and the bank's statement that nobody imported yet."""

    days: place.Days
    life: place.Life
    statement: bytes


def make(home: Home, public_url: str, days: place.Days) -> Made:
    """Found the town in `home` and let its year and its week happen; the same log in every run of the same days."""
    clock, entropy, dice = place.Clock(), place.Entropy("book"), place.Entropy("dice")
    clock.set(days.first, 7 * 3600)
    town = found_home(home, place.charter(public_url, days), key=place.key_of("currency"), clock=clock, entropy=entropy)
    try:
        life = place.Life({})
        clock.set(days.first, 7.5 * 3600)
        place.admit(town, clock, life)
        story = week.Story(town, clock, dice, life, days)
        told = year.Year(town, clock, dice, life, story)
        told.tell()
        week.live(story)
        return Made(days, life, year.last_statement(told))
    finally:
        town.book.close()


@contextmanager
def _own(folder: Path) -> Iterator[None]:
    """The folder, emptied of an earlier demo, and for this one alone. Raises `CliError`: demo_running, not_a_demo."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        told = _("{folder} holds something that is not a demo: remove it, or choose another with --folder.")
        raise CliError(Exit.UNUSABLE, "not_a_demo", told.format(folder=folder))
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / MARK).open("w") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            told = _("A demo runs in {folder} already: end it first, or choose another folder with --folder.")
            raise CliError(Exit.UNUSABLE, "demo_running", told.format(folder=folder)) from None
        if was := _day_of(folder):
            _prose(_("The town of {day} that was here, with all that was done in it, makes room for a new one.").format(
                day=was))  # fmt: skip
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != MARK:
                path.unlink()
        yield


def _day_of(folder: Path) -> str:
    """The last day of the town that an earlier demo left in the folder; nothing where it did not get that far."""
    try:
        return str(json.loads((folder / NEXT).read_text(encoding="utf-8"))["day"])
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def _database(url: str | None) -> AbstractContextManager[None]:
    if not url:
        return nullcontext()
    if not url.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        raise CliError(Exit.UNUSABLE, "not_a_demo", _("PATARD_DATABASE_URL is no PostgreSQL address; unset it."))
    from api.demo.database import emptied

    return emptied(url)


def _wallet(folder: Path, town: Town, made: Made, name: str, role: str) -> None:
    """The wallet of somebody who joined during the week, made by the wallet's own program."""
    member, charter = made.life.people[name], town.charter
    settings = {
        "server": charter.public_url, "network": charter.network.hex(), "currency_key": town.key.public.hex(),
        "code": charter.code, "currency": charter.name, "symbol": charter.symbol, "timezone": charter.timezone,
        "waiting_account": account_text(town.chart.waiting), "account": account_text(member.party.account),
        "name": member.party.name, "kind": member.party.kind, "role": role, "label": role,
    }  # fmt: skip
    given = {"seed": member.key.seed().hex(), "passphrase": PASSPHRASE, "settings": settings}
    ran = subprocess.run(
        [sys.executable, "-m", "wallet_cli.prepared", str(folder)], input=json.dumps(given), text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    if ran.returncode:
        last = (ran.stderr.strip().splitlines() or ["?"])[-1]
        told = _("The demo's wallet could not be made: {reason}")
        raise CliError(Exit.UNUSABLE, "files_unusable", told.format(reason=last))


def _next(folder: Path, town: Town, home: Home, made: Made, told: Head) -> Next:
    shop = parties.named(town, place.SHOP)
    code, _link = invited(town, shop, "cashier")
    signed = requests.static(town.charter.network, shop.account, town.key)
    link = make_link(town.charter.public_url, signed)
    wallet = folder / "wallet"
    owner = folder / "owner"
    calls, owners = (
        f"WALLET_HOME={shlex.quote(str(one))} WALLET_PASSPHRASE={PASSPHRASE} {_program('wallet')}"
        for one in (wallet, owner)
    )
    association = parties.named(town, place.ASSOCIATION)
    person = parties.named(town, place.TREASURERS[0])
    office_code = parties.invite(town, association, "treasurer", person=person)
    statement = folder / "bank" / f"{made.days.last - timedelta(days=1)}.xml"
    statement.parent.mkdir()
    statement.write_bytes(made.statement)
    return Next(
        town.charter.public_url,
        f"{town.charter.public_url}/till",
        code,
        str(wallet),
        PASSPHRASE,
        f"{calls} balance",
        f"{calls} pay {link} --amount {PAID} --yes",
        str(owner),
        f"{owners} history -n 5",
        f"PATARD_HOME={shlex.quote(str(home.folder))} {_program('patard')} reserve",
        f"{town.charter.public_url}/office",
        join_codes.shown_code(office_code),
        str(statement),
        f"PATARD_HOME={shlex.quote(str(home.folder))} {_program('patard')} bank import {shlex.quote(str(statement))}",
        told.seq,
        told.root.hex(),
        made.days.last.isoformat(),
    )


def _program(name: str) -> str:
    """How to call a program of this installation from the folder where the demo was started."""
    path = Path(sys.executable).parent / name
    try:
        path = path.relative_to(Path.cwd())
    except ValueError:
        pass
    return shlex.quote(str(path))


def _show(town: Town, made: Made, things: Next) -> None:
    """What there is, the things to try, and the line that says that the server is ready."""
    say, prose, symbol = CONSOLE.say, _prose, town.charter.symbol
    told = _("{name}: {parties} parties, {statements} bank statements, {payments} payments from {first} to {last},")
    prose(told.format(name=town.charter.name, parties=len(made.life.people), statements=made.life.statements,
                      payments=made.life.payments, first=shown_day(made.days.first),
                      last=shown_day(made.days.last)))  # fmt: skip
    prose(_("{amount} in circulation. Log root after {size} entries:").format(
        amount=money(reserve.report(town).circulation, symbol), size=things.log_size))  # fmt: skip
    say(things.log_root)
    today, _began = town.charter.till_day_start(town.now())
    if made.days.last < today:
        told = _("The town's story ends on {last}; from here on the clock of this machine counts, which has {today}.")
        prose(told.format(last=made.days.last, today=today))
    elif made.days.last > today:
        told = _("The town's story ends on {last}, and the clock of this machine has {today}: people can pay, and what "
                 "the bank says of days to come is refused until then.")  # fmt: skip
        prose(told.format(last=made.days.last, today=today))
    say()
    prose(_("1. The till of {shop}, in a browser; pair it with the code {code}:").format(
        shop=place.SHOP, code=things.pairing_code))  # fmt: skip
    say(f"   {things.till_url}")
    prose(_("2. The wallet of {name} (passphrase: {passphrase}) has joined:").format(
        name=place.MEMBER, passphrase=PASSPHRASE))  # fmt: skip
    say(f"   {things.balance_command}")
    prose(_("3. It pays the code on the counter of {shop}; the till shows it:").format(shop=place.SHOP))
    say(f"   {things.pay_command}")
    prose(_("4. The wallet of {shop}'s owner sees what came, and gives back (wallet refund):").format(shop=place.SHOP))
    say(f"   {things.owner_command}")
    prose(_("5. The reserve behind it all:"))
    say(f"   {things.reserve_command}")
    prose(_("6. The office of {name}, in a browser; pair it with the code {code}:").format(
        name=place.ASSOCIATION, code=things.office_code))  # fmt: skip
    say(f"   {things.office_url}")
    prose(_("   The bank's statement of the week, to be dropped there, is {file}; or import it by hand:").format(
        file=things.statement))  # fmt: skip
    say(f"   {things.import_command}")
    say()
    say(_("Ctrl-C ends the demo."))
    say(f"ready: {things.url}")


def _prose(text: str) -> None:
    """Words, in lines as wide as the terminal; never broken within one, and no code at its hyphen.

    What is to be copied (links, commands, the root) is said as it is: a terminal's own breaks are not copied.
    """
    width = max(20, shutil.get_terminal_size().columns)
    # Not at the spaces that hold an amount together, which `textwrap` leaves alone.
    for line in textwrap.wrap(text, width, subsequent_indent="   ", break_long_words=False, break_on_hyphens=False):
        CONSOLE.say(line)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
