"""What is expected of each of the 37 edits: the table of the docs is made of this, and the tests hold it."""

from __future__ import annotations

import re

EDITS: dict[int, str] = {
    1: "change the amount of a signed payment, recompute everything",
    2: "change the amount of a conversion against a cash slip (units and euros), recompute",
    3: "drop the last payment (truncate the log by one), its memo with it",
    4: "replace a payment in the middle by a note of a made-up kind",
    5: "reorder: swap two neighbouring payments",
    6: "append a forged conversion 'by console' on an invented cash slip",
    7: "append a forged conversion in the name of the treasurer's key",
    8: "back-date: a conversion counts for another year's day (booked_on)",
    9: "back-date: the time of a payment moved by hours within its neighbours",
    10: "swap a device key in the tables only",
    11: "add a key to a member in log and tables 'by console', and pay with it",
    12: "the same, the note simply without its inviter",
    13: "put the book back to an older copy",
    14: "change the name of a shop (tables)",
    15: "change the IBAN of a shop (tables)",
    16: "alter a statement line's payer, IBAN and text",
    17: "alter a statement line's amount",
    18: "alter a statement's closing balance",
    19: "payout file: bytes changed (another IBAN), sha256 column left",
    20: "payout file: bytes changed and the sha256 column with it",
    21: "the list that signers are shown: IBAN of a paid payout changed",
    22: "charter.toml: limits per payment or day raised",
    23: "charter.toml: fee lowered",
    24: "a second database with a forked history: the last payment replaced by a conversion for somebody else",
    25: "a session for the treasurer's key slipped into `session`",
    26: "an invitation for a treasurer's key slipped into `invite`",
    27: "a payout signature slipped into `payout_signature`",
    28: "memos of payments changed",
    29: "the IBAN of a mandate changed (whom the next file debits)",
    30: "a collection's file and its sha256 column changed before it is fetched",
    31: "units moved from a member without a key by an `import` entry",
    32: "units minted through an `issuer` account and an `import` entry",
    33: "person behind a treasurer's key changed (key_person)",
    34: "triggers dropped that keep the log as it is",
    35: "the order's evidence of a refund pointed to another till's key",
    36: "euros moved from the bank account to operations by an entry of a made-up kind",
    37: "a year's conversions re-attributed: `by` of all office entries set to console",
}

_ROOT = (
    "root_differs: with … entries the log has the root …; the currency signed (in the …) …: an entry before that was "
    "changed, dropped or put in"
)
_BACK = (
    "log_put_back: the log has … entries, and the currency signed that it had … with root … (in the …): it was put "
    "back to an older copy, or its end was cut off"
)
_CHARTER = (
    "charter_differs: the charter in use is not the last one noted in the log; if it was just changed, "
    "`patard reserve` notes it, else put back the charter of the log"
)

_ACT = "act_differs: the device signed 'POST /v1/conversions': and the entry did something else"
_MACHINE = "act_missing: it was booked at the machine, and the machine's key did not sign it"
_IMPORT = "act_missing: an import brought it that nobody at the machine announced"
_FILE = "payout_file_changed: the stored file … is not the one that was ordered and signed"

