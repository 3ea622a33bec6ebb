"""Which person holds a key of the association: what takes two people needs to know whose keys are whose.

Who a key's holder is said to be stands in its note, and in a table for showing it. Whether that counts is read from the
log: see `vouching`. A holder confirms a key with a key as a member, and a second treasurer may in their place, or too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, select

from ledger.core.ids import derived_id
from ledger.core.model import Note, Posted
from ledger.core.record import Record
from ledger.core.tables import ACCOUNT
from ledger.currency import chartered, logged
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import DeviceKey
from ledger.currency.tables import DEVICE_KEY, HOLDING, KEY_PERSON, PARTY
from ledger.currency.told import tell
from ledger.currency.town import Town
from ledger.currency.vouching import MEMBER, TREASURER, Held, People, Word

CONFIRMED, SECONDED = "key_confirmed", "key_seconded"
"""Kinds of the notes that a key is whose it is said to be: by its holder's own key, by a second treasurer."""
ADDED, REVOKED = "key_added", "key_revoked"
MACHINE = "console"
_NOBODY = b""


def person_of(connection: Connection, key: bytes) -> int | None:
    """The account of the person who holds `key`, as the tables say; None where nobody said so."""
    return connection.execute(select(KEY_PERSON.c.person).where(KEY_PERSON.c.key == key)).scalar()


def persons_of(connection: Connection, keys: Iterable[bytes]) -> dict[bytes, tuple[int, str]]:
    """Account and name of the persons who hold those keys, by key, as the tables say."""
    query = (
        select(KEY_PERSON.c.key, KEY_PERSON.c.person, PARTY.c.name)
        .join(HOLDING, HOLDING.c.account == KEY_PERSON.c.person)
        .join(PARTY, PARTY.c.id == HOLDING.c.party)
        .where(KEY_PERSON.c.key.in_(sorted(keys)))
    )
    return {key: (person, name) for key, person, name in connection.execute(query)}


def names(connection: Connection, accounts: Iterable[int]) -> dict[int, str]:
    """The names of those who hold these accounts, by account."""
    query = (
        select(HOLDING.c.account, PARTY.c.name)
        .join(PARTY, PARTY.c.id == HOLDING.c.party)
        .where(HOLDING.c.account.in_(sorted(set(accounts))))
    )
    return dict(connection.execute(query).all())


def key_id(kind: str, key: bytes) -> bytes:
    """Id of the one note of that kind about a key."""
    return derived_id("patard/key", kind, key)


def inviter(by: object, seq: int, machine_since: int | None) -> bytes | None:
    """Who invited a key by what its note at `seq` says; None is the machine.

    Notes from before notes said so count as the machine's: those before the first charter of the log that names the
    machine's key. After it, one that does not say so is nobody's.
    """
    if by == MACHINE or by is None and (machine_since is None or seq < machine_since):
        return None
    try:
        return bytes.fromhex(str(by))
    except ValueError:
        return _NOBODY


def held(town: Town, connection: Connection, keys: Iterable[bytes]) -> dict[bytes, Held]:
    """These keys, and all on whose word they are somebody's, as the log has them."""
    found: dict[bytes, Held] = {}
    left, seen = set(keys), set[bytes]()
    since = chartered.machine_since(town)
    while left:
        seen |= left
        ids = {key_id(kind, raw): (kind, raw) for raw in left for kind in (ADDED, REVOKED, CONFIRMED, SECONDED)}
        told: dict[bytes, dict[str, Record]] = {}
        for id_, record in logged.by_ids(connection, ids).items():
            kind, raw = ids[id_]
            if logged.note(record, kind) is not None and record.instruction.evidence.get("key") == raw.hex():
                told.setdefault(raw, {})[kind] = record
        left = set()
        for raw, notes in told.items():
            key = _held(notes, since)
            if key is not None:
                found[raw] = key
                left |= ({key.by} if key.by else set()) | {word.by for word in key.words}
        left -= seen
    _ended(connection, found)
    return found


def _held(notes: dict[str, Record], since: int | None) -> Held | None:
    added = notes.get(ADDED)
    if added is None:
        return None
    evidence = added.instruction.evidence
    person = evidence.get("person")
    said = [notes[kind] for kind in (CONFIRMED, SECONDED) if kind in notes]
    try:
        return Held(
            added.seq, int(str(evidence["account"]), 16), str(evidence["role"]),
            None if person is None else int(str(person), 16), inviter(evidence.get("by"), added.seq, since),
            notes[REVOKED].seq if REVOKED in notes else None,
            [Word(one.seq, bytes.fromhex(str(one.instruction.evidence["by"]))) for one in said],
        )  # fmt: skip
    except (KeyError, ValueError):  # a note that nobody here wrote: `check` finds it
        return None


def _ended(connection: Connection, found: dict[bytes, Held]) -> None:
    """A key ends with its account, too."""
    query = select(ACCOUNT.c.number, ACCOUNT.c.closed).where(
        ACCOUNT.c.number.in_(sorted({key.account for key in found.values()})), ACCOUNT.c.closed > 0
    )
    closed: dict[int, int] = dict(connection.execute(query).all())
    for key in found.values():
        ends = [end for end in (key.until, closed.get(key.account)) if end is not None]
        key.until = min(ends, default=None)


