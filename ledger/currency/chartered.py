"""The charter in the log: which rules were in force from which place on.

A note says what an auditor needs to judge the entries after it: network and unit, the fee, who may change back, the
reserve accounts by name, with their kinds and the hashes of their IBANs (`salted.reserve_iban`), the key of the
currency and that of the machine that acts for it (public halves), the total of payouts from which two people sign, the
delay of monthly top-ups, every limit, and the time zone in which its days begin. The ids of these notes follow from the
network and a count, so the last one is found without reading the log. Addresses are not in it.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from ledger.core.ids import derived_id
from ledger.core.model import Evidence, Note
from ledger.core.record import Record
from ledger.currency import proofs, salted
from ledger.currency.acts import MACHINE
from ledger.currency.charter import Charter, ReserveKind
from ledger.currency.errors import CurrencyError
from ledger.currency.keys import PublicHalf
from ledger.currency.told import tell
from ledger.currency.town import Town

KIND = "charter"
LIMITS = ("per_payment", "per_day", "per_month", "session_hours", "request_seconds", "cash_per_day", "ahead_per_day",
          "ahead_days")  # fmt: skip
"""Limits that a note says: those of the charter's [limits], and the most of one member's monthly debit."""


GUARDED = 3
"""How much is asked of officers here before euros or units of others move; see `Rules`."""
ALONE_DAYS = 30
"""For so many days what one person let leave alone counts with what they let leave now."""


class Rules(NamedTuple):
    """What a note of the charter says. `reserve` holds names, `key` is the currency's public key (hex).

    `machine` is the key (hex) that signs what is done at the machine, `second_signature_above` cents (see `BankRules`),
    `risk_days` the delay of monthly top-ups (see `MandateRules`); each None in notes from before there were such, too.
    So are the limits (`LIMITS`; cents, hours, seconds or days) where the charter has none; a note that says
    `session_hours` says them all, and with it the log begins to hold the hashes of what stands in tables (`says_all`).
    With `alone_days` whom one person brought in are no two people, and what one let leave alone within so many days
    counts together. With `guarded` a member pays for a line that went out on a treasurer's word only, and imports into
    a currency at work take from no account of before. From 2 on only what the bank or the member's own key said is as
    good as that word, of all lines that one may take back the likeliest counts, what may be cash of a box is placed so,
    or by a treasurer, a line that pays what no file let leave counts with what one person let leave, and units come
    back on the word of as many people as let the file leave. From 3 on what carries one member's reference is given to
    another on a treasurer's word. Older notes: not so.
    """

    version: int
    code: str
    network: bytes
    key: str
    fee_bp: int
    reconversion_by: frozenset[str]
    reserve: tuple[str, ...]
    second_signature_above: int | None = None
    risk_days: int | None = None
    machine: str | None = None
    looked: bool = False
    """Whether an order's key and last moment are held to the very place and time of its entry. Older notes: not so."""
    timezone: str | None = None
    per_payment: int | None = None
    per_day: int | None = None
    per_month: int | None = None
    session_hours: int | None = None
    request_seconds: int | None = None
    cash_per_day: int | None = None
    ahead_per_day: int | None = None
    ahead_days: int | None = None
    kinds: tuple[str, ...] | None = None
    """Of the accounts of the reserve, in their order; None, as `ibans`, in notes from before they said these."""
    ibans: tuple[str, ...] | None = None
    """The hashes of their IBANs; "" of an account that has none."""
    alone_days: int | None = None
    guarded: int = 0

    @property
    def says_all(self) -> bool:
        """Whether the note says every limit: those before did not."""
        return self.session_hours is not None

    @property
    def says_accounts(self) -> bool:
        """Whether the note says kinds and IBANs of the reserve's accounts; from it on statements say whose they are."""
        return self.ibans is not None

    def kind_of(self, name: str) -> str | None:
        """The kind of an account of the reserve; None where there is none of that name, or the note does not say."""
        return dict(zip(self.reserve, self.kinds or (), strict=False)).get(name)

    def iban_of(self, name: str) -> str | None:
        """The hash of the IBAN of an account of the reserve; None as in `kind_of`."""
        return dict(zip(self.reserve, self.ibans or (), strict=False)).get(name)

    def fee(self, amount: int) -> int:
        """What changing `amount` cents back cost under these rules, in cents (see `Charter.fee`)."""
        return (amount * self.fee_bp + 5_000) // 10_000

    def signers(self, total: int) -> int:
        """How many different people sign a file of payouts that comes to `total` cents, at the least (see `alone`)."""
        return 2 if self.second_signature_above is not None and total > self.second_signature_above else 1


def awaited_alone(second_signature_above: int | None, ahead_per_day: int | None) -> int | None:
    """How much one person may have typed ahead of statements (cents) and accept that somebody changes back; None: any.

    As much as one person's signature is enough for; where two never sign, what one person types in a day.
    """
    return ahead_per_day if second_signature_above is None else second_signature_above


