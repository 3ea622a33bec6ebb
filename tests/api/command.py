"""The `patard` command in the process of a test, and the currency on which most commands are tried."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from api.home import open_town
from ledger.currency.town import Town
from tests.towns import BANK, CASH

PATARD = Path(sys.executable).with_name("patard")
INIT = ("init", "--code", "PATARD", "--name", "Le Patard", "--bank", BANK, "--cash", CASH, "--fee-bp", "500",
        "--association", "L'association")  # fmt: skip


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error, told as JSON on one line."""
        [line] = self.err.strip().splitlines()
        found: dict[str, Any] = json.loads(line)["error"]
        return found


Run = Callable[..., Ran]


def begun(run: Run, home: Path) -> Town:
    """A currency made by `patard init`, with Alice and a bakery; closed, its home is that of `run`."""
    assert run(*INIT).code == 0
    assert run("party", "add", "person", "Alice Martin").code == 0
    assert run("party", "add", "shop", "Boulangerie").code == 0
    opened = open_town(home)
    opened.book.close()
    return opened
