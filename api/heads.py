"""The end of the log, signed once a minute while a server runs, if the log grew meanwhile."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from ledger.core.store import StoreError
from ledger.currency import heads_file
from ledger.currency.town import Town

LOGGER = logging.getLogger("patard")
SECONDS = 60


class Heads:
    """Signs the heads of one server's log, and writes them to the file `path` beside the table, where one is given."""

    def __init__(self, town: Town, path: Path | None = None) -> None:
        self.town = town
        self.path = path
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._tick, name="heads", daemon=True)
        self._told = ""

    def start(self) -> None:
        """Sign from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Sign the last one; call it when nothing is posted any more."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        self._sign()

    def _tick(self) -> None:
        while not self._ending.wait(SECONDS):
            self._sign()

    def _sign(self) -> None:
        try:
            trouble = heads_file.record(self.town, self.path)
        except StoreError as error:
            LOGGER.warning("the end of the log is not signed: %s", error)
            return
        except Exception:
            LOGGER.exception("signing the end of the log")
            return
        told = trouble.code if trouble is not None else ""
        if trouble is not None and told != self._told:
            LOGGER.warning("%s", trouble.detail)  # once, not once a minute
        self._told = told
