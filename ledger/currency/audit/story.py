"""What the log has told so far, and how accounts, keys and charters enter that story.

One function for each kind of record that moves no money, from a record to what is wrong with it. `audit` walks the log
and hands the story on; `kinds` judges what moves money by it; `tables` holds the tables against its end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from ledger.core.clock import Told
from ledger.core.ids import derived_id
from ledger.core.model import Closing, Note, Opening, Side
from ledger.core.record import Record
from ledger.currency import parties, persons
from ledger.currency.accounts import periods
from ledger.currency.audit.days import Day
from ledger.currency.audit.debit_state import Debits
from ledger.currency.audit.lines import Lines
from ledger.currency.audit.payout_state import Payouts
from ledger.currency.audit.signatures import Signed
from ledger.currency.audit.typed import Conversions
from ledger.currency.chart import Chart
from ledger.currency.charter import PartyKind
from ledger.currency.chartered import Rules
from ledger.currency.conversion import CONSOLE
from ledger.currency.keys import SHOWN, KeyRefused, public_key, shown_key
from ledger.currency.vouching import Held

Problem = tuple[str, str]
"""A stable code and a sentence."""
Said: TypeAlias = "Problem | Signed"
"""What a judge says of an entry: what is wrong with it, or a signature that must be right for nothing to be."""


@dataclass(slots=True)
class Key:
    """A registered key: for which account, as what, and until when (us; None: still).

    `person` is the account of whoever holds it, where that was said.
    """

    account: int
    role: str
    revoked_at: int | None = None
    person: int | None = None


class Asked(NamedTuple):
    """A request to change back that is not decided yet."""

    account: int
    amount: int


OF_NOBODY = "key {key} became {role}, of nobody in particular; the {office}'s key {by} invited it"
SAID_TO_BE = "key {key} became {role}, said to be held by account {account}; the {office}'s key {by} invited it"
AT_THE_MACHINE = "key {key} became {role} of account {account}, which had one; invited at the machine"
BY_A_KEY = "key {key} became {role} of account {account}, which had one; invited with key {by}"
"""What is said of keys that joined; the command has each in French."""
CLOCK_CONFIRMED = "somebody at the machine said that the clock is right: it had {clock}, after an entry of {before}"


class Notice(NamedTuple):
    """Something that is allowed, and that whoever audits may want to look at. `seq` and `id` name the entry.

    `values` stand in the places of `form`: an `account` as its number, an `amount` in cents, all else as it is.
    """

    seq: int
    id: bytes
    form: str
    values: Mapping[str, str | int] = MappingProxyType({})

    @property
    def text(self) -> str:
        """The sentence for programs: hex digits and cents."""
        raw = {name: f"{value:016x}" if name == "account" else value for name, value in self.values.items()}
        return self.form.format(**raw) if raw else self.form


@dataclass(slots=True)
class Importing:
    """So many entries of an import are still to come; when they have, their hash is the one that was announced."""

    left: int
    digest: str
    hashed: hashlib._Hash = field(default_factory=hashlib.sha256)


@dataclass
class Story:
    """What the log has told so far."""

    chart: Chart
    rules: Rules
    noted: int = 0
    """Version of the last note of the charter; 0 before the first."""
    demanded: int = 0
    """The entry with the first note of the charter that says all limits; 0 before it. From there on a key's note says
    who invited, and the log holds the hashes of texts."""
    ibans: set[str] = field(default_factory=set)
    """The hashes of all IBANs that accounts of the reserve ever had."""
    day: Day = field(default_factory=Day)
    names: dict[int, str] = field(default_factory=dict)
    """The hash of the name of whoever holds an account."""
    details: dict[int, str | None] = field(default_factory=dict)
    """The hash of the bank details of whoever holds an account; None where they were erased."""
    own_details: set[int] = field(default_factory=set)
    """The accounts whose holder's own key said so last."""
    holders: dict[int, str] = field(default_factory=dict)
    """Kind of party by account."""
    parties: dict[int, bytes] = field(default_factory=dict)
    closed: dict[int, int] = field(default_factory=dict)
    """When an account was closed (us)."""
    there: dict[int, list[int]] = field(default_factory=dict)
    """The entries from and to which an account is a member's."""
    issuers: set[int] = field(default_factory=set)
    keys: dict[bytes, Key] = field(default_factory=dict)
    held: dict[bytes, Held] = field(default_factory=dict)
    """The same keys, and on whose word each is somebody's."""
    machine_since: int | None = None
    """Place of the first charter that names the key of the machine: what was before it is judged as it was then."""
    alone_since: int | None = None
    """Place of the first charter that says `alone_days`: files ordered before it are judged as it was then."""
    importing: Importing | None = None
    """The entries of an import that were announced and are still to come."""
    is_import: bool = False
    """Whether the entry that is judged was announced so."""
    began: bool = False
    """Whether anybody converted, paid, or asked to change back so far."""
    announced: int = 0
    """The entry that announced the last import."""
    uncovered: set[int] = field(default_factory=set)
    """Accounts that an import gave units when the currency had begun: they wait while issuers have anything out."""
    brought: set[int] = field(default_factory=set)
    """Accounts of members that an import opened."""
    moved: set[int] = field(default_factory=set)
    """Accounts in which anything but imports moved units."""
    joined: set[int] = field(default_factory=set)
    """Accounts that had a key at some time."""
    asked: dict[bytes, Asked] = field(default_factory=dict)
    conversions: dict[bytes, list[tuple[int, int, int, str]]] = field(default_factory=dict)
    """What would take back each conversion that stands: (debit, credit, cents, unit)."""
    clock: Told | None = None
    """The last note about the clock."""
    clock_formed: int | None = None
    """Place of the first note about the clock by a program for which all days are the clock's."""
    before: tuple[int, int] = (0, 0)
    """Place and `at` (us) of the entry before the one that is judged."""
    typed: Conversions = field(default_factory=Conversions)
    years: list[periods.Closing] = field(default_factory=list)
    """The business years that are closed."""
    lines: Lines = field(default_factory=Lines)
    payouts: Payouts = field(default_factory=Payouts)
    debits: Debits = field(default_factory=Debits)
    notices: list[Notice] = field(default_factory=list)
    acts: dict[bytes, int] = field(default_factory=dict)
    """The acts that were carried out, by their hash, each with the last entry that it made."""
    texts: dict[bytes, str] = field(default_factory=dict)
    """What acts say of which the log has only the hash, by that."""
    erased: list[tuple[int, int, bytes]] = field(default_factory=list)
    """Acts whose text is not there any more: whose account it was about, and the entry (seq and id)."""
    unsigned: tuple[int, bytes] | None = None
    """The last entry of the association from before these were signed (seq and id)."""
    own: dict[int, str] = field(init=False)

    def __post_init__(self) -> None:
        chart = self.chart
        self.own = {number: name for name, number in chart.own().items()}
        self.own |= {number: f"reserve account {name!r}" for name, number in chart.reserve.items()}

    @property
    def is_signed(self) -> bool:
        """Whether everything is signed from here on: the charter's note names a machine's key."""
        return bool(self.noted) and self.rules.machine is not None

    def is_member(self, account: int, seq: int) -> bool:
        """Whether the account was an open member's at that place of the log."""
        first, *left = self.there.get(account, [seq])
        return first < seq and not (left and left[0] < seq)

    def is_alone(self, seq: int) -> bool:
        """Whether what was ordered at that place is judged by all that one person let leave alone, and brought in."""
        return self.alone_since is not None and seq > self.alone_since

    def moment(self, seq: int, at: int) -> int:
        """The time by which an entry was judged (us): its `at`, unless that only counts behind a wrong clock's."""
        told = self.clock
        return told.clock if told is not None and told.counts(seq, at) else at

    def name(self, number: int) -> str:
        """An account, for people."""
        return self.own.get(number) or f"account {number:016x}"


