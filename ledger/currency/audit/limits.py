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
    if rules.timezone is None:
        return  # before notes said when a day begins
    spent = story.day.at(at, rules.timezone)
    total = spent[order.payer] = spent.get(order.payer, 0) + order.amount
    if rules.per_day is not None and total > rules.per_day:
        yield (
            "limit_day",
            f"{story.name(order.payer)} paid {total} cents on that day, and the charter's limit was {rules.per_day}",
        )


def mandate(story: Story, amount: int) -> Iterator[Problem]:
    """A monthly amount above the most of one member."""
    most = story.rules.per_month
    if most is not None and amount > most:
        yield "limit_month", f"{amount} cents a month were signed; the charter's limit was {most}"
