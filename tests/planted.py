"""Bugs, planted one at a time: does a test turn red for each?

    make planted                         # all of them; prints the count, fails when one stays unseen
    .venv/bin/python -m tests.planted limit floor      # those whose name holds a word
    .venv/bin/python -m tests.planted --list

Each is a substitution in the source, made in a copy of the tree in a temporary folder, where the tests that ought to
notice are run. First the copy is tested as it is: a test that is red anyway sees nothing. `tests/test_planted.py` holds
that every substitution still fits the source, so that this script cannot rot.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("ledger", "merchants", "api", "wallet_cli", "tests", "pyproject.toml")
SECONDS = 900
"""A test that hangs has noticed too; but it should not take all day."""


class Bug(NamedTuple):
    """What is wrong, and which tests ought to see it (arguments of pytest). `edits` are (file, text, instead)."""

    name: str
    tests: str
    edits: tuple[tuple[str, str, str], ...]


def bug(name: str, tests: str, *edit: str) -> Bug:
    """A bug of one substitution or, in threes, several."""
    return Bug(name, tests, tuple((edit[i], edit[i + 1], edit[i + 2]) for i in range(0, len(edit), 3)))


DESK, ORDERS, RULES, SQLITE = "merchants/desk.py", "api/orders.py", "ledger/core/rules.py", "ledger/core/sqlite.py"
KEYS, STRICT, LIVE, REQUESTS = "ledger/currency/keys.py", "api/strict.py", "api/live.py", "merchants/requests.py"
SESSIONS, CONVERSION = "ledger/currency/sessions.py", "ledger/currency/conversion.py"
ACCOUNTS = "ledger/currency/accounts/"
RESERVE = "ledger/currency/reserve/"
BANK, AUDIT = "ledger/currency/bank/", "ledger/currency/audit/"

BUGS: tuple[Bug, ...] = (
    # The engine: one at a time, once, on the disk.
    bug("SQLite: the lock dropped", "tests/core/test_sqlite.py -k writer",
        SQLITE, 'cursor.execute("BEGIN IMMEDIATE")', 'cursor.execute("BEGIN")'),
    bug("PostgreSQL: the lock dropped", "tests/api/test_concurrent.py -k postgres",
        "ledger/core/postgres.py", "{SELECT_HEAD} FOR UPDATE", "{SELECT_HEAD}"),
    bug("SQLite: what another process wrote goes unnoticed", "tests/api/test_concurrent.py -k sqlite",
        SQLITE, "if version != self.version or", "if"),
    bug("SQLite: synchronous = NORMAL", "tests/core/test_sqlite.py",
        SQLITE, "PRAGMA synchronous = FULL", "PRAGMA synchronous = NORMAL"),
    bug("PostgreSQL: synchronous_commit = off", "tests/core/test_postgres.py",
        "ledger/core/postgres_driver.py", "SET synchronous_commit = on;", "SET synchronous_commit = off;"),
    bug("SQLite: answered before the commit", "tests/journeys/test_kill.py -k sqlite",
        SQLITE, 'cursor.execute("BEGIN IMMEDIATE")\n',
        'driver.in_transaction and cursor.execute("COMMIT")\n                cursor.execute("BEGIN IMMEDIATE")\n',
        SQLITE, 'yield writing\n                cursor.execute("COMMIT")\n', "yield writing\n"),
    bug("idempotency off", "tests/conformance/test_again.py",
        RULES, "stood = known.get(id_)", "stood = None"),
    bug("an id taken by other content is answered as posted", "tests/conformance/test_again.py tests/api/test_desk.py",
        RULES, "if record.same_content(stood, instruction):", "if True:"),
    bug("the floor is not checked", "tests/conformance/test_money.py tests/api/test_desk.py",
        RULES, "state.floor is not None and balance < state.floor", "False"),
    bug("the floor is off by one", "tests/conformance/test_money.py tests/api/test_desk.py",
        RULES, "balance < state.floor:", "balance < state.floor - 1:"),
    bug("cover is not checked", "tests/conformance/test_money.py tests/currency/test_conversion.py",
        RULES, "if covered.balance > covering.balance and", "if False and"),
    bug("refunds without a bound", "tests/conformance/test_money.py tests/api/test_desk.py",
        RULES, "if taken[way] > left[way]:", "if False:"),
    bug("time stands still within a commit", "tests/conformance/test_again.py",
        RULES, "at = now if now > at else at + 1", "at = now"),
    bug("a leaf hashed without its prefix", "tests/core/test_tree.py",
        "ledger/core/tree.py", '_LEAF, _NODE = sha256(b"\\0")', "_LEAF, _NODE = sha256()"),
    bug("records without salt", "tests/core/test_salt.py",
        "ledger/core/book.py", "salts=self.entropy(16 * len(batch)),", "salts=bytes(16 * len(batch)),"),
    bug("the log can be changed", "tests/core/test_schema.py",
        "ledger/migrations/versions/0001_engine.py", '("UPDATE", "DELETE"), "UPDATE OR DELETE OR TRUNCATE", "log"',
        '("DELETE",), "DELETE OR TRUNCATE", "log"'),
    bug("the writer mixes up two callers", "tests/core/test_writer.py",
        "ledger/core/writer.py", "sink.set_result(results[index])", "sink.set_result(results[0])"),
    # The desk: whose money, how much, until when.
    bug("the order's amount changed", "tests/api/test_desk.py -k account_to_account",
        DESK, "(Transfer(order.payer, order.payee, order.amount, order.unit),)",
        "(Transfer(order.payer, order.payee, order.amount + 1, order.unit),)"),
    bug("payer and payee swapped", "tests/api/test_desk.py -k account_to_account",
        DESK, "(Transfer(order.payer, order.payee, order.amount, order.unit),)",
        "(Transfer(order.payee, order.payer, order.amount, order.unit),)"),
    bug("signatures of orders not verified", "tests/api/test_desk.py -k signed_by",
        DESK, "self.signed.verify(self.signed.order.network)", "pass"),
    bug("signatures verified without their domain", "tests/currency/test_messages.py",
        "ledger/currency/messages.py", "check_signature(self.key, self.signature, ORDER_DOMAIN + self.order.body())",
        "check_signature(self.key, self.signature, self.order.body())",
        "ledger/currency/messages.py", "key.sign(ORDER_DOMAIN + self.body())", "key.sign(self.body())"),
    bug("orders of another network taken", "tests/api/test_desk.py -k another_currency",
        DESK, "if order.network != self.town.charter.network:", "if False:"),
    bug("a revoked key accepted", "tests/api/test_desk.py -k do_not_act",
        DESK, "device is None or device.revoked_at is not None or", "device is None or"),
    bug("anybody's key accepted", "tests/api/test_desk.py -k do_not_act",
        DESK, " or device.account != order.payer:", ":"),
    bug("a till spends", "tests/api/test_desk.py -k roles",
        DESK, "else parties.SPEND\n", "else parties.SPEND | parties.TAKE\n"),
    bug("orders never expire", "tests/api/test_desk.py -k last_second",
        DESK, "if order.is_expired(seconds):", "if False:"),
    bug("orders expire a second early", "tests/api/test_desk.py -k last_second",
        "ledger/currency/messages.py", "return self.expires_at < now", "return self.expires_at <= now"),
    bug("orders stay open for ever", "tests/api/test_desk.py -k for_a_day",
        DESK, "if order.expires_at > seconds + LONGEST_ORDER_SECONDS:", "if False:"),
    bug("the currency's own accounts can be paid", "tests/api/test_desk.py -k no_member",
        DESK, "elif order.payee not in self._members:", "elif False:"),
    bug("requests never expire", "tests/api/test_desk.py -k last_second tests/merchants/test_requests.py",
        REQUESTS, "if asked.is_expired(now):", "if False:"),
    bug("requests' signatures not verified", "tests/api/test_desk.py -k requests",
        REQUESTS, "if key_id(key) == asked.key_id and verify(key, request.signature, message):", "if True:"),
    bug("a one-time code paid twice", "tests/api/test_desk.py -k do_not_fit",
        REQUESTS, "if not asked.is_static and order.id != asked.payment_id():", "if False:"),
    bug("a request's amount not compared", "tests/api/test_desk.py -k do_not_fit",
        REQUESTS, "if asked.amount not in (0, order.amount):", "if False:"),
    bug("a named request need not be there", "tests/api/test_desk.py -k do_not_fit",
        DESK, "if any(order.reference):", "if False:"),
    bug("memos from requests that nobody signed", "tests/api/test_desk.py -k only_payments",
        DESK, "if request is not None and order.purpose is not Purpose.PAYMENT:", "if False:"),
    bug("an id that follows from something public can be taken", "tests/merchants/test_reserved_ids.py",
        DESK, "and not is_fresh(order.id):", "and False:"),
    bug("a refund can be given back", "tests/merchants/test_reserved_ids.py",
        DESK, "or found.instruction.kind not in PAID):", "or False):"),
    bug("the limit for one payment off", "tests/api/test_desk.py -k limit_for_one_payment",
        DESK, "if limits.per_payment is not None and", "if False and"),
    bug("the limit for one day off", "tests/api/test_desk.py -k limit",
        DESK, "if before + order.amount > limits.per_day:", "if False:"),
    bug("the day ends at midnight in UTC", "tests/api/test_desk.py -k midnight",
        "ledger/currency/charter/model.py",
        "local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.timezone))",
        "local = datetime(day.year, day.month, day.day, tzinfo=UTC)"),
    bug("a double tap counts twice against the limit", "tests/api/test_desk.py -k batch_counts",
        DESK, "if order.id in day.ids or order in earlier:", "if False:"),
    bug("an order that stands is refused once its key is revoked", "tests/api/test_desk.py -k answered_again",
        DESK, "results[index] = self._stood(instruction, submission, error)", "results[index] = error"),
    bug("receipts for another order", "tests/api/test_desk.py -k account_to_account",
        DESK, "Receipt(order.network, order.hash(),", "Receipt(order.network, bytes(32),"),
    bug("who may change back is not asked", "tests/api/test_desk.py -k change_back",
        DESK, "if PartyKind(party.kind) not in self.town.charter.reconversion_by:", "if False:"),
    # Keys, sessions, the office.
    bug("small-order keys verify", "tests/currency/test_keys.py tests/api/test_desk.py -k small_order",
        KEYS, "if y in _SMALL_ORDER_Y or y >= _P:", "if y >= _P:"),
    bug("small-order keys are registered", "tests/currency/test_keys.py tests/api/test_desk.py -k anybody",
        KEYS, "if y in _SMALL_ORDER_Y:", "if False:"),
    bug("a session outlives its time", "tests/api/test_access.py -k session_ends",
        SESSIONS, "if row is None or row.expires_at < self.town.now():", "if row is None:"),
    bug("a session outlives its key", "tests/api/test_access.py -k session_ends",
        SESSIONS, ".where(SESSION.c.token_hash == _hash(token), DEVICE_KEY.c.revoked_at.is_(None))",
        ".where(SESSION.c.token_hash == _hash(token))",
        "ledger/currency/parties.py", "connection.execute(SESSION.delete().where(SESSION.c.key == key.key))", "pass"),
    bug("a challenge opens two sessions", "tests/api/test_access.py -k challenge",
        SESSIONS, "if challenge in self._used:", "if False:"),
    bug("challenges are anybody's", "tests/api/test_access.py -k challenge",
        SESSIONS, "not hmac.compare_digest(self._seal(challenge[:16]), challenge[16:])", "False"),
    bug("tokens kept in the clear", "tests/api/test_access.py -k in_the_clear",
        SESSIONS, 'return sha256(b"patard/session-token/1\\0" + token.encode()).digest()',
        "return bytes.fromhex(token)[:32].ljust(32)"),
    bug("a join code works twice", "tests/api/test_access.py tests/currency/test_parties.py -k code",
        "ledger/currency/parties.py", "or row.used_by not in (None, key):", "or False:",
        "ledger/currency/parties.py", "if used.rowcount != 1:", "if False:"),
    bug("an operator invites himself as treasurer", "tests/api/test_access.py -k treasurer",
        "api/routes/devices.py", 'if body.role == "treasurer" and caller.role != "treasurer":', "if False:"),
    bug("an operator accepts what is changed back", "tests/api/test_access.py -k acceptance",
        "api/routes/office.py", 'TREASURER = frozenset({"treasurer"})', "TREASURER = parties.OFFICE"),
    bug("an account read by a stranger", "tests/api/test_access.py",
        "api/auth.py", "if account != caller.account and caller.role not in parties.AUDIT:", "if False:"),
    bug("unknown told from forbidden", "tests/api/test_access.py -k cannot_tell",
        "api/routes/devices.py", '"there is no such key, or it is none of yours"', 'f"{wanted and wanted.role}"'),
    bug("one slip issues twice", "tests/currency/test_conversion.py tests/api/test_desk.py -k 'slip or conversions'",
        CONVERSION, "conversion_id(town, reserve, reference),\n", "town.new_id(),\n"),
    bug("the fee is not taken", "tests/currency/test_conversion.py tests/api/test_desk.py -k 'accept or decided'",
        CONVERSION, "fee = town.charter.fee(amount)", "fee = 0"),
    # The API: what comes in, what goes out.
    bug("a route without a row in the table of access", "tests/api/test_access.py -k has_a_row",
        "api/routes/public.py", '@router.get("/v1/log", response_model=LogOut)',
        '@router.get("/v1/log2", response_model=LogOut)\n@router.get("/v1/log", response_model=LogOut)'),
    bug("a key twice in a body", "tests/api/test_strict.py -k test_bodies",
        STRICT, "if len(found) != len(pairs):", "if False:"),
    bug("floats in bodies", "tests/api/test_strict.py -k by_itself",
        STRICT, "parse_float=_no_float, parse_constant=_no_float, ", ""),
    bug("half of a surrogate pair", "tests/api/test_strict.py -k by_itself",
        STRICT, "        _valid_text(found)\n    except", "    except"),
    bug("bodies without a limit", "tests/api/test_strict.py -k 'limit or ten_mega'",
        STRICT, "if length > MAX_BODY:", "if False:", STRICT, "if len(body) > MAX_BODY:", "if False:"),
    bug("bodies without a limit when sent in chunks", "tests/api/test_strict.py -k ten_mega",
        STRICT, "if len(body) > MAX_BODY:", "if False:"),
    bug("any media type", "tests/api/test_strict.py -k media",
        STRICT, 'if body and kind != b"application/json":', "if False:"),
    bug("booleans are numbers", "tests/api/test_strict.py -k 'fields or amounts'",
        "api/schemas/fields.py", 'ConfigDict(extra="forbid", strict=True)', 'ConfigDict(extra="forbid")'),
    bug("unknown keys are ignored", "tests/api/test_strict.py -k test_bodies",
        "api/schemas/fields.py", 'ConfigDict(extra="forbid", strict=True)', "ConfigDict(strict=True)"),
    bug("names that turn the writing around", "tests/api/test_strict.py -k names tests/currency/test_text.py",
        "ledger/currency/text.py", '    "Cf": "an invisible character",\n', ""),
    bug("event streams without a session", "tests/api/test_access.py -k events",
        "api/routes/accounts.py", '    caller: Caller,\n    bearer: Token,\n    after', '    after',
        "api/routes/accounts.py",
        "    number = readable(caller, account)\n    seq =", "    number = auth.number(account)\n    seq =",
        "api/routes/accounts.py", "lambda: found.sessions.find(bearer)", "lambda: None",
        "api/routes/accounts.py", "from api.auth import", "from api import auth\nfrom api.auth import"),
    bug("a stream outlives its session", "tests/api/test_live.py -k ends_with_its",
        LIVE, "        allowed()\n", ""),
    bug("what others commit is not seen", "tests/api/test_live.py -k another_process",
        LIVE, "await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)", "await self._wake.wait()"),
    bug("a stream begins again with what was seen last", "tests/api/test_live.py -k 'twice or came_after'",
        "merchants/statement.py", "[entry for entry in entries if entry.seq > seq]",
        "[entry for entry in entries if entry.seq >= seq]",
        "merchants/statement.py", "if rows[0].place >> 8 <= seq:", "if rows[0].place >> 8 < seq:"),
    bug("a stream forgets what came while nobody listened", "tests/api/test_live.py -k 'twice or beginning'",
        LIVE, "seq = head if seq is None else min(seq, head)", "seq = head"),
    bug("streams keep the server from ending", "tests/api/test_live.py -k when_the_server",
        "api/server.py", "await self._app.state.services.live.close()", "pass"),
    bug("a refusal that is not in the table", "tests/api/test_errors.py",
        DESK, '"order_too_long", "an order', '"order_far_too_long", "an order'),
    # The accounts: closed years, the chart of accounts, who judges them.
    bug("what comes late goes into a closed year", "tests/currency/accounts/test_closing.py",
        ACCOUNTS + "periods.py", "if booked_on is not None and self._shut < booked_on < log_day",
        "if booked_on is not None and booked_on < log_day"),
    bug("the file of a closed year is not compared", "tests/currency/accounts/test_closing.py",
        ACCOUNTS + "export.py", "and written.sha256 != closing.sha256:", "and False:"),
    bug("names in the FEC", "tests/currency/accounts/test_entries.py",
        ACCOUNTS + "export.py", "names=names_of(town) if names else None", "names=names_of(town)"),
    bug("fees that left the reserve are less income", "tests/currency/accounts/test_entries.py",
        ACCOUNTS + "mapping.py", "gone if debit == income and credit in self.leaving else debit,", "debit,"),
    bug("a year begins with the last year's income", "tests/currency/accounts/test_fec.py",
        ACCOUNTS + "mapping.py", "if pcg.is_result(account.number):", "if False:"),
    bug("beancount lets a cent pass", "tests/currency/accounts/test_journals.py",
        ACCOUNTS + "beancount.py", "{decimal_text(cents)} ~ 0 EUR", "{decimal_text(cents)} EUR"),
    bug("the check of FEC files sees no gap", "tests/currency/accounts/test_fec_check.py",
        ACCOUNTS + "fec_check.py", "if number == before + 1:", "if number > before:"),
    # Orders to the bank, and the bank that the tests have.
    bug("a control sum of the first order only", "tests/currency/bank/test_pain.py",
        BANK + "pain.py", "decimal_text(sum(order.amount for order in orders))", "decimal_text(orders[0].amount)"),
    bug("one end-to-end id twice in a file", "tests/currency/bank/test_pain.py",
        BANK + "pain.py", "if order.end_to_end in seen:", "if False:"),
    bug("a group of mixed sequence types", "tests/currency/bank/test_pain.py",
        BANK + "pain.py", "if debit.sequence == kind]", "if True]"),
    bug("a transfer's code of 332 bytes", "tests/currency/bank/test_epc.py",
        BANK + "epc.py", "> MAX_BYTES:", "> MAX_BYTES + 1:"),
    bug("the fake bank takes a file twice", "tests/currency/bank/test_fake.py",
        BANK + "fake/bank.py", "self._messages.add(file.message)", "pass"),
    bug("the fake bank reckons with euros that are ordered away", "tests/currency/bank/test_fake.py",
        BANK + "fake/bank.py", "min(ledger.balances(days[group.id]))",
        "next(ledger.balances(days[group.id]))"),
    # Lines of the bank: what booking makes of them, what people decide, what the audit sees.
    bug("two lines alike are one", "tests/currency/bank/test_booking.py -k same_file",
        BANK + "taking.py", "{booked_on:%Y%m%d}/{amount}/{ordinal}", "{booked_on:%Y%m%d}/{amount}/1"),
    bug("a statement need not begin where the last one ended", "tests/currency/bank/test_taking.py",
        BANK + "aligning.py", "if statement.opening != timeline.closing:", "if False:"),
    bug("a top-up is taken back by each return", "tests/currency/bank/test_booking.py -k taken_back_once",
        BANK + "topups.py", "_LINE.undone_seq.is_(None), _LINE.withdrawn", "_LINE.withdrawn",
        BANK + "indexing.py", "_LINE.undone_seq.is_(None), *right)", "*right)"),
    bug("a return takes more units than are there", "tests/currency/bank/test_booking.py -k claim",
        BANK + "topups.py", "back = min(amount, max(0, town.book.balance(holder)))", "back = amount"),
    bug("booking again undoes what a person decided", "tests/currency/bank/test_suspense.py -k brings_back",
        BANK + "indexing.py", '_LINE.id == bindparam("line"), _LINE.seq.is_(None))', '_LINE.id == bindparam("line"))'),
    bug("a line that was put back cannot be placed again", "tests/currency/bank/test_suspense.py -k 'sent_again'",
        BANK + "suspense.py", 'derived_id("patard/suspense-placed", line, str(turn))',
        'derived_id("patard/suspense-placed", line, "0")'),
    bug("members pay more than they owe", "tests/currency/bank/test_suspense.py -k claim_is_paid",
        BANK + "placing.py", "if amount > owed:", "if False:"),
    bug("a debt that was paid is undone", "tests/currency/bank/test_suspense.py -k debt_that_was",
        BANK + "claims.py", "if min(fallen.values()) >= 0:", "if True:"),
    bug("a split that does not come to the line", "tests/currency/bank/test_suspense.py -k cannot_be",
        BANK + "placing.py", "if sum(share.amount for share in shares) != line.amount:", "if False:"),
    bug("a conversion of a bank line is taken back", "tests/currency/bank/test_suspense.py -k 'typed or booking_made'",
        CONVERSION, "        if line is not None:\n", "        if False:\n"),
    bug("an operator takes units from members", "tests/api/test_suspense.py -k rests_on",
        BANK + "suspense.py", "if gave and not treasurer and not theirs:", "if False:"),
    bug("the audit sees no line that was made up", "tests/currency/bank/test_bank_audit.py -k made_up",
        AUDIT + "bank_tables.py", "if state.id not in there:", "if False:"),
    bug("the audit compares no line's amount", "tests/currency/bank/test_bank_audit.py -k conversions_of_lines",
        AUDIT + "lines.py", "changed != {reserve: amount}", "False"),
    bug("the audit lets one conversion be two lines", "tests/currency/bank/test_bank_audit.py -k two_lines",
        AUDIT + "bank.py", "elif id_ in story.lines.named:", "elif False:"),
    bug("the audit adds up no statement", "tests/currency/bank/test_bank_audit.py -k 'closing_balance'",
        AUDIT + "bank_tables.py", "if taken[0].opening + booked not in closings:", "if False:"),
    bug("claims explain every shortage", "tests/currency/test_audit.py -k left_the_reserve",
        AUDIT + "cover.py", "short <= max(0, due)", "True"),
    # The reserve report: every cent explained, every flow counted once, no line for everybody.
    bug("reserve: what is not booked is not explained", "tests/currency/test_reserve_explained.py -k not_booked",
        RESERVE + "explaining.py", "if line.seq is None and not line.gone:", "if line.seq is None and line.gone:"),
    bug("reserve: what the bank took back is not explained", "tests/currency/test_reserve_explained.py -k corrected",
        RESERVE + "explaining.py", "line.gone and line.id not in silent:", "line.gone and line.id in silent:"),
    bug("reserve: two entries of one sum explain each other", "tests/currency/test_reserve_explained.py -k placed",
        RESERVE + "explaining.py", "if other in left and other != id_ and", "if"),
    bug("reserve: a line typed before it came is not known", "tests/currency/test_reserve_explained.py -k typed",
        RESERVE + "explaining.py", "if count == self.booked[kind]:", "if count:"),
    bug("reserve: a keeper reads entries twice", "tests/currency/test_reserve.py -k issuer",
        RESERVE + "chains.py", "if row.place <= oldest:", "if row.place < 0:"),
    bug("reserve: what was taken back was changed back", "tests/currency/test_reserve.py -k booking_date",
        RESERVE + "flows.py", "elif leg.debit == waiting or", "elif leg.debit or"),
    bug("reserve: months go by the log's time", "tests/currency/test_reserve.py -k booking_date",
        RESERVE + "chains.py", "if found > 0:", "if found > 1000:"),
    bug("reserve: money on its way is missing", "tests/currency/test_reserve.py -k on_its_way",
        RESERVE + "report.py", '"<=", reserve + held["transit"] - payouts)', '"<=", reserve - payouts)'),
    bug("reserve: everybody sees each line", "tests/api/test_reserve.py -k everybody",
        "api/schemas/reserve.py", 'PublicBankOut(**_bank(bank).model_dump(exclude={"explanation"}))', "_bank(bank)",
        "api/schemas/reserve.py", "banks: list[PublicBankOut]", "banks: list[BankOut]"),
    # Payouts: one file, enough people, once; euros or units.
    bug("payouts: two keys of one person are two people", "tests/currency/bank/test_payouts.py -k one_person",
        BANK + "payouts/approval.py", "if one.counts and one.person == person[0]:", "if one.counts and not one.key:"),
    bug("payouts: a key of nobody in particular is a person", "tests/currency/bank/test_payouts.py -k nobody",
        BANK + "payouts/approval.py", "    if person is None:", "    if person is None and batch.people > 2:"),
    bug("payouts: a revoked key counts", "tests/currency/bank/test_payouts.py -k revoked",
        BANK + "payouts/approval.py", "counting = [one for one in signed if one.counts]", "counting = list(signed)"),
    bug("payouts: the file may be changed after it was signed", "tests/currency/bank/test_payouts.py -k changed",
        BANK + "payouts/batches.py", "if sha256(file).digest() != batch.sha256:", "if not file:"),
    bug("payouts: a file is fetched again without a word", "tests/currency/bank/test_payouts.py -k fetched_once",
        BANK + "payouts/batches.py", "row.fetched_at is not None and not again:", "row.fetched_at is None and again:"),
    bug("payouts: rejected while a file could still pay", "tests/currency/bank/test_payouts.py -k rejected_payout",
        BANK + "payouts/undoing.py", "if batch.fetched_at is None:", "if batch.number is None:"),
    bug("payouts: the fee stays with the currency", "tests/currency/bank/test_payouts.py -k comes_back",
        BANK + "payouts/undoing.py", "one.holder, one.units, unit) for one in gone]",
        "one.holder, one.amount, unit) for one in gone]"),
    bug("payouts: what is paid is not looked at in the commit", "tests/currency/bank/test_payouts.py -k while_it",
        BANK + "payouts/index.py", "_all(connection, places, _PAYOUT.paid_by.is_(None) | (_PAYOUT.paid_by == entry), ",
        "connection.execute(update(PAYOUT).where(_PAYOUT.seq.in_(places)).values(paid_by=entry)) and dict("),
    bug("payouts: what is undone is not looked at in the commit", "tests/currency/bank/test_payouts.py -k while_it",
        BANK + "payouts/undoing.py",
        "        if not posted.replay:\n            _check", "        if 0:\n            _check"),
    bug("payouts: a line of another amount settles", "tests/currency/bank/test_payouts.py -k to_the_cent",
        BANK + "payouts/lines.py", "fits and sum(payout.amount for payout in meant.all) == abs(line.amount)",
        "fits and meant.all"),
    bug("payouts: the second of two payments takes the units", "tests/currency/bank/test_payouts.py -k second_payment",
        BANK + "payouts/lines.py", " or _was_twice(connection, line, meant.settled):", ":"),
    bug("payouts: a repetition counts as a rejection", "tests/currency/bank/test_payout_answers.py -k look_at",
        BANK + "payouts/answers.py", "if one.reason in REPEATED:", "if one.reason in ():"),
    bug("payouts: an answer to an older file counts", "tests/currency/bank/test_payout_answers.py -k whole",
        BANK + "payouts/answers.py", "payout.batch != batch.id and", "payout.batch is None and"),
    # Monthly top-ups: told, collected once, released once and late enough, taken back once.
    bug("debits: whoever was told another amount is debited", "tests/currency/bank/test_mandates.py -k not_told",
        BANK + "mandates/notices.py", "_NOTICE.version == _MANDATE.version", "_NOTICE.version > 0"),
    bug("debits: a mandate in use lapses", "tests/currency/bank/test_debits.py -k lapses",
        BANK + "mandates/register.py", ", ~used.exists())", ")"),
    bug("reading is no single view", "tests/currency/test_town.py -k sqlite",
        "ledger/currency/town.py", 'exec_driver_sql("BEGIN")', 'exec_driver_sql("SELECT 1")'),
    bug("a revoked key's codes live on", "tests/currency/test_parties.py -k of_its_own",
        "ledger/currency/parties.py", "INVITE.c.made_by == key.key.hex()", "INVITE.c.made_by == \"\""),
    bug("debits: a second file of a month", "tests/currency/bank/test_mandates.py -k in_between",
        BANK + "mandates/collecting.py", "if standing is not None:", "if False:"),
    bug("debits: a file before members can join no more", "tests/currency/bank/test_mandates.py -k can_be_made",
        BANK + "mandates/collecting.py", "if today < earliest:", "if False:"),
    bug("debits: a suspended mandate is told and collected", "tests/currency/bank/test_debits.py -k will_not_pass",
        BANK + "mandates/notices.py", "_LIVE = (_MANDATE.ended_at.is_(None), _MANDATE.suspended_by.is_(None))",
        "_LIVE = (_MANDATE.ended_at.is_(None),)"),
    bug("debits: released at once", "tests/currency/bank/test_debits.py -k three_thousand",
        BANK + "mandates/release.py", "_ITEM.release_on <= today.isoformat()", "_ITEM.release_on > \"\""),
    bug("debits: one that came back meanwhile is released", "tests/currency/bank/test_debits.py -k while_it",
        BANK + "mandates/index.py", "_ITEM.unpaid_by.is_(None), _ITEM.credited_by.is_not(None)\n    )",
        "_ITEM.credited_by.is_not(None)\n    )"),
    bug("debits: one that was released meanwhile matures still", "tests/currency/bank/test_debits.py -k while_it",
        BANK + "mandates/index.py", "right = (one.released_seq is not None) == (one.place in was_released)",
        "right = True"),
    bug("debits: units that were spent are no claim", "tests/currency/bank/test_debits.py -k after_its_release",
        BANK + "mandates/moves.py", "self._owes(item, item.amount - back)", "self._owes(item, 0)"),
    bug("debits: a sum without what was rejected is not known", "tests/currency/bank/test_debits_by_bank.py -k before",
        BANK + "mandates/matching.py", "[one for one in every if not one.is_rejected]", "every"),
    bug("debits: a return takes back a transfer", "tests/currency/bank/test_debits.py -k not_confused",
        BANK + "matching.py", "    mandates.debits,\n", ""),
    bug("debits: a closed account in one try more", "tests/currency/bank/test_debits.py -k will_not_pass",
        BANK + "mandates/review.py", "if final:", "if False:"),
    bug("debits: the text of a mandate is not the one signed", "tests/currency/bank/test_mandates.py -k device_signs",
        BANK + "mandates/register.py",
        "        proofs.verify_mandate(said.network, signature.key, text, signature.signature)\n", "        pass\n"),
    bug("audit: units released early", "tests/currency/bank/test_debits_audit.py -k released_wrongly",
        AUDIT + "debits.py", "yield \"release_early\"", "_ = \"release_early\""),
    bug("audit: debits are no measure of what moves", "tests/currency/bank/test_debits_audit.py -k more_than",
        AUDIT + "debits.py", "if sorted(moves(transaction)) != sorted(right):", "if False:"),
    bug("audit: a file leaves without enough people", "tests/currency/bank/test_payouts_audit.py -k enough",
        AUDIT + "payouts.py", "    if people < file.people:", "    if people < 0:"),
    bug("audit: what a file orders is not looked at", "tests/currency/bank/test_payouts_audit.py -k something_else",
        AUDIT + "payout_tables.py", "    if orders != sorted(", "    if not orders != sorted("),
)  # fmt: skip


class Outcome(NamedTuple):
    """What became of one bug: `red` (seen), `green` (unseen), or what went wrong with the try itself."""

    bug: Bug
    colour: str
    seconds: float
    said: str


def plant(tree: Path, one: Bug) -> dict[Path, str]:
    """Make the substitutions in `tree`; the files as they were. Raises ValueError where the text is not there once."""
    before: dict[Path, str] = {}
    for name, old, new in one.edits:
        path = tree / name
        text = path.read_text()
        before.setdefault(path, text)
        if text.count(old) != 1:
            raise ValueError(f"{one.name}: {old!r} stands {text.count(old)} times in {name}")
        path.write_text(text.replace(old, new))
    return before


def copy_of_the_tree(folder: Path) -> Path:
    """A copy of the sources and tests in `folder`."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".hypothesis")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copy2(ROOT / name, folder / name)
    return folder


