"""Parties: admitting, closing and finding them; invitations; the device keys that act for them.

Every change of a key is a note in the log (key, role, account; no name), so an auditor can tell for any order
whether its key could act at that place in the log.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from ledger.core.ids import account_number, derived_id, is_fresh, new_account_number
from ledger.core.model import Account, Closing, Note, Opening, Side
from ledger.currency import acts, caps, clocked, naming, salted, seals
from ledger.currency.acts import MACHINE, Act
from ledger.currency.charter import PartyKind
from ledger.currency.errors import CurrencyError
from ledger.currency.join_codes import CODE_BYTES, code_hash, code_of, plain_code
from ledger.currency.keys import public_key
from ledger.currency.tables import DEVICE_KEY, HOLDING, INVITE, KEY_PERSON, PARTY, SESSION
from ledger.currency.text import alphabetical, clean_text, folded
from ledger.currency.told import tell, word
from ledger.currency.town import Town

MAX_NAME = 60
MAX_LABEL = 40
INVITE_SECONDS = 7 * 86_400
MAX_OPEN_INVITES = 20
"""Join codes of one party that were neither used nor have expired."""

ROLES: dict[str, frozenset[PartyKind]] = {
    "member": frozenset({PartyKind.PERSON}),
    "cashier": frozenset({PartyKind.SHOP, PartyKind.PUBLIC_BODY, PartyKind.ASSOCIATION}),
    "owner": frozenset({PartyKind.SHOP, PartyKind.PUBLIC_BODY, PartyKind.ASSOCIATION}),
    "operator": frozenset({PartyKind.ASSOCIATION}),
    "treasurer": frozenset({PartyKind.ASSOCIATION}),
    "auditor": frozenset({PartyKind.ASSOCIATION}),
}
"""What a key may be, and for which kinds of party."""
SPEND = frozenset({"member", "owner"})
"""Roles that pay and change back from the party's account, and add or revoke its keys."""
TAKE = frozenset({"owner", "cashier"})
"""Roles that ask for payments and refund them."""
OFFICE = frozenset({"operator", "treasurer"})
"""Roles that admit parties, invite and convert."""
AUDIT = frozenset({"operator", "treasurer", "auditor"})
"""Roles that read everything."""


class Party(NamedTuple):
    """A party and its account. `closed_at` is None while it takes part."""

    id: bytes
    kind: str
    name: str
    account: int
    admitted_at: int
    closed_at: int | None


class DeviceKey(NamedTuple):
    """A key that acts, or acted, for the party that holds `account`."""

    key: bytes
    role: str
    label: str
    added_at: int
    revoked_at: int | None
    party: bytes
    account: int


def _parties() -> Select[Any]:
    return select(
        PARTY.c.id, PARTY.c.kind, PARTY.c.name, HOLDING.c.account, PARTY.c.admitted_at, PARTY.c.closed_at
    ).join(HOLDING, HOLDING.c.party == PARTY.c.id)


def keys_of() -> Select[Any]:
    """The columns of a `DeviceKey`, of all keys."""
    c = DEVICE_KEY.c
    return select(c.key, c.role, c.label, c.added_at, c.revoked_at, c.party, HOLDING.c.account).join(
        HOLDING, HOLDING.c.party == c.party
    )


def holding(network: bytes, id_: bytes, unit: str) -> Account:
    """The account of the party with that id. Its number follows from the id."""
    number = new_account_number(sha256(b"patard/holder/1\0" + network + id_).digest()[:8])
    return Account(number, unit, Side.CREDIT)


def admit(
    town: Town, kind: str, name: str, id_: bytes | None = None, *, again: bool | None = None, by: str = MACHINE
) -> Party:
    """Admit a party and open its account. The same id with the same kind is answered again; see `naming` for `again`.

    `by` is who admits it. Raises `CurrencyError`: party_kind_unknown, text_malformed, party_name_taken, id_reserved,
    id_taken.
    """
    if kind not in list(PartyKind):
        raise CurrencyError("party_kind_unknown", tell("{kind!r} is none of {names}",
                                                       kind=kind, names=tuple(PartyKind)))  # fmt: skip
    kind, name = str(kind), clean_text(name, max_chars=MAX_NAME)
    if id_ is not None and not is_fresh(id_):
        raise CurrencyError("id_reserved", tell("make a UUIDv7 for a new party"))
    id_ = id_ or town.new_id()
    account = holding(town.charter.network, id_, town.charter.code)
    salt = town.book.entropy(salted.SALT_BYTES)
    opening = Opening(id_, account, evidence={"by": by, **salted.party_evidence(kind, name, salt)})

    def also(connection: Connection, posted: Any) -> None:
        if posted.replay:
            return
        naming.require_new(connection, kind, name, again=again)
        connection.execute(insert(PARTY).values(id=id_, kind=kind, name=name, admitted_at=posted.at, closed_at=None))
        connection.execute(insert(HOLDING).values(account=account.number, party=id_))
        salted.keep(connection, id_, salt)

    try:
        town.post(opening, also)
    except CurrencyError as error:
        # The same party again had its name hashed with another salt.
        if error.code != "id_taken" or salted.party_kind(town.book.find(id_)) != kind:
            raise
    return by_account(town, account.number)


