"""What booking made of a line by itself, against the line's own texts, which the log has the hash of.

Booking reads the tables, and whoever may write to the database may change them for that moment. So what it had to see
to make of a line what it made is looked for again: the reference of the member who got units, of the payouts that it
settled, of the debits that it brought. Whose texts were erased, or are from before there were hashes, says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from ledger.currency import salted
from ledger.currency.audit.lines import Beside, LineState, Taken
from ledger.currency.audit.story import Story
from ledger.currency.bank.indexing import RETURN
from ledger.currency.bank.lines import Line, has_texts
from ledger.currency.bank.mandates.index import BROUGHT, UNPAID, Item
from ledger.currency.bank.payouts.batches import batch_reference
from ledger.currency.bank.payouts.index import PAID, RETURNED, payout_reference
from ledger.currency.bank.recalled import SURE, Candidate, Named, named_in, recall
from ledger.currency.bank.reference import found_in, member_reference, reference, squeezed, written_in
from ledger.currency.bank.topups import CONVERSION, KNOWN, TRANSIT
from ledger.currency.town import Town


class Texts:
    """What lines say, for whoever asks what the bank said at an entry. `gone` has the entries that took lines away."""

    def __init__(self, story: Story, lines: Mapping[bytes, Line], gone: Mapping[bytes, int]) -> None:
        self.story, self.lines, self.gone = story, lines, gone
        self.members: dict[str, tuple[int, ...]] = {}
        for account in story.holders:
            text = member_reference(story.rules.network, account)
            self.members[text] = (*self.members.get(text, ()), account)

    def named(self, seq: int) -> Named:
        """Finds members whose references stand in texts: those who were there at that entry."""

        def named(texts: Iterable[str]) -> set[int]:
            found = [
                [account for account in accounts if self.story.is_member(account, seq)]
                for accounts in found_in(texts, self.members)
            ]
            return {accounts[0] for accounts in found if len(accounts) == 1}

        return named

    def right(self, line: Line, one: Candidate, beside: Beside | None, seq: int) -> int:
        """How much is right of that one's being what a line took back by the entry `seq`; 0 where another is likelier.

        Without `beside` nothing is held against it; nor is what has no texts any more, or was changed since.
        """
        said_back = recall(line, self.named(seq))
        if beside is not None:
            # What took `one` itself back is this entry.
            topups = [state for state in beside.topups if state.touched <= seq or state.id == one.line.id]
            there = [(state.id, state.holder) for state in topups] + [(state.id, None) for state in beside.others]
            others = (Candidate(self.lines[id_], holder) for id_, holder in there if self._is_there(id_, seq))
            return said_back.fits(one, [each if each.line.id != one.line.id else one for each in others])
        return said_back.right(one)

    def _is_there(self, id_: bytes, seq: int) -> bool:
        return id_ in self.lines and has_texts(self.lines[id_]) and self.gone.get(id_, seq) >= seq


class _Seen(NamedTuple):
    """A line with what the log says of it."""

    line: Line
    state: LineState


def against(town: Town, story: Story, texts: Texts, notes: Mapping[bytes, Taken]) -> Iterator[tuple[int, bytes, str]]:
    """The entries (seq and id) of lines which say nothing of what booking made of them, each with a sentence."""
    judge = _Judge(town, story, texts)
    for line in texts.lines.values():
        state, note = story.lines.known.get(line.id), notes.get(line.statement)
        if state is None or note is None or note.content is None or not has_texts(line):
            continue
        look = judge.looks.get(state.became)
        if (
            look is not None
            and (state.became != TRANSIT or note.iban is not None)
            and (why := look(_Seen(line, state)))
        ):
            text = f"the line {line.reference} was booked as {state.became!r} by itself, and {why}"
            yield state.seq, state.id, text


def _texts(line: Line) -> tuple[str, ...]:
    parts = (str(part[name]) for part in line.parts for name in ("text", "end_to_end", "mandate", "name"))
    return (*line.said, *parts)


class _Judge:
    """`looks` says of a line of each kind why it cannot be that; "" where it can."""

    def __init__(self, town: Town, story: Story, texts: Texts) -> None:
        self.town, self.story, self.texts = town, story, texts
        self.network = story.rules.network
        self.items: dict[bytes, list[Item]] = {}
        for file in story.debits.files.values():
            for one in file.items.values():
                for entry in {one.credited_by, one.unpaid_by} - {None}:
                    self.items.setdefault(entry or b"", []).append(one)
        self.looks: dict[str, Callable[[_Seen], str]] = {
            CONVERSION: self.conversion, KNOWN: self.known, TRANSIT: self.transit, RETURN: self.returned,
            PAID: self.payouts, RETURNED: self.payouts, BROUGHT: self.debits, UNPAID: self.debits,
        }  # fmt: skip

    def conversion(self, one: _Seen) -> str:
        """The member whose reference it carries, and no other's, has the units."""
        named = self._named(one)(_texts(one.line))
        if one.state.holder not in named:
            return "it does not carry the reference of the member who has its units"
        return "it carries the references of several members" if len(named) > 1 else ""

    def known(self, one: _Seen) -> str:
        """What was typed has the bank's own reference, and is for nobody else than the line."""
        typed = self.story.typed.known.get(one.state.other)
        if named_in(one.line, self._named(one)) not in (None, one.state.holder):
            return "it carries the reference of another member than the one who has its units"
        if typed is not None and squeezed(typed.reference) != squeezed(one.line.bank_ref):
            return "the bank has another reference for it than was typed"
        return ""

    def transit(self, one: _Seen) -> str:
        """The other side is an account of the reserve."""
        hashed = salted.reserve_iban(self.town.key, one.line.iban) if one.line.iban else ""
        return "" if hashed and hashed in self.story.ibans else "the other side is no account of the reserve"

    def returned(self, one: _Seen) -> str:
        """Two of three are right, and of nothing else as much; see `recalled`."""
        original = self.texts.lines.get(one.state.other)
        if original is None or not has_texts(original):
            return ""
        # Whose the top-up was then: it may have been put back since, and be nobody's.
        this = Candidate(original, one.state.holder)
        if self.texts.right(one.line, this, one.state.beside, one.state.seq) >= SURE:
            return ""
        return "nothing in it says that it takes back the line that it is said to, and no other"

    def payouts(self, one: _Seen) -> str:
        """It names each payout, or a file that orders it."""
        named = written_in(_texts(one.line))
        files = [file for file in self.story.payouts.files.values() if batch_reference(self.network, file.id) in named]
        places = {place for file in files for place in file.places}
        settled = self.story.payouts.settled.get(one.line.id, ())
        alone = [owed for owed in settled if owed.seq not in places]
        is_right = all(payout_reference(self.network, owed.id) in named for owed in alone)
        return "" if is_right else "it does not name the payouts that it is said to be"

    def debits(self, one: _Seen) -> str:
        """It names each debit, its mandate, or the file that it is in."""
        named, mandates = written_in(_texts(one.line)), self.story.debits.mandates
        for item in self.items.get(one.line.id, ()):
            ours = {
                item.reference,
                mandates[item.mandate].reference,
                reference("collections", self.network, item.collection),
            }
            if not ours & named:
                return "it does not name the debits that it is said to be"
        return ""

    def _named(self, one: _Seen) -> Named:
        """Finds members who were there when the line was booked."""
        return self.texts.named(one.state.seq)
