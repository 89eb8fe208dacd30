"""The stage: real servers, a database of its own, one tenant with campaigns of every sort, and events waiting in it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, connections
from django.utils import timezone

from antifraud.models import StopRule
from campaigns import lifecycle
from campaigns.models import Campaign, Limit, RewardTier, Rule
from config.servers.use import using
from core.db import current_schema, transaction
from events import inbox
from events.reports import Report, Sender, read
from tenants import context, provisioning, upgrades
from tenants.provisioning import Created

DATABASE = f"bench_{os.getpid()}"
CAMPAIGNS = 20
ON_ORDERS = 6


@contextmanager
def stage() -> Iterator[Created]:
    """Have a tenant called `bench` to measure in; whatever was measured is dropped afterwards."""
    with using(settings.PLACE):
        _with_server(f'CREATE DATABASE "{DATABASE}"')
        connections.close_all()
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = DATABASE
        try:
            upgrades.upgrade(at=timezone.now())
            made = provisioning.create(
                name="Bench", slug="bench", time_zone="UTC", currency="USD", language="en", at=timezone.now()
            )
            with context.in_tenant(made.tenant.schema_name):
                make_campaigns(at=timezone.now() - timedelta(days=1))
            yield made
        finally:
            connections.close_all()
            _with_server(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')


@transaction
def make_campaigns(*, at: datetime) -> None:
    """
    Offer what real tenants offer: cashback and a ladder that reward orders, and 18 campaigns whose conditions say no: four on
    orders, the others on kinds of event of their own.
    """
    StopRule.objects.update(threshold=10**12)
    for number in range(CAMPAIGNS):
        campaign = Campaign.objects.create(name=f"Campaign {number}", starts_at=at)
        if number == 0:
            Rule.objects.create(
                campaign=campaign, trigger="order.paid", recipient="actor", amount_kind="percent", rate_bps=500
            )
            Limit.objects.create(campaign=campaign, per="member", period="month", max_count=1000)
        elif number == 1:
            Rule.objects.create(
                campaign=campaign, trigger="order.paid", recipient="inviter", order_number="first", amount_kind="tiers"
            )
            RewardTier.objects.create(campaign=campaign, from_count=1, amount_points=100)
        else:
            trigger = "order.paid" if number < ON_ORDERS else f"custom.kind_{number}"
            conditions = [
                {
                    "field": "value" if number >= ON_ORDERS else "amount_minor",
                    "operator": "at_least",
                    "value": 10**9 + number,
                },
                {"field": "channel", "operator": "equals", "value": f"channel {number}"},
            ]
            Rule.objects.create(
                campaign=campaign, trigger=trigger, recipient="actor", amount_points=10, conditions=conditions
            )
        lifecycle.activate(campaign=campaign, author="bench", at=at)


def reports(*, count: int, first: int, members: int) -> list[Report]:
    """Return paid orders of so many members, ready to be recorded."""
    sender = Sender(schema=current_schema(), region="US", may_backfill=False)
    return [
        read(body=body(number, members=members), sender=sender, at=timezone.now())
        for number in range(first, first + count)
    ]


def body(number: int, *, members: int = 1000) -> dict[str, object]:
    """Return an order as a shop would report it."""
    return {
        "key": f"order-{number}",
        "kind": "order.paid",
        "member": {"external_id": f"member-{number % members}", "email": f"member{number % members}@example.com"},
        "data": {"order_id": str(number), "amount_minor": 2500 + number % 5000, "currency": "USD", "channel": "site"},
    }


def fill(*, count: int, first: int, members: int = 1000) -> None:
    """Leave so many orders waiting in the current tenant."""
    for start in range(first, first + count, 500):
        inbox.record(
            reports=reports(count=min(500, first + count - start), first=start, members=members), at=timezone.now()
        )


def raw_columns(*, count: int, first: int) -> dict[str, list[object]]:
    """Return the columns of so many events, for the reference that only inserts."""
    bodies = [body(number) for number in range(first, first + count)]
    return {
        "keys": [f"raw-{each['key']}" for each in bodies],
        "data": [json.dumps(each["data"]) for each in bodies],
        "identities": [
            json.dumps([{"kind": "external_id", "lookup": each["key"], "value": each["key"]}]) for each in bodies
        ],
    }


def _with_server(statement: str) -> None:
    with connection._nodb_cursor() as cursor:  # noqa: SLF001 (Django's own way to a server without a database)
        cursor.execute(statement)
