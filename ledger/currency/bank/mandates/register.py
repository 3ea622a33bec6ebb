"""Mandates: signed by a member's device or on paper, changed in amount, ended.

Each of these is a note in the log that names account, amount and mandate, and no person: of what was signed it holds a
hash, salted so that nobody can find an IBAN by trying. Text, salt and signature stay in a table as the proof.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, insert, select, update

from ledger.core.ids import derived_id, is_fresh
from ledger.core.model import Evidence, Note, Posted
from ledger.currency import proofs
from ledger.currency.bank.details import given
from ledger.currency.bank.mandates.model import CHANGED, ENDED, SIGNED, Mandate, ended, find, live, naming, noted, read
from ledger.currency.bank.mandates.model import terms as terms_of
from ledger.currency.bank.mandates.proven import proven
from ledger.currency.bank.mandates.tables import COLLECTION, COLLECTION_ITEM, MANDATE, MANDATE_VERSION
from ledger.currency.bank.mandates.text import (
    LANGUAGES,
    Content,
    Terms,
    mandate_reference,
    mandate_text,
    older_text,
    text_hash,
)
from ledger.currency.conversion import CONSOLE
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import Party
from ledger.currency.sure import Sure
from ledger.currency.tables import PARTY
from ledger.currency.told import Cents, tell
from ledger.currency.town import Town
from ledger.currency.wire import MessageError

LAPSE_DAYS = 1_095
"""A mandate that was not used for 36 months is none any more (SEPA rule book)."""
_MANDATE, _ITEM = MANDATE.c, COLLECTION_ITEM.c


class Signature(NamedTuple):
    """A device's signature of the text in `lang`."""

    key: bytes
    signature: bytes
    lang: str


def sign(
    town: Town, party: Party, *, iban: str, amount: int, signed_on: date, holder: str = "", id_: bytes | None = None,
    signature: Signature | None = None, by: str = CONSOLE,
) -> tuple[Mandate, bool]:  # fmt: skip
    """A new mandate of `party`, signed by one of its devices or (without `signature`) on paper; and whether it is new.

    `holder` is the bank account's ("": the party's name). What stands already, with the same account and amount, is
    answered again. Raises `CurrencyError`: mandate_unavailable, those of `details.given`, amount_malformed,
    mandate_amount, mandate_date, party_closed, id_reserved, id_taken, signature_invalid, mandate_taken.
    """
    said = terms_of(town)
    plain, name = given(town, party, iban, holder or party.name)
    _check_amount(said, amount)
    _check_day(town, signed_on, signature)
    if party.closed_at is not None:
        raise CurrencyError("party_closed", tell("{name} was closed", name=party.name))
    if id_ is not None and not is_fresh(id_):
        raise CurrencyError("id_reserved", tell("make a UUIDv7 for a new mandate"))
    stands = live(town, party.account)
    if stands is not None:
        return _same(stands, plain, name, amount), False
    made = id_ or town.new_id()
    content = Content(made, name, plain, amount, 1, signed_on)
    text = _signed_text(said, content, signature)
    salt = town.book.entropy(16)
    found = mandate_reference(said.network, made)
    evidence = _evidence(made, found, party.account, amount, 1, signed_on, by)
    note = Note(derived_id("patard/mandate-signed", made), SIGNED, {**evidence, "hash": text_hash(salt, text)})

    def also(connection: Connection, posted: Posted) -> None:
        if posted.replay:
            return
        # Under the lock of all writing: a party that is closed, or signs twice, at this moment.
        if connection.execute(select(PARTY.c.closed_at).where(PARTY.c.id == party.id)).scalar() is not None:
            raise CurrencyError("party_closed", tell("{name} was closed", name=party.name))
        other = read(connection, _MANDATE.account == party.account, _MANDATE.ended_at.is_(None))
        if other:
            raise _Stands(_same(other[0], plain, name, amount))
        connection.execute(
            insert(MANDATE).values(
                id=made, seq=posted.seq, account=party.account, reference=found, iban=plain, holder=name,
                signed_on=signed_on.isoformat(), amount=amount, version=1, suspended_why="", resumed_after=0,
            )
        )  # fmt: skip
        _keep(connection, posted, content, text, salt, signature)

    try:
        town.post(note, also)
    except _Stands as found_other:
        return found_other.mandate, False
    return find(town, made), True