# --- confirming --------------------------------------------------------------------------------------------


class Unconfirmed(NamedTuple):
    """A key of the office that is said to be `person`'s, and whose word it is on: `inviter`'s."""

    key: bytes
    role: str
    label: str
    added_at: int
    party: str
    person: int
    name: str
    inviter: str


def unconfirmed(town: Town, account: int | None = None) -> list[Unconfirmed]:
    """Live keys that are said to be held by the person of `account` (None: by anybody), and that nobody confirmed.

    Those that the machine invited need no more than that. For the office, a key waits until a second treasurer says
    so, too: a holder's own key is no word against whoever brought the holder in.
    """
    query = (
        select(KEY_PERSON.c.key, DEVICE_KEY.c.role, DEVICE_KEY.c.label, DEVICE_KEY.c.added_at, PARTY.c.name)
        .join(DEVICE_KEY, DEVICE_KEY.c.key == KEY_PERSON.c.key)
        .join(PARTY, PARTY.c.id == DEVICE_KEY.c.party)
        .where(DEVICE_KEY.c.revoked_at.is_(None))
        .order_by(DEVICE_KEY.c.added_at)
    )
    if account is not None:
        query = query.where(KEY_PERSON.c.person == account)
    mine = account is not None
    with town.reading() as connection:
        rows = connection.execute(query).all()
        keys = held(town, connection, [row.key for row in rows])
        waiting = [
            (row, key, key.by)
            for row in rows
            if (key := keys.get(row.key)) is not None and key.person is not None and key.by is not None
            and key.until is None
            and not any(word.by in keys and (mine or keys[word.by].role == TREASURER) for word in key.words)
            and (account is None or key.person == account)
        ]  # fmt: skip
        called = names(connection, {key.person for _row, key, _by in waiting if key.person is not None})
        who = persons_of(connection, {by for _row, _key, by in waiting})
        return [
            Unconfirmed(row.key, row.role, row.label, row.added_at, row.name, key.person or 0,
                        called.get(key.person or 0, ""), who[by][1] if by in who else by.hex()[:16])
            for row, key, by in waiting
        ]  # fmt: skip


def confirm(town: Town, key: bytes, *, by: DeviceKey) -> Posted:
    """Say that the key is whose it is said to be: its holder does, with a key as a member; or a second treasurer.

    It counts for files that are ordered from then on. Doing it twice changes nothing. Raises `CurrencyError`:
    role_insufficient, not_found, key_unknown, signature_person_unknown, signature_same_person.
    """
    if by.role not in (MEMBER, TREASURER):
        raise CurrencyError("role_insufficient", tell("its holder confirms a key, as a member, or a second treasurer"))
    kind = CONFIRMED if by.role == MEMBER else SECONDED
    with town.reading() as connection:
        keys = held(town, connection, [key, by.key])
    if kind == SECONDED:
        _require_known(keys, by, town.book.head().seq + 1)
    found = keys.get(key)
    if found is None or found.person is None or (by.role == MEMBER and by.account != found.person):
        raise CurrencyError(
            "not_found", tell("no key is said to be yours by this name; `wallet keys confirm` lists them")
        )
    evidence = {"by": by.key.hex(), "key": key.hex(), "person": f"{found.person:016x}"}

    def also(connection: Connection, posted: Posted) -> None:
        if posted.replay:
            return
        # Under the lock of all writing: a key that is revoked at this moment says nothing any more.
        keys = held(town, connection, [key, by.key])
        mine = keys.get(by.key)
        if mine is None or mine.until is not None:
            raise CurrencyError("key_unknown", tell("this key was revoked"))
        if keys[key].until is not None:
            raise CurrencyError("key_unknown", tell("the key to be confirmed was revoked"))
        if kind == SECONDED:
            _second(keys, key, by, posted.seq)

    try:
        return town.post(Note(key_id(kind, key), kind, evidence), also)
    except CurrencyError as error:
        stood = town.book.find(key_id(kind, key)) if error.code == "id_taken" else None
        if stood is None:
            raise
        return Posted(stood.instruction.id, stood.seq, stood.at, replay=True)  # by another key of the same person's


def _second(keys: dict[bytes, Held], key: bytes, by: DeviceKey, seq: int) -> None:
    """Raise `CurrencyError` unless this treasurer is known, and somebody else than whoever invited the key."""
    _require_known(keys, by, seq)
    mine, inviting = keys[by.key], keys[key].by
    if inviting is not None and inviting in keys and keys[inviting].person == mine.person:
        raise CurrencyError(
            "signature_same_person", tell("you invited this key; another treasurer, or its holder, confirms")
        )


def _require_known(keys: dict[bytes, Held], by: DeviceKey, seq: int) -> None:
    if not People(keys, seq).is_known(by.key):
        raise CurrencyError(
            "signature_person_unknown",
            tell(
                "nobody confirmed yet whose your own key is: confirm it with `wallet keys confirm` in your "
                "wallet as a member"
            ),
        )
