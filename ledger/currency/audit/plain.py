"""Payments at which nothing is out of the ordinary, told from the bytes of their records in a fifth of the time.

Nearly all of a log is such payments. One pattern holds order and record against each other, byte for byte; what is left
is what the story knows. Whatever differs in anything is judged by `kinds`, from the beginning: nothing is found here,
and where something might be, nothing was changed. So each condition here may be stricter than there, and none laxer.
"""

from __future__ import annotations

import re
import struct

from ledger.currency import parties
from ledger.currency.audit.cover import Cover
from ledger.currency.audit.signatures import Signed
from ledger.currency.audit.story import Story
from ledger.currency.messages import ORDER_DOMAIN

NOT_THE_PAYERS = "the signature is not the payer's over this order: somebody else made or changed it"

_NO_ID = b"0" * 32
_SIDES = struct.Struct(">QQI8xI")
"""Payer, payee, amount and last second of an order, after tag, network, purpose and id."""


class Plain:
    """Takes plain payments in, for `story` and `cover`."""

    def __init__(self, story: Story, cover: Cover) -> None:
        self._story, self._cover = story, cover
        # Neither changes along a log: a note of the charter that names others is none.
        network, unit = story.rules.network.hex().encode(), story.chart.unit.encode()
        # The canonical record (`ledger.core.record`), and in it the order as `messages.Order` packs it.
        self._match = re.compile(
            rb'\{"at":([1-9][0-9]{0,15}),"evidence":\{"key":"([0-9a-f]{64})","order":"'
            rb"(02%b01([0-9a-f]{32})([0-9a-f]{16})([0-9a-f]{16})[0-9a-f]{8}%b[0-9a-f]{40})"
            rb'","signature":"([0-9a-f]{128})"\},"id":"\4","kind":"payment","salt":"[0-9a-f]{32}",'
            rb'"seq":([1-9][0-9]{0,15}),"transfers":\[\["\5","\6",([1-9][0-9]{0,9}),"%b"\]\],"v":1\}'
            % (network, unit.ljust(8, b"\0").hex().encode(), unit)
        ).fullmatch

    def signed(self, data: bytes) -> Signed | None:
        """The signature that is left to verify; None where `data` is no plain payment, and was not taken in."""
        found = self._match(data) if type(data) is bytes else None
        if found is None:
            return None
        at, public, body, id_, signature, seq, moved = found.group(1, 2, 3, 4, 7, 8, 9)
        order, public = bytes.fromhex(body.decode()), bytes.fromhex(public.decode())
        payer, payee, amount, expires = _SIDES.unpack_from(order, 22)
        story = self._story
        rules, holders = story.rules, story.holders
        key, moment = story.keys.get(public), story.moment(int(seq), int(at))
        if (
            amount != int(moved)
            or id_ == _NO_ID
            or payer == payee
            or not 0 < moment // 1_000_000 <= expires
            or story.importing is not None
            # Its numbers are accounts' numbers, then.
            or payer not in holders
            or payee not in holders
            or (self._cover.imported and payer in story.uncovered)
            or key is None
            or key.account != payer
            or key.revoked_at is not None
            or key.role not in parties.SPEND
            or (rules.per_payment is not None and amount > rules.per_payment)
            or self._cover.counts(payer)
            or self._cover.counts(payee)
        ):
            return None
        if rules.timezone is not None:
            spent = story.day.at(moment, rules.timezone)
            total = spent.get(payer, 0) + amount
            if rules.per_day is not None and total > rules.per_day:
                return None
            spent[payer] = total
        story.began, story.is_import = True, False
        story.moved.add(payee)  # the payer has a key, which says more
        signed = bytes.fromhex(signature.decode())
        return Signed(public, signed, ORDER_DOMAIN + order, "signature_invalid", NOT_THE_PAYERS)