def change(
    town: Town, mandate: Mandate, amount: int, *, version: int, signed_on: date, signature: Signature | None = None,
    by: str = CONSOLE,
) -> tuple[Mandate, bool]:  # fmt: skip
    """Another amount a month, as the mandate's version number `version`; and whether it is new.

    Raises `CurrencyError`: mandate_unavailable, amount_malformed, mandate_amount, mandate_date, mandate_ended,
    mandate_version, mandate_changed, signature_invalid.
    """
    said = terms_of(town)
    _check_amount(said, amount)
    _check_day(town, signed_on, signature)
    with town.reading() as connection:
        before = proven(town, connection, [mandate])[mandate.id]
    content = before._replace(amount=amount, version=version, signed_on=signed_on)
    text = _signed_text(said, content, signature)
    salt = town.book.entropy(16)
    evidence = _evidence(mandate.id, mandate.reference, mandate.account, amount, version, signed_on, by)
    id_ = derived_id("patard/mandate-amount", mandate.id, str(version))
    note = Note(id_, CHANGED, {**evidence, "hash": text_hash(salt, text)})
    passed = CurrencyError(
        "mandate_version", tell("the amount was changed meanwhile; look at the mandate again, then sign")
    )

    def also(connection: Connection, posted: Posted) -> None:
        if posted.replay:
            return
        [now] = read(connection, _MANDATE.id == mandate.id)
        if now.ended_at is not None:
            raise ended()
        if version != now.version + 1:
            raise passed
        changed = update(MANDATE).where(_MANDATE.id == mandate.id).values(amount=amount, version=version)
        connection.execute(changed)
        _keep(connection, posted, content, text, salt, signature)

    if version == (now := find(town, mandate.id)).version and amount == now.amount:
        return now, False
    try:
        town.post(note, also)
    except CurrencyError as error:
        if error.code != "id_taken":
            raise
        now = find(town, mandate.id)
        if now.version != version or now.amount != amount:
            raise passed from None
        return now, False
    return find(town, mandate.id), True


def end(town: Town, mandate: Mandate, *, by: str = CONSOLE) -> Mandate:
    """End a mandate: nothing is collected by it any more. What is in a file already may still be debited."""
    return _end(town, mandate, by)


def lapse(town: Town, sure: Sure, *, by: str = CONSOLE) -> list[Mandate]:
    """End the mandates that were not used for 36 months; gives those that were ended now."""
    since = town.charter.local_date(town.now()) - timedelta(days=LAPSE_DAYS)
    used = (
        select(_ITEM.id)
        .join(COLLECTION, COLLECTION.c.id == _ITEM.collection)
        .where(
            _ITEM.mandate == _MANDATE.id, COLLECTION.c.collect_on >= since.isoformat(),
            COLLECTION.c.withdrawn_at.is_(None),
        )
    )  # fmt: skip
    unused = (_MANDATE.ended_at.is_(None), _MANDATE.signed_on < since.isoformat(), ~used.exists())
    with town.reading() as connection:
        found = read(connection, *unused)
    certain = sure.of(town, "mandate_lapsed", [mandate.id for mandate in found])
    ended_now = []
    for mandate in found:
        if mandate.id not in certain:
            continue
        try:
            ended_now.append(_end(town, mandate, by, unused))
        except _Used:
            continue
    return ended_now


class _Used(Exception):
    """The mandate was used at this very moment."""


def _end(town: Town, mandate: Mandate, by: str, only: tuple[ColumnElement[bool], ...] = ()) -> Mandate:
    evidence = naming(mandate.id, mandate.reference, mandate.account, by)

    def also(connection: Connection, posted: Posted) -> None:
        if only and not read(connection, _MANDATE.id == mandate.id, *only):
            raise _Used
        done = update(MANDATE).where(_MANDATE.id == mandate.id, _MANDATE.ended_at.is_(None))
        connection.execute(done.values(ended_at=posted.at))

    noted(town, Note(derived_id("patard/mandate-ended", mandate.id), ENDED, evidence), also)
    return find(town, mandate.id)