EXPECTED: dict[int, tuple[str, str]] = {
    1: ("check", "order_differs: moved …; the payer signed …"),
    2: ("check", _ACT),
    3: ("check", _BACK),
    4: ("check", "kind_unknown: a kind of note that the currency does not have: 'remark'"),
    5: ("check", _ROOT),
    6: ("check", _MACHINE),
    7: ("check", "act_missing: booked in the name of key …, which signed nothing of it"),
    8: ("check", _ACT),
    9: ("check", _ROOT),
    10: ("check", "key_unlogged: key … stands in the tables and was never noted in the log"),
    11: ("check", _MACHINE),
    12: ("check", "note_malformed: the note of key … does not say who invited it"),
    13: ("check", _BACK),
    14: ("check", "name_differs: the name 'Chez Mallory' of account … is not the one in the log"),
    15: ("check", "details_differ: the IBAN or holder of account … is not the one in the log"),
    16: (
        "check",
        "statement_texts: who paid or was paid by a line of statement … of 'Banque', their IBAN, text, references or "
        "kind are not what was taken",
    ),
    17: (
        "check",
        "statement_lines: the lines that the tables have for statement … of 'Banque' are not those that were taken",
    ),
    18: ("check", "statement_unlogged: statement 1 is another in the tables than in the log"),
    19: ("desk, check", _FILE),
    20: ("desk, check", _FILE),
    21: ("check", "payout_order_changed: file … pays to other names or IBANs than the tables say that it does"),
    22: ("check", _CHARTER),
    23: ("check", _CHARTER),
    24: ("check", _ROOT),
    25: ("desk, check", "session_forged: a session of key … stands in the tables, and the server did not open it"),
    26: (
        "desk, check",
        "invite_forged: a join code for a treasurer stands in the tables, and the server did not make it",
    ),
    27: ("desk, check", "payout_unlogged: the signature of key … is in the log or in the tables only"),
    28: ("check", "memo_differs: the memo of payment … is not what the payee had signed and the payer paid"),
    29: (
        "desk, check",
        "mandate_differs: holder or IBAN of mandate … is not that of the text that was signed",
    ),
    30: ("desk, check", "collection_file_changed: the stored file … is not the one that was ordered"),
    31: ("check", _IMPORT),
    32: ("check", _IMPORT),
    33: ("check", "person_wrong: key … is held by another person in the tables than in the log"),
    34: ("check", "guard_missing: log: delete"),
    35: (
        "check",
        "signature_invalid: the signature is not the payer's over this order: somebody else made or changed it",
    ),
    36: ("check", "kind_unknown: a kind of entry that the currency does not have: 'misc'"),
    37: ("check", "act_invalid: it was booked at the machine, and that is not the signature of the machine's key"),
}
"""Who notices, and the sentence; … stands for what is another each time."""

HEADS_ONLY = frozenset({3, 5, 9, 13, 24})
"""Rows that `check` knows by a signed head only: what was edited before the next head was signed (in a minute), or by
whoever can write to the folder too, only receipts, wallets and roots noted elsewhere can tell."""
WITNESSES = frozenset({3, 5, 9})
"""Of these, those of which the log itself can never tell, whatever is signed in it."""

GATE = frozenset({19, 20, 21, 27, 29, 30})
"""Rows about files for the bank: they are tried in test_gate.py."""

WAYS: dict[str, tuple[str, str, str]] = {
    "A": (
        "the statement brought it; then typed under the bank's own reference, or another",
        "commit",
        "conversion_on_statement: … is the reference of the line …, which was for …",
    ),
    "B": (
        "typed first under another reference than the bank's",
        "commit (the line waits in suspense), check",
        "bank_unexplained: …conversion … of … cents counts for … on … (statements to …), and no line of a statement …",
    ),
    "C": (
        "typed first under the right reference with a mistyped amount",
        "commit (the line waits in suspense), check",
        "line_typed: a conversion of … was typed as … for …",
    ),
    "D": (
        "the bank's reference has a character that ours may not have, or more than 35",
        "commit: letters and digits are compared, as far as both go",
        "conversion_on_statement: … is the reference of the line …",
    ),
    "E": (
        "the line waits in suspense, is typed by hand, then placed as the member's although it is proposed as known",
        "commit",
        "line_typed: …place it as known, or take back what was typed (`patard unconvert …`)…",
    ),
    "F": (
        "typed under the reference that is shown here for a line without one",
        "commit",
        "conversion_on_statement: … is how a line of a statement is called here…",
    ),
    "G": (
        "typed on the wrong reserve account",
        "commit (the line waits in suspense), check",
        "line_typed: …typed as …",
    ),
    "H": (
        "typed with camt's reference, the statement comes as CFONB or OFX",
        "commit (the line waits in suspense, where it is proposed as known)",
        "",
    ),
    "I": (
        "recognised as typed before; put back and placed as the member's",
        "commit, check",
        "line_typed: …this line may be it…",
    ),
    "race": (
        "one process types while another books",
        "commit",
        "conversion_on_statement: …it may be the line …, which is being booked…",
    ),
    "reserve": (
        "`import --opening-reserve` on an account that has statements; `import --issuer` on a running currency",
        "commit, desk, check",
        "opening_banked: … has statements, and its euros come by them: place the line…",
    ),
}
"""The ways in which a bank line once issued its units twice: what was done, who notices, the sentence (… as above)."""


def fits(sentence: str) -> re.Pattern[str]:
    """A sentence of these tables, in which … stands for what is another each time."""
    return re.compile(".*?".join(map(re.escape, sentence.split("…"))), re.DOTALL)