def opening(story: Story, record: Record, instruction: Opening) -> Iterator[Said]:
    """An account of a party, of the currency itself or of an issuer; there are no others."""
    account = instruction.account
    kind = instruction.evidence.get("party")
    if kind is not None:
        if kind not in list(PartyKind):
            yield "party_kind_unknown", f"an account was opened for a {kind!r}, which is no kind of party"
        if account != parties.holding(story.rules.network, instruction.id, story.chart.unit):
            yield "account_rules", f"account {account.number:016x} of a party has another number, floor or side"
        hashed = instruction.evidence.get("name")
        if hashed is not None:
            story.names[account.number] = str(hashed)
        elif story.demanded:
            yield "name_missing", f"account {account.number:016x} was opened without the hash of its holder's name"
        story.holders[account.number] = str(kind)
        story.parties[account.number] = instruction.id
        story.there[account.number] = [record.seq]
        if "by" not in instruction.evidence:
            story.brought.add(account.number)
    elif account.number in story.own:
        right = {o.account.number: o.account for o in story.chart.openings()}[account.number]
        if account != right:
            yield "account_rules", f"{story.name(account.number)} was opened with other bounds or another cover"
    elif account.unit == story.chart.unit:
        if account.floor is not None or account.normal is not Side.CREDIT or "issuer" not in instruction.evidence:
            yield "account_rules", f"account {account.number:016x} counts {account.unit} and belongs to nobody"
        # Known to be wrong or not: what it has out are units that something must be behind.
        story.issuers.add(account.number)
    else:
        yield (
            "account_rules",
            f"account {account.number:016x} counts {account.unit} and is none of the currency's own: what passes "
            "through it is in no report",
        )


