"""The charter's limits on payments, by the note that was in force when each was taken."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.currency.audit.story import Problem, Story
from ledger.currency.messages import Order


def payment(story: Story, at: int, order: Order) -> Iterator[Problem]:
    """A payment that was larger than one may be, or that went beyond what one account may pay a day."""
    rules = story.rules
    if rules.per_payment is not None and order.amount > rules.per_payment:
        yield (
            "limit_payment",
            f"{order.amount} cents were paid; the charter's limit was {rules.per_payment}",
        )
    if rules.per_day is None:
        return
    spent = story.day.at(at, rules.timezone or "UTC")
    total = spent[order.payer] = spent.get(order.payer, 0) + order.amount
    if total > rules.per_day:
        yield (
            "limit_day",
            f"{story.name(order.payer)} paid {total} cents on that day, and the charter's limit was {rules.per_day}",
        )
