"""The outbox: every signed order is on the disk before it is sent, and stays there until its fate is known.

    outbox/ID.json   sent, or about to be, and its fate not known, or not yet told to the user
    done/ID.json     in the log, with its receipt
    failed/ID.json   refused for good, or expired without having been booked

`settle` sends the very same bytes again: the server answers an order that stands in its log as it did the first time,
so whatever happened before (a lost answer, a crash, `kill -9`), the money moves once or not at all. An order can only
be refused *for good* when no earlier copy of it may still be on its way; else it is kept until its last moment has
passed, without being sent again, and asked after then.

Nothing here needs the key: an order carries its own signature.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.currency.messages import MessageError, Order, SignedOrder, SignedReceipt, SignedRequest
from wallet_cli import files
from wallet_cli.errors import Exit, WalletError
from wallet_cli.home import Home, Settings
from wallet_cli.words import _

if TYPE_CHECKING:
    from api.client import Client

GRACE_SECONDS = 60
"""How long after its last moment an order is asked after, for clocks that differ."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An order as it is kept. `name` is the payee's at the time; `label` what the request said.

    `sent` is false while it certainly never left; `refused` holds the code of a refusal that may not be the end.
    """

    signed: SignedOrder
    request: str | None
    name: str
    label: str
    made_at: datetime
    sent: bool = True
    refused: str | None = None
    receipt: str | None = None
    settled_at: datetime | None = None

    @property
    def id(self) -> str:
        return self.signed.order.id.hex()

    def is_like(self, its: Order) -> bool:
        """Whether both would move the same money for the same reason."""
        mine = self.signed.order
        return (mine.purpose, mine.payer, mine.payee, mine.amount, mine.reference) == (
            its.purpose,
            its.payer,
            its.payee,
            its.amount,
            its.reference,
        )

    def data(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "v": 1,
            "order": self.signed.text,
            "request": self.request,
            "name": self.name,
            "label": self.label,
            "made_at": self.made_at.isoformat(),
            "sent": self.sent,
            "refused": self.refused,
            "receipt": self.receipt,
            "settled_at": self.settled_at.isoformat() if self.settled_at else None,
        }

    @classmethod
    def read(cls, data: Any) -> Kept:
        """From JSON. Raises `ValueError`, `KeyError` or `TypeError`."""
        if data["v"] != 1:
            raise ValueError("another version")
        for name in ("request", "refused", "receipt"):
            if not isinstance(data[name], str | None):
                raise TypeError(name)
        settled = data["settled_at"]
        return cls(
            SignedOrder.parse(data["order"]),
            data["request"],
            str(data["name"]),
            str(data["label"]),
            datetime.fromisoformat(data["made_at"]),
            data["sent"] is True,
            data["refused"],
            data["receipt"],
            datetime.fromisoformat(settled) if settled else None,
        )


class Fate(StrEnum):
    """What became of an order."""

    POSTED = "posted"
    EXPIRED = "expired"
    REFUSED = "refused"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Settled:
    """The fate of one order; `code` and `detail` say why it was refused, is still open, or could not be noted."""

    kept: Kept
    fate: Fate
    code: str = ""
    detail: str = ""


# --- what is on the disk ---------------------------------------------------------------------------------


def pending(home: Home) -> list[Kept]:
    """The orders whose fate is not known, oldest first."""
    return [kept for kept in _kept(home) if done(home, kept.id) is None]


def is_empty(home: Home) -> bool:
    """Whether every order was settled, and its fate told."""
    return not any(home.outbox.glob("*.json"))


def forget(home: Home, ids: Iterable[str]) -> None:
    """Take orders out of the outbox once the user was told that they are in the log.

    Not before: whoever saw no answer tries again, and must then learn that it was paid, not pay again.
    """
    for id in ids:
        files.remove(home.outbox / f"{id}.json")


def _kept(home: Home) -> list[Kept]:
    return sorted(_all(home.outbox), key=lambda kept: kept.made_at)


def done(home: Home, id: str) -> Kept | None:
    """The order with that id that is in the log, if this wallet made it."""
    return _read(home.done / f"{id}.json")


def all_done(home: Home) -> list[Kept]:
    """Every order of this wallet that is in the log, newest first."""
    return sorted(_all(home.done), key=lambda kept: kept.settled_at or kept.made_at, reverse=True)


def all_failed(home: Home) -> list[Kept]:
    """Every order of this wallet that came to nothing, newest first."""
    return sorted(_all(home.failed), key=lambda kept: kept.made_at, reverse=True)


def settled_since(home: Home, moment: float) -> Iterator[Kept]:
    """The orders that were found to be in the log after `moment` (seconds since the epoch), by any command."""
    for path in home.done.glob("*.json"):
        try:
            is_new = path.stat().st_mtime >= moment
        except OSError:
            continue
        if is_new and (kept := _read(path)) is not None:
            yield kept


def keep(home: Home, kept: Kept) -> None:
    """Put an order on the disk. Returns once it would survive a power cut. The caller holds the lock."""
    files.write_json(home.outbox / f"{kept.id}.json", kept.data())


def _note_done(home: Home, kept: Kept) -> None:
    files.write_json(home.done / f"{kept.id}.json", kept.data())


def _note_failed(home: Home, kept: Kept) -> None:
    """Killed between the two steps, it is in both places, and is settled again."""
    files.write_json(home.failed / f"{kept.id}.json", kept.data())
    files.remove(home.outbox / f"{kept.id}.json")


def _all(folder: Path) -> Iterator[Kept]:
    try:
        paths = sorted(folder.glob("*.json"))
    except OSError as error:
        raise files.unusable(folder, error) from error
    for path in paths:
        if (kept := _read(path)) is not None:
            yield kept


def _read(path: Path) -> Kept | None:
    data = files.read_json(path)
    if data is None:
        return None
    try:
        kept = Kept.read(data)
    except (ValueError, KeyError, TypeError) as error:
        raise files.damaged(path) from error
    if f"{kept.id}.json" != path.name:
        raise files.damaged(path)
    return kept


def sweep(home: Home) -> None:
    """Remove what killed commands left half written. The caller holds the lock."""
    for folder in (home.outbox, home.done, home.failed):
        for path in folder.glob(".*.tmp"):
            path.unlink(missing_ok=True)


# --- sending ---------------------------------------------------------------------------------------------


def send(home: Home, settings: Settings, client: Client, kept: Kept, *, first: bool) -> Settled:
    """Send an order that is on the disk, and write down what became of it. The caller holds the lock.

    `first`: it was never sent before. Raises nothing for a server that does not answer: that is `Fate.OPEN`.
    """
    from api.client import ApiError, ServerUnreachable

    unsure = not first and kept.sent
    if not first and not kept.sent:
        kept = replace(kept, sent=True)
        keep(home, kept)
    try:
        taken = client.send_order_text(kept.signed.order.purpose, kept.signed.text, kept.request)
    except ServerUnreachable as error:
        if not unsure and not error.maybe_sent:
            kept = replace(kept, sent=False)
            keep(home, kept)
        return Settled(kept, Fate.OPEN, "server_unreachable", error.detail)
    except ApiError as error:
        if not error.is_final:
            return Settled(kept, Fate.OPEN, error.code, error.detail)
        return _refused(home, client, kept, error.code, error.detail, unsure or error.unanswered_before)
    problem = receipt_problem(settings, kept.signed, taken.receipt)
    if problem:
        # A server that does not sign what it says has said nothing: the order stays open.
        return Settled(kept, Fate.OPEN, "receipt_invalid", problem)
    kept = replace(kept, receipt=taken.receipt, refused=None, settled_at=datetime.now(UTC))
    try:
        _note_done(home, kept)
    except WalletError as error:
        # A full disk does not unmake a payment. The order stays in the outbox, and is asked after again.
        return Settled(kept, Fate.POSTED, error.code, error.message)
    return Settled(kept, Fate.POSTED)


def settle(home: Home, settings: Settings, client: Client) -> list[Settled]:
    """Find out what became of every order in the outbox. The caller holds the lock, tells the user, and `forget`s.

    Stops at the first that gets no answer: the rest would get none either.
    """
    sweep(home)
    found = []
    for kept in _kept(home):
        if (before := done(home, kept.id)) is not None:  # a command that was killed could not say so
            found.append(Settled(before, Fate.POSTED))
            continue
        if kept.refused is not None and not _is_over(client, kept):
            continue
        settled = send(home, settings, client, kept, first=False)
        found.append(settled)
        if settled.code == "server_unreachable":
            break
    return found


def _refused(home: Home, client: Client, kept: Kept, code: str, detail: str, unsure: bool) -> Settled:
    # These two are final whatever else is on its way: another transaction has the id, or the time is over.
    if code == "order_expired":
        _note_failed(home, replace(kept, refused=kept.refused or code, settled_at=datetime.now(UTC)))
        return Settled(kept, Fate.EXPIRED, code, detail)
    kept = replace(kept, refused=code)
    if unsure and code != "id_taken" and client.server_time() <= kept.signed.order.expires_at + GRACE_SECONDS:
        keep(home, kept)
    else:
        _note_failed(home, replace(kept, settled_at=datetime.now(UTC)))
    return Settled(kept, Fate.REFUSED, code, detail)


def _is_over(client: Client, kept: Kept) -> bool:
    """Whether an order's last moment has passed, by the server's clock once it seems to be by ours."""
    from api.client import ApiError, ServerUnreachable

    last = kept.signed.order.expires_at + GRACE_SECONDS
    if time.time() <= last:
        return False
    try:
        client.log()
    except (ApiError, ServerUnreachable):
        return False
    return client.server_time() > last


# --- receipts --------------------------------------------------------------------------------------------


def receipt_problem(settings: Settings, signed: SignedOrder, text: str) -> str:
    """Why a receipt does not prove that this order is in the log; empty when it does."""
    try:
        receipt = SignedReceipt.parse(text)
        receipt.verify(settings.network_id, settings.currency_public)
    except MessageError as error:
        return error.detail
    return "" if receipt.is_for(signed.order) else "the receipt is for another order"


def check_new(home: Home, settings: Settings, order: Order, started: float) -> None:
    """Refuse an order that is, or may be, the double of another. The caller holds the lock.

    Such are: one that waits unsettled, with the same id or moving the same money; one that is in the log under the
    same id; and one moving the same money that another command settled since this one was `started` (a double tap).
    """
    sweep(home)
    id = order.id.hex()
    for kept in _kept(home):
        if (kept.id == id or kept.is_like(order)) and (before := done(home, kept.id)) is not None:
            raise already_paid(settings, before)
        if kept.refused is None and (kept.id == id or kept.is_like(order)):
            message = _("The same order was sent on {time} and has no answer yet; a second one was not made.")
            told = message.format(time=settings.when(kept.made_at))
            raise WalletError(Exit.UNREACHABLE, "order_open", told, id=kept.id)
    if (before := done(home, id)) is not None:
        raise already_paid(settings, before)
    for kept in settled_since(home, started):
        if kept.is_like(order):
            raise already_paid(settings, kept)


def already_paid(settings: Settings, kept: Kept | None, id: str = "") -> WalletError:
    """The error for what was paid before; `kept` when it was by this wallet."""
    if kept is None:
        return WalletError(Exit.ALREADY_PAID, "already_paid", _("Already paid. Nothing was moved now."), id=id)
    message = _("Already paid by this wallet on {time}. Nothing was moved now.").format(
        time=settings.when(kept.made_at)
    )
    amount, made_at = kept.signed.order.amount, kept.made_at.isoformat()
    return WalletError(Exit.ALREADY_PAID, "already_paid", message, id=kept.id, amount_cents=amount, made_at=made_at)


def make_kept(signed: SignedOrder, request: SignedRequest | None, name: str) -> Kept:
    """An order that is about to be kept and sent."""
    label = request.request.label if request else ""
    return Kept(signed, request.text if request else None, name, label, datetime.now(UTC))
