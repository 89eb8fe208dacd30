"""The stage: servers and a database of its own, a tenant with campaigns of every sort, customers, and their orders."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count, islice
from typing import Any

from django.conf import settings
from django.db import connection, connections
from django.utils import timezone

from campaigns import lifecycle
from campaigns.models import Campaign, Limit, RewardTier, Rule
from config.servers import locks
from config.servers.use import using
from core.db import current_schema, execute, transaction
from events import handling, inbox
from events.reports import Report, Sender, read
from members import people
from referrals import codes
from tenants import context, provisioning, upgrades
from tenants.models import Tenant
from tenants.provisioning import Created

CAMPAIGNS = 20
ON_ORDERS = 6
MEMBERS = 1000
# The last tenth of them were invited, each by one of these.
FRIENDS = 100
INVITERS = 20


@dataclass(frozen=True)
class Stage:
    """The tenant, how to get in, and orders that nobody has paid before."""

    made: Created
    numbers: Iterator[int]

    @property
    def tenant(self) -> Tenant:
        return self.made.tenant

    def orders(self, count: int) -> list[dict[str, Any]]:
        """Return so many paid orders as a shop reports them."""
        return [_order(number) for number in islice(self.numbers, count)]

    def reports(self, count: int) -> list[Report]:
        """Return so many paid orders, read and ready to be recorded."""
        return read_all(self.orders(count))

    def fill(self, count: int) -> None:
        """Leave so many paid orders waiting in the current tenant."""
        reports = self.reports(count)
        for first in range(0, count, 500):
            inbox.record(reports=reports[first : first + 500], at=timezone.now())


@contextmanager
def servers() -> Iterator[None]:
    """Have servers, and a database without tenants. The next one begins with an empty database again."""
    settings.PLACE.folder.mkdir(parents=True, exist_ok=True)
    alone = locks.find_alone(settings.PLACE.folder / "bench.lock")
    if alone is None:
        raise SystemExit("Somebody else measures in this checkout.")
    with alone, using(settings.PLACE):
        _begin_anew()
        try:
            upgrades.upgrade(at=timezone.now())
            yield
        finally:
            connections.close_all()


@contextmanager
def stage() -> Iterator[Stage]:
    """Have a tenant called `bench` to measure in."""
    with servers():
        made = provisioning.create(
            name="Bench", slug="bench", time_zone="Europe/Moscow", currency="USD", language="en", at=timezone.now()
        )
        set_up = Stage(made, count())
        with context.in_tenant(set_up.tenant.schema_name):
            _make_campaigns()
            _make_members(set_up)
        yield set_up


def handle_all() -> None:
    """Handle whatever waits in the current tenant, as the worker does."""
    while handling.handle_batch(schema=current_schema(), at=timezone.now()):
        pass


def _begin_anew() -> None:
    name = connection.settings_dict["NAME"]
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}"')


@transaction
def _make_campaigns() -> None:
    """
    Offer what real tenants offer.

    That is cashback for an order, a ladder for whoever invited the customer, and 18 campaigns whose conditions say no:
    four on orders, the others on events of their own.
    """
    at = timezone.now() - timedelta(days=1)
    execute("UPDATE antifraud_stoprule SET threshold = 1000000000")
    for number in range(CAMPAIGNS):
        campaign = Campaign.objects.create(name=f"Campaign {number}", starts_at=at)
        if number == 0:
            Rule.objects.create(
                campaign=campaign, trigger="order.paid", recipient="actor", amount_kind="percent", rate_bps=500
            )
            Limit.objects.create(campaign=campaign, per="member", period="month", max_count=100_000)
        elif number == 1:
            Rule.objects.create(campaign=campaign, trigger="order.paid", recipient="inviter", amount_kind="tiers")
            RewardTier.objects.create(campaign=campaign, from_count=1, amount_points=10)
            RewardTier.objects.create(campaign=campaign, from_count=100, amount_points=20)
        else:
            _make_barren_rule(campaign, number)
        lifecycle.activate(campaign=campaign, author="bench", at=at)


def _make_barren_rule(campaign: Campaign, number: int) -> None:
    is_on_orders = number < ON_ORDERS
    conditions = [
        {"field": "amount_minor" if is_on_orders else "value", "operator": "at_least", "value": 10**9 + number},
        {"field": "channel", "operator": "equals", "value": f"channel {number}"},
    ]
    Rule.objects.create(
        campaign=campaign,
        trigger="order.paid" if is_on_orders else f"custom.kind_{number}",
        recipient="actor",
        amount_points=10,
        conditions=conditions,
    )


def _make_members(set_up: Stage) -> None:
    """Let all customers be known: most have ordered before, the others were invited by them."""
    set_up.fill(MEMBERS - FRIENDS)
    handle_all()
    invite_codes = [_code_of(number) for number in range(INVITERS)]
    friends = [
        {
            "key": f"joined-{number}",
            "kind": "member.joined",
            "member": identities(number),
            "data": {"code": invite_codes[number % INVITERS]},
        }
        for number in range(MEMBERS - FRIENDS, MEMBERS)
    ]
    inbox.record(reports=read_all(friends), at=timezone.now())
    handle_all()


def read_all(bodies: Sequence[dict[str, Any]]) -> list[Report]:
    """Read what a program reports, ready to be recorded."""
    sender = Sender(schema=current_schema(), region="US", may_backfill=False)
    return [read(body=body, sender=sender, at=timezone.now()) for body in bodies]


def _order(number: int) -> dict[str, Any]:
    data = {"order_id": str(number), "amount_minor": 2500 + number % 5000, "currency": "USD", "channel": "site"}
    return {"key": f"order-{number}", "kind": "order.paid", "member": identities(number % MEMBERS), "data": data}


def _code_of(number: int) -> str:
    member = people.get_by_external_id(identities(number)["external_id"])
    return codes.code_of(member_id=member.pk, at=timezone.now())


def identities(number: int) -> dict[str, str]:
    """Return how a customer is known."""
    return {"external_id": f"member-{number}", "email": f"member{number}@example.com"}
