"""What the API answers, as typed values. Read strictly: an answer of another shape is not an answer of this API.

Money is whole cents, times are aware datetimes in UTC, accounts stand as `XXXXX-XXXXX-XXXX`, ids, keys and hashes
are bytes. Nothing here is verified: signatures are for whoever holds the keys to check.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple, TypeVar

from ledger.currency.join_codes import shown_code

T = TypeVar("T")


class AnswerMalformed(ValueError):
    """An answer that is not of this API's shape: another server, a login page of some network, a newer version."""


class Fields:
    """One JSON object, read field by field; every miss raises `AnswerMalformed` and names the field."""

    __slots__ = ("_data",)

    def __init__(self, data: object) -> None:
        if not isinstance(data, dict):
            raise AnswerMalformed("an object was expected")
        self._data: Mapping[str, Any] = data

    def text(self, name: str) -> str:
        return self._of(name, str)

    def integer(self, name: str) -> int:
        value = self._of(name, int)
        if isinstance(value, bool):
            raise AnswerMalformed(f"{name}: a whole number was expected")
        return value

    def flag(self, name: str) -> bool:
        return self._of(name, bool)

    def raw(self, name: str) -> bytes:
        try:
            return bytes.fromhex(self.text(name))
        except ValueError:
            raise AnswerMalformed(f"{name}: hex was expected") from None

    def time(self, name: str) -> datetime:
        return moment(self.text(name))

    def day(self, name: str) -> date:
        try:
            return date.fromisoformat(self.text(name))
        except ValueError:
            raise AnswerMalformed(f"{name}: a date was expected") from None

    def object(self, name: str) -> Fields:
        return Fields(self._data.get(name))

    def objects(self, name: str) -> list[Fields]:
        return [Fields(item) for item in self._of(name, list)]

    def texts(self, name: str) -> tuple[str, ...]:
        items = self._of(name, list)
        if not all(isinstance(item, str) for item in items):
            raise AnswerMalformed(f"{name}: texts were expected")
        return tuple(items)

    def all(self) -> dict[str, Any]:
        """The object as it came, for whoever only passes it on."""
        return dict(self._data)

    def maybe(self, read: Callable[[str], T], name: str) -> T | None:
        """`read(name)`, or None where the field is null or left out."""
        return None if self._data.get(name) is None else read(name)

    def _of(self, name: str, kind: type[T]) -> T:
        value = self._data.get(name)
        if not isinstance(value, kind):
            raise AnswerMalformed(f"{name}: {kind.__name__} was expected")
        return value


def moment(text: str) -> datetime:
    """An RFC 3339 time in UTC. Raises `AnswerMalformed`."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise AnswerMalformed(f"{text[:40]!r} is not a time") from None
    if found.tzinfo is None:
        raise AnswerMalformed(f"{text[:40]!r} has no time zone")
    return found.astimezone(UTC)


class Limits(NamedTuple):
    """Cents; None where the charter sets no limit."""

    per_payment: int | None
    per_day: int | None


class Currency(NamedTuple):
    """What everybody may know of the currency. `key` is its public signing key."""

    code: str
    name: str
    symbol: str
    network: bytes
    public_url: str
    key: bytes
    reconversion_fee_bp: int
    reconversion_by: tuple[str, ...]
    limits: Limits
    session_seconds: int
    request_seconds: int
    timezone: str
    waiting_account: str

    @classmethod
    def read(cls, f: Fields) -> Currency:
        limits = f.object("limits")
        return cls(
            f.text("code"),
            f.text("name"),
            f.text("symbol"),
            f.raw("network"),
            f.text("public_url"),
            f.raw("key"),
            f.integer("reconversion_fee_bp"),
            f.texts("reconversion_by"),
            Limits(limits.maybe(limits.integer, "per_payment_cents"), limits.maybe(limits.integer, "per_day_cents")),
            f.integer("session_seconds"),
            f.integer("request_seconds"),
            f.text("timezone"),
            f.text("waiting_account"),
        )


class Party(NamedTuple):
    """A member of the currency. `id` is hex."""

    id: str
    kind: str
    name: str
    account: str

    @classmethod
    def read(cls, f: Fields) -> Party:
        return cls(f.text("id"), f.text("kind"), f.text("name"), f.text("account"))


class Me(NamedTuple):
    """The party that a key acts for, and in what role."""

    party: Party
    role: str
    label: str
    key: bytes

    @classmethod
    def read(cls, f: Fields) -> Me:
        return cls(Party.read(f.object("party")), f.text("role"), f.text("label"), f.raw("key"))


class Balance(NamedTuple):
    """An account's balance in cents, as it stood at `at`."""

    account: str
    unit: str
    cents: int
    at: datetime
    name: str
    kind: str

    @classmethod
    def read(cls, f: Fields) -> Balance:
        name, kind = f.maybe(f.text, "name"), f.maybe(f.text, "kind")
        return cls(f.text("account"), f.text("unit"), f.integer("balance_cents"), f.time("at"), name or "", kind or "")


class Counterparty(NamedTuple):
    """The other side of an entry; a name only where the reader may know it."""

    account: str
    name: str | None
    kind: str | None

    @classmethod
    def read(cls, f: Fields) -> Counterparty:
        return cls(f.text("account"), f.maybe(f.text, "name"), f.maybe(f.text, "kind"))


