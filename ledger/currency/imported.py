"""What an import leaves in the log, and covering what an imported currency had out.

The history of another system comes in as it was: its issuers' accounts go below zero by what they issued. Those
units are out without a euro that this ledger knows of, and the reserve report says so, until the association books
the euros that it holds: one `opening` transaction puts them on a reserve account and moves as much of the issuers'
debt to circulation, where the engine's rule holds from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import Connection

from ledger.core.ids import derived_id
from ledger.core.model import Instruction, Note, Posted, Transaction, Transfer
from ledger.currency import acts
from ledger.currency import reserve as reserve_report
from ledger.currency.bank import typed
from ledger.currency.bank.standing import begun, first_standing
from ledger.currency.chart import EUR, own_number
from ledger.currency.conversion import CONSOLE, plain_reference
from ledger.currency.errors import CurrencyError
from ledger.currency.money import MAX_CENTS
from ledger.currency.told import tell
from ledger.currency.town import Town

IMPORT = "import"
"""Kind of an imported transfer. Its own kind and time stand in its evidence."""
OPENING = "opening"
"""Kind of the transaction that books the euros behind imported units."""
ANNOUNCED = "import_lines"
"""Kind of the note that announces imported entries: how many follow it, and what they are. The machine signs it."""
MAX_TRANSFERS = 200


def import_id(network: bytes, file_id: str) -> bytes:
    """Id of the transfer that the imported system calls `file_id`: importing it twice changes nothing."""
    return derived_id("patard/import", network, file_id)


def holder_id(network: bytes, name: str) -> bytes:
    """Id of the party, and of its account's opening, that an import makes for `name`."""
    return derived_id("patard/import/party", network, name)


def issuer_number(network: bytes, name: str) -> int:
    """Number of the issuer's account `name`."""
    return own_number(network, f"issuer/{name}")


def opening_id(network: bytes, reserve: str, reference: str) -> bytes:
    """Id of the one opening that this statement of that reserve account can have."""
    return derived_id("patard/opening", network, reserve, reference)


def announcement(network: bytes, entries: Sequence[Instruction]) -> Note:
    """The note that goes before these entries in their commit. One signature is for all of them."""
    hashed = sha256()
    for one in entries:
        hashed.update(acts.content(one))
    evidence: dict[str, str | int] = {"by": CONSOLE, "count": len(entries), "digest": hashed.hexdigest()}
    return Note(announcement_id(network, hashed.digest()), ANNOUNCED, evidence)


def announcement_id(network: bytes, digest: bytes) -> bytes:
    """Id of the one note that announces the entries of that hash."""
    return derived_id("patard/import-lines", network, digest)


def open_reserve(town: Town, reserve: str, amount: int, reference: str, *, by: str = CONSOLE) -> Posted:
    """Book `amount` cents of euros that lie on the reserve account, and cover imported units with them.

    `reference` names the bank statement or the count of the cash box that says so. The same again is answered again.
    Raises `CurrencyError`: amount_malformed, reserve_account_unknown, reference_malformed, opening_taken, and
    opening_banked for an account that has statements.
    """
    chart, unit = town.chart, town.charter.code
    if type(amount) is not int or not 0 < amount <= MAX_CENTS:
        raise CurrencyError("amount_malformed", tell("the euros of the reserve are a whole number of cents, 1 or more"))
    if reserve not in chart.reserve:
        names = tuple(map(repr, chart.reserve))
        raise CurrencyError("reserve_account_unknown", tell("no reserve account {reserve!r}; the charter has {names}",
                                                            reserve=reserve, names=names))  # fmt: skip
    reference = plain_reference(reference)
    id_ = opening_id(town.charter.network, reserve, reference)
    euros = Transfer(chart.reserve[reserve], chart.guarantee, amount, EUR)
    if (stood := town.book.find(id_)) is not None:
        # What it covered depended on that day, so only the euros are compared.
        if isinstance(stood.instruction, Transaction) and stood.instruction.transfers[0] == euros:
            return Posted(id_, stood.seq, stood.at, replay=True)
        raise CurrencyError("opening_taken", tell("{reference} on {reserve!r} was booked before with another amount",
                                                  reference=reference, reserve=reserve))  # fmt: skip
    transfers, left = [euros], amount
    for issuer in reserve_report.issuers(town)[:MAX_TRANSFERS]:
        part = min(left, max(0, -town.book.balance(issuer)))
        if part:
            transfers.append(Transfer(chart.circulation, issuer, part, unit))
            left -= part
    evidence = {"by": by, "reference": reference, "reserve": f"{chart.reserve[reserve]:016x}"}

    def also(connection: Connection, posted: Posted) -> None:
        # In the commit, when no statement can be taken: where there is one, its euros come by a line.
        # So it is on an account without one as soon as another has some: nobody would ever see these euros.
        if posted.replay or chart.reserve[reserve] not in typed.banks(town) or not begun(connection):
            return
        if first_standing(connection, chart.reserve[reserve]) is None:
            raise CurrencyError(
                "opening_banked",
                tell(
                    "statements were taken, and none of {reserve!r} stands: its euros come by its first one "
                    "(`patard bank import --opening`), whose line is placed as cover",
                    reserve=reserve,
                ),
            )
        raise CurrencyError(
            "opening_banked",
            tell(
                "{reserve!r} has statements, and its euros come by them: place the line that brought these "
                "as cover (`patard bank suspense list`)",
                reserve=reserve,
            ),
        )

    return town.post(Transaction(id_, OPENING, tuple(transfers), evidence=evidence), also)
