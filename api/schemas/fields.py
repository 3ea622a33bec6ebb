"""What the models are made of: ids, keys, amounts, dates and times, and how strictly each is read."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ledger.core.ids import account_number, account_text
from ledger.currency import days
from ledger.currency.errors import CurrencyError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(at: int) -> str:
    """A moment (us since the epoch) as RFC 3339 text in UTC, with six decimals."""
    return (_EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment(text: str) -> int:
    """Microseconds since the epoch of an RFC 3339 text. Raises ValueError; a time without zone is refused."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a time needs its zone, such as 2026-11-23T10:00:00Z")
    return (found - _EPOCH) // timedelta(microseconds=1)


def _hex(size: int) -> Any:
    return Field(pattern=rf"^[0-9a-f]{{{2 * size}}}$", min_length=2 * size, max_length=2 * size)


def _account(value: Any) -> Any:
    if isinstance(value, str):
        return account_text(account_number(value))
    return value


def _digits(value: Any) -> Any:
    """An address holds text only, and pydantic would read "1.0", "+1" and "1_0" as 1 and 10."""
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,16}", value, re.ASCII):
        raise ValueError("write a whole number with the digits 0 to 9")
    return value


def _signed_digits(value: Any) -> Any:
    """As _digits, and a minus may stand before them."""
    if isinstance(value, str):
        _digits(value.removeprefix("-"))
    return value


def _calendar_date(value: Any) -> Any:
    """As _digits: 86400 and "2026-11-23T00:00" are dates to pydantic."""
    if not isinstance(value, str):
        raise ValueError("write a date as 2026-11-23")
    try:
        return days.typed(value)
    except CurrencyError as error:
        raise ValueError(error.detail) from None


Limit = Annotated[int, Field(ge=1, le=500), BeforeValidator(_digits)]
Place = Annotated[int, Field(ge=0, lt=2**53), BeforeValidator(_digits)]
Date = Annotated[date, BeforeValidator(_calendar_date)]
Id = Annotated[str, _hex(16)]
Key = Annotated[str, _hex(32)]
Challenge = Annotated[str, _hex(32)]
Signature = Annotated[str, _hex(64)]
Account = Annotated[str, BeforeValidator(_account), Field(max_length=32, examples=["0KX7Q-92MAB-4TZ9"])]
Message = Annotated[str, Field(min_length=1, max_length=512)]
Cents = Annotated[int, Field(ge=1, le=2**32 - 1)]
EuroCents = Annotated[int, Field(ge=1, lt=10**11), BeforeValidator(_digits)]
"""An amount in an address: up to what one bank transfer can carry."""

SignedCents = Annotated[int, Field(gt=-(10**13), lt=10**13), BeforeValidator(_signed_digits)]
"""An amount in an address that may be less than nothing, as on a bank's statement."""


class In(BaseModel):
    """A body on its way in: no unknown keys, no conversions."""

    model_config = ConfigDict(extra="forbid", strict=True)
