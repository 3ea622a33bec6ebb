"""A limit on tries, by address, for the one route where guessing could pay: joining with a code."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell

MAX_ADDRESSES = 10_000


class RateLimited(CurrencyError):
    """Too many failures. `wait` is the seconds until the next try."""

    def __init__(self, wait: int) -> None:
        super().__init__("rate_limited", tell("too many wrong codes; wait {wait} seconds", wait=wait))
        self.wait = wait


class Limiter:
    """At most `tries` counted failures in `seconds` from one address; the oldest addresses are forgotten."""

    def __init__(self, tries: int, seconds: int) -> None:
        self.tries = tries
        self.seconds = seconds
        self._failures: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, address: str) -> None:
        """Raise `CurrencyError`, rate_limited, when `address` has failed too often lately."""
        with self._lock:
            recent = self._recent(address)
            if len(recent) >= self.tries:
                raise RateLimited(int(recent[0] + self.seconds - time.monotonic()) + 1)

    def count(self, address: str) -> None:
        """Count a failure of `address`."""
        with self._lock:
            self._failures[address] = [*self._recent(address), time.monotonic()]
            self._failures.move_to_end(address)
            while len(self._failures) > MAX_ADDRESSES:
                self._failures.popitem(last=False)

    def clear(self) -> None:
        """Forget every failure."""
        with self._lock:
            self._failures.clear()

    def _recent(self, address: str) -> list[float]:
        since = time.monotonic() - self.seconds
        return [at for at in self._failures.get(address, []) if at > since]
