"""Lines in suspense: shown with what they may be, placed, and put back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from api.commands.bank import line_json, part_text
from api.commands.console import CONSOLE, LANG, N_, CliError, Exit, _, amount, euros, money, ngettext, shown_day
from api.commands.opened import opened, readable
from ledger.core.ids import account_text
from ledger.currency import conversion, parties
from ledger.currency.bank import suspense
from ledger.currency.bank.indexing import SUSPENSE
from ledger.currency.bank.lines import Line, find_line
from ledger.currency.bank.mandates import files, rejecting
from ledger.currency.bank.payouts import batches, owed
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.proposals import Reason, Why
from ledger.currency.bank.suspense import OpenLine
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell
from ledger.currency.town import Town

LEAST = 4
"""Characters of an id's end that are enough, where they fit one line."""
SHOWN = 3
"""Proposals that are listed for a line; `--json` has all."""
WAYS = {
    Way.MEMBER: N_("units to {name}"),
    Way.SPLIT: N_("several things: {shares}"),
    Way.OWN: N_("the association's own money"),
    Way.FEES: N_("fees moved out of the reserve"),
    Way.CHARGE: N_("the bank's charges"),
    Way.CLAIM: N_("{name} pays what they owe"),
    Way.DEBT: N_("{name} was not owed it, and owes it back"),
    Way.KNOWN: N_("the conversion that was typed by hand"),
    Way.CASH: N_("to or from the cash box {cash}"),
    Way.TRANSIT: N_("between two accounts of the reserve"),
    Way.PAIR: N_("explained by line {other}"),
    Way.RETURNED: N_("it took back the top-up of line {other}"),
    Way.PAYOUT: N_("a payout, or one that came back"),
    Way.DEBITS: N_("monthly top-ups, or one that came back"),
    Way.COVER: N_("euros behind imported units"),
}
"""What a line may be, in words."""
REASONS = {
    Why.REFERENCE_CUT: N_("the text ends in the middle of the reference of {name}"),
    Why.REFERENCE: N_("the text has the reference of {name}"),
    Why.REFERENCES: N_("the text has the reference of {name}, and another"),
    Why.IBAN_SEEN: N_("{name} paid from this account before, on {day}"),
    Why.NAME_PAID: N_("the payer is called {name}"),
    Why.NAME_SAID: N_("the text names {name}"),
    Why.NAME_PART: N_("the payer's name fits {name}"),
    Why.AMOUNT_BEFORE: N_("{name} sent the same amount on {day}"),
    Why.OWES: N_("{name} owes {cents}"),
    Why.OWN_NAME: N_("the other account is the association's, by its name"),
    Why.WORDS: N_("the text says so: {word}"),
    Why.BANK_SAYS: N_("the bank calls it so"),
    Why.FEES_THERE: N_("fees of {cents} wait to be moved out"),
    Why.OPPOSITE: N_("as much went the other way on {day}"),
    Why.SAME_ACCOUNT: N_("to and from the same account"),
    Why.TYPED: N_("a conversion of {name} was typed in, with as much, for {day}"),
    Why.ON_ITS_WAY: N_("{cents} are on their way between the reserve's accounts"),
    Why.TOPUP_OF: N_("{name} topped up as much on {day}"),
    Why.OWED: N_("{name} is owed as much for units changed back"),
    Why.PAID_OUT: N_("{name} was paid as much for units changed back"),
    Why.PAYOUT_FILE: N_("it is what is left to pay of file {name}"),
    Why.PAID_ALREADY: N_("it pays {name} what was paid on {day} already"),
    Why.GIVEN_BACK: N_("it pays {name}, who had the units back on {day}"),
    Why.FILE: N_("of the direct debits of {name}, {cents} are open"),
    Why.DEBITED: N_("{name} was debited as much on {day}"),
    Why.BEFORE_FIRST: N_("it was on the account before the first statement"),
    Why.UNCOVERED: N_("imported units of {cents} have no euros behind them"),
    Why.PARTS: N_("its parts are of {name}"),
    Why.PARTS_REST: N_("parts of it are of {name}, and {cents} of nobody who is known"),
}
"""Why a line may be that, in words; see `proposals.SENTENCES`."""


def show(limit: int | None) -> None:
    """The lines in suspense, oldest first, with what each may be."""
    with readable() as town:
        found = suspense.open_lines(town, limit=limit)
        left = suspense.count(town) - len(found)
        names = _names(town, found)
        accounts = {number: name for name, number in town.chart.reserve.items()}
    if not found:
        CONSOLE.say(_("Nothing waits: every line is explained."))
    for one in found:
        _show(one, names)
    if left:
        CONSOLE.say(ngettext("... and 1 more line.", "... and {count} more lines.", left).format(count=left))
    if found:
        CONSOLE.say(_("Say what a line is with `patard bank suspense place LINE --proposal 1`; --help shows more."))
    CONSOLE.give([_json(one, names, accounts) for one in found])


