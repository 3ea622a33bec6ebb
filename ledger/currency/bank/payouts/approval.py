"""Who signs a file of payouts: treasurers, with their device keys; above the charter's limit two different people.

What one person lets leave alone counts together for some weeks: see `alone`.

A key of the association belongs to the association, so an invitation says which person will hold it. Two keys of one
person, or keys of nobody in particular, or of which one invited the other, are not two people: `vouching` says which
are. A key that is revoked before the file leaves does not count; what has left was signed by whoever had signed it
then. All of it is read from the log: the file's note, the notes of
the signatures, those of the keys. A row in a table is no signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, func, insert, select

from ledger.core.ids import derived_id
from ledger.core.model import Note, Posted
from ledger.core.record import Record
from ledger.currency import chartered, logged, proofs
from ledger.currency.bank.payouts.alone import DAY, Left, Need, may_alone, need
from ledger.currency.bank.payouts.contents import shown
from ledger.currency.bank.payouts.index import SIGNED
from ledger.currency.bank.payouts.noted import BESIDE, Noted, batch_id, beside, noted
from ledger.currency.bank.payouts.tables import PAYOUT_BATCH, PAYOUT_SIGNATURE
from ledger.currency.clocked import Moments, judged
from ledger.currency.conversion import CONSOLE
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import DeviceKey
from ledger.currency.persons import held, names, persons_of
from ledger.currency.tables import DEVICE_KEY
from ledger.currency.told import Cents, tell, word
from ledger.currency.town import Town
from ledger.currency.vouching import Held, People
from ledger.currency.wire import MessageError

if TYPE_CHECKING:
    from ledger.currency.bank.payouts.batches import Batch

SIGNERS = frozenset({"treasurer"})
"""Roles whose keys sign; operators prepare a file and fetch it."""
MACHINE, UNKNOWN = "somebody at the machine", "an unknown key"
"""Who acted where no person and no device is known; all other answers of `who` are names."""
_SIGNATURE = PAYOUT_SIGNATURE.c
_EVER = 2**63
"""After every entry of the log."""


class Signature(NamedTuple):
    """Who signed. `person` is an account and `name` its holder's, else the key's label.

    `counts`: the key is live, or was when the file left or was withdrawn; and, where two people sign, known to be this
    person's.
    """

    key: bytes
    person: int | None
    name: str
    signed_at: int
    counts: bool


class Signed(NamedTuple):
    """The signatures of a file in the order in which they came, how many different people's they are, and who must."""

    signatures: tuple[Signature, ...]
    people: int
    need: Need


def signing_id(batch: bytes, key: bytes) -> bytes:
    """Id of the note that this key signed this file."""
    return derived_id("patard/payouts-signed", batch, key)


def signed(town: Town, connection: Connection, files: Sequence[Noted], at: int) -> dict[bytes, Signed]:
    """The signatures of files, by file, and how many people must sign each at that moment (us).

    Of a file that has left or was withdrawn they stand as they did then, whatever became of the keys since.
    """
    made, keys = _made(town, connection, files)
    called = names(connection, {key.person for key in keys.values() if key.person is not None})
    since = chartered.alone_since(town)
    lone, found = _Lone(town, connection, at, since), {}
    for file in files:
        live = [one.key for one in made[file.id] if keys[one.key].is_live(file.ended)]
        needed = lone.need(file, live)
        people = _people(keys, file, since)
        counting = {key for key in live if needed.people < 2 or people.is_known(key)}
        signatures = []
        for one in made[file.id]:
            person = keys[one.key].person
            name = called.get(person, one.label) if person is not None else one.label
            signatures.append(Signature(one.key, person, name or one.key.hex()[:16], one.at, one.key in counting))
        found[file.id] = Signed(tuple(signatures), people.count(live, needed.people), needed)
    return found


class _Made(NamedTuple):
    """A signature: the place of its note in the log, when it was made (us), by which key, and that one's label."""

    seq: int
    at: int
    key: bytes
    label: str


