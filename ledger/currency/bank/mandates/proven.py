"""What was signed of a mandate, read from its text, which the log has the hash of: who is debited, where, how much.

The columns of a mandate say the same, and are an index: where they say something else, nothing is debited by them.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from ledger.core.ids import derived_id
from ledger.currency import logged
from ledger.currency.bank.mandates.model import CHANGED, SIGNED, Mandate
from ledger.currency.bank.mandates.tables import MANDATE_VERSION
from ledger.currency.bank.mandates.text import Content, read_text, text_hash
from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell
from ledger.currency.town import Town

_VERSION = MANDATE_VERSION.c


def signing_id(mandate: bytes, version: int) -> bytes:
    """Id of the note that this version of a mandate was signed."""
    if version == 1:
        return derived_id("patard/mandate-signed", mandate)
    return derived_id("patard/mandate-amount", mandate, str(version))


def proven(town: Town, connection: Connection, mandates: Sequence[Mandate]) -> dict[bytes, Content]:
    """What was signed of these, by mandate: the latest amount, and the day of the first signature.

    Raises `CurrencyError`, mandate_changed, where a text is not the one that was signed, or says something else than
    the mandate's row.
    """
    wanted = {(one.id, version) for one in mandates for version in (1, one.version)}
    query = select(_VERSION.mandate, _VERSION.version, _VERSION.text, _VERSION.salt).where(
        _VERSION.mandate.in_([one.id for one in mandates])
    )
    texts = {(row.mandate, row.version): (row.text, bytes(row.salt)) for row in connection.execute(query)}
    notes = logged.by_ids(connection, [signing_id(*one) for one in wanted])
    found = {}
    for one in mandates:
        signed = []
        for version in (1, one.version):
            note = logged.note(notes.get(signing_id(one.id, version)), SIGNED if version == 1 else CHANGED)
            text, salt = texts.get((one.id, version), ("", b""))
            told = note.evidence if note is not None else {}
            content = read_text(text, town.charter.network, one.id)
            if content is None or text_hash(salt, text) != told.get("hash"):
                raise _changed(one, tell("the text that was signed was changed or is gone"))
            if (told["amount"], told["version"]) != (content.amount, version) or content.version != version:
                raise _changed(one, tell("the text is another amount's than the one that was signed"))
            if (told["account"], told["reference"]) != (f"{one.account:016x}", one.reference):
                raise _changed(one, tell("the member or the reference is another than was signed for"))
            signed.append(content)
        first, last = signed
        content = last._replace(signed_on=first.signed_on)
        if (first.holder, first.iban) != (last.holder, last.iban):
            raise _changed(one, tell("a later text names another account than the first"))
        if content != Content(one.id, one.holder, one.iban, one.amount, one.version, one.signed_on):
            raise _changed(
                one, tell("holder, IBAN, amount or day are others in the tables than in the text that was signed")
            )
        found[one.id] = content
    return found


def _changed(mandate: Mandate, why: str) -> CurrencyError:
    return CurrencyError("mandate_changed", tell(
        "mandate {reference} of {name}: {why}. Somebody changed the database: have it looked at (`patard check`); "
        "nothing was done", reference=mandate.reference, name=mandate.name, why=why,
    ))  # fmt: skip