def place(
    line: str, proposal: int | None, shares: Sequence[str], named: Mapping[str, str], plain: Sequence[str]
) -> None:  # fmt: skip
    """Place the line whose id ends so: as one of its proposals, or as the one thing that an option says."""
    given = [f"--{name}" for name in (*named, *plain)] + ["--share"] * bool(shares)
    given += ["--proposal"] * (proposal is not None)
    if len(given) != 1:
        if given:
            told = _("Choose one of {options}.").format(options=", ".join(given))
        else:
            told = _("Say what the line is: --proposal N, --member PARTY, --own, ...; --help shows all.")
        raise CliError(Exit.USAGE, "usage", told)
    with opened() as town:
        one = suspense.find_open(town, _find(town, line))
        if proposal is not None:
            decision = _proposed(one, proposal)
        elif shares:
            decision = Decision(way=Way.SPLIT, shares=tuple(_share(town, text) for text in shares))
        elif plain:
            decision = Decision(way=Way(plain[0]))
        else:
            [(way, text)] = named.items()
            decision = _decision(town, one.line, Way(way), text)
        posted = suspense.place(town, one.line.id, decision, turn=one.turn)
        names = _names(town, [one], decision)
        balances = _balances(town, decision, names)
    told = _("{day}, {amount}: {what}.")
    CONSOLE.say(
        told.format(day=shown_day(one.line.booked_on), amount=euros(one.line.amount), what=_words(decision, names))
    )
    for text in balances:
        CONSOLE.say(text)
    CONSOLE.give(
        {"id": posted.id.hex(), "seq": posted.seq, "replay": posted.replay, "line": one.line.id.hex(),
         "decision": _decision_json(decision, names)}
    )  # fmt: skip


def back(line: str) -> None:
    """Put the line back into suspense whose id ends so."""
    with opened() as town:
        one = find_line(town, _find(town, line))
        posted = suspense.put_back(town, one.id)
    if posted.replay:
        CONSOLE.say(_("It is in suspense already; nothing was moved now."))
    else:
        told = _("{day}, {amount} is in suspense again: `patard bank suspense place {id}` says what it is.")
        CONSOLE.say(told.format(day=shown_day(one.booked_on), amount=euros(one.amount), id=_short(one.id)))
    CONSOLE.give({"id": posted.id.hex(), "seq": posted.seq, "replay": posted.replay, "line": one.id.hex()})


# --- what was typed --------------------------------------------------------------------------------------


def _find(town: Town, text: str) -> bytes:
    """The line whose id ends so; one in suspense before all others. Raises `CliError` (REFUSED)."""
    wanted = text.strip().lower()
    c = BANK_LINE.c
    with town.reading() as connection:
        rows = connection.execute(select(c.id, c.became, c.placed_seq, c.undone_seq).where(c.withdrawn.is_(None))).all()
    fit = [row for row in rows if len(wanted) >= LEAST and row.id.hex().endswith(wanted)]
    waiting = [row for row in fit if row.became == SUSPENSE and row.placed_seq is row.undone_seq is None]
    found = waiting if len(waiting) == 1 else fit
    if len(found) != 1:
        told = _("No bank line has an id that ends with {id!r}; `patard bank suspense list` shows those that wait.")
        if found:
            told = _("Several bank lines have an id that ends with {id!r}: type more of it.")
        raise CliError(Exit.REFUSED, "not_found", told.format(id=text))
    return bytes(found[0].id)


def _proposed(one: OpenLine, number: int) -> Decision:
    if not 1 <= number <= len(one.proposals):
        told = ngettext("The line has 1 proposal.", "The line has {count} proposals.", len(one.proposals))
        raise CliError(Exit.USAGE, "usage", told.format(count=len(one.proposals)))
    return one.proposals[number - 1].decision


def _decision(town: Town, line: Line, way: Way, text: str) -> Decision:
    """The decision of an option that names something."""
    if way in (Way.MEMBER, Way.CLAIM, Way.DEBT):
        return Decision(way=way, holder=parties.named(town, text).account)
    if way is Way.CASH:
        return Decision(way=way, cash=text)
    if way is Way.KNOWN:
        found = conversion.conversions_of(town, text)
        if not found:
            raise CurrencyError("not_found", tell("no conversion has this id"))
        # The line's own account comes first; else it was typed on another.
        return Decision(way=way, other=min(found, key=lambda one: town.chart.reserve[one.reserve] != line.reserve).id)
    if way is Way.PAYOUT:
        return Decision(way=way, other=_payout(town, text))
    if way is Way.DEBITS:
        return Decision(way=way, other=_debits(town, text))
    return Decision(way=way, other=_find(town, text))


def _payout(town: Town, text: str) -> bytes:
    """A payout by its reference, or what is left of a file by its number."""
    try:
        return owed.find(town, text).reconversion
    except CurrencyError:
        return batches.find(town, text).id


