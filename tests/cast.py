"""
The cast: what people of a tenant do, in words.

`Shop` reports what members do, through the same inbox as the API, and handles it at once; `make_campaign` makes and
activates a campaign of one rule. Everybody has an external id, which is their name.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from campaigns import lifecycle
from campaigns.models import Campaign, Limit, RewardTier, Rule
from core.db import current_schema, transaction
from core.errors import Failure
from core.money import to_minor
from events import handling, inbox
from events.models import Event
from events.reports import Sender, read
from members import people
from referrals import codes, links
from rewards import ledger
from rewards.models import Reward
from scoring import why

# A Tuesday, in the middle of a month and of a day: nothing begins or ends near it, in any zone.
NOON = datetime(2026, 3, 17, 12, 0, tzinfo=UTC)


@dataclass
class Shop:
    """A tenant's program. `at` is its clock, and the platform's."""

    at: datetime = NOON
    may_backfill: bool = False
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def report(
        self,
        kind: str,
        who: str | Mapping[str, str],
        *,
        key: str | None = None,
        occurred_at: datetime | None = None,
        **data: Any,
    ) -> Event:
        """Report one event and leave it waiting. `who` is a name, or identities."""
        body: dict[str, Any] = {
            "key": key or f"event-{next(self.numbers)}",
            "kind": kind,
            "member": {"external_id": who} if isinstance(who, str) else dict(who),
            "data": data,
            "occurred_at": (occurred_at or self.at).isoformat(),
        }
        sender = Sender(schema=current_schema(), region="RU", may_backfill=self.may_backfill)
        reported = read(body=body, sender=sender, at=self.at)
        outcome = inbox.record(reports=[reported], at=self.at)[0]
        if isinstance(outcome, Failure):
            raise outcome
        return Event.objects.get(pk=outcome.id)

    def handle(self) -> None:
        """Handle whatever waits."""
        while handling.handle_batch(schema=current_schema(), at=self.at):
            pass

    def tells(self, kind: str, who: str | Mapping[str, str], **data: Any) -> Event:
        """Report one event, handle it, and return it as it is then."""
        event = self.report(kind, who, **data)
        self.handle()
        event.refresh_from_db()
        return event

    def joins(self, who: str | Mapping[str, str], *, invited_by: str | None = None, **data: Any) -> Event:
        """Somebody signs up, perhaps with somebody's code."""
        if invited_by:
            data["code"] = self.code_of(invited_by)
        return self.tells("member.joined", who, **data)

    def pays(self, who: str | Mapping[str, str], amount: str, *, order: str | None = None, **data: Any) -> Event:
        """Somebody pays an order of so many roubles."""
        number = order or f"order-{next(self.numbers)}"
        return self.tells(
            "order.paid", who, order_id=number, amount_minor=to_minor(Decimal(amount), "RUB"), currency="RUB", **data
        )

    def refunds(self, who: str, amount: str, *, order: str, refund: str = "1") -> Event:
        """Give money back."""
        return self.tells(
            "order.refunded", who, order_id=order, refund_id=refund, amount_minor=to_minor(Decimal(amount), "RUB")
        )

    def cancels(self, who: str, *, order: str) -> Event:
        """Call an order off."""
        return self.tells("order.cancelled", who, order_id=order)

    def clicks(self, name: str, *, key: str = "click-1", visitor: str = "browser-1") -> str:
        """Somebody follows the link of a member; return the click_id that the landing page was given."""
        link = links.get(code=self.code_of(name), campaign_id=None, at=self.at)
        links.record_click(link=link, key=key, visitor=visitor, channel="site", utm={}, at=self.at)
        return key

    def code_of(self, name: str) -> str:
        """Return the code that a member shares."""
        return codes.code_of(member_id=self.id_of(name), at=self.at)

    def id_of(self, name: str) -> int:
        """Return the number of a member known by name."""
        return people.get_by_external_id(name).pk

    def balance_of(self, name: str) -> int:
        """Return how many points a member has."""
        return ledger.balance_of(member_id=self.id_of(name))

    def rewards_of(self, name: str) -> list[Reward]:
        """Return what a member was ever owed, oldest first."""
        return list(Reward.objects.filter(member_id=self.id_of(name)).order_by("pk"))


@transaction
def make_campaign(
    *,
    at: datetime = NOON,
    limits: Sequence[Mapping[str, Any]] = (),
    tiers: Sequence[tuple[int, int]] = (),
    rule: Mapping[str, Any] | None = None,
    **columns: Any,
) -> Campaign:
    """Make and activate a campaign of one rule: 100 points to the inviter for a friend's first order, unless said."""
    campaign = Campaign.objects.create(**{"name": "Bring a friend", "goal": "attract", **columns})
    given = {"trigger": "order.paid", "recipient": "inviter", "order_number": "first", "amount_points": 100}
    Rule.objects.create(campaign=campaign, **{**given, **(rule or {})})
    for from_count, points in tiers:
        RewardTier.objects.create(campaign=campaign, from_count=from_count, amount_points=points)
    for limit in limits:
        Limit.objects.create(campaign=campaign, **limit)
    lifecycle.activate(campaign=campaign, author="marta", at=at)
    campaign.refresh_from_db()
    return campaign


@transaction
def edit(campaign: Campaign, *, at: datetime, rule: Mapping[str, Any] | None = None, **columns: Any) -> None:
    """Change a campaign, and all its rules, as a marketer would in the admin: it is published at once."""
    Campaign.objects.filter(pk=campaign.pk).update(**columns)
    campaign.rules.update(**(rule or {}))
    lifecycle.publish(campaign=campaign, author="marta", at=at)


@transaction
def act(verb: Callable[..., Any], campaign: Campaign, *, at: datetime) -> None:
    """Pause, resume or end a campaign."""
    verb(campaign=campaign, author="marta", at=at)


def trace_of(event: Event) -> list[dict[str, Any]]:
    """Return what the rules said of an event, in the order in which they were tried, as people are told."""
    return why.rendered(event.trace)


def codes_of(event: Event) -> list[str]:
    """Return the code of each thing that was said of an event."""
    return [entry["code"] for entry in trace_of(event)]
