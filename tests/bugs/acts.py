"""Bugs of who vouches for what: acts of devices, the machine's signature, imports that were announced."""

from __future__ import annotations

from tests.bugs import Bug, bug

ACTS, AUTH = "ledger/currency/acts.py", "api/auth.py"
VOUCHING, MEANING = "ledger/currency/audit/vouching.py", "ledger/currency/audit/meaning.py"
T = "tests/threats/test_authority.py -k "
REVOKED = "tests/threats/test_revoked.py -k "

BUGS: tuple[Bug, ...] = (
    bug("acts: nobody verifies what a device is said to have signed", T + "what_was_signed_is",
        ACTS, "        proofs.verify_act(network, self.key, self.until, self.hash, self.signature)\n", ""),
    bug("acts: of no certain time", T + "its_time",
        ACTS, "        if not now <= self.until <= now + LONGEST_SECONDS:", "        if not now <= self.until:"),
    bug("acts: of a time that is over", T + "its_time",
        ACTS, "        if not now <= self.until <= now + LONGEST_SECONDS:",
        "        if not self.until <= now + LONGEST_SECONDS:"),
    bug("acts: once more with the same signature", T + "carried_out_once",
        ACTS, "    if connection.execute(select(ACT.c.seq).where(ACT.c.hash == act.hash)).first() is not None:",
        "    if not act.text:"),
    bug("acts: a token is enough", T + "without_a_key", AUTH,
        "    if given is None:\n        raise CurrencyError(\"act_missing\"",
        "    if given is None and caller.role == \"treasurer\":\n        return Acting(caller, town)\n"
        "    if given is None:\n        raise CurrencyError(\"act_missing\""),
    bug("acts: the body is not what was signed", T + "what_was_signed_is",
        AUTH, "proofs.act_text(request.method, path, body)", "proofs.act_text(request.method, path, \"\")"),
    bug("acts: names stay in the log", T + "is_personal",
        ACTS, "        if self.is_personal:", "        if not self.text:"),
    bug("acts: check verifies no signature of the machine", T + "name_of_the_machine", VOUCHING,
        "    yield Signed(bytes.fromhex(machine), signature, message, \"act_invalid\", text)\n", ""),
    bug("acts: the machine does not sign what a device had done", T + "vouches_for_nothing_else", VOUCHING,
        "        yield from _by_machine(story, record, story.rules.machine, acts.COUNTERSIGNED)\n", "        pass\n"),
    bug("acts: check does not ask for the machine's signature", T + "name_of_the_machine", VOUCHING,
        "        yield \"act_missing\", \"it was booked at the machine, and the machine's key did not sign it\"\n", ""),
    bug("acts: check lets one signature be for many entries", T + "two_entries", VOUCHING,
        "    if last is not None and last != record.seq - 1:", "    if last is not None and last > record.seq:"),
    bug("acts: check does not compare what was signed", T + "something_else", VOUCHING,
        "    if wrong is not None:\n        yield \"act_differs\"",
        "    if wrong is None and not text:\n        yield \"act_differs\""),
    bug("acts: any kind of entry comes of any request", T + "the_opposite", MEANING,
        "        if kinds and entry.kind not in kinds:", "        if kinds and not entry.kind:"),
    bug("acts: a conversion of another amount", T + "something_else", MEANING,
        "(units.credit, units.amount) == (account_number(body[\"account\"]), body[\"amount_cents\"])",
        "units.credit == account_number(body[\"account\"])"),
    bug("acts: what was erased is missed of nobody", T + "is_personal", VOUCHING,
        "        if account not in story.closed:", "        if account in story.closed:"),
    bug("acts: nobody vouches for a machine's key", T + "nobody_vouched", VOUCHING,
        "    if machine != before:\n", "    if machine != before and before is None:\n"),
    bug("acts: an import is what it likes", T + "import", VOUCHING,
        "        if coming.hashed.hexdigest() != coming.digest:", "        if not coming.digest:"),
    bug("acts: an import comes unannounced", T + "import", VOUCHING,
        "    if story.is_signed and not story.is_import:\n        yield \"act_missing\", \"an import",
        "    if story.is_signed and story.importing:\n        yield \"act_missing\", \"an import"),
    bug("acts: anybody announces an import", T + "announcement", VOUCHING,
        "    yield from _machine(story, record)\n    story.importing", "    story.importing"),
    bug("acts: a used code is given out again", T + "made_once", "ledger/currency/parties.py",
        "        if store.connection.execute(select(INVITE.c.role).where(INVITE.c.code_hash == hashed)).first() is not "
        "None:", "        if not hashed:"),
    bug("acts: a revoked key has done what was on its way", REVOKED + "on_its_way", "ledger/currency/town.py",
        "            if act is not None and new:\n", "            if act is not None and not new:\n"),
    bug("acts: a revoked key is answered nothing any more", REVOKED + "is_answered", "ledger/currency/town.py",
        "isinstance(answer, Posted) and not answer.replay and getattr(one", "getattr(one"),
    bug("acts: a revoked key is one that lives", REVOKED + "on_its_way", ACTS,
        "DEVICE_KEY.c.key == act.key, DEVICE_KEY.c.revoked_at.is_(None))", "DEVICE_KEY.c.key == act.key)"),
    bug("acts: a revoked key invites", REVOKED + "on_its_way", "ledger/currency/parties.py",
        "            acts.require_live(store.connection, act)\n", "            pass\n"),
    bug("acts: nobody joins once the inviter has left", REVOKED + "has_left", "ledger/currency/town.py",
        ' and getattr(one, "kind", "") != "key_added"', ""),
    bug("acts: check lets a revoked key act for a minute", REVOKED + "moment_later", VOUCHING,
        "    late = 0 if story.rules.looked else ON_ITS_WAY", "    late = ON_ITS_WAY"),
    bug("acts: check does not miss whose party was closed", REVOKED + "'moment_later and closed'", VOUCHING,
        "    ends = (key.revoked_at, story.closed.get(key.account))", "    ends = (key.revoked_at, None)"),
)  # fmt: skip
