"""A small currency for tests: made in a folder, with a clock and randomness that repeat, and people who pay."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from api.home import found_home, open_town
from ledger.core.ids import account_text
from ledger.currency import acts, clocked, join_codes, parties, proofs
from ledger.currency.charter import Charter, PartyKind, ReserveAccount, ReserveKind
from ledger.currency.errors import CurrencyError
from ledger.currency.keys import PrivateKey
from ledger.currency.messages import NO_REFERENCE, Order, Purpose, SignedOrder, SignedRequest
from ledger.currency.parties import Party
from ledger.currency.sure import Said
from ledger.currency.town import Town
from merchants.desk import Desk, Submission, Taken

NETWORK = bytes.fromhex("5a1e0c7d")
START = 1_750_000_000_000_000
"""Where a test's clock begins: 2025-06-15 15:06:40 UTC, in microseconds."""
BANK, CASH = "Banque", "Caisse"
IBAN = "FR1420041010050500013M02606"


class Clock:
    """Microseconds since the epoch; moves only when told to."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += int(seconds * 1_000_000)


class Entropy:
    """Bytes that look random and are the same in every run."""

    def __init__(self, seed: str = "tests") -> None:
        self.seed = seed
        self.drawn = 0

    def __call__(self, size: int) -> bytes:
        self.drawn += 1
        return hashlib.shake_256(f"{self.seed}/{self.drawn}".encode()).digest(size)


def charter(**changes: Any) -> Charter:
    """A charter as a small town has it."""
    values: dict[str, Any] = {
        "code": "PATARD",
        "name": "Le Patard",
        "symbol": "P",
        "network": NETWORK,
        "reconversion_fee_bp": 500,
        "public_url": "https://pay.example.org",
        "reserve": (
            ReserveAccount(name=BANK, kind=ReserveKind.BANK, iban=IBAN, holder="ASSOCIATION LE PATARD"),
            ReserveAccount(name=CASH, kind=ReserveKind.CASH),
        ),
        "reconversion_by": frozenset({PartyKind.SHOP}),
    }
    return Charter(**{**values, **changes})


def found(folder: Path, rules: Charter | None = None, database_url: str | None = None) -> Town:
    """A currency founded in `folder`, its clock at START."""
    return found_home(folder, rules or charter(), database_url, clock=Clock(), entropy=Entropy())


def clock(town: Town) -> Clock:
    """The town's clock, to be moved."""
    assert isinstance(town.book.clock, Clock)
    return town.book.clock


def told(folder: Path, database_url: str | None = None) -> None:
    """Somebody at the machine says that its clock is right: for programs that open a test's book with it."""
    town = open_town(folder, database_url, as_it_is=True)
    clocked.confirm(town)
    town.book.close()


def sure(town: Town) -> Said:
    """A person's word for the day that the town's clock has."""
    return Said(town.charter.local_date(town.now()))


@contextmanager
def nothing_moves(town: Town) -> Iterator[None]:
    """Holds that the log does not grow: what was refused moved nothing."""
    before = town.book.head()
    yield
    assert town.book.head() == before


class Member(NamedTuple):
    """A party and the key of its first device."""

    party: Party
    key: PrivateKey

    @property
    def account(self) -> int:
        return self.party.account


def key_of(name: str) -> PrivateKey:
    """The device key of that name, the same in every run."""
    return PrivateKey.from_seed(hashlib.sha256(name.encode()).digest())


ROLE = {"person": "member", "shop": "owner", "association": "operator", "public_body": "owner"}


def member(town: Town, kind: str, name: str, role: str | None = None) -> Member:
    """Admit a party and join one device to it."""
    party = parties.admit(town, kind, name)
    return Member(party, join(town, party, role or ROLE[kind], name))


def join(
    town: Town, party: Party, role: str, device: str, *, by: PrivateKey | None = None, person: Party | None = None
) -> PrivateKey:
    """Join another device to a party, invited at the machine or by the key `by`."""
    key, code = key_of(device), join_codes.code_of(town.book.entropy(join_codes.CODE_BYTES))
    hashed = join_codes.code_hash(code)
    asks = {"account": account_text(party.account), "role": role, "code_hash": hashed.hex()}
    asks |= {"person": account_text(person.account)} if person else {}
    inviting = acting(town, by, "POST /v1/invites", **asks) if by else town
    parties.invite_with(inviting, party, role, hashed, by=by.public.hex() if by else "console", person=person)
    parties.join(town, code, key.public, device[:40])
    return key


def acting(town: Town, key: PrivateKey, request: str, **body: Any) -> Town:
    """The town while it carries out what a device signed: a request such as "POST /v1/invites", and its body."""
    method, _, path = request.partition(" ")
    text = proofs.act_text(method, path, json.dumps(body) if body else "")
    salt, until = town.book.entropy(proofs.SALT_BYTES), town.now() // 1_000_000 + 300
    return town.acting(acts.sign(key, town.charter.network, until, salt, text))


def order(
    town: Town, payer: Member, payee: int, amount: int, *, purpose: Purpose = Purpose.PAYMENT,
    reference: bytes = NO_REFERENCE, key: PrivateKey | None = None, id_: bytes | None = None, seconds: int = 300,
) -> SignedOrder:  # fmt: skip
    """A signed order from `payer` to the account `payee`."""
    last = town.now() // 1_000_000 + seconds
    made = Order(town.charter.network, purpose, id_ or town.new_id(), payer.account, payee, amount,
                 town.charter.code, last, reference)  # fmt: skip
    return made.sign(key or payer.key)


def pay(town: Town, payer: Member, payee: Member, amount: int) -> bytes:
    """Pay through the desk; the id of the payment."""
    return take(town, order(town, payer, payee.account, amount))


def refund(town: Town, shop: Member, payer: Member, amount: int, payment: bytes) -> bytes:
    """Refund (a part of) a payment through the desk; the id of the refund."""
    return take(town, order(town, shop, payer.account, amount, purpose=Purpose.REFUND, reference=payment))


def ask_back(town: Town, shop: Member, amount: int) -> bytes:
    """Ask to change back through the desk; the id of the request."""
    return take(town, order(town, shop, town.chart.waiting, amount, purpose=Purpose.RECONVERSION))


def take(town: Town, signed: SignedOrder, request: SignedRequest | None = None) -> bytes:
    """Hand an order to the desk and hold that it was taken; its id."""
    [result] = Desk(town).take([Submission(signed, request)])
    assert isinstance(result, Taken), result
    return signed.order.id


def refusal(town: Town, signed: SignedOrder) -> CurrencyError:
    """Hand an order to the desk and hold that it was refused; why."""
    [result] = Desk(town).take([Submission(signed)])
    assert isinstance(result, CurrencyError), result
    return result