def _made(
    town: Town, connection: Connection, files: Sequence[Noted]
) -> tuple[dict[bytes, list[_Made]], dict[bytes, Held]]:
    """The signatures of files in their order, by file, and their keys.

    The table says where to look in the log, and is believed for nothing.
    """
    query = (
        select(_SIGNATURE.batch, _SIGNATURE.key, DEVICE_KEY.c.label)
        .join(DEVICE_KEY, DEVICE_KEY.c.key == _SIGNATURE.key, isouter=True)
        .where(_SIGNATURE.batch.in_([file.id for file in files]))
    )
    rows = connection.execute(query).all()
    notes = logged.by_ids(connection, [signing_id(row.batch, row.key) for row in rows])
    keys = held(town, connection, {row.key for row in rows})
    found: dict[bytes, list[_Made]] = {}
    for file in files:
        found[file.id] = sorted(
            _Made(record.seq, record.at, row.key, row.label)
            for row in rows
            if row.batch == file.id and row.key in keys
            and (record := notes.get(signing_id(file.id, row.key))) is not None
            and _is_right(town, file, row.key, keys[row.key], record)
        )  # fmt: skip
    return found, keys


def _people(keys: dict[bytes, Held], file: Noted, since: int | None) -> People:
    """Who was who when a file was ordered, by the rule of then."""
    return People(keys, file.seq, older=since is None or file.seq < since)


def room(town: Town, connection: Connection, total: int, key: bytes | None, at: int, *, but: bytes) -> bool:
    """Whether the person with that key (None: anybody) may let leave so many cents beside files at that moment (us).

    `but` is the entry that does so, which may be in the log already.
    """
    return _Lone(town, connection, at, chartered.alone_since(town)).has_room(total, key, but)


def let_by(town: Town, connection: Connection, file: Noted) -> int:
    """How many people let a file leave: one or two. Of one that was not fetched: none."""
    if file.fetched is None:
        return 0
    since = chartered.alone_since(town)
    if file.people > 1 or since is None or file.seq < since:
        return min(file.people, 2)
    made, keys = _made(town, connection, [file])
    return max(1, _people(keys, file, since).count(_then(made[file.id], keys, file.fetched.seq), 2))


def _then(made: Sequence[_Made], keys: dict[bytes, Held], seq: int) -> frozenset[bytes]:
    """The keys that signed and were live when a file left with that entry."""
    return frozenset(one.key for one in made if (end := keys[one.key].until) is None or end > seq)


class _Lone:
    """What one person let leave alone until `at`, read once and only where a file asks for it."""

    def __init__(self, town: Town, connection: Connection, at: int, since: int | None) -> None:
        self._town, self._connection, self._at, self._since = town, connection, at, since
        self._left: dict[bytes, Left] | None = None
        self._keys: dict[bytes, Held] = {}

    def need(self, file: Noted, signers: Sequence[bytes]) -> Need:
        """How many people have to sign a file which these keys signed."""
        if file.people > 1 or file.fetched or file.withdrawn or self._since is None or file.seq < self._since:
            return Need(file.people)
        limit = self._town.charter.bank.second_signature_above
        if limit is None or not signers:
            return Need(1)
        if self._left is None:
            self._left = self._read(self._since)
        missing = set(signers) - self._keys.keys()
        self._keys |= held(self._town, self._connection, missing) if missing else {}
        # This one may be leaving just now.
        others = [one for id_, one in self._left.items() if id_ != file.id]
        return need(file.total, limit, signers, others, People(self._keys, _EVER))

    def has_room(self, total: int, key: bytes | None, but: bytes) -> bool:
        """Whether one person may let leave so much by a line, the entry `but`; see `may_alone`."""
        left = {} if self._since is None else self._read(self._since)
        self._keys |= held(self._town, self._connection, [key] if key else [])
        others = [one for id_, one in left.items() if id_ != but]
        limit = self._town.charter.bank.second_signature_above
        return may_alone(total, limit, key, others, People(self._keys, _EVER))

    def _read(self, since: int) -> dict[bytes, Left]:
        """By file, from the log: which files there are follows from their number, and no row can hide one."""
        last = self._connection.execute(select(func.max(PAYOUT_BATCH.c.number))).scalar() or 0
        ids = [batch_id(self._town.charter.network, number) for number in range(1, int(last) + 1)]
        first, moments = self._at - chartered.ALONE_DAYS * DAY, Moments(self._town, self._town.book.head().seq)
        files = [
            (file, file.fetched, at)
            for file in noted(self._connection, ids).values()
            if file.fetched is not None and file.seq > since
            and (at := moments.then(file.fetched.seq, file.fetched.at)) >= first
        ]  # fmt: skip
        made, self._keys = _made(self._town, self._connection, [file for file, _fetched, _at in files])
        left = {}
        for file, fetched, at in files:
            live = _then(made[file.id], self._keys, fetched.seq)
            if _people(self._keys, file, since).count(live, 2) < 2:
                left[file.id] = Left(at, file.total, live)
        for record in beside(self._connection, max(since, logged.before(self._connection, first))):
            said = record.instruction.evidence
            placed = "line" in said and said["by"] != CONSOLE
            keys = frozenset([bytes.fromhex(str(said["by"]))] if placed else [])
            self._keys |= held(self._town, self._connection, keys)
            if (at := moments.then(record.seq, record.at)) >= first:
                left[record.instruction.id] = Left(at, int(said[BESIDE]), keys)
        return left


