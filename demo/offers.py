"""What the two businesses offer: campaigns that show what campaigns can do, and the stop rule that will halt one."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from antifraud.models import StopRule, Tally
from campaigns import lifecycle
from campaigns.models import Campaign, Limit, RewardTier, Rule
from core.db import in_transaction
from demo import coffee_gifts, record_shop
from demo.businesses import COFFEE_CHAIN, RECORD_SHOP, Business
from demo.days import OPENS

AUTHOR: Final = "marketer"
FAIR_REWARDS_MAX: Final = 25
FAIR_WITHIN_MINUTES: Final = 60
# A point of the shop's is worth a cent.
FAIR_POINTS: Final = 100

type_of_rows = Sequence[Mapping[str, Any]]


@in_transaction
def make(*, business: Business, begins_at: datetime, at: datetime) -> None:
    """
    Make the campaigns of a business, whose history begins at `begins_at`.

    What was changed in the course of time was changed then: each change is a version of its own, and an event is scored
    by the one of its time.
    """
    # By the business's clock, as whoever sets a date in the admin would mean it.
    today = at.astimezone(begins_at.tzinfo).replace(hour=0, minute=0, second=0, microsecond=0)
    {RECORD_SHOP: _of_record_shop, COFFEE_CHAIN: _of_coffee_chain}[business](begins_at, today)


def _of_record_shop(begins_at: datetime, today: datetime) -> None:
    _make_bring_a_friend(begins_at)
    _make_cashback(begins_at, today)
    _make_double_weeks(begins_at, today)
    _make_welcome_back(begins_at)
    _make_sharing(today)
    _make_fair(today)
    _make_gifts(today)
    of_fridays = {"trigger": "order.paid", "recipient": "actor", "amount_points": 50}
    _draft(name="Vinyl Fridays", goal="sell", rules=[of_fridays])


def _make_bring_a_friend(begins_at: datetime) -> None:
    _campaign(
        name="Bring a friend",
        goal="attract",
        budget_points=1_000_000,
        starts_at=begins_at,
        rules=[
            {
                "trigger": "order.paid",
                "recipient": "inviter",
                "order_number": "first",
                "amount_kind": "tiers",
                "hold_days": 3,
            }
            | _where(("amount_minor", "at_least", 1_000)),
            {"trigger": "member.joined", "recipient": "invitee", "amount_points": 300},
        ],
        tiers=[(1, 500), (3, 750), (10, 1_000)],
        limits=[{"per": "member", "period": "month", "max_count": 12}],
    )


def _make_cashback(begins_at: datetime, today: datetime) -> None:
    cashback = _campaign(
        name="Cashback 5%",
        goal="sell",
        # Most of it is used by now.
        budget_points=900_000,
        when_short="cap",
        exclusive_group="cashback",
        starts_at=begins_at,
        rules=[
            {"trigger": "order.paid", "recipient": "actor", "amount_kind": "percent", "rate_bps": 300, "hold_days": 1}
        ],
        limits=[{"per": "member", "period": "month", "max_points": 1_500}],
    )
    # It was 3% in its first year.
    Rule.objects.filter(campaign=cashback).update(rate_bps=500)
    lifecycle.publish(campaign=cashback, author=AUTHOR, at=today - timedelta(days=180))


def _make_double_weeks(begins_at: datetime, today: datetime) -> None:
    ends_at = today - timedelta(days=150)
    double = _campaign(
        name="Double cashback weeks",
        goal="sell",
        budget_points=200_000,
        when_short="cap",
        priority=10,
        exclusive_group="cashback",
        starts_at=max(begins_at, ends_at - timedelta(days=42)),
        ends_at=ends_at,
        rules=[
            {"trigger": "order.paid", "recipient": "actor", "amount_kind": "percent", "rate_bps": 1_000}
            | _where(("amount_minor", "at_least", 2_000))
        ],
    )
    lifecycle.end(campaign=double, author=AUTHOR, at=ends_at)


def _make_welcome_back(begins_at: datetime) -> None:
    _campaign(
        name="Welcome back",
        goal="activate",
        # So little that it is used up by now.
        budget_points=100_000,
        when_short="cap",
        starts_at=begins_at,
        rules=[
            {"trigger": "order.paid", "recipient": "actor", "order_number": "repeat", "amount_points": 300}
            | _where(("amount_minor", "at_least", 5_000))
        ],
        limits=[{"per": "member", "period": "ever", "max_count": 2}],
    )


def _make_sharing(today: datetime) -> None:
    sharing = _campaign(
        name="Spread the word",
        goal="activate",
        starts_at=today - timedelta(days=90),
        rules=[{"trigger": "invite.sent", "recipient": "actor", "amount_points": 10}],
        limits=[{"per": "member", "period": "day", "max_count": 1}],
    )
    lifecycle.pause(campaign=sharing, author=AUTHOR, at=today - timedelta(days=6))


def _make_fair(today: datetime) -> None:
    fair = _campaign(
        name="Check in at the record fair",
        goal="activate",
        budget_points=20_000,
        starts_at=today - timedelta(days=record_shop.FAIR_BEGAN_DAYS_AGO),
        rules=[
            {"trigger": "check_in", "recipient": "actor", "amount_points": FAIR_POINTS}
            | _where(("place", "equals", record_shop.FAIR))
        ],
        limits=[{"per": "member", "period": "day", "max_count": 1}],
    )
    StopRule.objects.create(
        campaign=fair, metric="rewards", threshold=FAIR_REWARDS_MAX, window_minutes=FAIR_WITHIN_MINUTES
    )
    _tally_first_day(fair, began_at=today - timedelta(days=record_shop.FAIR_BEGAN_DAYS_AGO))


def _tally_first_day(fair: Campaign, *, began_at: datetime) -> None:
    """Have the minutes of its first day, as if it had been told as it happened: history has none to compare with."""
    Tally.objects.bulk_create(
        Tally(
            scope=Tally.Scope.CAMPAIGN,
            subject=str(fair.pk),
            minute=began_at + timedelta(hours=OPENS.hour + hour),
            rewards=count,
            points=FAIR_POINTS * count,
            cost_minor=FAIR_POINTS * count,
        )
        for hour, count in enumerate(record_shop.FAIR_HOURS)
    )


def _make_gifts(today: datetime) -> None:
    """One campaign whose rules give one of everything that can be given."""
    order = {"trigger": "order.paid", "recipient": "actor"}
    _campaign(
        name="Record month",
        goal="sell",
        starts_at=today - timedelta(days=45),
        refund_policy="debt",
        rules=[
            order
            | {"reward_kind": "product", "reward_what": "sticker-pack", "amount_points": 1}
            | {"extras": [{"kind": "points", "what": "", "amount": 50}]}
            | _where(("amount_minor", "at_least", 4_000)),
            order
            | {"reward_kind": "certificate", "reward_what": "your-choice", "amount_points": 1_000}
            | _where(("amount_minor", "at_least", 9_000)),
            order
            | {"reward_kind": "spin", "reward_what": "spins", "amount_points": 1}
            | _where(("items.count", "at_least", 2)),
            {"trigger": "member.joined", "recipient": "invitee", "amount_points": 1}
            | {"reward_kind": "discount", "reward_what": "fifteen-off"},
            {"trigger": "order.paid", "recipient": "inviter", "order_number": "first", "amount_points": 300}
            | {"reward_kind": "money", "reward_what": "cash", "hold_days": 3},
            {"trigger": "custom.review", "recipient": "actor", "amount_points": 20}
            | {"reward_kind": "points", "reward_what": "stars"},
            {"trigger": "custom.app_installed", "recipient": "actor", "amount_points": 200}
            | {"awaits": "order.paid", "awaits_days": 60},
            {"trigger": "custom.review", "recipient": "actor", "amount_points": 1}
            | {"reward_kind": "privilege", "reward_what": "listening-room"}
            | _where(("value", "at_least", 5)),
        ],
        limits=[{"per": "member", "period": "month", "max_count": 8}],
    )


def _of_coffee_chain(begins_at: datetime, _today: datetime) -> None:
    _campaign(
        name="Приведи друга",
        goal="attract",
        budget_points=50_000,
        starts_at=begins_at,
        rules=[
            {"trigger": "order.paid", "recipient": "inviter", "order_number": "first", "amount_points": 150}
            | _where(("amount_minor", "at_least", 30_000)),
            {"trigger": "member.joined", "recipient": "invitee", "amount_points": 100},
        ],
        limits=[{"per": "member", "period": "month", "max_count": 10}],
    )
    _campaign(
        name="Отметься в кофейне",
        goal="activate",
        budget_points=20_000,
        starts_at=begins_at,
        rules=[{"trigger": "check_in", "recipient": "actor", "amount_points": 5}],
        limits=[{"per": "member", "period": "week", "max_count": 4}],
    )
    _campaign(
        name="Кешбэк 3%",
        goal="sell",
        budget_points=50_000,
        starts_at=begins_at,
        rules=[{"trigger": "order.paid", "recipient": "actor", "amount_kind": "percent", "rate_bps": 300}],
    )
    _campaign(
        name="1000 баллов — личный промокод",
        goal="activate",
        starts_at=begins_at,
        rules=[
            {"trigger": "level.reached", "recipient": "actor", "amount_points": 1}
            | {"reward_kind": "discount", "reward_what": coffee_gifts.PROMO_CODE["code"]}
            | _where(("level", "equals", coffee_gifts.THOUSAND))
        ],
        limits=[{"per": "campaign", "period": "month", "max_count": 100}],
    )


def _campaign(*, starts_at: datetime, **told: Any) -> Campaign:
    campaign = _draft(starts_at=starts_at, **told)
    lifecycle.activate(campaign=campaign, author=AUTHOR, at=starts_at)
    return campaign


def _draft(
    *,
    rules: type_of_rows,
    tiers: Sequence[tuple[int, int]] = (),
    limits: type_of_rows = (),
    **columns: Any,
) -> Campaign:
    campaign = Campaign.objects.create(**columns)
    for position, rule in enumerate(rules):
        Rule.objects.create(campaign=campaign, position=position, **rule)
    for from_count, amount_points in tiers:
        RewardTier.objects.create(campaign=campaign, from_count=from_count, amount_points=amount_points)
    for limit in limits:
        Limit.objects.create(campaign=campaign, **limit)
    return campaign


def _where(*conditions: tuple[str, str, object]) -> dict[str, Any]:
    return {"conditions": [{"field": field, "operator": how, "value": value} for field, how, value in conditions]}
