"""Bugs of what anchors the log: signed heads, hashes of texts, seals, shapes, limits; and of wallets."""

from __future__ import annotations

from tests.bugs import Bug, bug

AUDIT = "ledger/currency/audit/"
HEADS, FILE, SEALS, SALTED = (f"ledger/currency/{name}.py" for name in ("heads", "heads_file", "seals", "salted"))
EDITS, HELD, SIGNED = "tests/threats/test_edits.py", "tests/currency/test_held.py", "tests/currency/test_heads.py"
WALLET, WATCHED = "wallet_cli/heads.py", "tests/wallet_cli/test_heads.py"

BUGS: tuple[Bug, ...] = (
    # Signed heads.
    bug("a head's root is that of another size", f"{SIGNED} -k any_size",
        HEADS, "min(4_096, size - done)", "4_096"),
    bug("heads beyond the log pass", f"{EDITS} -k 13",
        AUDIT + "heads.py", "if self.beyond:", "if False:"),
    bug("heads of another root pass", f"{EDITS} -k 'check_says'",
        AUDIT + "heads.py", "if one.root == root and", "if"),
    bug("heads that anybody signed pass", f"{SIGNED} -k somebody_else",
        AUDIT + "heads.py", "if not verify(key, one.signature,", "if False and not verify(key, one.signature,"),
    bug("heads taken out of the table pass", f"{SIGNED} -k somebody_else",
        AUDIT + "heads.py", "if FILE in where and TABLE not in where:", "if False:"),
    bug("a frontier in a table is believed", f"{SIGNED} -k any_size",
        HEADS, "_HEAD.size <= size)", "_HEAD.size <= size + 5)"),
    bug("a book that was put back is signed again", f"{EDITS} -k 13",
        FILE, "if last is not None and (trouble", "if False and (trouble"),
    bug("a line that was cut off is gone on with", f"{SIGNED} -k cut_off",
        FILE, "os.ftruncate(handle, sum(len(_bytes(line)) + 1 for line in text))", "pass"),
    bug("the file of heads grows for ever", f"{SIGNED} -k thinned",
        FILE, "last.at // DAY_US != fresh[-1].at // DAY_US", "False"),
    bug("signed heads can be changed", f"{SIGNED} -k append_only",
        "ledger/migrations/versions/0008_anchor.py", 'for event in ("UPDATE", "DELETE"):', 'for event in ("DELETE",):'),
    bug("a command does not sign what it posted", "tests/api/test_log.py -k command_signs",
        "api/commands/opened.py", "if not read_only:", "if False:"),
    bug("a server signs nothing at its end", "tests/api/test_log.py -k end_of_the_log",
        "api/app.py", "await run_in_threadpool(signing.stop)", "pass"),
    bug("roots that were noted are not compared", "tests/api/test_log.py -k compared",
        "api/commands/checking.py", "written=written, roots=roots", "written=written, roots={}"),
    # Texts.
    bug("a changed name passes", f"{EDITS} -k 'check_says and 14'",
        AUDIT + "texts.py", "elif not _is(hashed, NAME, salt, [name], erased=not name):", "elif False:"),
    bug("an IBAN is not hashed", f"{EDITS} -k 'check_says and 15'",
        AUDIT + "texts.py", "DETAILS, salt, [iban, holder]", "DETAILS, salt, [holder]",
        "ledger/currency/bank/details.py", "salt, [plain, name])", "salt, [name])"),
    bug("an IBAN stays after it was forgotten", f"{HELD} -k said_last",
        AUDIT + "texts.py", "if hashed is None or not _is(hashed, DETAILS", "if hashed and not _is(hashed, DETAILS"),
    bug("a column of lines is not hashed", f"{HELD} -k every_text",
        SALTED, '"end_to_end", "mandate"', '"mandate"'),
    bug("dropping the salt hides a change", f"{HELD} -k erased",
        AUDIT + "texts.py", "return erased if salt is None else", "return True if salt is None else"),
    bug("memos are not held", f"{EDITS} -k 'check_says and 28'",
        AUDIT + "texts.py", "request.request.label == text and", "True and"),
    bug("a memo of another request passes", f"{HELD} -k memo",
        AUDIT + "texts.py", "and request.reference.hex() == order[-_REFERENCE_HEX:]", ""),
    bug("hashes are of texts that run together", f"{HELD} -k depends",
        SALTED, "len(raw).to_bytes(4) + raw", "raw"),
    # Seals.
    bug("a session that was slipped in opens", f"{EDITS} -k row_25",
        "ledger/currency/sessions.py", "or not seals.is_right(", "or False and not seals.is_right("),
    bug("a code that was slipped in lets in", f"{EDITS} -k row_26",
        SEALS, 'return is_right(row["seal"], of_invite(key, row))', "return True"),
    bug("the seal leaves the role out", f"{HELD} -k sealed",
        SEALS, '("code_hash", "party", "role", "made_by", "person", "expires_at")', '("code_hash", "made_by", "person", "expires_at")'),  # noqa: E501
    # Shapes and limits.
    bug("made-up kinds of notes pass", f"{EDITS} -k 'check_says and 4'",
        AUDIT + "walk.py", "(judge or registry.unknown)", "(judge or (lambda *_: iter(())))"),
    bug("made-up kinds of entries pass", f"{EDITS} -k 'check_says and 36'",
        AUDIT + "kinds.py", 'yield "kind_unknown", f"a kind of entry', 'str() and f"a kind of entry'),
    bug("an entry may say anything", f"{HELD} -k may_not_say",
        AUDIT + "walk.py", "instruction), shapes.shape(instruction), problems)", "instruction), problems)"),
    bug("a key without its inviter passes", f"{EDITS} -k 'check_says and 12'",
        AUDIT + "story.py", 'if "by" not in evidence and story.demanded:', "if False:"),
    bug("limits are not in the note", f"{EDITS} -k charter_toml",
        "ledger/currency/chartered.py", '("risk_days", "timezone", *LIMITS, "alone_days")', '("risk_days", "timezone")',
        "ledger/currency/chartered.py", "        **limits_of(charter),\n", ""),
    bug("payments above a limit pass", f"{HELD} -k in_force",
        AUDIT + "limits.py", "order.amount > rules.per_payment", "False"),
    bug("the day's limit counts for ever", f"{HELD} -k in_force",
        AUDIT + "days.py", "if not self.start <= moment < self.end or zone != self.zone:", "if not self.zone:"),
    # Books of before.
    bug("bank details of before stay without a hash", "tests/api/test_upgraded.py -k opens_and_checks",
        "api/home.py", "details.take_in(town)", "pass"),
    bug("a note that says no limits passes", "tests/api/test_upgraded.py -k new_kind",
        AUDIT + "story.py", "if story.demanded and not rules.says_all:", "if False:"),
    # The wallet.
    bug("a wallet takes any head", f"{WATCHED} -k did_not_sign",
        WALLET, "proofs.verify_head(", "(lambda *_: None)("),
    bug("a wallet forgets what it saw", f"{WATCHED} -k go_on",
        WALLET, "if (then.size, then.root) != (before.size, before.root):", "if False:"),
    bug("a receipt teaches a wallet nothing", f"{WATCHED} -k newest",
        "wallet_cli/opened.py", "heads.learn(self)", "pass"),
)  # fmt: skip