def rules_of(town: Town, version: int = 1) -> Rules:
    """The rules of a town's charter, as the note number `version` would say them."""
    charter = town.charter
    return Rules(
        version, charter.code, charter.network, town.key.public.hex(), charter.reconversion_fee_bp,
        frozenset(str(kind) for kind in charter.reconversion_by), tuple(a.name for a in charter.reserve),
        charter.bank.second_signature_above, charter.mandates.risk_days if charter.mandates else None,
        town.machine.public.hex() if town.machine else None, True, charter.timezone, **limits_of(charter),
        alone_days=ALONE_DAYS, kinds=tuple(str(a.kind) for a in charter.reserve),
        ibans=tuple(salted.reserve_iban(town.key, a.iban) for a in charter.reserve), guarded=GUARDED,
    )  # fmt: skip


def turned_to_cash(before: Rules, after: Rules, name: str) -> bool:
    """Whether an account of the reserve that was a bank's is cash now: no statement would have to explain it."""
    return before.kind_of(name) == ReserveKind.BANK and after.kind_of(name) == ReserveKind.CASH


def limits_of(charter: Charter) -> dict[str, int | None]:
    """The limits of a charter, by their names in `LIMITS`."""
    found = {name: getattr(charter.limits, name, None) for name in LIMITS}
    return {**found, "per_month": charter.mandates.per_month if charter.mandates else None}


def as_of_then(town: Town, noted: Rules) -> Rules:
    """The rules of a town's charter, as far as a note of before says them: older ones do not say all.

    A charter of before is none that was changed because this program says more in its note.
    """
    rules = rules_of(town, noted.version)
    missing = [] if noted.says_all else ["timezone", *LIMITS]
    # Whoever reads with the public key alone has not the machine's either, and goes by what the log says of it.
    absent = town.machine is None and isinstance(town.key, PublicHalf)
    missing += ["machine"] if absent or not noted.machine else []
    missing += [] if noted.looked else ["looked"]
    missing += ["guarded"] if noted.guarded < rules.guarded else []
    missing += [] if noted.says_accounts else ["kinds", "ibans"]
    missing += [] if noted.alone_days else ["alone_days"]
    return rules._replace(**{name: getattr(noted, name) for name in missing})


def note_of(rules: Rules) -> Note:
    """The note that puts `rules` into the log."""
    evidence: dict[str, str | int] = {
        "code": rules.code,
        "version": rules.version,
        "fee_bp": rules.fee_bp,
        "key": rules.key,
        "network": rules.network.hex(),
        "reconversion_by": ",".join(sorted(rules.reconversion_by)),
        "reserve": json.dumps(rules.reserve, ensure_ascii=False, separators=(",", ":")),
    }
    if rules.second_signature_above is not None:
        evidence["second_signature_above"] = rules.second_signature_above
    if rules.machine is not None:
        evidence |= {"by": MACHINE, "machine": rules.machine}
    evidence |= {name: int(getattr(rules, name)) for name in ("looked", "guarded") if getattr(rules, name)}
    for name in ("risk_days", "timezone", *LIMITS, "alone_days"):
        if (said := getattr(rules, name)) is not None:
            evidence[name] = said
    for name in ("kinds", "ibans"):
        if (each := getattr(rules, name)) is not None:
            evidence[name] = ",".join(each)
    return Note(note_id(rules.network, rules.version), KIND, evidence)


def note_id(network: bytes, version: int) -> bytes:
    """Id of the charter's note number `version`, from 1."""
    return derived_id("patard/charter", network, str(version))


def read(evidence: Evidence) -> Rules:
    """The rules that a note's evidence says. Raises `ValueError` when it is not such a note's."""
    try:
        reserve = json.loads(str(evidence["reserve"]))
        if type(reserve) is not list or any(type(name) is not str for name in reserve):
            raise ValueError("reserve is not a list of names")
        by = str(evidence["reconversion_by"])
        limit, delay = (_whole(evidence, name) for name in ("second_signature_above", "risk_days"))
        zone = str(evidence["timezone"]) if "timezone" in evidence else None
        return Rules(
            int(evidence["version"]), str(evidence["code"]), bytes.fromhex(str(evidence["network"])),
            str(evidence["key"]), int(evidence["fee_bp"]), frozenset(by.split(",") if by else ()), tuple(reserve),
            limit, delay, None if "machine" not in evidence else str(evidence["machine"]), evidence.get("looked") == 1,
            zone, **{name: _whole(evidence, name) for name in (*LIMITS, "alone_days")},
            kinds=_each(evidence, "kinds", len(reserve)), ibans=_each(evidence, "ibans", len(reserve)),
            guarded=_whole(evidence, "guarded") or 0,
        )  # fmt: skip
    except KeyError as error:
        raise ValueError(f"a note of the charter says {error}; this one does not") from error


def _whole(evidence: Evidence, name: str) -> int | None:
    found = evidence.get(name)
    if found is None:
        return None
    if type(found) is not int or found < 0:
        raise ValueError(f"{name} is no whole number")
    return found


