"""Bugs of the check: of one moment, of known roots, of signatures that others verify."""

from __future__ import annotations

from tests.bugs import Bug, bug

CHECK, SNAPSHOT, SIGNATURES = "ledger/core/check.py", "ledger/core/snapshot.py", "ledger/currency/audit/signatures.py"
MOMENT = "tests/conformance/test_snapshot.py"
ROOTS, SIGNED = "tests/core/test_check_roots.py", "tests/currency/test_audit_signatures.py"

BUGS: tuple[Bug, ...] = (
    bug("check: an index that calls itself unique is believed", "tests/core/test_check.py -k calls_itself",
        CHECK, "tested = damage == [] and", "tested ="),
    bug("check: tables are of another moment than the log",
        "tests/currency/bank/test_bank_audit.py tests/currency/bank/test_payouts_audit.py -k while_the_audit",
        "ledger/currency/town.py", "if isinstance(self.book.store, Snapshot):", "if False:"),
    bug("check: engine and currency look at different moments", MOMENT,
        "ledger/core/check_rows.py", "if isinstance(store, Snapshot):", "if False:",
        SNAPSHOT, "    def close(self) -> None:", "    engine = property(lambda self: self.connection.engine)\n\n"
        "    def close(self) -> None:"),
    bug("check: the moment is chosen late, SQLite", f"{MOMENT} -k sqlite",
        SNAPSHOT, 'driver.execute("SELECT count(*) FROM sqlite_schema").fetchall()', "pass"),
    bug("check: the moment is chosen late, PostgreSQL", f"{MOMENT} -k postgres",
        SNAPSHOT, 'driver.execute("SELECT 1")', "pass"),
    bug("check: each look of PostgreSQL is of its own moment", f"{MOMENT} -k postgres",
        SNAPSHOT, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"),
    bug("check: a snapshot can be written through, SQLite", f"{MOMENT} -k sqlite",
        SNAPSHOT, "PRAGMA query_only = ON", "PRAGMA query_only = OFF"),
    bug("check: a snapshot can be written through, PostgreSQL", f"{MOMENT} -k postgres",
        SNAPSHOT, "REPEATABLE READ READ ONLY", "REPEATABLE READ READ WRITE"),
    bug("check: a charter that was changed just now is held against an older log",
        "tests/threats/test_check_beside_office.py -k charter",
        "api/commands/checking.py", "if _rules_in(home) == rules:", "if True:"),
    bug("check: roots that are known are not compared", ROOTS,
        CHECK, "if self._leaves in self._roots:", "if False:"),
    bug("check: a root known for a longer log is passed over", ROOTS,
        CHECK, "if size > self._leaves", "if size > self._leaves + 1_000"),
    bug("check: the root of an empty log is not compared", ROOTS,
        CHECK, "        self._known()\n        self._row", "        self._row"),
    bug("check: what other processes find wrong is lost", SIGNED,
        SIGNATURES, "self._wrong += chunk.judged(wrong)", "pass"),
    bug("check: what a killed process had before it is taken for right", f"{SIGNED} -k killed",
        SIGNATURES, "self._do(worker.chunks.popleft())", "worker.chunks.popleft()"),
    bug("check: answers are taken for those of another chunk", SIGNED,
        SIGNATURES, "worker.chunks[0], worker.receive()", "worker.chunks[-1], worker.receive()"),
    bug("check: libsodium has the last word", SIGNED,
        SIGNATURES, "return verify(key, signature, message)", "return False"),
    bug("check: the last signatures are not verified", SIGNED,
        SIGNATURES, "self._waiting.append(self._chunk)\n        self._chunk = self._chunk.next()\n        while",
        "while"),
    bug("check: signatures that judges ask for are not verified", SIGNED,
        "ledger/currency/audit/walk.py", "self.signatures.add(seq, id_, problem)", "pass"),
)  # fmt: skip