def require_closable(connection: Connection, account: int) -> None:
    """Raise `CurrencyError`, mandate_open, while a party has a mandate, or a debit whose units are still to come."""
    alive = select(_MANDATE.id).where(_MANDATE.account == account, _MANDATE.ended_at.is_(None))
    coming = (
        select(_ITEM.id)
        .join(COLLECTION, COLLECTION.c.id == _ITEM.collection)
        .where(
            _ITEM.account == account, _ITEM.released_seq.is_(None), _ITEM.unpaid_by.is_(None),
            COLLECTION.c.withdrawn_at.is_(None),
        )
    )  # fmt: skip
    if connection.execute(alive).first() or connection.execute(coming).first():
        raise CurrencyError("mandate_open", tell(
            "end the monthly top-up (`patard mandate end`), and wait until what was collected has arrived or come back"
        ))  # fmt: skip


class _Stands(Exception):
    """The party has this mandate by now."""

    def __init__(self, mandate: Mandate) -> None:
        super().__init__()
        self.mandate = mandate


def _same(stands: Mandate, iban: str, holder: str, amount: int) -> Mandate:
    if (stands.iban, stands.holder, stands.amount) == (iban, holder, amount):
        return stands
    raise CurrencyError("mandate_taken", tell(
        "there is a mandate already, {reference}, of {amount} euros a month; change its amount, or end it first",
        reference=stands.reference, amount=Cents(stands.amount),
    ))  # fmt: skip


def _check_amount(said: Terms, amount: int) -> None:
    if type(amount) is not int or not 0 < amount < 2**32:
        raise CurrencyError(
            "amount_malformed", tell("an amount is a whole number of cents from 1 to 42,949,672.95 euros")
        )
    if said.per_month is not None and amount > said.per_month:
        most = Cents(said.per_month)
        raise CurrencyError("mandate_amount", tell("the charter allows {most} euros a month for one member", most=most))


def _check_day(town: Town, signed_on: date, signature: Signature | None) -> None:
    today, day = town.charter.local_date(town.now()), timedelta(days=1)
    if signature is not None and not today - day <= signed_on <= today + day:
        raise CurrencyError("mandate_date", tell(
            "it is signed on {signed_on} and today is {today}: sign it with that date",
            signed_on=signed_on, today=today,
        ))  # fmt: skip
    if not today - LAPSE_DAYS * day <= signed_on <= today + day:
        raise CurrencyError("mandate_date", tell(
            "a paper was signed within the last 36 months, not on {signed_on}: look at its date again",
            signed_on=signed_on,
        ))  # fmt: skip


def _signed_text(said: Terms, content: Content, signature: Signature | None) -> str:
    """The text of the mandate, its signature verified. Raises `MessageError` (a `CurrencyError`)."""
    lang = signature.lang if signature else "fr"
    if lang not in LANGUAGES:
        raise CurrencyError("body_malformed", tell("a mandate is written in one of {names}", names=LANGUAGES))
    text = mandate_text(lang, said, content)
    if signature is None:
        return text
    try:
        proofs.verify_mandate(said.network, signature.key, text, signature.signature)
    except MessageError:
        # A wallet of before shows the older text, and has that one signed.
        text = older_text(lang, said, content)
        proofs.verify_mandate(said.network, signature.key, text, signature.signature)
    return text


def _evidence(
    id_: bytes, reference: str, account: int, amount: int, version: int, signed_on: date, by: str
) -> Evidence:
    signed: Evidence = {"amount": amount, "version": version, "signed_on": signed_on.isoformat()}
    return {**naming(id_, reference, account, by), **signed}


def _keep(
    connection: Connection, posted: Posted, content: Content, text: str, salt: bytes, signature: Signature | None
) -> None:
    connection.execute(
        insert(MANDATE_VERSION).values(
            mandate=content.id, version=content.version, seq=posted.seq, amount=content.amount,
            signed_on=content.signed_on.isoformat(), text=text, salt=salt, key=signature and signature.key,
            signature=signature and signature.signature,
        )
    )  # fmt: skip