def close(town: Town, party: Party, *, office_too: bool = True, by: str = MACHINE) -> None:
    """Close a party: its account, which must be empty, and its keys. `by` is who closes it.

    Raises `CurrencyError`: account_not_empty, reconversion_waiting, mandate_open; party_is_office unless `office_too`.
    """
    from ledger.currency import conversion  # which works with parties
    from ledger.currency.bank.mandates.register import require_closable

    def also(connection: Connection, posted: Any) -> None:
        # Within the commit, when no other request can come: a refusal would have no open account to go back to.
        if not posted.replay and any(asked.account == party.account for asked in conversion.waiting(town)):
            raise CurrencyError("reconversion_waiting", tell("{name} waits to change back: accept or refuse it first",
                                                             name=party.name))  # fmt: skip
        require_closable(connection, party.account)
        office = select(DEVICE_KEY.c.key).where(
            DEVICE_KEY.c.party == party.id, DEVICE_KEY.c.revoked_at.is_(None), DEVICE_KEY.c.role.in_(sorted(AUDIT))
        )
        if not office_too and connection.execute(office).first() is not None:
            raise CurrencyError("party_is_office", tell("{name} has keys of the office; a treasurer revokes them first",
                                                        name=party.name))  # fmt: skip
        connection.execute(
            update(PARTY).where(PARTY.c.id == party.id, PARTY.c.closed_at.is_(None)).values(closed_at=posted.at)
        )
        connection.execute(
            update(DEVICE_KEY)
            .where(DEVICE_KEY.c.party == party.id, DEVICE_KEY.c.revoked_at.is_(None))
            .values(revoked_at=posted.at)
        )

    town.post(Closing(derived_id("patard/close", party.id), party.account, evidence={"by": by}), also)


def by_account(town: Town, number: int) -> Party:
    """The party that holds account `number`. Raises `CurrencyError`: not_found."""
    with town.reading() as connection:
        row = connection.execute(_parties().where(HOLDING.c.account == number)).first()
    if row is None:
        raise CurrencyError("not_found", tell("no party holds this account"))
    return Party(*row)


def by_accounts(connection: Connection, numbers: set[int]) -> dict[int, Party]:
    """The parties that hold those accounts, by account."""
    rows = connection.execute(_parties().where(HOLDING.c.account.in_(sorted(numbers))))
    return {party.account: party for party in (Party(*row) for row in rows)}


def every(town: Town, *, kinds: frozenset[str] | None = None, open_only: bool = False) -> list[Party]:
    """The parties in the order of their names."""
    query = _parties().order_by(PARTY.c.id)
    if kinds is not None:
        query = query.where(PARTY.c.kind.in_(sorted(kinds)))
    if open_only:
        query = query.where(PARTY.c.closed_at.is_(None))
    with town.reading() as connection:
        return sorted((Party(*row) for row in connection.execute(query)), key=lambda party: alphabetical(party.name))


def named(town: Town, text: str) -> Party:
    """The open party that a person means by an account number or a name (see `text.folded`).

    Raises `CurrencyError`: not_found, party_ambiguous.
    """
    try:
        return by_account(town, account_number(text))
    except (ValueError, CurrencyError):
        pass
    wanted = folded(text)
    open_ = [(folded(party.name), party) for party in every(town, open_only=True)]
    found = [party for name, party in open_ if name == wanted]
    if not found:
        near = [party.name for name, party in open_ if wanted and wanted in name]
        every_one = tell(" `patard party list` shows them all.")
        hint = tell(" Did you mean {names}?", names=tuple(near[:3])) if near else every_one
        raise CurrencyError("not_found", tell("no party is called {said!r}.{hint}", said=text, hint=hint))
    if len(found) > 1:
        raise CurrencyError("party_ambiguous", tell("{count} parties are called {said!r}; use the account number",
                                                    count=len(found), said=text))  # fmt: skip
    return found[0]


# Invitations


