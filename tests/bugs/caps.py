"""Bugs of what one party may take of a server, of a server's lock, and of files and words that everybody has."""

from __future__ import annotations

from tests.bugs import Bug, bug

CAPS, NAMED, SESSIONS = "ledger/currency/caps.py", "ledger/currency/named.py", "ledger/currency/sessions.py"
LIVE, INBOX, TOPUPS = "api/live.py", "ledger/currency/bank/inbox.py", "ledger/currency/bank/topups.py"
FIELDS, REFERENCE = "ledger/currency/bank/formats/fields.py", "ledger/currency/bank/reference.py"
ALONE, POSTGRES, SQLITE = "ledger/core/alone.py", "ledger/core/postgres.py", "ledger/core/sqlite.py"
THREATS, WORDS = "tests/threats/test_caps.py", "tests/threats/test_everybodys_reference.py"
INBOXES, SERVERS = "tests/currency/bank/test_inbox.py", "tests/api/test_alone.py"
SCREENS, BESIDE = "tests/threats/test_caps_screens.py", "tests/threats/test_clock_beside.py"

BUGS: tuple[Bug, ...] = (
    # One party: keys, sessions, screens.
    bug("caps: any number of keys", f"{THREATS} -k 'live_keys and sqlite'", CAPS, ">= caps.keys:", ">= 10_000:"),
    bug("caps: one key more", f"{THREATS} -k 'live_keys and sqlite'", CAPS, ">= caps.keys:", "> caps.keys:"),
    bug("caps: any number of joins an hour", f"{THREATS} -k 'in_an_hour and sqlite'",
        CAPS, ">= caps.joins:", ">= 10_000:"),
    bug("clock: behind a wrong one the hour of joins never ends", f"{BESIDE} -k 'joins_go_on and sqlite'",
        CAPS, "hour = clocked.since(town, now, now - HOUR)", "hour = posted.at - HOUR"),
    bug("caps: looked at before the commit only", f"{THREATS} -k 'three_hundred and sqlite'",
        "ledger/currency/parties.py", "        caps.require_room(town, connection, party.id, party.kind, posted)\n", "",
        "ledger/currency/parties.py", "    note = _key_note(\"key_added\"",
        "    from ledger.core.model import Posted\n    with town.reading() as c:\n"
        "        caps.require_room(town, c, party.id, party.kind, Posted(party.id, 10**9, town.now()))\n"
        "    note = _key_note(\"key_added\""),
    bug("caps: any number of sessions", f"{THREATS} -k 'oldest_session and sqlite'",
        SESSIONS, "            caps.make_room(store.connection, key, device.party, party.kind)\n", ""),
    bug("caps: the newest session ends", f"{THREATS} -k 'oldest_session and sqlite'",
        CAPS, "session.expires_at.desc()", "session.expires_at"),
    bug("caps: any number of screens a party", f"{SCREENS} -k party_has_so_many_screens",
        LIVE, "one.device.account == device.account], STREAMS_PER_PARTY)", "one.device.account == 0], 1)"),
    bug("caps: whoever came first goes, not whoever has most", f"{SCREENS} -k server_has_so_many",
        LIVE, "self._keep([one for one in self._screens if one.device.account == most], count)",
        "self._keep(list(self._screens), STREAMS)"),
    bug("caps: screens read in the threads of everybody", f"{SCREENS} -k reading_never_waits",
        LIVE, "self._news, self._opening, self._catching = CapacityLimiter(4), CapacityLimiter(4), CapacityLimiter(2)",
        "self._news = self._opening = self._catching = to_thread.current_default_thread_limiter()"),
    bug("caps: a look for each screen", f"{SCREENS} -k read_once",
        LIVE, "                    for screen in channel.screens:\n                        screen.tell(told)\n",
        "                    for screen in channel.screens:\n                        screen.behind = True\n"
        "                        screen.woken.set()\n"),
    bug("caps: what is too much is forgotten", f"{SCREENS} -k slow_screen",
        LIVE, "self.waiting, self.behind = [], True", "self.waiting = []"),
    bug("caps: what is too much waits without a bound", f"{SCREENS} -k slow_screen",
        LIVE, "len(self.waiting) + len(told) > MOST_WAITING", "False"),
    bug("caps: what was missed is told without a look at the session", f"{SCREENS} -k nothing_is_told",
        LIVE, "if not await self.enter(lambda: self.sessions.standing([token])):", "if False:"),
    bug("caps: every key of a payee", f"{THREATS} -k 'are_looked_at and sqlite'",
        NAMED, "            KEY_NAME.c.id.in_(bindparam(\"ids\", expanding=True)),\n", "",
        NAMED, '"ids": sorted(ids), ', ""),
    bug("caps: a till's name in anybody's account", f"{THREATS} -k 'are_looked_at and sqlite'",
        NAMED, "            KEY_NAME.c.account.in_(bindparam(\"accounts\", expanding=True)),\n", "",
        NAMED, ', "accounts": sorted(accounts)', ""),
    bug("caps: the upgrade names a thousand keys only", f"{THREATS} -k of_before",
        "ledger/migrations/versions/0010_key_names.py", "range(0, len(rows), AT_ONCE)", "range(0, 1, AT_ONCE)"),
    bug("caps: imports keep statements", f"{THREATS} -k keep_counts",
        "api/imports.py", "        made = self._keep(Import(",
        "        self.kept = taken\n        made = self._keep(Import("),
    # One server.
    bug("caps: a lock of a session beside", f"{SERVERS} -k 'session_that_writes or breaks'",
        POSTGRES,
        "                    if self._served is not None:\n                        self._served.take(driver)\n", "",
        POSTGRES, "            self._served = SessionLock()\n            self._look()\n",
        "            self._served = SessionLock()\n            self.beside = self.engine.connect()\n"
        "            self._served.take(driver_of(self.beside))\n"),
    bug("caps: a lock that is not taken again", f"{SERVERS} -k 'breaks or never_both'",
        ALONE, "        until = time.monotonic()",
        "        if self._held_before:\n            return\n        until = time.monotonic()"),
    bug("caps: a lock that was lost is asked for again", f"{SERVERS} -k breaks",
        ALONE, "        if self._lost is not None:\n            raise self._lost\n", ""),
    bug("caps: the file of the lock is not looked at", f"{SERVERS} -k lock_file",
        SQLITE, "                self.require_held()\n", ""),
    bug("caps: a file is enough, whichever", f"{SERVERS} -k 'lock_file or never_both'",
        ALONE, "if there != self._mine:", "if there is None:"),
    bug("caps: a server that lost its book goes on", f"{SERVERS} -k 'never_both and sqlite'",
        "api/server.py", "                    self.should_exit = True\n", ""),
    # Files and words that everybody has.
    bug("caps: any day of the calendar", f"{INBOXES} -k none_of_a_bank", FIELDS, "_YEARS: Final = (2000, 2100)",
        "_YEARS: Final = (1, 9999)"),
    bug("caps: one file stops the others", f"{INBOXES} -k whatever_one_file",
        INBOX,
        "            except Exception as error:\n                yield from self._refuse(path, error)\n        for",
        "            except StatementError as error:\n"
        "                yield from self._refuse(path, error)\n        for"),
    bug("caps: what cannot be moved stops the others", f"{INBOXES} -k cannot_be_moved",
        INBOX, "        except OSError as error:\n            if not path",
        "        except TimeoutError as error:\n            if not path"),
    bug("caps: the database's trouble refuses files", f"{INBOXES} -k is_away",
        INBOX, "            except (StoreError, SQLAlchemyError) as error:\n"
        "                trouble = error\n                continue\n", ""),
    bug("caps: a name as it is", f"{INBOXES} -k no_text", INBOX, 'return plain(path.name) or "?"', "return path.name"),
    bug("caps: any two ids that are the same", WORDS,
        REFERENCE, "one == other and names_order(one)", "bool(one) and one == other"),
    bug("caps: one thing that is right is enough", WORDS, TOPUPS, "said_back.right(one) < SURE",
        "said_back.right(one) < 1"),
    bug("caps: a return to anybody", WORDS, "ledger/currency/bank/recalled.py",
        'return line.iban != "" and line.iban == other.iban', "return True"),
    # What answers say.
    bug("caps: redirects to the host of the request", "tests/api/test_headers.py -k host",
        "api/app.py", "redirect_slashes=False", "redirect_slashes=True"),
    bug("caps: an unexpected error says nothing about itself", "tests/api/test_headers.py -k unexpected",
        "api/app.py", "    inside = app.build_middleware_stack\n"
        "    app.build_middleware_stack = lambda: Headers(inside())  # type: ignore[method-assign]\n",
        "    app.add_middleware(Headers)\n"),
    bug("caps: answers that may be kept", "tests/api/test_headers.py -k says_what",
        "api/headers.py", '    (b"cache-control", b"no-store"),\n', ""),
    bug("caps: answers that may be sniffed", "tests/api/test_headers.py -k says_what",
        "api/headers.py", '    (b"x-content-type-options", b"nosniff"),\n', ""),
)  # fmt: skip