def told(town: Town, needed: Need) -> str:
    """Why a file of less than the charter's limit needs two people; nothing where it does not."""
    limit = town.charter.bank.second_signature_above
    if not needed.before or limit is None:
        return ""
    return tell(
        "Whoever signed it let {before} leave alone within {days} days, and one person lets {limit} at most: another "
        "person signs it too. ",
        before=Cents(needed.before), days=chartered.ALONE_DAYS, limit=Cents(limit),
    )  # fmt: skip


def sign(town: Town, batch: Batch, key: DeviceKey, signature: bytes) -> Posted:
    """Take a treasurer's signature of a file. The same again changes nothing.

    Raises `CurrencyError`: role_insufficient, not_found, key_unknown, signature_invalid, payouts_withdrawn,
    payouts_fetched, payouts_changed, signature_person_unknown, signature_key_newer,
    signature_same_person, signature_sponsored.
    """
    if key.role not in SIGNERS:
        raise CurrencyError(
            "role_insufficient", tell("a {role}'s key cannot sign payouts; a treasurer's can", role=word(key.role))
        )
    with town.reading() as connection:
        file = noted(connection, [batch.id]).get(batch.id)
        if file is None:
            raise CurrencyError(
                "not_found", tell("this file was never ordered; `patard payouts list` shows those that were")
            )
        if file.withdrawn is None and file.fetched is None:
            shown(connection, file)
    proofs.verify_payouts(
        town.charter.network, key.key, file.id, file.sha256, file.total, file.transfers, signature
    )  # fmt: skip
    evidence = {"batch": file.id.hex(), "key": key.key.hex(), "signature": signature.hex()}

    def also(connection: Connection, posted: Posted) -> None:
        if posted.replay:
            return
        # Within the commit: two keys of one person that sign at once are one person.
        person = _may_sign(town, connection, batch.id, key, judged(town, posted))
        connection.execute(
            insert(PAYOUT_SIGNATURE).values(batch=batch.id, key=key.key, person=person, signed_at=posted.at)
        )

    return town.post(Note(signing_id(file.id, key.key), SIGNED, evidence), also)


def who(connection: Connection, by: str | None) -> str:
    """Whoever acted, for people: the person behind a key, else the name of the device; the machine for `console`."""
    try:
        key = bytes.fromhex(by or "")
    except ValueError:
        return MACHINE
    person = persons_of(connection, [key]).get(key)
    if person is not None:
        return person[1]
    label = connection.execute(select(DEVICE_KEY.c.label).where(DEVICE_KEY.c.key == key)).scalar()
    return label or UNKNOWN


def _is_right(town: Town, file: Noted, raw: bytes, key: Held, record: Record) -> bool:
    """Whether an entry is this key's signature of this file."""
    note = logged.note(record, SIGNED)
    if note is None or key.role not in SIGNERS:
        return False
    try:
        signature = bytes.fromhex(str(note.evidence.get("signature")))
        proofs.verify_payouts(town.charter.network, raw, file.id, file.sha256, file.total, file.transfers, signature)
    except (ValueError, MessageError):
        return False
    return True


