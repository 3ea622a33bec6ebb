"""What each kind of entry must look like for the currency: one function a kind, from a record to what is wrong.

Pure, but for the story that `audit` gathers on its way through the log and hands in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ledger.core.ids import derived_id
from ledger.core.model import Evidence, Note, Transaction, Transfer
from ledger.core.record import Record
from ledger.currency import parties
from ledger.currency.audit import limits, vouching
from ledger.currency.audit.story import Asked, Notice, Said, Story, bytes_of, number_of
from ledger.currency.audit.typed import Typed
from ledger.currency.audit.vouching import ON_ITS_WAY
from ledger.currency.chart import EUR
from ledger.currency.conversion import corrected_id
from ledger.currency.imported import opening_id
from ledger.currency.messages import NO_REFERENCE, MessageError, Order, Purpose, SignedOrder
from ledger.currency.uncovered import HELD

PURPOSES = {"payment": Purpose.PAYMENT, "refund": Purpose.REFUND, "reconversion_asked": Purpose.RECONVERSION}

TREASURER = frozenset({"treasurer"})
"""Roles that decide what is changed back, and undo conversions."""


# --- orders ----------------------------------------------------------------------------------------------


def order(story: Story, record: Record, transaction: Transaction) -> Iterator[Said | SignedOrder]:
    """A payment, a refund or a request to change back. The signature itself is left to whoever called."""
    evidence = transaction.evidence
    try:
        body, key, signature = (bytes.fromhex(str(evidence[name])) for name in ("order", "key", "signature"))
        signed = SignedOrder(Order.from_bytes(body), key, signature)
    except KeyError:
        yield "order_missing", f"a {transaction.kind} without the payer's signed order"
        return
    except (MessageError, ValueError) as error:
        yield "order_malformed", f"the order in the evidence is none: {error}"
        return
    yield signed
    asked = signed.order
    for what, in_order, in_record in (
        ("network", asked.network, story.rules.network),
        ("id", asked.id, transaction.id),
        ("purpose", asked.purpose, PURPOSES[transaction.kind]),
    ):
        if in_order != in_record:
            yield "order_differs", f"the {what} of the order signed is not that of the entry"
    ordered = _tried(lambda: Transfer(asked.payer, asked.payee, asked.amount, asked.unit))
    if transaction.transfers != (ordered,):
        moved = "; ".join(f"{t.amount} {t.unit} from {story.name(t.debit)} to {story.name(t.credit)}"
                          for t in transaction.transfers)  # fmt: skip
        yield (
            "order_differs",
            f"moved {moved}; the payer signed {asked.amount} {asked.unit} from {story.name(asked.payer)} "
            f"to {story.name(asked.payee)}",
        )
    moment = story.moment(record.seq, record.at)
    slack = 0 if story.rules.looked else ON_ITS_WAY
    if asked.is_expired((moment - slack) // 1_000_000):
        yield "order_expired", "the order's last moment had passed when it was posted"
    if asked.purpose is Purpose.PAYMENT:
        yield from limits.payment(story, moment, asked)
    story.began = True
    yield from _actor(story, record, key, asked)
    yield from _sides(story, transaction, asked)


def _actor(story: Story, record: Record, raw: bytes, asked: Order) -> Iterator[Said]:
    key = story.keys.get(raw)
    if key is None:
        yield "key_unknown", f"signed by key {raw.hex()[:16]}, which was not registered then"
        return
    if key.account != asked.payer:
        yield "key_unknown", f"signed by key {raw.hex()[:16]}, which does not act for the payer"
    if key.revoked_at is not None and (story.rules.looked or key.revoked_at + ON_ITS_WAY < record.at):
        yield "key_revoked", f"signed by key {raw.hex()[:16]}, which had been revoked"
    allowed = parties.TAKE if asked.purpose is Purpose.REFUND else parties.SPEND
    if key.role not in allowed:
        yield "role_insufficient", f"signed by the key of a {key.role}, who may not"


def _sides(story: Story, transaction: Transaction, asked: Order) -> Iterator[Said]:
    if asked.purpose is Purpose.RECONVERSION:
        story.asked[transaction.id] = Asked(asked.payer, asked.amount)
        if asked.payee != story.chart.waiting:
            yield "order_differs", "a request to change back went to another account than the waiting one"
        if story.holders.get(asked.payer) not in story.rules.reconversion_by:
            yield "reconversion_not_allowed", "the charter did not let this kind of party change back"
    elif asked.payee not in story.holders:
        yield "payee_unknown", f"paid to {story.name(asked.payee)}, which is no member's"
    corrects = asked.reference if asked.purpose is Purpose.REFUND else NO_REFERENCE
    if (transaction.corrects or NO_REFERENCE) != corrects:
        yield "order_differs", "the entry corrects another transaction than the order names"


# --- the association -------------------------------------------------------------------------------------


def conversion(story: Story, record: Record, transaction: Transaction) -> Iterator[Said]:
    evidence, chart = transaction.evidence, story.chart
    yield from acted(story, record, evidence, parties.OFFICE)
    units = [t for t in transaction.transfers if t.unit == chart.unit]
    euros = [t for t in transaction.transfers if t.unit == EUR]
    names = {number: name for name, number in chart.reserve.items()}
    reserve = names.get(number_of(evidence.get("reserve")))
    reference = str(evidence.get("reference", ""))
    if reserve is None or not reference:
        yield "reference_missing", "issued without the slip or bank line that brought the euros"
    elif transaction.id != derived_id("patard/conversion", story.rules.network, reserve, reference):
        yield "id_not_derived", f"its id does not follow from {reference} on {reserve!r}: that could issue twice"
    story.began = True
    first, day = transaction.transfers[0], transaction.booked_on
    typed = Typed(record.seq, record.at, str(evidence.get("by", "")), number_of(evidence.get("reserve")), first.credit,
                  first.amount, day.isoformat() if day else None, reference)  # fmt: skip
    yield from story.typed.take(story.rules, story.held, record, transaction, typed)
    if len(units) != 1 or len(euros) != 1 or len(transaction.transfers) != 2 or units[0].amount != euros[0].amount:
        yield "conversion_shape", "not one amount of units against the same amount of euros"
        return
    if units[0].debit != chart.circulation or units[0].credit not in story.holders:
        yield "conversion_shape", "the units did not go from circulation to a member"
    if euros[0].debit != number_of(evidence.get("reserve")) or euros[0].credit != chart.guarantee:
        yield "conversion_shape", "the euros did not go from the reserve account named to the guarantee"
    story.conversions[transaction.id] = [(t.credit, t.debit, t.amount, t.unit) for t in transaction.transfers]


def corrected(story: Story, record: Record, transaction: Transaction) -> Iterator[Said]:
    """A conversion that was mistyped, taken back: all of it, units and euros, once."""
    yield from acted(story, record, transaction.evidence, TREASURER)
    conversion_id = transaction.corrects or b""
    story.typed.correct(record, conversion_id)
    if conversion_id in story.lines.named:
        yield "conversion_banked", "it takes back a conversion whose euros a bank line shows to be there"
    way_back = story.conversions.pop(conversion_id, None)
    if way_back is None:
        yield "correction_unrelated", "it takes back a conversion that there is none of, or that was taken back before"
        return
    if transaction.id != corrected_id(conversion_id):
        yield "id_not_derived", "its id does not follow from the conversion: that could be taken back twice"
    if _plain(transaction) != way_back:
        yield "conversion_shape", "not the whole conversion, units and euros, was taken back"


def reserve_opening(story: Story, record: Record, transaction: Transaction) -> Iterator[Said]:
    evidence, chart = transaction.evidence, story.chart
    yield from acted(story, record, evidence, parties.OFFICE)
    names = {number: name for name, number in chart.reserve.items()}
    number, reference = number_of(evidence.get("reserve")), str(evidence.get("reference", ""))
    if number not in names or not reference:
        yield "reference_missing", "opened without the statement that shows the euros"
    elif transaction.id != opening_id(story.rules.network, names[number], reference):
        yield "id_not_derived", f"its id does not follow from {reference}: that could be booked twice"
    euros, *units = transaction.transfers
    if (euros.debit, euros.credit, euros.unit) != (number, chart.guarantee, EUR):
        yield "opening_shape", "the euros did not go from the reserve account named to the guarantee"
    for t in units:
        if t.debit != chart.circulation or t.credit not in story.issuers:
            yield "opening_shape", f"units went to {story.name(t.credit)}, which is no issuer's"


def accepted(story: Story, record: Record, transaction: Transaction) -> Iterator[Said]:
    chart, asked = story.chart, _decided(story, transaction)
    yield from acted(story, record, transaction.evidence, TREASURER)
    if asked is None:
        yield "reconversion_unasked", "nobody asked for this change back, or it was decided already"
        return
    by = str(transaction.evidence.get("by"))
    yield from story.typed.accepting(story.rules, story.held, story.lines, record, by)
    if transaction.id != derived_id("patard/reconversion-decided", bytes_of(transaction.evidence.get("asked"))):
        yield "id_not_derived", "its id does not follow from the request: that could be decided twice"
    fee = story.rules.fee(asked.amount)
    right = [(chart.waiting, chart.circulation, asked.amount, chart.unit)]
    right += [(chart.guarantee, chart.payouts, asked.amount - fee, EUR)] if asked.amount > fee else []
    right += [(chart.guarantee, chart.income, fee, EUR)] if fee else []
    if sorted(_plain(transaction)) != sorted(right):
        taken = sum(t.amount for t in transaction.transfers if t.credit == chart.income)
        yield (
            "reconversion_shape",
            f"changing {asked.amount} back costs {fee} and pays {asked.amount - fee}; the entry took a fee of {taken} "
            "or moved something else",
        )


def refused(story: Story, record: Record, transaction: Transaction) -> Iterator[Said]:
    asked = _decided(story, transaction)
    yield from acted(story, record, transaction.evidence, TREASURER)
    if asked is None:
        yield "reconversion_unasked", "nobody asked for this change back, or it was decided already"
        return
    if transaction.id != derived_id("patard/reconversion-decided", bytes_of(transaction.evidence.get("asked"))):
        yield "id_not_derived", "its id does not follow from the request: that could be decided twice"
    if _plain(transaction) != [(story.chart.waiting, asked.account, asked.amount, story.chart.unit)]:
        yield "reconversion_shape", "the units did not all go back to whoever asked"


def imported(story: Story, record: Record, transaction: Transaction) -> Iterator[Said]:
    yield from vouching.imported(story)
    for t in transaction.transfers:
        for number in (t.debit, t.credit):
            if number not in story.holders and number not in story.issuers:
                yield "import_shape", f"an import moved {story.name(number)}, neither a member's nor an issuer's"
        if transaction.evidence.get(HELD) != 1 and story.began and t.debit in story.issuers:
            form = "{amount} units were imported for {name}, to be spent, by a currency at work"
            values: dict[str, str | int] = {"amount": t.amount, "name": story.name(t.credit)}
            story.notices.append(Notice(record.seq, transaction.id, form, values))
        theirs = t.debit in story.holders and (t.debit not in story.brought or t.debit in story.moved)
        if theirs and story.began and story.rules.guarded:
            text = f"an import took from {story.name(t.debit)}, which holds more than imports brought"
            yield "import_of_members", text
        if t.debit in story.joined:
            yield "import_after_joining", f"an import took from {story.name(t.debit)}, whose holder signed nothing"


def bank_details(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """Where a party is paid from now on, as a hash; or that it was forgotten. Said by the party, or by the office."""
    evidence = note.evidence
    account, hashed = number_of(evidence.get("account")), evidence.get("hash")
    key = story.keys.get(bytes_of(evidence.get("by")))
    mine = key is not None and key.account == account and key.role in parties.SPEND
    yield from acted(story, record, evidence, parties.SPEND if mine else parties.OFFICE)
    if account not in story.holders or (hashed is not None and len(bytes_of(hashed)) != 32):
        yield "note_malformed", "a note of bank details without the account of a party and the hash of what is paid to"
        return
    story.details[account] = None if hashed is None else str(hashed)
    (story.own_details.add if mine else story.own_details.discard)(account)
    if key is not None and key.account != account and hashed is not None:
        form = "key {key} of the association said where account {account} is paid"
        said: dict[str, str | int] = {"key": str(evidence["by"])[:16], "account": account}
        story.notices.append(Notice(record.seq, note.id, form, said))


def other(story: Story, record: Record, transaction: Transaction) -> Iterator[Said]:
    """A kind that the currency does not know: nobody can tell whether it was allowed, whatever it moves."""
    yield "kind_unknown", f"a kind of entry that the currency does not have: {transaction.kind!r}"
    for t in transaction.transfers:
        for number in (t.debit, t.credit):
            if t.unit == story.chart.unit or number == story.chart.guarantee:
                yield (
                    "movement_unexplained",
                    f"a {transaction.kind!r} moved {t.amount} {t.unit} of {story.name(number)} without anybody's order",
                )
                return


def acted(story: Story, record: Record, evidence: Evidence, roles: frozenset[str]) -> Iterator[Said]:
    """Whoever acted for the association was at its machine, or held a key for it; and signed it (see `vouching`)."""
    return vouching.vouched(story, record, roles)


def _decided(story: Story, transaction: Transaction) -> Asked | None:
    return story.asked.pop(bytes_of(transaction.evidence.get("asked")), None)


def _plain(transaction: Transaction) -> list[tuple[int, int, int, str]]:
    return [(t.debit, t.credit, t.amount, t.unit) for t in transaction.transfers]


def _tried(make: Callable[[], Transfer]) -> Transfer | None:
    try:
        return make()
    except ValueError:  # payer and payee are one account, say
        return None