def closing(story: Story, record: Record, instruction: Closing) -> Iterator[Said]:
    """The end of an account; the currency's own have none."""
    if instruction.number in story.own:
        yield "account_rules", f"{story.name(instruction.number)} was closed"
    story.closed[instruction.number] = record.at
    story.there.get(instruction.number, []).append(record.seq)


def key(story: Story, record: Record, instruction: Note) -> Iterator[Said]:
    evidence = instruction.evidence
    try:
        raw, account = bytes.fromhex(str(evidence["key"])), int(str(evidence["account"]), 16)
        role = str(evidence["role"])
    except (KeyError, ValueError):
        yield "note_malformed", f"a note of {instruction.kind} without key, account and role"
        return
    if instruction.id != derived_id("patard/key", instruction.kind, raw):
        yield "id_not_derived", f"the note of {instruction.kind} has another id than follows from the key"
    known = story.keys.get(raw)
    if instruction.kind == "key_revoked":
        if known is None or known.account != account:
            yield "key_unknown", f"key {raw.hex()[:16]} was revoked, but never registered for this account"
        elif known.revoked_at is None:
            known.revoked_at, story.held[raw].until = record.at, record.seq
        return
    try:
        public_key(raw)
    except KeyRefused as error:
        yield "key_weak", error.detail
    kind = story.holders.get(account)
    if kind is None or role not in parties.ROLES or kind not in parties.ROLES[role]:
        yield "role_not_for_kind", f"key {raw.hex()[:16]} became {role} of an account that is a {kind or 'stranger'}'s"
    if known is not None:
        yield "key_taken", f"key {raw.hex()[:16]} was registered twice"
        return
    if "by" not in evidence and story.demanded:
        yield "note_malformed", f"the note of key {raw.hex()[:16]} does not say who invited it"
    person = number_of(evidence["person"]) if "person" in evidence else None
    if "by" in evidence:
        joining = Key(account, role, person=person)
        yield from _invited(story, Notice(record.seq, instruction.id, ""), raw, joining, evidence["by"])
    if person is not None and story.holders.get(person) != PartyKind.PERSON:
        yield "person_wrong", f"key {raw.hex()[:16]} is said to be held by account {person:016x}, which is no person's"
        person = None
    story.keys[raw] = Key(account, role, person=person)
    by = persons.inviter(evidence.get("by"), record.seq, story.machine_since)
    story.held[raw] = Held(record.seq, account, role, person, by)
    story.joined.add(account)


def _invited(story: Story, place: Notice, raw: bytes, key: Key, by: object) -> Iterator[Said]:
    """Who made the code that this key joined with: its party itself, or the office, which is worth a look.

    So is each key of the office itself that one of its keys invited. Older notes do not say who did; nor did
    invitations made before they did.
    """
    inviting = story.keys.get(bytes_of(by))
    if inviting is not None and inviting.role in parties.OFFICE and key.role in parties.AUDIT:
        told: dict[str, str | int] = {
            "key": shown_key(raw),
            "role": key.role,
            "office": inviting.role,
            "by": str(by)[:SHOWN],
        }
        if key.person is None:
            story.notices.append(place._replace(form=OF_NOBODY, values=told))
        else:
            story.notices.append(place._replace(form=SAID_TO_BE, values={**told, "account": key.person}))
        return
    if inviting is not None and inviting.account == key.account:
        if inviting.role not in parties.SPEND | parties.OFFICE:
            yield "role_insufficient", f"key {raw.hex()[:16]} was invited by the key of a {inviting.role}, who may not"
        return
    if by != CONSOLE and (inviting is None or inviting.role not in parties.OFFICE):
        yield "role_insufficient", f"key {raw.hex()[:16]} was invited by {str(by)[:16]!r}, who held no office"
        return
    if key.account in story.joined:
        form = AT_THE_MACHINE if by == CONSOLE else BY_A_KEY
        told = {"key": shown_key(raw), "role": key.role, "account": key.account, "by": str(by)[:SHOWN]}
        story.notices.append(place._replace(form=form, values=told))


def bytes_of(value: object) -> bytes:
    """The bytes that hex in a record stands for; none when it is not hex."""
    try:
        return bytes.fromhex(str(value))
    except ValueError:
        return b""


def number_of(value: object) -> int:
    """The account number that hex in a record stands for; 0 when it is not hex."""
    try:
        return int(str(value), 16)
    except ValueError:
        return 0
