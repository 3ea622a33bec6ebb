"""A payout that does not reach its shop: the reconversion is undone, the fee too, and the shop has its units again.

Once its file was fetched, it may be at the bank, and a shop that has its units again is paid all the same. So this
takes as many people as let that file leave. The bank's answer (pain.002) is a file that somebody hands in: it is that
person's word. Until the second word the payout stays owed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, select

from ledger.core.ids import derived_id
from ledger.core.model import Note, Posted, Transaction, Transfer
from ledger.currency import logged, parties
from ledger.currency.bank.payouts import index
from ledger.currency.bank.payouts.approval import let_by, who
from ledger.currency.bank.payouts.noted import Noted, noted
from ledger.currency.bank.payouts.owed import Payout, payouts
from ledger.currency.bank.payouts.tables import PAYOUT, PAYOUT_BATCH, PAYOUT_ORDER
from ledger.currency.bank.reference import shown
from ledger.currency.chart import EUR
from ledger.currency.conversion import CONSOLE
from ledger.currency.errors import CurrencyError
from ledger.currency.persons import held
from ledger.currency.tables import DEVICE_KEY
from ledger.currency.told import tell
from ledger.currency.town import Town
from ledger.currency.vouching import Held, People

_REASON = re.compile(r"[A-Z0-9]{4}\Z")
_EVER = 2**63
"""After every entry of the log."""


def rejection_id(reconversion: bytes) -> bytes:
    """Id of the one entry that can undo a payout which never left."""
    return derived_id("patard/payout-rejected", reconversion)


def word_id(reconversion: bytes, batch: bytes, by: str) -> bytes:
    """Id of the note that `by` says that the bank will not execute this payout of this file."""
    return derived_id("patard/payout-rejecting", reconversion, batch, by)


def is_word(posted: Posted, payout: Payout) -> bool:
    """Whether `reject` only noted what somebody says, and another has to say so too."""
    return posted.id != rejection_id(payout.reconversion)


def enough(words: Collection[str], keys: Mapping[bytes, Held]) -> bool:
    """Whether two people say so: keys (hex) as under a file of payouts, and whoever is at the machine ("console").

    `keys` are all on whose word these are somebody's; one that ended does not count.
    """
    raws = [bytes.fromhex(one) for one in words if one != CONSOLE]
    live = [raw for raw in raws if raw in keys and keys[raw].until is None]
    return People(keys, _EVER).count(live, 2) + (CONSOLE in words) > 1


def spoken(by: str, *, report: bool) -> set[str]:
    """Whose word it is where `by` says so. The bank's answer that is handed in at the machine is nobody's."""
    return set() if report and by == CONSOLE else {by}


def said(connection: Connection, files: Mapping[bytes, bytes]) -> dict[bytes, list[str]]:
    """Who said that the bank will not execute these payouts of these files, in the order in which they did; by their
    reconversions, as are the files.

    Keys (hex) and "console". The table says whose words to look for in the log.
    """
    office = connection.scalars(select(DEVICE_KEY.c.key).where(DEVICE_KEY.c.role.in_(sorted(parties.OFFICE))))
    all_ = [CONSOLE, *(key.hex() for key in office)]
    ids = {word_id(one, file, by): (one, by) for one, file in files.items() for by in all_}
    found: dict[bytes, list[str]] = {one: [] for one in files}
    for record in sorted(logged.by_ids(connection, ids).values(), key=lambda record: record.seq):
        if logged.note(record, index.REJECTING) is not None:
            payout, by = ids[record.instruction.id]
            found[payout].append(by)
    return found


def rejected_by(connection: Connection, meant: Collection[Payout]) -> dict[bytes, list[str]]:
    """Who said so of payouts that are due, for people, by their reconversions: as long as another has to say so too."""
    last = {one: files[-1].id for one, files in _left(connection, meant).items()}
    return {one: [who(connection, by) for by in words] for one, words in said(connection, last).items()}


def undoing(town: Town, gone: Sequence[Payout], euros_on: int | None = None) -> tuple[Transfer, ...]:
    """What undoes these reconversions. `euros_on` is the account on which their euros came back, where they had left.

    The guarantee grows by payout and fee, which is what the units are that come into circulation again.
    """
    chart, unit = town.chart, town.charter.code
    total, fees = sum(one.amount for one in gone), sum(one.fee for one in gone)
    transfers = [] if euros_on is None else [Transfer(euros_on, chart.payouts, total, EUR)]
    transfers.append(Transfer(chart.payouts, chart.guarantee, total, EUR))
    if fees:
        transfers.append(Transfer(chart.income, chart.guarantee, fees, EUR))
    transfers += [Transfer(chart.circulation, one.holder, one.units, unit) for one in gone]
    return tuple(transfers)


def reject(town: Town, payout: Payout, *, reason: str = "", by: str = CONSOLE, report: bool = False) -> Posted:
    """Undo a payout that the bank will not execute, or that nobody ordered. Rejecting twice changes nothing.

    `reason` is the bank's code (AC04); `report` says that its own answer tells so, which whoever imports may pass on;
    else a treasurer decides. Where two people let its file leave, the first word is only noted (`is_word`). Raises
    `CurrencyError`: reason_malformed, payout_paid, payout_ordered, account_closed, busy; and payout_rejection_waits
    where the bank's answer is handed in at the machine, which is nobody's word.
    """
    reason = reason.strip().upper()
    if reason and not _REASON.match(reason):
        raise CurrencyError("reason_malformed", tell("{reason!r} is no code such as AC04", reason=reason[:20]))
    evidence: dict[str, str | int] = {
        "payout": payout.reconversion.hex(), "holder": f"{payout.holder:016x}", "by": by,
    }  # fmt: skip
    if reason:
        evidence["reason"] = reason
    if report:
        evidence["report"] = 1
    with town.reading() as connection:
        file = _waits(connection, town, payout, by, report)
    if file is not None:
        try:
            return _say(town, payout, file, evidence, report)
        except index.Overtaken:
            return reject(town, payout, reason=reason, by=by, report=report)  # by what is true now
    transaction = Transaction(
        rejection_id(payout.reconversion), index.REJECTED, undoing(town, [payout]),
        evidence=evidence,
    )  # fmt: skip

    def also(connection: Connection, posted: Posted) -> None:
        if not posted.replay:
            _check(connection, town, payout)
            if _waits(connection, town, payout, by, report) is not None:  # it was fetched in between, say
                raise index.Overtaken
            index.undone(connection, [payout.seq], posted.id, were_paid=False)

    try:
        return town.post(transaction, also)
    except index.Overtaken:
        raise CurrencyError("busy", tell("somebody else settles this payout right now; look at it again")) from None
    except CurrencyError as error:
        stood = town.book.find(transaction.id) if error.code == "id_taken" else None
        if stood is not None:  # by somebody else, or for another reason
            return Posted(transaction.id, stood.seq, stood.at, replay=True)
        if error.code in ("below_floor", "account_closed"):
            # Paid already, or the shop left: say so rather than what the engine saw.
            with town.reading() as connection:
                _check(connection, town, payout)
        if error.code == "account_closed":
            raise _has_left() from error
        raise


def _say(town: Town, payout: Payout, file: Noted, evidence: dict[str, str | int], report: bool) -> Posted:
    """Note that somebody says so, to whom another has to agree. Raises `Overtaken` where it waits for that no more."""
    by, id_ = str(evidence["by"]), word_id(payout.reconversion, file.id, str(evidence["by"]))
    if not spoken(by, report=report):
        with town.reading() as connection:
            _check(connection, town, payout)
        raise CurrencyError("payout_rejection_waits", waiting(payout, file.number))
    if parties.by_account(town, payout.holder).closed_at is not None:
        raise _has_left()
    if (stood := town.book.find(id_)) is not None:
        return Posted(id_, stood.seq, stood.at, replay=True)
    del evidence["holder"]

    def also(connection: Connection, posted: Posted) -> None:
        still = _waits(connection, town, payout, by, report)
        if still is None or still.id != file.id:  # another said so at the same moment, or it left in another file
            raise index.Overtaken
        _check(connection, town, payout)

    return town.post(Note(id_, index.REJECTING, {**evidence, "batch": file.id.hex()}), also)


def _has_left() -> CurrencyError:
    return CurrencyError("account_closed", tell(
        "the shop has left and can have no units: it stays owed; find its new IBAN, set it with `patard party "
        "iban` and order the payout again"
    ))  # fmt: skip


def waiting(payout: Payout, number: int) -> str:
    """What is missing where one person said so of a payout in that file."""
    return tell(
        "two people let file {number} leave, so two say that the bank will not execute {reference}: at the machine, "
        "`patard payouts reject {reference}`, and a treasurer with `wallet payouts --reject {reference}`, or two "
        "treasurers. Until then it is owed, and the shop has no units for it; or, once the bank has settled all else "
        "of the file, `patard payouts withdraw {number} --refused` and order it anew",
        number=number, reference=shown(payout.reference),
    )  # fmt: skip


def _waits(connection: Connection, town: Town, payout: Payout, by: str, report: bool) -> Noted | None:
    """The file for which another person has to say what `by` says; None where `by` is enough, or it was undone."""
    left = _left(connection, [payout]).get(payout.reconversion, [])
    if not any(let_by(town, connection, file) > 1 for file in left) or town.book.find(
        rejection_id(payout.reconversion)
    ):
        return None
    # What was said of a file before it left again in another is no word on that one.
    last = left[-1]
    words = {*said(connection, {payout.reconversion: last.id})[payout.reconversion], *spoken(by, report=report)}
    keys = held(town, connection, [bytes.fromhex(one) for one in words if one != CONSOLE])
    return None if enough(words, keys) else last


def _left(connection: Connection, meant: Collection[Payout]) -> dict[bytes, list[Noted]]:
    """The files that left with these payouts, in the order in which they did, by the reconversions."""
    places = {one.reconversion: one.seq for one in meant}
    query = select(PAYOUT_ORDER.c.reconversion, PAYOUT_ORDER.c.batch)
    rows = connection.execute(query.where(PAYOUT_ORDER.c.reconversion.in_(sorted(places)))).all()
    files, found = noted(connection, {bytes(row.batch) for row in rows}), dict[bytes, list[tuple[int, Noted]]]()
    for row in rows:
        file = files.get(row.batch)
        if file is not None and file.fetched and places[row.reconversion] in file.places:
            found.setdefault(row.reconversion, []).append((file.fetched.seq, file))
    return {one: [file for _seq, file in sorted(left)] for one, left in found.items()}


def _check(connection: Connection, town: Town, payout: Payout) -> None:
    """Raise `CurrencyError` unless the payout is due, and not in a file that somebody could still fetch."""
    now = payouts(connection, PAYOUT.c.reconversion == payout.reconversion)[0]
    if now.undone_by is not None:
        raise CurrencyError("payout_paid", tell("this payout was paid and came back: its shop has the units again"))
    if now.paid_by is not None:
        entry = town.book.find(now.paid_by)
        day = entry and entry.instruction.booked_on
        raise CurrencyError("payout_paid", tell(
            "the bank paid it on {day}: if it comes back, the statement that shows it undoes it", day=day
        ))  # fmt: skip
    if now.batch is not None:
        query = select(PAYOUT_BATCH.c.number, PAYOUT_BATCH.c.fetched_at).where(PAYOUT_BATCH.c.id == now.batch)
        batch = connection.execute(query).one()
        if batch.fetched_at is None:
            raise CurrencyError("payout_ordered", tell(
                "it is in file {number}, which would pay it: withdraw that file first, `patard payouts withdraw "
                "{number}`", number=batch.number,
            ))  # fmt: skip
