"""The charter in the log: which rules were in force from which place on.

A note says what an auditor needs to judge the entries after it: network and unit, the fee, who may change back, the
reserve accounts by name, the currency's public key, the total of payouts from which two people sign, the delay of
monthly top-ups. The ids of these notes follow from the network and a count, so the last one is found without reading
the log. Addresses and IBANs are not in it.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from ledger.core.ids import derived_id
from ledger.core.model import Evidence, Note
from ledger.core.record import Record
from ledger.currency.charter import Charter
from ledger.currency.errors import CurrencyError
from ledger.currency.town import Town

KIND = "charter"


class Rules(NamedTuple):
    """What a note of the charter says. `reserve` holds names, `key` is the currency's public key (hex).

    `second_signature_above` is cents (see `BankRules`), `risk_days` the delay of monthly top-ups (see `MandateRules`);
    None in notes from before there were such, too.
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

    def fee(self, amount: int) -> int:
        """What changing `amount` cents back cost under these rules, in cents (see `Charter.fee`)."""
        return (amount * self.fee_bp + 5_000) // 10_000

    def signers(self, total: int) -> int:
        """How many different people sign a file of payouts that comes to `total` cents."""
        return 2 if self.second_signature_above is not None and total > self.second_signature_above else 1


def rules_of(charter: Charter, key: bytes, version: int = 1) -> Rules:
    """The rules of a charter, as the note number `version` would say them."""
    return Rules(
        version, charter.code, charter.network, key.hex(), charter.reconversion_fee_bp,
        frozenset(str(kind) for kind in charter.reconversion_by), tuple(a.name for a in charter.reserve),
        charter.bank.second_signature_above, charter.mandates.risk_days if charter.mandates else None,
    )  # fmt: skip


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
    if rules.risk_days is not None:
        evidence["risk_days"] = rules.risk_days
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
        return Rules(
            int(evidence["version"]), str(evidence["code"]), bytes.fromhex(str(evidence["network"])),
            str(evidence["key"]), int(evidence["fee_bp"]), frozenset(by.split(",") if by else ()), tuple(reserve),
            limit, delay,
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


def rules_in(record: Record | None) -> Rules | None:
    """The rules that a log entry puts in force; None when it is no note of the charter."""
    if record is None or not isinstance(record.instruction, Note) or record.instruction.kind != KIND:
        return None
    return read(record.instruction.evidence)


def latest(town: Town) -> Rules | None:
    """The rules that the log has for this network, or None when it has none."""
    found = None
    while rules := rules_in(town.book.find(note_id(town.charter.network, found.version + 1 if found else 1))):
        found = rules
    return found


def machine_since(town: Town) -> int | None:
    """Place of the first charter of the log that names the machine's key; None where none does.

    What was done without a signature before it is shown as of before.
    """
    version = 1
    while (record := town.book.find(note_id(town.charter.network, version))) is not None:
        if "machine" in record.instruction.evidence:
            return record.seq
        version += 1
    return None


def require_latest(town: Town) -> None:
    """Hold that the charter in use is the last one noted: another process may have opened the book with a newer one.

    Raises `CurrencyError`: charter_changed.
    """
    noted = latest(town)
    if noted is None or noted != rules_of(town.charter, town.key.public, noted.version):
        raise CurrencyError(
            "charter_changed", "the charter was changed since this program started, and nothing was done: restart it"
        )


def keep(town: Town, before: Rules | None) -> Rules:
    """Put the charter into the log if it differs from the rules `before`, the latest there."""
    version = before.version + 1 if before else 1
    rules = rules_of(town.charter, town.key.public, version)
    if before is not None and rules._replace(version=before.version) == before:
        return before
    town.post(note_of(rules))
    return rules