def invite(
    town: Town, party: Party, role: str, *, seconds: int = INVITE_SECONDS, by: str = MACHINE,
    person: Party | None = None,
) -> str:  # fmt: skip
    """A one-time code with which one device key can join `party` in `role`; see `invite_with`."""
    code = code_of(town.book.entropy(CODE_BYTES))
    invite_with(town, party, role, code_hash(code), seconds=seconds, by=by, person=person)
    return code


def invite_with(
    town: Town, party: Party, role: str, hashed: bytes, *, seconds: int = INVITE_SECONDS, by: str = MACHINE,
    person: Party | None = None,
) -> None:  # fmt: skip
    """Let one device key join `party` in `role` with the code of that hash. `by` is the inviting key (hex).

    Whoever invites makes the code, so that what the device signs names the one invitation that it is for. `person` is
    who will hold the key, where the party is not a person itself. Raises `CurrencyError`: role_not_for_kind,
    party_closed, person_wrong, invites_too_many, join_code_taken, key_unknown; and `ClockDiffers`.
    """
    if role not in ROLES or party.kind not in ROLES[role]:
        fit = tuple(word(r) for r, kinds in ROLES.items() if party.kind in kinds)
        raise CurrencyError("role_not_for_kind", tell("a {kind} has no {role}; its keys are: {fit}",
                                                      kind=word(party.kind), role=word(role), fit=fit))  # fmt: skip
    if party.closed_at is not None:
        raise CurrencyError("party_closed", tell("{name} was closed", name=party.name))
    if person is not None and (person.kind != "person" or person.closed_at is not None or party.kind == "person"):
        raise CurrencyError("person_wrong", tell("{person} is no person who could hold a key of {name}",
                                                 person=person.name, name=party.name))  # fmt: skip
    act = town.act if town.act is not None and town.act.by == by else None
    signed = {"act": act.text, "salt": act.salt, "until": act.until, "signature": act.signature} if act else {}
    with town.book.store.writing() as store:
        now = clocked.require(town, store)
        if act is not None:
            acts.require_live(store.connection, act, now)
        row = {"code_hash": hashed, "party": party.id, "role": role, "made_by": by,
               "person": person and person.account, "expires_at": now + seconds * 1_000_000}  # fmt: skip
        # Used ones stay: they answer a joining whose answer was lost, and there is one a key at most.
        over = INVITE.c.expires_at < clocked.over(store, now)
        store.connection.execute(delete(INVITE).where(INVITE.c.used_by.is_(None), over))
        if store.connection.execute(select(INVITE.c.role).where(INVITE.c.code_hash == hashed)).first() is not None:
            raise CurrencyError("join_code_taken", tell("this code was given out before; make a new one"))
        waiting = select(func.count()).where(
            INVITE.c.party == party.id, INVITE.c.used_by.is_(None), INVITE.c.expires_at >= now
        )
        if store.connection.execute(waiting).scalar_one() >= MAX_OPEN_INVITES:
            raise CurrencyError(
                "invites_too_many",
                tell(
                    "{most} join codes of {name} wait to be used; use one, or wait",
                    most=MAX_OPEN_INVITES,
                    name=party.name,
                ),
            )
        store.connection.execute(insert(INVITE).values(**row, **signed, seal=seals.of_invite(town.key, row)))


