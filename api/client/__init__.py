"""The client of the API: what the `wallet` command and the tests speak to the server with.

It imports no table and no engine. A key given to it opens a reading session when one is first needed, and a new one
when that has ended. A request is sent again only where that is safe: reading, and whatever the server recognises as
the same (an order of the same bytes, a join with the same code and key).

Two things can go wrong, and a caller must tell them apart: `ApiError`, the server's own answer with a stable code;
and `ServerUnreachable`, no answer of this API. After the second nobody knows what the server did: whoever sent an
order keeps it and sends the very same bytes later.
"""

from api.client.answers import (
    AnswerMalformed,
    Balance,
    Booked,
    Counterparty,
    Currency,
    Day,
    DeviceKey,
    Entry,
    Invite,
    Limits,
    LogHead,
    Me,
    Page,
    Party,
    Payment,
    RequestState,
    Side,
    SignedDirectory,
    Taken,
)
from api.client.bank import Topup
from api.client.calls import Client
from api.client.confirming import Confirmation
from api.client.monthly import Mandate, Monthly, MonthlyTerms, NextDebit, PastDebit
from api.client.payouts import BankDetails, Batch, BatchSignature, BatchTransfer
from api.client.wire import ApiError, ServerUnreachable
from ledger.currency.join_codes import plain_code

__all__ = [
    "AnswerMalformed",
    "ApiError",
    "Balance",
    "BankDetails",
    "Batch",
    "BatchSignature",
    "BatchTransfer",
    "Booked",
    "Client",
    "Confirmation",
    "Counterparty",
    "Currency",
    "Day",
    "DeviceKey",
    "Entry",
    "Invite",
    "Limits",
    "LogHead",
    "Mandate",
    "Me",
    "Monthly",
    "MonthlyTerms",
    "NextDebit",
    "Page",
    "Party",
    "PastDebit",
    "Payment",
    "RequestState",
    "ServerUnreachable",
    "Side",
    "SignedDirectory",
    "Taken",
    "Topup",
    "plain_code",
]
