"""The device keys of a party: list them, and shut out a device that was lost."""

from __future__ import annotations

from api.commands.console import CONSOLE, CliError, Exit, _, shown_day
from api.commands.noticed import role_name
from api.commands.opened import opened, readable
from ledger.core.ids import account_text
from ledger.currency import parties
from ledger.currency.keys import key_id, shown_key
from ledger.currency.parties import DeviceKey, Party
from ledger.currency.persons import persons_of
from ledger.currency.text import folded
from ledger.currency.town import Town


def show(who: str) -> None:
    """Every key of a party, oldest first."""
    with readable() as town:
        party = parties.named(town, who)
        found = parties.devices(town, party)
        with town.reading() as connection:
            persons = persons_of(connection, [key.key for key in found])
        names = {key.key: f"{key.label} ({persons[key.key][1]})" if key.key in persons else key.label for key in found}
        rows = [
            (shown_key(key.key), role_name(key.role), _day(town, key.added_at),
             names[key.key] if key.revoked_at is None
             else _("{label} (revoked {day})").format(label=names[key.key], day=_day(town, key.revoked_at)))
            for key in found
        ]  # fmt: skip
    if found:
        CONSOLE.table([(_("key"), False), (_("role"), False), (_("since"), False), (_("device"), False)], rows)
    else:
        CONSOLE.say(_("No device of {name} has joined yet.").format(name=party.name))
    CONSOLE.give(
        [{**_told(party, key), "person": persons[key.key][1] if key.key in persons else None} for key in found]
    )


def revoke(who: str, which: str | None) -> None:
    """Shut out one device: its orders are refused from now on, its sessions end. The last key too.

    Raises `CliError` (REFUSED): key_unknown, key_ambiguous; (USAGE) where nobody said which.
    """
    if which is None:
        told = _("Say whose device it is, and which: patard key revoke PARTY KEY; `patard key list PARTY` shows them.")
        raise CliError(Exit.USAGE, "usage", told)
    with opened() as town:
        party = parties.named(town, who)
        key = _meant(party, parties.devices(town, party), which)
        before = key.revoked_at is not None
        parties.revoke(town, key, last_too=True)
        key = parties.device(town, key.key)
        left = sum(one.revoked_at is None for one in parties.devices(town, party))
    if before:
        told = _("{label} of {name} was revoked before; nothing was changed now.")
    else:
        told = _("{label} of {name} is shut out: nothing that it signs is taken any more.")
    CONSOLE.say(told.format(label=key.label, name=party.name))
    if not left and party.closed_at is None:
        CONSOLE.say(
            _("That leaves {name} without a device. A new one joins with: patard invite {account}").format(
                name=party.name, account=account_text(party.account)
            )
        )
    CONSOLE.give({**_told(party, key), "replay": before, "keys_left": left})


def _meant(party: Party, keys: list[DeviceKey], which: str) -> DeviceKey:
    """The key whose label is `which` (any case), or whose hex begins with it; one in use before a revoked one.

    Its short id, which stands in codes, is understood too.
    """
    wanted = folded(which)
    fits = [
        key for key in keys
        if wanted and (wanted in (folded(key.label), key_id(key.key).hex()) or key.key.hex().startswith(wanted))
    ]  # fmt: skip
    found = [key for key in fits if key.revoked_at is None] or fits
    if not found:
        told = _("No device of {name} is called {which!r}: `patard key list {account}` shows them.")
        raise CliError(
            Exit.REFUSED, "key_unknown", told.format(name=party.name, which=which, account=account_text(party.account))
        )
    if len(found) > 1:
        told = _("{count} devices of {name} are meant by {which!r}: write more of the key. They are: {keys}.")
        names = ", ".join(f"{shown_key(key.key)} ({key.label})" for key in found)
        raise CliError(
            Exit.REFUSED, "key_ambiguous", told.format(count=len(found), name=party.name, which=which, keys=names)
        )
    return found[0]


def _day(town: Town, at: int) -> str:
    return shown_day(town.charter.local_date(at))


def _told(party: Party, key: DeviceKey) -> dict[str, object]:
    return {
        "key": key.key.hex(), "role": key.role, "label": key.label, "party": party.name,
        "account": account_text(party.account), "added_at": key.added_at, "revoked_at": key.revoked_at,
    }  # fmt: skip
