"""Who signs a file of payouts: treasurers, with their device keys; above the charter's limit two different people.

A key of the association belongs to the association, so an invitation says which person will hold it. Two keys of one
person, or keys of nobody in particular, are not two people. A key that was revoked meanwhile no longer counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, insert, select

from ledger.core.ids import derived_id
from ledger.core.model import Note, Posted
from ledger.currency import proofs
from ledger.currency.bank.payouts.index import SIGNED
from ledger.currency.bank.payouts.tables import PAYOUT_BATCH, PAYOUT_SIGNATURE
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import DeviceKey
from ledger.currency.persons import persons_of
from ledger.currency.tables import DEVICE_KEY, HOLDING, PARTY
from ledger.currency.town import Town

if TYPE_CHECKING:
    from ledger.currency.bank.payouts.batches import Batch

SIGNERS = frozenset({"treasurer"})
"""Roles whose keys sign; operators prepare a file and fetch it."""
_SIGNATURE = PAYOUT_SIGNATURE.c


class Signature(NamedTuple):
    """Who signed. `person` is an account and `name` its holder's, else the key's label. `counts`: the key is live."""

    key: bytes
    person: int | None
    name: str
    signed_at: int
    counts: bool


def signing_id(batch: bytes, key: bytes) -> bytes:
    """Id of the note that this key signed this file."""
    return derived_id("patard/payouts-signed", batch, key)


def enough(people: int, signed: Iterable[Signature]) -> bool:
    """Whether these are as many different people as have to sign."""
    counting = [one for one in signed if one.counts]
    if people == 1:
        return bool(counting)
    return len({one.person for one in counting} - {None}) >= people


def signatures(connection: Connection, batches: Sequence[bytes]) -> dict[bytes, list[Signature]]:
    """The signatures of files, by file, in the order in which they came."""
    query = (
        select(_SIGNATURE.batch, _SIGNATURE.key, _SIGNATURE.person, DEVICE_KEY.c.label, _SIGNATURE.signed_at,
               DEVICE_KEY.c.revoked_at)
        .join(DEVICE_KEY, DEVICE_KEY.c.key == _SIGNATURE.key)
        .where(_SIGNATURE.batch.in_(batches))
        .order_by(_SIGNATURE.signed_at)
    )  # fmt: skip
    rows = connection.execute(query).all()
    names = _names(connection, {row.person for row in rows if row.person is not None})
    found: dict[bytes, list[Signature]] = {}
    for row in rows:
        name = names.get(row.person, row.label)
        found.setdefault(row.batch, []).append(
            Signature(row.key, row.person, name, row.signed_at, row.revoked_at is None)
        )
    return found


def sign(town: Town, batch: Batch, key: DeviceKey, signature: bytes) -> Posted:
    """Take a treasurer's signature of a file. The same again changes nothing.

    Raises `CurrencyError`: role_insufficient, key_unknown, signature_invalid, payouts_withdrawn, payouts_fetched,
    signature_person_unknown, signature_same_person.
    """
    if key.role not in SIGNERS:
        raise CurrencyError("role_insufficient", f"a {key.role}'s key cannot sign payouts; a treasurer's can")
    proofs.verify_payouts(
        town.charter.network, key.key, batch.id, batch.sha256, batch.total, batch.transfers, signature
    )  # fmt: skip
    evidence = {"batch": batch.id.hex(), "key": key.key.hex(), "signature": signature.hex()}

    def also(connection: Connection, posted: Posted) -> None:
        if posted.replay:
            return
        # Within the commit: two keys of one person that sign at once are one person.
        person = _may_sign(connection, batch, key)
        connection.execute(
            insert(PAYOUT_SIGNATURE).values(batch=batch.id, key=key.key, person=person, signed_at=posted.at)
        )

    return town.post(Note(signing_id(batch.id, key.key), SIGNED, evidence), also)


def _may_sign(connection: Connection, batch: Batch, key: DeviceKey) -> int | None:
    """The person behind the key. Raises `CurrencyError` unless the signature counts for something."""
    columns = (PAYOUT_BATCH.c.fetched_at, PAYOUT_BATCH.c.withdrawn_at)
    row = connection.execute(select(*columns).where(PAYOUT_BATCH.c.id == batch.id)).one()
    if row.withdrawn_at is not None:
        raise CurrencyError("payouts_withdrawn", "this file was withdrawn; there is nothing to sign")
    if row.fetched_at is not None:
        raise CurrencyError("payouts_fetched", "this file was signed by enough people and has been fetched")
    if connection.execute(select(DEVICE_KEY.c.revoked_at).where(DEVICE_KEY.c.key == key.key)).scalar() is not None:
        raise CurrencyError("key_unknown", "this key was revoked")
    person = persons_of(connection, [key.key]).get(key.key)
    if batch.people < 2:
        return person and person[0]
    if person is None:
        raise CurrencyError(
            "signature_person_unknown", f"{batch.people} different people sign this file, and nobody said whose key "
            "this is: join anew with a code that does, `patard invite ASSOCIATION --role treasurer --person NAME`",
        )  # fmt: skip
    for one in signatures(connection, [batch.id]).get(batch.id, []):
        if one.counts and one.person == person[0]:
            raise CurrencyError(
                "signature_same_person", f"{person[1]} signed this file before, with another key: another person signs"
            )
    return person[0]


def who(connection: Connection, by: str | None) -> str:
    """Whoever acted, for people: the person behind a key, else the name of the device; the machine for `console`."""
    try:
        key = bytes.fromhex(by or "")
    except ValueError:
        return "somebody at the machine"
    person = persons_of(connection, [key]).get(key)
    if person is not None:
        return person[1]
    label = connection.execute(select(DEVICE_KEY.c.label).where(DEVICE_KEY.c.key == key)).scalar()
    return label or "an unknown key"


def _names(connection: Connection, accounts: set[int]) -> dict[int, str]:
    query = (
        select(HOLDING.c.account, PARTY.c.name)
        .join(PARTY, PARTY.c.id == HOLDING.c.party)
        .where(HOLDING.c.account.in_(sorted(accounts)))
    )
    return dict(connection.execute(query).all())
