"""One line for whatever ends a command, with the exit code that goes with it. Never a traceback.

With PATARD_DEBUG=1 the traceback is shown besides.
"""

from __future__ import annotations

import os
import traceback

from api.commands.console import Exit, _
from api.home import HomeError
from api.usage import complaint
from ledger.core.clock import ClockDiffers
from ledger.core.store import StoreError
from ledger.currency.charter import CharterError
from ledger.currency.errors import CurrencyError
from ledger.currency.told import detail_of, why


def told(error: Exception) -> tuple[Exit, str, str]:
    """Exit code, stable code and what to say of `error`."""
    if os.environ.get("PATARD_DEBUG") == "1":
        traceback.print_exception(error)
    if hasattr(error, "format_message"):  # a complaint of the command line's parser
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "patard"
        more = _("{problem} `{command} --help` says more.")
        return Exit.USAGE, "usage", more.format(problem=complaint(error.format_message(), _), command=path)
    if isinstance(error, HomeError | StoreError):
        return Exit.UNUSABLE, error.code, reason(error.code, detail_of(error))
    if isinstance(error, CharterError):
        return Exit.UNUSABLE, "charter_wrong", error.in_words(_)
    if isinstance(error, ClockDiffers):
        return Exit.UNUSABLE, error.code, reason(error.code, detail_of(error))
    if isinstance(error, CurrencyError):
        return Exit.REFUSED, error.code, reason(error.code, error.detail)
    for cause in _chain(error):
        name = type(cause).__name__
        if name in ("OperationalError", "InterfaceError", "InternalError", "DatabaseError"):
            text = " ".join(str(getattr(cause, "orig", None) or cause).split())
            # It may be the look at what was posted just before: whether anything was, nobody knows here.
            more = _("The database does not answer: {reason}. Do the same again later to learn what became of it.")
            return Exit.UNUSABLE, "database_unusable", more.format(reason=text)
        if isinstance(cause, OSError):
            place = f"{cause.filename}: " if cause.filename else ""
            return Exit.UNUSABLE, "files_unusable", f"{place}{cause.strerror or cause}"
    more = _("This should not happen ({reason}). PATARD_DEBUG=1 shows where.")
    return Exit.UNUSABLE, "internal", more.format(reason=f"{type(error).__name__}: {error}"[:300])


def reason(code: str, detail: str) -> str:
    """Why something was refused, in the user's language."""
    return why(code, detail, _)


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    step: BaseException | None = error
    while step is not None and step not in found:
        found.append(step)
        step = step.__cause__ or step.__context__
    return found