def run_tests(tree: Path, arguments: str) -> tuple[int | None, str]:
    """pytest's exit code in `tree` (None: it hung) and what it said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-x", "-q", "--tb=line", "-p", "no:cacheprovider", *shlex.split(arguments)],
        cwd=tree,
        # Compiled files are recognised by second and size, which a substitution may leave as they are.
        env={**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=SECONDS)
        return process.returncode, said
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        return None, said


def try_one(one: Bug, trees: SimpleQueue[Path]) -> Outcome:
    """Plant one bug in a free copy and run its tests."""
    tree, began = trees.get(), time.monotonic()
    try:
        before = plant(tree, one)
        try:
            code, said = run_tests(tree, one.tests)
        finally:
            for path, text in before.items():
                path.write_text(text)
        # 1: tests failed. Anything else (nothing collected, a syntax error) would be the plant's own mistake.
        colour = {1: "red", 0: "green", None: "red (hangs)"}.get(code, f"pytest ended with {code}")
        return Outcome(one, colour, time.monotonic() - began, said)
    finally:
        trees.put(tree)


def choose(words: Sequence[str]) -> list[Bug]:
    """The bugs whose name holds one of the words; all without any."""
    return [one for one in BUGS if not words or any(word.lower() in one.name.lower() for word in words)]


def clean_first(chosen: list[Bug], trees: SimpleQueue[Path], jobs: int) -> list[Outcome]:
    """Run the same tests without any bug; those outcomes that are not green."""
    files = sorted({word for one in chosen for word in shlex.split(one.tests) if word.startswith("tests/")})
    runs = [Bug("no bug", " ".join(files[number::jobs]), ()) for number in range(min(jobs, len(files)))]
    with ThreadPoolExecutor(jobs) as pool:
        return [o for o in pool.map(lambda one: try_one(one, trees), runs) if o.colour != "green"]


def main() -> int:
    """Try the bugs and print what became of each."""
    parser = argparse.ArgumentParser(prog="tests.planted", description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("words", nargs="*", help="only bugs whose name holds one of these")
    parser.add_argument("--list", action="store_true", help="say which bugs there are")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at once")
    parser.add_argument("--trust", action="store_true", help="do not run the tests without a bug first")
    given = parser.parse_args()
    chosen = choose(given.words)
    if given.list:
        print("\n".join(one.name for one in chosen))
        return 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="patard-planted-") as folder:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(given.jobs):
            tree = Path(folder) / str(number)
            tree.mkdir()
            trees.put(copy_of_the_tree(tree))
        os.chmod(folder, 0o755)
        for outcome in clean_first(chosen, trees, given.jobs) if not given.trust else []:
            print(f"Red without any bug: pytest {outcome.bug.tests}\n{outcome.said[-2_000:]}")
            return 2
        unseen = []
        with ThreadPoolExecutor(given.jobs) as pool:
            for outcome in pool.map(lambda one: try_one(one, trees), chosen):
                print(f"{outcome.colour:<12}{outcome.seconds:6.1f} s  {outcome.bug.name}", flush=True)
                if not outcome.colour.startswith("red"):
                    unseen.append(outcome)
    for outcome in unseen:
        print(f"\n{outcome.bug.name}: {outcome.colour}; ran pytest {outcome.bug.tests}\n{outcome.said[-2_000:]}")
    seen = len(chosen) - len(unseen)
    print(f"{seen} of {len(chosen)} planted bugs turned a test red ({time.monotonic() - began:.0f} s).")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
