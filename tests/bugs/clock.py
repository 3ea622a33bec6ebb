"""Bugs of the clock, of days, and of what is decided on what was read before the lock."""

from __future__ import annotations

from tests.bugs import Bug, bug

BOOK, CLOCK, DESK, TOWN = "ledger/core/book.py", "ledger/core/clock.py", "merchants/desk.py", "ledger/currency/town.py"
CLOCKED, SURE, DAYS = "ledger/currency/clocked.py", "ledger/currency/sure.py", "ledger/currency/days.py"
KINDS, STORY = "ledger/currency/audit/kinds.py", "ledger/currency/audit/story.py"
TERMS = "ledger/currency/audit/terms.py"
THREATS, COMMIT = "tests/threats/test_clock.py -k ", "tests/threats/test_clock_commit.py -k "
SINCE_DAYS = "tests/threats/test_days.py -k "
BESIDE, SESSIONS = "tests/threats/test_clock_beside.py -k ", "ledger/currency/sessions.py"

BUGS: tuple[Bug, ...] = (
    # The clock against the log and a steady one.
    bug("clock: behind the log it is believed", THREATS + "'two_hours_ahead'",
        CLOCK, "if now < reference - BEHIND:", "if False:"),
    bug("clock: 2036 is believed", THREATS + "2036_is_refused",
        CLOCK, "if fresh and now > reference + AHEAD:", "if False:"),
    bug("clock: a jump is believed", THREATS + "'jump_while'",
        CLOCK, "abs(_moved(good, now, steady)) > DRIFT + (steady - good[1]) // 1_000", "False"),
    bug("clock: a confirmation of before counts for every jump", THREATS + "confirmation_of_before",
        CLOCK, "self._confirmed <= good[2]:", "not self._confirmed:"),
    bug("clock: a quiet night is a jump", THREATS + "long_night",
        CLOCK, "> DRIFT + (steady - good[1]) // 1_000", "> DRIFT"),
    bug("clock: behind the log nobody holds it to what it said", THREATS + "still_held",
        CLOCK, "reference = told.clock if told is not None and counting else head.at", "reference = now"),
    # What stands beside the log.
    bug("clock: one wrong look ends all sessions", BESIDE + "begins_with",
        SESSIONS, "clocked.over(store, now)", "now"),
    bug("clock: sessions end by the clock alone", BESIDE + "'nobody_elses or people_read'",
        CLOCK, "if good is not None and _jumped(good, now, steady) else now", "if False else now"),
    bug("clock: a session of a wrong clock is good when its time comes", BESIDE + "begins_with",
        SESSIONS, "now + self._longest() + _APART", "now + 10**16"),
    bug("clock: people are invited by a wrong one", BESIDE + "nobody_is_invited",
        "ledger/currency/parties.py", "now = clocked.require(town, store)", "now = town.now()"),
    bug("clock: used challenges are forgotten by a wrong one", BESIDE + "challenge",
        SESSIONS, "steady = self.town.steady()", "steady = self.town.now()"),
    # One look a batch.
    bug("clock: what stands is refused where no look is in time", COMMIT + "gives_up",
        DESK, "return self._stood(instruction, submission, busy)", "return busy"),
    bug("clock: a late commit is none", COMMIT + "'sleeps or stopped'",
        BOOK, "if abs(now - looked) > LATE:", "if False:"),
    bug("clock: the look is not the time of the entry", COMMIT + "'overtak or another_entry'",
        BOOK, "return looked <= end and not counts", "return False"),
    bug("clock: the commit has a clock of its own", COMMIT + "sleeps",
        BOOK, "now=looked,", "now=now,"),
    bug("clock: keys are not looked at again", COMMIT + "key_that_is_revoked",
        DESK, "self._found(connection, batch) != (devices, self._held)",
        "self._found(connection, batch)[1] != self._held"),
    bug("clock: what stands is refused with the rest", THREATS + "jump_while",
        DESK, "results[index] = self._stood(instruction, batch[index], why)", "results[index] = why"),
    # Behind a wrong clock's entry.
    bug("clock: a day begins when the log says so", THREATS + "book_of_before",
        CLOCKED, "return found.at if found else midnight", "return midnight"),
    bug("clock: the log is not told of the clock", THREATS + "'told or book_of_before'",
        CLOCKED, "told is None or (now", "True or (now"),
    bug("clock: check goes by the log alone", THREATS + "goes_by_the_clock",
        STORY, "return told.clock if told is not None and told.counts(seq, at) else at", "return at - 10**15"),
    bug("clock: check lets an order be a minute late", THREATS + "very_second",
        KINDS, "slack = 0 if story.rules.looked else ON_ITS_WAY", "slack = ON_ITS_WAY"),
    bug("clock: check takes notes about the clock from anybody", THREATS + "nobody_made",
        TERMS, 'if instruction.evidence.get("by") != CONSOLE:', "if False:"),
    bug("clock: reports count by a wrong clock", SINCE_DAYS + "2036",
        CLOCKED, "return min(at, self._told[place].clock) if place < len(self._told) else at", "return at"),
    bug("clock: a day is what the log counts", "tests/test_architecture.py -k judged", "api/commands/accounts.py",
        "local_date(Moments(town, seq).of(first.seq, first.at))", "local_date(first.at)"),
    bug("clock: a commit is handed what the log counts", "tests/test_architecture.py -k judged",
        "ledger/currency/bank/payouts/batches.py", "check(connection, judged(town, posted),",
        "check(connection, posted.at,"),
    # Two looks.
    bug("clock: one look releases", THREATS + "'60_days or two_looks'",
        SURE, "if now - at >= APART}", "if now - at >= 0}"),
    bug("clock: a look is remembered for ever", THREATS + "60_days",
        SURE, "first = self._first[kind] = {id_: before.get(id_, now) for id_ in due}",
        "first = self._first[kind] = {**before, **{id_: before.get(id_, now) for id_ in due}}"),
    bug("clock: a person's word is the clock's", THREATS + "says_what_day",
        SURE, "if clock != self.today:", "if False:"),
    # Days, and what another program changed.
    bug("days: the future is refused in one door", SINCE_DAYS + "future",
        "ledger/currency/conversion.py", "days.past(town, booked_on)", "days.require(booked_on)"),
    bug("days: year 336 is a day", SINCE_DAYS + "outside",
        DAYS, "if not FIRST <= day <= LAST:", "if False:"),
    bug("days: a report counts for the end of time", SINCE_DAYS + "breaks_a_report",
        DAYS, "if booked_on is None or not FIRST <= booked_on <= after(taken_on, 1):", "if booked_on is None:"),
    bug("days: a shop's name is taken twice over the API", SINCE_DAYS + "another_shop",
        "ledger/currency/naming.py", "other = None if free else", "other = None if True else"),
    bug("days: a replaced charter goes on", SINCE_DAYS + "replaced",
        BOOK, "if unless in posted and unless not in ids:", "if False:"),
    bug("days: lines are booked by whoever sent the file", SINCE_DAYS + "uploader",
        "api/imports.py", "booking.book(self.town, progress=progress)",
        "booking.book(self.town, by=str(taking.statements(self.town)[-1].taken_by), progress=progress)"),
)  # fmt: skip