def _debits(town: Town, text: str) -> bytes:
    """A file of direct debits by its number or month, or one debit by its reference."""
    try:
        return rejecting.find(town, text).id
    except CurrencyError:
        return files.find(town, text).id


def _share(town: Town, text: str) -> Share:
    """A share as it is typed: Alice=40,00 or claim:Alice=18 or cash:Caisse=60 or own=10."""
    what, equals, cents = text.rpartition("=")
    if not equals:
        told = _("--share {text!r}: write it as PARTY=40,00, claim:PARTY=18, cash:BOX=60 or own=10.")
        raise CliError(Exit.USAGE, "usage", told.format(text=text))
    way, colon, name = what.partition(":")
    if what.strip() == "own":
        return Share(Way.OWN, amount(cents, "--share"))
    if colon and way.strip() == "claim":
        return Share(Way.CLAIM, amount(cents, "--share"), parties.named(town, name).account)
    if colon and way.strip() == "cash":
        return Share(Way.CASH, amount(cents, "--share"), cash=name.strip())
    return Share(Way.MEMBER, amount(cents, "--share"), parties.named(town, what).account)


# --- words -----------------------------------------------------------------------------------------------


def _show(one: OpenLine, names: Mapping[int, str]) -> None:
    line = one.line
    said = " ".join(text for text in (line.name, line.text) if text)
    CONSOLE.say(f"{_short(line.id)}  {shown_day(line.booked_on)}  {euros(line.amount)}  {said}".rstrip())
    for part in line.parts:
        CONSOLE.say(f"        {euros(part['amount']):>10}  {part_text(part)}".rstrip())
    for number, proposal in enumerate(one.proposals[:SHOWN], 1):
        why = (" ; " if LANG == "fr" else "; ").join(_reason(reason) for reason in proposal.reasons)
        CONSOLE.say(f"    {number}  {_words(proposal.decision, names)} ({why})")
    if not one.proposals:
        CONSOLE.say("    " + _("nothing is known about it"))


def _words(decision: Decision, names: Mapping[int, str]) -> str:
    shares = ", ".join(
        f"{_(WAYS[share.way]).format(name=names.get(share.holder or 0, ''), cash=share.cash)} {euros(share.amount)}"
        for share in decision.shares
    )
    return _(WAYS[decision.way]).format(
        name=names.get(decision.holder or 0, ""), cash=decision.cash, shares=shares, other=_short(decision.other or b"")
    )


def _reason(reason: Reason) -> str:
    facts = {
        key: euros(value) if type(value) is int else shown_day(value) if isinstance(value, date) else str(value)
        for key, value in reason.facts.items()
    }
    return _(REASONS[reason.why]).format(**facts)


def _balances(town: Town, decision: Decision, names: Mapping[int, str]) -> list[str]:
    """What the members have whom a decision brought units."""
    holders = [one.holder for one in _parts(decision) if one.way is Way.MEMBER and one.holder]
    symbol = town.charter.symbol
    return [
        _("Balance of {name}: {amount}").format(name=names[one], amount=money(town.book.balance(one), symbol))
        for one in holders
    ]


def _parts(decision: Decision) -> list[Decision | Share]:
    return [decision, *decision.shares]


def _names(town: Town, found: Sequence[OpenLine], *more: Decision) -> dict[int, str]:
    decisions = [*more, *(proposal.decision for one in found for proposal in one.proposals)]
    holders = {one.holder for decision in decisions for one in _parts(decision) if one.holder}
    with town.reading() as connection:
        return {number: party.name for number, party in parties.by_accounts(connection, holders).items()}


def _short(id_: bytes) -> str:
    return id_.hex()[-8:]


def _json(one: OpenLine, names: Mapping[int, str], accounts: dict[int, str]) -> dict[str, Any]:
    return {
        **line_json(one.line, accounts), "turn": one.turn,
        "proposals": [
            {
                "decision": _decision_json(proposal.decision, names), "points": proposal.points,
                "reasons": [
                    {"why": str(reason.why), "text": _reason(reason), **{key: _plain(value) for key, value in
                     reason.facts.items()}}
                    for reason in proposal.reasons
                ],
            }
            for proposal in one.proposals
        ],
    }  # fmt: skip


def _decision_json(decision: Decision, names: Mapping[int, str]) -> dict[str, Any]:
    def named(holder: int | None) -> dict[str, str | None]:
        return {"account": account_text(holder) if holder else None, "name": names.get(holder or 0)}

    return {
        "way": str(decision.way), **named(decision.holder), "other": decision.other.hex() if decision.other else None,
        "cash": decision.cash,
        "shares": [
            {"way": str(share.way), "amount_cents": share.amount, **named(share.holder), "cash": share.cash}
            for share in decision.shares
        ],
    }  # fmt: skip


def _plain(value: str | int | date) -> str | int:
    return value.isoformat() if isinstance(value, date) else value
