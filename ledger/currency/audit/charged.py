"""Lines that went out and that a member pays for: that a treasurer said so, where the bank does not say it itself.

The desk's rule (`bank.went`), over the lines' own texts, which the log has the hash of. Where such a text, or an
account that the member named, was erased or is another by now, the rule cannot be looked at, and nothing is found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import select

from ledger.currency.audit.lines import Charge, Taken
from ledger.currency.audit.story import Notice, Story
from ledger.currency.bank.lines import Line, has_texts
from ledger.currency.bank.went import bank_says, said_ibans
from ledger.currency.tables import SALT
from ledger.currency.town import Town

_WENT = "{amount} went out with the line {line}: a treasurer, or somebody at the machine, placed it as "
_WHY = ", and neither its kind nor an IBAN of theirs says so"
FORMS = {
    "debt": _WENT + "paid to account {account}, which was not owed it" + _WHY,
    "returned": _WENT + "a top-up of account {account} that went back" + _WHY,
    "debits": _WENT + "monthly top-ups of account {account} that went back" + _WHY,
}
OF_SEVERAL = _WENT + "monthly top-ups of several members that went back" + _WHY
"""What is said of each; the command has them in French."""


def against(
    town: Town, story: Story, lines: Mapping[bytes, Line], notes: Mapping[bytes, Taken]
) -> Iterator[tuple[int, bytes, str]]:
    """The entries (seq and id) that an operator had no right to, each with a sentence; a treasurer's are noticed."""
    if not story.lines.charges:
        return
    with town.reading() as connection:
        salts = set(connection.scalars(select(SALT.c.id).where(SALT.c.id.in_(notes))))
        for one in story.lines.charges:
            ibans = said_ibans(connection, one.holder)
            seen = [lines[id_] for id_ in (one.line, *one.lines) if id_ in lines]
            known = all(_is_there(each, notes.get(each.statement), salts) for each in seen)
            if one.line not in lines or not known or "" in ibans or story.details.get(one.holder) != one.details:
                continue
            line, *theirs = seen
            if bank_says(line, ibans | {each.iban for each in theirs}):
                continue
            if one.is_operators:
                yield one.seq, one.id, f"the line {line.reference} was placed as {one.way!r} by no treasurer" + _WHY
            else:
                story.notices.append(_notice(one, line))


def _is_there(line: Line, note: Taken | None, salts: set[bytes]) -> bool:
    """Whether the texts of a line are those that were taken: a hash without its salt is of texts that were erased."""
    hashed = note is not None and note.content is not None
    return line.statement in salts if hashed else has_texts(line)


def _notice(one: Charge, line: Line) -> Notice:
    values: dict[str, str | int] = {"amount": -line.amount, "line": line.reference}
    if not one.holder:
        return Notice(one.seq, one.id, OF_SEVERAL, values)
    return Notice(one.seq, one.id, FORMS[one.way], {**values, "account": one.holder})
