"""Due payouts as one file for the bank (pain.001): ordering it, withdrawing it, fetching it.

The file is made once and its bytes are kept: what people sign is what is fetched. A payout is in one live file at a
time. A file that was fetched may be at the bank, so it is not withdrawn by accident, nor fetched again without a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from ledger.core.model import Note, Posted
from ledger.currency import chartered, salted
from ledger.currency.bank import lead
from ledger.currency.bank.pain import NOT_PROVIDED, OwnAccount, PainError, Transfer, credit_transfers
from ledger.currency.bank.payouts import contents, index, proven
from ledger.currency.bank.payouts.approval import MACHINE, UNKNOWN, Signature, signed, told, who
from ledger.currency.bank.payouts.index import FETCHED, ORDERED, WITHDRAWN, Overtaken
from ledger.currency.bank.payouts.noted import batch_id, fetching_id, noted, withdrawal_id
from ledger.currency.bank.payouts.owed import Due, due
from ledger.currency.bank.payouts.tables import PAYOUT, PAYOUT_BATCH, PAYOUT_ORDER
from ledger.currency.bank.reference import reference, shown
from ledger.currency.bank.target import is_open
from ledger.currency.charter import Agents, ReserveAccount
from ledger.currency.clocked import judged
from ledger.currency.conversion import CONSOLE
from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell
from ledger.currency.town import Town

MAX_PAYOUTS = 1_000
"""Of one file; what is more waits for the next."""
MAX_PACKED = 7_000
"""Characters of the places of its payouts, which have to fit into the note of the log."""
MAX_DAYS = 60
_TRIES = 5
_BATCH = PAYOUT_BATCH.c
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Batch(NamedTuple):
    """A file of payouts as the log has it, without its bytes.

    `open` counts its payouts that are neither paid nor undone, `signed` the different people who have signed it, of the
    `people` who have to: two as soon as whoever signed let too much leave alone (`alone`).
    """

    id: bytes
    seq: int
    number: int
    reserve: int
    message: str
    reference: str
    requested_on: date
    total: int
    transfers: int
    people: int
    sha256: bytes
    made_at: int
    made_by: str
    fetched_at: int | None
    fetched_by: str | None
    withdrawn_at: int | None
    withdrawn_by: str | None
    open: int
    signatures: tuple[Signature, ...]
    signed: int

    @property
    def state(self) -> str:
        """withdrawn, settled (all is paid or undone), fetched, signed (by enough people) or ordered."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        if not self.open:
            return "settled"
        if self.fetched_at is not None:
            return "fetched"
        return "signed" if self.signed >= self.people else "ordered"


def batch_reference(network: bytes, id_: bytes) -> str:
    """What finds a file in the bank's texts; a part of its message id."""
    return reference("payouts", network, id_)


def every(town: Town, *, open_only: bool = False) -> list[Batch]:
    """The files, the latest first; `open_only`: those that are neither withdrawn nor settled."""
    found = _batches(town)
    return [batch for batch in found if batch.state not in ("withdrawn", "settled")] if open_only else found


def find(town: Town, text: str) -> Batch:
    """The file with that number, id (hex) or message id. Raises `CurrencyError`: not_found."""
    text = text.strip()
    where = _BATCH.message == text
    if text.isascii() and text.isdecimal() and len(text) < 10:
        where = _BATCH.id == batch_id(town.charter.network, int(text))
    elif len(text) == 32:
        try:
            where = _BATCH.id == bytes.fromhex(text)
        except ValueError:
            pass
    found = _batches(town, where)
    if not found:
        raise CurrencyError("not_found", tell("no file of payouts has this number; `patard payouts list` shows them"))
    return found[0]


def _batches(town: Town, *where: ColumnElement[bool]) -> list[Batch]:
    """The files, the latest first. A row that the log has no file for is none."""
    left = (
        select(PAYOUT.c.batch, func.count())
        .where(PAYOUT.c.batch.is_not(None), PAYOUT.c.paid_by.is_(None), PAYOUT.c.undone_by.is_(None))
        .group_by(PAYOUT.c.batch)
    )
    with town.reading() as connection:
        ids = [bytes(id_) for id_ in connection.scalars(select(_BATCH.id).where(*where))]
        files = sorted(noted(connection, ids).values(), key=lambda file: -file.number)
        people = signed(town, connection, files, town.now())
        open_: dict[bytes | None, int] = dict(connection.execute(left).all())
    return [
        Batch(
            one.id, one.seq, one.number, one.reserve, one.message, batch_reference(town.charter.network, one.id),
            one.requested_on, one.total, one.transfers, people[one.id].need.people, one.sha256,
            one.ordered.at, one.ordered.by,
            one.fetched and one.fetched.at, one.fetched and one.fetched.by,
            one.withdrawn and one.withdrawn.at, one.withdrawn and one.withdrawn.by,
            open=open_.get(one.id, 0), signatures=people[one.id].signatures, signed=people[one.id].people,
        )
        for one in files
    ]  # fmt: skip