class Entry(NamedTuple):
    """One line of a statement; `corrects` is the id of the transaction that a refund gives back."""

    id: str
    seq: int
    at: datetime
    booked_on: date | None
    kind: str
    change_cents: int
    balance_cents: int
    counterparty: Counterparty | None
    memo: str | None
    corrects: str | None
    reference: str | None = None
    """The slip or bank line that a conversion comes from."""

    @classmethod
    def read(cls, f: Fields) -> Entry:
        other = f.maybe(f.object, "counterparty")
        return cls(
            f.text("id"),
            f.integer("seq"),
            f.time("at"),
            f.maybe(f.day, "booked_on"),
            f.text("kind"),
            f.integer("change_cents"),
            f.integer("balance_cents"),
            Counterparty.read(other) if other else None,
            f.maybe(f.text, "memo"),
            f.maybe(f.text, "corrects"),
            f.maybe(f.text, "reference"),
        )


class Page(NamedTuple):
    """Entries, newest first, and the cursor of the next page; None at the end."""

    entries: tuple[Entry, ...]
    next_cursor: str | None

    @classmethod
    def read(cls, f: Fields) -> Page:
        return cls(tuple(Entry.read(e) for e in f.objects("entries")), f.maybe(f.text, "next_cursor"))


class Day(NamedTuple):
    """What an account took today, in cents, in so many payments."""

    date: date
    payments: int
    received_cents: int
    refunded_cents: int
    total_cents: int

    @classmethod
    def read(cls, f: Fields) -> Day:
        totals = (f.integer("received_cents"), f.integer("refunded_cents"), f.integer("total_cents"))
        return cls(f.day("date"), f.integer("count"), *totals)


class Taken(NamedTuple):
    """The order is in the log; `receipt` is the text of its receipt, `replay` when it stood there before."""

    id: bytes
    seq: int
    at: datetime
    receipt: str
    replay: bool

    @classmethod
    def read(cls, f: Fields) -> Taken:
        return cls(f.raw("id"), f.integer("seq"), f.time("at"), f.text("receipt"), f.flag("replay"))


class Side(NamedTuple):
    """Payer or payee of a payment."""

    account: str
    name: str | None

    @classmethod
    def read(cls, f: Fields) -> Side:
        return cls(f.text("account"), f.maybe(f.text, "name"))


class Payment(NamedTuple):
    """A payment as its two sides may see it; `receipt` is None for what nobody ordered with a signature."""

    id: str
    kind: str
    seq: int
    at: datetime
    payer: Side
    payee: Side
    amount_cents: int
    refunded_cents: int
    memo: str | None
    receipt: str | None

    @classmethod
    def read(cls, f: Fields) -> Payment:
        return cls(
            f.text("id"),
            f.text("kind"),
            f.integer("seq"),
            f.time("at"),
            Side.read(f.object("payer")),
            Side.read(f.object("payee")),
            f.integer("amount_cents"),
            f.integer("refunded_cents"),
            f.maybe(f.text, "memo"),
            f.maybe(f.text, "receipt"),
        )


class RequestState(NamedTuple):
    """What the server knows of a payment request. `payment_id` is None for a static code."""

    payment_id: str | None
    payee: Counterparty
    amount_cents: int
    label: str
    expires_at: datetime | None
    paid: bool
    expired: bool

    @classmethod
    def read(cls, f: Fields) -> RequestState:
        return cls(
            f.maybe(f.text, "payment_id"),
            Counterparty.read(f.object("payee")),
            f.integer("amount_cents"),
            f.text("label"),
            f.maybe(f.time, "expires_at"),
            f.flag("paid"),
            f.flag("expired"),
        )


class SignedDirectory(NamedTuple):
    """A directory as it was signed: check the signature over `content` before you read it."""

    content: str
    signature: bytes

    @classmethod
    def read(cls, f: Fields) -> SignedDirectory:
        return cls(f.text("content"), f.raw("signature"))


class DeviceKey(NamedTuple):
    """A key of one's own party. `this`: the one that asks."""

    key: bytes
    role: str
    label: str
    added_at: datetime
    revoked_at: datetime | None
    this: bool

    @classmethod
    def read(cls, f: Fields) -> DeviceKey:
        revoked = f.maybe(f.time, "revoked_at")
        return cls(f.raw("key"), f.text("role"), f.text("label"), f.time("added_at"), revoked, f.flag("this"))


class Invite(NamedTuple):
    """A one-time code with which one more device can join."""

    code: str
    expires_at: datetime
    link: str

    @classmethod
    def read(cls, f: Fields, code: str) -> Invite:
        return cls(shown_code(code), f.time("expires_at"), f.text("link_before_code") + code)


class Booked(NamedTuple):
    """A transaction of the office is in the log; `replay` when it stood there before."""

    id: str
    seq: int
    at: datetime
    replay: bool

    @classmethod
    def read(cls, f: Fields) -> Booked:
        return cls(f.text("id"), f.integer("seq"), f.time("at"), f.flag("replay"))


class LogHead(NamedTuple):
    """The log's size and root, when its last record was taken (`at_us` in microseconds), and the signature of it."""

    size: int
    root: bytes
    at: datetime | None
    at_us: int
    signature: bytes

    @classmethod
    def read(cls, f: Fields) -> LogHead:
        at = f.maybe(f.time, "at")
        return cls(f.integer("size"), f.raw("root"), at, f.integer("at_us"), f.raw("signature"))
