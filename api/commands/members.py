"""Parties: admit, list, close; invite a device."""

from __future__ import annotations

from pathlib import Path

from api.commands.console import CONSOLE, N_, CliError, Exit, _, money, terminal_code
from api.commands.noticed import role_name
from api.commands.opened import opened, readable
from ledger.core.ids import account_text
from ledger.currency import join_codes, naming, parties
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import Party
from ledger.currency.town import Town

FIRST_ROLE = {"person": "member", "shop": "owner", "public_body": "owner", "association": "operator"}
"""What the first device of a party is, unless somebody says otherwise."""
KINDS = {
    "person": N_("person"), "shop": N_("shop"), "public_body": N_("public body"), "association": N_("association"),
}  # fmt: skip
"""Kinds of parties, for people; what one types are the names."""
COUNTERS = ("shop", "public_body")
"""Whose next device may be a till."""


def add(kind: str, name: str, *, again: bool = False) -> None:
    """Admit a party. Another one of an open one's name only with `again`.

    Raises `CliError` (REFUSED): party_name_taken.
    """
    with opened() as town:
        with town.reading() as connection:
            namesake = naming.namesake(connection, kind, name)
        try:
            party = parties.admit(town, kind, name, again=again)
        except CurrencyError as error:
            if error.code != "party_name_taken" or namesake is None:
                raise
            told = _("{name} takes part already (account {account}): for another of this name add --again.")
            account = account_text(namesake.account)
            raise CliError(Exit.REFUSED, error.code, told.format(name=namesake.name, account=account)) from None
    if namesake is not None:
        told = _("Beware: {name} was there already (account {other}); from now on only the account tells them apart.")
        CONSOLE.note(told.format(name=namesake.name, other=account_text(namesake.account)))
    CONSOLE.say(
        _("{name} was admitted; account {account}").format(name=party.name, account=account_text(party.account))
    )
    account = account_text(party.account)
    CONSOLE.say(_("Next: patard invite {account}").format(account=account))
    if party.kind in COUNTERS:
        CONSOLE.say(_("For its till: patard invite {account} --role cashier").format(account=account))
    CONSOLE.give(_party(party, 0))


def show(kind: str | None, *, closed: bool) -> None:
    """The parties with their balances."""
    if kind is not None and kind not in FIRST_ROLE:
        raise CliError(
            Exit.USAGE, "party_kind_unknown", _("A kind is one of: {kinds}.").format(kinds=", ".join(FIRST_ROLE))
        )
    with readable() as town:
        found = parties.every(town, kinds=frozenset({kind}) if kind else None, open_only=not closed)
        with town.book.store.reading() as store:
            accounts = store.accounts([party.account for party in found])
        symbol = town.charter.symbol
    balances = {party.account: accounts[party.account].balance for party in found}
    columns = [(_("account"), False), (_("kind"), False), (_("balance"), True), (_("name"), False)]
    rows = [
        (account_text(party.account), _(KINDS[party.kind]), money(balances[party.account], symbol),
         party.name if party.closed_at is None else _("{name} (closed)").format(name=party.name))
        for party in found
    ]  # fmt: skip
    CONSOLE.table(columns, rows)
    CONSOLE.give([_party(party, balances[party.account]) for party in found])


def close(who: str) -> None:
    """Close a party whose account is empty."""
    with opened() as town:
        party = parties.named(town, who)
        if left := town.book.balance(party.account):
            raise CliError(
                Exit.REFUSED, "account_not_empty",
                _("{name} still holds {amount}: have it paid out or changed back first.").format(
                    name=party.name, amount=money(left, town.charter.symbol)
                ),
            )  # fmt: skip
        parties.close(town, party)
        party = parties.by_account(town, party.account)
    CONSOLE.say(_("{name} was closed, and its keys with it.").format(name=party.name))
    CONSOLE.give(_party(party, 0))


def invite(who: str, role: str | None, png: Path | None, person: str | None = None) -> None:
    """A one-time code with which a device joins a party. `person` will hold it, where that has to be known."""
    with opened() as town:
        party = parties.named(town, who)
        role = role or FIRST_ROLE[party.kind]
        holder = None if person is None else parties.named(town, person)
        code, link = invited(town, party, role, holder)
    if png is not None:
        from api.commands.papers import picture

        picture(png, link)
    CONSOLE.say(
        _("A device of {name}, as {role}, joins with this code within 7 days:").format(
            name=party.name, role=role_name(role)
        )
    )
    CONSOLE.say()
    CONSOLE.say(f"  {code}")
    CONSOLE.say(f"  {link}")
    CONSOLE.say()
    for told in _doors(town, role, code):
        CONSOLE.say(told)
    if png is None:
        CONSOLE.say(terminal_code(link).rstrip("\n"))
    else:
        CONSOLE.say(_("Its picture is in {file}.").format(file=png))
    CONSOLE.give(
        {"code": code, "link": link, "party": party.name, "account": account_text(party.account), "role": role,
         "person": holder.name if holder else None}
    )  # fmt: skip


def _doors(town: Town, role: str, code: str) -> list[str]:
    """Where the code is good, and what its device may do there."""
    url = town.charter.public_url
    if role == "cashier":
        return [_("It pairs a till, which takes payments and gives them back: {url}/till").format(url=url)]
    wallet = _("It makes a wallet, which pays from the account: wallet join {code} --server {url}")
    if role in ("member", "owner"):
        return [wallet.format(code=code, url=url)]
    office = _("It opens the office, {url}/office; or a wallet: wallet join {code} --server {url}")
    return [office.format(code=code, url=url)]


def invited(town: Town, party: Party, role: str, person: Party | None = None) -> tuple[str, str]:
    """A new join code as it is shown, and the link that holds it."""
    code = join_codes.shown_code(parties.invite(town, party, role, person=person))
    return code, f"{town.charter.public_url}/J/{code}"


def _party(party: Party, balance: int) -> dict[str, object]:
    return {
        "account": account_text(party.account), "kind": party.kind, "name": party.name,
        "balance_cents": balance, "closed": party.closed_at is not None,
    }  # fmt: skip
