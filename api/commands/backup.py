"""`patard backup`: one whole copy of the book while it is at work, with the signed heads beside it."""

from __future__ import annotations

import os
from pathlib import Path

from api.commands.console import CONSOLE, CliError, Exit, _, shown_moment
from api.home import Home, home_of
from api.schemas.fields import rfc3339
from ledger.core.copying import copy
from ledger.core.opening import is_postgres, sqlite_path
from ledger.core.store import StoreError


def backup(file: Path) -> None:
    """Copy the book to `file` and the heads to FILE.heads. No key is in either."""
    home = home_of()
    place = home.database()
    if is_postgres(place):
        told = _("This book is on PostgreSQL: take its backup with PostgreSQL's own programs, such as pg_dump.")
        raise CliError(Exit.USAGE, "backup_postgres", told)
    key = home.signing_key(read_only=True).public.hex()
    heads = file.with_name(f"{file.name}.heads")
    if heads.exists():
        raise StoreError("copy_exists", "{into} is there already: name a new file", into=heads)
    # First: what is in the file of heads was in the log before, so nothing in it is beyond the end of the copy.
    written = home.heads.read_bytes() if home.heads.exists() else None
    made = copy(sqlite_path(place), file)
    if written is not None:
        _write(heads, written)
    CONSOLE.say(_("The book is copied whole to {file}.").format(file=file))
    CONSOLE.facts(
        {
            _("up to"): _("entry {seq}, of {at}").format(seq=made.seq, at=shown_moment(made.at, home.zone())),
            _("log root"): made.root.hex(),
            _("heads"): str(heads) if written is not None else "-",
            _("public key"): key,
        }
    )
    CONSOLE.say(
        _(
            "Not in it: {files}. Each is needed beside it; keep copies of the keys where nobody else comes by them. "
            "Whoever only checks the copy needs {public}, which holds the public key alone."
        ).format(files=_missing(home), public=home.public.name)
    )
    CONSOLE.give(
        {
            "file": str(file), "heads": str(heads) if written is not None else None, "seq": made.seq,
            "at": rfc3339(made.at), "root": made.root.hex(), "bytes": made.size, "public_key": key,
        }
    )  # fmt: skip


def _missing(home: Home) -> str:
    return ", ".join(path.name for path in (home.charter, home.key, home.machine))


def _write(file: Path, content: bytes) -> None:
    try:
        with file.open("xb") as made:
            made.write(content)
            made.flush()
            os.fsync(made.fileno())
    except OSError as error:
        raise StoreError(
            "copy_unwritable", "{into} cannot be written: {error}", into=file, error=error.strerror
        ) from None
