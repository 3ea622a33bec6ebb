"""Lines that a member pays for, that explain another, or that are given to others than they say: a treasurer said so
where neither bank nor member's key does.

The desk's rule (`bank.said`), over what was known at that entry: the lines' own texts, which the log has the hash of,
and what the member's key had signed until then. What was said later says nothing of it; where what would have told was
erased, or is another by now, a treasurer's decision is named all the same, and an operator's is not found to be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, select

from ledger.currency import salted
from ledger.currency.audit.lines import Charge, Taken
from ledger.currency.audit.seen import Texts
from ledger.currency.audit.story import Notice, Story
from ledger.currency.bank import elses, said
from ledger.currency.bank.details import by_account
from ledger.currency.bank.elses import ELSES
from ledger.currency.bank.lines import Line, has_texts
from ledger.currency.bank.recalled import Candidate
from ledger.currency.bank.said import Whose
from ledger.currency.bank.went import EXPLAINING
from ledger.currency.tables import SALT
from ledger.currency.town import Town

_WENT = "{amount} went out with the line {line}: a treasurer, or somebody at the machine, placed it as "
_WHY = ", and neither the bank nor that member's own key says so"
FORMS = {
    "debt": _WENT + "paid to account {account}, which was not owed it" + _WHY,
    "returned": _WENT + "a top-up of account {account} that went back" + _WHY,
    "debits": _WENT + "monthly top-ups of account {account} that went back" + _WHY,
}
OF_SEVERAL = _WENT + "monthly top-ups of several members that went back" + _WHY
_BEFORE = "{amount} went out with the line {line}: by the rules of before, an operator had "
BEFORE = _BEFORE + "account {account} pay for it" + _WHY
BEFORE_OF_SEVERAL = _BEFORE + "several members pay for it" + _WHY
_OF_A_LINE = "{amount} of the line {line}: a treasurer, or somebody at the machine, placed it as "
FORMS |= {
    "pair": _WENT + "euros given back that had come before, and the bank does not say so",
    "transit": _OF_A_LINE + "between two accounts of the reserve, and the bank names none of them",
    "cash": _OF_A_LINE + "cash of a box, and the bank does not call it so",
    "payout": _OF_A_LINE + "a payout that came back, and the bank does not say so",
    ELSES: _OF_A_LINE + "something else than the euros of the members whose reference it carries",
}
"""What is said of each; the command has them in French."""
_OPERATORS = dict.fromkeys(EXPLAINING, ", and the bank does not say so")
_OPERATORS[ELSES] = ", and it carries another member's reference"


def against(town: Town, story: Story, texts: Texts, notes: Mapping[bytes, Taken]) -> Iterator[tuple[int, bytes, str]]:
    """The entries (seq and id) that an operator had no right to, each with a sentence; a treasurer's are noticed."""
    if not story.lines.charges:
        return
    with town.reading() as connection:
        salts = set(connection.scalars(select(SALT.c.id).where(SALT.c.id.in_(notes))))
        judge = _Judge(town, story, texts, notes, salts, connection)
        for one in story.lines.charges:
            state, found = story.lines.known[one.line], judge.says(one)
            if found is False and one.is_operators and one.is_ruled:
                way, why = one.evidence["as"], _OPERATORS.get(one.way, _WHY)
                yield one.seq, one.id, f"the line {state.reference} was placed as {way!r} by no treasurer" + why
            elif not found and not (one.is_operators and one.is_ruled):
                story.notices.append(_notice(one, abs(state.amount), state.reference))


class _Judge:
    """Says of each charge whether bank or member's key had said it; None where what would tell is gone."""

    def __init__(
        self, town: Town, story: Story, texts: Texts, notes: Mapping[bytes, Taken], salts: set[bytes],
        connection: Connection,
    ) -> None:  # fmt: skip
        self.town, self.story, self.texts, self.connection = town, story, texts, connection
        self.notes, self.salts = notes, salts

    def says(self, one: Charge) -> bool | None:
        line = self._line(one.line)
        if one.way == ELSES:
            named, way = self.texts.named(one.seq), str(one.evidence["as"])
            if line is None or (way == "pair" and self._line(one.other) is None):
                return True
            explains, gave = ("cash", one.gave) if one.gave is not None else (way, frozenset[int]())
            whose = elses.of(self.connection, explains, line, self._line(one.other), one.evidence, gave, named)
            return not elses.is_elses(line, one.gets, whose, named)
        if line is None:
            return None
        if one.way in EXPLAINING:
            other = self._line(one.other)
            if one.way == "pair" and other is None:
                return None
            if one.way == "payout":
                return said.explains(
                    one.way, line, None, is_named=said.names_payout(self.connection, line, one.evidence)
                )
            hashed = salted.reserve_iban(self.town.key, line.iban) if line.iban else ""
            return said.explains(one.way, line, other, is_named=hashed != "" and hashed in self.story.ibans)
        if one.way == "debits":
            return said.of_debits(self.connection, line, one.evidence)
        if one.way == "returned":
            topup = self._line(one.other)
            if topup is None:
                return None
            fits = self.texts.right(line, Candidate(topup, one.holder), one.beside, one.seq)
            return said.is_return(line, topup, fits)
        ibans = said.by_mandates(self.connection, one.holder, one.seq)
        # What a member's key had said before the log held hashes is there by the machine's word.
        known = "" not in ibans and line.iban not in said.by_details(self.town, self.connection, one.holder)
        if one.details is not None:
            now = by_account(self.connection, {one.holder}).get(one.holder)
            if now is not None and self.story.details.get(one.holder) == one.details:
                ibans.add(now.iban)
            else:
                known = False
        there, is_whole = self._there(one, line)
        if said.is_anothers(line, one.holder, self.texts.named(one.seq), there):
            return False
        if said.is_theirs(line, one.holder, ibans, there):
            return True
        return False if known and is_whole else None

    def _there(self, one: Charge, line: Line) -> tuple[list[Whose], bool]:
        """The lines of the account that a line went to, as they were then; whether none of that member's lacks."""
        there, is_whole = [], True
        for state in self.story.lines.known.values():
            whose = state.before(one.seq)
            if whose is None or self.texts.gone.get(state.id, one.seq) < one.seq:
                continue
            each = self._line(state.id)
            if each is None:
                is_whole &= not (whose.counts and whose.holder == one.holder)
            elif line.iban and each.iban == line.iban:
                there.append(whose)
        return there, is_whole

    def _line(self, id_: bytes) -> Line | None:
        """A line whose texts are those that were taken: a hash without its salt is of texts that were erased."""
        line = self.texts.lines.get(id_)
        if line is None or not has_texts(line):
            return None
        note = self.notes.get(line.statement)
        hashed = note is not None and note.content is not None
        return line if not hashed or line.statement in self.salts else None


def _notice(one: Charge, amount: int, reference: str) -> Notice:
    values: dict[str, str | int] = {"amount": amount, "line": reference}
    if one.holder:
        values["account"] = one.holder
    if one.is_operators:
        return Notice(one.seq, one.id, BEFORE if one.holder else BEFORE_OF_SEVERAL, values)
    return Notice(one.seq, one.id, FORMS[one.way] if one.holder or one.way in _OPERATORS else OF_SEVERAL, values)