def _may_sign(town: Town, connection: Connection, batch: bytes, key: DeviceKey, at: int) -> int | None:
    """The person behind the key. Raises `CurrencyError` unless the signature counts for something at that moment."""
    file = noted(connection, [batch])[batch]
    if file.withdrawn is not None:
        raise CurrencyError("payouts_withdrawn", tell("this file was withdrawn; there is nothing to sign"))
    if file.fetched is not None:
        raise CurrencyError("payouts_fetched", tell("this file was signed by enough people and has been fetched"))
    before = signed(town, connection, [file], at)[batch].signatures
    keys = held(town, connection, [key.key, *(one.key for one in before)])
    mine = keys.get(key.key)
    if mine is None or mine.until is not None:
        raise CurrencyError("key_unknown", tell("this key was revoked"))
    if mine.role not in SIGNERS:
        raise CurrencyError("role_insufficient", tell("this key is no treasurer's in the log"))
    signers = [key.key, *(one.key for one in before if one.key in keys and keys[one.key].until is None)]
    since = chartered.alone_since(town)
    # Whoever signs where they would do alone is welcome; where they would not, they are one of two or nobody.
    needed = _Lone(town, connection, at, since).need(file, signers)
    if needed.people < 2:
        return mine.person
    file, why = file._replace(people=needed.people), told(town, needed)
    if mine.person is None:
        raise CurrencyError("signature_person_unknown", tell(
            "{why}{people} different people sign this file, and nobody said whose key this is: join anew with a code "
            "that does, `patard invite ASSOCIATION --role treasurer --person NAME`", why=why, people=file.people,
        ))  # fmt: skip
    people = _people(keys, file, since)
    if not people.is_known(key.key):
        raise _unknown(keys, key.key, file, why)
    called = names(connection, {one.person for one in before if one.person is not None} | {mine.person})
    for one in before:
        if one.counts and (reason := people.conflict(key.key, one.key)):
            raise _conflict(reason, called.get(mine.person, ""), called.get(one.person or 0, one.name))
    return mine.person


def _unknown(keys: dict[bytes, Held], raw: bytes, file: Noted, why: str) -> CurrencyError:
    """Why a key is not known to be somebody's, and what to do; `why` so many people sign stands before it."""
    if People(keys, _EVER).is_known(raw):
        return CurrencyError("signature_key_newer", tell(
            "{why}{people} different people sign this file, and it is older than your key, which joined or was "
            "confirmed after it was ordered. For your key to sign, `patard payouts withdraw {number}`, then "
            "`patard payouts order` (in the office: withdraw it, then prepare it)",
            why=why, people=file.people, number=file.number,
        ))  # fmt: skip
    return CurrencyError("signature_person_unknown", tell(
        "{why}{people} different people sign this file, and whose key this is stands on one person's "
        "word: its holder confirms it first, with `wallet keys confirm` in the wallet as a member, "
        "or a second treasurer does; or `patard invite` at the machine makes a code for it. Then "
        "`patard payouts withdraw {number}` and `patard payouts order` make the file anew",
        why=why, people=file.people, number=file.number,
    ))  # fmt: skip


def _conflict(why: str, mine: str, other: str) -> CurrencyError:
    if why == "person":
        return CurrencyError("signature_same_person", tell(
            "{mine} signed this file before, with another key: another person signs", mine=mine
        ))  # fmt: skip
    if why == "invited":
        return CurrencyError("signature_sponsored", tell(
            "{other} signed this file, and one of you two invited the other's key, or whoever did: a person whom "
            "neither invited signs", other=other,
        ))  # fmt: skip
    return CurrencyError("signature_sponsored", tell(
        "{other} signed this file, and one person alone could have made both keys, or brought in both of you: "
        "somebody else signs. Or a second treasurer, whom that person did not bring in, confirms one of the keys "
        "(`wallet keys confirm`), or `patard invite` at the machine makes a code for it, before the file is ordered",
        other=other,
    ))  # fmt: skip