def _each(evidence: Evidence, name: str, accounts: int) -> tuple[str, ...] | None:
    if name not in evidence:
        return None
    found = tuple(str(evidence[name]).split(","))
    if len(found) != accounts or ("kinds" in evidence) != ("ibans" in evidence):
        raise ValueError(f"{name} are not those of the accounts of the reserve")
    return found


def rules_in(record: Record | None) -> Rules | None:
    """The rules that a log entry puts in force; None when it is no note of the charter."""
    if record is None or not isinstance(record.instruction, Note) or record.instruction.kind != KIND:
        return None
    return read(record.instruction.evidence)


def latest(town: Town) -> Rules | None:
    """The rules that the log has for this network, or None when it has none."""
    found = list(noted(town))
    return found[-1] if found else None


def noted(town: Town) -> Iterator[Rules]:
    """The rules that the log has for this network, from the first on."""
    version = 1
    while rules := rules_in(town.book.find(note_id(town.charter.network, version))):
        yield rules
        version += 1


def hold(town: Town, rules: Rules | None) -> None:
    """From now on `town` posts nothing new once the log has another charter than `rules`, the last one noted now."""
    town.following[:] = [note_id(town.charter.network, rules.version + 1 if rules else 1)]


class Zones:
    """The time zones in which days were told, by the charters that the log has.

    What counted for a day goes on to do so when the charter says another zone later. The first that is noted holds for
    what was before, too; where none is, that of the charter in use.
    """

    def __init__(self, town: Town) -> None:
        self._noted: list[tuple[int, Charter]] = []
        version = 1
        while (record := town.book.find(note_id(town.charter.network, version))) is not None:
            zone = record.instruction.evidence.get("timezone")
            if zone is not None and (not self._noted or zone != self._noted[-1][1].timezone):
                charter = town.charter
                try:
                    charter = charter if zone == charter.timezone else replace(charter, timezone=str(zone))
                    self._noted.append((record.seq, charter))
                except ValueError:
                    pass  # no zone that there is: nobody here wrote that note, and `check` finds it
            version += 1
        self._noted = self._noted or [(0, town.charter)]
        self._places = [seq for seq, _charter in self._noted]

    def at(self, seq: int) -> Charter:
        """The charter in use, with the zone that was noted when the log took the entry `seq`."""
        return self._noted[max(0, bisect_left(self._places, seq) - 1)][1]

    def local_date(self, seq: int, at_us: int) -> date:
        """The local day of a moment (us) of the entry `seq`."""
        return self.at(seq).local_date(at_us)


def machine_since(town: Town) -> int | None:
    """Place of the first charter of the log that names the key of the machine; None where none does.

    What was done without a signature before it is shown as of before.
    """
    return _said_since(town, "machine")


def alone_since(town: Town) -> int | None:
    """Place of the first charter of the log that says `alone_days`; None where none does.

    Files that were ordered before it go on by the rule of before.
    """
    return _said_since(town, "alone_days")


def _said_since(town: Town, name: str) -> int | None:
    version = 1
    while (record := town.book.find(note_id(town.charter.network, version))) is not None:
        if name in record.instruction.evidence:
            return record.seq
        version += 1
    return None


def keep(town: Town, before: Rules | None) -> Rules:
    """Put the charter into the log if it differs from the rules `before`, the latest there; from now on it holds.

    Raises `CurrencyError`: charter_kind_changed.
    """
    version = before.version + 1 if before else 1
    rules = rules_of(town, version)
    for name in before.reserve if before else ():
        if before and turned_to_cash(before, rules, name) and town.book.account(town.chart.reserve[name]).last:
            raise CurrencyError(
                "charter_kind_changed",
                tell(
                    'the books have the reserve account "{name}" as a bank account, whose statements explain its '
                    'euros, and the charter makes it cash: put back kind = "bank" (a cash box is another '
                    "[[reserve]])",
                    name=name,
                ),
            )
    if before is not None and rules._replace(version=before.version) == before:
        rules = before
    else:
        hold(town, before)
        note = note_of(rules)
        if town.machine is not None and (before is None or rules.machine != before.machine):
            # The key of the machine is new here: the own key of the currency vouches for it.
            vouched = town.key.sign(proofs.machine_message(rules.network, town.machine.public)).hex()
            note = replace(note, evidence={**note.evidence, "vouched": vouched})
        town.post(note)
    hold(town, rules)
    return rules


_BOUNDS = ("fee_bp", "second_signature_above", "risk_days", *LIMITS)
"""What a charter lets one person do, or members: whoever raises such a bound for an hour is seen."""


def changed(before: Rules, rules: Rules) -> str:
    """The bounds that a charter says otherwise than the one before; what it says for the first time is none."""
    both = ((name, getattr(before, name), getattr(rules, name)) for name in _BOUNDS)
    first = not before.says_all and rules.says_all
    return ", ".join(
        f"{name} {'none' if old is None else old} -> {'none' if new is None else new}"
        for name, old, new in both
        if old != new and not (first and name in LIMITS)
    )
