"""What `wallet --help` ends with, and the commands and groups whose help speaks the user's language."""

from __future__ import annotations

from api.usage import speaking
from wallet_cli.errors import Exit
from wallet_cli.words import N_, _

Command, Group = speaking(_)

EXITS = {
    Exit.OK: N_("done"),
    Exit.REFUSED: N_("refused by the currency"),
    Exit.USAGE: N_("wrong usage"),
    Exit.UNREACHABLE: N_("server unreachable; an order that was sent is kept in the outbox"),
    Exit.ALREADY_PAID: N_("already paid; nothing was moved"),
    Exit.NOT_JOINED: N_("no wallet here yet"),
    Exit.PASSPHRASE: N_("wrong or missing passphrase"),
    Exit.DECLINED: N_("declined at the question"),
    Exit.LOCKED: N_("another wallet command is at work"),
    Exit.FILES: N_("a file cannot be used or is damaged"),
    Exit.UNTRUSTED: N_("an answer is not signed as it must be: do not go on"),
    Exit.INTERRUPTED: N_("interrupted"),
}
ENVIRONMENT = {
    "WALLET_HOME": N_("the wallet's folder (~/.patard-wallet)"),
    "WALLET_PASSPHRASE": N_("the passphrase, for scripts"),
    "WALLET_PASSPHRASE_FILE": N_("a file whose first line is the passphrase"),
    "PATARD_LANG": N_("fr or en"),
    "NO_COLOR": N_("no colours"),
}


def epilogue() -> str:
    """What `wallet --help` ends with: exit codes, environment, and what becomes of an order without an answer."""
    # A line of \b keeps the lines of a paragraph as they are.
    exits = [f"{int(code):>5}  {_(text)}" for code, text in EXITS.items()]
    names = [f"  {name:<22}  {_(text)}" for name, text in ENVIRONMENT.items()]
    promise = _(
        "An order that got no answer is kept, and every later command first finds out what became of it: it is never "
        "booked twice. With --json, the result stands on stdout and each line on stderr is a JSON object; amounts are "
        "whole cents."
    )
    return "\n\n".join(
        ("\n".join(("\b", _("Exit codes:"), *exits)), "\n".join(("\b", _("Environment:"), *names)), promise)
    )