def content(town: Town, batch: Batch) -> bytes:
    """The bytes of a file for whoever is about to sign it: nothing left with that. Raises `CurrencyError`:
    payouts_withdrawn, payouts_changed.
    """
    with town.reading() as connection:
        file = noted(connection, [batch.id])[batch.id]
        if file.withdrawn is not None:
            raise CurrencyError("payouts_withdrawn", tell("this file was withdrawn; there is nothing to sign"))
        return contents.shown(connection, file)


def order(town: Town, *, by: str = CONSOLE, on: date | None = None) -> Batch:
    """Make one file of all due payouts whose shops said where they are paid, to be executed on that day.

    Without one it is the first on which the bank can (`lead`).

    Raises `CurrencyError`: payout_unavailable, payouts_date, payouts_none, payout_changed, charter_changed, busy.
    """
    bank = town.charter.payout_account
    if bank is None or bank.iban is None:
        raise CurrencyError("payout_unavailable", tell(
            "give the reserve's bank account its iban in the charter: shops are paid from it"
        ))  # fmt: skip
    first, last = lead.payouts_from(town), town.charter.local_date(town.now()) + timedelta(days=MAX_DAYS)
    requested_on = on or first
    if not first <= requested_on <= last or not is_open(requested_on):
        raise CurrencyError(
            "payouts_date",
            tell("on {day} the bank does not pay it: choose a day from {first} to {last} on which banks work",
                 day=requested_on, first=first, last=last),
        )  # fmt: skip
    changed: CurrencyError | None = None
    for _ in range(_TRIES):
        ready = [one for one in due(town) if one.iban and not one.batch][:MAX_PAYOUTS]
        while len(index.packed(one.payout.seq for one in ready) if ready else "") > MAX_PACKED:
            ready = ready[: len(ready) * 3 // 4]
        if not ready:
            raise CurrencyError(
                "payouts_none",
                tell("nothing to pay: no reconversion is accepted and unpaid, or its shop has not said its IBAN yet "
                     "(`patard party iban`), or it is in a file already"),
            )  # fmt: skip
        try:
            return _order(town, bank, ready, requested_on, by)
        except Overtaken:
            continue
        except CurrencyError as error:
            # What is not as the log has it may have changed since it was read: then it is as the log has it now.
            if error.code == "payout_changed":
                changed = error
            elif error.code != "id_taken":
                raise
    raise changed or CurrencyError("busy", tell("somebody else orders payouts right now; look at the list again"))


def _order(town: Town, bank: ReserveAccount, ready: Sequence[Due], on: date, by: str) -> Batch:
    charter = town.charter
    with town.reading() as connection:
        proven.require_due(town, connection, ready)
        number = int(connection.execute(select(func.max(_BATCH.number))).scalar() or 0) + 1
    id_ = batch_id(charter.network, number)
    found = batch_reference(charter.network, id_)
    message = f"{charter.code}-P{number}-{found}"
    by_bic = charter.bank.agents is Agents.BIC
    transfers = [
        Transfer(one.payout.reference, one.payout.amount, one.to, one.iban,
                 f"{charter.code} {shown(one.payout.reference)}", None if by_bic else NOT_PROVIDED)
        for one in ready
    ]  # fmt: skip
    now = town.now()
    debtor = OwnAccount(bank.holder or charter.name, bank.iban or "", bank.bic if by_bic else None)
    try:
        file = credit_transfers(message, _EPOCH + timedelta(microseconds=now), on, debtor, transfers)
    except PainError as error:
        raise CurrencyError(
            "payout_unavailable", tell("no bank would take this file: {error}", error=error.told)
        ) from error
    total = sum(transfer.amount for transfer in transfers)
    people = chartered.rules_of(town).signers(total)
    digest, salt = sha256(file).digest(), town.book.entropy(salted.SALT_BYTES)
    texts = (text for one in transfers for text in (one.end_to_end, one.name, one.iban))
    evidence: dict[str, str | int] = {
        "number": number, "reserve": f"{town.chart.reserve[bank.name]:016x}", "message": message,
        "sha256": digest.hex(), "total": total, "count": len(ready), "people": people,
        "requested_on": on.isoformat(), "payouts": index.packed(one.payout.seq for one in ready), "by": by,
        "to": salted.salted(salted.ORDERS, salt, texts),
    }  # fmt: skip

    def also(connection: Connection, posted: Posted) -> None:
        if posted.replay:
            raise Overtaken
        connection.execute(
            insert(PAYOUT_BATCH).values(
                id=id_, seq=posted.seq, number=number, reserve=town.chart.reserve[bank.name], message=message,
                reference=found, requested_on=on.isoformat(), total=total, transfers=len(ready), people=people,
                sha256=digest, file=file, made_at=posted.at, made_by=by,
            )
        )  # fmt: skip
        index.ordered(connection, [one.payout.seq for one in ready], id_)
        rows = [
            {"batch": id_, "reconversion": one.payout.reconversion, "name": one.to, "iban": one.iban} for one in ready
        ]
        connection.execute(insert(PAYOUT_ORDER), rows)
        salted.keep(connection, id_, salt)

    town.post(Note(id_, ORDERED, evidence), also)
    return find(town, str(number))


def withdraw(town: Town, batch: Batch, *, by: str = CONSOLE, fetched_too: bool = False) -> None:
    """Give a file up: what it did not pay may go into another. Withdrawing twice changes nothing.

    `fetched_too`: also when it was fetched, because the bank refused it or never got it. Should the bank execute it
    all the same, each line is still found, and what is paid twice shows. Raises `CurrencyError`: payouts_fetched,
    payouts_settled.
    """
    if batch.withdrawn_at is not None:
        return
    if not batch.open:
        raise CurrencyError(
            "payouts_settled", tell("the bank settled this file; there is nothing left of it to withdraw")
        )

    def also(connection: Connection, posted: Posted) -> None:
        if posted.replay:
            return
        if noted(connection, [batch.id])[batch.id].fetched is not None and not fetched_too:
            raise CurrencyError(
                "payouts_fetched",
                tell("the file was fetched and may be at the bank: once the bank has refused it, or if it was never "
                     "sent, withdraw it with --refused"),
            )  # fmt: skip
        done = update(PAYOUT_BATCH).where(_BATCH.id == batch.id)
        connection.execute(done.values(withdrawn_at=posted.at, withdrawn_by=by))
        index.withdrawn(connection, batch.id)

    try:
        town.post(Note(withdrawal_id(batch.id), WITHDRAWN, {"batch": batch.id.hex(), "by": by}), also)
    except CurrencyError as error:
        if error.code != "id_taken":  # withdrawn by somebody else meanwhile
            raise


def fetch(town: Town, batch: Batch, *, by: str = CONSOLE, again: bool = False) -> bytes:
    """The file, to be sent to the bank; the log notes that it left. `again`: although it was fetched before.

    Raises `CurrencyError`: payouts_withdrawn, payouts_unsigned, payouts_signer_revoked, payouts_fetched,
    payouts_overtaken, payouts_changed, payout_changed.
    """
    with town.reading() as connection:
        file = noted(connection, [batch.id])[batch.id]
        data = contents.content(connection, file)
        if file.fetched is None:
            proven.require_file(town, connection, file, contents.read(data))

    def check(connection: Connection, at: int, but: int | None = None) -> bool:
        """Whether this is the first time. Raises `CurrencyError` unless it may be fetched at that moment (us)."""
        file = noted(connection, [batch.id], but=but)[batch.id]
        if file.withdrawn is not None:
            raise CurrencyError("payouts_withdrawn", tell("this file was withdrawn; order the payouts anew"))
        # Whoever signed lets it leave now: that it left before, with keys that were revoked since, is not enough.
        made = signed(town, connection, [file._replace(fetched=None)], at)[file.id]
        if made.people < made.need.people and file.fetched is not None and again:
            raise CurrencyError(
                "payouts_signer_revoked",
                tell("keys that signed this file were revoked since it was fetched, so it is not given again; if the "
                     "bank never had it, withdraw it with --refused and order anew"),
            )  # fmt: skip
        if made.people < made.need.people and file.fetched is None:
            raise CurrencyError(
                "payouts_unsigned",
                tell("people who have to sign this file: {needed}; who have: {people}. {why}`wallet payouts --sign "
                     "{number}`, each with a treasurer's wallet",
                     needed=made.need.people, people=made.people, why=told(town, made.need), number=file.number),
            )  # fmt: skip
        if file.fetched is not None and not again:
            day = town.charter.local_date(file.fetched.at)
            somebody = who(connection, file.fetched.by)
            raise CurrencyError(
                "payouts_fetched",
                tell("it was fetched on {day} by {who}: send it to the bank only once. To have the file again all the "
                     "same: --again", day=day, who=tell(somebody) if somebody in (MACHINE, UNKNOWN) else somebody),
            )  # fmt: skip
        if file.fetched is None:
            proven.require_open(town, connection, file)
        return file.fetched is None

    def also(connection: Connection, posted: Posted) -> None:
        if check(connection, judged(town, posted), None if posted.replay else posted.seq):
            values = {"fetched_at": posted.at, "fetched_by": by}
            connection.execute(update(PAYOUT_BATCH).where(_BATCH.id == batch.id).values(values))

    first = fetching_id(batch.id)
    # The first has an id of its own; each time after that is noted as well.
    id_ = town.new_id() if again and town.book.find(first) is not None else first
    try:
        town.post(Note(id_, FETCHED, {"batch": batch.id.hex(), "by": by}), also)
    except CurrencyError as error:
        if error.code == "id_taken":  # somebody else was first
            with town.reading() as connection:
                check(connection, town.now())
        raise
    return data
