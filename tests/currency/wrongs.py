"""Wrongs for the audit to find: how it is asked, and orders as the desk would not make them."""

from __future__ import annotations

from ledger.core.model import Transaction, Transfer
from ledger.currency.audit.walk import Audit, audit
from ledger.currency.messages import Purpose, SignedOrder
from ledger.currency.town import Town

UNIT = "PATARD"


def clean(town: Town) -> Audit:
    done = audit(town)
    assert done.clean, done.findings
    return done


def finds(town: Town, *codes: str, id_: bytes | None = None) -> None:
    """The audit finds exactly these, all at the transaction `id_` if one is given."""
    done = audit(town)
    assert not done.clean
    assert [finding.code for finding in done.findings] == list(codes), done.findings
    if id_ is not None:
        assert {finding.id for finding in done.findings} == {id_}
        assert all(finding.seq for finding in done.findings)


def signed_transaction(signed: SignedOrder, kind: str = "payment", **changes) -> Transaction:
    """What the desk makes of an order, with changes that it would not make."""
    order = signed.order
    values = {
        "transfers": (Transfer(order.payer, order.payee, order.amount, order.unit),),
        "corrects": order.reference if order.purpose is Purpose.REFUND else None,
        "evidence": {"key": signed.key.hex(), "order": order.body().hex(), "signature": signed.signature.hex()},
    }
    return Transaction(order.id, kind, **{**values, **changes})
