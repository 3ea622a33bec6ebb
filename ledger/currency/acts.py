"""Acts: what a device tells the currency to do, signed over the very request, and kept as evidence in the log.

An act is the text of a request: method and path on the first line, then the body as it was sent. The device signs a
salted hash of it, with a last moment, so that the log may keep the text where it holds nothing personal, and only the
hash where it does (names, IBANs); then text and salt stand in a table that can be erased. What is done at the machine
is no request: there the machine's own key signs the entry as it goes into the log. It signs what a device had done
as well: an act says what was asked for, not always all that came of it (the lines of a file, say).

An act makes the entries of one commit, once. A session only reads; it makes no act.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy import Connection, insert, select

from ledger.core import record
from ledger.core.model import Evidence, Instruction, Posted
from ledger.currency import proofs
from ledger.currency.errors import CurrencyError
from ledger.currency.keys import PrivateKey
from ledger.currency.tables import ACT, DEVICE_KEY
from ledger.currency.told import tell

MACHINE = "console"
"""Who acted, in a record, when it was somebody at the machine, or the program by itself, and not a device."""
LONGEST_SECONDS = 3_600
"""How far ahead an act's last moment may lie."""
MAX_TEXT = 6_000
"""Characters of an act, which has to fit into the evidence of an entry."""
COUNTERSIGNED = "countersigned"
"""Key of evidence: the machine's signature of what a device had done."""
KEYS = frozenset({"act", "act_hash", "salt", "until", "signature", COUNTERSIGNED})
"""Keys of evidence that say who vouches for an entry, beside `by`."""
PERSONAL = re.compile(r"POST /v1/parties\n|PUT \S+/bank-details\n|POST /v1/mandates(?:/paper)?\n")
"""Acts whose text names a person or an account at a bank."""

T = TypeVar("T", bound=Instruction)


@dataclass(frozen=True, slots=True)
class Act:
    """What the device `key` signed: `text`, until the second `until`. `salt` is 16 random bytes."""

    key: bytes
    text: str
    salt: bytes
    until: int
    signature: bytes

    @property
    def by(self) -> str:
        """How records name who acted."""
        return self.key.hex()

    @property
    def hash(self) -> bytes:
        """What was signed of the text."""
        return proofs.act_hash(self.salt, self.text)

    @property
    def is_personal(self) -> bool:
        """Whether the log keeps only the hash of the text."""
        return PERSONAL.match(self.text) is not None

    def verify(self, network: bytes, now: int) -> None:
        """Raise `CurrencyError` unless the key signed it, for this currency and for now (seconds).

        Codes: signature_invalid, act_expired.
        """
        proofs.verify_act(network, self.key, self.until, self.hash, self.signature)
        if not now <= self.until <= now + LONGEST_SECONDS:
            raise self.expired()

    def expired(self) -> CurrencyError:
        """That it was signed for another time, and nothing was done."""
        return CurrencyError(
            "act_expired",
            tell(
                "the device signed this for another time; sign it anew, for {most} seconds at most, and look "
                "at its clock",
                most=LONGEST_SECONDS,
            ),
        )

    def evidence(self) -> dict[str, str | int]:
        """What an entry says of the act that made it, beside `by`. Raises `CurrencyError`: body_too_large."""
        if len(self.text) > MAX_TEXT:
            raise CurrencyError("body_too_large", tell("what a device has booked is {most} characters at most",
                                                       most=MAX_TEXT))  # fmt: skip
        said: dict[str, str | int] = {"until": self.until, "signature": self.signature.hex()}
        if self.is_personal:
            return {"act_hash": self.hash.hex(), **said}
        return {"act": self.text, "salt": self.salt.hex(), **said}


def sign(key: PrivateKey, network: bytes, until: int, salt: bytes, text: str) -> Act:
    """The act that the device `key` makes of this text."""
    return Act(key.public, text, salt, until, proofs.sign_act(key, network, until, salt, text))


def plain(instruction: T) -> T:
    """The instruction without what vouches for it: what it does, and who is said to have acted."""
    return replace(instruction, evidence={k: v for k, v in instruction.evidence.items() if k not in KEYS})


def does_the_same(one: Evidence, other: Evidence) -> bool:
    """Whether two evidences say the same but for who acted and what vouches for it."""
    return _core(one) == _core(other)


def _core(evidence: Evidence) -> dict[str, str | int]:
    return {key: value for key, value in evidence.items() if key not in KEYS and key != "by"}


def content(instruction: Instruction) -> bytes:
    """The canonical bytes of an instruction, wherever the log takes it, but for who signed it."""
    said = {key: value for key, value in instruction.evidence.items() if key not in ("signature", COUNTERSIGNED)}
    return record.encode(replace(instruction, evidence=said), 0, 0, "")


def signed_by_machine(instruction: T, network: bytes, machine: PrivateKey) -> T:
    """The instruction with the signature of the machine's key over it, beside that of a device which asked for it."""
    signature = proofs.sign_entry(machine, network, content(instruction))
    where = COUNTERSIGNED if "signature" in instruction.evidence else "signature"
    return replace(instruction, evidence={**instruction.evidence, where: signature.hex()})


def keep(connection: Connection, act: Act, answers: Sequence[Posted]) -> None:
    """Note that the act was carried out, in the commit of its entries. Raises `CurrencyError`: act_used."""
    new = [answer.seq for answer in answers if not answer.replay]
    if not new:
        return
    if connection.execute(select(ACT.c.seq).where(ACT.c.hash == act.hash)).first() is not None:
        raise CurrencyError("act_used", tell("this was carried out before; to do it once more, sign it anew"))
    shown = (act.text, act.salt) if act.is_personal else (None, None)
    connection.execute(insert(ACT).values(hash=act.hash, seq=new[0], text=shown[0], salt=shown[1]))


def require_live(connection: Connection, act: Act, now: int) -> None:
    """Raise `CurrencyError` unless the act's key lives, and its last second is not over at the moment `now` (us): asked
    under the lock of all writing. Codes: key_unknown, act_expired.

    The look at the request may be long ago, for a file waits for others: what a stolen device asks for ends where the
    key is revoked, and nothing is done after the time for which it was signed.
    """
    if now // 1_000_000 > act.until:
        raise act.expired()
    alive = select(DEVICE_KEY.c.key).where(DEVICE_KEY.c.key == act.key, DEVICE_KEY.c.revoked_at.is_(None))
    if connection.execute(alive).first() is None:
        raise CurrencyError("key_unknown", tell("the key that signed this was revoked, and nothing was done"))