def join(town: Town, code: str, key: bytes, label: str) -> tuple[DeviceKey, Party]:
    """Register `key` for the party that `code` was made for. The same code and key are answered again.

    Whoever calls this has checked that the caller holds the key. Raises `CurrencyError`: join_code_invalid,
    key_taken, keys_too_many, joins_too_many, key_weak, key_malformed, text_malformed.
    """
    from ledger.currency import named  # which looks up what is registered here

    public_key(key)
    label = clean_text(label, max_chars=MAX_LABEL)
    hashed = code_hash(plain_code(code))
    # Before the code: a first try of the same request may be under way, and writes both at once.
    known = find_device(town, key)
    with town.reading() as connection:
        row = connection.execute(select(INVITE).where(INVITE.c.code_hash == hashed)).first()
        party_row = row and connection.execute(_parties().where(PARTY.c.id == row.party)).first()
    wrong = CurrencyError("join_code_invalid", tell(
        "this join code is mistyped, used or expired; ask the association for a new one"
    ))  # fmt: skip
    if row is None or party_row is None or not seals.lets_in(town.key, row._mapping, key):
        raise wrong
    party = Party(*party_row)
    if row.used_by == key:
        return device(town, key), party
    if row.expires_at < town.now() or party.closed_at is not None:
        raise wrong
    taken = CurrencyError("key_taken", tell("this key is registered already; every device makes its own"))
    if known is not None:
        raise taken
    note = _key_note("key_added", key, row.role, party.account, row.made_by, row.person, hashed)
    # Whoever invited is who vouches for the key; what they signed names the code.
    inviting = replace(town, act=_invitation(row))

    def also(connection: Connection, posted: Any) -> None:
        used = connection.execute(
            update(INVITE).where(INVITE.c.code_hash == hashed, INVITE.c.used_by.is_(None)).values(used_by=key)
        )
        if used.rowcount != 1:
            by = connection.execute(select(INVITE.c.used_by).where(INVITE.c.code_hash == hashed)).scalar()
            if by == key:
                return  # The same request, sent again while this one waited: it stands.
            raise wrong
        if posted.replay:
            raise taken  # By another code, while this one waited.
        if connection.execute(select(PARTY.c.closed_at).where(PARTY.c.id == party.id)).scalar() is not None:
            raise wrong
        caps.require_room(town, connection, party.id, party.kind, posted)
        connection.execute(
            insert(DEVICE_KEY).values(
                key=key, party=party.id, role=row.role, label=label, added_at=posted.at, revoked_at=None
            )
        )
        named.add(connection, party.account, key)
        if row.person is not None:
            connection.execute(insert(KEY_PERSON).values(key=key, person=row.person))

    try:
        inviting.post(note, also)
    except CurrencyError as error:
        if error.code == "id_taken":  # its note stands, for another party or role
            raise taken from None
        raise
    return device(town, key), party


def _invitation(row: Row[Any]) -> Act | None:
    """What the device signed that invited; None where somebody at the machine did."""
    if row.act is None:
        return None
    return Act(bytes.fromhex(row.made_by), row.act, row.salt, row.until, row.signature)


def _key_note(
    kind: str, key: bytes, role: str, account: int, by: str | None, person: int | None = None, code: bytes | None = None
) -> Note:
    evidence = {"account": f"{account:016x}", "key": key.hex(), "role": role} | ({"by": by} if by else {})
    evidence |= {"person": f"{person:016x}"} if person else {}
    evidence |= {"code": code.hex()} if code else {}
    return Note(derived_id("patard/key", kind, key), kind, evidence)


def find_device(town: Town, key: bytes) -> DeviceKey | None:
    """The registered key, revoked or not."""
    with town.reading() as connection:
        row = connection.execute(keys_of().where(DEVICE_KEY.c.key == key)).first()
    return DeviceKey(*row) if row else None


def device(town: Town, key: bytes) -> DeviceKey:
    """The registered key, revoked or not. Raises `CurrencyError`: key_unknown."""
    found = find_device(town, key)
    if found is None:
        raise CurrencyError("key_unknown", tell("this key is not registered with the currency"))
    return found


def devices(town: Town, party: Party) -> list[DeviceKey]:
    """Every key of a party, oldest first."""
    with town.reading() as connection:
        rows = connection.execute(keys_of().where(DEVICE_KEY.c.party == party.id).order_by(DEVICE_KEY.c.added_at))
        return [DeviceKey(*row) for row in rows]


def revoke(town: Town, key: DeviceKey, *, last_too: bool = False, by: str = MACHINE) -> None:
    """Revoke a key, end its sessions and the codes that it made. Revoking twice changes nothing. `by` is who revokes.

    Raises `CurrencyError`: key_last for a party's last spending key, unless `last_too` (the association may).
    """
    if key.revoked_at is not None:
        return
    others = select(DEVICE_KEY.c.key).where(
        DEVICE_KEY.c.party == key.party, DEVICE_KEY.c.key != key.key, DEVICE_KEY.c.revoked_at.is_(None),
        DEVICE_KEY.c.role.in_(sorted(SPEND)),
    )  # fmt: skip

    def also(connection: Connection, posted: Any) -> None:
        # Under the lock of all writing: two devices that revoke each other at once leave one.
        last = key.role in SPEND and not posted.replay and connection.execute(others).first() is None
        if last and not last_too:
            raise CurrencyError("key_last", tell("this is the last key that can pay; add another device first"))
        gone = update(DEVICE_KEY).where(DEVICE_KEY.c.key == key.key, DEVICE_KEY.c.revoked_at.is_(None))
        connection.execute(gone.values(revoked_at=posted.at))
        connection.execute(SESSION.delete().where(SESSION.c.key == key.key))
        # Whoever held it lets nobody in any more, and does not come back by a code of its own.
        connection.execute(delete(INVITE).where(INVITE.c.made_by == key.key.hex(), INVITE.c.used_by.is_(None)))

    town.post(_key_note("key_revoked", key.key, key.role, key.account, by), also)
