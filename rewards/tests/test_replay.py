"""
A year and a half of real orders, replayed day by day, against plain loops over the file.

Five percent of each order comes back as points after fourteen days, and lives for 180 days. Whoever orders for the
third time, the sixth and so on spends half of what they have first.
"""

import csv
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

import pytest
from django.conf import settings
from django.db.models import Sum

from core.db import transaction
from events import inbox
from events.reports import Sender, read
from members import people
from rewards import ledger, maturing, night, reservations
from rewards.actors import Actor
from rewards.models import Account, Asset, Posting, Reward
from tenants import periods
from tests.cast import Shop, make_campaign

pytestmark = pytest.mark.django_db

FILE = settings.BASE_DIR / "demo" / "data" / "cdnow_sample.csv"
FIRST, LAST = date(1997, 1, 1), date(1998, 6, 30)
# Every so many customers one, and in their place all of their orders.
EVERY = 12
HOLD, LIFE = timedelta(days=14), timedelta(days=180)
SHOP = Actor("key", "shop")


class Order(NamedTuple):
    number: str
    customer: str
    day: date
    amount_minor: int
    spends: bool


def orders():
    with FILE.open(encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file))
    found = []
    for customer, of_customer in groupby(rows, key=lambda row: row["customer_id"]):
        if int(customer) % EVERY:
            continue
        for nth, row in enumerate(of_customer, 1):
            cents = int(Decimal(row["amount_usd"]) * 100)
            day = date.fromisoformat(row["date"])
            found.append(Order(f"{customer}-{nth}", customer, day, cents, nth % 3 == 0))
    return found


# The other way to know


class Expected:
    """What each customer should have on the evening of the last day, by loops and lists."""

    def __init__(self):
        self.balances = {}
        self.earned = self.pending = self.spent = self.expired = 0
        for customer, of_customer in groupby(orders(), key=lambda order: order.customer):
            self.balances[customer] = self.replay(list(of_customer))

    def replay(self, of_customer):
        lots = []
        for order in of_customer:
            if order.spends:
                self.spend(lots, order.day)
            amount = order.amount_minor * 5 // 100
            if order.day + HOLD > LAST:
                self.pending += amount
            else:
                self.earned += amount
                lots.append({"usable": order.day + HOLD, "last_day": order.day + HOLD + LIFE, "left": amount})
        self.expired += sum(lot["left"] for lot in lots if lot["last_day"] < LAST)
        return sum(lot["left"] for lot in lots if lot["last_day"] >= LAST)

    def spend(self, lots, day):
        # An order's own points come in the evening, after whatever is spent that day.
        usable = [lot for lot in lots if lot["usable"] < day <= lot["last_day"]]
        wanted = sum(lot["left"] for lot in usable) // 2
        self.spent += wanted
        for lot in sorted(usable, key=lambda lot: lot["last_day"]):
            used = min(lot["left"], wanted)
            lot["left"] -= used
            wanted -= used


# The real way


class Replay:
    def __init__(self, zone):
        self.zone = zone
        self.sender = Sender(schema="t_acme", region="RU", may_backfill=False)

    def at(self, day, hour):
        return datetime.combine(day, time(hour), tzinfo=self.zone).astimezone(UTC)

    def live(self, day, of_day):
        night.run(schema="t_acme", at=periods.midnight(day, zone=self.zone))
        noon = self.at(day, 12)
        for order in of_day:
            if order.spends:
                self.spend(order, at=noon)
        self.pay(of_day, at=noon)
        evening = self.at(day, 20)
        if maturing.is_due(at=evening):
            maturing.release_due(schema="t_acme", limit=1000, at=evening)

    def spend(self, order, *, at):
        member = people.find_by_external_id(order.customer)
        half = ledger.balance_of(member_id=member.pk) // 2 if member else 0
        if half:
            wanted = reservations.Wanted(key=f"spend:{order.number}", member_id=member.pk, amount=half)
            with transaction():
                made = reservations.reserve(wanted=wanted, actor=SHOP, at=at)
                reservations.capture(redemption_id=made.pk, amount=None, at=at)

    def pay(self, of_day, *, at):
        reports = [read(body=body_of(order, at), sender=self.sender, at=at) for order in of_day]
        if reports:
            inbox.record(reports=reports, at=at)
            Shop(at=at).handle()


def body_of(order, at):
    return {
        "key": order.number,
        "kind": "order.paid",
        "member": {"external_id": order.customer},
        "occurred_at": at.isoformat(),
        "data": {"order_id": order.number, "amount_minor": order.amount_minor, "currency": "RUB"},
    }


@pytest.fixture
def replayed(acme, settle_in):
    zone = settle_in("America/New_York")
    Asset.objects.filter(code="points").update(minor_per_unit=1, expiry="days", expiry_count=LIFE.days)
    make_campaign(
        at=periods.midnight(FIRST, zone=zone),
        rule={
            "recipient": "actor",
            "order_number": "any",
            "amount_kind": "percent",
            "rate_bps": 500,
            "amount_points": None,
            "hold_days": HOLD.days,
        },
    )
    by_day = defaultdict(list)
    for order in orders():
        by_day[order.day].append(order)
    replay = Replay(zone)
    for n in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(days=n)
        replay.live(day, by_day[day])
    return replay


def total(reason):
    return Posting.objects.filter(reason=reason).aggregate(total=Sum("amount"))["total"]


def test_eighteen_months_of_orders_come_to_what_plain_loops_say(replayed):
    expected = Expected()

    accounts = Account.objects.filter(kind="member").values_list("member_id", "balance")
    balances = dict(accounts)
    found = {customer: balances.get(Shop().id_of(customer), 0) for customer in expected.balances}
    assert found == expected.balances
    assert total("grant") == expected.earned
    assert total("spend") == expected.spent
    assert total("expire") == expected.expired
    pending = Reward.objects.filter(status="pending").aggregate(total=Sum("given"))["total"]
    assert pending == expected.pending
    assert expected.earned == expected.spent + expected.expired + sum(balances.values())
    assert ledger.verify() == []
