"""What an act says, held against what the entry did that carries it: one rule for each request that has something done.

An act is the text of a request (`ledger.currency.acts`): method and path, then the body. The server made the entry from
it; here it is read once more, apart from the server, and every field of it must be found in the entry.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeAlias

from ledger.core.ids import account_number
from ledger.core.model import Closing, Evidence, Instruction, Opening, Transaction
from ledger.currency.audit.story import Story, bytes_of, number_of
from ledger.currency.bank.indexing import WITHDRAWN
from ledger.currency.bank.payouts.batches import batch_reference
from ledger.currency.bank.payouts.index import payout_reference
from ledger.currency.bank.placing import Decision, Share, Way, decision_of
from ledger.currency.bank.reference import plain
from ledger.currency.bank.standing import KIND as WHOLE
from ledger.currency.bank.taking import KIND as STATEMENT
from ledger.currency.chart import own_number
from ledger.currency.conversion import plain_reference
from ledger.currency.persons import CONFIRMED, SECONDED

Body: TypeAlias = Mapping[str, Any]
_Rule: TypeAlias = Callable[["_Entry", Body, str], bool]
"""Whether an entry did what a body asks for; the text is what the path names."""


class _Entry:
    """An entry, as the rules below ask it."""

    def __init__(self, story: Story, instruction: Instruction) -> None:
        self.story = story
        self.instruction = instruction
        self.evidence: Evidence = instruction.evidence
        self.kind: str = getattr(instruction, "kind", "")

    def says(self, key: str, value: object) -> bool:
        return self.evidence.get(key) == value

    def holder(self, key: str = "account") -> int:
        return number_of(self.evidence.get(key))


def differs(story: Story, instruction: Instruction, text: str) -> str | None:
    """Why an act is not what the entry did; None where it is."""
    head, _line, said = text.partition("\n")
    method, _blank, target = head.partition(" ")
    path = target.partition("?")[0]
    for pattern, kinds, rule in RULES:
        found = pattern.fullmatch(f"{method} {path}")
        if found is None:
            continue
        entry = _Entry(story, instruction)
        if kinds and entry.kind not in kinds:
            return f"that makes no {entry.kind or type(instruction).__name__.lower()!r}"
        try:
            body = json.loads(said) if said.startswith("{") else {"file": said}
            right = rule(entry, body, found[1] if found.re.groups else "")
        except (KeyError, ValueError, TypeError, AttributeError, LookupError) as error:
            return f"it cannot be read ({error!r})"[:200]
        return None if right else "and the entry did something else"
    return "that has nothing done that is known"


# --- parties and keys ------------------------------------------------------------------------------------


def _admitted(entry: _Entry, body: Body, _named: str) -> bool:
    opening = entry.instruction
    if not isinstance(opening, Opening) or not entry.says("party", body["kind"]):
        return False
    return body.get("id") in (None, opening.id.hex())


def _closed(entry: _Entry, body: Body, named: str) -> bool:
    return isinstance(entry.instruction, Closing) and entry.instruction.number == account_number(named)


def _invited(entry: _Entry, body: Body, _named: str) -> bool:
    key = entry.story.keys.get(bytes_of(entry.evidence.get("by")))
    given, person = body.get("account"), body.get("person")
    account = account_number(given) if given is not None else key.account if key is not None else 0
    whose = account_number(person) if person is not None else 0
    right = entry.says("role", body["role"]) and entry.says("code", body["code_hash"])
    return right and entry.holder() == account and entry.holder("person") == whose


def _of_key(entry: _Entry, body: Body, named: str) -> bool:
    return entry.says("key", named)


def _details(entry: _Entry, body: Body, named: str) -> bool:
    key = entry.story.keys.get(bytes_of(entry.evidence.get("by")))
    account = account_number(named) if named else key.account if key is not None else 0
    return entry.holder() == account


# --- units against euros ---------------------------------------------------------------------------------


def _converted(entry: _Entry, body: Body, _named: str) -> bool:
    made = entry.instruction
    if not isinstance(made, Transaction):
        return False
    units = made.transfers[0]
    reserve = own_number(entry.story.rules.network, f"reserve/{body['reserve']}")
    return (
        (units.credit, units.amount) == (account_number(body["account"]), body["amount_cents"])
        and entry.holder("reserve") == reserve
        and entry.says("reference", plain_reference(body["reference"]))
        and body.get("booked_on") == _day(made.booked_on)
    )


def _corrected(entry: _Entry, body: Body, named: str) -> bool:
    made = entry.instruction
    return isinstance(made, Transaction) and made.corrects == bytes.fromhex(named)


def _decided(entry: _Entry, body: Body, named: str) -> bool:
    return entry.says("asked", named)


# --- lines of the bank -----------------------------------------------------------------------------------


def _placed(entry: _Entry, body: Body, named: str) -> bool:
    decision = decision_of(entry.story.chart, entry.instruction)
    asked = _decision(body)
    if entry.says("line", named):
        return decision == asked.plain()
    # The other line of a pair.
    return asked.way is Way.PAIR and decision.way is Way.PAIR and decision.other == bytes.fromhex(named)


def _decision(body: Body) -> Decision:
    account, other = body.get("account"), body.get("other")
    shares = tuple(
        Share(
            Way(one["way"]),
            one["amount_cents"],
            account_number(one["account"]) if one.get("account") else None,
            one.get("cash"),
        )
        for one in body.get("shares") or ()
    )
    return Decision(
        way=Way(body["way"]), holder=account_number(account) if account else None,
        other=bytes.fromhex(other) if other else None, cash=body.get("cash"), shares=shares,
    )  # fmt: skip


def _put_back(entry: _Entry, body: Body, named: str) -> bool:
    if entry.says("line", named):
        return True
    # Of a pair both lines go back.
    line = entry.story.lines.known.get(bytes_of(entry.evidence.get("line")))
    return line is not None and line.other == bytes.fromhex(named)


def _imported(entry: _Entry, body: Body, _named: str) -> bool:
    """A statement is of the file that was sent; older notes do not say which. An answer of the bank is no statement."""
    if entry.kind != STATEMENT or ("file" not in entry.evidence and not entry.story.rules.says_accounts):
        return True
    hashed = body["file"].removeprefix("sha256:")
    return bool(entry.evidence.get("file", "") == hashed)


def _withdrawn(entry: _Entry, body: Body, named: str) -> bool:
    if entry.kind == WHOLE:
        return entry.says("statement", named)
    # What undoes the lines of the statements; the note stands before it, in the same commit.
    reserve = entry.holder("reserve")
    every, count = entry.story.lines.statements.get(reserve, []), entry.story.lines.withdrawn[reserve]
    return any(one.id.hex() == named for one in every[:count])


def _anything(entry: _Entry, body: Body, _named: str) -> bool:
    return True


# --- files of payouts and debits, mandates ---------------------------------------------------------------


def _ordered(entry: _Entry, body: Body, _named: str) -> bool:
    return body.get("on") is None or entry.says("requested_on", body["on"])


def _of_batch(entry: _Entry, body: Body, named: str) -> bool:
    network, id_ = entry.story.rules.network, bytes_of(entry.evidence.get("batch"))
    # Its number, its id or its message id, which ends with its reference.
    number, own = entry.story.payouts.files[id_].number, batch_reference(network, id_)
    return named in (str(number), id_.hex()) or named.endswith(f"-{own}")


def _of_collection(entry: _Entry, body: Body, named: str) -> bool:
    return named in (str(entry.evidence["number"]), entry.evidence["month"])


def _rejected(entry: _Entry, body: Body, named: str) -> bool:
    return payout_reference(entry.story.rules.network, bytes_of(entry.evidence.get("payout"))) in (named, plain(named))


def _mandated(entry: _Entry, body: Body, _named: str) -> bool:
    named = body.get("id") in (None, entry.evidence.get("mandate"))
    account = body.get("account")
    return named and entry.says("amount", body["amount_cents"]) and (
        account is None or entry.holder() == account_number(account)
    )  # fmt: skip


def _amount(entry: _Entry, body: Body, named: str) -> bool:
    return entry.says("mandate", named) and entry.says("amount", body["amount_cents"])


def _of_mandate(entry: _Entry, body: Body, named: str) -> bool:
    return entry.says("mandate", named)


def _of_month(entry: _Entry, body: Body, _named: str) -> bool:
    return body.get("month") is None or entry.says("month", body["month"])


def _of_debit(entry: _Entry, body: Body, named: str) -> bool:
    return entry.says("reference", named)


def _day(on: date | None) -> str | None:
    return None if on is None else on.isoformat()


_ANY = frozenset[str]()
RULES: tuple[tuple[re.Pattern[str], frozenset[str], _Rule], ...] = tuple(
    (re.compile(pattern), frozenset(kinds), rule)
    for pattern, kinds, rule in (
        (r"POST /v1/parties", _ANY, _admitted),
        (r"DELETE /v1/parties/([^/]+)", _ANY, _closed),
        (r"POST /v1/invites", {"key_added"}, _invited),
        (r"DELETE /v1/keys/([0-9a-f]{64})", {"key_revoked"}, _of_key),
        (r"POST /v1/keys/([0-9a-f]{64})/confirmation", {CONFIRMED, SECONDED}, _of_key),
        (r"PUT /v1/bank-details", {"bank_details"}, _details),
        (r"PUT /v1/parties/([^/]+)/bank-details", {"bank_details"}, _details),
        (r"POST /v1/conversions", {"conversion"}, _converted),
        (r"POST /v1/conversions/([0-9a-f]{32})/correction", {"conversion_corrected"}, _corrected),
        (r"POST /v1/reconversions/([0-9a-f]{32})/acceptance", {"reconversion"}, _decided),
        (r"POST /v1/reconversions/([0-9a-f]{32})/refusal", {"reconversion_refused"}, _decided),
        (r"POST /v1/bank/imports", _ANY, _imported),
        (r"POST /v1/bank/statements/([0-9a-f]{32})/withdrawal", {WHOLE, WITHDRAWN}, _withdrawn),
        (r"POST /v1/bank/lines/([0-9a-f]{32})/placing", _ANY, _placed),
        (r"POST /v1/bank/lines/([0-9a-f]{32})/putting_back", {"bank_back"}, _put_back),
        (r"POST /v1/payouts/batches", {"payouts_ordered"}, _ordered),
        (r"GET /v1/payouts/batches/([^/]+)/file", {"payouts_fetched"}, _of_batch),
        (r"POST /v1/payouts/batches/([^/]+)/withdrawal", {"payouts_withdrawn"}, _of_batch),
        (r"POST /v1/payouts/([^/]+)/rejection", {"payout_rejected", "payout_rejecting"}, _rejected),
        (r"POST /v1/mandates(?:/paper)?", {"mandate_signed"}, _mandated),
        (r"POST /v1/mandates/([0-9a-f]{32})/amounts", {"mandate_amount"}, _amount),
        (r"DELETE /v1/mandates/([0-9a-f]{32})", {"mandate_ended"}, _of_mandate),
        (r"POST /v1/mandates/([0-9a-f]{32})/resumption", {"mandate_resumed"}, _of_mandate),
        (r"POST /v1/notices", {"collection_notices"}, _of_month),
        (r"POST /v1/collections", {"collection_ordered"}, _of_month),
        (r"GET /v1/collections/([^/]+)/file", {"collection_fetched"}, _of_collection),
        (r"POST /v1/collections/([^/]+)/withdrawal", {"collection_withdrawn"}, _of_collection),
        (r"POST /v1/debits/([^/]+)/rejection", {"collection_rejected"}, _of_debit),
        (r"POST /v1/releases", {"releases_asked"}, _anything),
    )
)  # fmt: skip
"""Pattern of a request, the kinds of entries that it may make (none: whatever its rule says), and its rule."""
